// Runs that end badly: what is done is told and on disk whatever comes between - no disk, no reader, no port, no
// runner.
#include "harness/cli_tests/program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>

#include <filesystem>
#include <fstream>
#include <functional>

namespace cutover::cli_tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Becomes root of namespaces of its own, so that a test can do what would disturb everybody else. False where the
/// system does not allow it.
bool own_namespaces(int which) {
  const auto user = ::getuid();
  const auto group = ::getgid();
  const auto write = [](const char* path, const std::string& text) { std::ofstream(path) << text; };
  if (::unshare(CLONE_NEWUSER | which) != 0) return false;
  write("/proc/self/setgroups", "deny");
  write("/proc/self/uid_map", fmt::format("0 {} 1", user));
  write("/proc/self/gid_map", fmt::format("0 {} 1", group));
  return ::getuid() == 0;
}

bool bring_loopback_up() {
  const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::string("lo").copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP;
  const bool good = ::ioctl(descriptor, SIOCSIFFLAGS, &request) == 0;
  ::close(descriptor);
  return good;
}

/// A listener on every address, as a server of this machine would be; it stays open in the program that is started.
bool occupy(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  return ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
         ::listen(descriptor, 1) == 0;
}

class BadEnd : public CommandLine {
 protected:
  static constexpr int not_possible = 99;
  /// Runs the program in a process that `prepare` has changed; its output goes to a file. `not_possible` where prepare
  /// says no.
  [[nodiscard]] Ended after(const std::function<bool()>& prepare, std::vector<std::string> arguments) const {
    const auto output = path("output");
    arguments.insert(arguments.begin(), CUTOVER_PROGRAM);
    std::vector<char*> pointers;
    pointers.reserve(arguments.size() + 1);
    for (auto& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    const auto child = ::fork();
    if (child == 0) {
      const int descriptor = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      ::dup2(descriptor, 1);
      ::dup2(descriptor, 2);
      if (!prepare()) ::_exit(not_possible);
      ::execv(CUTOVER_PROGRAM, pointers.data());
      ::_exit(not_possible);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status), content(output)};
  }
  /// Looks again and again, for 30 s at most.
  static bool comes_true(const std::function<bool()>& condition) {
    for (int i = 0; i < 1500 && !condition(); ++i) ::poll(nullptr, 0, 20);
    return condition();
  }
  static std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const int pid = std::atoi(entry.path().filename().c_str());
      if (pid > 0 && content(entry.path() / "status").find(fmt::format("PPid:\t{}\n", parent)) != std::string::npos)
        found.push_back(pid);
    }
    return found;
  }
};

TEST_F(BadEnd, APortInUseIsTheHarnessesFault) {
  const auto prepare = [] { return own_namespaces(CLONE_NEWNET) && bring_loopback_up() && occupy(5269); };
  const auto ended = after(prepare, {"run", "message.bodies", "--world=live", "-o", path("out")});
  if (ended.code == not_possible) GTEST_SKIP() << "no user namespaces here";
  expect(ended, 3,
         AllOf(HasSubstr("broken"), HasSubstr("cannot listen on 127."), HasSubstr(":5269: Address already in use"),
               HasSubstr("--world=sim"), HasSubstr("NO VERDICT: the harness is at fault"),
               Not(HasSubstr("NOT CONFORMING"))));
  expect(after(prepare, {"doctor"}), 3, AllOf(HasSubstr("port 5269"), HasSubstr("MISSING")));
}

TEST_F(BadEnd, AFullDiskCostsOneReportAndNoResult) {
  expect(sim({"selftest.pass", "--json=/dev/full"}), 3,
         AllOf(HasSubstr("1 check in 1 case"), HasSubstr("cannot write /dev/full: No space left on device"),
               HasSubstr("free space"), HasSubstr("out/junit.xml"), HasSubstr("out/report.html")));
  EXPECT_THAT(content(path("out/junit.xml")), HasSubstr("name=\"pass\""));
}

TEST_F(BadEnd, ADiskThatFillsUpIsToldAndTheResultsArePrinted) {
  fs::create_directory(path("small"));
  const auto prepare = [&] {
    return own_namespaces(CLONE_NEWNS) && ::mount("none", path("small").c_str(), "tmpfs", 0, "size=8k") == 0;
  };
  const auto ended = after(prepare, {"run", "selftest.pass", "--world=sim", "-o", path("small")});
  if (ended.code == not_possible) GTEST_SKIP() << "no user namespaces here";
  expect(ended, 3,
         AllOf(HasSubstr("conforming: 1 check in 1 case"), HasSubstr("report.html: No space left on device"),
               HasSubstr("choose another disk")));
}

TEST_F(BadEnd, AFileThatMayNotGrowIsToldAndCostsOneReport) {
  const auto small = [] {
    const rlimit limit{12'000, 12'000};
    return ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
  };
  expect(after(small, {"run", "selftest.pass", "--world=sim", "-o", path("out")}), 3,
         AllOf(HasSubstr("conforming: 1 check in 1 case"), HasSubstr("report.html: File too large"),
               HasSubstr("(ulimit -f)"), HasSubstr("out/junit.xml")));
  EXPECT_THAT(content(path("out/results.jsonl")), HasSubstr("selftest.pass"));
}

TEST_F(BadEnd, TooLittleMemoryIsTold) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer takes all addresses that there are";
#endif
  // From too little for the constructors of libraries to enough, whatever a build takes.
  const auto with = [&](rlim_t mebibytes) {
    const auto small = [mebibytes] {
      const rlimit limit{mebibytes << 20U, mebibytes << 20U};
      return ::setrlimit(RLIMIT_AS, &limit) == 0;
    };
    return after(small, {"run", "selftest.pass", "--world=sim", "--jobs=1", "-o", path("out")});
  };
  for (rlim_t mebibytes = 60; mebibytes < 160; mebibytes += 10) {
    const auto ended = with(mebibytes);
    if (ended.code == 127) continue;  // ld.so said it
    EXPECT_THAT(ended.code, testing::AnyOf(0, 3)) << mebibytes << ended.output;
    if (ended.code != 3) continue;
    EXPECT_THAT(ended.output, testing::AnyOf(HasSubstr("out of memory"), HasSubstr("Cannot allocate memory"),
                                             HasSubstr("NO VERDICT: the harness is at fault")))
        << mebibytes;
  }
}

TEST_F(BadEnd, AFolderIsOfOneRunAtATime) {
  Program first({"run", "selftest.pass", "selftest.hang", "--world=sim", "--jobs=2", "-o", path("out")});
  ASSERT_TRUE(first.read_until("selftest.pass"));
  expect(sim({"selftest.fail"}), 4,
         AllOf(HasSubstr("results.jsonl is being written by another run"), HasSubstr("-o DIR")));
  EXPECT_THAT(content(path("out/results.jsonl")), AllOf(HasSubstr("selftest.pass"), Not(HasSubstr("selftest.fail"))));
  first.signal(SIGKILL);
  EXPECT_EQ(first.end().code, 1000 + SIGKILL);
  EXPECT_EQ(sim({"selftest.pass"}).code, 0) << "nothing of it stays";
}

TEST_F(BadEnd, ASignalWhileReportsAreWrittenLosesNone) {
  // The page goes into a pipe that is full, until it is read.
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(::fcntl(reader, F_SETPIPE_SZ, 4096), 0);
  Program program({"run", "selftest.pass", "--world=sim", "-o", path("out"), "--html", path("pipe")});
  ASSERT_TRUE(program.read_until("conforming: 1 check"));
  pollfd one{reader, POLLIN, 0};
  ASSERT_EQ(::poll(&one, 1, 30'000), 1);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) program.signal(signal);
  std::string page;
  char buffer[4096];
  for (;;) {
    const auto size = ::read(reader, buffer, sizeof buffer);
    if (size == 0) break;
    if (size > 0) page.append(buffer, static_cast<std::size_t>(size));
    if (size < 0) ::poll(&one, 1, 1000);
  }
  ::close(reader);
  expect(program.end(), 0, HasSubstr("out/run.json"));
  EXPECT_THAT(page, HasSubstr("</html>"));
  EXPECT_THAT(content(path("out/junit.xml")), HasSubstr("name=\"pass\""));
}

TEST_F(BadEnd, AFolderThatCannotBeMadeIsToldBeforeAnythingRuns) {
  expect(cutover({"run", "selftest.pass", "--world=sim", "-o", file("plain", "x") + "/out"}), 4,
         AllOf(HasSubstr("Not a directory"), HasSubstr("-o DIR"), Not(HasSubstr("conforming"))));
  expect(cutover({"run", "selftest.pass", "--world=sim", "-o", ""}), 4, HasSubstr("expected a folder"));
}

TEST_F(BadEnd, NoReportTakesThePlaceOfAnotherFileOfTheRun) {
  const auto results = path("out/results.jsonl");
  expect(sim({"selftest.pass", "--json", results}), 4, HasSubstr("one of its own"));
  expect(sim({"selftest.pass", "--json", path("same"), "--junit", path("out/../same")}), 4,
         HasSubstr("one of its own"));
  expect(sim({"selftest.pass"}), 0, HasSubstr("conforming"));
  expect(cutover({"report", results, "-o", path("out"), "--json", results}), 4, HasSubstr("one of its own"));
  EXPECT_THAT(content(results), HasSubstr("selftest.pass"));
}

TEST_F(BadEnd, ReportsOfAnEarlierRunGo) {
  expect(sim({"selftest.fail"}), 1, HasSubstr("NOT CONFORMING"));
  expect(sim({"selftest.pass", "--junit", path("elsewhere.xml")}), 0, HasSubstr("conforming"));
  EXPECT_FALSE(std::filesystem::exists(path("out/junit.xml")));
}

TEST_F(BadEnd, AReportMadeAgainHasTheNewBaselineOnly) {
  const auto known = file("known.yaml", "- {check: 'selftest.fail#SEED-2', reason: known}\n");
  expect(sim({"selftest.pass", "selftest.fail", "--baseline", known}), 0, HasSubstr("1 case accepted"));
  expect(cutover({"report", path("out/run.json"), "-o", path("again"), "--baseline", file("none.yaml", "[]\n")}), 1,
         HasSubstr("NOT CONFORMING"));
}

TEST_F(BadEnd, OutputThatCannotBeWrittenIsAFault) {
  const auto full = [&] {
    const int descriptor = ::open("/dev/full", O_WRONLY);
    return ::dup2(descriptor, 1) == 1;
  };
  expect(after(full, {"run", "selftest.pass", "--world=sim", "-o", path("out")}), 3,
         HasSubstr("the summary could not be printed"));
  EXPECT_THAT(content(path("out/junit.xml")), HasSubstr("name=\"pass\""));
}

TEST_F(BadEnd, AClosedOutputIsNoPlaceForAnotherFile) {
  const auto close_all = [] {
    for (const int descriptor : {0, 1, 2}) ::close(descriptor);
    return true;
  };
  EXPECT_EQ(after(close_all, {"run", "selftest.pass", "--world=sim", "-o", path("out")}).code, 0);
  EXPECT_THAT(content(path("out/results.jsonl")), AllOf(HasSubstr("selftest.pass"), Not(HasSubstr("workers"))));
  EXPECT_THAT(content(path("out/run.json")), HasSubstr("conforming"));
}

TEST_F(BadEnd, TooFewOpenFilesAreTold) {
  const auto few = [] {
    const rlimit limit{12, 12};
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
  };
  expect(after(few, {"run", "selftest.pass", "--world=sim", "-o", path("out")}), 3,
         AllOf(HasSubstr("Too many open files"), HasSubstr("ulimit -n")));
  expect(after(few, {"doctor"}), 3, AllOf(HasSubstr("open files"), HasSubstr("ulimit -n")));
#ifndef __SANITIZE_ADDRESS__
  const auto too_few_for_a_deployment = [] {
    const rlimit limit{40, 40};
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
  };
  const auto ended =
      after(too_few_for_a_deployment, {"run", "migration.rehearsal", "--world=live", "--jobs=1", "-o", path("out")});
  expect(ended, 3, AllOf(HasSubstr("ulimit -n"), Not(HasSubstr("did not end within"))));
#endif
}

TEST_F(BadEnd, AReaderThatGoesAwayCostsNoReport) {
  Program program({"run", "selftest.pass", "message", "--world=sim", "-o", path("out")});
  ASSERT_TRUE(program.read_until("cutover 0"));
  program.stop_reading();
  EXPECT_EQ(program.end().code, 0);
  EXPECT_THAT(content(path("out/junit.xml")), HasSubstr("name=\"pass\""));
  EXPECT_THAT(content(path("out/run.json")), HasSubstr("conforming"));
}

TEST_F(BadEnd, AKilledRunnerLeavesItsResultsAndNoProcess) {
  Program program(
      {"run", "selftest.pass", "selftest.fail", "selftest.hang", "--world=sim", "--jobs=2", "-o", path("out")});
  const auto lines = [&] {
    const auto text = content(path("out/results.jsonl"));
    return std::ranges::count(text, '\n');
  };
  ASSERT_TRUE(comes_true([&] { return lines() == 2; }));
  const auto workers = children_of(program.pid());
  EXPECT_EQ(workers.size(), 2U);
  program.signal(SIGKILL);
  EXPECT_EQ(program.end().code, 1000 + SIGKILL);
  EXPECT_TRUE(comes_true([&] {
    return std::ranges::none_of(workers, [](pid_t pid) {
      const auto status = content(fmt::format("/proc/{}/status", pid));
      return !status.empty() && status.find("State:\tZ") == std::string::npos;
    });
  }));
  expect(cutover({"report", path("out/results.jsonl"), "-o", path("later")}), 3,
         AllOf(HasSubstr("selftest.fail"), HasSubstr("the run is incomplete"), HasSubstr("later/report.html")));
  EXPECT_THAT(content(path("later/junit.xml")), AllOf(HasSubstr("name=\"pass\""), HasSubstr("incomplete")));
  EXPECT_THAT(content(path("later/run.json")), HasSubstr("\"target\":\"embedded reference\""));
}

TEST_F(BadEnd, TheResultsOfAWholeRunAreWhole) {
  expect(cutover({"run", "selftest.pass", "--world=sim", "-o", path("out")}), 0, HasSubstr("conforming"));
  expect(cutover({"report", path("out/results.jsonl"), "-o", path("later")}), 0, HasSubstr("conforming"));
}

TEST_F(BadEnd, AWorkerWhoseRunnerDiedBeforeItBeganTakesNoJob) {
  // The pipe of jobs has not ended: a worker that looks at it would wait for ever.
  const auto jobs_without_end = [] {
    int ends[2];
    return ::pipe(ends) == 0 && ::dup2(ends[1], 5) == 5 && ::dup2(ends[0], 3) == 3;
  };
  EXPECT_EQ(after(jobs_without_end, {"worker", "0"}).code, 1);
}

TEST_F(BadEnd, ReportReadsWhatARunLeft) {
  EXPECT_EQ(sim({"selftest.pass"}).code, 0);
  expect(cutover({"report", path("out/run.json"), "-o", path("again")}), 0, HasSubstr("conforming"));
  EXPECT_THAT(content(path("again/junit.xml")), HasSubstr("name=\"pass\""));
  EXPECT_THAT(content(path("again/run.json")), HasSubstr("\"traces\":\"../out/results.jsonl\""));
  // The program was killed in the middle of a line.
  const auto all = content(path("out/results.jsonl"));
  const auto line = all.substr(0, all.find('\n') + 1);
  expect(cutover({"report", file("cut.jsonl", line + line.substr(0, 40)), "-o", path("cut")}), 3,
         HasSubstr("1 check in 1 case"));
  expect(cutover({"report", file("bad.jsonl", line + "{}\n")}), 4, HasSubstr("bad.jsonl:2: "));
  expect(cutover({"report", file("empty.jsonl", "")}), 4, HasSubstr("nothing was finished"));
  expect(cutover({"report", path("absent.json")}), 4, HasSubstr("cannot be read"));
}

TEST_F(BadEnd, AReportWithoutItsTracesIsToldAndWritten) {
  EXPECT_EQ(sim({"message.bodies", "--seed=3"}).code, 0);
  EXPECT_THAT(content(path("out/run.json")),
              AllOf(HasSubstr("\"traces\":\"results.jsonl\""), Not(HasSubstr("\"trace\":"))));
  const auto report = [&] { return cutover({"report", path("out/run.json"), "-o", path("again")}); };
  const auto diagrams = [&] { return content(path("again/report.html")).size(); };
  expect(report(), 0, Not(HasSubstr("no sequence diagrams")));
  const auto size = diagrams();
  const auto results = content(path("out/results.jsonl"));
  // Those of a later run in the same folder are not taken for them.
  const auto first = content(path("out/run.json"));
  EXPECT_EQ(sim({"message.bodies", "--seed=3"}).code, 0);
  (void)file("out/run.json", first);
  expect(report(), 0, HasSubstr("no sequence diagrams"));
  EXPECT_LT(diagrams() + 1000, size);
  (void)file("out/results.jsonl", results);
  expect(report(), 0, Not(HasSubstr("no sequence diagrams")));
  EXPECT_EQ(diagrams(), size);
  EXPECT_EQ(::unlink(path("out/results.jsonl").c_str()), 0);
  expect(report(), 0, HasSubstr("results.jsonl cannot be read"));
}

}  // namespace
}  // namespace cutover::cli_tests
