// The baseline: failures that are known, each with a reason, so that a new one stands out and an old one cannot rot.
#pragma once

#include "reports/model.h"

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness {

struct BaselineEntry {
  std::string check;  ///< "case-id#requirement-id"
  std::string reason;
  std::string link;     ///< where more is said; may be empty
  std::string message;  ///< when not empty: words of what was looked at or got, without which it is another failure
  std::string target;   ///< when not empty, the entry counts for the target of that name only: a server in one mode
  /// Of a rule of the standing judge: the cases in which alone it is broken; empty: in whichever.
  std::vector<std::string> in_cases;
  bool sometimes = false;  ///< it depends on chance or time: a run without it makes the entry not stale
  std::string expires;     ///< "2027-06-30"; from the day after it the entry counts no more
  int line = 0;
};

struct Baseline {
  std::string file;
  std::vector<BaselineEntry> entries;
};

/// What is wrong with a baseline file, a line for each entry that has a mistake: "file:line: what was expected".
struct BaselineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A YAML list of maps with check, reason and optionally case, link, message, target, sometimes and expires.
[[nodiscard]] Baseline parse_baseline(std::string_view yaml, const std::string& file);
[[nodiscard]] Baseline load_baseline(const std::string& path);

/// Marks the checks that the baseline lists, and collects in run.stale_baseline the listed ones that were made and
/// never red. `today` is "YYYY-MM-DD".
void apply_baseline(const Baseline& baseline, const std::string& today, reports::RunResult& run);

}  // namespace cutover::harness
