// A real server beside the program: where it is missing or does not start, and that it never outlives anybody.
#include "harness/cli_tests/program.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <filesystem>
#include <fstream>

namespace cutover::cli_tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* case_id = "interop.prosody-by-external";

class ServerProcess : public CommandLine {
 public:
  // The server's folder goes below ours, and tells our processes from those of every other test.
  ServerProcess() {
    fs::create_directory(path("tmp"));
    ::setenv("TMPDIR", path("tmp").c_str(), 1);
    // Whoever outlives the program becomes our child, whatever it calls itself by then.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  ~ServerProcess() override { ::unsetenv("TMPDIR"); }

 protected:
  /// The program in a folder of its own, so that it finds only the Prosody beside it.
  [[nodiscard]] std::string copied_program() const {
    fs::copy_file(CUTOVER_PROGRAM, path("cutover"), fs::copy_options::overwrite_existing);
    return path("cutover");
  }
  void put_prosody(const std::string& script) const {
    fs::create_directories(path("prosody/bin"));
    std::ofstream(path("prosody/bin/prosody")) << "#!/bin/sh\n" << script;
    fs::permissions(path("prosody/bin/prosody"), fs::perms::owner_all);
  }
  static bool built_with(const std::string& server) {
    for (fs::path folder = CUTOVER_PROGRAM; folder.has_relative_path(); folder = folder.parent_path())
      if (fs::exists(folder.parent_path() / server / "bin" / server)) return true;
    return server == "prosody" && fs::exists("/usr/bin/prosody");
  }

  /// The processes whose home is a folder below ours: a server's, and what it started. A process that is just between
  /// two programs has no environment, so that only being found tells something.
  [[nodiscard]] std::vector<pid_t> servers() const {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const int pid = std::atoi(entry.path().filename().c_str());
      const auto home = "HOME=" + path("tmp") + "/cutover-server-";
      if (pid > 0 && content(entry.path() / "environ").find(home) != std::string::npos) found.push_back(pid);
    }
    return found;
  }
  /// Looks again and again, for 30 s at most.
  static bool comes_true(const std::function<bool()>& condition) {
    for (int i = 0; i < 1500; ++i) {
      if (condition()) return true;
      ::poll(nullptr, 0, 20);
    }
    return false;
  }
  [[nodiscard]] std::vector<pid_t> running_servers() const {
    std::vector<pid_t> found;
    comes_true([&] { return !(found = servers()).empty(); });
    return found;
  }
  /// After the program's own end: whether everything that it had started ended too, as the kernel says.
  static bool nothing_runs() {
    return comes_true([] {
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
      return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
    });
  }
  static pid_t parent_of(pid_t pid) {
    const auto status = content("/proc/" + std::to_string(pid) + "/status");
    const auto at = status.find("\nPPid:");
    return at == std::string::npos ? 0 : std::atoi(status.c_str() + at + 6);
  }
};

TEST_F(ServerProcess, IsSkippedWithTheReasonWhereItIsMissing) {
  if (fs::exists("/usr/bin/prosody")) GTEST_SKIP() << "Prosody is installed here";
  Program program({"run", case_id, "--world=live", "--single"}, copied_program());
  expect(program.end(), 77, HasSubstr("no Prosody here: tools/fetch_servers.sh prosody unpacks"));
}

TEST_F(ServerProcess, IsSkippedWithTheReasonWhereItDoesNotStart) {
  put_prosody("echo 'module lxp not found'; exit 1\n");
  Program program({"run", case_id, "--world=live", "--single"}, copied_program());
  expect(program.end(), 77, AllOf(HasSubstr("ended instead of listening"), HasSubstr("module lxp not found")));
  EXPECT_TRUE(fs::is_empty(path("tmp"))) << "its folder is removed";
}

class EveryServerProcess : public ServerProcess,
                           public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(EveryServerProcess, DiesWithTheRunner) {
  const auto& [server, with_it] = GetParam();
  if (!built_with(server)) GTEST_SKIP() << "no " << server << " here";
  Program program({"run", with_it, "--world=live", "-o", path("out")});
  ASSERT_FALSE(running_servers().empty());
  program.signal(SIGKILL);
  EXPECT_EQ(program.end().code, 1000 + SIGKILL);
  EXPECT_TRUE(nothing_runs());
  EXPECT_TRUE(comes_true([&] { return fs::is_empty(path("tmp")); })) << "keys and passwords do not stay";
}

INSTANTIATE_TEST_SUITE_P(RealServers, EveryServerProcess,
                         testing::Values(std::pair{"prosody", "interop.prosody-by-external"},
                                         std::pair{"ejabberd", "interop.ejabberd-by-external"},
                                         std::pair{"jabberd2", "interop.jabberd2-by-dialback"}));

TEST_F(ServerProcess, DiesWithItsWorkerAtTheCostOfOneCase) {
  if (!built_with("prosody")) GTEST_SKIP() << "no Prosody here";
  Program program({"run", case_id, "selftest.pass", "--world=live", "--jobs=2", "-o", path("out")});
  const auto found = running_servers();
  ASSERT_FALSE(found.empty());
  const auto worker = parent_of(found.front());
  ASSERT_GT(worker, 1);
  ASSERT_NE(worker, program.pid());
  ::kill(worker, SIGKILL);
  expect(program.end(), 3, AllOf(HasSubstr("killed by SIGKILL"), HasSubstr("1 case broken")));
  EXPECT_TRUE(nothing_runs());
  EXPECT_TRUE(comes_true([&] { return fs::is_empty(path("tmp")); }));
}

TEST_F(ServerProcess, LeavesNoProcessAndNoFileAfterAnInterruptedRun) {
  if (!built_with("prosody")) GTEST_SKIP() << "no Prosody here";
  for (const int signal : {SIGINT, SIGTERM}) {
    Program program({"run", case_id, "--world=live", "-o", path("out")});
    ASSERT_FALSE(running_servers().empty());
    program.signal(signal);
    expect(program.end(), 3, HasSubstr("the run is incomplete"));
    EXPECT_TRUE(nothing_runs());
    EXPECT_TRUE(comes_true([&] { return fs::is_empty(path("tmp")); }));
  }
  // What nobody could remove any more, the next run does.
  fs::create_directory(path("tmp/cutover-server-999999999-abcdef"));
  expect(run({case_id, "--world=live"}), 0, HasSubstr("conforming"));
  EXPECT_TRUE(fs::is_empty(path("tmp")));
}

}  // namespace
}  // namespace cutover::cli_tests
