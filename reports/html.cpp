// The page template around the JSON report.
#include "reports/html.h"

#include "reports/json.h"
#include "reports/page.h"

namespace cutover::reports {

namespace {

constexpr std::size_t passed_trace_max_entries = 400;
constexpr std::string_view data_mark = "@RUN@";

/// JSON inside a script element: no "</script", no "<!--" can appear in it.
std::string safe_in_script(const std::string& json) {
  std::string result;
  result.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      result += "\\u003c";
    } else {
      result += c;
    }
  }
  return result;
}

RunResult shortened(RunResult run) {
  for (auto& result : run.cases) {
    const bool passed = result.outcome == Outcome::pass || result.outcome == Outcome::info;
    if (passed && result.trace.size() > passed_trace_max_entries) result.trace.resize(passed_trace_max_entries);
  }
  return run;
}

}  // namespace

std::string to_html(const RunResult& run) {
  const std::string_view page = html_page();
  const auto place = page.find(data_mark);
  std::string result(page.substr(0, place));
  result += safe_in_script(to_json(shortened(run)));
  result += page.substr(place + data_mark.size());
  return result;
}

}  // namespace cutover::reports
