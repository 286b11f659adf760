// The address table, octet by octet; nothing here uses addresses that a library has already decoded.
#include "protocol/interworking/mapping/address.h"

#include "protocol/base/limits.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/interworking/rules.h"
#include "protocol/xmpp/jid.h"

#include <algorithm>
#include <array>

namespace cutover::interworking {

namespace {

/// XEP-0106 section 3.2: character and code. The backslash is handled apart.
struct EscapeRow {
  char character;
  std::string_view code;
};
constexpr std::array<EscapeRow, 10> escape_rows{{{' ', "20"},
                                                 {'"', "22"},
                                                 {'&', "26"},
                                                 {'\'', "27"},
                                                 {'/', "2f"},
                                                 {':', "3a"},
                                                 {'<', "3c"},
                                                 {'>', "3e"},
                                                 {'@', "40"},
                                                 {'\\', "5c"}}};

/// RFC 3261 section 25.1: unreserved and user-unreserved beside letters and digits.
constexpr std::string_view user_marks = "-_.!~*'()&=+$,;?/";
/// RFC 3261 section 25.1: unreserved and param-unreserved beside letters and digits.
constexpr std::string_view parameter_marks = "-_.!~*'()[]/:&+$";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'); }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

std::string percent_encode(std::string_view octets, std::string_view marks) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : octets) {
    if (is_alphanumeric(c) || marks.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '%';
    out += digits[octet >> 4U];
    out += digits[octet & 15U];
  }
  return out;
}

/// The row whose code stands at `at` (just behind a backslash); null where none does.
const EscapeRow* row_at(std::string_view text, std::size_t at) {
  const std::string code = lowered(text.substr(std::min(at, text.size()), 2));
  const auto* found = std::find_if(escape_rows.begin(), escape_rows.end(), [&](auto& row) { return row.code == code; });
  return found == escape_rows.end() ? nullptr : found;
}

bool has_control(std::string_view octets) {
  return std::any_of(octets.begin(), octets.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

bool is_ip_literal(std::string_view host) {
  if (host.starts_with("[")) return true;
  return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

AddressFault check_octets(std::string_view octets) {
  if (has_control(octets)) return AddressFault::control;  // a parser that stops at NUL would make another user of it
  return is_utf8(octets) ? AddressFault::none : AddressFault::encoding;
}

std::vector<std::pair<std::string, std::string>> split_parameters(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view one = text.substr(0, end);
    const std::size_t equals = std::min(one.find('='), one.size());
    if (!one.empty()) out.emplace_back(one.substr(0, equals), one.substr(std::min(equals + 1, one.size())));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  if (text.empty() || text.size() > 5) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value == 0 || value > 65535 ? std::nullopt : std::optional(static_cast<std::uint16_t>(value));
}

}  // namespace

std::string Address::bare() const { return local.empty() ? domain : local + "@" + domain; }
std::string Address::full() const { return resource.empty() ? bare() : bare() + "/" + resource; }

std::optional<Address> parse_jid(std::string_view text) {
  const auto jid = xmpp::Jid::parse(text);
  if (!jid) return std::nullopt;
  Address out;
  out.domain = jid->domain();                // as it is written on the wire: RFC 7622 section 3.2.1
  const std::size_t slash = text.find('/');  // RFC 7622 section 3.2: the resource is split off first
  if (slash != std::string_view::npos) out.resource = text.substr(slash + 1);
  std::string_view bare = text.substr(0, slash);
  const std::size_t at = bare.find('@');
  if (at != std::string_view::npos) out.local = bare.substr(0, at);
  return out;
}

std::string key(const Address& address) {
  const auto jid = xmpp::Jid::parse(address.bare());
  return jid ? jid->bare() : address.bare();
}

std::optional<sip::Uri> parse_address_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  sip::Uri uri;
  uri.scheme = lowered(text.substr(0, colon));
  if (uri.scheme != "sip" && uri.scheme != "sips" && uri.scheme != "im" && uri.scheme != "pres") return std::nullopt;
  std::string_view rest = text.substr(colon + 1);
  const std::size_t at = rest.find('@');
  if (at != std::string_view::npos) {
    const std::string_view user_info = rest.substr(0, at);
    uri.user = user_info.substr(0, user_info.find(':'));  // RFC 3261 section 19.1.1: what follows ":" is a password
    if (uri.user.empty()) return std::nullopt;
    rest.remove_prefix(at + 1);
  }
  rest = rest.substr(0, rest.find('?'));  // headers of the URI
  const std::size_t semicolon = rest.find(';');
  if (semicolon != std::string_view::npos) uri.parameters = split_parameters(rest.substr(semicolon + 1));
  std::string_view host_port = rest.substr(0, semicolon);
  const std::size_t bracket = host_port.find(']');
  const std::size_t port_colon = host_port.find(':', bracket == std::string_view::npos ? 0 : bracket);
  uri.host = host_port.substr(0, port_colon);
  if (uri.host.empty()) return std::nullopt;
  if (port_colon != std::string_view::npos) {
    const auto port = parse_port(host_port.substr(port_colon + 1));
    if (!port) return std::nullopt;
    uri.port = *port;
  }
  return uri;
}

JidResult to_jid(const sip::Uri& uri, const Departures& departures) {
  const std::string scheme = lowered(uri.scheme);
  if (scheme != "sip" && scheme != "sips" && scheme != "im" && scheme != "pres") return {{}, AddressFault::scheme};
  if (departures.breaks(Rule::host_is_a_name, is_ip_literal(uri.host))) return {{}, AddressFault::host};
  const auto domain = xmpp::prepare_domain(uri.host);
  if (!domain) return {{}, AddressFault::host};
  Address out;
  out.domain = *domain;
  const auto octets = percent_decode(std::string_view(uri.user).substr(0, uri.user.find(':')));
  if (!octets) return {{}, AddressFault::escape};
  if (const AddressFault fault = check_octets(*octets); fault != AddressFault::none) return {{}, fault};
  // XEP-0106 section 4.2: \20 must be neither first nor last, so such a user has no JID.
  const bool edge_space = octets->starts_with(' ') || octets->ends_with(' ');
  if (departures.breaks(Rule::user_has_no_edge_space, edge_space)) return {{}, AddressFault::edge_space};
  out.local = escape_localpart(*octets);
  for (const auto& [name, value] : uri.parameters) {
    if (lowered(name) != "gr" || value.empty()) continue;  // RFC 5627 section 3: no value, a temporary GRUU
    const auto resource = percent_decode(value);
    if (!resource) return {{}, AddressFault::escape};
    if (const AddressFault fault = check_octets(*resource); fault != AddressFault::none) return {{}, fault};
    out.resource = *resource;
  }
  if (out.local.size() > limits::jid_part_max_octets || out.resource.size() > limits::jid_part_max_octets) {
    return {{}, AddressFault::length};
  }
  if (!xmpp::Jid::parse(out.full())) return {{}, AddressFault::encoding};  // a code point that RFC 7622 forbids
  return {out, AddressFault::none};
}

sip::Uri to_uri(const Address& address) {
  sip::Uri uri;
  uri.user = percent_encode(unescape_localpart(address.local), user_marks);
  uri.host = xmpp::domain_to_ascii(address.domain).value_or(address.domain);
  // RFC 5627 section 4: gr is a parameter of the URI; RFC 7247 section 6.5 step 8 speaks of a slash by mistake.
  if (!address.resource.empty()) uri.parameters.emplace_back("gr", percent_encode(address.resource, parameter_marks));
  return uri;
}

std::string escape_localpart(std::string_view octets) {
  std::string out;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const char c = octets[i];
    const auto* row = std::find_if(escape_rows.begin(), escape_rows.end(), [&](auto& r) { return r.character == c; });
    const bool escapes = c == '\\' ? row_at(octets, i + 1) != nullptr : row != escape_rows.end();
    if (escapes) {
      out.append("\\").append(row->code);
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescape_localpart(std::string_view localpart) {
  std::string out;
  for (std::size_t i = 0; i < localpart.size(); ++i) {
    const EscapeRow* row = localpart[i] == '\\' ? row_at(localpart, i + 1) : nullptr;
    out += row == nullptr ? localpart[i] : row->character;
    if (row != nullptr) i += 2;
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

bool is_utf8(std::string_view octets) {
  for (std::size_t i = 0; i < octets.size();) {
    const auto first = static_cast<unsigned char>(octets[i]);
    const std::size_t length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : (first & 0xf0U) == 0xe0 ? 3 : 4;
    if (first >= 0x80 && (first < 0xc2 || first > 0xf4)) return false;
    if (octets.size() - i < length) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(octets[i + k]) & 0xc0U) != 0x80) return false;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(octets[i + 1]) : 0U;
    if (first == 0xe0 && second < 0xa0) return false;  // overlong
    if (first == 0xed && second > 0x9f) return false;  // surrogates
    if (first == 0xf0 && second < 0x90) return false;  // overlong
    if (first == 0xf4 && second > 0x8f) return false;  // above U+10FFFF
    i += length;
  }
  return true;
}

}  // namespace cutover::interworking
