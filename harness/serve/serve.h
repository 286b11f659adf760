// `cutover serve`: keeps the reference deployment, or some of its nodes, up for a person to talk to.
#pragma once

#include "harness/deployment/topology.h"

#include <iosfwd>

namespace cutover::harness {

struct ServeOptions {
  Topology topology;
  /// Node names, or "pools", "partners", "users"; empty: the whole deployment, with the six steps as commands. Nodes
  /// that are served one by one stand as after the migration (`legacy`: as before it) and expect the others where the
  /// topology says that they are.
  std::vector<std::string> nodes;
  int block = 0;  ///< of 127.0.0.0/8, for nodes without an address of their own
  std::uint64_t seed = 1;
  bool legacy = false;      ///< before the migration; otherwise all six steps are carried out
  std::string credentials;  ///< folder
  bool admin = true;
  std::string token_file;  ///< of the admin interface; must be given where its node is not on loopback
};

/// Prints who listens where and how to talk to it, then every note of every node as it comes, until SIGINT, SIGTERM or
/// the command `end`. Commands come on descriptor `input`. Returns 0. Throws UsageError, CredentialsError and
/// ListenError (with the remedy).
[[nodiscard]] int serve(std::ostream& out, int input, const ServeOptions&);

/// The block of "127.200.0", the first three numbers of the addresses. Throws UsageError for what is none of ours.
[[nodiscard]] int block_of(const std::string& network);

}  // namespace cutover::harness
