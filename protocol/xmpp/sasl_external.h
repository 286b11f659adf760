// SASL EXTERNAL between servers: what an authorisation identity may be (RFC 6120 section 6, XEP-0178 section 3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cutover::xmpp {

/// The initial response of an initiator: base64 of its own domain (XEP-0178 section 3 step 9), or "=" for an empty one.
[[nodiscard]] std::string encode_authzid(std::string_view domain);

/// The authorisation identity in an <auth/> or <response/>: "=" (and, in a response, nothing) is the empty one.
/// Nothing where the text is not base64 of RFC 4648 section 4 with padding bits of zero.
[[nodiscard]] std::optional<std::string> decode_authzid(std::string_view text);

/// Whether a peer whose certificate authenticates `stream_from` may act as `authzid`: as itself, or without saying.
[[nodiscard]] bool may_act_as(std::string_view authzid, std::string_view stream_from);

}  // namespace cutover::xmpp
