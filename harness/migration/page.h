// The page of a rehearsal: its chart, windows, gates and proposals as reports shows them.
#pragma once

#include "harness/migration/rehearsal.h"
#include "reports/plan_page.h"

namespace cutover::harness::migration {

/// `proposals` are those for the plan; with an improvement its chart is the one "as proposed".
[[nodiscard]] reports::PlanPage page_of(const Rehearsal&, const std::vector<Proposal>& proposals = {},
                                        const Improvement* improvement = nullptr);

/// The second of a date such as "2026-11-28 22:00", by the clock of whoever wrote it; nothing for other texts.
[[nodiscard]] std::optional<std::int64_t> second_of(const std::string& date);

}  // namespace cutover::harness::migration
