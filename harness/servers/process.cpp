// Fork and exec with nothing of ours left open, and the end of what was started.
#include "harness/servers/process.h"

#include "protocol/base/check.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace cutover::harness {

namespace {

namespace fs = std::filesystem;

/// Between fork and exec: only what is safe there. Never returns.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment, const char* output,
                         pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the parent died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int in = open("/dev/null", O_RDONLY);
  const int out = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (in < 0 || out < 0) _exit(127);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);  // no listening socket of ours may live on in it
  execve(program, arguments, environment);
  _exit(127);
}

/// As execve wants them; the strings must outlive it.
std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (auto& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

ChildProcess::ChildProcess(const fs::path& program, const std::vector<std::string>& arguments,
                           std::vector<std::string> environment, const fs::path& output) {
  // Everything that allocates happens before the fork.
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto argv = pointers(words), envp = pointers(environment);
  const std::string out = output.string();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw HarnessFault(fmt::format("cannot start {}: {}", program.string(), std::strerror(errno)));
  if (child == 0) become(argv.front(), argv.data(), envp.data(), out.c_str(), parent);
  process_ = child;
}

ChildProcess::~ChildProcess() { kill(); }

ChildProcess::ChildProcess(ChildProcess&& other) noexcept : process_(std::exchange(other.process_, -1)) {}

bool ChildProcess::running() {
  if (process_ < 0) return false;
  int status = 0;
  if (waitpid(process_, &status, WNOHANG) == 0) return true;
  process_ = -1;
  return false;
}

int ChildProcess::wait() {
  constexpr int by_signal = 1000;
  int status = 0;
  while (process_ >= 0 && waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : by_signal + WTERMSIG(status);
}

void ChildProcess::terminate() {
  if (running()) ::kill(process_, SIGTERM);
}

void ChildProcess::kill() {
  if (!running()) return;
  // Its group: it may not have got as far as setpgid, then the second line ends it.
  ::kill(-process_, SIGKILL);
  ::kill(process_, SIGKILL);
  int status = 0;
  while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
}

}  // namespace cutover::harness
