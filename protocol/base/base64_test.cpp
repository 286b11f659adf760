// Base64 both ways, and what either way of reading makes of what is none.
#include "protocol/base/base64.h"

#include <gtest/gtest.h>

namespace cutover {
namespace {

TEST(Base64, GoesBothWays) {
  // RFC 4648 section 10.
  for (const auto& [octets, text] : {std::pair<std::string, std::string>{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {std::string("\0\xff\x10", 3), "AP8Q"}}) {
    EXPECT_EQ(to_base64(octets), text);
    EXPECT_EQ(from_base64_strict(text), octets);
    EXPECT_EQ(from_base64_lenient(text), octets);
  }
}

TEST(Base64, IsReadByTheLetter) {
  for (const auto* text : {"abc", "a?cd", "=AAA", "YS5l=eGF", "YS5l=eGFt", " Zm9v", "Zm9v\n", "Zm 9v", "Zm-v",
                           "Zh==", "Zm9=", "====", "Z===", "=", "Zg==Zg=="})
    EXPECT_FALSE(from_base64_strict(text)) << text;
  EXPECT_FALSE(from_base64_strict(std::string_view("Zm9\0", 4)));
}

TEST(Base64, OrForWhatCanBeFoundInIt) {
  EXPECT_EQ(from_base64_lenient(" Zm9 vYg = ="), "foob");
  EXPECT_EQ(from_base64_lenient("Zm9vYg"), "foob");
  EXPECT_EQ(from_base64_lenient("Zm9vY"), "foo");
  EXPECT_EQ(from_base64_lenient("Zh"), "f");
  EXPECT_EQ(from_base64_lenient("?-="), "");
}

}  // namespace
}  // namespace cutover
