// What holds in every run that brings a deployment up, whatever the case is about: INV-1 to INV-3 of the catalogue.
#pragma once

#include "harness/deployment/deployment.h"
#include "harness/judging/run.h"

namespace cutover::suites {

/// Whether a case says the same request twice by itself: then that it came twice is nobody's fault.
enum class Repeats { never, by_hand };

/// Has the invariants judged after the body, declared by the record or not. The deployment lives until then.
void hold_invariants(harness::Run&, std::shared_ptr<harness::Deployment>, Repeats = Repeats::never);

}  // namespace cutover::suites
