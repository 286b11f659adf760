// `compare`: whether two runs judged alike, check by check.
#include "harness/cli/left_by_runs.h"
#include "harness/cli/subcommands.h"
#include "harness/judging/baseline.h"
#include "harness/judging/outcome.h"
#include "harness/judging/standing.h"
#include "reports/text.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>

namespace cutover::harness::cli {

namespace {

/// A verdict, and what stands behind it.
struct Judgement {
  reports::Outcome outcome;
  std::string words;
  bool hidden = false;  ///< not reached, for another check tells the cause; that one may differ
};
/// By case, world, attempt and check; without check: of the case.
using Judgements = std::map<std::tuple<std::string, std::string, int, std::string>, Judgement>;

Judgements judgements_of(const reports::RunResult& run) {
  Judgements all;
  for (const auto& result : run.cases) {
    const auto put = [&](const std::string& check, Judgement judgement) {
      all.emplace(std::tuple(result.id, result.world, result.attempt, check), std::move(judgement));
    };
    put("", {result.outcome, result.reason});
    for (const auto& check : result.checks)
      put(check.id, {check.outcome, reports::sentence_of(check), check.standing == reports::Standing::hidden});
  }
  return all;
}

std::string told(const Judgements& run, const Judgements::key_type& key) {
  const auto found = run.find(key);
  if (found == run.end()) return "not there";
  const auto& words = found->second.words;
  return std::string(reports::name_of(found->second.outcome)) +
         (words.empty() ? "" : ": " + reports::terminal_text(words));
}

/// Whether a standing rule met something to judge in one of the runs only, and was kept there: traffic that the
/// servers' own timing decides, and no verdict that differs.
bool exercised_once(const Judgements& one, const Judgements& other, const Judgements::key_type& key) {
  if (!is_standing_check(std::get<3>(key))) return false;
  const auto here = one.find(key), there = other.find(key);
  if ((here == one.end()) == (there == other.end())) return false;
  return (here == one.end() ? there : here)->second.outcome == reports::Outcome::pass;
}

/// What a baseline lists as a matter of chance or time.
std::set<std::string> checks_by_chance(const Baseline& baseline) {
  std::set<std::string> checks;
  for (const auto& entry : baseline.entries) {
    if (entry.sometimes) checks.insert(entry.check);
  }
  return checks;
}

/// Whether a check of that case differs by chance.
bool explained(const std::string& id, const std::set<std::string>& chance) {
  const auto check = chance.lower_bound(id + "#");
  return check != chance.end() && check->starts_with(id + "#");
}

using Named = std::pair<const std::string&, const Judgements&>;

void tell_difference(const Judgements::key_type& key, const Named& one, const Named& other) {
  const auto& [id, world, attempt, check] = key;
  fmt::print("{} ({}){}\n  {}: {}\n  {}: {}\n", check.empty() ? id : check, world,
             attempt == 1 ? "" : fmt::format(", attempt {}", attempt), one.first, told(one.second, key), other.first,
             told(other.second, key));
}

/// "56 cases, 225 checks: 205 met, 7 told, 13 accepted, 0 red", of the cases that ran.
std::string figures_of(const reports::RunResult& run) {
  std::map<reports::Standing, std::size_t> checks;
  std::size_t cases = 0, all = 0;
  for (const auto& result : run.cases) {
    if (result.standing == reports::Standing::idle) continue;
    ++cases;
    all += result.checks.size();
    for (const auto& check : result.checks) ++checks[check.standing];
  }
  using reports::Standing;
  auto text =
      fmt::format("{} cases, {} checks: {} met, {} told, {} accepted, {} red", cases, all, checks[Standing::met],
                  checks[Standing::told], checks[Standing::accepted], checks[Standing::red] + checks[Standing::fault]);
  if (checks[Standing::hidden] != 0) text += fmt::format(", {} not reached", checks[Standing::hidden]);
  if (!run.complete) text += "; incomplete: " + reports::terminal_text(run.incomplete_reason);
  if (!run.planted.empty()) text += "; " + words_of_planted(run.planted);
  return text;
}

int told_as(bool differ, std::size_t checks, bool complete) {
  if (differ) return exit_code::failure;
  if (checks == 0) fmt::print("nothing was judged in both, so nothing was compared\n");
  return checks == 0 || !complete ? exit_code::fault : exit_code::conforming;
}

}  // namespace

int compare_command(const std::string& first, const std::string& second, const std::string& baseline) {
  const auto by_chance = baseline.empty() ? std::set<std::string>() : checks_by_chance(load_baseline(baseline));
  const auto first_run = judged_by_run(first), second_run = judged_by_run(second);
  const auto one = judgements_of(first_run), other = judgements_of(second_run);
  std::set<Judgements::key_type> differing;
  std::set<std::string> once, chance;
  std::size_t checks = 0;
  for (const auto* run : {&one, &other}) {
    for (const auto& [key, judgement] : *run) {
      const auto& check = std::get<3>(key);
      if (run == &one && !check.empty()) ++checks;
      const auto in_one = one.find(key), in_other = other.find(key);
      const bool in_both = in_one != one.end() && in_other != other.end();
      if (in_both && in_one->second.outcome == in_other->second.outcome) continue;
      if (by_chance.contains(check) || (in_both && (in_one->second.hidden || in_other->second.hidden)))
        chance.insert(check);
      else if (exercised_once(one, other, key))
        once.insert(check);
      else
        differing.insert(key);
    }
  }
  // A case is what its checks are.
  std::erase_if(differing,
                [&](const auto& key) { return std::get<3>(key).empty() && explained(std::get<0>(key), chance); });
  for (const auto& key : differing) tell_difference(key, {first, one}, {second, other});
  fmt::print("{}: {}\n{}: {}\n", first, figures_of(first_run), second, figures_of(second_run));
  for (const auto& check : once)
    fmt::print("{}: met something to judge in one of the runs only, and was kept there\n", check);
  for (const auto& check : chance) fmt::print("{}: differs by chance, or behind what does\n", check);
  if (!differing.empty())
    fmt::print("{} verdicts differ\n", differing.size());
  else if (checks != 0)
    fmt::print("the same verdicts: {} checks in {} cases\n", checks, one.size() - checks);
  return told_as(!differing.empty(), checks, first_run.complete && second_run.complete);
}

}  // namespace cutover::harness::cli
