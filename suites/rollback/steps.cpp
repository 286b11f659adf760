// Undo: a full rollback after each step gives the baseline back.
#include "suites/support/migration.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::IsEmpty;

/// What of a state is not as it was.
std::vector<std::string> left_over(const migration::State& state, const migration::State& before) {
  std::vector<std::string> found;
  const auto compare = [&](const char* what, const auto& now, const auto& then) {
    if (now != then) found.emplace_back(what);
  };
  compare("a pool", state.pools, before.pools);
  compare("an edge pool", state.edges, before.edges);
  compare("homes or policies of the users", state.users, before.users);
  compare("the access policies", state.policies, before.policies);
  compare("what the central store holds", state.configuration, before.configuration);
  compare("what the edge knows", state.replica, before.replica);
  compare("the gateway of the front ends", state.gateway_installed, before.gateway_installed);
  compare("the SRV record", state.srv, before.srv);
  compare("the legacy side", state.legacy, before.legacy);
  if (found.empty() && state != before) found.emplace_back("something else");
  return found;
}

void roll_back_after_each_step(Run& run) {
  const auto deployment = bring_up(run);
  const auto baseline = deployment->state();
  const auto steps = canonical_steps();
  for (std::size_t count = 1; count <= steps.size(); count++) {
    for (const auto step : steps.first(count)) deployment->carry_out(step);
    for (std::size_t undone = count; undone-- > 0;) deployment->undo(steps[undone]);
    const auto after = fmt::format(" after {} steps and their rollback", count);
    CONFORMS("MIG-R02", "what is not as before" + after, left_over(deployment->state(), baseline), IsEmpty());
    CONFORMS("MIG-R02", "the exchanges of " + everybody_in_words(*deployment) + after, deviations(*deployment),
             AsPredicted());
    CONFORMS("MIG-R02", "how many exchanges the rules send through the legacy gateway" + after,
             predicted_on(*deployment, Path::legacy), Eq(tried_exchanges(*deployment).size()));
  }
}

CUTOVER_CASE(full_rollback){
    .id = "rollback.after-each-step",
    .title = "A full rollback after each step gives the baseline back",
    .procedure =
        "For n from 1 to 6: carry out the first n steps, undo them in reverse, then messages and presence between all.",
    .accepted = "Everything crosses the legacy gateway exactly once, as before the first step.",
    .likely_causes = "A leftover: the SRV record, the allowed partner, the route, or a user who was not moved back.",
    .judges = {{"MIG-R02", {"migration.undo-forgets-dns", "migration.undo-forgets-routes"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 6h,
    .takes = 1s,
    .body = roll_back_after_each_step};

void remove_partner(Run& run) {
  const auto deployment = bring_up(run);
  for (const auto step : canonical_steps().first(5)) deployment->carry_out(step);
  for (const auto& partner : deployment->topology().partners) deployment->remove_partner(partner.domain);
  CONFORMS("MIG-R01", "the exchanges of " + everybody_in_words(*deployment) + " after the partners were removed",
           deviations(*deployment), AsPredicted());
  CONFORMS("MIG-R01", "how many exchanges the rules send through the legacy gateway",
           predicted_on(*deployment, Path::legacy), Eq(tried_exchanges(*deployment).size()));
}

CUTOVER_CASE(partner_removed){
    .id = "rollback.remove-partner",
    .title = "Removing the partners from the new side gives moved users their legacy path back",
    .procedure = "The first five steps, then remove every allowed partner; DNS still names the legacy gateway.",
    .accepted = "Everything crosses the legacy gateway exactly once.",
    .likely_causes = "A route on the new side that outlives the partner.",
    .judges = {{"MIG-R01", {"migration.undo-forgets-routes"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = remove_partner};

}  // namespace
}  // namespace cutover::suites
