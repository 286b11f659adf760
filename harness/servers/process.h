// A program that runs beside this one and does not outlive it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cutover::harness {

/// One child process in a group of its own. It dies with this object, and with this process however that ends.
class ChildProcess {
 public:
  /// `environment`: all that it gets, as NAME=VALUE. Both its output streams go to `output`. Throws HarnessFault when
  /// it cannot be started.
  ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments,
               std::vector<std::string> environment, const std::filesystem::path& output);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ChildProcess& operator=(ChildProcess&&) = delete;

  [[nodiscard]] bool running();
  /// Waits for its end; the exit code, or 1000 and the number of the signal that ended it.
  [[nodiscard]] int wait();
  /// Asks it to end (SIGTERM); running() tells when it has.
  void terminate();
  /// Ends it and its group at once (SIGKILL). Idempotent.
  void kill();

 private:
  int process_ = -1;
};

}  // namespace cutover::harness
