// The simulated network. Every connection end has a lane: the segments that travel towards it, in order. An event in
// the queue says that the next segment of a lane arrives; so order within a connection cannot break, whatever is
// chosen.
#include "harness/worlds/sim_world.h"

#include "harness/worlds/books.h"
#include "protocol/base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace cutover::harness {

namespace {

enum class SegmentKind { syn, accepted, refused, data, fin, rst };

struct Segment {
  SegmentKind kind;
  std::string bytes;
};

enum class EventKind { arrival, datagram, wake, closed, cut, connect_timeout };

using EventKey = std::pair<Time, std::uint64_t>;  // the number keeps the order of insertion among equal times

struct Listening {
  Actor* owner;
};
struct Bound {
  Actor* owner;
};

}  // namespace

struct SimWorld::Impl {
  class Host;

  struct End : EndBooks {
    Host* host = nullptr;  // null for the far end of a connect that nobody has accepted yet
    std::size_t peer = 0;
    Endpoint local, remote;
    bool initiator = false;
    std::size_t stalled = 0;  // arrivals that a partition holds back
    Time clear;               // when the last segment towards us arrives
    Time connect_started;
    std::deque<Segment> lane;
    std::string unsent;  // given to send() before the connection was there
    std::string peer_name, label;
  };

  struct Event {
    EventKind kind;
    std::uint64_t lane;  // 0: not of the network
    std::size_t end = 0;
    Host* host = nullptr;
    Actor* actor = nullptr;
    Endpoint from, to;
    std::string bytes;
  };

  class Host final : public HostBooks<Listening, Bound, EventKey, End*> {
   public:
    Host(Impl& world, std::string name, std::string address, int number)
        : HostBooks(std::move(name), std::move(address), number, world.options.seed), world_(world) {}

    Time now() const override { return world_.now; }
    std::time_t wall_clock() const override { return world_.wall_clock(); }
    void listen(Actor& actor, std::uint16_t port) override;
    ConnectionId connect(Actor& actor, const Endpoint& to) override;
    void send(ConnectionId id, std::string_view bytes) override;
    void shutdown(ConnectionId id) override;
    std::uint16_t bind_datagram(Actor& actor, std::uint16_t port) override;
    void send_to(std::uint16_t local_port, const Endpoint& to, std::string_view bytes) override;
    void wake_at(Actor& actor, Time when) override;
    bool keeps_notes() const override { return world_.options.notes; }

    End* end_of(ConnectionId id);
    template <class Ports>
    std::uint16_t free_port(const Ports& taken);
    void add(std::size_t number, End& end) { connections_.emplace(static_cast<ConnectionId>(number), &end); }
    void erase(std::size_t number) { connections_.erase(static_cast<ConnectionId>(number)); }
    void woken(const Actor* actor) { wakes_.erase(actor); }

   private:
    void reset(ConnectionId id, End* const&) override { world_.reset(static_cast<std::size_t>(id)); }
    void cancel(const EventKey& wake) override { world_.queue.erase(wake); }
    void name_other_end(TraceRecord& record) override;
    Trace& trace() override { return world_.trace; }

    Impl& world_;
    std::uint16_t next_port_ = 49151;
  };

  Impl(Choice& choice_, SimOptions options_) : choice(choice_), options(options_) {
    if (options.order_only) {
      options.fragment = false;
      options.jitter_max = Duration::zero();
    }
    ends.emplace_back();  // number 0 is ConnectionId::none
  }

  std::time_t wall_clock() const {
    return options.epoch + std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  }
  Host* at_address(const std::string& address) const { return machines.at_address(address); }
  bool parted(const Host* a, const Host* b) const;
  const Host* host_of(const End& end) const { return end.host == nullptr ? at_address(end.local.address) : end.host; }
  /// A partition, or a closed port, is between the two ends.
  bool held_back(const End& end) const;
  void release_stalled();
  void cut(std::size_t number);

  EventKey post(Time when, Event event);
  Duration latency();
  void send_segment(std::size_t towards, SegmentKind kind, std::string bytes);
  void send_bytes(End& from, std::string_view bytes);
  void send_fin(End& from);
  void reset(std::size_t number);
  void bury(End& end);
  std::string name_at(const std::string& address);
  void describe(End& end);

  bool in_flight(const Event& event) const;
  std::map<EventKey, Event>::iterator pick();
  void run(const Event& event);
  void arrive(std::size_t number);
  void arrive_at_listener(End& end, std::size_t number);
  void deliver(End& end, std::size_t number, const Segment& segment);
  void stall(End& end, std::size_t number);
  void datagram(const Event& event);
  void closed(std::size_t number, std::string_view reason);
  void connect_failed(End& end, std::size_t number, std::string_view reason);

  Choice& choice;
  SimOptions options;
  Time now{1us};
  std::uint64_t next_event = 0, next_datagram = 0;
  std::map<EventKey, Event> queue;
  std::vector<std::uint64_t> seen_lanes;                        // scratch of pick()
  std::vector<std::map<EventKey, Event>::iterator> candidates;  // scratch of pick()
  std::deque<End> ends;                                         // index = ConnectionId; never shrinks
  Machines<Host> machines;
  std::set<std::pair<std::string, std::string>> partitions;
  std::set<std::tuple<std::string, std::string, std::uint16_t>> closed_ports;  // from, to, port
  Trace trace;
};

// -- what nodes ask for --------------------------------------------------------------------------------------------

/// The same as own(), but without a look-up: this is asked for everything that is sent.
SimWorld::Impl::End* SimWorld::Impl::Host::end_of(ConnectionId id) {
  const auto number = static_cast<std::size_t>(id);
  if (number == 0 || number >= world_.ends.size()) return nullptr;
  auto& end = world_.ends[number];
  return end.host == this && end.state != EndState::dead ? &end : nullptr;
}

template <class Ports>
std::uint16_t SimWorld::Impl::Host::free_port(const Ports& taken) {
  do next_port_ = next_port_ == 65535 ? 49152 : static_cast<std::uint16_t>(next_port_ + 1);
  while (taken.contains(next_port_));
  return next_port_;
}

void SimWorld::Impl::Host::listen(Actor& actor, std::uint16_t port) {
  if (!listeners_.try_emplace(port, Listening{&actor}).second)
    throw ListenError(fmt::format("cannot listen on {}:{}: Address already in use", address(), port));
}

ConnectionId SimWorld::Impl::Host::connect(Actor& actor, const Endpoint& to) {
  const auto number = world_.ends.size();
  auto& near = world_.ends.emplace_back();
  auto& far = world_.ends.emplace_back();
  near.host = this;
  near.owner = &actor;
  near.initiator = true;
  near.peer = number + 1;
  near.local = far.remote = {address(), free_port(listeners_)};
  near.remote = far.local = to;
  near.connect_started = world_.now;
  far.peer = number;
  add(number, near);
  world_.send_segment(number + 1, SegmentKind::syn, {});
  return static_cast<ConnectionId>(number);
}

void SimWorld::Impl::Host::send(ConnectionId id, std::string_view bytes) {
  auto* end = end_of(id);
  if (end == nullptr || end->fin_wanted) return;
  if (end->state == EndState::connecting) {
    end->unsent += bytes;
  } else {
    world_.send_bytes(*end, bytes);
  }
}

void SimWorld::Impl::Host::shutdown(ConnectionId id) {
  auto* end = end_of(id);
  if (end == nullptr || end->fin_wanted) return;
  end->fin_wanted = true;
  if (end->state == EndState::open) world_.send_fin(*end);
}

std::uint16_t SimWorld::Impl::Host::bind_datagram(Actor& actor, std::uint16_t port) {
  if (port == 0) port = free_port(datagram_ports_);
  if (!datagram_ports_.try_emplace(port, Bound{&actor}).second)
    throw ListenError(fmt::format("cannot bind UDP {}:{}: Address already in use", address(), port));
  return port;
}

void SimWorld::Impl::Host::send_to(std::uint16_t local_port, const Endpoint& to, std::string_view bytes) {
  if (datagram_port_at(local_port) == nullptr) return;
  const auto lane = (1ULL << 63) + ++world_.next_datagram;  // UDP promises no order: each is a lane of its own
  world_.post(world_.now + world_.latency(), {.kind = EventKind::datagram,
                                              .lane = lane,
                                              .from = {address(), local_port},
                                              .to = to,
                                              .bytes = std::string(bytes)});
}

void SimWorld::Impl::Host::wake_at(Actor& actor, Time when) {
  cancel_wake(actor);
  const auto key =
      world_.post(std::max(when, world_.now), {.kind = EventKind::wake, .lane = 0, .host = this, .actor = &actor});
  wakes_[&actor] = key;
}

void SimWorld::Impl::Host::name_other_end(TraceRecord& record) {
  const auto number = static_cast<std::size_t>(record.note.connection);
  if (number != 0 && number < world_.ends.size() && world_.ends[number].host == this) {
    auto& end = world_.ends[number];
    world_.describe(end);
    record.peer = end.peer_name;
    record.connection = end.label;
  } else if (const auto* other = world_.at_address(record.note.address)) {
    record.peer = other->name();
  }
}

// -- who is where --------------------------------------------------------------------------------------------------

bool SimWorld::Impl::parted(const Host* a, const Host* b) const {
  if (partitions.empty() || a == nullptr || b == nullptr) return false;
  return partitions.contains(std::minmax(a->name(), b->name()));
}

bool SimWorld::Impl::held_back(const End& end) const {
  if (partitions.empty() && closed_ports.empty()) return false;
  const auto& other = ends[end.peer];
  const auto *here = host_of(end), *there = host_of(other);
  if (parted(here, there)) return true;
  if (closed_ports.empty() || here == nullptr || there == nullptr) return false;
  const auto& [from, to] = end.initiator ? std::pair(here, there) : std::pair(there, here);
  return closed_ports.contains({from->name(), to->name(), end.initiator ? end.remote.port : end.local.port});
}

void SimWorld::Impl::release_stalled() {
  for (std::size_t number = 1; number < ends.size(); number++) {
    auto& end = ends[number];
    if (end.stalled == 0 || held_back(end)) continue;
    for (; end.stalled > 0; end.stalled--)
      post(now + options.latency, {.kind = EventKind::arrival, .lane = number, .end = number});
  }
}

/// Destroys a connection with what is in flight on it; `number` is an end that has a host.
void SimWorld::Impl::cut(std::size_t number) {
  auto& end = ends[number];
  auto& far = ends[end.peer];
  for (const auto one : {number, end.peer}) {
    ends[one].lane.clear();
    if (ends[one].host != nullptr) post(now, {.kind = EventKind::cut, .lane = 0, .end = one});
  }
  if (far.host == nullptr) bury(far);
}

std::string SimWorld::Impl::name_at(const std::string& address) {
  const auto* host = at_address(address);
  return host == nullptr ? address : host->name();
}

void SimWorld::Impl::describe(End& end) {
  if (!end.label.empty()) return;
  const auto* far = ends[end.peer].host;
  end.peer_name = far == nullptr ? name_at(end.remote.address) : far->name();
  const auto& here = end.host->name();
  end.label = end.initiator ? fmt::format("{} > {}:{}", here, end.peer_name, end.remote.port)
                            : fmt::format("{} > {}:{}", end.peer_name, here, end.local.port);
}

// -- the network ---------------------------------------------------------------------------------------------------

EventKey SimWorld::Impl::post(Time when, Event event) {
  const EventKey key{when, next_event++};
  queue.emplace_hint(queue.end(), key, std::move(event));
  return key;
}

Duration SimWorld::Impl::latency() {
  if (options.jitter_max <= 1us) return options.latency;
  const auto steps = static_cast<std::size_t>(options.jitter_max / 1us);
  return options.latency + static_cast<std::int64_t>(choice.detour(steps)) * 1us;
}

void SimWorld::Impl::send_segment(std::size_t towards, SegmentKind kind, std::string bytes) {
  auto& end = ends[towards];
  if (end.state == EndState::dead) return;
  end.clear = std::max(end.clear, now + latency());
  end.lane.push_back({kind, std::move(bytes)});
  post(end.clear, {.kind = EventKind::arrival, .lane = towards, .end = towards});
}

void SimWorld::Impl::send_bytes(End& from, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = options.fragment ? bytes.size() - choice.detour(bytes.size()) : bytes.size();
    send_segment(from.peer, SegmentKind::data, std::string(bytes.substr(0, size)));
    bytes.remove_prefix(size);
  }
}

void SimWorld::Impl::send_fin(End& from) {
  from.fin_sent = true;
  send_segment(from.peer, SegmentKind::fin, {});
  // The peer was first to close: nothing more can come, but the owner is not told from inside its own call.
  if (from.fin_seen) post(now, {.kind = EventKind::closed, .lane = 0, .end = ends[from.peer].peer});
}

void SimWorld::Impl::reset(std::size_t number) {
  auto& end = ends[number];
  send_segment(end.peer, SegmentKind::rst, {});
  bury(end);
}

void SimWorld::Impl::bury(End& end) {
  end.state = EndState::dead;
  if (end.host != nullptr) end.host->erase(ends[end.peer].peer);
  end.owner = nullptr;
  std::deque<Segment>().swap(end.lane);
  std::string().swap(end.unsent);
}

// -- events --------------------------------------------------------------------------------------------------------

/// Something that the network carries and that will still arrive somewhere.
bool SimWorld::Impl::in_flight(const Event& event) const {
  return event.kind == EventKind::datagram || (event.kind == EventKind::arrival && !ends[event.end].lane.empty());
}

/// The first event, or, where order is to be explored, any segment or datagram in flight that is the next of its lane.
std::map<EventKey, SimWorld::Impl::Event>::iterator SimWorld::Impl::pick() {
  const auto first = queue.begin();
  if (!options.order_only || choice.detours_spent() || !in_flight(first->second)) return first;
  seen_lanes.clear();
  candidates.clear();
  for (auto event = first; event != queue.end(); ++event) {
    const auto lane = event->second.lane;
    if (!in_flight(event->second) || std::ranges::find(seen_lanes, lane) != seen_lanes.end()) continue;
    seen_lanes.push_back(lane);
    candidates.push_back(event);
  }
  return candidates.size() == 1 ? first : candidates[choice.detour(candidates.size())];
}

void SimWorld::Impl::run(const Event& event) {
  switch (event.kind) {
    case EventKind::arrival:
      return arrive(event.end);
    case EventKind::datagram:
      return datagram(event);
    case EventKind::closed:
      return closed(event.end, "closed by both ends");
    case EventKind::cut:
      return closed(event.end, "connection reset by the network");
    case EventKind::connect_timeout:
      if (ends[event.end].state == EndState::connecting)
        connect_failed(ends[event.end], event.end, "connection timed out");
      return;
    case EventKind::wake:
      event.host->woken(event.actor);
      return event.actor->on_wake();
  }
}

void SimWorld::Impl::arrive(std::size_t number) {
  auto& end = ends[number];
  if (end.lane.empty()) return;  // cut or buried while this was in flight
  if (held_back(end)) return stall(end, number);
  if (end.host == nullptr) return arrive_at_listener(end, number);
  auto segment = std::move(end.lane.front());
  end.lane.pop_front();
  deliver(end, number, segment);
}

void SimWorld::Impl::stall(End& end, std::size_t number) {
  end.stalled++;
  const auto kind = end.lane.front().kind;
  if (kind != SegmentKind::syn && kind != SegmentKind::accepted) return;
  const auto initiator = kind == SegmentKind::syn ? end.peer : number;
  post(ends[initiator].connect_started + options.connect_timeout,
       {.kind = EventKind::connect_timeout, .lane = 0, .end = initiator});
}

void SimWorld::Impl::arrive_at_listener(End& end, std::size_t number) {
  end.lane.pop_front();
  auto* host = at_address(end.local.address);
  const auto* listener = host == nullptr ? nullptr : host->listener_at(end.local.port);
  if (listener == nullptr) {
    bury(end);
    return send_segment(end.peer, SegmentKind::refused, {});
  }
  end.host = host;
  end.owner = listener->owner;
  end.state = EndState::open;
  host->add(number, end);
  send_segment(end.peer, SegmentKind::accepted, {});
  end.owner->on_accepted(static_cast<ConnectionId>(number), end.local.port, end.remote);
}

void SimWorld::Impl::deliver(End& end, std::size_t number, const Segment& segment) {
  const auto id = static_cast<ConnectionId>(number);
  switch (segment.kind) {
    case SegmentKind::syn:
      CUTOVER_CHECK(false);
      return;
    case SegmentKind::refused:
      return connect_failed(end, number, "connection refused");
    case SegmentKind::accepted:
      end.state = EndState::open;
      send_bytes(end, std::exchange(end.unsent, {}));
      if (end.fin_wanted) send_fin(end);
      return end.owner->on_connected(id);
    case SegmentKind::data:
      return end.owner->on_received(id, segment.bytes);
    case SegmentKind::fin:
      end.fin_seen = true;
      end.owner->on_eof(id);
      if (end.state != EndState::dead && end.fin_sent) closed(number, "closed by both ends");
      return;
    case SegmentKind::rst:
      if (end.state == EndState::connecting) return connect_failed(end, number, "connection reset");
      return closed(number, "connection reset by the peer");
  }
}

void SimWorld::Impl::datagram(const Event& event) {
  auto* host = at_address(event.to.address);
  if (host == nullptr || parted(host, at_address(event.from.address))) return;
  const auto* bound = host->datagram_port_at(event.to.port);
  if (bound != nullptr) bound->owner->on_datagram(event.to.port, event.from, event.bytes);
}

void SimWorld::Impl::closed(std::size_t number, std::string_view reason) {
  auto& end = ends[number];
  if (end.state == EndState::dead) return;
  if (end.state == EndState::connecting) return connect_failed(end, number, reason);
  auto* owner = end.owner;
  bury(end);
  owner->on_closed(static_cast<ConnectionId>(number), reason);
}

void SimWorld::Impl::connect_failed(End& end, std::size_t number, std::string_view reason) {
  auto* owner = end.owner;
  auto& far = ends[end.peer];
  // Given up, not refused: what may still be under way must not open a connection to nobody.
  if (far.state != EndState::dead && far.host == nullptr) bury(far);
  send_segment(end.peer, SegmentKind::rst, {});
  bury(end);
  owner->on_connect_failed(static_cast<ConnectionId>(number), reason);
}

// -- the world -----------------------------------------------------------------------------------------------------

SimWorld::SimWorld(Choice& choice, SimOptions options) : impl_(std::make_unique<Impl>(choice, options)) {}

SimWorld::~SimWorld() {
  impl_->machines.clear([](const Impl::Host&) {});
}

Time SimWorld::now() const { return impl_->now; }
std::time_t SimWorld::wall_clock() const { return impl_->wall_clock(); }
Trace& SimWorld::trace() { return impl_->trace; }

std::string SimWorld::address_of(int host) const {
  constexpr int block = 256;
  CUTOVER_CHECK(host >= 1 && host < block * block);
  return fmt::format("10.0.{}.{}", host / block, host % block);
}

void SimWorld::add_node(std::string name, int host, std::unique_ptr<Node> node) {
  impl_->machines.add(std::make_unique<Impl::Host>(*impl_, std::move(name), address_of(host), host), std::move(node));
}

void SimWorld::remove(Node& node) { impl_->machines.remove(node); }

void SimWorld::partition(const std::string& node_a, const std::string& node_b) {
  const auto& machines = impl_->machines;
  impl_->partitions.insert(std::minmax(machines.named(node_a).name(), machines.named(node_b).name()));
}

void SimWorld::heal(const std::string& node_a, const std::string& node_b) {
  impl_->partitions.erase(std::minmax(node_a, node_b));
  impl_->release_stalled();
}

void SimWorld::close_port(const std::string& from, const std::string& to, std::uint16_t port) {
  if (!impl_->closed_ports.emplace(from, to, port).second) return;
  const auto* machine = impl_->machines.find(from);
  if (machine == nullptr) return;
  for (const auto& [id, end] : machine->connections()) {
    if (end->initiator && impl_->held_back(*end)) impl_->cut(static_cast<std::size_t>(id));
  }
}

void SimWorld::open_port(const std::string& from, const std::string& to, std::uint16_t port) {
  if (impl_->closed_ports.erase({from, to, port}) != 0) impl_->release_stalled();
}

void SimWorld::cut_connections(const std::string& node_a, const std::string& node_b) {
  const auto& a = impl_->machines.named(node_a);
  const auto& b = impl_->machines.named(node_b);
  for (const auto& [id, near] : a.connections()) {
    if (impl_->host_of(impl_->ends[near->peer]) == &b) impl_->cut(static_cast<std::size_t>(id));
  }
}

std::size_t SimWorld::open_connections(const Node& node) const { return impl_->machines.of(node).open_connections(); }

bool SimWorld::step(Time end) {
  if (impl_->queue.empty() || impl_->queue.begin()->first.first > end) {
    impl_->now = end;
    return false;
  }
  const auto due = impl_->queue.begin()->first.first;  // what is picked instead of the first arrives in its stead
  const auto item = impl_->queue.extract(impl_->pick());
  impl_->now = std::max(impl_->now, due);
  impl_->run(item.mapped());
  return true;
}

}  // namespace cutover::harness
