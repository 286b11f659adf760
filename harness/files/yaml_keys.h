// What yaml-cpp lets pass: a key that stands twice in one map, of which it would take the first in silence.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cutover::harness {

struct KeyTwice {
  std::string key;
  int line = 0;  ///< of the second, from 1
};

/// The first such key of a text that yaml-cpp can load.
[[nodiscard]] std::optional<KeyTwice> key_given_twice(std::string_view yaml);

}  // namespace cutover::harness
