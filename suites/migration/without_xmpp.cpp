// lync-facts 1.7 and 2.7: who has no XMPP whatever partners and policies say. The product of 2019 has none, so the rule
// is reversed: who needs it stays behind. On a branch appliance it is not supported.
#include "suites/support/chosen.h"
#include "suites/support/migration.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

Deviations of_user(Deployment& deployment, const std::string& user) {
  deployment.settle();
  return deviations(deployment, exchanges_of_user(deployment, user));
}

Cause cause(Deployment& deployment, const std::string& user) {
  return predicted_cause(deployment, user, deployment.topology().partners.front().domain, Way::to_partner);
}

void reversed(Run& run) {
  const auto moved = run.topology().users.front(), other = user_moved_apart_from(run, moved);
  auto estate = estate_of(run.topology());
  estate.start.generation = migration::Generation::sfb2019;
  const auto deployment = bring_up(run, std::move(estate));
  for (const auto step : {Step::deploy_pool, Step::deploy_edge}) deployment->carry_out(step);
  if (!CONFORMS("MIG-O16", "the exchanges of a user before the move", of_user(*deployment, moved), AsPredicted()))
    return;
  deployment->move_user(moved, Pool::current);
  CONFORMS("MIG-O16", "the exchanges of the moved user", of_user(*deployment, moved), AsPredicted());
  CONFORMS("MIG-O16", "what the rules say cuts the moved user off", cause(*deployment, moved),
           Eq(Cause::xmpp_left_the_product));
  CONFORMS("MIG-O16", "the exchanges of a user who stayed", of_user(*deployment, other), AsPredicted());
  CONFORMS("MIG-O16", "what the rules say cuts off a user who stayed", cause(*deployment, other), Eq(Cause::none));
  deployment->move_user(moved, Pool::legacy);
  CONFORMS("MIG-O16", "the exchanges of the user who was moved back", of_user(*deployment, moved), AsPredicted());
  CONFORMS("MIG-O16", "what the rules say cuts off the user who was moved back", cause(*deployment, moved),
           Eq(Cause::none));
}

CUTOVER_CASE(moved_loses_xmpp){
    .id = "migration.next-product",
    .title = "In an estate whose new side has no XMPP a moved user loses it, and who stays keeps it",
    .procedure =
        "The new side is of 2019: deploy pool and edge, move one user, move the user back; messages and presence both "
        "ways after each.",
    .accepted =
        "The moved user is cut off, and whoever sends a message is told; everything else goes through the legacy "
        "gateway once.",
    .likely_causes = "The rule of 2013 is applied to every version.",
    .judges = {{"MIG-O16", {"migration.xmpp-outlives-the-product"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 3h,
    .takes = 2s,
    .body = reversed};

void of_a_branch(Run& run) {
  const auto moved = run.topology().users.front(), other = user_moved_apart_from(run, moved);
  auto estate = estate_of(run.topology());
  estate.start.pools["branch"] = {.side = migration::Side::current, .branch = true};
  const auto deployment = migrate(run, std::move(estate));
  deployment->carry_out("move-users " + moved_with(deployment->topology(), moved) + " branch");
  CONFORMS("MIG-P04", "the exchanges of a user of a branch appliance", of_user(*deployment, moved), AsPredicted());
  CONFORMS("MIG-P04", "what the rules say cuts that user off", cause(*deployment, moved), Eq(Cause::branch_user));
  CONFORMS("MIG-P04", "the exchanges of a user of the pool", of_user(*deployment, other), AsPredicted());
  CONFORMS("MIG-P04", "what the rules say cuts off a user of the pool", cause(*deployment, other), Eq(Cause::none));
}

CUTOVER_CASE(branch){
    .id = "migration.branch-user",
    .title = "A user of a survivable branch appliance has no XMPP, whatever the policy says",
    .procedure = "The six steps; one user, with the policy for XMPP, is homed on an appliance; exchanges of two users.",
    .accepted =
        "Nothing of that user's is carried, and whoever sends a message is told; all of the other one's is. That the "
        "user is warned of is in what exports and rehearsal tell (F21).",
    .likely_causes = "The policy decides alone.",
    .judges = {{"MIG-P04", {"migration.branch-user-passes"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 3h,
    .takes = 2s,
    .body = of_a_branch};

}  // namespace
}  // namespace cutover::suites
