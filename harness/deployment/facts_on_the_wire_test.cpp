// Which facts nodes show, and why not the others.
#include "harness/deployment/facts_on_the_wire.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace cutover::harness {
namespace {

TEST(FactsOnTheWire, EveryFactIsShownOrLeftOutForAReason) {
  const auto& facts = migration::embedded_facts();
  std::map<std::string_view, std::size_t> count;
  for (const auto& fact : facts.all) ++count[why_left_out(facts, fact)];
  std::string table = fmt::format("{:4} held against the wire\n", count[""]);
  for (const auto& [reason, applies] : reasons_to_leave_out()) {
    EXPECT_GT(count[reason], 0U) << "a reason that leaves no fact out: " << reason;
    table += fmt::format("{:4} left out: {}\n", count[reason], reason);
  }
  RecordProperty("facts", table);
  std::cout << table;
  constexpr std::size_t held_min = 370;
  EXPECT_GE(count[""], held_min) << table;
}

}  // namespace
}  // namespace cutover::harness
