// The run as one HTML file that works offline: verdict, suites, cases, checks, sequence diagrams, annotated wire.
#pragma once

#include "reports/model.h"

namespace cutover::reports {

/// The page with the run as JSON inside it, and the traces deflated: the browser unpacks what somebody looks at.
/// Nothing is fetched. Needs a browser with DecompressionStream (2023).
[[nodiscard]] std::string to_html(const RunResult&);

}  // namespace cutover::reports
