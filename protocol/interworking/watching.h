// Users of XMPP who watch users of SIP: the gateway as subscriber (RFC 8048 sections 5.2 and 7.1, RFC 6665
// section 4.1).
#pragma once

#include "protocol/interworking/core.h"
#include "protocol/interworking/mapping/presence.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cutover::interworking {

class Watching {
 public:
  explicit Watching(Core& core) : core_(core) {}

  void on_subscribe(const Address& xmpp, const Address& sip);
  void on_unsubscribe(const Address& xmpp, const Address& sip);
  void on_probe(const Address& xmpp, const Address& sip);
  /// The user has come online: a consent without a dialog gets one (RFC 8048 section 5.2.2).
  void on_available(const Address& xmpp, const Address& sip);
  void on_notify(sip::TransactionId id, const sip::Message& request);

  [[nodiscard]] std::optional<Time> deadline() const;
  void timeout();
  [[nodiscard]] std::size_t open_dialogs() const { return subscriptions_.size(); }

 private:
  enum class Kind { watch, poll };
  enum class State { trying, pending, active, cancelling };
  struct Subscription {
    Kind kind = Kind::watch;
    State state = State::trying;
    Pair pair;
    Address xmpp, sip;  ///< bare; for a poll `xmpp` is who asked, as written
    Dialog dialog;
    Duration asked{};
    std::optional<Time> refresh_at, expires_at, first_notify_due;
    bool answered = false;          ///< a 2xx or a NOTIFY came
    std::set<std::string> present;  ///< resources that were shown as available
    bool end_confirmed = false;     ///< unsubscribed was sent
  };
  struct Known {
    std::map<std::string, Presence> resources;
  };
  struct Retry {
    Address xmpp, sip;
    Time at{};
  };

  void answer_probe_of_nobody(const Address& sip, const Address& xmpp);

  Subscription* current(const Pair& pair);
  void start(Kind kind, const Address& xmpp, const Address& sip, Duration expires);
  void subscribe(Subscription& subscription, Duration expires);
  void on_outcome(const std::string& call_id, bool refresh, bool cancel, const Outcome& outcome);
  /// RFC 8048 section 5.2.3: unsubscribed, once, whether the 2xx or the final NOTIFY comes first.
  void confirm_end(Subscription& subscription);
  void on_granted(Subscription& subscription, const sip::Message& response);
  void on_failed(const std::string& call_id, bool refresh, const Outcome& outcome);
  /// The shorter of the times that the SIP side told counts; the refresh is due well ahead of it.
  void expire_in(Subscription& subscription, Duration granted);
  /// Only a refusal by name takes the consent away; what it is `otherwise` has a rule.
  [[nodiscard]] bool cancels_consent(bool refusal, Rule otherwise) const;
  void remove(const std::string& call_id);
  void revoke(const Pair& pair, const Address& xmpp, const Address& sip);
  /// Subscribes anew, at once or after a while.
  void retry(const Address& xmpp, const Address& sip, Duration after);

  [[nodiscard]] std::optional<Status> check(const Subscription* subscription, const sip::Message& request) const;
  void approve(Subscription& subscription);
  void on_terminated(const std::string& call_id, const std::string& reason, std::optional<Duration> retry_after,
                     const sip::Message& request);
  void show(Subscription& subscription, const sip::Message& request);
  void show_gone(Subscription& subscription);
  void send_presence(const Presence& presence, const Address& from, const Address& to);
  [[nodiscard]] Duration spacing(const Pair& pair);

  Core& core_;
  std::map<std::string, Subscription> subscriptions_;  ///< by Call-ID
  std::map<Pair, std::string> current_;                ///< the watch of a pair
  std::map<Pair, Known> known_;                        ///< last document
  std::map<Pair, Retry> retries_;
  std::map<Pair, int> restarts_;  ///< in a row, for the back-off
};

}  // namespace cutover::interworking
