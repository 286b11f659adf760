// In which order the jobs of a run begin: the longest first or any, and no more simulations at a time than have a
// processor.
#pragma once

#include "harness/running/selection.h"

#include <deque>
#include <optional>
#include <span>

namespace cutover::harness {

class JobQueue {
 public:
  /// `shuffled_by`: a seed that decides the order, instead of the length of the jobs.
  JobQueue(std::span<const Job> jobs, std::size_t simulating_max, std::optional<std::uint64_t> shuffled_by = {});
  /// The place of the job that is to begin now; nothing where none may.
  [[nodiscard]] std::optional<std::size_t> next();
  /// One that next() gave has ended.
  void ended(std::size_t job);

 private:
  std::span<const Job> jobs_;
  std::size_t simulating_max_, simulating_ = 0;
  std::deque<std::size_t> simulated_, live_;  ///< longest first, then in the order of the jobs; or shuffled
};

}  // namespace cutover::harness
