// What has to be so before a migration goes on: the legacy service, its partners, the homes of users, the pilot edge.
#include "suites/support/chosen.h"
#include "suites/support/edge_pools.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

void legacy_service(Run& run) {
  const auto partner = run.topology().partners.front().domain;
  const auto deployment = bring_up(run);
  const auto& user = deployment->topology().users.front();
  deployment->carry_out("stop-legacy-gateway");
  CONFORMS("MIG-P01", "the exchanges while the legacy gateway is stopped",
           deviations(*deployment, exchanges_of_user(*deployment, user)), AsPredicted());
  CONFORMS("MIG-P01", "what the rules say cuts everybody off",
           predicted_cause(*deployment, user, partner, Way::to_partner), Eq(Cause::legacy_gateway_stopped));
  deployment->carry_out("start-legacy-gateway");
  CONFORMS("MIG-P01", "the exchanges once it runs again", deviations(*deployment, exchanges_of_user(*deployment, user)),
           AsPredicted());
  CONFORMS("MIG-P01", "how many exchanges the rules let through by it", predicted_on(*deployment, Path::legacy),
           Eq(tried_exchanges(*deployment).size()));
}

CUTOVER_CASE(service){
    .id = "migration.legacy-service-stopped",
    .title = "Before the migration nothing is carried while the legacy gateway is stopped, and senders are told",
    .procedure = "The legacy shape; the gateway's service is stopped; exchanges; it is started; exchanges.",
    .accepted = "Nothing arrives and whoever sends a message is told; then all crosses the legacy gateway.",
    .likely_causes = "A stopped service goes on; a request to it is left without an answer.",
    .judges = {{"MIG-P01", {"migration.stopped-gateway-goes-on"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = legacy_service};

void inventory(Run& run) {
  const auto unlisted = run.topology().partners.back().domain;
  auto estate = estate_with_edge_pools(run);
  estate.start.legacy.partners.erase(unlisted);
  const auto deployment = bring_up_edge_pools(run, std::move(estate));
  const auto& user = deployment->topology().users.front();
  CONFORMS("MIG-P02", "the exchanges with the partners that the legacy gateway serves, and with one that it does not",
           by_all_at(*deployment, ""), AsPredicted());
  for (const auto way : {Way::to_partner, Way::from_partner})
    CONFORMS("MIG-P02", "what the rules say cuts off the partner that it does not serve",
             predicted_cause(*deployment, user, unlisted, way), Eq(Cause::legacy_partner_missing));
}

CUTOVER_CASE(partners){
    .id = "migration.legacy-partners",
    .title = "A partner that the legacy gateway does not serve is refused, and the others are carried",
    .procedure = "The legacy shape with a route to a partner that the gateway's own list does not have; exchanges.",
    .accepted =
        "Carried for the partners that both lists have; for the other one nothing, and whoever sends a message is "
        "told.",
    .likely_causes = "The list of the gateway and the routes of the pools are not the same.",
    .judges = {{"MIG-P02", {"migration.legacy-gateway-serves-all"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = inventory};

void census(Run& run) {
  const auto partner = run.topology().partners.front().domain, left = run.topology().users.back();
  const auto moved = user_moved_apart_from(run, left);
  const auto deployment = bring_up(run);
  const auto& topology = deployment->topology();
  deployment->carry_out(Step::deploy_pool);
  deployment->carry_out(Step::deploy_edge);
  for (const auto& [name, users] : moved_as_one(topology)) {
    if (name != moved_with(topology, left)) deployment->move_user(users.front(), Pool::current);
  }
  for (const auto step : {Step::create_policies_and_certificates, Step::enable_federation, Step::update_dns})
    deployment->carry_out(step);
  CONFORMS("MIG-P03", "the exchanges of " + everybody_in_words(*deployment) + ", with one user on the legacy pool",
           deviations(*deployment), AsPredicted());
  CONFORMS("MIG-P03", "what the rules say cuts that user off",
           predicted_cause(*deployment, left, partner, Way::to_partner), Eq(Cause::user_on_legacy_pool));
  auto others = tried_exchanges(*deployment);
  std::erase_if(others,
                [&](const Exchange& one) { return moved_with(topology, one.user) == moved_with(topology, left); });
  CONFORMS("MIG-P03", "how many exchanges the rules let through by the new side",
           predicted_on(*deployment, Path::current), Eq(others.size()));
}

CUTOVER_CASE(homes){
    .id = "migration.user-left-behind",
    .title = "A user who is left on the legacy pool is cut off by the steps behind the moves, and nobody else is",
    .procedure = "The six steps, but one user is not moved; exchanges of everybody.",
    .accepted = "All of the moved users' by the new side; none of the other's, and whoever sends a message is told.",
    .likely_causes = "The new side takes a user of the legacy pool, or the legacy path stays for that user.",
    .judges = {{"MIG-P03", {"migration.legacy-user-passes", "migration.legacy-path-survives"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 2h,
    .body = census};

void pilot(Run& run) {
  const auto deployment = bring_up_edge_pools(run, estate_with_edge_pools(run));
  for (const auto step :
       {Step::deploy_pool, Step::deploy_edge, Step::move_users, Step::create_policies_and_certificates})
    deployment->carry_out(step);
  auto& peer = somebody(*deployment, Layer::event);
  std::vector<std::string> open;
  for (const auto& machine : deployment->machines()) {
    if (takes_connections(*deployment, peer, machine.node)) open.push_back(machine.node);
  }
  CONFORMS("MIG-P06", "which machines of the pilot edges take connections of partners", open, testing::IsEmpty());
  CONFORMS("MIG-P06", "the exchanges while the pilot edges have no XMPP", by_all_at(*deployment, ""), AsPredicted());
  CONFORMS("MIG-P06", "how many exchanges the rules let through by the legacy gateway",
           predicted_on(*deployment, Path::legacy), Eq(tried_exchanges(*deployment).size()));
}

CUTOVER_CASE(flags){
    .id = "migration.pilot-edge",
    .title = "An edge pool in the pilot phase has no XMPP, and the legacy gateway carries all",
    .procedure =
        "Two edge pools deployed, with certificates and without the flag; a connection to 5269 of each machine; "
        "exchanges.",
    .accepted = "No machine takes a connection; all crosses the legacy gateway.",
    .likely_causes = "The service listens from the day of its installation.",
    .judges = {{"MIG-P06", {"gateway.proxy-always-listens", "migration.new-edge-takes-routes"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = pilot};

}  // namespace
}  // namespace cutover::suites
