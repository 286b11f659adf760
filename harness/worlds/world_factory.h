// The one place that knows both worlds.
#pragma once

#include "harness/worlds/choice.h"
#include "harness/worlds/world.h"

#include <map>

namespace cutover::harness {

/// `choice` decides what a simulated world leaves open and outlives the world; `block` (1..16383) is the part of
/// 127.0.0.0/8 that belongs to this process in a live one, and `addresses` those of hosts outside it.
[[nodiscard]] std::unique_ptr<World> make_world(WorldKind kind, Choice& choice, std::uint64_t seed, int block,
                                                std::map<int, std::string> addresses = {});

}  // namespace cutover::harness
