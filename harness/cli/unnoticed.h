// The search for rules of the reference, and defects, that no check notices.
#pragma once

#include "harness/running/selection.h"
#include "reports/model.h"

#include <functional>
#include <iosfwd>

namespace cutover::harness::cli {

/// Runs jobs; `watched`: tells which rules each comes to (CaseResult::asked).
using RunJobs = std::function<reports::RunResult(const std::vector<Job>&, bool watched)>;

/// Plants each defect that no case names in the cases that may notice it, the nearest first, until a check turns red;
/// prints who noticed what, and what nobody did. `all`: in every case where it can matter, not in those nearest to its
/// requirements only. Returns the exit code.
[[nodiscard]] int search_unnoticed(std::ostream& out, const std::vector<Job>& cases, bool all, const RunJobs& run);

}  // namespace cutover::harness::cli
