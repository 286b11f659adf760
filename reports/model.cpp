// Names and counts of the result model.
#include "reports/model.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::reports {

const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
      return "pass";
    case Outcome::fail:
      return "fail";
    case Outcome::warn:
      return "warn";
    case Outcome::info:
      return "info";
    case Outcome::inconclusive:
      return "inconclusive";
    case Outcome::unsupported:
      return "unsupported";
    case Outcome::broken:
      return "broken";
    case Outcome::skipped:
      return "skipped";
  }
  return "broken";
}

const char* name_of(Standing standing) {
  switch (standing) {
    case Standing::met:
      return "met";
    case Standing::told:
      return "told";
    case Standing::hidden:
      return "hidden";
    case Standing::accepted:
      return "accepted";
    case Standing::red:
      return "red";
    case Standing::fault:
      return "fault";
    case Standing::idle:
      return "idle";
  }
  return "fault";
}

namespace {
std::size_t& counter_of(SuiteCount& count, Standing standing) {
  switch (standing) {
    case Standing::met:
      return count.met;
    case Standing::told:
      return count.told;
    case Standing::hidden:
      return count.hidden;
    case Standing::accepted:
      return count.accepted;
    case Standing::red:
      return count.red;
    case Standing::idle:
      return count.idle;
    case Standing::fault:
      break;
  }
  return count.fault;
}
}  // namespace

std::vector<SuiteCount> count_by_suite(const RunResult& run) {
  std::vector<SuiteCount> counts;
  for (const auto& result : run.cases) {
    auto place = std::ranges::find(counts, result.suite, &SuiteCount::suite);
    if (place == counts.end()) {
      SuiteCount fresh;
      fresh.suite = result.suite;
      place = counts.insert(place, fresh);
    }
    place->cases++;
    place->checks += result.checks.size();
    counter_of(*place, result.standing)++;
    if (result.standing == Standing::idle && result.outcome == Outcome::unsupported) place->unsupported++;
  }
  std::ranges::sort(counts, {}, &SuiteCount::suite);
  return counts;
}

namespace {
std::string variety(std::size_t tried, std::uint64_t possible) {
  return tried == 0 ? std::string() : fmt::format("{} combinations of {:.2g}", tried, static_cast<double>(possible));
}
}  // namespace

std::string variety_of(const CaseResult& result) { return variety(result.combinations, result.combinations_possible); }

std::string variety_of(const RunResult& run) {
  std::size_t tried = 0;
  std::uint64_t possible = 0;
  for (const auto& result : run.cases) {
    tried += result.combinations;
    possible += result.combinations_possible;
  }
  return variety(tried, possible);
}

const RequirementText* requirement_of(const CaseResult& result, const Check& check) {
  const auto found = std::ranges::find(result.requirements, check.requirement, &RequirementText::id);
  return found == result.requirements.end() ? nullptr : &*found;
}

std::string got_of(const Check& check) { return check.actual.substr(0, check.actual.find('\n')); }

std::string sentence_of(const Check& check) {
  auto got = got_of(check);
  if (check.expected.empty()) return got;
  return (check.looked_at.empty() ? "" : check.looked_at + ": ") + "expected " + check.expected + ", got " + got;
}

std::string details_of(const Check& check) {
  const auto end = check.actual.find('\n');
  return end == std::string::npos ? std::string() : check.actual.substr(end + 1);
}

}  // namespace cutover::reports
