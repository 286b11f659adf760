// Pager mode, sessions, typing and held answers.
#include "protocol/interworking/messaging.h"

#include "protocol/base/base64.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/interworking/sdp.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>
#include <algorithm>

namespace cutover::interworking {

namespace {

constexpr char sdp_host[] = "127.0.0.1";  // of no use: content goes inside the dialog, no port is opened
constexpr char sdp_media[] = "application/sdp";
constexpr std::size_t answered_max = 512;

std::string session_key(const std::string& call_id, const std::string& our_tag) { return call_id + "\n" + our_tag; }

/// What a request and its copy by another way have in common (RFC 3261 section 8.2.2.2).
std::string merge_key(const sip::Message& request) {
  return request.call_id() + "\n" + from_tag(request) + "\n" + std::to_string(request.cseq_number());
}

/// Statuses that say that no session is possible, not that the user is not there (RFC 7573 section 4).
bool means_no_session(int status) {
  return status == 405 || status == 415 || status == 488 || status == 501 || status == 606;
}
/// Statuses after which a dialog is dead (RFC 3261 section 12.2.1.2; 480 by the product, lync-facts 4.3).
bool means_dead_dialog(int status) { return status == 481 || status == 408 || status == 480; }

bool is_im_invite(const sip::Message& request) {
  const std::string type = media_type(request.header_or_empty("Content-Type"));
  return type.empty() || type == sdp_media;
}

std::string imdn_document(const std::string& stanza_id) {
  return "<?xml version='1.0' encoding='UTF-8'?><imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>" +
         xml_text(stanza_id) +
         "</message-id><delivery-notification><status><failed/></status>"
         "</delivery-notification></imdn>";
}

}  // namespace

Messaging::Conversation& Messaging::conversation(const Address& xmpp, const Address& sip) {
  Conversation& found = conversations_[{key(xmpp), key(sip)}];
  if (found.xmpp.domain.empty()) found.xmpp = xmpp;
  if (!xmpp.resource.empty()) found.xmpp = xmpp;
  if (found.sip.domain.empty() || !sip.resource.empty()) found.sip = sip;
  return found;
}

Messaging::Conversation* Messaging::find(const Pair& pair) {
  const auto found = conversations_.find(pair);
  return found == conversations_.end() ? nullptr : &found->second;
}

Messaging::Session* Messaging::session_of(const Conversation& conversation) {
  const auto found = sessions_.find(conversation.session);
  return found == sessions_.end() ? nullptr : &found->second;
}

// XMPP to SIP.

void Messaging::on_message(const xml::Element& stanza, const Address& from, const Address& to) {
  const std::string type = stanza.attribute_or_empty("type");
  if (core_.breaks(Rule::groupchat_is_another_mapping, type == "groupchat")) {
    core_.refuse(stanza, {"service-unavailable", "cancel"});  // RFC 7702; lync-facts 4.3
    return;
  }
  Conversation& conversation = this->conversation(from, to);
  const auto state = chat_state_of(stanza);
  const bool has_body = stanza.child("body", stanza.ns()) != nullptr;
  if (state) conversation.chat_states = Support::yes;
  // XEP-0085 section 5.1: a reply without a state says that none is wanted.
  if (!state && has_body && type == "chat") conversation.chat_states = Support::no;
  if (Session* session = session_of(conversation)) {
    session->resource = from.resource;  // RFC 6121 section 5.1: answer the resource that wrote last
    touch(*session);
  }
  const Pair pair{key(from), key(to)};
  if (core_.breaks(Rule::text_has_a_body, !has_body)) {
    if (state) send_typing(pair, *state);  // RFC 7572 section 4: no text, no MESSAGE
    return;
  }
  enqueue(conversation, {stanza, from, to, false});
  pump(pair);
}

void Messaging::enqueue(Conversation& conversation, Waiting waiting) {
  if (conversation.queue.size() + conversation.in_flight >= core_.settings.queue_max_messages) {
    core_.refuse(waiting.stanza, {"resource-constraint", "wait"});
    return;
  }
  conversation.queue.push_back(std::move(waiting));
}

bool Messaging::wants_session(const Conversation& conversation, const xml::Element& stanza) const {
  if (core_.breaks(Rule::session_is_for_chat, stanza.attribute_or_empty("type") != "chat")) return false;
  if (sessions_.contains(conversation.session)) return core_.holds(Rule::chat_stays_in_its_session);
  if (conversation.pager_until && core_.now < *conversation.pager_until) return false;
  return core_.settings.profile == Profile::sessions;
}

void Messaging::pump(const Pair& pair) {
  Conversation* conversation = find(pair);
  while (conversation != nullptr && !conversation->queue.empty()) {
    if (core_.breaks(Rule::one_message_at_a_time, conversation->in_flight > 0)) return;  // RFC 3428 section 8
    Session* session = nullptr;
    if (wants_session(*conversation, conversation->queue.front().stanza)) {
      session = session_of(*conversation);
      if (session == nullptr) return invite(pair);
      if (session->state != SessionState::open) return;  // the INVITE is under way
    }
    Waiting head = std::move(conversation->queue.front());
    conversation->queue.pop_front();
    if (session == nullptr) {
      send_pager(pair, std::move(head));
    } else {
      send_in_session(pair, *session, std::move(head));
    }
  }
}

void Messaging::send_pager(const Pair& pair, Waiting waiting) {
  const auto text = text_of(waiting.stanza).value_or(Text{});
  const std::string call_id = call_id_of(text.thread).value_or(core_.token());
  sip::Message request = core_.new_request("MESSAGE", waiting.from, waiting.to, call_id, core_.token(8), ++pager_cseq_);
  put_text(request, text);
  const std::size_t bound = core_.settings.pager_size_max_octets;
  constexpr std::size_t via_octets = 100;  // added by the transport
  if (bound != 0 && sip::serialise(request).size() + via_octets > bound) {
    core_.refuse(waiting.stanza, {"policy-violation", "modify"});  // RFC 7572 section 6
    return;
  }
  send_content(pair, std::move(request), {}, std::move(waiting));
}

void Messaging::send_in_session(const Pair& pair, Session& session, Waiting waiting) {
  sip::Message request = request_in(session.dialog, "MESSAGE");
  put_text(request, text_of(waiting.stanza).value_or(Text{}));
  touch(session);
  if (Conversation* conversation = find(pair)) conversation->told_sip_typing = false;  // content ends the typing state
  const std::string session_id = session_key(session.dialog.call_id, session.dialog.local_tag);
  send_content(pair, std::move(request), session_id, std::move(waiting));
}

void Messaging::send_content(const Pair& pair, sip::Message request, const std::string& session, Waiting waiting) {
  Conversation* conversation = find(pair);
  if (conversation == nullptr) return;
  ++conversation->in_flight;
  core_.request(std::move(request),
                [this, pair, session, waiting = std::move(waiting)](const Outcome& outcome) mutable {
                  on_sent(pair, session, std::move(waiting), outcome);
                });
}

void Messaging::on_sent(const Pair& pair, const std::string& session, Waiting waiting, const Outcome& outcome) {
  Conversation* conversation = find(pair);
  if (conversation == nullptr) return;
  --conversation->in_flight;
  const bool dead = !session.empty() && means_dead_dialog(outcome.status);
  if (dead) end_session(session, false);
  // RFC 3261 section 12.2.1.2: a new dialog, once.
  const bool twice = core_.breaks(Rule::text_is_sent_again_once, waiting.resent);
  if (dead && !twice && core_.holds(Rule::dead_dialog_is_replaced)) {
    waiting.resent = true;
    conversation->queue.push_front(std::move(waiting));
  } else if (!outcome.success()) {
    core_.refuse(waiting.stanza, outcome.status, outcome.response);
  }
  pump(pair);
}

void Messaging::send_typing(const Pair& pair, ChatState state) {
  Conversation* conversation = find(pair);
  Session* session = conversation == nullptr ? nullptr : session_of(*conversation);
  if (session == nullptr || session->state != SessionState::open) return;  // RFC 3994 section 7: no session for a state
  const std::string session_id = conversation->session;
  if (state == ChatState::gone) {
    end_session(session_id, true);  // RFC 7573 section 6.1
    return;
  }
  const auto typing = typing_of(state);
  if (!typing) return;
  const bool unasked = core_.breaks(Rule::typing_is_accepted, !session->typing_accepted);
  const bool refused = core_.breaks(Rule::refused_typing_stops, conversation->typing_refused);
  const bool no_change = core_.breaks(Rule::typing_changes, conversation->told_sip_typing == typing->active);
  if (unasked || refused || no_change) return;
  conversation->told_sip_typing = typing->active;
  sip::Message request = request_in(session->dialog, "MESSAGE");
  request.set_header("Content-Type", iscomposing_media);
  request.body = iscomposing_document(*typing);
  core_.request(std::move(request), [this, pair](const Outcome& outcome) {
    Conversation* known = find(pair);
    if (known != nullptr && outcome.status == 415) known->typing_refused = true;  // RFC 3994 section 4
  });
}

// Sessions.

void Messaging::invite(const Pair& pair) {
  Conversation& conversation = *find(pair);
  const Waiting& head = conversation.queue.front();
  const std::string thread = text_of(head.stanza).value_or(Text{}).thread;
  Session session;
  session.pair = pair;
  session.resource = head.from.resource;
  Dialog& dialog = session.dialog;
  dialog.local_tag = core_.token(8);
  // RFC 7573 section 6.1.
  const bool gone = core_.breaks(Rule::gone_thread_is_over, thread == conversation.gone_thread);
  dialog.call_id = gone ? core_.token() : call_id_of(thread).value_or(core_.token());
  if (sessions_.contains(session_key(dialog.call_id, dialog.local_tag))) dialog.call_id = core_.token();
  session.thread = thread.empty() || gone ? thread_of(dialog.call_id) : thread;
  sip::Message request = core_.new_request("INVITE", head.from, head.to, dialog.call_id, dialog.local_tag, 1);
  dialog.local_cseq = session.invite_cseq = 1;
  dialog.local = "<" + core_.uri_of(head.from) + ">";
  dialog.remote = "<" + core_.uri_of(head.to.without_resource()) + ">";
  dialog.remote_target = request.request_uri;
  request.add_header("Contact", dialog.local);
  request.add_header("Allow", allowed_methods);
  request.add_header("Content-Type", sdp_media);
  request.body = im_offer(sdp_host, fmt::format("{}", core_.settings.random(1'000'000'000)));
  const std::string id = session_key(dialog.call_id, dialog.local_tag);
  touch(session);
  conversation.session = id;
  sessions_.emplace(id, std::move(session));
  core_.request(std::move(request), [this, id](const Outcome& outcome) { on_invited(id, outcome); });
}

void Messaging::on_invited(const std::string& session_id, const Outcome& outcome) {
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) return;
  Session& session = found->second;
  const Pair pair = session.pair;
  Conversation& conversation = *find(pair);
  if (!outcome.success()) {
    sessions_.erase(found);
    if (conversation.session == session_id) conversation.session.clear();
    if (means_no_session(outcome.status) && core_.holds(Rule::text_goes_without_session)) {
      conversation.pager_until = core_.now + core_.settings.session_refused;  // RFC 7573 section 4
    } else {
      refuse_queue(pair, outcome);
    }
    pump(pair);
    return;
  }
  establish_from_response(session.dialog, *outcome.response);
  core_.send_ack(ack_in(session.dialog, session.invite_cseq));
  const auto media = read_sdp(outcome.response->body);
  session.typing_accepted = media && (media->accept_types.find(iscomposing_media) != std::string::npos ||
                                      media->accept_types.find('*') != std::string::npos);
  session.state = SessionState::open;
  touch(session);
  pump(pair);
}

void Messaging::refuse_queue(const Pair& pair, const Outcome& outcome) {
  Conversation& conversation = *find(pair);
  std::deque<Waiting> kept;
  for (Waiting& waiting : conversation.queue) {
    if (wants_session(conversation, waiting.stanza)) {
      core_.refuse(waiting.stanza, outcome.status, outcome.response);
    } else {
      kept.push_back(std::move(waiting));
    }
  }
  conversation.queue = std::move(kept);
}

void Messaging::end_session(const std::string& session_id, bool send_bye) {
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) return;
  Session session = std::move(found->second);
  sessions_.erase(found);
  if (Conversation* conversation = find(session.pair)) {
    if (conversation->session == session_id) conversation->session.clear();
    conversation->gone_thread = session.thread;
    conversation->told_sip_typing = false;
    conversation->typing_refused = false;
  }
  if (send_bye && session.state == SessionState::open) {
    core_.request(request_in(session.dialog, "BYE"), [](const Outcome&) {});
  }
}

void Messaging::on_invite(sip::TransactionId id, const sip::Message& request, const Address& from, const Address& to) {
  const auto media = read_sdp(request.body);
  const bool usable = is_im_invite(request) && media && media->accepted;
  if (core_.breaks(Rule::offer_has_text, !usable)) {
    core_.respond(id, request, 488);  // RFC 3261 section 13.3.1.3; lync-facts 4.3: one-to-one IM only
    return;
  }
  Conversation& conversation = this->conversation(to, from);
  Session session;
  session.dialog = answering_dialog(request, core_.token(8));
  session.pair = {key(to), key(from)};
  session.state = SessionState::open;
  session.thread = thread_of(request.call_id());
  session.resource = to.resource;
  session.ack_due = core_.now + core_.settings.ack_wait;
  session.typing_accepted = media && media->accept_types.find(iscomposing_media) != std::string::npos;
  session.sdp = im_answer(request.body, sdp_host, "1", core_.uri_of(to.without_resource()));
  touch(session);
  sip::Message response = sip::response_to(request, 200, "OK", session.dialog.local_tag);
  response.add_header("Contact", "<" + core_.uri_of(to) + ">");
  response.add_header("Allow", allowed_methods);
  response.add_header("Content-Type", sdp_media);
  for (const auto& route : request.all("Record-Route")) response.add_header("Record-Route", route);
  response.body = session.sdp;
  // lync-facts 4.3: the INVITE may hold the first text; who uses it says so.
  const std::string format = request.header_or_empty("Ms-Text-Format");
  const std::string first = xml_text(from_base64_lenient(header_parameter(format, "ms-body")));
  if (!first.empty()) response.add_header("Supported", "ms-text-format");
  const std::string session_id = session_key(session.dialog.call_id, session.dialog.local_tag);
  const Session* current = session_of(conversation);
  // Both sides may invite at once: ours stays the one for our messages, theirs is served as well.
  if (current == nullptr || current->state == SessionState::open) conversation.session = session_id;
  Session& stored = sessions_.emplace(session_id, std::move(session)).first->second;
  core_.respond(id, std::move(response));
  if (!first.empty()) deliver({first, {}, {}, stored.thread}, conversation, &stored, request, from, to);
}

bool Messaging::on_in_dialog(sip::TransactionId id, const sip::Message& request) {
  const auto found = sessions_.find(session_key(request.call_id(), to_tag(request)));
  if (found == sessions_.end() || found->second.dialog.remote_tag != from_tag(request)) return false;
  Session& session = found->second;
  if (request.method == "ACK") {
    session.ack_due.reset();
    return true;
  }
  const bool old = request.cseq_number() <= session.dialog.remote_cseq && request.cseq_number() != 0;
  if (core_.breaks(Rule::requests_rise, old)) {
    core_.respond(id, request, 500);  // RFC 3261 section 12.2.2
    return true;
  }
  session.dialog.remote_cseq = request.cseq_number();
  touch(session);
  if (request.method == "BYE") {
    on_bye(id, request, session);
  } else if (request.method == "INVITE") {
    on_reinvite(id, request, session);
  } else {
    on_content(id, request, *find(session.pair), &session);
  }
  return true;
}

void Messaging::on_bye(sip::TransactionId id, const sip::Message& request, Session& session) {
  core_.respond(id, request, 200, session.dialog.local_tag);
  Conversation& conversation = *find(session.pair);
  const std::string thread = session.thread;
  const Pair pair = session.pair;
  end_session(session_key(session.dialog.call_id, session.dialog.local_tag), false);
  // RFC 7573 section 6.1.
  const bool silent = core_.breaks(Rule::gone_is_for_speakers, conversation.chat_states != Support::yes);
  if (!silent) send_chat_state(conversation, ChatState::gone, thread);
  conversation.told_xmpp = ChatState::active;
  conversation.composing_ends.reset();
  pump(pair);
}

void Messaging::on_reinvite(sip::TransactionId id, const sip::Message& request, Session& session) {
  const auto media = read_sdp(request.body);
  const bool other = !media || !media->accepted || media->other_media > 0;
  if (core_.breaks(Rule::reinvite_adds_nothing, other)) {
    core_.respond(id, request, 488, session.dialog.local_tag);  // RFC 3261 section 14.2: the session stays as it was
    return;
  }
  sip::Message response = sip::response_to(request, 200, "OK", session.dialog.local_tag);
  response.add_header("Contact", session.dialog.local);
  response.add_header("Content-Type", sdp_media);
  response.body = session.sdp.empty() ? im_answer(request.body, sdp_host, "1", "null") : session.sdp;
  session.ack_due = core_.now + core_.settings.ack_wait;
  core_.respond(id, std::move(response));
}

// SIP to XMPP.

void Messaging::on_message_request(sip::TransactionId id, const sip::Message& request, const Address& from,
                                   const Address& to) {
  Conversation& conversation = this->conversation(to.without_resource(), from);
  if (core_.breaks(Rule::request_is_not_merged, held_requests_.contains(merge_key(request)))) {
    core_.respond(id, request, Status{482, "Merged Request", {}});  // RFC 3261 section 8.2.2.2
    return;
  }
  on_content(id, request, conversation, nullptr);
}

void Messaging::on_content(sip::TransactionId id, const sip::Message& request, Conversation& conversation,
                           Session* session) {
  const std::string tag = session == nullptr ? core_.token(8) : session->dialog.local_tag;
  if (is_typing_media(request)) {
    const bool readable = typing_of(request).has_value();
    // An INFO may say what is none of our business.
    const bool refused = request.method != "INFO" && core_.breaks(Rule::typing_is_readable, !readable);
    core_.respond(id, request, refused ? 400 : 200, tag);
    if (readable) on_typing(conversation, session, request);
    return;
  }
  const auto content = text_of(request);
  if (const auto* refusal = std::get_if<Status>(&content); refusal != nullptr && core_.holds(Rule::media_holds_text)) {
    core_.respond(id, request, *refusal, tag);
    return;
  }
  const auto* text = std::get_if<Text>(&content);
  if (core_.breaks(Rule::empty_text_is_no_message, text == nullptr)) {
    core_.respond(id, request, 200, tag);
    return;
  }
  const auto from = core_.jid_of_header(request.header_or_empty("From")).value_or(conversation.sip);
  Address to = conversation.xmpp.without_resource();
  if (session == nullptr) {
    const auto uri = parse_address_uri(request.request_uri);  // RFC 7572 Table 2: the Request-URI wins over To
    to = uri ? core_.jid_of(*uri).value_or(to) : to;
  } else if (!session->resource.empty()) {
    to.resource = session->resource;
  }
  const std::string stanza_id = deliver(text == nullptr ? Text{} : *text, conversation, session, request, from, to);
  hold(id, request, stanza_id, session, to);
}

std::string Messaging::deliver(const Text& original, Conversation& conversation, Session* session,
                               const sip::Message& request, const Address& from, const Address& to) {
  Text text = original;
  if (session != nullptr) text.thread = session->thread;
  const std::string via = request.header_or_empty("Via");
  std::string id = core_.stanza_id(header_parameter(via, "branch") + "." + core_.token(4));
  // RFC 7572 section 5: no type in pager mode; RFC 7573 section 4: chat in a session.
  xml::Element stanza = xmpp::make_message(from.full(), to.full(), {}, session != nullptr ? "chat" : "", id);
  put_text(stanza, text);
  const bool unwanted = core_.breaks(Rule::states_are_wanted, conversation.chat_states == Support::no);
  if (session != nullptr && !unwanted) {
    stanza.add(xml::Element("active", xmpp::ns::chat_states));  // XEP-0085 section 5.1
  }
  conversation.told_xmpp = ChatState::active;
  conversation.composing_ends.reset();
  core_.send(std::move(stanza));
  return id;
}

void Messaging::hold(sip::TransactionId id, const sip::Message& request, const std::string& stanza_id, Session* session,
                     const Address& to) {
  Held held;
  held.id = id;
  held.request = request;
  held.tag = session == nullptr ? core_.token(8) : session->dialog.local_tag;
  held.answer_at = core_.now + core_.settings.message_hold;
  held.full_jid = !to.is_bare();
  held.domain = lowered(to.domain);
  if (session != nullptr) held.session = session_key(session->dialog.call_id, session->dialog.local_tag);
  answered_[stanza_id] = held.session;
  answered_order_.push_back(stanza_id);
  if (answered_order_.size() > answered_max) {
    answered_.erase(answered_order_.front());
    answered_order_.pop_front();
  }
  if (core_.settings.message_hold == Duration::zero()) {
    answer(held, {200, "OK", {}});
  } else {
    const auto [entry, fresh] = held_.emplace(stanza_id, std::move(held));
    if (!fresh) return;
    held_by_time_.emplace(entry->second.answer_at, stanza_id);
    held_requests_.insert(merge_key(entry->second.request));
  }
}

Messaging::Held Messaging::release(std::map<std::string, Held>::iterator found) {
  held_by_time_.erase({found->second.answer_at, found->first});
  held_requests_.erase(merge_key(found->second.request));
  Held held = std::move(found->second);
  held_.erase(found);
  return held;
}

void Messaging::answer(Held& held, const Status& status) {
  sip::Message response = sip::response_to(held.request, status.code, status.reason, held.tag);
  for (const auto& [name, value] : status.headers) response.set_header(name, value);
  core_.respond(held.id, std::move(response));
}

void Messaging::on_error(const xml::Element& stanza) {
  const std::string id = stanza.attribute_or_empty("id");
  const auto error = xmpp::error_of(stanza);
  const auto found = held_.find(id);
  if (!error) return;
  if (found == held_.end()) {
    if (const auto late = answered_.find(id); late != answered_.end()) {
      const auto session = std::move(late->second);
      answered_.erase(late);
      report_late_failure(session, id);
    }
    return;
  }
  const auto from = parse_jid(stanza.attribute_or_empty("from"));
  const bool foreign = !from || lowered(from->domain) != found->second.domain;
  if (core_.breaks(Rule::only_the_addressed_fails, foreign)) return;  // no other partner can
  Held held = release(found);
  std::string address;
  if (const auto* holder = stanza.child("error", stanza.ns())) {
    if (const auto* name = holder->child(error->condition, xmpp::ns::stanza_errors))
      address = contact_address(name->text());
  }
  Status status = status_of(error->condition, address, held.full_jid, false);
  if (error->condition == "service-unavailable") {
    status = {core_.settings.service_unavailable, reason_phrase(core_.settings.service_unavailable), {}};
    if (status.code == 405) status.headers.emplace_back("Allow", allowed_methods);  // RFC 3261 section 21.4.6
  }
  if (const std::string phrase = header_text(error->text); !phrase.empty()) status.reason = phrase;
  answer(held, status);
  answered_.erase(id);
}

void Messaging::report_late_failure(const std::string& session_id, const std::string& stanza_id) {
  const bool counted = core_.holds(Rule::late_failure_is_counted);
  if (counted) ++core_.late_failures;  // counter "Failure IMDNs sent/sec" of the product
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end() || found->second.state != SessionState::open) {
    if (counted) ++core_.untold_failures;  // page mode has no way back behind the 2xx: the administrator sees it
    return;
  }
  sip::Message request = request_in(found->second.dialog, "MESSAGE");
  request.set_header("Content-Type", "message/imdn+xml");
  request.body = imdn_document(stanza_id);
  core_.request(std::move(request), [](const Outcome&) {});
}

void Messaging::on_typing(Conversation& conversation, Session* session, const sip::Message& request) {
  const auto typing = typing_of(request);
  if (!typing) return;
  const Duration usual = request.method == "INFO" ? core_.settings.keyboard : core_.settings.composing;
  conversation.composing_ends.reset();
  if (typing->active) {
    conversation.composing_ends = core_.now + typing->refresh.value_or(usual);  // RFC 3994 section 3.3
  }
  send_chat_state(conversation, chat_state_of(*typing), session == nullptr ? std::string() : session->thread);
}

void Messaging::send_chat_state(Conversation& conversation, ChatState state, const std::string& thread) {
  // XEP-0085 sections 5.1 and 5.3.
  const bool unwanted = core_.breaks(Rule::states_are_wanted, conversation.chat_states == Support::no);
  const bool no_change = core_.breaks(Rule::states_change, conversation.told_xmpp == state);
  if (unwanted || no_change) return;
  conversation.told_xmpp = state;
  xml::Element stanza = xmpp::make_message(conversation.sip.full(), conversation.xmpp.full(), {}, "chat");
  stanza.add(xml::Element(std::string(to_string(state)), xmpp::ns::chat_states));
  if (!thread.empty()) stanza.add(xml::Element("thread", stanza.ns()).with_text(thread));
  core_.send(std::move(stanza));
}

// Time.

std::optional<Time> Messaging::deadline() const {
  std::optional<Time> first;
  const auto take = [&](Time when) { first = first ? std::min(*first, when) : when; };
  if (!held_by_time_.empty()) take(held_by_time_.begin()->first);
  for (const auto& [id, session] : sessions_) {
    if (session.state == SessionState::inviting) continue;  // its transaction has a timer of its own
    take(session.idle_ends);
    if (session.ack_due) take(*session.ack_due);
  }
  for (const auto& [pair, conversation] : conversations_) {
    if (conversation.composing_ends) take(*conversation.composing_ends);
  }
  return first;
}

void Messaging::timeout() {
  while (!held_by_time_.empty() && held_by_time_.begin()->first <= core_.now) {
    Held held = release(held_.find(held_by_time_.begin()->second));
    answer(held, {200, "OK", {}});  // RFC 7572 section 5: silence means taken
  }
  std::vector<std::string> over;
  for (const auto& [id, session] : sessions_) {
    if (session.state == SessionState::inviting) continue;
    if (core_.now >= session.idle_ends || (session.ack_due && core_.now >= *session.ack_due)) over.push_back(id);
  }
  for (const auto& id : over) end_session(id, true);
  for (auto& [pair, conversation] : conversations_) {
    if (!conversation.composing_ends || core_.now < *conversation.composing_ends) continue;
    conversation.composing_ends.reset();
    const Session* session = session_of(conversation);
    send_chat_state(conversation, ChatState::active, session == nullptr ? std::string() : session->thread);
  }
}

}  // namespace cutover::interworking
