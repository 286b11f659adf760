// Dispatch of the jobs to workers, watchdog, replacement, and an orderly end on signals.
#include "harness/running/runner.h"

#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/running/job_queue.h"
#include "harness/running/order.h"
#include "harness/running/worker_process.h"
#include "harness/servers/real_server.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

namespace cutover::harness {

using Wall = WorkerProcess::Wall;
using reports::CaseResult;
using reports::Outcome;

namespace {

// The result of a case whose worker cannot tell it any more.
CaseResult lost(const Job& job, const RunnerOptions& options, std::string reason, std::string log) {
  CaseResult result;
  result.id = job.record->id;
  result.title = job.record->title;
  result.suite = suite_of(result.id);
  auto run = run_options_of(job, options);
  result.world = options.target_file.empty() ? world_name(run) : "target";
  result.file = job.record->file;
  result.line = job.record->line;
  result.outcome = Outcome::broken;
  result.reason = std::move(reason);
  result.seed = run.seed;
  result.attempt = job.attempt;
  result.log = std::move(log);
  if (!options.target_file.empty())
    run.target = Target{.file = options.target_file, .one_server = !options.started_file.empty()};
  run.topology_file = options.topology_file;
  result.reproduce = reproduction(*job.record, run, options.replay);
  result.planted.assign(run.planted.begin(), run.planted.end());
  return result;
}

class Pool {
 public:
  Pool(const std::vector<Job>& jobs, const RunnerOptions& options, const OnResult& on_result, Signals& signals)
      : jobs_(jobs),
        options_(options),
        on_result_(on_result),
        signals_(signals),
        results_(jobs.size()),
        queue_(jobs, static_cast<std::size_t>(std::max(options.simulating > 0 ? options.simulating : options.jobs, 1)),
               options.shuffled_by) {
    const auto count = std::min<std::size_t>(jobs.size(), static_cast<std::size_t>(std::max(options.jobs, 1)));
    for (std::size_t i = 0; i < count; ++i) workers_.push_back(std::make_unique<WorkerProcess>());
  }

  void run() {
    feed();
    while (done_ < jobs_.size() && interrupted_by_ == 0 && !ran_out()) wait();
  }
  [[nodiscard]] int interrupted_by() const { return interrupted_by_; }
  [[nodiscard]] std::vector<CaseResult> take_results() {
    std::vector<CaseResult> results;
    for (auto& result : results_) {
      if (result) results.push_back(std::move(*result));
    }
    return results;
  }

 private:
  [[nodiscard]] bool time_is_up() const { return options_.limit.count() > 0 && Wall::now() - begun_ >= options_.limit; }
  /// The last of the jobs that began in time has ended.
  [[nodiscard]] bool ran_out() const {
    return time_is_up() && std::ranges::none_of(workers_, [](const auto& worker) { return worker->job().has_value(); });
  }

  void feed() {
    if (time_is_up()) return;
    for (auto& worker : workers_) {
      if (worker->job()) continue;
      const auto next = queue_.next();
      if (!next) return;
      worker->give(jobs_[*next], *next, options_);
    }
  }

  void wait() {
    std::vector<pollfd> polled{{signals_.descriptor(), POLLIN, 0}};
    auto soonest = Wall::now() + std::chrono::seconds(60);
    for (const auto& worker : workers_) {
      polled.push_back({worker->job() ? worker->answers() : -1, POLLIN, 0});
      polled.push_back({worker->output(), POLLIN, 0});
      if (worker->job()) soonest = std::min(soonest, worker->deadline);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(soonest - Wall::now()).count();
    ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (polled[0].revents != 0) interrupted_by_ = signals_.take();
    if (interrupted_by_ != 0) return;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      if (polled[2 * i + 2].revents != 0) workers_[i]->read_output();
      if (polled[2 * i + 1].revents != 0)
        read(*workers_[i]);
      else if (workers_[i]->job() && Wall::now() >= workers_[i]->deadline)
        hung(*workers_[i]);
    }
  }

  void read(WorkerProcess& worker) {
    bool gone = false;
    const auto line = worker.read_answer_line(gone);
    if (line) {
      try {
        finish(worker, read_answer(*line));
      } catch (const std::invalid_argument& error) {
        const auto cause = std::string("the worker answered rubbish: ") + error.what();
        replace(worker, cause);
      }
    } else if (gone) {
      replace(worker, "the worker " + worker.reap());
    }
  }
  void hung(WorkerProcess& worker) {
    worker.stop();
    replace(worker, fmt::format("the case did not end within {} s of real time (--case-timeout); its worker was killed",
                                worker.limit_s));
  }
  void replace(WorkerProcess& worker, std::string reason) {
    worker.stop();
    finish(worker, lost(jobs_[*worker.job()], options_, std::move(reason), worker.last_output()));
  }
  void finish(WorkerProcess& worker, CaseResult result) {
    const auto index = *worker.job();
    worker.done();
    queue_.ended(index);
    result.started = worker.started;
    result.wall = Wall::now() - worker.begun;
    if (result.outcome == Outcome::broken && result.log.empty()) result.log = worker.last_output();
    results_[index] = std::move(result);
    ++done_;
    const auto tell = [&] {
      if (on_result_) on_result_(*results_[index], index, done_, jobs_.size());
    };
    if (!options_.between || workers_.size() != 1) {
      feed();
      return tell();
    }
    tell();
    interrupted_by_ = options_.between(*results_[index]);
    if (interrupted_by_ == 0) feed();
  }

  const std::vector<Job>& jobs_;
  const RunnerOptions& options_;
  const OnResult& on_result_;
  Signals& signals_;
  std::vector<std::optional<CaseResult>> results_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;
  JobQueue queue_;
  const Wall::time_point begun_ = Wall::now();
  std::size_t done_ = 0;
  int interrupted_by_ = 0;
};

}  // namespace

int watchdog_s(const Job& job, Duration patience) {
  const auto whole = std::chrono::ceil<std::chrono::seconds>(patience_of(*job.record, patience));
  return job.world == WorldKind::sim
             ? 180
             : static_cast<int>(whole.count()) + static_cast<int>(RealServer::start_limit / 1s) + 10;
}

void mark_interrupted(reports::RunResult& run, int signal, const std::string& when) {
  run.complete = false;
  run.incomplete_reason = signal_words(signal) + " " + when;
}

reports::RunResult run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options, const OnResult& on_result) {
  Signals signals;
  return run_jobs(jobs, options, on_result, signals);
}

reports::RunResult run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options, const OnResult& on_result,
                            Signals& signals) {
  reports::RunResult run;
  run.seed = options.seed;
  run.planted.assign(options.planted.begin(), options.planted.end());
  run.started = std::chrono::system_clock::now();
  const auto begun = Wall::now();
  Pool pool(jobs, options, on_result, signals);
  pool.run();
  run.cases = pool.take_results();
  if (pool.interrupted_by() != 0)
    mark_interrupted(run, pool.interrupted_by(), fmt::format("after {} of {} cases", run.cases.size(), jobs.size()));
  run.wall = Wall::now() - begun;
  return run;
}

}  // namespace cutover::harness
