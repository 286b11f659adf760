// `run`, `report` and `coverage`: results as they come, a summary, and report files whatever else fails.
#include "harness/cli/console.h"
#include "harness/cli/left_by_runs.h"
#include "harness/cli/reporting.h"
#include "harness/cli/subcommands.h"
#include "harness/cli/target_watch.h"
#include "harness/judging/baseline.h"
#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/judging/standing.h"
#include "harness/running/block_lease.h"
#include "harness/subjects/started_server.h"
#include "reports/json.h"
#include "reports/text.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <utility>

namespace cutover::harness::cli {

namespace {

// A run against a subject that is down has no results, and one in which it went down has none to be trusted.
void mark_down(reports::RunResult& run, const std::string& words, const std::string& reason) {
  run.complete = false;
  run.incomplete_reason = words + ": " + reason;
}

int run_single(const RunArguments& arguments, const std::vector<Job>& jobs, std::uint64_t seed) {
  auto options = runner_options_of(arguments, seed);
  options.jobs = 1;
  auto run = run_jobs(jobs, options, {});
  if (!arguments.baseline.empty()) apply_baseline(load_baseline(arguments.baseline), today(), run);
  conclude(run);
  print_summary(std::cout, run);
  std::cout.flush();
  const auto skipped = [](const auto& result) { return result.standing == reports::Standing::idle; };
  if (!run.cases.empty() && std::ranges::all_of(run.cases, skipped)) {
    fmt::print("skipped: {}\n", run.cases.front().reason);
    return exit_code::skipped;
  }
  return run.exit_code;
}

// Each result on disk as it comes. A disk that fills up costs the log, never the run; a folder that takes nothing is
// told before anything runs. Reports of an earlier run go: they would be taken for those of this one.
class Recorder {
 public:
  Recorder(const std::string& directory, Readers readers, std::string target)
      : file_(results_in(directory)), target_(std::move(target)) {
    guarded([&] { log_.emplace(file_, readers); });
    if (!log_) throw UsageError(error_);
    const auto earlier = places_in(directory);
    for (const auto& path : {earlier.json, earlier.junit, earlier.html}) ::unlink(path.c_str());
  }
  void append(reports::CaseResult result) {
    result.target = target_;
    if (log_) guarded([&] { log_->append(reports::case_to_json(result)); });
  }
  /// What there is to say of the whole run, behind its cases; they are large, and are not copied for it.
  void end(reports::RunResult& run) {
    auto cases = std::exchange(run.cases, {});
    auto line = reports::to_json(run);
    run.cases = std::move(cases);
    line.pop_back();  // its line end
    if (log_) guarded([&] { log_->append(line); });
  }
  [[nodiscard]] const std::string& error() const { return error_; }
  /// The file that holds all that was appended; empty where none does.
  [[nodiscard]] std::string whole() const { return log_ ? file_ : ""; }

 private:
  void guarded(const std::function<void()>& call) {
    try {
      call();
    } catch (const InUse& error) {
      throw UsageError(error.what());
    } catch (const ReportError& error) {
      error_ = error.what();
      log_.reset();
    }
  }
  std::string file_, target_, error_;
  std::optional<ResultLog> log_;
};

}  // namespace

namespace {
/// The run, between two looks at whether its target is there; the second only where something is red.
reports::RunResult judge(const Target* target, const std::vector<Job>& jobs, RunnerOptions options,
                         const OnResult& on_result, const TargetWatch::Tell& tell, Signals& signals) {
  if (target == nullptr) return run_jobs(jobs, options, on_result, signals);
  reports::RunResult run;
  TargetWatch watch(*target, signals, tell);
  const bool stays_up = std::holds_alternative<RemoteTarget>(target->driver);
  try {
    if (const auto reason = target_down(*target, signals)) {
      run = run_jobs({}, options, on_result, signals);
      mark_down(run, "subject down", *reason);
      return run;
    }
    if (stays_up) watch.begin();
  } catch (const Interrupted& by) {
    run = run_jobs({}, options, on_result, signals);
    mark_interrupted(run, by.signal, "before the first case");
    return run;
  }
  std::size_t left = jobs.size();
  if (stays_up) options.between = [&](const reports::CaseResult& ended) { return watch.after(ended, --left == 0); };
  run = run_jobs(jobs, options, on_result, signals);
  run.notes = watch.notes();
  const bool red = std::ranges::any_of(run.cases, [](const auto& result) { return is_red(result); });
  if (!red || !run.complete) return run;
  try {
    if (const auto later = target_down(*target, signals))
      mark_down(run, "subject down since some time of the run", *later);
  } catch (const Interrupted& by) {
    mark_interrupted(run, by.signal, "after the last case, before it was known whether the target is still there");
  }
  return run;
}

/// What was planted and found nothing to change, or no judgement to waive: such a run says nothing about it.
void note_idle(const std::vector<std::string>& planted, reports::RunResult& run) {
  for (const auto& name : planted) {
    const auto acts = [&](const auto& result) {
      return std::ranges::find(result.asked, departures::without_node(name)) != result.asked.end();
    };
    if (std::ranges::none_of(run.cases, acts))
      run.notes.push_back(fmt::format("{} met nothing in this run: what it changes did not occur", name));
  }
}

/// A server that is started once for the whole run, and its block of addresses.
struct OneServer {
  explicit OneServer(const Target& target) : server(target, lease.block()) {}
  const BlockLease lease;
  const StartedServer server;
};
}  // namespace

int run_command(const RunArguments& arguments, const std::vector<std::string>& command, const Behind& behind) {
  check_arguments(arguments);
  auto jobs = select(all_cases(), selection_of(arguments));
  std::optional<Target> target;
  if (!arguments.target.empty()) target = load_target(arguments.target);
  auto name = target ? target->name : std::string("embedded reference");
  if (!arguments.topology.empty()) name += " (" + arguments.topology + ")";
  std::optional<Baseline> baseline;
  if (!arguments.baseline.empty()) baseline = load_baseline(arguments.baseline);
  const auto seed = arguments.seed ? *arguments.seed : random_seed();
  if (arguments.single) return run_single(arguments, jobs, seed);
  check_places(arguments, "");

  auto options = runner_options_of(arguments, seed);
  if (!arguments.defects.empty()) options.watch = departures::Watch::yes;
  std::optional<OneServer> one_server;
  if (arguments.one_server && !unavailable(*std::get<LocalTarget>(target->driver).product)) {
    one_server.emplace(*target);
    options.started_file = one_server->server.file();
    target = load_started(arguments.target, options.started_file);
  }
  if (target) options.patience = target->patience;
  // What is exclusive at a server that is up, our addresses, its account and roster, is for one case at a time.
  if (target && std::holds_alternative<RemoteTarget>(target->driver)) {
    options.jobs = 1;
    deal_peers(jobs, *target);
  }
  const auto planted = words_of_planted(arguments.defects);
  const auto how_many = arguments.limit_s > 0
                            ? fmt::format("{} for {} s", arguments.patterns.front(), arguments.limit_s)
                            : fmt::format("{} {}", jobs.size(), jobs.size() == 1 ? "run of a case" : "runs of cases");
  fmt::print("cutover {}: {} against {}{}{}, {}, --seed={}\n", version, how_many, reports::terminal_text(name),
             arguments.one_server ? ", one server for all of them" : "", planted.empty() ? "" : " with " + planted,
             options.jobs == 1 ? "1 worker" : fmt::format("{} workers", options.jobs), seed);
  std::cout.flush();
  const auto readers = target && has_secrets(*target) ? Readers::owner : Readers::everybody;
  Signals signals;  // to the end: reports are written whatever comes
  Recorder recorder(arguments.directory, readers, name);
  Progress progress(std::cout, terminal_columns(STDOUT_FILENO));
  const auto on_result = [&](const reports::CaseResult& result, std::size_t, std::size_t done, std::size_t total) {
    progress.report(result, done, arguments.limit_s > 0 ? done : total);
    recorder.append(result);
  };
  const auto tell = [&](const std::string& words) {
    progress.end();
    fmt::print("{}\n", reports::terminal_text(words));
    std::cout.flush();
  };
  auto run = judge(target ? &*target : nullptr, jobs, options, on_result, tell, signals);
  progress.end();
  if (behind) behind(run, jobs, options);
  note_idle(arguments.defects, run);
  run.tool_version = version;
  run.target = name;
  run.command = command;
  run.strict = arguments.strict;
  add_standing(run, run.strict);
  if (baseline) apply_baseline(*baseline, today(), run);
  conclude(run);
  recorder.end(run);
  print_summary(std::cout, run);
  std::cout.flush();  // the verdict does not wait for a reader of a report
  if (!recorder.error().empty()) fmt::print(std::cerr, "cutover: {}\n", recorder.error());
  const bool written = write_reports(run, places(arguments), readers, recorder.whole());
  return printed() && written && recorder.error().empty() ? run.exit_code : exit_code::fault;
}

int report_command(const RunArguments& arguments, const std::vector<std::string>& files,
                   const std::vector<std::string>& command) {
  for (const auto& file : files) check_places(arguments, file.ends_with(".jsonl") ? file : "");
  auto left = left_by_runs(files);
  auto& run = left.run;
  if (run.command.empty()) run.command = command;
  add_standing(run, run.strict);
  if (!arguments.baseline.empty()) apply_baseline(load_baseline(arguments.baseline), today(), run);
  conclude(run);
  print_summary(std::cout, run);
  const bool secret = std::ranges::any_of(files, [](const auto& file) { return readers_of(file) == Readers::owner; });
  const auto readers = secret ? Readers::owner : Readers::everybody;
  const bool written = write_reports(run, places(arguments), readers, left.traces);
  return printed() && written ? run.exit_code : exit_code::fault;
}

int coverage_command(const RunArguments& arguments, const std::string& file, bool by_requirement) {
  check_arguments(arguments);
  const auto print = [&](const reports::RunResult& run) {
    by_requirement ? print_judged(std::cout, run) : print_coverage(std::cout, run);
  };
  if (!file.empty()) {
    if (!arguments.patterns.empty()) throw UsageError("--from counts what a run judged: give no cases beside it");
    print(judged_by_run(file));
    return 0;
  }
  const auto jobs = select(all_cases(), selection_of(arguments));
  auto run = run_jobs(jobs, runner_options_of(arguments, arguments.seed.value_or(1)), {});
  add_standing(run, arguments.strict);
  print(run);
  if (run.complete) return 0;
  fmt::print(std::cerr, "cutover: incomplete: {}\n", run.incomplete_reason);
  return exit_code::fault;
}

}  // namespace cutover::harness::cli
