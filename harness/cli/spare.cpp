// Variants are planted in company, for the time that it saves: a check that stays green in it is green for each of them
// alone, and for each pair of those that did something there.
#include "harness/cli/spare.h"

#include "departures/table.h"
#include "harness/judging/outcome.h"
#include "harness/judging/standing.h"
#include "harness/worlds/choice.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <functional>
#include <map>
#include <ostream>
#include <set>
#include <utility>

namespace cutover::harness::cli {

using reports::CaseResult;
using reports::Outcome;

namespace {

/// How many variants are planted at a time. More of them get into each other's way.
constexpr std::size_t company_max = 16;

/// What is not green in a case, and how it is told. Two variants may together leave nothing to judge, as a server that
/// admits none but proven peers and asks about nobody's key does: of a pair `inconclusive` is no blame.
std::map<std::string, std::string> not_green(const CaseResult& result, bool of_pair = false) {
  std::map<std::string, std::string> found;
  if (result.outcome == Outcome::broken) found.emplace(result.id, result.reason);
  for (const auto& check : result.checks) {
    if (of_pair && check.outcome == Outcome::inconclusive) continue;
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

/// Variants that are planted together in a case.
struct Suspicion {
  std::size_t number = 0;  ///< of the case
  std::set<std::string> names;
};

class SpareMatrix {
 public:
  SpareMatrix(std::ostream& out, const std::vector<Job>& cases, const std::vector<CaseResult>& controls,
              const RunJobs& run)
      : out_(out), cases_(cases), controls_(controls), run_(run) {}

  /// Plants groups; what they turned red waits, with each variant that did something there, for plant_alone(). False
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
      for_each_pair(met, [&](const auto& pair) { pairs_.insert(pair); });
      if (!blamed(result, i % cases_.size()).empty()) suspicions_.push_back({i % cases_.size(), std::move(met)});
    }
    return true;
  }

  /// What did nothing in its company: another variant may have been before it.
  [[nodiscard]] std::vector<std::string> idle(const std::vector<std::string>& names) const {
    std::vector<std::string> idle;
    std::ranges::copy_if(names, std::back_inserter(idle), [&](const auto& name) { return !met_.contains(name); });
    return idle;
  }

  [[nodiscard]] bool plant_alone() {
    std::vector<Suspicion> alone;
    for (const auto& [number, names] : suspicions_) {
      for (const auto& name : names) alone.push_back({number, {name}});
    }
    return plant(alone);
  }

  /// Of what is to blame by no one alone, every two.
  [[nodiscard]] bool plant_pairs() {
    std::vector<Suspicion> pairs;
    for (const auto& [number, names] : suspicions_) {
      if (guilty_in_.contains(number)) continue;
      for_each_pair(names, [&, number = number](const auto& pair) {
        pairs.push_back({number, {pair.first, pair.second}});
      });
    }
    return plant(pairs);
  }

  /// Whether nobody is blamed and, of `every` case, each variant did something in some.
  [[nodiscard]] bool print(const std::vector<std::string>& names, bool every, std::uint64_t seed) const {
    const auto idle = this->idle(names);
    fmt::print(out_, "spare matrix: {} variants, {} blamed{}{}{}{}\n", names.size(), guilty_.size(),
               guilty_.empty() ? "" : ": ", fmt::join(guilty_, " "),
               idle.empty() ? "" : fmt::format("; {} met no case: ", idle.size()), fmt::join(idle, " "));
    fmt::print(out_, "spare matrix: {} pairs by seed {}, {} blamed{}{}\n", pairs_.size(), seed, guilty_pairs_.size(),
               guilty_pairs_.empty() ? "" : ": ", fmt::join(guilty_pairs_, ", "));
    return guilty_.empty() && guilty_pairs_.empty() && (idle.empty() || !every);
  }

 private:
  static void for_each_pair(const std::set<std::string>& names,
                            const std::function<void(const std::pair<std::string, std::string>&)>& use) {
    for (auto one = names.begin(); one != names.end(); ++one) {
      for (auto other = std::next(one); other != names.end(); ++other) use({*one, *other});
    }
  }

  bool incomplete(const reports::RunResult& run) const {
    fmt::print(out_, "the spare matrix is incomplete: {}\n", run.incomplete_reason);
    return false;
  }

  /// The checks that are green without what was planted, and not with it.
  [[nodiscard]] std::map<std::string, std::string> blamed(const CaseResult& result, std::size_t number,
                                                          bool of_pair = false) const {
    auto found = not_green(result, of_pair);
    for (const auto& [id, words] : not_green(controls_[number])) found.erase(id);
    return found;
  }

  bool plant(const std::vector<Suspicion>& suspicions) {
    std::vector<Job> jobs;
    for (const auto& [number, names] : suspicions) {
      jobs.push_back(cases_[number]);
      jobs.back().planted.insert(names.begin(), names.end());
    }
    if (jobs.empty()) return true;
    const auto results = run_(jobs, false);
    if (!results.complete) return incomplete(results);
    for (std::size_t i = 0; i < jobs.size(); ++i) tell(suspicions[i], results.cases[i]);
    return true;
  }

  void tell(const Suspicion& suspicion, const CaseResult& result) {
    const auto checks = blamed(result, suspicion.number, suspicion.names.size() == 2);
    if (checks.empty()) return;
    guilty_in_.insert(suspicion.number);
    const auto names = fmt::format("{}", fmt::join(suspicion.names, " with "));
    (suspicion.names.size() == 1 ? guilty_ : guilty_pairs_).insert(names);
    for (const auto& [id, words] : checks) fmt::print(out_, "BLAMED    {} by {}: {}\n", names, id, words);
    fmt::print(out_, "          {}\n", result.reproduce);
  }

  std::ostream& out_;
  const std::vector<Job>& cases_;
  const std::vector<CaseResult>& controls_;
  const RunJobs& run_;
  std::vector<Suspicion> suspicions_;
  std::set<std::size_t> guilty_in_;  ///< cases
  std::set<std::string> met_, guilty_, guilty_pairs_;
  std::set<std::pair<std::string, std::string>> pairs_;
};

}  // namespace

int spare_variants(std::ostream& out, const std::vector<Job>& cases, const std::vector<CaseResult>& controls,
                   const SpareOptions& options, const RunJobs& run) {
  auto names = variants();
  Generator generator(options.seed);
  for (std::size_t i = names.size(); i > 1; --i) std::swap(names[i - 1], names[generator.below(i)]);
  SpareMatrix matrix(out, cases, controls, run);
  if (options.alone && !matrix.plant_groups(names, 1)) return exit_code::fault;
  if (!matrix.plant_groups(names, company_max) || !matrix.plant_groups(matrix.idle(names), 1) ||
      !matrix.plant_alone() || !matrix.plant_pairs())
    return exit_code::fault;
  std::ranges::sort(names);
  return matrix.print(names, options.every_case, options.seed) ? exit_code::conforming : exit_code::failure;
}

}  // namespace cutover::harness::cli
