// RFC 2782's order as properties, and the merge of XEP-0368.
#include "protocol/dns/srv.h"

#include "protocol/dns/rules.h"

#include <gmock/gmock.h>
#include <map>
#include <numeric>

namespace cutover::dns {
namespace {

/// A small generator with fixed results (SplitMix64).
Random generator(std::uint64_t state) {
  return [state](std::uint64_t bound) mutable {
    state += 0x9e3779b97f4a7c15;
    auto z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % bound;
  };
}

SrvCandidate candidate(std::uint16_t priority, std::uint16_t weight, std::string target, bool direct_tls = false) {
  return {{priority, weight, 5269, std::move(target)}, direct_tls};
}

std::string order(const std::vector<SrvCandidate>& candidates, const Random& random,
                  const Departures& departures = {}) {
  std::string names;
  for (const auto& each : in_order(candidates, random, departures)) names += each.srv.target;
  return names;
}

TEST(SrvOrder, lower_priority_numbers_come_first_for_any_choice) {
  const std::vector candidates{candidate(20, 65535, "c"), candidate(10, 1, "b"), candidate(0, 0, "a"),
                               candidate(30, 9, "d")};
  for (std::uint64_t seed = 0; seed < 50; ++seed) EXPECT_EQ(order(candidates, generator(seed)), "abcd");
}

TEST(SrvOrder, keeps_every_record_exactly_once) {
  std::vector<SrvCandidate> candidates;
  for (char c = 'a'; c <= 'z'; ++c)
    candidates.push_back(candidate(static_cast<std::uint16_t>(c % 3), static_cast<std::uint16_t>(c % 5), {c}));
  auto names = order(candidates, generator(7));
  std::ranges::sort(names);
  EXPECT_EQ(names, "abcdefghijklmnopqrstuvwxyz");
}

TEST(SrvOrder, first_place_is_proportional_to_weight) {
  const std::vector candidates{candidate(0, 10, "a"), candidate(0, 30, "b"), candidate(0, 60, "c")};
  std::map<char, int> first;
  const auto random = generator(42);
  for (int i = 0; i < 10000; ++i) ++first[order(candidates, random)[0]];
  // Expectations by the running sum over 101 numbers: 11, 30, 60 of them. Bounds are six standard deviations.
  EXPECT_NEAR(first['a'], 10000.0 * 11 / 101, 190);
  EXPECT_NEAR(first['b'], 10000.0 * 30 / 101, 280);
  EXPECT_NEAR(first['c'], 10000.0 * 60 / 101, 300);
}

TEST(SrvOrder, weight_zero_is_rare_beside_a_weight_and_fair_among_zeros) {
  const auto random = generator(43);
  int first = 0;
  for (int i = 0; i < 10000; ++i) first += order({candidate(0, 99, "b"), candidate(0, 0, "a")}, random)[0] == 'a';
  EXPECT_GT(first, 0);
  EXPECT_LT(first, 200);
  int fair = 0;
  for (int i = 0; i < 10000; ++i) fair += order({candidate(0, 0, "a"), candidate(0, 0, "b")}, random)[0] == 'a';
  EXPECT_NEAR(fair, 5000, 300);
}

TEST(SrvOrder, without_its_rules_is_another_one) {
  const std::vector candidates{candidate(20, 65535, "c"), candidate(10, 1, "b", true), candidate(10, 99, "a")};
  const auto first = [&](Rule rule, std::uint64_t seed) {
    return order(candidates, generator(seed), Departures::waiving({rule})).substr(0, 1);
  };
  std::string by_priority, by_weight;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    by_priority += first(Rule::lowest_priority_comes_first, seed);
    by_weight += first(Rule::weight_draws_lots, seed);
    EXPECT_EQ(order(candidates, generator(seed), Departures::waiving({Rule::both_lists_are_one})), "acb");
  }
  EXPECT_THAT(by_priority, testing::HasSubstr("c"));
  EXPECT_EQ(by_weight, std::string(20, 'b')) << "the order of the answer";
  const std::vector zero_behind{candidate(0, 99, "b"), candidate(0, 0, "a")};
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    EXPECT_EQ(order(zero_behind, generator(seed), Departures::waiving({Rule::weight_zero_has_a_chance})), "ba");
  }
}

TEST(SrvMerge, puts_both_lists_into_one_order) {
  const std::vector<Record> direct{{"d", Type::srv, 1, "5 0 5270 tls"}};
  const auto service = merge(direct, {{"s", Type::srv, 1, "10 0 5269 plain"}, {"s", Type::srv, 1, "1 0 5269 best"}});
  const auto ordered = in_order(service.candidates, generator(1));
  ASSERT_EQ(ordered.size(), 3U);
  EXPECT_EQ(ordered[0].srv.target, "best");
  EXPECT_EQ(ordered[1].srv.target, "tls");
  EXPECT_TRUE(ordered[1].direct_tls);
  EXPECT_FALSE(ordered[2].direct_tls);
}

TEST(SrvMerge, a_dot_speaks_for_its_own_list) {
  const Record dot{"d", Type::srv, 1, "0 0 0 ."};
  const Record real{"s", Type::srv, 1, "0 0 5269 host"};
  EXPECT_TRUE(merge({}, {dot}).declared_absent);
  EXPECT_TRUE(merge({dot}, {}).declared_absent);
  EXPECT_FALSE(merge({}, {}).declared_absent);
  EXPECT_FALSE(merge({dot}, {real}).declared_absent);
  EXPECT_EQ(merge({dot}, {real}).candidates.size(), 1U);
  EXPECT_EQ(merge({real}, {dot}).candidates.size(), 1U);
}

}  // namespace
}  // namespace cutover::dns
