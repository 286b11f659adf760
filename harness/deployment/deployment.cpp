// How a deployment comes up, what it tells of itself, and how it comes to rest and to its end.
#include "harness/deployment/deployment.h"

#include "harness/deployment/plan.h"
#include "harness/servers/real_partner.h"
#include "mocks/rules.h"
#include "protocol/base/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness {

namespace {

using mocks::Rule;

/// What serves it; nullptr where that is no real server.
const ServerProduct* product_of(const PartnerSpec& spec) { return product_named(name_of(spec.server)); }

/// The mode in which a real server is a partner of this kind.
ServerMode mode_of(PartnerKind kind) {
  switch (kind) {
    case PartnerKind::sasl_external:
      return ServerMode::external_only;
    case PartnerKind::dialback_over_tls:
      return ServerMode::dialback_over_tls;
    case PartnerKind::plaintext_dialback:
      break;
  }
  return ServerMode::dialback_in_clear;
}

constexpr int first_client_host = 80;  // of the users of real servers, in the block of the world
constexpr Duration patience = 60s;

}  // namespace

Deployment::Deployment(World& world, DeploymentOptions options)
    : world_(world),
      options_(std::move(options)),
      routes_(options_.planted.at(departures::routes)),
      routing_(std::make_shared<mocks::Routing>()) {
  for (auto& partner : options_.topology.partners) {
    if (partner.kind != PartnerKind::plaintext_dialback)
      tls_partners_.push_back(node_name_of(options_.topology, partner));
    if (partner.kind == PartnerKind::dialback_over_tls && !routes_.holds(Rule::partner_keeps_its_tls))
      partner.kind = PartnerKind::plaintext_dialback;
  }
  authority_ = std::exchange(options_.authority, nullptr);
  if (!authority_) {
    authority_ = options_.paper_tls ? tls::make_paper_authority(world.wall_clock())
                                    : tls::make_openssl_authority(world.wall_clock());
  }
  plan_ = std::make_unique<Plan>(
      options_.topology, options_.estate, [&](int host) { return world_.address_of(host); }, *authority_,
      options_.planted, options_.admin);
  for (const auto& node : nodes_of(options_.topology)) hosts_[node.name] = node.host;
  state_ = plan_->estate().start;
  legacy_next_hop_ = plan_->legacy_next_hop(state_);
  for (const auto& domain : state_.sip_domains) published_[domain] = {state_.srv.at(domain), state_.ttl_s.at(domain)};
  publish_routes();
}

Deployment::~Deployment() = default;

void Deployment::await(const std::function<bool()>& condition, const std::string& what) {
  if (!world_.run_until(condition, patience)) throw HarnessFault("the deployment did not come up: " + what);
}

void Deployment::publish_routes() {
  auto before = std::move(routing_->configured_partners);
  *routing_ = plan_->routing(state_);
  if (!routes_.holds(Rule::undo_removes_the_partner)) routing_->configured_partners.merge(before);
}

int Deployment::partner_host(const std::string& domain) const {
  const auto& partners = options_.topology.partners;
  const auto found = std::ranges::find(partners, domain, &PartnerSpec::domain);
  if (found == partners.end()) throw HarnessFault("no partner " + domain);
  return hosts_.at(node_name_of(options_.topology, *found));
}

Endpoint Deployment::name_server_endpoint() const { return plan_->name_server(); }

std::vector<std::pair<std::string, Endpoint>> Deployment::endpoints() const {
  std::vector<std::pair<std::string, Endpoint>> all;
  const auto add = [&](const std::string& label, const std::string& node, const char* service) {
    all.emplace_back(label, plan_->endpoint(node, service));
  };
  add("name-server", "name-server", "dns");
  for (const auto& spec : options_.topology.partners)
    add(spec.domain, harness::node_name_of(options_.topology, spec), "xmpp");
  if (legacy_gateway_ != nullptr) add("legacy-gateway", "legacy-gateway", "xmpp");
  for (const auto& [node, machine] : machines_) {
    add(node, node, "xmpp");
    add(node + " (internal)", node, "internal");
  }
  if (gateway_ != nullptr) add("gateway", "gateway", "sip");
  for (const auto& [name, node] : pools_) add(name, name, "sip");
  if (!options_.admin.enabled) return all;
  for (const auto& [node, machine] : machines_) add(node + " (admin)", node, "admin");
  if (gateway_ != nullptr) add("gateway (admin)", "gateway", "admin");
  return all;
}

Endpoint Deployment::endpoint(std::string_view label) const {
  for (const auto& [name, where] : endpoints()) {
    if (name == label) return where;
  }
  throw HarnessFault(fmt::format("nothing of the deployment is called {}", label));
}

std::vector<std::string> Deployment::columns() const {
  std::vector<std::string> names;
  for (const auto& partner : options_.topology.partners) {
    if (product_of(partner) != nullptr) names.insert(names.end(), partner.users.begin(), partner.users.end());
    names.push_back(node_name_of(options_.topology, partner));
  }
  for (const auto* name : {"name-server", "legacy-gateway"}) names.emplace_back(name);
  for (const auto& machine : machines()) names.push_back(machine.node);
  names.emplace_back("gateway");
  for (const auto& pool : plan_->pools()) names.push_back(pool.node);
  for (const auto& user : options_.topology.users) names.push_back(user);
  return names;
}

void Deployment::bring_up() {
  name_server_ = &add("name-server", std::make_unique<mocks::NameServer>(dns::DnsServer(), plan_->name_server().port));
  plan_->publish_zones(name_server_->server(), state_);
  for (const auto& pool : plan_->pools()) {
    if (pool_runs(state_, pool.node)) start_pool(pool.node);
  }
  conform_legacy_gateway();
  for (const auto& partner : options_.topology.partners) start_partner(partner);
  for (const auto& name : options_.topology.users) start_user(name);
  int host = first_client_host;
  for (const auto& partner : options_.topology.partners) {
    start_clients(partner, host);
    host += static_cast<int>(partner.users.size());
  }
  const auto settled = [this](const auto& entry) {
    return !registered_.at(entry.first).up || entry.second->registered();
  };
  await([&] { return std::ranges::all_of(users_, settled); }, "a user could not register with its pool");
  conform();
}

void Deployment::start_pool(const std::string& node) {
  pools_[node] = &add(node, std::make_unique<mocks::PoolNode>(plan_->pool(node, routing_)));
  publish_routes();
}

void Deployment::stop_pool(const std::string& node) {
  world_.remove(*pools_.at(node));
  pools_.erase(node);
  const bool served = std::ranges::any_of(registered_, [&](const auto& entry) { return entry.second.pool == node; });
  constexpr Duration noticed = 100ms;
  if (served) world_.run_for(noticed);  // its users know that their connections have ended
}

std::string Deployment::home_of(const std::string& user) const {
  return plan_->home_of(state_, moved_with(options_.topology, user));
}

std::string Deployment::next_marker() { return fmt::format("marker-{:08}", ++markers_); }

void Deployment::start_partner(const PartnerSpec& spec) {
  if (spec.server == PartnerServer::by_hand) return;
  if (const auto* product = product_of(spec)) return start_real(spec, *product);
  partners_[spec.domain] =
      &add(node_name_of(options_.topology, spec), std::make_unique<mocks::Partner>(plan_->partner(spec)));
}

void Deployment::start_real(const PartnerSpec& spec, const ServerProduct& product) {
  if (world_.kind() != WorldKind::live) throw HarnessFault("a real server runs in a live world only");
  const auto node = node_name_of(options_.topology, spec);
  ServerSettings settings;
  settings.domain = spec.domain;
  settings.address = plan_->endpoint(node, "xmpp").address;
  settings.name_server = name_server_endpoint();
  settings.mode = mode_of(spec.kind);
  settings.certificate = authority_->issue_pem({.names = {{tls::NameKind::dns, spec.domain}}});
  for (const auto& user : spec.users) settings.accounts.push_back({user, "secret of " + user});
  world_.call_strangers(node);
  real_partners_[spec.domain] = &add(node, std::make_unique<RealPartner>(product, std::move(settings)));
}

/// Signs the users of a real server in; mocks have theirs inside.
void Deployment::start_clients(const PartnerSpec& spec, int first_host) {
  if (product_of(spec) == nullptr) return;
  const auto anchors = spec.kind == PartnerKind::plaintext_dialback
                           ? nullptr
                           : authority_->issue({.names = {{tls::NameKind::dns, "client.invalid"}}});
  real_partner(spec.domain).sign_users_in(world_, first_host, anchors);
}

void Deployment::start_user(const std::string& name) {
  const auto home = home_of(name);
  registered_[name] = {home, pools_.contains(home)};
  users_[name] = &add(name, std::make_unique<mocks::SipUser>(plan_->user(name, home)));
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

RealPartner& Deployment::real_partner(const std::string& domain) {
  const auto found = real_partners_.find(domain);
  if (found == real_partners_.end()) throw HarnessFault("no real server for " + domain);
  return *found->second;
}

mocks::SipUser& Deployment::user(const std::string& name) {
  const auto found = users_.find(name);
  if (found == users_.end()) throw HarnessFault("no user " + name);
  return *found->second;
}

reference::Proxy& Deployment::proxy() { return proxy(machines().front().node); }

reference::Proxy& Deployment::proxy(const std::string& node) {
  const auto found = machines_.find(node);
  if (found == machines_.end()) throw HarnessFault("the edge is not deployed: " + node);
  return *found->second.proxy;
}

reference::Gateway& Deployment::gateway() {
  if (gateway_ == nullptr) throw HarnessFault("federation is not enabled");
  return *gateway_;
}

void Deployment::finish_negotiations() {
  constexpr Duration limit = 1s;  // a peer by hand may leave one half-way
  const auto settled = [](const xmpp::Server& server) {
    return std::ranges::all_of(server.streams(),
                               [](const auto& stream) { return stream.state == "open" || stream.state == "closing"; });
  };
  (void)world_.run_until(
      [&] {
        const bool partners =
            std::ranges::all_of(partners_, [&](const auto& entry) { return settled(entry.second->server()); });
        const bool proxies = std::ranges::all_of(machines_, [&](const auto& entry) {
          return entry.second.proxy->server() == nullptr || settled(*entry.second.proxy->server());
        });
        return partners && proxies && (legacy_gateway_->drained() || settled(legacy_gateway_->server()));
      },
      limit);
}

bool Deployment::close() {
  finish_negotiations();
  for (const auto& [domain, partner] : partners_) partner->server().drain();
  legacy_gateway_->drain();
  for (const auto& [node, machine] : machines_) machine.proxy->stop_service();
  const auto closed = [this] {
    const bool partners =
        std::ranges::all_of(partners_, [](const auto& entry) { return entry.second->server().drained(); });
    const bool proxies =
        std::ranges::all_of(machines_, [](const auto& entry) { return entry.second.proxy->stopped(); });
    return partners && legacy_gateway_->drained() && proxies;
  };
  return world_.run_until(closed, patience);
}

std::vector<std::string> Deployment::secured_nodes() const {
  std::vector<std::string> nodes{"gateway"};
  for (const auto& pool : plan_->pools()) nodes.push_back(pool.node);
  nodes.insert(nodes.end(), options_.topology.users.begin(), options_.topology.users.end());
  nodes.insert(nodes.end(), tls_partners_.begin(), tls_partners_.end());
  return nodes;
}

std::vector<std::string> Deployment::stream_nodes() const {
  std::vector<std::string> nodes{"legacy-gateway"};
  for (const auto& machine : machines()) nodes.push_back(machine.node);
  for (const auto& spec : options_.topology.partners) {
    if (partners_.contains(spec.domain)) nodes.push_back(node_name_of(options_.topology, spec));
  }
  return nodes;
}

void Deployment::settle() {
  for (const auto& spec : options_.topology.partners) {
    if (spec.server != PartnerServer::by_hand) {
      for (const auto& ours : domains_of(options_.topology)) partner_domain(spec.domain).let_go_of(ours);
    }
    legacy_gateway_->server().close_streams_with(spec.domain);
    for (const auto& [node, machine] : machines_) {
      if (machine.proxy->serving()) machine.proxy->server()->close_streams_with(spec.domain);
    }
  }
  const auto quiet = [this] {
    const bool partners = std::ranges::all_of(options_.topology.partners, [&](const auto& spec) {
      return spec.server == PartnerServer::by_hand || partner_domain(spec.domain).quiet();
    });
    const bool edge = std::ranges::all_of(machines_, [](const auto& entry) {
      const auto& proxy = *entry.second.proxy;
      return !proxy.serving() || entry.second.proxy->server()->streams().empty();
    });
    return partners && edge && legacy_gateway_->server().streams().empty();
  };
  await(quiet, "a stream did not close");
  // A real server's cache is emptied by time alone; the second whole second is for the rounding.
  Duration kept{};
  for (const auto& [domain, partner] : real_partners_)
    kept = std::max(kept, partner->server().product().cache_ttl + 1s);
  if (kept > Duration{}) world_.run_for(kept);
}

}  // namespace cutover::harness
