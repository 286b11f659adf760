// Users of SIP who watch users of XMPP: the gateway as notifier (RFC 8048 sections 5.3, 6 and 7.2, RFC 6665
// section 4.2).
#pragma once

#include "protocol/interworking/core.h"
#include "protocol/interworking/mapping/presence.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cutover::interworking {

class Notifying {
 public:
  explicit Notifying(Core& core) : core_(core) {}

  /// A SUBSCRIBE outside a dialog; addresses and rights were checked.
  void on_subscribe(sip::TransactionId id, const sip::Message& request, const Address& sip, const Address& xmpp);
  /// One inside a dialog. False where none matches.
  [[nodiscard]] bool on_in_dialog(sip::TransactionId id, const sip::Message& request);

  /// Presence without type, or unavailable.
  void on_presence(const xml::Element& stanza, const Address& xmpp, const Address& sip);
  void on_subscribed(const Address& xmpp, const Address& sip);
  void on_unsubscribed(const Address& xmpp, const Address& sip);
  /// An answer of type error to our subscribe or probe.
  void on_error(const xml::Element& stanza, const Address& xmpp, const Address& sip);

  [[nodiscard]] std::optional<Time> deadline() const;
  void timeout();
  [[nodiscard]] std::size_t open_dialogs() const { return watchers_.size(); }

 private:
  enum class State { pending, active };
  struct Watcher {
    Pair pair;
    Address xmpp, sip;  ///< bare
    Dialog dialog;
    State state = State::pending;
    std::string event;  ///< as subscribed, with its id
    Time expires_at{};
    Time document_after{};  ///< no document before
    bool dirty = false;     ///< a document is owed
    bool in_flight = false;
    bool owed = false;                      ///< a NOTIFY is owed once the one in flight is answered
    std::optional<std::string> end_reason;  ///< terminated, to be said once nothing is in flight
    std::string end_document;
    std::optional<Time> fetch_due;  ///< a poll that waits for the answer to a probe
  };

  [[nodiscard]] std::optional<Status> check(const sip::Message& request) const;
  void accept(sip::TransactionId id, const sip::Message& request, Watcher& watcher, Duration expires);
  void on_fetch(const std::string& id);
  void ask(const Watcher& watcher, std::string_view type);

  void notify(const std::string& id);
  void send_notify(const std::string& id, const std::string& state, std::string document);
  void on_notified(const std::string& id, const Outcome& outcome);
  void end(const std::string& id, std::string reason, std::string document = {});
  void end_pair(const Pair& pair, const std::string& reason);
  void mark_changed(const Pair& pair, bool at_once);
  [[nodiscard]] std::string document_of(const Watcher& watcher) const;
  [[nodiscard]] bool knows(const Pair& pair) const;
  /// Whether the answer to our `subscribe` is still to come.
  [[nodiscard]] bool asked(const Pair& pair) const;
  /// Whether a watcher may be told anything.
  [[nodiscard]] bool approved(const Pair& pair) const;
  [[nodiscard]] bool has_dialog(const Pair& pair) const;
  [[nodiscard]] std::vector<std::string> watchers_of(const Pair& pair) const;

  Core& core_;
  std::map<std::string, Watcher> watchers_;  ///< by Call-ID and our tag
  /// What each watcher may know: presence is directed, so one watcher's state is never another's.
  std::map<Pair, std::map<std::string, Presence>> known_;
};

}  // namespace cutover::interworking
