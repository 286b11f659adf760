// Octets to text that no XML or JSON reader refuses.
#include "reports/text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace cutover::reports {

namespace {

/// The length of the well-formed UTF-8 sequence (RFC 3629) at the start of `text`; 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;  // no surrogates
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool xml_forbids(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 && first != '\t' && first != '\n' && first != '\r';
  return sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF";
}

bool moves_a_terminal(std::string_view sequence) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return octet(0) < 0x20 || octet(0) == 0x7F;
  if (sequence.size() == 2) return octet(0) == 0xC2 && octet(1) < 0xA0;  // C1: 0x9B alone begins a sequence
  if (sequence.size() != 3 || octet(0) != 0xE2) return false;
  const bool line_or_direction = octet(1) == 0x80 && octet(2) >= 0x8E && octet(2) <= 0xAE;
  const bool embedding = octet(2) <= 0x8F || octet(2) >= 0xA8;  // U+200E, U+200F, U+2028 to U+202E
  return (line_or_direction && embedding) || (octet(1) == 0x81 && octet(2) >= 0xA6 && octet(2) <= 0xA9);
}

template <class Forbids>
std::string clean(std::string_view octets, Forbids forbids) {
  std::string result;
  result.reserve(octets.size());
  while (!octets.empty()) {
    const auto length = sequence_length(octets);
    const auto sequence = octets.substr(0, length == 0 ? 1 : length);
    if (length == 0 || forbids(sequence)) {
      for (const char octet : sequence) result += fmt::format("\\x{:02X}", static_cast<unsigned char>(octet));
    } else {
      result += sequence;
    }
    octets.remove_prefix(sequence.size());
  }
  return result;
}

}  // namespace

std::string printable_utf8(std::string_view octets) {
  return clean(octets, [](std::string_view) { return false; });
}

std::string xml_clean(std::string_view octets) { return clean(octets, xml_forbids); }

std::string terminal_text(std::string_view octets) { return clean(octets, moves_a_terminal); }

std::string xml_escape(std::string_view octets) {
  std::string result;
  for (const char c : xml_clean(octets)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&apos;";
        break;
      case '\r':
        result += "&#13;";
        break;
      case '\n':
        result += "&#10;";
        break;
      case '\t':
        result += "&#9;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string iso_time(long long milliseconds_since_1970) {
  const auto seconds = static_cast<std::time_t>(milliseconds_since_1970 / 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), milliseconds_since_1970 % 1000);
}

}  // namespace cutover::reports
