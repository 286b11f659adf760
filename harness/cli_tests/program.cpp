// Processes and pipes for the tests of the program.
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

namespace cutover::cli_tests {

Program::Program(std::vector<std::string> arguments, const std::string& program) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  arguments.insert(arguments.begin(), program);
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  const int error = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  output_ = ends[0];
  if (error != 0) throw std::runtime_error("cannot start " + program);
}

Program::~Program() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  ::close(output_);
}

bool Program::read_until(const std::string& mark) {
  while (text_.find(mark) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

void Program::signal(int number) const { ::kill(pid_, number); }

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
  pollfd one{output_, POLLIN, 0};
  if (::poll(&one, 1, 60'000) <= 0) return false;
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
