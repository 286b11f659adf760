// Partners take the kinds in turn.
#include "harness/bench/rehearsals.h"

#include "harness/migration/exploration.h"
#include "harness/migration/plan_file.h"
#include "protocol/base/check.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <vector>

namespace cutover::harness {

namespace {

constexpr std::array kinds{
    "{kind: external, configured-as: {type: Federated}}",
    "{kind: dialback, configured-as: {type: Federated, sasl: NotSupported}}",
    "{kind: dialback-in-clear, configured-as: {tls: NotSupported, sasl: NotSupported, keep-alive: false}}",
    "{kind: external, dialback-over-tls: true, cache: 2h, configured-as: {type: Federated, sasl: Optional}}",
};

double cpu_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

std::string plan_of_size(std::size_t partners, std::size_t classes, std::size_t users) {
  std::string text = R"(name: A migration of some size
estate:
  sip-domains: [a.example, b.example]
  pools: {old: {side: legacy}, new1: {side: new}, new2: {side: new}}
  edges: {edge: {members: [one, two]}}
  certificates: {edge: {names: [a.example, b.example]}}
  users:
)";
  for (std::size_t i = 0; i < classes; ++i)
    text += fmt::format("    class{}: {{count: {}, pool: old, domain: {}.example}}\n", i, users / classes,
                        i % 2 == 0 ? "a" : "b");
  text += "  partners:\n";
  for (std::size_t i = 0; i < partners; ++i)
    text += fmt::format("    p{}.example: {}\n", i, kinds.at(i % kinds.size()));
  return text + R"(steps:
  - {name: Pools, do: step-1}
  - {name: Edge, at: 1h, do: step-2}
  - {name: Users, at: 2h, takes: 3h, do: step-3}
  - {name: Policies and certificate, at: 6h, do: step-4}
  - {name: XMPP federation, at: 7h, takes: 15m, do: step-5}
  - {name: DNS, at: 8h, do: step-6}
  - {name: Drain, at: 10h, do: [drain-streams, stop-legacy-gateway]}
)";
}

double rehearsal_cpu_s(std::size_t partners, std::size_t classes, std::size_t users) {
  const auto text = plan_of_size(partners, classes, users);
  const auto begin = cpu_s();
  const auto rehearsal = migration::rehearse(migration::parse_plan(text, "bench.yaml"));
  const auto proposals = migration::proposals_for(rehearsal);
  if (rehearsal.windows.empty() || proposals.empty()) throw HarnessFault("bench: a rehearsal without losses");
  return cpu_s() - begin;
}

double model_schedules_per_minute() {
  constexpr std::size_t partners = 6, classes = 5, users = 5000;
  const auto plan = migration::parse_plan(plan_of_size(partners, classes, users), "bench.yaml");
  std::vector<migration::Order> possible;
  for (const auto& one : migration::orders_of(plan).by_loss) {
    if (one.impossible.empty()) possible.push_back(one.order);
  }
  const auto begin = cpu_s();
  const auto explored = migration::explore_orders(plan, possible);
  return static_cast<double>(explored.schedules) * 60 / (cpu_s() - begin);
}

}  // namespace cutover::harness
