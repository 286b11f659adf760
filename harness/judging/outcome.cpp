// Aggregation of outcomes.
#include "harness/judging/outcome.h"

#include "departures/table.h"
#include "harness/judging/causes.h"
#include "harness/judging/contradiction.h"
#include "harness/judging/requirements.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace cutover::harness {

using reports::BaselineState;
using reports::CaseResult;
using reports::Check;
using reports::Outcome;
using reports::RunResult;
using reports::Standing;

namespace {
// From worst to best.
constexpr std::array severity{Outcome::broken,  Outcome::fail, Outcome::inconclusive, Outcome::unsupported,
                              Outcome::skipped, Outcome::warn, Outcome::info,         Outcome::pass};

Standing standing_of(const Check& check) {
  if (!check.cause.empty()) return Standing::hidden;
  if (is_red(check)) return check.baseline == BaselineState::expected ? Standing::accepted : Standing::red;
  const bool told = check.outcome == Outcome::warn || check.outcome == Outcome::inconclusive;
  return told ? Standing::told : Standing::met;
}

/// Of a case whose checks are all as wanted: its own outcome may still say more.
Standing standing_beside_checks(Outcome outcome) {
  switch (outcome) {
    case Outcome::broken:
      return Standing::fault;
    case Outcome::skipped:
    case Outcome::unsupported:
      return Standing::idle;
    case Outcome::warn:
    case Outcome::inconclusive:
      return Standing::told;
    case Outcome::fail:  // without a check that says why
      return Standing::red;
    case Outcome::pass:
    case Outcome::info:
      break;
  }
  return Standing::met;
}

Standing standing_of(const CaseResult& result) {
  const auto any = [&](Standing standing) {
    return std::ranges::any_of(result.checks, [&](const auto& check) { return standing_of(check) == standing; });
  };
  if (result.outcome == Outcome::broken) return Standing::fault;
  if (any(Standing::red)) return Standing::red;
  if (any(Standing::hidden)) return Standing::hidden;
  if (any(Standing::accepted)) return Standing::accepted;
  return standing_beside_checks(result.outcome);
}

struct Tally {
  std::size_t checks = 0, red = 0, fault = 0, warned = 0, hidden = 0, accepted = 0, skipped = 0, unsupported = 0;
};

Tally tally(const RunResult& run) {
  Tally count;
  for (const auto& result : run.cases) {
    const auto standing = standing_of(result);
    count.checks += result.checks.size();
    count.red += standing == Standing::red ? 1 : 0;
    count.fault += standing == Standing::fault ? 1 : 0;
    count.hidden += standing == Standing::hidden ? 1 : 0;
    count.accepted += standing == Standing::accepted ? 1 : 0;
    count.warned += result.outcome == Outcome::warn && standing == Standing::told ? 1 : 0;
    const bool unsupported = result.outcome == Outcome::unsupported;
    if (standing == Standing::idle) ++(unsupported ? count.unsupported : count.skipped);
  }
  return count;
}

std::string plural(std::size_t count, const char* word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}
}  // namespace

Outcome outcome_of(std::string_view level, bool met, bool strict) {
  if (met) return Outcome::pass;
  if (is_mandatory(level)) return Outcome::fail;
  if (level.starts_with("SHOULD")) return strict ? Outcome::fail : Outcome::warn;
  return Outcome::info;
}

bool is_red(const Check& check) {
  return check.outcome == Outcome::fail || check.outcome == Outcome::broken ||
         (check.outcome == Outcome::inconclusive && is_mandatory(check.level));
}

bool is_red(const CaseResult& result) {
  return result.outcome == Outcome::broken || result.outcome == Outcome::fail ||
         std::ranges::any_of(result.checks, [](const auto& check) { return is_red(check); });
}

Outcome aggregate(const std::vector<Check>& checks) {
  if (checks.empty()) return Outcome::broken;
  const auto rank = [](const Check& check) { return std::ranges::find(severity, check.outcome) - severity.begin(); };
  return std::ranges::min_element(checks, {}, rank)->outcome;
}

int exit_code_of(const RunResult& run) {
  const auto count = tally(run);
  if (!run.complete || count.fault > 0) return exit_code::fault;
  if (count.red > 0) return exit_code::failure;
  if (count.checks == 0) return exit_code::fault;
  if (!run.stale_baseline.empty()) return exit_code::stale;
  return exit_code::conforming;
}

std::string verdict_of(const RunResult& run) {
  const auto count = tally(run);
  std::string text;
  const auto add = [&](std::size_t number, const std::string& words) {
    if (number > 0) text += "; " + words;
  };
  switch (exit_code_of(run)) {
    case exit_code::conforming:
      text = "conforming";
      break;
    case exit_code::failure:
      text = "NOT CONFORMING";
      break;
    case exit_code::stale:
      text = "conforming, but the baseline is stale";
      break;
    default:
      text = run.complete ? "NO VERDICT: the harness is at fault" : "NO VERDICT: the run is incomplete";
      break;
  }
  if (run.complete && count.fault == 0 && count.red == 0 && count.checks == 0) text = "NO VERDICT: nothing was judged";
  if (!run.incomplete_reason.empty()) text += " (" + run.incomplete_reason + ")";
  text += fmt::format(": {} in {}", plural(count.checks, "check"), plural(run.cases.size(), "case"));
  add(count.red, plural(count.red, "case") + " failed");
  add(count.fault, plural(count.fault, "case") + " broken");
  add(count.hidden, plural(count.hidden, "case") + " not reached because of these faults");
  add(count.accepted, plural(count.accepted, "case") + " accepted by the baseline");
  add(count.warned, plural(count.warned, "case") + " with warnings");
  add(count.skipped, plural(count.skipped, "case") + " skipped");
  add(count.unsupported, plural(count.unsupported, "case") + " unsupported");
  add(run.stale_baseline.size(), fmt::format("stale baseline: {}", run.stale_baseline.size()));
  const bool reference = run.target.empty() || run.target.starts_with("embedded reference");
  if (!run.planted.empty())
    text += fmt::format("; with {}: this is no run of the {}", words_of_planted(run.planted),
                        reference ? "reference" : "target as it is");
  return text;
}

void conclude(RunResult& run) {
  tell_causes_first(run);
  tell_contradictions_once(run);
  for (auto& result : run.cases) {
    for (auto& check : result.checks) check.standing = standing_of(check);
    result.standing = standing_of(result);
  }
  run.exit_code = exit_code_of(run);
  run.verdict = verdict_of(run);
}

std::string words_of_planted(const std::vector<std::string>& names) {
  std::vector<std::string> defects, variants;
  for (const auto& name : names) {
    const auto* departure = departures::find(name);  // null: of an older program
    const bool variant = departure != nullptr && departure->nature == departures::Nature::variant;
    (variant ? variants : defects).push_back(name);
  }
  std::string text;
  if (!defects.empty()) text += fmt::format("planted defects: {}", fmt::join(defects, ", "));
  if (!variants.empty())
    text += fmt::format("{} variants: {}", text.empty() ? "planted" : " and", fmt::join(variants, ", "));
  return text;
}

}  // namespace cutover::harness
