// The page of a rehearsal: what a plan of an estate becomes on it.
#include "harness/migration/page.h"

#include "harness/migration/estate_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::harness::migration {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
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
    litware.example: {kind: dialback-over-tls}
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
  EXPECT_EQ(page.steps.size(), 6U);
  ASSERT_THAT(page.charts, SizeIs(2));
  EXPECT_EQ(page.charts.front().lanes.size(), 4U * 2 * 2) << "partners x directions x classes";
  EXPECT_THAT(page.windows, Contains(Field(&reports::PlanWindow::cause, HasSubstr("partner"))));
}

TEST(PlanPageOfARehearsal, ReadsADate) {
  EXPECT_EQ(second_of("1970-01-02 00:01"), 86460);
  EXPECT_EQ(second_of("2026-11-27T22:00"), 1795816800);
  for (const auto* bad : {"", "tomorrow", "2026-13-01 10:00", "2026-02-30 10:00", "2026-01-01 24:00"})
    EXPECT_EQ(second_of(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace cutover::harness::migration
