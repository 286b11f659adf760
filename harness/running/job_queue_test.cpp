// The order in which jobs begin.
#include "harness/running/job_queue.h"

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using testing::ElementsAre;
using testing::Eq;

const CaseRecord brief{.id = "a.brief"}, longer{.id = "b.longer", .takes = 2s}, longest{.id = "c.longest", .takes = 5s};
constexpr auto sim = WorldKind::sim, live = WorldKind::live;

TEST(JobQueue, BeginsWithTheLongest) {
  const std::vector<Job> jobs{{&brief, live}, {&longer, live}, {&longest, live}, {&brief, live, 2}};
  JobQueue queue(jobs, 1);
  std::vector<std::size_t> order;
  while (const auto next = queue.next()) order.push_back(*next);
  EXPECT_THAT(order, ElementsAre(2, 1, 0, 3));
}

TEST(JobQueue, SimulatesNoMoreAtATimeThanItMay) {
  const std::vector<Job> jobs{{&longest, sim}, {&longer, sim}, {&brief, live}, {&brief, sim}};
  JobQueue queue(jobs, 1);
  EXPECT_THAT(queue.next(), Eq(0U));
  EXPECT_THAT(queue.next(), Eq(2U));
  EXPECT_THAT(queue.next(), Eq(std::nullopt));
  queue.ended(2);
  EXPECT_THAT(queue.next(), Eq(std::nullopt));
  queue.ended(0);
  EXPECT_THAT(queue.next(), Eq(1U));
  queue.ended(1);
  EXPECT_THAT(queue.next(), Eq(3U));
}

TEST(JobQueue, TakesTheLongerOfBothWorlds) {
  const std::vector<Job> jobs{{&brief, sim}, {&longer, live}, {&longest, sim}};
  JobQueue queue(jobs, 2);
  EXPECT_THAT(queue.next(), Eq(2U));
  EXPECT_THAT(queue.next(), Eq(1U));
  EXPECT_THAT(queue.next(), Eq(0U));
}

}  // namespace
}  // namespace cutover::harness
