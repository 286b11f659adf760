// The seam between a SIP endpoint and its wire, decrypted: messages on their way, and the rewrites that change them.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/node.h"
#include "protocol/sip/message.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace cutover::sip {

/// One message on its way: what a rewrite may look at and change.
class Passage {
 public:
  Direction direction = Direction::out;  ///< as the node sees it
  Message message;

  [[nodiscard]] bool out() const { return direction == Direction::out; }
  [[nodiscard]] bool in() const { return direction == Direction::in; }
  /// A request of that method that the node sends (hears).
  [[nodiscard]] bool sends(std::string_view method) const { return out() && is(method); }
  [[nodiscard]] bool hears(std::string_view method) const { return in() && is(method); }
  [[nodiscard]] bool is(std::string_view method) const { return message.is_request && message.method == method; }
  [[nodiscard]] bool says_response() const { return out() && !message.is_request; }
  /// A response to a request of that method that the node sends (hears), with a status from `least` to `most`.
  [[nodiscard]] bool answers(std::string_view method, int least = 100, int most = 699) const {
    return out() && is_answer(method, least, most);
  }
  [[nodiscard]] bool is_answer(std::string_view method, int least = 100, int most = 699) const {
    return !message.is_request && message.status >= least && message.status <= most && message.cseq_method() == method;
  }

  void drop() { dropped = true; }
  void repeat() { follow(message); }
  /// Another message behind this one, in the same direction; it is not rewritten.
  void follow(Message another) { behind.push_back(std::move(another)); }
  /// A message the other way: to the peer (the message is heard), or to the node (it is sent); it is not rewritten.
  void answer(Message another) { back.push_back(std::move(another)); }
  /// Answers a request in place of whom it is for, who never has it: so it is lost without a transaction that times
  /// out.
  void settle(int status) {
    drop();
    answer(response_to(message, status, {}, "settled"));
  }
  /// Changes the octets of this message once it is written; without effect on one that is heard.
  void edit(std::function<void(std::string&)> change) { edits.push_back(std::move(change)); }

  bool dropped = false;
  std::vector<Message> behind, back;
  std::vector<std::function<void(std::string&)>> edits;
};

}  // namespace cutover::sip
