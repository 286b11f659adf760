// Every order of the six steps, and the way back from every state that is met on the way: 720 orders on the real pools,
// gateways and proxy, with TLS of paper.
#include "harness/worlds/sim_world.h"
#include "suites/support/migration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>

namespace cutover::suites {
namespace {

using namespace harness;

using Order = std::array<Step, migration::steps_of_the_document>;

std::string words_of(std::span<const Step> steps) {
  std::vector<int> numbers;
  for (const auto step : steps) numbers.push_back(number_of(step));
  return fmt::format("{}", fmt::join(numbers, " "));
}

/// One deployment in a world of its own.
struct Bench {
  explicit Bench(const Run& run) : world(choice, {.latency = 1ms, .jitter_max = {}, .fragment = false}) {
    deployment =
        std::make_unique<Deployment>(world, DeploymentOptions{.topology = run.topology(),
                                                              .paper_tls = true,
                                                              .planted = run.planted(),
                                                              .every_exchange = run.depth() == stimuli::Depth::deep});
    deployment->bring_up();
  }
  Undisturbed choice;
  SimWorld world;
  std::unique_ptr<Deployment> deployment;
};

class Orders {
 public:
  explicit Orders(Run& run) : run_(run) {}

  void go() {
    Order order{};
    std::ranges::copy(canonical_steps(), order.begin());
    do carry_out(order);
    while (std::ranges::next_permutation(order).found);
  }

  std::size_t orders = 0, impossible = 0, states = 0, exchanges = 0;
  std::vector<std::string> otherwise, not_back;
  std::string whose;

 private:
  /// A state that was met before is looked at no second time.
  void carry_out(const Order& order) {
    ++orders;
    Bench bench(run_);
    for (std::size_t done = 1; done <= order.size(); ++done) {
      const auto so_far = std::span(order).first(done);
      try {
        bench.deployment->carry_out(so_far.back());
      } catch (const migration::OperationError&) {
        ++impossible;  // users cannot be moved to a pool that is not there
        return;
      }
      if (std::ranges::find(met_, bench.deployment->state()) != met_.end()) continue;
      met_.push_back(bench.deployment->state());
      ++states;
      look(*bench.deployment, so_far);
      go_back(so_far);
    }
    if (orders == 1) run_.show(bench.world.trace());  // the document's own
  }

  void look(Deployment& deployment, std::span<const Step> so_far) {
    whose = everybody_in_words(deployment);
    const auto found = deviations(deployment);
    exchanges += found.exchanges;
    for (const auto& one : found.found) otherwise.push_back(fmt::format("after {}: {}", words_of(so_far), one));
  }

  void go_back(std::span<const Step> so_far) {
    Bench bench(run_);
    for (const auto step : so_far) bench.deployment->carry_out(step);
    for (std::size_t i = so_far.size(); i-- > 0;) bench.deployment->undo(so_far[i]);
    const auto found = deviations(*bench.deployment);
    exchanges += found.exchanges;
    const bool legacy = predicted_on(*bench.deployment, Path::legacy) == tried_exchanges(*bench.deployment).size();
    if (!legacy)
      not_back.push_back(fmt::format("after {} and back, not everything is by the legacy path", words_of(so_far)));
    for (const auto& one : found.found) not_back.push_back(fmt::format("after {} and back: {}", words_of(so_far), one));
  }

  Run& run_;
  std::vector<migration::State> met_;
};

void every_order(Run& run) {
  Orders orders(run);
  orders.go();
  CONFORMS_THAT("SEED-10",
                fmt::format("{} exchanges of {} in the {} states of {} orders of the six steps ({} of them impossible)",
                            orders.exchanges, orders.whose, orders.states, orders.orders, orders.impossible),
                orders.otherwise.empty(), "each as the rules predict",
                fmt::format("{}", fmt::join(orders.otherwise, "\n")));
  CONFORMS_THAT("MIG-R02", fmt::format("the exchanges behind the way back from each of the {} states", orders.states),
                orders.not_back.empty(), "as before the first step",
                fmt::format("{}", fmt::join(orders.not_back, "\n")));
}

CUTOVER_CASE(orders){
    .id = "migration.every-order",
    .title =
        "In every order of the six steps, and on the way back from every state, each exchange goes as the rules say",
    .procedure =
        "720 orders of the six steps on deployments of their own. In each state that none met before: messages and "
        "presence between all, both ways; then the same steps again, taken back in reverse, and everybody once more.",
    .accepted =
        "Each exchange by the path that the rules name or its sender told; behind the way back all by the legacy "
        "gateway.",
    .likely_causes = "A route or record that depends on the order in which steps were done, or that an undo leaves.",
    .judges = {{"SEED-10", {"migration.legacy-path-survives"}}, {"MIG-R02", {"migration.undo-forgets-dns"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 24h,
    .takes = 8s,
    .body = every_order};

}  // namespace
}  // namespace cutover::suites
