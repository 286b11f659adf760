// The subcommands behind the command line; each returns the exit code of the program.
#pragma once

#include "harness/cli/arguments.h"

namespace cutover::harness::cli {

/// What is done with the results of a run before they are concluded and reported.
using Behind = std::function<void(reports::RunResult&, const std::vector<Job>&, const RunnerOptions&)>;
/// Runs the cases, prints and writes what came of them. `command` is the command line, for the reports.
[[nodiscard]] int run_command(const RunArguments&, const std::vector<std::string>& command, const Behind& behind = {});
/// Sends rubbish to a target, or to the reference, for `arguments.limit_s`; each finding is told by the fewest and
/// smallest decisions that bring it about.
[[nodiscard]] int fuzz_command(const RunArguments& arguments, const std::vector<std::string>& command);
/// Writes the reports of a run that ended early from its results.jsonl, or those of a run.json anew.
[[nodiscard]] int report_command(const RunArguments&, const std::vector<std::string>& files,
                                 const std::vector<std::string>& command);
/// Tells which verdicts of two runs differ, each left in a run.json or results.jsonl; 1 where any does. What
/// `baseline`, a file or empty, lists as a matter of chance does not count.
[[nodiscard]] int compare_command(const std::string& first, const std::string& second, const std::string& baseline);
/// Counts what a run.json or results.jsonl judged; what the cases judge that are run now where `file` is empty.
[[nodiscard]] int coverage_command(const RunArguments&, const std::string& file, bool by_requirement);

struct GradeArguments {
  std::string file, keys;
  std::vector<std::string> senders;
  std::vector<std::uint16_t> ports;
  RunArguments reporting;  ///< strict, baseline and where the reports go
};
/// Judges who speaks in a capture, or what a run of ours heard, by the rules of the standing judge. Throws CaptureError
/// and UsageError.
[[nodiscard]] int grade_command(const GradeArguments&, const std::vector<std::string>& command);

enum class ListForm { text, json, ctest, words };
/// Tells what is wrong with cases and departures; 1 where anything is.
[[nodiscard]] int lint_command();
/// `program` is the path of this program, for ctest.
[[nodiscard]] int list_command(const RunArguments&, ListForm, const std::string& program);
/// Tells of cases (id, suite or glob), of a requirement, of a defect or variant, of a cause or of a known failure.
[[nodiscard]] int explain_command(const std::string& id);

/// Which rows of the table of departures are listed; empty members ask for nothing.
struct DefectFilter {
  std::string search, kind, layer, requirement, nature;
};
enum class DefectForm { text, json, words };
/// Throws UsageError where the table has no such row.
[[nodiscard]] int defects_command(const DefectFilter&, DefectForm);

struct SelftestOptions {
  std::vector<std::string> plant;  ///< tells which checks find these
  bool rules = false;              ///< searches for what no check notices, among all that no case names
  bool all = false;                ///< in every case, not in the nearest only; without `rules`: each variant alone
};
/// Without options both matrices: plants each named defect and expects the check that names it to turn red, then
/// permitted variants and expects none to.
[[nodiscard]] int selftest_command(const RunArguments&, const SelftestOptions&);
/// Runs the cases as GoogleTest tests.
[[nodiscard]] int gtest_command(std::vector<std::string> arguments);

struct AuthorityArguments {
  std::string folder, flaw = "none", out;
  std::vector<std::string> names;
  bool rsa = false;
};
/// Flaws that a certificate can have, as --flaw takes them.
[[nodiscard]] std::vector<std::string> issuable_flaws();
/// Makes a test authority. Throws AuthorityError.
[[nodiscard]] int authority_new_command(const std::string& folder);
/// Issues one certificate of it. Throws UsageError, AuthorityError.
[[nodiscard]] int authority_issue_command(const AuthorityArguments&);

/// Plays the tables of negotiation, prints them, and writes a page of them with the wire of each cell; 1 where a cell
/// is not as predicted.
[[nodiscard]] int negotiation_command(const std::string& directory, const std::vector<std::string>& command);

struct RehearseArguments {
  std::string plan, directory = "out/rehearsal";
  bool improve = false;  ///< searches for the plan that costs least
  bool orders = false;   ///< rehearses every order of the document's steps over its estate
};
/// Rehearses a plan of a migration and writes its reports; 0 is a go, 1 a no-go, or not what the plan
/// expects. Throws YamlError.
[[nodiscard]] int rehearse_command(const RehearseArguments&, const std::vector<std::string>& command);
struct EstateArguments {
  std::vector<std::string> files, legacy_pools;
  std::string plan;  ///< where a plan is written; empty: none is
};
/// Reads exports of the product, zones and certificates, tells what fails by them, and writes a plan of their estate;
/// 1 where anything fails. Throws UsageError.
[[nodiscard]] int estate_command(const EstateArguments&);
/// Prints a commented plan to begin with.
[[nodiscard]] int plan_new_command();
/// Prints what the steps of a plan can do.
[[nodiscard]] int plan_operations_command();
/// Prints why an exchange can fail.
[[nodiscard]] int plan_causes_command();

/// What this machine has and lacks for a full run. Returns 0, or 3 when a run on loopback cannot work.
[[nodiscard]] int doctor();

}  // namespace cutover::harness::cli
