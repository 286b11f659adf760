// `selftest`: the kill matrix. A check that survives the defect that is named for it is a check that cannot fail.
#include "harness/cli/console.h"
#include "harness/cli/subcommands.h"
#include "harness/outcome.h"
#include "harness/registry/registry.h"
#include "harness/requirements.h"
#include "protocol/base/quirk_table.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <set>

namespace cutover::harness::cli {

using reports::Outcome;

namespace {
// The kill matrix: each defect must turn each check that names it red, and without defects nothing may be red.
class KillMatrix {
 public:
  explicit KillMatrix(const std::vector<Job>& cases) {
    for (const auto& job : cases) {
      jobs_.push_back(job);
      std::set<std::string> defects;
      for (const auto& judges : job.record->judges) defects.insert(judges.killed_by.begin(), judges.killed_by.end());
      for (const auto& defect : defects) {
        auto with = job;
        with.quirks = {defect};
        jobs_.push_back(with);
      }
    }
  }
  [[nodiscard]] const std::vector<Job>& jobs() const { return jobs_; }

  [[nodiscard]] int print(std::ostream& out, const reports::RunResult& run) {
    if (!run.complete) {  // the results that are there cannot be told apart by their places
      fmt::print(out, "the matrix is incomplete: {}\n", run.incomplete_reason);
      return exit_code::fault;
    }
    for (std::size_t i = 0; i < run.cases.size(); ++i) {
      if (jobs_[i].quirks.empty()) {
        control(out, run.cases[i]);
      } else {
        defect(out, jobs_[i], run.cases[i]);
      }
    }
    fmt::print(out, "{} of {} killed; {} survivors, {} controls not green\n", killed_, killed_ + survivors_, survivors_,
               not_green_);
    return survivors_ + not_green_ == 0 ? 0 : 1;
  }

 private:
  void control(std::ostream& out, const reports::CaseResult& result) {
    if (!is_red(result)) return;
    ++not_green_;
    fmt::print(out, "NOT GREEN {} without a defect: {} {}\n", result.id, reports::name_of(result.outcome),
               result.reason);
    for (const auto& check : result.checks) {
      if (is_red(check))
        fmt::print(out, "          {}: {}\n", check.id, check.actual.substr(0, check.actual.find('\n')));
    }
  }
  void defect(std::ostream& out, const Job& job, const reports::CaseResult& result) {
    const auto& quirk = *job.quirks.begin();
    for (const auto& judges : job.record->judges) {
      if (std::ranges::find(judges.killed_by, quirk) == judges.killed_by.end()) continue;
      const bool dead = std::ranges::any_of(result.checks, [&](const auto& check) {
        return check.requirement == judges.requirement &&
               (check.outcome == Outcome::fail || check.outcome == Outcome::warn || check.outcome == Outcome::info);
      });
      (dead ? killed_ : survivors_) += 1;
      fmt::print(out, "{:<9} {}#{} by {}{}\n", dead ? "killed" : "SURVIVED", result.id, judges.requirement, quirk,
                 dead ? "" : fmt::format(" (the case: {} {})", reports::name_of(result.outcome), result.reason));
      if (!dead) fmt::print(out, "          {}\n", result.reproduce);
    }
  }

  std::vector<Job> jobs_;
  std::size_t killed_ = 0, survivors_ = 0, not_green_ = 0;
};

/// What no case names: a defect that no check is known to find, or one that died.
void print_unnamed_defects(std::ostream& out) {
  std::set<std::string_view> named;
  for (const auto& record : all_cases()) {
    for (const auto& judges : record.judges) named.insert(judges.killed_by.begin(), judges.killed_by.end());
  }
  for (const auto& defect : quirk_table()) {
    if (!named.contains(defect.name)) fmt::print(out, "unnamed   {}\n", defect.name);
  }
}
}  // namespace

int selftest_command(RunArguments arguments) {
  const auto findings = lint(all_cases(), Catalogue::current());
  for (const auto& finding : findings) fmt::print("{}\n", finding);
  std::vector<Job> cases;
  arguments.world = "both";
  for (auto& job : select(all_cases(), selection_of(arguments))) {
    // Simulated where the case can be: the same defects, a hundred times as fast. What needs a real server only when
    // it was asked for: a defect costs a minute of real time there.
    if ((job.record->interop && arguments.patterns.empty()) || (job.world == WorldKind::live && job.record->sim))
      continue;
    cases.push_back(job);
  }
  KillMatrix matrix(cases);
  const auto columns = terminal_columns(STDERR_FILENO);
  Progress progress(std::cerr, columns);
  const auto run = run_jobs(matrix.jobs(), runner_options_of(arguments, arguments.seed.value_or(1)),
                            [&](const reports::CaseResult& result, std::size_t, std::size_t done, std::size_t total) {
                              if (columns > 0) progress.report(result, done, total);
                            });
  progress.end();
  const int code = matrix.print(std::cout, run);
  if (arguments.patterns.empty()) print_unnamed_defects(std::cout);
  return code == 0 && !findings.empty() ? 1 : code;
}

}  // namespace cutover::harness::cli
