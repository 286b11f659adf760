// What only a simulated world does: partitions, virtual time, and the same bytes for the same choices.
#include "harness/worlds/sim_world.h"

#include "protocol/base/check.h"

#include <gtest/gtest.h>

#include <set>

namespace cutover::harness {
namespace {

/// Sends its number of markers a wake apart, notes all that comes, and answers each with "ok".
class Chatter final : public Node {
 public:
  Chatter(std::uint16_t port, std::string target, int count) : port_(port), target_(std::move(target)), left_(count) {}
  ~Chatter() override {
    if (context != nullptr) context->forget(*this);
  }
  void start(Context& c) override {
    context = &c;
    if (port_ != 0) c.listen(*this, port_);
    if (left_ > 0) c.wake_at(*this, c.now() + 1ms);
  }
  void on_wake() override {
    if (connection == ConnectionId::none) connection = context->connect(*this, {target_, 5269});
    context->send(connection, "m" + std::to_string(left_) + ";");
    if (--left_ > 0) context->wake_at(*this, context->now() + Duration(context->random(3'000'000)));
  }
  void on_received(ConnectionId id, std::string_view bytes) override {
    context->note({.direction = Direction::in, .connection = id, .summary = std::string(bytes)});
    received += bytes;
    if (port_ != 0) context->send(id, "ok;");
  }
  void on_connect_failed(ConnectionId, std::string_view reason) override {
    failure = reason;
    failed_at = context->now();
  }
  void on_datagram(std::uint16_t, const Endpoint&, std::string_view bytes) override { received += bytes; }
  void on_closed(ConnectionId, std::string_view reason) override { failure = reason; }

  Context* context = nullptr;
  ConnectionId connection = ConnectionId::none;
  std::string received, failure;
  Time failed_at;

 private:
  std::uint16_t port_;
  std::string target_;
  int left_;
};

std::string run(Choice& choice, SimOptions options = {}) {
  SimWorld world(choice, options);
  world.add("server", 1, std::make_unique<Chatter>(5269, "", 0));
  world.add("a", 2, std::make_unique<Chatter>(0, world.address_of(1), 5));
  world.add("b", 3, std::make_unique<Chatter>(0, world.address_of(1), 5));
  world.run_for(1s);
  return world.trace().text();
}

TEST(SimWorld, SameSeedSameBytesOtherSeedOtherCourse) {
  Seed one(1), again(1), two(2);
  const auto text = run(one);
  EXPECT_EQ(text, run(again));
  EXPECT_NE(text, run(two));
  Undisturbed none;
  EXPECT_NE(run(none, {.seed = 1}), run(none, {.seed = 2})) << "Context::random does not depend on the seed";
}

TEST(SimWorld, CutsFallEverywhereAndLoseNothing) {
  bool cut_inside = false;
  for (std::uint64_t seed = 1; seed <= 50; seed++) {
    Seed choice(seed);
    SimWorld world(choice);
    auto& server = world.add("server", 1, std::make_unique<Chatter>(5269, "", 0));
    world.add("a", 2, std::make_unique<Chatter>(0, world.address_of(1), 4));
    world.run_for(1s);
    EXPECT_EQ(server.received, "m4;m3;m2;m1;");
    for (const auto& record : world.trace().records()) cut_inside |= record.note.summary == "m";
  }
  EXPECT_TRUE(cut_inside);
}

TEST(SimWorld, TimeIsVirtualAndBeginsAtOneMicrosecond) {
  Undisturbed choice;
  SimWorld world(choice);
  EXPECT_EQ(world.now(), Time(1us));
  EXPECT_EQ(world.wall_clock(), 1'767'225'600);
  world.run_for(24h);
  EXPECT_EQ(world.now(), Time(24h + 1us));
  EXPECT_EQ(world.wall_clock(), 1'767'225'600 + 86'400);
}

TEST(SimWorld, PartitionStallsConnectionsAndHealingReleasesThemInOrder) {
  for (std::uint64_t seed = 1; seed <= 30; seed++) {
    Seed choice(seed);
    SimWorld world(choice);
    auto& server = world.add("server", 1, std::make_unique<Chatter>(5269, "", 0));
    world.add("a", 2, std::make_unique<Chatter>(0, world.address_of(1), 9));
    ASSERT_TRUE(world.run_until([&] { return !server.received.empty(); }, 1s));
    world.partition("a", "server");
    const auto before = server.received;
    world.run_for(2s);
    EXPECT_EQ(server.received, before);
    world.heal("server", "a");
    world.run_for(1s);
    EXPECT_EQ(server.received, "m9;m8;m7;m6;m5;m4;m3;m2;m1;");
  }
}

TEST(SimWorld, ConnectAcrossAPartitionTimesOutAndOpensNothingLater) {
  Undisturbed choice;
  SimWorld world(choice);
  auto& server = world.add("server", 1, std::make_unique<Chatter>(5269, "", 0));
  auto& a = world.add("a", 2, std::make_unique<Chatter>(0, world.address_of(1), 1));
  world.partition("a", "server");
  ASSERT_TRUE(world.run_until([&] { return !a.failure.empty(); }, 1min));
  EXPECT_EQ(a.failure, "connection timed out");
  EXPECT_EQ(a.failed_at, Time(1us + 1ms + 21s));
  world.heal("a", "server");
  world.run_for(1min);
  EXPECT_EQ(world.open_connections(server), 0U);
  EXPECT_EQ(server.received, "");
}

TEST(SimWorld, ConnectGoesThroughWhenThePartitionHealsInTime) {
  Undisturbed choice;
  SimWorld world(choice);
  auto& server = world.add("server", 1, std::make_unique<Chatter>(5269, "", 0));
  world.add("a", 2, std::make_unique<Chatter>(0, world.address_of(1), 1));
  world.partition("a", "server");
  world.run_for(5s);
  world.heal("a", "server");
  EXPECT_TRUE(world.run_until([&] { return server.received == "m1;"; }, 1s));
  world.run_for(1min);
  EXPECT_EQ(world.open_connections(server), 1U) << "the time-out of the connect came after its success";
}

TEST(SimWorld, DatagramsVanishInAPartition) {
  Undisturbed choice;
  SimWorld world(choice);
  auto& a = world.add("a", 1, std::make_unique<Chatter>(0, "", 0));
  auto& b = world.add("b", 2, std::make_unique<Chatter>(0, "", 0));
  const auto from = a.context->bind_datagram(a, 0);
  const auto to = b.context->bind_datagram(b, 53);
  world.partition("a", "b");
  a.context->send_to(from, {b.context->address(), to}, "lost");
  world.run_for(1s);
  world.heal("a", "b");
  a.context->send_to(from, {b.context->address(), to}, "kept");
  world.run_for(1s);
  EXPECT_EQ(b.received, "kept");
}

TEST(SimWorld, ExploredOrdersAreExactlyTheInterleavings) {
  // Three senders, one datagram each: 3! orders without a bound, 1 + 2 + 1 ... with few detours.
  const auto orders = [](std::size_t detours) {
    std::set<std::string> seen;
    std::size_t runs = 0;
    Exhaust all(detours);
    while (all.next()) {
      SimWorld world(all, {.order_only = true});
      auto& sink = world.add("sink", 9, std::make_unique<Chatter>(0, "", 0));
      sink.context->bind_datagram(sink, 53);
      for (int i = 1; i <= 3; i++) {
        auto& sender = world.add("s" + std::to_string(i), i, std::make_unique<Chatter>(0, "", 0));
        sender.context->send_to(sender.context->bind_datagram(sender, 0), {world.address_of(9), 53}, std::to_string(i));
      }
      world.run_for(1s);
      seen.insert(sink.received);
      runs++;
    }
    EXPECT_EQ(runs, seen.size());
    return runs;
  };
  EXPECT_EQ(orders(0), 1U);
  EXPECT_EQ(orders(1), 4U);
  EXPECT_EQ(orders(Exhaust::unlimited), 6U);
}

TEST(SimWorld, ReplayOfAnExploredRunIsTheSameRun) {
  Exhaust all(2);
  std::size_t runs = 0;
  while (all.next()) {
    const auto text = run(all, {.order_only = true});
    if (++runs % 50 != 1) continue;
    const auto again = make_choice(all.replay());
    ASSERT_EQ(run(*again, {.order_only = true}), text) << all.replay();
  }
  EXPECT_GT(runs, 100U);
}

}  // namespace
}  // namespace cutover::harness
