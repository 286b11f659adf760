// Chat states (XEP-0085) <-> isComposing (RFC 3994) and KeyboardActivity: RFC 7573 section 6, Tables 3 and 4.
#pragma once

#include "protocol/base/time.h"
#include "protocol/sip/message.h"
#include "protocol/xml/element.h"

#include <optional>
#include <string>
#include <string_view>

namespace cutover::interworking {

enum class ChatState { active, inactive, composing, paused, gone };
[[nodiscard]] std::string_view to_string(ChatState);

/// The chat state in a stanza. The error condition <gone/> has another namespace and is none.
[[nodiscard]] std::optional<ChatState> chat_state_of(const xml::Element& message);

/// What a typing status of the SIP side says.
struct Typing {
  bool active = false;
  std::optional<Duration> refresh;  ///< RFC 3994 section 3.3, seconds on the wire
};
/// The status in a request: application/im-iscomposing+xml, or KeyboardActivity in an INFO (lync-facts 4.3). Nothing
/// where the body is of another type; a state other than "active" counts as idle (RFC 3994 section 3.5).
[[nodiscard]] std::optional<Typing> typing_of(const sip::Message& request);
/// Whether the body is a typing status, readable or not.
[[nodiscard]] bool is_typing_media(const sip::Message& request);

/// Table 3: active > composing, idle > active.
[[nodiscard]] ChatState chat_state_of(const Typing&);
/// Table 4: composing > active, the others > idle; gone has no status and ends the session.
[[nodiscard]] std::optional<Typing> typing_of(ChatState);
/// The isComposing document, without <refresh/> since the gateway does not renew it (RFC 3994 section 3.2).
[[nodiscard]] std::string iscomposing_document(const Typing&);

inline constexpr char iscomposing_media[] = "application/im-iscomposing+xml";

}  // namespace cutover::interworking
