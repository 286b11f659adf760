// The settings of each node: names, certificates, addresses, zones, routes.
#include "harness/deployment/plan.h"

#include "harness/negotiation/pair.h"
#include "mocks/rules.h"
#include "protocol/base/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness {

namespace {

constexpr Duration gateway_reconnect = 200ms;

/// What a partner of each kind offers and takes; the legacy gateway and the new side are configured to match.
xmpp::PeerPolicy policy_of(PartnerKind kind) {
  xmpp::PeerPolicy policy;
  policy.keep_alive = false;
  switch (kind) {
    case PartnerKind::sasl_external:
      policy.sasl = xmpp::Negotiation::required;
      policy.dialback = false;
      break;
    case PartnerKind::dialback_over_tls:
      policy.sasl = xmpp::Negotiation::not_supported;
      break;
    case PartnerKind::plaintext_dialback:
      policy.tls = xmpp::Negotiation::not_supported;
      policy.sasl = xmpp::Negotiation::not_supported;
      break;
  }
  return policy;
}

mocks::ConnectionMode mode_of(const negotiation::Side& side) {
  if (side.tls == negotiation::Tls::none) return mocks::ConnectionMode::tcp_dialback;
  const bool proves = side.external && side.certificate == negotiation::Certificate::good;
  return proves ? mocks::ConnectionMode::tls_sasl : mocks::ConnectionMode::tls_dialback;
}

sip::Endpoint::Destination destination(const mocks::SipPeer& peer) {
  return {peer.address, ConnectionId::none, peer.tls_name};
}

}  // namespace

Plan::Plan(Topology topology, std::optional<migration::Estate> estate, const AddressOf& address_of,
           tls::Authority& authority, departures::Planted planted, AdminPlan admin)
    : topology_(std::move(topology)),
      machines_(edge_machines(topology_)),
      estate_(estate ? std::move(*estate) : estate_of(topology_)),
      authority_(authority),
      planted_(std::move(planted)),
      admin_(std::move(admin)) {
  for (const auto& name : legacy_pools_of(topology_)) pools_.push_back({name, Pool::legacy});
  for (const auto& name : new_pools_of(topology_)) pools_.push_back({name, Pool::current});
  for (const auto& node : nodes_of(topology_)) {
    auto& here = nodes_[node.name];
    here.address = address_of(node.host);
    for (const auto& [service, port] : node.services) here.ports[service] = port_of(topology_, node, service);
  }
}

namespace {

using migration::AccessPolicies;
using migration::AccessPolicy;

/// Why a user has no XMPP whatever partners and policies say.
std::optional<mocks::Refusal> bar_of(const Departures& departures, const migration::State& state,
                                     const migration::UserClass& users) {
  const auto pool = state.pools.find(users.pool);
  const bool branch = pool != state.pools.end() && pool->second.branch;
  if (departures.breaks(mocks::Rule::branch_user_has_no_xmpp, branch))
    return mocks::Refusal{403, "XMPP is not supported for users of a branch appliance"};
  const bool moved = side_of(state, users) == migration::Side::current;
  if (departures.breaks(mocks::Rule::next_product_has_no_xmpp,
                        moved && !branch && state.generation != migration::Generation::lync2013))
    return mocks::Refusal{403, "the pool is of a version that has no XMPP"};
  return std::nullopt;
}

/// What whoever waives the rule makes of policies: XMPP needs no federation.
void let_xmpp_suffice(AccessPolicies& policies) {
  const auto widen = [](AccessPolicy& policy) {
    policy.enable_federation_access = policy.enable_federation_access || policy.enable_xmpp_access;
  };
  widen(policies.global);
  for (auto& [name, policy] : policies.sites) widen(policy);
  for (auto& [name, policy] : policies.user_scoped) widen(policy);
}

}  // namespace

std::string Plan::home_of(const migration::State& state, const std::string& moved_name) const {
  const auto found = state.users.find(moved_name);
  if (found == state.users.end()) return pools_.front().node;
  const auto& pool = found->second.pool;
  if (std::ranges::find(pools_, pool, &PoolNodeName::node) != pools_.end()) return pool;
  const bool moved = side_of(state, found->second) == migration::Side::current;
  for (const auto& one : pools_) {
    if ((one.side == Pool::current) == moved && pool_runs(state, one.node)) return one.node;
  }
  return pools_.front().node;
}

bool names_edge(const migration::State& state, const std::string& domain) {
  const auto found = state.srv.find(domain);
  return found != state.srv.end() && !found->second.empty() &&
         found->second.front().box != migration::legacy_gateway_box;
}

const Plan::Located& Plan::located(std::string_view node) const {
  const auto found = nodes_.find(node);
  CUTOVER_CHECK(found != nodes_.end());
  return found->second;
}

Endpoint Plan::endpoint(std::string_view node, std::string_view service) const {
  const auto& [address, ports] = located(node);
  const auto port = ports.find(service);
  CUTOVER_CHECK(port != ports.end());
  return {address, port->second};
}

mocks::SipPeer Plan::peer(const std::string& node, std::string_view service) const {
  return {endpoint(node, service), host_name(node)};
}

std::shared_ptr<const tls::Identity> Plan::issue(const std::vector<std::string>& names) const {
  tls::CertificateRequest request;
  for (const auto& name : names) request.names.push_back({tls::NameKind::dns, name});
  return authority_.issue(request);
}

std::vector<std::string> Plan::addresses_of(const std::string& moved) const {
  const auto group = std::ranges::find(topology_.groups, moved, &UserGroup::name);
  if (group == topology_.groups.end()) return {address_of(topology_, moved)};
  std::vector<std::string> addresses;
  for (const auto& user : group->users) addresses.push_back(address_of(topology_, user));
  return addresses;
}

mocks::Routing Plan::routing(const migration::State& state) const {
  mocks::Routing routing;
  for (const auto& domain : domains_of(topology_)) routing.domains.insert(domain);
  routing.departures = planted_.at(departures::routes);
  const auto& configuration = state.configuration;
  const auto known = settings(state, configuration, routed_edge(state));
  for (const auto& [name, situation] : state.users) {
    const auto bar = bar_of(routing.departures, state, situation);
    const auto home = std::ranges::find(pools_, home_of(state, name), &PoolNodeName::node);
    for (const auto& address : addresses_of(name)) {
      routing.homes[address] = {home->side, home->node};
      if (bar) routing.barred[address] = *bar;
      // By the product's own evaluation (reference), not by that of the model that is held against the wire.
      if (known.user_may(address)) routing.xmpp_users.insert(address);
      if (known.allow_federated_users && known.policies.effective(address).policy.enable_federation_access)
        routing.federated_users.insert(address);
    }
  }
  for (const auto& [node, side] : pools_) {
    if (pool_runs(state, node)) routing.pools[node] = {side, peer(node, "sip")};
  }
  routing.legacy_partners = state.legacy.routes;
  for (const auto& [domain, row] : configuration.partners) {
    if (state.generation != migration::Generation::lync2013) break;  // the new side has no such list
    routing.configured_partners.insert(domain);
    routing.configured_partners.insert(row.additional_domains.begin(), row.additional_domains.end());
  }
  if (state.legacy.gateway_runs && state.legacy.edge_runs) routing.legacy_gateway = peer("legacy-gateway", "sip");
  if (gateway_up(state) && !configuration.xmpp_route.empty()) routing.gateway = peer("gateway", "sip");
  routing.edge_deployed = std::ranges::any_of(machines_, [&](const auto& machine) { return deployed(state, machine); });
  return routing;
}

bool gateway_up(const migration::State& state) {
  const auto route = state.edges.find(state.configuration.xmpp_route);
  const auto next_hop = route == state.edges.end() ? std::string() : route->second.next_hop;
  return state.gateway_installed && state.gateway_runs && (next_hop.empty() || pool_runs(state, next_hop));
}

reference::Settings Plan::settings(const migration::State& state, const migration::Configuration& known,
                                   const std::string& edge_pool) const {
  reference::Settings settings;
  settings.partners = known.partners;
  settings.gateway = known.gateway;
  settings.policies = state.policies;
  if (!planted_.at(departures::routes).holds(mocks::Rule::xmpp_wants_federation)) let_xmpp_suffice(settings.policies);
  for (const auto& [name, situation] : state.users) {
    for (const auto& address : addresses_of(name)) {
      if (!situation.policy.empty()) settings.policies.grants[address] = situation.policy;
      if (!situation.site.empty()) settings.policies.homes[address] = situation.site;
    }
  }
  // A setting of the edge, whoever is asked.
  settings.allow_federated_users =
      !planted_.at(departures::routes)
           .breaks(mocks::Rule::federation_switch_is_obeyed, !state.replica.allow_federated_users);
  const auto& edge = state.edges.at(edge_pool);
  const bool opens = planted_.at(departures::routes).holds(mocks::Rule::enabling_opens_the_edge);
  // What is changed and not published has no effect yet; a proxy is installed only behind a published flag.
  const bool enabled = edge.xmpp_ticked || !state.configuration.published;
  settings.enable_xmpp_federation = enabled && edge.proxy_installed && opens;
  settings.site_federation_route = known.xmpp_route == edge_pool && opens;
  return settings;
}

void Plan::publish_zones(dns::DnsServer& server, const migration::State& state) const {
  const auto ttl = topology_.srv_ttl_s;
  // All of them before the first record: one may lie in another, and a new zone has nothing in it.
  for (const auto& domain : domains_of(topology_)) server.add_empty_zone(domain);
  for (const auto& partner : topology_.partners) server.add_empty_zone(partner.domain);
  server.set(host_name("legacy-gateway"), dns::Type::a, ttl, {located("legacy-gateway").address});
  publish_edges(server);
  for (const auto& domain : domains_of(topology_)) publish_our_srv(server, state, domain);
  for (const auto& partner : topology_.partners) {
    const auto [where, port] = endpoint(node_name_of(topology_, partner), "xmpp");
    server.set("xmpp." + partner.domain, dns::Type::a, ttl, {where});
    server.set("_xmpp-server._tcp." + partner.domain, dns::Type::srv, ttl,
               {"0 0 " + std::to_string(port) + " xmpp." + partner.domain});
  }
}

std::string Plan::external_name(const std::string& edge_pool) const {
  return host_name(edge_pool == edge_name ? "xmpp" : edge_pool);
}

void Plan::publish_edges(dns::DnsServer& server, const std::string& only) const {
  std::map<std::string, std::vector<std::string>> addresses;
  const auto named = std::ranges::find(machines_, only, &EdgeMachine::node);
  for (const auto& machine : machines_) {
    const bool left_out = named != machines_.end() && named->pool == machine.pool && machine.node != only;
    auto& all = addresses[machine.pool];
    const bool further = !all.empty() && !planted_.at(departures::routes).holds(mocks::Rule::record_names_every_member);
    if (!left_out && !further) all.push_back(located(machine.node).address);
  }
  for (const auto& [pool, all] : addresses) server.set(external_name(pool), dns::Type::a, topology_.srv_ttl_s, all);
}

void Plan::publish_our_srv(dns::DnsServer& server, const migration::State& state, const std::string& domain,
                           const std::string& only) const {
  std::vector<std::string> targets;
  const auto led_to = std::ranges::find(machines_, only, &EdgeMachine::node);
  const auto box_led_to = led_to == machines_.end() ? only : led_to->pool;
  const auto& record = state.srv.at(domain);
  const bool chosen = std::ranges::find(record, box_led_to, &migration::SrvTarget::box) != record.end();
  for (const auto& target : record) {
    if (chosen && target.box != box_led_to) continue;
    const auto machine = std::ranges::find(machines_, target.box, &EdgeMachine::pool);
    const bool edge = machine != machines_.end();
    const bool known = edge || target.box == migration::legacy_gateway_box;
    const bool somebody = known && (!edge || planted_.at(departures::routes).holds(mocks::Rule::target_has_an_address));
    // The usual port is where the node listens in this world.
    const auto usual = endpoint(edge ? machine->node : "legacy-gateway", "xmpp").port;
    const auto port = target.port == migration::SrvTarget().port ? usual : target.port;
    const auto host = edge ? external_name(target.box) : host_name("legacy-gateway");
    targets.push_back(
        fmt::format("{} 0 {} {}", target.priority, port, target.resolves && somebody ? host : host_name("nowhere")));
  }
  constexpr std::uint32_t day_s = 86400;
  const bool given = planted_.at(departures::routes).holds(mocks::Rule::record_has_its_ttl);
  server.set("_xmpp-server._tcp." + domain, dns::Type::srv, given ? state.ttl_s.at(domain) : day_s, targets);
}

mocks::PoolSettings Plan::pool(const std::string& node, std::shared_ptr<const mocks::Routing> routing) const {
  mocks::PoolSettings settings;
  settings.name = node;
  settings.host = host_name(node);
  settings.identity = issue({settings.host});
  settings.routing = std::move(routing);
  settings.legacy_gateway_host = host_name("legacy-gateway");
  settings.port = endpoint(node, "sip").port;
  return settings;
}

mocks::PartnerSettings Plan::partner(const PartnerSpec& spec) const {
  mocks::PartnerSettings settings;
  settings.domain = spec.domain;
  settings.users = spec.users;
  const auto side = partner_of(spec).side;
  if (side.certificate != negotiation::Certificate::none)
    settings.identity =
        side.certificate == negotiation::Certificate::good
            ? issue({spec.domain, "xmpp." + spec.domain})
            : authority_.issue({.names = {{tls::NameKind::dns, spec.domain}}, .flaw = tls::Flaw::expired});
  settings.policy = policy_of(spec.kind);
  settings.send_version = spec.kind != PartnerKind::plaintext_dialback;
  if (spec.side) negotiation::apply(*spec.side, settings);
  settings.dialback_secret = "secret of " + spec.domain;
  settings.name_server = name_server();
  settings.port = endpoint(node_name_of(topology_, spec), "xmpp").port;
  settings.departures = planted_.at(departures::partner);
  return settings;
}

mocks::SipUserSettings Plan::user(const std::string& name, const std::string& home) const {
  mocks::SipUserSettings settings;
  settings.name = name;
  settings.domain = domain_of(topology_, name);
  settings.identity = issue({name + ".users." + topology_.domain});
  settings.pool = peer(home, "sip");
  return settings;
}

mocks::LegacyGatewaySettings Plan::legacy_gateway() const {
  mocks::LegacyGatewaySettings settings;
  const auto& served = estate_.start.legacy.sip_domains;
  settings.domains = {served.begin(), served.end()};
  for (const auto& partner : topology_.partners) {
    const auto& primary = primary_of(estate_, partner.domain);
    const bool listed = estate_.start.legacy.partners.contains(primary);
    if (planted_.at(departures::routes).breaks(mocks::Rule::legacy_gateway_has_a_list, !listed)) continue;
    const bool clear = estate_.start.legacy.in_clear.contains(primary);
    settings.partners[partner.domain] = clear ? mocks::ConnectionMode::tcp_dialback : mode_of(partner_of(partner).side);
  }
  settings.host = host_name("legacy-gateway");
  auto names = domains_of(topology_);
  names.push_back(settings.host);
  settings.identity = issue(names);
  settings.sip_identity = issue({settings.host});
  settings.dialback_secret = "secret of the legacy gateway";
  settings.name_server = name_server();
  settings.next_hop = at_pool(legacy_next_hop(estate_.start));
  settings.xmpp_port = endpoint("legacy-gateway", "xmpp").port;
  settings.sip_port = endpoint("legacy-gateway", "sip").port;
  settings.departures = planted_.at(departures::legacy_gateway);
  return settings;
}

std::string Plan::legacy_next_hop(const migration::State& state) const {
  if (!state.legacy.edge_runs) return {};
  const auto first = std::ranges::find_if(pools_, [&](const auto& pool) { return pool_runs(state, pool.node); });
  return first == pools_.end() ? std::string() : first->node;
}

std::string Plan::next_hop(const migration::State& state) const {
  const auto& told = state.edges.at(routed_edge(state)).next_hop;
  if (std::ranges::find(pools_, told, &PoolNodeName::node) != pools_.end()) return told;
  const auto first = std::ranges::find_if(
      pools_, [&](const auto& pool) { return pool.side == Pool::current && pool_runs(state, pool.node); });
  return first == pools_.end() ? std::string() : first->node;
}

sip::Endpoint::Destination Plan::at_pool(const std::string& node) const {
  if (!node.empty()) return destination(peer(node, "sip"));
  auto nobody = peer(pools_.front().node, "sip");
  constexpr std::uint16_t discard_port = 9;  // nobody listens there
  nobody.address.port = discard_port;
  return destination(nobody);
}

reference::ProxyConfig Plan::proxy(const migration::State& state, const EdgeMachine& machine) const {
  reference::ProxyConfig config;
  config.domains = domains_of(topology_);
  config.host = host_name(machine.pool);  // the internal name of all members (lync-facts 2.4)
  config.gateway_name = host_name("gateway");
  config.internal_identity = issue({config.host});
  config.name_server = name_server();
  config.settings = settings(state, state.replica, machine.pool);
  config.port = endpoint(machine.node, "xmpp").port;
  config.internal_port = endpoint(machine.node, "internal").port;
  if (admin_.enabled) config.admin_port = endpoint(machine.node, "admin").port;
  config.admin_token = admin_.token;
  config.departures = planted_.at(departures::proxy);
  return config;
}

std::shared_ptr<const tls::Identity> Plan::certificate(const std::optional<migration::Certificate>& one) const {
  if (!one) return nullptr;
  using Fault = migration::Certificate::Fault;
  tls::CertificateRequest request;
  for (const auto& name : one->names) request.names.push_back({tls::NameKind::dns, name});
  request.names.push_back({tls::NameKind::dns, host_name("xmpp")});
  request.common_name = one->subject;
  if (one->fault == Fault::expired) request.flaw = tls::Flaw::expired;
  if (one->fault == Fault::not_yet_valid) request.flaw = tls::Flaw::not_yet_valid;
  if (one->fault == Fault::untrusted_root) request.flaw = tls::Flaw::unknown_root;
  if (one->fault == Fault::none && !one->client_usage) request.flaw = tls::Flaw::server_only_eku;
  return authority_.issue(request);
}

const std::string& Plan::routed_edge(const migration::State& state) const {
  const auto& route = state.configuration.xmpp_route;
  return state.edges.contains(route) ? route : machines_.front().pool;
}

std::vector<Endpoint> Plan::links(const migration::State& state, const std::string& only) const {
  std::vector<Endpoint> all;
  const auto& pool = routed_edge(state);
  const auto named = std::ranges::find(machines_, only, &EdgeMachine::node);
  for (const auto& machine : machines_) {
    const bool left_out = named != machines_.end() && named->pool == pool && machine.node != only;
    if (machine.pool == pool && !left_out) all.push_back(endpoint(machine.node, "internal"));
  }
  return all;
}

reference::GatewayConfig Plan::gateway(const migration::State& state) const {
  reference::GatewayConfig config;
  config.domains = domains_of(topology_);
  config.host = host_name("gateway");
  config.identity = issue({config.host});
  config.proxies = links(state);
  config.proxy_name = link_name(state);
  config.next_hop = at_pool(next_hop(state));
  config.settings = settings(state, state.configuration, routed_edge(state));
  config.port = endpoint("gateway", "sip").port;
  if (admin_.enabled) config.admin_port = endpoint("gateway", "admin").port;
  config.admin_token = admin_.token;
  config.reconnect = gateway_reconnect;
  config.departures = planted_.at(departures::gateway);
  return config;
}

}  // namespace cutover::harness
