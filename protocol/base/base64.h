// Base64 (RFC 4648 section 4), read by the letter or for what can be found in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cutover {

[[nodiscard]] std::string to_base64(std::string_view octets);
/// Nothing for an octet outside the alphabet, white space included, padding that is missing or not at the end, and
/// padding bits that are not zero: exactly what to_base64() makes.
[[nodiscard]] std::optional<std::string> from_base64_strict(std::string_view text);
/// Skips what is not of the alphabet, padding included, and drops a rest of less than an octet.
[[nodiscard]] std::string from_base64_lenient(std::string_view text);

}  // namespace cutover
