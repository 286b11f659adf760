// Operations at their moments, messages between them.
#include "harness/deployment/plan_on_the_wire.h"

#include "harness/deployment/on_the_wire.h"
#include "harness/worlds/sim_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace cutover::harness {

namespace {

using namespace migration;

constexpr char partners_user[] = "romeo";

struct Probe {
  Seconds at{};
  const Lane* lane = nullptr;
  const Segment* segment = nullptr;
};

Topology topology_of(const migration::Plan& plan) {
  Topology topology;
  const auto& state = plan.estate.start;
  topology.domain = state.sip_domains.front();
  topology.further_domains.assign(state.sip_domains.begin() + 1, state.sip_domains.end());
  for (const auto& [name, users] : state.users) {
    if (!shown_by_nodes(users, state)) continue;
    topology.users.push_back(name);
    if (users.domain != topology.domain) topology.user_domains[name] = users.domain;
  }
  for (const auto& [domain, partner] : plan.estate.partners) {
    if (!shown_by_nodes(partner)) continue;
    PartnerSpec spec{.domain = domain, .users = {partners_user}};
    spec.side = partner.side;
    topology.partners.push_back(spec);
  }
  return topology;
}

class Carrying {
 public:
  Carrying(const migration::Plan& plan, const departures::Planted& planted)
      : plan_(plan),
        topology_(topology_of(plan)),
        timeline_(
            timeline_of(plan.estate, schedule(plan), {.quiet_within = plan.quiet_within, .readings = plan.readings})),
        world_(choice_, {.latency = 1ms, .jitter_max = {}, .fragment = false}),
        deployment_(world_, {.topology = topology_, .estate = plan.estate, .paper_tls = true, .planted = planted}) {}

  PlanOnTheWire run() {
    deployment_.hold_replication();
    deployment_.bring_up();
    begun_ = world_.now();
    const auto probes = make_probes();
    const auto operations = schedule(plan_);
    auto next = operations.begin();
    std::multimap<Seconds, bool> replications;
    for (const auto& probe : probes) {
      while (true) {
        const bool operation_first = next != operations.end() && next->at <= probe.at;
        const bool replication_first = !replications.empty() && replications.begin()->first <= probe.at &&
                                       (!operation_first || replications.begin()->first <= next->at);
        if (replication_first) {
          advance_to(replications.begin()->first);
          replications.erase(replications.begin());
          deployment_.carry_out({Verb::replicate, "", ""});
        } else if (operation_first) {
          advance_to(next->at);
          carry_out(next->operation);
          replications.emplace(next->at + Seconds(plan_.estate.replication_s), true);
          ++next;
        } else {
          break;
        }
      }
      advance_to(probe.at);
      make(probe);
    }
    return std::move(made_);
  }

 private:
  void advance_to(Seconds at) {
    const auto now = world_.now() - begun_;
    if (now < at) world_.run_for(at - now);
  }

  void carry_out(const Operation& operation) {
    if (shown_by_nodes(operation, plan_.estate)) return deployment_.carry_out(operation);
    made_.left_out.push_back(words_of(operation));
  }

  [[nodiscard]] bool here(const Lane& lane) const {
    const bool partner =
        std::ranges::any_of(topology_.partners, [&](const auto& spec) { return spec.domain == lane.partner; });
    return partner && std::ranges::find(topology_.users, lane.classes.front()) != topology_.users.end();
  }

  std::vector<Probe> make_probes() const {
    std::vector<Probe> probes;
    for (const auto& lane : timeline_.lanes) {
      if (lane.what != What::message || !here(lane)) continue;
      for (const auto& segment : lane.segments)
        probes.push_back({segment.from + (segment.to - segment.from) / 2, &lane, &segment});
    }
    std::ranges::stable_sort(probes, {}, &Probe::at);
    return probes;
  }

  void make(const Probe& probe) {
    const auto& lane = *probe.lane;
    if (lane.way == Way::from_partner) list_contact(deployment_, lane.classes.front(), lane.partner);
    const auto begun = world_.now();
    const auto seen =
        observe(deployment_, {{lane.classes.front(), lane.partner, partners_user, lane.way, What::message}});
    ++made_.exchanges;
    const auto found = felt(seen.front(), world_.now() - begun);
    const auto& expected = probe.segment->outcome;
    const bool works = found.kind == Kind::works;
    const bool expects = expected.kind == Kind::works;
    const bool same = works == expects && (!works || !probe.segment->one_path || found.path == expected.path);
    if (same || !probe.segment->certain) return;
    made_.otherwise.push_back(fmt::format("at {}, {} {} {}: {} expected, and it is: {}{}", words_of(probe.at),
                                          lane.classes.front(), name_of(lane.way), lane.partner, words_of(expected),
                                          words_of(found),
                                          seen.front().told.empty() ? "" : " (" + seen.front().told + ")"));
  }

  const migration::Plan& plan_;
  Topology topology_;
  Timeline timeline_;
  Undisturbed choice_;
  SimWorld world_;
  Deployment deployment_;
  Time begun_;
  PlanOnTheWire made_;
};

}  // namespace

PlanOnTheWire held_against_wire(const migration::Plan& plan, const departures::Planted& planted) {
  return Carrying(plan, planted).run();
}

}  // namespace cutover::harness
