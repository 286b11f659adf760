// The spare matrix: what the documents allow and the reference does not show must turn no check red.
#pragma once

#include "harness/cli/unnoticed.h"

namespace cutover::harness::cli {

struct SpareOptions {
  bool alone = false;       ///< each alone in every case, too
  bool every_case = false;  ///< no case was left out: a variant that does nothing is a failure
  std::uint64_t seed = 1;   ///< who is planted with whom
};

/// Plants permitted variants over the cases, several at a time; where that turned a check red that is green without
/// them, each alone, and every two where none is to blame alone. Prints which of them a check blames. `controls`: what
/// the cases came to without any, in their order. Returns the exit code.
[[nodiscard]] int spare_variants(std::ostream& out, const std::vector<Job>& cases,
                                 const std::vector<reports::CaseResult>& controls, const SpareOptions& options,
                                 const RunJobs& run);

}  // namespace cutover::harness::cli
