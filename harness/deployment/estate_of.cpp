// Kinds of partners as the sides of a negotiation, and as rows of the product.
#include "harness/deployment/estate_of.h"

#include <algorithm>

namespace cutover::harness {

namespace {

using namespace migration;
using negotiation::Tls;
using reference::Negotiation;

negotiation::Side side_of(PartnerKind kind) {
  switch (kind) {
    case PartnerKind::sasl_external:
      return negotiation::side(negotiation::Certificate::good, false, Tls::required);
    case PartnerKind::dialback_over_tls: {
      auto side = negotiation::side(negotiation::Certificate::good, true, Tls::required);
      side.external = false;
      return side;
    }
    case PartnerKind::plaintext_dialback:
      break;
  }
  auto side = negotiation::side(negotiation::Certificate::none, true, Tls::none);
  side.features = false;
  return side;
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

}  // namespace

Partner partner_of(const PartnerSpec& spec) {
  return {.domain = spec.domain, .side = spec.side.value_or(side_of(spec.kind))};
}

bool new_pool_deployed(const State& state) {
  return std::ranges::any_of(state.pools, [](const auto& entry) {
    const auto& pool = entry.second;
    return pool.side == migration::Side::current && !pool.branch && pool.deployed;
  });
}

const EdgePool& edge_on_the_wire(const State& state) { return state.edges.begin()->second; }

const std::string& edge_name_on_the_wire(const State& state) { return state.edges.begin()->first; }

Estate estate_of(const Topology& topology) {
  Estate estate;
  auto& state = estate.start;
  state.sip_domains = domains_of(topology);
  state.pools[std::string(legacy_pool_name)] = {};
  state.pools[std::string(new_pool_name)] = {.side = migration::Side::current, .deployed = false};
  state.edges[std::string(edge_name)] = {};
  for (const auto& user : topology.users)
    state.users[user] = {.domain = domain_of(topology, user), .pool = std::string(legacy_pool_name)};
  for (const auto& spec : topology.partners) {
    estate.partners[spec.domain] = partner_of(spec);
    estate.rows[spec.domain] = row_of(spec);
    state.legacy.routes.insert(spec.domain);
    state.legacy.partners.insert(spec.domain);
    if (spec.kind == PartnerKind::plaintext_dialback) state.legacy.in_clear.insert(spec.domain);
  }
  const auto domains = domains_of(topology);
  state.legacy.sip_domains = {domains.begin(), domains.end()};
  state.legacy.certificate = Certificate{.names = domains};
  estate.certificates[std::string(edge_certificate_name)] = {.names = domains};
  for (const auto& domain : domains) {
    state.srv[domain] = {SrvTarget{.box = std::string(legacy_gateway_box)}};
    state.ttl_s[domain] = topology.srv_ttl_s;
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
