// A network of one process for the unit tests of SIP elements: connections without loss, time moved by hand.
#pragma once

#include "protocol/base/node.h"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace cutover {

class TestNetwork {
 public:
  class Host;
  Host& host(const std::string& address);
  /// Runs what is queued, then moves time to each wake-up up to now + duration.
  void run(Duration duration = 1ms);
  Time now{1us};
  bool deliver_in_single_octets = false;

 private:
  struct End {
    Host* host = nullptr;
    Actor* actor = nullptr;
    ConnectionId other = ConnectionId::none;
    bool sent_fin = false;
  };
  struct Event {
    enum class Kind { accepted, connected, refused, octets, eof, closed } kind;
    ConnectionId id;
    std::string text;
    std::uint16_t port = 0;
    Endpoint peer;
  };
  void deliver(const Event&);
  std::map<std::string, std::unique_ptr<Host>> hosts_;
  std::map<ConnectionId, End> ends_;
  std::deque<Event> events_;
  std::map<Actor*, Time> wakes_;
  std::uint64_t ids_ = 0;
  std::uint64_t random_ = 1;
  friend class Host;
};

class TestNetwork::Host final : public Context {
 public:
  Host(TestNetwork& network, std::string address) : network_(network), address_(std::move(address)) {}
  std::vector<Note> notes;

  Time now() const override { return network_.now; }
  std::time_t wall_clock() const override { return 1'700'000'000; }
  std::uint64_t random(std::uint64_t bound) override {
    network_.random_ = network_.random_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return (network_.random_ >> 20) % bound;
  }
  const std::string& address() const override { return address_; }
  void listen(Actor& actor, std::uint16_t port) override { listeners[port] = &actor; }
  void stop_listening(std::uint16_t port) override { listeners.erase(port); }
  ConnectionId connect(Actor& actor, const Endpoint& to) override {
    const auto id = static_cast<ConnectionId>(++network_.ids_);
    network_.ends_[id] = {this, &actor, ConnectionId::none, false};
    const auto host = network_.hosts_.find(to.address);
    if (host == network_.hosts_.end() || !host->second->listeners.contains(to.port)) {
      network_.events_.push_back({Event::Kind::refused, id, "connection refused", 0, {}});
      return id;
    }
    const auto other = static_cast<ConnectionId>(++network_.ids_);
    network_.ends_[other] = {host->second.get(), host->second->listeners.at(to.port), id, false};
    network_.ends_[id].other = other;
    network_.events_.push_back({Event::Kind::accepted, other, "", to.port, {address_, 40000}});
    network_.events_.push_back({Event::Kind::connected, id, "", 0, {}});
    return id;
  }
  void send(ConnectionId id, std::string_view bytes) override {
    if (network_.ends_.contains(id))
      network_.events_.push_back({Event::Kind::octets, network_.ends_[id].other, std::string(bytes), 0, {}});
  }
  void shutdown(ConnectionId id) override {
    if (!network_.ends_.contains(id) || network_.ends_[id].sent_fin) return;
    const auto other = network_.ends_[id].other;
    network_.ends_[id].sent_fin = true;
    network_.events_.push_back({Event::Kind::eof, other, "", 0, {}});
    if (!network_.ends_.contains(other) || !network_.ends_[other].sent_fin) return;
    network_.events_.push_back({Event::Kind::closed, id, "closed", 0, {}});
    network_.events_.push_back({Event::Kind::closed, other, "closed", 0, {}});
  }
  void abort(ConnectionId id) override {
    if (!network_.ends_.contains(id)) return;
    network_.events_.push_back({Event::Kind::closed, network_.ends_[id].other, "reset", 0, {}});
    network_.ends_.erase(id);
  }
  void hand_over(ConnectionId id, Actor& actor) override { network_.ends_[id].actor = &actor; }
  std::uint16_t bind_datagram(Actor&, std::uint16_t port) override { return port; }
  void unbind_datagram(std::uint16_t) override {}
  void send_to(std::uint16_t, const Endpoint&, std::string_view) override {}
  void wake_at(Actor& actor, Time when) override { network_.wakes_[&actor] = when; }
  void cancel_wake(Actor& actor) override { network_.wakes_.erase(&actor); }
  void note(Note note) override { notes.push_back(std::move(note)); }
  void forget(Actor& actor) override {
    network_.wakes_.erase(&actor);
    std::erase_if(listeners, [&](const auto& entry) { return entry.second == &actor; });
    std::vector<ConnectionId> mine;
    for (const auto& [id, end] : network_.ends_)
      if (end.actor == &actor) mine.push_back(id);
    for (const auto id : mine) abort(id);
  }
  std::map<std::uint16_t, Actor*> listeners;

 private:
  TestNetwork& network_;
  std::string address_;
};

inline TestNetwork::Host& TestNetwork::host(const std::string& address) {
  auto& entry = hosts_[address];
  if (!entry) entry = std::make_unique<Host>(*this, address);
  return *entry;
}

inline void TestNetwork::deliver(const Event& event) {
  const auto found = ends_.find(event.id);
  if (found == ends_.end()) return;
  auto& actor = *found->second.actor;
  switch (event.kind) {
    case Event::Kind::accepted:
      return actor.on_accepted(event.id, event.port, event.peer);
    case Event::Kind::connected:
      return actor.on_connected(event.id);
    case Event::Kind::eof:
      return actor.on_eof(event.id);
    case Event::Kind::octets:
      if (!deliver_in_single_octets) return actor.on_received(event.id, event.text);
      for (const char c : event.text) actor.on_received(event.id, std::string_view(&c, 1));
      return;
    case Event::Kind::refused:
      ends_.erase(found);
      return actor.on_connect_failed(event.id, event.text);
    case Event::Kind::closed:
      ends_.erase(found);
      return actor.on_closed(event.id, event.text);
  }
}

inline void TestNetwork::run(Duration duration) {
  const auto end = now + duration;
  for (;;) {
    while (!events_.empty()) {
      const auto event = std::move(events_.front());
      events_.pop_front();
      deliver(event);
    }
    Actor* next = nullptr;
    for (const auto& [actor, when] : wakes_)
      if (when <= end && (next == nullptr || when < wakes_.at(next))) next = actor;
    if (next == nullptr) break;
    now = std::max(now, wakes_.at(next));
    wakes_.erase(next);
    next->on_wake();
  }
  now = end;
}

}  // namespace cutover
