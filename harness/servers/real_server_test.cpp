// Our name server, raw peer and client against a server that shares no line of code with them: Prosody.
#include "harness/servers/prosody.h"
#include "harness/worlds/live_world.h"
#include "mocks/name_server.h"
#include "mocks/raw_peer.h"
#include "mocks/xmpp_client.h"

#include <unistd.h>

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

TEST(RealServer, signs_our_client_in_and_finds_our_peer_by_srv) {
  if (const auto reason = prosody_unavailable()) GTEST_SKIP() << *reason;
  LiveWorld world({.block = 41'000 + getpid() % 1000});
  const auto authority = tls::make_openssl_authority(world.wall_clock());

  dns::DnsServer zones;
  zones.add_empty_zone("real.test");
  zones.add_empty_zone("peer.test");
  // More records than 512 octets hold: the server must come back by TCP. Only the port of the best one is open.
  std::vector<std::string> records{"0 0 15269 gw.peer.test"};
  for (int i = 1; i < 20; ++i) records.push_back("9 0 5269 spare-" + std::to_string(i) + ".peer.test");
  zones.set("_xmpp-server._tcp.peer.test", dns::Type::srv, 60, records);
  zones.set("gw.peer.test", dns::Type::a, 60, {world.address_of(3)});
  auto& names = world.add("dns", 1, std::make_unique<mocks::NameServer>(std::move(zones)));
  auto& peer = world.add("peer", 3, std::make_unique<mocks::RawPeer>(std::vector<std::uint16_t>{15269}));

  ProsodySettings settings;
  settings.domain = "real.test";
  settings.address = world.address_of(5);
  settings.name_server = names.endpoint();
  settings.mode = ProsodyMode::external_and_dialback;
  settings.certificate = authority->issue_pem({.names = {{tls::NameKind::dns, "real.test"}}});
  settings.accounts = {{"juliet", "pencil"}};
  settings.folder = std::filesystem::path(testing::TempDir()) / ("real-server-" + std::to_string(getpid()));
  Prosody prosody(settings);
  prosody.wait_until_ready(world, 4, 20s);

  const auto anchors = authority->issue({.names = {{tls::NameKind::dns, "client.test"}}});
  auto& client = world.add(
      "client", 2,
      std::make_unique<mocks::XmppClient>(mocks::XmppClient::Config{.server = {settings.address, Prosody::c2s_port},
                                                                    .user = "juliet",
                                                                    .domain = "real.test",
                                                                    .password = "pencil",
                                                                    .identity = anchors}));
  ASSERT_TRUE(world.run_until([&] { return client.online() || !client.failure().empty(); }, 10s)) << prosody.log();
  ASSERT_TRUE(client.online()) << client.failure() << prosody.log();
  EXPECT_EQ(client.full_jid(), "juliet@real.test/cutover");
  EXPECT_TRUE(client.secured());
  client.send_message("juliet@real.test", "to myself & back");
  ASSERT_TRUE(world.run_until([&] { return client.take_message("to myself & back").has_value(); }, 10s))
      << prosody.log();

  client.send_message("romeo@peer.test", "hello");
  ASSERT_TRUE(world.run_until([&] { return peer.accepted_count() == 1 && peer.last().has_item(); }, 10s))
      << prosody.log();
  EXPECT_EQ(peer.last().next_header()->tag.attribute_or_empty("to"), "peer.test");
  EXPECT_GE(names.server().queries("_xmpp-server._tcp.peer.test", dns::Type::srv), 2U) << "by UDP, then by TCP";
  client.sign_out();
  EXPECT_TRUE(world.run_until([&] { return client.state() == mocks::XmppClient::State::offline; }, 10s));
}

}  // namespace
}  // namespace cutover::harness
