// Which failure an entry of a baseline accepts, and which it does not.
#include "harness/judging/baseline.h"

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using reports::BaselineState;
using testing::AllOf;
using testing::HasSubstr;

reports::RunResult failed(const std::string& check_id) {
  reports::CaseResult result;
  result.id = check_id.substr(0, check_id.find('#'));
  result.checks.push_back({.id = check_id,
                           .level = "MUST",
                           .outcome = reports::Outcome::fail,
                           .looked_at = "the body that came for TEXT/Plain",
                           .expected = "\"any case\"",
                           .actual = "\".\"\nLast on the wire:\nfabrikam -> proxy"});
  reports::RunResult run;
  run.cases.push_back(std::move(result));
  return run;
}

reports::Check after(const std::string& message, const std::string& link = {}) {
  const std::string check = "demo.case#SEED-2";
  auto run = failed(check);
  apply_baseline({"b.yaml", {{.check = check, .reason = "known", .link = link, .message = message}}}, "2026-11-27",
                 run);
  return run.cases.front().checks.front();
}

TEST(Baseline, AcceptsTheFailureWhoseWordsItNames) {
  EXPECT_EQ(after("").baseline, BaselineState::expected);
  EXPECT_EQ(after("\".\"").baseline, BaselineState::expected) << "what was got";
  EXPECT_EQ(after("TEXT/Plain").baseline, BaselineState::expected) << "what was looked at";
  EXPECT_EQ(after("any case").baseline, BaselineState::unlisted) << "what was expected is in every failure";
  EXPECT_EQ(after("fabrikam -> proxy").baseline, BaselineState::unlisted) << "nearly every word stands on the wire";
  EXPECT_THAT(after("other").baseline_reason, HasSubstr("another failure: other"));
}

TEST(Baseline, TellsItsReasonAndTheLinkWhereThereIsOne) {
  EXPECT_EQ(after("").baseline_reason, "known");
  EXPECT_EQ(after("", "https://tracker.example/7").baseline_reason, "known (https://tracker.example/7)");
}

TEST(Baseline, IsNotStaleForWhatComesAndGoes) {
  const std::string entry = "- check: standing#RFC6120-4.7.3-2\n  reason: depends on the second\n";
  for (const bool sometimes : {false, true}) {
    auto run = failed("standing#RFC6120-4.7.3-2");
    run.cases.front().checks.front().outcome = reports::Outcome::pass;
    apply_baseline(parse_baseline(entry + (sometimes ? "  sometimes: true\n" : ""), "b.yaml"), "2026-11-27", run);
    EXPECT_EQ(run.stale_baseline.empty(), sometimes);
  }
  EXPECT_THROW((void)parse_baseline(entry + "  sometimes: maybe\n", "b.yaml"), BaselineError);
}

TEST(Baseline, TellsTheMistakesOfAllEntriesAtOnce) {
  const std::string sound = "- check: standing#RFC6120-4.7.3-2\n  reason: known\n";
  try {
    (void)parse_baseline("- chekc: a\n" + sound + "- check: nowhere\n  reason: known\n" + sound, "b.yaml");
    FAIL() << "three entries are wrong";
  } catch (const BaselineError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("b.yaml:1: unknown key 'chekc'"), HasSubstr("\nb.yaml:4: expected case-id#"),
                      HasSubstr("\nb.yaml:6: standing#RFC6120-4.7.3-2 is listed twice")));
  }
}

}  // namespace
}  // namespace cutover::harness
