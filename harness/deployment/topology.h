// Topology: who exists and who hosts what, as a plain value; loadable from YAML.
#pragma once

#include "harness/negotiation/side.h"

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness {

/// How a partner authenticates its streams and ours.
enum class PartnerKind { sasl_external, dialback_over_tls, plaintext_dialback };
[[nodiscard]] const char* name_of(PartnerKind);

/// Who serves a partner's domain: a mock, a real server of its own, or nobody yet (a case that speaks for it by hand;
/// not in a file).
enum class PartnerServer { mock, prosody, ejabberd, jabberd2, by_hand };
[[nodiscard]] const char* name_of(PartnerServer);

struct PartnerSpec {
  std::string domain;
  PartnerKind kind = PartnerKind::sasl_external;
  std::vector<std::string> users;
  PartnerServer server = PartnerServer::mock;
  std::optional<negotiation::Side> side = {};  ///< of a mock, instead of what its kind has; not in a file
  bool operator==(const PartnerSpec&) const = default;
};

/// Where a node is served when it is not left to the world: an IPv4 literal (empty: the world's choice) and ports by
/// service name.
struct Place {
  std::string address;
  std::map<std::string, std::uint16_t> ports;
  bool operator==(const Place&) const = default;
};

/// An edge pool of the new side; each member is a machine with an address of its own.
struct EdgeSpec {
  std::string name;
  std::vector<std::string> members;  ///< empty: one machine
  bool operator==(const EdgeSpec&) const = default;
};

/// Users of equal situation who are moved as one: NAME-1 to NAME-COUNT.
struct UserGroup {
  std::string name;
  std::vector<std::string> users;
  bool operator==(const UserGroup&) const = default;
};

/// The usual names of the pools, where a side has one.
inline constexpr std::string_view legacy_pool_name = "legacy-pool", new_pool_name = "new-pool";

/// A deployment on paper. Every user starts on a legacy pool, every partner on the legacy gateway.
struct Topology {
  std::string domain;              ///< our SIP and XMPP domain, and that of our hosts
  std::vector<std::string> users;  ///< localparts, in the order in which they are moved
  std::vector<PartnerSpec> partners;
  std::uint32_t srv_ttl_s = 300;                         ///< of our _xmpp-server records ...
  std::map<std::string, std::uint32_t> srv_ttls_s = {};  ///< ... but for those of these domains of ours
  std::vector<std::string> further_domains = {};         ///< ours, too
  std::map<std::string, std::string> user_domains = {};  ///< of the users of these, by localpart
  std::vector<UserGroup> groups = {};                    ///< their users are among `users`, one behind the other
  std::vector<EdgeSpec> edges = {};                      ///< empty: one machine, the pool "proxy"
  // Each pool is a node, and its name that of the node. Empty: one of the usual name.
  std::vector<std::string> legacy_pools = {}, new_pools = {};
  // By who is moved as one (moved_with): where they start and where they are moved to; others: the first of the side.
  std::map<std::string, std::string> starts = {}, targets = {};
  std::map<std::string, Place> places;  ///< by node name; only `cutover serve` looks at it
  bool operator==(const Topology&) const = default;
};

/// Each node has an address of its own, by its host number. A live world has a block of 254 of them, which holds so
/// many partners and users; those beyond are further numbers, for the simulated world and for places.
inline constexpr std::size_t partners_max = 500, users_max = 1000, edge_machines_max = 17;
inline constexpr std::size_t pools_max = 10;  ///< of a side
inline constexpr std::size_t partners_in_block = 20, users_in_block = 100;
/// Why its nodes do not fit into a block, in words; nothing where they do.
[[nodiscard]] std::optional<std::string> beyond_a_block(const Topology&);

/// One machine of an edge pool. A node is called "proxy", or "proxy-MEMBER" where the topology names its edge pools.
struct EdgeMachine {
  std::string node, pool, member;  ///< member: empty for a pool of one machine
  bool operator==(const EdgeMachine&) const = default;
};
[[nodiscard]] std::vector<EdgeMachine> edge_machines(const Topology&);

/// One node of a topology: its name in traces and on the command line, its host number, and where it listens by
/// default. The name of a partner is the first label of its domain, or the whole domain where that is ambiguous.
struct NodeSpec {
  std::string name;
  int host = 0;
  std::vector<std::pair<std::string, std::uint16_t>> services;  ///< name and standard port
};
/// Name server, legacy gateway, proxies, gateway, pools, then partners and users in their order.
[[nodiscard]] std::vector<NodeSpec> nodes_of(const Topology&);
[[nodiscard]] std::string node_name_of(const Topology&, const PartnerSpec&);
/// Of all partners, in their order: quicker than one by one.
[[nodiscard]] std::vector<std::string> node_names_of_partners(const Topology&);
/// The port of a service of a node: of its place, or the standard one. Throws std::invalid_argument for what is none.
[[nodiscard]] std::uint16_t port_of(const Topology&, std::string_view node, std::string_view service);
[[nodiscard]] std::uint16_t port_of(const Topology&, const NodeSpec&, std::string_view service);

/// What is wrong with a topology file: "file:line: what was expected".
struct TopologyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads YAML. `source` names the text in errors. Throws TopologyError for bad YAML, an unknown key, a missing or
/// doubled name.
[[nodiscard]] Topology parse_topology(std::string_view yaml, const std::string& source);
/// Reads a file. Throws TopologyError with the path when it cannot be read.
[[nodiscard]] Topology load_topology(const std::string& path);
/// Moves one node: "proxy=192.0.2.7" or "proxy.admin=8090". Throws TopologyError with what was expected.
void set_place(Topology&, const std::string& assignment);
/// The first one is `domain`.
[[nodiscard]] std::vector<std::string> domains_of(const Topology&);
/// The domain of a user of ours, and the whole address.
[[nodiscard]] const std::string& domain_of(const Topology&, const std::string& user);
[[nodiscard]] std::string address_of(const Topology&, const std::string& user);
/// Who is moved as one, in the order of the moves: a group by its name, any other user alone by the own one.
[[nodiscard]] std::vector<UserGroup> moved_as_one(const Topology&);
/// What moves that user: the group, or the user alone.
[[nodiscard]] const std::string& moved_with(const Topology&, const std::string& user);
/// The pools of a side, in the order in which whoever may go to any takes them.
[[nodiscard]] std::vector<std::string> legacy_pools_of(const Topology&);
[[nodiscard]] std::vector<std::string> new_pools_of(const Topology&);
/// Where those who are moved as one start, and the pool that they are moved to.
[[nodiscard]] std::string start_of(const Topology&, const std::string& moved);
[[nodiscard]] std::string target_of(const Topology&, const std::string& moved);
/// Of our _xmpp-server record of that domain.
[[nodiscard]] std::uint32_t srv_ttl_of(const Topology&, const std::string& domain);
/// The embedded deployment: three users, three partners of the three kinds.
[[nodiscard]] Topology reference_topology();

}  // namespace cutover::harness
