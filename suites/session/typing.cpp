// RFC 7573 section 6 and XEP-0085: what a SIP user's typing shows the partner's user in a session.
#include "suites/support/federated.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Ge;

constexpr char ns_chat_states[] = "http://jabber.org/protocol/chatstates";
constexpr char media[] = "application/im-iscomposing+xml";
constexpr char active_document[] =
    "<?xml version='1.0' encoding='UTF-8'?><isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'>"
    "<state>active</state></isComposing>";

std::size_t states(const Federated& f, const char* state) {
  return static_cast<std::size_t>(std::ranges::count_if(
      f.romeo.messages, [&](const auto& stanza) { return stanza.child(state, ns_chat_states) != nullptr; }));
}

/// alice opens a session, romeo answers, with or without a chat state.
bool converse(Federated& f, bool with_states) {
  f.alice.send_in_session(f.romeo_uri, "hello");
  if (!f.until([&] { return !f.romeo.messages.empty(); })) return false;
  auto reply = f.message("reply", "chat", "r1");
  if (with_states) reply.add(xml::Element("active", ns_chat_states));
  f.partner.send(std::move(reply));
  return f.until([&] { return !f.alice.texts().empty(); });
}

void shown_once(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC7573-5-1", "each user got the other's text", converse(f, true), Eq(true))) return;
  f.alice.send_in_dialog(f.romeo_uri, media, active_document);
  f.alice.send_in_dialog(f.romeo_uri, media, active_document);
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  const auto as_text = [](const auto& stanza) { return body_of(stanza).find("isComposing") != std::string::npos; };
  CONFORMS("RFC7573-6-T3-active", "how often typing was shown as <composing/>", states(f, "composing"), Ge(1u));
  CONFORMS("XEP0085-5.3", "how often <composing/> came for two typing documents", states(f, "composing"), Eq(1u));
  CONFORMS("RFC7573-6-1", "how many typing documents came as text", std::ranges::count_if(f.romeo.messages, as_text),
           Eq(0));
}

CUTOVER_CASE(typing_shown){
    .id = "session.user-types",
    .title = "Typing of the SIP user is shown once as composing, never as text",
    .procedure = "In a session with a user who speaks chat states the SIP user sends isComposing active twice.",
    .accepted = "One <composing/>; no body.",
    .likely_causes = "Every document is translated by itself.",
    .judges = {{"RFC7573-5-1", {"gateway.refuses-im-offer"}},
               {"RFC7573-6-T3-active", {"gateway.drops-typing", "gateway.inverts-typing"}},
               {"XEP0085-5.3", {"gateway.repeats-chat-state"}},
               {"RFC7573-6-1", {"gateway.typing-as-text"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = shown_once};

void unwanted(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC7573-5-1", "each user got the other's text", converse(f, false), Eq(true))) return;
  f.alice.send_in_dialog(f.romeo_uri, media, active_document);
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  CONFORMS("XEP0085-5.1-1", "how often <composing/> came to a user who speaks no chat states", states(f, "composing"),
           Eq(0u));
}

CUTOVER_CASE(typing_unwanted){
    .id = "session.typing-unwanted",
    .title = "A user who replied without a chat state gets none",
    .procedure = "The partner's user replies without chat state; the SIP user types.",
    .accepted = "No <composing/>.",
    .likely_causes = "The gateway does not remember who speaks chat states.",
    .judges = {{"RFC7573-5-1", {"gateway.refuses-im-offer"}}, {"XEP0085-5.1-1", {"gateway.chat-state-unwanted"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = unwanted};

void of_the_partner(Run& run) {
  Federated f(run);
  f.alice.send_in_session(f.romeo_uri, "hello");
  if (!GIVEN(f.until([&] { return !f.romeo.messages.empty(); }), "the partner's user gets the text")) return;
  f.alice.send_in_dialog(f.romeo_uri, media, "<isComposing");
  CONFORMS("RFC3994-6", "the answer to half a typing document", f.answer_to("<isComposing"), testing::StartsWith("4"));
  f.alice.end_session(f.romeo_uri);
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  CONFORMS("RFC7573-6.1-2", "how often <gone/> came to a user who has sent no chat state", states(f, "gone"), Eq(0u));
}

CUTOVER_CASE(gone_unwanted){
    .id = "session.no-states-for-others",
    .title = "Who has sent no chat state is sent no gone; half a typing document is refused",
    .procedure = "In a session with a user who says nothing the SIP user sends half a typing document and leaves.",
    .accepted = "A refusal of the document; no <gone/>.",
    .likely_causes = "BYE is always gone; the document is answered before it is read.",
    .judges = {{"RFC3994-6", {"gateway.accepts-unreadable-typing"}}, {"RFC7573-6.1-2", {"gateway.gone-to-everybody"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = of_the_partner};

void ends(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC7573-5-1", "each user got the other's text", converse(f, true), Eq(true))) return;
  f.alice.send_in_dialog(f.romeo_uri, media, active_document);
  CONFORMS("RFC7573-6-T3-active", "typing was shown as <composing/>",
           f.until([&] { return states(f, "composing") > 0; }), Eq(true));
  const auto before = states(f, "active") + states(f, "paused");
  const auto over = [&] { return states(f, "active") + states(f, "paused") > before; };
  CONFORMS("RFC3994-3.3-2", "<active/> or <paused/> came when the typing was not renewed",
           f.deployment.world().run_until(over, 150s), Eq(true));
}

CUTOVER_CASE(typing_ends){.id = "session.typing-ends",
                          .title = "Typing that is not renewed ends after two minutes",
                          .procedure = "The SIP user sends isComposing active and nothing more.",
                          .accepted = "<active/> or <paused/>.",
                          .likely_causes = "The gateway waits for an idle that never comes.",
                          .judges = {{"RFC7573-5-1", {"gateway.refuses-im-offer"}},
                                     {"RFC7573-6-T3-active", {"gateway.drops-typing"}},
                                     {"RFC3994-3.3-2", {"gateway.composing-never-ends"}}},
                          .needs = {Need::sip_side, Need::new_deployment},
                          .live = false,
                          .budget = 1h,
                          .body = ends};

void marks(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC7572-4-1", "a message of the partner's user reached the SIP user", f.marker_reaches_alice(),
                Eq(true)))
    return;
  const auto request = f.request_to_alice("MESSAGE");
  CONFORMS("RFC7247-8-5", "the Max-Forwards of the MESSAGE that the SIP user got",
           std::stoi("0" + request.header_or_empty("Max-Forwards")), testing::Le(70));
  auto round = f.pager("come round");
  round.add_header("User-Agent", request.header_or_empty("User-Agent"));
  f.alice.send_raw(std::move(round));
  CONFORMS("RFC7247-8-3", "the answer to a MESSAGE with the gateway's own mark", f.answer_to("come round"),
           testing::AnyOf(status_text(482), status_text(483)));
}

CUTOVER_CASE(loops_stopped){
    .id = "session.loop-guard",
    .title = "What the gateway emitted is not taken back, and hops are not given anew",
    .procedure = "A partner's message reaches a SIP user, who sends one with the gateway's own mark.",
    .accepted = "Max-Forwards of 70 or less; 482 or 483.",
    .likely_causes = "Each side counts hops by itself.",
    .judges = {{"RFC7572-4-1", {"gateway.drops-message-to-sip"}},
               {"RFC7247-8-5", {"gateway.raises-max-forwards"}},
               {"RFC7247-8-3", {"gateway.loops"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = marks};

}  // namespace
}  // namespace cutover::suites
