// The one place that knows both worlds.
#pragma once

#include "harness/choice.h"
#include "harness/world.h"

namespace cutover::harness {

/// `choice` decides what a simulated world leaves open and outlives the world; `block` (1..16383) is the part of
/// 127.0.0.0/8 that belongs to this process in a live one.
[[nodiscard]] std::unique_ptr<World> make_world(WorldKind kind, Choice& choice, std::uint64_t seed, int block);

}  // namespace cutover::harness
