// The example of RFC 5802 section 5, and servers that must not be believed.
#include "mocks/scram.h"

#include <gtest/gtest.h>

namespace cutover::mocks {
namespace {

constexpr const char* challenge = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";

TEST(Scram, gives_the_octets_of_rfc_5802) {
  Scram scram("user", "pencil", "fyko+d2lbbFgONRv9qkxdawL");
  EXPECT_EQ(scram.client_first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
  EXPECT_FALSE(scram.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
  EXPECT_EQ(scram.client_final(challenge),
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
  EXPECT_TRUE(scram.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
  EXPECT_FALSE(scram.verify("v=smF9pqV8S7suAoZWja4dJRkFsKQ="));
  EXPECT_FALSE(scram.verify("e=invalid-proof"));
}

TEST(Scram, refuses_bad_challenges) {
  Scram scram("user", "pencil", "abc");
  for (const auto* bad :
       {"", "r=abcd", "r=abc,s=QSXCR+Q6,i=4096", "r=other,s=QSXCR+Q6,i=4096", "r=abcd,s=QSXCR+Q6,i=0",
        "r=abcd,s=QSXCR+Q6,i=99999999", "r=abcd,s=?,i=4096", "r=abcd,s=,i=4096", "m=x,r=abcd,s=QSXCR+Q6,i=4096"}) {
    EXPECT_FALSE(scram.client_final(bad)) << bad;
  }
}

TEST(Scram, escapes_names) { EXPECT_EQ(Scram("a=b,c", "", "x").client_first(), "n,,n=a=3Db=2Cc,r=x"); }

}  // namespace
}  // namespace cutover::mocks
