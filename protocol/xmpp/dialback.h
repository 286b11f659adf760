// Server dialback keys (XEP-0220, XEP-0185).
#pragma once

#include <string>
#include <string_view>

namespace cutover::xmpp {

/// The key that proves to `receiving` that a stream with the id `stream_id` comes from `originating`: the lower-case
/// hex HMAC-SHA256 of "receiving originating stream_id" under the lower-case hex SHA-256 of `secret` (XEP-0185
/// section 2).
[[nodiscard]] std::string dialback_key(std::string_view secret, std::string_view receiving,
                                       std::string_view originating, std::string_view stream_id);

/// A way to make keys: dialback_key(), or another one.
using DialbackKey = decltype(&dialback_key);

/// The lower-case hex of SHA-256, and of HMAC-SHA256 under a key of any octets.
[[nodiscard]] std::string sha256_hex(std::string_view text);
[[nodiscard]] std::string hmac_sha256_hex(std::string_view key, std::string_view text);

/// Whether two keys are the same, in a time that does not tell where they differ; white space around them is ignored.
[[nodiscard]] bool same_key(std::string_view a, std::string_view b);

}  // namespace cutover::xmpp
