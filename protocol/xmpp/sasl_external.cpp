// Base64 by the letter, and the one rule of EXTERNAL.
#include "protocol/xmpp/sasl_external.h"

#include "protocol/xmpp/jid.h"

#include <cstdint>

namespace cutover::xmpp {

namespace {
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string encode_authzid(std::string_view domain) {
  if (domain.empty()) return "=";  // RFC 6120 section 6.4.2
  std::string out;
  for (std::size_t i = 0; i < domain.size(); i += 3) {
    const auto at = [&](std::size_t k) { return k < domain.size() ? static_cast<unsigned char>(domain[k]) : 0U; };
    const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    out += alphabet[group >> 18];
    out += alphabet[group >> 12 & 63];
    out += i + 1 < domain.size() ? alphabet[group >> 6 & 63] : '=';
    out += i + 2 < domain.size() ? alphabet[group & 63] : '=';
  }
  return out;
}

std::optional<std::string> decode_authzid(std::string_view text) {
  if (text.empty() || text == "=") return std::string();
  // RFC 6120 section 13.9.1: an octet outside the alphabet or a pad in the middle is refused, never skipped.
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t pads = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const auto data = text.substr(0, text.size() - pads);
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : data) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xffffffU;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xffU);
    }
  }
  if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;  // padding bits are zero (RFC 4648 section 3.5)
  return out;
}

bool may_act_as(std::string_view authzid, std::string_view stream_from) {
  if (authzid.empty()) return true;
  const auto jid = Jid::parse(authzid);
  // RFC 6120 section 6.3.8: between servers an authorisation identity is a bare domain.
  return jid && jid->is_domain() && jid->domain() == stream_from;
}

}  // namespace cutover::xmpp
