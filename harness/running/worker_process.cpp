// Spawned with pipes for orders, answers and output, in a process group of its own.
#include "harness/running/worker_process.h"

#include "harness/running/order.h"
#include "protocol/base/check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace cutover::harness {

namespace {

constexpr std::size_t output_max_octets = 16 * 1024;

struct Pipe {
  Descriptor read, write;
  Pipe() {
    int ends[2];
    // The numbers that a worker uses are kept free, so that no dup2() in the child meets itself.
    if (::pipe2(ends, O_CLOEXEC) != 0) fail();
    read = above(ends[0]);
    write = above(ends[1]);
  }
  static Descriptor above(int descriptor) {
    constexpr int first = 10;
    if (descriptor >= first) return Descriptor(descriptor);
    Descriptor low(descriptor);
    const int high = ::fcntl(descriptor, F_DUPFD_CLOEXEC, first);
    if (high < 0) fail();
    return Descriptor(high);
  }
  [[noreturn]] static void fail() {
    throw HarnessFault(
        fmt::format("cannot make a pipe to a worker: {}; allow more open files (ulimit -n)", std::strerror(errno)));
  }
};

bool pending(int descriptor) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace

void WorkerProcess::start() {
  Pipe orders, answers, output;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.write.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, output.write.get(), 2);
  posix_spawn_file_actions_adddup2(&actions, orders.read.get(), order_descriptor);
  posix_spawn_file_actions_adddup2(&actions, answers.write.get(), answer_descriptor);
  sigset_t none, standard;
  sigemptyset(&none);
  sigemptyset(&standard);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaddset(&standard, signal);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &standard);
  posix_spawnattr_setpgroup(&attributes, 0);  // Ctrl-C is the runner's business, and stop() reaches grandchildren
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  char name[] = "cutover", command[] = "worker";
  auto runner = std::to_string(::getpid());
  char* arguments[] = {name, command, runner.data(), nullptr};
  const int error = ::posix_spawn(&pid_, "/proc/self/exe", &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) throw HarnessFault(fmt::format("cannot start a worker: {}", std::strerror(error)));
  orders_ = std::move(orders.write);
  answers_ = std::move(answers.read);
  outputs_ = std::move(output.read);
  ::fcntl(outputs_.get(), F_SETFL, O_NONBLOCK);
  partial_.clear();
}

void WorkerProcess::give(const Job& job, std::size_t index, const RunnerOptions& options) {
  if (pid_ <= 0) start();
  job_ = index;
  started = std::chrono::system_clock::now();
  begun = Wall::now();
  limit_s = options.case_timeout_s > 0 ? options.case_timeout_s : watchdog_s(job, options.patience);
  deadline = begun + std::chrono::seconds(limit_s);
  output_.clear();
  // Where it died already, read_answer_line() sees the end of file.
  (void)write_line(orders_.get(), order_line(job, options, lease_.block()));
}

void WorkerProcess::read_output() {
  char buffer[4096];
  const auto size = ::read(outputs_.get(), buffer, sizeof buffer);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return outputs_.reset();
  if (size < 0) return;
  output_.append(buffer, static_cast<std::size_t>(size));
  if (output_.size() > output_max_octets) output_.erase(0, output_.size() - output_max_octets);
}

std::optional<std::string> WorkerProcess::read_answer_line(bool& gone) {
  char buffer[65536];
  const auto size = ::read(answers_.get(), buffer, sizeof buffer);
  if (size == 0 || (size < 0 && errno != EINTR)) gone = true;
  if (size > 0) partial_.append(buffer, static_cast<std::size_t>(size));
  const auto end = partial_.find('\n', partial_.size() - static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (end == std::string::npos) return std::nullopt;
  auto line = partial_.substr(0, end);
  partial_.erase(0, end + 1);
  return line;
}

std::string WorkerProcess::stop() {
  if (pid_ <= 0) return "";
  orders_.reset();
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  while (outputs_.get() >= 0 && pending(outputs_.get())) read_output();
  if (WIFSIGNALED(status)) return "was killed by " + signal_words(WTERMSIG(status));
  return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

std::string WorkerProcess::reap() {
  siginfo_t info{};
  for (int tries = 0; tries < 200 && info.si_pid == 0; ++tries) {
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | WNOHANG);
    if (info.si_pid == 0) ::poll(nullptr, 0, 5);
  }
  return stop();
}

std::string signal_words(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return fmt::format("SIG{} ({})", name != nullptr ? name : "?", ::strsignal(signal));
}

}  // namespace cutover::harness
