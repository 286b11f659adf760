// Whether a target is there at all: a dead subject is one message, not a failure of every case.
#pragma once

#include "harness/targets/target.h"
#include "harness/worlds/world.h"

namespace cutover::harness {

/// Meets the target once as a peer and, where it declares an account, once as its user. Returns why it cannot be
/// judged, with the place and what to do about it; nullopt when it is up. Takes at most about 20 s of world time.
/// A server of our own is started for this and ended again.
[[nodiscard]] std::optional<std::string> subject_down(World& world, const Target& target);

}  // namespace cutover::harness
