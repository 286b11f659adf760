// Whether the target finds the peers that the file names: what every case in which it opens a stream rests on.
#pragma once

#include "harness/targets/target.h"
#include "harness/worlds/world.h"

#include <string>
#include <vector>

namespace cutover::harness {

/// Lets the user of the account ask each peer something, and waits until the target came to it. One sentence a peer to
/// which it did not: what our name server was asked, what the user was told. Empty where there is no account to ask
/// with. Takes at most about 20 s.
[[nodiscard]] std::vector<std::string> peers_not_found(World&, const Target&);

}  // namespace cutover::harness
