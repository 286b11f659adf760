// Aggregation of outcomes.
#include "harness/judging/outcome.h"

#include "departures/table.h"
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

namespace {
// From worst to best.
constexpr std::array severity{Outcome::broken,  Outcome::fail, Outcome::inconclusive, Outcome::unsupported,
                              Outcome::skipped, Outcome::warn, Outcome::info,         Outcome::pass};

struct Tally {
  std::size_t cases = 0, judged = 0, checks = 0, red = 0, broken = 0, warned = 0, expected = 0, skipped = 0;
};

Tally tally(const RunResult& run) {
  Tally count;
  for (const auto& result : run.cases) {
    ++count.cases;
    count.checks += result.checks.size();
    if (result.outcome == Outcome::broken) {
      ++count.broken;
    } else if (is_unexpected(result)) {
      ++count.red;
    } else if (is_red(result)) {
      ++count.expected;
    } else if (result.outcome == Outcome::warn) {
      ++count.warned;
    } else if (result.outcome == Outcome::skipped || result.outcome == Outcome::unsupported) {
      ++count.skipped;
    }
    if (!result.checks.empty()) ++count.judged;
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

bool is_unexpected(const Check& check) { return is_red(check) && check.baseline != BaselineState::expected; }

bool is_unexpected(const CaseResult& result) {
  if (result.outcome == Outcome::broken) return true;
  if (result.outcome == Outcome::fail && result.checks.empty()) return true;
  return std::ranges::any_of(result.checks, [](const auto& check) { return is_unexpected(check); });
}

Outcome aggregate(const std::vector<Check>& checks) {
  if (checks.empty()) return Outcome::broken;
  const auto rank = [](const Check& check) { return std::ranges::find(severity, check.outcome) - severity.begin(); };
  return std::ranges::min_element(checks, {}, rank)->outcome;
}

int exit_code_of(const RunResult& run) {
  const auto count = tally(run);
  if (!run.complete || count.broken > 0) return exit_code::fault;
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
  if (run.complete && count.broken == 0 && count.red == 0 && count.checks == 0) text = "NO VERDICT: nothing was judged";
  if (!run.incomplete_reason.empty()) text += " (" + run.incomplete_reason + ")";
  text += fmt::format(": {} in {}", plural(count.checks, "check"), plural(count.cases, "case"));
  add(count.red, plural(count.red, "case") + " failed");
  add(count.broken, plural(count.broken, "case") + " broken");
  add(count.expected, plural(count.expected, "case") + " failed as the baseline says");
  add(count.warned, plural(count.warned, "case") + " with warnings");
  add(count.skipped, plural(count.skipped, "case") + " skipped");
  add(run.stale_baseline.size(), fmt::format("stale baseline: {}", run.stale_baseline.size()));
  if (!run.planted.empty()) text += "; with " + words_of_planted(run.planted) + ": this is no run of the reference";
  return text;
}

std::string words_of_planted(const std::vector<std::string>& names) {
  std::vector<std::string> defects, variants;
  for (const auto& name : names) {
    const auto* departure = departures::find(name.substr(0, name.find('@')));  // null: of an older program
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
