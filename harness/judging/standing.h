// What the standing judge heard in a whole run, as one case beside the others.
#pragma once

#include "harness/judging/requirements.h"
#include "reports/model.h"

#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness {

/// The id of that case: its checks are "standing#REQUIREMENT".
inline constexpr char standing_id[] = "standing";
/// Whether an id is that of one of them.
[[nodiscard]] bool is_standing_check(std::string_view id);
/// Whether a rule of the standing judge is for that requirement.
[[nodiscard]] bool is_standing_requirement(std::string_view requirement);

/// The id of the check that a rule becomes.
[[nodiscard]] std::string standing_check_of(const reports::Heard& heard);

/// Puts the verdicts of the standing judge behind the cases of the run, one case a world: a check for each rule that
/// met something, told once however often it was broken. Those of an earlier call go.
void add_standing(reports::RunResult& run, bool strict);

/// The world of what somebody else captured.
inline constexpr char captured_world[] = "capture";
/// The verdicts on one sender of a capture, as a case "standing.SENDER"; skipped where nothing was heard of it.
[[nodiscard]] reports::CaseResult standing_of(std::string_view sender, std::vector<reports::Heard> heard,
                                              std::string reproduce, bool strict);

/// What is wrong with the rules, one sentence each: a requirement, a departure or a case that does not exist.
[[nodiscard]] std::vector<std::string> lint_standing(const Catalogue& catalogue);

}  // namespace cutover::harness
