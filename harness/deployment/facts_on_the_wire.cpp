// One deployment a fact: the class of users has one user, the partner one server.
#include "harness/deployment/facts_on_the_wire.h"

#include "harness/deployment/exchange.h"
#include "harness/deployment/on_the_wire.h"
#include "harness/worlds/sim_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace cutover::harness {

namespace {

using namespace migration;

/// The users of a class that the pools of this deployment can home.
bool homed_here(const Facts& facts, const Fact& fact) {
  return std::ranges::all_of(fact.exchanges, [&](const auto& exchange) {
    const auto& users = facts.estate.start.users.at(exchange.user_class);
    return shown_by_nodes(users, facts.estate.start);
  });
}

bool names(const Fact& fact, Cause cause) {
  return std::ranges::find(fact.expected.causes, cause) != fact.expected.causes.end();
}

bool presence_one_way(const Facts&, const Fact& fact) {
  const auto& kinds = fact.expected.kinds;
  const bool works = std::ranges::find(kinds, Kind::works) != kinds.end();
  return works && fact.exchanges.size() == 1 && fact.exchanges.front().what == What::presence;
}

bool note_hidden(const Facts& facts, const Fact& fact) {
  const auto& row = fact.configured_as ? *fact.configured_as : facts.estate.rows.at(fact.partner);
  return row.partner_type != PartnerType::federated &&
         std::ranges::find(fact.expected.kinds, Kind::works) != fact.expected.kinds.end() &&
         fact.expected.path == Path::current &&
         std::ranges::any_of(fact.exchanges, [](const auto& one) { return one.what == What::presence; });
}

bool is_open(Cause cause) { return cause == Cause::domain_not_listed || cause == Cause::legacy_route_missing; }

/// The steps of the document without the operations that are the fact's own.
std::vector<Operation> steps_of(const Facts& facts, const Fact& fact) {
  auto all = operations_of(facts, fact);
  all.resize(all.size() - fact.operations.size());
  return all;
}

/// Where packets vanish, or nobody answers, the sender is not told within some round trips. A request of dialback that
/// is to be ignored may as well be answered by an error (XEP-0220 section 2.4).
bool was_waited_for(const Expected& expected, const Outcome& found) {
  constexpr Duration round_trips = 1s;
  const auto& causes = expected.causes;
  return found.after > round_trips || std::ranges::find(causes, Cause::no_common_method) != causes.end();
}

/// Cause and method are not on the wire, nor how long who refuses takes for it. Nobody need be told of a subscription
/// that leads nowhere. Who was told success and nothing else since was not refused.
bool agrees(const Expected& expected, const Outcome& found, What what, bool told_late) {
  const bool told = found.kind == Kind::refused || found.kind == Kind::bounced;
  return std::ranges::any_of(expected.kinds, [&](Kind kind) {
    if (kind == Kind::works)
      return found.kind == Kind::works && (expected.path == Path::none || expected.path == found.path);
    if (what == What::presence) return found.kind != Kind::works;
    if (kind == Kind::bounced) return told && was_waited_for(expected, found);
    if (kind == Kind::refused) return told && !told_late;
    return kind == found.kind;
  });
}

class OneFact {
 public:
  OneFact(const Facts& facts, const Fact& fact, const departures::Planted& planted)
      : facts_(facts), fact_(fact), world_(choice_, {.latency = 1ms, .jitter_max = {}, .fragment = false}) {
    auto estate = facts.estate;
    estate.start.generation = fact.generation;
    if (fact.configured_as) estate.rows[fact.partner] = *fact.configured_as;
    const auto& exchange = fact.exchanges.front();
    auto topology = topology_of(estate, {exchange.user_class}, {exchange.remote_domain});
    deployment_ = std::make_unique<Deployment>(
        world_,
        DeploymentOptions{
            .topology = std::move(topology), .estate = std::move(estate), .paper_tls = true, .planted = planted});
  }

  std::string run() {
    deployment_->hold_replication();
    deployment_->bring_up();
    // What was open before the first step was opened to the legacy gateway.
    const bool ours_to_legacy = fact_.our_stream_open && fact_.expected.path == Path::legacy;
    if (fact_.open_stream == legacy_gateway_box) open_stream(Way::from_partner);
    if (ours_to_legacy) open_stream(Way::to_partner);
    for (const auto& operation : steps_of(facts_, fact_)) deployment_->carry_out(operation);
    if (!fact_.open_stream.empty() && fact_.open_stream != legacy_gateway_box)
      open_stream_to(fact_.open_stream, Way::from_partner);
    if (fact_.our_stream_open && !ours_to_legacy)
      open_stream_to(deployment_->state().configuration.xmpp_route, Way::to_partner);
    for (const auto& operation : fact_.operations) deployment_->carry_out(operation);
    if (!fact_.seen_record.empty()) deployment_->answer_with(our_domain(), facts_.estate.records.at(fact_.seen_record));
    const bool at_times = std::ranges::find(fact_.expected.kinds, Kind::works_at_times) != fact_.expected.kinds.end();
    for (const auto& exchange : fact_.exchanges) {
      if (exchange.way == Way::from_partner && exchange.contact_listed)
        list_contact(*deployment_, exchange.user_class, exchange.remote_domain);
      auto words = at_times ? made_by_turns(exchange) : made(exchange);
      if (!words.empty()) return words;
    }
    return {};
  }

  Trace& trace() { return world_.trace(); }

 private:
  [[nodiscard]] const std::string& our_domain() const {
    return facts_.estate.start.users.at(fact_.exchanges.front().user_class).domain;
  }

  Observation observed(const migration::Exchange& exchange) {
    const auto what = exchange.what;
    return observe(*deployment_, {{exchange.user_class, exchange.remote_domain, partners_user, exchange.way, what}})
        .front();
  }

  void open_stream(Way way) {
    auto exchange = fact_.exchanges.front();
    exchange.way = way;
    exchange.what = What::message;
    (void)observed(exchange);
    deployment_->partner(exchange.remote_domain).resolver().flush_cache();  // the stream is open, nothing else is kept
  }

  /// To a box that our record does not name: as by one of other times.
  void open_stream_to(const std::string& box, Way way) {
    deployment_->answer_with(our_domain(), {SrvTarget{.box = box}});
    open_stream(way);
    deployment_->answer_with(our_domain(), deployment_->state().srv.at(our_domain()));
  }

  std::string made(const migration::Exchange& exchange) {
    const auto begun = world_.now();
    const auto seen = observed(exchange);
    const auto found = felt(seen, world_.now() - begun);
    if (agrees(fact_.expected, found, exchange.what, seen.told_late) && came_once_at_most(seen)) return {};
    return migration::contradiction(facts_, fact_, exchange, found) + besides(seen);
  }

  static bool came_once_at_most(const Observation& seen) { return seen.copies <= 1 && !seen.both_paths; }

  static std::string besides(const Observation& seen) {
    std::string words = seen.told.empty() ? "" : " (told: " + seen.told + ")";
    if (seen.copies > 1) words += fmt::format(" ({} times)", seen.copies);
    return seen.both_paths ? words + " (across the legacy and the new side)" : words;
  }

  /// Every box that the exchange may meet, one after the other: some carry it, some do not, and there the sender is
  /// told. Which ones the fact does not say, but its state does.
  std::string made_by_turns(const migration::Exchange& exchange) {
    const auto& contact =
        deployment_->user(exchange.user_class).contact(fmt::format("sip:{}@{}", partners_user, exchange.remote_domain));
    // Streams end between the turns, and a contact that was just asked has to have answered by then.
    (void)world_.run_until([&] { return contact.state == "active" || contact.state == "terminated"; }, 1s);
    std::optional<Outcome> carried, failed;
    for (const auto& node : boxes()) {
      deployment_->lead_partners_to(node);
      if (exchange.way == Way::to_partner) deployment_->lead_gateway_to(node);
      deployment_->settle();
      const auto begun = world_.now();
      const auto seen = observed(exchange);
      const auto found = felt(seen, world_.now() - begun);
      const bool works = found.kind == Kind::works;
      const bool otherwise = works != carries(exchange) || (works && found.path != fact_.expected.path);
      if (otherwise || found.kind == Kind::black_holed || !came_once_at_most(seen))
        return migration::contradiction(facts_, fact_, exchange, found) + besides(seen) + " (by " + node + ")";
      (works ? carried : failed) = found;
    }
    deployment_->lead_partners_to("");
    deployment_->lead_gateway_to("");
    deployment_->settle();
    if (carried && failed) return {};
    return migration::contradiction(facts_, fact_, exchange, carried ? *carried : *failed) + " (by every box)";
  }

  /// What the rules make of it where every box but the one that is led to is out of the way.
  [[nodiscard]] bool carries(const migration::Exchange& exchange) const {
    const auto& partner = facts_.estate.partners.at(fact_.partner);
    return outcome_of(deployment_->met(exchange.way), partner, exchange).kind == Kind::works;
  }

  /// Those that our record names, and the members of the pool that has the route.
  [[nodiscard]] std::vector<std::string> boxes() const {
    const auto& state = deployment_->state();
    std::set<std::string> pools{state.configuration.xmpp_route};
    std::vector<std::string> nodes;
    for (const auto& target : state.srv.at(our_domain())) pools.insert(target.box);
    for (const auto& machine : deployment_->machines()) {
      if (pools.contains(machine.pool)) nodes.push_back(machine.node);
    }
    if (pools.contains(std::string(legacy_gateway_box))) nodes.emplace_back(legacy_gateway_box);
    return nodes;
  }

  const Facts& facts_;
  const Fact& fact_;
  Undisturbed choice_;
  SimWorld world_;
  std::unique_ptr<Deployment> deployment_;
};

}  // namespace

std::span<const LeftOut> reasons_to_leave_out() {
  static constexpr std::array reasons{
      LeftOut{"no node carries out an operation of it",
              [](const Facts& facts, const Fact& fact) {
                const auto operations = operations_of(facts, fact);
                return !std::ranges::all_of(operations,
                                            [&](const auto& one) { return shown_by_nodes(one, facts.estate); });
              }},
      LeftOut{
          "its partner has a habit that no mock has",
          [](const Facts& facts, const Fact& fact) { return !shown_by_nodes(facts.estate.partners.at(fact.partner)); }},
      LeftOut{"its users are disabled, or homed on a pool that is not deployed",
              [](const Facts& facts, const Fact& fact) { return !homed_here(facts, fact); }},
      LeftOut{"it holds under a reading for which the deployment does not stand",
              [](const Facts&, const Fact& fact) {
                constexpr Readings of_deployment{.unlisted = Readings::Unlisted::refused};
                const auto readings = readings_of(fact);
                return std::ranges::find(readings, of_deployment) == readings.end();
              }},
      LeftOut{"another may do otherwise than we chose: let in by a wildcard, or whom the edge alone still lists",
              [](const Facts&, const Fact& fact) {
                return fact.standing == Standing::ours &&
                       (names(fact, Cause::wildcard_only) || names(fact, Cause::partner_not_allowed));
              }},
      LeftOut{"whose certificate proves its domain need not be asked about its key (XEP-0220)",
              [](const Facts& facts, const Fact& fact) {
                const auto& side = facts.estate.partners.at(fact.partner).side;
                return names(fact, Cause::firewall_out) && fact.exchanges.front().way == Way::from_partner &&
                       side.tls != negotiation::Tls::none;
              }},
      LeftOut{"a note is no exchange of its own on the wire",
              [](const Facts&, const Fact& fact) {
                return std::ranges::any_of(fact.exchanges, [](const auto& one) { return one.what == What::note; });
              }},
      LeftOut{"presence is told from other presence by its note, which this type of partner is not shown", note_hidden},
      LeftOut{"presence that is carried one way alone is not to be seen: its subscription goes the other way",
              presence_one_way},
      LeftOut{"whoever lets every domain out by the legacy gateway is not at fault for one that nobody listed",
              [](const Facts&, const Fact& fact) { return std::ranges::any_of(fact.expected.causes, is_open); }},
  };
  return reasons;
}

std::string_view why_left_out(const Facts& facts, const Fact& fact) {
  for (const auto& one : reasons_to_leave_out()) {
    if (one.applies(facts, fact)) return one.reason;
  }
  return {};
}

std::string contradiction_on_the_wire(const Facts& facts, const Fact& fact, const departures::Planted& planted,
                                      Trace* trace) {
  OneFact one(facts, fact, planted);
  auto words = one.run();
  if (trace != nullptr) *trace = one.trace();
  return words;
}

}  // namespace cutover::harness
