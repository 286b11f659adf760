// A breach that the standing judge heard in a case explains what else is red there.
#include "harness/judging/causes.h"

#include "harness/judging/outcome.h"
#include "harness/judging/standing.h"
#include "harness/standing/ledger.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness {

namespace {

using reports::CaseResult;
using reports::Check;
using reports::Outcome;
using reports::RunResult;

bool accuses(const Check& check) {
  return (is_red(check) || check.outcome == Outcome::warn) && check.baseline != reports::BaselineState::expected;
}

/// Those of the standing checks that are red.
std::vector<std::string> told_by(const CaseResult& standing) {
  std::vector<std::string> told;
  for (const auto& check : standing.checks)
    if (is_red(check) && accuses(check)) told.push_back(check.id);
  return told;
}

/// The standing check from which the rest of the case may follow; empty where there is none.
std::string cause_in(const CaseResult& result, const std::vector<std::string>& told) {
  for (const auto& heard : result.heard) {
    const auto* row = standing::rule_named(heard.rule);
    if (heard.breaches == 0 || row == nullptr || !standing::misleads(row->rule)) continue;
    auto id = standing_check_of(heard);
    if (std::ranges::find(told, id) != told.end()) return id;
  }
  return {};
}

bool is_of(const std::string& cause, const Check& check) { return cause.ends_with("#" + check.requirement); }

void hide(const std::string& cause, CaseResult& result) {
  bool any = false;
  for (auto& check : result.checks) {
    // What the rule itself asks for is another look at the same fault.
    if (!accuses(check) || is_of(cause, check)) continue;
    check.actual =
        fmt::format("not reached: see {}; {}\n{}", cause, reports::sentence_of(check), reports::details_of(check));
    check.looked_at.clear();
    check.expected.clear();
    check.outcome = Outcome::inconclusive;
    check.cause = cause;
    any = true;
  }
  if (any) result.outcome = aggregate(result.checks);
}

}  // namespace

void tell_causes_first(RunResult& run) {
  for (const auto& standing : run.cases) {
    if (standing.id != standing_id) continue;
    const auto told = told_by(standing);
    for (auto& result : run.cases) {
      if (result.world != standing.world || result.id == standing_id) continue;
      if (const auto cause = cause_in(result, told); !cause.empty()) hide(cause, result);
    }
  }
}

std::vector<Hidden> hidden_in(const RunResult& run) {
  std::vector<Hidden> all;
  for (const auto& result : run.cases) {
    for (const auto& check : result.checks) {
      if (check.cause.empty()) continue;
      auto place = std::ranges::find(all, check.cause, &Hidden::cause);
      if (place == all.end()) place = all.insert(place, Hidden{check.cause, {}});
      place->checks.push_back(check.id);
    }
  }
  return all;
}

}  // namespace cutover::harness
