// `list` and `explain`: what there is, for people, programs and ctest.
#include "departures/table.h"
#include "harness/cli/subcommands.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/targets/target.h"
#include "protocol/base/check.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

namespace cutover::harness::cli {

namespace json = boost::json;

namespace {

const char* worlds_of(const CaseRecord& record) {
  if (record.sim && record.live) return "sim,live";
  return record.sim ? "sim" : "live";
}

std::string cmake_quoted(const std::string& text) { return "[==[" + text + "]==]"; }

// A script that ctest includes: one test a case and world.
void list_for_ctest(std::ostream& out, const std::vector<Job>& jobs, const std::string& program) {
  for (const auto& job : jobs) {
    const std::string world = job.world == WorldKind::sim ? "sim" : "live";
    const auto name = cmake_quoted(job.record->id + "/" + world);
    fmt::print(out, "add_test({} {} run {} --world={} --single)\n", name, cmake_quoted(program), job.record->id, world);
    fmt::print(out, "set_tests_properties({} PROPERTIES LABELS \"case;{};{};{}{}\" SKIP_RETURN_CODE 77 TIMEOUT {})\n",
               name, suite_of(job.record->id), world, level_of(*job.record, Catalogue::current()),
               job.record->interop ? ";interop" : "", watchdog_s(job) + 30);
  }
}

void list_as_json(std::ostream& out, const std::vector<const CaseRecord*>& records) {
  json::array list;
  for (const auto* record : records) {
    json::array judges, needs;
    for (const auto& item : record->judges) {
      json::array killed_by;
      for (const auto& defect : item.killed_by) killed_by.emplace_back(defect);
      judges.push_back(json::object{{"requirement", item.requirement}, {"killed_by", killed_by}});
    }
    for (const auto need : record->needs) needs.emplace_back(name_of(need));
    list.push_back(json::object{{"id", record->id},
                                {"title", record->title},
                                {"suite", suite_of(record->id)},
                                {"sim", record->sim},
                                {"live", record->live},
                                {"level", level_of(*record, Catalogue::current())},
                                {"staging", name_of(record->staging)},
                                {"interop", record->interop},
                                {"any_topology", record->any_topology},
                                {"needs", needs},
                                {"judges", judges},
                                {"file", record->file},
                                {"line", record->line}});
  }
  out << json::serialize(list) << '\n';
}

void list_as_text(std::ostream& out, const std::vector<const CaseRecord*>& records) {
  std::string suite;
  std::size_t width = 0;
  for (const auto* record : records) width = std::max(width, record->id.size());
  for (const auto* record : records) {
    if (suite != suite_of(record->id)) {
      suite = suite_of(record->id);
      const auto count = std::ranges::count_if(records, [&](const auto* r) { return suite_of(r->id) == suite; });
      fmt::print(out, "{}{} ({})\n", record == records.front() ? "" : "\n", suite, count);
    }
    fmt::print(out, "  {:<{}}  {:<8} {:<6} {}\n", record->id, width, worlds_of(*record),
               level_of(*record, Catalogue::current()), record->title);
  }
  fmt::print(out, "\n{} {}; `cutover explain CASE` tells more of one\n", records.size(),
             records.size() == 1 ? "case" : "cases");
}

void print_requirement(std::ostream& out, const Requirement& requirement) {
  fmt::print(out, "  {} {} ({})\n    {}\n", requirement.level, requirement.id, requirement.source, requirement.text);
  if (!requirement.test.empty()) fmt::print(out, "    test: {}\n", requirement.test);
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

/// One requirement of the catalogue, and who judges it.
void explain_requirement(std::ostream& out, const Requirement& requirement) {
  print_requirement(out, requirement);
  bool any = false;
  for (const auto& record : all_cases()) {
    const auto judges = [&](const Judges& item) { return item.requirement == requirement.id; };
    if (is_hidden(record) || std::ranges::none_of(record.judges, judges)) continue;
    fmt::print(out, "  judged by {}: {}\n", record.id, record.title);
    any = true;
  }
  if (!any) fmt::print(out, "  judged by no case\n");
}

}  // namespace

int list_command(const RunArguments& arguments, ListForm form, const std::string& program) {
  check_arguments(arguments);
  if (form == ListForm::ctest && arguments.patterns.empty() && std::ranges::all_of(all_cases(), is_hidden)) return 0;
  const auto jobs = select(all_cases(), selection_of(arguments));
  if (form == ListForm::ctest) {
    list_for_ctest(std::cout, jobs, program);
    return 0;
  }
  std::vector<const CaseRecord*> records;
  for (const auto& job : jobs) {
    if (records.empty() || records.back() != job.record) records.push_back(job.record);
  }
  form == ListForm::json ? list_as_json(std::cout, records) : list_as_text(std::cout, records);
  return 0;
}

int explain_command(const std::string& id) {
  if (const auto* requirement = Catalogue::current().find(id)) {
    explain_requirement(std::cout, *requirement);
    return 0;
  }
  Selection selection;
  selection.patterns = {id};
  const CaseRecord* last = nullptr;
  for (const auto& job : select(all_cases(), selection)) {
    if (job.record == last) continue;
    if (last != nullptr) fmt::print("\n----\n\n");
    last = job.record;
    explain_case(std::cout, *last);
  }
  return 0;
}

}  // namespace cutover::harness::cli
