// Writes Prosody's configuration and data, and owns its process.
#include "harness/servers/prosody.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

namespace cutover::harness {

namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw HarnessFault("cannot write " + path.string());
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A Lua string literal for any octets.
std::string lua_string(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f)
      literal += fmt::format("\\{:03}", octet);
    else if (c == '"' || c == '\\')
      literal += {'\\', c};
    else
      literal += c;
  }
  return literal + '"';
}

/// util.datamanager: every octet but letters and digits as %xx.
std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (plain)
      text += c;
    else
      text += fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

std::string ssl_section(const fs::path& folder) {
  return fmt::format("ssl = {{ certificate = {}; key = {}; cafile = {}; capath = false }}\n",
                     lua_string((folder / "certificate.pem").string()), lua_string((folder / "key.pem").string()),
                     lua_string((folder / "root.pem").string()));
}

std::string mode_section(ProsodyMode mode) {
  struct Row {
    bool encryption, secure_auth;
    std::string_view enabled, disabled;
  };
  const auto row = [&]() -> Row {
    switch (mode) {
      case ProsodyMode::external_only:
        return {true, true, R"("tls";)", R"("dialback";)"};
      case ProsodyMode::dialback_over_tls:
        return {true, false, R"("tls"; "dialback";)", R"("s2s_auth_certs";)"};
      case ProsodyMode::external_and_dialback:
        return {true, false, R"("tls"; "dialback";)", ""};
      case ProsodyMode::dialback_in_clear:
        return {false, false, R"("dialback";)", R"("tls"; "s2s_auth_certs";)"};
    }
    throw HarnessFault("no such mode of Prosody");
  }();
  return fmt::format(
      "modules_enabled = {{ \"roster\"; \"saslauth\"; \"disco\"; \"ping\"; \"posix\"; {} }}\n"
      "modules_disabled = {{ {} }}\n"
      "s2s_require_encryption = {}\n"
      "s2s_secure_auth = {}\n",
      row.enabled, row.disabled, row.encryption, row.secure_auth);
}

/// Finds out when a port accepts: it connects, and tries again after a while where it is refused.
class PortProbe : public Node {
 public:
  PortProbe(std::string address, std::uint16_t port) : target_{std::move(address), port} {}
  ~PortProbe() override {
    if (context_ != nullptr) context_->forget(*this);
  }
  PortProbe(const PortProbe&) = delete;
  PortProbe& operator=(const PortProbe&) = delete;

  void start(Context& context) override {
    context_ = &context;
    on_wake();
  }
  void on_wake() override { connection_ = context_->connect(*this, target_); }
  void on_connected(ConnectionId connection) override {
    accepted_ = true;
    context_->abort(connection);
  }
  void on_connect_failed(ConnectionId, std::string_view) override { context_->wake_at(*this, context_->now() + 20ms); }
  [[nodiscard]] bool accepted() const { return accepted_; }

 private:
  Endpoint target_;
  Context* context_ = nullptr;
  ConnectionId connection_ = ConnectionId::none;
  bool accepted_ = false;
};

/// Wakes the world now and then: the end of a process is no event of the network.
class Ticker : public Node {
 public:
  Ticker() = default;
  ~Ticker() override {
    if (context_ != nullptr) context_->forget(*this);
  }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  void start(Context& context) override {
    context_ = &context;
    on_wake();
  }
  void on_wake() override { context_->wake_at(*this, context_->now() + 20ms); }

 private:
  Context* context_ = nullptr;
};

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text.empty() ? "it wrote nothing" : std::string(text.substr(text.rfind('\n') + 1));
}

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

pid_t spawn(const fs::path& program, const fs::path& configuration, const fs::path& folder) {
  // Everything that allocates happens before the fork.
  std::array<std::string, 4> words{program.string(), "--config", configuration.string(), "-F"};
  std::array<std::string, 3> variables{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + folder.string(),
                                       "LC_ALL=C.UTF-8"};
  std::array<char*, words.size() + 1> arguments{};
  std::array<char*, variables.size() + 1> environment{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments.at(i) = words.at(i).data();
  for (std::size_t i = 0; i < variables.size(); ++i) environment.at(i) = variables.at(i).data();
  const std::string output = (folder / "output.log").string();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw HarnessFault(fmt::format("cannot start Prosody: {}", std::strerror(errno)));
  if (child == 0) become(words[0].c_str(), arguments.data(), environment.data(), output.c_str(), parent);
  return child;
}

}  // namespace

std::optional<fs::path> prosody_program() {
  std::error_code ignored;
  for (fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    const fs::path program = folder / "prosody" / "bin" / "prosody";
    if (fs::exists(program, ignored)) return program;
  }
  if (fs::exists("/usr/bin/prosody", ignored)) return "/usr/bin/prosody";
  return std::nullopt;
}

std::optional<std::string> prosody_unavailable() {
  if (prosody_program()) return std::nullopt;
  return "no Prosody here: tools/fetch_prosody.sh [FOLDER] unpacks Debian's into build/prosody, or for a build tree "
         "elsewhere into TREE/prosody";
}

fs::path prosody_account_file(const std::string& domain, const std::string& user) {
  return fs::path("data") / escaped(domain) / "accounts" / (escaped(user) + ".dat");
}

std::string prosody_configuration(const ProsodySettings& settings) {
  const auto& folder = settings.folder;
  std::string text = fmt::format(
      "daemonize = false\nrun_as_root = true\n"
      "data_path = {}\ncertificates = {}\npidfile = {}\nadmin_socket = {}\n"
      "interfaces = {{ {} }}\nuse_ipv6 = false\ns2s_ports = {{ {} }}\nc2s_ports = {{ {} }}\n"
      "http_ports = {{}}\nhttps_ports = {{}}\ns2s_direct_tls_ports = {{}}\nc2s_direct_tls_ports = {{}}\n",
      lua_string((folder / "data").string()), lua_string((folder / "certificates").string()),
      lua_string((folder / "prosody.pid").string()), lua_string((folder / "admin.sock").string()),
      lua_string(settings.address), Prosody::s2s_port, Prosody::c2s_port);
  text += mode_section(settings.mode);
  text +=
      "authentication = \"internal_plain\"\nstorage = \"internal\"\n"
      "c2s_require_encryption = false\nallow_unencrypted_plain_auth = true\n";
  text += ssl_section(folder);
  // libunbound by default asks neither loopback addresses nor anybody about `.test`, and would validate DNSSEC.
  text += fmt::format(
      "unbound = {{ resolvconf = false; hoststxt = false; forward = {{ {} }}; options = {{\n"
      "  [\"do-not-query-localhost:\"] = \"no\"; [\"local-zone:\"] = \"test. transparent\"; [\"module-config:\"] = "
      "\"iterator\";\n"
      "  [\"outgoing-interface:\"] = {}; [\"cache-max-ttl:\"] = \"{}\"; [\"cache-max-negative-ttl:\"] = \"{}\" }} }}\n",
      lua_string(fmt::format("{}@{}", settings.name_server.address, settings.name_server.port)),
      lua_string(settings.address), prosody_cache_ttl / 1s, prosody_cache_ttl / 1s);
  text += fmt::format("log = {{ {{ levels = {{ min = \"debug\" }}, to = \"file\", filename = {} }} }}\n",
                      lua_string((folder / "prosody.log").string()));
  return text + fmt::format("VirtualHost {}\n  {}", lua_string(settings.domain), ssl_section(folder));
}

Prosody::Prosody(ProsodySettings settings) : settings_(std::move(settings)) {
  if (settings_.program.empty()) {
    const auto program = prosody_program();
    if (!program) throw HarnessFault(*prosody_unavailable());
    settings_.program = *program;
  }
  if (settings_.folder.empty()) own_folder_.emplace();
  settings_.folder = own_folder_ ? own_folder_->path() : fs::absolute(settings_.folder);
  const auto& folder = settings_.folder;
  std::error_code error;
  fs::create_directories(folder / "certificates", error);
  if (error) throw HarnessFault("cannot create " + folder.string() + ": " + error.message());
  fs::permissions(folder, fs::perms::owner_all);
  write_file(folder / "certificate.pem", settings_.certificate.certificate_chain);
  write_file(folder / "key.pem", settings_.certificate.private_key);
  write_file(folder / "root.pem", settings_.certificate.root);
  for (const auto& account : settings_.accounts) {
    const fs::path file = folder / prosody_account_file(settings_.domain, account.user);
    fs::create_directories(file.parent_path());
    write_file(file, fmt::format("return {{ [\"password\"] = {}; }};\n", lua_string(account.password)));
  }
  write_file(folder / "prosody.cfg.lua", prosody_configuration(settings_));
  process_ = spawn(settings_.program, folder / "prosody.cfg.lua", folder);
}

Prosody::~Prosody() { kill(); }

void Prosody::wait_until_ready(World& world, int probe_host, Duration limit) {
  const Time end = world.now() + limit;
  for (const std::uint16_t port : {s2s_port, c2s_port}) {
    auto& probe = world.add(fmt::format("probe of {}", settings_.domain), probe_host,
                            std::make_unique<PortProbe>(settings_.address, port));
    const bool settled = world.run_until([&] { return probe.accepted() || !running(); }, end - world.now());
    const bool accepted = settled && probe.accepted();
    world.remove(probe);
    if (accepted) continue;
    const auto* how = running() ? "does not listen" : "ended instead of listening";
    throw ProsodyFailed(fmt::format("Prosody at {} {}: {}", settings_.address, how, last_line(log())), log());
  }
}

bool Prosody::wait_until_ended(World& world, int probe_host, Duration limit) {
  auto& ticker = world.add("end of " + settings_.domain, probe_host, std::make_unique<Ticker>());
  const bool ended = world.run_until([&] { return !running(); }, limit);
  world.remove(ticker);
  return ended;
}

bool Prosody::running() {
  if (process_ < 0) return false;
  int status = 0;
  if (waitpid(process_, &status, WNOHANG) == 0) return true;
  process_ = -1;
  return false;
}

void Prosody::terminate() {
  if (running()) ::kill(process_, SIGTERM);
}

void Prosody::kill() {
  if (!running()) return;
  // Its group: it may not have got as far as setpgid, then the second line ends it.
  ::kill(-process_, SIGKILL);
  ::kill(process_, SIGKILL);
  int status = 0;
  while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
}

std::string Prosody::log() const {
  return read_file(settings_.folder / "output.log") + read_file(settings_.folder / "prosody.log");
}

}  // namespace cutover::harness
