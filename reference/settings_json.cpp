// One table of fields a document, read and written by the same names.
#include "reference/settings_json.h"

#include "reference/exports/read.h"
#include "reference/exports/records.h"

#include <boost/json.hpp>

#include <utility>

namespace cutover::reference {

namespace json = boost::json;

namespace {

/// All that is wrong, in one sentence.
void throw_any(const exports::Problems& problems) {
  std::string text;
  for (const auto& problem : problems.all) {
    if (!text.empty()) text += "; ";
    text += problem.what;
    if (!problem.remedy.empty()) text += " (" + problem.remedy + ")";
  }
  if (!text.empty()) throw SettingsError(text);
}

/// The one object, or all of a list, in any form that the product exports; throws where something is wrong with it.
std::vector<exports::Value> objects_in(std::string_view text) {
  std::vector<exports::Value> objects;
  exports::Problems problems;
  exports::read_export(
      text, [&](exports::Value&& object) { objects.push_back(std::move(object)); }, problems);
  throw_any(problems);
  return objects;
}

exports::Value object_in(std::string_view text) {
  auto objects = objects_in(text);
  if (objects.size() != 1) throw SettingsError("one object was expected");
  return std::move(objects.front());
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

bool set(Settings& settings, const exports::Property& property, exports::Problems& problems) {
  const auto is = [&](std::string_view name) { return exports::same_name(property.name, name); };
  if (is("AllowFederatedUsers")) {
    exports::set_flag(settings.allow_federated_users, property, problems);
  } else if (is("EnableXmppFederation")) {
    exports::set_flag(settings.enable_xmpp_federation, property, problems);
  } else if (is("XmppFederationRoute")) {
    exports::set_flag(settings.site_federation_route, property, problems);
  } else {
    return exports::set(settings.gateway, property, problems);
  }
  return true;
}

/// Every property of an object has a place in the record.
template <class Record>
void set_all(Record& record, const exports::Value& object) {
  exports::Problems problems;
  for (const auto& property : object.properties) {
    if (!set(record, property, problems)) throw SettingsError("unknown field " + property.name);
    if (property.value.kind == exports::Value::Kind::null)
      throw SettingsError(property.name + ": a value was expected");
  }
  throw_any(problems);
}

AllowedPartner partner_in(const exports::Value& object, AllowedPartner base) {
  exports::Problems problems;
  auto partner = exports::partner_of(object, std::move(base), problems);
  throw_any(problems);
  return partner;
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
  return partner_in(object_in(text), std::move(base));
}

std::vector<AllowedPartner> partners_from_export(std::string_view text) {
  std::vector<AllowedPartner> partners;
  for (const auto& each : objects_in(text)) partners.push_back(partner_in(each, {}));
  return partners;
}

AccessPolicy policy_from_json(std::string_view text) {
  AccessPolicy policy;
  set_all(policy, object_in(text));
  return policy;
}

Settings settings_from_json(std::string_view text, Settings base) {
  set_all(base, object_in(text));
  return base;
}

std::string grant_from_json(std::string_view text) {
  const auto object = object_in(text);
  const auto* policy = object.find("Policy");
  if (policy == nullptr || object.properties.size() != 1) throw SettingsError("{\"Policy\": \"name\"} was expected");
  const auto name = exports::text_of(*policy);
  if (!name) throw SettingsError("Policy: a string was expected");
  return *name;
}

std::string error_json(std::string_view text) {
  return json::serialize(json::object{{"error", json::string_view(text.data(), text.size())}});
}

}  // namespace cutover::reference
