// Each verb: what it reads, what it changes, what takes it back.
#include "harness/migration/operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <sstream>

namespace cutover::harness::migration {

namespace {

using enum Verb;

constexpr std::string_view pool = "pool", edge = "edge pool", users = "class of users",
                           scope = "policy: global, site:NAME or NAME", domain = "SIP domain",
                           partner = "partner's domain", member = "EDGE/MEMBER", none, on_off = "on or off";

constexpr std::array table{
    VerbText{deploy_pool, "deploy-pool", pool, none, "deploys a pool of the new side (1.2.1)"},
    VerbText{remove_pool, "remove-pool", pool, none, "takes a pool out again"},
    VerbText{start_pool, "start-pool", pool, none, "starts a pool's services"},
    VerbText{stop_pool, "stop-pool", pool, none, "stops a pool's services, or it fails (2.3)"},
    VerbText{deploy_edge, "deploy-edge", edge, none, "deploys an edge pool, XMPP unticked (1.2.8)"},
    VerbText{remove_edge, "remove-edge", edge, none, "takes an edge pool out again"},
    VerbText{move_users, "move-users", users, pool, "moves a class of users to a pool (1.2.1)"},
    VerbText{enable_users, "enable-users", users, none, "enables a class of users"},
    VerbText{disable_users, "disable-users", users, none, "disables a class of users"},
    VerbText{set_policy, "set-policy", scope, "none, federation, xmpp or both",
             "sets what an external access policy allows; creates a site's or user's (3.4)"},
    VerbText{delete_policy, "delete-policy", scope, none, "deletes a policy; the global one is reset to all off (3.4)"},
    VerbText{grant_policy, "grant-policy", users, "policy, or - for none", "grants a user policy to a class (3.4)"},
    VerbText{allow_federated_users, "allow-federated-users", on_off, none, "sets AllowFederatedUsers (3.5)"},
    VerbText{assign_certificate, "assign-certificate", edge, "certificate, or - for none",
             "assigns the external certificate; it is shown after a restart (1.5)"},
    VerbText{restart_edge, "restart-edge", edge, none, "stops and starts the services of an edge pool (1.5)"},
    VerbText{tick_xmpp, "tick-xmpp", edge, on_off,
             "ticks \"Enable XMPP federation (port 5269)\"; wants a publish (3.5)"},
    VerbText{set_route, "set-route", "edge pool, or - for none", none, "sets the site's XMPP federation route (3.5)"},
    VerbText{publish, "publish", none, none, "publishes the topology (1.5)"},
    VerbText{replicate, "replicate", none, none, "waits until the edge has the configuration (1.4.9)"},
    VerbText{set_up_edge, "set-up-edge", edge, none, "runs set-up on the edge pool: installs the proxy (1.5)"},
    VerbText{set_up_front_end, "set-up-front-end", none, none,
             "runs set-up on the front ends: installs the gateway (1.5)"},
    VerbText{start_edge, "start-edge", edge, none, "starts the services of an edge pool"},
    VerbText{stop_edge, "stop-edge", edge, none, "stops the services of an edge pool, or it fails (2.3)"},
    VerbText{start_member, "start-member", member, none, "starts one machine of an edge pool"},
    VerbText{stop_member, "stop-member", member, none, "stops one machine of an edge pool, or it fails (2.3)"},
    VerbText{open_link, "open-link", member, none, "opens 23456 from the front ends to one machine (2.2)"},
    VerbText{close_link, "close-link", member, none, "closes 23456 to one machine"},
    VerbText{open_firewall, "open-firewall", edge, "in or out", "opens 5269 of an edge pool in one direction (2.2)"},
    VerbText{close_firewall, "close-firewall", edge, "in or out", "closes 5269 of an edge pool in one direction"},
    VerbText{set_next_hop, "set-next-hop", edge, "pool, or - for any", "sets the next hop of an edge pool (2.3)"},
    VerbText{start_gateway, "start-gateway", none, none, "starts the XMPP gateway of the front ends"},
    VerbText{stop_gateway, "stop-gateway", none, none, "stops the XMPP gateway of the front ends"},
    VerbText{allow_partner, "allow-partner", partner, none, "configures a partner on the new side (3.1)"},
    VerbText{remove_partner, "remove-partner", partner, none, "removes a partner from the new side (1.6)"},
    VerbText{set_ttl, "set-ttl", domain, "seconds", "sets the TTL of a domain's SRV record (1.4.7)"},
    VerbText{repoint, "repoint", domain, "legacy-gateway, an edge pool, a record by name, or - for none",
             "changes where a domain's SRV record leads (1.5.4)"},
    VerbText{drain_streams, "drain-streams", none, none, "closes the streams of the legacy gateway (1.6)"},
    VerbText{start_legacy_gateway, "start-legacy-gateway", none, none, "starts the legacy gateway's service (1.3)"},
    VerbText{stop_legacy_gateway, "stop-legacy-gateway", none, none, "stops the legacy gateway's service"},
    VerbText{start_legacy_edge, "start-legacy-edge", none, none, "starts the legacy edge"},
    VerbText{stop_legacy_edge, "stop-legacy-edge", none, none, "stops and disables the legacy edge (1.4.7)"},
    VerbText{add_legacy_route, "add-legacy-route", partner, none,
             "adds the allowed SIP domain that leads to the gateway (2.8)"},
    VerbText{remove_legacy_route, "remove-legacy-route", partner, none, "removes that entry (1.6)"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.at(i).verb != static_cast<Verb>(i)) return false;
  }
  return table.size() == static_cast<std::size_t>(remove_legacy_route) + 1;
}
static_assert(in_order(), "the table has every verb in the order of the enumeration");

template <class Map>
std::string keys_of(const Map& map) {
  std::vector<std::string> keys;
  keys.reserve(map.size());
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys.empty() ? "none" : fmt::format("{}", fmt::join(keys, ", "));
}

template <class Map>
auto& named(Map& map, const std::string& name, std::string_view what) {
  const auto found = map.find(name);
  if (found == map.end())
    throw OperationError(fmt::format("'{}' is no {} of this estate; there are: {}", name, what, keys_of(map)));
  return found->second;
}

EdgeMember& member_of(State& state, const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) throw OperationError(fmt::format("'{}': expected EDGE/MEMBER", text));
  auto& pool_of = named(state.edges, text.substr(0, slash), edge);
  const auto found = std::ranges::find(pool_of.members, text.substr(slash + 1), &EdgeMember::name);
  if (found == pool_of.members.end())
    throw OperationError(fmt::format("'{}' has no member '{}'", text.substr(0, slash), text.substr(slash + 1)));
  return *found;
}

bool is_on(const std::string& text) {
  if (text == "on") return true;
  if (text == "off") return false;
  throw OperationError(fmt::format("'{}': expected on or off", text));
}

bool inwards(const std::string& text) {
  if (text == "in") return true;
  if (text == "out") return false;
  throw OperationError(fmt::format("'{}': expected in or out", text));
}

AccessPolicy policy_by(const std::string& text) {
  static const std::map<std::string, AccessPolicy> kinds{
      {"none", {false, false}}, {"federation", {true, false}}, {"xmpp", {false, true}}, {"both", {true, true}}};
  const auto found = kinds.find(text);
  if (found == kinds.end()) throw OperationError(fmt::format("'{}': expected none, federation, xmpp or both", text));
  return found->second;
}

std::string policy_word(const AccessPolicy& policy) {
  if (policy.enable_xmpp_access) return policy.enable_federation_access ? "both" : "xmpp";
  return policy.enable_federation_access ? "federation" : "none";
}

constexpr std::string_view site_prefix = "site:";

void set_policy_of(AccessPolicies& policies, const std::string& name, AccessPolicy policy) {
  if (name == "global")
    policies.global = policy;
  else if (name.starts_with(site_prefix))
    policies.sites[name.substr(site_prefix.size())] = policy;
  else
    policies.user_scoped[name] = policy;
}

void delete_policy_of(AccessPolicies& policies, const std::string& name) {
  if (name == "global")
    policies.global = {};
  else if (name.starts_with(site_prefix))
    policies.sites.erase(name.substr(site_prefix.size()));
  else
    policies.user_scoped.erase(name);
}

std::optional<AccessPolicy> policy_named(const AccessPolicies& policies, const std::string& name) {
  if (name == "global") return policies.global;
  const bool site = name.starts_with(site_prefix);
  const auto& map = site ? policies.sites : policies.user_scoped;
  const auto found = map.find(site ? name.substr(site_prefix.size()) : name);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

std::uint32_t seconds_of(const std::string& text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw OperationError(fmt::format("'{}': expected seconds", text));
  return value;
}

/// Where a record leads: by the name of a record of the estate, or to one box.
Srv record_to(const std::string& where, const Estate& estate, const State& state) {
  if (where == "-") return {};
  if (const auto found = estate.records.find(where); found != estate.records.end()) return found->second;
  if (where != legacy_gateway_box && !state.edges.contains(where))
    throw OperationError(fmt::format("'{}' is neither {} nor an edge pool ({}) nor a record ({})", where,
                                     legacy_gateway_box, keys_of(state.edges), keys_of(estate.records)));
  return {SrvTarget{.box = where}};
}

const std::string& our_domain(const std::string& name, const State& state) {
  if (std::ranges::find(state.sip_domains, name) == state.sip_domains.end())
    throw OperationError(
        fmt::format("'{}' is no SIP domain of this estate; there are: {}", name, fmt::join(state.sip_domains, ", ")));
  return name;
}

void apply_to_pools(const Operation& operation, State& state) {
  const auto& [verb, subject, value] = operation;
  if (verb == move_users) {
    const auto& to = named(state.pools, value, pool);
    if (!to.deployed) throw OperationError(fmt::format("the pool '{}' is not deployed yet", value));
    named(state.users, subject, users).pool = value;
    return;
  }
  if (verb == enable_users || verb == disable_users) {
    named(state.users, subject, users).enabled = verb == enable_users;
    return;
  }
  auto& which = named(state.pools, subject, pool);
  if (verb == deploy_pool || verb == remove_pool)
    which.deployed = verb == deploy_pool;
  else
    which.runs = verb == start_pool;
}

void apply_to_edges(const Operation& operation, const Estate& estate, State& state) {
  const auto& [verb, subject, value] = operation;
  auto& which = named(state.edges, subject, edge);
  switch (verb) {
    case deploy_edge:
    case remove_edge:
      which.deployed = verb == deploy_edge;
      if (!which.deployed) which.proxy_installed = false;
      break;
    case assign_certificate:
      which.assigned = value == "-" ? std::optional<Certificate>() : named(estate.certificates, value, "certificate");
      break;
    case restart_edge:
    case start_edge:
      which.services_run = true;
      which.live = which.assigned;
      break;
    case stop_edge:
      which.services_run = false;
      break;
    case tick_xmpp:
      if (which.xmpp_ticked != is_on(value)) state.configuration.published = false;
      which.xmpp_ticked = is_on(value);
      break;
    case set_up_edge:
      which.proxy_installed = which.deployed && which.xmpp_ticked && state.configuration.published;
      break;
    case open_firewall:
    case close_firewall:
      (inwards(value) ? which.opens_in : which.opens_out) = verb == open_firewall;
      break;
    case set_next_hop:
      if (value != "-") (void)named(state.pools, value, pool);
      which.next_hop = value == "-" ? "" : value;
      break;
    default:
      break;
  }
}

void apply_to_policies(const Operation& operation, State& state) {
  const auto& [verb, subject, value] = operation;
  if (verb == set_policy) return set_policy_of(state.policies, subject, policy_by(value));
  if (verb == delete_policy) {
    if (!policy_named(state.policies, subject)) throw OperationError(fmt::format("there is no policy '{}'", subject));
    return delete_policy_of(state.policies, subject);
  }
  auto& who = named(state.users, subject, users);
  if (value == "-") return who.policy.clear();
  (void)named(state.policies.user_scoped, value, "policy that can be granted");
  who.policy = value;
}

/// Of a partner's users, by its primary domain or another one.
void check_partners_domain(const std::string& name, const Estate& estate) {
  for (const auto& [primary, one] : estate.partners) {
    if (primary == name || std::ranges::find(one.further_domains, name) != one.further_domains.end()) return;
  }
  throw OperationError(fmt::format("'{}' is no domain of a partner of this estate; the partners are: {}", name,
                                   keys_of(estate.partners)));
}

void apply_to_partners(const Operation& operation, const Estate& estate, State& state) {
  const auto& [verb, subject, value] = operation;
  auto& partners = state.configuration.partners;
  switch (verb) {
    case allow_partner:
      partners[subject] = named(estate.rows, subject, partner);
      break;
    case remove_partner:
      if (partners.erase(subject) == 0)
        throw OperationError(fmt::format("'{}' is not configured; there are: {}", subject, keys_of(partners)));
      break;
    case add_legacy_route:
      check_partners_domain(subject, estate);
      state.legacy.routes.insert(subject);
      break;
    case remove_legacy_route:
      if (state.legacy.routes.erase(subject) == 0)
        throw OperationError(fmt::format("no allowed SIP domain '{}' leads to the gateway; there are: {}", subject,
                                         fmt::join(state.legacy.routes, ", ")));
      break;
    default:
      break;
  }
}

void apply_to_site(const Operation& operation, State& state) {
  auto& configuration = state.configuration;
  switch (operation.verb) {
    case allow_federated_users:
      configuration.allow_federated_users = is_on(operation.subject);
      break;
    case set_route:
      if (operation.subject != "-") (void)named(state.edges, operation.subject, edge);
      configuration.xmpp_route = operation.subject == "-" ? "" : operation.subject;
      break;
    case publish:
      configuration.published = true;
      break;
    case set_up_front_end:
      state.gateway_installed = configuration.published && std::ranges::any_of(state.edges, [](const auto& one) {
                                  return one.second.xmpp_ticked;
                                });
      break;
    case start_gateway:
    case stop_gateway:
      state.gateway_runs = operation.verb == start_gateway;
      break;
    default:
      break;
  }
}

void apply_to_legacy(const Operation& operation, State& state) {
  const bool starts = operation.verb == start_legacy_gateway || operation.verb == start_legacy_edge;
  const bool gateway = operation.verb == start_legacy_gateway || operation.verb == stop_legacy_gateway;
  (gateway ? state.legacy.gateway_runs : state.legacy.edge_runs) = starts;
}

std::vector<std::string> words(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

std::string verb_names() {
  std::vector<std::string_view> names;
  names.reserve(table.size());
  for (const auto& one : table) names.push_back(one.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::span<const VerbText> verbs() { return table; }
const VerbText& text_of(Verb verb) { return table.at(static_cast<std::size_t>(verb)); }

Operation parse_operation(std::string_view text) {
  const auto parts = words(text);
  if (parts.empty()) throw OperationError("an empty operation; the verbs are: " + verb_names());
  const auto found = std::ranges::find(table, parts.front(), &VerbText::name);
  if (found == table.end())
    throw OperationError(fmt::format("'{}' is no operation; there are: {}", parts.front(), verb_names()));
  const std::size_t wanted = 1 + (found->subject.empty() ? 0 : 1) + (found->value.empty() ? 0 : 1);
  if (parts.size() != wanted)
    throw OperationError(fmt::format("'{}': expected {}{}{}", text, found->name,
                                     found->subject.empty() ? "" : fmt::format(" ({})", found->subject),
                                     found->value.empty() ? "" : fmt::format(" ({})", found->value)));
  return {found->verb, wanted > 1 ? parts[1] : "", wanted > 2 ? parts[2] : ""};
}

std::string words_of(const Operation& operation) {
  auto text = std::string(text_of(operation.verb).name);
  for (const auto* part : {&operation.subject, &operation.value}) {
    if (!part->empty()) text += " " + *part;
  }
  return text;
}

namespace {

/// 1.4.8: whose legacy edge has one name for everything moves all users first, and decommissions it then.
void check_transition(const State& state) {
  const auto on_legacy_pool = [&](const auto& entry) { return side_of(state, entry.second) == Side::legacy; };
  if (state.legacy.one_edge_name && std::ranges::any_of(state.users, on_legacy_pool))
    throw OperationError(
        "the access, conference and media edge of the legacy side share one name, and to change its routes is "
        "unsupported then while users are on a legacy pool: move all of them first");
}

}  // namespace

void check_possible(const Operation& operation, const State& state) {
  if (operation.verb == stop_legacy_edge) check_transition(state);
  static constexpr std::array at_an_edge{assign_certificate, restart_edge, tick_xmpp, set_route,
                                         set_up_edge,        start_edge,   stop_edge, set_next_hop};
  if (std::ranges::find(at_an_edge, operation.verb) == at_an_edge.end()) return;
  const auto found = state.edges.find(operation.subject);
  if (found != state.edges.end() && !found->second.deployed)
    throw OperationError(fmt::format("the edge pool '{}' is not deployed yet", operation.subject));
}

void apply(const Operation& operation, const Estate& estate, State& state) {
  const auto& [verb, subject, value] = operation;
  switch (verb) {
    case deploy_pool:
    case remove_pool:
    case start_pool:
    case stop_pool:
    case move_users:
    case enable_users:
    case disable_users:
      return apply_to_pools(operation, state);
    case set_policy:
    case delete_policy:
    case grant_policy:
      return apply_to_policies(operation, state);
    case allow_federated_users:
    case set_route:
    case publish:
    case set_up_front_end:
    case start_gateway:
    case stop_gateway:
      return apply_to_site(operation, state);
    case start_member:
    case stop_member:
      member_of(state, subject).runs = verb == start_member;
      return;
    case open_link:
    case close_link:
      member_of(state, subject).link_open = verb == open_link;
      return;
    case allow_partner:
    case remove_partner:
    case add_legacy_route:
    case remove_legacy_route:
      return apply_to_partners(operation, estate, state);
    case set_ttl:
      state.ttl_s[our_domain(subject, state)] = seconds_of(value);
      return;
    case repoint:
      state.srv[our_domain(subject, state)] = record_to(value, estate, state);
      return;
    case start_legacy_gateway:
    case stop_legacy_gateway:
    case start_legacy_edge:
    case stop_legacy_edge:
      return apply_to_legacy(operation, state);
    case Verb::replicate:
      return migration::replicate(state);
    case drain_streams:
      return;  // of streams, not of the state: the timeline closes them
    default:
      return apply_to_edges(operation, estate, state);
  }
}

namespace {

/// Pairs of which one takes back the other.
constexpr std::array pairs{
    std::pair{start_pool, stop_pool},
    std::pair{deploy_pool, remove_pool},
    std::pair{deploy_edge, remove_edge},
    std::pair{enable_users, disable_users},
    std::pair{start_edge, stop_edge},
    std::pair{start_member, stop_member},
    std::pair{open_link, close_link},
    std::pair{open_firewall, close_firewall},
    std::pair{start_gateway, stop_gateway},
    std::pair{allow_partner, remove_partner},
    std::pair{start_legacy_gateway, stop_legacy_gateway},
    std::pair{start_legacy_edge, stop_legacy_edge},
    std::pair{add_legacy_route, remove_legacy_route},
};

std::optional<Verb> counterpart(Verb verb) {
  for (const auto& [one, other] : pairs) {
    if (verb == one) return other;
    if (verb == other) return one;
  }
  return std::nullopt;
}

std::string on_off_word(bool on) { return on ? "on" : "off"; }

std::vector<Operation> undo_of_policy(const Operation& operation, const State& before) {
  if (operation.verb == grant_policy) {
    const auto& old = before.users.at(operation.subject).policy;
    return {{grant_policy, operation.subject, old.empty() ? "-" : old}};
  }
  const auto old = policy_named(before.policies, operation.subject);
  if (!old) return {{delete_policy, operation.subject, ""}};
  return {{set_policy, operation.subject, policy_word(*old)}};
}

/// Certificates and records have names in an estate; what has none cannot be given back by an operation.
template <class Map, class Value>
std::string name_in(const Map& map, const Value& wanted, const std::string& otherwise) {
  for (const auto& [name, value] : map) {
    if (value == wanted) return name;
  }
  return otherwise;
}

std::string box_of(const Srv& record, const Estate& estate) {
  if (record.empty()) return "-";
  if (auto name = name_in(estate.records, record, ""); !name.empty()) return name;
  return record.front().box;
}

}  // namespace

std::vector<Operation> undo_of(const Operation& operation, const Estate& estate, const State& before) {
  const auto& [verb, subject, value] = operation;
  if (auto after = before; apply(operation, estate, after), after == before) return {};
  if (verb == remove_edge && before.edges.at(subject).proxy_installed)
    return {{deploy_edge, subject, ""}, {set_up_edge, subject, ""}};
  if (const auto other = counterpart(verb)) return {{*other, subject, value}};
  switch (verb) {
    case move_users:
      return {{move_users, subject, before.users.at(subject).pool}};
    case set_policy:
    case delete_policy:
    case grant_policy:
      return undo_of_policy(operation, before);
    case allow_federated_users:
      return {{verb, on_off_word(before.configuration.allow_federated_users), ""}};
    case assign_certificate: {
      const auto& old = before.edges.at(subject).assigned;
      return {{verb, subject, old ? name_in(estate.certificates, *old, "-") : "-"}, {restart_edge, subject, ""}};
    }
    case tick_xmpp:
      return {{verb, subject, on_off_word(before.edges.at(subject).xmpp_ticked)},
              {publish, "", ""},
              {set_up_edge, subject, ""},
              {set_up_front_end, "", ""}};
    case set_route:
      return {{verb, before.configuration.xmpp_route.empty() ? "-" : before.configuration.xmpp_route, ""}};
    case set_next_hop: {
      const auto& old = before.edges.at(subject).next_hop;
      return {{verb, subject, old.empty() ? "-" : old}};
    }
    case set_ttl: {
      const auto old = before.ttl_s.find(subject);
      return {{verb, subject, std::to_string(old == before.ttl_s.end() ? 0 : old->second)}};
    }
    case repoint: {
      const auto old = before.srv.find(subject);
      return {{verb, subject, old == before.srv.end() ? "-" : box_of(old->second, estate)}};
    }
    default:
      return {};
  }
}

namespace {

std::string dollar(bool value) { return value ? "$true" : "$false"; }

std::string policy_flags(const std::string& word) {
  const auto policy = policy_by(word);
  return fmt::format("-EnableFederationAccess {} -EnableXmppAccess {}", dollar(policy.enable_federation_access),
                     dollar(policy.enable_xmpp_access));
}

std::string new_partner(const AllowedPartner& row) {
  using reference::name_of;
  auto text = fmt::format(
      "New-CsXmppAllowedPartner -Identity {} -PartnerType {} -TlsNegotiation {} -SaslNegotiation {} "
      "-SupportDialbackNegotiation {} -EnableKeepAlive {}",
      row.domain, name_of(row.partner_type), name_of(row.tls_negotiation), name_of(row.sasl_negotiation),
      dollar(row.support_dialback_negotiation), dollar(row.enable_keep_alive));
  if (!row.additional_domains.empty())
    text += fmt::format(" -AdditionalDomains @{{Add=\"{}\"}}", fmt::join(row.additional_domains, "\",\""));
  if (!row.proxy_fqdn.empty()) text += " -ProxyFqdn " + row.proxy_fqdn;
  if (row.connection_limit) text += fmt::format(" -ConnectionLimit {}", *row.connection_limit);
  return text;
}

std::vector<std::string> zone_lines(const std::string& name, const Srv& record, std::uint32_t ttl) {
  if (record.empty()) return {fmt::format("; remove _xmpp-server._tcp.{}.", name)};
  std::vector<std::string> lines;
  for (const auto& target : record)
    lines.push_back(fmt::format("_xmpp-server._tcp.{}. {} IN SRV {} 0 {} {}.", name, ttl, target.priority, target.port,
                                target.box == legacy_gateway_box ? "<legacy gateway>" : target.box));
  return lines;
}

std::uint32_t ttl_of(const State& state, const std::string& name) {
  constexpr std::uint32_t usual_s = 3600;
  const auto found = state.ttl_s.find(name);
  return found == state.ttl_s.end() ? usual_s : found->second;
}

std::vector<std::string> commands_of_policy(const Operation& operation, const State& before) {
  const auto& [verb, subject, value] = operation;
  if (verb == delete_policy) return {"Remove-CsExternalAccessPolicy -Identity " + subject};
  if (verb == grant_policy)
    return {
        fmt::format("# for each user of {}:", subject),
        fmt::format("Grant-CsExternalAccessPolicy -Identity <user> -PolicyName {}", value == "-" ? "$Null" : value)};
  const bool there = policy_named(before.policies, subject).has_value();
  return {
      fmt::format("{}-CsExternalAccessPolicy -Identity {} {}", there ? "Set" : "New", subject, policy_flags(value))};
}

std::vector<std::string> commands_of_edge(const Operation& operation) {
  const auto& [verb, subject, value] = operation;
  switch (verb) {
    case deploy_edge:
      return {
          fmt::format("# Topology Builder: new Edge pool {}; leave federation and XMPP federation unticked; publish",
                      subject),
          "# on each machine: Deployment Wizard, steps 1 to 4"};
    case assign_certificate:
      if (value == "-") return {"Remove-CsCertificate -Type AccessEdgeExternal"};
      return {fmt::format("# on each machine of {}: import '{}' with its key into the computer store", subject, value),
              "Set-CsCertificate -Type AccessEdgeExternal -Thumbprint <thumbprint>"};
    case restart_edge:
      return {fmt::format("# on each machine of {}:", subject), "Stop-CsWindowsService", "Start-CsWindowsService"};
    case start_edge:
    case start_member:
      return {fmt::format("# on {}:", subject), "Start-CsWindowsService"};
    case stop_edge:
    case stop_member:
      return {fmt::format("# on {}:", subject), "Stop-CsWindowsService"};
    case tick_xmpp:
      return {fmt::format("# Topology Builder: {} > Edit Properties > Enable XMPP federation (port 5269): {}", subject,
                          value)};
    case set_up_edge:
      return {
          fmt::format("# on each machine of {}: Deployment Wizard > Setup or Remove Lync Server Components", subject)};
    case open_firewall:
    case close_firewall:
      return {fmt::format("# firewall: {} 5269/tcp {} the access edge's address of {}",
                          verb == open_firewall ? "open" : "close", value == "in" ? "from any to" : "to any from",
                          subject)};
    case open_link:
    case close_link:
      return {fmt::format("# internal firewall: {} 23456/tcp from the front ends to {}",
                          verb == open_link ? "open" : "close", subject)};
    case set_next_hop:
      if (value == "-")
        return {fmt::format("# Topology Builder: {} > Edit Properties > Next hop: none; publish", subject)};
      return {fmt::format("Set-CsEdgeServer -Identity EdgeServer:{} -Registrar Registrar:{}", subject, value)};
    default:
      return {fmt::format("# Topology Builder: remove the Edge pool {}; publish", subject)};
  }
}

std::vector<std::string> commands_of_site(const Operation& operation) {
  const auto& subject = operation.subject;
  switch (operation.verb) {
    case allow_federated_users:
      return {"Set-CsAccessEdgeConfiguration -AllowFederatedUsers " + dollar(subject == "on")};
    case set_route:
      return {subject == "-"
                  ? std::string("Set-CsSite -Identity <site> -XmppFederationRoute $Null")
                  : fmt::format("Set-CsSite -Identity <site> -XmppFederationRoute \"EdgeServer:{}\"", subject)};
    case publish:
      return {"# Topology Builder: Publish Topology (or Publish-CsTopology, Enable-CsTopology)"};
    case Verb::replicate:
      return {"Invoke-CsManagementStoreReplication", "Get-CsManagementStoreReplicationStatus  # until UpToDate"};
    case set_up_front_end:
      return {"# on each front end: Deployment Wizard > Setup or Remove Lync Server Components"};
    case start_gateway:
      return {"Start-CsWindowsService RTCXMPPTGW"};
    case stop_gateway:
      return {"Stop-CsWindowsService RTCXMPPTGW"};
    default:
      return {};
  }
}

std::vector<std::string> commands_of_legacy(const Operation& operation) {
  const auto& subject = operation.subject;
  switch (operation.verb) {
    case start_legacy_gateway:
      return {"net start \"Office Communications Server XMPP Gateway\"  # on the legacy gateway"};
    case stop_legacy_gateway:
      return {"net stop \"Office Communications Server XMPP Gateway\"  # on the legacy gateway"};
    case drain_streams:
      return {"net stop \"Office Communications Server XMPP Gateway\"  # on the legacy gateway: ends its streams",
              "net start \"Office Communications Server XMPP Gateway\""};
    case add_legacy_route:
      return {fmt::format("New-CsAllowedDomain -Identity {} -ProxyFqdn <legacy gateway>", subject)};
    case remove_legacy_route:
      return {"Remove-CsAllowedDomain -Identity " + subject};
    case start_legacy_edge:
      return {"# start the legacy edge's services"};
    default:
      return {"# stop and disable the legacy edge's Access Edge service"};
  }
}

}  // namespace

std::vector<std::string> commands_of(const Operation& operation, const Estate& estate, const State& before) {
  const auto& [verb, subject, value] = operation;
  switch (verb) {
    case deploy_pool:
      return {fmt::format("# Topology Builder: new Front End pool {}; publish; Deployment Wizard on each front end",
                          subject)};
    case remove_pool:
      return {fmt::format("# Topology Builder: remove the pool {}; publish", subject)};
    case start_pool:
      return {fmt::format("# on each front end of {}:", subject), "Start-CsWindowsService"};
    case stop_pool:
      return {fmt::format("# on each front end of {}:", subject), "Stop-CsWindowsService"};
    case move_users:
      return {fmt::format("# {} users of {}:", before.users.contains(subject) ? before.users.at(subject).count : 0,
                          subject),
              fmt::format("Get-CsUser ... | Move-CsUser -Target {} -Confirm:$false", value)};
    case enable_users:
      return {fmt::format("Enable-CsUser ...  # {}", subject)};
    case disable_users:
      return {fmt::format("Set-CsUser ... -Enabled $false  # {}", subject)};
    case set_policy:
    case delete_policy:
    case grant_policy:
      return commands_of_policy(operation, before);
    case allow_federated_users:
    case set_route:
    case publish:
    case Verb::replicate:
    case set_up_front_end:
    case start_gateway:
    case stop_gateway:
      return commands_of_site(operation);
    case allow_partner:
      return {new_partner(named(estate.rows, subject, partner))};
    case remove_partner:
      return {"Remove-CsXmppAllowedPartner -Identity " + subject};
    case set_ttl:
      return zone_lines(subject, before.srv.contains(subject) ? before.srv.at(subject) : Srv(), seconds_of(value));
    case repoint:
      return zone_lines(subject, record_to(value, estate, before), ttl_of(before, subject));
    case drain_streams:
    case start_legacy_gateway:
    case stop_legacy_gateway:
    case start_legacy_edge:
    case stop_legacy_edge:
    case add_legacy_route:
    case remove_legacy_route:
      return commands_of_legacy(operation);
    default:
      return commands_of_edge(operation);
  }
}

namespace {

/// Pools and edges of the new side, in the order of their names.
template <class Map, class Wanted>
std::vector<std::string> names_where(const Map& map, Wanted wanted) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) {
    if (wanted(value)) names.push_back(name);
  }
  return names;
}

std::vector<Operation> for_each(Verb verb, const std::vector<std::string>& names, const std::string& value = "") {
  std::vector<Operation> all;
  all.reserve(names.size());
  for (const auto& name : names) all.push_back({verb, name, value});
  return all;
}

std::vector<std::string> new_pools(const Estate& estate) {
  return names_where(estate.start.pools, [](const Pool& one) { return one.side == Side::current && !one.branch; });
}
std::vector<std::string> new_edges(const Estate& estate) {
  return names_where(estate.start.edges, [](const EdgePool&) { return true; });
}

std::vector<Operation> moves(const Estate& estate) {
  const auto targets = new_pools(estate);
  std::vector<Operation> all;
  std::size_t next = 0;
  for (const auto& [name, who] : estate.start.users) {
    if (targets.empty() || side_of(estate.start, who) == Side::current) continue;
    const auto told = estate.moves_to.find(name);
    all.push_back({move_users, name, told != estate.moves_to.end() ? told->second : targets[next++ % targets.size()]});
  }
  return all;
}

std::vector<Operation> policies_and_certificates(const Estate& estate) {
  constexpr auto policy = "XmppAccess";
  std::vector<Operation> all{{set_policy, policy, "both"}, {allow_federated_users, "on", ""}};
  for (const auto& [name, who] : estate.start.users) all.push_back({grant_policy, name, policy});
  const std::string certificate(edge_certificate);
  for (const auto& name : new_edges(estate)) {
    if (!estate.certificates.contains(certificate)) break;
    all.push_back({assign_certificate, name, certificate});
    all.push_back({restart_edge, name, ""});
  }
  return all;
}

std::vector<Operation> federation(const Estate& estate) {
  const auto edges = new_edges(estate);
  std::vector<Operation> all = for_each(tick_xmpp, edges, "on");
  if (edges.empty()) return all;
  all.push_back({set_route, edges.front(), ""});
  all.push_back({publish, "", ""});
  std::ranges::copy(for_each(set_up_edge, edges), std::back_inserter(all));
  all.push_back({set_up_front_end, "", ""});
  for (const auto& [name, row] : estate.rows) all.push_back({allow_partner, name, ""});
  return all;
}

std::vector<Operation> dns(const Estate& estate) {
  const auto edges = new_edges(estate);
  std::vector<Operation> all;
  for (const auto& name : estate.start.sip_domains) {
    if (!edges.empty()) all.push_back({repoint, name, edges.front()});
  }
  return all;
}

}  // namespace

std::vector<Operation> operations_of_step(int number, const Estate& estate) {
  switch (number) {
    case 1:
      return for_each(deploy_pool, new_pools(estate));
    case 2:
      return for_each(deploy_edge, new_edges(estate));
    case 3:
      return moves(estate);
    case 4:
      return policies_and_certificates(estate);
    case 5:
      return federation(estate);
    case 6:
      return dns(estate);
    default:
      return {};
  }
}

std::string_view title_of_step(int number) {
  static constexpr std::array<std::string_view, steps_of_the_document + 1> titles{
      "",
      "deploy the pool",
      "deploy the edge",
      "move all users",
      "create access policies and certificates",
      "enable XMPP federation",
      "update DNS"};
  return titles.at(static_cast<std::size_t>(number));
}

}  // namespace cutover::harness::migration
