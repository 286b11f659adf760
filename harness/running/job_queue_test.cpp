// The order in which jobs begin.
#include "harness/running/job_queue.h"

#include <algorithm>

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

TEST(JobQueue, TakesTheOrderOfASeed) {
  std::vector<Job> jobs;
  for (int attempt = 1; attempt <= 40; ++attempt) jobs.push_back({attempt % 8 == 0 ? &longest : &brief, live, attempt});
  const auto order = [&](std::uint64_t seed) {
    JobQueue queue(jobs, 1, seed);
    std::vector<std::size_t> begun;
    while (const auto next = queue.next()) begun.push_back(*next);
    return begun;
  };
  EXPECT_EQ(order(7), order(7));
  EXPECT_NE(order(7), order(8));
  auto all = order(7);
  EXPECT_NE(all.front(), 7U) << "not the longest first";
  std::ranges::sort(all);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], i);
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
