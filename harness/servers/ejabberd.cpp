// ejabberd: one Erlang node without distribution, so that no other program of the machine knows of it.
#include "harness/servers/ejabberd.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cutover::harness {

namespace {

/// It looks services up by itself and addresses by libc.
constexpr char lookup_library[] = "libcutover_lookup.so";
constexpr std::string_view accounts_made = "the accounts are there";

/// A double-quoted text of YAML and of Erlang; paths and domains hold nothing else that would have to be escaped.
std::string literal(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

/// A binary of Erlang for any octets.
std::string binary(std::string_view text) {
  std::vector<int> octets;
  for (const char c : text) octets.push_back(static_cast<unsigned char>(c));
  return fmt::format("<<{}>>", fmt::join(octets, ","));
}

struct ModeRow {
  std::string_view starttls;
  bool dialback;
};

ModeRow row_of(ServerMode mode) {
  switch (mode) {
    case ServerMode::external_only:
      return {"required", false};
    case ServerMode::dialback_over_tls:
    case ServerMode::external_and_dialback:
      return {"required", true};
    case ServerMode::dialback_in_clear:
      return {"false", true};
    case ServerMode::opportunistic:
      return {"optional", true};
  }
  throw HarnessFault("no such mode of ejabberd");
}

/// What it trusts. Without certificates it offers SASL EXTERNAL all the same, but to a root that issued nothing.
std::string trusted_root(const ServerSettings& settings) {
  if (settings.mode != ServerMode::dialback_over_tls) return settings.certificate.root;
  return tls::make_openssl_authority(std::time(nullptr))->issue_pem({.names = {{tls::NameKind::dns, "nobody"}}}).root;
}

ServerPlan plan(const ServerSettings& settings) {
  const auto in_folder = [&](const char* name) { return (settings.folder / name).string(); };
  ServerPlan plan;
  plan.files = {{"certificate.pem", settings.certificate.certificate_chain + settings.certificate.private_key},
                {"root.pem", trusted_root(settings)},
                {"ejabberd.yml", ejabberd_configuration(settings)},
                {"inetrc", ejabberd_resolver(settings)},
                {"accounts", ejabberd_accounts(settings)}};
  ServerProcess node;
  node.name = "ejabberd";
  // `quiet`: what it says is in the file already.
  // One scheduler that does not wait busily: a node here serves a handful of streams, beside several of its kind.
  node.arguments = {"+S",
                    "1",
                    "+A",
                    "1",
                    "+sbwt",
                    "none",
                    "+sbwtdcpu",
                    "none",
                    "+sbwtdio",
                    "none",
                    "-noinput",
                    "-mnesia",
                    "dir",
                    literal(in_folder("database")),
                    "-ejabberd",
                    "quiet",
                    "true",
                    "log_path",
                    literal(in_folder("ejabberd.log")),
                    "-s",
                    "ejabberd",
                    "-eval",
                    fmt::format("ok = file:eval({})", literal(in_folder("accounts")))};
  const auto& names = settings.name_server;
  node.environment = {"EJABBERD_CONFIG_PATH=" + in_folder("ejabberd.yml"), "ERL_INETRC=" + in_folder("inetrc"),
                      "ERL_CRASH_DUMP_BYTES=0", fmt::format("CUTOVER_NAME_SERVER={}:{}", names.address, names.port)};
  if (const auto library = find_upwards(lookup_library)) node.environment.push_back("LD_PRELOAD=" + library->string());
  node.ports = {RealServer::s2s_port, RealServer::c2s_port};
  node.file = "ejabberd.out";
  node.text = accounts_made;
  plan.processes = {std::move(node)};
  plan.logs = {"ejabberd.log"};
  return plan;
}

}  // namespace

const ServerProduct& ejabberd() {
  static const ServerProduct product{
      .name = "ejabberd",
      .title = "ejabberd",
      .modes = {ServerMode::external_only, ServerMode::dialback_over_tls, ServerMode::external_and_dialback,
                ServerMode::dialback_in_clear, ServerMode::opportunistic},
      .cache_ttl = Duration::zero(),
      .library = lookup_library,
      .installed = "",  // it would want the user and the folders of its package
      .plan = plan};
  return product;
}

std::string ejabberd_configuration(const ServerSettings& settings) {
  const auto row = row_of(settings.mode);
  const auto in_folder = [&](const char* name) { return literal((settings.folder / name).string()); };
  auto text = fmt::format(
      "loglevel: info\n"
      "log_modules_fully: [ejabberd_s2s, ejabberd_s2s_in, ejabberd_s2s_out, mod_s2s_dialback, xmpp_stream_in,\n"
      "  xmpp_stream_out]\n"
      "hosts: [{0}]\n"
      "auth_method: internal\n"
      "auth_password_format: plain\n"
      "listen:\n"
      "  - {{module: ejabberd_s2s_in, ip: \"{1}\", port: {2}, max_stanza_size: 524288}}\n"
      "  - {{module: ejabberd_c2s, ip: \"{1}\", port: {3}, starttls: {4}}}\n"
      "s2s_use_starttls: {5}\n"
      "outgoing_s2s_families: [ipv4]\n"
      "outgoing_s2s_ipv4_address: \"{1}\"\n"
      // After one outbound stream that failed it refuses everything for up to so many seconds.
      "s2s_max_retry_delay: 1\n"
      "modules:\n"
      "  mod_disco: {{}}\n"
      "  mod_ping: {{}}\n"
      "  mod_roster: {{}}\n",
      literal(settings.domain), settings.address, RealServer::s2s_port, RealServer::c2s_port,
      settings.mode != ServerMode::dialback_in_clear, row.starttls);
  if (row.dialback) text += "  mod_s2s_dialback: {}\n";
  if (settings.mode != ServerMode::dialback_in_clear)
    text += fmt::format("certfiles: [{}]\ns2s_cafile: {}\n", in_folder("certificate.pem"), in_folder("root.pem"));
  return text;
}

std::string ejabberd_resolver(const ServerSettings& settings) {
  auto address = settings.name_server.address;
  std::ranges::replace(address, '.', ',');
  return fmt::format(
      "{{resolv_conf, \"\"}}.\n"
      "{{hosts_file, \"\"}}.\n"
      "{{cache_size, 0}}.\n"
      "{{nameserver, {{{}}}, {}}}.\n",
      address, settings.name_server.port);
}

std::string ejabberd_accounts(const ServerSettings& settings) {
  std::string text;
  for (const auto& account : settings.accounts)
    text += fmt::format("ok = ejabberd_auth:try_register({}, {}, {}).\n", binary(account.user), binary(settings.domain),
                        binary(account.password));
  return text + fmt::format("io:format(\"{}~n\").\n", accounts_made);
}

}  // namespace cutover::harness
