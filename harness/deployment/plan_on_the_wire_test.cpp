// The example plans, predicted by the model and carried out on a deployment.
#include "harness/deployment/plan_on_the_wire.h"
#include "harness/migration/plan_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace cutover::harness {
namespace {

TEST(PlanOnTheWire, IsAsTheTimelineHasIt) {
  std::size_t exchanges = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CUTOVER_SOURCE_DIR "/fixtures/plans")) {
    const auto plan = migration::load_plan(entry.path());
    const auto found = held_against_wire(plan, {});
    EXPECT_THAT(found.otherwise, testing::IsEmpty()) << entry.path();
    EXPECT_THAT(found.left_out, testing::IsEmpty()) << entry.path();
    EXPECT_GT(found.exchanges, 0U) << entry.path();
    std::cout << entry.path().filename() << ": " << found.exchanges << " exchanges\n";
    exchanges += found.exchanges;
  }
  constexpr std::size_t exchanges_min = 400;
  EXPECT_GT(exchanges, exchanges_min);
}

}  // namespace
}  // namespace cutover::harness
