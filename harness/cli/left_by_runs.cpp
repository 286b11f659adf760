// Lines of results, and reports whose traces lie elsewhere.
#include "harness/cli/left_by_runs.h"

#include "harness/cli/arguments.h"
#include "harness/files/text_file.h"
#include "harness/judging/standing.h"
#include "reports/json.h"
#include "reports/text.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace cutover::harness::cli {

namespace fs = std::filesystem;

namespace {
constexpr std::string_view expected_of_a_run = "expected the run.json or results.jsonl of a run";

std::string read_results(const std::string& file) {
  try {
    return read_text_file(file, result_file_max_octets);
  } catch (const FileError& error) {
    throw UsageError(file + " " + error.what() + "; " + std::string(expected_of_a_run));
  }
}

struct Lines {
  std::vector<reports::CaseResult> cases;
  std::optional<reports::RunResult> end;  ///< without cases; nothing where the run did not come to its end
};

// One case a line, as the run wrote it, and at the end the run; the last line may have been cut off.
Lines lines_of(const std::string& text, const std::string& file) {
  Lines lines;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    ++number;
    if (end == std::string::npos) break;
    const auto line = std::string_view(text).substr(at, end - at);
    try {
      if (line.starts_with(R"({"version":)"))
        lines.end = reports::from_json(line);
      else
        lines.cases.push_back(reports::case_from_json(line));
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("{}:{}: {}", file, number, error.what()));
    }
    at = end + 1;
  }
  return lines;
}

reports::RunResult from_lines(const std::string& text, const std::string& file) {
  auto lines = lines_of(text, file);
  reports::RunResult run;
  run.complete = false;
  run.incomplete_reason = "made from the results that were written before the run ended";
  if (lines.end) run = std::move(*lines.end);
  run.stale_baseline.clear();  // whoever reads the lines says what baseline there is
  run.cases = std::move(lines.cases);
  if (run.cases.empty()) throw UsageError(file + ":1: expected the result of a case; nothing was finished");
  std::ranges::stable_sort(run.cases, {}, [](const auto& result) { return std::tie(result.id, result.world); });
  run.started = std::ranges::min(run.cases, {}, &reports::CaseResult::started).started;
  run.planted = run.cases.front().planted;  // a run plants the same in all of its cases, and has one target
  run.target = run.cases.front().target;
  for (auto& result : run.cases) result.target.clear();
  run.tool_version = version;
  return run;
}

reports::RunResult from_report(const std::string& text, const std::string& file) {
  try {
    return reports::from_json(text);
  } catch (const std::invalid_argument& error) {
    throw UsageError(file + ": " + error.what() + "; " + std::string(expected_of_a_run));
  }
}

// What makes one run of a case another than every other.
auto identity(const reports::CaseResult& result) {
  return std::tie(result.id, result.world, result.attempt, result.started);
}

void take_traces(reports::RunResult& run, const std::string& file) {
  auto traced = lines_of(read_results(file), file).cases;
  const auto before = [](const auto& one, const auto& other) { return identity(one) < identity(other); };
  std::ranges::sort(traced, before);
  for (auto& result : run.cases) {
    if (result.id == standing_id) continue;  // of the whole run: it has no trace
    const auto found = std::ranges::lower_bound(traced, result, before);
    if (found == traced.end() || identity(*found) != identity(result))
      throw UsageError(file + " is of another run: it has no " + result.id + " (" + result.world + ") of this one");
    result.trace = std::move(found->trace);
  }
}
}  // namespace

reports::RunResult judged_by_run(const std::string& file) {
  const auto text = read_results(file);
  if (!file.ends_with(".jsonl")) return from_report(text, file);
  auto run = from_lines(text, file);
  add_standing(run, false);  // of the whole run, and so in no line
  return run;
}

LeftByRun left_by_run(const std::string& file) {
  LeftByRun left{judged_by_run(file), file.ends_with(".jsonl") ? file : ""};
  if (left.run.traces.empty()) return left;
  const auto traces = (fs::path(file).parent_path() / left.run.traces).lexically_normal().string();
  try {
    take_traces(left.run, traces);
    left.traces = traces;
  } catch (const UsageError& error) {
    fmt::print(std::cerr, "cutover: no sequence diagrams: {}\n", reports::terminal_text(error.what()));
  }
  return left;
}

namespace {
template <class T>
void add_unless_there(std::vector<T>& to, const std::vector<T>& from) {
  for (const auto& one : from)
    if (std::ranges::find(to, one) == to.end()) to.push_back(one);
}

// Parts of one run: of the same target with the same planted, and no case in two of them.
void put_beside(reports::RunResult& whole, reports::RunResult part, const std::string& file) {
  if (part.target != whole.target) throw UsageError(file + " is about another target: " + part.target);
  if (part.planted != whole.planted) throw UsageError(file + " has other defects planted");
  const auto which = [](const auto& result) { return std::tie(result.id, result.world, result.attempt); };
  for (auto& result : part.cases) {
    if (result.id == standing_id) continue;  // made anew, of all of them
    if (std::ranges::find(whole.cases, which(result), which) != whole.cases.end())
      throw UsageError(file + " has " + result.id + " (" + result.world + "), too: expected shards of one run");
    whole.cases.push_back(std::move(result));
  }
  whole.started = std::min(whole.started, part.started);
  whole.wall = std::max(whole.wall, part.wall);  // on machines beside each other
  whole.strict = whole.strict || part.strict;
  if (!part.complete) whole.incomplete_reason = part.incomplete_reason;
  whole.complete = whole.complete && part.complete;
  add_unless_there(whole.notes, part.notes);
  add_unless_there(whole.stale_baseline, part.stale_baseline);
}
}  // namespace

LeftByRun left_by_runs(const std::vector<std::string>& files) {
  auto left = left_by_run(files.front());
  for (std::size_t i = 1; i < files.size(); ++i) {
    put_beside(left.run, left_by_run(files[i]).run, files[i]);
    left.traces.clear();  // they are in no one file
  }
  return left;
}

std::string as_seen_from(const std::string& report, const std::string& file) {
  std::error_code error;
  const auto folder = fs::absolute(report, error).parent_path().lexically_normal();
  return fs::absolute(file, error).lexically_normal().lexically_relative(folder).string();
}

}  // namespace cutover::harness::cli
