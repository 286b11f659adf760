// Exhaustive enumeration, its bounds, and replay texts.
#include "harness/worlds/choice.h"

#include "protocol/base/check.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace cutover::harness {
namespace {

TEST(Choice, GeneratorIsTheSameOnEveryMachine) {
  Generator generator(0);  // the published first outputs of splitmix64 with seed 0
  EXPECT_EQ(generator.below(~0ULL), 0xe220a8397b1dcdafULL);
  EXPECT_EQ(generator.below(~0ULL), 0x6e789e6aa1b965f4ULL);
}

TEST(Choice, ExhaustVisitsEverySequenceOnce) {
  Exhaust all;
  std::set<std::string> seen;
  std::size_t runs = 0;
  while (all.next()) {
    std::string digits;
    for (int i = 0; i < 3; i++) digits += std::to_string(all.choose(3));
    if (digits == "000") digits += std::to_string(all.detour(2));  // what is asked may depend on what was answered
    seen.insert(digits);
    runs++;
  }
  EXPECT_EQ(runs, 28U);
  EXPECT_EQ(seen.size(), 28U);
}

TEST(Choice, DetoursAreBoundedAndOtherDecisionsAreNot) {
  const auto runs = [](std::size_t detours) {
    Exhaust all(detours);
    std::size_t count = 0;
    while (all.next()) {
      (void)all.choose(5);
      for (int i = 0; i < 6; i++) (void)all.detour(3);
      count++;
    }
    return count;
  };
  EXPECT_EQ(runs(0), 5U);
  EXPECT_EQ(runs(1), 5U * (1 + 6 * 2));
  EXPECT_EQ(runs(2), 5U * (1 + 6 * 2 + 15 * 4));
}

TEST(Choice, ExhaustNoticesAWorldThatIsNotDeterministic) {
  Exhaust all;
  ASSERT_TRUE(all.next());
  (void)all.choose(2);
  (void)all.choose(2);
  ASSERT_TRUE(all.next());
  EXPECT_THROW((void)all.choose(3), HarnessFault);
}

TEST(Choice, ReplayGivesTheSameDecisions) {
  const auto draw = [](Choice& choice) {
    std::string digits;
    for (int i = 0; i < 4; i++) {
      digits += std::to_string(choice.detour(3));
      digits += std::to_string(choice.choose(2));
    }
    return digits;
  };
  Exhaust all(2);
  while (all.next()) {
    const auto digits = draw(all);
    const auto again = make_choice(all.replay());
    EXPECT_EQ(draw(*again), digits) << all.replay();
  }
  Seed seed(42);
  const auto digits = draw(seed);
  EXPECT_EQ(draw(*make_choice(seed.replay())), digits);
}

TEST(Choice, ReplayThatDoesNotFitIsAFaultAndOtherTextIsRefused) {
  const auto replay = make_choice("*/0.7");
  (void)replay->choose(2);
  EXPECT_THROW((void)replay->choose(2), HarnessFault);
  for (const auto* text : {"", "seed:", "seed:x", "1.2", "a/1", "2/1..2", "2/-1"})
    EXPECT_THROW((void)make_choice(text), std::invalid_argument) << text;
}

TEST(Choice, FittedTakesWhatIsTooLargeAsTheLargestAndWhatIsMissingAsNone) {
  const auto fitted = make_choice("~/1.0*4.9");
  EXPECT_EQ(fitted->choose(3), 1U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(fitted->detour(3), 0U);
  EXPECT_FALSE(fitted->detours_spent());
  EXPECT_EQ(fitted->choose(3), 2U);
  EXPECT_TRUE(fitted->detours_spent());
  EXPECT_EQ(fitted->choose(3), 0U);
  EXPECT_EQ(fitted->replay(), "~/1.0*4.9");
}

TEST(Choice, RecordedKeepsWhatAnotherDecided) {
  const auto inner = make_choice("*/2.1");
  Recorded recorded(*inner);
  EXPECT_EQ(recorded.choose(3), 2U);
  EXPECT_EQ(recorded.detour(2), 1U);
  EXPECT_EQ(recorded.choose(2), 0U);
  EXPECT_EQ(recorded.values(), (std::vector<std::size_t>{2, 1, 0}));
}

}  // namespace
}  // namespace cutover::harness
