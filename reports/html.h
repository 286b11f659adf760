// The run as one HTML file that works offline: verdict, suites, cases, checks, sequence diagrams, annotated wire.
#pragma once

#include "reports/model.h"

#include <map>
#include <string>

namespace cutover::reports {

/// What whoever wrote a case says of it; for the page alone: `cutover explain` tells it elsewhere.
struct About {
  std::string procedure, accepted, likely_causes;
};
using AboutCases = std::map<std::string, About>;  ///< by id

/// The page with the run as JSON inside it, and the traces deflated: the browser unpacks what somebody looks at.
/// Nothing is fetched. Needs a browser with DecompressionStream (2023).
[[nodiscard]] std::string to_html(const RunResult&, const AboutCases& = {});

}  // namespace cutover::reports
