// Benchmarks with their method beside each number: `cutover bench`. Never a test, never a verdict.
#pragma once

#include "protocol/base/time.h"

#include <iosfwd>
#include <string>

namespace cutover::harness {

struct BenchOptions {
  Duration budget = 2s;            ///< of real time, for each measurement
  std::string only;                ///< measure only names that contain this; empty for all
  int block = 0;                   ///< of 127.0.0.0/8 for the live measurements, as in LiveOptions
  std::string json_file;           ///< not empty: the measurements go there too
  std::size_t idle_streams = 200;  ///< opened to weigh one
};

/// Prints one line a measurement: name, value, unit, the design's budget where there is one, and the method.
/// Returns 0, or 3 when a measurement could not be made because the deployment under it did not work. UsageError where
/// `only` leaves nothing to measure.
[[nodiscard]] int run_bench(std::ostream& out, const BenchOptions& options = {});

}  // namespace cutover::harness
