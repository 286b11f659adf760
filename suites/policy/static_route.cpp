// lync-facts 2.5: ProxyFqdn is a way to a partner that has no SRV record.
#include "suites/support/chosen.h"
#include "suites/support/migration.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

void by_static_route(Run& run) {
  const auto partner = partner_by_certificate(run);
  auto estate = estate_of(run.topology());
  estate.rows.at(partner.domain).proxy_fqdn = "xmpp." + partner.domain;
  const auto deployment = migrate(run, std::move(estate));
  auto& zone = deployment->name_server().server();
  zone.set("_xmpp-server._tcp." + partner.domain, dns::Type::srv, 0, {});
  const auto& user = deployment->topology().users.front();
  const auto seen =
      observe(*deployment, {{user, partner.domain, partner.users.front(), Way::to_partner, What::message}});
  CONFORMS("MIG-N10", "how many copies of the user's message reached the partner", seen.front().copies, Eq(1U));
}

CUTOVER_CASE(static_route){.id = "policy.static-route",
                           .title = "A partner without an SRV record is reached by its ProxyFqdn",
                           .procedure = "The partner's record is gone, its ProxyFqdn set; the user writes.",
                           .accepted = "The message arrives once.",
                           .likely_causes = "The setting is stored and not used.",
                           .judges = {{"MIG-N10", {"xmpp.ignores-static-route"}}},
                           .needs = {Need::sip_side, Need::new_deployment},
                           .any_topology = true,
                           .staging = Staging::bench_only,
                           .budget = 1h,
                           .body = by_static_route};

}  // namespace
}  // namespace cutover::suites
