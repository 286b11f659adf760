// What the rules of the migration say of a state: which path a stanza takes, or why it is cut off.
// The source document's rules, domain by domain; judged against the wire by the migration suite, never the other way.
#pragma once

#include "harness/deployment/topology.h"
#include "mocks/routing.h"

#include <iosfwd>
#include <map>
#include <set>
#include <string>

namespace cutover::harness {

using mocks::Pool;
enum class Way { to_partner, from_partner };
enum class Path { legacy, current, cut_off };

/// Why somebody is cut off. The words of name_of() are what a report shows.
enum class Cause {
  none,
  partner_not_allowed,     ///< our SRV names the new edge, whose list of allowed partners lacks this one
  partner_configured,      ///< the partner is configured on the new side: the legacy path stopped for it (SEED-3)
  user_on_legacy_pool,     ///< the partner is reached through the new side, the user is still homed on the legacy pool
  federation_not_enabled,  ///< topology flag, site route or service missing: nothing listens on 5269 and 23456
  certificate_missing,     ///< the edge has no certificate for the XMPP domain
  policy_denies,           ///< no external access policy with EnableXmppAccess reaches the user
  dialback_authority,      ///< our SRV names the other box, which does not know the dialback key (XEP-0220)
  legacy_gateway_stopped,
};
[[nodiscard]] const char* name_of(Path);
[[nodiscard]] const char* name_of(Cause);
void PrintTo(Cause, std::ostream*);

/// Everything about a deployment that decides a route, as a plain value.
struct MigrationState {
  bool pool_deployed = false;
  bool edge_deployed = false;
  std::map<std::string, Pool> homes;  ///< by user
  bool policies_granted = false;
  bool certificate_assigned = false;
  bool federation_enabled = false;         ///< topology flag, site route, services
  std::set<std::string> allowed_partners;  ///< on the new side
  bool srv_names_edge = false;             ///< and every cache of the old record has expired
  bool legacy_gateway_runs = true;
  bool operator==(const MigrationState&) const = default;
};

struct Prediction {
  Path path = Path::cut_off;
  Cause cause = Cause::none;
  bool operator==(const Prediction&) const = default;
};

/// The route of a message or presence between `user` and `partner`, in a state where caches have expired and streams of
/// earlier states are closed (design: a partner's SRV answer decides inbound, the allowed-partner list outbound).
[[nodiscard]] Prediction predict(const MigrationState&, const std::string& user, const PartnerSpec& partner, Way);

}  // namespace cutover::harness
