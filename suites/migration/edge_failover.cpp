// The edge pool for XMPP fails, and its traffic moves to the second one and back.
#include "suites/support/chosen.h"
#include "suites/support/edge_pools.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

void repoint(Deployment& deployment, const std::string& where) {
  for (const auto& ours : domains_of(deployment.topology()))
    deployment.carry_out(fmt::format("repoint {} {}", ours, where));
}

Cause cause_of_entry(Deployment& deployment, const std::string& partner) {
  return predicted_cause(deployment, deployment.topology().users.front(), partner, Way::from_partner);
}

/// Nothing is carried, and everybody is told.
bool is_cut_off(Deployment& deployment, const char* requirement, const std::string& when) {
  const bool told = CONFORMS(requirement, "the exchanges " + when, by_all_at(deployment, ""), AsPredicted());
  return told && CONFORMS(requirement, "how many exchanges the rules let through " + when,
                          predicted_on(deployment, Path::current), Eq(std::size_t{0}));
}

bool carries_all(Deployment& deployment, const char* requirement, const std::string& by,
                 const std::vector<std::string>& nodes) {
  bool all = true;
  for (const auto& node : nodes)
    all = CONFORMS(requirement, "the exchanges by each machine of the " + by, by_all_at(deployment, node),
                   AsPredicted()) &&
          all;
  return all && CONFORMS(requirement, "how many exchanges the rules let through by the " + by,
                         predicted_on(deployment, Path::current), Eq(tried_exchanges(deployment).size()));
}

void failover(Run& run) {
  const auto partner = partner_by_certificate(run).domain;
  const auto deployment = migrate_edge_pools(run);
  deployment->carry_out("stop-edge edge-b");  // set up, its services stopped
  if (!carries_all(*deployment, "MIG-D12", "first pool", {node_a1, node_a2})) return;
  deployment->carry_out("stop-edge edge-a");
  if (!is_cut_off(*deployment, "MIG-D12", "when the pool has failed")) return;
  // Route, then DNS, then services.
  deployment->carry_out("set-route edge-b");
  repoint(*deployment, second_edge);
  if (!is_cut_off(*deployment, "MIG-D12", "before the services of the second pool are started")) return;
  deployment->carry_out("start-edge edge-b");
  if (!carries_all(*deployment, "MIG-D12", "second pool", {node_b1, node_b2})) return;
  // The way back. The text of the documents points the record at the second pool, which has no route any more.
  deployment->carry_out("start-edge edge-a");
  deployment->carry_out("set-route edge-a");
  CONFORMS("MIG-D12", "the exchanges when the route is back and the record is not", by_all_at(*deployment, ""),
           AsPredicted());
  CONFORMS("MIG-D12", "what the rules say cuts off who comes by the record", cause_of_entry(*deployment, partner),
           Eq(Cause::route_elsewhere));
  repoint(*deployment, first_edge);
  carries_all(*deployment, "MIG-D12", "first pool, once its record is back", {node_a1, node_a2});
}

CUTOVER_CASE(over){
    .id = "migration.edge-failover",
    .title = "XMPP fails over to the second edge pool by route, record and services, and back",
    .procedure =
        "Two edge pools of two machines behind the six steps, the second one stopped. The first fails; the route is "
        "set to the second, the record is repointed, its services are started. Then the way back, in the order of the "
        "documents, with their slip: the record stays at the second pool, and is put right.",
    .accepted =
        "Between failure and start nothing is carried and every sender of a message is told; then all by the second "
        "pool. With the route back and the record not, nothing comes in; in the end all is carried by the first pool.",
    .likely_causes =
        "The gateway stays linked to the pool that had the route first; the record keeps its target; a stream to the "
        "dead pool is held to be open.",
    .judges = {{"MIG-D12",
                {"gateway.links-ignore-the-route", "migration.srv-not-repointed", "gateway.silent-without-proxy"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 6h,
    .takes = 4s,
    .body = failover};

void second_pool_without_route(Run& run) {
  const auto partner = partner_by_certificate(run).domain;
  const auto deployment = migrate_edge_pools(run);
  repoint(*deployment, "by-priority");
  if (!CONFORMS("MIG-D07", "the exchanges by a record that names both pools, the one with the route first",
                by_all_at(*deployment, ""), AsPredicted()))
    return;
  CONFORMS("MIG-D07", "how many exchanges the rules let through by it", predicted_on(*deployment, Path::current),
           Eq(tried_exchanges(*deployment).size()));
  deployment->carry_out("stop-edge edge-a");
  CONFORMS("MIG-D07", "the exchanges when partners fall to the second pool, which has no route",
           by_all_at(*deployment, ""), AsPredicted());
  CONFORMS("MIG-D07", "what the rules say cuts them off", cause_of_entry(*deployment, partner),
           Eq(Cause::route_elsewhere));
  deployment->carry_out("set-route edge-b");
  carries_all(*deployment, "MIG-D07", "second pool, once it has the route", {node_b1, node_b2});
}

CUTOVER_CASE(fallback){
    .id = "migration.edge-record-by-priority",
    .title = "A second edge pool in the record carries nothing until it has the route",
    .procedure =
        "A record with both edge pools by priority. The first pool is stopped, so that partners come to the second; "
        "then the route is set to it.",
    .accepted =
        "Refused and told by the pool without the route; all is carried when it has it, without a change of the "
        "record.",
    .likely_causes = "A record of a second pool is taken for a failover.",
    .judges = {{"MIG-D07", {"gateway.links-ignore-the-route", "gateway.proxy-silent-without-gateway"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 4h,
    .takes = 3s,
    .body = second_pool_without_route};

bool by_dialback_alone(const Topology& topology, const std::string& partner_domain) {
  const auto spec = std::ranges::find(topology.partners, partner_domain, &PartnerSpec::domain);
  return spec->kind == PartnerKind::dialback_over_tls;
}

void one_way(Run& run) {
  const auto partner = partner_by_certificate(run).domain;
  const auto deployment = migrate_edge_pools(run);
  deployment->settle();
  deployment->carry_out("close-firewall edge-a out");
  const auto& user = deployment->topology().users.front();
  auto exchanges = exchanges_of_user(*deployment, user);
  // Whose certificate proves its domain need not be asked about its key, so it may get in or not.
  std::erase_if(exchanges, [&](const Exchange& one) {
    return by_dialback_alone(deployment->topology(), one.partner_domain) &&
           (one.way == Way::from_partner || one.what == What::presence);
  });
  if (!CONFORMS("MIG-D08", "the exchanges while outbound 5269 is closed", deviations(*deployment, exchanges),
                AsPredicted()))
    return;
  CONFORMS("MIG-D08", "what the rules say cuts off who sends out",
           predicted_cause(*deployment, user, partner, Way::to_partner), Eq(Cause::firewall_out));
  CONFORMS("MIG-D08", "what the rules say cuts off a partner that is known by its certificate and sends in",
           cause_of_entry(*deployment, partner), Eq(Cause::none));
  deployment->carry_out("open-firewall edge-a out");
  deployment->settle();
  deployment->carry_out("close-firewall edge-a in");
  CONFORMS("MIG-D08", "the exchanges while inbound 5269 is closed", by_all_at(*deployment, ""), AsPredicted());
  CONFORMS("MIG-D08", "what the rules say cuts off who sends in", cause_of_entry(*deployment, partner),
           Eq(Cause::firewall_in));
  deployment->carry_out("open-firewall edge-a in");
  CONFORMS("MIG-D08", "the exchanges once both directions are open", by_all_at(*deployment, ""), AsPredicted());
}

CUTOVER_CASE(firewall){
    .id = "migration.edge-firewall-one-way",
    .title = "A firewall that lets 5269 through in one direction cuts the other one off, and the sender is told",
    .procedure =
        "The firewall of the edge pool drops what its machines call at partners, then what partners call at them. "
        "Messages and presence both ways with every partner, whose streams are closed before.",
    .accepted =
        "In the open direction a partner that is known by its certificate is carried; whoever has to be asked by a "
        "stream of the other direction is not. Whoever is cut off is told, at once or when the connection is given up.",
    .likely_causes = "A connection that is never answered is waited for without an end; its stanzas are forgotten.",
    .judges = {{"MIG-D08", {"xmpp.undeliverable-silent"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 6h,
    .body = one_way};

}  // namespace
}  // namespace cutover::suites
