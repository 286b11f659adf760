// The run as one HTML file that works offline: verdict, suites, cases, checks, sequence diagrams, annotated wire.
#pragma once

#include "reports/model.h"

namespace cutover::reports {

/// The page with the run as JSON inside it; nothing is fetched. Traces of passed cases are cut to keep the page usable,
/// those of red cases are whole.
[[nodiscard]] std::string to_html(const RunResult&);

}  // namespace cutover::reports
