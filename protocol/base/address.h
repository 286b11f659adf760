// What an address is, as opposed to a name.
#pragma once

#include <string>
#include <string_view>

namespace cutover {

/// Four numbers from 0 to 255 with dots between, and nothing that inet_aton() takes besides ("127.1", "0", "0x7f.1").
[[nodiscard]] bool is_ipv4_literal(std::string_view text);
/// That, or an IPv6 address without brackets and zone (RFC 4291 section 2.2). The one judge of what may stand in an
/// Endpoint.
[[nodiscard]] bool is_address_literal(std::string_view text);

}  // namespace cutover
