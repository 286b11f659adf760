// Reads what an earlier run left: its JSON report, or the results of one that was killed.
#pragma once

#include "reports/model.h"

namespace cutover::harness::cli {

struct LeftByRun {
  reports::RunResult run;
  std::string traces;  ///< the file that holds the traces; empty where none does
};

/// Reads a results.jsonl or a run.json. Throws UsageError.
[[nodiscard]] reports::RunResult judged_by_run(const std::string& file);
/// The same with the traces that a run.json has apart. Those that are not there any more, or are of a later run, are
/// missed on stderr.
[[nodiscard]] LeftByRun left_by_run(const std::string& file);
/// The same of one or several shards, as one run. Throws UsageError where they are not.
[[nodiscard]] LeftByRun left_by_runs(const std::vector<std::string>& files);

/// How `report` names `file`: from its own folder.
[[nodiscard]] std::string as_seen_from(const std::string& report, const std::string& file);

}  // namespace cutover::harness::cli
