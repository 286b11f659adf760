// Numbers of two octets in network order, as every length and id of DNS (RFC 1035 sections 4.1.1 and 4.2.2).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cutover::dns {

[[nodiscard]] inline std::string two_octets(std::size_t number) {
  return {static_cast<char>(number >> 8 & 0xff), static_cast<char>(number & 0xff)};
}

/// `text` reaches two octets beyond `at` or further.
[[nodiscard]] inline std::size_t number_at(std::string_view text, std::size_t at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(text[at]) << 8 | static_cast<unsigned char>(text[at + 1]));
}

}  // namespace cutover::dns
