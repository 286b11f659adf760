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

constexpr char the_rest[] = "SEED-10";

/// The item of the catalogue that a fact speaks of, where a check of it has been seen to fail; the others stand
/// together.
std::string requirement_of(const migration::Fact& fact, const CaseRecord& record) {
  static const std::regex named(R"(\b([PODNASRC]\d\d)\b)");
  std::smatch found;
  if (!std::regex_search(fact.source, found, named)) return the_rest;
  const auto id = "MIG-" + found[1].str();
  const bool judged = std::ranges::any_of(record.judges, [&](const auto& one) { return one.requirement == id; });
  return judged ? id : the_rest;
}

void hold_facts(Run& run) {
  const auto& facts = migration::embedded_facts();
  std::map<std::string, std::vector<std::string>> wrong;
  std::map<std::string, std::size_t> held;
  for (const auto& fact : facts.all) {
    if (!why_left_out(facts, fact).empty()) continue;
    const auto requirement = requirement_of(fact, run.record());
    ++held[requirement];
    // The report shows the first fact, or the first that is contradicted.
    Trace trace;
    const auto words = contradiction_on_the_wire(facts, fact, run.planted(), &trace);
    if (held.size() == 1 && held.begin()->second == 1) run.show(trace);
    if (words.empty()) continue;
    if (wrong.empty()) run.show(trace);
    wrong[requirement].push_back(words);
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
    .judges =
        {{"MIG-A01", {"migration.legacy-path-survives"}},      {"MIG-A02", {"migration.edge-stays-closed"}},
         {"MIG-A03", {"migration.xmpp-without-federation"}},   {"MIG-A04", {"migration.federation-switch-ignored"}},
         {"MIG-A05", {"migration.legacy-path-survives"}},      {"MIG-A06", {"migration.legacy-path-survives"}},
         {"MIG-A08", {"migration.federation-policy-ignored"}}, {"MIG-C01", {"migration.srv-not-repointed"}},
         {"MIG-C02", {"migration.legacy-path-survives"}},      {"MIG-C03", {"migration.legacy-path-survives"}},
         {"MIG-C05", {"migration.srv-not-repointed"}},         {"MIG-C07", {"migration.legacy-path-survives"}},
         {"MIG-C08", {"migration.srv-not-repointed"}},         {"MIG-D03", {"migration.entry-not-judged"}},
         {"MIG-N02", {"migration.edge-stays-closed"}},         {"MIG-N03", {"xmpp.sends-key-against-policy"}},
         {"MIG-N04", {"migration.edge-stays-closed"}},         {"MIG-N05", {"migration.edge-stays-closed"}},
         {"MIG-N07", {"xmpp.dialback-against-policy"}},        {"MIG-N08", {"migration.edge-stays-closed"}},
         {"MIG-N09", {"migration.edge-stays-closed"}},         {"MIG-N12", {"migration.edge-stays-closed"}},
         {"MIG-O01", {"migration.srv-not-repointed"}},         {"MIG-O02", {"migration.moved-user-loses-legacy"}},
         {"MIG-O03", {"migration.detour-by-legacy"}},          {"MIG-O04", {"migration.one-partner-switches-all"}},
         {"MIG-O05", {"migration.legacy-user-passes"}},        {"MIG-O06", {"migration.legacy-path-survives"}},
         {"MIG-O07", {"migration.policy-takes-routes"}},       {"MIG-O08", {"migration.srv-not-repointed"}},
         {"MIG-O09", {"migration.detour-by-legacy"}},          {"MIG-O10", {"migration.edge-stays-closed"}},
         {"MIG-O11", {"migration.srv-not-repointed"}},         {"MIG-O12", {"migration.entry-not-judged"}},
         {"MIG-O13", {"migration.edge-stays-closed"}},         {"MIG-O16", {"migration.xmpp-outlives-the-product"}},
         {"MIG-O17", {"migration.legacy-user-passes"}},        {"MIG-O18", {"migration.one-partner-switches-all"}},
         {"MIG-O19", {"migration.entry-not-judged"}},          {"MIG-P04", {"migration.branch-user-passes"}},
         {"MIG-P08", {"migration.srv-not-repointed"}},         {"MIG-R01", {"migration.undo-forgets-routes"}},
         {"MIG-R02", {"migration.undo-forgets-dns"}},          {"MIG-R03", {"migration.undo-forgets-routes"}},
         {"MIG-R05", {"migration.legacy-user-passes"}},        {"MIG-R06", {"migration.legacy-path-survives"}},
         {"MIG-S01", {"migration.srv-not-repointed"}},         {"SEED-10", {"migration.legacy-user-passes"}}},
    .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 24h,
    .takes = 5s,
    .body = hold_facts};

}  // namespace
}  // namespace cutover::suites
