// `cutover serve`: keeps the reference deployment up on loopback for a person to talk to.
#pragma once

#include <cstdint>
#include <iosfwd>

namespace cutover::harness {

struct ServeOptions {
  int block = 1;  ///< of 127.0.0.0/8
  std::uint64_t seed = 1;
  bool legacy = false;  ///< before the migration; otherwise all six steps are carried out
};

/// Prints who listens where, then every note of every node as it comes, until SIGINT or SIGTERM. Returns 0.
[[nodiscard]] int serve(std::ostream& out, const ServeOptions& options);

}  // namespace cutover::harness
