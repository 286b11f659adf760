// A real XMPP server as a partner or a target, started from its unpacked packages on a loopback address of its own.
// What differs between the products is in a file each; everything else is here.
#pragma once

#include "harness/servers/private_folder.h"
#include "harness/servers/process.h"
#include "harness/worlds/world.h"
#include "protocol/base/check.h"
#include "protocol/tls/authority.h"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cutover::harness {

/// It is here and does not come up; `log` is what it wrote.
struct ServerFailed : HarnessFault {
  ServerFailed(const std::string& what, std::string log_) : HarnessFault(what), log(std::move(log_)) {}
  std::string log;
};

/// How it authenticates itself and its peers on S2S streams.
enum class ServerMode {
  external_only,          ///< SASL EXTERNAL with a trusted certificate or nothing
  dialback_over_tls,      ///< TLS required, certificates ignored, dialback
  external_and_dialback,  ///< TLS required, EXTERNAL where the certificate allows it, else dialback
  dialback_in_clear,      ///< no TLS at all, dialback
  opportunistic,          ///< TLS where the peer has it, then as the best that the product can; dialback in clear else
};
[[nodiscard]] const char* name_of(ServerMode);

/// One account, for clients on port 5222.
struct ServerAccount {
  std::string user;
  std::string password;
};

struct ServerSettings {
  std::string domain;    ///< the one virtual host
  std::string address;   ///< loopback address of its own; ports 5269 and 5222 are used there
  Endpoint name_server;  ///< asked for every look-up
  ServerMode mode = ServerMode::external_and_dialback;
  tls::PemFiles certificate;  ///< for the domain; `root` is the only root that it trusts
  std::vector<ServerAccount> accounts;
  bool direct_tls = false;            ///< takes TLS from the first octet at ports 5270 and 5223, too; Prosody alone
  bool plain_only = false;            ///< offers its users PLAIN and nothing better; Prosody alone
  std::filesystem::path tls_secrets;  ///< where it writes the secrets of its TLS connections; empty: nowhere
  /// Private to this server; created; settings, data and log go there. Empty: one that is removed with the server,
  /// however this process ends.
  std::filesystem::path folder;
  std::filesystem::path program;  ///< empty: what program_of() finds
};

/// One program of a server. `ports` accept and, unless it is empty, `text` stands in `file` when it is up; until then
/// the next one is not started.
struct ServerProcess {
  std::string name;  ///< its output goes to NAME.out in the folder
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  ///< NAME=VALUE beside PATH, HOME and LC_ALL
  std::vector<std::uint16_t> ports;
  std::string file, text;
};

/// What a product makes of the settings. Paths are relative to the folder.
struct ServerPlan {
  std::vector<std::pair<std::string, std::string>> files;  ///< path and content
  std::vector<ServerProcess> processes;
  std::vector<std::string> logs;
};

struct ServerProduct {
  const char* name;   ///< of its folder, its program and in files: "ejabberd"
  const char* title;  ///< for people
  std::vector<ServerMode> modes;
  /// How long it may keep what it looked up, whatever the TTL of the record.
  Duration cache_ttl;
  const char* library;    ///< to be loaded into it (see preloaded/); empty: none
  const char* installed;  ///< where its Debian package puts the program; empty: an installed one is of no use
  ServerPlan (*plan)(const ServerSettings&);

  [[nodiscard]] bool has(ServerMode) const;
};

[[nodiscard]] const ServerProduct& prosody();
[[nodiscard]] const ServerProduct& ejabberd();
[[nodiscard]] const ServerProduct& jabberd2();
[[nodiscard]] std::span<const ServerProduct* const> server_products();
/// nullptr for a name of none.
[[nodiscard]] const ServerProduct* product_named(std::string_view name);

/// `path` in the folder of this executable or in the nearest one above that has it; nullopt where none has.
[[nodiscard]] std::optional<std::filesystem::path> find_upwards(const std::filesystem::path& path);
/// The program that tools/fetch_servers.sh unpacked above this executable (build/NAME/bin/NAME), or an installed one;
/// nullopt without.
[[nodiscard]] std::optional<std::filesystem::path> program_of(const ServerProduct&);
/// Why it cannot be started here, for the reason of a skipped case; nullopt when it can.
[[nodiscard]] std::optional<std::string> unavailable(const ServerProduct&);

/// One running server. It dies with this object, and with this process however that ends.
class RealServer {
 public:
  static constexpr std::uint16_t s2s_port = 5269;
  static constexpr std::uint16_t c2s_port = 5222;
  static constexpr std::uint16_t direct_s2s_port = 5270, direct_c2s_port = 5223;
  static constexpr Duration start_limit = 60s;

  /// Writes the files and starts the (first) process. Throws HarnessFault when that fails, or for a mode that the
  /// product does not have.
  RealServer(const ServerProduct&, ServerSettings);
  ~RealServer() = default;  // the processes first, then the folder
  RealServer(const RealServer&) = delete;
  RealServer& operator=(const RealServer&) = delete;

  /// Waits until all of it is up, looking from host number `probe_host` of the (live) world. Throws ServerFailed when a
  /// process ended or `limit` came first.
  void wait_until_ready(World&, int probe_host, Duration limit = start_limit);
  /// Whether every process that was started still runs.
  [[nodiscard]] bool running();
  /// Asks it to close its streams and end (SIGTERM).
  void terminate();
  /// Waits until every process has ended; host number `probe_host` of the (live) world keeps the time. False when
  /// `limit` came first.
  [[nodiscard]] bool wait_until_ended(World& world, int probe_host, Duration limit);
  /// Ends it at once (SIGKILL). Idempotent.
  void kill();
  /// Its logs so far, and what it wrote to its standard outputs: evidence for a report.
  [[nodiscard]] std::string log() const;
  [[nodiscard]] const ServerProduct& product() const { return product_; }
  [[nodiscard]] const ServerSettings& settings() const { return settings_; }

 private:
  void start(const ServerProcess&);
  void wait_until_up(const ServerProcess&, World&, int probe_host, Time end);

  const ServerProduct& product_;
  ServerSettings settings_;
  std::optional<PrivateFolder> own_folder_;
  ServerPlan plan_;
  std::vector<ChildProcess> processes_;  ///< of the plan, as far as it has come
};

}  // namespace cutover::harness
