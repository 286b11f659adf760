// Each invariant holds for a good run and names each way to break it.
#include "harness/judging/invariants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::harness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Delivery one{"a > b", "1"}, two{"a > b", "2"}, other{"a > c", "1"};

TEST(Invariants, DeliveriesInOrderOncePerPairAreFine) {
  EXPECT_THAT(check_deliveries({.sent = {one, two, other}, .received = {other, one, two}}), IsEmpty());
  EXPECT_THAT(check_deliveries({.sent = {one, two}, .received = {two}, .returned = {one}}), IsEmpty());
  EXPECT_THAT(check_deliveries({.sent = {one, two}, .received = {two}}, {.may_lose = true}), IsEmpty());
  EXPECT_THAT(check_deliveries({.sent = {one}, .received = {one}, .returned = {one}}, {.may_doubt = true}), IsEmpty());
}

TEST(Invariants, EveryWayToBreakADeliveryHasItsSentence) {
  EXPECT_THAT(check_deliveries({.sent = {one, two}, .received = {two}}), ElementsAre(HasSubstr("'1' was lost")));
  EXPECT_THAT(check_deliveries({.sent = {one}, .received = {one, one}}), ElementsAre(HasSubstr("came 2 times")));
  EXPECT_THAT(check_deliveries({.sent = {one}, .received = {one, other}}), ElementsAre(HasSubstr("never sent")));
  EXPECT_THAT(check_deliveries({.sent = {one, two}, .received = {two, one}}), ElementsAre(HasSubstr("sent before")));
  EXPECT_THAT(check_deliveries({.sent = {one}, .received = {one}, .returned = {one}}), ElementsAre(HasSubstr("error")));
}

TraceRecord record(std::string node, Direction direction, std::string octets, Layer layer = Layer::xmpp) {
  return {.node = std::move(node),
          .connection = "x > y:5269",
          .note = {.layer = layer, .direction = direction, .connection = ConnectionId{1}, .detail = std::move(octets)}};
}

TEST(Invariants, PathOfAMarkerIsWhereItWasNoted) {
  Trace trace;
  trace.append(record("partner", Direction::out, "<message><body>m1</body></message>"));
  trace.append(record("proxy", Direction::in, "<message><body>m1</body></message>"));
  trace.append(record("proxy", Direction::out, "<message><body>m1</body></message>"));
  trace.append(record("gateway", Direction::in, "<message><body>m1</body></message>"));
  trace.append(record("gateway", Direction::out, "MESSAGE sip:b SIP/2.0\r\n\r\nm1", Layer::sip));
  trace.append(record("pool", Direction::in, "MESSAGE sip:b SIP/2.0\r\n\r\nm1", Layer::sip));
  trace.append(record("elsewhere", Direction::none, "m1", Layer::event));
  const std::vector<std::string> path = {"partner", "proxy", "gateway", "pool"};
  EXPECT_EQ(path_of(trace, "m1"), path);
  EXPECT_THAT(check_path(trace, "m1", path), IsEmpty());
  EXPECT_THAT(check_no_loop(trace, "m1"), IsEmpty());
  EXPECT_THAT(check_path(trace, "m1", {"partner", "legacy", "pool"}),
              testing::Contains(HasSubstr("went by partner > proxy > gateway > pool and not by")));
  trace.append(record("proxy", Direction::in, "<message><body>m1</body></message>"));
  EXPECT_THAT(check_no_loop(trace, "m1"), ElementsAre(HasSubstr("came to proxy 2 times")));
  EXPECT_THAT(check_path(trace, "m1", path), testing::SizeIs(2));
}

TEST(Invariants, AMessageComesToANodeOnce) {
  const std::string message = "<message id='1' to='b'><body>m</body></message>", presence = "<presence to='b'/>";
  const std::string sip = "MESSAGE sip:b SIP/2.0\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n\r\nm";
  Trace trace;
  trace.append(record("partner", Direction::out, message));
  trace.append(record("proxy", Direction::in, message));
  trace.append(record("gateway", Direction::in, message));
  trace.append(record("gateway", Direction::in, presence));
  trace.append(record("gateway", Direction::in, presence));
  trace.append(record("pool", Direction::in, sip, Layer::sip));
  trace.append(
      record("pool", Direction::in, "MESSAGE sip:b SIP/2.0\r\nCall-ID: c\r\nCSeq: 2 MESSAGE\r\n\r\nm", Layer::sip));
  EXPECT_THAT(check_nothing_twice(trace), IsEmpty());
  trace.append(record("gateway", Direction::in, message));
  trace.append(record("pool", Direction::in, sip, Layer::sip));
  EXPECT_THAT(check_nothing_twice(trace), ElementsAre(HasSubstr("gateway: "), HasSubstr("pool: ")));
}

TEST(Invariants, StreamsEndWithTheTagsOfBoth) {
  auto sent = record("proxy", Direction::out, "</stream:stream>");
  auto received = record("proxy", Direction::in, "</stream:stream>");
  sent.note.summary = received.note.summary = "end of stream";
  Trace trace;
  trace.append(record("proxy", Direction::in, "<stream:stream>"));
  EXPECT_THAT(check_streams_ended(trace, {"partner"}), IsEmpty());
  EXPECT_THAT(check_streams_ended(trace, {"proxy"}), ElementsAre(HasSubstr("sent no"), HasSubstr("received no")));
  trace.append(received);
  EXPECT_THAT(check_streams_ended(trace, {"proxy"}), ElementsAre(HasSubstr("sent no")));
  trace.append(sent);
  EXPECT_THAT(check_streams_ended(trace, {"proxy"}), IsEmpty());
}

TEST(Invariants, AStreamMayEndInOneWriteWithWhatGoesBefore) {
  Trace trace;
  trace.append(record("proxy", Direction::out, "<failure/></stream:stream>"));
  trace.append(record("proxy", Direction::in, "<message><body>&lt;/stream:stream></body></message>"));
  EXPECT_THAT(check_streams_ended(trace, {"proxy"}), ElementsAre(HasSubstr("received no")));
}

TEST(Invariants, OnlyNegotiationGoesInClear) {
  Trace trace;
  trace.append(record("proxy", Direction::in, "<stream:stream>"));
  trace.append(record("proxy", Direction::in, "<starttls/>"));
  trace.append(record("partner", Direction::out, "<message/>"));
  EXPECT_THAT(check_no_stanza_in_clear(trace, {"proxy"}), IsEmpty());
  EXPECT_THAT(check_no_stanza_in_clear(trace, {"partner"}), ElementsAre(HasSubstr("in clear on x > y:5269")));
  auto secured = record("proxy", Direction::none, "", Layer::tls);
  secured.note.summary = "TLS established";
  trace.append(record("proxy", Direction::in, "<presence/>"));
  EXPECT_THAT(check_no_stanza_in_clear(trace, {"proxy"}), testing::SizeIs(1));
  trace.clear();
  trace.append(secured);
  trace.append(record("proxy", Direction::in, "<presence/>"));
  EXPECT_THAT(check_no_stanza_in_clear(trace, {"proxy"}), IsEmpty());
}

}  // namespace
}  // namespace cutover::harness
