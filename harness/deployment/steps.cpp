// What each step of the migration changes in a deployment, and how it is taken back.
#include "harness/deployment/steps.h"

#include "harness/deployment/deployment.h"
#include "mocks/rules.h"
#include "protocol/base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cutover::harness {

namespace {

using migration::Verb;
using mocks::Rule;

constexpr Duration link_patience = 10s;

constexpr std::array steps{Step::deploy_pool,       Step::deploy_edge,
                           Step::move_users,        Step::create_policies_and_certificates,
                           Step::enable_federation, Step::update_dns};

}  // namespace

std::span<const Step> canonical_steps() { return steps; }

int number_of(Step step) { return static_cast<int>(step) + 1; }

const char* name_of(Step step) { return migration::title_of_step(number_of(step)).data(); }

std::span<const Verb> on_the_wire() {
  static constexpr std::array shown{Verb::deploy_pool,
                                    Verb::remove_pool,
                                    Verb::start_pool,
                                    Verb::stop_pool,
                                    Verb::deploy_edge,
                                    Verb::remove_edge,
                                    Verb::move_users,
                                    Verb::set_policy,
                                    Verb::delete_policy,
                                    Verb::grant_policy,
                                    Verb::tick_xmpp,
                                    Verb::allow_federated_users,
                                    Verb::assign_certificate,
                                    Verb::restart_edge,
                                    Verb::set_route,
                                    Verb::publish,
                                    Verb::replicate,
                                    Verb::set_up_edge,
                                    Verb::set_up_front_end,
                                    Verb::start_edge,
                                    Verb::stop_edge,
                                    Verb::start_member,
                                    Verb::stop_member,
                                    Verb::open_link,
                                    Verb::close_link,
                                    Verb::open_firewall,
                                    Verb::close_firewall,
                                    Verb::set_next_hop,
                                    Verb::start_gateway,
                                    Verb::stop_gateway,
                                    Verb::allow_partner,
                                    Verb::remove_partner,
                                    Verb::set_ttl,
                                    Verb::repoint,
                                    Verb::drain_streams,
                                    Verb::start_legacy_gateway,
                                    Verb::stop_legacy_gateway,
                                    Verb::start_legacy_edge,
                                    Verb::stop_legacy_edge,
                                    Verb::add_legacy_route,
                                    Verb::remove_legacy_route};
  return shown;
}

void Deployment::carry_out(const migration::Operation& operation) {
  if (std::ranges::find(on_the_wire(), operation.verb) == on_the_wire().end())
    throw HarnessFault(fmt::format("no node shows '{}'", words_of(operation)));
  take({operation});
  if (operation.verb != Verb::drain_streams) return;
  for (const auto& partner : options_.topology.partners) legacy_gateway_->server().close_streams_with(partner.domain);
}

void Deployment::carry_out(std::string_view operation) { carry_out(migration::parse_operation(operation)); }

void Deployment::take(const std::vector<migration::Operation>& operations) {
  for (const auto& operation : operations) {
    apply(operation, estate(), state_);
    if (replicates_) replicate(state_);
  }
  conform();
}

void Deployment::carry_out(Step step) { take(operations_of_step(number_of(step), estate())); }

void Deployment::undo(Step step) {
  // What was there before the step when the steps are carried out in their order.
  auto before = estate().start;
  for (int earlier = 1; earlier < number_of(step); ++earlier) {
    for (const auto& operation : operations_of_step(earlier, estate())) apply(operation, estate(), before);
  }
  std::vector<migration::Operation> back;  // the last first
  for (const auto& operation : operations_of_step(number_of(step), estate())) {
    const auto undo = undo_of(operation, estate(), before);
    back.insert(back.begin(), undo.begin(), undo.end());
    apply(operation, estate(), before);
  }
  std::erase_if(back, [this](const auto& operation) { return !can_be_taken_back(operation); });
  take(back);
}

/// A step that was undone already, or never done, leaves nothing to remove.
bool Deployment::can_be_taken_back(const migration::Operation& operation) const {
  if (operation.verb == Verb::remove_partner) return state_.configuration.partners.contains(operation.subject);
  if (operation.verb == Verb::delete_policy) return state_.policies.user_scoped.contains(operation.subject);
  return true;
}

void Deployment::move_user(const std::string& name, Pool home) {
  const auto& topology = options_.topology;
  const auto& moved = moved_with(topology, name);
  take({{Verb::move_users, moved, home == Pool::legacy ? start_of(topology, moved) : target_of(topology, moved)}});
}

void Deployment::allow_partner(const std::string& domain) { take({{Verb::allow_partner, domain, ""}}); }

void Deployment::remove_partner(const std::string& domain) {
  if (state_.configuration.partners.contains(domain)) take({{Verb::remove_partner, domain, ""}});
}

void Deployment::conform() {
  for (const auto& pool : plan_->pools()) {
    if (pool_runs(state_, pool.node) && !pools_.contains(pool.node)) start_pool(pool.node);
  }
  publish_routes();
  conform_legacy_gateway();
  conform_legacy_next_hop();
  conform_homes();
  for (const auto& pool : plan_->pools()) {  // its users have left it, where they were moved
    if (!pool_runs(state_, pool.node) && pools_.contains(pool.node)) stop_pool(pool.node);
  }
  conform_firewalls();
  conform_edge();
  conform_records();
}

void Deployment::conform_homes() {
  for (const auto& [name, users] : moved_as_one(options_.topology)) {
    const auto home = plan_->home_of(state_, name);
    const bool up = pool_runs(state_, home);
    std::vector<std::string> moved;
    for (const auto& one : users) {
      const auto before = std::exchange(registered_.at(one), {home, up});
      const bool stays = before.pool == home && (before.up == up || !up);
      if (stays) continue;
      user(one).register_with(plan_->peer(home, "sip"));  // and leaves the other pool, whether or not this one runs
      if (up) moved.push_back(one);
    }
    for (const auto& one : moved) {
      const auto address = address_of(options_.topology, one);
      await([&] { return user(one).registered() && pools_.at(home)->registered(address); },
            one + " could not register with its new pool");
    }
  }
}

void Deployment::conform_legacy_gateway() {
  if (legacy_gateway_ == nullptr)
    legacy_gateway_ = &add("legacy-gateway", std::make_unique<mocks::LegacyGateway>(plan_->legacy_gateway()));
  const bool runs = !routes_.breaks(Rule::stopped_gateway_is_down, !state_.legacy.gateway_runs);
  if (legacy_gateway_->running() != runs) runs ? legacy_gateway_->resume() : legacy_gateway_->drain();
}

bool Deployment::repoints(const std::string& domain) const {
  return routes_.holds(names_edge(state_, domain) ? Rule::last_step_repoints_srv : Rule::undo_repoints_srv);
}

void Deployment::conform_records() {
  for (const auto& domain : state_.sip_domains) {
    const auto& record = state_.srv[domain];
    auto& [published, ttl] = published_[domain];
    if (record == published && ttl == state_.ttl_s.at(domain)) continue;
    if (record == published || repoints(domain))
      plan_->publish_our_srv(name_server_->server(), state_, domain, partners_meet_);
    published = record;
    ttl = state_.ttl_s.at(domain);
  }
}

/// The SIP leg of the legacy gateway goes through the legacy edge, which is no node of its own: where it is stopped,
/// the gateway has nobody to go to.
void Deployment::conform_legacy_next_hop() {
  const auto pool = plan_->legacy_next_hop(state_);
  if (std::exchange(legacy_next_hop_, pool) != pool) legacy_gateway_->set_next_hop(plan_->at_pool(pool));
}

/// What the firewalls of the edge pools keep out, in and out, and those between the front ends and each member.
void Deployment::conform_firewalls() {
  std::set<ClosedPort> closed;
  for (const auto& machine : machines()) {
    const auto& pool = state_.edges.at(machine.pool);
    const auto& node = machine.node;
    if (!link_open(state_, machine)) closed.emplace("gateway", node, plan_->endpoint(node, "internal").port);
    for (const auto& spec : options_.topology.partners) {
      const auto partner = node_name_of(options_.topology, spec);
      if (!pool.opens_in) closed.emplace(partner, node, plan_->endpoint(node, "xmpp").port);
      if (!pool.opens_out) closed.emplace(node, partner, plan_->endpoint(partner, "xmpp").port);
    }
  }
  for (const auto& [from, to, port] : closed) {
    if (!closed_ports_.contains({from, to, port})) world_.close_port(from, to, port);
  }
  for (const auto& [from, to, port] : closed_ports_) {
    if (!closed.contains({from, to, port})) world_.open_port(from, to, port);
  }
  closed_ports_ = std::move(closed);
}

void Deployment::lead_partners_to(const std::string& node) {
  partners_meet_ = node;
  plan_->publish_edges(name_server_->server(), node);
  for (const auto& [domain, record] : published_) {
    if (repoints(domain)) plan_->publish_our_srv(name_server_->server(), state_, domain, node);
  }
}

void Deployment::lead_gateway_to(const std::string& node) {
  gateway_meets_ = node;
  apply_settings();
}

migration::State Deployment::met(migration::Way way) const {
  auto state = state_;
  const auto machine_of = [&](const std::string& node) {
    return std::ranges::find(machines(), node, &EdgeMachine::node);
  };
  const auto end = machines().end();
  const auto met = machine_of(way == migration::Way::from_partner ? partners_meet_ : gateway_meets_);
  if (met != end)
    std::erase_if(state.edges.at(met->pool).members, [&](const auto& member) { return member.name != met->member; });
  if (partners_meet_.empty()) return state;
  const auto partners = machine_of(partners_meet_);
  const auto box = partners == end ? partners_meet_ : partners->pool;
  for (auto& [domain, record] : state.srv) {
    if (std::ranges::find(record, box, &migration::SrvTarget::box) == record.end()) continue;
    std::erase_if(record, [&](const auto& target) { return target.box != box; });
  }
  return state;
}

void Deployment::answer_with(const std::string& domain, const migration::Srv& record) {
  auto seen = state_;
  seen.srv[domain] = record;
  plan_->publish_our_srv(name_server_->server(), seen, domain);
}

void Deployment::conform_edge() {
  const bool gateway = gateway_up(state_);
  for (const auto& machine : machines()) {
    if (deployed(state_, machine) && !machines_.contains(machine.node)) start_machine(machine);
  }
  for (auto& [node, machine] : machines_) conform_services(machine);
  if (!gateway && gateway_ != nullptr) world_.remove(*std::exchange(gateway_, nullptr));
  apply_settings();  // the proxies listen before the gateway dials
  if (gateway && gateway_ == nullptr) {
    gateway_ = &add("gateway", std::make_unique<reference::Gateway>(plan_->gateway(state_)));
    next_hop_ = plan_->next_hop(state_);
    apply_settings();
  }
  if (const auto pool = plan_->next_hop(state_); gateway_ != nullptr && std::exchange(next_hop_, pool) != pool)
    gateway_->set_next_hop(plan_->at_pool(pool));
  for (const auto& machine : machines()) {
    if (!deployed(state_, machine) && machines_.contains(machine.node)) stop_machine(machine.node);
  }
}

void Deployment::start_machine(const EdgeMachine& machine) {
  auto config = plan_->proxy(state_, machine);
  config.direct_tls_port = options_.direct_tls_port;
  machines_[machine.node] = {.name = machine,
                             .proxy = &add(machine.node, std::make_unique<reference::Proxy>(std::move(config))),
                             .assigned = {},
                             .live = {}};
}

void Deployment::stop_machine(const std::string& node) {
  auto& proxy = *machines_.at(node).proxy;
  proxy.stop_service();
  (void)world_.run_until([&] { return proxy.stopped(); }, link_patience);
  world_.remove(proxy);
  machines_.erase(node);
}

/// Certificate and service; a certificate takes effect with the service's restart (lync-facts 1.5).
void Deployment::conform_services(Machine& machine) {
  // Services that never ran for want of a certificate are not started by its assignment; those of the reference would.
  auto live = shown_by(state_, machine.name);
  const auto& members = state_.edges.at(machine.name.pool).members;
  const bool further = !members.empty() && members.front().name != machine.name.member;
  if (further && !routes_.holds(Rule::certificate_goes_to_every_member)) live.reset();
  const auto assigned = live ? assigned_to(state_, machine.name) : std::nullopt;
  auto& proxy = *machine.proxy;
  if (std::exchange(machine.assigned, assigned) != assigned) proxy.assign_certificate(plan_->certificate(assigned));
  if (std::exchange(machine.live, live) != live) proxy.restart_service();
  const bool runs = services_run(state_, machine.name);
  if (std::exchange(machine.runs, runs) == runs) return;
  runs ? proxy.start_service() : proxy.stop_service();
}

/// The gateway is to have a link to it, where it serves.
bool Deployment::should_link(const Machine& machine) const {
  const auto links = plan_->links(state_, gateway_meets_);
  const bool dialled = std::ranges::find(links, plan_->endpoint(machine.name.node, "internal")) != links.end();
  return dialled && !state_.configuration.xmpp_route.empty() && link_open(state_, machine.name);
}

void Deployment::apply_settings() {
  for (const auto& [node, machine] : machines_) {
    if (machine.runs) machine.proxy->apply(plan_->settings(state_, state_.replica, machine.name.pool));
  }
  if (machines_.empty()) return;
  if (gateway_ != nullptr) {
    gateway_->set_proxies(plan_->links(state_, gateway_meets_), plan_->link_name(state_));
    gateway_->apply(plan_->settings(state_, state_.configuration, plan_->routed_edge(state_)));
  }
  // Where the subject does not stop, or not link up although it could, its cases say so.
  const auto agreed = [this] {
    bool any = false;
    for (const auto& [node, machine] : machines_) {
      const auto& proxy = *machine.proxy;
      const bool linked = proxy.serving() && should_link(machine);
      any = any || linked;
      if (!proxy.serving() && !proxy.stopped()) return false;
      if (gateway_ != nullptr && proxy.gateway_connected() != linked) return false;
    }
    return gateway_ == nullptr || gateway_->linked() == any;
  };
  (void)world_.run_until(agreed, link_patience);
}

}  // namespace cutover::harness
