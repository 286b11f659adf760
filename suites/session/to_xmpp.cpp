// RFC 7573 section 5: a SIP user's session is accepted by the gateway and is a chat for the partner's user.
#include "suites/support/federated.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

void opening(Run& run) {
  Federated f(run);
  f.alice.send_in_session(f.romeo_uri, "hello");
  const bool arrived = f.until([&] { return !f.romeo.messages.empty(); });
  const auto stanza = arrived ? f.romeo.messages.front() : xml::Element();
  CONFORMS("RFC7573-5-1", "the body that the partner's user got", arrived ? body_of(stanza) : "nothing came",
           Eq("hello"));
  CONFORMS("RFC7573-5-3", "the type of the message that the partner's user got", attribute_in(stanza, "type"),
           Eq("chat"));
  CONFORMS("RFC7573-5-3", "the receiver of the message that the partner's user got", attribute_in(stanza, "to"),
           Eq(f.romeo_bare));
  f.partner.send(f.message("reply", "chat", "r1"));
  const bool replied = f.until([&] { return !f.alice.texts().empty(); });
  const std::string where = !replied ? "nowhere" : f.alice.texts().front().in_session ? "in the session" : "outside";
  CONFORMS("RFC7573-5-4", "where the reply came to the SIP user", where, Eq("in the session"));
}

CUTOVER_CASE(session_accepted){
    .id = "session.user-opens",
    .title = "A SIP user's session is accepted at once; its text is a chat, and the reply comes inside it",
    .procedure = "A SIP user opens a session with one text; the partner's user replies without thread.",
    .accepted = "A stanza of type chat to the bare address; the reply as MESSAGE in the dialog.",
    .likely_causes = "Replies are matched by thread only.",
    .judges = {{"RFC7573-5-1", {"gateway.refuses-im-offer"}},
               {"RFC7573-5-3", {"gateway.session-without-chat-type"}},
               {"RFC7573-5-4", {"gateway.replies-outside-session"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = opening};

/// alice offers romeo what `media` says in SDP.
sip::Message offer(const Federated& f, const std::string& media) {
  sip::Message invite;
  invite.method = "INVITE";
  invite.request_uri = f.romeo_uri;
  invite.add_header("Contact", "<sip:alice@contoso.example>");
  invite.add_header("Content-Type", "application/sdp");
  invite.body = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=s\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" + media;
  return invite;
}

void audio(Run& run) {
  Federated f(run);
  auto invite = offer(f, "m=audio 9 RTP/AVP 0\r\n");
  const auto body = invite.body;
  f.alice.send_raw(std::move(invite));
  CONFORMS("RFC3261-13.3.1.3", "the answer to an offer of audio", f.answer_to(body), Eq(status_text(488)));
}

CUTOVER_CASE(session_audio){.id = "session.offer-without-text",
                            .title = "An offer without text is refused",
                            .procedure = "A SIP user offers audio to a partner's user.",
                            .accepted = "488.",
                            .likely_causes = "Every INVITE is taken for a chat.",
                            .judges = {{"RFC3261-13.3.1.3", {"gateway.accepts-any-offer"}}},
                            .needs = {Need::sip_side, Need::new_deployment},
                            .budget = 1h,
                            .body = audio};

std::size_t media_lines(std::string_view sdp) {
  std::size_t count = 0;
  for (auto at = sdp.find("\nm="); at != std::string_view::npos; at = sdp.find("\nm=", at + 1)) ++count;
  return count;
}

void first_text_in_invite(Run& run) {
  Federated f(run);
  auto invite = offer(f, "m=message 5060 sip null\r\na=accept-types:text/plain application/im-iscomposing+xml\r\n");
  invite.add_header("Ms-Text-Format", "text/plain; charset=UTF-8;ms-body=aGVsbG8=");
  invite.add_header("Supported", "ms-text-format");
  f.alice.send_raw(std::move(invite));
  const bool answered = f.until([&] { return !f.final_answers("INVITE").empty(); });
  const auto answer = answered ? *f.final_answers("INVITE").front() : sip::Message{};
  if (!GIVEN(answer.status == 200, "the INVITE with an IM offer was answered with 200")) return;
  CONFORMS("RFC3264-6", "how many m= lines answer one", media_lines(answer.body), Eq(1u));
  const bool takes_it = answer.header_or_empty("Supported").find("ms-text-format") != std::string::npos;
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  const auto texts =
      std::ranges::count_if(f.romeo.messages, [](const auto& stanza) { return body_of(stanza) == "hello"; });
  CONFORMS("LYNC-IM-4", "how often the text in the INVITE reached the partner's user", texts,
           Eq(static_cast<long>(takes_it)));
}

CUTOVER_CASE(text_in_invite){
    .id = "session.text-in-the-invite",
    .title = "An IM offer gets an answer with as many media; the text that it holds is shown if the answer says so",
    .procedure = "A SIP user sends an INVITE with one m= line and the first text in an ms-text-format header.",
    .accepted =
        "200 with one m= line. With Supported: ms-text-format the text arrives once; without, it does not (it will "
        "come as a MESSAGE).",
    .likely_causes = "The extension is announced and not done.",
    .judges = {{"RFC3264-6", {"gateway.answer-without-media"}}, {"LYNC-IM-4", {"gateway.loses-ms-text"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = first_text_in_invite};

}  // namespace
}  // namespace cutover::suites
