// Wrong orders: each ends with the classification that the rules predict - who is cut off, in which direction, and why.
#include "suites/support/chosen.h"
#include "suites/support/migration.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

const std::vector<Need> needs{Need::sip_side, Need::new_deployment, Need::legacy_gateway};

void dns_before_partner(Run& run) {
  const auto external = partner_by_certificate(run).domain, dialback = partner_by_dialback(run).domain;
  const auto moved = run.topology().users.front();
  const auto deployment = bring_up(run);
  for (const auto step : {Step::deploy_pool, Step::deploy_edge, Step::move_users,
                          Step::create_policies_and_certificates, Step::enable_federation}) {
    deployment->carry_out(step);
  }
  for (const auto& partner : deployment->topology().partners) deployment->remove_partner(partner.domain);
  deployment->carry_out(Step::update_dns);
  CONFORMS("MIG-O11", "the exchanges of " + everybody_in_words(*deployment) + " before the partners are allowed",
           deviations(*deployment), AsPredicted());
  CONFORMS("MIG-O11", "what the rules say cuts a partner off from a moved user",
           predicted_cause(*deployment, moved, external, Way::from_partner), Eq(Cause::partner_not_allowed));
  CONFORMS("MIG-O11", "what the rules say cuts a moved user off from a partner that verifies by dialback",
           predicted_cause(*deployment, moved, dialback, Way::to_partner), Eq(Cause::dialback_authority));
  CONFORMS("MIG-O11", "what the rules say cuts a moved user off from a SASL EXTERNAL partner",
           predicted_cause(*deployment, moved, external, Way::to_partner), Eq(Cause::none));
  for (const auto& partner : deployment->topology().partners) deployment->allow_partner(partner.domain);
  CONFORMS("MIG-O11", "the exchanges of " + everybody_in_words(*deployment) + " after the partners were allowed",
           deviations(*deployment), AsPredicted());
  CONFORMS("MIG-O11", "how many exchanges the rules send through the new side in the end",
           predicted_on(*deployment, Path::current), Eq(tried_exchanges(*deployment).size()));
}

CUTOVER_CASE(dns_first){
    .id = "migration.dns-before-partner",
    .title = "DNS updated before the partner is allowed: its streams are refused, and work once it is allowed",
    .procedure =
        "All steps but the allowed partners, then repoint DNS; exchange; then allow the partners; exchange again.",
    .accepted =
        "From a partner: refused, the sender told. To a partner that verifies by dialback: refused, for our SRV names "
        "the new edge. "
        "To a SASL EXTERNAL partner: through the legacy gateway. After the partners are allowed all goes through the "
        "new side.",
    .likely_causes = "A proxy that takes streams of domains that are not its partners.",
    .judges = {{"MIG-O11", {"migration.srv-not-repointed", "migration.legacy-path-survives"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = dns_before_partner};

void partner_before_users(Run& run) {
  const auto partner = run.topology().partners.front().domain, moved = run.topology().users.front();
  const auto other = user_moved_apart_from(run, moved);
  const auto deployment = bring_up(run);
  for (const auto step :
       {Step::deploy_pool, Step::deploy_edge, Step::create_policies_and_certificates, Step::enable_federation}) {
    deployment->carry_out(step);
  }
  deployment->move_user(moved, Pool::current);
  CONFORMS("MIG-O05", "the exchanges of " + everybody_in_words(*deployment) + " before DNS is updated",
           deviations(*deployment), AsPredicted());
  CONFORMS("MIG-O05", "what the rules say cuts a user of the legacy pool off from a partner",
           predicted_cause(*deployment, other, partner, Way::to_partner), Eq(Cause::user_on_legacy_pool));
  deployment->carry_out(Step::update_dns);
  CONFORMS("MIG-O05", "the exchanges of " + everybody_in_words(*deployment) + " after DNS was updated",
           deviations(*deployment), AsPredicted());
  CONFORMS("MIG-O05", "what the rules say cuts a partner off from a user of the legacy pool",
           predicted_cause(*deployment, other, partner, Way::from_partner), Eq(Cause::user_on_legacy_pool));
  CONFORMS("MIG-O05", "what the rules say cuts a partner off from the moved user",
           predicted_cause(*deployment, moved, partner, Way::from_partner), Eq(Cause::none));
}

CUTOVER_CASE(partner_first){
    .id = "migration.partner-before-users",
    .title = "A partner allowed before the users moved: users of the legacy pool are cut off, both ways",
    .procedure = "Move one of three users, allow the partners, exchange; then repoint DNS and exchange again.",
    .accepted = "The moved user works as the rules say, the others are cut off and every sender is told.",
    .likely_causes = "The new side serves users that are not homed there.",
    .judges = {{"MIG-O05", {"migration.legacy-user-passes", "migration.legacy-path-survives"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = partner_before_users};

void federation_before_certificates(Run& run) {
  const auto external = partner_by_certificate(run).domain, dialback = partner_by_dialback(run).domain;
  const auto moved = run.topology().users.front();
  const auto deployment = bring_up(run);
  for (const auto step :
       {Step::deploy_pool, Step::deploy_edge, Step::move_users, Step::enable_federation, Step::update_dns}) {
    deployment->carry_out(step);
  }
  CONFORMS("MIG-O06/certificates", "the exchanges of " + everybody_in_words(*deployment) + " before the certificates",
           deviations(*deployment), AsPredicted());
  CONFORMS("MIG-O06/certificates", "what the rules say cuts a partner off",
           predicted_cause(*deployment, moved, external, Way::from_partner), Eq(Cause::certificate_missing));
  CONFORMS("MIG-O06/certificates", "what the rules say cuts a user off",
           predicted_cause(*deployment, moved, dialback, Way::to_partner), Eq(Cause::policy_absent));
  deployment->carry_out(Step::create_policies_and_certificates);
  CONFORMS("MIG-O06/certificates", "the exchanges of " + everybody_in_words(*deployment) + " with the certificates",
           deviations(*deployment), AsPredicted());
  CONFORMS("MIG-O06/certificates", "how many exchanges the rules send through the new side in the end",
           predicted_on(*deployment, Path::current), Eq(tried_exchanges(*deployment).size()));
}

CUTOVER_CASE(federation_first){
    .id = "migration.federation-before-certificates",
    .title = "Federation enabled before the certificates: everybody is cut off until the edge has its certificate",
    .procedure = "All steps but policies and certificates, exchange; then that step, exchange again.",
    .accepted = "Every exchange fails and every sender is told; afterwards all goes through the new side.",
    .likely_causes = "An edge that serves XMPP without a certificate for the domain.",
    .judges = {{"MIG-O06", {"migration.legacy-path-survives"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = federation_before_certificates};

}  // namespace
}  // namespace cutover::suites
