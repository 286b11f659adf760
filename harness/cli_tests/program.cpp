// Starts `cutover` over pipes.
#include "harness/cli_tests/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace cutover::cli_tests {

Program::Program(std::vector<std::string> arguments, const std::string& program, const std::string& folder) {
  ::signal(SIGPIPE, SIG_IGN);
  int ends[2], input[2];
  if (::pipe2(ends, O_CLOEXEC) != 0 || ::pipe2(input, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  arguments.insert(arguments.begin(), program);
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (!folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_adddup2(&actions, input[0], 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  posix_spawnattr_t attributes;  // what this process ignores must not be ignored there
  posix_spawnattr_init(&attributes);
  sigset_t standard;
  sigemptyset(&standard);
  sigaddset(&standard, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &standard);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const int error = ::posix_spawn(&pid_, program.c_str(), &actions, &attributes, pointers.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  ::close(input[0]);
  output_ = ends[0];
  input_ = input[1];
  if (error != 0) throw std::runtime_error("cannot start " + program);
}

Program::~Program() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  stop_reading();
  ::close(input_);
}

bool Program::read_until(const std::string& mark) {
  while (text_.find(mark) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

void Program::type(const std::string& text) const {
  if (::write(input_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("the program takes no input");
}

void Program::signal(int number) const { ::kill(pid_, number); }

void Program::stop_reading() {
  if (output_ >= 0) ::close(std::exchange(output_, -1));
}

Ended Program::end() {
  while (read_some()) {
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = 0;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status), text_};
}

bool Program::read_some() {
  char buffer[4096];
  constexpr int patience_ms = 60'000;
  pollfd one{output_, POLLIN, 0};
  if (output_ < 0 || ::poll(&one, 1, patience_ms) <= 0) return false;
  const auto size = ::read(output_, buffer, sizeof buffer);
  if (size > 0) text_.append(buffer, static_cast<std::size_t>(size));
  return size > 0;
}

CommandLine::CommandLine() {
  std::string name = (std::filesystem::temp_directory_path() / "cutover-cli-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  folder_ = name;
}

CommandLine::~CommandLine() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string CommandLine::file(const std::string& name, const std::string& text) const {
  std::ofstream(path(name)) << text;
  return path(name);
}

std::string CommandLine::content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Ended CommandLine::run(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"run", "-o", path("out")});
  return cutover(std::move(arguments));
}

Ended CommandLine::sim(std::vector<std::string> arguments) const {
  arguments.emplace_back("--world=sim");
  return run(std::move(arguments));
}

void expect(const Ended& ended, int code, const testing::Matcher<std::string>& output) {
  EXPECT_EQ(ended.code, code) << ended.output;
  EXPECT_THAT(ended.output, output);
}

}  // namespace cutover::cli_tests
