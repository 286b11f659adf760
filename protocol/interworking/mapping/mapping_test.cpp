// The tables of RFC 7247, 7572, 8048 and 7573, row by row where a row can be got wrong.
#include "protocol/interworking/mapping/address.h"
#include "protocol/interworking/mapping/chat_state.h"
#include "protocol/interworking/mapping/error.h"
#include "protocol/interworking/mapping/message.h"
#include "protocol/interworking/mapping/presence.h"
#include "protocol/interworking/mapping/text.h"
#include "protocol/xml/reader.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::interworking {
namespace {

using testing::HasSubstr;

std::string to_sip(std::string_view jid) {
  const auto address = parse_jid(jid);
  return address ? to_uri(*address).text() : "none";
}
std::string to_xmpp(std::string_view uri) {
  const auto parsed = parse_address_uri(uri);
  if (!parsed) return "none";
  const auto result = to_jid(*parsed);
  return result.address ? result.address->full() : "none";
}
xml::Element element(const std::string& text) { return std::get<xml::Element>(xml::parse(text)); }

struct AddressRow {
  std::string jid, uri;
};
class AddressTable : public testing::TestWithParam<AddressRow> {};
TEST_P(AddressTable, MapsBothWays) {
  EXPECT_EQ(to_sip(GetParam().jid), GetParam().uri);
  EXPECT_EQ(to_xmpp(GetParam().uri), GetParam().jid);
}
// RFC 7247 sections 6.4 and 6.5 with their examples, and the ten escapes of XEP-0106.
INSTANTIATE_TEST_SUITE_P(
    Rfc7247, AddressTable,
    testing::Values(
        AddressRow{"f\xc3\xbc@sip.example", "sip:f%C3%BC@sip.example"},
        AddressRow{"o\\27malley@sip.example", "sip:o'malley@sip.example"},
        AddressRow{"foo@sip.example/bar", "sip:foo@sip.example;gr=bar"},
        AddressRow{"m\\26m@xmpp.example", "sip:m&m@xmpp.example"},
        AddressRow{"tsch\xc3\xbcss@xmpp.example", "sip:tsch%C3%BCss@xmpp.example"},
        AddressRow{"baz@xmpp.example/qux", "sip:baz@xmpp.example;gr=qux"},
        AddressRow{"a\\20b@x.example", "sip:a%20b@x.example"}, AddressRow{"a\\22b@x.example", "sip:a%22b@x.example"},
        AddressRow{"a\\2fb@x.example", "sip:a/b@x.example"}, AddressRow{"a\\3ab@x.example", "sip:a%3Ab@x.example"},
        AddressRow{"a\\3cb@x.example", "sip:a%3Cb@x.example"}, AddressRow{"a\\3eb@x.example", "sip:a%3Eb@x.example"},
        AddressRow{"a\\40b@x.example", "sip:a%40b@x.example"},
        AddressRow{"a\\5c20b@x.example", "sip:a%5C20b@x.example"},
        AddressRow{"a\\zyb@x.example", "sip:a%5Czyb@x.example"}, AddressRow{"a#b@x.example", "sip:a%23b@x.example"},
        AddressRow{"a%26b@x.example", "sip:a%2526b@x.example"}, AddressRow{"a;b?c@x.example", "sip:a;b?c@x.example"},
        AddressRow{"Case@x.example", "sip:Case@x.example"}, AddressRow{"x.example", "sip:x.example"},
        AddressRow{"a@x.example/b c;d=\xc3\xa9@/e", "sip:a@x.example;gr=b%20c%3Bd%3D%C3%A9%40/e"}));

TEST(Address, RefusesWhatNoJidCanHold) {
  EXPECT_EQ(to_xmpp("sip:a%00b@x.example"), "none");  // never the user "a"
  EXPECT_EQ(to_xmpp("sip:%20a@x.example"), "none");   // \20 must not be first
  EXPECT_EQ(to_xmpp("sip:a%ff@x.example"), "none");   // not UTF-8
  EXPECT_EQ(to_xmpp("sip:a%2@x.example"), "none");
  EXPECT_EQ(to_xmpp("sip:a@192.0.2.1"), "none");
  EXPECT_EQ(to_xmpp("tel:+15551234"), "none");
  EXPECT_EQ(to_xmpp("sip:" + std::string(1024, 'a') + "@x.example"), "none");
}

TEST(Address, DropsWhatIsNotTheUsers) {
  EXPECT_EQ(to_xmpp("SIP:a:secret@x.example:5061;transport=tls?subject=x"), "a@x.example");
  EXPECT_EQ(to_xmpp("sip:opaque@x.example;gr"), "opaque@x.example");  // a temporary GRUU
  EXPECT_EQ(to_xmpp("sips%3A:x@x.example"), "none");
  EXPECT_EQ(to_xmpp("im:a%61@x.example"), "aa@x.example");
}

TEST(Address, RoundTripsEveryPrintableCharacter) {
  for (int c = 0x21; c < 0x7f; ++c) {
    const std::string user = escape_localpart(std::string("a") + static_cast<char>(c) + "b");
    EXPECT_EQ(to_xmpp(to_sip(user + "@x.example")), user + "@x.example");
  }
}

TEST(Errors, MapStatusesToConditions) {
  EXPECT_EQ(condition_of(301).condition, "gone");
  EXPECT_EQ(condition_of(403), (Condition{"forbidden", "auth"}));
  EXPECT_EQ(condition_of(404), (Condition{"item-not-found", "cancel"}));
  EXPECT_EQ(condition_of(408), (Condition{"remote-server-timeout", "wait"}));
  EXPECT_EQ(condition_of(503).condition, "internal-server-error");
  EXPECT_EQ(condition_of(603), (Condition{"recipient-unavailable", "wait"}));
  EXPECT_EQ(condition_of(399).condition, "redirect");
  EXPECT_EQ(condition_of(499).condition, "bad-request");
  EXPECT_EQ(condition_of(599).condition, "internal-server-error");
  EXPECT_EQ(condition_of(699).condition, "recipient-unavailable");
}

TEST(Errors, MapConditionsToStatuses) {
  EXPECT_EQ(status_of("forbidden", "", true, false).code, 403);
  EXPECT_EQ(status_of("forbidden", "", false, false).code, 603);
  EXPECT_EQ(status_of("gone", "xmpp:b@x.example", false, false).code, 301);
  EXPECT_EQ(status_of("gone", "", false, false).code, 410);
  EXPECT_EQ(status_of("redirect", "xmpp:b@x.example", false, false).headers.front().second, "<xmpp:b@x.example>");
  EXPECT_EQ(status_of("remote-server-timeout", "", true, true).code, 408);
  EXPECT_EQ(status_of("remote-server-timeout", "", true, false).code, 504);  // RFC 4320 section 4.2
  EXPECT_EQ(status_of("feature-not-implemented", "", true, false).headers.front().first, "Allow");
  EXPECT_EQ(status_of("no-such-condition", "", true, false).code, 400);
  for (const auto& row : xmpp::stanza_conditions()) {
    for (const bool full : {true, false}) {
      const int code = status_of(row.condition, "", full, false).code;
      EXPECT_TRUE(code >= 300 && code != 503 && code != 408 && code != 401 && code != 407) << row.condition;
    }
  }
}

sip::Message request(const std::string& type, const std::string& body) {
  sip::Message message;
  message.method = "MESSAGE";
  message.add_header("Call-ID", "D9AA95FD");
  message.add_header("Content-Type", type);
  message.body = body;
  return message;
}
std::string body_of(const std::string& type, const std::string& body) {
  const auto text = text_of(request(type, body));
  if (const auto* refusal = std::get_if<Status>(&text)) return std::to_string(refusal->code);
  return std::holds_alternative<NoText>(text) ? "no text" : std::get<Text>(text).body;
}

TEST(Messages, ReadWhatPeopleWrote) {
  EXPECT_EQ(body_of("TEXT/Plain; charset=\"utf-8\";msgr=WAAt", "a\r\nb"), "a\nb");
  EXPECT_EQ(body_of("text/plain;charset=iso-8859-1", "\xe9t\xe9"), "\xc3\xa9t\xc3\xa9");
  EXPECT_EQ(body_of("text/plain;charset=koi8-r", "x"), "415");
  EXPECT_EQ(body_of("text/plain", "\xff"), "415");
  EXPECT_EQ(body_of("text/plain", std::string("a\0b\x01\xef\xbf\xbe", 7)), "ab");
  EXPECT_EQ(body_of("image/gif", "GIF"), "415");
  EXPECT_EQ(body_of("text/plain", ""), "no text");
  EXPECT_EQ(body_of("text/html", "<html><script>evil()</script><p>a &lt; b</p></html>"), "a < b");
  EXPECT_EQ(
      body_of("multipart/alternative;boundary=q",
              "--q\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n--q\r\nContent-Type: text/plain\r\n\r\ny\r\n--q--"),
      "y");
  EXPECT_EQ(body_of("message/cpim", "From: <im:mallory@evil.example>\r\n\r\nContent-Type: text/plain\r\n\r\nhello"),
            "hello");
  EXPECT_EQ(body_of("message/cpim", "broken"), "400");
}

TEST(Messages, ChooseOneBodyAndItsLanguage) {
  const auto text =
      text_of(element("<message xmlns='jabber:server' xml:lang='en'><body xml:lang='cs'>ahoj</body>"
                      "<body>hi</body><subject>a\r\nVia: b</subject><thread>t 1</thread></message>"));
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, (Text{"hi", "a Via: b", "en", "t 1"}));
  sip::Message message;
  put_text(message, *text);
  EXPECT_EQ(message.header("Content-Language"), "en");
  const auto german =
      text_of(element("<message xmlns='jabber:server' xml:lang='cs'><subject>predmet</subject>"
                      "<subject xml:lang='de'>Betreff</subject><body xml:lang='de'>hallo</body></message>"));
  ASSERT_TRUE(german);
  EXPECT_EQ(*german, (Text{"hallo", "Betreff", "de", {}})) << "the subject in the language of the body";
  EXPECT_FALSE(text_of(element("<message xmlns='jabber:server'><composing xmlns='x'/></message>")));
}

TEST(Messages, ThreadsAndCallIdsRoundTrip) {
  EXPECT_EQ(call_id_of("711609sa"), "711609sa");
  for (const std::string thread : {"e0ffe42b28561960c6b12b944a092794b9683a38", "a b", "xt-61", "\xc3\xa9\r\nVia: x"}) {
    EXPECT_EQ(thread_of(*call_id_of(thread)), xml_text(thread));
    EXPECT_EQ(call_id_of(thread)->find_first_of("\r\n "), std::string::npos);
  }
  EXPECT_FALSE(call_id_of(""));
}

TEST(PresenceTable, WritesACompleteDocument) {
  Presence phone, desk;
  phone.resource = "phone 1";
  phone.show = "dnd";
  phone.priority = 127;
  phone.status = "busy <now>";
  desk.resource = "desk";
  const std::string document =
      to_pidf("juliet@xmpp.example", "sip:juliet@xmpp.example", {{"phone 1", phone}, {"desk", desk}});
  EXPECT_THAT(document, HasSubstr("pres:juliet@xmpp.example"));
  const auto read = std::get<std::vector<Presence>>(read_pidf(document));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].resource, "desk");
  EXPECT_EQ(read[1].resource, "phone 1");
  EXPECT_EQ(read[1].show, "dnd");
  EXPECT_EQ(read[1].priority, 127);
  EXPECT_EQ(read[1].status, "busy <now>");
}

TEST(PresenceTable, RoundTripsEveryPriority) {
  for (int priority = 0; priority <= 127; ++priority)
    EXPECT_EQ(priority_of_contact(contact_priority(priority)), priority);
  for (const char* bad : {"1.001", "2", "-0.5", "0.1234", ".5", ""}) EXPECT_FALSE(priority_of_contact(bad)) << bad;
}

std::string show_in(const std::string& status_extra, const std::string& person) {
  const auto read = read_pidf(
      "<p:presence xmlns:p='urn:ietf:params:xml:ns:pidf' entity='pres:a@b'><p:tuple id='t1'><p:status>"
      "<p:basic>open</p:basic>" +
      status_extra + "</p:status></p:tuple>" + person + "</p:presence>");
  return std::get<std::vector<Presence>>(read).at(0).show;
}

TEST(PresenceTable, WeighsTheEvidenceForShow) {
  const std::string busy =
      "<d:person xmlns:d='urn:ietf:params:xml:ns:pidf:data-model'><r:activities "
      "xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'><r:away/><r:busy/></r:activities></d:person>";
  EXPECT_EQ(show_in("", ""), "");
  EXPECT_EQ(show_in("", busy), "dnd");
  EXPECT_EQ(show_in("<show xmlns='jabber:client'>chat</show>", busy), "chat");
  EXPECT_EQ(show_in("<show xmlns='jabber:client'>lunch</show>", ""), "");
  EXPECT_EQ(show_in("<a:availability xmlns:a='x' aggregate='12500'/>", ""), "away");
  EXPECT_EQ(availability(18500).open, false);
  EXPECT_EQ(availability(6500).show, "dnd");
  EXPECT_EQ(show_of_activity("vacation"), "xa");
}

TEST(PresenceTable, RefusesWhatIsNoPidf) {
  EXPECT_TRUE(std::holds_alternative<NotPidf>(read_pidf("<presence/>")));
  EXPECT_TRUE(std::holds_alternative<NotPidf>(read_pidf("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")));
  EXPECT_TRUE(std::get<std::vector<Presence>>(
                  read_pidf("<presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='a'><status/></tuple></presence>"))
                  .empty());
}

TEST(PresenceTable, NegativePriorityAndOtherShowsAreNotMapped) {
  const auto presence = presence_of(
      element(
          "<presence xmlns='jabber:server'><show>sleepy</show><priority>-1</priority><status>x</status></presence>"),
      "r");
  EXPECT_EQ(presence.priority, std::nullopt);
  EXPECT_EQ(presence.show, "");
  EXPECT_EQ(resource_of_tuple(tuple_id("1 \xc3\xa9_%\n")), "1 \xc3\xa9_%\n");
}

TEST(ChatStates, MapBothTables) {
  sip::Message message = request(iscomposing_media, iscomposing_document({true, std::nullopt}));
  EXPECT_EQ(chat_state_of(*typing_of(message)), ChatState::composing);
  message.body =
      "<isComposing "
      "xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>other</state><refresh>60</refresh></isComposing>";
  EXPECT_EQ(chat_state_of(*typing_of(message)), ChatState::active);
  EXPECT_EQ(typing_of(message)->refresh, Duration(60s));
  message.method = "INFO";
  message.set_header("Content-Type", "application/xml");
  message.body = "<KeyboardActivity><status status='type'/></KeyboardActivity>";
  EXPECT_TRUE(typing_of(message)->active);
  EXPECT_FALSE(typing_of(ChatState::gone));
  EXPECT_FALSE(typing_of(ChatState::paused)->active);
  EXPECT_FALSE(chat_state_of(element(
      "<message xmlns='jabber:server'><error><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>")));
}

TEST(Sanitisers, LeaveNoWayOut) {
  EXPECT_EQ(header_text("a\r\nb\0c\tz "), "a b");
  EXPECT_EQ(header_text(std::string_view("a\r\n\r\nb\0c ", 8)), "a b c");
  EXPECT_EQ(language_tag("cs, en"), "cs");
  EXPECT_EQ(language_tag("cs\r\nVia: x"), "");
}

}  // namespace
}  // namespace cutover::interworking
