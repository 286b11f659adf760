// The page template around the JSON report, and the traces deflated beside it: most of a run is its wire.
#include "reports/html.h"

#include "protocol/base/base64.h"
#include "reports/json.h"
#include "reports/page.h"

#include <zlib.h>

#include <stdexcept>

namespace cutover::reports {

namespace {

constexpr std::string_view run_mark = "@RUN@", traces_mark = "@TRACES@";

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

/// As the browser's DecompressionStream("deflate") reads it (RFC 1950).
std::string deflated(const std::string& text) {
  auto size = compressBound(text.size());
  std::string octets(size, '\0');
  // Level 3: a fifth larger than the best, in half the time.
  if (compress2(reinterpret_cast<Bytef*>(octets.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
                text.size(), 3) != Z_OK)
    throw std::runtime_error("zlib cannot deflate a trace");
  octets.resize(size);
  return octets;
}

/// A JSON array with one text a case, in the order of the cases.
std::string packed_traces(const RunResult& run) {
  std::string all = "[";
  for (const auto& result : run.cases) {
    if (all.size() > 1) all += ",\n";
    all += '"';
    if (!result.trace.empty()) all += to_base64(deflated(trace_to_json(result.trace)));
    all += '"';
  }
  return all + "]";
}

}  // namespace

std::string to_html(const RunResult& run) {
  const std::string_view page = html_page();
  const auto run_at = page.find(run_mark), traces_at = page.find(traces_mark);
  std::string result(page.substr(0, run_at));
  result += safe_in_script(to_json(run, Traces::apart));
  result += page.substr(run_at + run_mark.size(), traces_at - run_at - run_mark.size());
  result += packed_traces(run);
  result += page.substr(traces_at + traces_mark.size());
  return result;
}

}  // namespace cutover::reports
