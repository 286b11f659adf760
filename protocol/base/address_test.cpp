// What is an address, and what only looks like one.
#include "protocol/base/address.h"

#include <gtest/gtest.h>

namespace cutover {
namespace {

TEST(AddressLiteral, IsFourNumbersOrIpv6) {
  for (const auto* good : {"127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "2001:db8::1", "::ffff:192.0.2.1"})
    EXPECT_TRUE(is_address_literal(good)) << good;
  for (const auto* bad : {"", ".", "1", "0", "1.2.3", "127.1", "1.2.3.4.", "1.2.3.256", "1.2.3.4.5", "a.example",
                          "[::1]", "fe80::1%lo", "0x7f.0.0.1", " 127.0.0.1", "1.2.3.4\n"})
    EXPECT_FALSE(is_address_literal(bad)) << bad;
  EXPECT_FALSE(is_address_literal(std::string_view("127.0.0.1\0x", 11)));
  EXPECT_FALSE(is_ipv4_literal("::1"));
}

}  // namespace
}  // namespace cutover
