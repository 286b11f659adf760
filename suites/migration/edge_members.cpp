// Machines of one edge pool: one that is dead, one that the front ends do not reach, one with another certificate.
#include "suites/support/chosen.h"
#include "suites/support/edge_pools.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

void dead_member(Run& run) {
  const auto partner = run.topology().partners.front().domain;
  const auto deployment = migrate_edge_pools(run);
  if (!CONFORMS("MIG-D11", "the exchanges by the second machine", by_all_at(*deployment, node_a2), AsPredicted()))
    return;
  deployment->carry_out("stop-member edge-a/a1");
  const auto& user = deployment->topology().users.front();
  CONFORMS("MIG-D11", "the exchanges of who meets the dead machine", by_all_at(*deployment, node_a1), AsPredicted());
  CONFORMS("MIG-D11", "how many exchanges the rules let through by the dead machine",
           predicted_on(*deployment, Path::current), Eq(std::size_t{0}));
  CONFORMS("MIG-D11", "what the rules say cuts off who meets it",
           predicted_cause(*deployment, user, partner, Way::from_partner), Eq(Cause::member_down));
  CONFORMS("MIG-D11", "the exchanges of who meets the other machine", by_all_at(*deployment, node_a2), AsPredicted());
  deployment->carry_out("start-member edge-a/a1");
  CONFORMS("MIG-D11", "the exchanges by the machine that was dead", by_all_at(*deployment, node_a1), AsPredicted());
  CONFORMS("MIG-D11", "how many exchanges the rules let through by it", predicted_on(*deployment, Path::current),
           Eq(tried_exchanges(*deployment).size()));
}

CUTOVER_CASE(dead){
    .id = "migration.edge-member-dead",
    .title = "Who meets a dead machine of an edge pool is told, and the other machines carry on",
    .procedure =
        "Two edge pools of two machines behind the six steps. One machine is stopped; partners and front ends meet it, "
        "then the other one; it is started again. Messages and presence both ways with every partner.",
    .accepted =
        "By the dead machine nothing arrives, and whoever sends a message is told; by the others all. Whether a sender "
        "tries another address is its own choice: here none is left to try.",
    .likely_causes = "A stanza for a machine that is gone is dropped; a machine that is up again is not dialled.",
    .judges = {{"MIG-D11", {"gateway.silent-without-proxy", "migration.edge-stays-closed"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 2h,
    .takes = 2s,
    .body = dead_member};

void closed_link(Run& run) {
  const auto partner = run.topology().partners.front().domain;
  const auto deployment = migrate_edge_pools(run);
  if (!CONFORMS("MIG-D09", "the exchanges with partners at the first machine", by_partners_at(*deployment, node_a1),
                AsPredicted()))
    return;
  deployment->carry_out("close-link edge-a/a1");
  CONFORMS("MIG-D09", "the exchanges with partners at the machine that the front ends do not reach",
           by_partners_at(*deployment, node_a1), AsPredicted());
  CONFORMS("MIG-D09", "what the rules say cuts off who meets it",
           predicted_cause(*deployment, deployment->topology().users.front(), partner, Way::from_partner),
           Eq(Cause::link_closed));
  CONFORMS("MIG-D09", "the exchanges with partners at the other machine", by_partners_at(*deployment, node_a2),
           AsPredicted());
  deployment->carry_out("open-link edge-a/a1");
  CONFORMS("MIG-D09", "the exchanges with partners at the first machine, which is reached again",
           by_partners_at(*deployment, node_a1), AsPredicted());
}

CUTOVER_CASE(link){
    .id = "migration.edge-link-closed",
    .title = "Where 23456 is closed to one machine of an edge pool, what comes in there fails, and is told",
    .procedure =
        "Two edge pools of two machines behind the six steps. The firewall between the front ends and one machine "
        "closes 23456; partners meet that machine, then the other one; it is opened again.",
    .accepted =
        "What comes in at the machine without a link is refused, and its sender told; at the other machine all is "
        "carried. What goes out may go by either machine: carried, or told.",
    .likely_causes =
        "The gateway has a link to one machine only; a proxy without a gateway drops what it is given; a link is not "
        "dialled again.",
    .judges = {{"MIG-D09", {"gateway.proxy-silent-without-gateway", "gateway.dials-one-member"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 2h,
    .body = closed_link};

void members_differ(Run& run) {
  const auto partner = partner_by_certificate(run).domain;
  auto estate = estate_with_edge_pools(run);
  const auto domain = run.topology().domain;
  estate.start.edges.at(first_edge).members.at(1).certificate = migration::Certificate{.names = {"sip." + domain}};
  const auto deployment = bring_up_edge_pools(run, std::move(estate));
  for (const auto step : canonical_steps()) deployment->carry_out(step);
  if (!CONFORMS("MIG-C06", "the exchanges by the machine with the certificate of the pool",
                by_all_at(*deployment, node_a1), AsPredicted()))
    return;
  CONFORMS("MIG-C06", "the exchanges by the machine with a certificate without the bare domain",
           by_all_at(*deployment, node_a2), AsPredicted());
  deployment->lead_gateway_to("");
  deployment->lead_partners_to("");
  CONFORMS("MIG-C06", "what the rules say makes the exchanges of a partner fail at times",
           predicted_cause(*deployment, deployment->topology().users.front(), partner, Way::from_partner),
           Eq(Cause::members_differ));
  deployment->carry_out("set-route edge-b");
  for (const auto& ours : domains_of(deployment->topology())) deployment->carry_out("repoint " + ours + " edge-b");
  for (const auto* node : {node_b1, node_b2})
    CONFORMS("MIG-C06", "the exchanges by each machine of a pool whose machines have the same certificate",
             by_all_at(*deployment, node), AsPredicted());
}

CUTOVER_CASE(differ){
    .id = "migration.edge-members-differ",
    .title = "A machine of an edge pool with another certificate fails where its pool does not",
    .procedure =
        "Two edge pools of two machines behind the six steps. One machine of the first pool shows a certificate "
        "without the bare domain. Exchanges by each machine of both pools.",
    .accepted =
        "By the machine with the other certificate no partner that goes by certificates is reached, nor reaches "
        "anybody; what dialback authenticates without one is carried. By all others everything is.",
    .likely_causes = "The certificate was imported on one machine only; a name is not looked for in subjectAltName.",
    .judges = {{"MIG-C06", {"migration.certificate-on-one-member", "gateway.links-ignore-the-route"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 2h,
    .takes = 2s,
    .body = members_differ};

}  // namespace
}  // namespace cutover::suites
