// Stanzas: kinds, errors and when none may be sent.
#include "protocol/xmpp/stanza.h"

#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/rules.h"

#include <gtest/gtest.h>

namespace cutover::xmpp {
namespace {

TEST(Stanza, IsKnownByNameAndNamespace) {
  EXPECT_EQ(stanza_kind(make_message("a@a.example", "b@b.example", "hi")), StanzaKind::message);
  EXPECT_EQ(stanza_kind(make_presence("a@a.example", "b@b.example")), StanzaKind::presence);
  EXPECT_FALSE(is_stanza(xml::Element("message", ns::streams)));
  EXPECT_FALSE(is_stanza(xml::Element("result", ns::server)));
}

TEST(Stanza, ErrorSwapsAddressesKeepsTheIdAndEchoesNothing) {
  const auto error =
      make_error(make_message("a@a.example", "b@b.example", "secret", "chat", "7"), "not-acceptable", "why");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->attribute("from"), "b@b.example");
  EXPECT_EQ(error->attribute("to"), "a@a.example");
  EXPECT_EQ(error->attribute("id"), "7");
  EXPECT_FALSE(error->child("body", ns::server));
  const auto what = error_of(*error);
  ASSERT_TRUE(what);
  EXPECT_EQ(what->condition, "not-acceptable");
  EXPECT_EQ(what->type, "modify");
  EXPECT_EQ(what->text, "why");
}

TEST(Stanza, NothingAnswersAnErrorOrAResult) {
  EXPECT_FALSE(make_error(make_message("a@a.example", "b@b.example", {}, "error"), "gone"));
  EXPECT_FALSE(make_error(make_iq("a@a.example", "b@b.example", "result", "1"), "gone"));
  EXPECT_TRUE(make_error(make_iq("a@a.example", "b@b.example", "get", "1"), "gone"));
  EXPECT_TRUE(make_error(make_presence("a@a.example", "b@b.example"), "gone"));
  const auto careless = Departures::waiving({Rule::errors_are_not_answered});
  EXPECT_TRUE(make_error(make_message("a@a.example", "b@b.example", {}, "error"), "gone", {}, {}, careless));
  EXPECT_FALSE(make_error(make_iq("a@a.example", "b@b.example", "result", "1"), "gone", {}, {}, careless));
}

TEST(Stanza, UnknownConditionReadsAsUndefined) {
  auto error = *make_error(make_message("a@a.example", "b@b.example", "x"), "gone");
  error.child("error", ns::server)->content().clear();
  error.child("error", ns::server)->add(xml::Element("surprise", ns::stanza_errors));
  EXPECT_EQ(error_of(error)->condition, "undefined-condition");
}

TEST(Summary, IsTheSameAtBothEnds) {
  EXPECT_EQ(summary_of(make_message("a@b.example", "c@d.example", "hello")), "message chat a@b.example > c@d.example");
  EXPECT_EQ(summary_of(xml::Element("auth", ns::sasl).with("mechanism", "EXTERNAL")), "auth EXTERNAL");
}

}  // namespace
}  // namespace cutover::xmpp
