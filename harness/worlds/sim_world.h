// SimWorld: a network in one thread with a virtual clock, where the same choices give the same bytes.
#pragma once

#include "harness/worlds/choice.h"
#include "harness/worlds/world.h"

namespace cutover::harness {

struct SimOptions {
  std::uint64_t seed = 1;     ///< of Context::random
  Duration latency = 1ms;     ///< of every segment and datagram, one way
  Duration jitter_max = 4ms;  ///< below this, decided by the choice, is added to the latency of each segment
  bool fragment = true;       ///< the choice cuts what is sent into segments
  /// For exploration: no cuts and no jitter; the choice decides which connection's next segment (or which datagram)
  /// arrives first among all in flight, detouring from first in, first out.
  bool order_only = false;
  bool notes = true;                  ///< keep a trace
  Duration connect_timeout = 21s;     ///< of a connect across a partition; what Windows takes for three SYNs
  std::time_t epoch = 1'767'225'600;  ///< wall clock at time zero: 2026-01-01 00:00:00 UTC
};

/// Connections are in order and reliable; a partition stalls them, and they go on when it heals. A refused connect
/// takes a round trip. A reset arrives after what was sent before it, except where cut_connections destroys what is in
/// flight.
class SimWorld final : public World {
 public:
  explicit SimWorld(Choice& choice, SimOptions options = {});
  ~SimWorld() override;

  [[nodiscard]] WorldKind kind() const override { return WorldKind::sim; }
  [[nodiscard]] Time now() const override;
  [[nodiscard]] std::time_t wall_clock() const override;
  [[nodiscard]] std::string address_of(int host) const override;
  void remove(Node& node) override;
  void partition(const std::string& node_a, const std::string& node_b) override;
  void heal(const std::string& node_a, const std::string& node_b) override;
  void close_port(const std::string& from, const std::string& to, std::uint16_t port) override;
  void open_port(const std::string& from, const std::string& to, std::uint16_t port) override;
  void cut_connections(const std::string& node_a, const std::string& node_b) override;
  [[nodiscard]] Trace& trace() override;
  [[nodiscard]] std::size_t open_connections(const Node& node) const override;

 protected:
  void add_node(std::string name, int host, std::unique_ptr<Node> node) override;
  bool step(Time end) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutover::harness
