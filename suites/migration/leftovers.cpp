// lync-facts 1.6 and 2.8, F32: what stays of the legacy side behind the last step, and what is left when it is removed.
#include "suites/support/migration.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

const std::vector<Need> needs{Need::sip_side, Need::new_deployment, Need::legacy_gateway};

void left_and_removed(Run& run) {
  const auto deployment = bring_up(run);
  auto& peer = somebody(*deployment, Layer::event);
  for (const auto step : canonical_steps()) deployment->carry_out(step);
  const auto all = tried_exchanges(*deployment).size();
  CONFORMS("MIG-N13", "the exchanges of " + everybody_in_words(*deployment) + " while each partner is in both lists",
           deviations(*deployment), AsPredicted());
  CONFORMS("MIG-N13", "how many of them the rules send through the new side", predicted_on(*deployment, Path::current),
           Eq(all));
  if (!GIVEN(takes_connections(*deployment, peer, "legacy-gateway"), "the legacy gateway runs still")) return;
  deployment->carry_out("stop-legacy-gateway");
  CONFORMS("MIG-R04", "the legacy gateway takes a connection when it was stopped",
           takes_connections(*deployment, peer, "legacy-gateway"), Eq(false));
  for (const auto& partner : deployment->topology().partners)
    deployment->carry_out("remove-legacy-route " + partner.domain);
  CONFORMS("MIG-R04",
           "the exchanges of " + everybody_in_words(*deployment) + " when nothing is left of the legacy side",
           deviations(*deployment), AsPredicted());
  CONFORMS("MIG-R04", "how many of them the rules send through the new side", predicted_on(*deployment, Path::current),
           Eq(all));
}

CUTOVER_CASE(leftovers){
    .id = "migration.leftovers",
    .title = "Entries that the legacy side left take no path, and nobody needs them: gateway and entries can go",
    .procedure =
        "All six steps; everybody exchanges while each partner has its SIP entry still; then the legacy gateway is "
        "stopped and every entry removed; everybody exchanges again.",
    .accepted = "Everything goes through the new side, before and after; the stopped gateway takes no connection.",
    .likely_causes = "A route that looks at the older list first; a gateway that goes on behind its drain.",
    .judges = {{"MIG-N13", {"migration.legacy-path-survives"}}, {"MIG-R04", {"xmpp.drain-keeps-listening"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 3h,
    .takes = 2s,
    .body = left_and_removed};

}  // namespace
}  // namespace cutover::suites
