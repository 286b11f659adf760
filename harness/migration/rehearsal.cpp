// What a plan brings about, and how one gets back from each of its steps.
#include "harness/migration/rehearsal.h"

#include "harness/migration/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace cutover::harness::migration {

namespace {

TimelineOptions options_of(const Plan& plan) { return {.quiet_within = plan.quiet_within, .readings = plan.readings}; }

std::string joined(const std::vector<std::string>& names, std::size_t shown = 4) {
  if (names.size() <= shown) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more",
                     fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                     names.size() - shown);
}

std::string direction(Way way) { return way == Way::to_partner ? "to" : "from"; }

/// Lanes that fail alike at the same time are one window.
class Windows {
 public:
  void add(const Lane& lane, const Segment& segment) {
    const auto& outcome = segment.outcome;
    auto& alike = by_key_[{segment.from, segment.to, lane.way, segment.certain, outcome.kind, outcome.cause}];
    for (const auto number : alike) {
      if (joins(made_[number], lane)) return;
    }
    alike.push_back(made_.size());
    made_.push_back(
        {segment.from, segment.to, outcome, segment.certain, lane.way, {lane.partner}, lane.classes, lane.users});
  }
  std::vector<Window> finish() {
    std::ranges::stable_sort(made_, {}, &Window::from);
    return std::move(made_);
  }

 private:
  static bool joins(Window& window, const Lane& lane) {
    const bool known = std::ranges::find(window.partners, lane.partner) != window.partners.end();
    if (window.classes == lane.classes) {
      if (!known) window.partners.push_back(lane.partner);
      return true;
    }
    if (!known || window.partners.size() != 1) return false;
    window.classes.insert(window.classes.end(), lane.classes.begin(), lane.classes.end());
    window.users += lane.users;
    return true;
  }

  std::vector<Window> made_;
  std::map<std::tuple<Seconds, Seconds, Way, bool, Kind, Cause>, std::vector<std::size_t>> by_key_;
};

std::vector<Window> windows_of(const Timeline& timeline) {
  Windows windows;
  for (const auto& lane : timeline.lanes) {
    for (const auto& segment : lane.segments) {
      if (segment.outcome.kind != Kind::works) windows.add(lane, segment);
    }
  }
  return windows.finish();
}

/// When everything that worked at the start works again and goes on; nothing where that never is.
std::optional<Seconds> whole_from(const Timeline& timeline) {
  Seconds whole{};
  for (const auto& lane : timeline.lanes) {
    if (!worked_before(lane)) continue;
    if (lane.segments.back().outcome.kind != Kind::works) return std::nullopt;
    for (const auto& segment : lane.segments) {
      if (segment.outcome.kind != Kind::works) whole = std::max(whole, segment.to);
    }
  }
  return whole;
}

std::vector<std::string> broken_at(const Timeline& timeline, Seconds at) {
  std::vector<std::string> broken;
  for (const auto& lane : timeline.lanes) {
    const auto& now = segment_at(lane, at).outcome;
    if (now.kind == Kind::works || !worked_before(lane)) continue;
    broken.push_back(
        fmt::format("{} {} {}: {}", joined(lane.classes), direction(lane.way), lane.partner, words_of(now)));
  }
  return broken;
}

/// One operation with what belongs to it in the state before it.
struct Done {
  TimedOperation timed;
  std::vector<std::string> commands;
  std::vector<Operation> undo;
};

std::vector<Done> carry_out(const Estate& estate, const std::vector<TimedOperation>& operations) {
  std::vector<Done> done;
  done.reserve(operations.size());
  auto state = estate.start;
  for (const auto& one : operations) {
    done.push_back({one, commands_of(one.operation, estate, state), undo_of(one.operation, estate, state)});
    apply(one.operation, estate, state);
  }
  return done;
}

/// Nothing is gained by taking back what nobody minds.
bool worth_undoing(Verb verb) {
  return verb != Verb::publish && verb != Verb::replicate && verb != Verb::set_up_edge &&
         verb != Verb::set_up_front_end && verb != Verb::drain_streams && verb != Verb::restart_edge &&
         verb != Verb::deploy_edge && verb != Verb::deploy_pool && verb != Verb::set_ttl;
}

/// What cuts somebody off by itself; the rest can stay where it is (lync-facts 1.6: the partner leaves the list, the
/// record and the gateway's service come back, and users who have moved have the legacy path again).
bool cuts(Verb verb) {
  static const std::set<Verb> verbs{Verb::repoint,          Verb::allow_partner,       Verb::remove_partner,
                                    Verb::stop_legacy_edge, Verb::start_legacy_edge,   Verb::stop_legacy_gateway,
                                    Verb::add_legacy_route, Verb::remove_legacy_route, Verb::start_legacy_gateway,
                                    Verb::set_route};
  return verbs.contains(verb);
}

/// Whether an operation was carried out when a step has ended: its own and all before it, and those of steps beside it.
bool is_past(const TimedOperation& one, const Gate& gate) { return one.step <= gate.step || one.at < gate.at; }

/// Takes back what `wanted` says: the last first, but DNS before all, for its caches take longest.
std::vector<Operation> way_back(const std::vector<Done>& done, const Gate& gate, bool (*wanted)(Verb)) {
  std::vector<Operation> dns, rest;
  for (std::size_t i = done.size(); i-- > 0;) {
    const auto& one = done[i];
    if (!is_past(one.timed, gate) || !wanted(one.timed.operation.verb)) continue;
    std::ranges::copy(one.undo, std::back_inserter(one.timed.operation.verb == Verb::repoint ? dns : rest));
  }
  dns.insert(dns.end(), rest.begin(), rest.end());
  return dns;
}

/// Rehearses a way back from a moment.
void rehearse_return(const Plan& plan, const std::vector<Done>& done, std::vector<Operation> back, Gate& gate) {
  std::vector<TimedOperation> until;
  for (const auto& one : done) {
    if (is_past(one.timed, gate)) until.push_back(one.timed);
  }
  const auto begin = gate.at + Seconds(1);
  for (const auto& operation : back) until.push_back({begin, begin, operation, gate.step + 1});
  const auto whole = whole_from(timeline_of(plan.estate, until, options_of(plan)));
  gate.back = std::move(back);
  gate.returns = whole.has_value();
  gate.whole_again = std::max(Seconds(0), whole.value_or(begin) - begin);
}

Seconds end_of(const PlanStep& step) { return step.at + step.takes; }

std::vector<Gate> gates_of(const Plan& plan, const std::vector<TimedOperation>& operations, const Timeline& timeline) {
  const auto done = carry_out(plan.estate, operations);
  std::vector<Gate> gates;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    Gate gate{.step = i, .at = end_of(plan.steps[i])};
    for (const auto& one : done) {
      if (one.timed.step != i) continue;
      std::ranges::copy(one.commands, std::back_inserter(gate.commands));
      std::ranges::copy(checks_of(one.timed.operation, plan.estate), std::back_inserter(gate.checks));
    }
    gate.broken = broken_at(timeline, gate.at);
    rehearse_return(plan, done, way_back(done, gate, cuts), gate);
    if (!gate.returns) rehearse_return(plan, done, way_back(done, gate, worth_undoing), gate);
    gates.push_back(std::move(gate));
  }
  return gates;
}

/// From here on going on is sooner whole than going back.
std::size_t point_of_no_return(const std::vector<Gate>& gates, const Timeline& timeline) {
  const auto whole = whole_from(timeline);
  for (const auto& gate : gates) {
    if (!gate.returns) return gate.step;
    if (whole && !gate.broken.empty() && *whole > gate.at && gate.whole_again > *whole - gate.at) return gate.step;
  }
  return gates.size();
}

/// What objects to a plan, over all partners and users to whom it happens in one direction.
struct Objection {
  bool in_the_end = false, certain = true;
  Way way = Way::to_partner;
  Outcome outcome;
  Seconds from{}, longest{};
  std::vector<std::string> partners, classes;
};

bool is_silent(const Outcome& outcome) { return outcome.kind == Kind::black_holed || outcome.kind == Kind::lost; }

void add_missing(std::vector<std::string>& all, const std::vector<std::string>& more) {
  for (const auto& one : more) {
    if (std::ranges::find(all, one) == all.end()) all.push_back(one);
  }
}

void object(std::vector<Objection>& all, Objection one) {
  const auto same = std::ranges::find_if(all, [&](const Objection& other) {
    return other.in_the_end == one.in_the_end && other.way == one.way && other.outcome.kind == one.outcome.kind &&
           other.outcome.cause == one.outcome.cause;
  });
  if (same == all.end()) return all.push_back(std::move(one));
  same->certain = same->certain && one.certain;
  same->from = std::min(same->from, one.from);
  same->longest = std::max(same->longest, one.longest);
  add_missing(same->partners, one.partners);
  add_missing(same->classes, one.classes);
}

void object_to(const Plan& plan, const Lane& lane, std::vector<Objection>& objections) {
  const auto& last = lane.segments.back();
  const auto said = [&](bool in_the_end, Seconds from, const Outcome& outcome, Seconds lasts, bool certain) {
    object(objections, {.in_the_end = in_the_end,
                        .certain = certain,
                        .way = lane.way,
                        .outcome = outcome,
                        .from = from,
                        .longest = lasts,
                        .partners = {lane.partner},
                        .classes = lane.classes});
  };
  if (!worked_before(lane)) {
    if (last.outcome.kind != Kind::works && last.outcome.cause != lane.before.cause)
      said(true, last.from, last.outcome, {}, true);
    return;
  }
  for (const auto& outage : outages_of(lane)) {
    const auto lasts = outage.to - outage.from;
    if (outage.to == last.to)
      said(true, outage.from, last.outcome, {}, true);
    else if (lasts > plan.budget || is_silent(outage.worst->outcome))
      said(false, outage.from, outage.worst->outcome, lasts, outage.certain);
  }
}

std::string in_words(const Objection& one, const State& state) {
  std::uint64_t users = 0;
  for (const auto& name : one.classes) users += state.users.at(name).count;
  const bool several = one.partners.size() > 1 || one.classes.size() > 1;
  const auto when = one.in_the_end ? std::string("in the end")
                                   : fmt::format("for {}{}{}", several ? "up to " : "", words_of(one.longest),
                                                 one.certain ? "" : " at worst");
  return fmt::format("{}, {} ({} users) {} {}: {}", when, joined(one.classes), users, direction(one.way),
                     joined(one.partners), words_of(one.outcome));
}

std::vector<Objection> objections_to(const Plan& plan, const Timeline& timeline) {
  std::vector<Objection> objections;
  for (const auto& lane : timeline.lanes) object_to(plan, lane, objections);
  return objections;
}

std::vector<std::string> surprises_of(const Rehearsal& rehearsal) {
  const auto& [go, causes] = rehearsal.plan.expect;
  std::vector<std::string> surprises;
  const auto word = [](bool yes) { return yes ? "go" : "no-go"; };
  if (go && *go != rehearsal.go())
    surprises.push_back(fmt::format("it is a {}, and the plan expects {}", word(rehearsal.go()), word(*go)));
  for (const auto cause : causes) {
    const bool met =
        std::ranges::any_of(rehearsal.windows, [&](const Window& window) { return window.outcome.cause == cause; });
    if (!met)
      surprises.push_back(fmt::format("nobody loses anything for {}, which the plan expects", text_of(cause).id));
  }
  return surprises;
}

bool carried_by(const Timeline& timeline, Path path) {
  return std::ranges::any_of(timeline.lanes, [&](const Lane& lane) {
    const auto& last = lane.segments.back().outcome;
    return last.kind == Kind::works && last.path == path;
  });
}

/// No topic of the documents takes the legacy side away (1.6): what is there still, a sentence with its remedy each.
std::vector<std::string> leftovers_of(const Timeline& timeline) {
  std::vector<std::string> all;
  if (carried_by(timeline, Path::legacy) || !carried_by(timeline, Path::current)) return all;
  const auto& legacy = timeline.last.legacy;
  for (const auto& [domain, record] : timeline.last.srv) {
    if (std::ranges::find(record, legacy_gateway_box, &SrvTarget::box) != record.end())
      all.push_back(fmt::format("the SRV record of {} still names the legacy gateway: change it", domain));
  }
  if (legacy.gateway_runs) all.emplace_back("the legacy gateway still runs: stop its service, and disable it");
  std::vector<std::string> routes;
  std::ranges::copy_if(legacy.routes, std::back_inserter(routes),
                       [&](const auto& domain) { return listed(timeline.last.configuration, domain) != nullptr; });
  if (!routes.empty())
    all.push_back(
        fmt::format("allowed SIP domains still lead to the legacy gateway: Remove-CsAllowedDomain {}", joined(routes)));
  return all;
}

/// The step that had begun last.
std::size_t step_at(const Plan& plan, Seconds at) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (plan.steps[i].at <= at) found = i;
  }
  return found;
}

}  // namespace

std::vector<TimedOperation> schedule(const Plan& plan) {
  std::vector<TimedOperation> all;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& step = plan.steps[i];
    const auto count = static_cast<std::int64_t>(step.operations.size());
    for (std::int64_t j = 0; j < count; ++j) {
      const auto share = [&](std::int64_t part) { return step.at + Seconds(step.takes.count() * part / count); };
      all.push_back({share(j), share(j + 1), step.operations[static_cast<std::size_t>(j)], i});
    }
  }
  std::ranges::stable_sort(all, {}, &TimedOperation::at);
  return all;
}

Timeline timeline_of(const Plan& plan) { return timeline_of(plan.estate, schedule(plan), options_of(plan)); }

Rehearsal rehearse(const Plan& plan) {
  Rehearsal made{.plan = plan};
  const auto operations = schedule(plan);
  made.timeline = timeline_of(plan.estate, operations, options_of(plan));
  made.windows = windows_of(made.timeline);
  made.gates = gates_of(plan, operations, made.timeline);
  made.no_return = point_of_no_return(made.gates, made.timeline);
  for (const auto& one : objections_to(plan, made.timeline)) {
    const auto words = in_words(one, plan.estate.start);
    made.gates.at(step_at(plan, one.from)).objections.push_back(words);
    made.objections.push_back(words);
  }
  made.surprises = surprises_of(made);
  made.leftovers = leftovers_of(made.timeline);
  return made;
}

std::string words_of(const Window& window) {
  return fmt::format("{} to {} ({}): {} ({} users) {} {}: {}{}", words_of(window.from), words_of(window.to),
                     words_of(window.to - window.from), joined(window.classes), window.users, direction(window.way),
                     joined(window.partners), window.certain ? "" : "at worst ", words_of(window.outcome));
}

}  // namespace cutover::harness::migration
