// What would make a plan better: changes of order and time, and the remedy of each cause that costs somebody something.
// A change is proposed only when its rehearsal costs less.
#include "harness/migration/rehearsal.h"

#include "harness/negotiation/oracle.h"
#include "harness/negotiation/product.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace cutover::harness::migration {

namespace {

struct Changed {
  std::string what;
  Plan plan;
};
using Changes = std::vector<Changed>;

constexpr std::uint32_t short_ttl_s = 300;
constexpr Seconds ahead = std::chrono::minutes(10);

struct Found {
  Seconds at{};
  const Operation* operation = nullptr;
};

std::vector<Found> all_of(const std::vector<TimedOperation>& operations, Verb verb) {
  std::vector<Found> found;
  for (const auto& one : operations) {
    if (one.operation.verb == verb) found.push_back({one.at, &one.operation});
  }
  return found;
}

std::optional<Seconds> first_of(const std::vector<TimedOperation>& operations, Verb verb) {
  const auto found = all_of(operations, verb);
  if (found.empty()) return std::nullopt;
  return found.front().at;
}

std::optional<Seconds> last_of(const std::vector<TimedOperation>& operations, Verb verb) {
  const auto found = all_of(operations, verb);
  if (found.empty()) return std::nullopt;
  return found.back().at;
}

/// A step before everything else of that moment. What would be before the start moves the start.
void insert(Plan& plan, std::string name, Seconds at, std::vector<Operation> operations) {
  if (at < Seconds(0)) {
    for (auto& step : plan.steps) step.at -= at;
    plan.ahead -= at;
    at = Seconds(0);
  }
  const auto where = std::ranges::find_if(plan.steps, [&](const PlanStep& step) { return step.at >= at; });
  plan.steps.insert(where, {.name = std::move(name), .at = at, .takes = {}, .operations = std::move(operations)});
}

/// ... or behind everything of that moment.
void insert_behind(Plan& plan, std::string name, Seconds at, std::vector<Operation> operations) {
  const auto where = std::ranges::find_if(plan.steps, [&](const PlanStep& step) { return step.at > at; });
  plan.steps.insert(where, {.name = std::move(name), .at = at, .takes = {}, .operations = std::move(operations)});
}

/// Takes operations out of their steps, in their order; steps that are left empty go.
std::vector<Operation> take_out(Plan& plan, const std::function<bool(const Operation&)>& wanted) {
  std::vector<Operation> taken;
  for (auto& step : plan.steps) {
    for (const auto& operation : step.operations) {
      if (wanted(operation)) taken.push_back(operation);
    }
    std::erase_if(step.operations, wanted);
  }
  std::erase_if(plan.steps, [](const PlanStep& step) { return step.operations.empty(); });
  return taken;
}

std::function<bool(const Operation&)> of_verbs(std::set<Verb> verbs) {
  return [verbs = std::move(verbs)](const Operation& operation) { return verbs.contains(operation.verb); };
}

void lower_ttls(const Plan& plan, const std::vector<TimedOperation>& operations, Changes& changes) {
  auto changed = plan;
  std::vector<Operation> lowering;
  Seconds need{};
  for (const auto& [at, operation] : all_of(operations, Verb::repoint)) {
    const auto ttl = plan.estate.start.ttl_s.find(operation->subject);
    if (ttl == plan.estate.start.ttl_s.end() || ttl->second <= short_ttl_s) continue;
    lowering.push_back({Verb::set_ttl, operation->subject, std::to_string(short_ttl_s)});
    need = std::max(need, Seconds(ttl->second));
  }
  const auto first = first_of(operations, Verb::repoint);
  if (lowering.empty() || !first) return;
  (void)take_out(changed, of_verbs({Verb::set_ttl}));
  std::vector<std::string_view> domains;
  domains.reserve(lowering.size());
  for (const auto& one : lowering) domains.push_back(one.subject);
  insert(changed, "Lower the TTL", *first - need - Seconds(60), lowering);
  changes.push_back({fmt::format("Lower the TTL of the SRV record of {} to {} s, at least {} before DNS is updated",
                                 fmt::join(domains, ", "), short_ttl_s, words_of(need)),
                     std::move(changed)});
}

/// lync-facts 1.2.7: partners are configured in the window in which DNS is updated.
void partners_with_dns(const Plan& plan, const std::vector<TimedOperation>& operations, Changes& changes) {
  const auto dns = first_of(operations, Verb::repoint);
  const auto partners = all_of(operations, Verb::allow_partner);
  if (!dns || partners.empty()) return;
  for (const auto lead : {Seconds(plan.estate.replication_s), Seconds(0)}) {
    auto changed = plan;
    const auto taken = take_out(changed, of_verbs({Verb::allow_partner}));
    insert(changed, "Configure the partners", *dns - lead, taken);
    changes.push_back({lead == Seconds(0) ? std::string("Configure the partners at the moment in which DNS is updated")
                                          : fmt::format("Configure the partners {} before DNS is updated, as long as "
                                                        "replication takes",
                                                        words_of(lead)),
                       std::move(changed)});
  }
}

void dns_at_once(const Plan& plan, const std::vector<TimedOperation>& operations, Changes& changes) {
  const auto first = first_of(operations, Verb::repoint), last = last_of(operations, Verb::repoint);
  if (!first || first == last) return;
  auto changed = plan;
  const auto taken = take_out(changed, of_verbs({Verb::repoint}));
  insert_behind(changed, "Update DNS", *last, taken);
  changes.push_back({"Update the SRV records of all domains at once", std::move(changed)});
}

/// How long somebody may have a record that was repointed: by its TTL of that time, or by his own will.
Seconds cached_at_most(const Plan& plan, const std::vector<TimedOperation>& operations) {
  auto state = plan.estate.start;
  Seconds longest{};
  for (const auto& [begins, at, operation, step] : operations) {
    if (operation.verb == Verb::set_ttl) apply(operation, plan.estate, state);
    if (operation.verb == Verb::repoint) longest = std::max(longest, Seconds(state.ttl_s[operation.subject]));
  }
  for (const auto& [domain, partner] : plan.estate.partners) longest = std::max(longest, Seconds(partner.cache_s));
  return longest;
}

/// The plan without what ends streams of the legacy gateway, and with this in the step of the last update of DNS.
Plan ending_with_dns(const Plan& plan, Verb verb) {
  auto changed = plan;
  (void)take_out(changed, of_verbs({Verb::drain_streams, Verb::stop_legacy_gateway}));
  const auto repoints = [](const PlanStep& step) {
    return std::ranges::any_of(step.operations, [](const auto& one) { return one.verb == Verb::repoint; });
  };
  const auto step = std::find_if(changed.steps.rbegin(), changed.steps.rend(), repoints);
  step->operations.push_back({verb, "", ""});
  return changed;
}

/// Whoever has a stream or a record that leads to the legacy gateway writes to it until that ends, and may not hear of
/// a refusal; from a gateway that is down he hears.
void legacy_ends_with_dns(const Plan& plan, const std::vector<TimedOperation>& operations, Changes& changes) {
  const auto last = last_of(operations, Verb::repoint);
  if (!last) return;
  changes.push_back({"Stop the legacy gateway in the step that updates DNS (to go back, start it)",
                     ending_with_dns(plan, Verb::stop_legacy_gateway)});
  auto drained = ending_with_dns(plan, Verb::drain_streams);
  const auto cached = cached_at_most(plan, operations);
  insert_behind(drained, "Drain again what old records brought", *last + cached, {{Verb::drain_streams, "", ""}});
  changes.push_back({fmt::format("Close the open streams of the legacy gateway in the step that updates DNS, and again "
                                 "{} later, when no resolver has the old record",
                                 words_of(cached)),
                     std::move(drained)});
}

/// lync-facts 1.2.5, 1.2.6: partners and DNS only behind the last user.
void users_first(const Plan& plan, const std::vector<TimedOperation>& operations, Changes& changes) {
  const auto last = last_of(operations, Verb::move_users);
  const auto partner = first_of(operations, Verb::allow_partner), dns = first_of(operations, Verb::repoint);
  if (!last) return;
  const bool early = (partner && *partner < *last) || (dns && *dns < *last);
  if (!early) return;
  auto changed = plan;
  const auto taken = take_out(changed, of_verbs({Verb::allow_partner, Verb::repoint}));
  insert_behind(changed, "Configure the partners and update DNS", *last + ahead, taken);
  changes.push_back({"Configure partners and update DNS only when the last user has moved", std::move(changed)});
}

/// Everything that may be there before a partner is configured.
void prepare_first(const Plan& plan, const std::vector<TimedOperation>& operations, Changes& changes) {
  static const std::set<Verb> preparing{Verb::set_policy,         Verb::grant_policy, Verb::allow_federated_users,
                                        Verb::assign_certificate, Verb::restart_edge, Verb::tick_xmpp,
                                        Verb::set_route,          Verb::publish,      Verb::set_up_edge,
                                        Verb::set_up_front_end};
  std::optional<Seconds> first;
  for (const auto& one : operations) {
    const bool cuts = one.operation.verb == Verb::allow_partner || one.operation.verb == Verb::repoint;
    if (cuts && (!first || one.at < *first)) first = one.at;
  }
  if (!first) return;
  const bool late = std::ranges::any_of(operations, [&](const TimedOperation& one) {
    return preparing.contains(one.operation.verb) && one.at >= *first;
  });
  if (!late) return;
  auto changed = plan;
  const auto taken = take_out(changed, of_verbs(preparing));
  insert(changed, "Prepare policies, certificate, route and set-up", *first - ahead, taken);
  changes.push_back({"Do policies, certificate, topology, route and set-up before the first partner is configured",
                     std::move(changed)});
}

void legacy_last(const Plan& plan, const std::vector<TimedOperation>& operations, Changes& changes) {
  static const std::set<Verb> ending{Verb::stop_legacy_gateway, Verb::stop_legacy_edge, Verb::remove_legacy_route};
  if (std::ranges::none_of(operations, [](const auto& one) { return ending.contains(one.operation.verb); })) return;
  auto changed = plan;
  const auto taken = take_out(changed, of_verbs(ending));
  std::uint32_t ttl = 0;
  for (const auto& [domain, seconds] : plan.estate.start.ttl_s) ttl = std::max(ttl, seconds);
  insert_behind(changed, "Take the legacy gateway out of service", operations.back().at + Seconds(ttl) + ahead, taken);
  changes.push_back({"Keep the legacy gateway until every cache of the old record has expired", std::move(changed)});
}

// Remedies by cause.

/// Before the first operation that cuts anybody off, or at the start.
Seconds before_partners(const std::vector<TimedOperation>& operations) {
  const auto first = first_of(operations, Verb::allow_partner);
  return first.value_or(operations.empty() ? Seconds(0) : operations.back().at) - ahead;
}

std::string edge_in_use(const Plan& plan) {
  for (const auto& step : plan.steps) {
    for (const auto& operation : step.operations) {
      if (operation.verb == Verb::set_route && operation.subject != "-") return operation.subject;
    }
  }
  if (!plan.estate.start.configuration.xmpp_route.empty()) return plan.estate.start.configuration.xmpp_route;
  return plan.estate.start.edges.empty() ? "" : plan.estate.start.edges.begin()->first;
}

void inserted(const Plan& plan, const std::vector<TimedOperation>& operations, const std::string& what,
              std::vector<Operation> added, Changes& changes) {
  auto changed = plan;
  insert(changed, what, before_partners(operations), added);
  auto behind = plan;
  insert_behind(behind, what, operations.empty() ? Seconds(0) : operations.back().at, std::move(added));
  changes.push_back({what, std::move(changed)});
  changes.push_back({what + " (at the end)", std::move(behind)});
}

/// How strong the weaker direction of a row is with that partner, and how few of its settings differ from `now`.
std::pair<int, int> worth_of(const negotiation::ProductRow& row, const Partner& partner, const AllowedPartner& now) {
  const auto ours = negotiation::side_of(row);
  const auto out = negotiation::predict(ours, partner.side).method,
             in = negotiation::predict(partner.side, ours).method;
  const int same = (row.tls == use_of(now.tls_negotiation)) + (row.sasl == use_of(now.sasl_negotiation)) +
                   (row.dialback == now.support_dialback_negotiation);
  return {static_cast<int>(std::min(out, in)), same};
}

void better_row(const Plan& plan, const std::string& domain, Changes& changes) {
  const auto now = plan.estate.rows.find(domain);
  const auto partner = plan.estate.partners.find(domain);
  if (now == plan.estate.rows.end() || partner == plan.estate.partners.end()) return;
  const auto rows = negotiation::product_rows();
  const auto best =
      std::ranges::max_element(rows, {}, [&](const auto& row) { return worth_of(row, partner->second, now->second); });
  if (worth_of(*best, partner->second, now->second).first == 0) return;
  auto changed = plan;
  auto& row = changed.estate.rows.at(domain);
  row.tls_negotiation = static_cast<reference::Negotiation>(best->tls);
  row.sasl_negotiation = static_cast<reference::Negotiation>(best->sasl);
  row.support_dialback_negotiation = best->dialback;
  changes.push_back({fmt::format("Configure {} with {}", domain, negotiation::words_of(*best)), std::move(changed)});
}

void listed_too(const Plan& plan, const std::string& domain, Changes& changes) {
  if (!plan.estate.rows.contains(domain)) return;
  auto changed = plan;
  auto& row = changed.estate.rows.at(domain);
  for (const auto& further : plan.estate.partners.at(domain).further_domains) {
    if (std::ranges::find(row.additional_domains, further) == row.additional_domains.end())
      row.additional_domains.push_back(further);
  }
  changes.push_back({fmt::format("List every domain of {} as an additional domain", domain), std::move(changed)});
}

void better_certificate(const Plan& plan, Changes& changes) {
  auto changed = plan;
  std::set<std::string> used;
  for (const auto& step : plan.steps) {
    for (const auto& operation : step.operations) {
      if (operation.verb == Verb::assign_certificate) used.insert(operation.value);
    }
  }
  for (const auto& name : used) {
    if (!changed.estate.certificates.contains(name)) continue;
    auto& certificate = changed.estate.certificates.at(name);
    certificate.fault = Certificate::Fault::none;
    certificate.client_usage = true;
    for (const auto& domain : plan.estate.start.sip_domains) {
      if (!covers(certificate, domain)) certificate.names.push_back(domain);
    }
  }
  changes.push_back(
      {fmt::format(
           "Request the certificate of the edge again, by a public authority, with client authentication and the "
           "bare names {}",
           fmt::join(plan.estate.start.sip_domains, ", ")),
       std::move(changed)});
}

std::vector<Operation> granted(const Plan& plan) {
  std::vector<Operation> all{{Verb::set_policy, "XmppAccess", "both"}};
  for (const auto& [name, users] : plan.estate.start.users) all.push_back({Verb::grant_policy, name, "XmppAccess"});
  return all;
}

void remedy(Cause cause, const Lane& lane, const Plan& plan, const std::vector<TimedOperation>& operations,
            Changes& changes) {
  const auto edge = edge_in_use(plan);
  const auto add = [&](const std::string& what, std::vector<Operation> added) {
    inserted(plan, operations, what, std::move(added), changes);
  };
  switch (cause) {
    case Cause::flag_not_ticked:
    case Cause::not_published:
    case Cause::proxy_not_installed:
    case Cause::gateway_not_installed:
      return add("Enable XMPP in the topology of the edge pool, publish, and run set-up on edge and front ends",
                 {{Verb::tick_xmpp, edge, "on"},
                  {Verb::publish, "", ""},
                  {Verb::set_up_edge, edge, ""},
                  {Verb::set_up_front_end, "", ""}});
    case Cause::route_not_set:
    case Cause::route_elsewhere:
      return add("Set the XMPP route of the site to the edge pool that the SRV record names",
                 {{Verb::set_route, edge, ""}});
    case Cause::services_stopped:
      return add("Start the services of the edge pool", {{Verb::start_edge, edge, ""}});
    case Cause::certificate_not_live:
      return add("Restart the services of the edge pool when the certificate is assigned",
                 {{Verb::restart_edge, edge, ""}});
    case Cause::certificate_missing:
      if (plan.estate.certificates.empty()) return;
      return add(
          "Assign a certificate to the edge pool and restart it",
          {{Verb::assign_certificate, edge, plan.estate.certificates.begin()->first}, {Verb::restart_edge, edge, ""}});
    case Cause::federation_switch_off:
      return add("Allow federated users", {{Verb::allow_federated_users, "on", ""}});
    case Cause::policy_absent:
    case Cause::policy_without_federation:
      return add("Grant every user a policy that allows federation and XMPP", granted(plan));
    case Cause::partner_not_allowed:
      if (!plan.estate.rows.contains(lane.partner)) return;
      return add(fmt::format("Configure {} on the new side", lane.partner), {{Verb::allow_partner, lane.partner, ""}});
    case Cause::srv_missing: {
      std::vector<Operation> records;
      for (const auto& domain : plan.estate.start.sip_domains) records.push_back({Verb::repoint, domain, edge});
      return add("Publish an SRV record for every SIP domain", std::move(records));
    }
    case Cause::name_missing:
    case Cause::wildcard_only:
    case Cause::certificate_expired:
    case Cause::authority_untrusted:
    case Cause::client_usage_missing:
    case Cause::external_fails_and_closes:
      return better_certificate(plan, changes);
    case Cause::row_invalid:
    case Cause::we_require_tls:
    case Cause::partner_requires_tls:
    case Cause::no_common_method:
    case Cause::partner_is_not_proved:
    case Cause::partner_without_version:
      return better_row(plan, lane.partner, changes);
    case Cause::domain_not_listed:
      return listed_too(plan, lane.partner, changes);
    case Cause::firewall_in:
      return add("Open 5269 to the edge", {{Verb::open_firewall, edge, "in"}});
    case Cause::firewall_out:
      return add("Open 5269 from the edge to any", {{Verb::open_firewall, edge, "out"}});
    case Cause::gateway_stopped:
      return add("Start the XMPP gateway of the front ends", {{Verb::start_gateway, "", ""}});
    default:
      return;
  }
}

void remedies(const Rehearsal& rehearsal, const std::vector<TimedOperation>& operations, Changes& changes) {
  std::set<std::pair<Cause, std::string>> seen;
  for (const auto& lane : rehearsal.timeline.lanes) {
    for (const auto& segment : lane.segments) {
      if (segment.outcome.kind == Kind::works) continue;
      if (seen.emplace(segment.outcome.cause, lane.partner).second)
        remedy(segment.outcome.cause, lane, rehearsal.plan, operations, changes);
    }
  }
}

}  // namespace

std::vector<Proposal> proposals_for(const Rehearsal& rehearsal) {
  const auto operations = schedule(rehearsal.plan);
  const auto before = cost_of(rehearsal.timeline);
  Changes changes;
  for (auto* change :
       {lower_ttls, partners_with_dns, dns_at_once, legacy_ends_with_dns, users_first, prepare_first, legacy_last})
    change(rehearsal.plan, operations, changes);
  remedies(rehearsal, operations, changes);
  std::vector<Proposal> better;
  std::set<std::string> named;
  for (auto& [what, plan] : changes) {
    if (!named.insert(what).second) continue;
    try {
      const auto after = cost_of(timeline_of(plan));
      if (after < before) better.push_back({what, before, after, std::move(plan)});
    } catch (const OperationError&) {  // an order that cannot be carried out is no proposal
      continue;
    }
  }
  std::ranges::stable_sort(better, {}, &Proposal::cost_after);
  return better;
}

Improvement improve(const Rehearsal& rehearsal, std::vector<Proposal> proposals) {
  constexpr std::size_t changes_max = 24;
  Improvement made{.rehearsal = rehearsal};
  while (!proposals.empty() && made.taken.size() < changes_max) {
    made.rehearsal = rehearse(proposals.front().plan);
    made.taken.push_back(std::move(proposals.front()));
    proposals = proposals_for(made.rehearsal);
  }
  return made;
}

}  // namespace cutover::harness::migration
