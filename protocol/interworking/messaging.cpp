// Pager mode, sessions, typing and held answers.
#include "protocol/interworking/messaging.h"

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
constexpr Duration ack_wait = 32s;  // 64*T1, RFC 3261 section 13.3.1.4

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

std::string base64_decoded(std::string_view text) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) continue;
    bits = ((bits << 6U) | static_cast<unsigned>(value)) & 0xffffffU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xffU);
  }
  return out;
}

/// Each row of RFC 7572 Tables 1 and 2 that text can lose on its way.
void degrade(const Core& core, Text& text) {
  if (core.quirk("gateway.loses-body")) text.body = ".";
  if (core.quirk("gateway.truncates-body")) text.body.resize(std::min<std::size_t>(text.body.size(), 8));
  if (core.quirk("gateway.loses-subject")) text.subject.clear();
  if (core.quirk("gateway.loses-language")) text.language.clear();
  if (core.quirk("gateway.loses-thread")) text.thread.clear();
  if (core.quirk("gateway.wrong-thread")) text.thread = "another-thread";
}

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
  if (type == "groupchat" && !core_.quirk("gateway.relays-groupchat")) {
    core_.refuse(stanza, {"service-unavailable", "cancel"});  // RFC 7702 is another mapping; lync-facts 4.3
    return;
  }
  if (!type.empty() && type != "normal" && type != "chat" && type != "headline" &&
      core_.quirk("gateway.refuses-unknown-type")) {
    core_.refuse(stanza, {"bad-request", "modify"});  // RFC 6121 section 5.2.2: an unknown type counts as normal
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
  if (!has_body && !core_.quirk("gateway.sends-empty-message")) {
    if (state) send_typing(pair, *state);  // RFC 7572 section 4: no text, no MESSAGE
    return;
  }
  if (core_.quirk("gateway.drops-message-to-sip")) return;
  enqueue(conversation, {stanza, from, to, false});
  if (core_.quirk("gateway.doubles-message-to-sip")) enqueue(conversation, {stanza, from, to, false});
  pump(pair);
}

void Messaging::enqueue(Conversation& conversation, Waiting waiting) {
  if (conversation.queue.size() >= core_.settings.queue_max_messages) {
    core_.refuse(waiting.stanza, {"resource-constraint", "wait"});
    return;
  }
  if (core_.quirk("gateway.reorders-to-sip") && conversation.queue.size() > 1) {
    conversation.queue.insert(conversation.queue.begin() + 1, std::move(waiting));  // RFC 7572 section 4: order
    return;
  }
  conversation.queue.push_back(std::move(waiting));
}

bool Messaging::wants_session(const Conversation& conversation, const xml::Element& stanza) const {
  if (stanza.attribute_or_empty("type") != "chat") return false;
  if (core_.quirk("gateway.replies-outside-session")) return false;
  if (sessions_.contains(conversation.session)) return true;
  if (conversation.pager_until && core_.now < *conversation.pager_until) return false;
  return core_.settings.profile == Profile::sessions;
}

void Messaging::pump(const Pair& pair) {
  Conversation* conversation = find(pair);
  while (conversation != nullptr && !conversation->queue.empty()) {
    if (conversation->busy) return;  // RFC 3428 section 8: one at a time
    const Waiting& head = conversation->queue.front();
    if (!wants_session(*conversation, head.stanza)) {
      send_pager(pair, head);
    } else if (Session* session = session_of(*conversation); session == nullptr) {
      invite(pair);
      return;
    } else if (session->state == SessionState::open) {
      send_in_session(pair, *session, head);
    } else {
      return;  // the INVITE is under way
    }
  }
}

void Messaging::send_pager(const Pair& pair, const Waiting& waiting) {
  auto text = text_of(waiting.stanza).value_or(Text{});
  degrade(core_, text);
  const std::string call_id = call_id_of(text.thread).value_or(core_.token());
  if (!core_.quirk("gateway.reuses-cseq") || pager_cseq_ == 0) ++pager_cseq_;
  sip::Message request = core_.new_request("MESSAGE", waiting.from, waiting.to, call_id,
                                           core_.quirk("gateway.reuses-cseq") ? "same" : core_.token(8), pager_cseq_);
  request.request_uri = core_.uri_of(waiting.to);
  put_text(request, text);
  if (core_.quirk("gateway.no-charset")) request.set_header("Content-Type", "text/plain");
  if (core_.quirk("gateway.contact-in-message")) request.add_header("Contact", "<" + core_.uri_of(waiting.from) + ">");
  const std::size_t bound = core_.settings.pager_size_max_octets;
  constexpr std::size_t via_octets = 100;  // added by the transport
  if (bound != 0 && sip::serialise(request).size() + via_octets > bound && !core_.quirk("gateway.ignores-pager-size")) {
    core_.refuse(waiting.stanza, {"policy-violation", "modify"});  // RFC 7572 section 6
    finish_head(pair);
    return;
  }
  send_content(pair, std::move(request), {});
}

void Messaging::send_in_session(const Pair& pair, Session& session, const Waiting& waiting) {
  auto text = text_of(waiting.stanza).value_or(Text{});
  degrade(core_, text);
  sip::Message request = request_in(session.dialog, "MESSAGE");
  put_text(request, text);
  touch(session);
  if (Conversation* conversation = find(pair)) conversation->last_to_sip.reset();  // content ends the typing state
  send_content(pair, std::move(request), session_key(session.dialog.call_id, session.dialog.local_tag));
}

void Messaging::send_content(const Pair& pair, sip::Message request, const std::string& session) {
  Conversation* conversation = find(pair);
  if (conversation == nullptr) return;
  conversation->busy = true;
  core_.request(std::move(request), [this, pair, session](const Outcome& outcome) { on_sent(pair, session, outcome); });
  if (core_.quirk("gateway.overlaps-messages")) {  // RFC 3428 section 8
    conversation->busy = false;
    conversation->queue.pop_front();
  }
}

void Messaging::on_sent(const Pair& pair, const std::string& session, const Outcome& outcome) {
  Conversation* conversation = find(pair);
  if (conversation == nullptr || conversation->queue.empty()) return;
  conversation->busy = false;
  Waiting& head = conversation->queue.front();
  if (outcome.success()) {
    finish_head(pair);
  } else if (!session.empty() && means_dead_dialog(outcome.status) && !head.resent &&
             !core_.quirk("gateway.dead-dialog-loses-message")) {
    head.resent = true;  // RFC 3261 section 12.2.1.2: a new dialog, once
    end_session(session, false);
  } else {
    core_.refuse(head.stanza, outcome.status, outcome.response);
    if (!session.empty() && means_dead_dialog(outcome.status)) end_session(session, false);
    finish_head(pair);
  }
  pump(pair);
}

void Messaging::finish_head(const Pair& pair) {
  Conversation* conversation = find(pair);
  if (conversation == nullptr || conversation->queue.empty()) return;
  conversation->busy = false;
  conversation->queue.pop_front();
}

void Messaging::send_typing(const Pair& pair, ChatState state) {
  Conversation* conversation = find(pair);
  Session* session = conversation == nullptr ? nullptr : session_of(*conversation);
  if (session == nullptr || session->state != SessionState::open) return;  // RFC 3994 section 7: no session for a state
  const std::string session_id = conversation->session;
  if (state == ChatState::gone) {
    if (!core_.quirk("gateway.ignores-gone")) end_session(session_id, true);  // RFC 7573 section 6.1
    return;
  }
  auto typing = typing_of(state);
  if (!typing || !session->typing_accepted || conversation->typing_refused) return;
  if (core_.quirk("gateway.inverts-typing")) typing->active = !typing->active;  // RFC 7573 Table 4
  if (conversation->last_to_sip == typing->active || (!typing->active && !conversation->last_to_sip)) return;
  conversation->last_to_sip = typing->active;
  sip::Message request = request_in(session->dialog, "MESSAGE");
  request.set_header("Content-Type", iscomposing_media);
  request.body = iscomposing_document(*typing);
  core_.request(std::move(request), [this, pair](const Outcome& outcome) {
    Conversation* known = find(pair);
    // RFC 3994 section 4: no more of them after a 415.
    if (known != nullptr && outcome.status == 415 && !core_.quirk("gateway.typing-after-415"))
      known->typing_refused = true;
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
  // RFC 7573 section 6.1: not the thread of a session that is gone.
  dialog.call_id = thread != conversation.gone_thread ? call_id_of(thread).value_or(core_.token()) : core_.token();
  if (sessions_.contains(session_key(dialog.call_id, dialog.local_tag))) dialog.call_id = core_.token();
  session.thread = thread.empty() || thread == conversation.gone_thread ? thread_of(dialog.call_id) : thread;
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
    if (means_no_session(outcome.status) && !core_.quirk("gateway.no-fallback-to-pager")) {
      conversation.pager_until = core_.now + core_.settings.session_idle;  // RFC 7573 section 4
    } else {
      refuse_queue(pair, outcome);
    }
    pump(pair);
    return;
  }
  establish_from_response(session.dialog, *outcome.response);
  const bool wrong = core_.quirk("gateway.ack-wrong-cseq");  // RFC 3261 section 13.2.2.4
  core_.send_ack(ack_in(session.dialog, session.invite_cseq + (wrong ? 1 : 0)));
  const auto media = read_sdp(outcome.response->body);
  session.typing_accepted = media && (media->accept_types.find(iscomposing_media) != std::string::npos ||
                                      media->accept_types.find('*') != std::string::npos);
  session.state = SessionState::open;
  touch(session);
  if (core_.quirk("gateway.loses-first-message")) finish_head(pair);  // RFC 7573 section 4: held, then sent
  if (core_.quirk("gateway.doubles-first-message") && !conversation.queue.empty()) {
    conversation.queue.push_front(Waiting(conversation.queue.front()));
  }
  pump(pair);
  if (core_.quirk("gateway.invite-per-message")) conversation.session.clear();  // RFC 7573 section 4
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
    conversation->last_to_sip.reset();
    conversation->typing_refused = false;
  }
  if (send_bye && session.state == SessionState::open && !core_.quirk("gateway.never-sends-bye")) {
    core_.request(request_in(session.dialog, "BYE"), [](const Outcome&) {});
  }
}

void Messaging::on_invite(sip::TransactionId id, const sip::Message& request, const Address& from, const Address& to) {
  const auto media = read_sdp(request.body);
  const bool usable = is_im_invite(request) && media && media->accepted;
  if (core_.quirk("gateway.refuses-im-offer") || (!usable && !core_.quirk("gateway.accepts-any-offer"))) {
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
  session.ack_due = core_.now + ack_wait;
  session.typing_accepted = media && media->accept_types.find(iscomposing_media) != std::string::npos;
  session.sdp = im_answer(request.body, sdp_host, "1", core_.uri_of(to.without_resource()));
  touch(session);
  sip::Message response = sip::response_to(request, 200, "OK", session.dialog.local_tag);
  response.add_header("Contact", "<" + core_.uri_of(to) + ">");
  response.add_header("Allow", allowed_methods);
  response.add_header("Content-Type", sdp_media);
  for (const auto& route : request.all("Record-Route")) response.add_header("Record-Route", route);
  response.body = session.sdp;
  if (core_.quirk("gateway.answer-without-media"))
    response.body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
  // lync-facts 4.3: the INVITE may hold the first text; who uses it says so.
  const std::string format = request.header_or_empty("Ms-Text-Format");
  const std::string first = xml_text(base64_decoded(header_parameter(format, "ms-body")));
  if (!first.empty()) response.add_header("Supported", "ms-text-format");
  const std::string session_id = session_key(session.dialog.call_id, session.dialog.local_tag);
  const Session* current = session_of(conversation);
  // Both sides may invite at once: ours stays the one for our messages, theirs is served as well.
  if (current == nullptr || current->state == SessionState::open) conversation.session = session_id;
  Session& stored = sessions_.emplace(session_id, std::move(session)).first->second;
  core_.respond(id, std::move(response));
  if (!first.empty() && !core_.quirk("gateway.loses-ms-text")) {
    deliver({first, {}, {}, stored.thread}, conversation, &stored, request, from, to);
  }
}

bool Messaging::on_in_dialog(sip::TransactionId id, const sip::Message& request) {
  const auto found = sessions_.find(session_key(request.call_id(), to_tag(request)));
  if (found == sessions_.end() || found->second.dialog.remote_tag != from_tag(request)) return false;
  Session& session = found->second;
  if (request.method == "ACK") {
    session.ack_due.reset();
    return true;
  }
  if (request.cseq_number() <= session.dialog.remote_cseq && request.cseq_number() != 0) {
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
  if (!core_.quirk("gateway.bye-unanswered")) core_.respond(id, request, 200, session.dialog.local_tag);
  Conversation& conversation = *find(session.pair);
  const std::string thread = session.thread;
  const Pair pair = session.pair;
  end_session(session_key(session.dialog.call_id, session.dialog.local_tag), false);
  // RFC 7573 section 6.1: only to those who speak chat states.
  if (conversation.chat_states == Support::yes && !core_.quirk("gateway.bye-without-gone")) {
    send_chat_state(conversation, ChatState::gone, thread);
  }
  conversation.last_to_xmpp.reset();
  conversation.composing_ends.reset();
  pump(pair);
}

void Messaging::on_reinvite(sip::TransactionId id, const sip::Message& request, Session& session) {
  const auto media = read_sdp(request.body);
  if (!media || !media->accepted || media->other_media > 0) {
    core_.respond(id, request, 488, session.dialog.local_tag);  // RFC 3261 section 14.2: the session stays as it was
    return;
  }
  sip::Message response = sip::response_to(request, 200, "OK", session.dialog.local_tag);
  response.add_header("Contact", session.dialog.local);
  response.add_header("Content-Type", sdp_media);
  response.body = session.sdp.empty() ? im_answer(request.body, sdp_host, "1", "null") : session.sdp;
  session.ack_due = core_.now + ack_wait;
  core_.respond(id, std::move(response));
}

// SIP to XMPP.

void Messaging::on_message_request(sip::TransactionId id, const sip::Message& request, const Address& from,
                                   const Address& to) {
  Conversation& conversation = this->conversation(to.without_resource(), from);
  if (held_requests_.contains(merge_key(request))) {
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
    if (readable && !core_.quirk("gateway.typing-as-text")) {
      core_.respond(id, request, 200, tag);
      on_typing(conversation, session, request);
      return;
    }
    if (!readable) {
      core_.respond(id, request, request.method == "INFO" ? 200 : 400, tag);
      return;
    }
  }
  auto content = text_of(request);
  if (core_.quirk("gateway.accepts-any-media") && std::holds_alternative<Status>(content)) content = NoText{};
  if (core_.quirk("gateway.shows-any-media") && !request.body.empty())
    content = Text{xml_text(request.body), {}, {}, {}};
  if (core_.quirk("gateway.typing-as-text") && is_typing_media(request)) content = Text{request.body, {}, {}, {}};
  if (const auto* refusal = std::get_if<Status>(&content)) {
    core_.respond(id, request, *refusal, tag);
    return;
  }
  if (std::holds_alternative<NoText>(content)) {
    core_.respond(id, request, 200, tag);
    if (core_.quirk("gateway.empty-body"))
      deliver({}, conversation, session, request, conversation.sip, conversation.xmpp);
    return;
  }
  if (core_.quirk("gateway.drops-message-to-xmpp")) {
    core_.respond(id, request, 200, tag);
    return;
  }
  auto& text = std::get<Text>(content);
  const auto from = core_.jid_of_header(request.header_or_empty("From")).value_or(conversation.sip);
  Address to = conversation.xmpp.without_resource();
  if (session == nullptr) {
    const auto uri = parse_address_uri(request.request_uri);  // RFC 7572 Table 2: the Request-URI wins over To
    to = uri ? core_.jid_of(*uri).value_or(to) : to;
  } else if (!session->resource.empty()) {
    to.resource = session->resource;
  }
  const std::string stanza_id = deliver(text, conversation, session, request, from, to);
  hold(id, request, stanza_id, session, to);
}

std::string Messaging::deliver(const Text& original, Conversation& conversation, Session* session,
                               const sip::Message& request, const Address& from, const Address& to) {
  Text text = original;
  if (session != nullptr) text.thread = session->thread;
  degrade(core_, text);
  const std::string via = request.header_or_empty("Via");
  std::string id = core_.stanza_id(header_parameter(via, "branch") + "." + core_.token(4));
  // RFC 7572 section 5: no type in pager mode; RFC 7573 section 4: chat in a session.
  const bool chat =
      session != nullptr ? !core_.quirk("gateway.session-without-chat-type") : core_.quirk("gateway.pager-type-chat");
  xml::Element stanza = xmpp::make_message(from.full(), to.full(), {}, chat ? "chat" : "", id);
  put_text(stanza, text);
  if (session != nullptr && conversation.chat_states != Support::no) {
    stanza.add(xml::Element("active", xmpp::ns::chat_states));  // XEP-0085 section 5.1
  }
  conversation.last_to_xmpp = ChatState::active;
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
  if (core_.quirk("gateway.never-answers-message")) return;
  if (core_.settings.message_hold == Duration::zero() || core_.quirk("gateway.answers-before-error")) {
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
  for (const auto& [name, value] : status.headers) {
    if (name == "Allow" && core_.quirk("gateway.405-without-allow")) continue;
    response.set_header(name, value);
  }
  if (status.code == 200 && core_.quirk("gateway.contact-in-2xx"))
    response.set_header("Contact", "<sip:gateway.invalid>");
  if (status.code == 200 && core_.quirk("gateway.body-in-2xx")) {  // RFC 3428 section 7
    response.set_header("Content-Type", "text/plain");
    response.body = "delivered";
  }
  core_.respond(held.id, std::move(response));
}

void Messaging::on_error(const xml::Element& stanza) {
  const std::string id = stanza.attribute_or_empty("id");
  const auto error = xmpp::error_of(stanza);
  const auto found = held_.find(id);
  if (!error || core_.quirk("gateway.ignores-stanza-errors")) return;
  if (found == held_.end()) {
    if (const auto late = answered_.find(id); late != answered_.end()) {
      const auto session = std::move(late->second);
      answered_.erase(late);
      report_late_failure(session, id);
    }
    return;
  }
  const auto from = parse_jid(stanza.attribute_or_empty("from"));
  if (!from || lowered(from->domain) != found->second.domain) return;  // another partner cannot fail it
  Held held = release(found);
  std::string address;
  if (const auto* holder = stanza.child("error", stanza.ns())) {
    if (const auto* name = holder->child(error->condition, xmpp::ns::stanza_errors))
      address = contact_address(name->text());
  }
  Status status = status_of(error->condition, address, held.full_jid, false);
  if (const std::string phrase = header_text(error->text); !phrase.empty()) status.reason = phrase;
  if (core_.quirk("gateway.service-unavailable-503") && error->condition == "service-unavailable") status.code = 503;
  if (core_.quirk("gateway.non-invite-408") && error->condition == "remote-server-timeout") status.code = 408;
  if (core_.quirk("gateway.bare-as-full") && !held.full_jid) status = status_of(error->condition, address, true, false);
  for (const auto& row : xmpp::stanza_conditions()) {  // RFC 7247 section 7.1: each row of the table
    if (row.condition == error->condition && core_.quirk(fmt::format("gateway.wrong-status-{}", row.condition))) {
      status = {487, reason_phrase(487), {}};
    }
  }
  answer(held, status);
  answered_.erase(id);
}

void Messaging::report_late_failure(const std::string& session_id, const std::string& stanza_id) {
  ++core_.late_failures;  // counter "Failure IMDNs sent/sec" of the product
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end() || found->second.state != SessionState::open) return;
  sip::Message request = request_in(found->second.dialog, "MESSAGE");
  request.set_header("Content-Type", "message/imdn+xml");
  request.body = imdn_document(stanza_id);
  core_.request(std::move(request), [](const Outcome&) {});
}

void Messaging::on_typing(Conversation& conversation, Session* session, const sip::Message& request) {
  const auto typing = typing_of(request);
  if (!typing || core_.quirk("gateway.drops-typing")) return;
  ChatState state = chat_state_of(*typing);
  if (core_.quirk("gateway.inverts-typing")) {
    state = state == ChatState::composing ? ChatState::active : ChatState::composing;
  }
  const Duration usual = request.method == "INFO" ? core_.settings.keyboard : core_.settings.composing;
  conversation.composing_ends.reset();
  if (typing->active && !core_.quirk("gateway.composing-never-ends")) {
    conversation.composing_ends = core_.now + typing->refresh.value_or(usual);  // RFC 3994 section 3.3
  }
  send_chat_state(conversation, state, session == nullptr ? std::string() : session->thread);
}

void Messaging::send_chat_state(Conversation& conversation, ChatState state, const std::string& thread) {
  const bool unwanted = conversation.chat_states == Support::no && !core_.quirk("gateway.chat-state-unwanted");
  const bool repeated = conversation.last_to_xmpp == state && !core_.quirk("gateway.repeats-chat-state");
  const bool nothing_to_end = !conversation.last_to_xmpp && state == ChatState::active;
  if (unwanted || repeated || nothing_to_end) return;  // XEP-0085 sections 5.1 and 5.3
  conversation.last_to_xmpp = state;
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
