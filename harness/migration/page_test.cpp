// The page of a rehearsal: what a plan of an estate becomes on it.
#include "harness/migration/page.h"

#include "harness/migration/estate_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cutover::harness::migration {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

using namespace std::chrono_literals;

constexpr std::string_view contoso = R"(estate:
  sip-domains: [contoso.example, tailspin.example]
  pools: {legacy-pool: {side: legacy}, pool13: {side: new}}
  users:
    sales: {count: 1200, pool: legacy-pool}
    research: {count: 3800, pool: legacy-pool, domain: tailspin.example}
  partners:
    fabrikam.example: {kind: external, configured-as: {type: Federated}}
    litware.example: {kind: dialback}
    northwind.example: {kind: dialback-in-clear}
    adatum.example: {kind: external}
  edges: {edge13: {members: [edge1, edge2]}}
  certificates: {edge: {names: [contoso.example, tailspin.example]}}
  ttl: 1h
)";

/// The six steps of the document, two hours apart, and DNS a day later.
Plan documented(std::string_view estate = contoso) {
  Plan plan{.name = "The documented migration", .start = "2026-11-27 22:00"};
  plan.estate = parse_estate(estate, "estate");
  for (int step = 1; step <= steps_of_the_document; ++step) {
    plan.steps.push_back({.name = std::string(title_of_step(step)),
                          .at = step == 6 ? Seconds(24h) : Seconds(step * 2h),
                          .takes = step == 3 ? Seconds(1h) : Seconds(0),
                          .operations = operations_of_step(step, plan.estate)});
  }
  return plan;
}

TEST(PlanPageOfARehearsal, HasChartWindowsGatesAndProposals) {
  const auto rehearsal = rehearse(documented());
  const auto proposals = proposals_for(rehearsal);
  const auto improvement = improve(rehearsal);
  const auto page = page_of(rehearsal, proposals, &improvement);
  EXPECT_FALSE(page.go);
  EXPECT_EQ(page.reasons, rehearsal.objections);
  ASSERT_THAT(page.charts, SizeIs(2));
  const auto& planned = page.charts.front();
  EXPECT_EQ(planned.title, "As planned: no-go.");
  EXPECT_EQ(planned.start, 1795816800);
  EXPECT_EQ(planned.lanes.size(), 4U * 2 * 2) << "partners x directions x classes";
  EXPECT_EQ(planned.lanes.front().segments.front().fate, reports::Fate::legacy);
  EXPECT_EQ(planned.marks.back().at, 86400);
  EXPECT_THAT(page.windows,
              Contains(Field(&reports::PlanWindow::cause, HasSubstr("the partner is configured on the new side"))));
  ASSERT_EQ(page.steps.size(), 6U);
  EXPECT_THAT(page.steps[4].commands, Contains(HasSubstr("New-CsXmppAllowedPartner")));
  EXPECT_THAT(page.proposals, Contains(Field(&reports::PlanProposal::taken, true)));
  EXPECT_THAT(page.estate, Contains(Pair("users", "5000 in 2 classes")));
}

/// What a proposal puts before the start begins sooner by the clock; everything else stays where it was.
TEST(PlanPageOfARehearsal, WhatIsProposedStandsOnTheSameClock) {
  const auto plan = documented();
  auto changed = plan;
  for (auto& step : changed.steps) step.at += 1h;
  changed.steps.insert(changed.steps.begin(),
                       {.name = "Lower the TTL", .operations = {parse_operation("set-ttl contoso.example 300")}});
  changed.ahead = 1h;
  const Improvement improvement{.taken = {{.what = "Lower the TTL", .plan = changed}}, .rehearsal = rehearse(changed)};
  const auto page = page_of(rehearse(plan), {}, &improvement);
  const auto &planned = page.charts.at(0), &proposed = page.charts.at(1);
  EXPECT_EQ(proposed.begin, -3600);
  EXPECT_EQ(proposed.marks.front().at, -3600);
  EXPECT_EQ(proposed.marks.back().at, planned.marks.back().at);
}

TEST(PlanPageOfARehearsal, TellsManyWindowsTogether) {
  auto plan = documented();
  for (int i = 0; i < 40; ++i) {
    const auto name = "p" + std::to_string(i) + ".example";
    auto partner = plan.estate.partners.at("adatum.example");
    partner.domain = name;
    plan.estate.partners.emplace(name, partner);
    plan.estate.rows.emplace(name, plan.estate.rows.at("adatum.example"));
    plan.estate.start.legacy.routes.insert(name);
    plan.estate.start.legacy.partners.insert(name);
  }
  plan.steps[4].operations = operations_of_step(5, plan.estate);
  plan.steps[4].takes = 1h;
  const auto rehearsal = rehearse(plan);
  EXPECT_GT(rehearsal.windows.size(), 60);
  const auto page = page_of(rehearsal);
  EXPECT_LT(page.windows.size(), 20);
  EXPECT_THAT(page.windows, Contains(Field(&reports::PlanWindow::lasts, HasSubstr(" windows, the longest "))));
  EXPECT_THAT(page.windows, Contains(Field(&reports::PlanWindow::partners, HasSubstr(" partners"))));
}

TEST(PlanPageOfARehearsal, ReadsADate) {
  EXPECT_EQ(second_of("1970-01-02 00:01"), 86460);
  EXPECT_EQ(second_of("2026-11-27T22:00"), 1795816800);
  for (const auto* bad : {"", "tomorrow", "2026-13-01 10:00", "2026-02-30 10:00", "2026-01-01 24:00"})
    EXPECT_EQ(second_of(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace cutover::harness::migration
