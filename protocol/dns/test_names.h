// A resolver and a name server of one process, in virtual time: for the unit tests of resolvers and of what departs.
#pragma once

#include "protocol/base/check.h"
#include "protocol/dns/resolver.h"
#include "protocol/dns/server.h"

#include <algorithm>
#include <deque>

namespace cutover::dns {

/// One node with one actor; whatever it sends goes to `server`, whose answers come back in deliver().
class TestNames final : public Context {
 public:
  static constexpr const char* client = "127.0.0.9";
  static inline const Endpoint name_server{"127.0.0.1", 10053};
  DnsServer server;
  std::vector<Note> notes;
  int datagrams = 0, connects = 0;
  int lost = 0;  ///< which of them is lost, counted from one
  bool refuse_tcp = false, eof_by_tcp = false;

  Time now() const override { return now_; }
  std::time_t wall_clock() const override { return 0; }
  std::uint64_t random(std::uint64_t bound) override { return ++random_ * 7919 % bound; }
  const std::string& address() const override { return address_; }
  void listen(Actor&, std::uint16_t) override {}
  void stop_listening(std::uint16_t) override {}
  ConnectionId connect(Actor& actor, const Endpoint&) override {
    ++connects;
    const auto id = static_cast<ConnectionId>(connects);
    if (refuse_tcp) post(actor, [&actor, id] { actor.on_connect_failed(id, "connection refused"); });
    actor_of_connections_ = &actor;
    return id;
  }
  void send(ConnectionId id, std::string_view bytes) override {
    auto& actor = *actor_of_connections_;
    if (eof_by_tcp) return post(actor, [&actor, id] { actor.on_eof(id); });
    const auto reply = server.answer(now_, bytes.substr(2), client, Transport::tcp);
    if (!reply || refuse_tcp) return;
    const auto framed =
        std::string{static_cast<char>(reply->size() >> 8), static_cast<char>(reply->size() & 0xff)} + *reply;
    // Single octets, so that the framing is met at every cut.
    for (const char c : framed) post(actor, [&actor, id, c] { actor.on_received(id, std::string(1, c)); });
  }
  void shutdown(ConnectionId) override {}
  void abort(ConnectionId) override {}
  void hand_over(ConnectionId, Actor&) override {}
  std::uint16_t bind_datagram(Actor& actor, std::uint16_t) override {
    bound_ = &actor;
    return 40000;
  }
  void unbind_datagram(std::uint16_t) override { bound_ = nullptr; }
  void send_to(std::uint16_t, const Endpoint& to, std::string_view bytes) override {
    CUTOVER_CHECK(to == name_server);
    if (++datagrams == lost) return;
    if (const auto reply = server.answer(now_, bytes, client, Transport::udp)) datagram(*reply);
  }
  void datagram(std::string bytes, const Endpoint& from = name_server) {
    auto& actor = *bound_;
    post(actor, [&actor, bytes = std::move(bytes), from] { actor.on_datagram(40000, from, bytes); });
  }
  void wake_at(Actor& actor, Time when) override {
    sleeper_ = &actor;
    wake_ = when;
  }
  void cancel_wake(Actor&) override { sleeper_ = nullptr; }
  void note(Note note) override { notes.push_back(std::move(note)); }
  void forget(Actor&) override {
    sleeper_ = nullptr;
    events_.clear();
  }

  void deliver() {
    while (!events_.empty()) {
      const auto event = std::move(events_.front());
      events_.pop_front();
      event();
    }
  }
  void pass(Duration duration) {
    const auto end = now_ + duration;
    deliver();
    while (sleeper_ != nullptr && wake_ <= end) {
      now_ = std::max(now_, wake_);
      std::exchange(sleeper_, nullptr)->on_wake();
      deliver();
    }
    now_ = end;
  }

 private:
  void post(Actor&, std::function<void()> event) { events_.push_back(std::move(event)); }

  Time now_{1us};
  Time wake_;
  std::uint64_t random_ = 0;
  std::string address_ = client;
  Actor* bound_ = nullptr;
  Actor* sleeper_ = nullptr;
  Actor* actor_of_connections_ = nullptr;
  std::deque<std::function<void()>> events_;
};

/// A resolver, the zone a.example, and what a test asks of both.
struct ResolverBench {
  ResolverBench() {
    network.server.add_empty_zone("a.example", 30);
    network.server.set("gw.a.example", Type::a, 100, {"127.0.0.5"});
    network.server.set("_xmpp-server._tcp.a.example", Type::srv, 300, {"0 0 15269 gw.a.example"});
    use({});
  }
  void use(Departures departures) {
    resolver.reset();
    resolver = std::make_unique<Resolver>(
        network, Resolver::Config{.name_server = TestNames::name_server, .departures = std::move(departures)});
  }

  Answer ask(std::string_view name, Type type = Type::a) {
    int calls = 0;
    Answer result;
    resolver->resolve(name, type, [&](Answer answer) {
      ++calls;
      result = std::move(answer);
    });
    network.deliver();
    if (calls == 0) network.pass(60s);
    CUTOVER_CHECK(calls == 1);
    return result;
  }

  XmppTargets targets(std::string_view domain = "a.example") {
    int calls = 0;
    XmppTargets result;
    resolver->resolve_xmpp(domain, [&](XmppTargets answer) {
      ++calls;
      result = std::move(answer);
    });
    network.deliver();
    if (calls == 0) network.pass(60s);
    CUTOVER_CHECK(calls == 1);
    return result;
  }

  static std::vector<std::string> places(const XmppTargets& found) {
    std::vector<std::string> result;
    for (const auto& target : found.targets) {
      result.push_back((target.direct_tls ? "tls:" : "") + target.endpoint.address + ":" +
                       std::to_string(target.endpoint.port));
    }
    return result;
  }

  TestNames network;
  std::unique_ptr<Resolver> resolver;
};

}  // namespace cutover::dns
