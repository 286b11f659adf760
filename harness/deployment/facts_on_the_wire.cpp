// One deployment a fact: the class of users has one user, the partner one server.
#include "harness/deployment/facts_on_the_wire.h"

#include "harness/deployment/exchange.h"
#include "harness/deployment/on_the_wire.h"
#include "harness/worlds/sim_world.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness {

namespace {

using namespace migration;

constexpr char partners_user[] = "romeo";

std::vector<Operation> operations_of(const Facts& facts, const Fact& fact) {
  std::vector<Operation> all;
  for (std::size_t step = 0; step < static_cast<std::size_t>(fact.after); ++step) {
    for (const auto& operation : facts.steps.at(step)) {
      if (std::ranges::find(fact.without, operation) == fact.without.end()) all.push_back(operation);
    }
  }
  all.insert(all.end(), fact.operations.begin(), fact.operations.end());
  return all;
}

/// The users of a class that the pools of this deployment can home.
bool homed_here(const Facts& facts, const Fact& fact) {
  return std::ranges::all_of(fact.exchanges, [&](const auto& exchange) {
    const auto& users = facts.estate.start.users.at(exchange.user_class);
    return shown_by_nodes(users, facts.estate.start);
  });
}

Topology topology_of(const Facts& facts, const Fact& fact) {
  Topology topology;
  const auto& domains = facts.estate.start.sip_domains;
  topology.domain = domains.front();
  topology.further_domains.assign(domains.begin() + 1, domains.end());
  const auto& name = fact.exchanges.front().user_class;
  topology.users = {name};
  if (const auto& domain = facts.estate.start.users.at(name).domain; domain != topology.domain)
    topology.user_domains[name] = domain;
  PartnerSpec partner{.domain = fact.exchanges.front().remote_domain, .users = {partners_user}};
  partner.side = facts.estate.partners.at(fact.partner).side;
  topology.partners = {partner};
  return topology;
}

/// Cause and method are not on the wire, and an error that comes late is one: whether it comes is what counts here.
bool agrees(const Expected& expected, const Outcome& found) {
  const bool told = found.kind == Kind::refused || found.kind == Kind::bounced;
  return std::ranges::any_of(expected.kinds, [&](Kind kind) {
    if (kind == Kind::works)
      return found.kind == Kind::works && (expected.path == Path::none || expected.path == found.path);
    const bool expects_told = kind == Kind::refused || kind == Kind::bounced;
    return expects_told ? told : kind == found.kind;
  });
}

class OneFact {
 public:
  OneFact(const Facts& facts, const Fact& fact, const departures::Planted& planted)
      : facts_(facts), fact_(fact), world_(choice_, {.latency = 1ms, .jitter_max = {}, .fragment = false}) {
    auto estate = facts.estate;
    if (fact.configured_as) estate.rows[fact.partner] = *fact.configured_as;
    deployment_ = std::make_unique<Deployment>(
        world_,
        DeploymentOptions{
            .topology = topology_of(facts, fact), .estate = std::move(estate), .paper_tls = true, .planted = planted});
  }

  std::string run() {
    deployment_->hold_replication();
    deployment_->bring_up();
    for (const auto& operation : operations_of(facts_, fact_)) deployment_->carry_out(operation);
    for (const auto& exchange : fact_.exchanges) {
      auto words = made(exchange);
      if (!words.empty()) return words;
    }
    return {};
  }

  Trace& trace() { return world_.trace(); }

 private:
  std::string made(const migration::Exchange& exchange) {
    if (exchange.way == Way::from_partner) list_contact(*deployment_, exchange.user_class, exchange.remote_domain);
    const auto begun = world_.now();
    const auto seen = observe(
        *deployment_, {{exchange.user_class, exchange.remote_domain, partners_user, exchange.way, exchange.what}});
    const auto found = felt(seen.front(), world_.now() - begun);
    if (agrees(fact_.expected, found)) return {};
    return migration::contradiction(facts_, fact_, exchange, found) +
           (seen.front().told.empty() ? "" : " (told: " + seen.front().told + ")");
  }

  const Facts& facts_;
  const Fact& fact_;
  Undisturbed choice_;
  SimWorld world_;
  std::unique_ptr<Deployment> deployment_;
};

}  // namespace

bool shown_by_nodes(const Facts& facts, const Fact& fact) {
  const auto operations = operations_of(facts, fact);
  const bool shown = std::ranges::all_of(
      operations, [&](const Operation& operation) { return shown_by_nodes(operation, facts.estate); });
  const bool plain = fact.seen_record.empty() && fact.open_stream.empty() && !fact.our_stream_open &&
                     fact.generation == Generation::lync2013;
  const bool sent = std::ranges::all_of(
      fact.exchanges, [&](const auto& exchange) { return exchange.what == What::message && exchange.contact_listed; });
  // Whoever lets every domain out by the legacy gateway is not at fault for a domain that nobody listed.
  const auto is_open = [](Cause cause) {
    return cause == Cause::domain_not_listed || cause == Cause::legacy_route_missing;
  };
  const bool closed = std::ranges::none_of(fact.expected.causes, is_open);
  // The deployment stands for the first reading.
  const auto readings = readings_of(fact);
  const bool read = std::ranges::find(readings, Readings()) != readings.end();
  // What is not supported may still be seen to work.
  const bool documented = fact.standing != Standing::ours;
  return shown && plain && sent && closed && read && documented && homed_here(facts, fact) &&
         shown_by_nodes(facts.estate.partners.at(fact.partner));
}

std::string contradiction_on_the_wire(const Facts& facts, const Fact& fact, const departures::Planted& planted,
                                      Trace* trace) {
  OneFact one(facts, fact, planted);
  auto words = one.run();
  if (trace != nullptr) *trace = one.trace();
  return words;
}

}  // namespace cutover::harness
