// What becomes of many judgements: the outcome of a case, whether it is red, and the exit code of a run. Pure
// functions.
#pragma once

#include "reports/model.h"

namespace cutover::harness {

/// Outcome of an unmet or met requirement of `level`. SHOULD and SHOULD NOT warn, or fail when `strict`; MAY informs.
[[nodiscard]] reports::Outcome outcome_of(std::string_view level, bool met, bool strict);
/// Whether one check makes the run fail, the baseline aside: a failure, or an inconclusive check of a mandatory
/// requirement.
[[nodiscard]] bool is_red(const reports::Check&);
/// The same for a case; a broken case is red too.
[[nodiscard]] bool is_red(const reports::CaseResult&);
/// The worst of the checks; broken when there is none.
[[nodiscard]] reports::Outcome aggregate(const std::vector<reports::Check>&);

namespace exit_code {
inline constexpr int conforming = 0, failure = 1, stale = 2, fault = 3, usage = 4, skipped = 77;
}
/// 0 conforming; 1 unexpected failure; 2 only stale baseline entries; 3 harness fault, incomplete run, or nothing
/// judged at all. Usage errors (4) never get as far as a run. Where several hold: 3, then 1, then 2.
[[nodiscard]] int exit_code_of(const reports::RunResult&);
/// One line for people.
[[nodiscard]] std::string verdict_of(const reports::RunResult&);
/// Says once what every output tells: where each check and case stands, the verdict and the exit code. To be called
/// when all results are there and the baseline is applied.
void conclude(reports::RunResult&);
/// "planted defects: x, y and variants: z"; empty where nothing is planted.
[[nodiscard]] std::string words_of_planted(const std::vector<std::string>& names);

}  // namespace cutover::harness
