// Limits of mocks, told in one place.
#include "harness/deployment/on_the_wire.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness {

using namespace migration;

bool shown_by_nodes(const Partner& partner) {
  // Whoever meets a certificate that proves nothing may go on by dialback or end the stream (RFC 6120 section 13.7.2).
  const bool clear = partner.side.certificate != negotiation::Certificate::bad;
  return clear && partner.trusts_our_authority && !partner.wants_client_usage && !partner.closes_on_failed_external &&
         !partner.hosts_our_domain && !partner.discards_messages && partner.answers_dialback && partner.has_srv &&
         partner.connections == 1 && partner.cache_s == 0;
}

bool shown_by_nodes(const Operation& operation, const Estate& estate) {
  if (std::ranges::find(on_the_wire(), operation.verb) == on_the_wire().end()) return false;
  if (operation.verb == Verb::assign_certificate && operation.value != "-") {
    const auto& certificate = estate.certificates.at(operation.value);
    return certificate.fault != Certificate::Fault::revocation_unreachable;
  }
  return true;
}

bool shown_by_nodes(const UserClass& users, const State& state) {
  const auto pool = state.pools.find(users.pool);
  return users.enabled && pool != state.pools.end() && pool->second.deployed;
}

Topology topology_of(const Estate& estate, const std::vector<std::string>& classes,
                     const std::vector<std::string>& partner_domains) {
  Topology topology;
  const auto& domains = estate.start.sip_domains;
  topology.domain = domains.front();
  topology.further_domains.assign(domains.begin() + 1, domains.end());
  for (const auto& [name, edge] : estate.start.edges) {
    auto& spec = topology.edges.emplace_back(EdgeSpec{name, {}});
    for (const auto& member : edge.members) spec.members.push_back(member.name);
  }
  for (const auto& [name, pool] : estate.start.pools) {
    if (!pool.branch)
      (pool.side == migration::Side::legacy ? topology.legacy_pools : topology.new_pools).push_back(name);
  }
  topology.users = classes;
  for (const auto& name : classes) {
    if (const auto& domain = estate.start.users.at(name).domain; domain != topology.domain)
      topology.user_domains[name] = domain;
  }
  for (const auto& domain : partner_domains) {
    PartnerSpec partner{.domain = domain, .users = {partners_user}};
    partner.side = estate.partners.at(primary_of(estate, domain)).side;
    topology.partners.push_back(std::move(partner));
  }
  return topology;
}

void list_contact(Deployment& deployment, const std::string& user, const std::string& partner_domain) {
  constexpr Duration patience = 45s;
  const auto uri = fmt::format("sip:{}@{}", partners_user, partner_domain);
  auto& watcher = deployment.user(user);
  watcher.subscribe(uri);
  (void)deployment.world().run_until([&] { return watcher.contact(uri).subscribe_status >= 200; }, patience);
}

Outcome felt(const Observation& seen, Duration took) {
  constexpr Duration at_once = 20s;  // an error takes some round trips of a millisecond
  Outcome outcome{.path = seen.path};
  if (seen.copies > 0) return outcome;
  if (seen.told_late)
    outcome.kind = Kind::bounced;
  else if (!seen.sender_told)
    outcome.kind = Kind::black_holed;
  else
    outcome.kind = took > at_once ? Kind::bounced : Kind::refused;
  outcome.after = took;
  return outcome;
}

}  // namespace cutover::harness
