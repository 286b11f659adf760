// What `run`, `list`, `coverage` and `selftest` are asked for, and what that means for selection and runner.
#pragma once

#include "harness/running/runner.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cutover::harness::cli {

inline constexpr const char* version = "0.1.0";

struct RunArguments {
  std::vector<std::string> patterns, exclude, defects;
  std::string world = "both", target, topology, replay, shard = "1/1", junit, json, html, baseline, directory = "out",
              catalogue, depth = "covering";
  std::optional<std::uint64_t> seed;
  bool strict = false, single = false, shuffle = false, one_server = false;
  std::size_t detours = 0;
  int repeat = 1, jobs = 0, timeout_s = 0, limit_s = 0;
};

/// A seed from the system, for a run without --seed.
[[nodiscard]] std::uint64_t random_seed();
/// Throws UsageError.
[[nodiscard]] Selection selection_of(const RunArguments&);
[[nodiscard]] RunnerOptions runner_options_of(const RunArguments&, std::uint64_t seed);
/// Finds everything that a user can have wrong before the first case runs, and chooses the catalogue. Throws
/// UsageError, CatalogueError or TopologyError.
void check_arguments(const RunArguments&);

}  // namespace cutover::harness::cli
