// What stands between the stanzas of a stream, as octets and as words: errors, dialback elements, and what each says.
#pragma once

#include "protocol/xml/element.h"
#include "protocol/xml/reader.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cutover::xmpp {

inline constexpr std::string_view end_tag = "</stream:stream>";

/// ` name='value'`, escaped.
[[nodiscard]] std::string attribute(std::string_view name, std::string_view value);

/// A stream error (RFC 6120 section 4.9.2); without a text where that is empty.
[[nodiscard]] std::string stream_error(std::string_view condition, std::string_view text = {});
/// The defined condition in one. An unknown one reads as undefined-condition: it ends the stream all the same.
[[nodiscard]] std::string stream_error_condition(const xml::Element& error);

/// <db:result/> or <db:verify/>; no id or type where it is empty, `inside` as it is.
[[nodiscard]] std::string dialback_element(std::string_view name, std::string_view from, std::string_view to,
                                           std::string_view id, std::string_view type, std::string_view inside);
/// What is inside one of type error (XEP-0220 section 2.5), and the condition that a peer put there.
[[nodiscard]] std::string dialback_error(std::string_view condition);
[[nodiscard]] std::string dialback_error_condition(const xml::Element& element);

/// "1.0" as two integers (RFC 6120 section 4.7.5); nothing where it is not a version.
[[nodiscard]] std::optional<std::pair<int, int>> parse_version(std::string_view text);

/// What an item is, in words for the trace: "stream header a > b", "db:result valid b > a", "message x@a > y@b".
[[nodiscard]] std::string words_of(const xml::Item& item);
/// The same of octets that hold one, as a stream would carry them; nothing where they cannot be read.
[[nodiscard]] std::optional<std::string> words_of_octets(std::string_view octets);

}  // namespace cutover::xmpp
