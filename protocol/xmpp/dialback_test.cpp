// Dialback keys against the vectors of XEP-0185 and XEP-0220; SASL EXTERNAL's text; the negotiation matrix.
#include "protocol/xmpp/dialback.h"

#include "protocol/xmpp/policy.h"
#include "protocol/xmpp/sasl_external.h"

#include <gtest/gtest.h>

namespace cutover::xmpp {
namespace {

TEST(DialbackKey, MatchesThePublishedVectors) {
  EXPECT_EQ(dialback_key("s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F"),
            "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643");
  EXPECT_EQ(dialback_key("s3cr3tf0rd14lb4ck", "montague.example", "capulet.example", "D60000229F"),
            "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3");
  EXPECT_EQ(dialback_key("d14lb4ck43v3r", "capulet.example", "montague.example", "417GAF25"),
            "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d");
}

TEST(DialbackKey, DependsOnEveryFieldAndTheirBorders) {
  const auto key = dialback_key("secret", "b.example", "a.example", "id1");
  EXPECT_NE(key, dialback_key("secre", "b.example", "a.example", "id1"));
  EXPECT_NE(key, dialback_key("secret", "a.example", "b.example", "id1"));
  EXPECT_NE(key, dialback_key("secret", "b.example", "a.example", "id2"));
  EXPECT_NE(key, dialback_key("secret", "b.example", "a.examplei", "d1"));
}

TEST(DialbackKey, ComparesWithoutSurroundingSpace) {
  EXPECT_TRUE(same_key("abc", "\n  abc "));
  EXPECT_FALSE(same_key("abc", "abd"));
  EXPECT_FALSE(same_key("abc", ""));
}

TEST(SaslExternal, EncodesAndDecodesIdentities) {
  EXPECT_EQ(encode_authzid(""), "=");
  for (const std::string domain : {"a", "ab", "abc", "a.example", "im.a.example"}) {
    EXPECT_EQ(decode_authzid(encode_authzid(domain)), domain);
  }
  EXPECT_EQ(decode_authzid("="), "");
  for (const auto* text : {"YQ", "YR==", "Y=Q=", "Y\nQ=", "====", "YQ==YQ=="})
    EXPECT_FALSE(decode_authzid(text)) << text;
}

TEST(SaslExternal, AllowsOnlyTheOwnDomain) {
  EXPECT_TRUE(may_act_as("", "a.example"));
  EXPECT_TRUE(may_act_as("A.Example", "a.example"));
  for (const auto* foreign : {"b.example", "x@a.example", "a.example/r", "sub.a.example", " "}) {
    EXPECT_FALSE(may_act_as(foreign, "a.example")) << foreign;
  }
}

TEST(Policy, FollowsTheNegotiationMatrix) {
  using enum Negotiation;
  struct Row {
    Negotiation tls = required, sasl = required;
    bool dialback = false;
    Methods methods;  // SASL over TLS, TLS dialback, TCP dialback
  };
  const Row rows[] = {
      {required, required, true, {true, false, false}},
      {required, required, false, {true, false, false}},
      {optional, required, true, {true, true, true}},
      {optional, required, false, {true, false, false}},
      {not_supported, required, true, {false, false, true}},
      {not_supported, required, false, {}},
      {required, optional, true, {true, true, false}},
      {required, optional, false, {true, false, false}},
      {optional, optional, true, {true, true, true}},
      {optional, optional, false, {true, false, false}},
      {not_supported, optional, true, {false, false, true}},
      {not_supported, optional, false, {}},
      {required, not_supported, true, {false, true, false}},
      {required, not_supported, false, {}},
      {optional, not_supported, true, {false, true, true}},
      {optional, not_supported, false, {}},
      {not_supported, not_supported, true, {false, false, true}},
      {not_supported, not_supported, false, {}},
  };
  for (const auto& row : rows) {
    const PeerPolicy policy{.tls = row.tls, .sasl = row.sasl, .dialback = row.dialback};
    EXPECT_EQ(methods_of(policy), row.methods) << &row - rows;
  }
}

}  // namespace
}  // namespace cutover::xmpp
