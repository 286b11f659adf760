// The proxy listens for partners when federation is enabled on the new side, and not before.
#include "suites/support/chosen.h"
#include "suites/support/migration.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

void closed_edge(Run& run) {
  const auto deployment = bring_up(run);
  auto& peer = somebody(*deployment, Layer::event);
  const auto edge = edge_machine(*deployment);
  for (const auto step :
       {Step::deploy_pool, Step::deploy_edge, Step::move_users, Step::create_policies_and_certificates}) {
    deployment->carry_out(step);
  }
  CONFORMS("MIG-O09", "the new edge takes connections of partners before federation is enabled",
           takes_connections(*deployment, peer, edge), Eq(false));
  deployment->carry_out(Step::enable_federation);
  CONFORMS("SEED-8", "it takes them once federation is enabled", takes_connections(*deployment, peer, edge), Eq(true));
}

CUTOVER_CASE(closed){
    .id = "migration.edge-opens",
    .title = "The new edge takes connections of partners from the step that enables federation, and not before",
    .procedure =
        "The steps up to policies and certificates; a connection to port 5269 of the edge; the next step; a "
        "connection.",
    .accepted = "Refused, then taken.",
    .likely_causes = "The service listens from the day of its installation.",
    .judges = {{"MIG-O09", {"gateway.proxy-always-listens"}}, {"SEED-8", {"migration.edge-stays-closed"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = closed_edge};

}  // namespace
}  // namespace cutover::suites
