// RFC 3261 sections 12 to 14 and 17, RFC 6026: INVITE and the dialog that it makes, from the place of the pool.
#include "suites/support/sip_by_hand.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::ElementsAre;
using testing::Eq;
using testing::StartsWith;

constexpr char ns_chat_states[] = "http://jabber.org/protocol/chatstates";
const std::vector<Need> needs{Need::sip_side, Need::new_deployment};

void accepted_once(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  if (!GIVEN(pool.connect(), connected)) return;
  auto invite = pool.invite();
  invite.add_header("Record-Route", "<sip:first.contoso.example;lr>");
  invite.add_header("Record-Route", "<sip:second.contoso.example;lr>");
  if (!GIVEN(pool.said_and_answered(invite) == status_text(200), "an INVITE that offers text is accepted")) return;
  const auto answer = pool.answers(invite).front();
  CONFORMS("RFC3261-12.1.1", "the Record-Route of the answer", answer.all("Record-Route"),
           ElementsAre("<sip:first.contoso.example;lr>", "<sip:second.contoso.example;lr>"));
  pool.say(pool.in_dialog(invite, answer, "ACK"));
  const auto hello = pool.in_dialog(invite, answer, "MESSAGE", "hello");
  if (!GIVEN(pool.said_and_answered(hello).starts_with("2"), "a MESSAGE in the dialog is answered 2xx")) return;
  const auto answers = pool.answers(invite).size();  // until the ACK a 2xx may come again (section 13.3.1.4)
  pool.say(invite);
  const auto later = pool.in_dialog(invite, answer, "MESSAGE", "later");
  if (!GIVEN(pool.said_and_answered(later).starts_with("2"), "a MESSAGE behind it is answered 2xx")) return;
  CONFORMS("RFC6026-1", "how many answers came to an INVITE that was accepted, acknowledged, and came again",
           pool.answers(invite).size() - answers, Eq(0U));
}

CUTOVER_CASE(once){
    .id = "session.invite-comes-again",
    .title = "An INVITE that was accepted is absorbed when it comes again; its answer has copied the route",
    .procedure =
        "From the place of the pool: an INVITE with two Record-Route, its ACK, a MESSAGE, the INVITE again as it was, "
        "a MESSAGE.",
    .accepted = "Both Record-Route in the 200, in their order; no answer to the INVITE that came again.",
    .likely_causes = "The transaction ends with the 2xx.",
    .judges = {{"RFC3261-12.1.1", {"sip.response-without-record-route"}},
               {"RFC6026-1", {"sip.repeats-2xx", "sip.takes-repeated-requests-for-new"}}},
    .needs = needs,
    .budget = 1h,
    .takes = 5s,
    .body = accepted_once};

void in_order(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  if (!GIVEN(pool.connect(), connected)) return;
  auto audio = pool.invite();
  audio.body = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=s\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
  if (!GIVEN(pool.said_and_answered(audio) == status_text(488), "an offer without text is refused")) return;
  pool.say(audio);  // it was not acknowledged
  CONFORMS("RFC3261-17.2.2", "the refusal came again when the INVITE came again",
           f.until([&] { return pool.answers(audio).size() == 2; }), Eq(true));
  const auto invite = pool.invite();
  if (!GIVEN(pool.said_and_answered(invite) == status_text(200), "an INVITE that offers text is accepted")) return;
  const auto answer = pool.answers(invite).front();
  pool.say(pool.in_dialog(invite, answer, "ACK"));
  auto with_audio = pool.in_dialog(invite, answer, "INVITE");
  with_audio.add_header("Contact", invite.header_or_empty("Contact"));
  with_audio.add_header("Content-Type", "application/sdp");
  with_audio.body = invite.body + "m=audio 9 RTP/AVP 0\r\n";
  const auto status = pool.said_and_answered(with_audio);
  const auto sdp = status == status_text(200) ? pool.answers(with_audio).front().body : std::string();
  CONFORMS("RFC3261-14.2", "what came of an offer to add audio",
           sdp.find("m=audio 0 ") != std::string::npos ? "200 with port 0 for audio" : status,
           testing::AnyOf(status_text(488), "200 with port 0 for audio"));
  pool.say(
      pool.in_dialog(with_audio, pool.answers(with_audio).empty() ? answer : pool.answers(with_audio).front(), "ACK"));
  auto old = pool.in_dialog(invite, answer, "MESSAGE", "of yesterday");
  old.set_header("CSeq", "1 MESSAGE");
  CONFORMS("RFC3261-12.2.2", "the answer to a MESSAGE with the CSeq of the INVITE", pool.said_and_answered(old),
           Eq(status_text(500)));
  const auto later = pool.in_dialog(invite, answer, "MESSAGE", "later");
  CONFORMS("RFC3261-14.2", "the answer to a MESSAGE in that dialog", pool.said_and_answered(later), StartsWith("2"));
  const auto came = [&](const char* text) {
    return std::ranges::count_if(f.romeo.messages, [&](const auto& stanza) { return body_of(stanza) == text; });
  };
  CONFORMS("RFC3261-12.2.2", "how often the partner's user got its text", came("of yesterday"), Eq(0));
}

CUTOVER_CASE(dialog_rules){
    .id = "session.within-a-dialog",
    .title = "A dialog takes no other media and no old request, and goes on; a refusal is repeated until the ACK",
    .procedure =
        "From the place of the pool: an INVITE for audio, twice as it is; one for text; in its dialog an INVITE that "
        "adds audio, a MESSAGE with the CSeq of the INVITE, a MESSAGE.",
    .accepted = "488 twice; 488, or 200 with port 0; 500, and no stanza; 2xx.",
    .likely_causes = "Re-INVITE is always 200; CSeq is not looked at.",
    .judges = {{"RFC3261-17.2.2", {"sip.silent-on-repeated-requests"}},
               {"RFC3261-14.2", {"gateway.accepts-any-reinvite"}},
               {"RFC3261-12.2.2", {"gateway.accepts-old-requests"}}},
    .needs = needs,
    .budget = 1h,
    .takes = 4s,
    .body = in_order};

/// The INVITE that a chat of the partner's user became.
sip::Message invited(Federated& f, SipByHand& pool, const char* text, std::size_t n = 1) {
  f.partner.send(f.message(text, "chat", text));
  return pool.asked("INVITE", n);
}

void refused(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  const auto invite = invited(f, pool, "to a busy user");
  if (!GIVEN(!invite.method.empty(), "the chat of a partner's user becomes an INVITE")) return;
  pool.answer(invite, 486);
  const auto ack = pool.asked("ACK");
  CONFORMS("RFC3261-17.1.1.3", "branch and CSeq of the ACK for a 486",
           ack.header_or_empty("Via") + ", " + ack.header_or_empty("CSeq"),
           Eq(invite.header_or_empty("Via") + ", " + std::to_string(invite.cseq_number()) + " ACK"));
  CONFORMS("DEL-LOST", "an error came for the text", f.error_for("to a busy user").has_value(), Eq(true));
}

CUTOVER_CASE(invite_refused){
    .id = "session.refused-invite-acknowledged",
    .title = "A refusal of an INVITE is acknowledged and told",
    .procedure = "In the place of the pool: the INVITE of a chat gets 486.",
    .accepted = "ACK with the branch and number of the INVITE; an error for who wrote.",
    .likely_causes = "ACK is sent for a 2xx alone.",
    .judges = {{"RFC3261-17.1.1.3", {"sip.no-ack-of-a-refusal"}}, {"DEL-LOST", {"gateway.swallows-errors"}}},
    .needs = needs,
    .budget = 1h,
    .body = refused};

void rings(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  const auto invite = invited(f, pool, "after a while");
  if (!GIVEN(!invite.method.empty(), "the chat of a partner's user becomes an INVITE")) return;
  pool.answer(invite, 180);
  f.deployment.world().run_for(2min);
  CONFORMS("RFC3261-17.1.1.2", "an error came while it rang", f.error_stanza("after a while") != nullptr, Eq(false));
  pool.accept(invite);
  const auto message = pool.asked("MESSAGE");
  if (!message.method.empty()) pool.answer(message, 200);
  CONFORMS("RFC3261-17.1.1.2", "the text that came after two minutes of ringing", message.body, Eq("after a while"));
}

CUTOVER_CASE(ringing){
    .id = "session.invite-rings",
    .title = "An INVITE that rings waits for its answer",
    .procedure = "In the place of the pool: the INVITE of a chat gets 180, and 200 two minutes later.",
    .accepted = "The text in the session; no error before.",
    .likely_causes = "One timer for every request.",
    .judges = {{"RFC3261-17.1.1.2", {"sip.gives-up-while-ringing"}}},
    .needs = needs,
    .live = false,
    .budget = 1h,
    .body = rings};

void send_state(Federated& f, const char* state, const char* thread = "") {
  auto stanza = f.message({}, "chat", "state");
  stanza.remove_children("body", "jabber:server");
  stanza.add(xml::Element(state, ns_chat_states));
  if (*thread != '\0') stanza.add(xml::Element("thread", stanza.ns()).with_text(thread));
  f.partner.send(std::move(stanza));
}

void typing_not_accepted(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  const auto invite = invited(f, pool, "one");
  if (!GIVEN(!invite.method.empty(), "the chat of a partner's user becomes an INVITE")) return;
  pool.accept(invite, "text/plain");
  const auto first = pool.asked("MESSAGE");
  if (!GIVEN(first.body == "one", "its text comes in the session")) return;
  pool.answer(first, 200);
  send_state(f, "composing");
  f.partner.send(f.message("two", "chat", "two"));
  const auto second = pool.asked("MESSAGE", 2);
  if (!second.method.empty()) pool.answer(second, 200);
  CONFORMS("RFC3994-accept", "what came next to who accepts text/plain alone",
           token_in(second, "Content-Type") + " " + second.body, Eq("text/plain two"));
}

CUTOVER_CASE(typing_unasked){
    .id = "session.typing-not-accepted",
    .title = "Who accepts text alone is told no typing",
    .procedure =
        "In the place of the pool: an INVITE is answered with accept-types:text/plain; the partner's user types, and "
        "sends a text.",
    .accepted = "The text, and nothing before it.",
    .likely_causes = "What a peer accepts is not looked at.",
    .judges = {{"RFC3994-accept", {"gateway.types-unasked"}}},
    .needs = needs,
    .budget = 1h,
    .body = typing_not_accepted};

void dead_for_good(Run& run) {
  Federated f(run);
  f.partner.send(f.message("one", "chat", "one"));
  if (!GIVEN(f.until([&] { return f.alice.texts().size() == 1; }), "the text that opened the session comes")) return;
  f.alice.answer_messages_with(481);
  f.partner.send(f.message("two", "chat", "two"));
  const auto enough = [&] { return f.error_stanza("two") != nullptr || f.requests_to_alice("MESSAGE") > 6; };
  if (!GIVEN(f.until(enough), "the sender is told, or six more MESSAGEs come")) return;
  f.alice.answer_messages_with(200);
  CONFORMS("RFC3261-15-2", "an error came for a text that met a dead dialog each time",
           f.error_stanza("two") != nullptr, Eq(true));
  CONFORMS("RFC3261-15-2", "how often it was sent", f.requests_to_alice("MESSAGE") - 1, testing::Le(2U));
}

CUTOVER_CASE(dead_twice){.id = "session.dead-again",
                         .title = "A text that meets a dead dialog for the second time has failed",
                         .procedure = "The SIP user answers every text behind the first with 481.",
                         .accepted = "At most two tries, and an error for the sender.",
                         .likely_causes = "Each 481 opens the next dialog.",
                         .judges = {{"RFC3261-15-2", {"gateway.resends-without-end"}}},
                         .needs = needs,
                         .budget = 1h,
                         .body = dead_for_good};

void thread_is_over(Run& run) {
  Federated f(run);
  const auto in_thread = [&](const char* text) {
    auto stanza = f.message(text, "chat", text);
    stanza.add(xml::Element("thread", stanza.ns()).with_text("a-thread-of-verona"));
    f.partner.send(std::move(stanza));
  };
  in_thread("one");
  if (!GIVEN(f.until([&] { return f.alice.texts().size() == 1; }), "the text that opened the session comes")) return;
  send_state(f, "gone", "a-thread-of-verona");
  const auto bye = f.request_to_alice("BYE");
  if (!GIVEN(!bye.method.empty(), "<gone/> ends the session")) return;
  in_thread("two");
  const auto second = f.request_to_alice("INVITE", 2);
  if (!GIVEN(!second.method.empty() && f.until([&] { return f.alice.texts().size() == 2; }),
             "a further text comes in a session"))
    return;
  CONFORMS("RFC7573-6.1-4", "the Call-ID of a session in a thread that has ended", second.call_id(),
           testing::AllOf(testing::Ne(bye.call_id()), testing::Ne("a-thread-of-verona")));
}

CUTOVER_CASE(gone_thread){
    .id = "session.thread-that-ended",
    .title = "The thread of a session that has ended is used for no other",
    .procedure = "A partner's user opens a session in a thread, sends gone, and writes in that thread again.",
    .accepted = "A session with another Call-ID.",
    .likely_causes = "The Call-ID is made of the thread each time.",
    .judges = {{"RFC7573-6.1-4", {"gateway.reuses-gone-thread"}}},
    .needs = needs,
    .budget = 1h,
    .body = thread_is_over};

}  // namespace
}  // namespace cutover::suites
