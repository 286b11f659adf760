// Judges the trace and the ends of the streams once a body is over.
#include "suites/support/invariants.h"

#include "harness/judging/invariants.h"

#include <gmock/gmock.h>

namespace cutover::suites {

using namespace harness;
using testing::Eq;
using testing::IsEmpty;

void hold_invariants(Run& run, std::shared_ptr<Deployment> deployment) {
  run.at_end([&run, deployment = std::move(deployment)] {
    const auto& trace = run.world().trace();
    CONFORMS("INV-1", "what was in clear where only TLS is allowed",
             check_no_stanza_in_clear(trace, deployment->secured_nodes()), IsEmpty());
    CONFORMS("INV-2", "what arrived more than once", check_nothing_twice(trace), IsEmpty());
    const bool every_server_closed = deployment->close();
    CONFORMS("INV-3", "every server closed its streams", every_server_closed, Eq(true));
    CONFORMS("INV-3", "the streams that did not end as they should",
             check_streams_ended(trace, deployment->stream_nodes()), IsEmpty());
  });
}

}  // namespace cutover::suites
