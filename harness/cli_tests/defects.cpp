// Defects and requirements by name: what is listed, explained, run and searched for.
#include "harness/cli_tests/program.h"

#include <boost/json.hpp>

namespace cutover::cli_tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Defects : public CommandLine {};

TEST_F(Defects, AreListedByWhatIsAskedFor) {
  expect(cutover({"defects"}), 0,
         AllOf(HasSubstr("xmpp ("), HasSubstr("  xmpp.header-without-from "), HasSubstr("RFC6120-4.7.1-1"),
               HasSubstr("`cutover explain NAME`")));
  expect(cutover({"defects", "--kind=setting", "--search=CLOSE-timeout"}), 0,
         AllOf(HasSubstr("xmpp.no-close-timeout"), HasSubstr("\n1 defect, 0 permitted variants")));
  expect(cutover({"defects", "--layer=sip"}), 0, AllOf(StartsWith("sip ("), Not(HasSubstr("xmpp."))));
  expect(cutover({"defects", "--requirement=RFC6120-4.4-*", "--nature=defect"}), 0,
         AllOf(HasSubstr("xmpp.no-close-timeout"), Not(HasSubstr("xmpp.header-without-from"))));
  expect(cutover({"defects", "--search=no such words"}), 4, HasSubstr("no defect or variant fits"));
  expect(cutover({"defects", "--kind=bug"}), 4, HasSubstr("--kind"));
}

TEST_F(Defects, AreListedForPrograms) {
  const auto listed = cutover({"defects", "--json", "--search=xmpp.no-close-timeout"});
  ASSERT_EQ(listed.code, 0);
  const auto rows = boost::json::parse(listed.output).as_array();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at("name").as_string(), "xmpp.no-close-timeout");
  EXPECT_EQ(rows[0].at("nature").as_string(), "defect");
  EXPECT_EQ(rows[0].at("kind").as_string(), "setting");
  EXPECT_EQ(rows[0].at("requirements").as_array().at(0).as_string(), "RFC6120-4.4-4");
}

TEST_F(Defects, AreExplainedWithWhatMustTurnRed) {
  expect(cutover({"explain", "xmpp.no-close-timeout"}), 0,
         AllOf(HasSubstr("defect, setting; planted at proxy, "), HasSubstr("waits without end"),
               HasSubstr("MUST RFC6120-4.4-4"), HasSubstr("What must turn red\n  stream."),
               HasSubstr("--defect=xmpp.no-close-timeout")));
  expect(cutover({"explain", "RFC6120-4.4-4"}), 0,
         AllOf(HasSubstr("MUST RFC6120-4.4-4"), HasSubstr("judged by stream."),
               HasSubstr("broken by xmpp.no-close-timeout (setting)")));
  expect(cutover({"run", "xmpp.no-close-timeout"}), 4, HasSubstr("--defect=xmpp.no-close-timeout"));
}

TEST_F(Defects, RequirementsStandForTheCasesThatJudgeThem) {
  expect(sim({"RFC7572-7-5"}), 0, AllOf(HasSubstr("message.bodies (sim)"), Not(HasSubstr("stream."))));
  expect(cutover({"list", "XEP0220-*"}), 0, AllOf(HasSubstr("dialback."), Not(HasSubstr("message."))));
  expect(cutover({"list", "dialback", "--exclude=XEP*", "--exclude=SEC-*", "--exclude=RFC*", "--exclude=MIG-*"}), 4,
         HasSubstr("selection is empty"));
  expect(sim({"RFC7572-7-55"}), 4, HasSubstr("is no requirement; did you mean RFC7572-7-5"));
  expect(sim({"ZZ*"}), 4, HasSubstr("matches no requirement"));
}

TEST_F(Defects, AWordBehindWhatIsLeftOutIsNotGuessedAt) {
  expect(cutover({"list", "--exclude", "message", "policy"}), 4,
         AllOf(HasSubstr("--exclude message --exclude policy"), HasSubstr("policy --exclude message")));
  expect(sim({"--exclude", "message", "policy", "--seed=1"}), 4, HasSubstr("it takes one"));
  expect(cutover({"list", "policy", "message", "--exclude", "message"}), 0,
         AllOf(HasSubstr("policy."), Not(HasSubstr("message."))));
  expect(cutover({"list", "--exclude=message", "policy", "message"}), 0,
         AllOf(HasSubstr("policy."), Not(HasSubstr("message."))));
  expect(cutover({"list", "policy", "message", "--exclude", "message", "--exclude", "policy.stranger"}), 0,
         AllOf(HasSubstr("policy."), Not(HasSubstr("policy.stranger")), Not(HasSubstr("message."))));
  expect(cutover({"run", "--help"}), 0, AllOf(HasSubstr("--exclude CASES "), Not(HasSubstr("CASES ..."))));
}

TEST_F(Defects, TheSelftestCountsTheTableAndKills) {
  expect(cutover({"selftest", "RFC7572-7-5"}), 0,
         AllOf(HasSubstr(" rules waived, "), HasSubstr("killed    message.bodies#RFC7572-7-5 by "),
               HasSubstr("; 0 survivors, 0 controls not green")));
  expect(cutover({"selftest", "stream.closed-by-the-subject", "--plant=xmpp.no-close-timeout"}), 0,
         HasSubstr("found     xmpp.no-close-timeout by stream.closed-by-the-subject#RFC6120-4.4-4"));
  expect(cutover({"selftest", "message.bodies", "--plant=xmpp.no-close-timeout"}), 1,
         HasSubstr("NOT FOUND xmpp.no-close-timeout"));
  expect(cutover({"selftest", "--plant=no.such"}), 4, HasSubstr("no such defect or variant: no.such"));
}

TEST_F(Defects, TheSelftestSparesWhatTheDocumentsAllow) {
  expect(cutover({"selftest", "stream.unknown-host"}), 0,
         AllOf(HasSubstr("spare matrix: "), HasSubstr(" variants, 0 blamed; "), HasSubstr(" met no case: "),
               HasSubstr(" gateway.last-resource-wins"), Not(HasSubstr("xmpp.host-gone"))));
  expect(cutover({"selftest", "stream.unknown-host", "--all"}), 0, HasSubstr(" variants, 0 blamed; "));
  expect(cutover({"selftest", "stream.unknown-host", "--plant=xmpp.host-gone"}), 0,
         HasSubstr("spared    xmpp.host-gone"));
}

TEST_F(Defects, TheSearchTellsWhatNoCheckNotices) {
  expect(cutover({"selftest", "message.bodies", "--rules"}), 0,
         AllOf(HasSubstr(" rules waived, "), HasSubstr(" defects named by no case: ")));
  expect(cutover({"selftest", "--all", "--plant=xmpp.no-close-timeout"}), 4, HasSubstr("excludes"));
}

TEST_F(Defects, TheBuildFindsNothingWrongWithTheCases) {
  expect(cutover({"list", "--lint"}), 0, Not(HasSubstr("needs a defect")));
}

}  // namespace
}  // namespace cutover::cli_tests
