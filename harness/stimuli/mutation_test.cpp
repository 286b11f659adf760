// A mutation is decided by the choice alone, changes something as a rule, and stays within its bound.
#include "harness/stimuli/mutation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cutover::harness::stimuli {
namespace {

constexpr std::string_view message = "<message from='romeo@a.example' to='alice@b.example'><body>hi</body></message>";

TEST(Mutation, IsTheSameForTheSameDecisions) {
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    Seed one(seed), again(seed);
    const auto first = mutated(message, one, "xxe.example"), second = mutated(message, again, "xxe.example");
    EXPECT_EQ(first.octets, second.octets);
    EXPECT_EQ(first.words, second.words);
    EXPECT_FALSE(first.words.empty());
    EXPECT_LE(first.octets.size(), mutated_max_octets);
  }
}

TEST(Mutation, ChangesSomethingAsARule) {
  std::set<std::string> seen;
  int same = 0;
  for (std::uint64_t seed = 1; seed < 500; ++seed) {
    Seed choice(seed);
    const auto one = mutated(message, choice, "xxe.example");
    seen.insert(one.octets);
    same += static_cast<int>(one.octets == message);
  }
  EXPECT_GT(seen.size(), 400U);
  EXPECT_LT(same, 60);
}

TEST(Mutation, NamesTheHostOfAnExternalEntity) {
  bool named = false;
  for (std::uint64_t seed = 1; seed < 2000 && !named; ++seed) {
    Seed choice(seed);
    named = mutated(message, choice, "xxe.example").octets.find("http://xxe.example/") != std::string::npos;
  }
  EXPECT_TRUE(named);
}

TEST(Mutation, UndisturbedLeavesItAsItIs) {
  Undisturbed choice;
  EXPECT_EQ(mutated(message, choice, "xxe.example").octets, message);
}

TEST(Mutation, LeavesWhatIsTooLong) {
  const std::string text(mutated_max_octets, 'x');
  Seed choice(1);
  EXPECT_EQ(mutated(text, choice, "xxe.example").octets, text);
}

}  // namespace
}  // namespace cutover::harness::stimuli
