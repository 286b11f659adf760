// The rule of the source document: a moved user keeps the legacy gateway while, and only while, the partner is not
// configured on the new side.
#include "suites/support/chosen.h"
#include "suites/support/migration.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

std::shared_ptr<Deployment> with_moved_user(Run& run) {
  auto deployment = bring_up(run);
  deployment->carry_out(Step::deploy_pool);
  deployment->carry_out(Step::deploy_edge);
  deployment->move_user(run.topology().users.front(), Pool::current);
  return deployment;
}

void moved_user_keeps_legacy(Run& run) {
  const auto deployment = with_moved_user(run);
  const auto& moved = deployment->topology().users.front();
  CONFORMS("SEED-2", "the exchanges of the moved user", deviations(*deployment, exchanges_of_user(*deployment, moved)),
           AsPredicted());
  CONFORMS("MIG-O02", "the exchanges of " + everybody_in_words(*deployment), deviations(*deployment), AsPredicted());
  CONFORMS("SEED-2", "how many exchanges the rules send through the legacy gateway",
           predicted_on(*deployment, Path::legacy), Eq(tried_exchanges(*deployment).size()));
}

CUTOVER_CASE(keeps){
    .id = "migration.moved-user-keeps-legacy",
    .title = "A moved user goes on using the legacy gateway while the partner is not configured on the new side",
    .procedure =
        "Deploy pool and edge, move one user, configure no partner on the new side. Messages and presence both ways "
        "with every partner.",
    .accepted = "Everything crosses the legacy gateway exactly once, nothing the new proxy.",
    .likely_causes =
        "The new pool has a route of its own for the partner's domain, or refuses users that it did not know before.",
    .judges = {{"SEED-2", {"migration.moved-user-loses-legacy"}}, {"MIG-O02", {"migration.moved-user-loses-legacy"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = moved_user_keeps_legacy};

void configured_partner_stops_legacy(Run& run) {
  const auto partner = partner_by_certificate(run).domain, other = partner_by_dialback(run).domain;
  const auto deployment = with_moved_user(run);
  const auto& moved = deployment->topology().users.front();
  deployment->allow_partner(partner);
  deployment->settle();
  CONFORMS("SEED-3", "the exchanges of the moved user with the configured partner",
           deviations(*deployment, exchanges_of(deployment->topology(), moved, partner)), AsPredicted());
  CONFORMS("MIG-O03", "the exchanges of all users with the configured partner",
           deviations(*deployment, tried_exchanges_with(*deployment, partner)), AsPredicted());
  CONFORMS("SEED-3", "what the rules say cuts the configured partner off from the moved user",
           predicted_cause(*deployment, moved, partner, Way::from_partner), Eq(Cause::partner_configured));
  CONFORMS("SEED-3", "the exchanges of all users with a partner that is not configured",
           deviations(*deployment, tried_exchanges_with(*deployment, other)), AsPredicted());
  CONFORMS("MIG-O04", "the exchanges of " + everybody_in_words(*deployment), deviations(*deployment), AsPredicted());
  deployment->carry_out(Step::create_policies_and_certificates);
  deployment->settle();
  CONFORMS("SEED-3", "the exchanges of the moved user, with a policy, before federation is enabled",
           deviations(*deployment, exchanges_of(deployment->topology(), moved, partner)), AsPredicted());
  CONFORMS("SEED-3", "what the rules say cuts the moved user off from the configured partner",
           predicted_cause(*deployment, moved, partner, Way::to_partner), Eq(Cause::flag_not_ticked));
}

CUTOVER_CASE(stops){
    .id = "migration.configured-partner-stops-legacy",
    .title = "Once a partner is configured on the new side, the legacy path stops for that partner and no other",
    .procedure =
        "As before, then allow one partner on the new side. Messages and presence both ways with that partner and with "
        "the others; and with that partner once more when access policies are granted.",
    .accepted =
        "With the configured partner every sender is told that its message was not delivered; with the others all goes "
        "on.",
    .likely_causes =
        "The switch hangs on the user instead of the partner, or a leftover SIP federation route keeps the legacy path "
        "alive.",
    .judges = {{"SEED-3",
                {"migration.legacy-path-survives", "migration.one-partner-switches-all", "migration.detour-by-legacy"}},
               {"MIG-O03", {"migration.legacy-path-survives"}},
               {"MIG-O04", {"migration.one-partner-switches-all"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = configured_partner_stops_legacy};

}  // namespace
}  // namespace cutover::suites
