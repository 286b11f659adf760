// Which octets are UTF-8 of characters that XML 1.0 allows (XML 1.0 section 2.2, RFC 3629).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cutover::xml {

/// The length in octets of the XML character at the start of `text`; 0 where there is none: malformed UTF-8, an
/// overlong form, a surrogate, a control character other than tab, line feed and carriage return, U+FFFE or U+FFFF.
[[nodiscard]] inline std::size_t character_length(std::string_view text) {
  const auto octet = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = octet(0);
  if (text.empty()) return 0;
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  std::uint32_t code = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((octet(i) & 0xc0U) != 0x80) return 0;
    code = code << 6U | (octet(i) & 0x3fU);
  }
  if (length == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff) || code >= 0xfffe)) return 0;
  if (length == 4 && (code < 0x10000 || code > 0x10ffff)) return 0;
  return length;
}

/// Whether all of `text` is made of such characters.
[[nodiscard]] inline bool all_characters(std::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    if (first >= 0x20 && first < 0x80) {
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace cutover::xml
