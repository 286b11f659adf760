// The first of each kind, in the order of the topology.
#include "suites/support/chosen.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::suites {

using namespace harness;

PartnerSpec partner_by(Run& run, PartnerKind kind) {
  const auto topology = run.topology();
  const auto found = std::ranges::find_if(
      topology.partners, [&](const auto& one) { return one.kind == kind && one.server == PartnerServer::mock; });
  if (found == topology.partners.end())
    run.unsupported(fmt::format("the topology has no partner of kind {} that is served by a mock", name_of(kind)));
  return *found;
}

PartnerSpec partner_by_certificate(Run& run) { return partner_by(run, PartnerKind::sasl_external); }
PartnerSpec partner_by_dialback(Run& run) { return partner_by(run, PartnerKind::dialback_over_tls); }

std::string user_of_first_domain(Run& run) {
  const auto topology = run.topology();
  for (const auto& user : topology.users) {
    if (domain_of(topology, user) == topology.domain) return user;
  }
  run.unsupported("the topology has no user of its first domain, " + topology.domain);
}

std::string user_moved_apart_from(Run& run, const std::string& user) {
  const auto topology = run.topology();
  for (const auto& other : topology.users) {
    if (moved_with(topology, other) != moved_with(topology, user)) return other;
  }
  run.unsupported("the topology has nobody who is moved apart from " + user);
}

Topology with_one_edge_machine(Run& run) {
  auto topology = run.topology();
  topology.edges.clear();
  return topology;
}

std::string edge_machine(const Deployment& deployment) {
  const auto& machines = deployment.machines();
  const auto first = std::ranges::min_element(machines, {}, &EdgeMachine::pool);  // the one that the fifth step takes
  return first->node;
}

}  // namespace cutover::suites
