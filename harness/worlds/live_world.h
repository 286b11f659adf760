// LiveWorld: the same nodes on real sockets of the loopback interface, in real time.
#pragma once

#include "harness/worlds/world.h"

#include <map>

namespace cutover::harness {

struct LiveOptions {
  /// Which 127.a.b.0/24 is ours (0..63999). Two worlds that live at the same time, in whatever process, need two
  /// blocks; then the real ports serve in all of them, and without root all are above 1023.
  int block = 0;
  std::uint64_t seed = 1;  ///< of Context::random
  /// Addresses of hosts that are not in the block: a server elsewhere must be reached from them and reach them.
  std::map<int, std::string> addresses;
  bool notes = true;  ///< keep a trace
  /// Where the system gives no more descriptors nobody is accepted for a while. Otherwise that is a HarnessFault: a
  /// case would wait for what cannot come.
  bool outlasts_shortage = false;
  double time_scale = 1.0;  ///< multiplies the limit of every run_until, for slow machines
};

/// One thread: nodes are called from within run_until and run_for only. A reset discards what is queued.
class LiveWorld final : public World {
 public:
  static constexpr int blocks = 64'000;

  explicit LiveWorld(LiveOptions options = {});
  ~LiveWorld() override;

  [[nodiscard]] WorldKind kind() const override { return WorldKind::live; }
  [[nodiscard]] Time now() const override;
  [[nodiscard]] std::time_t wall_clock() const override;
  [[nodiscard]] std::string address_of(int host) const override;
  void remove(Node& node) override;
  [[noreturn]] void partition(const std::string& node_a, const std::string& node_b) override;
  [[noreturn]] void heal(const std::string& node_a, const std::string& node_b) override;
  [[noreturn]] void close_port(const std::string& from, const std::string& to, std::uint16_t port) override;
  [[noreturn]] void open_port(const std::string& from, const std::string& to, std::uint16_t port) override;
  void cut_connections(const std::string& node_a, const std::string& node_b) override;
  [[nodiscard]] Trace& trace() override;
  void call_strangers(std::string name) override;
  void answer_for(int host, const std::string& domain) override;
  void answer_nameless_for(const std::function<std::string()>& whom) override;
  [[nodiscard]] std::size_t open_connections(const Node& node) const override;

 protected:
  void add_node(std::string name, int host, std::unique_ptr<Node> node) override;
  bool step(Time end) override;
  [[nodiscard]] Time end_of(Duration limit) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutover::harness
