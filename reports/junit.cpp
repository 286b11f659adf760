// One testsuite a suite and world, one testcase a case.
#include "reports/junit.h"

#include "reports/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
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

std::string explain(const Check& check) {
  auto told = sentence_of(check);
  if (const auto details = details_of(check); !details.empty()) told += "\n" + details;
  return fmt::format("{} ({}): {}\n  {}\n  at {}:{}\n", check.id, check.level, name_of(check.outcome), excerpt(told),
                     check.file, check.line);
}

const Check* first(const CaseResult& result, Standing standing) {
  const auto found = std::ranges::find(result.checks, standing, &Check::standing);
  return found == result.checks.end() ? nullptr : &*found;
}

/// The sentence of the requirement, and then what came: what a pipeline shows first.
std::string message_of(const CaseResult& result, const Check& check) {
  const auto told = sentence_of(check);
  const auto* requirement = requirement_of(result, check);
  return requirement == nullptr ? told : fmt::format("{}: {} | {}", requirement->id, requirement->text, told);
}

std::string body_of(const CaseResult& result, Standing standing) {
  std::string body;
  for (const auto& check : result.checks) {
    if (check.standing == standing) body += explain(check);
  }
  if (!result.reason.empty()) body += result.reason + "\n";
  if (!result.log.empty()) body += "log:\n" + excerpt(result.log) + "\n";
  return body + "reproduce: " + result.reproduce + "\n";
}

/// The harness's own fault is an error, what the subject did wrong a failure; what the baseline accepts is skipped, as
/// expected failures are.
std::string outcome(const CaseResult& result) {
  const auto* red = first(result, Standing::red);
  const auto element = [&](std::string_view name, const std::string& type, const std::string& message) {
    return fmt::format("      <{}{}{}>{}</{}>\n", name, attribute("type", type), attribute("message", excerpt(message)),
                       xml_escape(body_of(result, Standing::red)), name);
  };
  switch (result.standing) {
    case Standing::fault:
      return element("error", "harness", result.reason);
    case Standing::red:
      return red == nullptr ? element("failure", result.id, result.reason)
                            : element("failure", red->id, message_of(result, *red));
    case Standing::accepted: {
      const auto& check = *first(result, Standing::accepted);
      const auto message = fmt::format("accepted, because {}: {}", check.baseline_reason, message_of(result, check));
      return fmt::format("      <skipped{}/>\n", attribute("message", excerpt(message)));
    }
    case Standing::hidden:
      return fmt::format("      <skipped{}/>\n",
                         attribute("message", message_of(result, *first(result, Standing::hidden))));
    case Standing::idle:
      return fmt::format("      <skipped{}/>\n", attribute("message", result.reason));
    case Standing::met:
    case Standing::told:
      break;
  }
  return {};
}

std::string notes(const CaseResult& result) {
  std::string text;
  for (const auto& check : result.checks) {
    if (check.standing == Standing::told || check.standing == Standing::hidden) text += explain(check);
    if (check.standing == Standing::accepted)
      text += fmt::format("accepted, because {}: {}", check.baseline_reason, explain(check));
  }
  if (const auto variety = variety_of(result); !variety.empty()) text += "stimuli: " + variety + "\n";
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
  const auto* red = first(result, Standing::red);  // a reader goes where it was judged
  std::string xml =
      fmt::format("    <testcase{}{}{}{} time=\"{:.3f}\">\n", attribute("classname", result.suite + "." + result.world),
                  attribute("name", name), attribute("file", red == nullptr ? result.file : red->file),
                  attribute("line", std::to_string(red == nullptr ? result.line : red->line)), seconds(result.wall));
  xml += properties("      ", "requirement", result.requirements, [](const auto& item) { return item.id; });
  xml += outcome(result);
  if (const auto text = notes(result); !text.empty())
    xml += "      <system-out>" + xml_escape(text) + "</system-out>\n";
  return xml + "    </testcase>\n";
}

struct Counts {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
  std::chrono::nanoseconds wall{};
  void add(const CaseResult& result) {
    tests++;
    failures += result.standing == Standing::red ? 1 : 0;
    errors += result.standing == Standing::fault ? 1 : 0;
    const bool is_skipped = result.standing == Standing::idle || result.standing == Standing::accepted ||
                            result.standing == Standing::hidden;
    skipped += is_skipped ? 1 : 0;
    wall += result.wall;
  }
  [[nodiscard]] std::string attributes() const {
    return fmt::format(" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\"", tests, failures,
                       errors, skipped, seconds(wall));
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

/// What is told of the run as a whole, as a case: otherwise a run that failed could look green.
CaseResult case_of_run(const RunResult& run, std::string name, Standing standing, std::string reason) {
  CaseResult result;
  result.id = "cutover." + std::move(name);
  result.suite = "cutover";
  result.world = "run";
  result.standing = standing;
  result.reason = std::move(reason);
  result.started = run.started;
  result.reproduce = "run it again";
  return result;
}

std::vector<CaseResult> cases_of_run(const RunResult& run) {
  std::vector<CaseResult> cases;
  if (!run.complete)
    cases.push_back(case_of_run(run, "run-incomplete", Standing::fault, "run incomplete: " + run.incomplete_reason));
  if (!run.stale_baseline.empty())
    cases.push_back(
        case_of_run(run, "baseline-stale", Standing::red,
                    fmt::format("listed in the baseline, but met: {}", fmt::join(run.stale_baseline, ", "))));
  const bool judged = std::ranges::any_of(run.cases, [](const auto& result) { return !result.checks.empty(); });
  if (run.complete && !judged) cases.push_back(case_of_run(run, "nothing-judged", Standing::fault, run.verdict));
  return cases;
}

}  // namespace

std::string to_junit(const RunResult& run) {
  const auto of_run = cases_of_run(run);
  std::map<std::string, std::vector<const CaseResult*>> suites;
  Counts counts;
  for (const auto& result : run.cases) {
    suites[result.suite + "." + result.world].push_back(&result);
    counts.add(result);
  }
  for (const auto& result : of_run) {
    suites["cutover.run"].push_back(&result);
    counts.add(result);
  }
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  xml += fmt::format("<testsuites name=\"cutover\"{}>\n", counts.attributes());
  for (const auto& [name, cases] : suites) xml += suite(name, cases, run.planted);
  return xml + "</testsuites>\n";
}

}  // namespace cutover::reports
