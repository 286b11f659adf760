// RFC 7572 section 5: a SIP MESSAGE becomes one message stanza, its parts in the places of Table 2.
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AllOf;
using testing::AnyOf;
using testing::Eq;
using testing::Ge;
using testing::Lt;

void table_2(Run& run) {
  Federated f(run);
  auto request = f.pager("1 < 2 & \"3\"");
  request.add_header("Subject", "Mantua");
  request.add_header("Call-ID", "call-7@contoso.example");
  request.add_header("Content-Language", "it");
  const auto stanza = f.stanza_for(std::move(request));
  CONFORMS("RFC7572-5-1", stanza.has_value(), Eq(true));
  const auto seen = stanza.value_or(xml::Element("message", "jabber:server"));
  CONFORMS("RFC7572-5-T2-body", body_of(seen), Eq("1 < 2 & \"3\""));
  CONFORMS("RFC7572-7-1", body_of(seen), Eq("1 < 2 & \"3\""));
  CONFORMS("RFC7572-5-T2-Subject", child_text(seen, "subject"), Eq("Mantua"));
  CONFORMS("RFC7572-5-T2-Call-ID", child_text(seen, "thread"), Eq("call-7@contoso.example"));
  CONFORMS("RFC7572-5-T2-Content-Language", seen.attribute("lang", "http://www.w3.org/XML/1998/namespace").value_or(""),
           Eq("it"));
  CONFORMS("RFC7572-5-T2-From", seen.attribute_or_empty("from"), Eq("alice@contoso.example"));
  CONFORMS("RFC7572-5-T2-Request-URI", seen.attribute_or_empty("to"), Eq("romeo@fabrikam.example"));
  CONFORMS("RFC7572-5-to", seen.attribute_or_empty("to"), Eq("romeo@fabrikam.example"));
  CONFORMS("RFC7572-5-type", seen.attribute_or_empty("type"), AnyOf("", "normal"));
  CONFORMS("RFC7572-5-1", f.outcome_of("1 < 2 & \"3\"").status, AnyOf(200, 202));
  const auto& responses = f.alice.responses();
  CONFORMS("RFC3428-7-2", responses.empty() ? "none" : responses.back().body, Eq(""));
  CONFORMS("RFC3428-7-3", !responses.empty() && responses.back().header("Contact").has_value(), Eq(false));
  const bool marker = f.marker_reaches_romeo();
  const auto copies =
      std::ranges::count_if(f.romeo.messages, [](const auto& m) { return body_of(m) == "1 < 2 & \"3\""; });
  CONFORMS("DEL-DUP", marker ? copies : -1, Eq(1));
}

CUTOVER_CASE(to_xmpp_table){
    .id = "message.user-to-partner",
    .title = "A MESSAGE of a SIP user reaches the partner's user once, with each part where the table puts it",
    .procedure =
        "The SIP user sends a MESSAGE with Subject, Call-ID and Content-Language. The partner's user looks at the "
        "stanza.",
    .accepted =
        "One message stanza of no type or type normal, as RFC 7572 Table 2; the MESSAGE is answered 200 or 202.",
    .likely_causes = "A gateway that writes every message as chat, or maps the body only.",
    .judges = {{"RFC7572-5-1", {"gateway.drops-message-to-xmpp", "gateway.never-answers-message"}},
               {"RFC7572-5-T2-body", {"gateway.loses-body"}},
               {"RFC7572-7-1", {"gateway.loses-body"}},
               {"RFC7572-5-T2-Subject", {"gateway.loses-subject"}},
               {"RFC7572-5-T2-Call-ID", {"gateway.loses-thread", "gateway.wrong-thread"}},
               {"RFC7572-5-T2-Content-Language", {"gateway.loses-language"}},
               {"RFC7572-5-T2-From", {"gateway.drops-message-to-xmpp"}},
               {"RFC7572-5-T2-Request-URI", {"gateway.drops-message-to-xmpp"}},
               {"RFC7572-5-to", {"gateway.drops-message-to-xmpp"}},
               {"RFC7572-5-type", {"gateway.pager-type-chat"}},
               {"RFC3428-7-2", {"gateway.body-in-2xx"}},
               {"RFC3428-7-3", {"gateway.contact-in-2xx"}},
               {"DEL-DUP", {"gateway.doubles-message-to-xmpp"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = table_2};

void bodies(Run& run) {
  Federated f(run);
  auto image = f.pager("picture");
  image.set_header("Content-Type", "image/gif");
  f.alice.send_raw(std::move(image));
  CONFORMS("RFC7572-7-5", f.outcome_of("picture").status, Eq(415));
  CONFORMS("RFC3261-415", f.alice.responses().back().header("Accept").has_value(), Eq(true));
  auto shouted = f.pager("any case");
  shouted.set_header("Content-Type", "TEXT/Plain;charset=UTF-8;msgr=abc");
  const auto stanza = f.stanza_for(std::move(shouted));
  CONFORMS("RFC7572-7-5", stanza ? body_of(*stanza) : "none", Eq("any case"));
  auto empty = f.pager("");
  f.alice.send_raw(std::move(empty));
  CONFORMS("RFC7572-7-10", f.outcome_of("").status, AllOf(Ge(200), Lt(500)));
  const bool marker = f.marker_reaches_romeo();
  const auto blanks = std::ranges::count_if(f.romeo.messages, [](const auto& m) { return body_of(m).empty(); });
  CONFORMS("RFC7572-7-10", marker ? blanks : -1, Eq(0));
}

CUTOVER_CASE(to_xmpp_bodies){
    .id = "message.bodies",
    .title =
        "Text in any spelling of its type passes, other media are refused with what is accepted, an empty body is no "
        "message",
    .procedure = "The SIP user sends an image, text with an odd Content-Type, and an empty MESSAGE.",
    .accepted = "415 with Accept; a stanza; 2xx or 4xx without a stanza.",
    .likely_causes = "Media types compared as text; bodies passed on unread.",
    .judges = {{"RFC7572-7-5", {"gateway.accepts-any-media", "gateway.shows-any-media"}},
               {"RFC3261-415", {"gateway.415-without-accept"}},
               {"RFC7572-7-10", {"gateway.empty-body"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = bodies};

void refused_requests(Run& run) {
  Federated f(run);
  auto extension = f.pager("needs more");
  extension.add_header("Require", "com.example.unknown");
  f.alice.send_raw(std::move(extension));
  CONFORMS("RFC3261-420", f.outcome_of("needs more").status, Eq(420));
  CONFORMS("RFC3261-420", f.alice.responses().back().header_or_empty("Unsupported"), Eq("com.example.unknown"));
  auto unknown = f.pager("unknown method");
  unknown.method = "FROBNICATE";
  f.alice.send_raw(std::move(unknown));
  const auto status = f.outcome_of("unknown method").status;
  CONFORMS("RFC3261-501", status, AnyOf(405, 501));
  CONFORMS("RFC3261-405", status == 405 && !f.alice.responses().back().header("Allow"), Eq(false));
  auto stray = f.pager("no such dialog");
  stray.add_header("To", "<" + f.romeo_uri + ">;tag=nobody");
  f.alice.send_raw(std::move(stray));
  CONFORMS("RFC3261-481", f.outcome_of("no such dialog").status, Eq(481));
}

CUTOVER_CASE(to_xmpp_refused){
    .id = "message.refused-requests",
    .title = "Requests that the gateway cannot take are answered as SIP wants it, never with silence",
    .procedure =
        "The SIP user sends a MESSAGE that requires an unknown extension, an unknown method, and a MESSAGE of a dialog "
        "that there is not.",
    .accepted = "420 with Unsupported; 405 with Allow, or 501; 481.",
    .likely_causes = "A gateway that reads the headers it needs only.",
    .judges = {{"RFC3261-420", {"gateway.ignores-require"}},
               {"RFC3261-501", {"gateway.ignores-unknown-method"}},
               {"RFC3261-405", {"gateway.405-without-allow"}},
               {"RFC3261-481", {"gateway.accepts-unknown-dialog"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = refused_requests};

}  // namespace
}  // namespace cutover::suites
