// What can be read off a state directly.
#include "harness/migration/state.h"

#include <algorithm>

namespace cutover::harness::migration {

void replicate(State& state) { state.replica = state.configuration; }

const AllowedPartner* listed(const Configuration& configuration, std::string_view domain) {
  if (const auto own = configuration.partners.find(std::string(domain)); own != configuration.partners.end())
    return &own->second;
  for (const auto& [primary, partner] : configuration.partners) {
    if (std::ranges::find(partner.additional_domains, domain) != partner.additional_domains.end()) return &partner;
  }
  return nullptr;
}

Side side_of(const State& state, const UserClass& users) {
  const auto pool = state.pools.find(users.pool);
  return pool == state.pools.end() ? Side::legacy : pool->second.side;
}

AccessPolicies::Effective effective(const AccessPolicies& policies, const UserClass& users) {
  if (const auto own = policies.user_scoped.find(users.policy); own != policies.user_scoped.end())
    return {own->second, "user:" + own->first};
  if (const auto site = policies.sites.find(users.site); site != policies.sites.end())
    return {site->second, "site:" + site->first};
  return {policies.global, "global"};
}

bool covers(const Certificate& certificate, std::string_view domain) {
  return std::ranges::find(certificate.names, domain) != certificate.names.end();
}

}  // namespace cutover::harness::migration
