// The need of a case of the suite `target` is the ability that it judges.
#include "harness/judging/contradiction.h"

#include "harness/judging/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace cutover::harness {

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
    if (record == nullptr || result.outcome != reports::Outcome::inconclusive) continue;
    const auto found = std::ranges::find_if(
        contradicted, [&](const auto& one) { return std::ranges::count(record->needs, one.first); });
    if (found == contradicted.end()) continue;
    std::erase_if(result.checks, [](const auto& check) { return check.outcome == reports::Outcome::inconclusive; });
    result.outcome = reports::Outcome::unsupported;
    result.reason =
        fmt::format("{} is declared, and the subject does not have it: see {}", name_of(found->first), found->second);
  }
}

}  // namespace cutover::harness
