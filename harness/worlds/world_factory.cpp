// Makes simulated and live worlds.
#include "harness/worlds/world_factory.h"

#include "harness/worlds/live_world.h"
#include "harness/worlds/sim_world.h"

namespace cutover::harness {

std::unique_ptr<World> make_world(WorldKind kind, Choice& choice, std::uint64_t seed, int block,
                                  std::map<int, std::string> addresses) {
  if (kind == WorldKind::sim) {
    SimOptions options;
    options.seed = seed;
    return std::make_unique<SimWorld>(choice, options);
  }
  return std::make_unique<LiveWorld>(LiveOptions{.block = block, .seed = seed, .addresses = std::move(addresses)});
}

}  // namespace cutover::harness
