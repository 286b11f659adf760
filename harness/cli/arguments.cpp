// From arguments to selections and options.
#include "harness/cli/arguments.h"

#include "departures/table.h"
#include "harness/deployment/topology.h"
#include "harness/judging/requirements.h"
#include "harness/targets/target.h"
#include "harness/worlds/choice.h"
#include "protocol/base/check.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>

namespace cutover::harness::cli {

namespace {

/// Before a real server stands a front, and all that it can change is what passes through it.
void check_front(const Target& target, const std::vector<std::string>& defects) {
  if (!std::holds_alternative<LocalTarget>(target.driver))
    throw UsageError("--defect: a front can stand only before a server that is started here, not before a remote one");
  for (const auto& name : defects) {
    const auto [departure, nodes] = departures::named(name);
    const bool rewrite = departure->kind == departures::Kind::rewrite && (nodes & departures::front) != 0;
    const bool passes = rewrite || (nodes & departures::in_tls_of_front) != 0;
    if (!passes)
      throw UsageError(
          fmt::format("--defect: {} (kind {}) cannot be planted before a real server: a front changes only "
                      "what passes through it, by rewrites of XMPP streams, and what it shows in TLS",
                      name, departures::name_of(departure->kind)));
  }
}

/// One server is met as somebody's that is up.
void check_one_server(const RunArguments& arguments) {
  const bool started_here =
      !arguments.target.empty() && std::holds_alternative<LocalTarget>(load_target(arguments.target).driver);
  if (!started_here)
    throw UsageError("--one-server is for a --target that is started here, such as fixtures/targets/prosody.yaml");
  if (!arguments.defects.empty()) throw UsageError("--one-server: no front stands before it; leave --defect out");
}

}  // namespace

std::uint64_t random_seed() {
  std::uint32_t seed = 0;  // 32 bits: short enough to be typed
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed)
    throw HarnessFault("the system gave no random seed; use --seed");
  return seed;
}

Selection selection_of(const RunArguments& arguments) {
  Selection selection;
  selection.patterns = arguments.patterns;
  selection.exclude = arguments.exclude;
  if (arguments.world == "sim") selection.world = WorldKind::sim;
  if (arguments.world == "live") selection.world = WorldKind::live;
  selection.target = !arguments.target.empty();
  selection.topology = !arguments.topology.empty();
  selection.shard = parse_shard(arguments.shard);
  selection.repeat = arguments.repeat;
  return selection;
}

RunnerOptions runner_options_of(const RunArguments& arguments, std::uint64_t seed) {
  RunnerOptions options;
  options.seed = seed;
  options.replay = arguments.replay;
  options.strict = arguments.strict;
  options.detours = arguments.detours;
  options.depth = stimuli::depth_of(arguments.depth).value_or(stimuli::Depth::covering);
  const auto processors = static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  // On loopback a case mostly waits. How many may ask somebody's server at a time is theirs to say.
  constexpr int waiting = 6;
  const int usual = arguments.target.empty() ? processors + waiting : processors;
  options.jobs = arguments.jobs > 0 ? arguments.jobs : usual;
  options.simulating = arguments.jobs > 0 ? arguments.jobs : processors;
  options.target_file = arguments.target;
  options.topology_file = arguments.topology;
  options.catalogue = arguments.catalogue;
  options.case_timeout_s = arguments.timeout_s;
  options.limit = std::chrono::seconds(arguments.limit_s);
  options.planted = {arguments.defects.begin(), arguments.defects.end()};
  if (arguments.shuffle) options.shuffled_by = seed;
  return options;
}

void check_arguments(const RunArguments& arguments) {
  if (!arguments.replay.empty()) {
    try {
      (void)make_choice(arguments.replay);
    } catch (const std::invalid_argument& error) {
      throw UsageError(std::string("--replay: ") + error.what());
    }
  }
  try {
    (void)departures::Planted({arguments.defects.begin(), arguments.defects.end()});
  } catch (const departures::UnknownDeparture& fault) {
    throw UsageError(std::string("--defect: ") + fault.what());
  }
  if (!arguments.target.empty() && !arguments.defects.empty())
    check_front(load_target(arguments.target), arguments.defects);
  if (arguments.one_server) check_one_server(arguments);
  if (arguments.directory.empty()) throw UsageError("-o: expected a folder, such as out");
  if (!arguments.topology.empty() && !arguments.target.empty())
    throw UsageError("--topology is of the embedded deployment; a target has its own: give one of the two");
  if (!arguments.target.empty() && arguments.world != "both")
    throw UsageError("--world is of the embedded deployment; a target has one of its own: leave it out");
  if (!arguments.topology.empty()) (void)load_topology(arguments.topology);
  if (!arguments.catalogue.empty()) Catalogue::use(Catalogue::load(arguments.catalogue));
}

}  // namespace cutover::harness::cli
