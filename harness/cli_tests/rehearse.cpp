// `rehearse`, `plan` and what `explain` tells of causes: every exit path, and reports that agree with one another.
#include "harness/cli_tests/program.h"
#include "reports/junit_schema.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <filesystem>
#include <set>
#include <sstream>

namespace cutover::cli_tests {
namespace {

namespace json = boost::json;

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string plan(const std::string& name) { return CUTOVER_SOURCE_DIR "/fixtures/plans/" + name + ".yaml"; }

class Rehearsing : public CommandLine {
 protected:
  [[nodiscard]] Ended rehearse(const std::string& file, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"rehearse", file, "-o", path("out")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return cutover(std::move(arguments));
  }
  [[nodiscard]] json::object report() const { return json::parse(content(path("out/plan.json"))).as_object(); }
};

TEST_F(Rehearsing, AGoAndANoGoAgreeInTextJsonJunitAndExitCode) {
  for (const auto& [name, code] : {std::pair<std::string, int>{"documented", 0},
                                   {"failover", 0},
                                   {"rollback-after-6", 0},
                                   {"wrong-literal", 1},
                                   {"wrong-partners-first", 1},
                                   {"wrong-dns-first", 1},
                                   {"wrong-certificate", 1},
                                   {"wrong-policy-not-granted", 1},
                                   {"wrong-failover-route", 1}}) {
    const auto ended = rehearse(plan(name));
    const bool go = code == 0;
    expect(ended, code, AllOf(HasSubstr(go ? ": GO\n" : ": NO-GO\n"), HasSubstr("out/plan.json")));
    EXPECT_EQ(reports::schema_errors(content(path("out/junit.xml"))), "") << name;
    const auto read = report();
    EXPECT_EQ(read.at("go").as_bool(), go) << name;
    EXPECT_EQ(read.at("objections").as_array().empty(), go) << name;
    EXPECT_EQ(content(path("out/junit.xml")).find("<failure") == std::string::npos, go) << name;
    // Each loss of the text is one of the report, with its remedy.
    for (const auto& window : read.at("windows").as_array())
      EXPECT_THAT(ended.output, HasSubstr(std::string(window.at("remedy").as_string()))) << name;
    EXPECT_EQ(read.at("gates").as_array().size() + 2,
              [&] {
                std::size_t cases = 0;
                const auto junit = content(path("out/junit.xml"));
                for (auto at = junit.find("<testcase"); at != std::string::npos; at = junit.find("<testcase", at + 1))
                  ++cases;
                return cases;
              }())
        << name << ": a case a gate, the verdict, and what the plan expects";
  }
}

TEST_F(Rehearsing, WhatThePlanExpectsAndIsNotIsRed) {
  auto text = content(plan("rollback-after-1"));
  text.replace(text.find("verdict: go"), 11, "verdict: no-go");
  expect(rehearse(file("changed.yaml", text)), 1,
         AllOf(HasSubstr(": GO\n"), HasSubstr("Not as expected: it is a go, and the plan expects no-go")));
  EXPECT_EQ(reports::schema_errors(content(path("out/junit.xml"))), "");
  EXPECT_EQ(report().at("not-as-expected").as_array().size(), 1U);
}

TEST_F(Rehearsing, APlanToBeginWithIsRead) {
  const auto fresh = cutover({"plan", "new"});
  EXPECT_EQ(fresh.code, 0);
  expect(rehearse(file("plan.yaml", fresh.output)), 1, HasSubstr("NO-GO"));
  expect(rehearse(file("plan.yaml", fresh.output), {"--improve"}), 1,
         AllOf(HasSubstr("Improved, one change upon the other"), HasSubstr(": GO\n")));
  EXPECT_TRUE(report().at("improved").at("rehearsal").at("go").as_bool());
}

TEST_F(Rehearsing, EveryOrderOfTheStepsIsRehearsed) {
  expect(rehearse(plan("rollback-after-1"), {"--orders"}), 0,
         AllOf(HasSubstr("720, of which 120 are possible"), HasSubstr("<- the document's"),
               HasSubstr("none costs less than the documents' own")));
  const auto orders = report().at("orders").as_object();
  EXPECT_EQ(orders.at("by-loss").as_array().size(), 720U);
  EXPECT_EQ(orders.at("possible").as_int64(), 120);
}

TEST_F(Rehearsing, MistakesAreToldAtOnceAndNothingIsWritten) {
  const auto wrong = file("wrong.yaml", "name: x\nestate: {sip-domains: []}\nsteps:\n  - {name: a, do: fly}\n");
  expect(rehearse(wrong), 4, AllOf(HasSubstr("wrong.yaml:2: "), HasSubstr("wrong.yaml:4: 'fly' is no operation")));
  EXPECT_FALSE(std::filesystem::exists(path("out/plan.json")));
  expect(rehearse(path("absent.yaml")), 4, HasSubstr("absent.yaml: cannot be read"));
  expect(rehearse(file("empty.yaml", "")), 4, HasSubstr("empty.yaml:1: expected a mapping"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  expect(rehearse(path("pipe")), 4, HasSubstr("is a pipe; expected a file"));
  expect(rehearse("/dev/zero"), 4, HasSubstr("is a device; expected a file"));
  expect(rehearse(folder()), 4, HasSubstr("is a folder; expected a file"));
  expect(cutover({"rehearse"}), 4, HasSubstr("plan"));
  expect(cutover({"rehearse", plan("failover"), "--improv"}), 4, HasSubstr("--improve"));
  expect(cutover({"plan"}), 4, HasSubstr("subcommand"));
}

TEST_F(Rehearsing, AReportThatCannotBeWrittenIsAFault) {
  (void)file("taken", "");
  expect(cutover({"rehearse", plan("rollback-after-1"), "-o", path("taken")}), 3,
         AllOf(HasSubstr(": GO\n"), HasSubstr("taken")));
}

TEST_F(Rehearsing, CausesAndKnownFailuresAreExplained) {
  expect(cutover({"explain", "dialback-authority"}), 0,
         AllOf(HasSubstr("What to do\n  Lower the TTL"), HasSubstr("to the partner"), HasSubstr("known failure F19")));
  expect(cutover({"explain", "F19"}), 0,
         AllOf(HasSubstr("after the change of DNS"), HasSubstr("dialback-authority: ")));
  expect(cutover({"explain", "F30"}), 0, HasSubstr("no cause of the model"));
  expect(cutover({"explain", "F99"}), 4, HasSubstr("F99"));
  const auto list = cutover({"plan", "causes"});
  expect(list, 0, AllOf(HasSubstr("flag-not-ticked"), Not(HasSubstr("nothing stands in the way"))));
  std::set<std::string> ids;
  std::istringstream lines(list.output);
  for (std::string line; std::getline(lines, line);) ids.insert(line.substr(0, line.find(' ')));
  EXPECT_GT(ids.size(), 60U);
  expect(cutover({"plan", "operations"}), 0, HasSubstr("repoint <SIP domain>"));
}

}  // namespace
}  // namespace cutover::cli_tests
