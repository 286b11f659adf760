// The two sanitisers, by code point.
#include "protocol/interworking/mapping/text.h"

#include "protocol/interworking/mapping/address.h"

#include <algorithm>

namespace cutover::interworking {

namespace {

/// The length of the well-formed UTF-8 sequence at the start; 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  for (std::size_t n = 1; n <= 4 && n <= text.size(); ++n) {
    if (is_utf8(text.substr(0, n))) return n;
  }
  return 0;
}

bool xml_allows(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence.front());
  if (first < 0x20) return first == '\t' || first == '\n' || first == '\r';
  return sequence != "\xef\xbf\xbe" && sequence != "\xef\xbf\xbf";  // U+FFFE, U+FFFF
}

}  // namespace

std::string header_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const bool control = octet < 0x20 || octet == 0x7f;
    if (!control) out += c;
    if (control && !out.empty() && out.back() != ' ') out += ' ';
  }
  return std::string(trimmed(out));
}

std::string xml_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(sequence.size());
    if (length == 0 || !xml_allows(sequence)) continue;
    if (sequence == "\r") {
      if (!text.starts_with('\n')) out += '\n';
      continue;
    }
    out += sequence;
  }
  return out;
}

std::string crlf_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

std::string latin1_to_utf8(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0U | (octet >> 6U));
      out += static_cast<char>(0x80U | (octet & 0x3fU));
    }
  }
  return out;
}

std::string language_tag(std::string_view text) {
  const std::string_view tag = trimmed(text.substr(0, text.find(',')));
  const bool well_formed =
      !tag.empty() && tag.size() <= 64 && tag.front() != '-' && tag.back() != '-' &&
      std::all_of(tag.begin(), tag.end(), [](char c) {
        return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      });
  return well_formed ? std::string(tag) : std::string();
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view white = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(white);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(white) - begin + 1);
}

}  // namespace cutover::interworking
