// What to look at behind an operation, before one goes on: for a person at the product's console.
#pragma once

#include "harness/migration/operation.h"

namespace cutover::harness::migration {

/// Empty where nothing can be looked at.
[[nodiscard]] std::vector<std::string> checks_of(const Operation&, const Estate&);

}  // namespace cutover::harness::migration
