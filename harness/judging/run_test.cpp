// What becomes of bodies that pass, fail, judge nothing, throw, assert, or end early.
#include "harness/judging/run.h"

#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using reports::Outcome;
using testing::Eq;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto must = "SEED-2", should = "RFC6120-3.3-1";

using CaseRun = Run;  // inside a test, Run is a member of testing::Test

CaseRecord record(std::function<void(CaseRun&)> body,
                  std::vector<Judges> judges = {{must, {"xmpp.deaf-while-closing"}}}) {
  return {.id = "demo.case",
          .title = "A case",
          .procedure = "Nothing.",
          .judges = std::move(judges),
          .body = std::move(body),
          .file = "demo.cpp",
          .line = 7};
}

class Noting final : public Node {
 public:
  void start(Context& context) override { context.note({.summary = "here"}); }
};

TEST(Run, JudgesByTheLevelOfTheCatalogue) {
  const auto result = execute_case(record(
                                       [](CaseRun&) {
                                         CONFORMS(must, "the number", 1, Eq(1));
                                         CONFORMS(must, "the number", 1, Eq(2));
                                         CONFORMS(should, "the number", 1, Eq(2));
                                       },
                                       {{must, {}}, {should, {}}}),
                                   {});
  ASSERT_EQ(result.checks.size(), 3U);
  EXPECT_EQ(result.checks[0].outcome, Outcome::pass);
  EXPECT_EQ(result.checks[1].id, "demo.case#SEED-2.2");
  EXPECT_EQ(result.checks[1].outcome, Outcome::fail);
  EXPECT_EQ(reports::sentence_of(result.checks[1]), "the number: expected 2, got 1");
  EXPECT_EQ(result.checks[2].outcome, Outcome::warn);
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.requirements[0].level, "MUST");
  EXPECT_EQ(result.reproduce, "cutover run demo.case --world=sim --replay=seed:1");
}

TEST(Run, JudgesByPart) {
  const auto of = [](const char* requirement) {
    return execute_case(record([requirement](CaseRun&) { CONFORMS(requirement, "the number", 1, Eq(2)); },
                               {{"RFC6120-13.7.2-1", {"xmpp.invalid-chain-accepted"}}}),
                        {});
  };
  const auto result = of("RFC6120-13.7.2-1/path");
  ASSERT_EQ(result.checks.size(), 1U);
  EXPECT_EQ(result.checks[0].id, "demo.case#RFC6120-13.7.2-1");
  EXPECT_EQ(result.checks[0].requirement, "RFC6120-13.7.2-1");
  EXPECT_EQ(result.checks[0].part, "path");
  EXPECT_THAT(of("RFC6120-13.7.2-1/moon").reason, HasSubstr("RFC6120-13.7.2-1 has no part 'moon' in the catalogue"));
}

TEST(Run, WhatComesLateHasComeAndIsToldAsLate) {
  const auto after = [](Duration when) {
    RunOptions options;
    options.target = Target{.name = "somebody", .patience = 10s, .driver = LocalTarget{}};
    return execute_case(record([when](CaseRun& run) {
                          const auto begin = run.world().now();
                          const bool came = run.world().await([&] { return run.world().now() - begin >= when; });
                          CONFORMS(must, "it came", came, Eq(true));
                        }),
                        options);
  };
  EXPECT_THAT(after(9s).reason, IsEmpty());
  EXPECT_EQ(after(15s).outcome, Outcome::pass);
  EXPECT_THAT(after(15s).reason,
              HasSubstr("late: what was waited for came after 20.0 s; the target file has 10 s of patience"));
  EXPECT_EQ(after(25s).outcome, Outcome::fail);
}

TEST(Run, IsBrokenWhereTheHarnessIsAtFault) {
  const auto reason = [](std::function<void(CaseRun&)> body) {
    const auto result = execute_case(record(std::move(body)), {});
    EXPECT_EQ(result.outcome, Outcome::broken);
    return result.reason;
  };
  auto nothing = record([](CaseRun&) {});
  nothing.judges.clear();
  EXPECT_THAT(execute_case(nothing, {}).reason, HasSubstr("judged nothing"));
  EXPECT_THAT(reason([](CaseRun&) { throw std::runtime_error("oh"); }), HasSubstr("oh"));
  EXPECT_THAT(reason([](CaseRun&) { CONFORMS("NO-SUCH", "the number", 1, Eq(1)); }), HasSubstr("no such requirement"));
  EXPECT_THAT(reason([](CaseRun&) { CONFORMS(should, "the number", 1, Eq(1)); }), HasSubstr("not declared"));
  RunOptions options;
  options.planted = {"no.such-defect"};
  EXPECT_THAT(execute_case(record([](CaseRun&) {}), options).reason, HasSubstr("no such defect or variant"));
}

TEST(Run, WhatWasNotJudgedIsInconclusive) {
  const auto result =
      execute_case(record([](CaseRun&) { CONFORMS(must, "the number", 1, Eq(1)); }, {{must, {}}, {"SEED-3", {}}}), {});
  EXPECT_EQ(result.outcome, Outcome::inconclusive);
  EXPECT_EQ(result.checks.at(1).id, "demo.case#SEED-3");
}

TEST(Run, WhoKeepsACaseWaitingMakesNothingBroken) {
  int waits = 0;
  const auto result = execute_case(record(
                                       [&](CaseRun& run) {
                                         run.world().end_at(run.world().now() + 5s);
                                         CONFORMS(should, "the number", 1, Eq(1));
                                         for (;; ++waits) (void)run.world().run_until([] { return false; }, 4s);
                                       },
                                       {{must, {}}, {should, {}}}),
                                   {});
  EXPECT_EQ(waits, 2) << "the second was cut short, the third did not begin";
  EXPECT_EQ(result.outcome, Outcome::inconclusive);
  EXPECT_THAT(result.reason, HasSubstr("kept waiting for all of its 40 s"));
  ASSERT_EQ(result.checks.size(), 2U);
  EXPECT_THAT(result.checks[1].actual, HasSubstr("not reached: the case was kept waiting"));
}

TEST(Run, AFailedAssertionIsAFailedCheck) {
  const auto result = execute_case(record([](CaseRun&) {
                                     ASSERT_EQ(1, 2) << "partner is not there";
                                     CONFORMS(must, "the number", 1, Eq(1));
                                   }),
                                   {});
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.checks.at(0).id, "demo.case#assertion");
  EXPECT_THAT(result.checks.at(0).actual, HasSubstr("partner is not there"));
}

TEST(Run, EndsEarlyButKeepsFailures) {
  EXPECT_EQ(execute_case(record([](CaseRun& run) { run.skip("no such thing"); }), {}).outcome, Outcome::skipped);
  EXPECT_EQ(execute_case(record([](CaseRun& run) { run.unsupported("not declared"); }), {}).outcome,
            Outcome::unsupported);
  EXPECT_EQ(execute_case(record([](CaseRun& run) {
                           CONFORMS(must, "the number", 1, Eq(2));
                           run.skip("late");
                         }),
                         {})
                .outcome,
            Outcome::fail);
}

TEST(Run, RunsInvariantsLastAndAlways) {
  std::string order;
  const auto result = execute_case(record([&](CaseRun& run) {
                                     run.at_end([&] { order += "a"; });
                                     run.at_end([&] { order += "b"; });
                                     CONFORMS(must, "the number", 1, Eq(1));
                                     throw std::runtime_error("x");
                                   }),
                                   {});
  EXPECT_EQ(order, "ba");
  EXPECT_EQ(result.outcome, Outcome::broken);
}

TEST(Run, ATargetDecidesWhatIsUnsupported) {
  auto needy = record([](CaseRun&) { CONFORMS(must, "the number", 1, Eq(1)); });
  needy.needs = {Need::sip_side};
  RunOptions options{.world = WorldKind::live,
                     .target = parse_target("name: X\ndriver: prosody\noffers: [user_account]\n", "x.yaml")};
  EXPECT_EQ(execute_case(needy, options).outcome, Outcome::unsupported);
  needy.needs = {Need::user_account};
  EXPECT_EQ(execute_case(needy, options).outcome, Outcome::pass);
  needy.staging = Staging::disruptive;
  EXPECT_EQ(execute_case(needy, options).outcome, Outcome::skipped);
}

TEST(Run, FurtherAttemptsThatPassKeepNoTrace) {
  const auto noting = [](int expected) {
    return record([expected](CaseRun& run) {
      run.world().add("a", 1, std::make_unique<Noting>());
      CONFORMS(must, "the number", 1, Eq(expected));
    });
  };
  const auto traced = [](const CaseRecord& which, int attempt) {
    return execute_case(which, {.world = WorldKind::sim, .attempt = attempt}).trace.size();
  };
  EXPECT_EQ(traced(noting(1), 1), 1U);
  EXPECT_EQ(traced(noting(1), 2), 0U);
  EXPECT_EQ(traced(noting(2), 2), 1U);
}

TEST(Run, SeedsDependOnRunCaseAndAttempt) {
  EXPECT_EQ(case_seed(1, "a.b", 1), case_seed(1, "a.b", 1));
  EXPECT_NE(case_seed(1, "a.b", 1), case_seed(2, "a.b", 1));
  EXPECT_NE(case_seed(1, "a.b", 1), case_seed(1, "a.c", 1));
  EXPECT_NE(case_seed(1, "a.b", 1), case_seed(1, "a.b", 2));
}

TEST(Lint, FindsEverySlip) {
  const auto good = record([](CaseRun&) {});
  EXPECT_THAT(lint(std::vector{good}, Catalogue::embedded()), IsEmpty());
  auto bad = good;
  bad.id = "Bad Id";
  bad.judges = {{must, {}}, {must, {"no.such"}}, {"NO-1", {}}};
  bad.sim = bad.live = false;
  const auto findings = lint(std::vector{good, good, bad}, Catalogue::embedded());
  EXPECT_THAT(findings, testing::UnorderedElementsAre(HasSubstr("twice"), HasSubstr("suite.slug"),
                                                      HasSubstr("needs a defect"), HasSubstr("declared twice"),
                                                      HasSubstr("no such defect or variant: no.such"),
                                                      HasSubstr("no such requirement: NO-1"), HasSubstr("no world")));
}

TEST(Verdict, PrintsWhatCanBeRead) {
  EXPECT_EQ(readable("x is equal to 0x556fa4c6bed0 pointing to \"a\""), "x is equal to \"a\"");
  EXPECT_EQ(readable("a finger pointing to 0x10"), "a finger pointing to 0x10");
  const auto printed = [](const auto& value) { return readable(testing::PrintToString(value)); };
  const std::vector<std::string> texts{"gr\xC3\xBC\xC3\x9F\x65", "\"\xC3\xA9\\", "a\\20b \"c\" \"d\"", ""};
  EXPECT_EQ(printed(texts), "{ \"gr\xC3\xBC\xC3\x9F\x65\", \"\"\xC3\xA9\\\", \"a\\20b \"c\" \"d\"\", \"\" }");
  EXPECT_EQ(printed(std::string("<a>\x01\r\n\t\xFF\0</a>", 13)), "\"<a>\\x01\\r\\n\\t\\xFF\\x00</a>\"");
  EXPECT_EQ(readable("it's an open \" quote\\"), "it's an open \" quote\\\"");
}

template <class T, class M>
std::string wanted(const M& matcher) {
  std::ostringstream description;
  testing::SafeMatcherCast<const T&>(matcher).DescribeTo(&description);
  return in_words(description.str());
}

TEST(Verdict, SaysInWordsWhatAMatcherWants) {
  using testing::AllOf, testing::AnyOf, testing::ElementsAre, testing::Ge, testing::Le, testing::Lt, testing::Gt;
  using Texts = std::vector<std::string>;
  EXPECT_EQ(wanted<bool>(Eq(true)), "yes");
  EXPECT_EQ(wanted<bool>(Eq(false)), "no");
  EXPECT_EQ(wanted<int>(Eq(2)), "2");
  EXPECT_EQ(wanted<int>(AllOf(Ge(1), Le(5))), "at least 1 and at most 5");
  EXPECT_EQ(wanted<int>(AnyOf(Gt(1), Lt(5))), "more than 1 or less than 5");
  EXPECT_EQ(wanted<std::string>(Eq("is equal to")), "\"is equal to\"");
  EXPECT_EQ(wanted<std::string>(testing::Ne("a")), "anything but \"a\"");
  EXPECT_EQ(wanted<std::string>(AnyOf("a", "b", testing::StartsWith("c"))),
            "\"a\" or \"b\" or a text that starts with \"c\"");
  EXPECT_EQ(wanted<std::string>(testing::AnyOfArray({"a"})), "\"a\"");
  EXPECT_EQ(wanted<std::string>(HasSubstr("a")), "a text that contains \"a\"");
  EXPECT_EQ(wanted<std::string>(testing::ContainsRegex("a+")), "a text that matches \"a+\"");
  EXPECT_EQ(wanted<Texts>(IsEmpty()), "nothing");
  EXPECT_EQ(wanted<Texts>(testing::Not(IsEmpty())), "anything");
  EXPECT_EQ(wanted<Texts>(AnyOf(IsEmpty(), ElementsAre("a"))), "nothing or only \"a\"");
  EXPECT_EQ(wanted<Texts>(ElementsAre("a", "b")), "\"a\", \"b\"");
  EXPECT_EQ(wanted<Texts>(testing::UnorderedElementsAre("a", "b")), "\"a\", \"b\", in any order");
  EXPECT_EQ(wanted<Texts>(testing::Each("a")), "each of them \"a\"");
  EXPECT_EQ(wanted<Texts>(testing::Contains("a")), "among them \"a\"");
  EXPECT_EQ(wanted<Texts>(testing::Not(testing::Contains("a"))), "none of them \"a\"");
}

TEST(Verdict, TellsWhatItGot) {
  const auto sentence = [](auto body) { return reports::sentence_of(execute_case(record(body), {}).checks.at(0)); };
  EXPECT_EQ(sentence([](CaseRun&) { CONFORMS(must, "the stream was closed", false, Eq(true)); }),
            "the stream was closed: expected yes, got no");
  EXPECT_EQ(sentence([](CaseRun&) { CONFORMS(must, "the kinds", std::vector<int>{}, testing::ElementsAre(1)); }),
            "the kinds: expected only 1, got nothing");
  EXPECT_EQ(sentence([](CaseRun&) { CONFORMS(must, "what is wrong", std::vector<int>{3}, IsEmpty()); }),
            "what is wrong: expected nothing, got { 3 }");
  EXPECT_EQ(sentence([](CaseRun&) { CONFORMS_THAT(must, "the answer", false, "a result", "an error"); }),
            "the answer: expected a result, got an error");
  EXPECT_EQ(sentence([](CaseRun&) { INCONCLUSIVE(must, "nobody is there"); }), "nobody is there");
}

TEST(Verdict, APreconditionLeavesWhatDependsOnItInconclusive) {
  const auto result = execute_case(record(
                                       [](CaseRun&) {
                                         CONFORMS(must, "the number", 1, Eq(1));
                                         if (GIVEN(true, "this holds") && !GIVEN(false, "the marker came") &&
                                             !GIVEN(std::optional<int>(), "an answer came"))
                                           (void)GIVEN(false, "the marker came");
                                       },
                                       {{must, {}}, {should, {}}}),
                                   {});
  EXPECT_EQ(result.outcome, Outcome::inconclusive);
  ASSERT_EQ(result.checks.size(), 2U);
  EXPECT_EQ(result.checks[0].outcome, Outcome::pass);
  EXPECT_EQ(result.checks[1].id, "demo.case#" + std::string(should));
  EXPECT_EQ(result.checks[1].outcome, Outcome::inconclusive);
  EXPECT_EQ(reports::sentence_of(result.checks[1]),
            "not reached, for this did not happen: the marker came; an answer came");
}

TEST(Verdict, APreconditionOfAFurtherJudgementIsNotForgotten) {
  const auto result = execute_case(record([](CaseRun&) {
                                     CONFORMS(must, "the first number", 1, Eq(1));
                                     if (GIVEN(false, "the marker came")) CONFORMS(must, "the second", 2, Eq(2));
                                   }),
                                   {});
  EXPECT_EQ(result.outcome, Outcome::inconclusive);
  EXPECT_TRUE(is_red(result));
  EXPECT_EQ(result.checks.at(1).id, "demo.case#precondition");
  EXPECT_THAT(result.checks.at(1).actual, HasSubstr("did not happen: the marker came"));
}

}  // namespace
}  // namespace cutover::harness
