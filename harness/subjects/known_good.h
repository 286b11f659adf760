// An exchange that any server is good for: what tells whether a target is as good after a case as it was before it.
#pragma once

#include "harness/targets/target.h"
#include "harness/worlds/world.h"

namespace cutover::harness {

/// A user of each kind of peer that the target offers pings its domain, again and again, until an answer of whatever
/// sort comes on a stream of the target's own. Below the declared domains the peers are called `label`; empty: they are
/// the first of each kind. Returns who got no answer within `limit`; nullopt when all did. For remote targets.
[[nodiscard]] std::optional<std::string> answers_nobody(World&, const Target&, const std::string& label,
                                                        Duration limit);

}  // namespace cutover::harness
