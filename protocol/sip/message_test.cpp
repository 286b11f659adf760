// The parser against messages in the spirit of RFC 4475, URIs on raw octets, and what a writer must refuse.
#include "protocol/sip/message.h"
#include "protocol/base/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::sip {
namespace {

using testing::ElementsAre;

struct Parts {
  std::string start = "MESSAGE sip:juliet@a.example SIP/2.0";
  std::string via = "Via: SIP/2.0/TLS p.example:5061;branch=z9hG4bK1";
  std::string from = "From: <sip:romeo@b.example>;tag=1";
  std::string to = "To: <sip:juliet@a.example>";
  std::string cseq = "CSeq: 1 MESSAGE";
  std::string more = "Max-Forwards: 70";
  std::string content = "Content-Type: text/plain\r\nContent-Length: 5";
  std::string body = "ahoj!";
  [[nodiscard]] std::string text() const {
    std::string result;
    for (const auto& line : {start, via, from, to, std::string("Call-ID: c1"), cseq, more, content})
      if (!line.empty()) result += line + "\r\n";
    return result + "\r\n" + body;
  }
};

Message valid(const std::string& text) {
  auto result = parse(text);
  if (const auto* error = std::get_if<ParseError>(&result)) {
    ADD_FAILURE() << error->what << "\n" << text;
    return {};
  }
  return std::get<Message>(result);
}

int status_of(const std::string& text) {
  const auto result = parse(text);
  const auto* error = std::get_if<ParseError>(&result);
  if (error == nullptr) ADD_FAILURE() << "accepted:\n" << text;
  return error == nullptr ? 0 : error->status;
}

TEST(SipMessage, ReadsARequestWithItsBody) {
  const auto message = valid(Parts{}.text());
  EXPECT_EQ(message.method, "MESSAGE");
  EXPECT_EQ(message.request_uri, "sip:juliet@a.example");
  EXPECT_EQ(message.from()->tag(), "1");
  EXPECT_EQ(message.cseq_number(), 1U);
  EXPECT_EQ(message.body, "ahoj!");
}

TEST(SipMessage, WritesWhatItReads) {
  const auto text = Parts{}.text();
  EXPECT_EQ(serialise(valid(text)), text);
}

TEST(SipMessage, AcceptsWhatIsUnusualButRight) {
  std::vector<Parts> cases(13);
  cases[0].from = "f : \"J \\\"R\\\" <x>\" <sip:romeo@b.example>  ; tag = 1";
  cases[1].via = "v: SIP / 2.0 / TLS\r\n p.example ;branch=z9hG4bK1, SIP/2.0/TCP [2001:db8::1]:5060;received=192.0.2.1";
  cases[2].start = "MESSAGE sip:ju%00liet%25@a.example;unknown=%20 SIP/2.0";
  cases[3].more = "Max-Forwards: 0068\r\nX-New: \xc3\xa4 anything";
  cases[4].start = "!interesting-Method0123456789_*+`.%indeed'~ sip:u@a.example SIP/2.0";
  cases[4].cseq = "CSeq: 1 !interesting-Method0123456789_*+`.%indeed'~";
  cases[5].content = "";
  cases[5].body = "";
  cases[6].start = "SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe";
  cases[7].start = "SIP/2.0 100 ";
  cases[8].start = "MESSAGE im:juliet@a.example SIP/2.0";
  cases[9].from = "From: sip:romeo@b.example;tag=1";
  cases[10].more = "Contact: <sip:a@b.example?Route=%3Csip:x%3E>;expires=1, sip:c@d.example";
  cases[11].to = "To: \"\" <sips:juliet@a.example;transport=tcp>";
  cases[12].cseq = "CSeq:\r\n  0000000001\r\n\tMESSAGE";
  for (const auto& parts : cases) valid(parts.text());
}

TEST(SipMessage, RefusesWhatRfc3261Forbids) {
  std::vector<Parts> cases(30);
  cases[0].start = "MESSAGE <sip:juliet@a.example> SIP/2.0";
  cases[1].start = "MESSAGE sip:juliet@a.example; lr SIP/2.0";
  cases[2].start = "MESSAGE  sip:juliet@a.example  SIP/2.0";
  cases[3].start = "MESSAGE sip:juliet@a.example SIP/2.0 ";
  cases[4].start = "MESSAGE sip:juliet@a.example?Route=x SIP/2.0";
  cases[5].cseq = "CSeq: 36893488147419103232 MESSAGE";
  cases[6].cseq = "CSeq: 1 INVITE";
  cases[7].more = "Max-Forwards: 300";
  cases[8].content = "Content-Type: text/plain\r\nContent-Length: 9999";
  cases[9].content = "Content-Type: text/plain\r\nContent-Length: -5";
  cases[10].to = "To: \"Mr. J. User <sip:juliet@a.example>";
  cases[11].to = "To: \"Watson, Thomas\" < sip:juliet@a.example >";
  cases[12].from = "From: Bell, Alexander <sip:romeo@b.example>;tag=1";
  cases[13].more = "Date: Fri, 01 Jan 2010 16:00:00 EST";
  cases[14].more = "Contact: sip:user@a.example?Route=%3Csip:x%3E";
  cases[15].via = "Via: SIP/2.0/TLS p.example;;,;,,";
  cases[16].to = "";
  cases[17].from = "From: <sip:romeo@b.example>;tag=1\r\nFrom: <sip:other@b.example>;tag=1";
  cases[18].content = "Content-Length: 5";
  cases[19].content = "Content-Type: text/plain\r\nContent-Length: 5\r\nl: 4";
  cases[20].start = "SIP/2.0 4294967301 better not";
  cases[21].start = "SIP/2.0 99 low";
  cases[22].more = "X: a\rb";
  cases[23].more = std::string("X: a\0b", 6);
  cases[24].more = "X y: a";
  cases[25].start = "MESSAGE sip:ju%0liet@a.example SIP/2.0";
  cases[26].more = "Expires: 4294967296";
  cases[27].to = "To: <sip:juliet@a.example>;tag=\"1";
  cases[28].start = "SIP/2.0 200 O\rK";
  cases[29].start = "MESSAGE odd:\x01 SIP/2.0";
  for (const auto& parts : cases) EXPECT_EQ(status_of(parts.text()), 400) << parts.text();
  Parts version;
  version.start = "MESSAGE sip:juliet@a.example SIP/7.0";
  EXPECT_EQ(status_of(version.text()), 505);
}

TEST(SipMessage, CountsItsHeaders) {
  Parts parts;
  for (int i = 0; i < 100; ++i) parts.more += "\r\nX: 1";
  EXPECT_EQ(status_of(parts.text()), 513);
  EXPECT_TRUE(std::holds_alternative<Message>(parse(parts.text(), 200)));
}

TEST(SipMessage, SaysWhatCanBeAnsweredOfABadRequest) {
  Parts parts;
  parts.cseq = "CSeq: 1 INVITE";
  const auto result = parse(parts.text());
  const auto& error = std::get<ParseError>(result);
  ASSERT_TRUE(error.answerable);
  const auto answer = response_to(*error.answerable, error.status, "", "t");
  EXPECT_EQ(answer.header_or_empty("Via"), "SIP/2.0/TLS p.example:5061;branch=z9hG4bK1");
  parts.via = "";
  EXPECT_FALSE(std::get<ParseError>(parse(parts.text())).answerable);
  parts = Parts{};
  parts.start = "SIP/2.0 999 odd";
  EXPECT_FALSE(std::get<ParseError>(parse(parts.text())).answerable);
}

TEST(SipMessage, OneHeaderIsOneViaSoThatAProxyCanTakeItsOwnAway) {
  Parts parts;
  parts.via = "Via: SIP/2.0/TLS p.example;branch=z9hG4bK2, SIP/2.0/TLS q.example;branch=z9hG4bK1";
  auto message = valid(parts.text());
  message.remove_first("Via");
  EXPECT_THAT(message.all("Via"), ElementsAre("SIP/2.0/TLS q.example;branch=z9hG4bK1"));
  message.prepend_header("via", "SIP/2.0/TLS r.example");
  EXPECT_THAT(message.all("Via"), ElementsAre("SIP/2.0/TLS r.example", "SIP/2.0/TLS q.example;branch=z9hG4bK1"));
}

TEST(SipMessage, AnAnswerCopiesAndTags) {
  auto request = valid(Parts{}.text());
  EXPECT_EQ(response_to(request, 200, "", "x").to()->tag(), "x");
  EXPECT_EQ(response_to(request, 100, "", "x").to()->tag(), "");
  request.set_header("To", "<sip:juliet@a.example>;tag=old");
  EXPECT_EQ(response_to(request, 200, "", "x").to()->tag(), "old");
  EXPECT_EQ(response_to(request, 404, "", "x").reason, "Not Found");
  EXPECT_EQ(response_to(request, 599, "", "x").reason, "Status");
}

TEST(SipMessage, NoLineEndLeavesThroughAHeader) {
  auto message = valid(Parts{}.text());
  message.add_header("Subject", "a\r\nX-Injected: 1");
  EXPECT_THROW((void)serialise(message), HarnessFault);
}

TEST(SipUri, KeepsEscapesAndOddUsers) {
  for (const std::string text :
       {"sip:a%00b@x.example", "sip:o'malley@x.example;gr=a%2Fb", "sip:a;b?c@x.example:5099;lr", "sip:x.example",
        "sip:u:p@[2001:db8::1]:5061;transport=tls?Subject=%20", "tel:+1-201-555", "pres:u@x.example",
        "sips:1*2&3@x.example"}) {
    const auto uri = parse_uri(text);
    ASSERT_TRUE(uri) << text;
    EXPECT_EQ(uri->text(), text);
  }
  EXPECT_EQ(parse_uri("sip:a%00b@x.example")->user, "a%00b");
  EXPECT_EQ(parse_uri("SIP:a;b?c@x.example:5099;LR")->parameter("lr"), "");
}

TEST(SipUri, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "sip:", "sip:@x", "sip:u@", "sip:u@x:0", "sip:u@x:70000", "sip:u@x;a=", "sip:u@x;a;a", "sip:u%4@x",
        "sip:u @x", "sip:u@x y", "mailto:a@b", "sip:\xc3\xa4@x", "sip:u@[::1", "sip:u@x?"})
    EXPECT_FALSE(parse_uri(text)) << text;
}

TEST(SipNameAddr, ReadsDisplayNamesAndTags) {
  const auto quoted = parse_name_addr("\"A <sip:x@y> \\\"B\\\"\" <sip:u@x;gr=1>;tag=9;n=\"q;,\"");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->display, "A <sip:x@y> \"B\"");
  EXPECT_EQ(quoted->uri.parameter("gr"), "1");
  EXPECT_EQ(quoted->tag(), "9");
  EXPECT_EQ(parse_name_addr(quoted->text())->text(), quoted->text());
  EXPECT_EQ(parse_name_addr("sip:u@x;tag=1")->text(), "<sip:u@x>;tag=1");
  const auto parts = split_name_addr(R"( "<sip:a@b>" < sip:c@d?e >;tag=1)");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->uri, " sip:c@d?e ") << "as written";
  EXPECT_EQ(parts->parameters, ";tag=1");
  EXPECT_FALSE(split_name_addr("\"open <sip:a@b>"));
  EXPECT_FALSE(split_name_addr("<sip:a@b"));
}

}  // namespace
}  // namespace cutover::sip
