// What every command that judges ends with: a baseline applied, reports in their places, a summary that arrived.
#pragma once

#include "harness/cli/arguments.h"
#include "harness/files/report_files.h"
#include "reports/model.h"

#include <string>

namespace cutover::harness::cli {

/// Where report files go.
struct Reports {
  std::string json, junit, html;
};
/// Where they are when nobody says otherwise.
[[nodiscard]] Reports places_in(const std::string& directory);
[[nodiscard]] std::string results_in(const std::string& directory);
[[nodiscard]] Reports places(const RunArguments&);
/// No file may take the place of another, nor of what a report is made from. Throws UsageError.
void check_places(const RunArguments&, const std::string& input);

/// Writes all that can be written; false, with a message for each, when one could not be. The traces, most of a run,
/// are in the results already, where there are any; the JSON report says where.
[[nodiscard]] bool write_reports(reports::RunResult&, const Reports&, Readers, const std::string& results);
/// False, with a message, when what was printed did not reach its place. A reader that went away had what it wanted.
[[nodiscard]] bool printed();

/// Today's day, as a baseline counts it.
[[nodiscard]] std::string today();

}  // namespace cutover::harness::cli
