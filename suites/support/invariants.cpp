// Judges the trace and the ends of the streams once a body is over.
#include "suites/support/invariants.h"

#include "harness/judging/invariants.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

namespace cutover::suites {

using namespace harness;
using testing::Eq;

namespace {
std::string listed(const std::vector<std::string>& violations) {
  return violations.empty() ? "nothing" : fmt::format("{}", fmt::join(violations, "; "));
}
}  // namespace

void hold_invariants(Run& run, std::shared_ptr<Deployment> deployment, Repeats repeats) {
  run.at_end([&run, deployment = std::move(deployment), repeats] {
    const auto& trace = run.world().trace();
    const auto in_clear = check_no_stanza_in_clear(trace, deployment->secured_nodes());
    CONFORMS_THAT("INV-1", "what the nodes that require TLS said or heard in clear", in_clear.empty(), "nothing",
                  listed(in_clear));
    if (repeats == Repeats::never) {
      const auto twice = check_nothing_twice(trace);
      CONFORMS_THAT("INV-2", "which messages came to a node twice", twice.empty(), "nothing", listed(twice));
    }
    CONFORMS("INV-3", "every server closed its streams in time", deployment->close(), Eq(true));
    const auto open = check_streams_ended(trace, deployment->stream_nodes());
    CONFORMS_THAT("INV-3", "which streams ended without both closing tags", open.empty(), "nothing", listed(open));
  });
}

}  // namespace cutover::suites
