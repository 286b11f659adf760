// The spare matrix: what the documents allow and the reference does not show must turn no check red.
#pragma once

#include "harness/cli/unnoticed.h"

namespace cutover::harness::cli {

/// Plants permitted variants over the cases, several at a time, and each alone where that turned a check red that is
/// green without them; prints which of them a check blames. `controls`: what the cases came to without any, in their
/// order. `alone`: each alone from the start. Returns the exit code.
[[nodiscard]] int spare_variants(std::ostream& out, const std::vector<Job>& cases,
                                 const std::vector<reports::CaseResult>& controls, bool alone, std::uint64_t seed,
                                 const RunJobs& run);

}  // namespace cutover::harness::cli
