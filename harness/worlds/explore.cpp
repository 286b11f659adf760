// The loop over schedules, and what it says at the end.
#include "harness/worlds/explore.h"

#include "harness/worlds/shrink.h"
#include "protocol/base/check.h"

#include <fmt/format.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace cutover::harness {

namespace {

/// A schedule frees all that it built. glibc would give the top of the heap back to the kernel each time and fault it
/// in again for the next: a quarter of the time of a small schedule.
void keep_the_heap() {
#ifdef __GLIBC__
  constexpr int kept_max_octets = 64 * 1024 * 1024;
  mallopt(M_TRIM_THRESHOLD, kept_max_octets);
#endif
}

void run_once(const Scenario& scenario, Choice& choice, ExploreResult& result) {
  std::vector<std::string> violations;
  Exploration exploration(choice, result.reached, violations);
  try {
    scenario(exploration);
  } catch (const HarnessFault& fault) {
    throw HarnessFault(fmt::format("{} (replay: {})", fault.what(), choice.replay()));
  }
  result.schedules++;
  for (auto& what : violations) result.violations.push_back({std::move(what), choice.replay()});
}

bool done(const ExploreResult& result, const ExploreBounds& bounds) {
  return (bounds.stop_at_first && !result.violations.empty()) || result.schedules >= bounds.schedules_max;
}

/// What goes wrong in the smallest run like that of these decisions; nothing where they by themselves do not show it.
std::vector<Violation> of_the_smallest(const Scenario& scenario, const Decisions& decisions) {
  constexpr std::size_t tries_max = 250;
  std::vector<Violation> violations;
  const auto goes_wrong = [&](const Decisions& some) {
    Fitted choice(some);
    ExploreResult result;
    try {
      run_once(scenario, choice, result);
    } catch (const HarnessFault&) {  // nothing that the scenario found
      return false;
    }
    if (result.violations.empty()) return false;
    violations = std::move(result.violations);
    return true;
  };
  if (goes_wrong(decisions)) (void)shrunk(decisions, tries_max, goes_wrong);
  return violations;
}

void run_seed(const Scenario& scenario, std::uint64_t seed, ExploreResult& result) {
  Seed choice(seed);
  Recorded recorded(choice);
  const auto before = result.violations.size();
  run_once(scenario, recorded, result);
  if (before != 0 || result.violations.empty()) return;
  if (auto smallest = of_the_smallest(scenario, recorded.values()); !smallest.empty())
    result.violations = std::move(smallest);
}

void run_seeds(const Scenario& scenario, const ExploreBounds& bounds, ExploreResult& result) {
  for (std::size_t i = 0; i < bounds.seeds; i++) {
    if (done(result, bounds)) return;
    run_seed(scenario, bounds.first_seed + i, result);
  }
  result.complete = true;
}

void run_all(const Scenario& scenario, const ExploreBounds& bounds, ExploreResult& result) {
  Exhaust all(bounds.detours_max);
  while (all.next()) {
    if (done(result, bounds)) return;
    run_once(scenario, all, result);
  }
  result.complete = true;
}

}  // namespace

ExploreResult explore(const Scenario& scenario, const ExploreBounds& bounds) {
  keep_the_heap();
  ExploreResult result;
  if (!bounds.replay.empty()) {
    const auto choice = make_choice(bounds.replay);
    run_once(scenario, *choice, result);
    return result;
  }
  if (bounds.seeds != 0)
    run_seeds(scenario, bounds, result);
  else
    run_all(scenario, bounds, result);
  const bool cut_short = bounds.stop_at_first && !result.violations.empty();
  for (const auto& mark : bounds.must_reach)
    if (!cut_short && !result.reached.contains(mark)) result.never_reached.push_back(mark);
  return result;
}

std::string ExploreResult::text() const {
  constexpr std::size_t shown_max = 10;
  auto text =
      fmt::format("{} schedules{}, {} violations\n", schedules, complete ? "" : " (not all)", violations.size());
  for (const auto& [mark, count] : reached) text += fmt::format("  reached {}: {} times\n", mark, count);
  for (const auto& mark : never_reached)
    text += fmt::format("  never reached {}: the exploration proves nothing\n", mark);
  for (std::size_t i = 0; i < violations.size() && i < shown_max; i++)
    text += fmt::format("  {} (replay: {})\n", violations[i].what, violations[i].replay);
  return text;
}

}  // namespace cutover::harness
