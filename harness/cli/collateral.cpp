// Counted over the cases in which a defect was planted.
#include "harness/cli/collateral.h"

#include "departures/table.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <ostream>

namespace cutover::harness::cli {

using reports::Outcome;

namespace {

constexpr std::size_t worst_max = 2;
constexpr double average_max = 0.3;

}  // namespace

void Collateral::look(const std::string& defect, const reports::CaseResult& result) {
  auto& found = checks_[defect];
  const auto broken = departures::requirements_of(*departures::named(defect).departure);
  for (const auto& check : result.checks) {
    const bool accuses = check.outcome == Outcome::fail || check.outcome == Outcome::warn;
    if (accuses && std::ranges::find(broken, check.requirement) == broken.end())
      found.insert(result.id + "#" + (check.requirement.empty() ? check.id : check.requirement));
  }
}

bool Collateral::print(std::ostream& out) const {
  std::size_t all = 0, worst = 0;
  std::string of;
  for (const auto& [defect, checks] : checks_) {
    all += checks.size();
    if (checks.size() > worst) {
      worst = checks.size();
      of = " (" + defect + ")";
    }
    if (!checks.empty()) fmt::print(out, "collateral of {}: {}\n", defect, fmt::join(checks, " "));
  }
  const auto average = checks_.empty() ? 0.0 : static_cast<double>(all) / static_cast<double>(checks_.size());
  const bool kept = worst <= worst_max && average <= average_max;
  fmt::print(out, "collateral: {} checks of {} defects, {:.2f} on average (limit {}), worst {}{} (limit {}){}\n", all,
             checks_.size(), average, average_max, worst, of, worst_max, kept ? "" : ": TOO MUCH");
  return kept;
}

}  // namespace cutover::harness::cli
