// Prosody: one program, one configuration file in Lua, one file for each account.
#include "harness/servers/prosody.h"

#include <string_view>

#include <fmt/format.h>

namespace cutover::harness {

namespace {

namespace fs = std::filesystem;

/// How long it keeps what it looked up, whatever the TTL of the record; counted in whole seconds.
constexpr Duration cache_ttl = 1s;

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

std::string mode_section(ServerMode mode) {
  struct Row {
    bool encryption, secure_auth;
    std::string_view enabled, disabled;
  };
  const auto row = [&]() -> Row {
    switch (mode) {
      case ServerMode::external_only:
        return {true, true, R"("tls";)", R"("dialback";)"};
      case ServerMode::dialback_over_tls:
        return {true, false, R"("tls"; "dialback";)", R"("s2s_auth_certs";)"};
      case ServerMode::external_and_dialback:
        return {true, false, R"("tls"; "dialback";)", ""};
      case ServerMode::dialback_in_clear:
        return {false, false, R"("dialback";)", R"("tls"; "s2s_auth_certs";)"};
      case ServerMode::opportunistic:
        return {false, false, R"("tls"; "dialback";)", ""};
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

ServerPlan plan(const ServerSettings& settings) {
  ServerPlan plan;
  plan.files = {{"certificate.pem", settings.certificate.certificate_chain},
                {"key.pem", settings.certificate.private_key},
                {"root.pem", settings.certificate.root},
                {"certificates/none", ""},  // the folder must be there
                {"prosody.cfg.lua", prosody_configuration(settings)}};
  for (const auto& account : settings.accounts)
    plan.files.emplace_back(prosody_account_file(settings.domain, account.user),
                            fmt::format("return {{ [\"password\"] = {}; }};\n", lua_string(account.password)));
  plan.processes = {{.name = "prosody",
                     .arguments = {"--config", (settings.folder / "prosody.cfg.lua").string(), "-F"},
                     .ports = {RealServer::s2s_port, RealServer::c2s_port}}};
  plan.logs = {"prosody.log"};
  return plan;
}

}  // namespace

const ServerProduct& prosody() {
  static const ServerProduct product{
      .name = "prosody",
      .title = "Prosody",
      .modes = {ServerMode::external_only, ServerMode::dialback_over_tls, ServerMode::external_and_dialback,
                ServerMode::dialback_in_clear, ServerMode::opportunistic},
      .cache_ttl = cache_ttl,
      .library = "",
      .installed = "/usr/bin/prosody",
      .plan = plan};
  return product;
}

std::string prosody_account_file(const std::string& domain, const std::string& user) {
  return "data/" + escaped(domain) + "/accounts/" + escaped(user) + ".dat";
}

std::string prosody_configuration(const ServerSettings& settings) {
  const auto& folder = settings.folder;
  std::string text = fmt::format(
      "daemonize = false\nrun_as_root = true\n"
      "data_path = {}\ncertificates = {}\npidfile = {}\nadmin_socket = {}\n"
      "interfaces = {{ {} }}\nuse_ipv6 = false\ns2s_ports = {{ {} }}\nc2s_ports = {{ {} }}\n"
      "http_ports = {{}}\nhttps_ports = {{}}\n",
      lua_string((folder / "data").string()), lua_string((folder / "certificates").string()),
      lua_string((folder / "prosody.pid").string()), lua_string((folder / "admin.sock").string()),
      lua_string(settings.address), RealServer::s2s_port, RealServer::c2s_port);
  text += settings.direct_tls ? fmt::format("s2s_direct_tls_ports = {{ {} }}\nc2s_direct_tls_ports = {{ {} }}\n",
                                            RealServer::direct_s2s_port, RealServer::direct_c2s_port)
                              : "s2s_direct_tls_ports = {}\nc2s_direct_tls_ports = {}\n";
  if (settings.plain_only) text += "disable_sasl_mechanisms = { \"DIGEST-MD5\", \"SCRAM-SHA-1\", \"SCRAM-SHA-256\" }\n";
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
      lua_string(settings.address), cache_ttl / 1s, cache_ttl / 1s);
  text += fmt::format("log = {{ {{ levels = {{ min = \"debug\" }}, to = \"file\", filename = {} }} }}\n",
                      lua_string((folder / "prosody.log").string()));
  return text + fmt::format("VirtualHost {}\n  {}", lua_string(settings.domain), ssl_section(folder));
}

}  // namespace cutover::harness
