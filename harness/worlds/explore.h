// Exploration: one scenario under every choice within bounds, or under many seeds.
#pragma once

#include "harness/worlds/choice.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness {

struct ExploreBounds {
  std::size_t detours_max = 2;            ///< detours from the default order in one run
  std::size_t schedules_max = 1'000'000;  ///< then the exploration stops, and is not complete
  std::size_t seeds = 0;                  ///< not 0: this many random runs instead of every schedule
  std::uint64_t first_seed = 1;
  bool stop_at_first = true;            ///< violation
  std::vector<std::string> must_reach;  ///< marks without which the exploration proves nothing
  std::string replay;                   ///< not empty: only this run
};

/// What one run of a scenario gets.
class Exploration {
 public:
  Exploration(Choice& choice, std::map<std::string, std::size_t>& marks, std::vector<std::string>& violations)
      : choice_(choice), marks_(marks), violations_(violations) {}
  /// To build the SimWorld with (order_only), and to decide the moments of the operator's steps.
  [[nodiscard]] Choice& choice() { return choice_; }
  /// The run came to a named place that makes it worth something.
  void reached(std::string_view mark) { marks_[std::string(mark)]++; }
  void violated(std::string what) { violations_.push_back(std::move(what)); }
  void violated(const std::vector<std::string>& what) {
    violations_.insert(violations_.end(), what.begin(), what.end());
  }

 private:
  Choice& choice_;
  std::map<std::string, std::size_t>& marks_;
  std::vector<std::string>& violations_;
};

struct Violation {
  std::string what;
  std::string replay;  ///< for ExploreBounds::replay
};

struct ExploreResult {
  std::size_t schedules = 0;
  bool complete = false;  ///< every schedule within the bounds was run (or every seed)
  std::vector<Violation> violations;
  std::map<std::string, std::size_t> reached;  ///< how many times each mark was hit, in all runs
  std::vector<std::string> never_reached;      ///< of must_reach; not judged for a replay or an exploration cut short
  [[nodiscard]] bool passed() const { return violations.empty() && never_reached.empty(); }
  /// What a person reads: counts, marks, and the first violations with their replay.
  [[nodiscard]] std::string text() const;
};

using Scenario = std::function<void(Exploration&)>;

/// Runs `scenario` again and again, in this thread; each run builds a world of its own. The first random run that goes
/// wrong is told by the smallest one like it that still does. A HarnessFault goes on with the
/// replay text added.
[[nodiscard]] ExploreResult explore(const Scenario& scenario, const ExploreBounds& bounds);

}  // namespace cutover::harness
