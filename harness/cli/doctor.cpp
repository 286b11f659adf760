// What this machine lacks: each finding with what it is for and the remedy.
#include "harness/cli/subcommands.h"
#include "harness/requirements.h"
#include "harness/runner.h"
#include "harness/topology.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <optional>

namespace cutover::harness::cli {

namespace {
bool print(bool good, const char* what, const std::string& detail) {
  std::cout << fmt::format("{:<9}{:<20} {}\n", good ? "ok" : "MISSING", what, detail);
  return good;
}

std::string find_program(std::initializer_list<const char*> names) {
  for (const auto* folder :
       {"/usr/local/bin/", "/usr/bin/", "/bin/", "/usr/local/sbin/", "/usr/sbin/", "/sbin/", "/snap/bin/"}) {
    for (const auto* name : names) {
      if (::access((std::string(folder) + name).c_str(), X_OK) == 0) return std::string(folder) + name;
    }
  }
  return "";
}

// An error text, or nothing: binds and listens on `port` of the block.
std::optional<std::string> cannot_bind(int block, std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7f000000U | (static_cast<std::uint32_t>(block) << 8) | 1U);
  std::optional<std::string> error;
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(descriptor, 1) != 0) {
    error = fmt::format("port {}: {}", port, std::strerror(errno));
  }
  ::close(descriptor);
  return error;
}

bool user_namespaces() {
  const auto child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = 1;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
}  // namespace

int doctor() {
  bool runs = true;
  print(true, "catalogue", fmt::format("{} requirements built in", Catalogue::current().all().size()));
  print(true, "processors", fmt::format("{}", ::sysconf(_SC_NPROCESSORS_ONLN)));
  try {
    const BlockLease lease;
    std::string taken;
    for (const auto port : std::initializer_list<std::uint16_t>{5269, 23456, 5061, 5098}) {
      if (const auto error = cannot_bind(lease.block(), port)) taken += (taken.empty() ? "" : "; ") + *error;
    }
    runs = print(taken.empty(), "loopback ports",
                 taken.empty() ? "5269, 23456, 5061 and 5098 can be bound (every --world=live case)"
                               : taken + ": live cases cannot run; free the port on 127.0.0.0/8, or use --world=sim");
  } catch (const std::exception& error) {
    runs = print(false, "loopback ports", error.what());
  }
  print(user_namespaces(), "user namespaces",
        "to give a real server a network of its own; without them it gets a loopback address");
  const auto prosody = find_program({"prosody"});
  print(!prosody.empty(), "prosody",
        prosody.empty() ? "no installed one (label interop): tools/fetch_prosody.sh unpacks it into a private folder"
                        : prosody);
  const auto browser = find_program({"chromium", "chromium-browser", "google-chrome"});
  print(!browser.empty(), "chromium",
        browser.empty() ? "tests of the HTML report are skipped: install the package chromium" : browser);
  struct statvfs disk {};
  const bool known = ::statvfs(".", &disk) == 0;
  const auto free_mib = known ? disk.f_bavail * disk.f_frsize / (1024 * 1024) : 0;
  print(known && free_mib >= 100, "disk",
        fmt::format("{} MiB free here; reports of a full run take up to 100 MiB", free_mib));
  const bool writable = ::access(".", W_OK) == 0;
  print(writable, "writable folder",
        writable ? std::filesystem::current_path().string() : "reports go to ./out: use -o DIR");
  return runs ? 0 : 3;
}

}  // namespace cutover::harness::cli
