// Both pools with users and the two gateways' places: who reaches whom, and why not.
#include "mocks/pool.h"
#include "mocks/sip_user.h"
#include "protocol/sip/test_network.h"
#include "protocol/tls/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::mocks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A gateway's SIP side that takes everything.
struct Gateway final : sip::EndpointOwner {
  Gateway(Context& context, const std::string& host, std::shared_ptr<const tls::Identity> identity)
      : endpoint(context, config(host, std::move(identity)), *this) {
    endpoint.open();
  }
  static sip::EndpointConfig config(const std::string& host, std::shared_ptr<const tls::Identity> identity) {
    sip::EndpointConfig result;
    result.identity = std::move(identity);
    result.sent_by = host;
    return result;
  }
  void on_request(sip::TransactionId id, const sip::Message& request, ConnectionId) override {
    seen.push_back(request.method + " " + request.request_uri + " " + request.body);
    endpoint.respond(id, sip::response_to(request, 200, "", "g"));
  }
  void send(const std::string& from, const std::string& to, const std::string& pool) {
    sip::Message message;
    message.method = "MESSAGE";
    message.request_uri = to;
    message.add_header("From", "<" + from + ">;tag=1");
    message.add_header("To", "<" + to + ">");
    message.add_header("Call-ID", "c");
    message.add_header("CSeq", std::to_string(++cseq) + " MESSAGE");
    message.add_header("Content-Type", "text/plain");
    message.body = "hello";
    endpoint.request(
        std::move(message), {{pool, 5061}, ConnectionId::none, ""},
        [this](const sip::Message& response) { statuses.push_back(response.status); },
        [this](sip::TransactionFailure) { statuses.push_back(0); });
  }
  std::vector<std::string> seen;
  std::vector<int> statuses;
  int cseq = 0;
  sip::Endpoint endpoint;
};

struct Pools : testing::Test {
  TestNetwork network;
  std::unique_ptr<tls::Authority> authority = tls::make_paper_authority(1'700'000'000);
  std::shared_ptr<Routing> routing = make_routing();
  Gateway legacy_gateway{network.host("10.0.0.4"), "ocs.a.example", issue("ocs.a.example")};
  Gateway gateway{network.host("10.0.0.5"), "fe.a.example", issue("fe.a.example")};
  PoolNode legacy{settings("old", "old.a.example")};
  PoolNode current{settings("new", "new.a.example")};
  SipUser alice{{"alice", "a.example", issue("alice.users.a.example"), routing->pools.at("new").peer}};
  SipUser bob{{"bob", "a.example", issue("bob.users.a.example"), routing->pools.at("old").peer}};

  std::shared_ptr<const tls::Identity> issue(const std::string& name) const {
    return authority->issue({{{tls::NameKind::dns, name}}, "", tls::Flaw::none, true});
  }
  static std::shared_ptr<Routing> make_routing() {
    auto result = std::make_shared<Routing>();
    result->domains = {"a.example"};
    result->homes = {{"alice@a.example", {Pool::current, "new"}}, {"bob@a.example", {Pool::legacy, "old"}}};
    result->pools = {{"old", {Pool::legacy, {{"10.0.0.1", 5061}, "old.a.example"}}},
                     {"new", {Pool::current, {{"10.0.0.2", 5061}, "new.a.example"}}}};
    result->federated_users = {"alice@a.example", "bob@a.example"};
    result->legacy_partners = {"p.example", "q.example"};
    result->legacy_gateway = SipPeer{{"10.0.0.4", 5061}, "ocs.a.example"};
    return result;
  }
  PoolSettings settings(const std::string& name, const std::string& host) const {
    PoolSettings result;
    result.name = name;
    result.identity = issue(host);
    result.host = host;
    result.routing = routing;
    result.legacy_gateway_host = "ocs.a.example";
    return result;
  }
  void SetUp() override {
    legacy.start(network.host("10.0.0.1"));
    current.start(network.host("10.0.0.2"));
    alice.start(network.host("10.0.0.11"));
    bob.start(network.host("10.0.0.12"));
    network.run();
    ASSERT_TRUE(alice.registered());
    ASSERT_TRUE(bob.registered());
  }
  void configure_partner() {
    routing->configured_partners = {"p.example"};
    routing->gateway = SipPeer{{"10.0.0.5", 5061}, "fe.a.example"};
    routing->xmpp_users = {"alice@a.example", "bob@a.example"};
  }
  int last_status(const SipUser& user) { return user.outcomes().empty() ? -1 : user.outcomes().back().status; }
};

TEST_F(Pools, CarryAMessageToTheOtherPoolAndAnswers) {
  alice.send_message("sip:bob@a.example", "hi");
  network.run();
  ASSERT_EQ(bob.texts().size(), 1U);
  EXPECT_EQ(bob.texts()[0].from, "sip:alice@a.example");
  EXPECT_EQ(last_status(alice), 200);
  bob.answer_messages_with(480);
  alice.send_message("sip:bob@a.example", "hi");
  network.run();
  EXPECT_EQ(last_status(alice), 480);
  alice.send_message("sip:nobody@a.example", "hi");
  network.run();
  EXPECT_EQ(last_status(alice), 404);
}

TEST_F(Pools, CarryASessionAlongItsRouteSet) {
  alice.send_in_session("sip:bob@a.example", "one");
  network.run();
  alice.send_in_session("sip:bob@a.example", "two");
  network.run();
  bob.send_in_session("sip:alice@a.example", "three");
  network.run();
  ASSERT_EQ(bob.texts().size(), 2U);
  EXPECT_TRUE(bob.texts()[1].in_session);
  ASSERT_EQ(alice.texts().size(), 1U);
  EXPECT_TRUE(alice.texts()[0].in_session);
  // Both pools stay on the way, once each.
  const auto& invite = bob.requests().front();
  EXPECT_EQ(invite.method, "INVITE");
  EXPECT_EQ(invite.all("Record-Route").size(), 2U);
  EXPECT_EQ(bob.requests()[2].method, "MESSAGE");
  EXPECT_TRUE(bob.requests()[2].all("Route").empty());
  EXPECT_EQ(bob.requests()[2].header_or_empty("Max-Forwards"), "68");
  bob.answer_invites_with(486);
  bob.end_session("sip:alice@a.example");
  network.run();
  alice.send_in_session("sip:bob@a.example", "four");
  network.run();
  EXPECT_EQ(last_status(alice), 486);
}

TEST_F(Pools, CarryPresenceOnceTheWatcherIsApproved) {
  bob.approve_watchers(false);
  alice.subscribe("sip:bob@a.example");
  network.run();
  EXPECT_EQ(alice.contact("sip:bob@a.example").subscribe_status, 200);
  EXPECT_EQ(alice.contact("sip:bob@a.example").state, "pending");
  EXPECT_TRUE(alice.contact("sip:bob@a.example").history.empty());
  bob.approve("sip:alice@a.example");
  network.run();
  EXPECT_EQ(alice.contact("sip:bob@a.example").state, "active");
  EXPECT_EQ(alice.contact("sip:bob@a.example").history.size(), 1U);
  bob.reject("sip:alice@a.example");
  network.run();
  EXPECT_EQ(alice.contact("sip:bob@a.example").state, "terminated");
  EXPECT_EQ(alice.contact("sip:bob@a.example").reason, "rejected");
}

TEST_F(Pools, SwitchThePathPerPartnerDomain) {
  for (auto* user : {&alice, &bob}) user->send_message("sip:romeo@p.example", user->uri());
  network.run();
  EXPECT_EQ(legacy_gateway.seen.size(), 2U);
  configure_partner();
  for (auto* user : {&alice, &bob}) user->send_message("sip:romeo@p.example", user->uri());
  alice.send_message("sip:romeo@q.example", "still legacy");
  network.run();
  EXPECT_THAT(gateway.seen, ElementsAre("MESSAGE sip:romeo@p.example sip:alice@a.example"));
  ASSERT_EQ(legacy_gateway.seen.size(), 3U);
  EXPECT_THAT(legacy_gateway.seen.back(), HasSubstr("still legacy"));
  EXPECT_EQ(last_status(bob), 403);
  EXPECT_THAT(bob.outcomes().back().reason, HasSubstr("homed on the legacy pool"));
  routing->xmpp_users = {"bob@a.example"};
  alice.send_message("sip:romeo@p.example", "no policy");
  network.run();
  EXPECT_EQ(last_status(alice), 403);
  alice.send_message("sip:romeo@unknown.example", "no route");
  network.run();
  EXPECT_EQ(last_status(alice), 404);
}

TEST_F(Pools, LetAGatewayInByTheSameRule) {
  legacy_gateway.send("sip:romeo@p.example", "sip:alice@a.example", "10.0.0.1");
  network.run();
  EXPECT_THAT(legacy_gateway.statuses, ElementsAre(200));
  EXPECT_EQ(alice.texts().size(), 1U);
  configure_partner();
  legacy_gateway.send("sip:romeo@p.example", "sip:alice@a.example", "10.0.0.1");
  gateway.send("sip:romeo@p.example", "sip:alice@a.example", "10.0.0.2");
  gateway.send("sip:romeo@p.example", "sip:bob@a.example", "10.0.0.2");
  network.run();
  EXPECT_THAT(legacy_gateway.statuses, ElementsAre(200, 403));
  EXPECT_THAT(gateway.statuses, testing::UnorderedElementsAre(200, 403));
  EXPECT_EQ(alice.texts().size(), 2U);
  EXPECT_TRUE(bob.texts().empty());
}

TEST_F(Pools, BelieveTheCertificateAndNotTheVia) {
  configure_partner();
  Gateway liar(network.host("10.0.0.6"), "old.a.example", issue("evil.example"));
  liar.send("sip:romeo@p.example", "sip:bob@a.example", "10.0.0.1");
  network.run();
  EXPECT_THAT(liar.statuses, ElementsAre(403));
}

TEST_F(Pools, FollowAUserWhoMoves) {
  routing->homes["bob@a.example"] = {Pool::current, "new"};
  alice.send_message("sip:bob@a.example", "not there yet");
  network.run();
  EXPECT_EQ(last_status(alice), 480);
  bob.register_with(routing->pools.at("new").peer);
  network.run();
  EXPECT_TRUE(bob.registered());
  alice.send_message("sip:bob@a.example", "there");
  network.run();
  EXPECT_EQ(last_status(alice), 200);
  EXPECT_FALSE(legacy.registered("bob@a.example"));
}

TEST_F(Pools, AreToldApartByTheirNamesOnOneSide) {
  routing->homes["bob@a.example"] = {Pool::current, "another"};
  alice.send_message("sip:bob@a.example", "to a pool that does not run");
  network.run();
  EXPECT_EQ(last_status(alice), 480);
  bob.register_with(routing->pools.at("new").peer);  // of the same side, and not his
  network.run();
  EXPECT_FALSE(bob.registered());
  PoolNode another{settings("another", "another.a.example")};
  routing->pools["another"] = {Pool::current, {{"10.0.0.3", 5061}, "another.a.example"}};
  another.start(network.host("10.0.0.3"));
  bob.register_with(routing->pools.at("another").peer);
  network.run();
  alice.send_message("sip:bob@a.example", "by way of the other pool");
  network.run();
  EXPECT_EQ(last_status(alice), 200);
  EXPECT_TRUE(another.registered("bob@a.example"));
}

TEST_F(Pools, ASilentUserIsAnsweredForInTheEnd) {
  bob.answer_messages_with(0);
  alice.send_message("sip:bob@a.example", "hello?");
  network.run(33s);
  ASSERT_EQ(alice.outcomes().size(), 1U);
  EXPECT_THAT(last_status(alice), testing::AnyOf(0, 504));
}

}  // namespace
}  // namespace cutover::mocks
