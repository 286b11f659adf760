// Two edge pools, and exchanges by one machine.
#include "suites/support/edge_pools.h"

namespace cutover::suites {

using namespace harness;

namespace {

Topology topology_with_edge_pools(Run& run) {
  auto topology = run.topology();
  topology.edges = {{first_edge, {"a1", "a2"}}, {second_edge, {"b1", "b2"}}};
  return topology;
}

Deviations of_first_user(Deployment& deployment) {
  deployment.settle();
  return deviations(deployment, exchanges_of_user(deployment, deployment.topology().users.front()));
}

}  // namespace

migration::Estate estate_with_edge_pools(Run& run) {
  auto estate = estate_of(topology_with_edge_pools(run));
  estate.records["by-priority"] = {{.box = first_edge, .priority = 10}, {.box = second_edge, .priority = 20}};
  return estate;
}

std::shared_ptr<Deployment> bring_up_edge_pools(Run& run, migration::Estate estate) {
  return bring_up(run, topology_with_edge_pools(run), std::move(estate));
}

std::shared_ptr<Deployment> migrate_edge_pools(Run& run) {
  auto deployment = bring_up_edge_pools(run, estate_with_edge_pools(run));
  for (const auto step : canonical_steps()) deployment->carry_out(step);
  return deployment;
}

Deviations by_partners_at(Deployment& deployment, const std::string& node) {
  deployment.lead_partners_to(node);
  return of_first_user(deployment);
}

Deviations by_all_at(Deployment& deployment, const std::string& node) {
  deployment.lead_gateway_to(node);
  return by_partners_at(deployment, node);
}

}  // namespace cutover::suites
