// What this machine lacks: each finding with what it is for and the remedy.
#include "harness/cli/subcommands.h"
#include "harness/judging/requirements.h"
#include "harness/running/block_lease.h"
#include "harness/servers/real_server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <iostream>
#include <optional>

namespace cutover::harness::cli {

namespace {

/// Prints the findings, and remembers whether something is missing that no run on loopback can do without.
class Findings {
 public:
  void good(const char* what, const std::string& detail) { line("ok", what, detail); }
  /// Something that only some cases or tests want; they are skipped.
  void lacks(const char* what, const std::string& remedy) { line("lacks", what, remedy); }
  void missing(const char* what, const std::string& remedy) {
    line("MISSING", what, remedy);
    runs_ = false;
  }
  [[nodiscard]] bool runs() const { return runs_; }

 private:
  static void line(const char* mark, const char* what, const std::string& detail) {
    std::cout << fmt::format("{:<9}{:<20} {}\n", mark, what, detail);
  }
  bool runs_ = true;
};

std::string find_program(std::initializer_list<const char*> names) {
  for (const auto* folder :
       {"/usr/local/bin/", "/usr/bin/", "/bin/", "/usr/local/sbin/", "/usr/sbin/", "/sbin/", "/snap/bin/"}) {
    for (const auto* name : names) {
      if (::access((std::string(folder) + name).c_str(), X_OK) == 0) return std::string(folder) + name;
    }
  }
  return "";
}

/// 0, or the error: binds (and, for TCP, listens) on `port` of the block.
int try_to_bind(int type, int block, std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return errno;
  const int yes = 1;
  if (type == SOCK_STREAM) ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7f010001U + (static_cast<std::uint32_t>(block) << 8U));  // as LiveWorld counts
  int error = 0;
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      (type == SOCK_STREAM && ::listen(descriptor, 1) != 0)) {
    error = errno;
  }
  ::close(descriptor);
  return error;
}

constexpr std::uint16_t dns_port = 10053;

void look_at_ports(Findings& findings) {
  const BlockLease lease;
  if (const int error = try_to_bind(SOCK_STREAM, lease.block(), 0); error != 0) {
    return findings.missing(
        "loopback range", fmt::format("127.0.0.0/8: {}; give it to the interface (ip address add 127.0.0.1/8 dev lo), "
                                      "or use --world=sim",
                                      std::strerror(error)));
  }
  findings.good("loopback range", "127.0.0.0/8, of which each worker takes a block");
  bool all = true;
  for (const auto port : std::initializer_list<std::uint16_t>{5269, 23456, 5061, 5098, dns_port, 8080}) {
    int error = try_to_bind(SOCK_STREAM, lease.block(), port);
    if (error == 0 && port == dns_port) error = try_to_bind(SOCK_DGRAM, lease.block(), port);
    if (error == 0) continue;
    all = false;
    findings.missing(
        "loopback ports",
        fmt::format("port {}: {}; `ss -lntup 'sport = :{}'` shows what listens on every address: end it, or "
                    "use --world=sim",
                    port, std::strerror(error), port));
  }
  if (all) findings.good("loopback ports", "5269, 23456, 5061, 5098 and 10053 can be bound (every --world=live case)");
}

bool user_namespaces() {
  const auto child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = 1;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void look_at_limits(Findings& findings) {
  constexpr rlim_t enough = 1024;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur >= enough) {
    findings.good("open files", fmt::format("{} a process", files.rlim_cur));
  } else {
    findings.missing("open files", fmt::format("{} a process, a deployment with many partners wants {}: ulimit -n {}",
                                               files.rlim_cur, enough, enough));
  }
  struct statvfs disk {};
  constexpr std::uint64_t mib = 1024 * 1024, enough_mib = 100;
  const bool known = ::statvfs(".", &disk) == 0;
  const std::uint64_t free_mib = known ? disk.f_bavail * disk.f_frsize / mib : 0;
  const auto text = fmt::format("{} MiB free here; reports of a full run take up to {} MiB", free_mib, enough_mib);
  free_mib >= enough_mib ? findings.good("disk", text) : findings.lacks("disk", text + ": free some, or use -o FOLDER");
  if (::access(".", W_OK) == 0) {
    findings.good("writable folder", std::filesystem::current_path().string());
  } else {
    findings.lacks("writable folder", "reports go to ./out, which cannot be made: use -o FOLDER");
  }
}

void look_at_programs(Findings& findings) {
  for (const auto* server : server_products()) {
    if (const auto program = program_of(*server))
      findings.good(server->name, program->string());
    else
      findings.lacks(server->name, "its cases of suite interop are skipped: " + *unavailable(*server));
  }
  struct Wanted {
    const char *name = "", *package = "", *what = "";
    std::initializer_list<const char*> programs;
  };
  for (const auto& wanted :
       {Wanted{"browser",
               "chromium",
               "tests of the HTML report are skipped",
               {"chromium", "chromium-browser", "google-chrome"}},
        Wanted{"tshark", "tshark", "`cutover grade` cannot judge captures, and its tests are skipped", {"tshark"}},
        Wanted{"dig", "bind9-dnsutils", "to ask the name server of `cutover serve` by hand", {"dig"}},
        Wanted{"curl", "curl", "to use the admin interface of `cutover serve` by hand", {"curl"}},
        Wanted{"openssl", "openssl", "to talk to `cutover serve` by hand", {"openssl"}}}) {
    const auto found = find_program(wanted.programs);
    if (!found.empty()) {
      findings.good(wanted.name, found);
    } else {
      findings.lacks(wanted.name, fmt::format("{}: apt-get install {}", wanted.what, wanted.package));
    }
  }
}

}  // namespace

int doctor() {
  Findings findings;
  findings.good("catalogue", fmt::format("{} requirements built in", Catalogue::current().all().size()));
  findings.good("processors", fmt::format("{}", ::sysconf(_SC_NPROCESSORS_ONLN)));
  look_at_ports(findings);
  if (user_namespaces()) {
    findings.good("user namespaces", "tests of a full disk and of taken ports have one of their own");
  } else {
    findings.lacks("user namespaces",
                   "tests of a full disk and of taken ports are skipped: as root, sysctl "
                   "kernel.unprivileged_userns_clone=1 user.max_user_namespaces=1000");
  }
  look_at_limits(findings);
  look_at_programs(findings);
  std::cout << (findings.runs() ? "this machine can run every case that is not named above\n"
                                : "live cases cannot run here (exit 3); simulated ones can: --world=sim\n");
  return findings.runs() ? 0 : 3;
}

}  // namespace cutover::harness::cli
