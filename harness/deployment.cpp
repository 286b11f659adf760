// Nodes, addresses, zones and certificates of a deployment, and what each step of the migration changes.
#include "harness/deployment.h"

#include "harness/prosody_partner.h"
#include "mocks/legacy_gateway.h"
#include "protocol/base/check.h"
#include "reference/gateway.h"
#include "reference/proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cutover::harness {

namespace {

// Host numbers in the world's block.
constexpr int name_server_host = 2, legacy_gateway_host = 10, proxy_host = 20, gateway_host = 21, legacy_pool_host = 30,
              current_pool_host = 31, first_partner_host = 40, first_user_host = 60, first_client_host = 80;
constexpr Duration patience = 60s, link_patience = 10s;

constexpr std::array steps{Step::deploy_pool,       Step::deploy_edge,
                           Step::move_users,        Step::create_policies_and_certificates,
                           Step::enable_federation, Step::update_dns};

int host_of(Pool pool) { return pool == Pool::legacy ? legacy_pool_host : current_pool_host; }
const char* node_name_of(Pool pool) { return pool == Pool::legacy ? "legacy-pool" : "new-pool"; }

std::string short_name(const std::string& domain) { return domain.substr(0, domain.find('.')); }

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

std::span<const Step> canonical_steps() { return steps; }

const char* name_of(Step step) {
  switch (step) {
    case Step::deploy_pool:
      return "deploy the pool";
    case Step::deploy_edge:
      return "deploy the edge";
    case Step::move_users:
      return "move all users";
    case Step::create_policies_and_certificates:
      return "create access policies and certificates";
    case Step::enable_federation:
      return "enable XMPP federation";
    case Step::update_dns:
      return "update DNS";
  }
  return "?";
}

Deployment::Deployment(World& world, DeploymentOptions options)
    : world_(world), options_(std::move(options)), routing_(std::make_shared<mocks::Routing>()) {
  authority_ = options_.paper_tls ? tls::make_paper_authority(world.wall_clock())
                                  : tls::make_openssl_authority(world.wall_clock());
  routing_->domain = options_.topology.domain;
  routing_->quirks = options_.quirks;
  for (const auto& user : options_.topology.users) routing_->homes[user] = state_.homes[user] = Pool::legacy;
  for (auto& partner : options_.topology.partners) {
    routing_->legacy_partners.insert(partner.domain);
    if (partner.kind != PartnerKind::plaintext_dialback) tls_partners_.push_back(short_name(partner.domain));
    if (partner.kind == PartnerKind::dialback_over_tls && options_.quirks.has("migration.tls-partner-in-clear"))
      partner.kind = PartnerKind::plaintext_dialback;
  }
}

Deployment::~Deployment() = default;

void Deployment::await(const std::function<bool()>& condition, const std::string& what) {
  if (!world_.run_until(condition, patience)) throw HarnessFault("the deployment did not come up: " + what);
}

std::shared_ptr<const tls::Identity> Deployment::issue(const std::vector<std::string>& names) {
  tls::CertificateRequest request;
  for (const auto& name : names) request.names.push_back({tls::NameKind::dns, name});
  return authority_->issue(request);
}

mocks::SipPeer Deployment::peer(const std::string& host, int number, std::uint16_t port) const {
  return {{world_.address_of(number), port}, host + "." + options_.topology.domain};
}

Endpoint Deployment::name_server_endpoint() const {
  return {world_.address_of(name_server_host), mocks::name_server_port};
}

std::vector<std::pair<std::string, Endpoint>> Deployment::endpoints() const {
  std::vector<std::pair<std::string, Endpoint>> all{{"name-server", name_server_endpoint()}};
  const auto add = [&](const std::string& name, int host, std::uint16_t port) {
    all.push_back({name, {world_.address_of(host), port}});
  };
  for (std::size_t i = 0; i < options_.topology.partners.size(); ++i) {
    add(options_.topology.partners[i].domain, first_partner_host + static_cast<int>(i), 5269);
  }
  if (legacy_gateway_ != nullptr) add("legacy-gateway", legacy_gateway_host, 5269);
  if (proxy_ != nullptr) {
    add("proxy", proxy_host, 5269);
    add("proxy (internal)", proxy_host, 23456);
  }
  if (gateway_ != nullptr) add("gateway", gateway_host, 5098);
  for (const auto& [pool, node] : pools_) add(node_name_of(pool), host_of(pool), 5061);
  return all;
}

std::vector<std::string> Deployment::columns() const {
  std::vector<std::string> names;
  for (const auto& partner : options_.topology.partners) {
    if (partner.server == PartnerServer::prosody) names.insert(names.end(), partner.users.begin(), partner.users.end());
    names.push_back(short_name(partner.domain));
  }
  for (const auto* name : {"name-server", "legacy-gateway", "proxy", "gateway", "legacy-pool", "new-pool"})
    names.emplace_back(name);
  for (const auto& user : options_.topology.users) names.push_back(user);
  return names;
}

void Deployment::bring_up() {
  name_server_ = &world_.add("name-server", name_server_host, std::make_unique<mocks::NameServer>());
  publish_zones();
  start_pool(Pool::legacy);
  set_legacy_gateway(true);
  int index = 0;
  for (const auto& partner : options_.topology.partners) start_partner(partner, index++);
  index = 0;
  for (const auto& name : options_.topology.users) start_user(name, index++);
  index = 0;
  for (const auto& partner : options_.topology.partners) start_clients(partner, index++);
  await([this] { return std::ranges::all_of(users_, [](const auto& entry) { return entry.second->registered(); }); },
        "a user could not register with the legacy pool");
}

void Deployment::publish_zones() {
  auto& server = name_server_->server();
  const auto& domain = options_.topology.domain;
  const auto ttl = options_.topology.srv_ttl_s;
  server.add_empty_zone(domain);
  server.set("legacy-gateway." + domain, dns::Type::a, ttl, {world_.address_of(legacy_gateway_host)});
  server.set("xmpp." + domain, dns::Type::a, ttl, {world_.address_of(proxy_host)});
  publish_our_srv();
  int host = first_partner_host;
  for (const auto& partner : options_.topology.partners) {
    server.add_empty_zone(partner.domain);
    server.set("xmpp." + partner.domain, dns::Type::a, ttl, {world_.address_of(host++)});
    server.set("_xmpp-server._tcp." + partner.domain, dns::Type::srv, ttl, {"0 0 5269 xmpp." + partner.domain});
  }
}

void Deployment::publish_our_srv() {
  const auto& domain = options_.topology.domain;
  const auto* target = state_.srv_names_edge ? "xmpp." : "legacy-gateway.";
  name_server_->server().set("_xmpp-server._tcp." + domain, dns::Type::srv, options_.topology.srv_ttl_s,
                             {"0 0 5269 " + (target + domain)});
}

void Deployment::start_pool(Pool pool) {
  const auto& domain = options_.topology.domain;
  mocks::PoolSettings settings;
  settings.which = pool;
  settings.host = std::string(node_name_of(pool)) + "." + domain;
  settings.identity = issue({settings.host});
  settings.routing = routing_;
  settings.legacy_gateway_host = "legacy-gateway." + domain;
  pools_[pool] = &world_.add(node_name_of(pool), host_of(pool), std::make_unique<mocks::PoolNode>(std::move(settings)));
  routing_->pools[pool] = peer(node_name_of(pool), host_of(pool), 5061);
}

void Deployment::start_partner(const PartnerSpec& spec, int index) {
  if (spec.server == PartnerServer::prosody) return start_prosody(spec, index);
  mocks::PartnerSettings settings;
  settings.domain = spec.domain;
  settings.users = spec.users;
  if (spec.kind != PartnerKind::plaintext_dialback) settings.identity = issue({spec.domain, "xmpp." + spec.domain});
  settings.policy = policy_of(spec.kind);
  settings.send_version = spec.kind != PartnerKind::plaintext_dialback;
  settings.dialback_secret = "secret of " + spec.domain;
  settings.name_server = name_server_endpoint();
  partners_[spec.domain] = &world_.add(short_name(spec.domain), first_partner_host + index,
                                       std::make_unique<mocks::Partner>(std::move(settings)));
}

void Deployment::start_prosody(const PartnerSpec& spec, int index) {
  if (world_.kind() != WorldKind::live) throw HarnessFault("a real server runs in a live world only");
  ProsodySettings settings;
  settings.domain = spec.domain;
  settings.address = world_.address_of(first_partner_host + index);
  settings.name_server = name_server_endpoint();
  settings.mode = prosody_mode_of(spec.kind);
  settings.certificate = authority_->issue_pem({.names = {{tls::NameKind::dns, spec.domain}}});
  for (const auto& user : spec.users) settings.accounts.push_back({user, "secret of " + user});
  real_partners_[spec.domain] = &world_.add(short_name(spec.domain), first_partner_host + index,
                                            std::make_unique<ProsodyPartner>(std::move(settings)));
}

/// Signs the users of a real server in; mocks have theirs inside.
void Deployment::start_clients(const PartnerSpec& spec, int index) {
  if (spec.server == PartnerServer::mock) return;
  auto& partner = real_partner(spec.domain);
  const int host = first_client_host + index;
  partner.server().wait_until_ready(world_, host);
  const auto anchors = spec.kind == PartnerKind::plaintext_dialback ? nullptr : issue({"client.invalid"});
  for (const auto& user : spec.users) world_.add(user, host, partner.make_client(user, anchors));
  await([&] { return partner.signed_in(); }, "a user could not sign in at " + spec.domain);
}

void Deployment::start_user(const std::string& name, int index) {
  mocks::SipUserSettings settings;
  settings.name = name;
  settings.domain = options_.topology.domain;
  settings.identity = issue({name + ".users." + settings.domain});
  settings.pool = routing_->pools.at(Pool::legacy);
  users_[name] = &world_.add(name, first_user_host + index, std::make_unique<mocks::SipUser>(std::move(settings)));
}

mocks::Partner& Deployment::partner(const std::string& domain) {
  const auto found = partners_.find(domain);
  if (found == partners_.end()) throw HarnessFault("no partner " + domain);
  return *found->second;
}

mocks::PartnerDomain& Deployment::partner_domain(const std::string& domain) {
  const auto real = real_partners_.find(domain);
  return real != real_partners_.end() ? static_cast<mocks::PartnerDomain&>(*real->second) : partner(domain);
}

ProsodyPartner& Deployment::real_partner(const std::string& domain) {
  const auto found = real_partners_.find(domain);
  if (found == real_partners_.end()) throw HarnessFault("no real server for " + domain);
  return *found->second;
}

mocks::SipUser& Deployment::user(const std::string& name) {
  const auto found = users_.find(name);
  if (found == users_.end()) throw HarnessFault("no user " + name);
  return *found->second;
}

reference::Proxy& Deployment::proxy() {
  if (proxy_ == nullptr) throw HarnessFault("the edge is not deployed");
  return *proxy_;
}

reference::Gateway& Deployment::gateway() {
  if (gateway_ == nullptr) throw HarnessFault("federation is not enabled");
  return *gateway_;
}

void Deployment::carry_out(Step step) {
  switch (step) {
    case Step::deploy_pool:
      if (!std::exchange(state_.pool_deployed, true)) start_pool(Pool::current);
      break;
    case Step::deploy_edge:
      if (std::exchange(state_.edge_deployed, true)) break;
      routing_->edge_deployed = true;
      start_edge();
      break;
    case Step::move_users:
      for (const auto& name : options_.topology.users) move_user(name, Pool::current);
      break;
    case Step::create_policies_and_certificates:
      state_.policies_granted = state_.certificate_assigned = true;
      routing_->xmpp_users = {options_.topology.users.begin(), options_.topology.users.end()};
      apply_settings();
      break;
    case Step::enable_federation:
      if (!std::exchange(state_.federation_enabled, true)) start_gateway();
      for (const auto& partner : options_.topology.partners) allow_partner(partner.domain);
      break;
    case Step::update_dns:
      if (options_.quirks.has("migration.srv-not-repointed")) {
        state_.srv_names_edge = true;  // what the operator believes
        break;
      }
      state_.srv_names_edge = true;
      publish_our_srv();
      break;
  }
}

void Deployment::undo(Step step) {
  switch (step) {
    case Step::deploy_pool:
      if (!std::exchange(state_.pool_deployed, false)) break;
      routing_->pools.erase(Pool::current);
      world_.remove(*pools_.at(Pool::current));
      pools_.erase(Pool::current);
      break;
    case Step::deploy_edge:
      if (!std::exchange(state_.edge_deployed, false)) break;
      routing_->edge_deployed = false;
      proxy_->stop_service();
      (void)world_.run_until([this] { return proxy_->stopped(); }, link_patience);
      world_.remove(*std::exchange(proxy_, nullptr));
      certificate_live_ = false;
      break;
    case Step::move_users:
      for (const auto& name : options_.topology.users) move_user(name, Pool::legacy);
      break;
    case Step::create_policies_and_certificates:
      state_.policies_granted = state_.certificate_assigned = false;
      routing_->xmpp_users.clear();
      apply_settings();
      break;
    case Step::enable_federation:
      for (const auto& partner : options_.topology.partners) remove_partner(partner.domain);
      if (std::exchange(state_.federation_enabled, false)) stop_gateway();
      break;
    case Step::update_dns:
      state_.srv_names_edge = false;
      if (!options_.quirks.has("migration.undo-forgets-dns")) publish_our_srv();
      break;
  }
}

void Deployment::move_user(const std::string& name, Pool home) {
  auto& mover = user(name);
  if (std::exchange(state_.homes.at(name), home) == home) return;
  routing_->homes[name] = home;
  mover.register_with(routing_->pools.at(home));
  await([&] { return mover.registered() && pools_.at(home)->registered(name); },
        name + " could not register with its new pool");
}

void Deployment::allow_partner(const std::string& domain) {
  state_.allowed_partners.insert(domain);
  routing_->configured_partners.insert(domain);
  apply_settings();
}

void Deployment::remove_partner(const std::string& domain) {
  state_.allowed_partners.erase(domain);
  if (!options_.quirks.has("migration.undo-forgets-routes")) routing_->configured_partners.erase(domain);
  apply_settings();
}

void Deployment::set_legacy_gateway(bool runs) {
  state_.legacy_gateway_runs = runs;
  routing_->legacy_gateway.reset();
  if (runs) routing_->legacy_gateway = peer("legacy-gateway", legacy_gateway_host, 5061);
  if (legacy_gateway_ == nullptr) return start_legacy_gateway();
  runs ? legacy_gateway_->resume() : legacy_gateway_->drain();
}

void Deployment::start_legacy_gateway() {
  const auto& domain = options_.topology.domain;
  mocks::LegacyGatewaySettings settings;
  settings.domains = {domain};
  for (const auto& partner : options_.topology.partners) settings.partners[partner.domain] = mode_of(partner.kind);
  settings.host = "legacy-gateway." + domain;
  settings.identity = issue({domain, settings.host});
  settings.sip_identity = issue({settings.host});
  settings.dialback_secret = "secret of the legacy gateway";
  settings.name_server = name_server_endpoint();
  settings.next_hop = destination(routing_->pools.at(Pool::legacy));
  settings.quirks = options_.quirks;
  legacy_gateway_ =
      &world_.add("legacy-gateway", legacy_gateway_host, std::make_unique<mocks::LegacyGateway>(std::move(settings)));
}

void Deployment::start_edge() {
  const auto& domain = options_.topology.domain;
  reference::ProxyConfig config;
  config.domains = {domain};
  config.host = "proxy." + domain;
  config.gateway_name = "gateway." + domain;
  config.internal_identity = issue({config.host});
  config.name_server = name_server_endpoint();
  config.settings = settings();
  config.quirks = options_.quirks;
  proxy_ = &world_.add("proxy", proxy_host, std::make_unique<reference::Proxy>(std::move(config)));
  apply_settings();
}

void Deployment::start_gateway() {
  const auto& domain = options_.topology.domain;
  reference::GatewayConfig config;
  config.domains = {domain};
  config.host = "gateway." + domain;
  config.identity = issue({config.host});
  config.proxies = {{world_.address_of(proxy_host), 23456}};
  config.proxy_name = "proxy." + domain;
  config.next_hop = destination(routing_->pools.at(Pool::current));
  config.settings = settings();
  config.reconnect = 1s;
  config.quirks = options_.quirks;
  gateway_ = &world_.add("gateway", gateway_host, std::make_unique<reference::Gateway>(std::move(config)));
  routing_->gateway = peer("gateway", gateway_host, 5098);
}

void Deployment::stop_gateway() {
  routing_->gateway.reset();
  world_.remove(*std::exchange(gateway_, nullptr));
  apply_settings();
}

reference::Settings Deployment::settings() const {
  reference::Settings settings;
  for (const auto& partner : options_.topology.partners) {
    if (state_.allowed_partners.contains(partner.domain))
      settings.partners[partner.domain] = allowed_partner_of(partner);
  }
  settings.gateway.dialback_passphrase = "passphrase of the new side";
  settings.policies.user_scoped["XMPP"] = {.enable_federation_access = true, .enable_xmpp_access = true};
  for (const auto& user : routing_->xmpp_users)
    settings.policies.grants[user + "@" + options_.topology.domain] = "XMPP";
  settings.allow_federated_users = state_.policies_granted;
  settings.enable_xmpp_federation = settings.site_federation_route =
      state_.federation_enabled && !options_.quirks.has("migration.edge-stays-closed");
  return settings;
}

void Deployment::apply_settings() {
  if (proxy_ == nullptr) return;
  if (state_.certificate_assigned != std::exchange(certificate_live_, state_.certificate_assigned)) {
    const auto& domain = options_.topology.domain;
    proxy_->assign_certificate(state_.certificate_assigned ? issue({domain, "xmpp." + domain}) : nullptr);
    proxy_->restart_service();  // a certificate takes effect with the service's restart (lync-facts 1.5)
  }
  proxy_->apply(settings());
  if (gateway_ != nullptr) gateway_->apply(settings());
  // Where the subject does not stop, or not link up although it could, its cases say so.
  const auto agreed = [this] {
    const bool up = proxy_->serving();
    if (gateway_ == nullptr) return up || proxy_->stopped();
    return (up || proxy_->stopped()) && gateway_->linked() == up && proxy_->gateway_connected() == up;
  };
  (void)world_.run_until(agreed, link_patience);
}

bool Deployment::close() {
  for (const auto& [domain, partner] : partners_) partner->server().drain();
  legacy_gateway_->drain();
  if (proxy_ != nullptr) proxy_->stop_service();
  const auto closed = [this] {
    const bool partners =
        std::ranges::all_of(partners_, [](const auto& entry) { return entry.second->server().drained(); });
    return partners && legacy_gateway_->drained() && (proxy_ == nullptr || proxy_->stopped());
  };
  return world_.run_until(closed, patience);
}

std::vector<std::string> Deployment::secured_nodes() const {
  std::vector<std::string> nodes{"gateway", node_name_of(Pool::legacy), node_name_of(Pool::current)};
  nodes.insert(nodes.end(), options_.topology.users.begin(), options_.topology.users.end());
  nodes.insert(nodes.end(), tls_partners_.begin(), tls_partners_.end());
  return nodes;
}

std::vector<std::string> Deployment::stream_nodes() const {
  std::vector<std::string> nodes{"legacy-gateway", "proxy"};
  for (const auto& [domain, partner] : partners_) nodes.push_back(short_name(domain));
  return nodes;
}

void Deployment::settle() {
  const auto& ours = options_.topology.domain;
  for (const auto& spec : options_.topology.partners) {
    partner_domain(spec.domain).let_go_of(ours);
    legacy_gateway_->server().close_streams_with(spec.domain);
    if (proxy_ != nullptr && proxy_->serving()) proxy_->server()->close_streams_with(spec.domain);
  }
  const auto quiet = [this] {
    const bool partners = std::ranges::all_of(options_.topology.partners,
                                              [&](const auto& spec) { return partner_domain(spec.domain).quiet(); });
    const bool edge = proxy_ == nullptr || !proxy_->serving() || proxy_->server()->streams().empty();
    return partners && edge && legacy_gateway_->server().streams().empty();
  };
  await(quiet, "a stream did not close");
  // A real server's cache is emptied by time alone; the second whole second is for the rounding.
  if (!real_partners_.empty()) world_.run_for(prosody_cache_ttl + 1s);
}

}  // namespace cutover::harness
