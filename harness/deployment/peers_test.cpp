// The nodes that a case drives by hand - name server, raw peer, client - in a simulated world that cuts every segment.
#include "harness/worlds/sim_world.h"
#include "mocks/name_server.h"
#include "mocks/raw_peer.h"
#include "mocks/xmpp_client.h"
#include "protocol/base/base64.h"
#include "protocol/dns/resolver.h"
#include "protocol/tls/authority.h"
#include "protocol/xmpp/namespaces.h"

#include <gmock/gmock.h>

namespace cutover::mocks {
namespace {

namespace ns = xmpp::ns;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr const char* header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "version='1.0' "
    "from='a.example' id='x'>";

struct Asker final : Node {
  explicit Asker(Endpoint server) : name_server(std::move(server)) {}
  void start(Context& context) override {
    resolver = std::make_unique<dns::Resolver>(context, dns::Resolver::Config{.name_server = name_server});
  }
  Endpoint name_server;
  std::unique_ptr<dns::Resolver> resolver;
};

struct PeersTest : testing::Test {
  bool until(const std::function<bool()>& condition) { return world.run_until(condition, 30s); }

  harness::Seed choice{7};
  harness::SimWorld world{choice};
  std::unique_ptr<tls::Authority> authority = tls::make_openssl_authority(world.wall_clock());
  std::shared_ptr<const tls::Identity> identity = authority->issue({.names = {{tls::NameKind::dns, "a.example"}}});
};

TEST_F(PeersTest, a_name_server_answers_by_udp_and_by_tcp) {
  dns::DnsServer zones;
  zones.add_empty_zone("a.example");
  std::vector<std::string> many;
  many.reserve(30);
  for (int i = 0; i < 30; ++i) many.push_back("0 0 5269 host-with-a-long-name-" + std::to_string(i) + ".a.example");
  zones.set("_xmpp-server._tcp.a.example", dns::Type::srv, 60, many);
  zones.set("gw.a.example", dns::Type::a, 60, {"127.0.0.5"});
  auto& name_server = world.add("dns", 1, std::make_unique<NameServer>(std::move(zones)));
  auto& asker = world.add("asker", 2, std::make_unique<Asker>(name_server.endpoint()));

  std::vector<dns::Answer> answers;
  for (const auto& [name, type] :
       {std::pair("gw.a.example", dns::Type::a), std::pair("_xmpp-server._tcp.a.example", dns::Type::srv)}) {
    asker.resolver->resolve(name, type, [&](dns::Answer answer) { answers.push_back(std::move(answer)); });
  }
  ASSERT_TRUE(until([&] { return answers.size() == 2; }));
  EXPECT_THAT(answers[0].records, SizeIs(1));
  EXPECT_THAT(answers[1].records, SizeIs(30));
  EXPECT_EQ(name_server.server().history().back().client, world.address_of(2));
  EXPECT_EQ(name_server.server().history().back().transport, dns::Transport::tcp);
}

TEST_F(PeersTest, raw_peers_speak_in_clear_and_in_tls) {
  auto& a = world.add("a", 1, std::make_unique<RawPeer>());
  auto& b = world.add("b", 2, std::make_unique<RawPeer>());
  auto& out = a.connect({world.address_of(2), 5269});
  ASSERT_TRUE(until([&] { return out.open() && b.accepted_count() == 1; }));
  EXPECT_EQ(b.take_accepted(), nullptr) << "nobody has spoken";
  out.send(std::string(header) + "<message to='x@b.example'/>");
  ASSERT_TRUE(until([&] { return !b.accepted(0).received().empty(); }));
  auto& in = *b.take_accepted();
  EXPECT_EQ(b.take_accepted(), nullptr);
  ASSERT_TRUE(until([&] { return in.items().size() == 2; }));
  EXPECT_FALSE(in.next_element()) << "a header comes first";
  EXPECT_EQ(in.next_header()->tag.attribute_or_empty("from"), "a.example");
  EXPECT_EQ(in.next_element()->attribute_or_empty("to"), "x@b.example");

  in.start_tls(*identity, tls::Role::server, {});
  out.start_tls(*identity, tls::Role::client, {.server_name = "a.example"});
  out.send(std::string(header) + "<first/><second/></stream:stream>behind");
  ASSERT_TRUE(until([&] { return in.has_received("behind"); }));
  EXPECT_TRUE(in.secured());
  EXPECT_EQ(in.tls()->server_name(), "a.example");
  EXPECT_TRUE(in.take_element("second", ns::client));
  EXPECT_TRUE(std::holds_alternative<xml::StreamEnd>(*in.next_item()));
  EXPECT_FALSE(in.next_item());
  EXPECT_TRUE(in.received_in_tls().starts_with("<?xml"));

  out.close_tls();
  out.shutdown();
  ASSERT_TRUE(until([&] { return in.eof(); }));
  EXPECT_TRUE(in.tls()->peer_closed());
  in.shutdown();
  ASSERT_TRUE(until([&] { return in.closed() && out.closed(); }));
}

TEST_F(PeersTest, a_raw_peer_sees_failures) {
  auto& a = world.add("a", 1, std::make_unique<RawPeer>());
  auto& b = world.add("b", 2, std::make_unique<RawPeer>());
  auto& refused = a.connect({world.address_of(2), 9});
  auto& reset = a.connect({world.address_of(2), 5269});
  ASSERT_TRUE(until([&] { return refused.closed() && b.accepted_count() == 1; }));
  EXPECT_EQ(refused.state(), RawConnection::State::failed);
  EXPECT_NE(refused.reason(), "");
  b.last().abort();
  ASSERT_TRUE(until([&] { return reset.closed(); }));
  EXPECT_EQ(reset.state(), RawConnection::State::closed);
}

/// What a raw peer keeps of a peer that floods it with `piece`, and its notes in one text.
struct Flooded {
  std::size_t octets = 0, items = 0, noted = 0;
  std::string events;
};

struct FloodTest : PeersTest {
  Flooded flood(const std::string& beginning, const std::string& piece, std::size_t octets) {
    auto& a = world.add("a", 1, std::make_unique<RawPeer>(std::vector<std::uint16_t>{}));
    auto& b = world.add("b", 2, std::make_unique<RawPeer>());
    auto& out = a.connect({world.address_of(2), 5269});
    out.send(beginning);
    for (std::size_t sent = 0; sent < octets; sent += piece.size()) out.send(piece);
    out.shutdown();
    EXPECT_TRUE(until([&] { return b.accepted_count() == 1 && b.last().eof(); }));
    b.last().abort();
    Flooded kept{.octets = b.last().received().size(), .items = b.last().items().size()};
    for (const auto& record : world.trace().records()) {
      if (record.node != "b") continue;
      kept.noted += record.note.detail.size();
      if (record.note.direction == Direction::none) kept.events += record.note.summary + "\n";
    }
    return kept;
  }
  static constexpr std::size_t flood_octets = 12 * 1024 * 1024;
};

TEST_F(FloodTest, of_white_space_is_kept_in_bounds_and_told) {
  const auto kept = flood(header, std::string(16 * 1024, ' '), flood_octets);
  EXPECT_LE(kept.octets, 2 * RawConnection::kept_max_octets);
  EXPECT_LE(kept.noted, harness::Trace::received_max_octets);
  EXPECT_THAT(kept.events, AllOf(HasSubstr("so many octets that the oldest are not kept"),
                                 HasSubstr("so many notes that the rest is left out"), HasSubstr("were not kept")));
}

TEST_F(FloodTest, of_an_attribute_without_end_is_kept_in_bounds) {
  const auto kept = flood(header + std::string("<a b='"), std::string(16 * 1024, 'x'), flood_octets);
  EXPECT_LE(kept.octets, 2 * RawConnection::kept_max_octets);
  EXPECT_EQ(kept.items, 2U) << "the header, and that the reader gave up";
}

TEST_F(FloodTest, of_elements_ends_the_reading) {
  const auto kept = flood(header, "<a/><b/><c/><d/>", 400 * 1024);
  EXPECT_EQ(kept.items, 16U * 1024);
  EXPECT_THAT(kept.events, HasSubstr("so many elements that no more are read"));
}

TEST_F(PeersTest, direct_tls_begins_at_once) {
  auto& a = world.add("a", 1, std::make_unique<RawPeer>());
  auto& b = world.add("b", 2, std::make_unique<RawPeer>(std::vector<std::uint16_t>{5270}));
  b.accept_with_tls(5270, *identity, {.alpn = {"xmpp-server"}});
  auto& out = a.connect({world.address_of(2), 5270});
  out.start_tls(*identity, tls::Role::client, {.server_name = "a.example", .alpn = {"xmpp-server"}});
  ASSERT_TRUE(until([&] { return out.secured() && b.accepted_count() == 1 && b.last().secured(); }));
  EXPECT_EQ(b.last().tls()->alpn(), "xmpp-server");
}

/// The other side of a client, by hand.
struct ClientTest : PeersTest {
  ClientTest() : server(world.add("server", 1, std::make_unique<RawPeer>(std::vector<std::uint16_t>{5222}))) {}

  XmppClient& sign_in(std::shared_ptr<const tls::Identity> anchors, bool plain_in_clear,
                      const std::string& fingerprint = {}) {
    const auto met = server.accepted_count() + 1;
    auto& client = world.add("client", 2,
                             std::make_unique<XmppClient>(XmppClient::Config{.server = {world.address_of(1), 5222},
                                                                             .user = "user",
                                                                             .domain = "a.example",
                                                                             .password = "pencil",
                                                                             .identity = std::move(anchors),
                                                                             .fingerprint = fingerprint,
                                                                             .plain_in_clear = plain_in_clear}));
    EXPECT_TRUE(until([&] { return server.accepted_count() == met; }));
    return client;
  }
  RawConnection& peer() { return server.last(); }
  void offer(const std::string& features) {
    ASSERT_TRUE(until([&] { return peer().has_item(); }));
    ASSERT_TRUE(peer().next_header());
    peer().send(header + ("<stream:features>" + features + "</stream:features>"));
  }
  xml::Element next() {
    EXPECT_TRUE(until([&] { return peer().has_item(); }));
    return peer().next_element().value_or(xml::Element("nothing", ""));
  }

  /// The server shows the certificate of `shown`; what the client makes of it.
  std::string secured_with(const tls::Identity& shown, XmppClient& client) {
    offer("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>");
    EXPECT_TRUE(next().is("starttls", ns::tls));
    peer().send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    peer().start_tls(shown, tls::Role::server);
    EXPECT_TRUE(until([&] { return peer().has_item() || client.state() == XmppClient::State::failed; }));
    return client.failure();
  }

  static constexpr const char* mechanisms =
      "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>";
  static constexpr const char* success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
  RawPeer& server;
};

TEST_F(ClientTest, signs_in_through_tls_and_talks) {
  auto& client = sign_in(identity, false);
  offer("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>");
  ASSERT_TRUE(next().is("starttls", ns::tls));
  peer().send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  peer().start_tls(*identity, tls::Role::server);
  offer(mechanisms);
  const auto auth = next();
  EXPECT_EQ(auth.attribute_or_empty("mechanism"), "PLAIN");
  EXPECT_EQ(from_base64_strict(auth.text()), std::string("\0user\0pencil", 12));
  peer().restart_reader();
  peer().send(success);
  offer("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
  EXPECT_EQ(next().name(), "iq");
  peer().send(
      "<iq type='result' id='bind'><bind "
      "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@a.example/r</jid></bind></iq>");
  ASSERT_TRUE(until([&] { return client.online(); }));
  EXPECT_EQ(client.full_jid(), "user@a.example/r");
  const auto roster = next();
  EXPECT_NE(roster.child("query", "jabber:iq:roster"), nullptr);
  EXPECT_EQ(next().name(), "presence");

  peer().send(
      "<iq type='result' id='" + roster.attribute_or_empty("id") +
      "'><query xmlns='jabber:iq:roster'><item jid='b@b.example' subscription='to'/></query></iq>"
      "<presence from='b@b.example/x' type='subscribe'/><message from='b@b.example/x'><body>hello</body></message>"
      "<iq type='get' id='p' from='a.example'><ping xmlns='urn:xmpp:ping'/></iq>");
  const auto subscribed = next();
  EXPECT_EQ(subscribed.attribute_or_empty("type"), "subscribed");
  EXPECT_EQ(subscribed.attribute_or_empty("to"), "b@b.example");
  const auto pong = next();
  EXPECT_EQ(pong.attribute_or_empty("type"), "result");
  EXPECT_EQ(pong.attribute_or_empty("id"), "p");
  EXPECT_EQ(client.roster().at("b@b.example"), "to");
  EXPECT_TRUE(client.take_message("hello"));
  EXPECT_FALSE(client.take_message("hello"));
  EXPECT_TRUE(client.take_presence("b@b.example", "subscribe"));
  client.send_message("b@b.example", "a < b");
  EXPECT_EQ(next().child("body", ns::client)->text(), "a < b");

  client.sign_out();
  EXPECT_EQ(next().attribute_or_empty("type"), "unavailable");
  peer().send("</stream:stream>");
  ASSERT_TRUE(until([&] { return peer().eof(); }));
  peer().shutdown();
  ASSERT_TRUE(
      until([&] { return client.state() == XmppClient::State::offline && world.open_connections(client) == 0; }));
}

TEST_F(ClientTest, keeps_a_flood_of_messages_in_bounds) {
  auto& client = sign_in(nullptr, true);
  offer(mechanisms);
  ASSERT_EQ(next().name(), "auth");
  peer().restart_reader();
  peer().send(success);
  offer("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
  ASSERT_EQ(next().name(), "iq");
  peer().send(
      "<iq type='result' id='bind'><bind "
      "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>u@a.example/r</jid></bind></iq>");
  constexpr std::size_t count = 10'000;
  std::string flood;
  for (std::size_t i = 1; i <= count; ++i) flood += "<message><body>" + std::to_string(i) + "</body></message>";
  peer().send(flood);
  ASSERT_TRUE(until([&] { return client.inbox().total() == count; }));
  EXPECT_LE(client.inbox().size(), limits::history_items_max);
  EXPECT_TRUE(client.take_message(std::to_string(count)));
  EXPECT_FALSE(client.take_message("1"));
  EXPECT_THAT(world.trace().text(), HasSubstr("so many stanzas that the oldest are not kept"));
}

TEST_F(ClientTest, tells_no_password_in_clear_unless_told) {
  auto& client = sign_in(nullptr, false);
  offer(mechanisms);
  ASSERT_TRUE(until([&] { return client.state() == XmppClient::State::failed; }));
  EXPECT_EQ(client.failure(), "the server offers no TLS, and the password is not to be used without");
  EXPECT_FALSE(peer().has_item());
}

TEST_F(ClientTest, lets_no_secret_out_where_tls_was_taken_out_of_the_offer) {
  auto& client = sign_in(identity, false);
  offer(mechanisms);
  ASSERT_TRUE(until([&] { return client.state() == XmppClient::State::failed; }));
  EXPECT_THAT(client.failure(), HasSubstr("offers no TLS"));
  EXPECT_FALSE(peer().has_item());
}

TEST_F(ClientTest, lets_no_secret_out_to_a_server_that_does_not_prove_who_it_is) {
  const auto meets = [&](const tls::CertificateRequest& request) {
    auto& client = sign_in(identity, true);
    auto failure = secured_with(*authority->issue(request), client);
    EXPECT_TRUE(until([&] { return peer().closed(); }));
    EXPECT_EQ(peer().received_in_tls(), "") << "not even a stream header";
    world.remove(client);
    return failure;
  };
  const std::vector<tls::SubjectName> ours{{tls::NameKind::dns, "a.example"}};
  EXPECT_THAT(meets({.names = ours, .flaw = tls::Flaw::self_signed}), HasSubstr("not trusted: self-signed"));
  EXPECT_THAT(meets({.names = ours, .flaw = tls::Flaw::unknown_root}), HasSubstr("not trusted: "));
  EXPECT_THAT(meets({.names = ours, .flaw = tls::Flaw::expired}), HasSubstr("not trusted: certificate has expired"));
  EXPECT_THAT(meets({.names = ours, .flaw = tls::Flaw::wrong_name}), HasSubstr("is not for a.example"));
  EXPECT_THAT(meets({.names = {{tls::NameKind::dns, "b.example"}}}), HasSubstr("is not for a.example"));
}

TEST_F(ClientTest, takes_the_one_certificate_that_it_was_told_of) {
  const auto self_signed =
      authority->issue({.names = {{tls::NameKind::dns, "a.example"}}, .flaw = tls::Flaw::self_signed});
  const auto told = [&](const std::string& fingerprint) {
    auto& client = sign_in(identity, false, fingerprint);
    auto failure = secured_with(*self_signed, client);
    world.remove(client);
    return failure;
  };
  const auto failure = told(std::string(64, '0'));
  ASSERT_THAT(failure, HasSubstr("another certificate than the one that is expected; its fingerprint is "));
  EXPECT_EQ(told(failure.substr(failure.size() - 64)), "");
}

TEST_F(ClientTest, does_not_believe_a_server_without_the_password) {
  auto& client = sign_in(nullptr, true);
  offer(
      "<mechanisms "
      "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-1</mechanism></"
      "mechanisms>");
  const auto auth = next();
  EXPECT_EQ(auth.attribute_or_empty("mechanism"), "SCRAM-SHA-1");
  const auto first = *from_base64_strict(auth.text());
  const auto nonce = first.substr(first.rfind('=') + 1);
  peer().send("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" +
              to_base64("r=" + nonce + "srv,s=QSXCR+Q6sek8bf92,i=64") + "</challenge>");
  EXPECT_EQ(next().name(), "response");
  peer().send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + to_base64("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=") +
              "</success>");
  ASSERT_TRUE(until([&] { return client.state() == XmppClient::State::failed; }));
  EXPECT_EQ(client.failure(), "the server does not know the password");
}

TEST_F(ClientTest, tells_the_trace_no_secret) {
  auto& client = sign_in(nullptr, true);
  offer(mechanisms);
  EXPECT_EQ(next().text(), "AHVzZXIAcGVuY2ls");
  peer().send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text>pencil?</text></failure>");
  ASSERT_TRUE(until([&] { return client.state() == XmppClient::State::failed; }));
  std::string told;
  for (const auto& record : world.trace().records())
    if (record.node == "client") told += record.note.summary + record.note.detail + "\n";
  EXPECT_THAT(told, AllOf(HasSubstr("auth PLAIN<auth"), HasSubstr("[not shown]"), Not(HasSubstr("pencil")),
                          Not(HasSubstr("AHVzZXIAcGVuY2ls"))));
}

}  // namespace
}  // namespace cutover::mocks
