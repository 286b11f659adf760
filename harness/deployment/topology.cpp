// Topologies from YAML, with the place of every mistake.
#include "harness/deployment/topology.h"

#include "harness/files/text_file.h"
#include "harness/files/yaml_keys.h"
#include "protocol/base/address.h"
#include "protocol/xmpp/jid.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

namespace cutover::harness {

namespace {

constexpr std::uint32_t ttl_max_s = 2'147'483'647;  // RFC 2181 section 8
constexpr std::size_t further_domains_max = 10;
constexpr int first_partner_host = 40, first_user_host = 100;
constexpr int block_size = 256, further_partners_block = 1, further_users_block = 4;
constexpr char rest_of_domains[] = "default";
constexpr char only_edge[] = "proxy";
constexpr std::uint16_t xmpp_port = 5269, link_port = 23456, sip_port = 5061, gateway_port = 5098, admin_port = 8080,
                        dns_port = 10053;

/// Judges and pictures tell the sides of a deployment by how the names of its nodes begin.
bool looks_like_a_box(std::string_view name) {
  static constexpr std::array boxes{only_edge, "gateway", "legacy-gateway"};
  return std::ranges::any_of(boxes, [&](std::string_view box) { return name.starts_with(box); });
}

/// A name that can be a zone: letters, digits and hyphens (RFC 1123 section 2.1).
bool is_host_name(std::string_view text) {
  std::size_t label = 0;
  constexpr std::size_t label_max = 63, host_prefix_max = 40, name_max = 253 - host_prefix_max;
  if (text.empty() || text.size() > name_max || text.ends_with('.')) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool edge = label == 0 || i + 1 == text.size() || text[i + 1] == '.';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && !edge);
    if (c == '.' ? label == 0 : !letter || label == label_max) return false;
    label = c == '.' ? 0 : label + 1;
  }
  return !is_address_literal(text);
}

/// ... and a domain of XMPP and of SIP: its last label is no number (RFC 1123 section 2.1), xn-- stands before a label.
bool is_domain(std::string_view text) {
  const auto top = text.substr(text.rfind('.') + 1);
  return is_host_name(text) && top.find_first_not_of("0123456789") != std::string_view::npos && xmpp::is_domain(text);
}

/// A localpart that can be a label of a certificate's name and needs no escape in a SIP URI.
bool is_user_name(const std::string& text, const std::string& domain) {
  constexpr std::size_t name_max = 63;
  return text.size() <= name_max && is_host_name(text) && xmpp::Jid::parse(text + "@" + domain).has_value();
}

/// The first has the host number of a proxy, the others those that are free around gateway and pools.
int host_of_edge_machine(std::size_t index) {
  static constexpr std::array hosts{20, 22, 23, 24, 25, 26, 27, 28, 29, 32, 33, 34, 35, 36, 37, 38, 39};
  static_assert(hosts.size() == edge_machines_max);
  return hosts.at(index);
}

/// Those that fit stand in the first block, the others one behind the other in blocks of their own.
int host_of(std::size_t index, int first, std::size_t in_block, int further_block) {
  if (index < in_block) return first + static_cast<int>(index);
  constexpr std::size_t hosts = 254;
  const auto further = index - in_block;
  return (further_block + static_cast<int>(further / hosts)) * block_size + 1 + static_cast<int>(further % hosts);
}
static_assert(partners_max - partners_in_block <= 254 * (further_users_block - further_partners_block));

/// The first of each side have the numbers of those that are alone.
int host_of_pool(std::size_t index, bool legacy) {
  constexpr int first_legacy = 30, first_new = 31, further_legacy = 60, further_new = 70;
  if (index == 0) return legacy ? first_legacy : first_new;
  return (legacy ? further_legacy : further_new) + static_cast<int>(index) - 1;
}

/// What is called so is a box already, or would be taken for one.
bool is_name_of_box(std::string_view name) {
  static constexpr std::array<std::string_view, 3> boxes{"name-server", "legacy-gateway", "gateway"};
  return std::ranges::find(boxes, name) != boxes.end() || name.starts_with(only_edge);
}

std::string first_label(const std::string& domain) { return domain.substr(0, domain.find('.')); }

std::vector<NodeSpec> fixed_nodes(const Topology& topology) {
  std::vector<NodeSpec> nodes{
      {"name-server", 2, {{"dns", dns_port}}},
      {"legacy-gateway", 10, {{"xmpp", xmpp_port}, {"sip", sip_port}}},
  };
  std::size_t index = 0;
  for (const auto& machine : edge_machines(topology))
    nodes.push_back({machine.node,
                     host_of_edge_machine(index++),
                     {{"xmpp", xmpp_port}, {"internal", link_port}, {"admin", admin_port}}});
  nodes.push_back({"gateway", 21, {{"sip", gateway_port}, {"admin", admin_port}}});
  for (const bool legacy : {true, false}) {
    index = 0;
    for (const auto& pool : legacy ? legacy_pools_of(topology) : new_pools_of(topology))
      nodes.push_back({pool, host_of_pool(index++, legacy), {{"sip", sip_port}}});
  }
  return nodes;
}

const NodeSpec* find_node(const std::vector<NodeSpec>& nodes, std::string_view name) {
  const auto found = std::ranges::find(nodes, name, &NodeSpec::name);
  return found == nodes.end() ? nullptr : &*found;
}

const std::pair<std::string, std::uint16_t>* find_service(const NodeSpec& node, std::string_view name) {
  const auto found = std::ranges::find_if(node.services, [&](const auto& service) { return service.first == name; });
  return found == node.services.end() ? nullptr : &*found;
}

std::string names_of(const std::vector<NodeSpec>& nodes) {
  std::vector<std::string> names;
  names.reserve(nodes.size());
  for (const auto& node : nodes) names.push_back(node.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string services_of(const NodeSpec& node) {
  std::vector<std::string> names;
  names.reserve(node.services.size());
  for (const auto& service : node.services) names.push_back(service.first);
  return names.empty() ? "none: it connects only" : fmt::format("{}", fmt::join(names, ", "));
}

std::optional<std::uint16_t> parse_port(const std::string& text) {
  std::uint16_t port = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, port);
  if (read.ec != std::errc() || read.ptr != end || port == 0) return std::nullopt;
  return port;
}

/// One reader for one text, so that every error can name its source.
class TopologyReader {
 public:
  explicit TopologyReader(const std::string& source) : source_(source) {}

  [[nodiscard]] Topology read(std::string_view yaml) const {
    const YAML::Node root = load(yaml);
    if (!root.IsMap()) fail(root, "expected a mapping with domain, users and partners");
    check_keys(root, {"domain", "further-domains", "srv-ttl-seconds", "users", "partners", "pools", "edges", "places"});
    Topology topology;
    topology.domain = domain(root);
    if (root["further-domains"]) read_further_domains(root, topology);
    if (root["srv-ttl-seconds"]) read_ttls(root["srv-ttl-seconds"], topology);
    if (root["pools"]) read_pools(root["pools"], topology);
    read_users(root, topology);
    for (const auto& node : sequence(root, "partners", partners_max)) topology.partners.push_back(partner(node));
    check_unique_domains(root, topology);
    if (root["edges"]) read_edges(root["edges"], topology);
    check_hosts(root, topology);
    check_unique_nodes(root, topology);
    if (root["places"]) read_places(root["places"], topology);
    return topology;
  }

 private:
  [[noreturn]] void fail(const YAML::Node& node, const std::string& what) const {
    throw TopologyError(fmt::format("{}:{}: {}", source_, node.Mark().line + 1, what));
  }

  [[nodiscard]] YAML::Node load(std::string_view yaml) const {
    try {
      const YAML::Node root = YAML::Load(std::string(yaml));
      if (root.IsNull()) throw TopologyError(source_ + ":1: expected a mapping with domain, users and partners");
      if (const auto odd = passed_over(yaml))
        throw TopologyError(fmt::format("{}:{}: {}", source_, odd->line, odd->words));
      return root;
    } catch (const YAML::Exception& error) {
      throw TopologyError(fmt::format("{}:{}: not YAML: {}", source_, error.mark.line + 1, error.msg));
    }
  }

  void check_keys(const YAML::Node& map, const std::set<std::string>& known) const {
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) fail(entry.first, "expected a word as key");
      const auto key = entry.first.Scalar();
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
    std::uint32_t value = 0;
    const std::string digits = node.IsScalar() ? node.Scalar() : "";
    const auto* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value);
    if (digits.empty() || read.ec != std::errc() || read.ptr != end || value > ttl_max_s)
      fail(node, fmt::format("expected a number of seconds from 0 to {} for 'srv-ttl-seconds'", ttl_max_s));
    return value;
  }

  [[nodiscard]] std::string domain(const YAML::Node& map) const {
    auto name = text(map, "domain");
    if (!is_domain(name)) {
      fail(map["domain"], "expected a domain name of small letters, digits and hyphens such as a.example, not '" +
                              name + "' (write an internationalised name as xn--...)");
    }
    return name;
  }

  [[nodiscard]] YAML::Node sequence(const YAML::Node& map, const std::string& key, std::size_t max) const {
    const auto node = map[key];
    if (!node || !node.IsSequence() || node.size() == 0) {
      fail(node ? node : map, "expected a list with at least one entry for '" + key + "'");
    }
    if (node.size() > max) fail(node, fmt::format("expected at most {} entries for '{}'", max, key));
    return node;
  }

  [[nodiscard]] std::vector<std::string> names(const YAML::Node& map, const std::string& key,
                                               const std::string& domain) const {
    std::vector<std::string> result;
    for (const auto& node : sequence(map, key, users_max)) {
      if (!node.IsScalar() || !is_user_name(node.Scalar(), domain))
        fail(node, "expected a user name of small letters, digits, '-', '.', such as alice");
      if (std::ranges::count(result, node.Scalar()) != 0) fail(node, "user '" + node.Scalar() + "' is listed twice");
      result.push_back(node.Scalar());
    }
    return result;
  }

  void read_further_domains(const YAML::Node& root, Topology& topology) const {
    for (const auto& node : sequence(root, "further-domains", further_domains_max)) {
      const auto name = node.IsScalar() ? node.Scalar() : std::string();
      if (!is_domain(name)) fail(node, "expected a domain name such as b.example");
      topology.further_domains.push_back(name);
    }
  }

  /// A number of seconds, or a map of them by domain of ours.
  void read_ttls(const YAML::Node& node, Topology& topology) const {
    if (!node.IsMap()) {
      topology.srv_ttl_s = seconds(node);
      return;
    }
    const auto known = domains_of(topology);
    for (const auto& entry : node) {
      const auto domain = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
      if (domain == rest_of_domains) {
        topology.srv_ttl_s = seconds(entry.second);
      } else if (std::ranges::find(known, domain) == known.end()) {
        fail(entry.first, fmt::format("'{}' is no domain of ours, expected {} (for the rest) or one of {}", domain,
                                      rest_of_domains, fmt::join(known, ", ")));
      } else {
        topology.srv_ttls_s[domain] = seconds(entry.second);
      }
    }
  }

  /// {legacy: [old-a, old-b], new: [new-a, new-b]}; a side that is left out has one pool.
  void read_pools(const YAML::Node& pools, Topology& topology) const {
    if (!pools.IsMap() || pools.size() == 0)
      fail(pools, "expected a mapping from legacy, new, or both to a list of pools for 'pools'");
    check_keys(pools, {"legacy", "new"});
    std::set<std::string> seen;
    if (pools["legacy"]) topology.legacy_pools = pool_names(pools, "legacy", seen);
    if (pools["new"]) topology.new_pools = pool_names(pools, "new", seen);
    const auto others = new_pools_of(topology);
    for (const auto& name : legacy_pools_of(topology)) {
      if (std::ranges::find(others, name) != others.end())
        fail(pools, "'" + name + "' is the name of a pool of both sides; expected other names");
    }
  }

  [[nodiscard]] std::vector<std::string> pool_names(const YAML::Node& pools, const std::string& side,
                                                    std::set<std::string>& seen) const {
    std::vector<std::string> names;
    for (const auto& node : sequence(pools, side, pools_max)) {
      const auto name = node.IsScalar() ? node.Scalar() : std::string();
      if (!is_host_name(name))
        fail(node, "expected a name of small letters, digits and hyphens for a pool, not '" + name + "'");
      if (is_name_of_box(name)) fail(node, "'" + name + "' is the name of another node; expected another for the pool");
      if (!seen.insert(name).second) fail(node, "pool '" + name + "' is listed twice");
      names.push_back(name);
    }
    return names;
  }

  void read_users(const YAML::Node& root, Topology& topology) const {
    for (const auto& node : sequence(root, "users", users_max)) {
      if (node.IsMap())
        node["group"] ? read_group(node, topology) : read_placed_user(node, topology);
      else
        read_user(node, node.IsScalar() ? node.Scalar() : std::string(), topology);
      if (topology.users.size() > users_max)
        fail(node, fmt::format("expected at most {} users, those of groups counted", users_max));
    }
    for (const auto& group : topology.groups) {
      if (std::ranges::count(topology.users, group.name) != 0)
        fail(root["users"], "'" + group.name + "' is a user and a group; expected another name for the group");
    }
  }

  /// {group: sales, count: 40, domain: b.example}: sales-1 to sales-40; without a domain in the first one.
  void read_group(const YAML::Node& node, Topology& topology) const {
    check_keys(node, {"group", "count", "domain", "pool", "moves-to"});
    UserGroup group{.name = text(node, "group"), .users = {}};
    const auto count = count_of(node);
    if (std::ranges::find(topology.groups, group.name, &UserGroup::name) != topology.groups.end())
      fail(node["group"], "group '" + group.name + "' is listed twice");
    const auto domain = node["domain"] ? text(node, "domain") : topology.domain;
    for (std::size_t number = 1; number <= count; ++number) {
      group.users.push_back(fmt::format("{}-{}", group.name, number));
      add_user(node, group.users.back(), domain, topology);
    }
    read_move(node, group.name, topology);
    topology.groups.push_back(std::move(group));
  }

  /// {name: alice, pool: old-b, moves-to: new-b}: a user who does not start on the first pool, or is not moved to it.
  void read_placed_user(const YAML::Node& node, Topology& topology) const {
    if (!node["name"]) fail(node, "expected 'name' of a user, or 'group' and 'count' of several");
    check_keys(node, {"name", "pool", "moves-to"});
    read_user(node["name"], text(node, "name"), topology);
    read_move(node, topology.users.back(), topology);
  }

  void read_move(const YAML::Node& node, const std::string& moved, Topology& topology) const {
    const auto placed = [&](const std::string& key, const std::vector<std::string>& known, const char* side,
                            std::map<std::string, std::string>& places) {
      if (!node[key]) return;
      const auto pool = text(node, key);
      if (std::ranges::find(known, pool) == known.end())
        fail(node[key],
             fmt::format("'{}' is no {} pool for '{}', expected one of {}", pool, side, key, fmt::join(known, ", ")));
      places[moved] = pool;
    };
    placed("pool", legacy_pools_of(topology), "legacy", topology.starts);
    placed("moves-to", new_pools_of(topology), "new", topology.targets);
  }

  [[nodiscard]] std::size_t count_of(const YAML::Node& group) const {
    const auto digits = text(group, "count");
    std::size_t value = 0;
    const auto* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end || value == 0 || value > users_max)
      fail(group["count"], fmt::format("expected a number of users from 1 to {} for 'count'", users_max));
    return value;
  }

  /// "alice", or "alice@b.example" for a further domain.
  void read_user(const YAML::Node& node, const std::string& text, Topology& topology) const {
    const auto at = text.find('@');
    const auto name = text.substr(0, at), domain = at == std::string::npos ? topology.domain : text.substr(at + 1);
    add_user(node, name, domain, topology);
  }

  /// A localpart names a node, and stands once.
  void add_user(const YAML::Node& node, const std::string& name, const std::string& domain, Topology& topology) const {
    const auto known = domains_of(topology);
    if (!is_user_name(name, topology.domain))
      fail(node, "expected a user name of small letters, digits, '-', '.', such as alice");
    if (looks_like_a_box(name))
      fail(node,
           "user '" + name + "': proxy, gateway and legacy-gateway begin the names of our boxes; expected another");
    if (std::ranges::find(known, domain) == known.end())
      fail(node, fmt::format("'{}' is no domain of ours, expected one of {}", domain, fmt::join(known, ", ")));
    if (std::ranges::count(topology.users, name) != 0) fail(node, "user '" + name + "' is listed twice");
    topology.users.push_back(name);
    if (domain != topology.domain) topology.user_domains[name] = domain;
  }

  [[nodiscard]] PartnerSpec partner(const YAML::Node& node) const {
    if (!node.IsMap()) fail(node, "expected a mapping with domain, kind and users");
    check_keys(node, {"domain", "kind", "users", "server"});
    const auto name = domain(node);
    return {name, kind(node), names(node, "users", name), server(node)};
  }

  [[nodiscard]] PartnerServer server(const YAML::Node& node) const {
    if (!node["server"]) return PartnerServer::mock;
    const auto word = text(node, "server");
    for (const auto server :
         {PartnerServer::mock, PartnerServer::prosody, PartnerServer::ejabberd, PartnerServer::jabberd2}) {
      if (word == name_of(server)) return server;
    }
    fail(node["server"], fmt::format("unknown server '{}', expected mock, prosody, ejabberd or jabberd2", word));
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

  /// Edge pools by name, each with a list of its machines.
  void read_edges(const YAML::Node& edges, Topology& topology) const {
    if (!edges.IsMap() || edges.size() == 0)
      fail(edges, "expected a mapping from edge pool to a list of its machines for 'edges'");
    for (const auto& entry : edges) {
      const auto name = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
      if (!is_host_name(name) || name == "xmpp")
        fail(entry.first, "expected a name of small letters, digits and hyphens for an edge pool, not '" + name + "'");
      topology.edges.push_back({name, names(edges, name, topology.domain)});
    }
    if (edge_machines(topology).size() > edge_machines_max)
      fail(edges, fmt::format("expected at most {} machines of edge pools", edge_machines_max));
  }

  void check_unique_domains(const YAML::Node& root, const Topology& topology) const {
    std::set<std::string> seen{topology.domain};
    for (const auto& domain : topology.further_domains) {
      if (!seen.insert(domain).second) fail(root["further-domains"], "domain '" + domain + "' is used twice");
    }
    for (const auto& partner : topology.partners) {
      if (!seen.insert(partner.domain).second) fail(root["partners"], "domain '" + partner.domain + "' is used twice");
    }
  }

  /// Our zone has addresses for what is reached from outside, and a partner there would be one of these machines.
  void check_hosts(const YAML::Node& root, const Topology& topology) const {
    std::vector<std::string> hosts{"legacy-gateway", "xmpp"};
    for (const auto& edge : topology.edges) hosts.push_back(edge.name);
    for (const auto& host : hosts) {
      const auto name = host + "." + topology.domain;
      if (std::ranges::count(topology.partners, name, &PartnerSpec::domain) != 0)
        fail(root["partners"], "'" + name + "' is the name of a host of ours; expected another domain for the partner");
    }
  }

  /// A user is a node, too, and cannot have the name of another.
  void check_unique_nodes(const YAML::Node& root, const Topology& topology) const {
    std::set<std::string> seen;
    for (const auto& node : nodes_of(topology)) {
      if (!seen.insert(node.name).second)
        fail(root["users"], "'" + node.name + "' is the name of another node; expected another user name");
    }
  }

  void read_places(const YAML::Node& places, Topology& topology) const {
    if (!places.IsMap()) fail(places, "expected a mapping from node to address and ports for 'places'");
    const auto nodes = nodes_of(topology);
    std::set<std::string> known;
    for (const auto& node : nodes) known.insert(node.name);
    check_keys(places, known);
    for (const auto& entry : places) {
      const auto& node = *find_node(nodes, entry.first.Scalar());
      topology.places[node.name] = place(entry.second, node);
    }
  }

  [[nodiscard]] Place place(const YAML::Node& map, const NodeSpec& node) const {
    if (!map.IsMap()) fail(map, "expected a mapping with address and ports for '" + node.name + "'");
    std::set<std::string> known{"address"};
    for (const auto& service : node.services) known.insert(service.first);
    check_keys(map, known);
    Place result;
    for (const auto& entry : map) {
      const auto key = entry.first.Scalar();
      const auto value = text(map, key);
      if (key == "address") {
        if (!is_ipv4_literal(value)) fail(entry.second, "expected an IPv4 address for 'address', not '" + value + "'");
        result.address = value;
      } else {
        const auto port = parse_port(value);
        if (!port) fail(entry.second, fmt::format("expected a port from 1 to 65535 for '{}', not '{}'", key, value));
        result.ports[key] = *port;
      }
    }
    return result;
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

const char* name_of(PartnerServer server) {
  switch (server) {
    case PartnerServer::mock:
      return "mock";
    case PartnerServer::prosody:
      return "prosody";
    case PartnerServer::ejabberd:
      return "ejabberd";
    case PartnerServer::jabberd2:
      return "jabberd2";
    case PartnerServer::by_hand:
      return "by-hand";
  }
  return "?";
}

Topology parse_topology(std::string_view yaml, const std::string& source) { return TopologyReader(source).read(yaml); }

Topology load_topology(const std::string& path) {
  try {
    return parse_topology(read_text_file(path), path);
  } catch (const FileError& error) {
    throw TopologyError(path + ": " + error.what());
  }
}

std::vector<std::string> domains_of(const Topology& topology) {
  std::vector<std::string> all{topology.domain};
  all.insert(all.end(), topology.further_domains.begin(), topology.further_domains.end());
  return all;
}

const std::string& domain_of(const Topology& topology, const std::string& user) {
  const auto found = topology.user_domains.find(user);
  return found == topology.user_domains.end() ? topology.domain : found->second;
}

std::string address_of(const Topology& topology, const std::string& user) {
  return user + "@" + domain_of(topology, user);
}

namespace {

/// Its first label, or where others have that its domain; never what looks like a box of ours.
std::string node_name_of(const PartnerSpec& partner, bool first_label_is_taken) {
  auto name = first_label_is_taken ? partner.domain : first_label(partner.domain);
  return looks_like_a_box(name) ? "partner-" + name : name;
}

}  // namespace

std::vector<std::string> node_names_of_partners(const Topology& topology) {
  std::map<std::string, int> bearers;
  for (const auto& node : fixed_nodes(topology)) ++bearers[node.name];
  for (const auto& partner : topology.partners) ++bearers[first_label(partner.domain)];
  std::vector<std::string> names;
  names.reserve(topology.partners.size());
  for (const auto& partner : topology.partners) {
    const auto label = first_label(partner.domain);
    names.push_back(node_name_of(partner, bearers.at(label) > 1));
  }
  return names;
}

std::string node_name_of(const Topology& topology, const PartnerSpec& partner) {
  const auto mine = first_label(partner.domain);
  const auto same = [&](const PartnerSpec& other) { return first_label(other.domain) == mine; };
  const bool clear =
      std::ranges::count_if(topology.partners, same) == 1 && find_node(fixed_nodes(topology), mine) == nullptr;
  return node_name_of(partner, !clear);
}

std::vector<UserGroup> moved_as_one(const Topology& topology) {
  std::vector<UserGroup> all;
  for (const auto& user : topology.users) {
    const auto& name = moved_with(topology, user);
    if (all.empty() || all.back().name != name) all.push_back({name, {}});
    all.back().users.push_back(user);
  }
  return all;
}

const std::string& moved_with(const Topology& topology, const std::string& user) {
  const auto has = [&](const UserGroup& group) { return std::ranges::find(group.users, user) != group.users.end(); };
  const auto found = std::ranges::find_if(topology.groups, has);
  return found == topology.groups.end() ? user : found->name;
}

std::vector<std::string> legacy_pools_of(const Topology& topology) {
  if (topology.legacy_pools.empty()) return {std::string(legacy_pool_name)};
  return topology.legacy_pools;
}

std::vector<std::string> new_pools_of(const Topology& topology) {
  if (topology.new_pools.empty()) return {std::string(new_pool_name)};
  return topology.new_pools;
}

std::string start_of(const Topology& topology, const std::string& moved) {
  const auto found = topology.starts.find(moved);
  return found == topology.starts.end() ? legacy_pools_of(topology).front() : found->second;
}

std::string target_of(const Topology& topology, const std::string& moved) {
  const auto found = topology.targets.find(moved);
  return found == topology.targets.end() ? new_pools_of(topology).front() : found->second;
}

std::uint32_t srv_ttl_of(const Topology& topology, const std::string& domain) {
  const auto found = topology.srv_ttls_s.find(domain);
  return found == topology.srv_ttls_s.end() ? topology.srv_ttl_s : found->second;
}

std::optional<std::string> beyond_a_block(const Topology& topology) {
  const auto partners = topology.partners.size(), users = topology.users.size();
  if (partners <= partners_in_block && users <= users_in_block) return std::nullopt;
  return fmt::format(
      "the block of addresses of a live world holds {} partners and {} users, and the topology has {} and {}",
      partners_in_block, users_in_block, partners, users);
}

std::vector<EdgeMachine> edge_machines(const Topology& topology) {
  if (topology.edges.empty()) return {{only_edge, only_edge, ""}};
  std::vector<EdgeMachine> machines;
  for (const auto& edge : topology.edges) {
    if (edge.members.empty()) machines.push_back({fmt::format("{}-{}", only_edge, edge.name), edge.name, ""});
    for (const auto& member : edge.members)
      machines.push_back({fmt::format("{}-{}", only_edge, member), edge.name, member});
  }
  return machines;
}

std::vector<NodeSpec> nodes_of(const Topology& topology) {
  auto nodes = fixed_nodes(topology);
  std::size_t index = 0;
  for (auto& name : node_names_of_partners(topology)) {
    const int host = host_of(index++, first_partner_host, partners_in_block, further_partners_block);
    nodes.push_back({std::move(name), host, {{"xmpp", xmpp_port}}});
  }
  index = 0;
  for (const auto& user : topology.users)
    nodes.push_back({user, host_of(index++, first_user_host, users_in_block, further_users_block), {}});
  return nodes;
}

std::uint16_t port_of(const Topology& topology, std::string_view node, std::string_view service) {
  const auto nodes = nodes_of(topology);
  const auto* found = find_node(nodes, node);
  if (found == nullptr) throw std::invalid_argument(fmt::format("no service {} of a node {}", service, node));
  return port_of(topology, *found, service);
}

std::uint16_t port_of(const Topology& topology, const NodeSpec& node, std::string_view service) {
  const auto* standard = find_service(node, service);
  if (standard == nullptr) throw std::invalid_argument(fmt::format("no service {} of a node {}", service, node.name));
  const auto place = topology.places.find(node.name);
  if (place == topology.places.end()) return standard->second;
  const auto port = place->second.ports.find(standard->first);
  return port == place->second.ports.end() ? standard->second : port->second;
}

void set_place(Topology& topology, const std::string& assignment) {
  const auto equals = assignment.find('=');
  const auto fail = [&](const std::string& expected) { throw TopologyError("'" + assignment + "': " + expected); };
  if (equals == std::string::npos) fail("expected NODE=ADDRESS or NODE.SERVICE=PORT");
  const auto left = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  const auto nodes = nodes_of(topology);
  if (const auto* node = find_node(nodes, left); node != nullptr) {
    if (!is_ipv4_literal(value)) fail("expected an IPv4 address after '='");
    topology.places[node->name].address = value;
    return;
  }
  const auto dot = left.rfind('.');
  const auto* node = dot == std::string::npos ? nullptr : find_node(nodes, left.substr(0, dot));
  if (node == nullptr) fail("no such node; expected one of " + names_of(nodes));
  const auto service = left.substr(dot + 1);
  if (find_service(*node, service) == nullptr)
    fail("no such service of " + node->name + "; expected one of " + services_of(*node));
  const auto port = parse_port(value);
  if (!port) fail("expected a port from 1 to 65535 after '='");
  topology.places[node->name].ports[service] = *port;
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
