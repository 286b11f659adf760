// The front between a server and its peers: both ways, every kind of authentication, and every end of a connection.
#include "mocks/front.h"
#include "harness/worlds/sim_world.h"
#include "mocks/name_server.h"
#include "mocks/partner.h"
#include "mocks/raw_peer.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"

#include <gmock/gmock.h>

namespace cutover::mocks {
namespace {

namespace ns = xmpp::ns;
using testing::SizeIs;
using xmpp::Passage;

constexpr char server_name[] = "server.example", peer_name[] = "peer.example";
constexpr int front_host = 10, server_host = 11, peer_host = 40;
constexpr char header[] =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
    "version='1.0' from='a.example' to='peer.example' id='x'>";
constexpr char starttls[] = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr char proceed[] = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

struct FrontTest : testing::Test {
  harness::Seed choice{7};
  harness::SimWorld world{choice};
  std::shared_ptr<tls::Authority> authority = tls::make_openssl_authority(world.wall_clock());
  NameServer& names = world.add("names", 1, std::make_unique<NameServer>());
  std::vector<std::function<void(Passage&)>> rewrites;

  bool until(const std::function<bool()>& condition) { return world.run_until(condition, 30s); }
  std::shared_ptr<const tls::Identity> certificate(const std::string& name, tls::Flaw flaw = tls::Flaw::none) {
    return authority->issue({.names = {{tls::NameKind::dns, name}}, .flaw = flaw});
  }

  Front& put_front() {
    FrontSettings settings;
    settings.server = {world.address_of(server_host), 5269};
    settings.name_server = names.endpoint();
    settings.identity = certificate(server_name);
    settings.authority = authority;
    auto departed = std::make_shared<Departed>();
    departed->xmpp_items = rewrites;
    settings.departures = Departures(departed);
    return world.add("front", front_host, std::make_unique<Front>(std::move(settings)));
  }
  /// Peers find the front where the server was; the server finds it where its peers were.
  void publish(const std::string& service = "_xmpp-server._tcp.", int peer_port = 5269) {
    auto& zones = names.server();
    const std::string server = server_name, peer = peer_name;
    for (const auto& [zone, host] : {std::pair{server, front_host}, {peer, peer_host}}) {
      zones.add_empty_zone(zone);
      zones.set("xmpp." + zone, dns::Type::a, 60, {world.address_of(host)});
    }
    zones.set("_xmpp-server._tcp." + server, dns::Type::srv, 60, {"0 0 5269 xmpp." + server});
    zones.set(service + peer, dns::Type::srv, 60, {"0 0 " + std::to_string(peer_port) + " xmpp." + peer});
    zones.assign_view(world.address_of(server_host), "behind");
    zones.set("front." + peer, dns::Type::a, 60, {world.address_of(front_host)}, "behind");
    zones.set(service + peer, dns::Type::srv, 60, {"0 0 15269 front." + peer}, "behind");
  }
  Partner& domain(const char* name, int host, const xmpp::PeerPolicy& policy,
                  std::shared_ptr<const tls::Identity> identity) {
    PartnerSettings settings;
    settings.domain = name;
    settings.users = {"romeo", "juliet"};
    settings.policy = policy;
    settings.identity = std::move(identity);
    settings.dialback_secret = std::string("secret of ") + name;
    settings.name_server = names.endpoint();
    return world.add(name, host, std::make_unique<Partner>(std::move(settings)));
  }
};

xmpp::PeerPolicy external() {
  xmpp::PeerPolicy policy;
  policy.sasl = xmpp::Negotiation::required;
  policy.dialback = false;
  return policy;
}
xmpp::PeerPolicy dialback() {
  xmpp::PeerPolicy policy;
  policy.sasl = xmpp::Negotiation::not_supported;
  return policy;
}
xmpp::PeerPolicy in_clear() {
  auto policy = dialback();
  policy.tls = xmpp::Negotiation::not_supported;
  return policy;
}

struct FrontKinds : FrontTest, testing::WithParamInterface<int> {
  xmpp::PeerPolicy policy() const { return GetParam() == 0 ? external() : GetParam() == 1 ? dialback() : in_clear(); }
};
INSTANTIATE_TEST_SUITE_P(Kinds, FrontKinds, testing::Values(0, 1, 2));

TEST_P(FrontKinds, StanzasCrossBothWays) {
  publish();
  rewrites.emplace_back([](Passage& p) {
    if (p.is("message")) p.replace("colour", p.out() ? "red" : "blue");
  });
  put_front();
  auto& server = domain(server_name, server_host, policy(), certificate(server_name));
  auto& peer = domain(peer_name, peer_host, policy(), certificate(peer_name));
  server.send_message("juliet", "romeo@peer.example", "a colour");
  peer.send_message("juliet", "romeo@server.example", "a colour");
  ASSERT_TRUE(
      until([&] { return server.user("romeo").messages.size() == 1 && peer.user("romeo").messages.size() == 1; }));
  EXPECT_EQ(peer.user("romeo").messages[0].child("body", ns::server)->text(), "a red");
  EXPECT_EQ(server.user("romeo").messages[0].child("body", ns::server)->text(), "a blue");
  server.server().drain();
  peer.server().drain();
  ASSERT_TRUE(until([&] { return server.server().drained() && peer.server().drained(); }));
  EXPECT_TRUE(until([&] { return world.open_connections(server) + world.open_connections(peer) == 0; }));
}

TEST_F(FrontTest, ABadCertificateOfAPeerStaysBad) {
  publish();
  auto& front = put_front();
  auto& server = domain(server_name, server_host, external(), certificate(server_name));
  auto& peer = domain(peer_name, peer_host, external(), certificate(peer_name, tls::Flaw::expired));
  peer.send_message("juliet", "romeo@server.example", "x");
  server.send_message("juliet", "romeo@peer.example", "x");
  ASSERT_TRUE(
      until([&] { return peer.user("juliet").errors.size() == 1 && server.user("juliet").errors.size() == 1; }));
  EXPECT_THAT(server.user("romeo").messages, SizeIs(0));
  EXPECT_TRUE(until([&] { return world.open_connections(front) == 0; }));
}

TEST(FrontCertificates, SayTheSame) {
  const auto authority = tls::make_openssl_authority(1'767'225'600);
  const auto shown = [&](const tls::CertificateRequest& request) {
    const auto server = authority->issue({.names = {{tls::NameKind::dns, "s"}}})->session(tls::Role::server, {});
    const auto client = authority->issue(request)->session(tls::Role::client, {});
    for (int i = 0; i < 4; ++i) {
      (void)client->handshake();
      server->put_cipher(client->take_cipher());
      (void)server->handshake();
      client->put_cipher(server->take_cipher());
    }
    return server->peer_certificate();
  };
  using tls::Flaw;
  for (const auto flaw : {Flaw::none, Flaw::expired, Flaw::not_yet_valid, Flaw::self_signed, Flaw::unknown_root,
                          Flaw::wrong_eku, Flaw::server_only_eku, Flaw::ca_true_leaf, Flaw::no_certificate}) {
    const tls::CertificateRequest request{.names = {{tls::NameKind::dns, "a.example"},
                                                    {tls::NameKind::srv, "a.example"},
                                                    {tls::NameKind::xmpp_addr, "b"}},
                                          .flaw = flaw};
    const auto first = shown(request), second = shown(request_like(first));
    ASSERT_EQ(first.has_value(), second.has_value()) << static_cast<int>(flaw);
    if (!first) continue;
    EXPECT_EQ(first->chain_valid, second->chain_valid) << static_cast<int>(flaw);
    EXPECT_EQ(first->chain_error, second->chain_error) << static_cast<int>(flaw);
    EXPECT_EQ(first->dns_names, second->dns_names);
    EXPECT_EQ(first->srv_names, second->srv_names);
    EXPECT_EQ(first->xmpp_addrs, second->xmpp_addrs);
    EXPECT_EQ(first->common_name, second->common_name);
    EXPECT_EQ(std::pair(first->eku_server, first->eku_client), std::pair(second->eku_server, second->eku_client));
  }
}

/// Both sides by hand: a peer that opens a stream to the server, as far as that goes.
struct FrontByHand : FrontTest {
  void meet() {
    (void)put_front();
    client = &peer.connect({world.address_of(front_host), 5269});
    ASSERT_TRUE(until([&] { return server.accepted_count() == 1; }));
    accepted = &server.accepted(0);
  }
  void meet_in_tls() {
    meet();
    client->send(header);
    client->send(starttls);
    ASSERT_TRUE(until([&] { return accepted->items().size() == 2; }));
    accepted->send(std::string(header) + proceed);
    accepted->start_tls(*server_certificate, tls::Role::server);
    ASSERT_TRUE(until([&] { return client->take_element("proceed", ns::tls).has_value(); }));
    client->start_tls(*peer_certificate, tls::Role::client, {.server_name = "asked.example"});
    ASSERT_TRUE(until([&] { return client->secured() && accepted->secured(); }));
  }
  RawPeer& peer = world.add("peer", peer_host, std::make_unique<RawPeer>());
  RawPeer& server = world.add("server", server_host, std::make_unique<RawPeer>());
  std::shared_ptr<const tls::Identity> server_certificate = certificate(server_name),
                                       peer_certificate = certificate(peer_name);
  RawConnection *client = nullptr, *accepted = nullptr;
};

TEST_F(FrontByHand, ShowsTheNamesOfBothSides) {
  meet_in_tls();
  EXPECT_EQ(accepted->tls()->server_name(), "asked.example");
  EXPECT_THAT(accepted->tls()->peer_certificate()->dns_names, testing::ElementsAre(peer_name));
  EXPECT_TRUE(accepted->tls()->peer_certificate()->chain_valid);
  EXPECT_THAT(client->tls()->peer_certificate()->dns_names, testing::ElementsAre(server_name));
  accepted->send(header);
  ASSERT_TRUE(until([&] { return client->received_in_tls() == header; }));
}

TEST_F(FrontByHand, PassesAnEndAsThatEnd) {
  meet_in_tls();
  client->send("<half");
  client->shutdown();
  ASSERT_TRUE(until([&] { return accepted->eof(); }));
  EXPECT_FALSE(accepted->tls()->peer_closed()) << "truncation stays truncation";
  EXPECT_EQ(accepted->received_in_tls(), "<half");
  accepted->send("still heard");
  ASSERT_TRUE(until([&] { return client->has_received("still heard"); }));
  accepted->close_tls();
  ASSERT_TRUE(until([&] { return client->tls()->peer_closed(); }));
  EXPECT_FALSE(client->eof());
  accepted->shutdown();
  EXPECT_TRUE(until([&] { return client->closed() && accepted->closed(); }));
}

TEST_F(FrontByHand, PassesAResetAsAReset) {
  meet();
  client->abort();
  ASSERT_TRUE(until([&] { return accepted->closed(); }));
  EXPECT_FALSE(accepted->eof());
}

TEST_F(FrontByHand, ResetsAPeerWhoseServerIsNotThere) {
  server.stop_listening(5269);
  (void)put_front();
  client = &peer.connect({world.address_of(front_host), 5269});
  ASSERT_TRUE(until([&] { return client->closed(); }));
}

TEST_F(FrontByHand, EndsBothSidesWhereAHandshakeFails) {
  meet();
  client->send(std::string(header) + starttls);
  ASSERT_TRUE(until([&] { return accepted->items().size() == 2; }));
  accepted->send(std::string(header) + proceed);
  ASSERT_TRUE(until([&] { return client->take_element("proceed", ns::tls).has_value(); }));
  client->send("no TLS at all, whatever was said before");
  ASSERT_TRUE(until([&] { return client->eof() && accepted->eof(); }));
}

TEST_F(FrontByHand, LeavesAPeerInClearThatHeardNoProceed) {
  rewrites.emplace_back([](Passage& p) {
    if (p.sends("proceed", ns::tls)) p.octets = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
  });
  meet();
  client->send(std::string(header) + starttls);
  ASSERT_TRUE(until([&] { return accepted->items().size() == 2; }));
  accepted->send(std::string(header) + proceed);
  accepted->start_tls(*server_certificate, tls::Role::server);
  ASSERT_TRUE(until([&] { return accepted->secured() && client->take_element("failure", ns::tls).has_value(); }));
  EXPECT_FALSE(accepted->tls()->peer_certificate());
  accepted->send("<in-tls/>");
  EXPECT_TRUE(until([&] { return client->has_received("<in-tls/>"); }));
}

TEST_F(FrontByHand, TakesDirectTlsFromAPeer) {
  server.accept_with_tls(5269, *server_certificate, {.alpn = {"xmpp-server"}});
  meet();
  client->start_tls(*peer_certificate, tls::Role::client, {.server_name = server_name, .alpn = {"xmpp-server"}});
  client->send(header);
  ASSERT_TRUE(until([&] { return accepted->has_received(header); }));
  EXPECT_EQ(accepted->tls()->server_name(), server_name);
  EXPECT_EQ(accepted->tls()->alpn(), "xmpp-server");
  EXPECT_EQ(client->tls()->alpn(), "xmpp-server");
  EXPECT_THAT(accepted->tls()->peer_certificate()->dns_names, testing::ElementsAre(peer_name));
}

TEST_F(FrontByHand, TakesDirectTlsFromTheServer) {
  publish("_xmpps-server._tcp.", 5270);
  (void)put_front();
  peer.listen(5270);
  peer.accept_with_tls(5270, *peer_certificate, {.alpn = {"xmpp-server"}});
  auto& out = server.connect({world.address_of(front_host), 15269});
  out.start_tls(*server_certificate, tls::Role::client, {.server_name = peer_name, .alpn = {"xmpp-server"}});
  out.send(header);
  ASSERT_TRUE(until([&] { return peer.accepted_count() == 1 && peer.accepted(0).has_received(header); }));
  EXPECT_EQ(peer.accepted(0).tls()->server_name(), peer_name);
  EXPECT_EQ(peer.accepted(0).tls()->alpn(), "xmpp-server");
  EXPECT_THAT(out.tls()->peer_certificate()->dns_names, testing::ElementsAre(peer_name));
  EXPECT_THAT(peer.accepted(0).tls()->peer_certificate()->dns_names, testing::ElementsAre(server_name));
}

TEST_F(FrontByHand, ResetsTheServerThatSeeksNobody) {
  publish();
  (void)put_front();
  peer.stop_listening(5269);
  auto& out = server.connect({world.address_of(front_host), 15269});
  out.send(header);
  ASSERT_TRUE(until([&] { return out.closed(); }));
  auto& silent = server.connect({world.address_of(front_host), 15269});
  ASSERT_TRUE(until([&] { return silent.open(); }));
  silent.shutdown();
  EXPECT_TRUE(until([&] { return silent.closed(); }));
}

}  // namespace
}  // namespace cutover::mocks
