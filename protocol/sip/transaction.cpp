// The four state machines of RFC 3261 section 17, for streams.
#include "protocol/sip/transaction.h"

#include "protocol/sip/text.h"

namespace cutover::sip {
namespace {

constexpr std::string_view magic_cookie = "z9hG4bK";

struct TopVia {
  std::string sent_by;
  std::string branch;
};

TopVia top_via(const Message& message) {
  const auto via = message.header_or_empty("Via");
  const auto semicolon = via.find(';');
  const auto front = trim(std::string_view(via).substr(0, semicolon));
  TopVia result;
  if (const auto space = front.find_last_of(" \t"); space != std::string_view::npos)
    result.sent_by = lower(front.substr(space + 1));
  if (semicolon != std::string::npos)
    if (const auto parameters = parse_parameters(std::string_view(via).substr(semicolon)))
      result.branch = find_parameter(*parameters, "branch").value_or("");
  return result;
}

std::string server_key_as(const Message& request, std::string_view method) {
  const auto via = top_via(request);
  if (std::string_view(via.branch).starts_with(magic_cookie))
    return via.branch + ' ' + via.sent_by + ' ' + std::string(method);
  const auto from = request.from();
  return request.request_uri + ' ' + (from ? from->tag() : "") + ' ' + request.call_id() + ' ' +
         std::to_string(request.cseq_number()) + ' ' + request.header_or_empty("Via") + ' ' + std::string(method);
}

}  // namespace

std::string branch_of(const Message& message) { return top_via(message).branch; }

std::string client_key(const Message& message) { return branch_of(message) + ' ' + message.cseq_method(); }

std::string server_key(const Message& request) {
  return server_key_as(request, request.method == "ACK" ? "INVITE" : request.method);
}

std::string cancelled_key(const Message& cancel) { return server_key_as(cancel, "INVITE"); }

ClientTransaction::ClientTransaction(Message request, Time now, TransactionTimers timers, Departures departures)
    : request_(std::move(request)), timers_(timers), departures_(std::move(departures)) {
  if (holds(Rule::silence_has_an_end)) deadline_ = now + timers_.whole();  // timers B and F
}

void ClientTransaction::finish() {
  state_ = TransactionState::terminated;
  deadline_.reset();
}

Message ClientTransaction::ack_for(const Message& response) const {
  // RFC 3261 section 17.1.1.3: the topmost Via only, the To of the response, the Route of the request.
  Message ack;
  ack.method = "ACK";
  ack.request_uri = request_.request_uri;
  ack.add_header("Via", request_.header_or_empty("Via"));
  ack.add_header("Max-Forwards", "70");
  for (const auto& route : request_.all("Route")) ack.add_header("Route", route);
  ack.add_header("From", request_.header_or_empty("From"));
  ack.add_header("To", response.header_or_empty("To"));
  ack.add_header("Call-ID", request_.call_id());
  ack.add_header("CSeq", std::to_string(request_.cseq_number()) + " ACK");
  return ack;
}

ClientOutput ClientTransaction::receive(const Message& response, Time now) {
  ClientOutput out;
  if (state_ == TransactionState::terminated) return out;
  if (state_ == TransactionState::accepted) {
    // RFC 6026 section 7.2: every further 2xx (of another fork, or sent again) goes up; nothing else does.
    const bool accepts = response.status >= 200 && response.status < 300;
    if (accepts) out.to_user.push_back(response);
    return out;
  }
  out.to_user.push_back(response);
  if (response.status < 200) {
    state_ = TransactionState::proceeding;
    // Timer B guards the wait for a first answer only; timer F the whole of a non-INVITE transaction.
    if (is_invite() && holds(Rule::ringing_has_no_end)) deadline_.reset();
  } else if (!is_invite()) {
    finish();
  } else if (response.status < 300) {
    state_ = TransactionState::accepted;
    deadline_ = now + timers_.whole();  // timer M
  } else {
    if (holds(Rule::refusal_is_acknowledged)) out.to_transport.push_back(ack_for(response));
    finish();  // timer D is zero
  }
  return out;
}

ClientOutput ClientTransaction::timeout(Time now) {
  ClientOutput out;
  if (!deadline_ || now < *deadline_) return out;
  if (state_ != TransactionState::accepted) out.failure = TransactionFailure::timed_out;
  finish();
  return out;
}

ClientOutput ClientTransaction::transport_failed() {
  ClientOutput out;
  const bool open = state_ == TransactionState::trying || state_ == TransactionState::proceeding;
  if (departures_.breaks(Rule::lost_connection_is_told, open)) out.failure = TransactionFailure::transport_failed;
  finish();
  return out;
}

ServerTransaction::ServerTransaction(Message request, Time now, TransactionTimers timers, Departures departures)
    : request_(std::move(request)), timers_(timers), departures_(std::move(departures)) {
  // An INVITE that waits gets 100. For others an answer after timer F of the client is of no use (RFC 4320
  // section 4.2): the transaction is forgotten then.
  deadline_ = now + (is_invite() ? timers_.trying : timers_.whole());
}

void ServerTransaction::finish() {
  state_ = TransactionState::terminated;
  deadline_.reset();
}

ServerOutput ServerTransaction::receive(const Message& request, Time) {
  ServerOutput out;
  if (request.method == "ACK") {
    if (state_ == TransactionState::accepted)
      out.to_user = true;
    else if (state_ == TransactionState::completed)
      finish();  // timer I is zero
    return out;
  }
  // RFC 6026: after a 2xx the INVITE is absorbed in silence; else what was said last is said again.
  if (departures_.breaks(Rule::accepted_invite_is_absorbed, state_ == TransactionState::accepted)) return out;
  if (last_response_ && holds(Rule::last_answer_is_repeated)) out.to_transport.push_back(*last_response_);
  return out;
}

ServerOutput ServerTransaction::respond(const Message& response, Time now) {
  ServerOutput out;
  const bool success = response.status >= 200 && response.status < 300;
  const bool open = state_ == TransactionState::trying || state_ == TransactionState::proceeding;
  const bool further = state_ == TransactionState::accepted && success;
  if (open || further) out.to_transport.push_back(response);
  if (!open) return out;
  last_response_ = response;
  if (response.status < 200) {
    state_ = TransactionState::proceeding;
    if (is_invite()) deadline_.reset();
  } else if (is_invite()) {
    state_ = success ? TransactionState::accepted : TransactionState::completed;
    deadline_ = now + timers_.whole();  // timer L, or H
  } else if (timers_.completed == Duration::zero()) {
    finish();
  } else {
    state_ = TransactionState::completed;
    deadline_ = now + timers_.completed;  // timer J
  }
  return out;
}

ServerOutput ServerTransaction::timeout(Time now) {
  if (!deadline_ || now < *deadline_) return {};
  if (is_invite() && state_ == TransactionState::trying) return respond(response_to(request_, 100, "", ""), now);
  finish();
  return {};
}

void ServerTransaction::transport_failed() { finish(); }

}  // namespace cutover::sip
