// What yaml-cpp passes over in silence: a key that stands twice in one map, and whatever is behind the first document.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cutover::harness {

struct PassedOver {
  std::string words;
  int line = 0;  ///< from 1
};

/// The first such thing of a text that yaml-cpp can load.
[[nodiscard]] std::optional<PassedOver> passed_over(std::string_view yaml);

}  // namespace cutover::harness
