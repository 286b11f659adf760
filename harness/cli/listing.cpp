// `list`: what cases there are, for people, programs and ctest.
#include "harness/cli/subcommands.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/targets/target.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>
#include <set>

namespace cutover::harness::cli {

namespace json = boost::json;

namespace {

std::string cmake_quoted(const std::string& text) { return "[==[" + text + "]==]"; }

// A script that ctest includes: one test a case and world.
void list_for_ctest(std::ostream& out, const std::vector<Job>& jobs, const std::string& program) {
  for (const auto& job : jobs) {
    const std::string world = job.world == WorldKind::sim ? "sim" : "live";
    const auto name = cmake_quoted(job.record->id + "/" + world);
    fmt::print(out, "add_test({} {} run {} --world={} --single)\n", name, cmake_quoted(program), job.record->id, world);
    fmt::print(
        out, "set_tests_properties({} PROPERTIES LABELS \"case;{};{};{}{}\" SKIP_RETURN_CODE 77 TIMEOUT {} COST {})\n",
        name, suite_of(job.record->id), world, level_of(*job.record, Catalogue::current()),
        job.record->interop ? ";interop" : "", watchdog_s(job) + 30, job.record->takes / 1s);
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

// One word a line: suites, cases, and the requirements that they judge.
void list_as_words(std::ostream& out, const std::vector<const CaseRecord*>& records) {
  std::set<std::string> words;
  for (const auto* record : records) {
    words.insert({suite_of(record->id), record->id});
    for (const auto& judges : record->judges) words.insert(judges.requirement);
  }
  for (const auto& word : words) fmt::print(out, "{}\n", word);
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
  if (form == ListForm::json) list_as_json(std::cout, records);
  if (form == ListForm::words) list_as_words(std::cout, records);
  if (form == ListForm::text) list_as_text(std::cout, records);
  return 0;
}

}  // namespace cutover::harness::cli
