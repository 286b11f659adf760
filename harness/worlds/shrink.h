// Shrinking: the smallest decisions that still do what larger ones did.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace cutover::harness {

using Decisions = std::vector<std::size_t>;

/// Takes pieces out, sets them to zero and makes numbers smaller as long as `goes_wrong` says that the rest (for a
/// Fitted) still goes wrong, `tries_max` times at most. `decisions` do, and are returned where nothing smaller does.
[[nodiscard]] Decisions shrunk(Decisions decisions, std::size_t tries_max,
                               const std::function<bool(const Decisions&)>& goes_wrong);

}  // namespace cutover::harness
