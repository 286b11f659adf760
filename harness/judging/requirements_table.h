// The catalogue as constant data, written at build time from fixtures/requirements by harness/judging/embed.
#pragma once

#include "harness/judging/requirements.h"

namespace cutover::harness {

/// Sorted by id.
[[nodiscard]] std::span<const Requirement> embedded_requirements();

}  // namespace cutover::harness
