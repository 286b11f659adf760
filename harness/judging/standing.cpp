// Each rule of the standing judge over all cases of a run becomes one check.
#include "harness/judging/standing.h"

#include "departures/table.h"
#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/standing/ledger.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

namespace cutover::harness {

using reports::CaseResult;
using reports::Check;
using reports::Outcome;

namespace {

constexpr char place[] = "harness/standing/rules.inc";

using Cases = std::vector<const CaseResult*>;

/// One rule over some cases.
struct Sum {
  std::size_t judged = 0, breaches = 0;
  std::string sender, octets, connection;  ///< of the first breach
  Cases broken_in;

  void add_breach(const CaseResult* result, std::size_t count, const reports::Heard& heard) {
    if (breaches == 0) sender = heard.sender, octets = heard.octets, connection = heard.connection;
    breaches += count;
    broken_in.push_back(result);
  }
};

/// What came before in the run, and in which case.
using Before = std::map<std::string, std::pair<std::string, const CaseResult*>>;

/// Two cases that were made to decide by one seed (`--replay`) draw the same values where we play the subject.
bool draw_alike(const CaseResult& one, const CaseResult& other) {
  return one.world != "target" && one.world != captured_world && one.seed == other.seed && one.id != other.id;
}

/// A value of the case that came in an earlier one for something else; empty where there is none.
std::string again(const reports::Heard& heard, const CaseResult* result, Before& before) {
  std::string found;
  for (const auto& [value, of] : heard.once) {
    const auto [first, fresh] = before.try_emplace(value, of, result);
    if (fresh || !found.empty()) continue;
    const auto& [earlier, in] = first->second;
    if ((!of.empty() && of == earlier) || draw_alike(*result, *in)) continue;
    found = fmt::format("{}{}{}, which was there in {}{}{}", value, of.empty() ? "" : " for ", of, in->id,
                        earlier.empty() ? "" : " for ", earlier);
  }
  return found;
}

Sum sum_of(const Cases& cases, std::string_view rule) {
  Sum sum;
  Before before;
  for (const auto* result : cases) {
    const auto heard = std::ranges::find(result->heard, rule, &reports::Heard::rule);
    if (heard == result->heard.end()) continue;
    sum.judged += heard->judged;
    const auto repeated = again(*heard, result, before);
    if (heard->breaches > 0)
      sum.add_breach(result, heard->breaches, *heard);
    else if (!repeated.empty())
      sum.add_breach(result, 1, {.sender = "the subject", .octets = repeated});
  }
  return sum;
}

std::string words_of(const Sum& sum) {
  if (sum.broken_in.front()->world == captured_world)
    return fmt::format("broken {} of {} times, by {}, first on {}\nby {}\nreproduce: {}", sum.breaches, sum.judged,
                       sum.sender, sum.connection, sum.octets, sum.broken_in.front()->reproduce);
  constexpr std::size_t named_max = 5;
  std::vector<std::string> names;
  for (const auto* result : sum.broken_in)
    if (std::ranges::find(names, result->id) == names.end()) names.push_back(result->id);
  const auto more = names.size() > named_max ? fmt::format(" and {} more", names.size() - named_max) : "";
  if (names.size() > named_max) names.resize(named_max);
  return fmt::format("broken {} of {} times, by {}, in {}{}\nfirst by {}\nreproduce: {}", sum.breaches, sum.judged,
                     sum.sender, fmt::join(names, ", "), more, sum.octets, sum.broken_in.front()->reproduce);
}

Check check_of(const standing::RuleRow& row, const Sum& sum, bool strict) {
  Check check;
  check.requirement = row.requirement;
  check.id = fmt::format("{}#{}", standing_id, row.requirement);
  const auto* requirement = Catalogue::current().find(row.requirement);
  check.level = requirement == nullptr ? "MUST" : requirement->level;
  check.outcome = outcome_of(check.level, sum.breaches == 0, strict);
  check.looked_at = row.sentence;
  check.expected = "always";
  check.actual = sum.breaches == 0 ? fmt::format("kept {} times", sum.judged) : words_of(sum);
  check.file = place;
  check.line = row.line;
  return check;
}

void add_text(std::string_view requirement, CaseResult& result) {
  const auto* item = Catalogue::current().find(requirement);
  if (item == nullptr) return;
  result.requirements.push_back(
      {std::string(item->id), std::string(item->level), std::string(item->source), std::string(item->text)});
}

/// A check for each rule that met something in those cases.
void add_checks(const Cases& cases, bool strict, CaseResult& result) {
  for (const auto& row : standing::rules()) {
    const auto sum = sum_of(cases, row.name);
    if (sum.judged == 0) continue;
    result.checks.push_back(check_of(row, sum, strict));
    add_text(row.requirement, result);
    if (result.reproduce.empty() && sum.breaches > 0) result.reproduce = sum.broken_in.front()->reproduce;
  }
  if (!result.checks.empty()) result.outcome = aggregate(result.checks);
}

CaseResult standing_in(const reports::RunResult& run, const std::string& world, bool strict) {
  CaseResult result;
  result.id = result.suite = standing_id;
  result.title = "What the subject sends is judged in every case, whatever the case is about";
  result.world = world;
  result.file = place;
  result.line = 1;
  result.seed = run.seed;
  result.planted = run.planted;
  result.started = run.started;
  Cases cases;
  for (const auto& one : run.cases)
    if (one.world == world) cases.push_back(&one);
  add_checks(cases, strict, result);
  return result;
}

}  // namespace

bool is_standing_check(std::string_view id) { return id.starts_with(std::string(standing_id) + "#"); }

bool is_standing_requirement(std::string_view requirement) {
  return std::ranges::find(standing::rules(), requirement, &standing::RuleRow::requirement) != standing::rules().end();
}

std::string standing_check_of(const reports::Heard& heard) {
  const auto* row = standing::rule_named(heard.rule);
  return fmt::format("{}#{}", standing_id, row == nullptr ? std::string_view(heard.rule) : row->requirement);
}

void add_standing(reports::RunResult& run, bool strict) {
  std::erase_if(run.cases, [](const auto& result) { return result.id == standing_id; });
  for (const char* world : {"sim", "live", "target"}) {
    auto result = standing_in(run, world, strict);
    if (!result.checks.empty()) run.cases.push_back(std::move(result));
  }
}

CaseResult standing_of(std::string_view sender, std::vector<reports::Heard> heard, std::string reproduce, bool strict) {
  CaseResult result;
  result.suite = standing_id;
  result.id = fmt::format("{}.{}", standing_id, sender);
  result.title = fmt::format("What {} sends to other servers", sender);
  result.world = captured_world;
  result.file = place;
  result.line = 1;
  result.heard = std::move(heard);
  result.reproduce = std::move(reproduce);
  result.outcome = Outcome::skipped;
  add_checks({&result}, strict, result);
  return result;
}

std::vector<std::string> lint_standing(const Catalogue& catalogue) {
  std::vector<std::string> findings;
  for (const auto& row : standing::rules()) {
    const auto say = [&](const std::string& what) {
      findings.push_back(fmt::format("{}:{}: {}: {}", place, row.line, row.name, what));
    };
    if (catalogue.find(row.requirement) == nullptr) say(fmt::format("no such requirement: {}", row.requirement));
    if (row.killed_by.empty() != row.shown_in.empty()) say("a departure and the case that shows it belong together");
    if (row.killed_by.empty()) continue;
    if (departures::find(row.killed_by) == nullptr) say(fmt::format("no such departure: {}", row.killed_by));
    if (find_case(row.shown_in) == nullptr) say(fmt::format("no such case: {}", row.shown_in));
  }
  return findings;
}

}  // namespace cutover::harness
