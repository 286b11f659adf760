// What a SIP user sends and how it answers: RFC 3428, RFC 3856, and the product's INVITE with m=message.
#include "mocks/sip_user.h"

#include "protocol/sip/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cutover::mocks {

namespace {

constexpr int subscription_expires_s = 3600;

std::string sdp(const std::string& address) {
  return fmt::format(
      "v=0\r\no=- 0 0 IN IP4 {0}\r\ns=session\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=message 5060 sip null\r\n"
      "a=accept-types:text/plain text/html application/im-iscomposing+xml\r\n",
      address);
}

std::string address_of(const std::string& uri) {
  const auto parsed = sip::parse_uri(uri);
  return parsed ? fmt::format("{}:{}@{}", parsed->scheme, parsed->user, parsed->host) : uri;
}

std::string from_of(const sip::Message& message) {
  const auto from = message.from();
  return from ? address_of(from->uri.text()) : std::string();
}

int number_of(const std::string& text, int otherwise) {
  int value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// No dialog more, where so many are open that a peer must be flooding.
template <class Dialogs>
bool is_full(const Dialogs& dialogs, const std::string& call_id) {
  constexpr std::size_t dialogs_max = 4096;
  return dialogs.size() >= dialogs_max && !dialogs.contains(call_id);
}

bool final(const sip::Message& response) { return response.status >= 200; }

}  // namespace

std::size_t octets_of(const SipPresence& presence) {
  std::size_t octets = sizeof(SipPresence);
  for (const auto& device : presence)
    octets += sizeof(device) + device.resource.size() + device.status.size() + device.show.size();
  return octets;
}

SipUser::SipUser(SipUserSettings settings)
    : settings_(std::move(settings)), uri_("sip:" + settings_.name + "@" + settings_.domain) {}
SipUser::~SipUser() {
  if (context_ != nullptr) context_->forget(*this);
}

void SipUser::start(Context& context) {
  context_ = &context;
  agent_ = std::make_unique<UserAgent>(settings_, context, *this,
                                       [this](const sip::Message& response) { responses_.push_back(response); });
}

void SipUser::record_outcome(const std::string& body, int status, const std::string& reason) {
  outcomes_.push_back({body, status, reason});
}

void SipUser::send_and_remember(sip::Message message) {
  const auto body = message.body;
  agent_->transmit(
      std::move(message),
      [this, body](const sip::Message& response) {
        if (final(response)) record_outcome(body, response.status, response.header_or_empty("Warning"));
      },
      [this, body](sip::TransactionFailure) { record_outcome(body, 0, "no answer"); });
}

void SipUser::send_message(const std::string& to_uri, const std::string& body, const std::string& content_type) {
  auto message = agent_->request("MESSAGE", to_uri);
  message.add_header("Content-Type", content_type);
  message.body = body;
  send_and_remember(std::move(message));
}

void SipUser::send_raw(sip::Message message) {
  const auto usual = agent_->request(message.method, message.request_uri);
  for (const auto& header : usual.headers) {
    if (!message.header(header.name)) message.add_header(header.name, header.value);
  }
  send_and_remember(std::move(message));
}

void SipUser::send_in_dialog(const std::string& to_uri, const std::string& content_type, const std::string& body) {
  for (auto& [call_id, session] : sessions_) {
    if (session.dialog.confirmed && address_of(session.dialog.remote_uri) == address_of(to_uri))
      return send_text_in(session, body, content_type);
  }
}

void SipUser::send_text_in(Session& session, const std::string& body, const std::string& content_type) {
  auto message = agent_->request_in(session.dialog, "MESSAGE");
  message.add_header("Content-Type", content_type);
  message.body = body;
  send_and_remember(std::move(message));
}

void SipUser::send_in_session(const std::string& to_uri, const std::string& body) {
  for (auto& [call_id, session] : sessions_) {
    if (address_of(session.dialog.remote_uri) != address_of(to_uri)) continue;
    if (session.dialog.confirmed) return send_text_in(session, body);
    session.waiting.push_back(body);
    return;
  }
  open_session(to_uri, body);
}

void SipUser::open_session(const std::string& to_uri, const std::string& body) {
  auto invite = agent_->request("INVITE", to_uri);
  invite.add_header("Contact", "<" + agent_->contact_uri() + ">");
  invite.add_header("Content-Type", "application/sdp");
  invite.body = sdp(context_->address());
  const auto call_id = invite.call_id();
  sessions_[call_id] = {SipDialog::begun(invite), {body}};
  agent_->transmit(
      std::move(invite), [this, call_id](const sip::Message& response) { on_session_answer(call_id, response); },
      [this, call_id](sip::TransactionFailure) { give_session_up(call_id, 0, "no answer"); });
}

void SipUser::on_session_answer(const std::string& call_id, const sip::Message& response) {
  if (!final(response)) return;
  if (response.status >= 300) return give_session_up(call_id, response.status, response.header_or_empty("Warning"));
  auto& session = sessions_[call_id];
  session.dialog.confirm(response);
  agent_->acknowledge(session.dialog);
  for (const auto& text : std::exchange(session.waiting, {})) send_text_in(session, text);
}

void SipUser::give_session_up(const std::string& call_id, int status, const std::string& reason) {
  for (const auto& text : sessions_[call_id].waiting) record_outcome(text, status, reason);
  sessions_.erase(call_id);
}

void SipUser::end_session(const std::string& to_uri) {
  for (auto session = sessions_.begin(); session != sessions_.end(); ++session) {
    if (address_of(session->second.dialog.remote_uri) != address_of(to_uri)) continue;
    agent_->transmit(agent_->request_in(session->second.dialog, "BYE"));
    sessions_.erase(session);
    return;
  }
}

void SipUser::subscribe(const std::string& to_uri, int expires_s) {
  auto message = agent_->request("SUBSCRIBE", to_uri);
  message.add_header("Contact", "<" + agent_->contact_uri() + ">");
  message.add_header("Event", "presence");
  message.add_header("Accept", interworking::pidf_media);
  message.add_header("Expires", std::to_string(expires_s));
  subscriptions_[to_uri] = SipDialog::begun(message);
  contacts_[to_uri].state.clear();
  contacts_[to_uri].subscribe_status = 0;
  const auto call_id = message.call_id();
  agent_->transmit(std::move(message), [this, to_uri, call_id](const sip::Message& response) {
    auto& answered = subscriptions_[to_uri];
    if (!final(response) || answered.call_id != call_id) return;
    contacts_[to_uri].subscribe_status = response.status;
    if (response.status < 300) answered.confirm(response);
  });
}

void SipUser::unsubscribe(const std::string& to_uri) { refresh(to_uri, 0); }

void SipUser::refresh(const std::string& to_uri, int expires_s) {
  const auto found = subscriptions_.find(to_uri);
  if (found == subscriptions_.end() || !found->second.confirmed) return;
  auto message = agent_->request_in(found->second, "SUBSCRIBE");
  message.add_header("Contact", "<" + agent_->contact_uri() + ">");
  message.add_header("Event", "presence");
  message.add_header("Expires", std::to_string(expires_s));
  agent_->transmit(std::move(message));
}

void SipUser::notify_with(const std::string& subscription_state, const std::string& body) {
  notify_as(subscription_state, [&](sip::Message& message) {
    if (!body.empty()) message.add_header("Content-Type", interworking::pidf_media);
    message.body = body;
  });
}

void SipUser::notify_as(const std::string& subscription_state, const std::function<void(sip::Message&)>& change,
                        const std::function<void(const sip::Message&)>& heard) {
  for (auto& [call_id, watcher] : watchers_) {
    auto message = agent_->request_in(watcher.dialog, "NOTIFY");
    message.add_header("Contact", "<" + agent_->contact_uri() + ">");
    message.add_header("Event", "presence");
    message.add_header("Subscription-State", subscription_state);
    change(message);
    agent_->transmit(std::move(message), heard);
  }
}

void SipUser::set_presence(interworking::Presence presence) {
  presence_ = std::move(presence);
  for (auto& [call_id, watcher] : watchers_) {
    if (watcher.state == "active") notify(watcher);
  }
}

void SipUser::approve(const std::string& watcher_uri) {
  for (auto& [call_id, watcher] : watchers_) {
    if (address_of(watcher.dialog.remote_uri) != address_of(watcher_uri) || watcher.state == "active") continue;
    watcher.state = "active";
    notify(watcher);
  }
}

void SipUser::reject(const std::string& watcher_uri) {
  std::vector<std::string> ends;
  for (const auto& [call_id, watcher] : watchers_) {
    if (address_of(watcher.dialog.remote_uri) == address_of(watcher_uri)) ends.push_back(call_id);
  }
  for (const auto& call_id : ends) end_watcher(call_id, "rejected");
}

std::vector<std::string> SipUser::watchers() const {
  std::vector<std::string> uris;
  for (const auto& [call_id, watcher] : watchers_) uris.push_back(address_of(watcher.dialog.remote_uri));
  return uris;
}

void SipUser::respond(sip::TransactionId transaction, const sip::Message& message, int status,
                      const std::string& reason, const std::string& tag) {
  if (transaction == sip::TransactionId::none) return;
  auto response = sip::response_to(message, status, reason, tag.empty() ? agent_->token() : tag);
  if (status >= 300 && !moved_to_.empty()) response.set_header("Contact", "<" + moved_to_ + ">");
  agent_->respond(transaction, response);
}

void SipUser::on_request(sip::TransactionId transaction, const sip::Message& message, ConnectionId) {
  if (requests_.push_back(message))
    context_->note({.summary = "so many requests that the oldest are not kept", .detail = {}});
  if (message.method == "MESSAGE") return on_message(transaction, message);
  if (message.method == "INVITE") return on_invite(transaction, message);
  if (message.method == "SUBSCRIBE") return on_subscribe(transaction, message);
  if (message.method == "NOTIFY") return on_notify(transaction, message);
  if (message.method == "BYE") {
    const bool known = sessions_.erase(message.call_id()) != 0;
    return respond(transaction, message, known ? 200 : 481, known ? "OK" : "Call/Transaction Does Not Exist");
  }
  if (message.method == "INFO" || message.method == "OPTIONS") return respond(transaction, message, 200, "OK");
  if (message.method != "ACK") respond(transaction, message, 501, "Not Implemented");
}

void SipUser::on_message(sip::TransactionId transaction, const sip::Message& message) {
  const bool in_session = sessions_.contains(message.call_id());
  const auto type = message.header_or_empty("Content-Type");
  if (message_status_ == 0) return;
  if (message_status_ < 300 && type.rfind("application/im-iscomposing+xml", 0) != 0) {
    texts_.push_back(
        {from_of(message), message.body, type, message.call_id(), message.header_or_empty("Subject"), in_session});
  }
  respond(transaction, message, message_status_, message_status_ < 300 ? "OK" : "as told");
}

void SipUser::on_invite(sip::TransactionId transaction, const sip::Message& message) {
  if (invite_status_ == 0) return;
  if (invite_status_ >= 300) return respond(transaction, message, invite_status_, "as told");
  if (is_full(sessions_, message.call_id())) return respond(transaction, message, 486, "Busy Here");
  auto& session = sessions_[message.call_id()];
  if (session.dialog.local_tag.empty()) session.dialog = SipDialog::accepted(message, agent_->token());
  auto response = sip::response_to(message, 200, "OK", session.dialog.local_tag);
  for (const auto& route : session.dialog.routes) response.add_header("Record-Route", route);
  response.add_header("Contact", "<" + agent_->contact_uri() + ">");
  response.add_header("Content-Type", "application/sdp");
  response.body = sdp(context_->address());
  agent_->respond(transaction, response);
}

void SipUser::on_subscribe(sip::TransactionId transaction, const sip::Message& message) {
  if (subscribe_status_ == 0) return;
  if (subscribe_status_ >= 300) return respond(transaction, message, subscribe_status_, "as told");
  const auto expires_s = number_of(message.header_or_empty("Expires"), subscription_expires_s);
  if (is_full(watchers_, message.call_id())) return respond(transaction, message, 486, "Busy Here");
  auto& watcher = watchers_[message.call_id()];
  const bool fresh = watcher.dialog.local_tag.empty();
  if (fresh) {
    watcher.dialog = SipDialog::accepted(message, agent_->token());
    watcher.state = approves_ ? "active" : "pending";
  }
  watcher.expires = context_->now() + std::chrono::seconds(expires_s);
  auto response = sip::response_to(message, 200, "OK", watcher.dialog.local_tag);
  if (fresh) {
    for (const auto& route : watcher.dialog.routes) response.add_header("Record-Route", route);
  }
  response.add_header("Contact", "<" + agent_->contact_uri() + ">");
  response.add_header("Expires", std::to_string(expires_s));
  agent_->respond(transaction, response);
  if (expires_s == 0) return end_watcher(message.call_id(), "timeout");
  notify(watcher);
  schedule();
}

/// RFC 6665 section 4.2: Subscription-State always, the state of the presentity only where the watcher is approved.
void SipUser::notify(Watcher& watcher, const std::string& reason) {
  auto message = agent_->request_in(watcher.dialog, "NOTIFY");
  message.add_header("Contact", "<" + agent_->contact_uri() + ">");
  message.add_header("Event", "presence");
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(watcher.expires - context_->now()).count();
  message.add_header("Subscription-State",
                     reason.empty() ? fmt::format("{};expires={}", watcher.state, std::max<long long>(left, 0))
                                    : "terminated;reason=" + reason);
  if (watcher.state == "active" && reason != "rejected") {
    message.add_header("Content-Type", interworking::pidf_media);
    const auto entity = settings_.name + "@" + settings_.domain;
    message.body = interworking::to_pidf(entity, uri_, {{presence_.resource, presence_}});
  }
  agent_->transmit(std::move(message));
}

void SipUser::end_watcher(const std::string& call_id, const std::string& reason) {
  const auto found = watchers_.find(call_id);
  if (found == watchers_.end()) return;
  notify(found->second, reason);
  watchers_.erase(found);
}

void SipUser::on_notify(sip::TransactionId transaction, const sip::Message& message) {
  for (auto& [uri, dialog] : subscriptions_) {
    if (dialog.call_id != message.call_id()) continue;
    auto& contact = contacts_[uri];
    // Tokens, in letters of either case (RFC 3261 section 7.3.1).
    const auto state = sip::parse_value_with_parameters(message.header_or_empty("Subscription-State"));
    contact.state = state ? sip::lower(state->value) : "";
    contact.reason = state ? sip::lower(sip::find_parameter(state->parameters, "reason").value_or("")) : "";
    if (contact.state == "terminated") contact.presence.clear();  // what was told is not so any more (RFC 6665 4.1.3)
    if (!message.body.empty()) {
      contact.body = message.body;
      auto presence = interworking::read_pidf(message.body);
      if (const auto* tuples = std::get_if<std::vector<interworking::Presence>>(&presence)) {
        contact.presence = *tuples;
        contact.history.push_back({*tuples});
      }
    }
    if (!dialog.confirmed) {  // RFC 6665 section 4.4.1: the first NOTIFY may make the dialog
      const auto local_tag = dialog.local_tag;
      const auto cseq = dialog.cseq;
      const auto remote = dialog.remote_uri;
      dialog = SipDialog::accepted(message, local_tag);
      dialog.cseq = cseq;
      dialog.remote_uri = remote;
    }
    return respond(transaction, message, notify_status_, notify_status_ < 300 ? "OK" : "as told", dialog.local_tag);
  }
  respond(transaction, message, 481, "Subscription Does Not Exist");
}

void SipUser::schedule() {
  std::optional<Time> next;
  for (const auto& [call_id, watcher] : watchers_) next = next ? std::min(*next, watcher.expires) : watcher.expires;
  if (next) context_->wake_at(*this, *next);
}

void SipUser::on_wake() {
  std::vector<std::string> ends;
  for (const auto& [call_id, watcher] : watchers_) {
    if (watcher.expires <= context_->now()) ends.push_back(call_id);
  }
  for (const auto& call_id : ends) end_watcher(call_id, "timeout");
  schedule();
}

}  // namespace cutover::mocks
