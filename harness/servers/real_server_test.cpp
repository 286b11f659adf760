// Our name server, S2S engine and client against servers that share no line of code with them, in each of their modes;
// and that nothing of a server is left when its owner is gone.
#include "harness/servers/real_server.h"

#include "harness/worlds/live_world.h"
#include "mocks/name_server.h"
#include "mocks/partner.h"
#include "mocks/raw_peer.h"
#include "mocks/xmpp_client.h"
#include "protocol/xmpp/rules.h"

#include <unistd.h>
#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration patience = 30s;

/// The processes with this text in their environment: a server's home is its folder.
std::set<std::string> processes_with(const std::string& text) {
  std::set<std::string> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ostringstream content;
    content << std::ifstream(entry.path() / "environ", std::ios::binary).rdbuf();
    if (content.str().find(text) != std::string::npos) found.insert(entry.path().filename().string());
  }
  return found;
}

struct Meeting {
  const ServerProduct* product;
  ServerMode mode;
};

std::vector<Meeting> meetings() {
  std::vector<Meeting> all;
  for (const auto* product : server_products()) {
    for (const auto mode : product->modes) all.push_back({product, mode});
  }
  return all;
}

/// A server at host 5, with one account.
ServerSettings settings_at(const World& world, tls::Authority& authority, const Endpoint& name_server) {
  ServerSettings settings;
  settings.domain = "real.test";
  settings.address = world.address_of(5);
  settings.name_server = name_server;
  settings.certificate = authority.issue_pem({.names = {{tls::NameKind::dns, settings.domain}}});
  settings.accounts = {{"juliet", "pen\"cil '\\"}};
  return settings;
}

/// It, and a peer at host 3 below these records.
mocks::NameServer& add_names(World& world, const std::vector<std::string>& records) {
  dns::DnsServer zones;
  zones.add_empty_zone("real.test");
  zones.add_empty_zone("peer.test");
  zones.set("xmpp.real.test", dns::Type::a, 60, {world.address_of(5)});
  zones.set("_xmpp-server._tcp.real.test", dns::Type::srv, 60, {"0 0 5269 xmpp.real.test"});
  zones.set("_xmpp-server._tcp.peer.test", dns::Type::srv, 60, records);
  zones.set("gw.peer.test", dns::Type::a, 60, {world.address_of(3)});
  return world.add("dns", 1, std::make_unique<mocks::NameServer>(std::move(zones)));
}

mocks::XmppClient::Config client_of(const ServerSettings& server, std::shared_ptr<const tls::Identity> anchors) {
  mocks::XmppClient::Config config;
  config.server = {server.address, RealServer::c2s_port};
  config.user = server.accounts.front().user;
  config.domain = server.domain;
  config.password = server.accounts.front().password;
  config.plain_in_clear = anchors == nullptr;
  config.identity = std::move(anchors);
  return config;
}

LiveOptions own_block() { return {.block = 41'000 + getpid() % 1000}; }

class EveryServer : public testing::TestWithParam<Meeting> {
 protected:
  [[nodiscard]] const ServerProduct& product() const { return *GetParam().product; }
  [[nodiscard]] bool in_clear() const { return GetParam().mode == ServerMode::dialback_in_clear; }

  [[nodiscard]] ServerSettings settings(const Endpoint& name_server) {
    auto settings = settings_at(world_, *authority_, name_server);
    settings.mode = GetParam().mode;
    return settings;
  }
  mocks::Partner& add_peer(const Endpoint& name_server) {
    mocks::PartnerSettings settings;
    settings.domain = "peer.test";
    settings.users = {"romeo"};
    if (method() == xmpp::AuthenticationMethod::dialback) settings.policy.sasl = xmpp::Negotiation::not_supported;
    if (in_clear())
      settings.policy.tls = xmpp::Negotiation::not_supported;
    else
      settings.identity = authority_->issue({.names = {{tls::NameKind::dns, settings.domain}}});
    // In clear jabberd2 names nobody in its header (see the test below), and our engine refuses that.
    if (in_clear()) settings.departures = Departures::waiving({xmpp::Rule::to_is_a_domain});
    settings.dialback_secret = "secret";
    settings.name_server = name_server;
    settings.port = 15269;
    return world_.add("peer", 3, std::make_unique<mocks::Partner>(std::move(settings)));
  }
  [[nodiscard]] std::shared_ptr<const tls::Identity> anchors() const {
    return in_clear() ? nullptr : authority_->issue({.names = {{tls::NameKind::dns, "client.test"}}});
  }
  [[nodiscard]] xmpp::AuthenticationMethod method() const {
    const bool dialback =
        in_clear() || GetParam().mode == ServerMode::dialback_over_tls || !product().has(ServerMode::external_only);
    return dialback ? xmpp::AuthenticationMethod::dialback : xmpp::AuthenticationMethod::sasl_external;
  }

  /// Looks again and again: the end of a process is no event of the world.
  bool none_with(const std::string& text) {
    const auto end = world_.now() + patience;
    while (!processes_with(text).empty() && world_.now() < end) world_.run_for(20ms);
    return processes_with(text).empty();
  }

  LiveWorld world_{own_block()};
  std::unique_ptr<tls::Authority> authority_ = tls::make_openssl_authority(world_.wall_clock());
};

TEST_P(EveryServer, SignsOurClientInAndMeetsOurPeerBothWays) {
  if (const auto reason = unavailable(product())) GTEST_SKIP() << *reason;
  auto& names = add_names(world_, {"0 0 15269 gw.peer.test"});
  auto& peer = add_peer(names.endpoint());
  RealServer server(product(), settings(names.endpoint()));
  const auto folder = server.settings().folder;
  server.wait_until_ready(world_, 4);
  EXPECT_THAT(processes_with(folder.string()), testing::Not(IsEmpty()));

  auto& client = world_.add("client", 2, std::make_unique<mocks::XmppClient>(client_of(server.settings(), anchors())));
  ASSERT_TRUE(world_.run_until([&] { return client.online() || !client.failure().empty(); }, patience)) << server.log();
  ASSERT_TRUE(client.online()) << client.failure() << server.log();
  EXPECT_THAT(client.full_jid(), HasSubstr("juliet@real.test/"));
  EXPECT_EQ(client.secured(), !in_clear());
  client.send_message("juliet@real.test", "to myself & back");
  ASSERT_TRUE(world_.run_until([&] { return client.take_message("to myself & back").has_value(); }, patience))
      << server.log();

  client.send_message("romeo@peer.test", "out");
  ASSERT_TRUE(world_.run_until([&] { return !peer.user("romeo").messages.empty(); }, patience)) << server.log();
  peer.send_message("romeo", "juliet@real.test", "in");
  ASSERT_TRUE(world_.run_until([&] { return client.take_message("in").has_value(); }, patience)) << server.log();
  const auto streams = peer.server().streams();
  EXPECT_EQ(streams.size(), 2U);
  for (const auto& stream : streams) {
    EXPECT_EQ(stream.method, method());
    EXPECT_EQ(stream.tls_version.empty(), in_clear());
  }

  client.sign_out();
  EXPECT_TRUE(world_.run_until([&] { return client.state() == mocks::XmppClient::State::offline; }, patience));
  server.terminate();
  EXPECT_TRUE(server.wait_until_ended(world_, 4, patience)) << server.log();
  EXPECT_TRUE(none_with(folder.string()));
}

TEST_P(EveryServer, LeavesNothingWhenItsOwnerIsGone) {
  if (const auto reason = unavailable(product())) GTEST_SKIP() << *reason;
  std::filesystem::path folder;
  {
    RealServer server(product(), settings({world_.address_of(1), 10053}));
    folder = server.settings().folder;
    server.wait_until_ready(world_, 4);
    EXPECT_EQ(std::filesystem::status(folder).permissions(), std::filesystem::perms::owner_all);
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
  // Its children's children see the end of a pipe a moment later.
  EXPECT_TRUE(none_with(folder.string()));
}

std::string words_of(const testing::TestParamInfo<Meeting>& meeting) {
  auto name = fmt::format("{}_{}", meeting.param.product->name, name_of(meeting.param.mode));
  std::ranges::replace(name, '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(RealServers, EveryServer, testing::ValuesIn(meetings()), words_of);

TEST(RealServer, TellsWhyItDoesNotComeUp) {
  LiveWorld world(own_block());
  const auto authority = tls::make_openssl_authority(world.wall_clock());
  for (const auto* product : server_products()) {
    if (unavailable(*product)) continue;
    auto settings = settings_at(world, *authority, {world.address_of(1), 10053});
    settings.mode = product->modes.front();
    settings.address = "192.0.2.1";  // not of this machine
    RealServer server(*product, settings);
    try {
      server.wait_until_ready(world, 4, 5s);
      ADD_FAILURE() << product->title << " is up";
    } catch (const ServerFailed& failed) {
      EXPECT_THAT(failed.what(), HasSubstr(std::string(product->title) + " at 192.0.2.1 "));
      // A slow machine may not have come to it yet.
      const std::regex words("assign requested address|address not available|not avail");
      EXPECT_TRUE(world.run_until([&] { return std::regex_search(server.log(), words); }, 60s)) << server.log();
    }
  }
}

TEST(RealServer, ComesBackByTcpForAnAnswerThatUdpDoesNotHold) {
  if (const auto reason = unavailable(prosody())) GTEST_SKIP() << *reason;
  LiveWorld world(own_block());
  const auto authority = tls::make_openssl_authority(world.wall_clock());
  // More records than 512 octets hold. Only the port of the best one is open.
  std::vector<std::string> records{"0 0 15269 gw.peer.test"};
  for (int i = 1; i < 20; ++i) records.push_back(fmt::format("9 0 5269 spare-{}.peer.test", i));
  auto& names = add_names(world, records);
  auto& peer = world.add("peer", 3, std::make_unique<mocks::RawPeer>(std::vector<std::uint16_t>{15269}));
  RealServer server(prosody(), settings_at(world, *authority, names.endpoint()));
  server.wait_until_ready(world, 4);
  const auto anchors = authority->issue({.names = {{tls::NameKind::dns, "client.test"}}});
  auto& client = world.add("client", 2, std::make_unique<mocks::XmppClient>(client_of(server.settings(), anchors)));
  ASSERT_TRUE(world.run_until([&] { return client.online(); }, patience)) << server.log();
  client.send_message("romeo@peer.test", "hello");
  ASSERT_TRUE(world.run_until([&] { return peer.accepted_count() == 1 && peer.last().has_item(); }, patience))
      << server.log();
  EXPECT_EQ(peer.last().next_header()->tag.attribute_or_empty("to"), "peer.test");
  EXPECT_GE(names.server().queries("_xmpp-server._tcp.peer.test", dns::Type::srv), 2U) << "by UDP, then by TCP";
}

/// RFC 6120 section 4.7.2: "the initiating entity MUST include the 'to' attribute".
TEST(RealServer, NamesNobodyInItsHeaderWhereItIsJabberd2InClear) {
  if (const auto reason = unavailable(jabberd2())) GTEST_SKIP() << *reason;
  LiveWorld world(own_block());
  const auto authority = tls::make_openssl_authority(world.wall_clock());
  auto& names = add_names(world, {"0 0 15269 gw.peer.test"});
  auto& peer = world.add("peer", 3, std::make_unique<mocks::RawPeer>(std::vector<std::uint16_t>{15269}));
  auto settings = settings_at(world, *authority, names.endpoint());
  settings.mode = ServerMode::dialback_in_clear;
  RealServer server(jabberd2(), settings);
  server.wait_until_ready(world, 4);
  auto& client = world.add("client", 2, std::make_unique<mocks::XmppClient>(client_of(server.settings(), nullptr)));
  ASSERT_TRUE(world.run_until([&] { return client.online(); }, patience)) << server.log();
  client.send_message("romeo@peer.test", "hello");
  ASSERT_TRUE(world.run_until([&] { return peer.accepted_count() == 1 && peer.last().has_item(); }, patience))
      << server.log();
  const auto header = peer.last().next_header();
  ASSERT_TRUE(header);
  for (const auto* attribute : {"to", "from", "version"}) EXPECT_FALSE(header->tag.attribute(attribute));
}

TEST(RealServer, HasTheModesOfItsProductOnly) {
  ServerSettings settings;
  settings.mode = ServerMode::external_only;
  settings.program = "/bin/true";
  EXPECT_THROW(RealServer(jabberd2(), settings), HarnessFault);
}

TEST(RealServer, RefusesAFolderThatCannotBeMade) {
  ServerSettings settings;
  settings.program = "/bin/true";
  settings.folder = "/proc/nowhere";
  EXPECT_THROW(RealServer(prosody(), settings), HarnessFault);
}

}  // namespace
}  // namespace cutover::harness
