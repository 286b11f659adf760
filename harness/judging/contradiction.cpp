// The need of a case of the suite `target` is the ability that it judges.
#include "harness/judging/contradiction.h"

#include "harness/judging/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace cutover::harness {

namespace {

/// Nothing held: no check came as far as to find something good. What found that a peer was rightly refused, or a hole
/// beside what works, speaks for itself.
bool is_hidden_by_a_contradiction(const reports::CaseResult& result) {
  using reports::Outcome;
  return (result.outcome == Outcome::fail || result.outcome == Outcome::inconclusive) &&
         std::ranges::all_of(result.checks, [](const auto& check) {
           return check.outcome == Outcome::fail || check.outcome == Outcome::inconclusive ||
                  check.outcome == Outcome::warn;
         });
}

}  // namespace

void tell_contradictions_once(reports::RunResult& run) {
  std::map<Need, std::string> contradicted;
  for (const auto& result : run.cases) {
    const auto* record = result.suite == "target" ? find_case(result.id) : nullptr;
    if (record == nullptr || result.outcome != reports::Outcome::fail) continue;
    for (const auto need : record->needs) contradicted[need] = result.id;
  }
  if (contradicted.empty()) return;
  for (auto& result : run.cases) {
    const auto* record = find_case(result.id);
    if (record == nullptr || result.suite == "target" || !is_hidden_by_a_contradiction(result)) continue;
    const auto found = std::ranges::find_if(
        contradicted, [&](const auto& one) { return std::ranges::count(record->needs, one.first); });
    if (found == contradicted.end()) continue;
    result.checks.clear();
    result.outcome = reports::Outcome::unsupported;
    result.reason =
        fmt::format("{} is declared, and the subject does not have it: see {}", name_of(found->first), found->second);
  }
}

}  // namespace cutover::harness
