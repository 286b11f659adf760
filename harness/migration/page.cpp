// Names and sentences for people; nothing is worked out here but what a proposal brings.
#include "harness/migration/page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <set>

namespace cutover::harness::migration {

namespace {

// More than these are told together; plan.json has each.
constexpr std::size_t windows_max = 60, names_max = 4;

using reports::Chart;
using reports::ChartLane;
using reports::Fate;
using reports::PlanPage;

Fate fate_of(const Outcome& outcome) {
  switch (outcome.kind) {
    case Kind::works:
      return outcome.path == Path::current ? Fate::current : Fate::legacy;
    case Kind::works_at_times:
      return Fate::at_times;
    case Kind::refused:
      return Fate::refused;
    case Kind::bounced:
      return Fate::bounced;
    case Kind::black_holed:
      return Fate::black_holed;
    case Kind::lost:
      break;
  }
  return Fate::lost;
}

std::string joined(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::string joined_briefly(const std::set<std::string>& names) {
  return names.size() > 3 ? fmt::format("{} partners", names.size()) : fmt::format("{}", fmt::join(names, ", "));
}

std::uint64_t count_of(const Plan& plan, const std::string& users) {
  const auto found = plan.estate.start.users.find(users);
  return found == plan.estate.start.users.end() ? 0 : found->second.count;
}

std::string label_of(std::size_t step) { return std::to_string(step + 1); }

bool worked_at_start(const Lane& lane) { return lane.segments.front().outcome.kind == Kind::works; }

/// The longest time without service in one go, over all lanes that worked at the start.
struct Worst {
  Seconds lasts{};
  bool certain = true;
  const Lane* lane = nullptr;
  const Segment* segment = nullptr;  ///< the longest part of it
};
Worst worst_of(const Timeline& timeline) {
  Worst worst;
  for (const auto& lane : timeline.lanes) {
    if (!worked_at_start(lane)) continue;
    Worst now;
    for (const auto& segment : lane.segments) {
      if (segment.outcome.kind == Kind::works) {
        now = {};
        continue;
      }
      now.lane = &lane;
      now.lasts += segment.to - segment.from;
      now.certain = now.certain && segment.certain;
      if (now.segment == nullptr || segment.to - segment.from > now.segment->to - now.segment->from)
        now.segment = &segment;
      if (now.lasts > worst.lasts) worst = now;
    }
  }
  return worst;
}

std::string summary_of(const Timeline& timeline) {
  std::set<std::string> all, lose, lost_before;
  for (const auto& lane : timeline.lanes) {
    all.insert(lane.partner);
    if (!worked_at_start(lane)) lost_before.insert(lane.partner);
    if (worked_at_start(lane) && loss_of(lane).at_worst != Seconds(0)) lose.insert(lane.partner);
  }
  const auto before =
      lost_before.empty() ? "" : fmt::format("; with {} something fails from the start", joined_briefly(lost_before));
  const auto worst = worst_of(timeline);
  if (worst.lane == nullptr) return "nobody loses anything" + before;
  return fmt::format("{} of {} partners {} cut off for a time, longest {}{}: {} {}, {}{}", lose.size(), all.size(),
                     lose.size() == 1 ? "is" : "are", words_of(worst.lasts), worst.certain ? "" : " at worst",
                     worst.lane->way == Way::to_partner ? "to" : "from", worst.lane->partner,
                     words_of(worst.segment->outcome), before);
}

Chart chart_of(const Rehearsal& rehearsal, const std::string& title) {
  const auto& plan = rehearsal.plan;
  Chart chart{.title = title + (rehearsal.go() ? ": go." : ": no-go."),
              .summary = summary_of(rehearsal.timeline),
              .start = second_of(plan.start)};
  const auto ahead = plan.ahead.count();
  chart.begin = -ahead;
  chart.end = rehearsal.timeline.end.count() - ahead;
  for (const auto& lane : rehearsal.timeline.lanes) {
    ChartLane row{.partner = lane.partner, .to_partner = lane.way == Way::to_partner};
    for (const auto& one : lane.segments) {
      const auto what = lane.what == What::message ? "" : fmt::format("{}: ", name_of(lane.what));
      row.segments.push_back({one.from.count() - ahead, one.to.count() - ahead, fate_of(one.outcome), one.certain,
                              what + words_of(one.outcome)});
    }
    for (const auto& users : lane.classes) {
      chart.lanes.push_back(row);
      chart.lanes.back().users = users;
      chart.lanes.back().count = count_of(plan, users);
    }
  }
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& step = plan.steps[i];
    chart.marks.push_back({step.at.count() - ahead, (step.at + step.takes).count() - ahead, label_of(i), step.name,
                           i == rehearsal.no_return});
  }
  std::ranges::stable_sort(chart.marks, {}, &reports::ChartMark::at);
  return chart;
}

std::string kind_of(const Outcome& outcome) {
  auto kind = std::string(name_of(outcome.kind));
  if (outcome.kind == Kind::bounced)
    kind += fmt::format(" after {} s", std::chrono::duration_cast<Seconds>(outcome.after).count());
  return kind;
}

void add_names(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const auto& one : more) {
    if (std::ranges::find(names, one) == names.end()) names.push_back(one);
  }
}

/// Windows of one kind, cause and direction as one, from the first to the last, where there are too many to be read.
struct Listed {
  Window window;
  Seconds longest{};
  std::size_t of = 1;
};
std::vector<Listed> listed(const std::vector<Window>& windows) {
  std::vector<Listed> all;
  for (const auto& one : windows) {
    const auto same = std::ranges::find_if(all, [&](const Listed& other) {
      return windows.size() > windows_max && other.window.way == one.way && other.window.certain == one.certain &&
             other.window.outcome.kind == one.outcome.kind && other.window.outcome.cause == one.outcome.cause;
    });
    if (same == all.end()) {
      all.push_back({one, one.to - one.from});
      continue;
    }
    auto& window = same->window;
    window.from = std::min(window.from, one.from);
    window.to = std::max(window.to, one.to);
    window.users = std::max(window.users, one.users);
    add_names(window.partners, one.partners);
    add_names(window.classes, one.classes);
    same->longest = std::max(same->longest, one.to - one.from);
    ++same->of;
  }
  return all;
}

std::string counted(const std::vector<std::string>& names, std::size_t all, std::string_view what) {
  if (names.size() == all && all > 2) return fmt::format("all {} {}", all, what);
  return names.size() > names_max ? fmt::format("{} {}: {}", names.size(), what, joined(names)) : joined(names);
}

void add_windows(PlanPage& page, const Rehearsal& rehearsal) {
  const auto ahead = rehearsal.plan.ahead.count();
  const auto& estate = rehearsal.plan.estate;
  for (const auto& [one, longest, of] : listed(rehearsal.windows)) {
    const auto& cause = text_of(one.outcome.cause);
    page.windows.push_back(
        {.from = one.from.count() - ahead,
         .to = one.to.count() - ahead,
         .lasts = of == 1 ? words_of(longest) : fmt::format("{} windows, the longest {}", of, words_of(longest)),
         .fate = fate_of(one.outcome),
         .certain = one.certain,
         .to_partner = one.way == Way::to_partner,
         .partners = counted(one.partners, estate.partners.size(), "partners"),
         .users = counted(one.classes, estate.start.users.size(), "classes"),
         .count = one.users,
         .kind = kind_of(one.outcome),
         .cause = std::string(cause.sentence),
         .remedy = std::string(cause.remedy),
         .failure = std::string(cause.failure)});
  }
}

void add_steps(PlanPage& page, const Rehearsal& rehearsal) {
  const auto ahead = rehearsal.plan.ahead.count();
  for (const auto& gate : rehearsal.gates) {
    const auto& step = rehearsal.plan.steps[gate.step];
    reports::PlanStepGate shown{.label = label_of(gate.step),
                                .name = step.name,
                                .at = step.at.count() - ahead,
                                .until = gate.at.count() - ahead,
                                .commands = gate.commands,
                                .checks = gate.checks,
                                .broken = gate.broken,
                                .whole_again = gate.returns ? words_of(gate.whole_again) : "",
                                .no_return = gate.step == rehearsal.no_return};
    for (const auto& one : gate.back) shown.back.push_back(words_of(one));
    page.steps.push_back(std::move(shown));
  }
}

/// What a change brings, in the terms of whoever decides: the weighed loss, and the longest window.
std::string effect_of(const Proposal& proposal, Seconds before) {
  const auto& plan = proposal.plan;
  const auto timeline =
      timeline_of(plan.estate, schedule(plan), {.quiet_within = plan.quiet_within, .readings = plan.readings});
  const auto after = worst_of(timeline).lasts;
  const auto share = proposal.cost_before > 0 ? 100.0 * (1 - proposal.cost_after / proposal.cost_before) : 0.0;
  const auto longest =
      after == before ? "" : fmt::format("; the longest window {} instead of {}", words_of(after), words_of(before));
  return fmt::format("{:.3g} % less loss{}", share, longest);
}

void add_proposals(PlanPage& page, const Rehearsal& rehearsal, const std::vector<Proposal>& proposals,
                   const Improvement* improvement) {
  auto before = worst_of(rehearsal.timeline).lasts;
  const auto add = [&](const Proposal& one, bool taken) {
    page.proposals.push_back({one.what, effect_of(one, before), taken});
  };
  if (improvement != nullptr) {
    for (const auto& one : improvement->taken) {
      add(one, true);
      const auto& plan = one.plan;
      before = worst_of(timeline_of(plan.estate, schedule(plan),
                                    {.quiet_within = plan.quiet_within, .readings = plan.readings}))
                   .lasts;
    }
    before = worst_of(rehearsal.timeline).lasts;
  }
  for (const auto& one : proposals) {
    const bool taken =
        std::ranges::find(page.proposals, one.what, &reports::PlanProposal::what) != page.proposals.end();
    if (!taken) add(one, false);
  }
}

void add_readings(PlanPage& page, const Readings& readings) {
  page.readings.emplace_back(
      readings.legacy_users == Readings::LegacyUsers::cut_off_when_configured
          ? "Users of a legacy pool lose a partner as soon as it is configured on the new side (our choice; the other "
            "reading: only once traffic goes through the new edge; sections 1.2.3 and 1.2.6)"
          : "Users of a legacy pool lose a partner only once traffic goes through the new edge (our choice; the other "
            "reading: as soon as it is configured on the new side; sections 1.2.3 and 1.2.6)");
  page.readings.emplace_back(readings.unlisted == Readings::Unlisted::dropped
                                 ? "A message of a contact that may not write is dropped (the other reading: refused; "
                                   "section 4.1)"
                                 : "A message of a contact that may not write is refused (the other reading: dropped; "
                                   "section 4.1)");
  page.readings.emplace_back(
      readings.wrong_key == Readings::WrongKey::silence
          ? "A dialback key that is not valid meets silence (the other reading: it is answered as "
            "invalid; section 4.4)"
          : "A dialback key that is not valid is answered as invalid (the other reading: silence; "
            "section 4.4)");
}

/// Names that share what is said of them, with it: "31 partners: ...".
class Shared {
 public:
  void add(const std::string& name, const std::string& words) {
    auto& names = by_words_[words];
    if (names.empty()) order_.push_back(words);
    names.push_back(name);
  }
  void into(PlanPage& page, const std::string& many) const {
    for (const auto& words : order_) {
      const auto& names = by_words_.at(words);
      const auto what = names.size() == 1 ? names.front() : fmt::format("{} {}", names.size(), many);
      page.estate.emplace_back(what, names.size() == 1 ? words : words + ": " + joined(names));
    }
  }

 private:
  std::map<std::string, std::vector<std::string>> by_words_;
  std::vector<std::string> order_;
};

std::string met_by(const Outcome& outcome) {
  if (outcome.kind > Kind::works_at_times) return "not at all";
  const auto path = outcome.path == Path::current ? "the new side" : "the legacy gateway";
  return fmt::format(
      "by {}{}", path,
      outcome.method == negotiation::Method::none ? "" : fmt::format(" with {}", negotiation::name_of(outcome.method)));
}

void add_estate(PlanPage& page, const Rehearsal& rehearsal) {
  const auto& start = rehearsal.plan.estate.start;
  std::vector<std::string> domains, pools, edges;
  for (const auto& name : start.sip_domains) {
    const auto ttl = start.ttl_s.find(name);
    domains.push_back(ttl == start.ttl_s.end() ? name
                                               : fmt::format("{} (TTL {})", name, words_of(Seconds(ttl->second))));
  }
  for (const auto& [name, pool] : start.pools)
    pools.push_back(fmt::format("{} ({}{})", name, pool.side == Side::legacy ? "legacy" : "new",
                                pool.branch ? ", a branch appliance" : ""));
  for (const auto& [name, edge] : start.edges)
    edges.push_back(edge.members.empty() ? name : fmt::format("{} ({} members)", name, edge.members.size()));
  page.estate.emplace_back("SIP domains", joined(domains));
  page.estate.emplace_back("pools", joined(pools));
  page.estate.emplace_back("edge pools of the new side", edges.empty() ? "none" : joined(edges));
  std::uint64_t users = 0;
  for (const auto& [name, who] : start.users) users += who.count;
  page.estate.emplace_back("users", fmt::format("{} in {} classes", users, start.users.size()));
  for (const auto& [name, who] : start.users) {
    page.estate.emplace_back(
        name, fmt::format("{} users of {} on {}{}{}{}", who.count, who.domain, who.pool,
                          who.site.empty() ? "" : ", site " + who.site,
                          who.policy.empty() ? "" : ", policy " + who.policy, who.enabled ? "" : ", not enabled"));
  }
  Shared partners;
  std::string last;
  for (const auto& lane : rehearsal.timeline.lanes) {
    if (lane.way != Way::to_partner || lane.partner == last) continue;
    last = lane.partner;
    const auto now = met_by(lane.segments.front().outcome), then = met_by(lane.segments.back().outcome);
    partners.add(lane.partner, now == then ? "met " + now : fmt::format("met {}; in the end {}", now, then));
  }
  partners.into(page, "partners");
}

}  // namespace

std::optional<std::int64_t> second_of(const std::string& date) {
  using namespace std::chrono;
  int y = 0;
  unsigned mo = 0, d = 0, h = 0, mi = 0;
  char between = ' ';
  if (std::sscanf(date.c_str(), "%4d-%2u-%2u%c%2u:%2u", &y, &mo, &d, &between, &h, &mi) != 6) return std::nullopt;
  const year_month_day day{year(y), month(mo), std::chrono::day(d)};
  if (!day.ok() || h > 23 || mi > 59 || (between != ' ' && between != 'T')) return std::nullopt;
  return duration_cast<seconds>(sys_days(day).time_since_epoch() + hours(h) + minutes(mi)).count();
}

PlanPage page_of(const Rehearsal& rehearsal, const std::vector<Proposal>& proposals, const Improvement* improvement) {
  const auto& plan = rehearsal.plan;
  PlanPage page{.title = plan.name, .go = rehearsal.go(), .reasons = rehearsal.objections};
  page.facts.push_back(fmt::format(
      "{}{}{} steps in {}, {} partners; acceptable loss in one go: {}", plan.source.empty() ? "" : plan.source + " · ",
      plan.start.empty() ? "" : "begins " + plan.start + " · ", plan.steps.size(), words_of(rehearsal.timeline.end),
      plan.estate.partners.size(), words_of(plan.budget)));
  page.charts.push_back(chart_of(rehearsal, "As planned"));
  if (improvement != nullptr && !improvement->taken.empty())
    page.charts.push_back(chart_of(improvement->rehearsal, "As proposed"));
  add_windows(page, rehearsal);
  add_steps(page, rehearsal);
  add_proposals(page, rehearsal, proposals, improvement);
  add_readings(page, plan.readings);
  add_estate(page, rehearsal);
  return page;
}

}  // namespace cutover::harness::migration
