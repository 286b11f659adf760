// What is said of a rehearsal.
#include "harness/migration/report.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace cutover::harness::migration {

namespace {

namespace json = boost::json;

/// One letter an outcome: capitals where it is so for all.
char letter_of(const Segment& segment) {
  static constexpr std::array letters{'?', '~', 'R', 'B', '#', '!'};
  const auto& outcome = segment.outcome;
  if (outcome.kind == Kind::works) return outcome.path == Path::legacy ? 'L' : 'N';
  const char letter = letters.at(static_cast<std::size_t>(outcome.kind));
  return segment.certain ? letter : static_cast<char>(letter | 0x20);
}

constexpr std::string_view legend =
    "L works by the legacy gateway, N by the new side, ~ at times, R refused, B bounced, # black-holed, ! told success "
    "and lost; small: of some only";

std::string arrow(Way way) { return way == Way::to_partner ? "->" : "<-"; }

std::string classes_of(const Lane& lane, std::size_t all) {
  return lane.classes.size() == all ? "everybody" : fmt::format("{}", fmt::join(lane.classes, ", "));
}

std::string line_of(const Rehearsal& rehearsal, const Lane& lane) {
  std::string states;
  states += letter_of({.outcome = lane.before});
  for (const auto& gate : rehearsal.gates) states += fmt::format("  {}", letter_of(segment_at(lane, gate.at)));
  states += fmt::format("  {}", letter_of(lane.segments.back()));
  const auto loss = loss_of(lane);
  const auto lost = loss.at_worst == Seconds(0) ? std::string() : words_of(loss.at_worst);
  return fmt::format("  {:<28} {} {:<22} {}   {}\n", lane.partner, arrow(lane.way),
                     classes_of(lane, rehearsal.plan.estate.start.users.size()), states, lost);
}

std::string table_of(const Rehearsal& rehearsal) {
  std::string text = fmt::format("\nBefore the plan, behind each of its {} steps, and at the end ({}):\n",
                                 rehearsal.gates.size(), legend);
  std::string heads = "0";
  for (std::size_t i = 1; i <= rehearsal.gates.size(); ++i) heads += fmt::format("{:>3}", i);
  text += fmt::format("  {:<28}    {:<22} {}  end\n", "partner", "users", heads);
  for (const auto& lane : rehearsal.timeline.lanes) text += line_of(rehearsal, lane);
  return text;
}

std::string steps_of(const Rehearsal& rehearsal) {
  std::string text = "\nSteps:\n";
  for (const auto& gate : rehearsal.gates) {
    const auto& step = rehearsal.plan.steps.at(gate.step);
    text += fmt::format("  {:>2}  {:<12} {}{}\n", gate.step + 1, words_of(step.at), step.name,
                        gate.step == rehearsal.no_return ? "   <- point of no return" : "");
    if (gate.broken.empty()) continue;
    text += gate.returns ? fmt::format("      back from here: whole again after {}\n", words_of(gate.whole_again))
                         : std::string("      back from here: not everything works again\n");
  }
  return text;
}

std::string windows_text(const Rehearsal& rehearsal) {
  if (rehearsal.windows.empty()) return "\nNobody loses anything.\n";
  std::string text = "\nLosses:\n";
  for (const auto& window : rehearsal.windows) {
    text += fmt::format("  {}\n", words_of(window));
    text += fmt::format("      {}\n", text_of(window.outcome.cause).remedy);
  }
  return text;
}

std::string head_of(const Rehearsal& rehearsal) {
  std::uint64_t users = 0;
  for (const auto& [name, one] : rehearsal.plan.estate.start.users) users += one.count;
  auto text =
      fmt::format("{}: {}\n{} users in {} classes, {} partners, {} steps; {} outcomes worked out\n",
                  rehearsal.plan.name, rehearsal.go() ? "GO" : "NO-GO", users, rehearsal.plan.estate.start.users.size(),
                  rehearsal.plan.estate.partners.size(), rehearsal.plan.steps.size(), rehearsal.timeline.judged);
  for (const auto& objection : rehearsal.objections) text += "  - " + objection + "\n";
  for (const auto& surprise : rehearsal.surprises) text += "Not as expected: " + surprise + ".\n";
  for (const auto& leftover : rehearsal.leftovers) text += "Left behind: " + leftover + ".\n";
  return text;
}

std::string_view word_of(Readings::LegacyUsers reading) {
  return reading == Readings::LegacyUsers::cut_off_when_configured ? "cut-off-when-configured" : "cut-off-when-routed";
}

std::string readings_text(const Readings& readings) {
  return fmt::format(
      "\nThe documents leave open when users of a legacy pool lose a partner; this rests on the reading '{}'.\n",
      word_of(readings.legacy_users));
}

double change_in_percent(const Proposal& proposal) {
  return proposal.cost_before == 0 ? 0 : 100 * (proposal.cost_after - proposal.cost_before) / proposal.cost_before;
}

std::string proposal_line(const Proposal& proposal) {
  constexpr double per_hour = 3600;
  return fmt::format("{} (from {:.1f} to {:.1f} weighed hours of users, {:+.0f} %)", proposal.what,
                     proposal.cost_before / per_hour, proposal.cost_after / per_hour, change_in_percent(proposal));
}

json::object json_of(const Outcome& outcome) {
  json::object made{{"kind", name_of(outcome.kind)},
                    {"path", name_of(outcome.path)},
                    {"cause", text_of(outcome.cause).id},
                    {"failure", text_of(outcome.cause).failure}};
  if (outcome.kind == Kind::bounced) made["after-s"] = std::chrono::duration_cast<Seconds>(outcome.after).count();
  return made;
}

template <class Strings>
json::array strings_of(const Strings& strings) {
  json::array all;
  for (const auto& one : strings) all.emplace_back(json::string(one));
  return all;
}

json::object json_of(const Lane& lane) {
  json::array segments;
  for (const auto& segment : lane.segments) {
    auto one = json_of(segment.outcome);
    one["from-s"] = segment.from.count();
    one["to-s"] = segment.to.count();
    one["certain"] = segment.certain;
    segments.push_back(std::move(one));
  }
  const auto loss = loss_of(lane);
  return {{"partner", lane.partner},
          {"way", name_of(lane.way)},
          {"what", name_of(lane.what)},
          {"classes", strings_of(lane.classes)},
          {"users", lane.users},
          {"before", json_of(lane.before)},
          {"lost-at-worst-s", loss.at_worst.count()},
          {"lost-for-certain-s", loss.certain.count()},
          {"segments", std::move(segments)}};
}

json::object json_of(const Window& window) {
  auto made = json_of(window.outcome);
  made["from-s"] = window.from.count();
  made["to-s"] = window.to.count();
  made["certain"] = window.certain;
  made["way"] = name_of(window.way);
  made["partners"] = strings_of(window.partners);
  made["classes"] = strings_of(window.classes);
  made["users"] = window.users;
  made["sentence"] = text_of(window.outcome.cause).sentence;
  made["remedy"] = text_of(window.outcome.cause).remedy;
  return made;
}

json::object json_of(const Gate& gate, const Plan& plan) {
  json::array back;
  for (const auto& operation : gate.back) back.emplace_back(json::string(words_of(operation)));
  const auto& step = plan.steps.at(gate.step);
  return {{"step", gate.step + 1},
          {"name", step.name},
          {"at-s", step.at.count()},
          {"takes-s", step.takes.count()},
          {"commands", strings_of(gate.commands)},
          {"checks", strings_of(gate.checks)},
          {"broken", strings_of(gate.broken)},
          {"objections", strings_of(gate.objections)},
          {"back", std::move(back)},
          {"back-returns", gate.returns},
          {"back-whole-again-s", gate.whole_again.count()}};
}

json::object json_of(const Rehearsal& rehearsal) {
  json::array lanes, windows, gates;
  for (const auto& lane : rehearsal.timeline.lanes) lanes.push_back(json_of(lane));
  for (const auto& window : rehearsal.windows) windows.push_back(json_of(window));
  for (const auto& gate : rehearsal.gates) gates.push_back(json_of(gate, rehearsal.plan));
  json::object made{{"plan", rehearsal.plan.name},
                    {"start", rehearsal.plan.start},
                    {"go", rehearsal.go()},
                    {"objections", strings_of(rehearsal.objections)},
                    {"not-as-expected", strings_of(rehearsal.surprises)},
                    {"left-behind", strings_of(rehearsal.leftovers)},
                    {"reading-legacy-users", word_of(rehearsal.plan.readings.legacy_users)},
                    {"end-s", rehearsal.timeline.end.count()},
                    {"cost", cost_of(rehearsal.timeline)},
                    {"lanes", std::move(lanes)},
                    {"windows", std::move(windows)},
                    {"gates", std::move(gates)}};
  if (rehearsal.no_return < rehearsal.gates.size()) made["point-of-no-return-step"] = rehearsal.no_return + 1;
  return made;
}

json::object json_of(const Proposal& proposal) {
  return {{"what", proposal.what}, {"cost-before", proposal.cost_before}, {"cost-after", proposal.cost_after}};
}

template <class Causes>
json::array ids_of(const Causes& causes) {
  json::array ids;
  for (const auto cause : causes) {
    if (cause != Cause::none) ids.emplace_back(json::string(text_of(cause).id));
  }
  return ids;
}

json::object json_of(const OrderLoss& one) {
  json::object made{{"order", words_of(one.order)}};
  if (!one.impossible.empty()) {
    made["impossible"] = one.impossible;
    return made;
  }
  made["cost"] = one.cost;
  made["longest-s"] = one.longest.count();
  made["back-s"] = one.back.count();
  made["back-returns"] = one.returns;
  made["causes"] = ids_of(one.causes);
  return made;
}

json::object json_of(const Exploration& explored) {
  json::object exchanges, worst;
  for (std::size_t i = 0; i < explored.worst.size(); ++i) {
    exchanges[name_of(static_cast<Kind>(i))] = explored.exchanges.at(i);
    worst[name_of(static_cast<Kind>(i))] = explored.worst.at(i);
  }
  return {{"schedules", explored.schedules},   {"moments", explored.moments},
          {"states", explored.states},         {"situations", explored.situations},
          {"exchanges", std::move(exchanges)}, {"schedules-by-worst", std::move(worst)},
          {"causes", ids_of(explored.causes)}};
}

json::object json_of(const Orders& orders) {
  json::array all;
  for (const auto& one : orders.by_loss) all.push_back(json_of(one));
  return {{"possible", orders.possible},
          {"documented-place", orders.documented + 1},
          {"dns-last", orders.dns_last},
          {"dns-last-and-better", orders.dns_last_and_better},
          {"documented-with-last-two-at-once-cost", orders.at_once},
          {"by-loss", std::move(all)},
          {"explored", json_of(orders.explored)}};
}

reports::CaseResult case_of(const Rehearsal& rehearsal, const std::string& id, const std::string& title, int line,
                            const std::string& expected, const std::vector<std::string>& wrong) {
  reports::CaseResult made;
  made.id = "plan." + id;
  made.suite = "plan";
  made.title = title;
  made.world = "sim";
  made.file = rehearsal.plan.source;
  made.line = line;
  made.reproduce = "cutover rehearse " + rehearsal.plan.source;
  reports::Check check;
  check.id = made.id + "#plan";
  check.requirement = "plan";
  check.level = "MUST";
  check.looked_at = "what is lost";
  check.expected = expected;
  check.actual = wrong.empty() ? check.expected : fmt::format("{}", fmt::join(wrong, "\n"));
  check.outcome = wrong.empty() ? reports::Outcome::pass : reports::Outcome::fail;
  check.file = made.file;
  check.line = line;
  made.outcome = check.outcome;
  made.checks.push_back(std::move(check));
  return made;
}

}  // namespace

std::string to_text(const Rehearsal& rehearsal, const std::vector<Proposal>& proposals) {
  auto text = head_of(rehearsal) + steps_of(rehearsal) + table_of(rehearsal) + windows_text(rehearsal);
  if (!proposals.empty()) text += "\nWhat would help, each change by itself:\n";
  for (const auto& proposal : proposals) text += "  - " + proposal_line(proposal) + "\n";
  return text + readings_text(rehearsal.plan.readings);
}

std::string to_text(const Improvement& improvement) {
  if (improvement.taken.empty()) return "\nNo change that is known makes the plan better.\n";
  std::string text = "\nImproved, one change upon the other:\n";
  for (const auto& proposal : improvement.taken) text += "  - " + proposal_line(proposal) + "\n";
  return text + "\n" + head_of(improvement.rehearsal) + steps_of(improvement.rehearsal) +
         table_of(improvement.rehearsal) + windows_text(improvement.rehearsal);
}

std::string to_json(const Rehearsal& rehearsal, const std::vector<Proposal>& proposals, const Improvement* improvement,
                    const Orders* orders) {
  auto made = json_of(rehearsal);
  json::array all;
  for (const auto& proposal : proposals) all.push_back(json_of(proposal));
  made["proposals"] = std::move(all);
  if (improvement != nullptr) {
    json::array taken;
    for (const auto& proposal : improvement->taken) taken.push_back(json_of(proposal));
    made["improved"] = {{"changes", std::move(taken)}, {"rehearsal", json_of(improvement->rehearsal)}};
  }
  if (orders != nullptr) made["orders"] = json_of(*orders);
  return json::serialize(made) + "\n";
}

reports::RunResult to_run(const Rehearsal& rehearsal) {
  reports::RunResult run;
  run.target = rehearsal.plan.name;
  const auto in_budget =
      fmt::format("nothing for longer than {}, and nothing in silence", words_of(rehearsal.plan.budget));
  for (std::size_t i = 0; i < rehearsal.plan.steps.size(); ++i) {
    const auto& step = rehearsal.plan.steps[i];
    run.cases.push_back(case_of(rehearsal, fmt::format("step-{}", i + 1), step.name, std::max(step.line, 1), in_budget,
                                rehearsal.gates.at(i).objections));
  }
  run.cases.push_back(case_of(rehearsal, "verdict", "The plan as a whole", 1, in_budget, rehearsal.objections));
  const auto& [go, causes] = rehearsal.plan.expect;
  if (go || !causes.empty())
    run.cases.push_back(
        case_of(rehearsal, "expected", "What the plan expects", 1, "as the plan expects", rehearsal.surprises));
  return run;
}

}  // namespace cutover::harness::migration
