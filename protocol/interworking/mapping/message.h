// <message/> <-> MESSAGE: RFC 7572 Tables 1 and 2 without addresses, which are address.h's.
#pragma once

#include "protocol/interworking/mapping/error.h"
#include "protocol/sip/message.h"
#include "protocol/xml/element.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cutover::interworking {

/// What people wrote, free of either side's syntax. `body` has LF line ends and is UTF-8 that XML can hold.
struct Text {
  std::string body, subject, language, thread;
  bool operator==(const Text&) const = default;
};

/// The text of a stanza: of several bodies the one in the stanza's language, else the first, labelled with its own
/// language (RFC 7572 section 4). Nothing where there is no body: a chat state or receipt is no text.
[[nodiscard]] std::optional<Text> text_of(const xml::Element& message);

/// The text of a request's body: text/plain in UTF-8, US-ASCII or ISO-8859-1; text/html reduced to its text; the plain
/// part of a multipart; the inner text of message/cpim. An empty body is no text. Else the refusal: 415 with Accept
/// (RFC 3261 section 21.4.13) or 400.
struct NoText {};
[[nodiscard]] std::variant<Text, NoText, Status> text_of(const sip::Message& request);

/// Writes Table 1 into a request that has its addresses: body with type and charset, Subject, Content-Language.
void put_text(sip::Message& request, const Text& text);
/// Writes Table 2 into a stanza that has its addresses: <subject/>, <body/>, <thread/>, xml:lang.
void put_text(xml::Element& message, const Text& text);

/// RFC 7572 section 4: a thread becomes a Call-ID. One that is no callid (RFC 3261 section 25.1) is written in hex
/// behind a prefix; nothing for an empty or an over-long one.
[[nodiscard]] std::optional<std::string> call_id_of(std::string_view thread);
/// RFC 7572 section 5: and back.
[[nodiscard]] std::string thread_of(std::string_view call_id);

/// The media type of a header value, lower case, without parameters.
[[nodiscard]] std::string media_type(std::string_view content_type);
/// One parameter of a header value, unquoted; empty where absent.
[[nodiscard]] std::string header_parameter(std::string_view value, std::string_view name);
/// 415 with what is accepted.
[[nodiscard]] Status unsupported_media();

/// text/html as plain text: tags dropped, <br> and </p> as line ends, scripts and styles left out, entities resolved.
[[nodiscard]] std::string text_of_html(std::string_view html);

}  // namespace cutover::interworking
