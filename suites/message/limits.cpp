// RFC 7572 sections 4 and 6, RFC 3428 section 8: what bounds a MESSAGE outside of a session.
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::ContainsRegex;
using testing::Eq;
using testing::Ne;

constexpr std::size_t pager_octets_max = 1300;  // RFC 3428 section 8

void too_large(Run& run) {
  Federated f(run);
  f.partner.send(f.message(std::string(2 * pager_octets_max, 'x'), {}, "large"));
  const auto told = [&] { return f.error_stanza("large") != nullptr || f.requests_to_alice("INVITE") > 0; };
  const bool answered = f.until(told);
  const auto error =
      answered && f.error_stanza("large") != nullptr ? xmpp::error_of(*f.error_stanza("large")) : std::nullopt;
  CONFORMS("RFC7572-6-1", "what came of a message of 2600 octets",
           error      ? error->condition
           : answered ? "a session"
                      : "silence",
           AnyOf("policy-violation", "a session"));
  if (!GIVEN(f.marker_reaches_alice(), "a message sent later reaches the SIP user")) return;
  const auto large = std::ranges::count_if(f.alice.requests(), [](const sip::Message& request) {
    return request.method == "MESSAGE" && request.body.size() > pager_octets_max &&
           (!request.to() || request.to()->tag().empty());
  });
  CONFORMS("RFC7572-6-2", "how many MESSAGEs above 1300 octets came outside of a dialog", large, Eq(0));
}

CUTOVER_CASE(large){
    .id = "message.too-large-for-a-pager",
    .title = "A message above 1300 octets is refused, or moves to a session; it never goes as a MESSAGE of its own",
    .procedure = "A partner's user sends a normal message of 2600 octets.",
    .accepted = "policy-violation for the sender, or an INVITE.",
    .likely_causes = "The bound is not looked at because this hop is TLS.",
    .judges = {{"RFC7572-6-1", {"gateway.ignores-pager-size"}}, {"RFC7572-6-2", {"gateway.ignores-pager-size"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = too_large};

/// What tells one request from another (RFC 3261 section 8.2.2.2).
std::string told_apart_by(const sip::Message& request) {
  return fmt::format("{} {} {}", request.call_id(), request.from() ? request.from()->tag() : "", request.cseq_number());
}

void one_thread(Run& run) {
  Federated f(run);
  const auto in_thread = [&](const char* body) {
    auto stanza = f.message(body, {}, body);
    stanza.add(xml::Element("thread", stanza.ns()).with_text("e0ffe42b28561960c6b12b944a092794b9683a38"));
    return f.sip_request_for(std::move(stanza), "MESSAGE", body);
  };
  const auto first = in_thread("one"), second = in_thread("gr\xC3\xBC\xC3\x9F\x65");
  if (!GIVEN(first && second, "both messages reach the SIP user")) return;
  CONFORMS("RFC7572-4-thread2", "Call-ID, From tag and CSeq of the second MESSAGE", told_apart_by(*second),
           Ne(told_apart_by(*first)));
  CONFORMS("RFC7572-4-ctype", "the Content-Type of text beyond ASCII", second->header_or_empty("Content-Type"),
           ContainsRegex("charset=\"?[Uu][Tt][Ff]-8"));
}

CUTOVER_CASE(thread){
    .id = "message.two-of-one-thread",
    .title = "Messages of one thread are requests of their own; text beyond ASCII says its charset",
    .procedure = "A partner's user sends two messages of one thread, the second not in ASCII.",
    .accepted = "Another CSeq, From tag or Call-ID; charset=utf-8 in any case of letters.",
    .likely_causes = "The thread becomes the Call-ID and everything else is constant.",
    .judges = {{"RFC7572-4-thread2", {"gateway.reuses-cseq"}}, {"RFC7572-4-ctype", {"gateway.no-charset"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = one_thread};

void pending(Run& run) {
  Federated f(run);
  f.alice.answer_messages_with(0);
  f.partner.send(f.message("one", {}, "m1"));
  if (!CONFORMS("RFC7572-4-1", "the body of the first MESSAGE", f.request_to_alice("MESSAGE").body, Eq("one"))) return;
  f.partner.send(f.message("two", {}, "m2"));
  // Its answer comes after the gateway has had the message before it.
  f.partner.send(
      xmpp::make_iq(f.romeo_full, f.alice_jid, "get", "after", xml::Element("query", "urn:example:unknown")));
  if (!GIVEN(f.error_for("after"), "the gateway answers the iq behind the second message")) return;
  CONFORMS("RFC3428-8-1", "how many MESSAGEs came while the first was unanswered", f.requests_to_alice("MESSAGE"),
           Eq(1U));
}

CUTOVER_CASE(one_at_a_time){
    .id = "message.one-at-a-time",
    .title = "A second MESSAGE to the same user waits for the answer to the first",
    .procedure = "A SIP user does not answer a MESSAGE; the partner's user sends another one, and an iq behind it.",
    .accepted = "When the iq is answered only the first MESSAGE has come.",
    .likely_causes = "Each stanza starts a transaction at once.",
    .judges = {{"RFC7572-4-1", {"gateway.drops-message-to-sip"}}, {"RFC3428-8-1", {"gateway.overlaps-messages"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .live = false,  // the invariants wait for the outcome of both: a transaction's 32 s of real time
    .budget = 1h,
    .body = pending};

}  // namespace
}  // namespace cutover::suites
