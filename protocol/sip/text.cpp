// The octet-level grammar of SIP: tokens, quoted strings, lists, parameters.
#include "protocol/sip/text.h"

#include <algorithm>

namespace cutover::sip {
namespace {

char lower_octet(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (lower_octet(c) >= 'a' && lower_octet(c) <= 'z'); }

bool is_token_octet(char c) {
  return is_alphanumeric(c) || std::string_view("-.!%*_+`'~").find(c) != std::string_view::npos;
}

/// gen-value: token, host (with [ ] : for IPv6) or quoted string. URI parameters use a few marks more.
bool is_parameter_value(std::string_view text) {
  if (text.empty()) return false;
  if (text.front() == '"') return is_quoted_string(text);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_token_octet(c) || std::string_view("[]:/&$()@=?").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower_octet);
  return result;
}

bool same_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower_octet(a) == lower_octet(b); });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_quoted_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"') return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1 == text.size();
  }
  return false;
}

bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_octet); }

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (digit > max || value > (max - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<std::vector<std::string_view>> split_outside_quotes(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  bool quoted = false;
  bool bracketed = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '<') {
      bracketed = true;
    } else if (c == '>') {
      bracketed = false;
    } else if (c == separator && !bracketed) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  if (quoted || bracketed) return std::nullopt;
  parts.push_back(text.substr(begin));
  return parts;
}

std::optional<Parameters> parse_parameters(std::string_view text) {
  Parameters parameters;
  text = trim(text);
  if (text.empty()) return parameters;
  if (text.front() != ';') return std::nullopt;
  const auto parts = split_outside_quotes(text.substr(1), ';');
  if (!parts) return std::nullopt;
  for (const auto part : *parts) {
    const auto equals = part.find('=');
    const auto name = trim(part.substr(0, equals));
    if (!is_token(name)) return std::nullopt;
    std::string_view value;
    if (equals != std::string_view::npos) {
      value = trim(part.substr(equals + 1));
      if (!is_parameter_value(value)) return std::nullopt;
    }
    parameters.emplace_back(name, value);
  }
  return parameters;
}

std::optional<std::string> find_parameter(const Parameters& parameters, std::string_view name) {
  for (const auto& [key, value] : parameters)
    if (same_ignoring_case(key, name)) return value;
  return std::nullopt;
}

std::optional<ValueWithParameters> parse_value_with_parameters(std::string_view text) {
  const auto semicolon = text.find(';');
  auto parameters = parse_parameters(semicolon == std::string_view::npos ? std::string_view{} : text.substr(semicolon));
  if (!parameters) return std::nullopt;
  return ValueWithParameters{std::string(trim(text.substr(0, semicolon))), std::move(*parameters)};
}

std::string sanitise_header_text(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return std::string(trim(result));
}

}  // namespace cutover::sip
