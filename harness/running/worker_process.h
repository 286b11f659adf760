// One worker process as its runner sees it, with the case that it runs.
#pragma once

#include "harness/running/block_lease.h"
#include "harness/running/descriptor.h"
#include "harness/running/runner.h"

#include <chrono>
#include <optional>
#include <string>

namespace cutover::harness {

class WorkerProcess {
 public:
  using Wall = std::chrono::steady_clock;

  WorkerProcess() = default;
  ~WorkerProcess() { stop(); }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  /// Starts the process where none runs. `index` is the place of the job in the run.
  void give(const Job& job, std::size_t index, const RunnerOptions& options);
  [[nodiscard]] std::optional<std::size_t> job() const { return job_; }
  void done() { job_.reset(); }

  [[nodiscard]] int answers() const { return answers_.get(); }
  [[nodiscard]] int output() const { return outputs_.get(); }
  void read_output();
  /// A whole line if there is one; `gone` is set at the end of file.
  [[nodiscard]] std::optional<std::string> read_answer_line(bool& gone);
  /// What the case printed; the end of it where it was much.
  [[nodiscard]] const std::string& last_output() const { return output_; }

  /// Ends the process and everything that it started; tells how it ended.
  std::string stop();
  /// For a worker whose pipe has ended: it is dead or about to be, by its own cause, which must not be hidden by ours.
  [[nodiscard]] std::string reap();

  std::chrono::system_clock::time_point started;  ///< the case, on the calendar
  Wall::time_point begun, deadline;
  int limit_s = 0;

 private:
  void start();

  BlockLease lease_;
  int pid_ = 0;
  Descriptor orders_, answers_, outputs_;
  std::string partial_, output_;
  std::optional<std::size_t> job_;
};

/// "SIGKILL (Killed)".
[[nodiscard]] std::string signal_words(int signal);

}  // namespace cutover::harness
