// Prosody: a real XMPP server as a partner or a target, started from its unpacked packages on a loopback address of its
// own.
#pragma once

#include "harness/servers/private_folder.h"
#include "harness/worlds/world.h"
#include "protocol/base/check.h"
#include "protocol/tls/authority.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cutover::harness {

/// How long it keeps what it looked up, whatever the TTL of the record; counted in whole seconds.
inline constexpr Duration prosody_cache_ttl = 1s;

/// Prosody is here and does not come up; `log` is what it wrote.
struct ProsodyFailed : HarnessFault {
  ProsodyFailed(const std::string& what, std::string log_) : HarnessFault(what), log(std::move(log_)) {}
  std::string log;
};

/// How Prosody authenticates itself and its peers on S2S streams.
enum class ProsodyMode {
  external_only,          ///< SASL EXTERNAL with a trusted certificate or nothing
  dialback_over_tls,      ///< TLS required, certificates ignored, dialback
  external_and_dialback,  ///< TLS required, EXTERNAL where the certificate allows it, else dialback
  dialback_in_clear,      ///< no TLS at all, dialback
};

/// One account, for SASL PLAIN and SCRAM on port 5222.
struct ProsodyAccount {
  std::string user;
  std::string password;
};

struct ProsodySettings {
  std::string domain;    ///< the one virtual host
  std::string address;   ///< loopback address of its own; ports 5269 and 5222 are used there
  Endpoint name_server;  ///< asked for every look-up; it sees the queries come from `address`
  ProsodyMode mode = ProsodyMode::external_and_dialback;
  tls::PemFiles certificate;  ///< for the domain; `root` is the only root that it trusts
  std::vector<ProsodyAccount> accounts;
  /// Private to this server; created; settings, data and log go there. Empty: one that is removed with the server,
  /// however this process ends.
  std::filesystem::path folder;
  std::filesystem::path program;  ///< empty: what prosody_program() finds
};

/// The program that tools/fetch_prosody.sh unpacked above this executable (build/prosody), or an installed one; nullopt
/// without.
[[nodiscard]] std::optional<std::filesystem::path> prosody_program();

/// Why Prosody cannot be started here, for the reason of a skipped case; nullopt when it can.
[[nodiscard]] std::optional<std::string> prosody_unavailable();

/// The text of the configuration file for these settings.
[[nodiscard]] std::string prosody_configuration(const ProsodySettings&);

/// The name of the account file below the folder: domain and user as Prosody's `internal` storage escapes them.
[[nodiscard]] std::filesystem::path prosody_account_file(const std::string& domain, const std::string& user);

/// One running Prosody. It dies with this object, and with this process however that ends.
class Prosody {
 public:
  static constexpr std::uint16_t s2s_port = 5269;
  static constexpr std::uint16_t c2s_port = 5222;

  /// Writes the files and starts the process. Throws HarnessFault when that fails.
  explicit Prosody(ProsodySettings);
  ~Prosody();
  Prosody(const Prosody&) = delete;
  Prosody& operator=(const Prosody&) = delete;

  /// Waits until both ports accept, by connecting from host number `probe_host` of the (live) world. Throws
  /// ProsodyFailed when the process ended or `limit` came first.
  void wait_until_ready(World&, int probe_host, Duration limit = 20s);
  /// Whether the process still runs.
  [[nodiscard]] bool running();
  /// Asks it to close its streams and end (SIGTERM); running() tells when it has.
  void terminate();
  /// Waits until the process has ended; host number `probe_host` of the (live) world keeps the time. False when `limit`
  /// came first.
  [[nodiscard]] bool wait_until_ended(World& world, int probe_host, Duration limit);
  /// Ends it at once (SIGKILL to its process group). Idempotent.
  void kill();
  /// Its log so far at level debug, and what it wrote to its standard outputs: evidence for a report.
  [[nodiscard]] std::string log() const;
  [[nodiscard]] const ProsodySettings& settings() const { return settings_; }

 private:
  ProsodySettings settings_;
  std::optional<PrivateFolder> own_folder_;
  int process_ = -1;
};

}  // namespace cutover::harness
