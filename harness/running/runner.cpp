// Worker processes over pipes: dispatch, watchdog, replacement, and an orderly end on signals.
#include "harness/running/runner.h"

#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/judging/run.h"
#include "protocol/base/check.h"
#include "reports/json.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>

namespace cutover::harness {

namespace json = boost::json;
using Wall = std::chrono::steady_clock;
using reports::CaseResult;
using reports::Outcome;

namespace {

constexpr int job_descriptor = 3, result_descriptor = 4;
constexpr std::size_t worker_output_max_octets = 16 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  void reset() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

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

std::string job_line(const Job& job, const RunnerOptions& options, int block) {
  json::array planted;
  for (const auto& name : options.planted) planted.emplace_back(name);
  for (const auto& name : job.planted) planted.emplace_back(name);
  return json::serialize(json::object{{"id", job.record->id},
                                      {"world", job.world == WorldKind::sim ? "sim" : "live"},
                                      {"attempt", job.attempt},
                                      {"planted", planted},
                                      {"seed", options.seed},
                                      {"replay", options.replay},
                                      {"strict", options.strict},
                                      {"departures", options.departures},
                                      {"block", block},
                                      {"target", options.target_file},
                                      {"topology", options.topology_file},
                                      {"catalogue", options.catalogue}}) +
         "\n";
}

std::string signal_words(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return fmt::format("SIG{} ({})", name != nullptr ? name : "?", ::strsignal(signal));
}

RunOptions run_options_of(const Job& job, const RunnerOptions& options) {
  RunOptions run;
  run.world = job.world;
  run.attempt = job.attempt;
  run.seed = case_seed(options.seed, job.record->id, job.attempt);
  run.replay = options.replay;
  if (options.replay.starts_with("seed:")) run.seed = std::stoull(options.replay.substr(5));
  run.strict = options.strict;
  run.departures = options.departures;
  run.planted = options.planted;
  run.planted.insert(job.planted.begin(), job.planted.end());
  return run;
}

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
  if (!options.target_file.empty()) run.target = Target{.file = options.target_file};
  run.topology_file = options.topology_file;
  result.reproduce = reproduction(*job.record, run, options.replay);
  return result;
}

// One worker process and the case that it runs.
class Worker {
 public:
  Worker() { start(); }
  ~Worker() { stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void give(const Job& job, std::size_t index, const RunnerOptions& options) {
    job_ = index;
    started = std::chrono::system_clock::now();
    begun = Wall::now();
    const int limit = options.case_timeout_s > 0 ? options.case_timeout_s : watchdog_s(job);
    deadline = begun + std::chrono::seconds(limit);
    limit_s = limit;
    output_.clear();
    const auto line = job_line(job, options, lease_.block());
    std::string_view rest = line;
    while (!rest.empty()) {
      const auto written = ::write(jobs_.get(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) break;  // it died: read_results() sees the end of file
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  [[nodiscard]] std::optional<std::size_t> job() const { return job_; }
  void done() { job_.reset(); }
  [[nodiscard]] int results() const { return results_.get(); }
  [[nodiscard]] int output() const { return outputs_.get(); }
  [[nodiscard]] const std::string& last_output() const { return output_; }

  void read_output() {
    char buffer[4096];
    const auto size = ::read(outputs_.get(), buffer, sizeof buffer);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return outputs_.reset();
    if (size < 0) return;
    output_.append(buffer, static_cast<std::size_t>(size));
    if (output_.size() > worker_output_max_octets) output_.erase(0, output_.size() - worker_output_max_octets);
  }
  /// A whole line if there is one; `gone` is set at the end of file.
  std::optional<std::string> read_result(bool& gone) {
    char buffer[65536];
    const auto size = ::read(results_.get(), buffer, sizeof buffer);
    if (size == 0 || (size < 0 && errno != EINTR)) gone = true;
    if (size > 0) partial_.append(buffer, static_cast<std::size_t>(size));
    const auto end = partial_.find('\n', partial_.size() - static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    if (end == std::string::npos) return std::nullopt;
    auto line = partial_.substr(0, end);
    partial_.erase(0, end + 1);
    return line;
  }
  /// Ends the process and everything that it started; tells how it ended.
  std::string stop() {
    if (pid_ <= 0) return "";
    jobs_.reset();
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    while (outputs_.get() >= 0 && pending(outputs_.get())) read_output();
    if (WIFSIGNALED(status)) return "was killed by " + signal_words(WTERMSIG(status));
    return fmt::format("ended with exit code {}", WEXITSTATUS(status));
  }
  /// For a worker whose pipe has ended: it is dead or about to be, by its own cause, which must not be hidden by ours.
  std::string reap() {
    siginfo_t info{};
    for (int tries = 0; tries < 200 && info.si_pid == 0; ++tries) {
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | WNOHANG);
      if (info.si_pid == 0) ::poll(nullptr, 0, 5);
    }
    return stop();
  }
  void restart() {
    stop();
    partial_.clear();
    start();
  }

  std::chrono::system_clock::time_point started;
  Wall::time_point begun, deadline;
  int limit_s = 0;

 private:
  static bool pending(int descriptor) {
    pollfd one{descriptor, POLLIN, 0};
    return ::poll(&one, 1, 0) > 0;
  }

  void start() {
    Pipe jobs, results, output;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output.write.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, output.write.get(), 2);
    posix_spawn_file_actions_adddup2(&actions, jobs.read.get(), job_descriptor);
    posix_spawn_file_actions_adddup2(&actions, results.write.get(), result_descriptor);
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
    jobs_ = std::move(jobs.write);
    results_ = std::move(results.read);
    outputs_ = std::move(output.read);
    ::fcntl(outputs_.get(), F_SETFL, O_NONBLOCK);
  }

  BlockLease lease_;
  pid_t pid_ = 0;
  Descriptor jobs_, results_, outputs_;
  std::string partial_, output_;
  std::optional<std::size_t> job_;
};

// SIGINT, SIGTERM and SIGHUP as a descriptor while a run lasts.
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);  // the terminal was closed; nohup's disposition keeps it away
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    descriptor_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    pipe_ = ::signal(SIGPIPE, SIG_IGN);
  }
  ~Signals() {
    ::signal(SIGPIPE, pipe_);
    // After an interruption they stay blocked: impatience, or timeout(1) with its second signal, must not cost the
    // reports.
    if (!taken_) ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  [[nodiscard]] int take() {
    signalfd_siginfo info{};
    if (::read(descriptor_.get(), &info, sizeof info) != sizeof info) return 0;
    taken_ = true;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  sigset_t before_{};
  Descriptor descriptor_;
  void (*pipe_)(int) = nullptr;
  bool taken_ = false;
};

class Pool {
 public:
  Pool(const std::vector<Job>& jobs, const RunnerOptions& options, const OnResult& on_result)
      : jobs_(jobs), options_(options), on_result_(on_result), results_(jobs.size()) {
    const auto count = std::min<std::size_t>(jobs.size(), static_cast<std::size_t>(std::max(options.jobs, 1)));
    for (std::size_t i = 0; i < count; ++i) workers_.push_back(std::make_unique<Worker>());
  }

  void run() {
    for (auto& worker : workers_) feed(*worker);
    while (done_ < jobs_.size() && interrupted_by_ == 0) wait();
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
  void feed(Worker& worker) {
    if (next_ < jobs_.size()) {
      worker.give(jobs_[next_], next_, options_);
      ++next_;
    }
  }

  void wait() {
    std::vector<pollfd> polled{{signals_.descriptor(), POLLIN, 0}};
    auto soonest = Wall::now() + std::chrono::seconds(60);
    for (const auto& worker : workers_) {
      polled.push_back({worker->job() ? worker->results() : -1, POLLIN, 0});
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

  void read(Worker& worker) {
    bool gone = false;
    const auto line = worker.read_result(gone);
    if (line) {
      try {
        finish(worker, reports::case_from_json(*line));
      } catch (const std::invalid_argument& error) {
        const auto cause = std::string("the worker answered rubbish: ") + error.what();
        replace(worker, cause);
      }
    } else if (gone) {
      replace(worker, "the worker " + worker.reap());
    }
  }
  void hung(Worker& worker) {
    worker.stop();
    replace(worker,
            fmt::format("the case did not end within {} s of real time; its worker was killed", worker.limit_s));
  }
  void replace(Worker& worker, std::string reason) {
    worker.stop();
    finish(worker, lost(jobs_[*worker.job()], options_, std::move(reason), worker.last_output()), true);
  }
  void finish(Worker& worker, CaseResult result, bool restart = false) {
    const auto index = *worker.job();
    worker.done();
    result.started = worker.started;
    result.wall = Wall::now() - worker.begun;
    if (result.outcome == Outcome::broken && result.log.empty()) result.log = worker.last_output();
    results_[index] = std::move(result);
    ++done_;
    if (next_ < jobs_.size()) {
      if (restart) worker.restart();
      feed(worker);
    }
    if (on_result_) on_result_(*results_[index], index, done_, jobs_.size());
  }

  const std::vector<Job>& jobs_;
  const RunnerOptions& options_;
  const OnResult& on_result_;
  Signals signals_;
  std::vector<std::optional<CaseResult>> results_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t next_ = 0, done_ = 0;
  int interrupted_by_ = 0;
};

// What a worker was told, parsed.
struct Order {
  const CaseRecord* record = nullptr;
  RunOptions options;
};

// Files that were read for earlier orders.
struct Loaded {
  std::string catalogue, topology_file;
  std::optional<Target> target;
  std::optional<Topology> topology;
};

Order read_order(const std::string& line, Loaded& loaded) {
  const auto value = json::parse(line);
  const auto& order = value.as_object();
  const auto text = [&](const char* key) { return std::string(order.at(key).as_string()); };
  Order result;
  result.record = find_case(text("id"));
  if (result.record == nullptr) throw HarnessFault("the worker knows no case " + text("id"));
  if (text("catalogue") != loaded.catalogue) Catalogue::use(Catalogue::load(loaded.catalogue = text("catalogue")));
  auto& target = loaded.target;
  if (const auto file = text("target"); !file.empty() && (!target || target->file != file)) target = load_target(file);
  if (const auto file = text("topology"); file != loaded.topology_file) {
    loaded.topology = load_topology(file);
    loaded.topology_file = file;
  }
  Job job{result.record,
          text("world") == "sim" ? WorldKind::sim : WorldKind::live,
          order.at("attempt").to_number<int>(),
          {}};
  for (const auto& name : order.at("planted").as_array()) job.planted.insert(std::string(name.as_string()));
  RunnerOptions shared;
  shared.seed = order.at("seed").to_number<std::uint64_t>();
  shared.replay = text("replay");
  shared.strict = order.at("strict").as_bool();
  shared.departures = order.at("departures").to_number<std::size_t>();
  result.options = run_options_of(job, shared);
  result.options.block = order.at("block").to_number<int>();
  if (!text("target").empty()) result.options.target = target;
  result.options.topology = loaded.topology;
  result.options.topology_file = loaded.topology_file;
  return result;
}

}  // namespace

int watchdog_s(const Job& job) {
  const auto budget = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(job.record->budget).count());
  return job.world == WorldKind::sim ? 180 : budget * 2 + 30;
}

reports::RunResult run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options, const OnResult& on_result) {
  reports::RunResult run;
  run.seed = options.seed;
  run.started = std::chrono::system_clock::now();
  const auto begun = Wall::now();
  Pool pool(jobs, options, on_result);
  pool.run();
  run.cases = pool.take_results();
  if (pool.interrupted_by() != 0) {
    run.complete = false;
    run.incomplete_reason =
        fmt::format("{} after {} of {} cases", signal_words(pool.interrupted_by()), run.cases.size(), jobs.size());
  }
  run.wall = Wall::now() - begun;
  return run;
}

int run_worker(std::string_view runner) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);                   // no worker outlives its runner
  if (std::to_string(::getppid()) != runner) return 1;  // it died before the line above
  ::fcntl(job_descriptor, F_SETFD, FD_CLOEXEC);
  ::fcntl(result_descriptor, F_SETFD, FD_CLOEXEC);
  std::string buffer;
  Loaded loaded;
  char chunk[4096];
  for (;;) {
    const auto size = ::read(job_descriptor, chunk, sizeof chunk);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return 0;
    buffer.append(chunk, static_cast<std::size_t>(size));
    for (auto end = buffer.find('\n'); end != std::string::npos; end = buffer.find('\n')) {
      const auto line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      const auto order = read_order(line, loaded);
      auto answer = reports::case_to_json(execute_case(*order.record, order.options)) + "\n";
      std::cout.flush();
      for (std::string_view rest = answer; !rest.empty();) {
        const auto written = ::write(result_descriptor, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return 1;
        rest.remove_prefix(static_cast<std::size_t>(written));
      }
    }
  }
}

BlockLease::BlockLease() {
  // An abstract socket name is taken by one process of a network namespace, exactly as its loopback is, and needs no
  // file.
  constexpr int blocks = 16383;
  const int first = static_cast<int>(::getpid() * 37 % blocks);
  for (int i = 0; i < blocks; ++i) {
    block_ = 1 + (first + i) % blocks;
    descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto name = fmt::format("cutover-block-{}", block_);
    std::ranges::copy(name, address.sun_path + 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size) == 0) return;
    const int error = errno;
    ::close(descriptor_);
    if (error != EADDRINUSE)
      throw HarnessFault(fmt::format("cannot reserve a block of 127.0.0.0/8: {}", std::strerror(error)));
  }
  throw HarnessFault("every block of 127.0.0.0/8 is taken by other runs on this machine");
}
BlockLease::~BlockLease() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
BlockLease::BlockLease(BlockLease&& other) noexcept
    : block_(other.block_), descriptor_(std::exchange(other.descriptor_, -1)) {}

}  // namespace cutover::harness
