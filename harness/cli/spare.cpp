// Variants are planted in company, for the time that it saves; only what happens with one alone is held against a
// check.
#include "harness/cli/spare.h"

#include "departures/table.h"
#include "harness/judging/outcome.h"
#include "harness/judging/standing.h"
#include "harness/worlds/choice.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

namespace cutover::harness::cli {

using reports::CaseResult;
using reports::Outcome;

namespace {

/// How many variants are planted at a time. More of them get into each other's way.
constexpr std::size_t company_max = 8;

/// What is not green in a case, and how it is told.
std::map<std::string, std::string> not_green(const CaseResult& result) {
  std::map<std::string, std::string> found;
  if (result.outcome == Outcome::broken) found.emplace(result.id, result.reason);
  for (const auto& check : result.checks) {
    if (is_red(check) || check.outcome == Outcome::warn) found.emplace(check.id, reports::sentence_of(check));
  }
  for (const auto& heard : result.heard)
    if (heard.breaches > 0) found.emplace(standing_check_of(heard), heard.octets);
  return found;
}

std::vector<std::string> variants() {
  std::vector<std::string> names;
  for (const auto& departure : departures::table()) {
    if (departure.nature == departures::Nature::variant) names.emplace_back(departure.name);
  }
  return names;
}

class SpareMatrix {
 public:
  SpareMatrix(std::ostream& out, const std::vector<Job>& cases, const std::vector<CaseResult>& controls,
              const RunJobs& run)
      : out_(out), cases_(cases), controls_(controls), run_(run) {}

  /// Plants groups; what they turned red, and each variant that did something there, waits for plant_alone(). False
  /// where the run was interrupted.
  [[nodiscard]] bool plant_groups(const std::vector<std::string>& names, std::size_t company) {
    std::vector<Job> jobs;
    for (std::size_t at = 0; at < names.size(); at += company) {
      const auto end = std::min(names.size(), at + company);
      for (const auto& one : cases_) {
        jobs.push_back(one);
        jobs.back().planted.insert(names.begin() + static_cast<std::ptrdiff_t>(at),
                                   names.begin() + static_cast<std::ptrdiff_t>(end));
      }
    }
    const auto results = run_(jobs, true);
    if (!results.complete) return incomplete(results);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const auto& result = results.cases[i];
      std::set<std::string> met;
      for (const auto& name : result.asked) {
        if (jobs[i].planted.contains(name)) met.insert(name);
      }
      met_.insert(met.begin(), met.end());
      if (!blamed(result, i % cases_.size()).empty()) suspects_.emplace_back(i % cases_.size(), std::move(met));
    }
    return true;
  }

  [[nodiscard]] bool plant_alone() {
    std::vector<Job> jobs;
    std::vector<std::size_t> whose;
    for (const auto& [number, names] : suspects_) {
      for (const auto& name : names) {
        jobs.push_back(cases_[number]);
        jobs.back().planted = {name};
        whose.push_back(number);
      }
    }
    if (jobs.empty()) return true;
    const auto results = run_(jobs, false);
    if (!results.complete) return incomplete(results);
    for (std::size_t i = 0; i < jobs.size(); ++i) tell(*jobs[i].planted.begin(), results.cases[i], whose[i]);
    return true;
  }

  [[nodiscard]] std::size_t print(const std::vector<std::string>& names) const {
    std::vector<std::string> idle;
    std::ranges::copy_if(names, std::back_inserter(idle), [&](const auto& name) { return !met_.contains(name); });
    fmt::print(out_, "spare matrix: {} variants, {} blamed{}{}{}{}\n", names.size(), guilty_.size(),
               guilty_.empty() ? "" : ": ", fmt::join(guilty_, " "),
               idle.empty() ? "" : fmt::format("; {} met no case: ", idle.size()), fmt::join(idle, " "));
    return guilty_.size();
  }

 private:
  bool incomplete(const reports::RunResult& run) const {
    fmt::print(out_, "the spare matrix is incomplete: {}\n", run.incomplete_reason);
    return false;
  }

  /// The checks that are green without what was planted, and not with it.
  [[nodiscard]] std::map<std::string, std::string> blamed(const CaseResult& result, std::size_t number) const {
    auto found = not_green(result);
    for (const auto& [id, words] : not_green(controls_[number])) found.erase(id);
    return found;
  }

  void tell(const std::string& name, const CaseResult& result, std::size_t number) {
    const auto checks = blamed(result, number);
    if (checks.empty()) return;
    guilty_.insert(name);
    for (const auto& [id, words] : checks) fmt::print(out_, "BLAMED    {} by {}: {}\n", name, id, words);
    fmt::print(out_, "          {}\n", result.reproduce);
  }

  std::ostream& out_;
  const std::vector<Job>& cases_;
  const std::vector<CaseResult>& controls_;
  const RunJobs& run_;
  std::vector<std::pair<std::size_t, std::set<std::string>>> suspects_;  ///< a case, and what did something in it
  std::set<std::string> met_, guilty_;
};

}  // namespace

int spare_variants(std::ostream& out, const std::vector<Job>& cases, const std::vector<CaseResult>& controls,
                   bool alone, std::uint64_t seed, const RunJobs& run) {
  auto names = variants();
  Generator generator(seed);
  for (std::size_t i = names.size(); i > 1; --i) std::swap(names[i - 1], names[generator.below(i)]);
  SpareMatrix matrix(out, cases, controls, run);
  if (!matrix.plant_groups(names, alone ? 1 : company_max) || !matrix.plant_alone()) return exit_code::fault;
  std::ranges::sort(names);
  return matrix.print(names) > 0 ? exit_code::failure : exit_code::conforming;
}

}  // namespace cutover::harness::cli
