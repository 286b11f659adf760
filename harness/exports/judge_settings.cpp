// What settings of partners, policies and users make impossible (domain facts, sections 2 to 4).
#include "harness/exports/estate.h"
#include "harness/exports/records.h"

#include "harness/negotiation/product.h"
#include "protocol/dns/zone.h"
#include "protocol/xmpp/jid.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace cutover::harness::exports {

namespace {

using reference::Negotiation;

negotiation::Use use_of(Negotiation value) {
  using negotiation::Use;
  if (value == Negotiation::required) return Use::required;
  return value == Negotiation::optional ? Use::optional : Use::not_supported;
}

const negotiation::ProductRow& row_of(const reference::AllowedPartner& partner) {
  return *std::ranges::find_if(negotiation::product_rows(), [&](const negotiation::ProductRow& row) {
    return row.tls == use_of(partner.tls_negotiation) && row.sasl == use_of(partner.sasl_negotiation) &&
           row.dialback == partner.support_dialback_negotiation;
  });
}

std::vector<std::string> domains_of(const Partner& partner) {
  std::vector<std::string> domains{xmpp::canonical_domain(partner.settings.domain)};
  for (const auto& domain : partner.settings.additional_domains) domains.push_back(xmpp::canonical_domain(domain));
  return domains;
}

class Partners {
 public:
  explicit Partners(Estate& estate) : estate_(estate), inventory_(estate.inventory) {}

  void judge() {
    if (inventory_.partners.empty()) {
      estate_.find("F8", Severity::unknown, {}, "no XMPP partner is among the files: nothing was judged about partners",
                   "give Get-CsXmppAllowedPartner");
    }
    std::map<std::string, const Partner*> owners;
    for (const auto& partner : inventory_.partners) {
      negotiation(partner);
      limit(partner);
      for (const auto& domain : domains_of(partner)) {
        const auto [owner, is_new] = owners.emplace(domain, &partner);
        if (!is_new && owner->second != &partner) claimed_twice(domain, partner, *owner->second);
        ours(domain, partner);
      }
    }
    gateway();
    for (const auto& allowed : inventory_.allowed_domains) also_by_sip(allowed, owners);
    google(owners);
  }

 private:
  void negotiation(const Partner& partner) {
    const auto& settings = partner.settings;
    const auto& row = row_of(settings);
    const auto set = fmt::format("Set-CsXmppAllowedPartner {}", settings.domain);
    const auto words = words_of(row);
    if (!row.valid()) {
      return estate_.find("F8", Severity::fails, partner.place,
                          fmt::format("{} ({}): the combination is invalid, no method of authentication is left",
                                      settings.domain, words),
                          set + " -SupportDialbackNegotiation $true, or TLS and SASL Required");
    }
    // The product's own words; those of other fields are judged beside.
    for (const auto& problem : reference::validate(settings)) {
      if (problem.error) continue;
      const bool sasl_alone = row.number == 1;
      estate_.find("F8", Severity::risks, partner.place, fmt::format("{} ({})", problem.text, words),
                   sasl_alone ? set + " -SaslNegotiation Optional, where the partner has dialback only"
                              : set + " -TlsNegotiation Required, where the partner has TLS");
    }
    if (settings.tls_negotiation == Negotiation::not_supported) {
      estate_.find("F9", Severity::risks, partner.place,
                   fmt::format("{} is reached by dialback in clear alone: messages can be read on their way, and a "
                               "partner that makes TLS mandatory is not reached any more",
                               settings.domain),
                   set + " -TlsNegotiation Optional, and Required once the partner has TLS");
    }
    if (settings.tls_negotiation == Negotiation::not_supported &&
        settings.sasl_negotiation != Negotiation::not_supported) {
      estate_.find("F24", Severity::risks, partner.place,
                   fmt::format("{} has SASL without TLS, which the shell takes and the Control Panel refuses to save",
                               settings.domain),
                   set + " -SaslNegotiation NotSupported");
    }
  }

  void limit(const Partner& partner) {
    const auto& own = partner.settings.connection_limit;
    const auto gateway = inventory_.gateway ? inventory_.gateway->settings : reference::GatewayConfiguration{};
    if (own == 0U) {
      estate_.find("F28", Severity::fails, partner.place,
                   fmt::format("{} has a connection limit of 0: no stream is allowed", partner.settings.domain),
                   fmt::format("Set-CsXmppAllowedPartner {} -ConnectionLimit $null", partner.settings.domain));
    } else if (own && *own > gateway.partner_connection_limit) {
      estate_.find("F28", Severity::risks, partner.place,
                   fmt::format("{} is allowed {}, and the gateway allows any partner {}: no document says that more "
                               "than these are taken",
                               partner.settings.domain, counted(*own, "connection"), gateway.partner_connection_limit),
                   fmt::format("Set-CsXmppGatewayConfiguration -PartnerConnectionLimit {}", *own));
    }
  }

  void gateway() {
    if (!inventory_.gateway) return;
    const auto& [settings, place] = *inventory_.gateway;
    if (settings.connection_limit == 0 || settings.partner_connection_limit == 0) {
      estate_.find("F28", Severity::fails, place, "a connection limit of the gateway is 0: no stream is allowed",
                   "Set-CsXmppGatewayConfiguration -ConnectionLimit 1000 -PartnerConnectionLimit 20");
    }
    std::uint64_t wanted = 0;
    for (const auto& partner : inventory_.partners)
      wanted += std::min(partner.settings.connection_limit.value_or(settings.partner_connection_limit),
                         settings.partner_connection_limit);
    if (settings.connection_limit > 0 && wanted > settings.connection_limit) {
      estate_.find("F28", Severity::risks, place,
                   fmt::format("the gateway takes {} in all, and its partners together are allowed {}",
                               counted(settings.connection_limit, "connection"), wanted),
                   fmt::format("Set-CsXmppGatewayConfiguration -ConnectionLimit {}", wanted));
    }
    if (settings.keep_alive_interval >= settings.stream_inactivity_timeout) {
      estate_.find(
          "F27", Severity::risks, place,
          fmt::format("idle streams are closed after {}, and keep-alives come every {}: they keep nothing alive",
                      spoken(settings.stream_inactivity_timeout), spoken(settings.keep_alive_interval)),
          "Set-CsXmppGatewayConfiguration -StreamInactivityTimeout 00:10:00 -KeepAliveInterval 00:05:00");
    }
  }

  void claimed_twice(const std::string& domain, const Partner& partner, const Partner& owner) {
    estate_.find("F33", Severity::fails, partner.place,
                 fmt::format("{} belongs to two partners, {} and {} ({})", domain, partner.settings.domain,
                             owner.settings.domain, to_string(owner.place)),
                 fmt::format("Set-CsXmppAllowedPartner {} -AdditionalDomains @{{Remove=\"{}\"}}",
                             partner.settings.domain, domain));
  }

  void ours(const std::string& domain, const Partner& partner) {
    const auto own = std::ranges::find_if(
        estate_.domains, [&](const auto& each) { return domain == xmpp::canonical_domain(each.name); });
    if (own == estate_.domains.end()) return;
    estate_.find("F7", Severity::fails, partner.place,
                 fmt::format("{} is a SIP domain of your own and a partner's: who serves it?", domain),
                 fmt::format("Remove-CsXmppAllowedPartner {}, or take the domain from your SIP domains", domain));
  }

  void also_by_sip(const AllowedDomain& allowed, const std::map<std::string, const Partner*>& owners) {
    const auto domain = xmpp::canonical_domain(allowed.domain);
    const auto by = allowed.proxy_fqdn.empty() ? "" : fmt::format(" by {}", allowed.proxy_fqdn);
    if (const auto owner = owners.find(domain); owner != owners.end()) {
      return estate_.find(
          "F32", Severity::risks, allowed.place,
          fmt::format("{} is an allowed SIP domain{}, and an XMPP partner ({}): which way a message takes "
                      "is not defined",
                      allowed.domain, by, to_string(owner->second->place)),
          fmt::format("Remove-CsAllowedDomain {} when the partner is moved, not before", allowed.domain));
    }
    for (const auto& partner : inventory_.partners) {
      const auto above = xmpp::canonical_domain(partner.settings.domain);
      if (!dns::is_in(domain, above)) continue;
      estate_.find(
          "F33", Severity::risks, allowed.place,
          fmt::format("{} is below {} and not among its additional domains: its users are reached by SIP{}, and "
                      "by XMPP not at all",
                      allowed.domain, partner.settings.domain, by),
          fmt::format("Set-CsXmppAllowedPartner {} -AdditionalDomains @{{Add=\"{}\"}}", partner.settings.domain,
                      allowed.domain));
    }
  }

  void google(const std::map<std::string, const Partner*>& owners) {
    constexpr std::array<std::string_view, 2> names{"gmail.com", "googlemail.com"};
    const auto first = owners.find(std::string(names[0])), second = owners.find(std::string(names[1]));
    if ((first == owners.end()) == (second == owners.end())) return;
    const bool has_first = first != owners.end();
    const auto& partner = *(has_first ? first : second)->second;
    const auto there = names.at(has_first ? 0 : 1), lacking = names.at(has_first ? 1 : 0);
    estate_.find("F34", Severity::risks, partner.place,
                 fmt::format("{} is a partner, and {} is not: it is a domain of its own, and its users are not reached",
                             there, lacking),
                 fmt::format("Set-CsXmppAllowedPartner {} -AdditionalDomains @{{Add=\"{}\"}}", partner.settings.domain,
                             lacking));
  }

  Estate& estate_;
  const Inventory& inventory_;
};

class Users {
 public:
  explicit Users(Estate& estate) : estate_(estate), inventory_(estate.inventory) {}

  void judge() {
    access_edge();
    policies();
    grants();
    site_route();
    legacy();
    branches();
  }

 private:
  void access_edge() {
    if (!inventory_.access_edge) {
      return estate_.find("F6", Severity::unknown, {}, "whether AllowFederatedUsers is set was not judged",
                          "give Get-CsAccessEdgeConfiguration");
    }
    if (inventory_.access_edge->allow_federated_users) return;
    estate_.find("F6", Severity::fails, inventory_.access_edge->place,
                 "AllowFederatedUsers is False: no user reaches any partner, whatever the policies say",
                 "Set-CsAccessEdgeConfiguration -AllowFederatedUsers $true");
  }

  [[nodiscard]] std::size_t under(const Policy& policy) const {
    constexpr std::array<std::string_view, 3> scopes{"global", "site:", "user:"};
    const auto wanted = lower(std::string(scopes.at(static_cast<std::size_t>(policy.scope))) + policy.name);
    return estate_.users([&](const UserClass& one) { return one.enabled && lower(one.policy) == wanted; });
  }

  void policies() {
    if (inventory_.policies.empty()) {
      return estate_.find("F6", Severity::unknown, {}, "no external access policy is among the files",
                          "give Get-CsExternalAccessPolicy");
    }
    if (inventory_.users.empty()) {
      estate_.find("F6", Severity::unknown, {},
                   "no user is among the files: whom the policies let use XMPP was not judged", "give Get-CsUser");
    }
    bool any = false;
    for (const auto& policy : inventory_.policies) {
      any |= policy.settings.allows_xmpp();
      const auto count = under(policy);
      if (policy.settings.enable_xmpp_access && !policy.settings.enable_federation_access) {
        estate_.find("F6", Severity::fails, policy.place,
                     fmt::format("{} has EnableXmppAccess without EnableFederationAccess, so {} may not use XMPP",
                                 words_of(policy), counted(count, "user")),
                     fmt::format("Set-CsExternalAccessPolicy {} -EnableFederationAccess $true", identity_of(policy)));
      }
      if (policy.settings.allows_xmpp() && policy.scope == Policy::Scope::user && count == 0 &&
          !inventory_.users.empty()) {
        estate_.find("F6", Severity::risks, policy.place,
                     fmt::format("{} allows XMPP and is granted to nobody", words_of(policy)),
                     fmt::format("Get-CsUser ... | Grant-CsExternalAccessPolicy -PolicyName {}", policy.name));
      }
    }
    if (!any) {
      estate_.find(
          "F6", Severity::fails, inventory_.policies.front().place,
          "no policy has both EnableFederationAccess and EnableXmppAccess: nobody may use XMPP",
          "New-CsExternalAccessPolicy Xmpp -EnableFederationAccess $true -EnableXmppAccess $true, and grant it");
    }
  }

  static std::string identity_of(const Policy& policy) {
    constexpr std::array<std::string_view, 3> prefixes{"Global", "Site:", ""};
    return std::string(prefixes.at(static_cast<std::size_t>(policy.scope))) + policy.name;
  }

  void grants() {
    if (inventory_.policies.empty() || inventory_.users.empty()) return;
    std::size_t barred = 0;
    const UserClass* first = nullptr;
    std::map<std::string, std::pair<std::size_t, Place>> unknown;
    for (const auto& one : estate_.classes) {
      if (!one.enabled) continue;
      if (!one.may_use_xmpp) {
        auto& [count, place] = unknown[one.policy];
        if (count == 0) place = one.first;
        count += one.count;
      } else if (!*one.may_use_xmpp) {
        barred += one.count;
        if (first == nullptr) first = &one;
      }
    }
    for (const auto& [scope, count_and_place] : unknown) {
      const auto& [count, place] = count_and_place;
      const bool granted = scope.starts_with("user:");
      estate_.find("F6", granted ? Severity::risks : Severity::unknown, place,
                   granted ? fmt::format("the policy {} is granted to {} and is not among the exported ones",
                                         scope.substr(5), counted(count, "user"))
                           : fmt::format("for {} the global policy holds, which is not among the exported ones",
                                         counted(count, "user")),
                   "give Get-CsExternalAccessPolicy without a filter");
    }
    const auto all = estate_.users([](const UserClass& one) { return one.enabled; });
    if (barred == 0) return;
    estate_.find(
        "F6", barred == all ? Severity::fails : Severity::risks, first->first,
        fmt::format("{} of {} may not use XMPP, by the policy that holds for them", barred, counted(all, "user")),
        "grant them a policy with EnableFederationAccess and EnableXmppAccess, where they should");
  }

  void site_route() {
    const auto& sites = inventory_.sites;
    const bool known = !sites.empty() && std::ranges::all_of(sites, &Site::route_known);
    if (!known) {
      estate_.find("F1", Severity::unknown, {}, "whether a site has a route for XMPP federation was not judged",
                   "give Get-CsSite");
    } else if (std::ranges::all_of(sites, [](const Site& site) { return site.xmpp_route.empty(); }) &&
               !inventory_.partners.empty()) {
      estate_.find("F1", Severity::fails, sites.front().place,
                   "there are XMPP partners, and no site has a route for XMPP federation: no edge serves them",
                   "enable XMPP federation (port 5269) on the edge pool, Set-CsSite <site> -XmppFederationRoute "
                   "\"EdgeServer:<pool>\", publish, and run the setup on edge and front end again");
    }
  }

  /// Users of the old servers, while the new side is set up already.
  void legacy() {
    const auto is_legacy = [](const UserClass& one) { return one.enabled && one.legacy; };
    const auto first = std::ranges::find_if(estate_.classes, is_legacy);
    if (first == estate_.classes.end()) return;
    const auto count = estate_.users(is_legacy);
    const auto moved = estate_.users([](const UserClass& one) { return one.enabled && !one.legacy; });
    const bool routed =
        std::ranges::any_of(inventory_.sites, [](const Site& site) { return !site.xmpp_route.empty(); });
    if (routed) {
      estate_.find("F17", Severity::fails, first->first,
                   fmt::format("{} on a legacy pool, and XMPP is routed by the new edge: they lose XMPP until they are "
                               "moved",
                               counted(count, "user") + (count == 1 ? " is" : " are")),
                   "move all users before the route is set: Move-CsUser or Move-CsLegacyUser");
    }
    if (moved > 0 && !inventory_.partners.empty() && !routed) {
      estate_.find("F18", Severity::risks, inventory_.partners.front().place,
                   fmt::format("{} on a legacy pool, and partners are configured already: the {} that {} moved lost "
                               "the way by the legacy gateway to them",
                               counted(count, "user") + (count == 1 ? " is" : " are"), counted(moved, "user"),
                               moved == 1 ? "was" : "were"),
                   "add partners when everybody is moved: until then Remove-CsXmppAllowedPartner");
    }
  }

  void branches() {
    std::map<std::string, std::pair<std::size_t, const UserClass*>> by_pool;
    for (const auto& one : estate_.classes) {
      if (!one.branch || !one.enabled || !one.may_use_xmpp.value_or(true)) continue;
      auto& [count, first] = by_pool[one.pool];
      count += one.count;
      if (first == nullptr) first = &one;
    }
    for (const auto& [pool, count_and_first] : by_pool) {
      const auto& [count, first] = count_and_first;
      estate_.find("F21", Severity::fails, first->first,
                   fmt::format("{} on the survivable branch {} may use XMPP by their policy, and XMPP is not supported "
                               "there at all",
                               counted(count, "user"), pool),
                   "move them to a pool of a central site, or tell them: Move-CsUser");
    }
  }

  Estate& estate_;
  const Inventory& inventory_;
};

}  // namespace

void judge_partners(Estate& estate) { Partners(estate).judge(); }
void judge_users(Estate& estate) { Users(estate).judge(); }

}  // namespace cutover::harness::exports
