// inet_pton() is as strict as RFC 3986 and RFC 4291.
#include "protocol/base/address.h"

#include <arpa/inet.h>

namespace cutover {

namespace {

bool reads(int family, std::string_view text) {
  in6_addr address{};
  return text.find('\0') == std::string_view::npos && ::inet_pton(family, std::string(text).c_str(), &address) == 1;
}

}  // namespace

bool is_ipv4_literal(std::string_view text) { return reads(AF_INET, text); }

bool is_address_literal(std::string_view text) { return is_ipv4_literal(text) || reads(AF_INET6, text); }

}  // namespace cutover
