// The rewrites of a gateway on single items, and the settings on what they change.
#include "departures/table.h"
#include "protocol/interworking/settings.h"
#include "protocol/sip/passage.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stanza.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::departures {
namespace {

using testing::HasSubstr;

/// What a gateway with one departure makes of an item; its rewrites remember what went before.
struct Wire {
  explicit Wire(const std::string& name) : departures(Planted({name}).at(gateway)) {
    stanzas = departures.get()->xmpp_items;
    messages = departures.get()->sip_messages;
  }
  std::string pass(Direction direction, const xml::Element& stanza) {
    xmpp::Passage passage;
    passage.direction = direction;
    passage.kind = xmpp::Passage::Kind::element;
    passage.put(stanza);
    for (const auto& rewrite : stanzas) rewrite(passage);
    return passage.octets;
  }
  sip::Passage pass(Direction direction, sip::Message message) {
    sip::Passage passage;
    passage.direction = direction;
    passage.message = std::move(message);
    for (const auto& rewrite : messages) rewrite(passage);
    return passage;
  }

  Departures departures;
  std::vector<std::function<void(xmpp::Passage&)>> stanzas;
  std::vector<std::function<void(sip::Passage&)>> messages;
};

xml::Element text(const std::string& body) { return xmpp::make_message("j@x.example/b", "r@s.example", body, {}, "m"); }

sip::Message request(const std::string& method, const std::string& call_id) {
  sip::Message message;
  message.method = method;
  message.request_uri = "sip:r@s.example";
  message.add_header("Via", "SIP/2.0/TLS gw;branch=z9hG4bK1");
  message.add_header("From", "<sip:J%3Aj@x.example;gr=b>;tag=1");
  message.add_header("To", "<sip:r@s.example>");
  message.add_header("Call-ID", call_id);
  message.add_header("CSeq", "1 " + method);
  return message;
}

TEST(GatewayRewrites, ChangeATextInBothDirectionsAndNoReport) {
  for (const auto direction : {Direction::in, Direction::out}) {
    Wire wire("gateway.truncates-body");
    EXPECT_THAT(wire.pass(direction, text("1234567\xC3\xA4 and more")), HasSubstr("<body>1234567</body>"));
    const auto report = *xmpp::make_error(text("1234567 and more"), "forbidden");
    EXPECT_EQ(wire.pass(direction, report), Wire("gateway.loses-show").pass(direction, report));
  }
}

TEST(GatewayRewrites, LetOneMessageOvertakeAnother) {
  Wire wire("gateway.reorders-to-sip");
  EXPECT_EQ(wire.pass(Direction::in, text("one")), "");
  const auto both = wire.pass(Direction::in, text("two"));
  EXPECT_LT(both.find("two"), both.find("one"));
  EXPECT_THAT(wire.pass(Direction::out, text("three")), HasSubstr("three"));
}

TEST(GatewayRewrites, MishearAConditionAndAStatus) {
  Wire errors("gateway.wrong-status-forbidden");
  EXPECT_THAT(errors.pass(Direction::in, *xmpp::make_error(text("x"), "forbidden")),
              HasSubstr("<recipient-unavailable"));
  EXPECT_THAT(errors.pass(Direction::in, *xmpp::make_error(text("x"), "conflict")), HasSubstr("<conflict"));
  Wire statuses("gateway.wrong-condition-404");
  const auto asked = request("MESSAGE", "c");
  EXPECT_EQ(statuses.pass(Direction::in, sip::response_to(asked, 404, "", "t")).message.status, 491);
  EXPECT_EQ(statuses.pass(Direction::in, sip::response_to(asked, 480, "", "t")).message.status, 480);
}

TEST(GatewayRewrites, RememberDialogs) {
  Wire wire("gateway.expiry-silent");
  auto notify = request("NOTIFY", "c");
  notify.add_header("Subscription-State", "terminated;reason=timeout");
  const auto lost = wire.pass(Direction::out, notify);
  EXPECT_TRUE(lost.dropped);
  EXPECT_EQ(lost.back.at(0).status, 200);
  auto subscribe = request("SUBSCRIBE", "c");
  subscribe.add_header("Expires", "0");
  (void)wire.pass(Direction::in, subscribe);
  EXPECT_FALSE(wire.pass(Direction::out, notify).dropped);
}

TEST(GatewayRewrites, ChangeTheSenderOfRequests) {
  const auto from = [](const std::string& name) {
    return Wire(name).pass(Direction::out, request("MESSAGE", "c")).message.header_or_empty("From");
  };
  EXPECT_EQ(from("gateway.drops-gr"), "<sip:J%3Aj@x.example>;tag=1");
  EXPECT_EQ(from("gateway.gr-as-header-parameter"), "<sip:J%3Aj@x.example>;gr=b;tag=1");
  EXPECT_EQ(from("gateway.percent-lower-case"), "<sip:J%3aj@x.example;gr=b>;tag=1");
  EXPECT_EQ(from("gateway.sip-user-unescaped"), "<sip:J:j@x.example;gr=b>;tag=1");
}

TEST(GatewaySettings, ChangeTheSettingsOfATranslator) {
  interworking::Settings settings;
  Planted({"gateway.service-unavailable-503"}).at(gateway).adjust(settings);
  EXPECT_EQ(settings.service_unavailable, 503);
  EXPECT_TRUE(Planted({"gateway.service-unavailable-503"}).at(proxy).none());
}

}  // namespace
}  // namespace cutover::departures
