// Two queues, one a world.
#include "harness/running/job_queue.h"

#include "harness/worlds/choice.h"

#include <algorithm>

namespace cutover::harness {

JobQueue::JobQueue(std::span<const Job> jobs, std::size_t simulating_max, std::optional<std::uint64_t> shuffled_by)
    : jobs_(jobs), simulating_max_(simulating_max) {
  for (std::size_t i = 0; i < jobs.size(); ++i) (jobs[i].world == WorldKind::sim ? simulated_ : live_).push_back(i);
  if (shuffled_by) {
    Generator generator(*shuffled_by);
    for (auto* queue : {&simulated_, &live_})
      for (auto left = queue->size(); left > 1; --left) std::swap((*queue)[left - 1], (*queue)[generator.below(left)]);
    return;
  }
  for (auto* queue : {&simulated_, &live_})
    std::ranges::stable_sort(*queue, std::ranges::greater(), [&](std::size_t i) { return jobs[i].record->takes; });
}

std::optional<std::size_t> JobQueue::next() {
  const bool simulate = !simulated_.empty() && simulating_ < simulating_max_;
  if (!simulate && live_.empty()) return std::nullopt;
  const auto takes = [&](const std::deque<std::size_t>& queue) { return jobs_[queue.front()].record->takes; };
  auto& queue = simulate && (live_.empty() || takes(simulated_) >= takes(live_)) ? simulated_ : live_;
  const auto job = queue.front();
  queue.pop_front();
  if (&queue == &simulated_) ++simulating_;
  return job;
}

void JobQueue::ended(std::size_t job) {
  if (jobs_[job].world == WorldKind::sim) --simulating_;
}

}  // namespace cutover::harness
