// One testsuite a suite and world, one testcase a case.
#include "reports/junit.h"

#include "reports/text.h"

#include <fmt/format.h>

#include <map>

namespace cutover::reports {

namespace {

constexpr std::size_t excerpt_max_octets = 8 * 1024;

std::string excerpt(const std::string& text) {
  if (text.size() <= excerpt_max_octets) return text;
  return text.substr(0, excerpt_max_octets) + fmt::format("\n[cut: {} octets in all]", text.size());
}

std::string attribute(std::string_view name, std::string_view value) {
  return fmt::format(" {}=\"{}\"", name, xml_escape(value));
}

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

long long milliseconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

bool red(const Check& check) {
  const bool bad =
      check.outcome == Outcome::fail || check.outcome == Outcome::inconclusive || check.outcome == Outcome::broken;
  return bad && check.baseline != BaselineState::expected;
}

bool red(const CaseResult& result) {
  return result.outcome == Outcome::fail || result.outcome == Outcome::inconclusive ||
         result.outcome == Outcome::broken;
}

std::string explain(const Check& check) {
  auto told = sentence_of(check);
  if (const auto details = details_of(check); !details.empty()) told += "\n" + details;
  return fmt::format("{} ({}): {}\n  {}\n  at {}:{}\n", check.id, check.level, name_of(check.outcome), excerpt(told),
                     check.file, check.line);
}

/// The first red check names the failure; a case that is red without one (crash, time-out) is the harness's.
std::string failure(const CaseResult& result) {
  std::string body;
  const Check* first = nullptr;
  for (const auto& check : result.checks) {
    if (!red(check)) continue;
    if (first == nullptr) first = &check;
    body += explain(check);
  }
  const bool harness = result.outcome == Outcome::broken || first == nullptr;
  const std::string type = harness ? "harness" : first->id;
  const std::string message = harness ? result.reason : sentence_of(*first);
  if (!result.reason.empty()) body += result.reason + "\n";
  if (!result.log.empty()) body += "log:\n" + excerpt(result.log) + "\n";
  body += "reproduce: " + result.reproduce + "\n";
  return fmt::format("      <failure{}{}>{}</failure>\n", attribute("type", type),
                     attribute("message", excerpt(message)), xml_escape(body));
}

std::string notes(const CaseResult& result) {
  std::string text;
  for (const auto& check : result.checks) {
    if (check.outcome == Outcome::warn) text += explain(check);
    if (check.baseline == BaselineState::expected) {
      text += fmt::format("known deviation ({}): {}", check.baseline_reason, explain(check));
    }
  }
  return text;
}

/// One property a value; nothing for none.
template <class Range, class F>
std::string properties(std::string_view indent, std::string_view name, const Range& values, F text) {
  if (values.empty()) return {};
  std::string xml = fmt::format("{}<properties>\n", indent);
  for (const auto& value : values)
    xml += fmt::format("{}  <property{}{}/>\n", indent, attribute("name", name), attribute("value", text(value)));
  return xml + fmt::format("{}</properties>\n", indent);
}

std::string test_case(const CaseResult& result) {
  std::string name = result.id;
  if (const auto dot = name.find('.'); dot != std::string::npos) name.erase(0, dot + 1);
  if (result.attempt > 1) name += fmt::format(" (attempt {})", result.attempt);
  std::string xml =
      fmt::format("    <testcase{}{}{}{} time=\"{:.3f}\">\n", attribute("classname", result.suite + "." + result.world),
                  attribute("name", name), attribute("file", result.file),
                  attribute("line", std::to_string(result.line)), seconds(result.wall));
  xml += properties("      ", "requirement", result.requirements, [](const auto& item) { return item.id; });
  if (result.outcome == Outcome::skipped || result.outcome == Outcome::unsupported) {
    xml += fmt::format("      <skipped{}/>\n", attribute("message", result.reason));
  } else if (red(result)) {
    xml += failure(result);
  }
  if (const auto text = notes(result); !text.empty())
    xml += "      <system-out>" + xml_escape(text) + "</system-out>\n";
  return xml + "    </testcase>\n";
}

struct Counts {
  std::size_t tests = 0, failures = 0, skipped = 0;
  std::chrono::nanoseconds wall{};
  void add(const CaseResult& result) {
    tests++;
    failures += red(result) ? 1 : 0;
    skipped += result.outcome == Outcome::skipped || result.outcome == Outcome::unsupported ? 1 : 0;
    wall += result.wall;
  }
  [[nodiscard]] std::string attributes() const {
    return fmt::format(" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3f}\"", tests, failures,
                       skipped, seconds(wall));
  }
};

std::string suite(const std::string& name, const std::vector<const CaseResult*>& cases,
                  const std::vector<std::string>& planted) {
  Counts counts;
  std::string body;
  for (const auto* result : cases) {
    counts.add(*result);
    body += test_case(*result);
  }
  const auto started = iso_time(milliseconds(cases.front()->started));
  return fmt::format("  <testsuite{}{}{}>\n{}{}  </testsuite>\n", attribute("name", name), counts.attributes(),
                     attribute("timestamp", started.substr(0, 19)),
                     properties("    ", "planted", planted, [](const auto& departure) { return departure; }), body);
}

CaseResult incomplete_case(const RunResult& run) {
  CaseResult result;
  result.id = "cutover.run-incomplete";
  result.suite = "cutover";
  result.world = "run";
  result.outcome = Outcome::broken;
  result.reason = "run incomplete: " + run.incomplete_reason;
  result.started = run.started;
  result.reproduce = "run it again";
  return result;
}

}  // namespace

std::string to_junit(const RunResult& run) {
  const auto incomplete = incomplete_case(run);
  std::map<std::string, std::vector<const CaseResult*>> suites;
  Counts counts;
  for (const auto& result : run.cases) {
    suites[result.suite + "." + result.world].push_back(&result);
    counts.add(result);
  }
  if (!run.complete) {
    suites["cutover.run"].push_back(&incomplete);
    counts.add(incomplete);
  }
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  xml += fmt::format("<testsuites name=\"cutover\"{}>\n", counts.attributes());
  for (const auto& [name, cases] : suites) xml += suite(name, cases, run.planted);
  return xml + "</testsuites>\n";
}

}  // namespace cutover::reports
