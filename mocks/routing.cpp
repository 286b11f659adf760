// The rule of the migration as the pools apply it.
#include "mocks/routing.h"

#include "mocks/rules.h"

#include <algorithm>

namespace cutover::mocks {

namespace {

bool waives(const Routing& routing, Rule rule) { return !routing.departures.holds(rule); }

bool moved(const Routing& routing, const std::string& user) {
  const auto home = routing.homes.find(user);
  return home != routing.homes.end() && home->second.side == Pool::current;
}

bool configured(const Routing& routing, const std::string& partner_domain) {
  const auto& partners = routing.configured_partners;
  if (waives(routing, Rule::configured_partner_has_no_legacy_path)) return false;
  return partners.contains(partner_domain) || (waives(routing, Rule::switch_is_per_partner) && !partners.empty());
}

/// Nothing but the partner list takes the legacy path away.
bool legacy_path_lost(const Routing& routing, const std::string& user) {
  const bool new_pool =
      std::ranges::any_of(routing.pools, [](const auto& pool) { return pool.second.side == Pool::current; });
  return (waives(routing, Rule::new_pool_takes_no_route) && new_pool) ||
         (waives(routing, Rule::new_edge_takes_no_route) && routing.edge_deployed) ||
         (waives(routing, Rule::moved_user_keeps_the_legacy_path) && moved(routing, user)) ||
         (waives(routing, Rule::policy_takes_no_route) && !routing.xmpp_users.empty());
}

std::optional<Refusal> bar(const Routing& routing, const std::string& user) {
  const auto found = routing.barred.find(user);
  return found == routing.barred.end() ? std::nullopt : std::optional(found->second);
}

/// To the new pool the legacy gateway is a federated SIP partner like any other.
bool federation_denied(const Routing& routing, const std::string& user) {
  return moved(routing, user) &&
         routing.departures.breaks(Rule::federation_policy_admits_the_user, !routing.federated_users.contains(user));
}

/// What the new side asks of a user before a partner that is configured there reaches him, either way.
std::optional<Refusal> refusal_of_user(const Routing& routing, const std::string& user) {
  const auto breaks = [&](Rule rule, bool condition) { return routing.departures.breaks(rule, condition); };
  const auto home = routing.homes.find(user);
  const bool known = home != routing.homes.end();
  if (breaks(Rule::user_is_known, !known)) return Refusal{404, "no such user"};
  if (breaks(Rule::legacy_user_has_no_new_path, known && home->second.side == Pool::legacy))
    return Refusal{403, "the partner is configured on the new side, the user is homed on the legacy pool"};
  if (breaks(Rule::policy_admits_the_user, !routing.xmpp_users.contains(user)))
    return Refusal{403, "no external access policy allows XMPP for the user"};
  return std::nullopt;
}

}  // namespace

Exit exit_for(const Routing& routing, const std::string& user, const std::string& partner_domain) {
  if (auto refusal = bar(routing, user)) return {std::nullopt, *refusal};
  if (configured(routing, partner_domain)) {
    if (auto refusal = refusal_of_user(routing, user)) return {std::nullopt, *refusal};
    if (routing.gateway) return {routing.gateway, {}};
    if (!waives(routing, Rule::closed_new_side_has_no_detour))
      return {std::nullopt, {503, "XMPP federation is not enabled on the new side"}};
  }
  if (routing.departures.breaks(Rule::partner_is_known, !routing.legacy_partners.contains(partner_domain)))
    return {std::nullopt, {404, "no route to the domain"}};
  if (legacy_path_lost(routing, user)) return {std::nullopt, {503, "the legacy path is gone"}};
  if (federation_denied(routing, user)) return {std::nullopt, {403, "no policy allows federation for the user"}};
  if (!routing.legacy_gateway) return {std::nullopt, {503, "the legacy gateway is stopped"}};
  return {routing.legacy_gateway, {}};
}

std::optional<Refusal> refusal_of_entry(const Routing& routing, const std::string& user,
                                        const std::string& partner_domain, bool from_legacy_gateway) {
  if (waives(routing, Rule::entry_is_judged)) return std::nullopt;
  if (auto refusal = bar(routing, user)) return refusal;
  if (!from_legacy_gateway) return refusal_of_user(routing, user);
  if (legacy_path_lost(routing, user)) return Refusal{503, "the legacy path is gone"};
  if (routing.departures.breaks(Rule::partner_is_known, !routing.legacy_partners.contains(partner_domain)))
    return Refusal{403, "the domain is not allowed"};
  if (federation_denied(routing, user)) return Refusal{403, "no policy allows federation for the user"};
  if (configured(routing, partner_domain))
    return Refusal{403, "the partner is configured on the new side, so its legacy path has stopped"};
  return std::nullopt;
}

}  // namespace cutover::mocks
