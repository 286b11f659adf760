// The runner: cases in parallel worker processes, each of which may crash, hang or be killed at the cost of one case.
#pragma once

#include "departures/table.h"
#include "harness/running/selection.h"
#include "harness/running/signals.h"
#include "harness/stimuli/covering.h"
#include "reports/model.h"

#include <chrono>
#include <functional>
#include <string_view>

namespace cutover::harness {

/// What every job of a run shares.
struct RunnerOptions {
  std::uint64_t seed = 1;
  std::string replay;  ///< for every job, instead of the seed
  bool strict = false;
  int jobs = 1;               ///< worker processes
  int simulating = 0;         ///< those of them that may simulate at a time: it costs a processor each; 0: all
  std::string target_file;    ///< empty: the embedded deployment
  std::string started_file;   ///< of a server that was started once for the run: how it is met, as a remote target
  std::string topology_file;  ///< empty: the reference topology
  std::string catalogue;      ///< folder; empty: the embedded one
  Duration patience = usual_patience;  ///< with the subject, see Target
  int case_timeout_s = 0;              ///< wall time after which a worker is killed; 0: from the budget of the case
  stimuli::Depth depth = stimuli::Depth::covering;
  std::size_t detours = 0;  ///< that an exploration allows; 0: what its case says
  std::set<std::string, std::less<>> planted;
  departures::Watch watch = departures::Watch::no;
  std::optional<std::uint64_t> shuffled_by;  ///< a seed that decides in which order the jobs begin
  std::chrono::seconds limit{};              ///< of real time: no job begins behind it, and none is missed; 0: none
  /// With one worker: called when a case has ended and none runs. What it returns ends the run, where it is a signal.
  std::function<int(const reports::CaseResult& ended)> between = {};
};

/// Called in the runner's thread for every result as it comes; `index` is the place of the job in the selection.
using OnResult =
    std::function<void(const reports::CaseResult&, std::size_t index, std::size_t done, std::size_t total)>;

/// Runs the jobs; the results are in the order of the jobs whatever order they end in. A signal ends the run: the
/// result is then incomplete. Exceptions of `on_result` end the workers and pass.
[[nodiscard]] reports::RunResult run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options,
                                          const OnResult& on_result, Signals& signals);
[[nodiscard]] reports::RunResult run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options,
                                          const OnResult& on_result);
/// The run was interrupted by that signal: "SIGINT (Interrupt) while the reports were written".
void mark_interrupted(reports::RunResult& run, int signal, const std::string& when);

/// Wall time that a case may take: its budget and more where time is real, plenty where it is not.
[[nodiscard]] int watchdog_s(const Job& job, Duration patience = usual_patience);

}  // namespace cutover::harness
