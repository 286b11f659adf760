// RFC 7572 section 5: a SIP MESSAGE becomes one message stanza, its parts in the places of Table 2.
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::StartsWith;

constexpr char marked[] = "a MESSAGE sent later reaches the partner's user";

std::string body_in(const xml::Element& message) { return body_of(message); }

/// The last answer that alice got; one of status 0 where there is none.
sip::Message last_answer(const Federated& f) {
  return f.alice.responses().empty() ? sip::Message{} : f.alice.responses().back();
}

void table_2(Run& run) {
  Federated f(run);
  auto request = f.pager("1 < 2 & \"3\"");
  request.add_header("Subject", "Mantua");
  request.add_header("Call-ID", "call-7@contoso.example");
  request.add_header("Content-Language", "it");
  const auto stanza = f.stanza_for(std::move(request));
  if (!CONFORMS("RFC7572-5-1", "a message stanza came", stanza.has_value(), Eq(true))) return;
  const auto text = [&](const char* child) { return child_text(*stanza, child); };
  const auto attribute = [&](const char* name, const char* ns = "") {
    return stanza->attribute(name, ns).value_or("");
  };
  CONFORMS("RFC7572-5-T2-body", "the body of the stanza", text("body"), Eq("1 < 2 & \"3\""));
  CONFORMS("RFC7572-7-1", "the body of the stanza", text("body"), Eq("1 < 2 & \"3\""));
  CONFORMS("RFC7572-5-T2-Subject", "the subject of the stanza", text("subject"), Eq("Mantua"));
  CONFORMS("RFC7572-5-T2-Call-ID", "the thread of the stanza", text("thread"), Eq("call-7@contoso.example"));
  CONFORMS("RFC7572-5-T2-Content-Language", "the xml:lang of the stanza",
           attribute("lang", "http://www.w3.org/XML/1998/namespace"), Eq("it"));
  CONFORMS("RFC7572-5-T2-From", "the 'from' of the stanza", attribute("from"),
           AnyOf(Eq("alice@contoso.example"), StartsWith("alice@contoso.example/")));
  CONFORMS("RFC7572-5-T2-Request-URI", "the 'to' of the stanza", attribute("to"), Eq("romeo@fabrikam.example"));
  CONFORMS("RFC7572-5-to", "the 'to' of the stanza", attribute("to"), Eq("romeo@fabrikam.example"));
  CONFORMS("RFC7572-5-type", "the type of the stanza", attribute("type"), AnyOf("", "normal"));
  CONFORMS("RFC7572-5-1", "the answer to the MESSAGE", f.answer_to("1 < 2 & \"3\""), AnyOf("200 OK", "202 Accepted"));
  if (GIVEN(!f.alice.responses().empty(), "the MESSAGE is answered")) {
    const auto& answer = f.alice.responses().back();
    CONFORMS("RFC3428-7-2", "the body of the answer", answer.body, Eq(""));
    CONFORMS("RFC3428-7-3", "the Contact of the answer", answer.header("Contact").value_or("none"), Eq("none"));
  }
  if (!GIVEN(f.marker_reaches_romeo(), marked)) return;
  const auto copies =
      std::ranges::count_if(f.romeo.messages, [](const auto& m) { return body_of(m) == "1 < 2 & \"3\""; });
  CONFORMS("DEL-DUP", "how often the text reached the partner's user", copies, Eq(1));
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
    .judges = {{"RFC7572-5-1",
                {"gateway.drops-message-to-xmpp", "gateway.never-answers-message", "gateway.swaps-addresses",
                 "gateway.proxy-drops-outbound"}},
               {"RFC7572-5-T2-body", {"gateway.loses-body"}},
               {"RFC7572-7-1", {"gateway.loses-body"}},
               {"RFC7572-5-T2-Subject", {"gateway.loses-subject"}},
               {"RFC7572-5-T2-Call-ID", {"gateway.loses-thread", "gateway.wrong-thread"}},
               {"RFC7572-5-T2-Content-Language", {"gateway.loses-language"}},
               {"RFC7572-5-T2-From", {"gateway.wrong-sender-to-xmpp"}},
               {"RFC7572-5-T2-Request-URI", {"gateway.receiver-with-resource"}},
               {"RFC7572-5-to", {"gateway.receiver-with-resource"}},
               {"RFC7572-5-type", {"gateway.pager-type-chat"}},
               {"RFC3428-7-2", {"gateway.body-in-2xx"}},
               {"RFC3428-7-3", {"gateway.contact-in-2xx"}},
               {"DEL-DUP", {"gateway.doubles-message-to-xmpp"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .takes = 2s,
    .body = table_2};

void bodies(Run& run) {
  Federated f(run);
  auto image = f.pager("picture");
  image.set_header("Content-Type", "image/gif");
  f.alice.send_raw(std::move(image));
  const auto answer = f.answer_to("picture");
  const bool accept_missing = answer == status_text(415) && !last_answer(f).header("Accept");
  auto shouted = f.pager("any case");
  shouted.set_header("Content-Type", "TEXT/Plain;charset=UTF-8;msgr=abc");
  const auto stanza = f.stanza_for(std::move(shouted));
  CONFORMS("RFC7572-7-5", "the body that came for TEXT/Plain", stanza ? body_of(*stanza) : "no stanza", Eq("any case"));
  auto empty = f.pager("");
  f.alice.send_raw(std::move(empty));
  CONFORMS("RFC7572-7-10", "the answer to an empty MESSAGE", f.answer_to(""), AnyOf(StartsWith("2"), StartsWith("4")));
  if (!GIVEN(f.marker_reaches_romeo(), marked)) return;
  // What a gateway makes of other media is a matter of implementation (section 7): a link, perhaps, but no silence.
  const auto shows = [&](const char* text) {
    return std::ranges::count(f.romeo.messages, std::string(text), body_in) > 0;
  };
  const bool made_something = f.romeo.messages.size() > (stanza ? 2U : 1U);
  CONFORMS("RFC3261-415", "what became of an image",
           shows("picture")             ? "its octets were shown as text"
           : answer == status_text(415) ? "415"
           : answer.starts_with("2")    ? (made_something ? "a stanza" : "200, and nothing")
                                        : answer,
           AnyOf("415", "a stanza"));
  CONFORMS("RFC3261-415", "a 415 came without what is accepted (Accept)", accept_missing, Eq(false));
  const auto blanks = std::ranges::count_if(f.romeo.messages, [](const auto& m) { return body_of(m).empty(); });
  CONFORMS("RFC7572-7-10", "how many messages without text the partner's user got", blanks, Eq(0));
}

CUTOVER_CASE(to_xmpp_bodies){
    .id = "message.bodies",
    .title =
        "Text in any spelling of its type passes, other media are refused with what is accepted, an empty body is no "
        "message",
    .procedure = "The SIP user sends an image, text with an odd Content-Type, and an empty MESSAGE.",
    .accepted =
        "415 with Accept, or a stanza that tells of the image otherwise than by its octets; a stanza; 2xx or 4xx "
        "without a stanza.",
    .likely_causes = "Media types compared as text; bodies passed on unread.",
    .judges = {{"RFC7572-7-5", {"gateway.media-types-by-the-letter"}},
               {"RFC3261-415", {"gateway.415-without-accept", "gateway.accepts-any-media", "gateway.shows-any-media"}},
               {"RFC7572-7-10", {"gateway.empty-body"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = bodies};

void copies(Run& run) {
  Federated f(run);
  auto request = f.pager("to be answered");
  request.add_header("Call-ID", "answered@contoso.example");
  request.add_header("CSeq", "41 MESSAGE");
  f.alice.send_raw(std::move(request));
  if (!GIVEN(f.outcome_of("to be answered").status != 0, "the MESSAGE is answered")) return;
  const auto answer = last_answer(f);
  CONFORMS("RFC3261-8.2.6.2", "Call-ID and CSeq of the answer",
           answer.call_id() + ", " + answer.header_or_empty("CSeq"), Eq("answered@contoso.example, 41 MESSAGE"));
  CONFORMS("RFC3261-8.2.6.2", "the To tag of the answer", answer.to() ? answer.to()->tag() : "", testing::Ne(""));
}

CUTOVER_CASE(copied){.id = "message.answer-copies",
                     .title = "An answer has the Call-ID and CSeq of its request, and a To tag",
                     .procedure = "The SIP user sends a MESSAGE with a Call-ID and CSeq of its own.",
                     .accepted = "Both as sent, in a final answer of any status, whose To has a tag.",
                     .likely_causes = "Answers are written from what the gateway remembers.",
                     .judges = {{"RFC3261-8.2.6.2", {"sip.response-without-to-tag"}}},
                     .needs = {Need::sip_side, Need::new_deployment},
                     .budget = 1h,
                     .takes = 2s,
                     .body = copies};

void refused_requests(Run& run) {
  Federated f(run);
  auto extension = f.pager("needs more");
  extension.add_header("Require", "com.example.unknown");
  f.alice.send_raw(std::move(extension));
  CONFORMS("RFC3261-420", "the answer to a MESSAGE that requires an unknown extension", f.answer_to("needs more"),
           Eq(status_text(420)));
  CONFORMS("RFC3261-420", "the Unsupported of the answer", last_answer(f).header_or_empty("Unsupported"),
           Eq("com.example.unknown"));
  auto unknown = f.pager("unknown method");
  unknown.method = "FROBNICATE";
  f.alice.send_raw(std::move(unknown));
  const auto status = f.outcome_of("unknown method").status;
  CONFORMS("RFC3261-501", "the answer to an unknown method", status_text(status),
           AnyOf(status_text(405), status_text(501)));
  CONFORMS("RFC3261-405", "the answer to an unknown method was a 405 without Allow",
           status == 405 && !last_answer(f).header("Allow"), Eq(false));
  auto stray = f.pager("no such dialog");
  stray.add_header("To", "<" + f.romeo_uri + ">;tag=nobody");
  f.alice.send_raw(std::move(stray));
  CONFORMS("RFC3261-481", "the answer to a MESSAGE of a dialog that there is not", f.answer_to("no such dialog"),
           Eq(status_text(481)));
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
               {"RFC3261-501", {"gateway.ignores-unknown-method", "gateway.accepts-any-method"}},
               {"RFC3261-405", {"gateway.405-without-allow"}},
               {"RFC3261-481", {"gateway.accepts-unknown-dialog"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = refused_requests};

}  // namespace
}  // namespace cutover::suites
