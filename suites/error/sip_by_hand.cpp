// RFC 3261 sections 7.5, 8.2 and 18.3, RFC 4475: requests that are none, and streams whose messages cannot be told
// apart.
#include "suites/support/sip_by_hand.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Not;
using testing::StartsWith;

constexpr char ends[] = "the connection closed";
const std::vector<Need> needs{Need::sip_side, Need::new_deployment};

/// Octets with another Content-Length line; none where it is empty.
std::string with_length(const sip::Message& request, const std::string& lines) {
  auto octets = sip::serialise(request);
  const auto at = octets.find("Content-Length:");
  return octets.replace(at, octets.find("\r\n", at) + 2 - at, lines);
}

void malformed(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  if (!GIVEN(pool.connect(), connected)) return;
  auto mismatch = pool.request("MESSAGE", f.romeo_uri, "mismatch");
  mismatch.set_header("CSeq", "1 INVITE");
  CONFORMS("RFC3261-mism", "the answer to a MESSAGE whose CSeq says INVITE", pool.said_and_answered(mismatch),
           Eq(status_text(400)));
  auto doubled = pool.request("MESSAGE", f.romeo_uri, "doubled");
  doubled.add_header("Max-Forwards", "1");
  CONFORMS("RFC3261-multi", "the answer to a MESSAGE with two Max-Forwards", pool.said_and_answered(doubled),
           Eq(status_text(400)));
  auto ack = pool.request("ACK", f.romeo_uri);
  ack.set_header("CSeq", "1 INVITE");
  pool.say(ack);
  // Requests of one connection are read in their order.
  const auto good = pool.request("MESSAGE", f.romeo_uri, "well-formed");
  if (!GIVEN(pool.said_and_answered(good).starts_with("2"), "a well-formed MESSAGE behind them is answered 2xx"))
    return;
  CONFORMS("RFC3261-17.1.1.3", "how many answers came to a malformed ACK", pool.answers(ack).size(), Eq(0U));
  CONFORMS("RFC7572-5-1", "how many messages the partner's user got", f.romeo.messages.size(), Eq(1U));
}

CUTOVER_CASE(malformed_requests){
    .id = "error.malformed-sip-requests",
    .title = "A malformed request is answered with 400, a malformed ACK not at all, and the next request is served",
    .procedure =
        "From the place of the pool: a MESSAGE whose CSeq names another method, one with two Max-Forwards, an ACK "
        "whose CSeq "
        "says INVITE; then a good MESSAGE.",
    .accepted = "400, 400, silence, 2xx and one stanza.",
    .likely_causes = "What cannot be read is dropped, or read as far as it goes; everything malformed is answered.",
    .judges = {{"RFC3261-mism", {"sip.silent-on-bad-request"}},
               {"RFC3261-multi", {"sip.silent-on-bad-request"}},
               {"RFC3261-17.1.1.3", {"sip.answers-ack"}},
               {"RFC7572-5-1", {"gateway.drops-message-to-xmpp"}}},
    .needs = needs,
    .budget = 1h,
    .takes = 3s,
    .body = malformed};

/// What a gateway that cannot tell where a message ends may do: refuse it, or end the connection.
auto refuses() { return AnyOf(StartsWith("4"), StartsWith("5"), Eq(ends)); }

void boundaries(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  /// A MESSAGE with those lines for its length, whose text is followed by a whole request.
  const auto fate = [&](const std::string& text, const std::string& lines) -> std::string {
    if (!pool.connect()) return "no connection";
    auto request = pool.request("MESSAGE", f.romeo_uri);
    request.add_header("Content-Type", "text/plain");
    const auto inside = pool.request("MESSAGE", f.romeo_uri, "inside of " + text);
    pool.say(with_length(request, lines) + text + sip::serialise(inside));
    return pool.answer_to(request);
  };
  if (!GIVEN(fate("usual", "Content-Length: 5\r\n").starts_with("2"), "a MESSAGE with its Content-Length is answered"))
    return;
  // Nobody knows what a text without a length is: it must not be said to have been taken (RFC 3261 section 20.14).
  CONFORMS("RFC3261-18.3-1", "what came of a MESSAGE with text and without Content-Length", fate("no length", ""),
           refuses());
  CONFORMS("RFC3261-18.3-1", "what came of a MESSAGE whose Content-Length is a word",
           fate("", "Content-Length: ten\r\n"), refuses());
  CONFORMS("RFC3261-multi", "what came of a MESSAGE with two Content-Lengths that differ",
           fate("two lengths", "Content-Length: 500\r\nContent-Length: 11\r\n"), refuses());
  const auto later = pool.request("MESSAGE", f.romeo_uri, "later on that connection");
  // Either is read, or the sender learns that it is not.
  CONFORMS("RFC3261-18.3-1", "what came of a good MESSAGE on that connection", pool.said_and_answered(later),
           Not(Eq("no answer")));
  if (!GIVEN(f.marker_reaches_romeo(), "a MESSAGE by another connection reaches the partner's user")) return;
  const auto came = [&](const char* text) {
    return std::ranges::any_of(f.romeo.messages, [&](const auto& stanza) { return body_of(stanza) == text; });
  };
  CONFORMS("RFC3261-18.3-1", "a request inside of a text behind a Content-Length that is a word was taken",
           came("inside of "), Eq(false));
  CONFORMS("RFC3261-multi", "a request inside of a text behind two Content-Lengths was taken",
           came("inside of two lengths"), Eq(false));
}

CUTOVER_CASE(message_boundaries){
    .id = "error.sip-message-boundaries",
    .title = "Where a message on a stream has no length, an odd one or two, nothing is taken, and no later one is lost",
    .procedure =
        "On connections from the place of the pool: a MESSAGE without Content-Length, with a word for it, with two "
        "that differ, each with a whole request inside of its text; and a good one behind that.",
    .accepted =
        "An error or the end of the connection each time, and no message from inside of a text; for the good one an "
        "answer or the end as well.",
    .likely_causes = "A length that cannot be read is taken for zero; the reader stops, and the connection stays.",
    .judges = {{"RFC3261-18.3-1",
                {"sip.takes-missing-length-for-zero", "sip.takes-odd-length-for-zero", "sip.open-after-framing-fault"}},
               {"RFC3261-multi", {"sip.takes-last-of-two-lengths"}}},
    .needs = needs,
    .budget = 1h,
    .takes = 4s,
    .body = boundaries};

void bounds(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  if (!GIVEN(pool.connect(), connected)) return;
  auto usual = pool.request("MESSAGE", f.romeo_uri, "usual");
  for (int i = 0; i < 40; ++i) usual.add_header("X-Usual", std::string(50, 'x'));
  if (!GIVEN(pool.said_and_answered(usual).starts_with("2"), "a MESSAGE with 50 headers is answered 2xx")) return;
  const auto large = pool.request("MESSAGE", f.romeo_uri, "large");
  pool.say(with_length(large, "Content-Length: 1000000000\r\n"));
  CONFORMS("SEC-SIP-1", "what came of the beginning of a MESSAGE of 1 GB", pool.answer_to(large), refuses());
  if (!GIVEN(pool.connect(), connected)) return;
  pool.say("MESSAGE " + f.romeo_uri + " SIP/2.0\r\nX-Long: " + std::string(300'000, 'x'));
  CONFORMS("SEC-SIP-1", "what came of a header of 300,000 octets without an end", pool.answer_to(large), refuses());
  if (!GIVEN(pool.connect(), connected)) return;
  auto many = pool.request("MESSAGE", f.romeo_uri, "many headers");
  for (int i = 0; i < 5000; ++i) many.add_header("X", "y");
  CONFORMS("SEC-SIP-2", "what came of a MESSAGE with 5,000 headers", pool.said_and_answered(many), refuses());
}

CUTOVER_CASE(message_bounds){
    .id = "error.sip-message-bounds",
    .title = "A message without an end, of 1 GB or with 5,000 headers is refused before it is all there",
    .procedure =
        "From the place of the pool: the beginning of a MESSAGE of 1 GB, a header that does not end, a "
        "MESSAGE with 5,000 headers; before them one with 50.",
    .accepted = "An error or the end of the connection; 2xx for the first.",
    .likely_causes = "A buffer that grows as long as octets come.",
    .judges = {{"SEC-SIP-1", {"sip.buffers-without-end"}}, {"SEC-SIP-2", {"sip.takes-any-number-of-headers"}}},
    .needs = needs,
    .budget = 1h,
    .takes = 3s,
    .body = bounds};

}  // namespace
}  // namespace cutover::suites
