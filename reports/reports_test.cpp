// Reports hold what the run found, whatever octets were on the wire.
#include "reports/html.h"
#include "reports/json.h"
#include "reports/junit.h"
#include "reports/junit_schema.h"
#include "reports/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace cutover::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string every_octet() {
  std::string octets;
  for (int i = 0; i < 256; i++) octets += static_cast<char>(i);
  return octets;
}

RunResult run_with(std::vector<CaseResult> cases) {
  RunResult run;
  run.tool_version = "cutover test";
  run.target = "embedded reference";
  run.command = {"cutover", "run"};
  run.seed = 18446744073709551615u;
  run.verdict = "conforming";
  run.cases = std::move(cases);
  return run;
}

CaseResult case_of(const std::string& slug, Outcome outcome, Standing standing = Standing::met) {
  CaseResult result;
  result.id = "message." + slug;
  result.suite = "message";
  result.world = "sim";
  result.title = "A title";
  result.file = "suites/message/a.cpp";
  result.line = 7;
  result.outcome = outcome;
  result.standing = standing;
  result.reproduce = "cutover run message." + slug;
  result.requirements = {{"RFC6120-4.3-1", "MUST", "RFC 6120", "text"}};
  return result;
}

CaseResult failing_case(std::string actual) {
  auto result = case_of("fails", Outcome::fail, Standing::red);
  result.checks = {{"message.fails#RFC6120-4.3-1", "RFC6120-4.3-1", "MUST", Outcome::fail, "what came", "a body",
                    std::move(actual), "a.cpp", 3}};
  result.checks.front().standing = Standing::red;
  result.trace = {{1000, "xmpp", "partner", "proxy", "message", every_octet()}};
  result.columns = {"partner", "proxy"};
  return result;
}

TEST(Check, IsOneSentenceAndTheWireBelowIt) {
  Check check;
  check.looked_at = "what the user got";
  check.expected = "\"any case\"";
  check.actual = "\".\"\nLast on the wire:\n<message/>";
  EXPECT_EQ(sentence_of(check), "what the user got: expected \"any case\", got \".\"");
  EXPECT_EQ(details_of(check), "Last on the wire:\n<message/>");
  check.looked_at.clear();
  check.expected.clear();
  check.actual = "not reached";
  EXPECT_EQ(sentence_of(check), "not reached") << "an inconclusive check says why";
  EXPECT_EQ(details_of(check), "");
}

TEST(Text, OctetsThatAreNoUtf8StayVisible) {
  EXPECT_EQ(printable_utf8("a\xFF\xC3\xA9"), "a\\xFF\xC3\xA9");
  EXPECT_EQ(printable_utf8("\xED\xA0\x80"), "\\xED\\xA0\\x80") << "a surrogate is no character";
  EXPECT_EQ(xml_clean(std::string_view("\0\x01\n", 3)), "\\x00\\x01\n");
  EXPECT_EQ(terminal_text("a\x1b[2J\a\r\n\x7F"), "a\\x1B[2J\\x07\\x0D\\x0A\\x7F");
  EXPECT_EQ(terminal_text("\x9B"
                          "2J\xC2\x9B"
                          "2J"),
            "\\x9B2J\\xC2\\x9B2J")
      << "eight bits are a sequence, too";
  EXPECT_EQ(terminal_text("\xE2\x80\xAE\xE2\x81\xA6"), "\\xE2\\x80\\xAE\\xE2\\x81\\xA6") << "turns text around";
  EXPECT_EQ(terminal_text("\xC3\xA9\xC2\xA0\xE2\x80\x99\xE2\x82\xAC"), "\xC3\xA9\xC2\xA0\xE2\x80\x99\xE2\x82\xAC");
  EXPECT_EQ(iso_time(1767225600123), "2026-01-01T00:00:00.123Z");
}

TEST(JUnit, IsValidForEveryOctetAndEveryOutcome) {
  auto skipped = case_of("skipped", Outcome::skipped, Standing::idle);
  skipped.reason = "no Prosody";
  auto broken = case_of("broken", Outcome::broken, Standing::fault);
  broken.reason = "SIGKILL";
  broken.log = every_octet();
  auto run = run_with({failing_case(every_octet()), case_of("passes", Outcome::pass), skipped, broken,
                       case_of("odd", Outcome::inconclusive, Standing::told)});
  run.complete = false;
  run.incomplete_reason = "SIGINT";
  const auto xml = to_junit(run);
  EXPECT_EQ(schema_errors(xml), "");
  EXPECT_THAT(xml, HasSubstr("tests=\"6\" failures=\"1\" errors=\"2\" skipped=\"1\""));
  EXPECT_THAT(xml, HasSubstr("type=\"message.fails#RFC6120-4.3-1\""));
  EXPECT_THAT(xml, HasSubstr("<error type=\"harness\" message=\"SIGKILL\""));
  EXPECT_THAT(xml, HasSubstr("run incomplete: SIGINT"));
}

TEST(JUnit, TheMessageIsTheSentence) {
  const auto xml = to_junit(run_with({failing_case("nothing\nLast on the wire:\n<message/>")}));
  EXPECT_THAT(xml, HasSubstr("message=\"RFC6120-4.3-1: text | what came: expected a body, got nothing\""));
  EXPECT_THAT(xml, HasSubstr("file=\"a.cpp\" line=\"3\"")) << "where it was judged";
  EXPECT_THAT(
      xml,
      HasSubstr("&#10;  what came: expected a body, got nothing&#10;Last on the wire:&#10;&lt;message/&gt;&#10;  at"));
}

TEST(JUnit, NamesWhatWasPlanted) {
  auto run = run_with({case_of("passes", Outcome::pass)});
  EXPECT_THAT(to_junit(run), Not(HasSubstr("planted")));
  run.planted = {"xmpp.a", "sip.b"};
  const auto xml = to_junit(run);
  EXPECT_EQ(schema_errors(xml), "");
  EXPECT_THAT(xml, HasSubstr("    <properties>\n      <property name=\"planted\" value=\"xmpp.a\"/>\n"));
}

TEST(JUnit, SchemaRefusesWhatIsNotTheDialect) {
  EXPECT_NE(schema_errors(
                "<testsuites name='x' tests='1' failures='0' errors='0' skipped='0' time='0'><testcase/></testsuites>"),
            "");
}

TEST(JUnit, WhatTheBaselineAcceptsIsSkippedWithTheReason) {
  auto result = failing_case("x");
  result.standing = result.checks[0].standing = Standing::accepted;
  result.checks[0].baseline = BaselineState::expected;
  result.checks[0].baseline_reason = "issue 7";
  const auto xml = to_junit(run_with({result}));
  EXPECT_EQ(schema_errors(xml), "");
  EXPECT_THAT(xml, HasSubstr("failures=\"0\" errors=\"0\" skipped=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<skipped message=\"accepted, because issue 7: RFC6120-4.3-1: text | what came"));
}

TEST(JUnit, ARunThatFailsAsAWholeIsNotGreen) {
  auto run = run_with({failing_case("x")});
  run.stale_baseline = {"a.b#R"};
  EXPECT_THAT(to_junit(run), HasSubstr("<failure type=\"cutover.baseline-stale\" message=\"listed in the baseline, but "
                                       "met: a.b#R\""));
  const auto xml = to_junit(run_with({}));
  EXPECT_EQ(schema_errors(xml), "");
  EXPECT_THAT(xml, HasSubstr("tests=\"1\" failures=\"0\" errors=\"1\"")) << "nothing was judged";
}

TEST(JUnit, LongEvidenceIsCutWithAMark) {
  const auto xml = to_junit(run_with({failing_case(std::string(1 << 20, 'x'))}));
  EXPECT_LT(xml.size(), 100'000u);
  EXPECT_THAT(xml, HasSubstr("octets in all]"));
}

TEST(Json, ReadsWhatItWrote) {
  const auto run = run_with({failing_case("seen \xC3\xA9"), case_of("passes", Outcome::pass)});
  const auto text = to_json(run);
  const auto again = from_json(text);
  EXPECT_EQ(to_json(again), text);
  EXPECT_EQ(again.seed, run.seed);
  EXPECT_EQ(again.cases.at(0).checks.at(0).actual, "seen \xC3\xA9");
}

TEST(Json, ReadsAReportWhoseTracesAreApart) {
  auto run = run_with({failing_case("it")});
  run.traces = "results.jsonl";
  const auto again = from_json(to_json(run, Traces::apart));
  EXPECT_EQ(again.traces, "results.jsonl");
  EXPECT_FALSE(run.cases.at(0).trace.empty());
  EXPECT_TRUE(again.cases.at(0).trace.empty());
}

TEST(Json, SaysWhereItIsWrong) {
  try {
    (void)from_json("{\"version\":2,\"tool-version\":3}");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "/tool-version: expected a string");
  }
  EXPECT_THROW((void)from_json("{"), std::invalid_argument);
  EXPECT_THROW((void)from_json("{\"version\":99}"), std::invalid_argument);
}

TEST(Html, HoldsTheRunAndCannotBeBrokenOutOf) {
  const auto html = to_html(run_with({failing_case("</script><script>alert(1)</script><!--")}));
  EXPECT_THAT(html, HasSubstr("message.fails"));
  EXPECT_THAT(html, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(html, Not(HasSubstr("@RUN@")));
  EXPECT_THAT(html, Not(HasSubstr("http://cdn")));
}

TEST(Count, BySuite) {
  const auto counts = count_by_suite(
      run_with({case_of("a", Outcome::pass), failing_case("x"), case_of("b", Outcome::warn, Standing::told),
                case_of("c", Outcome::skipped, Standing::idle), case_of("d", Outcome::unsupported, Standing::idle)}));
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].cases, 5u);
  EXPECT_EQ(counts[0].idle, 2u);
  EXPECT_EQ(counts[0].unsupported, 1u);
  EXPECT_EQ(counts[0].met, 1u);
  EXPECT_EQ(counts[0].red, 1u);
  EXPECT_EQ(counts[0].told, 1u);
  EXPECT_EQ(counts[0].checks, 1u);
}

}  // namespace
}  // namespace cutover::reports
