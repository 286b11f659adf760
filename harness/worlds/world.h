// World: the network and the clock that nodes live in; simulated or live. The only place that waits.
#pragma once

#include "harness/worlds/trace.h"
#include "protocol/base/node.h"

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>

namespace cutover::harness {

enum class WorldKind { sim, live };

/// Out of a wait that begins after the end that was set with end_at().
struct OutOfTime : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// With our own nodes, and real servers beside them on loopback.
inline constexpr Duration usual_patience = std::chrono::seconds(5);

/// Owns the nodes. Only a case body waits, through run_until; everything that reacts is a Node.
class World {
 public:
  virtual ~World() = default;
  [[nodiscard]] virtual WorldKind kind() const = 0;
  [[nodiscard]] virtual Time now() const = 0;
  [[nodiscard]] virtual std::time_t wall_clock() const = 0;

  /// The address of host number `host` in this world (simulated 1..65535, live 1..254: its block), and a name for the
  /// trace.
  [[nodiscard]] virtual std::string address_of(int host) const = 0;

  /// Adds a node at address_of(host) and starts it. The reference stays valid until remove().
  template <class N>
  N& add(std::string name, int host, std::unique_ptr<N> node) {
    auto& reference = *node;
    add_node(std::move(name), host, std::move(node));
    return reference;
  }
  /// Destroys the node: its connections are reset, its ports closed (a crash; for a clean stop ask the node first).
  virtual void remove(Node&) = 0;

  /// Runs until `condition` holds; false when `limit` of world time came first. Throws HarnessFault when called from
  /// inside a node ("an actor must not wait").
  [[nodiscard]] bool run_until(const std::function<bool()>& condition, Duration limit);
  /// Waits with the patience that the subject is given, and then as long again: how long a server takes is in no text,
  /// so what comes late has come, and is told as late.
  [[nodiscard]] bool await(const std::function<bool()>& condition);
  void have_patience(Duration patience) { patience_ = patience; }
  [[nodiscard]] Duration patience() const { return patience_; }
  /// The longest await() that patience was not enough for, where its condition came to hold in the end.
  [[nodiscard]] std::optional<Duration> late() const { return late_; }
  /// Lets `duration` of world time pass. Free in a simulated world, real time in a live one: for cases that are about
  /// time.
  void run_for(Duration duration);
  /// No wait lasts beyond that, and none begins after it: who keeps a case waiting ends it, instead of the program.
  void end_at(Time end) { end_ = end; }
  /// What a case waits for that is no patience with its subject, the start of a server, is not counted.
  void put_end_off(Duration by) {
    if (end_) *end_ += by;
  }
  /// A simulated world: runs until nothing is queued but wake-ups later than `horizon`. Live: run_for a short settle is
  /// not offered; prove absence by a marker instead.

  // Faults of the network, between two hosts (simulated worlds only; live throws HarnessFault).
  virtual void partition(const std::string& node_a, const std::string& node_b) = 0;
  virtual void heal(const std::string& node_a, const std::string& node_b) = 0;
  /// A firewall on the way: what `from` calls at that port of `to` vanishes, and connections that it opened there are
  /// cut; what `to` calls at `from` goes on. Either may be added later.
  virtual void close_port(const std::string& from, const std::string& to, std::uint16_t port) = 0;
  virtual void open_port(const std::string& from, const std::string& to, std::uint16_t port) = 0;
  /// Resets every connection between the two, in either world.
  virtual void cut_connections(const std::string& node_a, const std::string& node_b) = 0;

  [[nodiscard]] virtual Trace& trace() = 0;
  /// How the trace names the other end of a connection at an address of no node: a server that runs outside. In a
  /// simulated world there is none.
  virtual void call_strangers(std::string) {}
  /// Several nodes may listen at one address and port where each speaks for a domain: who connects is for the one whose
  /// domain it names, by SNI or in its header. In a simulated world every host has an address of its own.
  virtual void answer_for(int /*host*/, const std::string& /*domain*/) {}
  /// Who connects and names nobody, as by a header of before RFC 3920, is for the domain that `whom` tells then.
  virtual void answer_nameless_for(const std::function<std::string()>& /*whom*/) {}
  /// Connections of a node that are not dead; for the invariant "every engine closed".
  [[nodiscard]] virtual std::size_t open_connections(const Node&) const = 0;

 protected:
  virtual void add_node(std::string name, int host, std::unique_ptr<Node> node) = 0;
  /// One event, or the passing of time up to `end`. False when nothing can happen any more before `end`.
  virtual bool step(Time end) = 0;
  /// When a wait of `limit` that begins now ends; a live world on a slow machine stretches it.
  [[nodiscard]] virtual Time end_of(Duration limit) const { return now() + limit; }

 private:
  void check_end() const;

  bool running_ = false;
  std::optional<Time> end_;
  Duration patience_ = usual_patience;
  std::optional<Duration> late_;
};

}  // namespace cutover::harness
