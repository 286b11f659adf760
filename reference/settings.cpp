// The rules behind the settings: precedence, routes, the negotiation matrix.
#include "reference/settings.h"

#include "protocol/xmpp/jid.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace cutover::reference {

namespace {

using enum Negotiation;

/// One row of "Negotiation settings for XMPP federated partners", the complete table.
struct MatrixRow {
  Negotiation tls, sasl;
  bool dialback, valid;
  std::string_view warning;  ///< empty for none
};
constexpr std::string_view dialback_idle = "dialback will not operate: SASL over TLS is required";
constexpr std::string_view sasl_needs_tls = "SASL requires TLS; optional TLS may make sessions fail";
constexpr std::array<MatrixRow, 18> matrix{{
    {required, required, true, true, dialback_idle},
    {required, required, false, true, ""},
    {optional, required, true, true, sasl_needs_tls},
    {optional, required, false, true, sasl_needs_tls},
    {not_supported, required, true, true, sasl_needs_tls},
    {not_supported, required, false, false, ""},
    {required, optional, true, true, ""},
    {required, optional, false, true, ""},
    {optional, optional, true, true, sasl_needs_tls},
    {optional, optional, false, true, sasl_needs_tls},
    {not_supported, optional, true, true, sasl_needs_tls},
    {not_supported, optional, false, false, ""},
    {required, not_supported, true, true, ""},
    {required, not_supported, false, false, ""},
    {optional, not_supported, true, true, ""},
    {optional, not_supported, false, false, ""},
    {not_supported, not_supported, true, true, ""},
    {not_supported, not_supported, false, false, ""},
}};

constexpr std::array<std::pair<Negotiation, const char*>, 3> negotiation_names{
    {{required, "Required"}, {optional, "Optional"}, {not_supported, "NotSupported"}}};
constexpr std::array<std::pair<PartnerType, const char*>, 3> type_names{
    {{PartnerType::federated, "Federated"},
     {PartnerType::public_verified, "PublicVerified"},
     {PartnerType::public_unverified, "PublicUnverified"}}};

const MatrixRow& row_of(const AllowedPartner& partner) {
  return *std::find_if(matrix.begin(), matrix.end(), [&](const MatrixRow& row) {
    return row.tls == partner.tls_negotiation && row.sasl == partner.sasl_negotiation &&
           row.dialback == partner.support_dialback_negotiation;
  });
}

void check_domain(const std::string& domain, std::vector<Problem>& problems) {
  if (!xmpp::is_domain(domain)) problems.push_back({true, "\"" + domain + "\" is not a domain"});
}

/// What is said of a user, whichever form of the address it was said for.
std::map<std::string, std::string>::const_iterator of_user(const std::map<std::string, std::string>& table,
                                                           const std::string& user) {
  const auto wanted = xmpp::canonical_bare(user);
  return std::ranges::find_if(table, [&](const auto& row) { return xmpp::canonical_bare(row.first) == wanted; });
}

}  // namespace

AccessPolicies::Effective AccessPolicies::effective(const std::string& user) const {
  if (const auto grant = of_user(grants, user); grant != grants.end()) {
    if (const auto policy = user_scoped.find(grant->second); policy != user_scoped.end()) {
      return {policy->second, "user:" + grant->second};
    }
  }
  if (const auto home = of_user(homes, user); home != homes.end()) {
    if (const auto policy = sites.find(home->second); policy != sites.end()) {
      return {policy->second, "site:" + home->second};
    }
  }
  return {global, "global"};
}

const AllowedPartner* Settings::partner_of(std::string_view domain) const {
  const std::string wanted = xmpp::canonical_domain(domain);
  for (const auto& [name, partner] : partners) {
    if (xmpp::canonical_domain(name) == wanted) return &partner;
    for (const auto& additional : partner.additional_domains) {
      if (xmpp::canonical_domain(additional) == wanted) return &partner;
    }
  }
  return nullptr;
}

xmpp::PeerPolicy Settings::policy_of(std::string_view domain) const {
  xmpp::PeerPolicy policy;
  const AllowedPartner* partner = allow_federated_users ? partner_of(domain) : nullptr;
  policy.allowed = partner != nullptr;
  if (partner == nullptr) return policy;
  policy.tls = partner->tls_negotiation;
  policy.sasl = partner->sasl_negotiation;
  policy.dialback = partner->support_dialback_negotiation;
  policy.keep_alive = partner->enable_keep_alive;
  policy.connections_max =
      std::min(partner->connection_limit.value_or(gateway.partner_connection_limit), gateway.partner_connection_limit);
  policy.proxy_fqdn = partner->proxy_fqdn;
  return policy;
}

bool Settings::user_may(const std::string& user) const {
  return allow_federated_users && policies.effective(user).policy.allows_xmpp();
}

std::vector<Problem> validate(const AllowedPartner& partner) {
  std::vector<Problem> problems;
  check_domain(partner.domain, problems);
  for (const auto& domain : partner.additional_domains) check_domain(domain, problems);
  if (!partner.proxy_fqdn.empty()) check_domain(partner.proxy_fqdn, problems);
  if (partner.connection_limit == 0U) problems.push_back({true, "ConnectionLimit must be above 0"});
  const MatrixRow& row = row_of(partner);
  if (!row.valid) problems.push_back({true, partner.domain + ": SASL or dialback must be enabled"});
  if (!row.warning.empty()) problems.push_back({false, partner.domain + ": " + std::string(row.warning)});
  return problems;
}

std::vector<Problem> validate(const Settings& settings) {
  std::vector<Problem> problems;
  std::set<std::string> claimed;
  for (const auto& [name, partner] : settings.partners) {
    if (xmpp::canonical_domain(name) != xmpp::canonical_domain(partner.domain))
      problems.push_back({true, name + ": the key is not the domain"});
    const auto own = validate(partner);
    problems.insert(problems.end(), own.begin(), own.end());
    auto domains = partner.additional_domains;
    domains.push_back(partner.domain);
    for (const auto& domain : domains) {
      if (!claimed.insert(xmpp::canonical_domain(domain)).second)
        problems.push_back({true, domain + " belongs to two partners"});
    }
  }
  const auto& gateway = settings.gateway;
  if (gateway.connection_limit == 0 || gateway.partner_connection_limit == 0) {
    problems.push_back({true, "connection limits must be above 0"});
  }
  if (gateway.partner_connection_limit > gateway.connection_limit) {
    problems.push_back({false, "PartnerConnectionLimit is above ConnectionLimit"});
  }
  if (gateway.stream_establishment_timeout <= Duration::zero() || gateway.keep_alive_interval <= Duration::zero() ||
      gateway.stream_inactivity_timeout <= Duration::zero() ||
      gateway.subscription_refresh_interval <= Duration::zero()) {
    problems.push_back({true, "timers must be above 0"});
  }
  for (const auto& [user, policy] : settings.policies.grants) {
    if (!settings.policies.user_scoped.contains(policy)) {
      problems.push_back({true, fmt::format("policy \"{}\" of {} does not exist", policy, user)});
    }
  }
  if (settings.enable_xmpp_federation != settings.site_federation_route) {
    problems.push_back({false, "edge pool flag and site route must both be set for XMPP federation"});
  }
  if (settings.enable_xmpp_federation && !settings.allow_federated_users) {
    problems.push_back({false, "AllowFederatedUsers is off: nobody reaches a partner"});
  }
  return problems;
}

bool acceptable(const std::vector<Problem>& problems) {
  return std::none_of(problems.begin(), problems.end(), [](const Problem& problem) { return problem.error; });
}

const char* name_of(Negotiation value) {
  for (const auto& [known, name] : negotiation_names) {
    if (known == value) return name;
  }
  return "Required";
}

const char* name_of(PartnerType value) {
  for (const auto& [known, name] : type_names) {
    if (known == value) return name;
  }
  return "PublicUnverified";
}

std::optional<Negotiation> negotiation_of(std::string_view name) {
  for (const auto& [value, known] : negotiation_names) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::optional<PartnerType> partner_type_of(std::string_view name) {
  for (const auto& [value, known] : type_names) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::optional<Negotiation> negotiation_of(std::uint32_t place) {
  return place < negotiation_names.size() ? std::optional(negotiation_names.at(place).first) : std::nullopt;
}

std::optional<PartnerType> partner_type_of(std::uint32_t place) {
  return place < type_names.size() ? std::optional(type_names.at(place).first) : std::nullopt;
}

}  // namespace cutover::reference
