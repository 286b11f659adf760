// RFC 7573 section 4: a chat of a partner's user becomes one session with the SIP user, its text inside the dialog.
#include "suites/support/federated.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;
using testing::Ne;

constexpr char ns_chat_states[] = "http://jabber.org/protocol/chatstates";

std::vector<std::string> bodies(const std::vector<mocks::SipText>& texts) {
  std::vector<std::string> all;
  all.reserve(texts.size());
  for (const auto& text : texts) all.push_back(text.body);
  return all;
}

void send_state(Federated& f, const char* state, const char* id = "state") {
  auto stanza = f.message({}, "chat", id);
  stanza.remove_children("body", "jabber:server");
  stanza.add(xml::Element(state, ns_chat_states));
  f.partner.send(std::move(stanza));
}

bool has_texts(Federated& f, std::size_t count) {
  return f.until([&] { return f.alice.texts().size() >= count; });
}

void opening(Run& run) {
  Federated f(run);
  f.partner.send(f.message("one", "chat", "m1"));
  f.partner.send(f.message("two", "chat", "m2"));
  const auto invite = f.request_to_alice("INVITE");
  const bool offered = CONFORMS("RFC7573-4-1", "the offer in the INVITE", invite.body, HasSubstr("m=message"));
  CONFORMS("LYNC-IM-1", "the offer in the INVITE", invite.body, HasSubstr("sip null"));
  if (!offered) return;
  const auto ack = f.request_to_alice("ACK");
  CONFORMS("RFC3261-13.2.2.4", "the CSeq of the ACK", header_in(ack, "CSeq"),
           Eq(std::to_string(invite.cseq_number()) + " ACK"));
  (void)has_texts(f, 2);
  if (!GIVEN(f.marker_reaches_alice(), "a later message reached the SIP user")) return;
  CONFORMS("RFC7573-4-2", "the texts that the SIP user got", bodies(f.alice.texts()),
           ElementsAre("one", "two", "marker 1"));
  CONFORMS("RFC7573-4-6", "how many INVITEs came", f.requests_to_alice("INVITE"), Eq(1u));
}

CUTOVER_CASE(session_opens){
    .id = "session.partner-opens",
    .title = "The first chat message opens a session and is its first text; the next one uses it",
    .procedure = "A partner's user sends two chat messages in a row.",
    .accepted = "One INVITE with an IM offer, its ACK with the same CSeq, then both texts once, in order.",
    .likely_causes = "The message that opened the session is lost, or sent again after the ACK.",
    .judges = {{"RFC7573-4-1", {"gateway.drops-message-to-sip"}},
               {"LYNC-IM-1", {"gateway.drops-message-to-sip"}},
               {"RFC3261-13.2.2.4", {"gateway.ack-wrong-cseq"}},
               {"RFC7573-4-2", {"gateway.loses-first-message", "gateway.doubles-first-message"}},
               {"RFC7573-4-6", {"gateway.invite-per-message"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = opening};

void fallback(Run& run) {
  Federated f(run);
  f.alice.answer_invites_with(488);
  f.partner.send(f.message("anyway", "chat", "m1"));
  CONFORMS("RFC7573-4-7", "the text that the SIP user got after refusing the session",
           has_texts(f, 1) ? f.alice.texts().front().body : "nothing", Eq("anyway"));
}

CUTOVER_CASE(session_falls_back){
    .id = "session.falls-back-to-pager",
    .title = "Where the SIP user takes no session the text goes as a MESSAGE of its own",
    .procedure = "The SIP user answers the INVITE of a chat with 488.",
    .accepted =
        "The text arrives outside a dialog. (An error to its sender would be allowed; this profile falls back.)",
    .likely_causes = "A refused session ends the conversation.",
    .judges = {{"RFC7573-4-7", {"gateway.no-fallback-to-pager"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = fallback};

void refused(Run& run) {
  Federated f(run);
  f.alice.answer_invites_with(486);
  f.partner.send(f.message("to a busy user", "chat", "m1"));
  CONFORMS("DEL-LOST", "the sender of the message got an error", f.error_for("m1").has_value(), Eq(true));
}

CUTOVER_CASE(session_refused){.id = "session.refused",
                              .title = "A refused session is told to whoever wrote",
                              .procedure = "The SIP user answers the INVITE of a chat with 486.",
                              .accepted = "An error stanza with the id of the message.",
                              .likely_causes = "The held message is forgotten with the session.",
                              .judges = {{"DEL-LOST", {"gateway.swallows-errors"}}},
                              .needs = {Need::sip_side, Need::new_deployment},
                              .budget = 1h,
                              .body = refused};

void dead_dialog(Run& run) {
  Federated f(run);
  f.partner.send(f.message("one", "chat", "m1"));
  if (!CONFORMS("RFC7573-4-2", "the text that opened the session reached the SIP user", has_texts(f, 1), Eq(true)))
    return;
  f.alice.answer_messages_with(481);
  f.partner.send(f.message("two", "chat", "m2"));
  const auto first = f.request_to_alice("INVITE").call_id();
  (void)f.request_to_alice("MESSAGE", 2);
  f.alice.answer_messages_with(200);
  CONFORMS("RFC3261-15-2", "the Call-ID of the INVITE that follows a 481", f.request_to_alice("INVITE", 2).call_id(),
           testing::AllOf(Ne(first), Ne("")));
  (void)has_texts(f, 2);
  CONFORMS("LYNC-IM-9", "the texts that the SIP user got", bodies(f.alice.texts()), ElementsAre("one", "two"));
}

CUTOVER_CASE(session_dead){.id = "session.dead-dialog",
                           .title = "A text that meets a dead dialog is sent again, once, in a new one",
                           .procedure = "The SIP user answers the second text of a session with 481.",
                           .accepted = "Another INVITE with another Call-ID, and the text in it.",
                           .likely_causes = "The 481 is told as an error, or the text is dropped with the session.",
                           .judges = {{"RFC7573-4-2", {"gateway.loses-first-message"}},
                                      {"RFC3261-15-2", {"gateway.dead-dialog-loses-message"}},
                                      {"LYNC-IM-9", {"gateway.dead-dialog-loses-message"}}},
                           .needs = {Need::sip_side, Need::new_deployment},
                           .budget = 1h,
                           .body = dead_dialog};

void ended_by_user(Run& run) {
  Federated f(run);
  auto hello = f.message("hello", "chat", "m1");
  hello.add(xml::Element("active", ns_chat_states));
  f.partner.send(std::move(hello));
  if (!CONFORMS("RFC7573-4-2", "the text that opened the session reached the SIP user", has_texts(f, 1), Eq(true)))
    return;
  f.alice.end_session(f.romeo_uri);
  const auto gone = [&] {
    return std::ranges::any_of(f.romeo.messages,
                               [](const auto& m) { return m.child("gone", ns_chat_states) != nullptr; });
  };
  CONFORMS("RFC7573-6.1-2", "the end was shown to the partner's user as <gone/>", f.until(gone), Eq(true));
  const auto answered = [&] {
    return std::ranges::any_of(f.final_answers("BYE"), [](const auto* answer) { return answer->status == 200; });
  };
  CONFORMS("RFC7573-4-10", "the BYE was answered with 200", f.until(answered), Eq(true));
}

CUTOVER_CASE(session_bye){.id = "session.user-leaves",
                          .title = "BYE is answered and shown as gone to a user who speaks chat states",
                          .procedure = "A partner's user opens a session with chat states; the SIP user ends it.",
                          .accepted = "200 to the BYE; <gone/>.",
                          .likely_causes = "The end of a session is not part of the translation.",
                          .judges = {{"RFC7573-4-2", {"gateway.loses-first-message"}},
                                     {"RFC7573-6.1-2", {"gateway.bye-without-gone"}},
                                     {"RFC7573-4-10", {"gateway.bye-unanswered"}}},
                          .needs = {Need::sip_side, Need::new_deployment},
                          .budget = 1h,
                          .body = ended_by_user};

void ended_by_partner(Run& run) {
  Federated f(run);
  f.partner.send(f.message("hello", "chat", "m1"));
  if (!CONFORMS("RFC7573-4-2", "the text that opened the session reached the SIP user", has_texts(f, 1), Eq(true)))
    return;
  send_state(f, "gone");
  const auto bye = f.request_to_alice("BYE");
  CONFORMS("RFC7573-6.1-1", "a BYE came for <gone/>", !bye.method.empty(), Eq(true));
  CONFORMS("RFC7573-6-T4-gone", "the Call-ID of the BYE", header_in(bye, "Call-ID"),
           Eq(f.request_to_alice("INVITE").call_id()));
}

CUTOVER_CASE(session_gone){.id = "session.partner-leaves",
                           .title = "gone ends the session",
                           .procedure = "A partner's user opens a session and sends gone.",
                           .accepted = "BYE in the dialog.",
                           .likely_causes = "gone is dropped as a state without equivalent.",
                           .judges = {{"RFC7573-4-2", {"gateway.loses-first-message"}},
                                      {"RFC7573-6.1-1", {"gateway.ignores-gone", "gateway.never-sends-bye"}},
                                      {"RFC7573-6-T4-gone", {"gateway.ignores-gone"}}},
                           .needs = {Need::sip_side, Need::new_deployment},
                           .budget = 1h,
                           .body = ended_by_partner};

void idle(Run& run) {
  Federated f(run);
  f.partner.send(f.message("hello", "chat", "m1"));
  if (!CONFORMS("RFC7573-4-2", "the text that opened the session reached the SIP user", has_texts(f, 1), Eq(true)))
    return;
  const bool ended = f.deployment.world().run_until([&] { return f.requests_to_alice("BYE") > 0; }, 2h);
  CONFORMS("RFC7573-4-11", "the idle session was ended with BYE within two hours", ended, Eq(true));
}

CUTOVER_CASE(session_idle){
    .id = "session.idle",
    .title = "A session in which nobody writes is ended by the gateway",
    .procedure = "A partner's user opens a session; two hours pass.",
    .accepted = "BYE.",
    .likely_causes = "Sessions stay for ever.",
    .judges = {{"RFC7573-4-2", {"gateway.loses-first-message"}}, {"RFC7573-4-11", {"gateway.never-sends-bye"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .live = false,
    .budget = 3h,
    .body = idle};

void typing(Run& run) {
  Federated f(run);
  f.partner.send(f.message("hello", "chat", "m1"));
  if (!CONFORMS("RFC7573-4-2", "the text that opened the session reached the SIP user", has_texts(f, 1), Eq(true)))
    return;
  send_state(f, "composing");
  send_state(f, "composing", "again");
  CONFORMS("RFC7573-6-T4-composing", "the document that <composing/> became", f.request_to_alice("MESSAGE", 2).body,
           HasSubstr("<state>active</state>"));
}

CUTOVER_CASE(session_typing){.id = "session.partner-types",
                             .title = "composing is shown to the SIP user as active inside the session",
                             .procedure = "A partner's user opens a session and sends composing twice.",
                             .accepted = "An isComposing document with state active.",
                             .likely_causes = "The two meanings of active are mixed up.",
                             .judges = {{"RFC7573-4-2", {"gateway.loses-first-message"}},
                                        {"RFC7573-6-T4-composing", {"gateway.inverts-typing"}}},
                             .needs = {Need::sip_side, Need::new_deployment},
                             .budget = 1h,
                             .body = typing};

void typing_refused(Run& run) {
  Federated f(run);
  const auto typed = [&] {
    return std::ranges::count_if(f.alice.requests(), [](const sip::Message& request) {
      return token_in(request, "Content-Type") == "application/im-iscomposing+xml";
    });
  };
  f.partner.send(f.message("one", "chat", "m1"));
  if (!CONFORMS("RFC7573-4-2", "the text that opened the session reached the SIP user", has_texts(f, 1), Eq(true)))
    return;
  f.alice.answer_messages_with(415);
  send_state(f, "composing");
  (void)f.until([&] { return typed() == 1; });
  CONFORMS("RFC7573-6-T4-composing", "how many typing documents the SIP user got for <composing/>", typed(), Eq(1));
  f.alice.answer_messages_with(200);
  f.partner.send(f.message("two", "chat", "m2"));
  CONFORMS("RFC3994-4-1", "a text reached the SIP user after the 415", has_texts(f, 2), Eq(true));
  send_state(f, "composing", "again");
  if (!GIVEN(f.marker_reaches_alice(), "a later message reached the SIP user")) return;
  CONFORMS("RFC3994-4-1", "how many typing documents the SIP user got, the refused one among them", typed(), Eq(1));
}

CUTOVER_CASE(no_more_typing){
    .id = "session.typing-refused",
    .title = "After 415 to a typing document no more of them come; texts still do",
    .procedure = "The SIP user answers the first typing document of a session with 415; then a text and typing again.",
    .accepted = "The text arrives, and no second typing document.",
    .likely_causes = "The answer to a typing document is not looked at.",
    .judges = {{"RFC7573-4-2", {"gateway.loses-first-message"}},
               {"RFC7573-6-T4-composing", {"gateway.inverts-typing"}},
               {"RFC3994-4-1", {"gateway.typing-after-415"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = typing_refused};

}  // namespace
}  // namespace cutover::suites
