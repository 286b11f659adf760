// The command line of `cutover`.
#pragma once

#include <string>
#include <vector>

namespace cutover::harness::cli {

/// Everything from the arguments to the exit code (outcome.h). Never throws.
[[nodiscard]] int run_command_line(int argc, char** argv);

/// What this machine has and lacks for a full run. Returns 0, or 3 when a run on loopback cannot work.
[[nodiscard]] int doctor();

/// A bash completion script.
[[nodiscard]] std::string bash_completion(const std::vector<std::string>& commands,
                                          const std::vector<std::string>& options);

}  // namespace cutover::harness::cli
