// Every flow of the two directions, as a conversation between a partner, the translator and a SIP user.
#include "protocol/interworking/translator.h"

#include "protocol/interworking/mapping/message.h"
#include "protocol/interworking/mapping/presence.h"
#include "protocol/xml/reader.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace cutover::interworking {
namespace {

using testing::HasSubstr;

constexpr char juliet[] = "juliet@xmpp.example";
constexpr char balcony[] = "juliet@xmpp.example/balcony";
constexpr char romeo[] = "romeo@sip.example";

/// Both neighbours of a translator: they record what comes out and answer by hand.
struct Bench {
  explicit Bench(Settings given = {}) : engine(complete(std::move(given))) {}

  static Settings complete(Settings settings) {
    settings.sip_domains = {"sip.example"};
    if (!settings.partner) {
      settings.partner = [](std::string_view domain) {
        return domain == "xmpp.example" ? std::optional(PartnerType::federated) : std::nullopt;
      };
    }
    settings.random = [state = std::uint64_t{1}](std::uint64_t bound) mutable {
      state = state * 6364136223846793005U + 1442695040888963407U;
      return (state >> 33U) % bound;
    };
    return settings;
  }

  void pull() {
    while (auto output = engine.poll()) {
      if (auto* stanza = std::get_if<SendStanza>(&*output)) stanzas.push_back(std::move(stanza->stanza));
      if (auto* request = std::get_if<SendRequest>(&*output)) requests.push_back(std::move(*request));
      if (auto* response = std::get_if<SendResponse>(&*output)) responses.push_back(std::move(*response));
    }
  }
  void stanza(const xml::Element& element) {
    engine.on_stanza(element, "xmpp.example", now);
    pull();
  }
  void presence(const std::string& from, std::string_view type, std::string_view to = romeo) {
    stanza(xmpp::make_presence(from, to, type));
  }
  void pass(Duration duration) {
    const Time end = now + duration;
    while (engine.deadline() && *engine.deadline() <= end) {
      now = std::max(now, *engine.deadline());
      engine.timeout(now);
      pull();
    }
    now = end;
  }

  // The SIP user.
  sip::Message make(std::string method, const std::string& call_id, std::uint32_t cseq,
                    const std::string& our_tag = {}) {
    sip::Message request;
    request.method = method;
    request.request_uri = "sip:juliet@xmpp.example";
    request.add_header("Via", "SIP/2.0/TLS ue;branch=z9hG4bK" + std::to_string(++branch));
    request.add_header("Max-Forwards", "70");
    request.add_header("From", "<sip:romeo@sip.example>;tag=ue");
    request.add_header("To", "<sip:juliet@xmpp.example>" + (our_tag.empty() ? "" : ";tag=" + our_tag));
    request.add_header("Call-ID", call_id);
    request.add_header("CSeq", std::to_string(cseq) + " " + method);
    request.add_header("Contact", "<sip:romeo@ue.sip.example>");
    return request;
  }
  void request(const sip::Message& message) {
    engine.on_request(sip::TransactionId{++transaction}, message, now);
    pull();
  }
  void text(const std::string& body, const std::string& call_id = "c1", std::uint32_t cseq = 1,
            const std::string& tag = {}) {
    auto message = make("MESSAGE", call_id, cseq, tag);
    message.add_header("Content-Type", "text/plain");
    message.body = body;
    request(message);
  }
  sip::Message take() {
    EXPECT_FALSE(requests.empty());
    if (requests.empty()) return {};
    last = requests.front();
    requests.erase(requests.begin());
    return last.message;
  }
  void answer(int status, const std::vector<std::pair<std::string, std::string>>& headers = {},
              const std::string& body = {}) {
    auto response = sip::response_to(last.message, status, reason_phrase(status), "ue");
    for (const auto& [name, value] : headers) response.set_header(name, value);
    response.body = body;
    engine.on_response(last.id, response, now);
    pull();
  }
  void notify(const sip::Message& subscribe, std::uint32_t cseq, const std::string& state,
              const std::string& body = {}) {
    auto message = make("NOTIFY", subscribe.call_id(), cseq, subscribe.from()->tag());
    message.request_uri = "sip:juliet@xmpp.example";
    message.add_header("Event", "presence");
    message.add_header("Subscription-State", state);
    if (!body.empty()) message.add_header("Content-Type", pidf_media);
    message.body = body;
    request(message);
  }
  xml::Element got() {
    EXPECT_FALSE(stanzas.empty());
    if (stanzas.empty()) return {};
    auto element = stanzas.front();
    stanzas.erase(stanzas.begin());
    return element;
  }
  sip::Message answered() {
    EXPECT_FALSE(responses.empty());
    if (responses.empty()) return {};
    auto message = responses.front().message;
    responses.erase(responses.begin());
    return message;
  }

  Time now{1us};
  Translator engine;
  std::vector<xml::Element> stanzas;
  std::vector<SendRequest> requests;
  std::vector<SendResponse> responses;
  SendRequest last;
  std::uint64_t transaction = 0, branch = 0;
};

Settings pager() {
  Settings settings;
  settings.profile = Profile::pager;
  return settings;
}
Settings waiving(Rule rule, Settings settings = {}) {
  settings.departures = Departures::waiving({rule});
  return settings;
}
xml::Element chat(const std::string& body, const std::string& id = "m1", const std::string& type = "chat") {
  return xmpp::make_message(balcony, romeo, body, type, id);
}
std::string type_of(const xml::Element& stanza) { return stanza.attribute_or_empty("type"); }
std::string open_pidf(const std::string& resource = "r1") {
  Presence presence;
  presence.resource = resource;
  presence.status = "here";
  return to_pidf(romeo, "sip:romeo@sip.example", {{resource, presence}});
}

TEST(PagerToSip, SendsOneMessageAndMapsItsRefusal) {
  Bench bench(pager());
  auto stanza = chat("Art thou\nnot Romeo?", "7", "normal");
  stanza.add(xml::Element("thread", stanza.ns()).with_text("711609sa"));
  bench.stanza(stanza);
  const auto message = bench.take();
  EXPECT_EQ(message.method, "MESSAGE");
  EXPECT_EQ(message.request_uri, "sip:romeo@sip.example");
  EXPECT_THAT(message.header_or_empty("From"), HasSubstr("<sip:juliet@xmpp.example;gr=balcony>;tag="));
  EXPECT_EQ(message.call_id(), "711609sa");
  EXPECT_EQ(message.body, "Art thou\r\nnot Romeo?");
  EXPECT_FALSE(message.header("Contact"));
  bench.answer(404);
  const auto error = bench.got();
  EXPECT_EQ(error.attribute("id"), "7");
  EXPECT_EQ(error.attribute("to"), balcony);
  EXPECT_EQ(xmpp::error_of(error)->condition, "item-not-found");
}

TEST(PagerToSip, KeepsOneTransactionAtATimeInOrder) {
  Bench bench(pager());
  for (const char* id : {"a", "b", "c"}) bench.stanza(chat(id, id));
  EXPECT_EQ(bench.requests.size(), 1U);
  const auto first = bench.take();
  bench.answer(200);
  const auto second = bench.take();
  EXPECT_EQ(second.body, "b");
  EXPECT_LT(first.cseq_number(), second.cseq_number());
  bench.engine.on_failure(bench.last.id, sip::TransactionFailure::timed_out, bench.now);
  bench.pull();
  EXPECT_EQ(xmpp::error_of(bench.got())->condition, "remote-server-timeout");
  EXPECT_EQ(bench.take().body, "c");
}

TEST(PagerToSip, RefusesWhatIsTooLargeOrNotOneToOne) {
  Bench bench(pager());
  bench.stanza(chat(std::string(1400, 'x')));
  EXPECT_EQ(xmpp::error_of(bench.got())->condition, "policy-violation");
  bench.stanza(chat("x", "g", "groupchat"));
  EXPECT_EQ(xmpp::error_of(bench.got())->condition, "service-unavailable");
  bench.stanza(chat("x", "e", "error"));
  EXPECT_TRUE(bench.requests.empty() && bench.stanzas.empty());
}

TEST(PagerToXmpp, HoldsTheAnswerForAStanzaError) {
  Bench bench;
  bench.text("Neither, fair saint");
  const auto stanza = bench.got();
  EXPECT_EQ(stanza.attribute("from"), romeo);
  EXPECT_EQ(stanza.attribute("to"), juliet);
  EXPECT_FALSE(stanza.attribute("type"));
  EXPECT_EQ(stanza.child("body", stanza.ns())->text(), "Neither, fair saint");
  EXPECT_EQ(stanza.child("thread", stanza.ns())->text(), "c1");
  EXPECT_TRUE(bench.responses.empty());
  bench.stanza(*xmpp::make_error(stanza, "forbidden"));
  EXPECT_EQ(bench.answered().status, 603);  // a bare JID was addressed
  bench.text("again", "c2");
  const auto late = bench.got();
  bench.pass(2s);
  EXPECT_EQ(bench.answered().status, 200);
  bench.stanza(*xmpp::make_error(late, "forbidden"));
  EXPECT_TRUE(bench.responses.empty() && bench.requests.empty());
  EXPECT_EQ(bench.engine.counts().late_failures, 1U);
  EXPECT_EQ(bench.engine.counts().untold_failures, 1U) << "page mode has no way back";
}

TEST(PagerToXmpp, KnowsADisplayNameFromAnAddress) {
  for (const std::string name : {R"("<sip:mercutio@sip.example>")", R"("a <b@c>")", R"("a \"<sip:b@sip.example>\"")"}) {
    Bench bench;
    auto message = bench.make("MESSAGE", "c1", 1);
    message.set_header("From", name + " <sip:romeo@sip.example>;tag=ue");
    message.add_header("Content-Type", "text/plain");
    message.body = "hello";
    bench.request(message);
    EXPECT_EQ(bench.got().attribute("from"), romeo) << name;
  }
}

TEST(SessionToSip, InvitesOnceAndHoldsWhatWaits) {
  Bench bench;
  bench.stanza(chat("one", "m1"));
  bench.stanza(chat("two", "m2"));
  const auto invite = bench.take();
  EXPECT_EQ(invite.method, "INVITE");
  EXPECT_THAT(invite.body, HasSubstr("m=message 5060 sip null"));
  EXPECT_TRUE(bench.requests.empty());
  bench.answer(180);
  bench.answer(200, {{"Contact", "<sip:romeo@ue.sip.example>"}, {"Content-Type", "application/sdp"}},
               "v=0\r\nm=message 5060 sip sip:romeo@sip.example\r\na=accept-types:text/plain "
               "application/im-iscomposing+xml\r\n");
  EXPECT_EQ(bench.take().header("CSeq"), "1 ACK");
  const auto first = bench.take();
  EXPECT_EQ(first.body, "one");
  EXPECT_EQ(first.request_uri, "sip:romeo@ue.sip.example");
  EXPECT_TRUE(bench.requests.empty());
  bench.answer(200);
  EXPECT_EQ(bench.take().body, "two");
  bench.answer(200);

  auto typing = xmpp::make_message(balcony, romeo, {}, "chat");
  typing.add(xml::Element("composing", xmpp::ns::chat_states));
  bench.stanza(typing);
  EXPECT_THAT(bench.take().body, HasSubstr("<state>active</state>"));
  bench.answer(415);

  bench.text("reply", invite.call_id(), 1, invite.from()->tag());
  const auto reply = bench.got();
  EXPECT_EQ(type_of(reply), "chat");
  EXPECT_EQ(reply.attribute("to"), balcony);
  bench.pass(2s);
  bench.stanza(*xmpp::make_error(reply, "service-unavailable"));  // after the 2xx
  EXPECT_EQ(bench.take().header("Content-Type"), "message/imdn+xml");
  EXPECT_EQ(bench.engine.counts().untold_failures, 0U);
  bench.answer(200);

  bench.request(bench.make("BYE", invite.call_id(), 2, invite.from()->tag()));
  EXPECT_NE(bench.got().child("gone", xmpp::ns::chat_states), nullptr);
  EXPECT_EQ(bench.engine.counts().sessions, 0U);
}

TEST(SessionToSip, FallsBackOrReports) {
  Bench bench;
  bench.stanza(chat("one"));
  bench.take();
  bench.answer(488);
  EXPECT_EQ(bench.take().method, "MESSAGE");
  bench.answer(200);
  Bench other;
  other.stanza(chat("one", "m1"));
  other.stanza(chat("two", "m2"));
  other.take();
  other.answer(480);
  EXPECT_EQ(xmpp::error_of(other.got())->condition, "recipient-unavailable");
  EXPECT_EQ(other.got().attribute("id"), "m2");
}

TEST(SessionToSip, OpensANewDialogForADeadOne) {
  Bench bench;
  bench.stanza(chat("one"));
  const auto first = bench.take();
  bench.answer(200, {{"Contact", "<sip:ue>"}}, "v=0\r\nm=message 1 sip null\r\n");
  bench.take();
  EXPECT_EQ(bench.take().body, "one");
  bench.answer(481);
  const auto second = bench.take();
  EXPECT_EQ(second.method, "INVITE");
  EXPECT_NE(second.call_id(), first.call_id());
  bench.answer(200, {{"Contact", "<sip:ue>"}}, "v=0\r\nm=message 1 sip null\r\n");
  bench.take();
  EXPECT_EQ(bench.take().body, "one");
  bench.answer(481);
  EXPECT_EQ(type_of(bench.got()), "error");
  bench.pass(700s);
  EXPECT_EQ(bench.engine.counts().sessions, 0U);
}

TEST(SessionToXmpp, AnswersTheInviteAndUsesItsFirstText) {
  Bench bench;
  auto invite = bench.make("INVITE", "call", 1);
  invite.add_header("Content-Type", "application/sdp");
  invite.add_header("Ms-Text-Format", "text/plain; charset=UTF-8;msgr=WAAt;ms-body=aGVsbG8=");
  invite.body =
      "v=0\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\nm=message 5060 sip null\r\na=accept-types:text/plain "
      "application/im-iscomposing+xml\r\n";
  bench.request(invite);
  const auto ok = bench.answered();
  EXPECT_EQ(ok.status, 200);
  EXPECT_THAT(ok.body, HasSubstr("m=audio 0 RTP/AVP 0\r\nm=message 5060 sip sip:juliet@xmpp.example"));
  EXPECT_EQ(ok.header("Supported"), "ms-text-format");
  EXPECT_EQ(bench.got().child("body", xmpp::ns::server)->text(), "hello");
  const std::string tag = ok.to()->tag();
  bench.engine.on_request(sip::TransactionId::none, bench.make("ACK", "call", 1, tag), bench.now);

  auto typing = bench.make("INFO", "call", 2, tag);
  typing.add_header("Content-Type", "application/xml");
  typing.body = "<KeyboardActivity><status status='type'/></KeyboardActivity>";
  bench.request(typing);
  typing.set_header("CSeq", "3 INFO");
  bench.request(typing);
  EXPECT_NE(bench.got().child("composing", xmpp::ns::chat_states), nullptr);
  EXPECT_TRUE(bench.stanzas.empty());
  bench.pass(20s);
  EXPECT_NE(bench.got().child("active", xmpp::ns::chat_states), nullptr);

  bench.stanza(xmpp::make_message("juliet@xmpp.example/phone", romeo, "hi", "chat", "r1"));
  EXPECT_EQ(bench.take().header("To"), "<sip:romeo@sip.example>;tag=ue");
  bench.pass(600s);
  EXPECT_EQ(bench.take().method, "BYE");
}

TEST(SessionToXmpp, RefusesConferencesAndFiles) {
  Bench bench;
  auto invite = bench.make("INVITE", "call", 1);
  invite.add_header("Content-Type", "application/ms-conf-invite+xml");
  invite.body = "<Conferencing/>";
  bench.request(invite);
  EXPECT_EQ(bench.answered().status, 488);
  invite.add_header("Require", "com.microsoft.rtc-multiparty");
  bench.request(invite);
  EXPECT_EQ(bench.answered().header("Unsupported"), "com.microsoft.rtc-multiparty");
  auto file = bench.make("MESSAGE", "f", 1);
  file.add_header("Content-Type", "text/x-msmsgsinvite");
  file.body = "Application-Name: File Transfer";
  bench.request(file);
  EXPECT_EQ(bench.answered().status, 415);
  EXPECT_TRUE(bench.stanzas.empty());
}

TEST(WatchingSip, SubscribesRefreshesAndCancels) {
  Bench bench;
  bench.presence(balcony, "subscribe");
  const auto subscribe = bench.take();
  EXPECT_EQ(subscribe.header("Expires"), "28800");
  bench.answer(200, {{"Expires", "1000"}, {"Contact", "<sip:ue>"}});
  bench.notify(subscribe, 1, "pending;expires=1000");
  EXPECT_TRUE(bench.stanzas.empty());
  bench.notify(subscribe, 2, "active;expires=1000", open_pidf());
  EXPECT_EQ(type_of(bench.got()), "subscribed");
  const auto presence = bench.got();
  EXPECT_EQ(presence.attribute("from"), "romeo@sip.example/r1");
  EXPECT_EQ(presence.child("status", xmpp::ns::server)->text(), "here");
  bench.notify(subscribe, 3, "active;expires=1000", open_pidf("r2"));
  EXPECT_EQ(type_of(bench.got()), "unavailable");
  EXPECT_EQ(bench.got().attribute("from"), "romeo@sip.example/r2");
  bench.presence(balcony, "probe");
  EXPECT_EQ(bench.got().attribute("to"), balcony);
  bench.pass(860s);
  const auto refresh = bench.take();
  EXPECT_EQ(refresh.call_id(), subscribe.call_id());
  EXPECT_EQ(refresh.cseq_number(), 2U);
  bench.answer(200, {{"Expires", "1000"}});
  bench.presence(juliet, "unsubscribe");
  EXPECT_EQ(bench.take().header("Expires"), "0");
  bench.answer(200);
  EXPECT_EQ(type_of(bench.got()), "unsubscribed");
  bench.notify(subscribe, 4, "terminated;reason=timeout", open_pidf());
  EXPECT_TRUE(bench.stanzas.empty());
  EXPECT_EQ(bench.engine.counts().watches, 0U);
}

TEST(WatchingSip, TellsRefusalsFromHiccups) {
  for (const int status : {403, 489, 603}) {
    Bench bench;
    bench.presence(juliet, "subscribe");
    bench.take();
    bench.answer(status);
    EXPECT_EQ(type_of(bench.got()), "unsubscribed");
    bench.pass(7200s);
    EXPECT_TRUE(bench.requests.empty());
  }
  Bench bench;
  bench.presence(juliet, "subscribe");
  bench.take();
  bench.answer(423, {{"Min-Expires", "40000"}});
  EXPECT_EQ(bench.take().header("Expires"), "40000");
  bench.answer(200, {{"Expires", "40000"}});
  const auto first = bench.last.message;
  bench.notify(first, 1, "active;expires=40000");
  bench.got();
  bench.notify(first, 2, "terminated;reason=deactivated");
  EXPECT_NE(bench.take().call_id(), first.call_id());
  bench.answer(200, {{"Expires", "3600"}});
  bench.notify(bench.last.message, 1, "terminated;reason=probation;retry-after=90");
  EXPECT_TRUE(bench.requests.empty());
  bench.pass(90s);
  bench.take();
  bench.answer(200);
  bench.notify(bench.last.message, 1, "terminated;reason=rejected");
  EXPECT_EQ(type_of(bench.got()), "unsubscribed");
  bench.presence(juliet, "subscribe");
  bench.take();
  bench.answer(500);
  EXPECT_EQ(xmpp::error_of(bench.got())->condition, "internal-server-error");
}

TEST(WatchingSip, SpacesWatchesThatDoNotLast) {
  const auto subscribes_in_a_minute = [](Settings settings) {
    Bench bench(std::move(settings));
    bench.presence(juliet, "subscribe");
    int count = 0;
    for (const Time end = bench.now + 60s; bench.now < end && count < 100; bench.pass(1s)) {
      while (!bench.requests.empty() && count < 100) {
        const auto subscribe = bench.take();
        ++count;
        bench.answer(200, {{"Expires", "3600"}});
        bench.notify(subscribe, 1, "active;expires=3600");
        bench.notify(subscribe, 2, "terminated;reason=timeout");
      }
    }
    return count;
  };
  EXPECT_EQ(subscribes_in_a_minute({}), 4) << "the second at once, the others after 10 and 20 s";
  EXPECT_EQ(subscribes_in_a_minute({.departures = Departures::waiving({Rule::short_watches_are_spaced})}), 100);
}

TEST(WatchingSip, TellsWhoAskedWithTheIdOfTheStanza) {
  Bench bench;
  auto subscribe = xmpp::make_presence(juliet, romeo, "subscribe");
  subscribe.set_attribute("id", "s1");
  bench.stanza(subscribe);
  bench.take();
  bench.answer(500);
  EXPECT_EQ(bench.got().attribute("id"), "s1");
  bench.presence(juliet, "subscribe");
  bench.take();
  bench.answer(500);
  EXPECT_FALSE(bench.got().attribute("id")) << "none is invented";
}

TEST(WatchingSip, PollsWithoutCancelling) {
  Bench bench;
  bench.presence(balcony, "probe");
  const auto subscribe = bench.take();
  EXPECT_EQ(subscribe.header("Expires"), "0");
  bench.answer(200, {{"Expires", "0"}});
  bench.notify(subscribe, 1, "terminated;reason=timeout", open_pidf());
  const auto presence = bench.got();
  EXPECT_EQ(presence.attribute("to"), balcony);
  EXPECT_FALSE(presence.attribute("type"));
  bench.notify(subscribe, 2, "active;expires=60");
  EXPECT_EQ(bench.responses.back().message.status, 481);
}

TEST(WatchingSip, ConfirmsTheEndOnceWhateverComesFirst) {
  Bench bench;
  bench.presence(juliet, "subscribe");
  const auto subscribe = bench.take();
  bench.answer(200, {{"Expires", "3600"}, {"Contact", "<sip:ue>"}});
  bench.notify(subscribe, 1, "active;expires=3600", open_pidf());
  bench.stanzas.clear();
  bench.presence(juliet, "unsubscribe");
  bench.take();
  bench.notify(subscribe, 2, "terminated;reason=timeout");  // overtakes the 2xx
  EXPECT_EQ(type_of(bench.got()), "unsubscribed");
  bench.answer(200);
  EXPECT_TRUE(bench.stanzas.empty());
}

TEST(WatchingSip, RefusesWhatItCannotRead) {
  Bench bench;
  bench.presence(juliet, "subscribe");
  const auto subscribe = bench.take();
  bench.notify(subscribe, 1, "active;expires=60", "<broken");
  EXPECT_EQ(bench.answered().status, 400);
  EXPECT_TRUE(bench.stanzas.empty());
  bench.notify(subscribe, 2, "active;expires=60");  // before the 2xx
  EXPECT_EQ(bench.answered().status, 200);
  EXPECT_EQ(type_of(bench.got()), "subscribed");
}

sip::Message subscribe_request(Bench& bench, const std::string& call_id, std::uint32_t cseq, const std::string& expires,
                               const std::string& tag = {}) {
  auto message = bench.make("SUBSCRIBE", call_id, cseq, tag);
  message.add_header("Event", "presence;id=1");
  message.add_header("Expires", expires);
  return message;
}

TEST(NotifyingSip, AsksThenNotifiesEveryResource) {
  Bench bench;
  bench.request(subscribe_request(bench, "s1", 1, "3600"));
  const auto ok = bench.answered();
  EXPECT_EQ(ok.status, 200);
  EXPECT_EQ(ok.header("Expires"), "3600");
  EXPECT_EQ(type_of(bench.got()), "subscribe");
  EXPECT_EQ(bench.take().header("Subscription-State"), "pending;expires=3600");
  bench.presence(juliet, "unavailable");  // an acknowledgement, not state
  bench.presence(juliet, "subscribed");   // while the first NOTIFY is in flight
  bench.answer(200);
  const auto active = bench.take();
  EXPECT_EQ(active.header("Subscription-State"), "active;expires=3600");
  EXPECT_EQ(active.header("Event"), "presence;id=1");
  bench.answer(200);
  bench.presence(balcony, "");
  EXPECT_THAT(bench.take().body, HasSubstr("ID-balcony"));
  bench.answer(200);
  bench.presence("juliet@xmpp.example/phone", "");
  EXPECT_TRUE(bench.requests.empty());  // RFC 3856 section 6.10
  bench.pass(5s);
  const auto both = bench.take();
  EXPECT_THAT(both.body, HasSubstr("ID-balcony"));
  EXPECT_THAT(both.body, HasSubstr("ID-phone"));
  bench.answer(200);

  const std::string tag = ok.to()->tag();
  bench.request(subscribe_request(bench, "s1", 2, "3600", tag));
  EXPECT_THAT(bench.take().body, HasSubstr("ID-phone"));
  bench.answer(200);
  bench.stanzas.clear();
  bench.request(subscribe_request(bench, "s1", 3, "0", tag));
  const auto last = bench.take();
  EXPECT_EQ(last.header("Subscription-State"), "terminated;reason=timeout");
  EXPECT_THAT(last.body, HasSubstr("closed"));
  EXPECT_EQ(type_of(bench.got()), "unavailable");
  EXPECT_TRUE(bench.stanzas.empty());

  bench.request(subscribe_request(bench, "s2", 1, "3600"));  // the consent outlives the dialog
  EXPECT_THAT(*bench.take().header("Subscription-State"), HasSubstr("active"));
  bench.answer(200);
  bench.presence(juliet, "unsubscribed");
  const auto rejected = bench.take();
  EXPECT_EQ(rejected.header("Subscription-State"), "terminated;reason=rejected");
  EXPECT_EQ(rejected.body, "");
}

TEST(NotifyingSip, KeepsStateThatOvertakesItsApproval) {
  Bench bench;
  bench.request(subscribe_request(bench, "s1", 1, "3600"));
  const auto subscribe = bench.got();
  EXPECT_EQ(bench.take().header("Subscription-State"), "pending;expires=3600");
  bench.answer(200);
  bench.presence(balcony, "");
  EXPECT_TRUE(bench.requests.empty());
  auto approval = xmpp::make_presence(juliet, romeo, "subscribed");
  approval.set_attribute("id", *subscribe.attribute("id"));  // of a server that answers by itself
  bench.stanza(approval);
  const auto active = bench.take();
  EXPECT_EQ(active.header("Subscription-State"), "active;expires=3600");
  EXPECT_THAT(active.body, HasSubstr("ID-balcony"));
  EXPECT_TRUE(bench.stanzas.empty());
}

TEST(NotifyingSip, PollsByProbe) {
  Bench bench;
  bench.request(subscribe_request(bench, "p", 1, "0"));
  EXPECT_EQ(bench.answered().status, 200);
  EXPECT_EQ(type_of(bench.got()), "probe");
  bench.presence(balcony, "");
  const auto notify = bench.take();
  EXPECT_EQ(notify.header("Subscription-State"), "terminated;reason=timeout");
  EXPECT_THAT(notify.body, HasSubstr("open"));
  EXPECT_EQ(bench.engine.counts().watchers, 0U);
}

TEST(NotifyingSip, RefusesAndExpires) {
  Bench bench;
  auto message = subscribe_request(bench, "a", 1, "3600");
  message.set_header("Event", "dialog");
  bench.request(message);
  EXPECT_EQ(bench.answered().header("Allow-Events"), "presence");
  message = subscribe_request(bench, "b", 1, "5");
  bench.request(message);
  EXPECT_EQ(bench.answered().header("Min-Expires"), "60");
  message = subscribe_request(bench, "c", 1, "100");
  message.add_header("Accept", "application/cpim-pidf+xml");
  bench.request(message);
  EXPECT_EQ(bench.answered().status, 406);
  bench.request(subscribe_request(bench, "d", 1, "100"));
  bench.take();
  bench.answer(200);
  bench.pass(100s);
  EXPECT_EQ(bench.take().header("Subscription-State"), "terminated;reason=timeout");
}

TEST(Gate, LetsNobodyElseThrough) {
  Settings settings;
  settings.user_enabled = [](std::string_view user) { return user == romeo; };
  Bench bench(std::move(settings));
  bench.engine.on_stanza(xmpp::make_message("x@evil.example", romeo, "x"), "xmpp.example", bench.now);  // forged
  bench.pull();
  EXPECT_TRUE(bench.requests.empty() && bench.stanzas.empty());
  bench.stanza(xmpp::make_message(balcony, "a@other.example", "x"));
  EXPECT_EQ(type_of(bench.got()), "error");
  bench.stanza(xmpp::make_message(balcony, "mercutio@sip.example", "x"));
  EXPECT_EQ(xmpp::error_of(bench.got())->condition, "service-unavailable");
  auto message = bench.make("MESSAGE", "x", 1);
  message.request_uri = "sip:a@evil.example";
  bench.request(message);
  EXPECT_EQ(bench.answered().status, 404);
  message.request_uri = "sips:juliet@xmpp.example";
  bench.request(message);
  EXPECT_EQ(bench.answered().status, 416);
  message.request_uri = "sip:juliet@xmpp.example";
  message.set_header("Max-Forwards", "0");
  bench.request(message);
  EXPECT_EQ(bench.answered().status, 483);
  bench.stanza(chat("x"));
  auto own = bench.take();
  bench.request(own);
  EXPECT_EQ(bench.answered().status, 482);
  bench.request(bench.make("MESSAGE", "nowhere", 1, "tag"));
  EXPECT_EQ(bench.answered().status, 481);
  bench.request(bench.make("REFER", "r", 1));
  EXPECT_EQ(bench.answered().header("Allow"), allowed_methods);
}

TEST(Gate, HonoursPartnerTypes) {
  Settings settings;
  settings.partner = [](std::string_view) { return std::optional(PartnerType::public_unverified); };
  Bench bench(std::move(settings));
  bench.stanza(chat("x"));
  EXPECT_EQ(type_of(bench.got()), "error");
  bench.presence(juliet, "subscribe");
  EXPECT_EQ(type_of(bench.got()), "unsubscribed");
  bench.request(subscribe_request(bench, "s", 1, "3600"));  // the user adds the contact
  bench.stanzas.clear();
  bench.take();
  bench.presence(juliet, "subscribe");
  const auto subscribe = bench.take();
  bench.notify(subscribe, 1, "active;expires=60", open_pidf());
  bench.got();
  EXPECT_EQ(bench.got().child("status", xmpp::ns::server), nullptr);  // no note
}

TEST(Gate, AnswersEachIqOnce) {
  Bench bench;
  bench.stanza(xmpp::make_iq(balcony, "sip.example", "get", "1", xml::Element("query", xmpp::ns::disco_info)));
  EXPECT_EQ(type_of(bench.got()), "result");
  bench.stanza(xmpp::make_iq(balcony, romeo, "set", "2", xml::Element("query", "x")));
  EXPECT_EQ(xmpp::error_of(bench.got())->condition, "service-unavailable");
  bench.stanza(xmpp::make_iq(balcony, romeo, "result", "3"));
  EXPECT_TRUE(bench.stanzas.empty());
}

TEST(Gate, ConsentsSurviveARestart) {
  Bench bench;
  bench.engine.restore({{juliet, romeo, {Consent::granted, Consent::granted}}});
  bench.request(subscribe_request(bench, "s", 1, "3600"));
  EXPECT_EQ(type_of(bench.got()), "probe");
  EXPECT_THAT(*bench.take().header("Subscription-State"), HasSubstr("active"));
  EXPECT_EQ(bench.engine.consents().size(), 1U);
}

/// A MESSAGE with one thing wrong, and what it is answered where the rule is kept.
struct Wrong {
  Rule rule;
  int status;
  std::function<void(sip::Message&)> change;
};

TEST(Rules, OfRequestsDecideTheAnswer) {
  const auto to = [](const char* uri) { return [uri](sip::Message& m) { m.request_uri = uri; }; };
  const auto with_header = [](const char* name, const char* value) {
    return [name, value](sip::Message& m) { m.set_header(name, value); };
  };
  const std::vector<Wrong> table{
      {Rule::sips_is_kept_out, 416, to("sips:juliet@xmpp.example")},
      {Rule::partner_is_allowed, 404, to("sip:juliet@other.example")},
      {Rule::both_ends_are_users, 404, to("sip:xmpp.example")},
      {Rule::user_has_no_edge_space, 404, to("sip:%20juliet@xmpp.example")},
      {Rule::host_is_a_name, 404, to("sip:juliet@192.0.2.1")},
      {Rule::realm_is_ours, 403, with_header("From", "<sip:romeo@other.example>;tag=ue")},
      {Rule::hops_are_left, 483, with_header("Max-Forwards", "0")},
      {Rule::nothing_is_required, 420, with_header("Require", "com.example.unknown")},
      {Rule::dialog_is_known, 481, with_header("To", "<sip:juliet@xmpp.example>;tag=nobody")},
      {Rule::media_holds_text, 415, with_header("Content-Type", "image/gif")},
  };
  Settings settings;
  settings.partner = [](std::string_view domain) {
    const bool known = domain == "xmpp.example" || domain == "192.0.2.1";
    return known ? std::optional(PartnerType::federated) : std::nullopt;
  };
  for (const auto& row : table) {
    Bench keeping(settings), waiving_it(waiving(row.rule, settings));
    for (auto* bench : {&keeping, &waiving_it}) {
      auto message = bench->make("MESSAGE", "c", 1);
      message.body = "text";
      row.change(message);
      bench->request(message);
      bench->pass(2s);
    }
    EXPECT_EQ(keeping.answered().status, row.status);
    EXPECT_EQ(waiving_it.answered().status, 200) << row.status;
    EXPECT_TRUE(keeping.stanzas.empty());
  }
}

TEST(Rules, AreKeptNoMoreWhereTheyAreWaived) {
  Bench hasty(waiving(Rule::answer_approves_nothing));
  hasty.presence(juliet, "subscribe");
  hasty.take();
  hasty.answer(200);
  EXPECT_EQ(type_of(hasty.got()), "subscribed");
  Bench overlapping(waiving(Rule::one_message_at_a_time, pager()));
  for (const char* id : {"a", "b"}) overlapping.stanza(chat(id, id));
  EXPECT_EQ(overlapping.requests.size(), 2U);
  Bench credulous(waiving(Rule::notify_has_subscription));
  credulous.notify(credulous.make("SUBSCRIBE", "nowhere", 1), 1, "active;expires=60", open_pidf());
  EXPECT_EQ(credulous.answered().status, 200);
  EXPECT_TRUE(credulous.stanzas.empty());
  Bench twice(waiving(Rule::one_watch_for_a_pair));
  for (int i = 0; i < 2; ++i) twice.presence(juliet, "subscribe");
  EXPECT_EQ(twice.requests.size(), 2U);
  Bench unasked(waiving(Rule::approval_was_asked_for));
  unasked.presence(juliet, "subscribed");
  EXPECT_EQ(unasked.engine.consents().at(0).consents.sip_sees_xmpp, Consent::granted);
}

}  // namespace
}  // namespace cutover::interworking
