// What DNS says of an edge pool: the shape of the record, the names that it may have, and the time around its change.
#include "suites/support/chosen.h"
#include "suites/support/edge_pools.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

/// Where a partner's server would connect for our domain, in the order of its look-up; nothing where it got no answer.
std::optional<std::vector<Endpoint>> found_by(Deployment& deployment, const std::string& partner) {
  deployment.settle();
  std::optional<std::vector<Endpoint>> found;
  deployment.partner(partner).resolver().resolve_xmpp(deployment.topology().domain,
                                                      [&](const dns::XmppTargets& targets) {
                                                        auto& all = found.emplace();
                                                        if (targets.from_fallback) return;
                                                        for (const auto& target : targets.targets)
                                                          all.push_back(target.endpoint);
                                                      });
  (void)deployment.world().run_until([&] { return found.has_value(); }, 30s);
  return found;
}

std::vector<Endpoint> listeners(Deployment& deployment) {
  return {deployment.endpoint(node_a1), deployment.endpoint(node_a2)};
}

void shape_of_record(Run& run) {
  const auto partner = partner_by_certificate(run).domain;
  const auto deployment = migrate_edge_pools(run);
  const auto found = found_by(*deployment, partner);
  if (!GIVEN(found.has_value(), "the name server answered a partner")) return;
  CONFORMS("MIG-D01", "a partner finds our domain by its record", !found->empty(), Eq(true));
  CONFORMS("MIG-D01", "every address and port of the record is where a machine of the edge pool listens",
           std::ranges::all_of(*found,
                               [&](const auto& one) {
                                 const auto all = listeners(*deployment);
                                 return std::ranges::find(all, one) != all.end();
                               }),
           Eq(true));
  CONFORMS("MIG-D02", "how many machines of the edge pool a partner finds by the record", found->size(),
           Eq(listeners(*deployment).size()));
  CONFORMS("MIG-D01", "the exchanges by the record", by_partners_at(*deployment, ""), AsPredicted());
}

CUTOVER_CASE(shape){
    .id = "migration.edge-record",
    .title = "Behind the last step the record names a host with the address of every machine of the edge pool",
    .procedure =
        "Two edge pools of two machines behind the six steps. A partner's server looks our domain up; messages and "
        "presence both ways.",
    .accepted = "Any name and any order; the port and the addresses at which the machines listen.",
    .likely_causes = "The name in the record has no address, or that of one machine only.",
    .judges = {{"MIG-D01", {"migration.srv-target-without-address", "migration.srv-not-repointed"}},
               {"MIG-D02", {"migration.member-without-address"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = shape_of_record};

/// The record names the access edge by its SIP name, which has the same addresses.
void name_of_access_edge(Run& run) {
  const auto user = user_of_first_domain(run);
  const auto deployment = migrate_edge_pools(run);
  const auto& topology = deployment->topology();
  auto& zone = deployment->name_server().server();
  const auto name = "sip." + topology.domain;
  std::vector<std::string> addresses;
  for (const auto& listener : listeners(*deployment)) addresses.push_back(listener.address);
  zone.set(name, dns::Type::a, topology.srv_ttl_s, addresses);
  zone.set("_xmpp-server._tcp." + topology.domain, dns::Type::srv, topology.srv_ttl_s,
           {fmt::format("0 0 {} {}", deployment->endpoint(node_a1).port, name)});
  deployment->settle();
  CONFORMS("MIG-D02", "the exchanges by a record that names the access edge",
           deviations(*deployment, exchanges_of_user(*deployment, user)), AsPredicted());
}

CUTOVER_CASE(access){
    .id = "migration.edge-record-of-access-edge",
    .title = "A record that names the access edge is as good as one that names xmpp.DOMAIN",
    .procedure = "The record of our domain names sip.DOMAIN, which has the addresses of the edge pool's machines.",
    .accepted = "All is carried by the new side.",
    .likely_causes = "A certificate is asked for the host in the record instead of the domain.",
    .judges = {{"MIG-D02", {"migration.edge-stays-closed"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .body = name_of_access_edge};

void record_still_legacy(Run& run) {
  const auto partner = partner_by_certificate(run).domain;
  const auto deployment = bring_up(run);
  for (const auto step : canonical_steps()) {
    if (step >= Step::enable_federation) break;
    deployment->carry_out(step);
  }
  const auto& user = deployment->topology().users.front();
  const auto all = exchanges_of_user(*deployment, user);
  if (!CONFORMS("MIG-D04", "the exchanges while the record is to name the legacy gateway", deviations(*deployment, all),
                AsPredicted()))
    return;
  CONFORMS("MIG-D04", "how many exchanges the rules let through by it", predicted_on(*deployment, Path::legacy),
           Eq(tried_exchanges(*deployment).size()));
  deployment->carry_out(Step::enable_federation);
  deployment->settle();
  CONFORMS("MIG-D04", "the exchanges while the record still names the legacy gateway", deviations(*deployment, all),
           AsPredicted());
  CONFORMS("MIG-D04", "what the rules say cuts off who comes by it",
           predicted_cause(*deployment, user, partner, Way::from_partner), Eq(Cause::partner_configured));
}

CUTOVER_CASE(legacy){
    .id = "migration.record-still-legacy",
    .title = "A record that names the legacy gateway is right before federation is enabled, and wrong behind it",
    .procedure = "The steps up to policies and certificates; exchanges; the step that enables federation; exchanges.",
    .accepted = "All by the legacy gateway, then nothing by it, and whoever sends a message is told.",
    .likely_causes = "The legacy path of a configured partner goes on, so that nobody misses the change of the record.",
    .judges = {{"MIG-D04", {"migration.legacy-path-survives"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 2h,
    .body = record_still_legacy};

/// One message to the first user.
Observation written_by(Deployment& deployment, const PartnerSpec& partner) {
  const auto& user = deployment.topology().users.front();
  return observe(deployment, {{user, partner.domain, partner.users.front(), Way::from_partner, What::message}}).front();
}

/// ... as the rules have it for who sees that record.
bool meets(Deployment& deployment, const PartnerSpec& partner, Path path) {
  const auto seen = written_by(deployment, partner);
  const bool cut_off = path == Path::none && seen.copies == 0 && seen.sender_told;
  return cut_off || (path != Path::none && seen.copies == 1 && seen.path == path && !seen.both_paths);
}

void mixed_view(Run& run) {
  const auto first = partner_by_certificate(run), second = partner_by_dialback(run);
  const auto deployment = bring_up(run);
  for (const auto step : canonical_steps()) {
    if (step == Step::update_dns) break;
    deployment->carry_out(step);
  }
  deployment->settle();
  CONFORMS("MIG-D06", "a message of a partner that looks us up before the change is refused by the legacy gateway",
           meets(*deployment, first, Path::none), Eq(true));
  deployment->carry_out(Step::update_dns);
  deployment->legacy_gateway().server().close_streams_with(first.domain);
  CONFORMS("MIG-D06", "a message of a partner that looks us up behind the change arrives once, by the new side",
           meets(*deployment, second, Path::current), Eq(true));
  // A partner may ask again at any time; for as long as its answer may be kept it may also be refused.
  const auto seen = written_by(*deployment, first);
  CONFORMS("MIG-D06", "a message of a partner that may still have the old record arrives once, or its sender is told",
           seen.copies + (seen.sender_told ? 1 : 0), Eq(std::size_t{1}));
  deployment->settle();
  CONFORMS("MIG-D06", "a message of that partner arrives once, by the new side, when its answer is forgotten",
           meets(*deployment, first, Path::current), Eq(true));
}

CUTOVER_CASE(mixed){
    .id = "migration.record-seen-differently",
    .title = "While one partner has the old record and another the new one, nothing is lost and nothing comes twice",
    .procedure =
        "One partner looks our domain up and writes before the last step, another behind it; then the first writes "
        "again, before and after its answer of the name server is forgotten.",
    .accepted = "Each message arrives once, by the gateway that its record names, or its sender is told.",
    .likely_causes = "Both gateways carry a message; the legacy one drops what it may not carry any more.",
    .judges = {{"MIG-D06", {"migration.srv-not-repointed", "migration.legacy-path-survives"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 2h,
    .body = mixed_view};

}  // namespace
}  // namespace cutover::suites
