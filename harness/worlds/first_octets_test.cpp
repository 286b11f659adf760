// Stream headers and ClientHellos, whole, cut and broken.
#include "harness/worlds/first_octets.h"

#include <gtest/gtest.h>

namespace cutover::harness {
namespace {

std::string number(std::size_t value, int size) {
  std::string octets;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) octets += static_cast<char>(value >> shift & 0xffU);
  return octets;
}

std::string with_size(int size, const std::string& content) { return number(content.size(), size) + content; }

/// With an extension before the name, as OpenSSL has it.
std::string hello(const std::string& name) {
  const auto names = with_size(2, number(0, 1) + with_size(2, name));
  const auto extensions = number(23, 2) + with_size(2, "") + number(0, 2) + with_size(2, names);
  const auto body = number(0x0303, 2) + std::string(32, 'r') + with_size(1, std::string(32, 's')) +
                    with_size(2, number(0x1301, 2)) + with_size(1, number(0, 1)) + with_size(2, extensions);
  return number(22, 1) + number(0x0301, 2) + with_size(2, number(1, 1) + with_size(3, body));
}

TEST(FirstOctets, NameTheToOfAHeader) {
  EXPECT_EQ(domain_called("<?xml version='1.0'?><stream:stream xmlns='jabber:server' to='A.example' from='b'>"),
            "a.example");
  EXPECT_EQ(domain_called("<s\nto=\"a.example\">"), "a.example");
  EXPECT_EQ(domain_called("<s goto='b.example' to='a.example'>"), "a.example");
  EXPECT_EQ(domain_called("<stream:stream xmlns='jabber:server'>"), "");
  EXPECT_EQ(domain_called("<?xml version='1.0'?><stream:stream to='a.exa"), std::nullopt);
  EXPECT_EQ(domain_called(""), std::nullopt);
  EXPECT_EQ(domain_called(std::string(5000, ' ')), "");
}

TEST(FirstOctets, NameTheServerOfAClientHello) {
  const auto whole = hello("a.example");
  EXPECT_EQ(domain_called(whole), "a.example");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(domain_called(whole.substr(0, size)), std::nullopt) << size;
  for (std::size_t at = 3; at < whole.size(); ++at) {
    auto broken = whole;
    broken[at] = static_cast<char>(0xff);
    (void)domain_called(broken);  // whatever it is
  }
}

}  // namespace
}  // namespace cutover::harness
