// What every world keeps of its nodes, however it carries their octets: who lives where, and which ports, connections
// and wake-ups are whose.
#pragma once

#include "harness/worlds/choice.h"
#include "harness/worlds/trace.h"
#include "protocol/base/check.h"
#include "protocol/base/node.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cutover::harness {

enum class EndState { connecting, open, dead };

/// One end of a connection, as any world knows it.
struct EndBooks {
  Actor* owner = nullptr;
  EndState state = EndState::connecting;
  bool fin_wanted = false, fin_sent = false, fin_seen = false;
};

/// One machine of a world. `Listener` and `DatagramPort` have a member `owner`; `Wake` is what it takes to cancel one;
/// `EndPtr` points to an EndBooks.
template <class Listener, class DatagramPort, class Wake, class EndPtr>
class HostBooks : public Context {
 public:
  /// Each host draws from a sequence of its own, so that one host's draws do not shift another's.
  HostBooks(std::string name, std::string address, int number, std::uint64_t seed)
      : name_(std::move(name)),
        address_(std::move(address)),
        generator_(Generator(seed ^ (static_cast<std::uint64_t>(number) << 48U))
                       .below(std::numeric_limits<std::uint64_t>::max())) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& address() const final { return address_; }
  [[nodiscard]] std::uint64_t random(std::uint64_t bound) final { return generator_.below(bound); }
  /// Who comes to an address where others were before draws apart from them: ids of streams are never repeated.
  void comes_after(std::size_t others) {
    if (others > 0) generator_ = Generator(generator_.below(std::numeric_limits<std::uint64_t>::max()) ^ others);
  }

  void stop_listening(std::uint16_t port) final {
    if (auto listener = listeners_.extract(port)) close(listener.mapped());
  }
  void unbind_datagram(std::uint16_t port) final {
    if (auto bound = datagram_ports_.extract(port)) close(bound.mapped());
  }
  void cancel_wake(Actor& actor) final {
    if (auto wake = wakes_.extract(&actor)) cancel(wake.mapped());
  }
  void hand_over(ConnectionId id, Actor& actor) final {
    if (const auto end = own(id)) end->owner = &actor;
  }
  void abort(ConnectionId id) final {
    if (const auto end = own(id)) reset(id, end);
  }
  void note(Note note) final {
    if (!keeps_notes()) return;
    TraceRecord record{.time = now(), .node = name_, .peer = {}, .connection = {}, .note = std::move(note)};
    name_other_end(record);
    trace().append(std::move(record));
  }
  void forget(Actor& actor) final {
    cancel_wake(actor);
    close_all(listeners_, &actor);
    close_all(datagram_ports_, &actor);
    for (const auto& [id, end] : connections())
      if (end->owner == &actor) reset(id, end);
  }

  /// The node is gone: its connections are reset, its ports closed, its wake-ups cancelled.
  void close_everything() {
    close_all(listeners_, nullptr);
    close_all(datagram_ports_, nullptr);
    for (const auto& [actor, wake] : wakes_) cancel(wake);
    wakes_.clear();
    for (const auto& [id, end] : connections()) reset(id, end);
  }
  /// Those that are not dead, in the order of their birth; a copy, for whoever ends them.
  [[nodiscard]] std::vector<std::pair<ConnectionId, EndPtr>> connections() const {
    return {connections_.begin(), connections_.end()};
  }
  [[nodiscard]] std::size_t open_connections() const { return connections_.size(); }
  [[nodiscard]] Listener* listener_at(std::uint16_t port) { return found(listeners_, port); }
  [[nodiscard]] DatagramPort* datagram_port_at(std::uint16_t port) { return found(datagram_ports_, port); }

 protected:
  /// The end of that connection; null where it is dead, or another host's.
  [[nodiscard]] EndPtr own(ConnectionId id) const {
    const auto entry = connections_.find(id);
    return entry == connections_.end() ? EndPtr() : entry->second;
  }

  // What a kind of world does for itself.
  virtual void reset(ConnectionId, const EndPtr&) = 0;
  virtual void close(const Listener&) {}
  virtual void close(const DatagramPort&) {}
  virtual void cancel(const Wake&) = 0;
  virtual void name_other_end(TraceRecord&) = 0;
  [[nodiscard]] virtual Trace& trace() = 0;

  std::map<std::uint16_t, Listener> listeners_;
  std::map<std::uint16_t, DatagramPort> datagram_ports_;
  std::map<const Actor*, Wake> wakes_;
  std::map<ConnectionId, EndPtr> connections_;

 private:
  template <class Ports>
  [[nodiscard]] static auto* found(Ports& ports, std::uint16_t port) {
    const auto entry = ports.find(port);
    return entry == ports.end() ? nullptr : &entry->second;
  }
  /// Those of an actor; of every actor with null.
  template <class Ports>
  void close_all(Ports& ports, const Actor* owner) {
    std::erase_if(ports, [&](const auto& entry) {
      const bool its = owner == nullptr || entry.second.owner == owner;
      if (its) close(entry.second);
      return its;
    });
  }

  std::string name_, address_;
  Generator generator_;
};

/// The machines of a world in the order of their births. A host outlives its node, whose destructor still speaks to it,
/// and the trace to its name.
template <class Host>
class Machines {
 public:
  /// Starts the node on the host. Throws HarnessFault where the name, or an address that is not shared, is taken, and
  /// whatever the start throws; the node is gone then.
  void add(std::unique_ptr<Host> host, std::unique_ptr<Node> node, bool shares_address = false) {
    if (find(host->name()) != nullptr) throw HarnessFault("two nodes of one name: " + host->name());
    if (!shares_address && at_address(host->address()) != nullptr)
      throw HarnessFault("two nodes at one address: " + host->address());
    const auto earlier = std::ranges::count(all_, host->address(), [](const auto& one) { return one.host->address(); });
    host->comes_after(static_cast<std::size_t>(earlier));
    by_address_.emplace(host->address(), host.get());
    auto& started = *node;
    auto& context = *host;
    all_.push_back({std::move(host), std::move(node)});
    try {
      started.start(context);
    } catch (...) {
      remove(started);
      throw;
    }
  }
  void remove(Node& node) {
    const auto machine = std::ranges::find_if(all_, [&](const auto& one) { return one.node.get() == &node; });
    if (machine == all_.end()) throw HarnessFault("remove: not a node of this world");
    auto& host = *machine->host;
    const auto doomed = std::move(machine->node);
    host.close_everything();
    std::erase_if(by_address_, [&](const auto& entry) { return entry.second == &host; });
  }
  /// Destroys the nodes, the youngest first; `leave` sees to what each has not let go of.
  template <class Leave>
  void clear(const Leave& leave) {
    for (auto machine = all_.rbegin(); machine != all_.rend(); ++machine) {
      machine->node.reset();
      leave(*machine->host);
    }
  }

  [[nodiscard]] Host& named(const std::string& name) const {
    auto* host = find(name);
    if (host == nullptr) throw HarnessFault("no such node: " + name);
    return *host;
  }
  /// The oldest at that address; null where there is none.
  [[nodiscard]] Host* at_address(const std::string& address) const {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? nullptr : found->second;
  }
  [[nodiscard]] Host& of(const Node& node) const {
    const auto machine = std::ranges::find_if(all_, [&](const auto& one) { return one.node.get() == &node; });
    if (machine == all_.end()) throw HarnessFault("not a node of this world");
    return *machine->host;
  }
  /// Null for none, or one that was removed.
  [[nodiscard]] Host* find(const std::string& name) const {
    const auto found =
        std::ranges::find_if(all_, [&](const auto& one) { return one.node != nullptr && one.host->name() == name; });
    return found == all_.end() ? nullptr : found->host.get();
  }

 private:
  struct Machine {
    std::unique_ptr<Host> host;
    std::unique_ptr<Node> node;  // null once removed
  };

  std::vector<Machine> all_;
  std::multimap<std::string, Host*> by_address_;
};

}  // namespace cutover::harness
