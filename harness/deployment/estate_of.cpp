// Kinds of partners as the sides of a negotiation, and as rows of the product.
#include "harness/deployment/estate_of.h"

#include <algorithm>

namespace cutover::harness {

namespace {

using namespace migration;
using reference::Negotiation;

negotiation::Side side_of(PartnerKind kind) {
  switch (kind) {
    case PartnerKind::sasl_external:
      return negotiation::external_alone();
    case PartnerKind::dialback_over_tls:
      return negotiation::dialback_over_tls();
    case PartnerKind::plaintext_dialback:
      break;
  }
  return negotiation::dialback_without_tls();
}

AllowedPartner row_of(const PartnerSpec& spec) {
  AllowedPartner row;
  row.domain = spec.domain;
  row.partner_type = PartnerType::federated;
  row.enable_keep_alive = false;
  row.support_dialback_negotiation = spec.kind != PartnerKind::sasl_external;
  if (spec.kind != PartnerKind::sasl_external) row.sasl_negotiation = Negotiation::not_supported;
  if (spec.kind == PartnerKind::plaintext_dialback) row.tls_negotiation = Negotiation::not_supported;
  return row;
}

/// Null for a pool of one machine.
const EdgeMember* member_of(const State& state, const EdgeMachine& machine) {
  const auto& members = state.edges.at(machine.pool).members;
  const auto found = std::ranges::find(members, machine.member, &EdgeMember::name);
  return found == members.end() ? nullptr : &*found;
}

}  // namespace

Partner partner_of(const PartnerSpec& spec) {
  return {.domain = spec.domain, .side = spec.side.value_or(side_of(spec.kind))};
}

bool pool_runs(const State& state, const std::string& name) {
  const auto found = state.pools.find(name);
  return found != state.pools.end() && found->second.deployed && found->second.runs;
}

bool deployed(const State& state, const EdgeMachine& machine) { return state.edges.at(machine.pool).deployed; }

bool services_run(const State& state, const EdgeMachine& machine) {
  const auto* member = member_of(state, machine);
  return state.edges.at(machine.pool).services_run && (member == nullptr || member->runs);
}

bool link_open(const State& state, const EdgeMachine& machine) {
  const auto* member = member_of(state, machine);
  return member == nullptr || member->link_open;
}

std::optional<Certificate> assigned_to(const State& state, const EdgeMachine& machine) {
  const auto* member = member_of(state, machine);
  const auto& pool = state.edges.at(machine.pool).assigned;
  return pool && member != nullptr && member->certificate ? member->certificate : pool;
}

std::optional<Certificate> shown_by(const State& state, const EdgeMachine& machine) {
  const auto* member = member_of(state, machine);
  const auto& pool = state.edges.at(machine.pool).live;
  return pool && member != nullptr && member->certificate ? member->certificate : pool;
}

Estate estate_of(const Topology& topology) {
  Estate estate;
  auto& state = estate.start;
  const auto domains = domains_of(topology);
  state.sip_domains = domains;
  for (const auto& name : legacy_pools_of(topology)) state.pools[name] = {};
  for (const auto& name : new_pools_of(topology))
    state.pools[name] = {.side = migration::Side::current, .deployed = false};
  for (const auto& machine : edge_machines(topology)) {
    auto& pool = state.edges[machine.pool];
    if (!machine.member.empty()) pool.members.push_back({.name = machine.member});
  }
  for (const auto& [name, users] : moved_as_one(topology)) {
    state.users[name] = {.count = static_cast<std::uint32_t>(users.size()),
                         .domain = domain_of(topology, users.front()),
                         .pool = start_of(topology, name)};
    estate.moves_to[name] = target_of(topology, name);
  }
  for (const auto& spec : topology.partners) {
    estate.partners[spec.domain] = partner_of(spec);
    estate.rows[spec.domain] = row_of(spec);
    state.legacy.routes.insert(spec.domain);
    state.legacy.partners.insert(spec.domain);
    if (spec.kind == PartnerKind::plaintext_dialback) state.legacy.in_clear.insert(spec.domain);
  }
  state.legacy.sip_domains = {domains.begin(), domains.end()};
  state.legacy.certificate = Certificate{.names = domains};
  estate.certificates[std::string(edge_certificate)] = {.names = domains};
  for (const auto& domain : domains) {
    state.srv[domain] = {SrvTarget{.box = std::string(legacy_gateway_box)}};
    state.ttl_s[domain] = srv_ttl_of(topology, domain);
  }
  state.configuration.gateway.dialback_passphrase = "passphrase of the new side";
  replicate(state);
  return estate;
}

const std::string& primary_of(const Estate& estate, const std::string& domain) {
  for (const auto& [primary, partner] : estate.partners) {
    if (std::ranges::find(partner.further_domains, domain) != partner.further_domains.end()) return primary;
  }
  return domain;
}

State migrated(const Estate& estate) {
  auto state = estate.start;
  for (int number = 1; number <= steps_of_the_document; ++number) {
    for (const auto& operation : operations_of_step(number, estate)) apply(operation, estate, state);
  }
  replicate(state);
  return state;
}

}  // namespace cutover::harness
