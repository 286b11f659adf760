// SIP messages as values; the only user of libosip2's parser.
#pragma once

#include "protocol/base/limits.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cutover::sip {

/// A SIP or SIPS URI on raw octets: user, host and parameters keep their escapes (RFC 3261 section 19.1.4 compares them
/// so).
struct Uri {
  std::string scheme = "sip";
  std::string user;  ///< raw, still escaped; empty where absent
  std::string host;
  std::uint16_t port = 0;                                       ///< 0: absent
  std::vector<std::pair<std::string, std::string>> parameters;  ///< in order; value empty for a flag
  std::string headers;  ///< raw, what follows the question mark; empty where absent
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
  [[nodiscard]] std::string text() const;
  bool operator==(const Uri&) const = default;
};
/// sip, sips, im and pres URIs; of a tel URI the number is the user. Nothing for other schemes and bad syntax.
[[nodiscard]] std::optional<Uri> parse_uri(std::string_view);

/// From, To, Contact, Route: [display] <uri>;parameters
struct NameAddr {
  std::string display;
  Uri uri;
  std::vector<std::pair<std::string, std::string>> parameters;
  [[nodiscard]] std::string tag() const;
  [[nodiscard]] std::string text() const;
};
[[nodiscard]] std::optional<NameAddr> parse_name_addr(std::string_view);

/// The same as written, cut where the grammar says (RFC 3261 section 25.1): a quoted display name may hold brackets.
struct NameAddrParts {
  std::string_view display, uri, parameters;  ///< those with their first ";"
  bool bracketed = false;
};
[[nodiscard]] std::optional<NameAddrParts> split_name_addr(std::string_view);

struct Header {
  std::string name;  ///< the long form ("Via"), whatever was on the wire
  std::string value;
};

/// A request or a response. Headers keep their order; values are checked for CR and LF when serialised.
struct Message {
  bool is_request = true;
  std::string method;       ///< request: "MESSAGE"
  std::string request_uri;  ///< request, raw
  int status = 0;           ///< response
  std::string reason;       ///< response
  std::vector<Header> headers;
  std::string body;

  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;  ///< the first
  [[nodiscard]] std::string header_or_empty(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;  ///< one a value; comma lists split
  void set_header(std::string_view name, std::string_view value);
  void add_header(std::string_view name, std::string_view value);      ///< after the others
  void prepend_header(std::string_view name, std::string_view value);  ///< before the others of that name
  void remove_header(std::string_view name);
  void remove_first(std::string_view name);

  [[nodiscard]] std::string call_id() const { return header_or_empty("Call-ID"); }
  [[nodiscard]] std::optional<NameAddr> from() const;
  [[nodiscard]] std::optional<NameAddr> to() const;
  [[nodiscard]] std::uint32_t cseq_number() const;
  [[nodiscard]] std::string cseq_method() const;
};

/// About how much memory it takes.
[[nodiscard]] std::size_t octets_of(const Message&);

struct ParseError {
  std::string what;
  int status = 400;                   ///< what a UAS answers, where it can answer
  std::optional<Message> answerable;  ///< what was read of a request, where Via, From, To, Call-ID and CSeq are there
};
/// One whole message (framing done): strict about what RFC 3261 requires and osip's parser lets pass.
[[nodiscard]] std::variant<Message, ParseError> parse(std::string_view octets,
                                                      std::size_t headers_max = limits::sip_headers_max);
/// Throws HarnessFault for a header value with CR or LF: all text that crosses into a header must be sanitised before.
[[nodiscard]] std::string serialise(const Message&);
/// "Not Found" of 404; "Status" where no document names the status.
[[nodiscard]] std::string_view reason_phrase(int status);
/// A response to `request` with Via, From, To (tag added unless 100), Call-ID and CSeq copied (RFC 3261 section 8.2.6).
[[nodiscard]] Message response_to(const Message& request, int status, std::string_view reason, std::string_view to_tag);

}  // namespace cutover::sip
