// The same seed, the same run: every simulated case, whatever ran beside or before it.
#include "harness/cli_tests/program.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <sstream>

namespace cutover::cli_tests {
namespace {

using testing::AnyOf;

class Determinism : public CommandLine {
 protected:
  /// What the run told of each case, by its id: trace, checks, seed, all but when it ran and for how long.
  using Told = std::map<std::string, boost::json::object>;

  /// Adds the cases of one run. A case that fails is told the same way twice, too.
  void add_run(Told& told, std::vector<std::string> arguments) const {
    const auto ended = sim(std::move(arguments));
    ASSERT_THAT(ended.code, AnyOf(0, 1)) << ended.output;
    std::istringstream lines(content(path("out/results.jsonl")));
    for (std::string line; std::getline(lines, line);) {
      auto result = boost::json::parse(line).as_object();
      if (!result.contains("id")) continue;  // of the run itself
      for (const auto* clock : {"wall-ns", "started", "started-ms"}) result.erase(clock);
      std::string id(result.at("id").as_string());
      ASSERT_TRUE(told.emplace(id, std::move(result)).second) << id << " ran twice";
    }
  }
};

/// Where the two differ first, for a person to look at.
std::string first_difference(const boost::json::object& one, const boost::json::object& other) {
  for (const auto& [key, value] : one) {
    const auto* match = other.if_contains(key);
    if (match != nullptr && *match == value) continue;
    if (match == nullptr || !value.is_array() || !match->is_array())
      return fmt::format("{}: {}\nand: {}", std::string(key), boost::json::serialize(value),
                         match == nullptr ? "nothing" : boost::json::serialize(*match));
    const auto& left = value.as_array();
    const auto& right = match->as_array();
    std::size_t at = 0;
    while (at < std::min(left.size(), right.size()) && left[at] == right[at]) at++;
    const auto shown = [at](const auto& array) {
      return at < array.size() ? boost::json::serialize(array[at]) : std::string("its end");
    };
    return fmt::format("{}, entry {}: {}\nand: {}", std::string(key), at, shown(left), shown(right));
  }
  return "one has more keys than the other";
}

TEST_F(Determinism, EveryCaseIsTheSameAgainUnderOtherNeighboursAndWorkers) {
  Told whole;
  ASSERT_NO_FATAL_FAILURE(add_run(whole, {"--seed=7", "--jobs=1"}));
  Told parts;
  for (const auto* shard : {"--shard=3/3", "--shard=1/3", "--shard=2/3"})
    ASSERT_NO_FATAL_FAILURE(add_run(parts, {"--seed=7", "--jobs=3", shard}));
  ASSERT_GT(whole.size(), 100U);
  ASSERT_EQ(whole.size(), parts.size());
  for (const auto& [id, told] : whole) {
    ASSERT_TRUE(parts.contains(id)) << id;
    // All pairs of settings play in worlds of their own, of which only what is not as predicted is kept.
    const bool in_worlds_of_its_own = id.starts_with("negotiation.");
    EXPECT_TRUE(in_worlds_of_its_own || (told.contains("trace") && !told.at("trace").as_array().empty()))
        << id << " has no trace";
    EXPECT_TRUE(boost::json::serialize(told) == boost::json::serialize(parts.at(id)))
        << id << " differs. " << first_difference(told, parts.at(id));
  }
}

TEST_F(Determinism, AnotherSeedIsAnotherRun) {
  Told one;
  Told other;
  const std::string id = "message.partner-to-user";
  ASSERT_NO_FATAL_FAILURE(add_run(one, {id, "--seed=7"}));
  ASSERT_NO_FATAL_FAILURE(add_run(other, {id, "--seed=8"}));
  EXPECT_NE(one.at(id).at("trace"), other.at(id).at("trace"));
}

}  // namespace
}  // namespace cutover::cli_tests
