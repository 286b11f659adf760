// Servers on a small simulated network: routing, dialback between three, failures, drain and limits.
#include "protocol/xmpp/server.h"

#include "protocol/tls/authority.h"
#include "protocol/xmpp/stanza.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace cutover::xmpp {
namespace {

using enum Negotiation;

constexpr Duration latency = 1ms;

/// Hosts by address, TCP and UDP in order with one latency, wake-ups; nothing else.
struct Net {
  struct End {
    Actor* actor = nullptr;
    std::string host;
    ConnectionId peer = ConnectionId::none;
    bool fin_sent = false, fin_seen = false, dead = false;
  };
  Time now{1s};
  std::map<std::pair<Time, std::uint64_t>, std::function<void()>> queue;
  std::uint64_t sequence = 0, last_id = 0, random_state = 7;
  std::map<ConnectionId, End> ends;
  std::map<Endpoint, Actor*> listeners, sockets;
  std::map<Actor*, std::uint64_t> wakes;
  std::size_t accepted = 0;

  std::uint64_t post(Time when, std::function<void()> what) {
    queue[{when, ++sequence}] = std::move(what);
    return sequence;
  }
  ConnectionId new_id() { return static_cast<ConnectionId>(++last_id); }
  bool step(Time end) {
    if (queue.empty() || queue.begin()->first.first > end) return false;
    const auto next = queue.extract(queue.begin());
    now = std::max(now, next.key().first);
    next.mapped()();
    return true;
  }
  void run(Duration duration) {
    const auto end = now + duration;
    while (step(end)) {
    }
    now = end;
  }
  void close_if_done(ConnectionId id) {
    auto& end = ends[id];
    if (end.dead || !end.fin_sent || !end.fin_seen) return;
    end.dead = true;
    if (end.actor) end.actor->on_closed(id, "closed");
  }
  void reset(ConnectionId id, std::string_view reason) {
    auto& end = ends[id];
    if (end.dead) return;
    end.dead = true;
    if (end.actor) end.actor->on_closed(id, reason);
  }
  /// Resets every connection at both ends and drops what is on the way.
  void cut() {
    std::vector<ConnectionId> all;
    for (const auto& [id, end] : ends) all.push_back(id);
    for (const auto id : all) reset(id, "connection reset");
  }
};

class HostContext final : public Context {
 public:
  HostContext(Net& net, std::string address) : net_(net), address_(std::move(address)) {}
  Time now() const override { return net_.now; }
  std::time_t wall_clock() const override { return 1'700'000'000; }
  std::uint64_t random(std::uint64_t bound) override {
    net_.random_state = net_.random_state * 6364136223846793005U + 1442695040888963407U;
    return (net_.random_state >> 16U) % bound;
  }
  const std::string& address() const override { return address_; }
  void listen(Actor& actor, std::uint16_t port) override { net_.listeners[{address_, port}] = &actor; }
  void stop_listening(std::uint16_t port) override { net_.listeners.erase({address_, port}); }
  ConnectionId connect(Actor& actor, const Endpoint& to) override {
    const auto here = net_.new_id(), there = net_.new_id();
    net_.ends[here] = {&actor, address_, there};
    net_.ends[there] = {nullptr, to.address, here};
    net_.post(net_.now + latency, [this, here, there, to] {
      auto& end = net_.ends[here];
      if (end.dead) return;
      const auto listener = net_.listeners.find(to);
      if (listener == net_.listeners.end()) {
        end.dead = net_.ends[there].dead = true;
        return end.actor->on_connect_failed(here, "connection refused");
      }
      ++net_.accepted;
      net_.ends[there].actor = listener->second;
      listener->second->on_accepted(there, to.port, {address_, 40000});
      if (!net_.ends[here].dead && net_.ends[here].actor) net_.ends[here].actor->on_connected(here);
    });
    return here;
  }
  void send(ConnectionId id, std::string_view bytes) override {
    auto& end = net_.ends[id];
    if (end.dead || end.fin_sent) return;
    net_.post(net_.now + latency, [this, to = end.peer, text = std::string(bytes)] {
      auto& peer = net_.ends[to];
      if (!peer.dead && peer.actor) peer.actor->on_received(to, text);
    });
  }
  void shutdown(ConnectionId id) override {
    auto& end = net_.ends[id];
    if (end.dead || end.fin_sent) return;
    end.fin_sent = true;
    net_.post(net_.now + latency, [this, to = end.peer] {
      auto& peer = net_.ends[to];
      if (peer.dead) return;
      peer.fin_seen = true;
      if (peer.actor) peer.actor->on_eof(to);
      net_.close_if_done(to);
    });
    net_.post(net_.now, [this, id] { net_.close_if_done(id); });
  }
  void abort(ConnectionId id) override {
    auto& end = net_.ends[id];
    if (end.dead) return;
    end.dead = true;
    net_.post(net_.now + latency, [this, to = end.peer] { net_.reset(to, "connection reset"); });
  }
  void hand_over(ConnectionId id, Actor& actor) override { net_.ends[id].actor = &actor; }
  std::uint16_t bind_datagram(Actor& actor, std::uint16_t port) override {
    if (port == 0) port = ++last_port_;
    net_.sockets[{address_, port}] = &actor;
    return port;
  }
  void unbind_datagram(std::uint16_t port) override { net_.sockets.erase({address_, port}); }
  void send_to(std::uint16_t port, const Endpoint& to, std::string_view bytes) override {
    net_.post(net_.now + latency, [this, port, to, text = std::string(bytes)] {
      const auto socket = net_.sockets.find(to);
      if (socket != net_.sockets.end()) socket->second->on_datagram(to.port, {address_, port}, text);
    });
  }
  void wake_at(Actor& actor, Time when) override {
    net_.wakes[&actor] = net_.post(std::max(when, net_.now), [this, who = &actor, number = net_.sequence + 1] {
      const auto found = net_.wakes.find(who);
      if (found == net_.wakes.end() || found->second != number) return;
      net_.wakes.erase(found);
      who->on_wake();
    });
  }
  void cancel_wake(Actor& actor) override { net_.wakes.erase(&actor); }
  void note(Note note) override { notes.push_back(std::move(note)); }
  void forget(Actor& actor) override {
    cancel_wake(actor);
    std::erase_if(net_.listeners, [&](const auto& entry) { return entry.second == &actor; });
    std::erase_if(net_.sockets, [&](const auto& entry) { return entry.second == &actor; });
    for (auto& [id, end] : net_.ends) {
      if (end.actor != &actor) continue;
      abort(id);
      end.actor = nullptr;
    }
  }
  std::vector<Note> notes;

 private:
  Net& net_;
  std::string address_;
  std::uint16_t last_port_ = 30000;
};

/// Answers from a table; everything else does not exist.
struct NameServer final : Actor {
  explicit NameServer(Net& net) : context(net, "10.0.0.53") { context.bind_datagram(*this, 53); }
  void on_datagram(std::uint16_t port, const Endpoint& from, std::string_view bytes) override {
    auto query = dns::parse(bytes);
    if (!query || query->questions.empty()) return;
    query->response = query->authoritative = true;
    const auto& question = query->questions.front();
    const auto records = zone.find(question.name);
    if (records == zone.end()) query->rcode = dns::Rcode::name_error;
    if (records != zone.end()) {
      for (const auto& record : records->second) {
        if (record.type == question.type) query->answers.push_back(record);
      }
    }
    context.send_to(port, from, dns::serialise(*query));
  }
  void serve(const std::string& domain, const std::vector<std::string>& addresses, std::uint32_t ttl_s = 1) {
    auto& srv = zone["_xmpp-server._tcp." + domain];
    srv.clear();
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      const auto host = "h" + std::to_string(i) + "-" + addresses[i].substr(addresses[i].rfind('.') + 1) + "." + domain;
      srv.push_back({"_xmpp-server._tcp." + domain, dns::Type::srv, ttl_s, std::to_string(i) + " 0 5269 " + host});
      zone[host] = {{host, dns::Type::a, ttl_s, addresses[i]}};
    }
  }
  std::map<std::string, std::vector<dns::Record>> zone;
  HostContext context;
};

/// A server and its owner, who writes everything down.
struct Host final : ServerOwner {
  Host(Net& net, std::string address, ServerConfig config)
      : context(net, std::move(address)),
        resolver(context, {.name_server = {"10.0.0.53", 53}}),
        server(context, std::move(config), resolver, *this) {
    server.open();
  }
  void on_stanza(const xml::Element& stanza, std::string_view) override {
    received.push_back(stanza.child("body", "jabber:server")->text());
  }
  void on_undeliverable(const xml::Element& stanza, std::string_view condition) override {
    undeliverable.push_back(stanza.child("body", "jabber:server")->text() + " " + std::string(condition));
  }
  HostContext context;
  dns::Resolver resolver;
  Server server;
  std::vector<std::string> received, undeliverable;
};

tls::Authority& authority() {
  static const auto instance = tls::make_paper_authority(1'700'000'000);
  return *instance;
}

ServerConfig server_for(const std::string& domain, const PeerPolicy& policy = {}) {
  ServerConfig out;
  out.domains = {domain};
  out.identity = authority().issue({.names = {{tls::NameKind::dns, domain}}});
  out.policy = [policy](std::string_view) { return policy; };
  out.dialback_secret = "secret of " + domain;
  return out;
}

class ServerTest : public testing::Test {
 protected:
  Host& add(std::string address, ServerConfig config) {
    hosts_.push_back(std::make_unique<Host>(net, std::move(address), std::move(config)));
    return *hosts_.back();
  }
  static void send(Host& from, const std::string& body, const std::string& to = "b.example") {
    from.server.send(make_message("romeo@a.example", "juliet@" + to, body));
  }
  Net net;
  NameServer names{net};

 private:
  std::vector<std::unique_ptr<Host>> hosts_;
};

const PeerPolicy dialback_only{.tls = optional, .sasl = not_supported};

TEST_F(ServerTest, DeliversInOrderOverOneStream) {
  names.serve("b.example", {"10.0.0.2"});
  auto& a = add("10.0.0.1", server_for("a.example"));
  auto& b = add("10.0.0.2", server_for("b.example"));
  std::vector<std::string> sent;
  for (int i = 0; i < 50; ++i) {
    sent.push_back(std::to_string(i));
    send(a, sent.back());
    if (i == 25) net.run(100ms);
  }
  net.run(1s);
  EXPECT_EQ(b.received, sent);
  EXPECT_TRUE(a.undeliverable.empty());
  ASSERT_EQ(a.server.streams().size(), 1U);
  const auto stream = a.server.streams().front();
  EXPECT_EQ(stream.method, AuthenticationMethod::sasl_external);
  EXPECT_EQ(stream.state, "open");
  EXPECT_EQ(stream.tls_version, "paper");
}

TEST_F(ServerTest, DialbackAsksTheServerThatDnsNames) {
  names.serve("b.example", {"10.0.0.2"});
  names.serve("a.example", {"10.0.0.3"});
  auto& originating = add("10.0.0.1", server_for("a.example", dialback_only));
  auto& receiving = add("10.0.0.2", server_for("b.example", dialback_only));
  add("10.0.0.3", server_for("a.example", dialback_only));  // authoritative, with the same secret
  send(originating, "hello");
  net.run(1s);
  EXPECT_EQ(receiving.received, std::vector<std::string>{"hello"});
  EXPECT_EQ(originating.server.streams().front().method, AuthenticationMethod::dialback);
  EXPECT_EQ(receiving.server.streams().size(), 1U) << "the stream for the verification is closed again";
}

TEST_F(ServerTest, AnImpostorIsNotBelieved) {
  names.serve("b.example", {"10.0.0.2"});
  names.serve("a.example", {"10.0.0.3"});
  auto settings = server_for("a.example", dialback_only);
  settings.dialback_secret = "guessed";
  auto& impostor = add("10.0.0.1", settings);
  auto& receiving = add("10.0.0.2", server_for("b.example", dialback_only));
  add("10.0.0.3", server_for("a.example", dialback_only));
  send(impostor, "hello");
  net.run(10s);
  EXPECT_TRUE(receiving.received.empty());
  EXPECT_EQ(impostor.undeliverable, std::vector<std::string>{"hello internal-server-error"});
  EXPECT_TRUE(impostor.server.streams().empty() && receiving.server.streams().empty());
}

TEST_F(ServerTest, AnUnreachableAuthorityIsADialbackError) {
  names.serve("b.example", {"10.0.0.2"});
  auto& a = add("10.0.0.1", server_for("a.example", dialback_only));
  auto& b = add("10.0.0.2", server_for("b.example", dialback_only));
  send(a, "no record");
  net.run(20s);
  names.serve("a.example", {"10.0.0.99"});
  net.run(61s);  // the negative answer is forgotten
  send(a, "no host");
  net.run(20s);
  EXPECT_TRUE(b.received.empty());
  EXPECT_EQ(a.undeliverable,
            (std::vector<std::string>{"no record remote-server-timeout", "no host remote-server-timeout"}));
}

TEST_F(ServerTest, ReportsWhatCannotBeDelivered) {
  names.serve("refused.example", {"10.0.0.9"});
  names.zone["_xmpp-server._tcp.none.example"] = {{"_xmpp-server._tcp.none.example", dns::Type::srv, 1, "0 0 0 ."}};
  auto& a = add("10.0.0.1", server_for("a.example"));
  send(a, "1", "missing.example");
  send(a, "2", "refused.example");
  send(a, "3", "none.example");
  a.server.send(make_message("romeo@a.example", "@", "4"));
  net.run(60s);
  EXPECT_EQ(std::set<std::string>(a.undeliverable.begin(), a.undeliverable.end()),
            (std::set<std::string>{"1 remote-server-not-found", "2 remote-server-timeout", "3 remote-server-not-found",
                                   "4 jid-malformed"}));
}

TEST_F(ServerTest, TriesEveryTarget) {
  names.serve("b.example", {"10.0.0.8", "10.0.0.9", "10.0.0.2"});
  auto& a = add("10.0.0.1", server_for("a.example"));
  auto& b = add("10.0.0.2", server_for("b.example"));
  send(a, "hello");
  net.run(1s);
  EXPECT_EQ(b.received, std::vector<std::string>{"hello"});
}

TEST_F(ServerTest, RefusesStrangers) {
  names.serve("b.example", {"10.0.0.2"});
  auto& a = add("10.0.0.1", server_for("a.example"));
  auto& b = add("10.0.0.2", server_for("b.example", {.allowed = false}));
  send(a, "hello");
  b.server.send(make_message("juliet@b.example", "romeo@a.example", "back"));
  net.run(10s);
  EXPECT_TRUE(b.received.empty());
  EXPECT_EQ(a.undeliverable, std::vector<std::string>{"hello remote-server-timeout"});
  EXPECT_EQ(b.undeliverable, std::vector<std::string>{"back not-allowed"});
}

TEST_F(ServerTest, DrainDeliversWhatIsUnderWayAndTheRestGoesToTheNewServer) {
  names.serve("b.example", {"10.0.0.2"});
  auto& a = add("10.0.0.1", server_for("a.example"));
  auto& old_b = add("10.0.0.2", server_for("b.example"));
  auto& new_b = add("10.0.0.3", server_for("b.example"));
  send(a, "1");
  net.run(1s);
  names.serve("b.example", {"10.0.0.3"});
  net.run(2s);
  send(a, "2");
  old_b.server.drain("system-shutdown");
  send(a, "3");
  net.run(1ms);
  send(a, "4");
  net.run(5ms);
  send(a, "5");
  net.run(5s);
  EXPECT_EQ(old_b.received, (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(new_b.received, (std::vector<std::string>{"4", "5"}));
  EXPECT_TRUE(a.undeliverable.empty());
  EXPECT_TRUE(old_b.server.drained());
  EXPECT_FALSE(new_b.server.drained());
}

TEST_F(ServerTest, ABrokenConnectionIsReportedAndNothingIsSentTwice) {
  names.serve("b.example", {"10.0.0.2"});
  auto& a = add("10.0.0.1", server_for("a.example"));
  auto& b = add("10.0.0.2", server_for("b.example"));
  send(a, "1");
  net.run(40s);
  send(a, "2");
  net.cut();
  net.run(100ms);
  send(a, "3");
  net.run(1s);
  EXPECT_EQ(b.received, (std::vector<std::string>{"1", "3"}));
  EXPECT_EQ(a.undeliverable, std::vector<std::string>{"2 remote-server-timeout"});
}

TEST_F(ServerTest, IdleStreamsCloseAndComeBackWithTraffic) {
  names.serve("b.example", {"10.0.0.2"});
  auto& a = add("10.0.0.1", server_for("a.example"));
  auto& b = add("10.0.0.2", server_for("b.example"));
  send(a, "1");
  net.run(700s);
  EXPECT_TRUE(a.server.streams().empty() && b.server.streams().empty());
  EXPECT_EQ(net.accepted, 1U) << "no connection without traffic";
  send(a, "2");
  net.run(1s);
  EXPECT_EQ(b.received, (std::vector<std::string>{"1", "2"}));
}

TEST_F(ServerTest, ConnectionsAreLimited) {
  names.serve("b.example", {"10.0.0.2"});
  auto limited = server_for("b.example");
  limited.connections_max = 1;
  auto& a1 = add("10.0.0.1", server_for("a.example"));
  auto& a2 = add("10.0.0.4", server_for("a.example"));
  auto& b = add("10.0.0.2", limited);
  send(a1, "1");
  net.run(1s);
  send(a2, "2");
  net.run(10s);
  EXPECT_EQ(b.received, std::vector<std::string>{"1"});
  EXPECT_EQ(a2.undeliverable, std::vector<std::string>{"2 remote-server-timeout"});
}

TEST_F(ServerTest, APartnerThatIsRemovedIsClosed) {
  names.serve("b.example", {"10.0.0.2"});
  auto& a = add("10.0.0.1", server_for("a.example"));
  auto& b = add("10.0.0.2", server_for("b.example"));
  send(a, "1");
  net.run(1s);
  b.server.close_streams_with("a.example", "policy-violation");
  net.run(10s);
  EXPECT_TRUE(a.server.streams().empty() && b.server.streams().empty());
}

TEST_F(ServerTest, NotesWhatIsOnTheWire) {
  names.serve("b.example", {"10.0.0.2"});
  auto& a = add("10.0.0.1", server_for("a.example"));
  auto& b = add("10.0.0.2", server_for("b.example"));
  send(a, "hello");
  net.run(1s);
  const auto noted = [](const Host& host, Layer layer, Direction direction, std::string_view summary) {
    return std::ranges::any_of(host.context.notes, [&](const Note& note) {
      return note.layer == layer && note.direction == direction && note.summary.find(summary) != std::string::npos;
    });
  };
  EXPECT_TRUE(noted(a, Layer::xmpp, Direction::out, "message chat romeo@a.example > juliet@b.example"));
  EXPECT_TRUE(noted(b, Layer::xmpp, Direction::in, "message chat romeo@a.example > juliet@b.example"));
  EXPECT_TRUE(noted(b, Layer::xmpp, Direction::out, "stream:features"));
  EXPECT_TRUE(noted(b, Layer::tls, Direction::none, "TLS established"));
}

}  // namespace
}  // namespace cutover::xmpp
