// lync-facts 2.5: ProxyFqdn is a way to a partner that has no SRV record.
#include "suites/support/migration.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

constexpr char partner[] = "fabrikam.example";

void by_static_route(Run& run) {
  auto estate = estate_of(run.topology());
  estate.rows.at(partner).proxy_fqdn = std::string("xmpp.") + partner;
  const auto deployment = migrate(run, std::move(estate));
  auto& zone = deployment->name_server().server();
  zone.set(std::string("_xmpp-server._tcp.") + partner, dns::Type::srv, 0, {});
  const auto& topology = deployment->topology();
  const auto spec = std::ranges::find(topology.partners, partner, &PartnerSpec::domain);
  const auto seen =
      observe(*deployment, {{topology.users.front(), partner, spec->users.front(), Way::to_partner, What::message}});
  CONFORMS("MIG-N10", "how many copies of the user's message reached the partner", seen.front().copies, Eq(1U));
}

CUTOVER_CASE(static_route){.id = "policy.static-route",
                           .title = "A partner without an SRV record is reached by its ProxyFqdn",
                           .procedure = "The partner's record is gone, its ProxyFqdn set; the user writes.",
                           .accepted = "The message arrives once.",
                           .likely_causes = "The setting is stored and not used.",
                           .judges = {{"MIG-N10", {"xmpp.ignores-static-route"}}},
                           .needs = {Need::sip_side, Need::new_deployment},
                           .staging = Staging::bench_only,
                           .budget = 1h,
                           .body = by_static_route};

}  // namespace
}  // namespace cutover::suites
