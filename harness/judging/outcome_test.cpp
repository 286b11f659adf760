// The table of exit codes, and what makes a case red.
#include "harness/judging/outcome.h"

#include "reports/json.h"
#include "reports/junit.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <regex>

namespace cutover::harness {
namespace {

using reports::BaselineState;
using reports::Outcome;
using reports::RunResult;

reports::CaseResult case_with(Outcome outcome, const char* level = "MUST",
                              BaselineState baseline = BaselineState::unlisted) {
  reports::CaseResult result;
  result.checks.push_back(
      {.id = "a.b#R", .requirement = "R", .level = level, .outcome = outcome, .baseline = baseline});
  result.outcome = aggregate(result.checks);
  return result;
}

reports::CaseResult without_checks(Outcome outcome) {
  reports::CaseResult result;
  result.outcome = outcome;
  return result;
}

TEST(Outcome, FollowsTheLevel) {
  for (const auto* level : {"MUST", "MUST NOT", "TEXT", "PROFILE"}) {
    EXPECT_EQ(outcome_of(level, false, false), Outcome::fail) << level;
    EXPECT_EQ(outcome_of(level, true, true), Outcome::pass) << level;
  }
  for (const auto* level : {"SHOULD", "SHOULD NOT"}) {
    EXPECT_EQ(outcome_of(level, false, false), Outcome::warn);
    EXPECT_EQ(outcome_of(level, false, true), Outcome::fail);
  }
  EXPECT_EQ(outcome_of("MAY", false, true), Outcome::info);
}

TEST(Outcome, OfACaseIsItsWorstCheck) {
  EXPECT_EQ(aggregate({}), Outcome::broken);
  EXPECT_EQ(aggregate({{.outcome = Outcome::pass}, {.outcome = Outcome::warn}, {.outcome = Outcome::info}}),
            Outcome::warn);
  EXPECT_EQ(aggregate({{.outcome = Outcome::inconclusive}, {.outcome = Outcome::fail}}), Outcome::fail);
}

/// Reads each report back: none may tell another verdict than the exit code.
void expect_agreement(const char* what, RunResult run) {
  conclude(run);
  const auto counted = [&run](reports::Standing standing) {
    return std::ranges::count(run.cases, standing, &reports::CaseResult::standing);
  };
  const auto failing = counted(reports::Standing::red) + counted(reports::Standing::fault);
  const auto junit = reports::to_junit(run);
  std::smatch counts;
  ASSERT_TRUE(std::regex_search(junit, counts, std::regex(R"r(failures="(\d+)" errors="(\d+)" skipped="(\d+)")r")));
  EXPECT_EQ(counts[1] == "0" && counts[2] == "0", run.exit_code == 0) << what << "\n" << junit;
  EXPECT_EQ(counts[2] != "0", run.exit_code == exit_code::fault) << what << "\n" << junit;
  const auto again = reports::from_json(reports::to_json(run));
  EXPECT_EQ(again.exit_code, run.exit_code);
  const auto is_failing = [](const auto& result) {
    return result.standing == reports::Standing::red || result.standing == reports::Standing::fault;
  };
  EXPECT_EQ(std::ranges::count_if(again.cases, is_failing), failing) << what;
  EXPECT_TRUE(failing == 0 || run.exit_code != 0) << what;
  EXPECT_TRUE(failing > 0 || run.exit_code != 1) << what;
}

struct Row {
  const char* what;
  std::vector<reports::CaseResult> cases;
  bool complete, stale;
  int code;
};

TEST(ExitCode, Table) {
  const auto pass = case_with(Outcome::pass), fail = case_with(Outcome::fail), broken = without_checks(Outcome::broken);
  const std::vector<Row> table{
      {"all pass", {pass, pass}, true, false, 0},
      {"warnings and infos are green",
       {case_with(Outcome::warn, "SHOULD"), case_with(Outcome::info, "MAY")},
       true,
       false,
       0},
      {"a failure", {pass, fail}, true, false, 1},
      {"an inconclusive MUST", {pass, case_with(Outcome::inconclusive)}, true, false, 1},
      {"an inconclusive SHOULD", {case_with(Outcome::inconclusive, "SHOULD")}, true, false, 0},
      {"a listed failure", {case_with(Outcome::fail, "MUST", BaselineState::expected)}, true, false, 0},
      {"a listed failure beside another",
       {case_with(Outcome::fail, "MUST", BaselineState::expected), fail},
       true,
       false,
       1},
      {"only stale", {pass}, true, true, 2},
      {"failure before stale", {fail}, true, true, 1},
      {"fault before failure and stale", {fail, broken}, true, true, 3},
      {"incomplete before failure", {fail}, false, true, 3},
      {"a skip beside a pass", {pass, without_checks(Outcome::skipped)}, true, false, 0},
      {"nothing but skips", {without_checks(Outcome::skipped), without_checks(Outcome::unsupported)}, true, false, 3},
      {"no case at all", {}, true, false, 3},
  };
  for (const auto& row : table) {
    RunResult run;
    run.cases = row.cases;
    run.complete = row.complete;
    if (row.stale) run.stale_baseline = {"a.b#R"};
    EXPECT_EQ(exit_code_of(run), row.code) << row.what;
    EXPECT_FALSE(verdict_of(run).empty());
    expect_agreement(row.what, run);
  }
}

TEST(Verdict, SaysWhatWasPlanted) {
  RunResult run;
  run.cases = {case_with(Outcome::pass)};
  EXPECT_EQ(verdict_of(run), "conforming: 1 check in 1 case");
  run.planted = {"xmpp.no-close-timeout"};
  EXPECT_EQ(verdict_of(run),
            "conforming: 1 check in 1 case; with planted defects: xmpp.no-close-timeout: this is no run of the "
            "reference");
  run.target = "Prosody";
  EXPECT_THAT(verdict_of(run), testing::EndsWith(": this is no run of the target as it is"));
  run.planted = {"sip.response-without-record-route@gateway", "xmpp.no-close-timeout"};
  EXPECT_EQ(words_of_planted(run.planted),
            "planted defects: sip.response-without-record-route@gateway, xmpp.no-close-timeout");
  EXPECT_EQ(words_of_planted({}), "");
}

}  // namespace
}  // namespace cutover::harness
