// A rehearsal for people at a terminal, for programs, and for pipelines that read JUnit.
#pragma once

#include "harness/migration/orders.h"
#include "reports/model.h"

namespace cutover::harness::migration {

/// Verdict, windows, what stands behind each step, the way back, and what would help.
[[nodiscard]] std::string to_text(const Rehearsal&, const std::vector<Proposal>&);
/// The changes that were taken, and the verdict behind them.
[[nodiscard]] std::string to_text(const Improvement&);
/// Everything; `improvement` and `orders` null: not asked for.
[[nodiscard]] std::string to_json(const Rehearsal&, const std::vector<Proposal>&, const Improvement* improvement,
                                  const Orders* orders = nullptr);
/// A gate is a case: red where the plan loses more than its budget behind that step. The last one is the verdict.
[[nodiscard]] reports::RunResult to_run(const Rehearsal&);

}  // namespace cutover::harness::migration
