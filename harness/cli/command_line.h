// The command line of `cutover`.
#pragma once

namespace cutover::harness::cli {

/// Everything from the arguments to the exit code (outcome.h). Never throws.
[[nodiscard]] int run_command_line(int argc, char** argv);

}  // namespace cutover::harness::cli
