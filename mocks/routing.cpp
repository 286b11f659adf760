// The rule of the migration as the pools apply it.
#include "mocks/routing.h"

namespace cutover::mocks {

namespace {

/// SEED-3: a partner that is configured on the new side has no legacy path, and only that partner.
bool configured(const Routing& routing, const std::string& partner_domain) {
  if (routing.departures.has("migration.legacy-path-survives")) return false;
  if (routing.departures.has("migration.one-partner-switches-all")) return !routing.configured_partners.empty();
  return routing.configured_partners.contains(partner_domain);
}

/// SEED-4 to SEED-7: nothing but the partner list takes the legacy path away. Each defect is a deployment that thinks
/// otherwise.
bool legacy_path_lost(const Routing& routing, const std::string& user) {
  const auto home = routing.homes.find(user);
  const bool moved = home != routing.homes.end() && home->second == Pool::current;
  if (routing.departures.has("migration.new-pool-takes-routes") && routing.pools.contains(Pool::current)) return true;
  if (routing.departures.has("migration.new-edge-takes-routes") && routing.edge_deployed) return true;
  if (routing.departures.has("migration.moved-user-loses-legacy") && moved) return true;
  return routing.departures.has("migration.policy-takes-routes") && !routing.xmpp_users.empty();
}

/// What the new side asks of a user before a partner that is configured there reaches him, either way.
std::optional<Refusal> refusal_of_user(const Routing& routing, const std::string& user) {
  const auto home = routing.homes.find(user);
  if (home == routing.homes.end()) return Refusal{404, "no such user"};
  if (home->second == Pool::legacy && !routing.departures.has("migration.legacy-user-passes"))
    return Refusal{403, "the partner is configured on the new side, the user is homed on the legacy pool"};
  if (!routing.xmpp_users.contains(user) && !routing.departures.has("migration.policy-ignored"))
    return Refusal{403, "no external access policy allows XMPP for the user"};
  return std::nullopt;
}

}  // namespace

Exit exit_for(const Routing& routing, const std::string& user, const std::string& partner_domain) {
  if (configured(routing, partner_domain)) {
    if (auto refusal = refusal_of_user(routing, user)) return {std::nullopt, *refusal};
    if (!routing.gateway) return {std::nullopt, {503, "XMPP federation is not enabled on the new side"}};
    return {routing.gateway, {}};
  }
  if (!routing.legacy_partners.contains(partner_domain)) return {std::nullopt, {404, "no route to the domain"}};
  if (legacy_path_lost(routing, user)) return {std::nullopt, {503, "the legacy path is gone"}};
  if (!routing.legacy_gateway) return {std::nullopt, {503, "the legacy gateway is stopped"}};
  return {routing.legacy_gateway, {}};
}

std::optional<Refusal> refusal_of_entry(const Routing& routing, const std::string& user,
                                        const std::string& partner_domain, bool from_legacy_gateway) {
  if (!from_legacy_gateway) return refusal_of_user(routing, user);
  if (legacy_path_lost(routing, user)) return Refusal{503, "the legacy path is gone"};
  if (configured(routing, partner_domain)) {
    return Refusal{403, "the partner is configured on the new side, so its legacy path has stopped"};
  }
  return std::nullopt;
}

}  // namespace cutover::mocks
