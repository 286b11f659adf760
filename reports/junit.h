// JUnit XML in the dialect that Jenkins, GitLab and GitHub all show: failures, never <error>; the explanation in the
// body.
#pragma once

#include "reports/model.h"

namespace cutover::reports {

/// The whole report. Valid against fixtures/schemas/junit.xsd, and XML 1.0-clean whatever was on the wire. A harness
/// fault is <failure type="harness">, an incomplete run a failed case "run incomplete", an expected deviation a passed
/// case whose output tells it. Long wire excerpts are cut with a mark, so that a report stays below 30 MB.
[[nodiscard]] std::string to_junit(const RunResult&);

}  // namespace cutover::reports
