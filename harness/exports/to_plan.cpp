// Key by key in the order of a plan. It is text and no tree, for the comments are half of it.
#include "harness/exports/to_plan.h"

#include "harness/exports/estate.h"
#include "harness/exports/records.h"
#include "harness/migration/plan_file.h"
#include "protocol/dns/zone.h"
#include "protocol/xmpp/jid.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace cutover::harness::exports {

namespace {

using reference::Negotiation;

/// A scalar that stays what it is whatever it holds; also one line in a comment.
std::string scalar(std::string_view text) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view others = "0123456789.-_";
  const bool plain = !text.empty() && letters.find(text.front()) != std::string_view::npos &&
                     text.find_first_not_of(std::string(letters) + std::string(others)) == std::string_view::npos;
  static const std::set<std::string, std::less<>> words{"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  if (plain && !words.contains(lower(text))) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (octet < 0x20 || octet == 0x7f)
      out += fmt::format("\\x{:02x}", octet);
    else
      out += c;
  }
  return out + '"';
}

std::string list_of(const std::vector<std::string>& texts) {
  std::vector<std::string> words;
  for (const auto& text : texts) words.push_back(scalar(text));
  return fmt::format("[{}]", fmt::join(words, ", "));
}

/// A flow mapping, from the keys that were given a value.
class Map {
 public:
  Map& word(std::string_view key, std::string_view value) {
    if (!value.empty()) parts_.push_back(fmt::format("{}: {}", key, scalar(value)));
    return *this;
  }
  Map& words(std::string_view key, const std::vector<std::string>& values) {
    if (!values.empty()) parts_.push_back(fmt::format("{}: {}", key, list_of(values)));
    return *this;
  }
  template <class Number>
  Map& number(std::string_view key, Number value) {
    parts_.push_back(fmt::format("{}: {}", key, value));
    return *this;
  }
  Map& flag(std::string_view key, bool value) { return number(key, value); }
  [[nodiscard]] std::string text() const { return fmt::format("{{{}}}", fmt::join(parts_, ", ")); }

 private:
  std::vector<std::string> parts_;
};

/// Of a name that is made of others: no blank, for operations are told apart by them, and short enough to be read.
std::string part(std::string_view text) {
  constexpr std::size_t octets_max = 60;
  std::string out;
  for (const char c : text.substr(0, octets_max)) out += static_cast<unsigned char>(c) <= 0x20 || c == 0x7f ? '_' : c;
  if (text.size() <= octets_max) return out;
  // Not amid a character.
  auto end = octets_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return out.substr(0, end);
}

std::string first_label(std::string_view name) { return std::string(name.substr(0, name.find('.'))); }

/// "ocspool" of "CN=LC Services,CN=Microsoft,CN=ocspool,CN=Pools,..."; empty where there is none.
std::string pool_of_home_server(std::string_view name) {
  const auto end = lower(name).find(",cn=pools,");
  if (end == std::string::npos) return {};
  const auto begin = name.substr(0, end).rfind(',') + 1;  // from the begin where there is none
  const auto rdn = name.substr(begin, end - begin);
  return lower(rdn.substr(std::min(rdn.find('=') + 1, rdn.size())));
}

class PlanWriter {
 public:
  PlanWriter(const Inventory& inventory, const JudgeOptions& options)
      : inventory_(inventory), options_(options), classes_(classes_of(inventory, options.legacy_pools)) {
    for (const auto& domain : sip_domains_of(inventory)) {
      if (const auto name = ascii(domain.name); xmpp::is_domain(name)) add(domains_, name);
    }
    gather_pools();
    gather_edges();
    gather_partners();
    for (const auto& zone : inventory.zones) {
      for (const auto& record : zone.records) records_[record.record.name].push_back(&record.record);
    }
  }

  std::string write() {
    begin();
    sip_domains();
    pools();
    policies();
    users();
    partners();
    edges();
    certificates();
    configuration();
    gateway();
    legacy();
    records();
    steps();
    return std::move(out_);
  }

 private:
  struct PlanPool {
    bool legacy = false, branch = false;
    std::string remark;
  };
  struct PlanEdge {
    std::string external_fqdn;
    std::vector<std::string> members;
    bool routed = false;
  };
  struct PlanPartner {
    const Partner* row = nullptr;  ///< null: only a route to the legacy gateway tells of it
    std::vector<std::string> further;
    std::vector<std::string> unlisted;  ///< further ones that its row does not have
  };

  static void add(std::vector<std::string>& list, const std::string& name) {
    if (std::ranges::find(list, name) == list.end()) list.push_back(name);
  }

  void line(int depth, const std::string& text, const std::string& remark = {}) {
    out_ += std::string(static_cast<std::size_t>(depth) * 2, ' ') + text;
    if (!remark.empty()) out_ += (text.empty() ? "# " : " # ") + remark;
    out_ += '\n';
  }
  void absent(int depth, const std::string& what) { line(depth, "", "not in the exports: " + what); }
  /// An entry of a block mapping; a long key cannot stand before its colon on one line (YAML 1.2 section 7.4.2).
  void entry(int depth, std::string_view key, const std::string& value, const std::string& remark = {}) {
    constexpr std::size_t simple_key_max = 900;
    const auto name = scalar(key);
    if (name.size() <= simple_key_max) return line(depth, name + ": " + value, remark);
    line(depth, "? " + name);
    line(depth, ": " + value, remark);
  }

  void gather_pools() {
    for (const auto& user : inventory_.users) {
      if (!user.pool.empty()) continue;
      if (const auto name = pool_of_home_server(user.home_server); !name.empty()) old_pools_.insert(name);
    }
    std::set<std::string> of_sites, not_for_users;
    for (const auto& edge : inventory_.edges) not_for_users.insert(edge.pool);
    for (const auto& pool : inventory_.pools) {
      const auto is_registrar = [](const std::string& service) { return lower(service).starts_with("registrar:"); };
      if (std::ranges::any_of(pool.services, is_registrar))
        of_sites.insert(pool.fqdn);
      else
        not_for_users.insert(pool.fqdn);
    }
    std::set<std::string> branches;
    for (const auto& site : inventory_.sites) {
      not_for_users.insert(site.xmpp_route);
      for (const auto& pool : site.pools) {
        of_sites.insert(pool);
        if (site.branch) branches.insert(pool);
      }
    }
    for (const auto& name : of_sites) {
      if (name.empty() || not_for_users.contains(name)) continue;
      pools_[name] = {false, branches.contains(name), "no user among the exports is homed on it"};
    }
    for (const auto& one : classes_) pools_[home_of(one)] = {one.legacy, one.branch, home_remark(one)};
    for (const auto& name : options_.legacy_pools) pools_[lower(name)].legacy = true;
  }

  /// Users of the old version have a server of its kind, and no registrar pool.
  [[nodiscard]] std::string home_of(const UserClass& one) const {
    if (!one.pool.empty()) return one.pool;
    if (!one.legacy) return "pool-not-exported";
    return old_pools_.size() == 1 ? *old_pools_.begin() : "legacy-pool";
  }
  [[nodiscard]] std::string home_remark(const UserClass& one) const {
    if (!one.pool.empty()) return {};
    if (!one.legacy) return "not in the exports: the pool of users without RegistrarPool and HomeServer";
    return "by HomeServer; it has no RegistrarPool";
  }

  void gather_edges() {
    for (const auto& edge : inventory_.edges) {
      if (!edge.pool.empty()) edges_[edge.pool].external_fqdn = edge.external_fqdn;
    }
    for (const auto& site : inventory_.sites) {
      if (site.xmpp_route.empty()) continue;
      if (route_.empty()) route_ = site.xmpp_route;
      edges_[site.xmpp_route].routed = true;
    }
    for (const auto& pool : inventory_.pools) {
      if (const auto found = edges_.find(pool.fqdn); found != edges_.end())
        for (const auto& computer : pool.computers) add(found->second.members, lower(computer));
    }
  }

  void gather_partners() {
    for (const auto& partner : inventory_.partners) {
      const auto domain = ascii(partner.settings.domain);
      if (xmpp::is_domain(domain)) partners_[domain].row = &partner;
    }
    for (auto& [domain, partner] : partners_) {
      for (const auto& further : partner.row->settings.additional_domains) claim(partner, ascii(further));
    }
    for (const auto& allowed : inventory_.allowed_domains) {
      if (allowed.proxy_fqdn.empty()) continue;
      const auto domain = ascii(allowed.domain);
      if (!xmpp::is_domain(domain)) continue;
      add(routes_, domain);
      if (partners_.contains(domain) || claimed_.contains(domain)) continue;
      const auto above = std::ranges::find_if(partners_, [&](const auto& each) {
        return each.second.row != nullptr && domain.ends_with("." + each.first);
      });
      if (above == partners_.end()) {
        partners_[domain];
      } else if (claim(above->second, domain)) {
        above->second.unlisted.push_back(domain);
      }
    }
  }

  /// A domain is of one partner, whose primary ones come first.
  bool claim(PlanPartner& partner, const std::string& domain) {
    if (!xmpp::is_domain(domain) || partners_.contains(domain) || !claimed_.insert(domain).second) return false;
    partner.further.push_back(domain);
    return true;
  }

  void begin() {
    line(0, "# A plan of a migration, for `cutover rehearse FILE`, with the estate that these exports tell:");
    for (const auto& file : inventory_.files) line(0, "", "  " + scalar(to_string(file)));
    line(0,
         "# `not in the exports` marks what they do not tell: it has the default, and is yours to change. So has each");
    line(0, "# key that is left out. Steps carry out again what is done already, which changes nothing.");
    line(0, "name: " + scalar("Migration of " + (domains_.empty() ? "our estate" : domains_.front())));
    // What no export tells, and the steps, are those of a plan to begin with.
    const auto model = migration::plan_to_begin_with();
    const auto from = model.find("\nstart:") + 1, to = model.find("estate:\n");
    out_ += model.substr(from, to - from);
    line(0, "estate:");
  }

  void steps() {
    const auto model = migration::plan_to_begin_with();
    out_ += model.substr(model.find("\nsteps:"));
  }

  void sip_domains() {
    if (inventory_.sip_domains.empty()) {
      absent(1, domains_.empty() ? "the SIP domains (Get-CsSipDomain)"
                                 : "the SIP domains (Get-CsSipDomain); these are those of the users");
    }
    std::vector<std::string> strange;
    for (const auto& one : classes_) {
      const auto domain = ascii(one.sip_domain);
      if (xmpp::is_domain(domain) && std::ranges::find(domains_, domain) == domains_.end()) add(strange, domain);
    }
    for (const auto& domain : strange) {
      line(1, "", scalar(domain) + " is the domain of users, and not among the SIP domains that were exported");
      domains_.push_back(domain);
    }
    if (domains_.empty()) domains_.emplace_back("contoso.example");
    line(1, "sip-domains: " + list_of(domains_));
  }

  void pools() {
    if (std::ranges::none_of(pools_, [](const auto& each) { return each.second.legacy; }))
      absent(1,
             "which pools are of the old version; name them with --legacy-pool, and users are to be moved from them");
    line(1, "pools:");
    const auto is_target = [](const auto& each) { return !each.second.legacy && !each.second.branch; };
    if (std::ranges::none_of(pools_, is_target)) {
      absent(2, "a pool of the new version, which step-1 deploys");
      std::string name = "new-pool";
      while (pools_.contains(name)) name += "-2";
      line(2, name + ": {side: new}");
    }
    if (classes_.empty() && pools_.empty()) line(2, "legacy-pool: {side: legacy}");
    for (const auto& [name, pool] : pools_) {
      Map map;
      map.word("side", pool.legacy ? "legacy" : "new");
      if (!pool.legacy) map.flag("deployed", true);
      if (pool.branch) map.flag("branch", true);
      entry(2, name, map.text(), pool.remark);
    }
  }

  void policies() {
    line(1, "policies:");
    const auto flags = [](const Policy& one) {
      return Map()
          .flag("federation", one.settings.enable_federation_access)
          .flag("xmpp", one.settings.enable_xmpp_access)
          .text();
    };
    const auto all_of = [&](Policy::Scope scope) {
      std::vector<const Policy*> all;
      for (const auto& one : inventory_.policies)
        if (one.scope == scope && (scope == Policy::Scope::global || !one.name.empty())) all.push_back(&one);
      return all;
    };
    if (const auto global = all_of(Policy::Scope::global); global.empty()) {
      absent(2, "the global policy (Get-CsExternalAccessPolicy)");
      line(2, "global: {federation: true, xmpp: false}");
    } else {
      line(2, "global: " + flags(*global.front()));
    }
    if (const auto sites = all_of(Policy::Scope::site); !sites.empty()) {
      line(2, "sites:");
      for (const auto* one : sites) entry(3, site_named(one->name), flags(*one));
    }
    const auto user = all_of(Policy::Scope::user);
    for (const auto* one : user) policies_.emplace(lower(one->name), one->name);
    std::vector<std::string> unknown;
    for (const auto& one : classes_) {
      if (const auto name = granted(one); !name.empty() && policies_.emplace(lower(name), name).second)
        unknown.push_back(name);
    }
    if (!user.empty() || !unknown.empty()) line(2, "user:");
    for (const auto* one : user) entry(3, one->name, flags(*one));
    for (const auto& name : unknown)
      entry(3, name, "{federation: false, xmpp: false}", "not in the exports: what it allows; users have it granted");
  }

  /// A site by the name that it has itself, for case does not count to the shell.
  [[nodiscard]] std::string site_named(const std::string& name) const {
    const auto found = std::ranges::find_if(classes_, [&](const auto& one) { return lower(one.site) == lower(name); });
    return found == classes_.end() ? name : found->site;
  }
  static std::string granted(const UserClass& one) {
    constexpr std::string_view scope = "user:";
    return one.policy.starts_with(scope) ? one.policy.substr(scope.size()) : std::string();
  }

  void users() {
    line(1, "users:", "classes of equal situation: SIP domain, pool, policy; their names are yours to change");
    std::set<std::string> taken;
    for (const auto& one : classes_) {
      const auto domain = ascii(one.sip_domain);
      if (!xmpp::is_domain(domain)) {
        line(2, "",
             fmt::format("left out: {} with {}, which is no domain", counted(one.count, "user"),
                         scalar(one.sip_domain)));
        continue;
      }
      const auto policy = granted(one);
      Map map;
      map.number("count", one.count).word("domain", domain).word("pool", home_of(one)).word("site", one.site);
      if (!policy.empty()) map.word("policy", policies_.at(lower(policy)));
      if (!one.enabled) map.flag("enabled", false);
      entry(2, name_of_class(one, domain, taken), map.text());
    }
    if (!taken.empty()) return;
    absent(2, "users (Get-CsUser)");
    line(2, fmt::format("users-not-exported: {{count: 1, pool: {}}}",
                        pools_.empty() ? "legacy-pool" : scalar(pools_.begin()->first)));
  }

  [[nodiscard]] std::string name_of_class(const UserClass& one, const std::string& domain,
                                          std::set<std::string>& taken) const {
    auto scope = one.policy;
    for (const std::string_view prefix : {"user:", "site:"}) scope = without_prefix(scope, prefix);
    auto name = fmt::format("{}-{}-{}{}", part(domain), part(first_label(home_of(one))), part(scope),
                            one.enabled ? "" : "-disabled");
    if (taken.contains(name)) {
      int number = 2;
      while (taken.contains(fmt::format("{}-{}", name, number))) ++number;
      name += fmt::format("-{}", number);
    }
    taken.insert(name);
    return name;
  }

  void partners() {
    line(1, "partners:", "configured-as is the row of New-CsXmppAllowedPartner");
    absent(2, "what a partner's server does: ask its administrator whether it has SASL EXTERNAL, dialback, TLS");
    if (partners_.empty()) {
      absent(2, "partners (Get-CsXmppAllowedPartner; Get-CsAllowedDomain for the legacy gateway's)");
      line(2, "partner-not-exported.example: {kind: external}");
    }
    for (const auto& [domain, partner] : partners_) {
      line(2, scalar(domain) + ":");
      if (partner.row == nullptr) {
        line(3, "kind: external", "a guess");
        absent(3, "how it is to be configured; Get-CsAllowedDomain has its route to the legacy gateway alone");
        continue;
      }
      row(partner);
    }
  }

  static std::string kind_of(const reference::AllowedPartner& row) {
    if (row.tls_negotiation == Negotiation::not_supported) return "dialback-in-clear";
    return row.sasl_negotiation == Negotiation::not_supported ? "dialback" : "external";
  }

  void row(const PlanPartner& partner) {
    const auto& row = partner.row->settings;
    line(3, "kind: " + kind_of(row), "a guess, by its row");
    for (const auto& domain : partner.unlisted)
      line(3, "", scalar(domain) + " has a route to the legacy gateway, and is no additional domain of the row");
    if (!partner.further.empty()) line(3, "further-domains: " + list_of(partner.further));
    std::vector<std::string> additional;
    for (const auto& domain : row.additional_domains) {
      if (const auto name = ascii(domain); xmpp::is_domain(name)) add(additional, name);
    }
    Map map;
    map.word("type", reference::name_of(row.partner_type))
        .word("tls", reference::name_of(row.tls_negotiation))
        .word("sasl", reference::name_of(row.sasl_negotiation))
        .flag("dialback", row.support_dialback_negotiation)
        .flag("keep-alive", row.enable_keep_alive)
        .words("additional-domains", additional)
        .word("proxy-fqdn", row.proxy_fqdn);
    if (row.connection_limit) map.number("connection-limit", *row.connection_limit);
    map.word("description", row.description);
    line(3, "configured-as: " + map.text());
  }

  void edges() {
    line(1, "edges:");
    if (edges_.empty()) {
      absent(2, "edge pools (Get-CsService -EdgeServer)");
      line(2, "edge13: {}");
      return;
    }
    absent(2, "whether XMPP is ticked in the topology, set-up was run since, and firewalls let 5269 through");
    for (const auto& [name, edge] : edges_) {
      Map map;
      map.flag("deployed", true);
      if (edge.routed) map.flag("ticked", true);
      map.words("members", edge.members);
      std::string remark = edge.routed ? "ticked, for a site routes XMPP by it" : "";
      if (edge.members.empty())
        remark += (remark.empty() ? "" : "; ") + std::string("not in the exports: its machines (Get-CsPool)");
      entry(2, name, map.text(), remark);
    }
  }

  static std::vector<std::string> names_of(const Certificate& one) {
    constexpr std::string_view service = "_xmpp-server.";
    std::vector<std::string> names;
    for (const auto& name : one.stored.facts.dns_names) add(names, lower(name));
    for (const auto& name : one.stored.facts.srv_names) {
      if (lower(name).starts_with(service)) add(names, lower(name).substr(service.size()));
    }
    for (const auto& name : one.stored.facts.xmpp_addrs) add(names, ascii(name));
    return names;
  }
  [[nodiscard]] std::string fault_of(const Certificate& one) const {
    if (options_.now == 0) return {};
    if (one.stored.not_after < options_.now) return "expired";
    return one.stored.not_before > options_.now ? "not-yet-valid" : "";
  }
  [[nodiscard]] std::size_t proved_by(const Certificate& one) const {
    const auto names = names_of(one);
    return static_cast<std::size_t>(std::ranges::count_if(
        domains_, [&](const auto& domain) { return std::ranges::find(names, domain) != names.end(); }));
  }

  void certificates() {
    std::vector<const Certificate*> own;
    for (const auto& one : inventory_.certificates) {
      if (!one.stored.of_authority) own.push_back(&one);
    }
    // The one that proves most is what step-4 assigns; of equals one without a fault.
    std::ranges::stable_sort(own, [&](const auto* a, const auto* b) {
      return std::pair(proved_by(*b), fault_of(*b).empty() ? 1 : 0) <
             std::pair(proved_by(*a), fault_of(*a).empty() ? 1 : 0);
    });
    line(1, "certificates:", "step-4 assigns \"edge\"");
    if (own.empty()) {
      absent(2, "the certificate of the external edge; this one has all names that it needs");
      line(2, fmt::format("edge: {{names: {}}}", list_of(domains_)));
      return;
    }
    absent(2, "whether it is assigned already, and whether partners trust who issued it");
    std::set<std::string> taken;
    for (const auto* one : own) certificate(*one, taken);
  }

  void certificate(const Certificate& one, std::set<std::string>& taken) {
    auto name = taken.empty() ? std::string("edge") : part(one.stored.facts.common_name);
    if (name.empty()) name = "certificate";
    const auto base = name;
    for (int number = 2; !taken.insert(name).second; ++number) name = fmt::format("{}-{}", base, number);
    const auto& facts = one.stored.facts;
    Map map;
    map.words("names", names_of(one)).word("fault", fault_of(one));
    if (facts.eku_present && !facts.eku_client) map.flag("client-usage", false);
    entry(2, name, map.text(), scalar(to_string(one.place)));
  }

  void configuration() {
    if (inventory_.access_edge)
      line(1, fmt::format("allow-federated-users: {}", inventory_.access_edge->allow_federated_users));
    else
      absent(1, "AllowFederatedUsers (Get-CsAccessEdgeConfiguration); true, as whoever has a legacy gateway has it");
    if (!route_.empty())
      line(1, "route: " + scalar(route_));
    else if (std::ranges::none_of(inventory_.sites, &Site::route_known))
      absent(1, "the site's XmppFederationRoute (Get-CsSite); none");
    std::vector<std::string> allowed;
    for (const auto& [domain, partner] : partners_) {
      if (partner.row != nullptr) allowed.push_back(domain);
    }
    if (allowed.empty()) return;
    line(1,
         "# Configured today, which takes them from the legacy gateway; take those out that a step is to configure.");
    line(1, "allowed: " + list_of(allowed));
  }

  void gateway() {
    if (!inventory_.gateway) return absent(1, "the gateway's limits and timers (Get-CsXmppGatewayConfiguration)");
    const auto& one = inventory_.gateway->settings;
    const auto seconds = [](Duration duration) {
      constexpr std::int64_t most = 2'147'483'647;
      return fmt::format("{}s", std::clamp<std::int64_t>(duration / 1s, 0, most));
    };
    line(1, "gateway:");
    if (!one.dialback_passphrase.empty()) line(2, "# The DialbackPassphrase is left out: it is a secret.");
    for (const auto& [key, value] :
         {std::pair<std::string_view, std::string>{"connection-limit", fmt::to_string(one.connection_limit)},
          {"partner-connection-limit", fmt::to_string(one.partner_connection_limit)},
          {"logs-bodies", fmt::to_string(one.enable_logging_all_message_bodies)},
          {"keep-alive-interval", seconds(one.keep_alive_interval)},
          {"stream-establishment-timeout", seconds(one.stream_establishment_timeout)},
          {"stream-inactivity-timeout", seconds(one.stream_inactivity_timeout)},
          {"subscription-refresh-interval", seconds(one.subscription_refresh_interval)}})
      line(2, fmt::format("{}: {}", key, value));
  }

  void legacy() {
    absent(1, "the legacy gateway: that it runs, serves every partner and SIP domain, and has a good certificate");
    if (inventory_.allowed_domains.empty())
      return absent(1, "its routes (Get-CsAllowedDomain with ProxyFqdn); one for each domain of a partner");
    line(1, "legacy:");
    line(2, "routes: " + list_of(routes_));
  }

  [[nodiscard]] std::vector<const dns::Record*> records_of(const std::string& name, dns::Type type) const {
    std::vector<const dns::Record*> all;
    const auto found = records_.find(name);
    if (found == records_.end()) return all;
    for (const auto* record : found->second) {
      if (record->type == type) all.push_back(record);
    }
    return all;
  }
  [[nodiscard]] std::set<std::string> addresses_of(const std::string& name) const {
    std::set<std::string> all;
    for (const auto type : {dns::Type::a, dns::Type::aaaa}) {
      for (const auto* record : records_of(name, type)) all.insert(record->data);
    }
    return all;
  }
  [[nodiscard]] bool has_zone_of(const std::string& name) const {
    return std::ranges::any_of(inventory_.zones, [&](const auto& zone) { return dns::is_in(name, zone.origin); });
  }
  [[nodiscard]] bool same_host(const std::string& one, const std::string& other) const {
    if (one.empty() || other.empty()) return false;
    if (one == other) return true;
    const auto here = addresses_of(one), there = addresses_of(other);
    return std::ranges::any_of(here, [&](const auto& address) { return there.contains(address); });
  }

  struct Box {
    std::string name, remark;
  };
  /// Whose host a record names: by name, or by an address that both have.
  [[nodiscard]] Box box_of(const std::string& target) const {
    for (const auto& [name, edge] : edges_) {
      if (same_host(target, edge.external_fqdn) || same_host(target, name))
        return {name, fmt::format("{}, the access edge", scalar(target))};
    }
    const auto legacy = std::string(migration::legacy_gateway_box);
    const auto by_route = std::ranges::any_of(
        inventory_.allowed_domains, [&](const auto& allowed) { return same_host(target, allowed.proxy_fqdn); });
    if (by_route) return {legacy, fmt::format("{}, the ProxyFqdn of the routes to it", scalar(target))};
    return {legacy, fmt::format("not in the exports: whose host {} is", scalar(target))};
  }

  void records() {
    std::vector<std::string> made, points, lasts;
    for (const auto& domain : domains_) record(domain, made, points, lasts);
    const auto block = [&](const char* key, const std::vector<std::string>& lines) {
      if (lines.empty()) return;
      line(1, key);
      for (const auto& one : lines) line(2, one);
    };
    block("records:", made);
    block("srv:", points);
    block("ttl:", lasts);
  }

  /// The SRV record of a SIP domain as its zone has it today.
  void record(const std::string& domain, std::vector<std::string>& made, std::vector<std::string>& points,
              std::vector<std::string>& lasts) {
    const auto name = "_xmpp-server._tcp." + domain;
    const auto found = records_of(name, dns::Type::srv);
    if (found.empty() && !has_zone_of(name))
      return absent(
          1, fmt::format("the zone of {}; its SRV record leads to the legacy gateway, with a TTL of 1h", domain));
    std::vector<std::string> targets, remarks;
    std::uint32_t ttl_s = 0;
    for (const auto* one : found) {
      const auto srv = dns::srv_of(*one);
      ttl_s = std::max(ttl_s, one->ttl_s);
      if (!srv || srv->target == "." || srv->target.empty()) continue;
      const auto box = box_of(srv->target);
      Map map;
      map.word("box", box.name).number("port", srv->port).number("priority", srv->priority);
      const bool alias = !records_of(srv->target, dns::Type::cname).empty();
      if (has_zone_of(srv->target) && addresses_of(srv->target).empty() && !alias) map.flag("resolves", false);
      targets.push_back(map.text());
      add(remarks, box.remark);
    }
    if (targets.empty()) {
      add(remarks, "its zone has no SRV record that leads to a host");
    }
    const auto today = scalar("today-of-" + domain);
    made.push_back(fmt::format("{}: [{}] # {}", today, fmt::join(targets, ", "), fmt::join(remarks, "; ")));
    points.push_back(fmt::format("{}: {}", scalar(domain), today));
    constexpr std::uint32_t ttl_max_s = 2'147'483'647;
    if (!found.empty()) lasts.push_back(fmt::format("{}: {}s", scalar(domain), std::min(ttl_s, ttl_max_s)));
  }

  const Inventory& inventory_;
  const JudgeOptions& options_;
  std::vector<UserClass> classes_;
  std::vector<std::string> domains_;  ///< SIP domains
  std::set<std::string> old_pools_;   ///< by HomeServer
  std::map<std::string, PlanPool> pools_;
  std::map<std::string, PlanEdge> edges_;
  std::string route_;
  std::map<std::string, PlanPartner> partners_;
  std::set<std::string> claimed_;                ///< further domains of partners
  std::vector<std::string> routes_;              ///< domains with a route to the legacy gateway
  std::map<std::string, std::string> policies_;  ///< of users, by name in small letters
  std::map<std::string, std::vector<const dns::Record*>> records_;
  std::string out_;
};

}  // namespace

std::string to_plan(const Inventory& inventory, const JudgeOptions& options) {
  return PlanWriter(inventory, options).write();
}

}  // namespace cutover::harness::exports
