// Reads and applies a baseline.
#include "harness/judging/baseline.h"

#include "harness/files/text_file.h"
#include "harness/files/yaml_keys.h"
#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "harness/judging/standing.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace cutover::harness {

using reports::BaselineState;

namespace {
[[noreturn]] void fail(const std::string& file, const YAML::Mark& mark, const std::string& expected) {
  throw BaselineError(file + ":" + std::to_string(mark.line + 1) + ": " + expected);
}

bool is_date(const std::string& text) {
  constexpr std::string_view shape = "dddd-dd-dd";
  const bool shaped = text.size() == shape.size() && std::ranges::equal(text, shape, [](char c, char s) {
                        return s == 'd' ? c >= '0' && c <= '9' : c == s;
                      });
  const auto number = [&](std::size_t at, std::size_t digits) { return std::stoi(text.substr(at, digits)); };
  using namespace std::chrono;
  return shaped && year_month_day(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                                  day(static_cast<unsigned>(number(8, 2))))
                       .ok();
}

/// Whether a check's name is that of a requirement, or of a later judgement of it in the same case:
/// "RFC6121-3.3.3-1.2".
bool names_judgement_of(std::string_view name, std::string_view requirement) {
  if (name == requirement) return true;
  if (!name.starts_with(requirement) || name[requirement.size()] != '.') return false;
  const auto ordinal = name.substr(requirement.size() + 1);
  return !ordinal.empty() && ordinal.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The wire is no part of what a failure says, for nearly every word stands there; but it is what the standing judge
/// has to say: the octets of one breach.
bool tells(const reports::Check& check, const std::string& words) {
  if (is_standing_check(check.id)) return check.actual.find(words) != std::string::npos;
  return reports::got_of(check).find(words) != std::string::npos || check.looked_at.find(words) != std::string::npos;
}

/// One case, or a list of them.
std::vector<std::string> cases_of(const std::string& file, const YAML::Node& node) {
  const auto name = [&](const YAML::Node& one) {
    if (!one.IsScalar()) fail(file, one.Mark(), "expected a case, or a list of cases, for 'case'");
    return one.Scalar();
  };
  if (!node.IsSequence()) return {name(node)};
  std::vector<std::string> names;
  for (const auto& one : node) names.push_back(name(one));
  return names;
}

BaselineEntry read_entry(const YAML::Node& item, const std::string& file) {
  if (!item.IsMap()) fail(file, item.Mark(), "expected an entry: a map with the keys check and reason");
  BaselineEntry entry;
  entry.line = item.Mark().line + 1;
  for (const auto& pair : item) {
    const auto key = pair.first.Scalar();
    if (key == "case") {
      entry.in_cases = cases_of(file, pair.second);
      continue;
    }
    if (!pair.second.IsScalar()) fail(file, pair.second.Mark(), "expected a text for '" + key + "'");
    const auto value = pair.second.Scalar();
    if (key == "check") {
      entry.check = value;
    } else if (key == "reason") {
      entry.reason = value;
    } else if (key == "link") {
      entry.link = value;
    } else if (key == "message") {
      entry.message = value;
    } else if (key == "target") {
      entry.target = value;
    } else if (key == "sometimes") {
      if (value != "true") fail(file, pair.second.Mark(), "expected true for 'sometimes', or leave it out");
      entry.sometimes = true;
    } else if (key == "expires") {
      if (!is_date(value)) fail(file, pair.second.Mark(), "expected a date such as 2027-06-30 for 'expires'");
      entry.expires = value;
    } else {
      fail(file, pair.first.Mark(),
           "unknown key '" + key + "'; expected check, case, reason, link, message, target, sometimes or expires");
    }
  }
  const auto required = [&](const std::string& value, const char* key) {
    if (value.empty()) fail(file, item.Mark(), std::string("expected a key '") + key + "' in this entry");
  };
  required(entry.check, "check");
  required(entry.reason, "reason");
  const auto hash = entry.check.find('#');
  if (hash == std::string::npos) fail(file, item.Mark(), "expected case-id#requirement-id for 'check'");
  const auto id = entry.check.substr(0, hash);
  if (!entry.in_cases.empty() && id != standing_id)
    fail(file, item.Mark(), "'case' is for checks of the standing judge (standing#REQUIREMENT); leave it out");
  for (const auto& name : entry.in_cases)
    if (find_case(name) == nullptr) fail(file, item.Mark(), "there is no case '" + name + "'");
  if (id == standing_id) {
    if (!is_standing_requirement(entry.check.substr(hash + 1)))
      fail(file, item.Mark(), "the standing judge has no rule for '" + entry.check.substr(hash + 1) + "'");
    return entry;
  }
  const auto* record = find_case(id);
  if (record == nullptr) fail(file, item.Mark(), "there is no case '" + id + "'");
  const auto requirement = entry.check.substr(hash + 1);
  const auto judged = [&](const Judges& judges) { return names_judgement_of(requirement, judges.requirement); };
  // What no record declares: a body that cannot go on, and what every case judges.
  const auto undeclared = [&](std::string_view name) { return names_judgement_of(requirement, name); };
  const bool of_the_case = undeclared("assertion") || undeclared("precondition") ||
                           std::ranges::any_of(Catalogue::current().all(), [&](const auto& one) {
                             return one.area == "invariant" && undeclared(one.id);
                           });
  if (!of_the_case && std::ranges::none_of(record->judges, judged))
    fail(file, item.Mark(), "the case " + id + " judges no '" + requirement + "' (`cutover explain " + id + "`)");
  return entry;
}
}  // namespace

Baseline parse_baseline(std::string_view yaml, const std::string& file) {
  YAML::Node root;
  try {
    root = YAML::Load(std::string(yaml));
  } catch (const YAML::Exception& error) {
    fail(file, error.mark, "expected YAML: " + error.msg);
  }
  if (const auto odd = passed_over(yaml))
    throw BaselineError(file + ":" + std::to_string(odd->line) + ": " + odd->words);
  Baseline baseline{file, {}};
  if (root.IsNull()) return baseline;
  if (!root.IsSequence()) fail(file, root.Mark(), "expected a list of entries");
  std::set<std::string> checks;
  std::string mistakes;  // one an entry: whoever wrote the file sees all that have one
  for (const auto& item : root) {
    try {
      baseline.entries.push_back(read_entry(item, file));
      const auto& check = baseline.entries.back().check;
      if (!checks.insert(check).second) fail(file, item.Mark(), check + " is listed twice");
    } catch (const BaselineError& error) {
      mistakes.append(mistakes.empty() ? "" : "\n").append(error.what());
    }
  }
  if (!mistakes.empty()) throw BaselineError(mistakes);
  return baseline;
}

Baseline load_baseline(const std::string& path) {
  try {
    return parse_baseline(read_text_file(path), path);
  } catch (const FileError& error) {
    throw BaselineError(path + ": " + error.what());
  }
}

namespace {
/// A report may be made again with another baseline.
void forget_baseline(reports::RunResult& run) {
  run.stale_baseline.clear();
  for (auto& result : run.cases) {
    for (auto& check : result.checks) {
      check.baseline = BaselineState::unlisted;
      check.baseline_reason.clear();
    }
  }
}

bool names(const BaselineEntry& entry, const std::string& id) {
  return std::ranges::find(entry.in_cases, id) != entry.in_cases.end();
}

/// What comes and goes by chance is no surprise where it is not there. Where an entry names the cases in which a rule
/// of the standing judge is broken, only a run of one of them can show that it is kept now.
bool can_be_stale(const BaselineEntry& entry, const reports::RunResult& run) {
  if (entry.sometimes) return false;
  return entry.in_cases.empty() || std::ranges::any_of(run.cases, [&](const auto& result) {
           return names(entry, result.id) && !result.checks.empty();
         });
}

/// Another case in which the rule of the check is broken than those that the entry names; empty where there is none.
std::string broken_elsewhere(const BaselineEntry& entry, const reports::Check& check, const reports::RunResult& run) {
  if (entry.in_cases.empty()) return {};
  for (const auto& result : run.cases) {
    const bool broken = std::ranges::any_of(
        result.heard, [&](const auto& heard) { return heard.breaches > 0 && standing_check_of(heard) == check.id; });
    if (broken && !names(entry, result.id)) return result.id;
  }
  return {};
}
}  // namespace

void apply_baseline(const Baseline& baseline, const std::string& today, reports::RunResult& run) {
  forget_baseline(run);
  for (const auto& entry : baseline.entries) {
    if (!entry.target.empty() && entry.target != run.target) continue;
    const bool expired = !entry.expires.empty() && entry.expires < today;
    bool made = false, red = false;
    for (auto& result : run.cases) {
      for (auto& check : result.checks) {
        if (check.id != entry.check) continue;
        made = made || check.outcome != reports::Outcome::inconclusive;
        if (!is_red(check)) continue;
        red = true;
        const auto elsewhere = broken_elsewhere(entry, check, run);
        const bool known = elsewhere.empty() && (entry.message.empty() || tells(check, entry.message));
        check.baseline = known && !expired ? BaselineState::expected : BaselineState::unlisted;
        check.baseline_reason = entry.reason + (entry.link.empty() ? "" : " (" + entry.link + ")");
        if (expired)
          check.baseline_reason = "the baseline entry expired on " + entry.expires + ": " + check.baseline_reason;
        if (!known) check.baseline_reason = "the baseline lists another failure: " + entry.message;
        if (!elsewhere.empty()) check.baseline_reason = "the baseline does not list it for " + elsewhere;
      }
    }
    if (!made || red || !can_be_stale(entry, run)) continue;
    run.stale_baseline.push_back(entry.check);
    for (auto& result : run.cases) {
      for (auto& check : result.checks) {
        if (check.id == entry.check) check.baseline = BaselineState::stale;
      }
    }
  }
}

}  // namespace cutover::harness
