// What a runner writes, its worker reads.
#include "harness/running/order.h"

#include "harness/judging/case.h"
#include "protocol/base/check.h"

#include <gtest/gtest.h>

namespace cutover::harness {
namespace {

const Registration ordered = CaseRecord{.id = "order.of-the-runner", .title = "Is ordered", .body = [](Run&) {}};

TEST(Order, IsReadAsItWasWritten) {
  const Job job{
      &all_cases().front(), WorldKind::live, 3, {"xmpp.no-close-timeout"}, {{PartnerKind::dialback_over_tls, 2}}};
  RunnerOptions options;
  options.seed = 0xfedcba9876543210;
  options.strict = true;
  options.detours = 2;
  options.depth = stimuli::Depth::deep;
  options.watch = departures::Watch::yes;
  options.planted = {"sip.response-without-record-route@gateway"};
  OrderReader reader;
  const auto order = reader.read(order_line(job, options, 4711));
  EXPECT_EQ(order.record, job.record);
  EXPECT_EQ(order.options.world, WorldKind::live);
  EXPECT_EQ(order.options.attempt, 3);
  EXPECT_EQ(order.options.peers, job.peers);
  EXPECT_EQ(order.options.seed, case_seed(options.seed, job.record->id, 3));
  EXPECT_TRUE(order.options.strict);
  EXPECT_EQ(order.options.detours, 2U);
  EXPECT_EQ(order.options.depth, stimuli::Depth::deep);
  EXPECT_EQ(order.options.watch, departures::Watch::yes);
  EXPECT_EQ(order.options.block, 4711);
  EXPECT_EQ(order.options.planted,
            (std::set<std::string, std::less<>>{"sip.response-without-record-route@gateway", "xmpp.no-close-timeout"}));
  EXPECT_FALSE(order.options.target);
}

TEST(Order, OfAReplayedSeedHasThatSeed) {
  RunnerOptions options;
  options.replay = "seed:99";
  OrderReader reader;
  const auto order = reader.read(order_line({&all_cases().front(), WorldKind::sim, 1, {}}, options, 1));
  EXPECT_EQ(order.options.seed, 99U);
  EXPECT_EQ(order.options.replay, "seed:99");
}

TEST(Order, OfAnUnknownCaseIsAFault) {
  const CaseRecord unknown{.id = "order.nobody-knows"};
  OrderReader reader;
  EXPECT_THROW((void)reader.read(order_line({&unknown, WorldKind::sim, 1, {}}, {}, 1)), HarnessFault);
}

TEST(Order, OfATargetIsFollowedByOneWithout) {
  OrderReader reader;
  const Job job{&all_cases().front(), WorldKind::live, 1, {}};
  RunnerOptions options;
  options.target_file = CUTOVER_SOURCE_DIR "/fixtures/targets/prosody.yaml";
  EXPECT_TRUE(reader.read(order_line(job, options, 1)).options.target);
  EXPECT_FALSE(reader.read(order_line(job, {}, 1)).options.target);
}

TEST(Answer, IsReadAsItWasWritten) {
  reports::CaseResult result;
  result.id = "order.of-the-runner";
  result.reason = "two\nlines";
  const auto line = answer_line(result);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(read_answer(line).reason, "two\nlines");
  EXPECT_THROW((void)read_answer("rubbish\n"), std::invalid_argument);
}

}  // namespace
}  // namespace cutover::harness
