// The day's baseline, the places, the writers.
#include "harness/cli/reporting.h"

#include "harness/judging/registry.h"
#include "harness/running/selection.h"
#include "reports/html.h"
#include "reports/json.h"
#include "reports/junit.h"
#include "reports/text.h"

#include "harness/cli/left_by_runs.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iostream>

namespace cutover::harness::cli {

std::string today() {
  const auto now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[11];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d", &utc));
}

Reports places_in(const std::string& directory) {
  return {directory + "/run.json", directory + "/junit.xml", directory + "/report.html"};
}
std::string results_in(const std::string& directory) { return directory + "/results.jsonl"; }

Reports places(const RunArguments& arguments) {
  auto where = places_in(arguments.directory);
  if (!arguments.json.empty()) where.json = arguments.json;
  if (!arguments.junit.empty()) where.junit = arguments.junit;
  if (!arguments.html.empty()) where.html = arguments.html;
  return where;
}

void check_places(const RunArguments& arguments, const std::string& input) {
  const auto where = places(arguments);
  std::vector<std::string> taken{input.empty() ? results_in(arguments.directory) : input};
  for (const auto& path : {where.json, where.junit, where.html}) {
    if (path == "-") throw UsageError("-: a report goes into a file; /dev/stdout is one, among what else is printed");
    const auto same = [&](const std::string& other) {
      std::error_code none;  // what is not there yet is compared by its name
      return std::filesystem::path(path).lexically_normal() == std::filesystem::path(other).lexically_normal() ||
             std::filesystem::equivalent(path, other, none);
    };
    const bool device = !std::filesystem::is_regular_file(path) && std::filesystem::exists(path);
    if (!device && std::ranges::any_of(taken, same))
      throw UsageError(path + ": another file of this run has that place; give each report one of its own");
    taken.push_back(path);
  }
}

namespace {
reports::AboutCases about_cases(const reports::RunResult& run) {
  reports::AboutCases about;
  for (const auto& result : run.cases) {
    const auto* record = find_case(result.id);
    if (record != nullptr) about[result.id] = {record->procedure, record->accepted, record->likely_causes};
  }
  return about;
}
}  // namespace

bool write_reports(reports::RunResult& run, const Reports& where, Readers readers, const std::string& results) {
  run.traces = results.empty() ? "" : as_seen_from(where.json, results);
  std::string written;
  bool good = true;
  const auto write = [&](const std::string& path, auto make) {
    try {
      write_report(path, make(run), readers);
      written += "  " + path + "\n";
    } catch (const std::exception& error) {
      fmt::print(std::cerr, "cutover: {}\n", reports::terminal_text(error.what()));
      good = false;
    }
  };
  write(where.html, [](const auto& whole) { return reports::to_html(whole, about_cases(whole)); });
  write(where.junit, reports::to_junit);
  write(where.json, [](const auto& whole) {
    return reports::to_json(whole, whole.traces.empty() ? reports::Traces::inside : reports::Traces::apart);
  });
  if (!written.empty()) fmt::print("reports:\n{}", written);
  return good;
}

bool printed() {
  std::cout.flush();
  struct stat status {};
  const bool pipe = ::fstat(STDOUT_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
  if (std::cout || pipe) return true;
  std::cerr << "cutover: the summary could not be printed (is the disk full?); the reports hold it\n";
  return false;
}

}  // namespace cutover::harness::cli
