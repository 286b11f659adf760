// Text that crosses: one sanitiser towards SIP headers, one towards XMPP.
#pragma once

#include <string>
#include <string_view>

namespace cutover::interworking {

/// Text for a SIP header value: CR, LF, NUL and other controls become one space, the ends are trimmed. No text of a
/// stanza may add a header line or a request (RFC 3261 section 7.3.1).
[[nodiscard]] std::string header_text(std::string_view text);

/// Text for XMPP character data: CRLF and CR become LF (XML 1.0 section 2.11), octets that are not UTF-8 and characters
/// that XML 1.0 section 2.2 cannot hold are left out, so that a stream never breaks over them. Markup is the writer's
/// to escape.
[[nodiscard]] std::string xml_text(std::string_view text);

/// LF to CRLF for text/plain (RFC 2046 section 4.1.1).
[[nodiscard]] std::string crlf_text(std::string_view text);

/// ISO-8859-1 as UTF-8.
[[nodiscard]] std::string latin1_to_utf8(std::string_view octets);

/// A language tag in the form of RFC 5646 section 2.1; empty where `text` is none. The first of a comma-separated list.
[[nodiscard]] std::string language_tag(std::string_view text);

[[nodiscard]] std::string lowered(std::string_view text);  ///< ASCII only
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace cutover::interworking
