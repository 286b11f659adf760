// One table of fields a document, read and written by the same names.
#include "reference/settings_json.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <limits>

namespace cutover::reference {

namespace json = boost::json;

namespace {

constexpr std::size_t depth_max = 8;

json::value parse_value(std::string_view text) {
  constexpr std::string_view utf8_mark = "\xEF\xBB\xBF", utf16_mark = "\xFF\xFE";
  if (text.starts_with(utf16_mark)) throw SettingsError("UTF-8 was expected, not UTF-16: Out-File -Encoding utf8");
  if (text.starts_with(utf8_mark)) text.remove_prefix(utf8_mark.size());
  if (text.starts_with('<') || text.starts_with('#'))
    throw SettingsError("JSON was expected: ConvertTo-Json, not Export-Clixml or Export-Csv");
  json::error_code error;
  json::parse_options options;
  options.max_depth = depth_max;
  auto value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) throw SettingsError("not JSON: " + error.message());
  return value;
}

const json::object& object_of(const json::value& value) {
  if (!value.is_object()) throw SettingsError("a JSON object was expected");
  return value.get_object();
}

json::object parse_object(std::string_view text) { return object_of(parse_value(text)); }

std::string name_text(json::string_view name) { return {name.data(), name.size()}; }

std::string text_of(const std::string& name, const json::value& value) {
  if (!value.is_string()) throw SettingsError(name + ": a string was expected");
  return json::value_to<std::string>(value);
}
bool flag_of(const std::string& name, const json::value& value) {
  if (!value.is_bool()) throw SettingsError(name + ": true or false was expected");
  return value.get_bool();
}
std::uint32_t number_of(const std::string& name, const json::value& value) {
  json::error_code error;
  const auto number = value.to_number<std::uint32_t>(error);
  if (error || !value.is_number()) throw SettingsError(name + ": a whole number from 0 was expected");
  return number;
}
Duration seconds_in(const std::string& name, const json::value& value) {
  return std::chrono::seconds(number_of(name, value));
}
json::value seconds(Duration duration) { return std::chrono::duration_cast<std::chrono::seconds>(duration).count(); }

json::object to_json(const AllowedPartner& partner) {
  json::object out{{"Domain", partner.domain},
                   {"Description", partner.description},
                   {"EnableKeepAlive", partner.enable_keep_alive},
                   {"PartnerType", name_of(partner.partner_type)},
                   {"ProxyFqdn", partner.proxy_fqdn},
                   {"SaslNegotiation", name_of(partner.sasl_negotiation)},
                   {"TlsNegotiation", name_of(partner.tls_negotiation)},
                   {"SupportDialbackNegotiation", partner.support_dialback_negotiation}};
  json::array additional;
  for (const auto& domain : partner.additional_domains) additional.emplace_back(domain);
  out["AdditionalDomains"] = std::move(additional);
  if (partner.connection_limit) out["ConnectionLimit"] = *partner.connection_limit;
  return out;
}

json::object to_json(const AccessPolicy& policy) {
  return {{"EnableFederationAccess", policy.enable_federation_access}, {"EnableXmppAccess", policy.enable_xmpp_access}};
}

json::object to_json(const AccessPolicies& policies) {
  json::object sites, users, grants, homes;
  for (const auto& [name, policy] : policies.sites) sites[name] = to_json(policy);
  for (const auto& [name, policy] : policies.user_scoped) users[name] = to_json(policy);
  for (const auto& [user, policy] : policies.grants) grants[user] = policy;
  for (const auto& [user, site] : policies.homes) homes[user] = site;
  return {
      {"Global", to_json(policies.global)}, {"Sites", sites}, {"Users", users}, {"Grants", grants}, {"Homes", homes}};
}

json::object to_json(const GatewayConfiguration& gateway) {
  return {{"ConnectionLimit", gateway.connection_limit},
          {"PartnerConnectionLimit", gateway.partner_connection_limit},
          {"DialbackPassphraseSet", !gateway.dialback_passphrase.empty()},
          {"EnableLoggingAllMessageBodies", gateway.enable_logging_all_message_bodies},
          {"KeepAliveInterval", seconds(gateway.keep_alive_interval)},
          {"StreamEstablishmentTimeout", seconds(gateway.stream_establishment_timeout)},
          {"StreamInactivityTimeout", seconds(gateway.stream_inactivity_timeout)},
          {"SubscriptionRefreshInterval", seconds(gateway.subscription_refresh_interval)}};
}

Negotiation negotiation_in(const std::string& name, const json::value& value) {
  const auto known = value.is_number() ? negotiation_of(number_of(name, value))
                                       : negotiation_of(std::string_view(text_of(name, value)));
  if (!known) throw SettingsError(name + ": Required, Optional or NotSupported was expected");
  return *known;
}

std::vector<std::string> domains_in(const std::string& name, const json::value& value) {
  if (value.is_string()) return {text_of(name, value)};
  if (!value.is_array()) throw SettingsError(name + ": an array of domains was expected");
  std::vector<std::string> domains;
  for (const auto& domain : value.get_array()) domains.push_back(text_of(name, domain));
  return domains;
}

/// What PowerShell adds to every object that comes from elsewhere.
bool is_of_the_shell(std::string_view name) {
  return name == "PSComputerName" || name == "PSShowComputerName" || name == "RunspaceId";
}

void set_field(AllowedPartner& partner, const std::string& name, const json::value& value) {
  if (is_of_the_shell(name)) return;
  if (name == "ConnectionLimit") {
    partner.connection_limit = value.is_null() ? std::nullopt : std::optional(number_of(name, value));
  } else if (name == "AdditionalDomains") {
    partner.additional_domains = value.is_null() ? std::vector<std::string>() : domains_in(name, value);
  } else if (name == "Description" || name == "ProxyFqdn") {
    auto text = value.is_null() ? std::string() : text_of(name, value);
    (name == "ProxyFqdn" ? partner.proxy_fqdn : partner.description) = std::move(text);
  } else if (value.is_null()) {
    throw SettingsError(name + ": a value was expected");
  } else if (name == "Domain" || name == "Identity") {
    partner.domain = text_of(name, value);
  } else if (name == "EnableKeepAlive") {
    partner.enable_keep_alive = flag_of(name, value);
  } else if (name == "PartnerType") {
    const auto type = value.is_number() ? partner_type_of(number_of(name, value))
                                        : partner_type_of(std::string_view(text_of(name, value)));
    if (!type) throw SettingsError(name + ": Federated, PublicVerified or PublicUnverified was expected");
    partner.partner_type = *type;
  } else if (name == "SaslNegotiation") {
    partner.sasl_negotiation = negotiation_in(name, value);
  } else if (name == "TlsNegotiation") {
    partner.tls_negotiation = negotiation_in(name, value);
  } else if (name == "SupportDialbackNegotiation") {
    partner.support_dialback_negotiation = flag_of(name, value);
  } else {
    throw SettingsError("unknown field " + name);
  }
}

void set_field(Settings& settings, const std::string& name, const json::value& value) {
  GatewayConfiguration& gateway = settings.gateway;
  if (name == "AllowFederatedUsers") {
    settings.allow_federated_users = flag_of(name, value);
  } else if (name == "EnableXmppFederation") {
    settings.enable_xmpp_federation = flag_of(name, value);
  } else if (name == "XmppFederationRoute") {
    settings.site_federation_route = flag_of(name, value);
  } else if (name == "ConnectionLimit") {
    gateway.connection_limit = number_of(name, value);
  } else if (name == "PartnerConnectionLimit") {
    gateway.partner_connection_limit = number_of(name, value);
  } else if (name == "DialbackPassphrase") {
    gateway.dialback_passphrase = text_of(name, value);
  } else if (name == "EnableLoggingAllMessageBodies") {
    gateway.enable_logging_all_message_bodies = flag_of(name, value);
  } else if (name == "KeepAliveInterval") {
    gateway.keep_alive_interval = seconds_in(name, value);
  } else if (name == "StreamEstablishmentTimeout") {
    gateway.stream_establishment_timeout = seconds_in(name, value);
  } else if (name == "StreamInactivityTimeout") {
    gateway.stream_inactivity_timeout = seconds_in(name, value);
  } else if (name == "SubscriptionRefreshInterval") {
    gateway.subscription_refresh_interval = seconds_in(name, value);
  } else {
    throw SettingsError("unknown field " + name);
  }
}

AllowedPartner partner_of(const json::object& object, AllowedPartner base) {
  const auto *domain = object.if_contains("Domain"), *identity = object.if_contains("Identity");
  if (domain != nullptr && identity != nullptr && *domain != *identity)
    throw SettingsError("Domain and Identity: the same domain was expected");
  for (const auto& field : object) set_field(base, name_text(field.key()), field.value());
  return base;
}

}  // namespace

std::string settings_json(const Settings& settings) {
  return json::serialize(json::object{{"AllowFederatedUsers", settings.allow_federated_users},
                                      {"EnableXmppFederation", settings.enable_xmpp_federation},
                                      {"XmppFederationRoute", settings.site_federation_route},
                                      {"XmppGatewayConfiguration", to_json(settings.gateway)}});
}

std::string partners_json(const Settings& settings) {
  json::array out;
  for (const auto& [name, partner] : settings.partners) out.emplace_back(to_json(partner));
  return json::serialize(json::object{{"partners", std::move(out)}});
}

std::string partner_json(const AllowedPartner& partner) { return json::serialize(to_json(partner)); }
std::string policies_json(const Settings& settings) { return json::serialize(to_json(settings.policies)); }

AllowedPartner partner_from_json(std::string_view text, AllowedPartner base) {
  return partner_of(parse_object(text), std::move(base));
}

std::vector<AllowedPartner> partners_from_json(std::string_view text) {
  const auto value = parse_value(text);
  if (!value.is_array()) return {partner_of(object_of(value), {})};
  std::vector<AllowedPartner> partners;
  for (const auto& each : value.get_array()) partners.push_back(partner_of(object_of(each), {}));
  return partners;
}

AccessPolicy policy_from_json(std::string_view text) {
  AccessPolicy policy;
  for (const auto& field : parse_object(text)) {
    const std::string name = name_text(field.key());
    if (name == "EnableFederationAccess") {
      policy.enable_federation_access = flag_of(name, field.value());
    } else if (name == "EnableXmppAccess") {
      policy.enable_xmpp_access = flag_of(name, field.value());
    } else {
      throw SettingsError("unknown field " + name);
    }
  }
  return policy;
}

Settings settings_from_json(std::string_view text, Settings base) {
  for (const auto& field : parse_object(text)) set_field(base, name_text(field.key()), field.value());
  return base;
}

std::string grant_from_json(std::string_view text) {
  const json::object object = parse_object(text);
  const json::value* policy = object.if_contains("Policy");
  if (policy == nullptr || object.size() != 1) throw SettingsError("{\"Policy\": \"name\"} was expected");
  return text_of("Policy", *policy);
}

std::string error_json(std::string_view text) {
  return json::serialize(json::object{{"error", json::string_view(text.data(), text.size())}});
}

}  // namespace cutover::reference
