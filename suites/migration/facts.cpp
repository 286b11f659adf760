// The facts of the migration against the wire: what the documents say becomes of an exchange in a state.
#include "harness/deployment/facts_on_the_wire.h"
#include "harness/judging/case.h"
#include "harness/judging/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <regex>

namespace cutover::suites {
namespace {

using namespace harness;

/// The item of the catalogue that a fact speaks of: the first case that it names, or that of its section.
std::string requirement_of(const migration::Fact& fact) {
  static const std::regex named(R"(\b([PODNASRC]\d\d)\b)");
  std::smatch found;
  if (std::regex_search(fact.source, found, named)) return "MIG-" + found[1].str();
  return "SEED-10";
}

void hold_facts(Run& run) {
  const auto& facts = migration::embedded_facts();
  std::map<std::string, std::vector<std::string>> wrong;
  std::map<std::string, std::size_t> held;
  for (const auto& fact : facts.all) {
    if (!shown_by_nodes(facts, fact)) continue;
    const auto requirement = requirement_of(fact);
    ++held[requirement];
    const auto words = contradiction_on_the_wire(facts, fact, run.planted());
    if (!words.empty()) wrong[requirement].push_back(words);
  }
  for (const auto& [requirement, count] : held) {
    const auto& contradicted = wrong[requirement];
    CONFORMS_THAT(requirement.c_str(), fmt::format("{} facts of the documents", count), contradicted.empty(),
                  "as they say", fmt::format("{}", fmt::join(contradicted, "\n")));
  }
}

CUTOVER_CASE(facts){
    .id = "migration.facts",
    .title = "What the documents say becomes of an exchange in a state of the migration is what becomes of it",
    .procedure = "For each fact that the nodes can show: a deployment in that state, and its exchange.",
    .accepted = "Delivered by the path that the fact names, or its sender is told.",
    .likely_causes = "A route, a policy or a negotiation that does otherwise than the product's documents say.",
    .judges = {{"SEED-10", {"migration.legacy-path-survives"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .staging = Staging::bench_only,
    .live = false,
    .budget = 24h,
    .takes = 5s,
    .body = hold_facts};

}  // namespace
}  // namespace cutover::suites
