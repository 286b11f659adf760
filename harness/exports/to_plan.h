// The plan that exports begin: the estate that they tell, as its administrator knows it, and the document's six steps.
#pragma once

#include "harness/exports/judge.h"

#include <string>

namespace cutover::harness::exports {

/// A commented plan in YAML that migration::load_plan() takes, whatever is in the exports. Users are classes; what the
/// exports do not tell has the default, and a comment that begins with "not in the exports".
[[nodiscard]] std::string to_plan(const Inventory&, const JudgeOptions& = {});

}  // namespace cutover::harness::exports
