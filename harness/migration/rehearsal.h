// A plan and its rehearsal: the timeline of what it costs whom, the verdict, the way back from every point, and what
// would make it better, each change rehearsed.
#pragma once

#include "harness/migration/timeline.h"

namespace cutover::harness::migration {

/// One step of a plan. Its operations have their effects one after another in `takes`, or all at its begin.
struct PlanStep {
  std::string name;
  Seconds at{}, takes{};
  std::vector<Operation> operations;
  int line = 0;  ///< in its file; 0: made by a proposal
};

/// What whoever wrote a plan expects of its rehearsal, so that a change of either is noticed.
struct Expectation {
  std::optional<bool> go;
  std::vector<Cause> causes;  ///< somebody loses something for each of them
};

struct Plan {
  std::string name, source;  ///< its file
  std::string start;         ///< date and time of the beginning, for people; empty: none was given
  Seconds ahead{};           ///< how much sooner than `start` it begins, where a proposal put something before it
  Estate estate;
  Readings readings;
  Seconds budget = std::chrono::hours(1);  ///< the longest loss of one lane that is acceptable
  Seconds quiet_within = std::chrono::hours(1);
  std::vector<PlanStep> steps;
  Expectation expect;
};

/// The operations with their times; a step that takes no time has all of them at its begin, in their order.
[[nodiscard]] std::vector<TimedOperation> schedule(const Plan&);
/// What they bring about, with the readings and streams of the plan. Throws OperationError as the other one.
[[nodiscard]] Timeline timeline_of(const Plan&);

/// A time in which somebody loses something, over all lanes that share its cause.
struct Window {
  Seconds from{}, to{};
  Outcome outcome;
  bool certain = true;
  Way way = Way::to_partner;
  std::vector<std::string> partners;
  std::vector<std::string> classes;
  std::uint64_t users = 0;
};

/// The state at the end of a step, and the way back from there.
struct Gate {
  std::size_t step = 0;
  Seconds at{};
  std::vector<std::string> commands;    ///< that carry the step out
  std::vector<std::string> checks;      ///< before one goes on
  std::vector<std::string> broken;      ///< what does not work behind it that worked before the plan, a sentence each
  std::vector<std::string> objections;  ///< of the whole's, those that begin with this step
  std::vector<Operation> back;          ///< the shortest way back: partners, records and the legacy side, or everything
  Seconds whole_again{};                ///< from the begin of the way back until all is as it was at the start
  bool returns = true;                  ///< whether it is, in the end
};

struct Rehearsal {
  Plan plan;
  Timeline timeline;
  std::vector<Window> windows;  ///< by their begin
  std::vector<Gate> gates;      ///< one a step
  std::size_t no_return =
      0;  ///< the first step from which going on is sooner whole than going back; steps.size(): none
  std::vector<std::string> objections;  ///< why it is a no-go; empty: go
  std::vector<std::string> surprises;   ///< what is not as the plan expects
  std::vector<std::string> leftovers;   ///< of the legacy side in the end, where nobody goes by it any more (1.6)
  [[nodiscard]] bool go() const { return objections.empty(); }
};

/// Throws OperationError with the step's name for an operation that cannot be carried out.
[[nodiscard]] Rehearsal rehearse(const Plan&);

/// A change of the plan, with what it brings.
struct Proposal {
  std::string what;  ///< an imperative: "Lower the TTL of contoso.example to 300 s by ..."
  double cost_before = 0, cost_after = 0;
  Plan plan;  ///< with the change
};
/// Every change that is better than the plan, the best first.
[[nodiscard]] std::vector<Proposal> proposals_for(const Rehearsal&);
/// Takes the best change again and again, the first from `proposals`, until none helps: the changes in their order, and
/// the plan behind them.
struct Improvement {
  std::vector<Proposal> taken;
  Rehearsal rehearsal;
};
[[nodiscard]] Improvement improve(const Rehearsal&, std::vector<Proposal> proposals);

[[nodiscard]] std::string words_of(const Window&);

}  // namespace cutover::harness::migration
