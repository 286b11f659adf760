// Both shapes of the deployment, each with a partner, a pool and a user, exchanging messages and presence for real.
#include "harness/worlds/sim_world.h"
#include "mocks/legacy_gateway.h"
#include "mocks/name_server.h"
#include "mocks/partner.h"
#include "mocks/pool.h"
#include "mocks/sip_user.h"
#include "protocol/tls/authority.h"
#include "protocol/xmpp/stanza.h"
#include "reference/gateway.h"
#include "reference/proxy.h"

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

constexpr char ours[] = "contoso.example", theirs[] = "fabrikam.example";
constexpr int dns_host = 1, partner_host = 2, xmpp_host = 3, pool_host = 4, user_host = 5, gateway_host = 6;

struct GatewaysTest : testing::Test {
  bool until(const std::function<bool()>& condition, Duration limit = 60s) { return world.run_until(condition, limit); }
  std::shared_ptr<const tls::Identity> issue(const std::string& name) {
    return authority->issue({.names = {{tls::NameKind::dns, name}}});
  }

  /// Name server, partner, pool and user; `xmpp_host` is where our SRV record points.
  void start_others(const mocks::SipPeer& exit, bool legacy) {
    dns::DnsServer zones;
    for (const char* domain : {ours, theirs}) zones.add_empty_zone(domain);
    const auto publish = [&](const std::string& domain, int host) {
      zones.set("_xmpp-server._tcp." + domain, dns::Type::srv, 60, {"0 0 5269 xmpp." + domain + "."});
      zones.set("xmpp." + domain, dns::Type::a, 60, {world.address_of(host)});
    };
    publish(ours, xmpp_host);
    publish(theirs, partner_host);
    world.add("dns", dns_host, std::make_unique<mocks::NameServer>(std::move(zones)));
    mocks::PartnerSettings settings;
    settings.domain = theirs;
    settings.users = {"romeo"};
    settings.identity = issue(theirs);
    settings.policy.dialback = true;
    settings.dialback_secret = "their secret";
    settings.name_server = name_server();
    partner = &world.add("partner", partner_host, std::make_unique<mocks::Partner>(settings));
    routing->domains = {ours};
    const auto side = legacy ? mocks::Pool::legacy : mocks::Pool::current;
    routing->homes[std::string("alice@") + ours] = {side, "pool"};
    routing->pools["pool"] = {side, pool()};
    routing->legacy_partners.insert(theirs);
    if (!legacy) routing->configured_partners.insert(theirs);
    routing->xmpp_users.insert(std::string("alice@") + ours);
    routing->federated_users.insert(std::string("alice@") + ours);
    (legacy ? routing->legacy_gateway : routing->gateway) = exit;
    mocks::PoolSettings pool_settings;
    pool_settings.name = "pool";
    pool_settings.host = "pool.contoso.example";
    pool_settings.identity = issue("pool.contoso.example");
    pool_settings.routing = routing;
    pool_settings.legacy_gateway_host = "legacy.contoso.example";
    world.add("pool", pool_host, std::make_unique<mocks::PoolNode>(pool_settings));
    mocks::SipUserSettings user{"alice", ours, issue("alice.users.contoso.example"), pool()};
    alice = &world.add("alice", user_host, std::make_unique<mocks::SipUser>(user));
    ASSERT_TRUE(until([&] { return alice->registered(); }));
  }
  Endpoint name_server() const { return {world.address_of(dns_host), mocks::name_server_port}; }
  mocks::SipPeer pool() const { return {{world.address_of(pool_host), 5061}, "pool.contoso.example"}; }
  sip::Endpoint::Destination next_hop() const { return {pool().address, ConnectionId::none, pool().tls_name}; }

  mocks::LegacyGateway& start_legacy() {
    mocks::LegacyGatewaySettings settings;
    settings.domains = {ours};
    settings.partners[theirs] = mocks::ConnectionMode::tls_sasl;
    settings.host = "legacy.contoso.example";
    settings.identity = issue(ours);
    settings.sip_identity = issue(settings.host);
    settings.name_server = name_server();
    settings.next_hop = next_hop();
    auto& node = world.add("legacy", xmpp_host, std::make_unique<mocks::LegacyGateway>(settings));
    start_others({{world.address_of(xmpp_host), 5061}, settings.host}, true);
    return node;
  }

  void start_new() {
    reference::Settings settings;
    settings.allow_federated_users = settings.enable_xmpp_federation = settings.site_federation_route = true;
    settings.policies.global = {true, true};
    reference::AllowedPartner allowed;
    allowed.domain = theirs;
    allowed.partner_type = interworking::PartnerType::federated;
    settings.partners[theirs] = allowed;
    reference::ProxyConfig edge;
    edge.domains = {ours};
    edge.host = "edge.contoso.example";
    edge.gateway_name = "fe.contoso.example";
    edge.certificate = issue(ours);
    edge.internal_identity = issue(edge.host);
    edge.name_server = name_server();
    edge.settings = settings;
    proxy = &world.add("proxy", xmpp_host, std::make_unique<reference::Proxy>(edge));
    reference::GatewayConfig front;
    front.domains = {ours};
    front.host = "fe.contoso.example";
    front.identity = issue(front.host);
    front.proxies = {{world.address_of(xmpp_host), 23456}};
    front.proxy_name = edge.host;
    front.next_hop = next_hop();
    front.settings = settings;
    gateway = &world.add("gateway", gateway_host, std::make_unique<reference::Gateway>(front));
    start_others({{world.address_of(gateway_host), 5098}, front.host}, false);
    ASSERT_TRUE(until([&] { return gateway->linked() && proxy->gateway_connected(); }));
  }

  /// A message each way and a subscription each way.
  void exchange() {
    auto& romeo = partner->user("romeo");
    partner->send_message("romeo", "alice@contoso.example", "hello");
    ASSERT_TRUE(until([&] { return !alice->texts().empty(); })) << world.trace().text();
    EXPECT_EQ(alice->texts().front().body, "hello");
    alice->send_message("sip:romeo@fabrikam.example", "good evening");
    ASSERT_TRUE(until([&] { return !romeo.messages.empty() && !alice->outcomes().empty(); })) << world.trace().text();
    EXPECT_EQ(alice->outcomes().front().status, 200);
    alice->send_in_session("sip:romeo@fabrikam.example", "in a session");
    ASSERT_TRUE(until([&] { return romeo.messages.size() == 2; })) << world.trace().text();
    alice->send_message("sip:Romeo@fabrikam.example", "accounts have no capitals");
    ASSERT_TRUE(until([&] { return romeo.messages.size() == 3; })) << world.trace().text();
    alice->subscribe("sip:romeo@fabrikam.example");
    ASSERT_TRUE(until([&] { return !alice->contact("sip:romeo@fabrikam.example").presence.empty(); }));
    EXPECT_TRUE(alice->contact("sip:romeo@fabrikam.example").presence.front().available);
    partner->send_presence("romeo", "alice@contoso.example", "subscribe");
    ASSERT_TRUE(until([&] {
      return std::ranges::any_of(romeo.presences, [](auto& p) { return p.attribute_or_empty("type") == "subscribed"; });
    })) << world.trace().text();
    EXPECT_TRUE(romeo.errors.empty());
  }

  Seed choice{11};
  SimWorld world{choice};
  std::unique_ptr<tls::Authority> authority = tls::make_openssl_authority(world.wall_clock());
  std::shared_ptr<mocks::Routing> routing = std::make_shared<mocks::Routing>();
  mocks::Partner* partner = nullptr;
  mocks::SipUser* alice = nullptr;
  reference::Proxy* proxy = nullptr;
  reference::Gateway* gateway = nullptr;
};

TEST_F(GatewaysTest, the_legacy_shape_carries_messages_and_presence) {
  auto& legacy = start_legacy();
  exchange();
  legacy.drain();
  EXPECT_TRUE(until([&] { return legacy.drained(); }));
  partner->send_message("romeo", "alice@contoso.example", "too late");
  EXPECT_TRUE(until([&] { return !partner->user("romeo").errors.empty(); }));
  legacy.resume();
  partner->send_message("romeo", "alice@contoso.example", "again");
  EXPECT_TRUE(until([&] { return alice->texts().back().body == "again"; }));
}

TEST_F(GatewaysTest, the_new_shape_carries_messages_and_presence) {
  start_new();
  exchange();
}

TEST_F(GatewaysTest, a_lost_gateway_is_reported_and_comes_back) {
  start_new();
  world.cut_connections("proxy", "gateway");
  ASSERT_TRUE(until([&] { return !proxy->gateway_connected(); }));
  partner->send_message("romeo", "alice@contoso.example", "anybody?");
  ASSERT_TRUE(until([&] { return !partner->user("romeo").errors.empty(); }));
  EXPECT_EQ(xmpp::error_of(partner->user("romeo").errors.front())->condition, "remote-server-timeout");
  ASSERT_TRUE(until([&] { return gateway->linked() && proxy->gateway_connected(); }));
  partner->send_message("romeo", "alice@contoso.example", "there you are");
  EXPECT_TRUE(until([&] { return !alice->texts().empty(); }));
}

TEST_F(GatewaysTest, a_removed_partner_is_cut_off_and_a_certificate_waits_for_a_restart) {
  start_new();
  exchange();
  auto settings = proxy->settings();
  settings.partners.clear();
  proxy->apply(settings);
  gateway->apply(settings);
  ASSERT_TRUE(until([&] { return proxy->server()->streams().empty(); }));
  partner->send_message("romeo", "alice@contoso.example", "hello?");
  ASSERT_TRUE(until([&] { return !partner->user("romeo").errors.empty(); }));
  proxy->assign_certificate(nullptr);
  EXPECT_TRUE(proxy->serving());
  proxy->restart_service();
  EXPECT_FALSE(proxy->serving());
}

TEST_F(GatewaysTest, a_service_that_stops_closes_its_streams_and_says_why) {
  start_new();
  exchange();
  proxy->stop_service();
  EXPECT_FALSE(proxy->serving());
  ASSERT_TRUE(until([&] { return proxy->stopped(); }));
  EXPECT_TRUE(until([&] { return partner->server().streams().empty(); }));
  const auto told = [](const TraceRecord& record) {
    return record.node == "partner" && record.note.direction == Direction::in &&
           record.note.summary.find("system-shutdown") != std::string::npos;
  };
  EXPECT_TRUE(std::ranges::any_of(world.trace().records(), told));
  proxy->start_service();
  EXPECT_TRUE(proxy->serving());
}

}  // namespace
}  // namespace cutover::harness
