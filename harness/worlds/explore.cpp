// The loop over schedules, and what it says at the end.
#include "harness/worlds/explore.h"

#include "protocol/base/check.h"

#include <fmt/format.h>

#include <algorithm>
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

/// Makes the decisions of a random run that went wrong fewer and smaller, as long as it still goes wrong.
class Shrinking {
 public:
  Shrinking(const Scenario& scenario, std::vector<std::size_t> values)
      : scenario_(scenario), best_(std::move(values)) {}

  /// What goes wrong in the smallest run that was found; nothing where the decisions by themselves do not show it.
  std::vector<Violation> run() {
    if (!goes_wrong(best_)) return {};
    bool smaller = true;
    while (smaller && tries_ < tries_max) smaller = without_pieces() || with_smaller_numbers();
    return violations_;
  }

 private:
  static constexpr std::size_t tries_max = 600;

  bool goes_wrong(const std::vector<std::size_t>& values) {
    ++tries_;
    Fitted choice(values);
    ExploreResult result;
    try {
      run_once(scenario_, choice, result);
    } catch (const HarnessFault&) {  // nothing that the scenario found
      return false;
    }
    if (result.violations.empty()) return false;
    violations_ = std::move(result.violations);
    best_ = values;
    return true;
  }

  /// Pieces taken out, or undisturbed; the longest first.
  bool without_pieces() {
    bool better = false;
    for (auto length = best_.size(); length > 0; length /= 2) {
      for (std::size_t at = 0; at < best_.size() && tries_ < tries_max; at += length) {
        const auto from = static_cast<std::ptrdiff_t>(at);
        const auto to = static_cast<std::ptrdiff_t>(std::min(at + length, best_.size()));
        auto cut = best_, zeroed = best_;
        cut.erase(cut.begin() + from, cut.begin() + to);
        std::fill(zeroed.begin() + from, zeroed.begin() + to, 0);
        better = goes_wrong(cut) || (zeroed != best_ && goes_wrong(zeroed)) || better;
      }
    }
    return better;
  }

  bool with_smaller_numbers() {
    bool better = false;
    for (std::size_t at = 0; at < best_.size() && tries_ < tries_max; ++at) {
      for (const auto smaller : {best_[at] / 2, best_[at] - 1}) {
        if (at >= best_.size() || best_[at] == 0 || smaller >= best_[at]) continue;
        auto values = best_;
        values[at] = smaller;
        better = goes_wrong(values) || better;
      }
    }
    return better;
  }

  const Scenario& scenario_;
  std::vector<std::size_t> best_;
  std::vector<Violation> violations_;
  std::size_t tries_ = 0;
};

void run_seed(const Scenario& scenario, std::uint64_t seed, ExploreResult& result) {
  Seed choice(seed);
  Recorded recorded(choice);
  const auto before = result.violations.size();
  run_once(scenario, recorded, result);
  if (before != 0 || result.violations.empty()) return;
  if (auto smallest = Shrinking(scenario, recorded.values()).run(); !smallest.empty())
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
