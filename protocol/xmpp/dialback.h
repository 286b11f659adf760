// Server dialback keys (XEP-0220, XEP-0185).
#pragma once

#include "protocol/base/departures.h"

#include <string>
#include <string_view>

namespace cutover::xmpp {

/// The key that proves to `receiving` that a stream with the id `stream_id` comes from `originating`: the lower-case
/// hex HMAC-SHA256 of "receiving originating stream_id" under the lower-case hex SHA-256 of `secret` (XEP-0185
/// section 2). `departures` can make it a wrong one.
[[nodiscard]] std::string dialback_key(std::string_view secret, std::string_view receiving,
                                       std::string_view originating, std::string_view stream_id,
                                       const Departures& departures = {});

/// Whether two keys are the same, in a time that does not tell where they differ; white space around them is ignored.
[[nodiscard]] bool same_key(std::string_view a, std::string_view b);

}  // namespace cutover::xmpp
