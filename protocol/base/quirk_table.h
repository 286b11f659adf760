// The table of every named defect: one line each, so that `cutover selftest` can list and run them all.
#pragma once

#include <span>
#include <string_view>

namespace cutover {

/// A named defect of a subject that this program plays.
struct QuirkDescription {
  std::string_view name;         ///< "layer.what-it-does-wrong", never reused
  std::string_view description;  ///< what a subject with it does
};

/// Every defect, from the tables of the parts (one quirks_<part>.inc a part, so that parts can grow apart).
[[nodiscard]] std::span<const QuirkDescription> quirk_table();
/// Whether the table has that name.
[[nodiscard]] bool is_quirk(std::string_view name);

}  // namespace cutover
