// One finding for a declared ability that the wire contradicts, instead of one for each case that needs it.
#pragma once

#include "reports/model.h"

namespace cutover::harness {

/// Where a case of the suite `target` found that the subject does not have what its file declares: cases that need it
/// and in which nothing held did not run because of that, instead of being red once more.
void tell_contradictions_once(reports::RunResult&);

}  // namespace cutover::harness
