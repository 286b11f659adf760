// SIP transactions over a reliable transport, in virtual time and without input or output of their own (RFC 3261
// section 17, RFC 6026).
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/time.h"
#include "protocol/sip/message.h"
#include "protocol/sip/rules.h"

#include <optional>
#include <string>
#include <vector>

namespace cutover::sip {

/// How a client transaction ended, besides a response.
enum class TransactionFailure { timed_out, transport_failed };

/// RFC 3261 section 17.1.1.1 and table 4. Over a reliable transport timers A, E and G do not run and D, I, J and K are
/// zero.
struct TransactionTimers {
  Duration t1 = 500ms;
  Duration t2 = 4s;
  Duration completed = 0s;  ///< timer J (and K): how long a finished non-INVITE transaction absorbs what comes again
  Duration trying = 200ms;  ///< after which an INVITE without an answer gets 100 (section 17.2.1)
  [[nodiscard]] Duration whole() const { return 64 * t1; }  ///< timers B, F, H, L and M: 32 s
};

enum class TransactionState { trying, proceeding, completed, accepted, terminated };

/// What a client transaction wants done after an input.
struct ClientOutput {
  std::vector<Message> to_transport;  ///< ACK for a final answer that is no 2xx
  std::vector<Message> to_user;
  std::optional<TransactionFailure> failure;
};

/// One request of ours. The request was sent by the caller when it made the transaction.
class ClientTransaction {
 public:
  ClientTransaction(Message request, Time now, TransactionTimers timers = {}, Departures departures = {});
  [[nodiscard]] const Message& request() const { return request_; }
  [[nodiscard]] TransactionState state() const { return state_; }
  [[nodiscard]] ClientOutput receive(const Message& response, Time now);
  [[nodiscard]] ClientOutput timeout(Time now);
  [[nodiscard]] ClientOutput transport_failed();
  [[nodiscard]] std::optional<Time> deadline() const { return deadline_; }

 private:
  [[nodiscard]] bool is_invite() const { return request_.method == "INVITE"; }
  [[nodiscard]] bool holds(Rule rule) const { return departures_.holds(rule); }
  [[nodiscard]] Message ack_for(const Message& response) const;
  void finish();

  Message request_;
  TransactionTimers timers_;
  Departures departures_;
  TransactionState state_ = TransactionState::trying;
  std::optional<Time> deadline_;
};

/// What a server transaction wants done after an input.
struct ServerOutput {
  std::vector<Message> to_transport;
  bool to_user = false;  ///< the message is for the transaction user (an ACK of a 2xx)
};

/// One request to us.
class ServerTransaction {
 public:
  ServerTransaction(Message request, Time now, TransactionTimers timers = {}, Departures departures = {});
  [[nodiscard]] const Message& request() const { return request_; }
  [[nodiscard]] TransactionState state() const { return state_; }
  /// The request again, or the ACK of an INVITE.
  [[nodiscard]] ServerOutput receive(const Message& request, Time now);
  /// An answer of the user. None leaves after the final one, except further 2xx of a proxy (RFC 6026 section 7.1).
  [[nodiscard]] ServerOutput respond(const Message& response, Time now);
  [[nodiscard]] ServerOutput timeout(Time now);
  void transport_failed();
  [[nodiscard]] std::optional<Time> deadline() const { return deadline_; }

 private:
  [[nodiscard]] bool is_invite() const { return request_.method == "INVITE"; }
  [[nodiscard]] bool holds(Rule rule) const { return departures_.holds(rule); }
  void finish();

  Message request_;
  TransactionTimers timers_;
  Departures departures_;
  TransactionState state_ = TransactionState::trying;
  std::optional<Message> last_response_;
  std::optional<Time> deadline_;
};

/// The branch of the topmost Via; empty where there is none.
[[nodiscard]] std::string branch_of(const Message&);
/// Matches a response to its client transaction (RFC 3261 section 17.1.3).
[[nodiscard]] std::string client_key(const Message&);
/// Matches a request to its server transaction (section 17.2.3); an ACK finds its INVITE. For a branch without the
/// magic cookie the older rules: Request-URI, tags, Call-ID, CSeq and the topmost Via.
[[nodiscard]] std::string server_key(const Message&);
/// The key of the INVITE that a CANCEL wants cancelled.
[[nodiscard]] std::string cancelled_key(const Message& cancel);

}  // namespace cutover::sip
