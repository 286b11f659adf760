// What two nodes said to each other in SIP, message by message, as one of them noted it.
#pragma once

#include "harness/standing/conversation.h"
#include "protocol/sip/message.h"

#include <optional>
#include <string>
#include <vector>

namespace cutover::harness::standing {

/// One SIP message.
struct SipSaid {
  bool by_sender = false;  ///< by the one that is judged; else by who heard it
  ConnectionId connection = ConnectionId::none;
  std::string octets;
  std::optional<sip::Message> message;
  std::string wrong;  ///< why it cannot be read, where it cannot

  [[nodiscard]] bool is_request(std::string_view method) const {
    return message && message->is_request && message->method == method;
  }
  [[nodiscard]] bool is_final() const { return message && !message->is_request && message->status >= 200; }
  /// The branch of the topmost Via; empty without.
  [[nodiscard]] std::string branch() const;
};

/// All that two nodes said to each other: a dialog may go over several connections.
struct SipConversation {
  std::string sender, listener, connection;
  std::vector<SipSaid> said;  ///< in the order in which the listener sent and received it
};

/// The conversations of a trace whose sender is judged. What follows the end of the case is not there.
[[nodiscard]] std::vector<SipConversation> sip_conversations(const std::vector<TraceRecord>& records,
                                                             const Judged& judged);

}  // namespace cutover::harness::standing
