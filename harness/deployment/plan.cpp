// The settings of each node: names, certificates, addresses, zones, routes.
#include "harness/deployment/plan.h"

#include "mocks/rules.h"
#include "protocol/base/check.h"

#include <algorithm>

namespace cutover::harness {

namespace {

constexpr Duration gateway_reconnect = 200ms;
constexpr char access_policy[] = "XMPP";

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

mocks::ConnectionMode mode_of(PartnerKind kind) {
  switch (kind) {
    case PartnerKind::sasl_external:
      return mocks::ConnectionMode::tls_sasl;
    case PartnerKind::dialback_over_tls:
      return mocks::ConnectionMode::tls_dialback;
    case PartnerKind::plaintext_dialback:
      break;
  }
  return mocks::ConnectionMode::tcp_dialback;
}

reference::AllowedPartner allowed_partner_of(const PartnerSpec& spec) {
  const auto policy = policy_of(spec.kind);
  reference::AllowedPartner partner;
  partner.domain = spec.domain;
  partner.partner_type = reference::PartnerType::federated;
  partner.enable_keep_alive = policy.keep_alive;
  partner.tls_negotiation = policy.tls;
  partner.sasl_negotiation = policy.sasl;
  partner.support_dialback_negotiation = policy.dialback;
  return partner;
}

sip::Endpoint::Destination destination(const mocks::SipPeer& peer) {
  return {peer.address, ConnectionId::none, peer.tls_name};
}

}  // namespace

const char* node_name_of(Pool pool) { return pool == Pool::legacy ? "legacy-pool" : "new-pool"; }

Plan::Plan(Topology topology, const AddressOf& address_of, tls::Authority& authority, departures::Planted planted,
           AdminPlan admin)
    : topology_(std::move(topology)), authority_(authority), planted_(std::move(planted)), admin_(std::move(admin)) {
  for (const auto& node : nodes_of(topology_)) {
    auto& here = nodes_[node.name];
    here.address = address_of(node.host);
    for (const auto& [service, port] : node.services) here.ports[service] = port_of(topology_, node.name, service);
  }
}

MigrationState Plan::legacy_state() const {
  MigrationState state;
  for (const auto& user : topology_.users) state.homes[user] = Pool::legacy;
  return state;
}

MigrationState Plan::migrated_state() const {
  MigrationState state{.pool_deployed = true,
                       .edge_deployed = true,
                       .policies_granted = true,
                       .certificate_assigned = true,
                       .federation_enabled = true,
                       .srv_names_edge = true};
  for (const auto& user : topology_.users) state.homes[user] = Pool::current;
  for (const auto& partner : topology_.partners) state.allowed_partners.insert(partner.domain);
  return state;
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

mocks::Routing Plan::routing(const MigrationState& state) const {
  mocks::Routing routing;
  routing.domain = topology_.domain;
  routing.departures = planted_.at(departures::routes);
  routing.homes = state.homes;
  routing.pools[Pool::legacy] = peer(node_name_of(Pool::legacy), "sip");
  if (state.pool_deployed) routing.pools[Pool::current] = peer(node_name_of(Pool::current), "sip");
  for (const auto& partner : topology_.partners) routing.legacy_partners.insert(partner.domain);
  routing.configured_partners = state.allowed_partners;
  if (state.legacy_gateway_runs) routing.legacy_gateway = peer("legacy-gateway", "sip");
  if (state.federation_enabled) routing.gateway = peer("gateway", "sip");
  if (state.policies_granted) routing.xmpp_users = {topology_.users.begin(), topology_.users.end()};
  routing.edge_deployed = state.edge_deployed;
  return routing;
}

reference::Settings Plan::settings(const MigrationState& state) const {
  reference::Settings settings;
  for (const auto& partner : topology_.partners) {
    if (state.allowed_partners.contains(partner.domain))
      settings.partners[partner.domain] = allowed_partner_of(partner);
  }
  settings.gateway.dialback_passphrase = "passphrase of the new side";
  settings.policies.user_scoped[access_policy] = {.enable_federation_access = true, .enable_xmpp_access = true};
  if (state.policies_granted) {
    for (const auto& user : topology_.users) settings.policies.grants[user + "@" + topology_.domain] = access_policy;
  }
  settings.allow_federated_users = state.policies_granted;
  settings.enable_xmpp_federation = settings.site_federation_route =
      state.federation_enabled && planted_.at(departures::routes).holds(mocks::Rule::enabling_opens_the_edge);
  return settings;
}

void Plan::publish_zones(dns::DnsServer& server, const MigrationState& state) const {
  const auto& domain = topology_.domain;
  const auto ttl = topology_.srv_ttl_s;
  server.add_empty_zone(domain);
  server.set(host_name("legacy-gateway"), dns::Type::a, ttl, {located("legacy-gateway").address});
  server.set(host_name("xmpp"), dns::Type::a, ttl, {located("proxy").address});
  publish_our_srv(server, state);
  for (const auto& partner : topology_.partners) {
    const auto [where, port] = endpoint(node_name_of(topology_, partner), "xmpp");
    server.add_empty_zone(partner.domain);
    server.set("xmpp." + partner.domain, dns::Type::a, ttl, {where});
    server.set("_xmpp-server._tcp." + partner.domain, dns::Type::srv, ttl,
               {"0 0 " + std::to_string(port) + " xmpp." + partner.domain});
  }
}

void Plan::publish_our_srv(dns::DnsServer& server, const MigrationState& state) const {
  const auto* node = state.srv_names_edge ? "proxy" : "legacy-gateway";
  const auto* name = state.srv_names_edge ? "xmpp" : "legacy-gateway";
  server.set("_xmpp-server._tcp." + topology_.domain, dns::Type::srv, topology_.srv_ttl_s,
             {"0 0 " + std::to_string(endpoint(node, "xmpp").port) + " " + host_name(name)});
}

mocks::PoolSettings Plan::pool(Pool pool, std::shared_ptr<const mocks::Routing> routing) const {
  mocks::PoolSettings settings;
  settings.which = pool;
  settings.host = host_name(node_name_of(pool));
  settings.identity = issue({settings.host});
  settings.routing = std::move(routing);
  settings.legacy_gateway_host = host_name("legacy-gateway");
  settings.port = endpoint(node_name_of(pool), "sip").port;
  return settings;
}

mocks::PartnerSettings Plan::partner(const PartnerSpec& spec) const {
  mocks::PartnerSettings settings;
  settings.domain = spec.domain;
  settings.users = spec.users;
  if (spec.kind != PartnerKind::plaintext_dialback) settings.identity = issue({spec.domain, "xmpp." + spec.domain});
  settings.policy = policy_of(spec.kind);
  settings.send_version = spec.kind != PartnerKind::plaintext_dialback;
  settings.dialback_secret = "secret of " + spec.domain;
  settings.name_server = name_server();
  settings.port = endpoint(node_name_of(topology_, spec), "xmpp").port;
  settings.departures = planted_.at(departures::partner);
  return settings;
}

mocks::SipUserSettings Plan::user(const std::string& name, Pool home) const {
  mocks::SipUserSettings settings;
  settings.name = name;
  settings.domain = topology_.domain;
  settings.identity = issue({name + ".users." + topology_.domain});
  settings.pool = peer(node_name_of(home), "sip");
  return settings;
}

mocks::LegacyGatewaySettings Plan::legacy_gateway() const {
  mocks::LegacyGatewaySettings settings;
  settings.domains = {topology_.domain};
  for (const auto& partner : topology_.partners) settings.partners[partner.domain] = mode_of(partner.kind);
  settings.host = host_name("legacy-gateway");
  settings.identity = issue({topology_.domain, settings.host});
  settings.sip_identity = issue({settings.host});
  settings.dialback_secret = "secret of the legacy gateway";
  settings.name_server = name_server();
  settings.next_hop = destination(peer(node_name_of(Pool::legacy), "sip"));
  settings.xmpp_port = endpoint("legacy-gateway", "xmpp").port;
  settings.sip_port = endpoint("legacy-gateway", "sip").port;
  settings.departures = planted_.at(departures::legacy_gateway);
  return settings;
}

reference::ProxyConfig Plan::proxy(const MigrationState& state) const {
  reference::ProxyConfig config;
  config.domains = {topology_.domain};
  config.host = host_name("proxy");
  config.gateway_name = host_name("gateway");
  config.internal_identity = issue({config.host});
  config.name_server = name_server();
  config.settings = settings(state);
  config.port = endpoint("proxy", "xmpp").port;
  config.internal_port = endpoint("proxy", "internal").port;
  if (admin_.enabled) config.admin_port = endpoint("proxy", "admin").port;
  config.admin_token = admin_.token;
  config.departures = planted_.at(departures::proxy);
  return config;
}

std::shared_ptr<const tls::Identity> Plan::edge_certificate() const {
  return issue({topology_.domain, host_name("xmpp")});
}

reference::GatewayConfig Plan::gateway(const MigrationState& state) const {
  reference::GatewayConfig config;
  config.domains = {topology_.domain};
  config.host = host_name("gateway");
  config.identity = issue({config.host});
  config.proxies = {endpoint("proxy", "internal")};
  config.proxy_name = host_name("proxy");
  config.next_hop = destination(peer(node_name_of(Pool::current), "sip"));
  config.settings = settings(state);
  config.port = endpoint("gateway", "sip").port;
  if (admin_.enabled) config.admin_port = endpoint("gateway", "admin").port;
  config.admin_token = admin_.token;
  config.reconnect = gateway_reconnect;
  config.departures = planted_.at(departures::gateway);
  return config;
}

}  // namespace cutover::harness
