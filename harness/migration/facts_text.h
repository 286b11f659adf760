// fixtures/migration/facts.yaml, built into the program.
#pragma once

#include <string_view>

namespace cutover::harness::migration {

[[nodiscard]] std::string_view facts_text();

}  // namespace cutover::harness::migration
