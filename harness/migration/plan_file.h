// Plans in YAML: an estate, and the steps of its migration with their times. fixtures/plans/ has commented ones.
#pragma once

#include "harness/migration/rehearsal.h"

#include <string>
#include <string_view>

namespace cutover::harness::migration {

/// Throws YamlError with every mistake at once, each with its line and what was expected: keys, names, times,
/// operations that the estate cannot carry out at their moment.
[[nodiscard]] Plan parse_plan(std::string_view yaml, const std::string& source);
/// Reads a file. Throws YamlError with the path where it cannot be read.
[[nodiscard]] Plan load_plan(const std::string& path);
/// A commented plan to begin with.
[[nodiscard]] std::string_view plan_to_begin_with();

}  // namespace cutover::harness::migration
