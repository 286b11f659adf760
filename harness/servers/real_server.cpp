// Lays a server's folder out, starts its processes one after the other and looks when they are up.
#include "harness/servers/real_server.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cutover::harness {

namespace {

namespace fs = std::filesystem;

constexpr Duration look_interval = 20ms;
constexpr char keylog_library[] = "libcutover_keylog.so";

/// Adds what makes a server write the secrets of its TLS connections to `file`.
void reveal_secrets(const fs::path& file, std::vector<std::string>& environment) {
  const auto library = find_upwards(keylog_library);
  if (!library)
    throw HarnessFault(fmt::format("{}, which is built with this program, is not beside it", keylog_library));
  environment.push_back("SSLKEYLOGFILE=" + file.string());
  const auto loaded = std::ranges::find_if(environment, [](const auto& one) { return one.starts_with("LD_PRELOAD="); });
  if (loaded == environment.end())
    environment.push_back("LD_PRELOAD=" + library->string());
  else
    *loaded += ":" + library->string();
}

void write_file(const fs::path& path, std::string_view text) {
  std::error_code ignored;
  fs::create_directories(path.parent_path(), ignored);
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
  void on_connect_failed(ConnectionId, std::string_view) override {
    context_->wake_at(*this, context_->now() + look_interval);
  }
  [[nodiscard]] bool accepted() const { return accepted_; }

 private:
  Endpoint target_;
  Context* context_ = nullptr;
  ConnectionId connection_ = ConnectionId::none;
  bool accepted_ = false;
};

/// Looks at something again and again: neither the end of a process nor a line in a file is an event of the network.
class Watch : public Node {
 public:
  explicit Watch(std::function<bool()> condition) : condition_(std::move(condition)) {}
  ~Watch() override {
    if (context_ != nullptr) context_->forget(*this);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void start(Context& context) override {
    context_ = &context;
    on_wake();
  }
  void on_wake() override {
    seen_ = condition_();
    if (!seen_) context_->wake_at(*this, context_->now() + look_interval);
  }
  [[nodiscard]] bool seen() const { return seen_; }

 private:
  std::function<bool()> condition_;
  Context* context_ = nullptr;
  bool seen_ = false;
};

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text.empty() ? "it wrote nothing" : std::string(text.substr(text.rfind('\n') + 1));
}

}  // namespace

const char* name_of(ServerMode mode) {
  switch (mode) {
    case ServerMode::external_only:
      return "external-only";
    case ServerMode::dialback_over_tls:
      return "dialback-over-tls";
    case ServerMode::external_and_dialback:
      return "external-and-dialback";
    case ServerMode::dialback_in_clear:
      return "dialback-in-clear";
    case ServerMode::opportunistic:
      return "opportunistic";
  }
  return "?";
}

bool ServerProduct::has(ServerMode mode) const { return std::ranges::find(modes, mode) != modes.end(); }

std::span<const ServerProduct* const> server_products() {
  static const std::array products{&prosody(), &ejabberd(), &jabberd2()};
  return products;
}

const ServerProduct* product_named(std::string_view name) {
  for (const auto* product : server_products()) {
    if (name == product->name) return product;
  }
  return nullptr;
}

std::optional<fs::path> find_upwards(const fs::path& path) {
  std::error_code ignored;
  for (fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    if (fs::exists(folder / path, ignored)) return folder / path;
  }
  return std::nullopt;
}

std::optional<fs::path> program_of(const ServerProduct& product) {
  if (auto program = find_upwards(fs::path(product.name) / "bin" / product.name)) return program;
  std::error_code ignored;
  const fs::path installed = product.installed;
  if (!installed.empty() && fs::exists(installed, ignored)) return installed;
  return std::nullopt;
}

std::optional<std::string> unavailable(const ServerProduct& product) {
  const fs::path library = product.library;
  if (!library.empty() && !find_upwards(library))
    return fmt::format("{} cannot be used here: {}, which is built with this program, is not beside it", product.title,
                       library.string());
  if (program_of(product)) return std::nullopt;
  return fmt::format(
      "no {0} here: tools/fetch_servers.sh {1} unpacks Debian's into build/{1}; for a build tree elsewhere add "
      "--into=TREE",
      product.title, product.name);
}

RealServer::RealServer(const ServerProduct& product, ServerSettings settings)
    : product_(product), settings_(std::move(settings)) {
  if (!product.has(settings_.mode))
    throw HarnessFault(fmt::format("{} has no mode {}", product.title, name_of(settings_.mode)));
  if (settings_.program.empty()) {
    const auto program = program_of(product);
    if (!program) throw HarnessFault(*unavailable(product));
    settings_.program = *program;
  }
  if (settings_.folder.empty()) own_folder_.emplace();
  settings_.folder = own_folder_ ? own_folder_->path() : fs::absolute(settings_.folder);
  const auto& folder = settings_.folder;
  plan_ = product.plan(settings_);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw HarnessFault("cannot create " + folder.string() + ": " + error.message());
  fs::permissions(folder, fs::perms::owner_all);
  for (const auto& [path, content] : plan_.files) write_file(folder / path, content);
  start(plan_.processes.front());
}

void RealServer::start(const ServerProcess& process) {
  std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + settings_.folder.string(),
                                       "LC_ALL=C.UTF-8"};
  environment.insert(environment.end(), process.environment.begin(), process.environment.end());
  if (!settings_.tls_secrets.empty()) reveal_secrets(settings_.tls_secrets, environment);
  processes_.emplace_back(settings_.program, process.arguments, std::move(environment),
                          settings_.folder / (process.name + ".out"));
}

void RealServer::wait_until_ready(World& world, int probe_host, Duration limit) {
  const Time end = world.now() + limit;
  world.put_end_off(limit);
  for (std::size_t i = 0; i < plan_.processes.size(); ++i) {
    if (i == processes_.size()) start(plan_.processes[i]);
    wait_until_up(plan_.processes[i], world, probe_host, end);
  }
  world.put_end_off(world.now() - end);  // what was left of it
}

void RealServer::wait_until_up(const ServerProcess& process, World& world, int probe_host, Time end) {
  const auto name = fmt::format("probe of {}", settings_.domain);
  const auto wait_for = [&](auto node, auto done) {
    auto& watcher = world.add(name, probe_host, std::move(node));
    const bool settled = world.run_until([&] { return done(watcher) || !running(); }, end - world.now());
    const bool up = settled && done(watcher);
    world.remove(watcher);
    return up;
  };
  const auto failed = [&](const std::string& what) {
    const auto how = running() ? "does not " + what : "ended instead of " + what;
    throw ServerFailed(fmt::format("{} at {} {}: {}", product_.title, settings_.address, how, last_line(log())), log());
  };
  for (const std::uint16_t port : process.ports) {
    if (!wait_for(std::make_unique<PortProbe>(settings_.address, port), [](auto& probe) { return probe.accepted(); }))
      failed(running() ? "listen" : "listening");
  }
  if (process.text.empty()) return;
  const auto said = [file = settings_.folder / process.file, &text = process.text] {
    return read_file(file).find(text) != std::string::npos;
  };
  if (!wait_for(std::make_unique<Watch>(said), [](auto& watch) { return watch.seen(); }))
    failed(fmt::format("{} '{}'", running() ? "say" : "saying", process.text));
}

bool RealServer::wait_until_ended(World& world, int probe_host, Duration limit) {
  const auto ended = [this] {
    return std::ranges::none_of(processes_, [](auto& process) { return process.running(); });
  };
  auto& watch = world.add("end of " + settings_.domain, probe_host, std::make_unique<Watch>(ended));
  const bool seen = world.run_until([&] { return watch.seen(); }, limit);
  world.remove(watch);
  return seen;
}

bool RealServer::running() {
  return !processes_.empty() && std::ranges::all_of(processes_, [](auto& process) { return process.running(); });
}

void RealServer::terminate() {
  for (auto& process : processes_) process.terminate();
}

void RealServer::kill() {
  for (auto& process : processes_) process.kill();
}

std::string RealServer::log() const {
  std::string text;
  for (const auto& process : plan_.processes) text += read_file(settings_.folder / (process.name + ".out"));
  for (const auto& file : plan_.logs) text += read_file(settings_.folder / file);
  return text;
}

}  // namespace cutover::harness
