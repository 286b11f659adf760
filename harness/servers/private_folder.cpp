// mkdtemp(), and a shell at the other end of a socket.
#include "harness/servers/private_folder.h"

#include "protocol/base/check.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace cutover::harness {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "cutover-server-";
/// A server that dies with us may still write when the heir begins.
constexpr char will[] = R"(read -r done || for try in 1 2 3 4 5 6 7 8 9; do rm -rf -- "$1" && break; sleep 0.1; done)";

[[noreturn]] void fail(const fs::path& where, int error) {
  throw HarnessFault(fmt::format("cannot make a folder in {}: {}", where.string(), std::strerror(error)));
}

/// Those of processes that are gone with their heirs.
void remove_orphans(const fs::path& base) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(base, ignored)) {
    const auto name = entry.path().filename().string();
    int owner = 0;
    if (!name.starts_with(prefix)) continue;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), owner);
    if (owner > 0 && ::kill(owner, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

PrivateFolder::PrivateFolder() {
  const auto base = fs::temp_directory_path();
  remove_orphans(base);
  auto name = (base / fmt::format("{}{}-XXXXXX", prefix, ::getpid())).string();
  if (::mkdtemp(name.data()) == nullptr) fail(base, errno);
  path_ = name;
  appoint_heir();
}

void PrivateFolder::appoint_heir() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail(path_, errno);
  std::array<std::string, 5> words{"/bin/sh", "-c", will, "cutover-heir", path_.string()};
  std::array<char*, words.size() + 1> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments.at(i) = words.at(i).data();
  std::string search = "PATH=/usr/bin:/bin";
  std::array<char*, 2> environment{search.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);  // what ends our group does not end it
  const int error =
      ::posix_spawn(&heir_, words[0].c_str(), &actions, &attributes, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(ends[0]);
  line_ = ends[1];
  if (error == 0) return;
  ::close(line_);
  fs::remove(path_);
  fail(path_, error);
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  constexpr std::string_view done = "done\n";
  (void)::send(line_, done.data(), done.size(), MSG_NOSIGNAL);
  ::close(line_);
  while (::waitpid(heir_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace cutover::harness
