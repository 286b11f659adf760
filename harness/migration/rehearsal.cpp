// What a plan brings about, and how one gets back from each of its steps.
#include "harness/migration/rehearsal.h"

#include "harness/migration/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

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
void add_window(std::vector<Window>& windows, const Lane& lane, const Segment& segment) {
  for (auto& window : windows) {
    const bool same = window.from == segment.from && window.to == segment.to && window.way == lane.way &&
                      window.certain == segment.certain && window.outcome.kind == segment.outcome.kind &&
                      window.outcome.cause == segment.outcome.cause;
    if (!same) continue;
    const bool known = std::ranges::find(window.partners, lane.partner) != window.partners.end();
    if (known && window.classes == lane.classes) return;
    if (!known && window.classes == lane.classes) return window.partners.push_back(lane.partner);
    if (known && window.partners.size() == 1) {
      window.classes.insert(window.classes.end(), lane.classes.begin(), lane.classes.end());
      window.users += lane.users;
      return;
    }
  }
  windows.push_back(
      {segment.from, segment.to, segment.outcome, segment.certain, lane.way, {lane.partner}, lane.classes, lane.users});
}

std::vector<Window> windows_of(const Timeline& timeline) {
  std::vector<Window> windows;
  for (const auto& lane : timeline.lanes) {
    for (const auto& segment : lane.segments) {
      if (segment.outcome.kind != Kind::works) add_window(windows, lane, segment);
    }
  }
  std::ranges::stable_sort(windows, {}, &Window::from);
  return windows;
}

const Segment* segment_at(const Lane& lane, Seconds at) {
  for (const auto& segment : lane.segments) {
    if (segment.from <= at && at < segment.to) return &segment;
  }
  return nullptr;
}

bool worked_at_start(const Lane& lane) { return lane.segments.front().outcome.kind == Kind::works; }

/// When everything that worked at the start works again and goes on; nothing where that never is.
std::optional<Seconds> whole_from(const Timeline& timeline) {
  Seconds whole{};
  for (const auto& lane : timeline.lanes) {
    if (!worked_at_start(lane)) continue;
    const auto& last = lane.segments.back();
    if (last.outcome.kind != Kind::works) return std::nullopt;
    whole = std::max(whole, last.from);
  }
  return whole;
}

std::vector<std::string> broken_at(const Timeline& timeline, Seconds at) {
  std::vector<std::string> broken;
  for (const auto& lane : timeline.lanes) {
    const auto* now = segment_at(lane, at);
    if (now == nullptr || now->outcome.kind == Kind::works || !worked_at_start(lane)) continue;
    broken.push_back(
        fmt::format("{} {} {}: {}", joined(lane.classes), direction(lane.way), lane.partner, words_of(now->outcome)));
  }
  return broken;
}

/// The state before each operation, so that it can be taken back.
std::vector<State> states_before(const Estate& estate, const std::vector<TimedOperation>& operations) {
  std::vector<State> states;
  states.reserve(operations.size());
  auto state = estate.start;
  for (const auto& one : operations) {
    states.push_back(state);
    apply(one.operation, estate, state);
  }
  return states;
}

/// Nothing is gained by taking back what nobody minds.
bool worth_undoing(Verb verb) {
  return verb != Verb::publish && verb != Verb::replicate && verb != Verb::set_up_edge &&
         verb != Verb::set_up_front_end && verb != Verb::drain_streams && verb != Verb::restart_edge &&
         verb != Verb::deploy_edge && verb != Verb::deploy_pool && verb != Verb::set_ttl;
}

/// Takes back the operations up to and including `step`: the last first, but DNS before all, for its caches take
/// longest.
std::vector<Operation> way_back(const Plan& plan, const std::vector<TimedOperation>& operations,
                                const std::vector<State>& before, std::size_t step) {
  std::vector<Operation> dns, rest;
  for (std::size_t i = operations.size(); i-- > 0;) {
    const auto& one = operations[i];
    if (one.step > step || !worth_undoing(one.operation.verb)) continue;
    auto& list = one.operation.verb == Verb::repoint ? dns : rest;
    std::ranges::copy(undo_of(one.operation, plan.estate, before[i]), std::back_inserter(list));
  }
  dns.insert(dns.end(), rest.begin(), rest.end());
  return dns;
}

/// Rehearses the way back from a moment.
void rehearse_return(const Plan& plan, const std::vector<TimedOperation>& operations, Gate& gate) {
  std::vector<TimedOperation> until;
  for (const auto& one : operations) {
    if (one.step <= gate.step) until.push_back(one);
  }
  const auto begin = gate.at + Seconds(1);
  for (const auto& operation : gate.back) until.push_back({begin, begin, operation, gate.step + 1});
  const auto whole = whole_from(timeline_of(plan.estate, until, options_of(plan)));
  gate.returns = whole.has_value();
  if (whole) gate.whole_again = std::max(Seconds(0), *whole - begin);
}

Seconds end_of(const PlanStep& step) { return step.at + step.takes; }

std::vector<Gate> gates_of(const Plan& plan, const std::vector<TimedOperation>& operations, const Timeline& timeline) {
  const auto before = states_before(plan.estate, operations);
  std::vector<Gate> gates;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    Gate gate{.step = i, .at = end_of(plan.steps[i])};
    for (std::size_t j = 0; j < operations.size(); ++j) {
      if (operations[j].step != i) continue;
      std::ranges::copy(commands_of(operations[j].operation, plan.estate, before[j]),
                        std::back_inserter(gate.commands));
      std::ranges::copy(checks_of(operations[j].operation, plan.estate), std::back_inserter(gate.checks));
    }
    gate.broken = broken_at(timeline, gate.at);
    gate.back = way_back(plan, operations, before, i);
    rehearse_return(plan, operations, gate);
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

/// What fails of one kind and cause, over all lanes: nobody reads a sentence for each of a hundred partners.
struct Objection {
  bool in_the_end = false;
  Outcome outcome;
  bool certain = true;
  Seconds longest{};
  std::vector<std::string> partners, classes;
  std::set<Way> ways;
};

void add_objection(std::vector<Objection>& all, bool in_the_end, const Lane& lane, const Segment& segment) {
  auto same = std::ranges::find_if(all, [&](const Objection& one) {
    return one.in_the_end == in_the_end && one.outcome.kind == segment.outcome.kind &&
           one.outcome.cause == segment.outcome.cause;
  });
  if (same == all.end()) same = all.insert(all.end(), {.in_the_end = in_the_end, .outcome = segment.outcome});
  const auto lasts = segment.to - segment.from;
  if (lasts > same->longest) same->certain = segment.certain;
  same->longest = std::max(same->longest, lasts);
  same->ways.insert(lane.way);
  const auto add = [](auto& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  add(same->partners, lane.partner);
  for (const auto& name : lane.classes) add(same->classes, name);
}

std::string sentence_of(const Objection& one, const Estate& estate) {
  std::uint64_t users = 0;
  for (const auto& name : one.classes) users += estate.start.users.at(name).count;
  const auto when = one.in_the_end
                        ? std::string("in the end")
                        : fmt::format("for up to {}{}", words_of(one.longest), one.certain ? "" : " at worst");
  const auto way = one.ways.size() == 2 ? std::string("to and from") : direction(*one.ways.begin());
  return fmt::format("{}, {} ({} users) {} {}: {}", when, joined(one.classes), users, way, joined(one.partners),
                     words_of(one.outcome));
}

/// What does not work in the end first, then by how long it does not.
std::vector<std::string> objections_to(const Plan& plan, const Timeline& timeline) {
  std::vector<Objection> found;
  for (const auto& lane : timeline.lanes) {
    const auto& last = lane.segments.back();
    if (last.outcome.kind != Kind::works &&
        (worked_at_start(lane) || last.outcome.cause != lane.segments.front().outcome.cause))
      add_objection(found, true, lane, last);
    for (const auto& segment : lane.segments) {
      if (segment.outcome.kind == Kind::works || &segment == &last || !worked_at_start(lane)) continue;
      const bool silent = segment.outcome.kind == Kind::black_holed || segment.outcome.kind == Kind::lost;
      if (segment.to - segment.from > plan.budget || silent) add_objection(found, false, lane, segment);
    }
  }
  std::ranges::stable_sort(found, std::greater(),
                           [](const Objection& one) { return std::pair(one.in_the_end, one.longest); });
  std::vector<std::string> objections;
  for (const auto& one : found) objections.push_back(sentence_of(one, plan.estate));
  return objections;
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

Rehearsal rehearse(const Plan& plan) {
  Rehearsal made{.plan = plan};
  const auto operations = schedule(plan);
  made.timeline = timeline_of(plan.estate, operations, options_of(plan));
  made.windows = windows_of(made.timeline);
  made.gates = gates_of(plan, operations, made.timeline);
  made.no_return = point_of_no_return(made.gates, made.timeline);
  made.objections = objections_to(plan, made.timeline);
  return made;
}

std::string words_of(const Window& window) {
  return fmt::format("{} to {} ({}): {} ({} users) {} {}: {}{}", words_of(window.from), words_of(window.to),
                     words_of(window.to - window.from), joined(window.classes), window.users, direction(window.way),
                     joined(window.partners), window.certain ? "" : "at worst ", words_of(window.outcome));
}

}  // namespace cutover::harness::migration
