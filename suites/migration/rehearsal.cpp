// The six steps in order, with a gate before the first and after each: SEED-1 and SEED-4 to SEED-9.
#include "suites/support/migration.h"
#include "suites/support/steps_chart.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

/// The requirement that speaks of a step.
const char* requirement_of(Step step) {
  switch (step) {
    case Step::deploy_pool:
      return "SEED-4";
    case Step::deploy_edge:
      return "SEED-5";
    case Step::move_users:
      return "SEED-6";
    case Step::create_policies_and_certificates:
      return "SEED-7";
    case Step::enable_federation:
      return "SEED-8";
    case Step::update_dns:
      return "SEED-9";
  }
  return "";
}

void move_users_one_by_one(Deployment& deployment) {
  for (const auto& [name, users] : moved_as_one(deployment.topology())) {
    deployment.move_user(users.front(), Pool::current);
    for (const auto& user : users) {
      const auto exchanges = tried_exchanges_of(deployment, user);
      if (exchanges.empty()) continue;
      CONFORMS("SEED-6", "the exchanges of " + user + " after the move to the new pool",
               deviations(deployment, exchanges), AsPredicted());
    }
  }
}

void rehearse(Run& run) {
  const auto deployment = bring_up(run);
  const auto all = tried_exchanges(*deployment).size();
  const auto those = "the exchanges of " + everybody_in_words(*deployment);
  StepsChart chart;
  const auto everybody = [&](const std::string& behind) {
    auto seen = deviations(*deployment);
    chart.add(behind, seen.seen);
    run.chart(chart.chart());
    return seen;
  };
  if (!CONFORMS("SEED-1", those + " before the first step", everybody(""), AsPredicted())) return;
  CONFORMS("SEED-1", "how many exchanges the rules send through the legacy gateway before the first step",
           predicted_on(*deployment, Path::legacy), Eq(all));
  for (const auto step : canonical_steps()) {
    if (step == Step::move_users) move_users_one_by_one(*deployment);
    deployment->carry_out(step);
    const auto after = fmt::format("after the step '{}'", name_of(step));
    const bool kept = CONFORMS(requirement_of(step), fmt::format("{} {}", those, after),
                               everybody(std::string(name_of(step))), AsPredicted());
    // What is wrong stays so behind the next step.
    if (!kept && step != Step::update_dns) return;
    if (step >= Step::enable_federation) continue;
    CONFORMS(requirement_of(step), "how many exchanges the rules send through the legacy gateway " + after,
             predicted_on(*deployment, Path::legacy), Eq(all));
  }
  CONFORMS("SEED-9", "how many exchanges the rules send through the new side after the last step",
           predicted_on(*deployment, Path::current), Eq(all));
  const auto& user = deployment->topology().users.front();
  CONFORMS("SEED-1", "the exchanges of " + user + ", once more at the end",
           deviations(*deployment, tried_exchanges_of(*deployment, user)), AsPredicted());
}

CUTOVER_CASE(rehearsal){
    .id = "migration.rehearsal",
    .title = "The six steps in order keep every user and partner reachable, through the expected path and no other",
    .procedure =
        "Bring up the legacy shape with three partners of three kinds. Then deploy the pool, deploy the edge, move the "
        "users one by "
        "one (groups as one), create policies and certificates, enable federation, update DNS. Before the first step "
        "and after each: "
        "messages and "
        "presence both ways between every user and every partner, each with a marker that is looked for on every wire.",
    .accepted =
        "Each marker arrives exactly once, through the path that the rules name, or, between steps 5 and 6, its sender "
        "is told.",
    .likely_causes =
        "A route that depends on something else than the partner list; a stale DNS answer; a policy that reaches no "
        "user.",
    .judges = {{"SEED-1", {"migration.srv-not-repointed"}},
               {"SEED-4", {"migration.new-pool-takes-routes"}},
               {"SEED-5", {"migration.new-edge-takes-routes"}},
               {"SEED-6", {"migration.moved-user-loses-legacy"}},
               {"SEED-7", {"migration.policy-takes-routes"}},
               {"SEED-8", {"migration.legacy-path-survives"}},
               {"SEED-9", {"migration.srv-not-repointed"}},
               {"INV-1", {"migration.tls-partner-in-clear"}},
               {"INV-2", {"xmpp.duplicates-stanzas"}},
               {"INV-3", {"xmpp.no-end-tag-reply", "xmpp.drain-resets-connections"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 3h,
    .takes = 2s,
    .body = rehearse};

}  // namespace
}  // namespace cutover::suites
