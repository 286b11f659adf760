// The rule of the migration as the pools apply it.
#include "mocks/routing.h"

namespace cutover::mocks {

namespace {

/// What the new side asks of a user before a partner that is configured there reaches him, either way.
std::optional<Refusal> refusal_of_user(const Routing& routing, const std::string& user) {
  const auto home = routing.homes.find(user);
  if (home == routing.homes.end()) return Refusal{404, "no such user"};
  if (home->second == Pool::legacy)
    return Refusal{403, "the partner is configured on the new side, the user is homed on the legacy pool"};
  if (!routing.xmpp_users.contains(user)) return Refusal{403, "no external access policy allows XMPP for the user"};
  return std::nullopt;
}

}  // namespace

Exit exit_for(const Routing& routing, const std::string& user, const std::string& partner_domain) {
  if (routing.configured_partners.contains(partner_domain)) {
    if (auto refusal = refusal_of_user(routing, user)) return {std::nullopt, *refusal};
    if (!routing.gateway) return {std::nullopt, {503, "XMPP federation is not enabled on the new side"}};
    return {routing.gateway, {}};
  }
  if (!routing.legacy_partners.contains(partner_domain)) return {std::nullopt, {404, "no route to the domain"}};
  if (!routing.legacy_gateway) return {std::nullopt, {503, "the legacy gateway is stopped"}};
  return {routing.legacy_gateway, {}};
}

std::optional<Refusal> refusal_of_entry(const Routing& routing, const std::string& user,
                                        const std::string& partner_domain, bool from_legacy_gateway) {
  if (!from_legacy_gateway) return refusal_of_user(routing, user);
  if (routing.configured_partners.contains(partner_domain)) {
    return Refusal{403, "the partner is configured on the new side, so its legacy path has stopped"};
  }
  return std::nullopt;
}

}  // namespace cutover::mocks
