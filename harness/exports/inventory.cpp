// Files by their content, and what the records say together.
#include "harness/exports/inventory.h"

#include "harness/exports/records.h"
#include "harness/files/text_file.h"
#include "protocol/xmpp/jid.h"
#include "reference/exports/read.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace cutover::harness::exports {

namespace {

constexpr std::string_view blanks = " \t\r\n";

void read_text(Inventory& inventory, std::string_view text, const std::string& file) {
  if (text.find_first_not_of(blanks) == std::string_view::npos) {
    inventory.problems.push_back(
        {{file, 0}, "is empty: what it would list is not known", "leave it out where the product has none", false});
  } else if (is_zone(text)) {
    read_zone_file(inventory, text, file);
  } else if (is_topology(text)) {
    read_topology(inventory, text, file);
  } else if (const auto form = reference::exports::form_of(text)) {
    ObjectReader objects(inventory, file);
    read_form(
        *form, text, [&](reference::exports::Value&& object) { objects.read(std::move(object)); }, objects.problems());
    objects.finish(name_of(*form));
  } else {
    inventory.problems.push_back(
        {{file, 0},
         "is nothing that is known: no export of the product, no zone, no certificate",
         "export with ConvertTo-Json, Export-Clixml or Export-Csv, not with Format-List or Out-File alone"});
  }
}

/// Tells each record that was given before, where `key` names what it is about.
template <class Record, class Key, class Words>
void tell_repeated(Inventory& inventory, std::vector<Record>& records, Key key, Words words) {
  std::map<std::string, const Place*> first;
  std::vector<Problem> problems;
  std::vector<Record> kept;
  for (const auto& record : records) {
    const auto [found, is_new] = first.emplace(key(record), &record.place);
    if (!is_new)
      problems.push_back({record.place, words(record) + " is given twice; the first is in " + to_string(*found->second),
                          "give one export of each"});
  }
  std::set<std::string> seen;
  for (auto& record : records) {
    if (seen.insert(key(record)).second) kept.push_back(std::move(record));
  }
  records = std::move(kept);
  tell(inventory, std::move(problems));
}

std::string domain_of(const User& user) {
  return lower(std::string_view(user.address).substr(user.address.find('@') + 1));
}

/// What is asked of many users, by name.
struct Index {
  explicit Index(const Inventory& inventory) {
    for (const auto& site : inventory.sites) {
      if (site.branch) branches.insert(lower(site.name));
      for (const auto& pool : site.pools) sites[pool] = site.name;
    }
    for (const auto& pool : inventory.pools) {
      if (!pool.site.empty()) sites.emplace(pool.fqdn, pool.site);
    }
    for (const auto& policy : inventory.policies) {
      auto& scope = policy.scope == Policy::Scope::user   ? by_name
                    : policy.scope == Policy::Scope::site ? by_site
                                                          : global;
      scope[lower(policy.name)] = &policy;
    }
  }
  std::map<std::string, std::string> sites;  ///< by pool
  std::set<std::string> branches;
  std::map<std::string, const Policy*> by_name, by_site, global;
};

struct Holding {
  std::string scope;
  std::optional<bool> allows;
};

/// User before site before global. What was granted and is not among the exports is not known.
Holding holding(const Index& index, const User& user, const std::string& site) {
  const auto allows = [](const Policy* policy) { return std::optional(policy->settings.allows_xmpp()); };
  if (!user.policy.empty()) {
    const auto found = index.by_name.find(lower(user.policy));
    return {"user:" + user.policy, found == index.by_name.end() ? std::nullopt : allows(found->second)};
  }
  if (const auto found = index.by_site.find(lower(site)); !site.empty() && found != index.by_site.end())
    return {"site:" + site, allows(found->second)};
  const auto global = index.global.find("");
  return {"global", global == index.global.end() ? std::nullopt : allows(global->second)};
}

}  // namespace

std::string words_of(const Policy& policy) {
  switch (policy.scope) {
    case Policy::Scope::site:
      return "the policy of the site " + policy.name;
    case Policy::Scope::user:
      return "the policy " + policy.name;
    case Policy::Scope::global:
      break;
  }
  return "the global policy";
}

std::string to_string(const FileRead& file) {
  std::string counts;
  for (const auto& [what, count] : file.counts)
    counts += fmt::format("{}{}: {}", counts.empty() ? "" : ", ", what, count);
  return fmt::format("{}: {} ({})", file.file, file.form, counts.empty() ? "nothing that is needed" : counts);
}

void tell(Inventory& inventory, std::vector<Problem> problems) {
  constexpr std::size_t alike_max = 5, all_max = 1000;
  std::map<std::string, std::size_t> counts;
  std::size_t told = 0;
  for (auto& problem : problems) {
    if (++counts[problem.what] > alike_max || ++told > all_max) continue;
    inventory.problems.push_back(problem);
  }
  for (const auto& problem : problems) {
    auto& count = counts[problem.what];
    if (count <= alike_max) continue;
    inventory.problems.push_back(
        {{problem.place.file, 0}, fmt::format("{} more of: {}", count - alike_max, problem.what), {}, problem.error});
    count = 0;
  }
  if (told > all_max) {
    inventory.problems.push_back(
        {{problems.front().place.file, 0}, fmt::format("{} more problems", told - all_max), {}});
  }
}

void InventoryReader::add(std::string_view octets, const std::string& file) {
  if (tls::is_certificate_file(octets)) return read_certificates(inventory_, octets, file);
  auto text = reference::exports::to_utf8(octets, file);
  if (auto* problem = std::get_if<Problem>(&text)) {
    inventory_.problems.push_back(std::move(*problem));
  } else {
    read_text(inventory_, std::get<std::string>(text), file);
  }
}

void InventoryReader::add_file(const std::string& path) {
  try {
    add(read_text_file(path, export_max_octets), path);
  } catch (const FileError& error) {
    inventory_.problems.push_back({{path, 0}, error.what(), {}});
  }
}

Inventory InventoryReader::take() {
  auto& all = inventory_;
  tell_repeated(
      all, all.partners, [](const Partner& each) { return xmpp::canonical_domain(each.settings.domain); },
      [](const Partner& each) { return "the partner " + each.settings.domain; });
  tell_repeated(
      all, all.users, [](const User& each) { return xmpp::canonical_bare(each.address); },
      [](const User&) { return std::string("a user"); });
  tell_repeated(
      all, all.policies,
      [](const Policy& each) { return std::to_string(static_cast<int>(each.scope)) + lower(each.name); }, words_of);
  tell_repeated(
      all, all.sites, [](const Site& each) { return lower(each.name); },
      [](const Site& each) { return "the site " + each.name; });
  tell_repeated(
      all, all.zones, [](const Zone& each) { return each.origin; },
      [](const Zone& each) { return "the zone " + each.origin; });
  return std::move(inventory_);
}

Inventory read_inventory(const std::vector<std::string>& paths) {
  InventoryReader reader;
  for (const auto& path : paths) reader.add_file(path);
  return reader.take();
}

std::vector<UserClass> classes_of(const Inventory& inventory, const std::vector<std::string>& legacy_pools) {
  const Index index(inventory);
  std::set<std::string> legacy;
  for (const auto& pool : legacy_pools) legacy.insert(lower(pool));
  std::map<std::tuple<std::string, std::string, bool, bool, std::string>, UserClass> classes;
  for (const auto& user : inventory.users) {
    const auto site = index.sites.find(user.pool);
    const auto site_name = site == index.sites.end() ? std::string() : site->second;
    const auto policy = holding(index, user, site_name);
    const bool is_legacy = (user.pool.empty() && !user.home_server.empty()) || legacy.contains(user.pool);
    auto& one = classes[{domain_of(user), user.pool, user.enabled, is_legacy, policy.scope}];
    if (one.count++ > 0) continue;
    one.sip_domain = domain_of(user);
    one.pool = user.pool;
    one.site = site_name;
    one.enabled = user.enabled;
    one.branch = index.branches.contains(lower(site_name));
    one.legacy = is_legacy;
    one.policy = policy.scope;
    one.may_use_xmpp = policy.allows;
    one.first = user.place;
  }
  std::vector<UserClass> out;
  out.reserve(classes.size());
  for (auto& [key, one] : classes) out.push_back(std::move(one));
  return out;
}

std::vector<SipDomain> sip_domains_of(const Inventory& inventory) {
  std::map<std::string, Place> domains;
  for (const auto& domain : inventory.sip_domains) domains.emplace(lower(domain.name), domain.place);
  if (domains.empty()) {
    for (const auto& user : inventory.users) domains.emplace(domain_of(user), user.place);
  }
  std::vector<SipDomain> out;
  out.reserve(domains.size());
  for (auto& [name, place] : domains) out.push_back({name, place});
  return out;
}

reference::Settings settings_of(const Inventory& inventory) {
  const Index index(inventory);
  reference::Settings settings;
  for (const auto& partner : inventory.partners) settings.partners[partner.settings.domain] = partner.settings;
  if (inventory.gateway) settings.gateway = inventory.gateway->settings;
  for (const auto& policy : inventory.policies) {
    if (policy.scope == Policy::Scope::global) settings.policies.global = policy.settings;
    if (policy.scope == Policy::Scope::site) settings.policies.sites[policy.name] = policy.settings;
    if (policy.scope == Policy::Scope::user) settings.policies.user_scoped[policy.name] = policy.settings;
  }
  for (const auto& user : inventory.users) {
    if (const auto site = index.sites.find(user.pool); site != index.sites.end())
      settings.policies.homes[user.address] = site->second;
    if (user.policy.empty()) continue;
    const auto granted = index.by_name.find(lower(user.policy));
    settings.policies.grants[user.address] = granted == index.by_name.end() ? user.policy : granted->second->name;
  }
  if (inventory.access_edge) settings.allow_federated_users = inventory.access_edge->allow_federated_users;
  settings.site_federation_route =
      std::ranges::any_of(inventory.sites, [](const Site& site) { return !site.xmpp_route.empty(); });
  return settings;
}

}  // namespace cutover::harness::exports
