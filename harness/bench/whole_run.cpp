// A run as a child process, measured by the kernel.
#include "harness/bench/whole_run.h"

#include "protocol/base/check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace cutover::harness {

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

pid_t start(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "cutover");
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw HarnessFault(fmt::format("cannot start a run: {}", std::strerror(error)));
  return child;
}

}  // namespace

RunCost cost_of(std::vector<std::string> arguments) {
  const auto begun = std::chrono::steady_clock::now();
  const pid_t child = start(std::move(arguments));
  int status = 0;
  rusage used{};  // of the child and of every process that it has waited for
  while (::wait4(child, &status, 0, &used) < 0) {
    if (errno != EINTR) throw HarnessFault(fmt::format("a run cannot be waited for: {}", std::strerror(errno)));
  }
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status),
          .wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(),
          .cpu_s = seconds(used.ru_utime) + seconds(used.ru_stime),
          .largest_process_mib = static_cast<double>(used.ru_maxrss) / 1024};
}

}  // namespace cutover::harness
