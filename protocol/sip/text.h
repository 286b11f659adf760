// Small pieces of SIP's grammar on octets: tokens, case, splitting outside quotes and brackets (RFC 3261 section 25.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cutover::sip {

using Parameters = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] std::string lower(std::string_view);
[[nodiscard]] bool same_ignoring_case(std::string_view, std::string_view);
/// Without spaces and tabs at both ends.
[[nodiscard]] std::string_view trim(std::string_view);
[[nodiscard]] bool is_token(std::string_view);
/// A quoted string from its opening to its closing quote, and nothing after it.
[[nodiscard]] bool is_quoted_string(std::string_view);
/// Decimal digits only, at most `max`; nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view, std::uint64_t max);
/// Splits at `separator` where it is neither in a quoted string nor between < and >. Nothing when a quote or a bracket
/// stays open.
[[nodiscard]] std::optional<std::vector<std::string_view>> split_outside_quotes(std::string_view, char separator);
/// ";name=value;flag" (a leading semicolon, or nothing). Values keep their quotes. Nothing when it is not that.
[[nodiscard]] std::optional<Parameters> parse_parameters(std::string_view);
/// The value of a parameter, by a name without regard to case.
[[nodiscard]] std::optional<std::string> find_parameter(const Parameters&, std::string_view name);
/// A header value with parameters ("text/plain;charset=utf-8"): what stands before the first semicolon, and the
/// parameters.
struct ValueWithParameters {
  std::string value;
  Parameters parameters;
};
[[nodiscard]] std::optional<ValueWithParameters> parse_value_with_parameters(std::string_view);
/// `text` without what a header must not hold: CR, LF and other controls become spaces (all text from the other
/// side of a gateway passes through here).
[[nodiscard]] std::string sanitise_header_text(std::string_view text);

}  // namespace cutover::sip
