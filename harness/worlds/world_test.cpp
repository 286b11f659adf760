// What a Context promises, held against both worlds by the same bodies.
#include "harness/worlds/live_world.h"
#include "harness/worlds/sim_world.h"
#include "protocol/base/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <map>

namespace cutover::harness {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

/// Writes down what happens to it: one word an event, and the bytes of each connection put together.
class Recorder final : public Node {
 public:
  ~Recorder() override {
    if (context != nullptr) context->forget(*this);
  }
  void start(Context& c) override {
    context = &c;
    if (listen_port != 0) c.listen(*this, listen_port);
  }
  void on_accepted(ConnectionId id, std::uint16_t port, const Endpoint&) override {
    events.emplace_back("accepted");
    accepted = id;
    accepted_port = port;
    if (on_accept) on_accept(id);
  }
  void on_connected(ConnectionId) override { events.emplace_back("connected"); }
  void on_connect_failed(ConnectionId, std::string_view reason) override {
    events.emplace_back("failed");
    why = reason;
  }
  void on_received(ConnectionId id, std::string_view bytes) override {
    received[id] += bytes;
    if (events.empty() || events.back() != "received") events.emplace_back("received");
    if (echo) context->send(id, bytes);
  }
  void on_eof(ConnectionId id) override {
    events.emplace_back("eof");
    if (answer_eof) context->shutdown(id);
  }
  void on_closed(ConnectionId, std::string_view reason) override {
    events.emplace_back("closed");
    why = reason;
  }
  void on_datagram(std::uint16_t port, const Endpoint& from, std::string_view bytes) override {
    events.emplace_back("datagram " + std::string(bytes));
    if (echo) context->send_to(port, from, bytes);
  }
  void on_wake() override {
    events.emplace_back("wake");
    if (on_woken) on_woken();
  }
  bool saw(std::string_view event) const { return std::ranges::find(events, event) != events.end(); }
  std::string text() const { return received.empty() ? std::string() : received.rbegin()->second; }

  Context* context = nullptr;
  std::uint16_t listen_port = 0, accepted_port = 0;
  bool echo = false, answer_eof = true;
  std::function<void(ConnectionId)> on_accept;
  std::function<void()> on_woken;
  std::vector<std::string> events;
  std::map<ConnectionId, std::string> received;
  ConnectionId accepted = ConnectionId::none;
  std::string why;
};

class WorldTest : public testing::TestWithParam<WorldKind> {
 protected:
  WorldTest() {
    if (GetParam() == WorldKind::sim)
      world_ = std::make_unique<SimWorld>(choice_);
    else
      world_ = std::make_unique<LiveWorld>(LiveOptions{.block = 1000 + static_cast<int>(getpid() % 60'000)});
  }
  Recorder& add(const std::string& name, int host, std::uint16_t port = 0) {
    auto node = std::make_unique<Recorder>();
    node->listen_port = port;
    return world_->add(name, host, std::move(node));
  }
  Endpoint at(const Recorder& node) { return {node.context->address(), node.listen_port}; }
  [[nodiscard]] bool until(const std::function<bool()>& condition) { return world_->run_until(condition, 5s); }

  Seed choice_{7};
  std::unique_ptr<World> world_;
};

INSTANTIATE_TEST_SUITE_P(Worlds, WorldTest, testing::Values(WorldKind::sim, WorldKind::live),
                         [](const auto& kind) { return kind.param == WorldKind::sim ? "sim" : "live"; });

TEST_P(WorldTest, BytesArriveInOrderBothWaysAndWhatWasSentBeforeTheConnectionStoodIsKept) {
  auto& server = add("server", 1, 5269);
  auto& client = add("client", 2);
  server.echo = true;
  const auto id = client.context->connect(client, at(server));
  std::string all;
  for (int i = 0; i < 2000; i++) {
    const auto part = std::to_string(i) + ",";
    client.context->send(id, part);
    all += part;
  }
  EXPECT_TRUE(client.events.empty()) << "called back from inside connect()";
  ASSERT_TRUE(until([&] { return client.received[id].size() >= all.size(); }));
  EXPECT_EQ(client.received[id], all);
  EXPECT_EQ(server.accepted_port, 5269);
  EXPECT_THAT(server.events, ElementsAre("accepted", "received"));
  EXPECT_THAT(client.events, ElementsAre("connected", "received"));
  EXPECT_EQ(world_->open_connections(client), 1U);
}

TEST_P(WorldTest, ConnectIsRefusedWhereNobodyListens) {
  auto& server = add("server", 1, 5269);
  auto& client = add("client", 2);
  server.context->stop_listening(5269);
  (void)client.context->connect(client, at(server));
  EXPECT_TRUE(client.events.empty());
  ASSERT_TRUE(until([&] { return !client.events.empty(); }));
  EXPECT_THAT(client.events, ElementsAre("failed"));
  EXPECT_THAT(client.why, HasSubstr("refused"));
  EXPECT_EQ(world_->open_connections(client), 0U);
}

TEST_P(WorldTest, ShutdownIsHalfACloseAndTheLastBytesArrive) {
  auto& server = add("server", 1, 5269);
  auto& client = add("client", 2);
  server.answer_eof = false;
  const auto id = client.context->connect(client, at(server));
  client.context->send(id, "last words");
  client.context->shutdown(id);
  client.context->send(id, "too late");
  ASSERT_TRUE(until([&] { return server.saw("eof"); }));
  EXPECT_EQ(server.text(), "last words");
  server.context->send(server.accepted, "still here");
  ASSERT_TRUE(until([&] { return client.text() == "still here"; }));
  EXPECT_FALSE(client.saw("closed"));
  server.context->shutdown(server.accepted);
  EXPECT_FALSE(server.saw("closed")) << "called back from inside shutdown()";
  ASSERT_TRUE(until([&] { return client.saw("closed") && server.saw("closed"); }));
  EXPECT_THAT(server.events, ElementsAre("accepted", "received", "eof", "closed"));
  EXPECT_THAT(client.events, ElementsAre("connected", "received", "eof", "closed"));
  EXPECT_EQ(world_->open_connections(client) + world_->open_connections(server), 0U);
}

TEST_P(WorldTest, AbortResetsThePeerAndIsSilentAtHome) {
  auto& server = add("server", 1, 5269);
  auto& client = add("client", 2);
  const auto id = client.context->connect(client, at(server));
  ASSERT_TRUE(until([&] { return client.saw("connected") && server.saw("accepted"); }));
  client.context->abort(id);
  client.context->send(id, "no effect");
  ASSERT_TRUE(until([&] { return server.saw("closed"); }));
  EXPECT_THAT(server.events, ElementsAre("accepted", "closed"));
  EXPECT_THAT(server.why, HasSubstr("reset"));
  EXPECT_THAT(client.events, ElementsAre("connected"));
}

TEST_P(WorldTest, AbortInsideTheCallbackOfTheConnectionIsFine) {
  auto& server = add("server", 1, 5269);
  auto& client = add("client", 2);
  server.on_accept = [&](ConnectionId id) { server.context->abort(id); };
  (void)client.context->connect(client, at(server));
  ASSERT_TRUE(until([&] { return client.saw("closed") || client.saw("failed"); }));
  EXPECT_EQ(world_->open_connections(server), 0U);
}

TEST_P(WorldTest, RemovedNodeCrashes) {
  auto& server = add("server", 1, 5269);
  auto& client = add("client", 2);
  const auto where = at(server);
  (void)client.context->connect(client, where);
  ASSERT_TRUE(until([&] { return client.saw("connected") && server.saw("accepted"); }));
  world_->remove(server);
  ASSERT_TRUE(until([&] { return client.saw("closed"); }));
  EXPECT_THAT(client.why, HasSubstr("reset"));
  (void)client.context->connect(client, where);
  ASSERT_TRUE(until([&] { return client.saw("failed"); }));
  auto& again = add("server", 1, 5269);
  (void)client.context->connect(client, where);
  EXPECT_TRUE(until([&] { return again.saw("accepted"); }));
}

TEST_P(WorldTest, CutConnectionsResetsBothEndsAndOnlyBetweenTheTwo) {
  auto& server = add("server", 1, 5269);
  auto& client = add("client", 2);
  auto& other = add("other", 3);
  (void)client.context->connect(client, at(server));
  (void)other.context->connect(other, at(server));
  ASSERT_TRUE(until(
      [&] { return client.saw("connected") && other.saw("connected") && world_->open_connections(server) == 2; }));
  world_->cut_connections("client", "server");
  EXPECT_FALSE(client.saw("closed") || server.saw("closed"));
  ASSERT_TRUE(until([&] { return client.saw("closed") && server.saw("closed"); }));
  EXPECT_EQ(world_->open_connections(other), 1U);
  EXPECT_EQ(world_->open_connections(server), 1U);
}

TEST_P(WorldTest, HandedOverConnectionSpeaksToItsNewOwner) {
  auto& server = add("server", 1, 5269);
  auto& client = add("client", 2);
  Recorder part;
  part.context = server.context;
  server.on_accept = [&](ConnectionId id) { server.context->hand_over(id, part); };
  const auto id = client.context->connect(client, at(server));
  client.context->send(id, "for the part");
  ASSERT_TRUE(until([&] { return part.text() == "for the part"; }));
  EXPECT_TRUE(server.received.empty());
}

TEST_P(WorldTest, DatagramsGoBothWaysAndPortsAreOneOwners) {
  auto& server = add("server", 1);
  auto& client = add("client", 2);
  server.echo = true;
  const auto port = server.context->bind_datagram(server, 5353);
  EXPECT_EQ(port, 5353);
  EXPECT_THROW(server.context->bind_datagram(server, 5353), ListenError);
  const auto own = client.context->bind_datagram(client, 0);
  EXPECT_NE(own, 0);
  client.context->send_to(own, {server.context->address(), port}, "ping");
  ASSERT_TRUE(until([&] { return client.saw("datagram ping"); }));
  server.context->unbind_datagram(port);
  EXPECT_EQ(server.context->bind_datagram(server, 5353), 5353);
}

TEST_P(WorldTest, TakenPortNamesAddressPortAndReason) {
  auto& server = add("server", 1, 5269);
  try {
    server.context->listen(server, 5269);
    FAIL() << "listened twice";
  } catch (const ListenError& error) {
    EXPECT_THAT(error.what(), HasSubstr(server.context->address() + ":5269"));
    EXPECT_THAT(error.what(), EndsWith("Address already in use"));
  }
}

TEST_P(WorldTest, WhatIsNoAddressCannotBeReachedAndThatIsAll) {
  auto& node = add("node", 1);
  const auto port = node.context->bind_datagram(node, 0);
  for (const auto* address : {"", ".", "1.2.3", "0", "127.1", "evil.example", "[::1]", "1.2.3.4\n"}) {
    node.events.clear();
    (void)node.context->connect(node, {address, 5061});
    EXPECT_TRUE(node.events.empty()) << "told from inside connect()";
    ASSERT_TRUE(until([&] { return node.saw("failed"); })) << address;
    node.context->send_to(port, {address, 53}, "x");
  }
  EXPECT_EQ(world_->open_connections(node), 0U);
}

TEST_P(WorldTest, AnActorHasOneWakeUp) {
  auto& node = add("node", 1);
  std::vector<Time> woken;
  node.on_woken = [&] { woken.push_back(world_->now()); };
  const auto begin = world_->now();
  node.context->wake_at(node, begin + 1h);
  node.context->wake_at(node, begin + 20ms);
  ASSERT_TRUE(until([&] { return !woken.empty(); }));
  EXPECT_GE(woken.front(), begin + 20ms);
  node.context->wake_at(node, begin);
  EXPECT_EQ(woken.size(), 1U) << "called back from inside wake_at()";
  ASSERT_TRUE(until([&] { return woken.size() == 2; }));
  node.context->wake_at(node, world_->now() + 5ms);
  node.context->cancel_wake(node);
  world_->run_for(10ms);
  EXPECT_EQ(woken.size(), 2U);
}

TEST_P(WorldTest, AnActorMustNotWait) {
  auto& node = add("node", 1);
  node.on_woken = [&] { world_->run_for(1ms); };
  node.context->wake_at(node, world_->now());
  EXPECT_THROW(world_->run_for(1s), HarnessFault);
  world_->run_for(1ms);  // the fault leaves the world usable
}

TEST_P(WorldTest, AConditionThatNeverHoldsEndsAtTheLimit) {
  const auto begin = world_->now();
  EXPECT_FALSE(world_->run_until([] { return false; }, 20ms));
  EXPECT_GE(world_->now(), begin + 20ms);
}

TEST_P(WorldTest, TraceNamesTheOtherEnd) {
  auto& server = add("server", 1, 5269);
  auto& client = add("client", 2);
  const auto id = client.context->connect(client, at(server));
  ASSERT_TRUE(until([&] { return server.saw("accepted") && client.saw("connected"); }));
  client.context->note({.layer = Layer::xmpp, .direction = Direction::out, .connection = id, .summary = "message"});
  server.context->note(
      {.layer = Layer::xmpp, .direction = Direction::in, .connection = server.accepted, .summary = "message"});
  server.context->note({.layer = Layer::event, .summary = "something\nelse"});
  const auto& records = world_->trace().records();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].peer, "server");
  EXPECT_EQ(records[1].peer, "client");
  EXPECT_EQ(records[0].connection, records[1].connection);
  EXPECT_THAT(records[0].connection, EndsWith("> server:5269"));
  EXPECT_EQ(records[2].peer, "");
  EXPECT_THAT(world_->trace().text(), HasSubstr("something\\nelse\n"));
}

TEST_P(WorldTest, NodeThatCannotListenIsNotAdded) {
  auto& server = add("server", 1, 5269);
  EXPECT_THROW(add("server", 2), HarnessFault);
  EXPECT_THROW(add("another", 1), HarnessFault);
  EXPECT_EQ(world_->open_connections(server), 0U);
}

TEST(LiveWorldTest, HostsAtOneAddressAreCalledByTheirDomains) {
  std::map<int, std::string> addresses;
  {
    const LiveWorld block({.block = 1000 + static_cast<int>(getpid() % 60'000)});
    for (const int host : {3, 4, 5}) addresses[host] = block.address_of(3);
  }
  LiveWorld world({.block = 1000 + static_cast<int>(getpid() % 60'000), .addresses = addresses});
  world.answer_for(3, "a.example");
  world.answer_for(4, "b.example");
  const auto listening = [&](const char* name, int host) -> Recorder& {
    auto node = std::make_unique<Recorder>();
    node->listen_port = 5269;
    return world.add(name, host, std::move(node));
  };
  auto& a = listening("a", 3);
  auto& b = listening("b", 4);
  EXPECT_THROW(listening("nobody's", 5), ListenError);
  auto& caller = world.add("caller", 6, std::make_unique<Recorder>());
  const auto call = [&](const std::string& octets) {
    const auto id = caller.context->connect(caller, {addresses.at(3), 5269});
    caller.context->send(id, octets);
  };
  call("<stream:stream to='b.example'>");
  ASSERT_TRUE(world.run_until([&] { return !b.received.empty(); }, 5s));
  EXPECT_EQ(b.received.begin()->second, "<stream:stream to='b.example'>");
  EXPECT_TRUE(a.events.empty());
  call("<stream:stream to='elsewhere.example'>");
  ASSERT_TRUE(world.run_until([&] { return !a.received.empty(); }, 5s));
  world.answer_nameless_for([] { return "b.example"; });
  call("<stream:stream>");
  ASSERT_TRUE(world.run_until([&] { return b.received.size() == 2; }, 5s));
  world.remove(a);
  call("<stream:stream to='a.example'>");  // of those that are left
  ASSERT_TRUE(world.run_until([&] { return b.received.size() == 3; }, 5s));
}

}  // namespace
}  // namespace cutover::harness
