// jabberd2: four programs that meet at the first of them, the router, and one SQLite database.
#include "harness/servers/jabberd2.h"

#include "harness/files/text_file.h"

#include <string_view>

#include <fmt/format.h>

namespace cutover::harness {

namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t router_port = 5347;
/// How long it keeps what it looked up; less is not accepted.
constexpr Duration cache_ttl = 5s;
/// After which it gives up what waits for a connection, in seconds.
constexpr int queue_s = 15;

bool has_tls(ServerMode mode) { return mode != ServerMode::dialback_in_clear; }

fs::path packages_of(const ServerSettings& settings) { return settings.program.parent_path().parent_path() / "files"; }

std::string shipped(const fs::path& path) {
  try {
    return read_text_file(path.string());
  } catch (const FileError& error) {
    throw HarnessFault("jabberd2 lacks " + path.string() + " (" + error.what() + "); fetch it again");
  }
}

std::string in_xml(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else
      result += c;
  }
  return result;
}

std::string in_sql(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
  return result + "'";
}

/// An example file in which parts are replaced; each must be there, or the package is not the one that we know.
class Example {
 public:
  Example(const ServerSettings& settings, const std::string& part)
      : file_(packages_of(settings) / "usr/share/doc/jabberd2/examples" / (part + ".xml.dist")),
        text_(shipped(file_)) {}

  Example& replace(std::string_view from, std::string_view to) {
    bool found = false;
    for (auto at = text_.find(from); at != std::string::npos; at = text_.find(from, at + to.size())) {
      text_.replace(at, from.size(), to);
      found = true;
    }
    if (!found) throw HarnessFault(fmt::format("{} has no '{}': another release of jabberd2?", file_.string(), from));
    return *this;
  }
  Example& after(std::string_view place, std::string_view addition) {
    return replace(place, std::string(place) + std::string(addition));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  fs::path file_;
  std::string text_;
};

/// The tables, empty, and the accounts in them: run by the first program that opens the database.
std::string database(const ServerSettings& settings) {
  auto sql = shipped(packages_of(settings) / "usr/share/doc/jabberd2/db-setup.sqlite");
  for (const auto& account : settings.accounts) {
    sql += fmt::format("INSERT INTO authreg VALUES ({}, {}, {});\n", in_sql(account.user), in_sql(settings.domain),
                       in_sql(account.password));
    sql += fmt::format("INSERT INTO active VALUES ({}, NULL, 1);\n", in_sql(account.user + "@" + settings.domain));
  }
  return sql;
}

void set_storage(Example& example, const ServerSettings& settings) {
  example.replace("<path>/usr/lib/", fmt::format("<path>{}/usr/lib/", packages_of(settings).string()))
      .replace("/var/lib/jabberd2/sqlite.db", (settings.folder / "database").string());
}

void set_c2s(Example& example, const ServerSettings& settings) {
  set_storage(example, settings);
  example
      .replace("<id register-enable='mu'>localhost.localdomain</id>",
               fmt::format("<id{}>{}</id>",
                           has_tls(settings.mode)
                               ? fmt::format(" pemfile='{}'", (settings.folder / "certificate.pem").string())
                               : "",
                           settings.domain))
      .after("PRAGMA synchronous = NORMAL;", "\n" + in_xml(database(settings)));
}

void set_s2s(Example& example, const ServerSettings& settings) {
  auto local = fmt::format("<origins><ip>{}</ip></origins>", settings.address);
  if (has_tls(settings.mode))
    local += fmt::format("<pemfile>{}</pemfile>", (settings.folder / "certificate.pem").string());
  example.after("<port>5269</port>", local);
  if (settings.mode == ServerMode::dialback_over_tls) example.after("<security>", "<require_tls/>");
  // Its own back-off and caches outlast a case by far.
  example.replace("<interval>60</interval>", "<interval>1</interval>")
      .replace("<queue>60</queue>", fmt::format("<queue>{}</queue>", queue_s))
      .replace("<retry>300</retry>", fmt::format("<retry>{}</retry>", queue_s))
      .replace("<dnscache>300</dnscache>", "<dnscache>1</dnscache>")
      .replace("<min-ttl>30</min-ttl>", fmt::format("<min-ttl>{}</min-ttl>", cache_ttl / 1s))
      .replace("<max-ttl>86400</max-ttl>", fmt::format("<max-ttl>{}</max-ttl>", cache_ttl / 1s))
      .replace("<bad-host-timeout>3600</bad-host-timeout>", "<bad-host-timeout>1</bad-host-timeout>");
}

ServerProcess process(const std::string& part, const ServerSettings& settings) {
  return {.name = part,
          .arguments = {part, "-c", (settings.folder / (part + ".xml")).string()},
          .environment = {"NAMESERVERS=" + settings.name_server.address,
                          fmt::format("RES_OPTIONS=port:{} timeout:1", settings.name_server.port)},
          .ports = {},
          .file = part + ".log",
          .text = {}};
}

ServerPlan plan(const ServerSettings& settings) {
  ServerPlan plan;
  plan.files = {{"certificate.pem", settings.certificate.certificate_chain + settings.certificate.private_key},
                {"router-users.xml", Example(settings, "router-users").text()},
                {"router-filter.xml", Example(settings, "router-filter").text()}};
  auto router = process("router", settings), c2s = process("c2s", settings), sm = process("sm", settings),
       s2s = process("s2s", settings);
  router.ports = {router_port};
  // The database is made by c2s; what the router says counts, for only then does it route to them.
  c2s.ports = {RealServer::c2s_port};
  s2s.ports = {RealServer::s2s_port};
  for (auto* part : {&c2s, &sm, &s2s}) part->file = "router.log";
  c2s.text = "[c2s] online";
  sm.text = fmt::format("[{}] online", settings.domain);
  s2s.text = "[s2s] online";
  for (auto* part : {&router, &c2s, &sm, &s2s}) {
    plan.files.emplace_back(part->name + ".xml", jabberd2_configuration(part->name, settings));
    plan.logs.push_back(part->name + ".log");
    plan.processes.push_back(std::move(*part));
  }
  return plan;
}

}  // namespace

const ServerProduct& jabberd2() {
  static const ServerProduct product{
      .name = "jabberd2",
      .title = "jabberd2",
      // It has no SASL EXTERNAL between servers.
      .modes = {ServerMode::dialback_over_tls, ServerMode::dialback_in_clear, ServerMode::opportunistic},
      .cache_ttl = cache_ttl,
      .library = "",
      .installed = "",  // four programs, and folders that belong to the user of its package
      .plan = plan};
  return product;
}

std::string jabberd2_configuration(const std::string& part, const ServerSettings& settings) {
  Example example(settings, part);
  const auto folder = settings.folder.string();
  example.replace("/var/run/jabberd2/", folder + "/").replace("/var/log/jabberd2/", folder + "/");
  if (part == "router") {
    example.replace("/etc/jabberd2/", folder + "/");
  } else {
    example.replace("<ip>127.0.0.1</ip>", fmt::format("<ip>{}</ip>", settings.address));
  }
  if (part != "sm") example.replace("<ip>0.0.0.0</ip>", fmt::format("<ip>{}</ip>", settings.address));
  if (part == "sm") {
    set_storage(example, settings);
    example.replace("<id>localhost.localdomain</id>", fmt::format("<id>{}</id>", settings.domain));
  }
  if (part == "c2s") set_c2s(example, settings);
  if (part == "s2s") set_s2s(example, settings);
  return example.text();
}

}  // namespace cutover::harness
