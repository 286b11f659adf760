// `fuzz`: the case of rubbish until the time is over, and what it found in its smallest form.
#include "harness/cli/subcommands.h"
#include "harness/judging/outcome.h"
#include "harness/worlds/choice.h"
#include "harness/worlds/shrink.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace cutover::harness::cli {

namespace {

constexpr char case_of_rubbish[] = "security.rubbish";
constexpr std::string_view replay_option = "--replay=";

/// The first check that is red; empty where none is.
std::string red_check(const reports::CaseResult& result) {
  const auto red =
      std::ranges::find_if(result.checks, [](const auto& check) { return check.outcome == reports::Outcome::fail; });
  return red == result.checks.end() ? std::string() : red->id;
}

/// The decisions that lead to the result again; nothing where a seed does.
Decisions decisions_of(const reports::CaseResult& result) {
  const auto at = result.reproduce.find(replay_option);
  if (at == std::string::npos) return {};
  const auto text = result.reproduce.substr(at + replay_option.size());
  return fitted_decisions(text.substr(0, text.find(' ')));
}

/// The result of the fewest and smallest decisions by which the same check is red; each try is a run.
reports::CaseResult smallest(const reports::CaseResult& found, const std::vector<Job>& jobs, RunnerOptions options) {
  constexpr std::size_t tries_max = 60;
  const auto job = std::ranges::find_if(jobs, [&](const Job& one) {
    return !options.target_file.empty() || (one.world == WorldKind::sim) == (found.world == "sim");
  });
  auto best = found;
  if (job == jobs.end()) return best;
  options.jobs = 1;
  options.limit = {};
  options.between = {};
  (void)shrunk(decisions_of(found), tries_max, [&](const Decisions& some) {
    options.replay = Fitted(some).replay();
    auto again = run_jobs(std::vector<Job>{*job}, options, OnResult());
    if (again.cases.empty() || red_check(again.cases.front()) != red_check(found)) return false;
    best = std::move(again.cases.front());
    best.attempt = found.attempt;
    return true;
  });
  return best;
}

/// One finding of each check; those that follow are the same again, as far as anybody can tell.
void tell_by_the_smallest(reports::RunResult& run, const std::vector<Job>& jobs, const RunnerOptions& options) {
  std::set<std::string> told;
  for (auto& result : run.cases) {
    const auto check = red_check(result);
    if (check.empty() || !told.insert(check + result.world).second) continue;
    result = smallest(result, jobs, options);
  }
}

}  // namespace

int fuzz_command(const RunArguments& arguments, const std::vector<std::string>& command) {
  constexpr int more_than_time_allows = 100'000;
  auto run = arguments;
  run.patterns = {case_of_rubbish};
  run.depth = "deep";
  run.repeat = more_than_time_allows;
  return run_command(run, command, tell_by_the_smallest);
}

}  // namespace cutover::harness::cli
