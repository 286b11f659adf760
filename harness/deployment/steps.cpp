// What each step of the migration changes in a deployment, and how it is taken back.
#include "harness/deployment/steps.h"

#include "harness/deployment/deployment.h"
#include "mocks/rules.h"

#include <array>

namespace cutover::harness {

namespace {

using mocks::Rule;

constexpr Duration link_patience = 10s;

constexpr std::array steps{Step::deploy_pool,       Step::deploy_edge,
                           Step::move_users,        Step::create_policies_and_certificates,
                           Step::enable_federation, Step::update_dns};

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

void Deployment::carry_out(Step step) {
  switch (step) {
    case Step::deploy_pool:
      if (!std::exchange(state_.pool_deployed, true)) start_pool(Pool::current);
      break;
    case Step::deploy_edge:
      if (std::exchange(state_.edge_deployed, true)) break;
      publish_routes();
      start_edge();
      break;
    case Step::move_users:
      for (const auto& name : options_.topology.users) move_user(name, Pool::current);
      break;
    case Step::create_policies_and_certificates:
      state_.policies_granted = state_.certificate_assigned = true;
      publish_routes();
      apply_settings();
      break;
    case Step::enable_federation:
      if (!std::exchange(state_.federation_enabled, true)) {
        apply_settings();  // the proxy listens before the gateway dials
        start_gateway();
      }
      for (const auto& partner : options_.topology.partners) allow_partner(partner.domain);
      break;
    case Step::update_dns:
      state_.srv_names_edge = true;
      if (routes_.holds(Rule::last_step_repoints_srv)) plan_->publish_our_srv(name_server_->server(), state_);
      break;
  }
}

void Deployment::undo(Step step) {
  switch (step) {
    case Step::deploy_pool:
      if (!std::exchange(state_.pool_deployed, false)) break;
      publish_routes();
      world_.remove(*pools_.at(Pool::current));
      pools_.erase(Pool::current);
      break;
    case Step::deploy_edge:
      if (!std::exchange(state_.edge_deployed, false)) break;
      publish_routes();
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
      publish_routes();
      apply_settings();
      break;
    case Step::enable_federation:
      for (const auto& partner : options_.topology.partners) remove_partner(partner.domain);
      if (std::exchange(state_.federation_enabled, false)) stop_gateway();
      break;
    case Step::update_dns:
      state_.srv_names_edge = false;
      if (routes_.holds(Rule::undo_repoints_srv)) plan_->publish_our_srv(name_server_->server(), state_);
      break;
  }
}

void Deployment::move_user(const std::string& name, Pool home) {
  auto& mover = user(name);
  if (std::exchange(state_.homes.at(name), home) == home) return;
  publish_routes();
  mover.register_with(routing_->pools.at(home));
  await([&] { return mover.registered() && pools_.at(home)->registered(name); },
        name + " could not register with its new pool");
}

void Deployment::allow_partner(const std::string& domain) {
  state_.allowed_partners.insert(domain);
  publish_routes();
  apply_settings();
}

void Deployment::remove_partner(const std::string& domain) {
  state_.allowed_partners.erase(domain);
  publish_routes();
  apply_settings();
}

void Deployment::set_legacy_gateway(bool runs) {
  state_.legacy_gateway_runs = runs;
  publish_routes();
  if (legacy_gateway_ == nullptr) return start_legacy_gateway();
  runs ? legacy_gateway_->resume() : legacy_gateway_->drain();
}

void Deployment::start_legacy_gateway() {
  legacy_gateway_ = &add("legacy-gateway", std::make_unique<mocks::LegacyGateway>(plan_->legacy_gateway()));
}

void Deployment::start_edge() {
  auto config = plan_->proxy(state_);
  config.direct_tls_port = options_.direct_tls_port;
  proxy_ = &add("proxy", std::make_unique<reference::Proxy>(std::move(config)));
  apply_settings();
}

void Deployment::start_gateway() {
  gateway_ = &add("gateway", std::make_unique<reference::Gateway>(plan_->gateway(state_)));
  publish_routes();
}

void Deployment::stop_gateway() {
  publish_routes();
  world_.remove(*std::exchange(gateway_, nullptr));
  apply_settings();
}

void Deployment::apply_settings() {
  if (proxy_ == nullptr) return;
  if (state_.certificate_assigned != std::exchange(certificate_live_, state_.certificate_assigned)) {
    proxy_->assign_certificate(state_.certificate_assigned ? plan_->edge_certificate() : nullptr);
    proxy_->restart_service();  // a certificate takes effect with the service's restart (lync-facts 1.5)
  }
  proxy_->apply(plan_->settings(state_));
  if (gateway_ != nullptr) gateway_->apply(plan_->settings(state_));
  // Where the subject does not stop, or not link up although it could, its cases say so.
  const auto agreed = [this] {
    const bool up = proxy_->serving();
    if (gateway_ == nullptr) return up || proxy_->stopped();
    return (up || proxy_->stopped()) && gateway_->linked() == up && proxy_->gateway_connected() == up;
  };
  (void)world_.run_until(agreed, link_patience);
}

}  // namespace cutover::harness
