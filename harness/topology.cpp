// Topologies from YAML, with the place of every mistake.
#include "harness/topology.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace cutover::harness {

namespace {

/// One reader for one text, so that every error can name its source.
class TopologyReader {
 public:
  explicit TopologyReader(const std::string& source) : source_(source) {}

  [[nodiscard]] Topology read(std::string_view yaml) const {
    const YAML::Node root = load(yaml);
    if (!root.IsMap()) fail(root, "expected a mapping with domain, users and partners");
    check_keys(root, {"domain", "srv-ttl-seconds", "users", "partners"});
    Topology topology;
    topology.domain = text(root, "domain");
    if (root["srv-ttl-seconds"]) topology.srv_ttl_s = seconds(root["srv-ttl-seconds"]);
    topology.users = names(root, "users");
    for (const auto& node : sequence(root, "partners")) topology.partners.push_back(partner(node));
    check_unique_domains(root, topology);
    return topology;
  }

 private:
  [[noreturn]] void fail(const YAML::Node& node, const std::string& what) const {
    throw TopologyError(fmt::format("{}:{}: {}", source_, node.Mark().line + 1, what));
  }

  [[nodiscard]] YAML::Node load(std::string_view yaml) const {
    try {
      return YAML::Load(std::string(yaml));
    } catch (const YAML::Exception& error) {
      throw TopologyError(fmt::format("{}:{}: not YAML: {}", source_, error.mark.line + 1, error.msg));
    }
  }

  void check_keys(const YAML::Node& map, const std::set<std::string>& known) const {
    for (const auto& entry : map) {
      const auto key = entry.first.as<std::string>();
      if (!known.contains(key)) {
        fail(entry.first, fmt::format("unknown key '{}', expected one of {}", key, fmt::join(known, ", ")));
      }
    }
  }

  [[nodiscard]] std::string text(const YAML::Node& map, const std::string& key) const {
    const auto node = map[key];
    if (!node || !node.IsScalar() || node.Scalar().empty())
      fail(node ? node : map, "expected a text for '" + key + "'");
    return node.Scalar();
  }

  [[nodiscard]] std::uint32_t seconds(const YAML::Node& node) const {
    try {
      return node.as<std::uint32_t>();
    } catch (const YAML::Exception&) {
      fail(node, "expected a number of seconds for 'srv-ttl-seconds'");
    }
  }

  [[nodiscard]] YAML::Node sequence(const YAML::Node& map, const std::string& key) const {
    const auto node = map[key];
    if (!node || !node.IsSequence() || node.size() == 0) {
      fail(node ? node : map, "expected a list with at least one entry for '" + key + "'");
    }
    return node;
  }

  [[nodiscard]] std::vector<std::string> names(const YAML::Node& map, const std::string& key) const {
    std::vector<std::string> result;
    for (const auto& node : sequence(map, key)) {
      if (!node.IsScalar() || node.Scalar().empty()) fail(node, "expected a user name");
      if (std::ranges::count(result, node.Scalar()) != 0) fail(node, "user '" + node.Scalar() + "' is listed twice");
      result.push_back(node.Scalar());
    }
    return result;
  }

  [[nodiscard]] PartnerSpec partner(const YAML::Node& node) const {
    if (!node.IsMap()) fail(node, "expected a mapping with domain, kind and users");
    check_keys(node, {"domain", "kind", "users", "server"});
    return {text(node, "domain"), kind(node), names(node, "users"), server(node)};
  }

  [[nodiscard]] PartnerServer server(const YAML::Node& node) const {
    if (!node["server"]) return PartnerServer::mock;
    const auto word = text(node, "server");
    for (const auto server : {PartnerServer::mock, PartnerServer::prosody}) {
      if (word == name_of(server)) return server;
    }
    fail(node["server"], fmt::format("unknown server '{}', expected mock or prosody", word));
  }

  [[nodiscard]] PartnerKind kind(const YAML::Node& node) const {
    const auto word = text(node, "kind");
    for (const auto kind :
         {PartnerKind::sasl_external, PartnerKind::dialback_over_tls, PartnerKind::plaintext_dialback}) {
      if (word == name_of(kind)) return kind;
    }
    fail(node["kind"],
         fmt::format("unknown kind '{}', expected sasl-external, dialback-over-tls or plaintext-dialback", word));
  }

  void check_unique_domains(const YAML::Node& root, const Topology& topology) const {
    std::set<std::string> seen{topology.domain};
    for (const auto& partner : topology.partners) {
      if (!seen.insert(partner.domain).second) fail(root["partners"], "domain '" + partner.domain + "' is used twice");
    }
  }

  const std::string& source_;
};

}  // namespace

const char* name_of(PartnerKind kind) {
  switch (kind) {
    case PartnerKind::sasl_external:
      return "sasl-external";
    case PartnerKind::dialback_over_tls:
      return "dialback-over-tls";
    case PartnerKind::plaintext_dialback:
      return "plaintext-dialback";
  }
  return "?";
}

const char* name_of(PartnerServer server) { return server == PartnerServer::mock ? "mock" : "prosody"; }

Topology parse_topology(std::string_view yaml, const std::string& source) { return TopologyReader(source).read(yaml); }

Topology load_topology(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw TopologyError(path + ": cannot be read; give the path of a topology file");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_topology(text.str(), path);
}

Topology reference_topology() {
  return {.domain = "contoso.example",
          .users = {"alice", "bob", "carol"},
          .partners = {{"fabrikam.example", PartnerKind::sasl_external, {"romeo"}},
                       {"litware.example", PartnerKind::dialback_over_tls, {"juliet"}},
                       {"talk.example", PartnerKind::plaintext_dialback, {"mercutio"}}},
          .srv_ttl_s = 300};
}

}  // namespace cutover::harness
