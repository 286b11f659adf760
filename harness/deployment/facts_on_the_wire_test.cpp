// Which facts nodes show, and why not the others.
#include "harness/deployment/facts_on_the_wire.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
  constexpr std::size_t held_min = 400;
  EXPECT_GE(count[""], held_min) << table;
}

migration::Fact fact_called(const std::string& id) {
  const auto& all = migration::embedded_facts().all;
  return *std::ranges::find(all, id, &migration::Fact::id);
}

std::string contradiction_of(const migration::Fact& fact) {
  return contradiction_on_the_wire(migration::embedded_facts(), fact, {});
}

TEST(FactsOnTheWire, WhoIsToldAtOnceWasNotMadeToWait) {
  auto at_once = fact_called("FACT-213"), late = fact_called("FACT-315");
  EXPECT_EQ(contradiction_of(at_once), "");
  EXPECT_EQ(contradiction_of(late), "");
  at_once.expected.kinds = {migration::Kind::bounced};
  EXPECT_THAT(contradiction_of(at_once), testing::HasSubstr("FACT-213: to partner, message: bounced"));
  late.expected.kinds = {migration::Kind::refused};
  EXPECT_THAT(contradiction_of(late), testing::HasSubstr("FACT-315: to partner, message: refused"));
}

TEST(FactsOnTheWire, WhatWorksAtTimesFailsByTheBoxThatTheStateHasForIt) {
  auto fact = fact_called("FACT-328");
  EXPECT_EQ(contradiction_of(fact), "");
  fact.operations.clear();  // every member runs
  EXPECT_THAT(contradiction_of(fact), testing::HasSubstr("(by every box)"));
}

TEST(FactsOnTheWire, APoolThatStopsIsShown) {
  for (const auto* id : {"FACT-218", "FACT-219", "FACT-220", "FACT-221", "FACT-222", "FACT-449", "FACT-453"}) {
    const auto fact = fact_called(id);
    EXPECT_EQ(why_left_out(migration::embedded_facts(), fact), "") << id;
    EXPECT_EQ(contradiction_of(fact), "") << id;
  }
}

}  // namespace
}  // namespace cutover::harness
