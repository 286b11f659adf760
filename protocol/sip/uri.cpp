// SIP URIs and name-addrs by hand on raw octets: osip decodes escapes and stops at %00 (RFC 3261 sections 19.1
// and 25.1).
#include "protocol/sip/message.h"
#include "protocol/sip/text.h"

#include <algorithm>

namespace cutover::sip {
namespace {

bool is_hexadecimal(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Letters, digits, `marks`, and %HH.
bool consists_of(std::string_view text, std::string_view marks) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hexadecimal(text[i + 1]) || !is_hexadecimal(text[i + 2])) return false;
      i += 2;
    } else if (!is_alphanumeric(c) && marks.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

constexpr std::string_view user_marks = "-_.!~*'()&=+$,;?/:";
constexpr std::string_view parameter_marks = "-_.!~*'()[]/:&+$";
constexpr std::string_view header_marks = "-_.!~*'()[]/?:+$&=";

bool is_host(std::string_view host) {
  if (host.empty()) return false;
  if (host.front() == '[') {
    return host.size() > 2 && host.back() == ']' && std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
             return is_hexadecimal(c) || c == ':' || c == '.';
           });
  }
  return std::all_of(host.begin(), host.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
}

bool parse_host_port(std::string_view text, Uri& uri) {
  auto end = text.find(':');
  if (!text.empty() && text.front() == '[') {
    const auto bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    end = text.find(':', bracket);
  }
  if (!is_host(text.substr(0, end))) return false;
  uri.host = text.substr(0, end);
  if (end == std::string_view::npos) return true;
  const auto port = parse_number(text.substr(end + 1), 65535);
  if (!port || *port == 0) return false;
  uri.port = static_cast<std::uint16_t>(*port);
  return true;
}

bool parse_uri_parameters(std::string_view text, Uri& uri) {
  while (!text.empty()) {
    const auto next = text.find(';', 1);
    const auto part = text.substr(1, next == std::string_view::npos ? next : next - 1);
    text = next == std::string_view::npos ? std::string_view{} : text.substr(next);
    const auto equals = part.find('=');
    const auto name = part.substr(0, equals);
    const auto value = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
    if (name.empty() || !consists_of(name, parameter_marks) || !consists_of(value, parameter_marks)) return false;
    if (equals != std::string_view::npos && value.empty()) return false;
    if (uri.parameter(name)) return false;  // RFC 3261 section 19.1.1: a parameter must not appear more than once
    uri.parameters.emplace_back(name, value);
  }
  return true;
}

std::string unquote(std::string_view quoted) {
  std::string result;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 2 < quoted.size()) ++i;
    result += quoted[i];
  }
  return result;
}

std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

/// *(token LWS)
bool is_token_phrase(std::string_view text) {
  while (!(text = trim(text)).empty()) {
    const auto end = text.find_first_of(" \t");
    if (!is_token(text.substr(0, end))) return false;
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end);
  }
  return true;
}

std::string parameters_text(const Parameters& parameters) {
  std::string result;
  for (const auto& [name, value] : parameters) {
    result += ';' + name;
    if (!value.empty()) result += '=' + value;
  }
  return result;
}

std::optional<NameAddr> parse_bracketed(std::string_view display, std::string_view uri, std::string_view rest) {
  NameAddr result;
  display = trim(display);
  if (!display.empty() && display.front() == '"') {
    if (!is_quoted_string(display)) return std::nullopt;
    result.display = unquote(display);
  } else if (is_token_phrase(display)) {
    result.display = display;
  } else {
    return std::nullopt;
  }
  auto parsed = parse_uri(uri);
  auto parameters = parse_parameters(rest);
  if (!parsed || !parameters) return std::nullopt;
  result.uri = std::move(*parsed);
  result.parameters = std::move(*parameters);
  return result;
}

}  // namespace

std::optional<std::string> Uri::parameter(std::string_view name) const { return find_parameter(parameters, name); }

std::string Uri::text() const {
  std::string result = scheme + ':';
  result += user;
  if (!user.empty() && !host.empty()) result += '@';
  result += host;
  if (port != 0) result += ':' + std::to_string(port);
  result += parameters_text(parameters);
  if (!headers.empty()) result += '?' + headers;
  return result;
}

std::optional<Uri> parse_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Uri uri;
  uri.scheme = lower(text.substr(0, colon));
  auto rest = text.substr(colon + 1);
  if (uri.scheme == "tel") {
    const auto end = rest.find(';');
    if (end == 0 || rest.empty() || !consists_of(rest.substr(0, end), "+-.()*#")) return std::nullopt;
    uri.user = rest.substr(0, end);
    if (end != std::string_view::npos && !parse_uri_parameters(rest.substr(end), uri)) return std::nullopt;
    return uri;
  }
  if (uri.scheme != "sip" && uri.scheme != "sips" && uri.scheme != "im" && uri.scheme != "pres") return std::nullopt;
  // The user part may hold ; and ? but never a bare @: the first @ ends it.
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    const auto user = rest.substr(0, at);
    if (user.empty() || user.front() == ':' || !consists_of(user, user_marks)) return std::nullopt;
    uri.user = user;
    rest.remove_prefix(at + 1);
  }
  if (const auto question = rest.find('?'); question != std::string_view::npos) {
    uri.headers = rest.substr(question + 1);
    if (uri.headers.empty() || !consists_of(uri.headers, header_marks)) return std::nullopt;
    rest = rest.substr(0, question);
  }
  const auto semicolon = rest.find(';');
  if (!parse_host_port(rest.substr(0, semicolon), uri)) return std::nullopt;
  if (semicolon != std::string_view::npos && !parse_uri_parameters(rest.substr(semicolon), uri)) return std::nullopt;
  return uri;
}

std::string NameAddr::tag() const { return find_parameter(parameters, "tag").value_or(""); }

std::string NameAddr::text() const {
  std::string result;
  if (!display.empty()) result = (is_token_phrase(display) ? display : quote(display)) + ' ';
  return result + '<' + uri.text() + '>' + parameters_text(parameters);
}

std::optional<NameAddrParts> split_name_addr(std::string_view text) {
  text = trim(text);
  bool quoted = false;
  std::size_t open = std::string_view::npos;
  for (std::size_t i = 0; i < text.size() && open == std::string_view::npos; ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (text[i] == '<' && !quoted)
      open = i;
  }
  if (quoted) return std::nullopt;
  if (open == std::string_view::npos) {  // addr-spec: every parameter belongs to the header (section 20)
    const auto semicolon = std::min(text.find(';'), text.size());
    return NameAddrParts{{}, trim(text.substr(0, semicolon)), text.substr(semicolon)};
  }
  const auto close = text.find('>', open);
  if (close == std::string_view::npos) return std::nullopt;
  return NameAddrParts{text.substr(0, open), text.substr(open + 1, close - open - 1), text.substr(close + 1), true};
}

std::optional<NameAddr> parse_name_addr(std::string_view text) {
  const auto parts = split_name_addr(text);
  if (!parts) return std::nullopt;
  // With a comma, a question mark or a semicolon in the URI the brackets are a must (RFC 3261 section 20.10).
  if (!parts->bracketed && parts->uri.find_first_of(",?") != std::string_view::npos) return std::nullopt;
  return parse_bracketed(parts->display, parts->uri, parts->parameters);
}

}  // namespace cutover::sip
