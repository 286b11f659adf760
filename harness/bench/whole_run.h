// What a whole run of this program costs its machine.
#pragma once

#include <string>
#include <vector>

namespace cutover::harness {

struct RunCost {
  int exit_code = 0;               ///< of the run; 1000 and the signal if one ended it
  double wall_s = 0, cpu_s = 0;    ///< cpu_s: all of its processes together
  double largest_process_mib = 0;  ///< the most resident memory that one of them held
};

/// Runs this program with these arguments in a process of its own, its output thrown away, and waits for its end.
/// HarnessFault where it cannot be started.
[[nodiscard]] RunCost cost_of(std::vector<std::string> arguments);

}  // namespace cutover::harness
