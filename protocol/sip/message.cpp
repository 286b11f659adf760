// Messages from octets and back: our own reading of the header text with strict checks, and osip's grammar as a second
// judge.
#include <sys/time.h>  // osip's headers use it without including it

extern "C" {
#include <osipparser2/osip_parser.h>
}

#include "protocol/base/check.h"
#include "protocol/base/limits.h"
#include "protocol/sip/message.h"
#include "protocol/sip/text.h"

#include <algorithm>
#include <array>

namespace cutover::sip {
namespace {

/// RFC 3261 section 7.3.3 and the event package (RFC 6665 section 8.2).
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> compact_forms{{
    {"v", "Via"},
    {"f", "From"},
    {"t", "To"},
    {"i", "Call-ID"},
    {"m", "Contact"},
    {"l", "Content-Length"},
    {"c", "Content-Type"},
    {"e", "Content-Encoding"},
    {"s", "Subject"},
    {"k", "Supported"},
    {"o", "Event"},
    {"u", "Allow-Events"},
}};

/// Headers whose value is a comma-separated list.
constexpr std::array<std::string_view, 21> list_headers{"via",
                                                        "route",
                                                        "record-route",
                                                        "contact",
                                                        "path",
                                                        "service-route",
                                                        "accept",
                                                        "accept-encoding",
                                                        "accept-language",
                                                        "allow",
                                                        "allow-events",
                                                        "supported",
                                                        "require",
                                                        "proxy-require",
                                                        "unsupported",
                                                        "warning",
                                                        "in-reply-to",
                                                        "content-language",
                                                        "content-encoding",
                                                        "p-asserted-identity",
                                                        "p-preferred-identity"};

/// List headers of which an element removes or reads the topmost value: split when read, so that one header is one
/// value.
constexpr std::array<std::string_view, 6> split_headers{"via",     "route", "record-route",
                                                        "contact", "path",  "service-route"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [name](auto entry) { return same_ignoring_case(entry, name); });
}

std::string long_form(std::string_view name) {
  for (const auto& [compact, full] : compact_forms)
    if (same_ignoring_case(name, compact)) return std::string(full);
  return std::string(name);
}

bool has_control_octet(std::string_view line) {
  return std::any_of(line.begin(), line.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

/// One reading of one message; every step returns what is wrong, or nothing.
class MessageParser {
 public:
  MessageParser(std::string_view octets, std::size_t headers_max) : octets_(octets), headers_max_(headers_max) {}

  std::variant<Message, ParseError> run() {
    auto error = read();
    if (!error) return std::move(message_);
    if (message_.is_request) error->answerable = answerable();
    return std::move(*error);
  }

 private:
  using Error = std::optional<ParseError>;
  static Error bad(std::string what, int status = 400) { return ParseError{std::move(what), status, std::nullopt}; }

  Error read() {
    const auto end = octets_.find("\r\n\r\n");
    if (end == std::string_view::npos) return bad("no empty line after the headers");
    // The start line waits until the headers are read: an answer to a bad one needs them.
    const auto head = octets_.substr(0, end);
    const auto first_end = head.find("\r\n");
    const auto start_line = head.substr(0, first_end);
    message_.is_request = !same_ignoring_case(start_line.substr(0, 4), "SIP/") || start_line.find(' ') > 8;
    auto error = read_headers(first_end == std::string_view::npos ? std::string_view{} : head.substr(first_end + 2));
    if (error) return error;
    if ((error = read_start_line(start_line))) return error;
    if ((error = check_headers())) return error;
    if ((error = read_body(octets_.substr(end + 4)))) return error;
    return ask_osip(start_line);
  }

  Error read_start_line(std::string_view line) {
    if (has_control_octet(line)) return bad("a control octet in the first line");
    return message_.is_request ? read_request_line(line) : read_status_line(line);
  }

  Error read_request_line(std::string_view line) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return bad("the request line has no three parts");
    message_.method = line.substr(0, first);
    message_.request_uri = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (!is_token(message_.method)) return bad("the method is no token");
    if (message_.request_uri.empty() || message_.request_uri.find_first_of(" \t<>\"") != std::string::npos)
      return bad("the Request-URI holds white space or brackets");
    if (!same_ignoring_case(version.substr(0, 4), "SIP/"))
      return bad("the request line does not end with a SIP version");
    if (!same_ignoring_case(version, "SIP/2.0")) return bad("not version 2.0", 505);
    const auto scheme = lower(std::string_view(message_.request_uri).substr(0, message_.request_uri.find(':')));
    if (message_.request_uri.find(':') == std::string::npos || !is_token(scheme))
      return bad("the Request-URI has no scheme");
    if (scheme == "sip" || scheme == "sips") {
      const auto uri = parse_uri(message_.request_uri);
      if (!uri) return bad("the Request-URI is no SIP URI");
      if (!uri->headers.empty()) return bad("the Request-URI holds headers");  // RFC 3261 section 19.1.1
    }
    return std::nullopt;
  }

  Error read_status_line(std::string_view line) {
    if (!same_ignoring_case(line.substr(0, 8), "SIP/2.0 ")) return bad("not version 2.0", 505);
    const auto status = parse_number(line.substr(8, 3), 999);
    if (line.size() < 11 || !status || (line.size() > 11 && line[11] != ' '))
      return bad("the status code is no three digits");
    if (*status < 100 || *status > 699) return bad("the status code is outside 100 to 699");
    message_.status = static_cast<int>(*status);
    message_.reason = line.size() > 12 ? line.substr(12) : std::string_view{};
    return std::nullopt;
  }

  Error read_headers(std::string_view text) {
    Error error;
    while (!text.empty()) {
      const auto end = text.find("\r\n");
      const auto line = text.substr(0, end);
      text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 2);
      if (auto wrong = read_header_line(line); wrong && !error) error = std::move(wrong);
      if (message_.headers.size() > headers_max_) return bad("too many headers", 513);
    }
    if (error) return error;
    return split_lists();
  }

  Error read_header_line(std::string_view line) {
    if (has_control_octet(line)) return bad("a control octet in a header");
    if (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
      if (message_.headers.empty()) return bad("a continuation line before the first header");
      auto& value = message_.headers.back().value;
      const auto more = trim(line);
      if (!value.empty() && !more.empty()) value += ' ';
      value += more;
      return std::nullopt;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return bad("a header without a colon");
    const auto name = trim(line.substr(0, colon));
    if (!is_token(name)) return bad("a header name that is no token");
    message_.headers.push_back({long_form(name), std::string(trim(line.substr(colon + 1)))});
    return std::nullopt;
  }

  Error split_lists() {
    std::vector<Header> result;
    for (auto& header : message_.headers) {
      if (!contains(split_headers, header.name) || header.value.find(',') == std::string::npos) {
        result.push_back(std::move(header));
        continue;
      }
      const auto parts = split_outside_quotes(header.value, ',');
      if (!parts) return bad("an open quote or bracket in " + header.name);
      for (const auto part : *parts) result.push_back({header.name, std::string(trim(part))});
      if (result.size() / 2 > headers_max_) return bad("too many header values", 513);
    }
    message_.headers = std::move(result);
    return std::nullopt;
  }

  Error check_headers() const {
    for (const std::string_view name : {"From", "To", "Call-ID", "CSeq"})
      if (count(name) != 1) return bad(std::string(name) + (count(name) == 0 ? " is missing" : " is there twice"));
    if (count("Via") == 0) return bad("Via is missing");
    for (const std::string_view name : {"Max-Forwards", "Content-Type", "Expires", "Event", "Subscription-State"})
      if (count(name) > 1) return bad(std::string(name) + " is there twice");
    if (!message_.from()) return bad("From cannot be read");
    if (!message_.to()) return bad("To cannot be read");
    const auto call_id = message_.call_id();
    if (call_id.empty() || call_id.find_first_of(" \t") != std::string::npos) return bad("Call-ID is no word");
    if (auto error = check_cseq()) return error;
    if (const auto hops = message_.header("Max-Forwards"); hops && !parse_number(*hops, 255))
      return bad("Max-Forwards is no number up to 255");
    if (const auto expires = message_.header("Expires"); expires && !parse_number(*expires, 0xffffffffU))
      return bad("Expires is no number up to 2^32-1");
    if (const auto date = message_.header("Date"); date && !date->ends_with("GMT")) return bad("Date is not in GMT");
    return check_lists();
  }

  Error check_cseq() const {
    const auto value = message_.header_or_empty("CSeq");
    const auto space = value.find_first_of(" \t");
    if (space == std::string::npos || !parse_number(value.substr(0, space), 0x7fffffffU))
      return bad("CSeq has no number below 2^31");  // RFC 3261 section 8.1.1.5
    if (!is_token(message_.cseq_method())) return bad("CSeq has no method");
    if (message_.is_request && message_.cseq_method() != message_.method) return bad("CSeq names another method");
    return std::nullopt;
  }

  Error check_lists() const {
    for (const auto& header : message_.headers) {
      if (same_ignoring_case(header.name, "Via") && !is_via(header.value)) return bad("a Via that cannot be read");
      const bool address = same_ignoring_case(header.name, "Contact") || same_ignoring_case(header.name, "Route") ||
                           same_ignoring_case(header.name, "Record-Route");
      if (!address || (header.value == "*" && same_ignoring_case(header.name, "Contact"))) continue;
      // A Contact may be of any scheme ("mailto:"); only what claims to be SIP is judged.
      const bool sip = lower(header.value).find("sip") != std::string::npos || header.name != "Contact";
      if (sip && !parse_name_addr(header.value)) return bad("a " + header.name + " that cannot be read");
    }
    return std::nullopt;
  }

  /// SIP/2.0/TRANSPORT sent-by *(;parameter)
  static bool is_via(std::string_view value) {
    const auto semicolon = value.find(';');
    const auto front = trim(value.substr(0, semicolon));
    const auto space = front.find_last_of(" \t");
    if (space == std::string_view::npos) return false;
    std::string protocol;
    for (const char c : front.substr(0, space))
      if (c != ' ' && c != '\t') protocol += c;
    if (!same_ignoring_case(std::string_view(protocol).substr(0, 8), "SIP/2.0/") ||
        !is_token(std::string_view(protocol).substr(8)))
      return false;
    return parse_uri("sip:" + std::string(front.substr(space + 1))).has_value() &&
           parse_parameters(semicolon == std::string_view::npos ? std::string_view{} : value.substr(semicolon))
               .has_value();
  }

  Error read_body(std::string_view rest) {
    std::optional<std::uint64_t> length;
    for (const auto& header : message_.headers) {
      if (!same_ignoring_case(header.name, "Content-Length")) continue;
      const auto value = parse_number(header.value, limits::sip_message_size_max_octets);
      if (!value) return bad("Content-Length is no number, or too large");
      if (length && *length != *value) return bad("two Content-Lengths that differ");
      length = value;
    }
    if (length && *length > rest.size()) return bad("the body is shorter than Content-Length");
    message_.body = rest.substr(0, length ? *length : rest.size());
    if (!message_.body.empty() && !message_.header("Content-Type")) return bad("a body without Content-Type");
    return std::nullopt;
  }

  /// osip gets the headers alone: it takes a negative Content-Length, and drops a body without Content-Type.
  Error ask_osip(std::string_view start_line) const {
    static const bool ready = [] {
      osip_trace_initialize(END_TRACE_LEVEL, nullptr);
      for (int level = TRACE_LEVEL0; level < END_TRACE_LEVEL; ++level)
        osip_trace_disable_level(static_cast<osip_trace_level_t>(level));  // Debian's build prints to stdout
      return parser_init() == 0;
    }();
    CUTOVER_CHECK(ready);
    std::string text(start_line);
    text += "\r\n";
    for (const auto& header : message_.headers) {
      if (same_ignoring_case(header.name, "Content-Length") || same_ignoring_case(header.name, "Content-Type"))
        continue;
      text += header.name + ": " + header.value + "\r\n";
    }
    text += "\r\n";
    osip_message_t* parsed = nullptr;
    if (osip_message_init(&parsed) != 0) return bad("out of memory", 500);
    const int result = osip_message_parse(parsed, text.data(), text.size());
    osip_message_free(parsed);
    if (result != 0) return bad("osip refuses it (" + std::to_string(result) + ")");
    return std::nullopt;
  }

  /// What an answer copies; nothing where one of them cannot be copied.
  std::optional<Message> answerable() const {
    for (const std::string_view name : {"Via", "From", "To", "Call-ID", "CSeq"})
      if (count(name) == 0) return std::nullopt;
    if (!is_via(message_.header_or_empty("Via"))) return std::nullopt;
    Message result;
    result.method = message_.method.empty() ? "UNKNOWN" : message_.method;
    for (const auto& header : message_.headers)
      for (const std::string_view name : {"Via", "From", "To", "Call-ID", "CSeq"})
        if (same_ignoring_case(header.name, name)) result.headers.push_back(header);
    return result;
  }

  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(message_.headers.begin(), message_.headers.end(),
                      [name](const auto& header) { return same_ignoring_case(header.name, name); }));
  }

  std::string_view octets_;
  std::size_t headers_max_;
  Message message_;
};

auto named(std::string_view name) {
  return [name](const Header& header) { return same_ignoring_case(header.name, name); };
}

void append_line(std::string& out, std::string_view line) {
  CUTOVER_CHECK(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  out += line;
  out += "\r\n";
}

}  // namespace

std::optional<std::string> Message::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), named(name));
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

std::string Message::header_or_empty(std::string_view name) const { return header(name).value_or(""); }

std::vector<std::string> Message::all(std::string_view name) const {
  std::vector<std::string> result;
  for (const auto& header : headers) {
    if (!same_ignoring_case(header.name, name)) continue;
    const auto parts = contains(list_headers, name) ? split_outside_quotes(header.value, ',') : std::nullopt;
    if (!parts) {
      result.push_back(header.value);
      continue;
    }
    for (const auto part : *parts) result.emplace_back(trim(part));
  }
  return result;
}

void Message::set_header(std::string_view name, std::string_view value) {
  const auto found = std::find_if(headers.begin(), headers.end(), named(name));
  if (found == headers.end()) return add_header(name, value);
  found->value = value;
  headers.erase(std::remove_if(found + 1, headers.end(), named(name)), headers.end());
}

void Message::add_header(std::string_view name, std::string_view value) {
  headers.push_back({std::string(name), std::string(value)});
}

void Message::prepend_header(std::string_view name, std::string_view value) {
  // Without one of that name it goes to the front, where Via belongs and the others do no harm.
  const auto found = std::find_if(headers.begin(), headers.end(), named(name));
  headers.insert(found == headers.end() ? headers.begin() : found, {std::string(name), std::string(value)});
}

void Message::remove_header(std::string_view name) { std::erase_if(headers, named(name)); }

void Message::remove_first(std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(), named(name));
  if (found != headers.end()) headers.erase(found);
}

std::optional<NameAddr> Message::from() const { return parse_name_addr(header_or_empty("From")); }
std::optional<NameAddr> Message::to() const { return parse_name_addr(header_or_empty("To")); }

std::uint32_t Message::cseq_number() const {
  const auto value = header_or_empty("CSeq");
  return static_cast<std::uint32_t>(parse_number(value.substr(0, value.find_first_of(" \t")), 0x7fffffffU).value_or(0));
}

std::string Message::cseq_method() const {
  const auto value = header_or_empty("CSeq");
  const auto space = value.find_first_of(" \t");
  return space == std::string::npos ? std::string{} : std::string(trim(std::string_view(value).substr(space)));
}

std::variant<Message, ParseError> parse(std::string_view octets, std::size_t headers_max) {
  if (octets.size() > limits::sip_message_size_max_octets) return ParseError{"larger than 64 KiB", 513, std::nullopt};
  return MessageParser(octets, headers_max).run();
}

std::string serialise(const Message& message) {
  std::string result;
  result.reserve(512 + message.body.size());
  append_line(result, message.is_request ? message.method + ' ' + message.request_uri + " SIP/2.0"
                                         : "SIP/2.0 " + std::to_string(message.status) + ' ' + message.reason);
  for (const auto& header : message.headers) {
    CUTOVER_CHECK(is_token(header.name));
    if (!same_ignoring_case(header.name, "Content-Length")) append_line(result, header.name + ": " + header.value);
  }
  append_line(result, "Content-Length: " + std::to_string(message.body.size()));
  return result + "\r\n" + message.body;
}

std::string_view reason_phrase(int status) {
  const char* phrase = osip_message_get_reason(status);
  return phrase == nullptr ? "Status" : phrase;
}

Message response_to(const Message& request, int status, std::string_view reason, std::string_view to_tag) {
  Message response;
  response.is_request = false;
  response.status = status;
  response.reason = reason.empty() ? reason_phrase(status) : reason;
  for (const auto& header : request.headers) {
    const auto copied = [&header](std::string_view name) { return same_ignoring_case(header.name, name); };
    if (copied("Via") || copied("From") || copied("Call-ID") || copied("CSeq")) {
      response.headers.push_back(header);
    } else if (copied("To")) {
      auto to = parse_name_addr(header.value);
      const bool add_tag = status != 100 && !to_tag.empty() && to && to->tag().empty();
      response.add_header("To", add_tag ? header.value + ";tag=" + std::string(to_tag) : header.value);
    }
  }
  return response;
}

std::size_t octets_of(const Message& message) {
  auto octets = sizeof(Message) + message.request_uri.size() + message.body.size();
  for (const auto& header : message.headers) octets += sizeof(Header) + header.name.size() + header.value.size();
  return octets;
}

}  // namespace cutover::sip
