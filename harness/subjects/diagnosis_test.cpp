// The words for each usual mistake.
#include "harness/subjects/diagnosis.h"

#include "protocol/xmpp/namespaces.h"

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace ns = xmpp::ns;

xml::Element error(const std::string& condition, const std::string& text = {}, const std::string& inside = {}) {
  xml::Element made("error", ns::streams);
  made.add(xml::Element(condition, ns::stream_errors).with_text(inside));
  if (!text.empty()) made.add(xml::Element("text", ns::stream_errors).with_text(text));
  return made;
}
std::string words(const xml::Element& error) {
  return words_for_error(error, {"a.example", "peer.example", "b.example"});
}

TEST(Diagnosis, NamesTheProtocolOfOtherPorts) {
  EXPECT_THAT(words_for_octets("HTTP/1.1 400 Bad Request\r\n"), AllOf(HasSubstr("that is HTTP"), HasSubstr("5269")));
  EXPECT_THAT(words_for_octets("<html><body>"), HasSubstr("a web server"));
  EXPECT_THAT(words_for_octets("SSH-2.0-OpenSSH_9.2\r\n"), HasSubstr("that is SSH"));
  EXPECT_THAT(words_for_octets("SIP/2.0 400 Bad Request\r\n"), HasSubstr("that is SIP"));
  EXPECT_THAT(words_for_octets("220 mail.example ESMTP\r\n"), HasSubstr("SMTP"));
  EXPECT_THAT(words_for_octets("* OK IMAP4rev1"), HasSubstr("IMAP"));
  EXPECT_THAT(words_for_octets("+OK ready"), HasSubstr("POP3"));
  EXPECT_THAT(words_for_octets("\x15\x03\x01"), AllOf(HasSubstr("'\\x15\\x03\\x01'"), HasSubstr("that is TLS")));
  EXPECT_THAT(words_for_octets("hello"), AllOf(HasSubstr("no XMPP stream, 'hello';"), Not(HasSubstr("that is"))));
}

TEST(Diagnosis, QuotesStreamErrorsAndSaysWhatTheyMean) {
  EXPECT_THAT(words(error("host-unknown")),
              HasSubstr("does not serve a.example (settings.domain): host-unknown; it calls itself b.example"));
  EXPECT_THAT(words(error("system-shutdown", "Received SIGTERM")),
              AllOf(HasSubstr("system-shutdown: 'Received SIGTERM'"), HasSubstr("start it again")));
  EXPECT_THAT(words(error("see-other-host", "", "other.example:5270")),
              AllOf(HasSubstr("'other.example:5270'"), HasSubstr("settings.s2s")));
  EXPECT_THAT(words(error("policy-violation", "Too many connections from your address")),
              AllOf(HasSubstr("takes no more connections"), HasSubstr("'Too many connections from your address'")));
  EXPECT_THAT(words(error("resource-constraint")), HasSubstr("limits"));
  EXPECT_THAT(words(error("invalid-namespace", "Invalid namespace")), HasSubstr("the port for clients"));
  EXPECT_THAT(words(error("improper-addressing")), HasSubstr("peer.example to a.example: improper-addressing"));
  EXPECT_THAT(words(error("not-authorized", "not on the list")),
              HasSubstr("not-authorized: 'not on the list'; may peer.example (settings.peers) federate"));
  EXPECT_THAT(words(error("internal-server-error")), HasSubstr("its log tells why"));
}

TEST(Diagnosis, KnowsThePortForClients) {
  EXPECT_THAT(words_for_client_port(ns::client, nullptr), HasSubstr("jabber:client"));
  EXPECT_EQ(words_for_client_port(ns::server, nullptr), "");
  const auto offering = [](const char* mechanism) {
    xml::Element mechanisms("mechanisms", ns::sasl);
    mechanisms.add(xml::Element("mechanism", ns::sasl).with_text(mechanism));
    xml::Element features("features", ns::streams);
    features.add(std::move(mechanisms));
    return words_for_client_port(ns::server, &features);
  };
  EXPECT_THAT(offering("SCRAM-SHA-1"), HasSubstr("offers SCRAM-SHA-1"));
  EXPECT_EQ(offering("EXTERNAL"), "");
}

TEST(Diagnosis, TellsWhatTheNameServerWasAsked) {
  dns::DnsServer names;
  EXPECT_THAT(words_for_queries(names, "peer.example"), HasSubstr("was never asked for anything"));
  const auto ask = [&](const std::string& name, dns::Type type) {
    dns::Message query;
    query.id = 1;
    query.questions = {{name, type}};
    (void)names.answer({}, dns::serialise(query), "192.0.2.10", dns::Transport::udp);
  };
  ask("_xmpp-server._tcp.other.example", dns::Type::srv);
  EXPECT_THAT(words_for_queries(names, "peer.example"),
              HasSubstr("for _xmpp-server._tcp.other.example and never for peer.example"));
  ask("_xmpp-server._tcp.peer.example", dns::Type::srv);
  ask("_xmpp-server._tcp.peer.example", dns::Type::srv);
  EXPECT_THAT(words_for_queries(names, "peer.example"),
              HasSubstr("192.0.2.10 asked our name server for SRV _xmpp-server._tcp.peer.example (2 times)"));
}

}  // namespace
}  // namespace cutover::harness
