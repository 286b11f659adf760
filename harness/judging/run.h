// Run: what a case body is given - its world, its seed, the defects that are on, and the ways to end early.
#pragma once

#include "departures/table.h"
#include "harness/deployment/topology.h"
#include "harness/judging/case.h"
#include "harness/stimuli/covering.h"
#include "harness/targets/target.h"
#include "harness/worlds/choice.h"
#include "harness/worlds/world.h"

#include <optional>

namespace cutover::harness {

/// How one case is run.
struct RunOptions {
  WorldKind world = WorldKind::sim;
  std::uint64_t seed = 1;   ///< of this case
  std::size_t detours = 0;  ///< that an exploration allows in a schedule; 0: what its case says
  std::string replay;       ///< decisions of an earlier run (Choice::replay()); empty: decisions from the seed
  bool strict = false;      ///< an unmet SHOULD fails
  stimuli::Depth depth = stimuli::Depth::covering;  ///< how much of the stimuli that vary
  std::set<std::string, std::less<>> planted;       ///< defects and variants of the deployment, by name
  departures::Watch watch = departures::Watch::no;
  int block = 1;  ///< see make_world()
  std::optional<Target> target;
  std::optional<Topology> topology;  ///< nothing: the reference topology
  std::string topology_file;         ///< where it was read from
  int attempt = 1;
  std::map<PartnerKind, std::size_t> peers;  ///< which of the peers that the target's file lists for a kind
};

class Run {
 public:
  Run(const CaseRecord& record, const RunOptions& options);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  [[nodiscard]] const CaseRecord& record() const { return record_; }
  [[nodiscard]] const RunOptions& options() const { return options_; }
  [[nodiscard]] WorldKind kind() const { return options_.world; }
  [[nodiscard]] std::uint64_t seed() const { return options_.seed; }
  [[nodiscard]] bool strict() const { return options_.strict; }
  /// With the whole case: who keeps it waiting for longer ends it.
  [[nodiscard]] Duration patience() const;
  /// Null when the embedded deployment is judged.
  [[nodiscard]] const Target* target() const { return options_.target ? &*options_.target : nullptr; }
  /// Of the deployment, in the addresses of this world.
  [[nodiscard]] Topology topology() const;
  /// To be given to the deployment; empty in a normal run.
  [[nodiscard]] const departures::Planted& planted() const { return planted_; }

  /// The world of this case, made at the first call. A body that explores makes its own worlds and never calls this.
  [[nodiscard]] World& world();
  /// What decides in world(): from the seed, or a replay.
  [[nodiscard]] Choice& choice();
  /// A number below `bound` (> 0) from the seed, apart from those of the world.
  [[nodiscard]] std::uint64_t random(std::uint64_t bound);
  [[nodiscard]] stimuli::Depth depth() const { return options_.depth; }
  /// How many combinations of stimuli the case has tried, of how many.
  void tried(std::size_t combinations, std::uint64_t possible);
  [[nodiscard]] Verdicts& verdicts() { return verdicts_; }

  /// The case cannot run here; `reason` is for people. Ends the body.
  [[noreturn]] void skip(std::string reason);
  /// The target's declaration says that it does not offer this. Ends the body.
  [[noreturn]] void unsupported(std::string reason);

  /// Order of the columns in the sequence diagram; without it partners, name server, proxies, gateways, pools.
  void columns(std::vector<std::string> names) { columns_ = std::move(names); }
  /// The report shows it on its first screen.
  void chart(reports::Chart chart) { chart_ = std::move(chart); }
  void stream_ended(reports::StreamEnd end) { streams_.push_back(std::move(end)); }
  /// Reports this trace instead of that of world(): the one schedule of an exploration that matters.
  void show(const Trace& trace);
  /// The decisions that lead here again; the command that reproduces the case replays them.
  void reproduce_with(std::string replay) { replay_ = std::move(replay); }
  /// What a red result shows besides the trace, such as the log of a real server; asked for after the body, so it must
  /// not refer to what the body owns.
  void evidence(std::function<std::string()> text) { evidence_.push_back(std::move(text)); }
  /// Called after the body, in reverse order, whatever came of it, with CONFORMS still possible: invariants.
  void at_end(std::function<void()> call) { at_end_.push_back(std::move(call)); }

 private:
  friend reports::CaseResult execute_case(const CaseRecord& record, const RunOptions& options);
  void run_body();
  void finish(reports::CaseResult& result);

  const CaseRecord& record_;
  const RunOptions& options_;
  departures::Planted planted_;
  Generator generator_;
  std::unique_ptr<Choice> choice_;
  std::unique_ptr<World> world_;
  Verdicts verdicts_;
  std::vector<std::string> columns_;
  std::vector<reports::StreamEnd> streams_;
  std::optional<reports::Chart> chart_;
  std::optional<std::vector<TraceRecord>> shown_;
  std::string replay_;
  std::size_t combinations_ = 0;
  std::uint64_t combinations_possible_ = 0;
  std::vector<std::function<void()>> at_end_;
  std::vector<std::function<std::string()>> evidence_;
};

/// Runs one case in this process. Never throws for what the case does: HarnessFault, other exceptions, a case that
/// judges nothing or something undeclared are `broken`; a failed ASSERT_ or EXPECT_ is a failed check without a
/// requirement.
[[nodiscard]] reports::CaseResult execute_case(const CaseRecord& record, const RunOptions& options);

/// The command that runs the case again and comes to the same result; `replay` empty: from its seed.
[[nodiscard]] std::string reproduction(const CaseRecord& record, const RunOptions& options, const std::string& replay);

/// How long a case may wait altogether where time is real: its budget and more. Then it ends by itself, with what it
/// has not judged inconclusive: who keeps it waiting is not our fault. The runner kills it a little later.
[[nodiscard]] Duration patience_of(const CaseRecord& record, Duration with_subject = usual_patience);

/// The seed of one case of a run: one case alone with --seed gives what it gave in the whole run.
[[nodiscard]] std::uint64_t case_seed(std::uint64_t run_seed, std::string_view case_id, int attempt);
/// "sim", "live" or "target".
[[nodiscard]] std::string world_name(const RunOptions&);

}  // namespace cutover::harness
