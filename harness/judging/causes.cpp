// A breach that the standing judge heard in a case explains what else is red there.
#include "harness/judging/causes.h"

#include "harness/judging/outcome.h"
#include "harness/judging/standing.h"
#include "harness/standing/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

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

void hide(const std::string& cause, Check& check) {
  check.actual =
      fmt::format("not reached: see {}; {}\n{}", cause, reports::sentence_of(check), reports::details_of(check));
  check.looked_at.clear();
  check.expected.clear();
  check.outcome = Outcome::inconclusive;
  check.cause = cause;
}

void hide(const std::string& cause, CaseResult& result) {
  bool any = false;
  for (auto& check : result.checks) {
    // What the rule itself asks for is another look at the same fault.
    if (!accuses(check) || is_of(cause, check)) continue;
    hide(cause, check);
    any = true;
  }
  if (any) result.outcome = aggregate(result.checks);
}

/// The suites of which something is known: those that are about negotiation build on each other, the rest on them and
/// on each other. In the order in which what failed in them is taken for a cause.
struct Layer {
  std::string_view suite;
  bool negotiation = true;
};
constexpr Layer layers[] = {{standing_id},      {"target"},          {"stream"}, {"tls"},
                            {"authentication"}, {"dialback"},        {"dns"},    {"security", false},
                            {"account", false}, {"variation", false}};
const Layer* layer_of(const CaseResult& result) {
  const auto* found = std::ranges::find(layers, result.suite, &Layer::suite);
  return found == std::end(layers) ? nullptr : found;
}

/// Something that failed, as far as the preconditions of other cases may hang on it.
struct Failed {
  std::string check, world;
  const Layer* layer = nullptr;
  bool ended_its_case = false;
};

std::vector<Failed> failed_in(const RunResult& run) {
  std::vector<Failed> all;
  for (const auto& result : run.cases) {
    const auto* layer = layer_of(result);
    if (layer == nullptr) continue;
    const bool ended = std::ranges::count(result.checks, Outcome::inconclusive, &Check::outcome) > 0;
    for (const auto& check : result.checks)
      if (check.outcome == Outcome::fail && accuses(check)) all.push_back({check.id, result.world, layer, ended});
  }
  // Rather what kept the rest of its own case from being judged, and what lies lowest.
  std::ranges::stable_sort(all, [](const Failed& a, const Failed& b) {
    return std::pair(!a.ended_its_case, a.layer) < std::pair(!b.ended_its_case, b.layer);
  });
  return all;
}

void hide_unmet(const std::vector<Failed>& failed, CaseResult& result) {
  const auto* layer = layer_of(result);
  if (layer == nullptr) return;
  const auto below = std::ranges::find_if(failed, [&](const Failed& one) {
    return one.world == result.world && (one.layer->negotiation || !layer->negotiation);
  });
  if (below == failed.end()) return;
  for (auto& check : result.checks)
    if (accuses(check) && check.outcome == Outcome::inconclusive && check.actual.starts_with(did_not_happen))
      hide(below->check, check);
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
  const auto failed = failed_in(run);
  for (auto& result : run.cases) hide_unmet(failed, result);
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
