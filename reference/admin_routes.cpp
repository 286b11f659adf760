// What each path and method of the admin interface does.
#include "reference/admin.h"
#include "reference/rules.h"
#include "reference/settings_json.h"

#include "protocol/interworking/mapping/address.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace cutover::reference {

namespace json = boost::json;

namespace {

AdminAnswer failure(int status, std::string_view text) { return {status, error_json(text)}; }

AdminAnswer health(const AdminSubject& subject) {
  json::object out{{"box", subject.name}};
  for (const auto& [name, value] : subject.health())
    std::visit([&, &key = name](auto told) { out[key] = told; }, value);
  return {200, json::serialize(out)};
}

AdminAnswer streams(const AdminSubject& subject) {
  json::array out;
  for (const auto& stream : subject.streams()) {
    json::array pairs;
    for (const auto& [sender, target] : stream.authorised_pairs) pairs.emplace_back(json::array{sender, target});
    const char* methods[] = {"none", "SASL EXTERNAL", "dialback"};
    out.emplace_back(json::object{{"initiated_by_us", stream.initiated_by_us},
                                  {"local", stream.local_domain},
                                  {"remote", stream.remote_domain},
                                  {"id", stream.stream_id},
                                  {"tls", stream.tls_version},
                                  {"method", methods[static_cast<int>(stream.method)]},
                                  {"state", stream.state},
                                  {"pairs", std::move(pairs)}});
  }
  return {200, json::serialize(json::object{{"streams", std::move(out)}})};
}

/// By the names of the product's performance counters (domain facts 4.6).
AdminAnswer counters(const AdminSubject& subject) {
  json::object out;
  if (subject.counters) {
    for (const auto& [name, value] : subject.counters()) out[name] = value;
  }
  return {200, json::serialize(out)};
}

AdminAnswer log_of(const AdminSubject& subject) {
  json::array out;
  if (subject.log != nullptr) {
    for (const auto& message : subject.log->messages()) {
      json::object entry{
          {"at_ms", std::chrono::duration_cast<std::chrono::milliseconds>(message.at.time_since_epoch()).count()},
          {"from", message.from},
          {"to", message.to},
          {"id", message.id},
          {"type", message.type},
          {"octets", message.octets}};
      if (message.body) entry["body"] = *message.body;
      out.emplace_back(std::move(entry));
    }
  }
  return {200, json::serialize(json::object{{"messages", std::move(out)}})};
}

AdminAnswer routes(const Settings& settings) {
  json::array out;
  for (const auto& [name, partner] : settings.partners) {
    std::vector<std::string> domains = partner.additional_domains;
    domains.insert(domains.begin(), partner.domain);
    for (const auto& domain : domains) {
      out.emplace_back(
          json::object{{"domain", domain},
                       {"partner", partner.domain},
                       {"way", partner.proxy_fqdn.empty() ? "SRV _xmpp-server._tcp." + domain : partner.proxy_fqdn}});
    }
  }
  return {200,
          json::serialize(json::object{{"site_route", settings.site_federation_route}, {"routes", std::move(out)}})};
}

/// Applies what validates; warnings go back with the answer.
AdminAnswer store(const AdminSubject& subject, Settings settings, int status) {
  const auto problems = validate(settings);
  json::array errors, warnings;
  for (const auto& problem : problems) {
    const auto rule = problem.error ? Rule::invalid_row_is_refused : Rule::doubtful_row_is_warned_of;
    if (subject.departures.holds(rule)) (problem.error ? errors : warnings).emplace_back(problem.text);
  }
  if (!errors.empty()) {
    return {400, json::serialize(json::object{{"error", "the settings do not hold together"}, {"problems", errors}})};
  }
  subject.apply(std::move(settings));
  return {status, json::serialize(json::object{{"applied", true}, {"warnings", warnings}})};
}

AdminAnswer change_partner(const AdminSubject& subject, std::string_view method, const std::string& domain,
                           std::string_view body) {
  Settings settings = subject.settings();
  const auto found = settings.partners.find(domain);
  const bool exists = found != settings.partners.end();
  if (method == "GET") return exists ? AdminAnswer{200, partner_json(found->second)} : failure(404, "no such partner");
  if (method == "DELETE") {
    if (!exists) return failure(404, "no such partner");
    settings.partners.erase(found);
    return store(subject, std::move(settings), 200);
  }
  if (method != "PUT") return failure(405, "GET, PUT or DELETE");
  AllowedPartner base = exists ? found->second : AllowedPartner{};
  base.domain = domain;
  AllowedPartner partner = partner_from_json(body, std::move(base));
  if (partner.domain != domain) return failure(400, "Domain differs from the path");
  settings.partners[domain] = std::move(partner);
  return store(subject, std::move(settings), exists ? 200 : 201);
}

/// All of them, or none.
AdminAnswer add_partners(const AdminSubject& subject, std::string_view body) {
  Settings settings = subject.settings();
  for (auto& partner : partners_from_export(body)) {
    if (partner.domain.empty()) return failure(400, "Domain is missing");
    const std::string domain = partner.domain;
    if (!settings.partners.emplace(domain, std::move(partner)).second)
      return failure(409, "the partner " + domain + " exists");
  }
  return store(subject, std::move(settings), 201);
}

template <class Map>
bool set_or_erase(Map& map, std::string_view method, const std::string& name, typename Map::mapped_type value) {
  if (method == "DELETE") return map.erase(name) == 1;
  map[name] = std::move(value);
  return true;
}

AdminAnswer change_policy(const AdminSubject& subject, std::string_view method, const std::string& name,
                          std::string_view body) {
  if (method != "PUT" && method != "DELETE") return failure(405, "PUT or DELETE");
  const bool erase = method == "DELETE";
  Settings settings = subject.settings();
  AccessPolicies& policies = settings.policies;
  bool found = true;
  if (name == "global") {
    // It cannot be deleted, only reset to all off.
    const bool kept = erase && !subject.departures.holds(Rule::deleted_global_policy_is_reset);
    if (!kept) policies.global = erase ? AccessPolicy{} : policy_from_json(body);
  } else if (name.starts_with("site:")) {
    found = set_or_erase(policies.sites, method, name.substr(5), erase ? AccessPolicy{} : policy_from_json(body));
  } else if (name.starts_with("user:")) {
    found = set_or_erase(policies.user_scoped, method, name.substr(5), erase ? AccessPolicy{} : policy_from_json(body));
  } else if (name.starts_with("grant:")) {
    found = set_or_erase(policies.grants, method, name.substr(6), erase ? std::string() : grant_from_json(body));
  } else {
    return failure(404, "global, site:{name}, user:{name} or grant:{user}");
  }
  return found ? store(subject, std::move(settings), 200) : failure(404, "no such policy");
}

AdminAnswer read_only(const AdminSubject& subject, std::string_view method, std::string_view path) {
  if (method != "GET") return failure(405, "GET only");
  if (path == "/health") return health(subject);
  if (path == "/streams") return streams(subject);
  if (path == "/routes") return routes(subject.settings());
  if (path == "/counters") return counters(subject);
  if (path == "/log") return log_of(subject);
  return {200, policies_json(subject.settings())};
}

AdminAnswer route(const AdminSubject& subject, std::string_view method, std::string_view path, std::string_view body) {
  constexpr std::string_view partners = "/partners/", policies = "/policies/";
  constexpr std::array<std::string_view, 6> read{"/health", "/streams", "/routes", "/policies", "/counters", "/log"};
  if (std::ranges::find(read, path) != read.end()) {
    return read_only(subject, method, path);
  }
  if (path == "/settings") {
    if (method == "GET") return {200, settings_json(subject.settings())};
    if (method != "PUT") return failure(405, "GET or PUT");
    return store(subject, settings_from_json(body, subject.settings()), 200);
  }
  if (path == "/partners") {
    if (method == "GET") return {200, partners_json(subject.settings())};
    return method == "POST" ? add_partners(subject, body) : failure(405, "GET or POST");
  }
  if (path.starts_with(partners))
    return change_partner(subject, method, std::string(path.substr(partners.size())), body);
  if (path.starts_with(policies))
    return change_policy(subject, method, std::string(path.substr(policies.size())), body);
  return failure(404,
                 "no such resource; expected /health, /settings, /partners, /policies, /streams, "
                 "/routes, /counters or /log");
}

}  // namespace

AdminAnswer answer(const AdminSubject& subject, std::string_view method, std::string_view target,
                   std::string_view body) {
  const auto path = interworking::percent_decode(target.substr(0, target.find('?')));
  if (!path) return failure(400, "bad percent escape in the path");
  try {
    return route(subject, method, *path, body);
  } catch (const SettingsError& error) {
    return failure(400, error.what());
  }
}

}  // namespace cutover::reference
