// Addresses: what is one, its canonical form, and its limits.
#include "protocol/xmpp/jid.h"

#include <gtest/gtest.h>

namespace cutover::xmpp {
namespace {

std::string full(std::string_view text) {
  const auto jid = Jid::parse(text);
  return jid ? jid->full() : "no address";
}

TEST(Jid, HasThreeParts) {
  const auto jid = Jid::parse("Romeo@A.Example/Balcony @/x");
  ASSERT_TRUE(jid);
  EXPECT_EQ(jid->local(), "romeo");
  EXPECT_EQ(jid->domain(), "a.example");
  EXPECT_EQ(jid->resource(), "Balcony @/x");
  EXPECT_EQ(jid->bare(), "romeo@a.example");
  EXPECT_EQ(jid->without_resource(), Jid::parse("romeo@a.example"));
  EXPECT_TRUE(Jid::parse("a.example")->is_domain());
}

TEST(Jid, PreparesEachPart) {
  EXPECT_EQ(full("STRA\xc3\x9f"
                 "E@a.example"),
            "strasse@a.example");                  // nodeprep folds the sharp s
  EXPECT_EQ(full("a.example./r"), "a.example/r");  // the final dot is no part
  EXPECT_EQ(full("x@B\xc3\x9c"
                 "CHER.example"),
            "x@b\xc3\xbc"
            "cher.example");  // U-labels, lower case
  EXPECT_EQ(full("x@xn--bcher-kva.example"),
            "x@b\xc3\xbc"
            "cher.example");                                        // A-labels become U-labels
  EXPECT_EQ(full("a.example/\xe2\x84\xab"), "a.example/\xc3\x85");  // NFKC of the Angstrom sign
  EXPECT_EQ(full("x@[::1]/r"), "x@[::1]/r");
  EXPECT_EQ(domain_to_ascii("b\xc3\xbc"
                            "cher.example"),
            "xn--bcher-kva.example");
}

TEST(Jid, RefusesWhatIsNoAddress) {
  for (const auto* text :
       {"", "@a.example", "a.example/", "x@", "x@/r", "x y@a.example", "x@a..example", "x@-a.example", "x@a_b.example",
        "<x@a.example", "x@a.example\x7f", "\xff@a.example", "x@a.example/\xff", "x@a.example/\x01",
        "x@xn--\xc3\xbc.example", "x@a.example@b.example", "\xe2\x80\x8b@a.example"}) {
    EXPECT_EQ(full(text), "no address") << text;
  }
}

TEST(Jid, BoundsEachPart) {
  const std::string longest(1023, 'x'), too_long(1024, 'x');
  EXPECT_TRUE(Jid::parse(longest + "@a.example/" + longest));
  EXPECT_FALSE(Jid::parse(too_long + "@a.example"));
  EXPECT_FALSE(Jid::parse("x@a.example/" + too_long));
  EXPECT_FALSE(Jid::parse("x@" + std::string(64, 'a') + ".example"));
}

}  // namespace
}  // namespace cutover::xmpp
