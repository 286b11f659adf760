// What follows from a breach that the standing judge heard, and what does not.
#include "harness/judging/causes.h"

#include "harness/judging/outcome.h"
#include "harness/judging/standing.h"
#include "reports/json.h"
#include "reports/junit.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::harness {
namespace {

using reports::BaselineState;
using reports::Check;
using reports::Outcome;
using reports::Standing;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Check check(const std::string& requirement, Outcome outcome, const char* level = "MUST") {
  return {.id = "account.x#" + requirement,
          .requirement = requirement,
          .level = level,
          .outcome = outcome,
          .looked_at = "the answer",
          .expected = "one",
          .actual = "two\nwire"};
}

/// A case in which a rule was broken, and the standing check that tells it.
reports::RunResult broken(const char* rule, std::vector<Check> checks) {
  reports::RunResult run;
  auto& result = run.cases.emplace_back();
  result.id = "account.x";
  result.world = "target";
  result.checks = std::move(checks);
  result.outcome = aggregate(result.checks);
  result.heard = {{.rule = rule, .judged = 2, .breaches = 1, .sender = "subject", .octets = "<x/>"}};
  add_standing(run, false);
  return run;
}

/// Two cases in which a stream had the same id.
std::size_t breaches_of_one_id(const char* world, unsigned long long first_seed, unsigned long long second_seed) {
  reports::RunResult run;
  for (const auto& [id, seed] : {std::pair("account.x", first_seed), {"account.y", second_seed}}) {
    auto& result = run.cases.emplace_back();
    result.id = id;
    result.world = world;
    result.seed = seed;
    result.heard = {{.rule = "stream_id_never_repeats", .judged = 1, .once = {{"the-id", ""}}}};
  }
  add_standing(run, false);
  const auto& checks = run.cases.back().checks;
  return static_cast<std::size_t>(std::ranges::count(checks, Outcome::fail, &Check::outcome));
}

TEST(Standing, TellsTwoCasesOfOneSeedFromARepetition) {
  EXPECT_EQ(breaches_of_one_id("sim", 1, 2), 1U);
  EXPECT_EQ(breaches_of_one_id("sim", 1, 1), 0U) << "the subject that we play draws from the seed";
  EXPECT_EQ(breaches_of_one_id("target", 1, 1), 1U) << "a real server does not";
}

TEST(Causes, HideWhatFollowsAndStayRedThemselves) {
  auto run = broken("verify_answer_form", {check("XEP0220-2.2.2-1", Outcome::fail), check("R-1", Outcome::fail),
                                           check("R-2", Outcome::inconclusive), check("R-3", Outcome::pass)});
  conclude(run);
  const auto& checks = run.cases.front().checks;
  EXPECT_EQ(checks[0].standing, Standing::red) << "the same requirement is the same fault";
  EXPECT_EQ(checks[1].standing, Standing::hidden);
  EXPECT_EQ(checks[1].outcome, Outcome::inconclusive);
  EXPECT_EQ(reports::sentence_of(checks[1]),
            "not reached: see standing#XEP0220-2.2.2-1; the answer: expected one, got two");
  EXPECT_EQ(reports::details_of(checks[1]), "wire");
  EXPECT_EQ(checks[2].standing, Standing::hidden);
  EXPECT_EQ(checks[3].standing, Standing::met);
  EXPECT_EQ(run.cases.back().standing, Standing::red);
  EXPECT_EQ(run.exit_code, exit_code::failure);
  const auto hidden = hidden_in(run);
  ASSERT_EQ(hidden.size(), 1);
  EXPECT_THAT(hidden.front().checks, ElementsAre("account.x#R-1", "account.x#R-2"));
}

TEST(Causes, AreInEveryReport) {
  auto run = broken("verify_answer_form", {check("R-1", Outcome::fail)});
  conclude(run);
  EXPECT_EQ(run.cases.front().standing, Standing::hidden);
  EXPECT_THAT(run.verdict, HasSubstr("1 case not reached because of these faults"));
  EXPECT_THAT(reports::to_junit(run), HasSubstr("failures=\"1\" errors=\"0\" skipped=\"1\""));
  const auto again = reports::from_json(reports::to_json(run));
  EXPECT_EQ(again.cases.front().checks.front().cause, "standing#XEP0220-2.2.2-1");
  EXPECT_EQ(again.cases.front().standing, Standing::hidden);
}

TEST(Causes, HideWhatTheyKeptFromHappeningElsewhere) {
  const auto run_with = [](const char* suite, Outcome beside) {
    auto run = broken("initial_language", {check("R-1", Outcome::inconclusive), check("R-2", Outcome::inconclusive)});
    auto& waits = run.cases.front();
    waits.suite = "account";
    waits.checks[0].actual = std::string(did_not_happen) + "messages pass";
    auto& fails = run.cases.emplace_back();
    fails.id = fails.suite = suite;
    fails.world = "target";
    fails.checks = {check("R-3", Outcome::fail), check("R-4", beside)};
    fails.outcome = Outcome::fail;
    conclude(run);
    return run;
  };
  const auto run = run_with("tls", Outcome::inconclusive);
  EXPECT_EQ(run.cases.front().checks[0].standing, Standing::hidden);
  EXPECT_EQ(run.cases.front().checks[0].cause, "account.x#R-3");
  EXPECT_EQ(run.cases.front().checks[1].standing, Standing::red) << "not for a precondition";
  EXPECT_EQ(run_with("variation", Outcome::pass).cases.front().checks[0].standing, Standing::hidden);
  EXPECT_EQ(run_with("presence", Outcome::pass).cases.front().checks[0].standing, Standing::red)
      << "nothing builds on it";
}

TEST(Causes, AreNoneWhereNothingCanFollow) {
  auto slip = broken("initial_language", {check("R-1", Outcome::fail)});
  conclude(slip);
  EXPECT_EQ(slip.cases.front().standing, Standing::red) << "a language that is not declared misleads nobody";

  auto elsewhere = broken("verify_answer_form", {check("R-1", Outcome::fail)});
  elsewhere.cases.insert(elsewhere.cases.begin(), elsewhere.cases.front());
  elsewhere.cases.front().heard.clear();
  conclude(elsewhere);
  EXPECT_EQ(elsewhere.cases.front().standing, Standing::red) << "it was not broken in this case";
}

TEST(Causes, HideNothingBehindWhatIsAccepted) {
  auto run = broken("verify_answer_form", {check("R-1", Outcome::fail)});
  run.cases.back().checks.front().baseline = BaselineState::expected;
  conclude(run);
  EXPECT_EQ(run.cases.front().standing, Standing::red);
  EXPECT_THAT(hidden_in(run), IsEmpty());

  auto accepted = broken("verify_answer_form", {check("R-1", Outcome::fail)});
  accepted.cases.front().checks.front().baseline = BaselineState::expected;
  conclude(accepted);
  EXPECT_EQ(accepted.cases.front().standing, Standing::accepted) << "and what is accepted stays so";
}

}  // namespace
}  // namespace cutover::harness
