// Which texts are ASCII.
#pragma once

#include <algorithm>
#include <string_view>

namespace cutover {

[[nodiscard]] inline bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace cutover
