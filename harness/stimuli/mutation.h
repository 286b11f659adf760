// Mutations: octets that a broken or hostile peer might send, made of those that a text allows.
#pragma once

#include "harness/worlds/choice.h"

#include <string>
#include <string_view>

namespace cutover::harness::stimuli {

struct Mutation {
  std::string octets;
  std::string words;  ///< what was done: "9 octets cut out at 12"
};

/// No mutation makes octets longer than this; longer ones are returned as they are.
inline constexpr std::size_t mutated_max_octets = 64 * 1024;

/// One change, as the choice decides: a piece is cut out, doubled, exchanged or moved, an octet is another one, or what
/// parsers stumble over is put in. `host` is a name whose resolution would show that an external entity is fetched.
/// The undisturbed choice cuts nothing off.
[[nodiscard]] Mutation mutated(std::string_view octets, Choice& choice, std::string_view host);

}  // namespace cutover::harness::stimuli
