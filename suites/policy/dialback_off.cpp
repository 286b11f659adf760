// lync-facts 4.4 and 3.1: a partner that is configured without dialback is let in by none.
#include "suites/support/chosen.h"
#include "suites/support/migration.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

constexpr Duration establishment = 60s;
/// A timer may be late, and how late is nobody's requirement; that it never ends is a fault.
constexpr int patience = 15;

std::size_t streams_with(Deployment& deployment, const PartnerSpec& partner) {
  const auto streams = deployment.proxy().server()->streams();
  return static_cast<std::size_t>(std::ranges::count(streams, partner.domain, &xmpp::StreamInfo::remote_domain));
}

Observation written(Deployment& deployment, const PartnerSpec& partner, Way way) {
  const auto& user = deployment.topology().users.front();
  return observe(deployment, {{user, partner.domain, partner.users.front(), way, What::message}}).front();
}

void dialback_off(Run& run) {
  const auto partner = partner_by_dialback(run);
  const auto topology = with_one_edge_machine(run);
  auto estate = estate_of(topology);
  auto& row = estate.rows.at(partner.domain);
  row.sasl_negotiation = reference::Negotiation::optional;
  row.support_dialback_negotiation = false;
  const auto deployment = migrate(run, topology, std::move(estate));
  const auto in = written(*deployment, partner, Way::from_partner);
  CONFORMS("MIG-N07", "how many copies of the partner's message reached the user", in.copies, Eq(0U));
  CONFORMS("MIG-N07", "the partner's user was told", in.sender_told, Eq(true));
  CONFORMS(
      "MIG-N07", "the partner's streams come to an end",
      deployment->world().run_until([&] { return streams_with(*deployment, partner) == 0; }, establishment * patience),
      Eq(true));
}

CUTOVER_CASE(off){
    .id = "policy.dialback-off",
    .title = "A partner whose dialback is not supported is let in by no key, and its stream ends",
    .procedure = "SupportDialbackNegotiation is False for a partner that has nothing else; its user writes.",
    .accepted =
        "The request is ignored until the stream ends for its age, or it is answered with an error or "
        "the end of the stream; the message never arrives, and its sender is told.",
    .likely_causes = "The setting is asked where we initiate, and not where the partner does.",
    .judges = {{"MIG-N07", {"xmpp.dialback-against-policy@proxy"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 24h,
    .body = dialback_off};

void defaults(Run& run) {
  const auto partner = partner_by_dialback(run);
  const auto topology = with_one_edge_machine(run);
  auto estate = estate_of(topology);
  // As New-CsXmppAllowedPartner makes it; what its users may do besides is another matter.
  estate.rows.at(partner.domain) = {.domain = partner.domain, .partner_type = reference::PartnerType::federated};
  const auto deployment = migrate(run, topology, std::move(estate));
  for (const auto way : {Way::to_partner, Way::from_partner}) {
    const auto seen = written(*deployment, partner, way);
    const std::string sender = way == Way::to_partner ? "user" : "partner's user";
    CONFORMS("MIG-N03", "how many copies of the message of the " + sender + " arrived", seen.copies, Eq(0U));
    CONFORMS("MIG-N03", "the " + sender + " was told", seen.sender_told || seen.told_late, Eq(true));
    CONFORMS("MIG-N03", "what the rules say makes the message of the " + sender + " fail",
             predicted_cause(*deployment, deployment->topology().users.front(), partner.domain, way),
             Eq(Cause::no_common_method));
  }
}

CUTOVER_CASE(by_default){
    .id = "policy.default-partner",
    .title = "A partner of dialback that is configured with all defaults is reached neither way, as it is predicted",
    .procedure = "The partner is configured with TLS Required, SASL Required and dialback True; a message each way.",
    .accepted = "Neither arrives, and both senders are told, sooner or later.",
    .likely_causes = "Dialback, which is True, is used although SASL is Required.",
    .judges = {{"MIG-N03", {"xmpp.sends-key-against-policy@proxy", "xmpp.dialback-against-policy@proxy"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 24h,
    .body = defaults};

}  // namespace
}  // namespace cutover::suites
