// `explain`: what a case does, what a requirement says, what a defect or variant is, and what judges it.
#include "departures/table.h"
#include "harness/cli/subcommands.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/judging/standing.h"
#include "harness/migration/cause.h"
#include "harness/standing/ledger.h"
#include "harness/targets/target.h"
#include "protocol/base/check.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>

namespace cutover::harness::cli {

using departures::Departure;
using departures::Nature;

namespace {

void print_requirement(std::ostream& out, const Requirement& requirement) {
  fmt::print(out, "  {} {} ({})\n    {}\n", requirement.level, requirement.id, requirement.source, requirement.text);
  if (!requirement.test.empty()) fmt::print(out, "    test: {}\n", requirement.test);
  if (!requirement.parts.empty()) fmt::print(out, "    in parts: {}\n", fmt::join(parts_of(requirement), ", "));
}

void explain_case(std::ostream& out, const CaseRecord& record) {
  fmt::print(out, "{}\n{}\n\nworlds: {}   staging: {}   {}:{}\n", record.id, record.title, worlds_of(record),
             name_of(record.staging), record.file, record.line);
  std::string needs;
  for (const auto need : record.needs) needs += (needs.empty() ? "" : ", ") + std::string(name_of(need));
  if (!needs.empty()) fmt::print(out, "needs: {}\n", needs);
  fmt::print(out, "\nWhat is done\n  {}\n", record.procedure);
  if (!record.accepted.empty()) fmt::print(out, "\nWhat is accepted\n  {}\n", record.accepted);
  if (!record.likely_causes.empty()) fmt::print(out, "\nLikely causes of a failure\n  {}\n", record.likely_causes);
  fmt::print(out, "\nWhat is judged\n");
  for (const auto& judges : record.judges) {
    const auto* requirement = Catalogue::current().find(judges.requirement);
    if (requirement == nullptr) throw HarnessFault("no such requirement in the catalogue: " + judges.requirement);
    print_requirement(out, *requirement);
    for (const auto& name : judges.killed_by) {
      const auto* defect = departures::find(name);
      fmt::print(out, "    dies of the defect {}: {}\n", name, defect == nullptr ? "unknown" : defect->sentence);
    }
  }
  fmt::print(out, "\nRun it: cutover run {}\n", record.id);
}

/// The cases that judge a requirement, with the defects of which that check dies.
void print_judges(std::ostream& out, std::string_view requirement) {
  bool any = false;
  for (const auto& record : all_cases()) {
    const auto judges = std::ranges::find(record.judges, requirement, &Judges::requirement);
    if (is_hidden(record) || judges == record.judges.end()) continue;
    fmt::print(out, "  judged by {}: {}\n", record.id, record.title);
    if (!judges->killed_by.empty()) fmt::print(out, "    dies of {}\n", fmt::join(judges->killed_by, ", or "));
    any = true;
  }
  for (const auto& row : standing::rules()) {
    if (row.requirement != requirement) continue;
    fmt::print(out, "  judged in every case, of all that is sent: {}\n", row.sentence);
    if (!row.killed_by.empty()) fmt::print(out, "    dies of {}\n", row.killed_by);
    any = true;
  }
  const auto* item = Catalogue::current().find(requirement);
  const bool invariant = item != nullptr && item->area == "invariant";
  if (!any) fmt::print(out, "  judged by {}\n", invariant ? "every case: it is an invariant" : "no case");
}

void explain_requirement(std::ostream& out, const Requirement& requirement) {
  print_requirement(out, requirement);
  print_judges(out, requirement.id);
  for (const auto& departure : departures::table()) {
    const auto ids = requirements_of(departure);
    if (std::ranges::find(ids, requirement.id) == ids.end()) continue;
    fmt::print(out, "  {} by {} ({}): {}\n", departure.nature == Nature::defect ? "broken" : "allows what is done",
               departure.name, name_of(departure.kind), departure.sentence);
  }
}

void explain_departure(std::ostream& out, const Departure& departure) {
  fmt::print(out, "{}\n{}, {}; planted at {}\n\nWhat a node with it does\n  {}\n", departure.name,
             name_of(departure.nature), name_of(departure.kind), departures::names_of_nodes(departure.nodes),
             departure.sentence);
  if (!departure.rule.empty()) fmt::print(out, "\nThe rule that it waives\n  {}\n", departure.rule);
  const bool defect = departure.nature == Nature::defect;
  const auto ids = requirements_of(departure);
  if (!ids.empty()) fmt::print(out, "\n{}\n", defect ? "What it breaks" : "What allows it");
  for (const auto id : ids) {
    if (const auto* requirement = Catalogue::current().find(id)) {
      print_requirement(out, *requirement);
    } else {
      fmt::print(out, "  {} (not in the catalogue)\n", id);
    }
    print_judges(out, id);
  }
  if (!defect) return;
  fmt::print(out, "\nWhat must turn red\n");
  std::string first;
  for (const auto& [record, judges] : named_for(departure.name)) {
    fmt::print(out, "  {}#{}\n", record->id, judges->requirement);
    if (first.empty()) first = record->id;
  }
  if (first.empty()) {
    fmt::print(out, "  no case names it; cutover selftest --plant {}\n", departure.name);
  } else {
    fmt::print(out, "\nPlant it: cutover run {} --defect={}\n", first, departure.name);
  }
}

void explain_cause(std::ostream& out, const migration::CauseText& cause) {
  fmt::print(out, "{}\n  {}\n\nWhat to do\n  {}\n\nWhom it hits\n  {}; {}\n", cause.id, cause.sentence, cause.remedy,
             cause.whom, name_of(cause.ways));
  fmt::print(out, "\nWhere it stands\n  lync-facts {}{}\n", cause.source,
             cause.failure.empty() ? "" : fmt::format("; known failure {}", cause.failure));
}

void explain_failure(std::ostream& out, const migration::FailureText& failure) {
  fmt::print(out, "{}\n  {}\n\nWhat would have found it\n  {}\n\nWhat brings it about\n", failure.id, failure.symptom,
             failure.check);
  const auto behind = migration::causes_behind(failure.id);
  for (const auto cause : behind) fmt::print(out, "  {}: {}\n", text_of(cause).id, text_of(cause).sentence);
  if (behind.empty()) fmt::print(out, "  no cause of the model: a plan cannot bring it about\n");
}

void explain_cases(std::ostream& out, const std::string& id) {
  Selection selection;
  selection.patterns = {id};
  const CaseRecord* last = nullptr;
  for (const auto& job : select(all_cases(), selection)) {
    if (job.record == last) continue;
    if (last != nullptr) fmt::print(out, "\n----\n\n");
    last = job.record;
    explain_case(out, *last);
  }
}

/// The rules that are judged in every case.
void explain_standing(std::ostream& out) {
  fmt::print(out,
             "standing\n  What the subject sends is judged in every case, whatever the case is about; once a run.\n\n");
  for (const auto& row : standing::rules())
    fmt::print(out, "  {}#{}: {}\n", standing_id, row.requirement, row.sentence);
}
}  // namespace

int explain_command(const std::string& id) {
  const auto of_standing = std::string(standing_id) + "#";
  if (id == standing_id) {
    explain_standing(std::cout);
  } else if (id.starts_with(of_standing) && is_standing_requirement(id.substr(of_standing.size()))) {
    explain_requirement(std::cout, *Catalogue::current().find(id.substr(of_standing.size())));
  } else if (const auto* requirement = Catalogue::current().find(id)) {
    explain_requirement(std::cout, *requirement);
  } else if (const auto* departure = departures::find(id)) {
    explain_departure(std::cout, *departure);
  } else if (const auto cause = migration::cause_of(id)) {
    explain_cause(std::cout, text_of(*cause));
  } else if (const auto failure = std::ranges::find(migration::failures(), id, &migration::FailureText::id);
             failure != migration::failures().end()) {
    explain_failure(std::cout, *failure);
  } else {
    explain_cases(std::cout, id);
  }
  return 0;
}

}  // namespace cutover::harness::cli
