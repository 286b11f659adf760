// Any octets made fit for a report: valid UTF-8, and for XML only characters that XML 1.0 allows.
#pragma once

#include <string>
#include <string_view>

namespace cutover::reports {

/// Valid UTF-8: an octet that is none becomes "\xHH" in four characters, so that no evidence is lost.
[[nodiscard]] std::string printable_utf8(std::string_view octets);
/// printable_utf8() with control characters that XML 1.0 forbids as "\xHH", U+FFFE and U+FFFF as "\uFFFE"; not escaped.
[[nodiscard]] std::string xml_clean(std::string_view octets);
/// xml_clean() with & < > " ' escaped, and line ends kept in attributes.
[[nodiscard]] std::string xml_escape(std::string_view octets);
/// printable_utf8() for a terminal: what moves its cursor, changes its state or turns text around (control characters
/// of one octet and of two, line ends, marks of direction) as "\xHH" for each octet.
[[nodiscard]] std::string terminal_text(std::string_view octets);
/// ISO 8601 in UTC with milliseconds: "2026-01-31T12:00:00.000Z".
[[nodiscard]] std::string iso_time(long long milliseconds_since_1970);

}  // namespace cutover::reports
