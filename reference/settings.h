// The settings of the deployment with the product's names and defaults (domain facts, section 3), and their validation.
#pragma once

#include "protocol/base/time.h"
#include "protocol/interworking/settings.h"
#include "protocol/xmpp/policy.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::reference {

using interworking::PartnerType;
using xmpp::Negotiation;

/// New-CsXmppAllowedPartner; the defaults are the product's.
struct AllowedPartner {
  std::string domain;                           ///< Identity
  std::vector<std::string> additional_domains;  ///< need not be child domains
  std::optional<std::uint32_t> connection_limit;
  std::string description;
  bool enable_keep_alive = true;
  PartnerType partner_type = PartnerType::public_unverified;
  std::string proxy_fqdn;  ///< static route where the partner has no SRV record
  Negotiation sasl_negotiation = Negotiation::required;
  Negotiation tls_negotiation = Negotiation::required;
  bool support_dialback_negotiation = true;
  bool operator==(const AllowedPartner&) const = default;
};

/// Set-CsXmppGatewayConfiguration; one global instance.
struct GatewayConfiguration {
  std::uint32_t connection_limit = 1000;
  std::uint32_t partner_connection_limit = 20;
  std::string dialback_passphrase;  ///< the same on every box that can be authoritative
  bool enable_logging_all_message_bodies = false;
  Duration keep_alive_interval = 300s;
  Duration stream_establishment_timeout = 60s;
  Duration stream_inactivity_timeout = 600s;
  Duration subscription_refresh_interval = 28800s;
  bool operator==(const GatewayConfiguration&) const = default;
};

/// New-CsExternalAccessPolicy, as far as it concerns XMPP. Off by default.
struct AccessPolicy {
  bool enable_federation_access = false;
  bool enable_xmpp_access = false;
  [[nodiscard]] bool allows_xmpp() const { return enable_federation_access && enable_xmpp_access; }
  bool operator==(const AccessPolicy&) const = default;
};

/// Policies by scope; a user's comes before a site's, and that before the global one.
struct AccessPolicies {
  AccessPolicy global;
  std::map<std::string, AccessPolicy> sites;        ///< "Redmond"
  std::map<std::string, AccessPolicy> user_scoped;  ///< by policy name
  std::map<std::string, std::string> grants;        ///< user (bare address) > policy name
  std::map<std::string, std::string> homes;         ///< user > site
  /// Which policy holds for a user, and where it comes from ("user:Name", "site:Name", "global").
  struct Effective {
    AccessPolicy policy;
    std::string scope;
  };
  [[nodiscard]] Effective effective(const std::string& user) const;
  bool operator==(const AccessPolicies&) const = default;
};

/// Everything that is replicated to the boxes of the deployment.
struct Settings {
  std::map<std::string, AllowedPartner> partners;  ///< by primary domain
  GatewayConfiguration gateway;
  AccessPolicies policies;
  bool allow_federated_users = false;   ///< Set-CsAccessEdgeConfiguration
  bool enable_xmpp_federation = false;  ///< topology: "Enable XMPP federation (port 5269)" on the edge pool
  bool site_federation_route = false;   ///< Set-CsSite -XmppFederationRoute "EdgeServer:<fqdn>"

  /// The partner that a domain belongs to, by primary or additional domain; null for none.
  [[nodiscard]] const AllowedPartner* partner_of(std::string_view domain) const;
  /// How streams with a domain are secured; `allowed` is false for a domain that is no partner.
  [[nodiscard]] xmpp::PeerPolicy policy_of(std::string_view domain) const;
  /// Whether a user (bare address) may use XMPP federation: edge switch and effective policy.
  [[nodiscard]] bool user_may(const std::string& user) const;
};

/// Something wrong with a setting, in the product's words where there are any. An error refuses the setting.
struct Problem {
  bool error = false;
  std::string text;
};
/// The negotiation matrix (domain facts 3.2: 18 rows, five of them invalid) and the rules of each field.
[[nodiscard]] std::vector<Problem> validate(const AllowedPartner& partner);
/// Every partner, domains that two partners claim, limits, policies that are granted but do not exist.
[[nodiscard]] std::vector<Problem> validate(const Settings& settings);
[[nodiscard]] bool acceptable(const std::vector<Problem>& problems);

[[nodiscard]] const char* name_of(Negotiation value);
[[nodiscard]] const char* name_of(PartnerType value);
[[nodiscard]] std::optional<Negotiation> negotiation_of(std::string_view name);
[[nodiscard]] std::optional<PartnerType> partner_type_of(std::string_view name);
/// By place in the product's list, as ConvertTo-Json writes an enumeration. That the list begins at 0 is our reading.
[[nodiscard]] std::optional<Negotiation> negotiation_of(std::uint32_t place);
[[nodiscard]] std::optional<PartnerType> partner_type_of(std::uint32_t place);

}  // namespace cutover::reference
