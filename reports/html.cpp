// The page template around the JSON report, and the traces deflated beside it: most of a run is its wire.
#include "reports/html.h"

#include "protocol/base/base64.h"
#include "reports/json.h"
#include "reports/page.h"
#include "reports/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>
#include <boost/json.hpp>

#include <algorithm>
#include <span>
#include <stdexcept>

namespace cutover::reports {

namespace {

constexpr std::string_view charts_mark = "@CHARTS@", run_mark = "@RUN@", about_mark = "@ABOUT@",
                           traces_mark = "@TRACES@";

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

/// The charts that cases tell; what two worlds saw alike is shown once.
std::string charts_in(const RunResult& run) {
  std::vector<std::pair<const Chart*, std::vector<std::string>>> charts;
  for (const auto& result : run.cases) {
    if (!result.chart) continue;
    const auto same = std::ranges::find_if(charts, [&](const auto& one) { return *one.first == *result.chart; });
    const auto name = xml_escape(result.id + "/" + result.world);
    const auto link = fmt::format("<a href=\"#{0}\">{0}</a>", name);
    if (same != charts.end()) {
      same->second.push_back(link);
    } else {
      charts.push_back({&*result.chart, {link}});
    }
  }
  std::string html;
  for (std::size_t i = 0; i < charts.size(); ++i) {
    const auto& [chart, links] = charts[i];
    html += charts_html(std::span(chart, 1), fmt::format("case{}-", i)) +
            fmt::format("<div class=\"facts\">as seen on the wire by {}</div>\n", fmt::join(links, ", "));
  }
  return html;
}

/// A JSON object of [procedure, accepted, likely causes] by the id of the case.
std::string about_in(const AboutCases& about) {
  boost::json::object all;
  for (const auto& [id, one] : about) all[id] = boost::json::array{one.procedure, one.accepted, one.likely_causes};
  return boost::json::serialize(all);
}

}  // namespace

std::string to_html(const RunResult& run, const AboutCases& about) {
  std::string_view rest = html_page();
  std::string result;
  const auto put = [&](std::string_view mark, const std::string& text) {
    const auto at = rest.find(mark);
    result.append(rest.substr(0, at)).append(text);
    rest.remove_prefix(at + mark.size());
  };
  put(charts_mark, charts_in(run));
  put(run_mark, safe_in_script(to_json(run, Traces::apart)));
  put(about_mark, safe_in_script(about_in(about)));
  put(traces_mark, packed_traces(run));
  return result.append(rest);
}

}  // namespace cutover::reports
