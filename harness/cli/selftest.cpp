// `selftest`: the kill matrix (a check that survives the defect that is named for it cannot fail), and behind it the
// spare matrix (a check that blames a permitted variant is stricter than its text).
#include "departures/table.h"
#include "harness/cli/collateral.h"
#include "harness/cli/console.h"
#include "harness/cli/spare.h"
#include "harness/cli/subcommands.h"
#include "harness/cli/unnoticed.h"
#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/judging/standing.h"
#include "harness/standing/ledger.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <set>

namespace cutover::harness::cli {

using reports::Outcome;

namespace {
Job with_defect(Job job, const std::string& defect) {
  job.planted = {defect};
  return job;
}

// The kill matrix: each defect must turn each check that names it red, and without defects nothing may be red.
class KillMatrix {
 public:
  /// `all`: every defect in every case, for its collateral.
  KillMatrix(const std::vector<Job>& cases, bool all) {
    std::set<std::string> every;
    for (const auto& departure : departures::table()) {
      if (all && departure.nature == departures::Nature::defect) every.emplace(departure.name);
    }
    for (const auto& job : cases) {
      jobs_.push_back(job);
      auto defects = every;
      for (const auto& judges : job.record->judges) defects.insert(judges.killed_by.begin(), judges.killed_by.end());
      for (const auto& defect : defects) jobs_.push_back(with_defect(job, defect));
    }
  }
  /// The rules of the standing judge, too: each in the case that shows it broken. Not where only some cases are asked
  /// for.
  void add_standing(const std::vector<Job>& cases) {
    for (const auto& row : standing::rules()) {
      const auto shown_in = std::ranges::find(cases, row.shown_in, [](const Job& job) { return job.record->id; });
      if (row.killed_by.empty() || shown_in == cases.end()) continue;
      jobs_.push_back(with_defect(*shown_in, std::string(row.killed_by)));
      standing_.emplace(jobs_.size() - 1, &row);
    }
  }
  [[nodiscard]] const std::vector<Job>& jobs() const { return jobs_; }
  /// What came of the cases without a defect, in their order; known once the matrix was printed.
  [[nodiscard]] const std::vector<reports::CaseResult>& controls() const { return controls_; }

  [[nodiscard]] int print(std::ostream& out, const reports::RunResult& run) {
    if (!run.complete) {  // the results that are there cannot be told apart by their places
      fmt::print(out, "the matrix is incomplete: {}\n", run.incomplete_reason);
      return exit_code::fault;
    }
    for (std::size_t i = 0; i < run.cases.size(); ++i) {
      if (jobs_[i].planted.empty()) {
        control(out, run.cases[i]);
      } else if (const auto row = standing_.find(i); row != standing_.end()) {
        hear(out, *row->second, run.cases[i]);
      } else {
        defect(out, jobs_[i], run.cases[i]);
      }
    }
    fmt::print(out, "{} of {} killed; {} survivors, {} controls not green\n", killed_, killed_ + survivors_, survivors_,
               not_green_);
    const bool one_red = collateral_.print(out);
    return survivors_ + not_green_ == 0 && one_red ? 0 : 1;
  }

 private:
  void control(std::ostream& out, const reports::CaseResult& result) {
    controls_.push_back(result);
    const bool breach = std::ranges::any_of(result.heard, [](const auto& heard) { return heard.breaches > 0; });
    if (!is_red(result) && !breach) return;
    ++not_green_;
    fmt::print(out, "NOT GREEN {} without a defect: {} {}\n", result.id, reports::name_of(result.outcome),
               result.reason);
    for (const auto& check : result.checks) {
      if (is_red(check)) fmt::print(out, "          {}: {}\n", check.id, reports::sentence_of(check));
    }
    for (const auto& heard : result.heard)
      if (heard.breaches > 0) fmt::print(out, "          {}: {}\n", standing_check_of(heard), heard.octets);
  }
  void hear(std::ostream& out, const standing::RuleRow& row, const reports::CaseResult& result) {
    const bool dead = std::ranges::any_of(
        result.heard, [&](const auto& heard) { return heard.rule == row.name && heard.breaches > 0; });
    (dead ? killed_ : survivors_) += 1;
    fmt::print(out, "{:<9} {}#{} by {} in {}\n", dead ? "killed" : "SURVIVED", standing_id, row.requirement,
               row.killed_by, row.shown_in);
  }
  void defect(std::ostream& out, const Job& job, const reports::CaseResult& result) {
    const auto& planted = *job.planted.begin();
    collateral_.look(planted, result);
    for (const auto& judges : job.record->judges) {
      if (std::ranges::find(judges.killed_by, planted) == judges.killed_by.end()) continue;
      const bool dead = std::ranges::any_of(result.checks, [&](const auto& check) {
        return check.requirement == judges.requirement &&
               (check.outcome == Outcome::fail || check.outcome == Outcome::warn || check.outcome == Outcome::info);
      });
      (dead ? killed_ : survivors_) += 1;
      fmt::print(out, "{:<9} {}#{} by {}{}\n", dead ? "killed" : "SURVIVED", result.id, judges.requirement, planted,
                 dead ? "" : fmt::format(" (the case: {} {})", reports::name_of(result.outcome), result.reason));
      if (!dead) fmt::print(out, "          {}\n", result.reproduce);
    }
  }

  std::vector<Job> jobs_;
  std::map<std::size_t, const standing::RuleRow*> standing_;  ///< by the place of its job
  std::vector<reports::CaseResult> controls_;
  Collateral collateral_;
  std::size_t killed_ = 0, survivors_ = 0, not_green_ = 0;
};

/// How many departures there are of each kind, and of each nature.
void print_table(std::ostream& out) {
  const auto table = departures::table();
  const auto kind = [&](departures::Kind one) { return std::ranges::count(table, one, &departures::Departure::kind); };
  const auto defects = std::ranges::count(table, departures::Nature::defect, &departures::Departure::nature);
  fmt::print(
      out, "{} departures: {} rules waived, {} rewrites, {} settings, {} inner; {} defects, {} permitted variants\n",
      table.size(), kind(departures::Kind::rule), kind(departures::Kind::rewrite), kind(departures::Kind::setting),
      kind(departures::Kind::inner), defects, static_cast<std::ptrdiff_t>(table.size()) - defects);
}

/// Prints which checks each defect or variant turns red, for whoever writes a case. 1 where a defect turns none red, or
/// a variant one.
int print_finders(std::ostream& out, const std::vector<Job>& jobs, const reports::RunResult& run) {
  std::map<std::string, std::vector<std::string>> finders;
  for (std::size_t i = 0; i < run.cases.size(); ++i) {
    auto& found = finders[*jobs[i].planted.begin()];
    for (const auto& check : run.cases[i].checks) {
      if (check.outcome == Outcome::fail || check.outcome == Outcome::warn) found.push_back(check.id);
    }
    for (const auto& heard : run.cases[i].heard)
      if (heard.breaches > 0) found.push_back(standing_check_of(heard));
    if (run.cases[i].outcome == Outcome::broken) found.push_back(run.cases[i].id + " (broken)");
  }
  int code = 0;
  for (const auto& [name, found] : finders) {
    const bool defect = departures::named(name).departure->nature == departures::Nature::defect;
    const char* green = defect ? "NOT FOUND" : "spared";
    const char* red = defect ? "found" : "BLAMED";
    fmt::print(out, "{:<10}{}{}{}\n", found.empty() ? green : red, name, found.empty() ? "" : " by ",
               fmt::join(found, found.size() == 1 ? "" : "\n          and "));
    if (found.empty() == defect) code = 1;
  }
  return code;
}

std::vector<Job> planted(const std::vector<Job>& cases, const std::vector<std::string>& defects) {
  std::vector<Job> jobs;
  for (const auto& defect : defects) {
    try {
      (void)departures::named(defect);
    } catch (const departures::UnknownDeparture& unknown) {
      throw UsageError(std::string(unknown.what()) + " (`cutover defects` lists all)");
    }
    for (const auto& job : cases) jobs.push_back(with_defect(job, defect));
  }
  return jobs;
}
}  // namespace

int selftest_command(const RunArguments& arguments, const SelftestOptions& options) {
  if (arguments.world != "both")
    throw UsageError("--world: selftest runs each case where it is quickest, simulated if it can be");
  const auto findings = lint(all_cases(), Catalogue::current());
  for (const auto& finding : findings) fmt::print("{}\n", finding);
  std::vector<Job> cases;
  for (auto& job : select(all_cases(), selection_of(arguments))) {
    // Simulated where the case can be: the same defects, a hundred times as fast. What needs a real server only when
    // it was asked for: a defect costs a minute of real time there.
    if ((job.record->interop && arguments.patterns.empty()) || (job.world == WorldKind::live && job.record->sim))
      continue;
    cases.push_back(job);
  }
  const RunJobs run = [&](const std::vector<Job>& jobs, bool watched) {
    const auto columns = terminal_columns(STDERR_FILENO);
    Progress progress(std::cerr, columns);
    auto shared = runner_options_of(arguments, arguments.seed.value_or(1));
    if (watched) shared.watch = departures::Watch::yes;
    auto results = run_jobs(jobs, shared,
                            [&](const reports::CaseResult& result, std::size_t, std::size_t done, std::size_t total) {
                              if (columns > 0) progress.report(result, done, total);
                            });
    progress.end();
    return results;
  };
  if (!options.plant.empty()) {
    const auto jobs = planted(cases, options.plant);
    return print_finders(std::cout, jobs, run(jobs, false));
  }
  print_table(std::cout);
  if (options.rules) {
    std::erase_if(cases, [](const Job& job) { return job.world == WorldKind::live; });
    return search_unnoticed(std::cout, cases, options.all, run);
  }
  KillMatrix matrix(cases, options.all);
  matrix.add_standing(cases);
  const int code = matrix.print(std::cout, run(matrix.jobs(), false));
  if (code == exit_code::fault) return code;
  const int spared = spare_variants(std::cout, cases, matrix.controls(),
                                    {options.all, arguments.patterns.empty(), arguments.seed.value_or(1)}, run);
  return std::max({code, spared, findings.empty() ? 0 : 1});
}

}  // namespace cutover::harness::cli
