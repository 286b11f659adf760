// An exploration finds what only one order shows, replays it, and is not content with runs that went nowhere.
#include "harness/worlds/explore.h"

#include "protocol/base/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::harness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void needs_two_detours(Exploration& run) {
  const auto step = run.choice().choose(3);
  std::string order;
  for (int i = 0; i < 4; i++) order += std::to_string(run.choice().detour(3));
  if (step == 2) run.reached("late step");
  if (step == 1 && order == "0201") run.violated("the one bad order");
}

TEST(Explore, FindsTheBadOrderWithinItsBoundOnlyAndReplaysIt) {
  EXPECT_TRUE(explore(needs_two_detours, {.detours_max = 1}).passed());
  const auto result = explore(needs_two_detours, {.detours_max = 2, .stop_at_first = false});
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.schedules, 3U * (1 + 4 * 2 + 6 * 4));
  ASSERT_EQ(result.violations.size(), 1U);
  const auto again = explore(needs_two_detours, {.replay = result.violations[0].replay});
  EXPECT_EQ(again.schedules, 1U);
  EXPECT_EQ(again.violations.size(), 1U);
  EXPECT_THAT(result.text(), HasSubstr("the one bad order (replay: " + result.violations[0].replay));
}

TEST(Explore, StopsAtTheFirstViolationOrAtItsLimit) {
  const Scenario bad = [](Exploration& run) {
    (void)run.choice().choose(10);
    run.violated("always");
  };
  EXPECT_EQ(explore(bad, {}).schedules, 1U);
  const auto limited = explore(bad, {.schedules_max = 4, .stop_at_first = false});
  EXPECT_EQ(limited.schedules, 4U);
  EXPECT_FALSE(limited.complete);
}

TEST(Explore, FailsForAMarkThatNoRunReached) {
  const auto result = explore(needs_two_detours, {.detours_max = 0, .must_reach = {"late step", "never"}});
  EXPECT_THAT(result.never_reached, ElementsAre("never"));
  EXPECT_FALSE(result.passed());
  EXPECT_EQ(result.reached.at("late step"), 1U);
}

TEST(Explore, SeedsAreRunsToo) {
  const auto result = explore(needs_two_detours, {.seeds = 2000, .stop_at_first = false});
  EXPECT_EQ(result.schedules, 2000U);
  ASSERT_FALSE(result.violations.empty());
  EXPECT_FALSE(explore(needs_two_detours, {.replay = result.violations[0].replay}).passed());
}

TEST(Explore, ARandomRunThatGoesWrongIsToldByTheSmallestLikeIt) {
  const Scenario bad = [](Exploration& run) {
    std::size_t sum = 0;
    for (int i = 0; i < 20; i++) sum += run.choice().choose(10);
    if (run.choice().detour(5) >= 2 && sum > 30) run.violated(std::to_string(sum));
  };
  const auto result = explore(bad, {.seeds = 100});
  ASSERT_EQ(result.violations.size(), 1U);
  EXPECT_EQ(result.violations[0].what, "31");
  EXPECT_THAT(result.violations[0].replay, testing::StartsWith("~/"));
  const auto again = explore(bad, {.replay = result.violations[0].replay});
  ASSERT_EQ(again.violations.size(), 1U);
  EXPECT_EQ(again.violations[0].what, "31");
}

TEST(Explore, AFaultCarriesItsReplay) {
  const Scenario broken = [](Exploration& run) {
    if (run.choice().choose(2) == 1) throw HarnessFault("broken");
  };
  try {
    (void)explore(broken, {});
    FAIL() << "no fault";
  } catch (const HarnessFault& fault) {
    EXPECT_THAT(fault.what(), HasSubstr("broken (replay: 2/1)"));
  }
}

}  // namespace
}  // namespace cutover::harness
