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
                                    Verb::start_gateway,
                                    Verb::stop_gateway,
                                    Verb::allow_partner,
                                    Verb::remove_partner,
                                    Verb::set_ttl,
                                    Verb::repoint,
                                    Verb::drain_streams,
                                    Verb::start_legacy_gateway,
                                    Verb::stop_legacy_gateway,
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
  std::vector<std::vector<migration::Operation>> back;
  for (const auto& operation : operations_of_step(number_of(step), estate())) {
    back.push_back(undo_of(operation, estate(), before));
    apply(operation, estate(), before);
  }
  std::vector<migration::Operation> operations;
  for (auto one = back.rbegin(); one != back.rend(); ++one)
    operations.insert(operations.end(), one->begin(), one->end());
  std::erase_if(operations, [this](const auto& operation) { return !can_be_taken_back(operation); });
  take(operations);
}

/// A step that was undone already, or never done, leaves nothing to remove.
bool Deployment::can_be_taken_back(const migration::Operation& operation) const {
  if (operation.verb == Verb::remove_partner) return state_.configuration.partners.contains(operation.subject);
  if (operation.verb == Verb::delete_policy) return state_.policies.user_scoped.contains(operation.subject);
  return true;
}

void Deployment::move_user(const std::string& name, Pool home) {
  take({{Verb::move_users, name, std::string(home == Pool::legacy ? legacy_pool_name : new_pool_name)}});
}

void Deployment::allow_partner(const std::string& domain) { take({{Verb::allow_partner, domain, ""}}); }

void Deployment::remove_partner(const std::string& domain) {
  if (state_.configuration.partners.contains(domain)) take({{Verb::remove_partner, domain, ""}});
}

void Deployment::set_legacy_gateway(bool runs) {
  take({{runs ? Verb::start_legacy_gateway : Verb::stop_legacy_gateway, "", ""}});
}

void Deployment::conform() {
  const bool pool = new_pool_deployed(state_);
  if (pool && !pools_.contains(Pool::current)) start_pool(Pool::current);
  publish_routes();
  conform_legacy_gateway();
  conform_homes();
  if (!pool && pools_.contains(Pool::current)) {
    world_.remove(*pools_.at(Pool::current));
    pools_.erase(Pool::current);
  }
  conform_edge();
  conform_records();
}

void Deployment::conform_homes() {
  for (const auto& name : options_.topology.users) {
    const auto home = home_of(state_, name);
    if (registered_.at(name) == home || !pools_.contains(home)) continue;
    auto& mover = user(name);
    mover.register_with(routing_->pools.at(home));
    await([&] { return mover.registered() && pools_.at(home)->registered(address_of(options_.topology, name)); },
          name + " could not register with its new pool");
    registered_[name] = home;
  }
}

void Deployment::conform_legacy_gateway() {
  if (legacy_gateway_ == nullptr) {
    start_legacy_gateway();
    legacy_runs_ = true;
  }
  const bool runs = state_.legacy.gateway_runs;
  if (std::exchange(legacy_runs_, runs) != runs) runs ? legacy_gateway_->resume() : legacy_gateway_->drain();
}

void Deployment::conform_records() {
  for (const auto& domain : state_.sip_domains) {
    const auto& record = state_.srv[domain];
    auto& [published, ttl] = published_[domain];
    if (record == published && ttl == state_.ttl_s.at(domain)) continue;
    const auto rule = names_edge(state_, domain) ? Rule::last_step_repoints_srv : Rule::undo_repoints_srv;
    if (record == published || routes_.holds(rule)) plan_->publish_our_srv(name_server_->server(), state_, domain);
    published = record;
    ttl = state_.ttl_s.at(domain);
  }
}

void Deployment::start_legacy_gateway() {
  legacy_gateway_ = &add("legacy-gateway", std::make_unique<mocks::LegacyGateway>(plan_->legacy_gateway()));
}

void Deployment::conform_edge() {
  const bool deployed = edge_on_the_wire(state_).deployed;
  const bool gateway = gateway_up(state_);
  if (deployed && proxy_ == nullptr) start_edge();
  if (proxy_ != nullptr) conform_services();
  if (!gateway && gateway_ != nullptr) world_.remove(*std::exchange(gateway_, nullptr));
  if (deployed) apply_settings();  // the proxy listens before the gateway dials
  if (gateway && gateway_ == nullptr) {
    gateway_ = &add("gateway", std::make_unique<reference::Gateway>(plan_->gateway(state_)));
    apply_settings();
  }
  if (!deployed && proxy_ != nullptr) stop_edge();
}

void Deployment::start_edge() {
  auto config = plan_->proxy(state_);
  config.direct_tls_port = options_.direct_tls_port;
  proxy_ = &add("proxy", std::make_unique<reference::Proxy>(std::move(config)));
  edge_runs_ = true;
}

void Deployment::stop_edge() {
  proxy_->stop_service();
  (void)world_.run_until([this] { return proxy_->stopped(); }, link_patience);
  world_.remove(*std::exchange(proxy_, nullptr));
  assigned_.reset();
  live_.reset();
}

/// Certificate and service of the edge; a certificate takes effect with the service's restart (lync-facts 1.5).
void Deployment::conform_services() {
  const auto& edge = edge_on_the_wire(state_);
  // Services that never ran for want of a certificate are not started by its assignment; those of the reference would.
  const auto& assigned = edge.live ? edge.assigned : edge.live;
  if (std::exchange(assigned_, assigned) != assigned) proxy_->assign_certificate(plan_->certificate(assigned));
  if (edge.services_run) proxy_->apply(plan_->settings(state_, state_.replica));
  if (std::exchange(live_, edge.live) != edge.live) proxy_->restart_service();
  if (std::exchange(edge_runs_, edge.services_run) == edge.services_run) return;
  edge.services_run ? proxy_->start_service() : proxy_->stop_service();
}

void Deployment::apply_settings() {
  if (proxy_ == nullptr) return;
  if (edge_on_the_wire(state_).services_run) proxy_->apply(plan_->settings(state_, state_.replica));
  if (gateway_ != nullptr) gateway_->apply(plan_->settings(state_, state_.configuration));
  // Where the subject does not stop, or not link up although it could, its cases say so.
  const auto agreed = [this] {
    const bool up = proxy_->serving();
    if (gateway_ == nullptr) return up || proxy_->stopped();
    return (up || proxy_->stopped()) && gateway_->linked() == up && proxy_->gateway_connected() == up;
  };
  (void)world_.run_until(agreed, link_patience);
}

}  // namespace cutover::harness
