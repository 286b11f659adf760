// Which combinations of a grammar are tried, and how one that fails becomes the smallest that does.
#pragma once

#include "harness/stimuli/grammar.h"
#include "harness/worlds/choice.h"

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace cutover::harness::stimuli {

/// How much of what is possible is tried: each value once; each pair of values of two dimensions; that, and ten times
/// as many drawn by the seed.
enum class Depth { quick, covering, deep };
[[nodiscard]] const char* name_of(Depth);
[[nodiscard]] std::optional<Depth> depth_of(std::string_view name);

/// Combinations of legal values, the usual one first. The seed decides which values meet where nothing asks for it.
[[nodiscard]] std::vector<Combination> covering(const Grammar&, Depth, Generator&);
/// Each value of that status alone.
[[nodiscard]] std::vector<Combination> alone(const Grammar&, Status);

/// A combination that still fails, and in which no value can become the usual one without that. `fails` is asked
/// `tries` times at most.
[[nodiscard]] Combination smallest(Combination failing, std::size_t tries,
                                   const std::function<bool(const Combination&)>& fails);
/// Whether all that is unusual in `part` is so in `whole`.
[[nodiscard]] bool contains(const Combination& whole, const Combination& part);

}  // namespace cutover::harness::stimuli
