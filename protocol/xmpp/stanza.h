// Stanzas: what is one, how one is made, and how an error is answered (RFC 6120 section 8).
#pragma once

#include "protocol/base/departures.h"
#include "protocol/xml/element.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cutover::xmpp {

enum class StanzaKind { message, presence, iq };

/// The kind of an element in jabber:server or jabber:client; nothing where it is no stanza.
[[nodiscard]] std::optional<StanzaKind> stanza_kind(const xml::Element&);
[[nodiscard]] bool is_stanza(const xml::Element&);

/// A stanza in jabber:server. Empty arguments leave the attribute or child out.
[[nodiscard]] xml::Element make_message(std::string_view from, std::string_view to, std::string_view body,
                                        std::string_view type = "chat", std::string_view id = {});
[[nodiscard]] xml::Element make_presence(std::string_view from, std::string_view to, std::string_view type = {},
                                         std::string_view id = {});
[[nodiscard]] xml::Element make_iq(std::string_view from, std::string_view to, std::string_view type,
                                   std::string_view id, std::optional<xml::Element> payload = {});
/// The result that answers an iq get or set: from and to swapped, the same id.
[[nodiscard]] xml::Element make_result(const xml::Element& iq, std::optional<xml::Element> payload = {});

/// A condition and the error type that usually goes with it.
struct ConditionRow {
  std::string_view condition;
  std::string_view type;
};
/// The 22 stanza error conditions of RFC 6120 section 8.3.3.
[[nodiscard]] std::span<const ConditionRow> stanza_conditions();
/// The usual type of a condition; "cancel" where the condition is unknown.
[[nodiscard]] std::string_view usual_error_type(std::string_view condition);
/// The 25 stream error conditions of RFC 6120 section 4.9.3.
[[nodiscard]] std::span<const std::string_view> stream_conditions();

/// The 11 conditions of a SASL failure, RFC 6120 section 6.5.
[[nodiscard]] std::span<const std::string_view> sasl_conditions();

/// The <error/> child, in namespace `content_ns`.
[[nodiscard]] xml::Element make_error_element(std::string_view condition, std::string_view type = {},
                                              std::string_view text = {},
                                              std::string_view content_ns = "jabber:server");

/// Whether an error may be sent in answer to the stanza: never to an error, and never to an iq result.
[[nodiscard]] bool may_answer_with_error(const xml::Element& stanza, const Departures& departures = {});
/// The stanza of type error that answers `stanza`: addresses swapped, same id, no payload echoed (RFC 6120 section
/// 8.3.1). Nothing where none may be sent.
[[nodiscard]] std::optional<xml::Element> make_error(const xml::Element& stanza, std::string_view condition,
                                                     std::string_view text = {}, std::string_view type = {},
                                                     const Departures& departures = {});

/// What an error stanza says. An unknown condition reads as undefined-condition.
struct StanzaError {
  std::string condition, type, text;
};
[[nodiscard]] std::optional<StanzaError> error_of(const xml::Element& stanza);

/// "message a@b > c@d" for people and for the trace.
[[nodiscard]] std::string summary_of(const xml::Element&);

}  // namespace cutover::xmpp
