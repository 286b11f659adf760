// All 720 orders of the document's steps: how many there are, which cannot be, and where the document's own stands.
#include "harness/migration/exploration.h"
#include "harness/migration/plan_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cutover::harness::migration {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;

const Orders& documented_orders() {
  static const auto orders = orders_of(load_plan(CUTOVER_SOURCE_DIR "/fixtures/plans/documented.yaml"));
  return orders;
}

TEST(OrdersOfTheSteps, Are720OfWhichSomeCannotBe) {
  const auto& orders = documented_orders();
  EXPECT_THAT(orders.by_loss, SizeIs(720));
  std::size_t expected = 0;
  for (auto order = documented_order;;) {
    const auto place = [&](int step) { return std::ranges::find(order, step) - order.begin(); };
    // A pool before its users, an edge before its certificate and before its topology.
    if (place(1) < place(3) && place(2) < place(4) && place(2) < place(5)) ++expected;
    if (!std::ranges::next_permutation(order).found) break;
  }
  EXPECT_EQ(orders.possible, expected);
  EXPECT_EQ(orders.possible, 120U);
  for (std::size_t i = 0; i < orders.by_loss.size(); ++i)
    EXPECT_EQ(orders.by_loss[i].impossible.empty(), i < orders.possible);
}

TEST(OrdersOfTheSteps, TheDocumentsIsTheBestOfThoseThatUpdateDnsLast) {
  const auto& orders = documented_orders();
  EXPECT_EQ(orders.dns_last_and_better, 0U);
  EXPECT_GT(orders.dns_last, 10U);
  const auto& documented = orders.by_loss.at(orders.documented);
  EXPECT_TRUE(documented.returns);
  EXPECT_THAT(documented.causes, Not(Contains(Cause::user_on_legacy_pool)));
  // Its gap: no time between its last two steps, and no TTL (lync-facts 1.6, 1.2.7).
  EXPECT_LT(orders.at_once, documented.cost);
  EXPECT_LT(orders.by_loss.front().cost, documented.cost);
  const auto& best = orders.by_loss.front().order;
  EXPECT_EQ(best.back(), 5) << "DNS before the partners: old records lead to a gateway that still serves";
  EXPECT_THAT(to_text(orders), HasSubstr("none costs less than the documents' own"));
}

TEST(OrdersOfTheSteps, EveryStateOnTheWayIsWalkedOver) {
  const auto& explored = documented_orders().explored;
  EXPECT_GT(explored.schedules, 50'000U);
  EXPECT_LT(explored.situations, 10'000U) << "equal states are judged once";
  EXPECT_THAT(explored.causes,
              IsSupersetOf({Cause::none, Cause::partner_configured, Cause::user_on_legacy_pool,
                            Cause::partner_not_allowed, Cause::dialback_authority, Cause::flag_not_ticked,
                            Cause::policy_absent, Cause::certificate_missing, Cause::edge_not_deployed}));
  // Where our record is at the edge, and a partner with dialback has an old stream to the legacy gateway, its refusal
  // can be proved to nobody.
  EXPECT_GT(explored.worst.at(static_cast<std::size_t>(Kind::black_holed)), 0U);
  EXPECT_EQ(explored.worst.at(static_cast<std::size_t>(Kind::lost)), 0U);
}

}  // namespace
}  // namespace cutover::harness::migration
