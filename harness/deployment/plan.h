// Plan: what every node of a deployment is configured with, from its topology and a state of the migration. Starts
// nothing, so that the same nodes can be brought up together in one world or one by one in several processes.
#pragma once

#include "departures/table.h"
#include "harness/deployment/estate_of.h"
#include "mocks/legacy_gateway.h"
#include "mocks/partner.h"
#include "mocks/pool.h"
#include "mocks/sip_user.h"
#include "protocol/dns/server.h"
#include "protocol/tls/authority.h"
#include "reference/gateway.h"
#include "reference/proxy.h"

#include <functional>

namespace cutover::harness {

using mocks::Pool;

/// Whether proxy and gateway have an admin interface, at the port that the topology gives it.
struct AdminPlan {
  bool enabled = false;
  std::string token;
};

/// A pool of the topology. Each is a node of its own, of the same name.
struct PoolNodeName {
  std::string node;
  Pool side = Pool::legacy;
};

class Plan {
 public:
  using AddressOf = std::function<std::string(int host)>;
  /// Refers to the authority; `address_of` gives the address of a host number (World::address_of).
  /// `estate`: instead of that which follows from the topology, whose users are classes of it and whose partners it
  /// has.
  Plan(Topology, std::optional<migration::Estate> estate, const AddressOf&, tls::Authority&, departures::Planted,
       AdminPlan = {});

  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] const migration::Estate& estate() const { return estate_; }

  [[nodiscard]] Endpoint endpoint(std::string_view node, std::string_view service) const;
  [[nodiscard]] Endpoint name_server() const { return endpoint("name-server", "dns"); }
  /// What the pools know in that state.
  [[nodiscard]] mocks::Routing routing(const migration::State&) const;
  /// What a box knows in that state: the edge the replica, the front end the central store.
  [[nodiscard]] reference::Settings settings(const migration::State&, const migration::Configuration& known,
                                             const std::string& edge_pool) const;

  /// Our zones and those of the partners, and the records that the last step changes.
  void publish_zones(dns::DnsServer&, const migration::State&) const;
  /// `only`: the one node that partners are led to, instead of all that the record names.
  void publish_our_srv(dns::DnsServer&, const migration::State&, const std::string& domain,
                       const std::string& only = {}) const;
  /// The addresses of every member of every edge pool; `only` likewise.
  void publish_edges(dns::DnsServer&, const std::string& only = {}) const;
  /// The node names a machine of an edge pool.
  [[nodiscard]] const std::vector<EdgeMachine>& machines() const { return machines_; }

  /// Those of the legacy side first, each side in the order of the topology.
  [[nodiscard]] const std::vector<PoolNodeName>& pools() const { return pools_; }
  /// The pool where a user is homed, or whoever is moved as one with it (moved_with). A user of a branch appliance is
  /// served by a pool of its side, once one runs.
  [[nodiscard]] std::string home_of(const migration::State&, const std::string& moved_name) const;
  [[nodiscard]] mocks::PoolSettings pool(const std::string& node, std::shared_ptr<const mocks::Routing>) const;
  [[nodiscard]] mocks::PartnerSettings partner(const PartnerSpec&) const;
  [[nodiscard]] mocks::SipUserSettings user(const std::string& name, const std::string& home) const;
  [[nodiscard]] mocks::LegacyGatewaySettings legacy_gateway() const;
  /// The pool that the SIP side of the legacy gateway goes to: the first that runs. None through a legacy edge that
  /// does not run.
  [[nodiscard]] std::string legacy_next_hop(const migration::State&) const;
  /// The pool that the gateway of the front ends goes to: what the edge pool of the route has for a next hop, else the
  /// first of the new side that runs.
  [[nodiscard]] std::string next_hop(const migration::State&) const;
  /// Where that is; empty: where nobody listens.
  [[nodiscard]] sip::Endpoint::Destination at_pool(const std::string& node) const;
  /// Without its external certificate; see certificate().
  [[nodiscard]] reference::ProxyConfig proxy(const migration::State&, const EdgeMachine&) const;
  [[nodiscard]] reference::GatewayConfig gateway(const migration::State&) const;
  /// The edge pool that the gateway links to: that of the route, else the first.
  [[nodiscard]] const std::string& routed_edge(const migration::State&) const;
  /// Where its members take the link; `only` as above.
  [[nodiscard]] std::vector<Endpoint> links(const migration::State&, const std::string& only = {}) const;
  /// The name in their certificates.
  [[nodiscard]] std::string link_name(const migration::State& state) const { return host_name(routed_edge(state)); }
  /// Null for none.
  [[nodiscard]] std::shared_ptr<const tls::Identity> certificate(const std::optional<migration::Certificate>&) const;
  [[nodiscard]] mocks::SipPeer peer(const std::string& node, std::string_view service) const;

 private:
  [[nodiscard]] std::shared_ptr<const tls::Identity> issue(const std::vector<std::string>& names) const;
  [[nodiscard]] std::string host_name(const std::string& node) const { return node + "." + topology_.domain; }

  /// That of the access edge of a pool, outside.
  [[nodiscard]] std::string external_name(const std::string& edge_pool) const;

  /// Where a node is served.
  struct Located {
    std::string address;
    std::map<std::string, std::uint16_t, std::less<>> ports;
  };
  [[nodiscard]] const Located& located(std::string_view node) const;
  /// Of the users of a class of the estate: a group of the topology, or one user.
  [[nodiscard]] std::vector<std::string> addresses_of(const std::string& moved) const;

  Topology topology_;
  std::vector<EdgeMachine> machines_;
  std::vector<PoolNodeName> pools_;
  migration::Estate estate_;
  std::map<std::string, Located, std::less<>> nodes_;
  tls::Authority& authority_;
  departures::Planted planted_;
  AdminPlan admin_;
};

/// The XMPP gateway of the front ends is installed, and runs. It is a service of the pool that the edge has for a next
/// hop, and is down with that (F37).
[[nodiscard]] bool gateway_up(const migration::State&);
/// The record names the new edge.
[[nodiscard]] bool names_edge(const migration::State&, const std::string& domain);

}  // namespace cutover::harness
