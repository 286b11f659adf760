// The plan that `cutover plan new` writes.
#include "harness/migration/plan_file.h"

namespace cutover::harness::migration {

std::string_view plan_to_begin_with() {
  return R"(# A plan of a migration, for `cutover rehearse FILE`. Change what is yours; each key that is left out has
# the default of the product, or of an estate whose legacy gateway serves every partner and every SIP domain.
name: Our migration to the new pool
start: 2027-01-16 20:00 # for people; all times below count from here
budget: 30m # the longest loss of anybody with any partner that is acceptable
readings: # where the documents leave something open
  legacy-users: cut-off-when-configured # or cut-off-when-routed

estate:
  sip-domains: [contoso.example]
  ttl: 1h # of our SRV records; for each its own: {contoso.example: 5m}
  pools:
    legacy-pool: {side: legacy}
    pool13: {side: new}
  users: # classes of equal situation, not single users
    sales: {count: 1200, pool: legacy-pool}
    support: {count: 300, pool: legacy-pool}
  partners: # kind: how they are met; configured-as: New-CsXmppAllowedPartner, with the product's defaults
    fabrikam.example: {kind: external, configured-as: {type: Federated, dialback: false}}
    litware.example: {kind: dialback, configured-as: {type: Federated, sasl: NotSupported}}
    talk.example: {kind: dialback-in-clear, configured-as: {tls: NotSupported, sasl: NotSupported, keep-alive: false}}
  edges:
    edge13: {members: [edge1, edge2]}
  certificates: # by name; "edge" is what step-4 assigns
    edge: {names: [sip.contoso.example, contoso.example]}

steps: # step-1 to step-6 are those of the document; `cutover plan operations` lists every operation
  - {name: Deploy the pool, do: step-1}
  - {name: Deploy the edge, at: 1h, do: step-2}
  - {name: Move the users, at: 2h, takes: 3h, do: step-3}
  - {name: Policies and certificate, at: 6h, takes: 30m, do: step-4}
  - {name: Enable XMPP federation, at: 7h, takes: 15m, do: step-5}
  - {name: Update DNS, at: 8h, do: step-6}
  - {name: Drain the legacy gateway, at: 10h, do: [drain-streams, stop-legacy-gateway]}
)";
}

}  // namespace cutover::harness::migration
