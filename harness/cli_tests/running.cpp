// The options of `run`, each once through the program, and what the other subcommands tell.
#include "harness/cli_tests/program.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <set>
#include <sstream>

namespace cutover::cli_tests {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

class Running : public CommandLine {
 protected:
  /// Ids of the cases that were run, in the order of the report, with repetitions.
  [[nodiscard]] std::vector<std::string> reported() const {
    std::vector<std::string> ids;
    const auto text = content(path("out/results.jsonl"));
    constexpr std::string_view key = R"({"id":")";
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      if (text.compare(at, key.size(), key) != 0) break;  // the run itself
      ids.push_back(text.substr(at + key.size(), text.find('"', at + key.size()) - at - key.size()));
    }
    return ids;
  }
  static std::vector<std::string> listed(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "list");
    std::vector<std::string> ids;
    std::istringstream lines(cutover(std::move(arguments)).output);
    for (std::string line; std::getline(lines, line);) {
      std::string word;
      std::istringstream(line) >> word;
      if (line.starts_with("  ")) ids.push_back(word);
    }
    return ids;
  }
  /// The arguments of the command after `mark`.
  static std::vector<std::string> command_after(const std::string& text, const std::string& mark) {
    const auto at = text.find(mark) + mark.size();
    std::istringstream words(text.substr(at, text.find('\n', at) - at));
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) arguments.push_back(word);
    return arguments;
  }
};

TEST_F(Running, ShardsAreDisjointAndTogetherWhole) {
  const auto all = listed({});
  ASSERT_GT(all.size(), 10U);
  std::vector<std::string> together;
  for (int i = 1; i <= 3; ++i) {
    const auto part = listed({fmt::format("--shard={}/3", i)});
    EXPECT_GE(part.size() + 1, all.size() / 3);
    together.insert(together.end(), part.begin(), part.end());
  }
  std::ranges::sort(together);
  EXPECT_EQ(together, all);
}

TEST_F(Running, ShardsAreReportedTogether) {
  std::vector<std::string> report{"report", "-o", path("whole")};
  for (const std::string part : {"1", "2"}) {
    const auto ended = cutover({"run", "message.bodies", "message.for-nobody", "selftest.fail", "--world=sim",
                                "--shard=" + part + "/2", "-o", path(part)});
    EXPECT_THAT(ended.code, testing::AnyOf(0, 1)) << ended.output;
    report.push_back(path(part + "/run.json"));
  }
  expect(cutover(report), 1, AllOf(HasSubstr("in 4 cases; 1 case failed"), Not(HasSubstr("no sequence diagrams"))));
  EXPECT_THAT(content(path("whole/junit.xml")), AllOf(HasSubstr("name=\"bodies\""), HasSubstr("name=\"for-nobody\"")));
  report.push_back(report.back());
  expect(cutover(report), 4, HasSubstr("expected shards of one run"));
}

TEST_F(Running, RepeatExcludeAndGlobChooseTheRuns) {
  EXPECT_EQ(sim({"message.b*", "message.partner-to-user", "--exclude=*to-user", "--repeat=3", "--jobs=1"}).code, 0);
  EXPECT_THAT(reported(), ElementsAre("message.bodies", "message.bodies", "message.bodies"));
}

TEST_F(Running, TheSeedDecidesTheTrace) {
  const auto trace_with = [&](const char* seed) {
    EXPECT_EQ(sim({"message.bodies", seed}).code, 0);
    const auto text = content(path("out/results.jsonl"));
    const auto trace = text.find("\"trace\"");
    return text.substr(trace, text.find('\n', trace) - trace);
  };
  const auto first = trace_with("--seed=5");
  EXPECT_GT(first.size(), 1000U);
  EXPECT_EQ(first, trace_with("--seed=5"));
  EXPECT_NE(first, trace_with("--seed=6"));
}

TEST_F(Running, TheReproductionReproduces) {
  const auto first = sim({"message.partner-to-user", "--defect=gateway.loses-subject"});
  expect(first, 1, AllOf(HasSubstr("RFC7572-4-T1-subject"), HasSubstr("Last on the wire")));
  auto arguments = command_after(first.output, "reproduce: ");
  ASSERT_GT(arguments.size(), 3U);
  EXPECT_EQ(arguments[0], CUTOVER_PROGRAM);
  EXPECT_THAT(arguments, IsSupersetOf({"--world=sim", "--defect=gateway.loses-subject"}));
  arguments.erase(arguments.begin());
  arguments.insert(arguments.end(), {"-o", path("again")});
  expect(cutover(arguments), 1, HasSubstr("RFC7572-4-T1-subject"));
  // A case that cannot tell any more how it was run is reproduced as well.
  expect(sim({"selftest.crash", "--strict", "--defect=gateway.loses-subject"}), 3,
         HasSubstr("--strict --defect=gateway.loses-subject\n"));
}

TEST_F(Running, WhatWasPlantedIsToldEverywhere) {
  const auto words = HasSubstr("with planted defects: gateway.loses-subject");
  const auto verdict = HasSubstr("with planted defects: gateway.loses-subject: this is no run of the reference\n");
  const auto json = HasSubstr("\"planted\":[\"gateway.loses-subject\"]");
  const auto property = HasSubstr("name=\"planted\" value=\"gateway.loses-subject\"");
  expect(sim({"message.partner-to-user", "--defect=gateway.loses-subject"}), 1,
         AllOf(HasSubstr("embedded reference with planted defects: gateway.loses-subject, "), verdict));
  EXPECT_THAT(content(path("out/run.json")), json);
  EXPECT_THAT(content(path("out/junit.xml")), property);
  EXPECT_THAT(content(path("out/report.html")), AllOf(json, words));
  for (const auto* left : {"out/results.jsonl", "out/run.json"}) {
    EXPECT_THAT(cutover({"report", path(left), "-o", path("again")}).output, verdict) << left;
    EXPECT_THAT(content(path("again/run.json")), json) << left;
    EXPECT_THAT(content(path("again/junit.xml")), property) << left;
  }
  // A defect that no check of the case notices makes the run green, but no run of the reference.
  expect(sim({"message.bodies", "--defect=gateway.loses-subject"}), 0, AllOf(HasSubstr("conforming"), verdict));
  EXPECT_THAT(sim({"message.bodies"}).output, testing::Not(HasSubstr("planted")));
}

TEST_F(Running, ABadReplayIsRefusedAndAGoodOneIsRun) {
  expect(sim({"message.bodies", "--replay=seed:17"}), 0, HasSubstr("conforming"));
  EXPECT_THAT(content(path("out/run.json")), HasSubstr("--replay=seed:17"));
  EXPECT_THAT(content(path("out/report.html")), HasSubstr("Media types compared as text"));
  expect(sim({"message.bodies", "--replay=seed:x"}), 4, HasSubstr("--replay"));
}

TEST_F(Running, AnotherTopologyIsRehearsed) {
  const auto topology =
      file("t.yaml",
           "domain: here.example\nusers: [ann, ben]\npartners:\n  - {domain: there.example, kind: dialback-over-tls, "
           "users: [tom]}\n");
  expect(sim({"migration.rehearsal", "--topology", topology}), 0, HasSubstr("embedded reference (" + topology + ")"));
  EXPECT_THAT(content(path("out/results.jsonl")), AllOf(HasSubstr("there.example"), Not(HasSubstr("contoso"))));
  const auto foreign = file("foreign.yaml",
                            "domain: xn--bcher-kva.example\nusers: [alice]\npartners:\n"
                            "  - {domain: xn--mnchen-3ya.example, kind: sasl-external, users: [romeo]}\n"
                            "  - {domain: xn--caf-dma.example, kind: dialback-over-tls, users: [juliet]}\n");
  expect(sim({"migration.rehearsal", "--topology", foreign}), 0, HasSubstr("conforming"));
  EXPECT_THAT(listed({"--topology", topology}), IsSupersetOf({"migration.rehearsal", "rollback.after-each-step"}));
  expect(sim({"policy.default-partner", "--topology", topology}), 0, HasSubstr("conforming"));
  expect(sim({"policy.status-note-shown", "--topology", topology}), 3,
         HasSubstr("unsupported: the topology has no partner of kind sasl-external"));
  expect(sim({"message.bodies", "--topology", topology}), 4,
         HasSubstr("speaks of users and partners of the reference"));
  expect(sim({"message", "--topology", topology}), 4, HasSubstr("selection is empty"));
  expect(sim({"migration.rehearsal", "--topology", file("bad.yaml", "domain: a.example\nusers: [x]\n")}), 4,
         HasSubstr("bad.yaml:1: expected a list with at least one entry for 'partners'"));
  expect(sim({"migration.rehearsal", "--topology", topology, "--target", topology}), 4, HasSubstr("one of the two"));
}

TEST_F(Running, TheWorstOfSeveralDecidesTheExitCode) {
  const auto baseline = file("b.yaml", "- {check: 'selftest.pass#SEED-2', reason: r, link: l}\n");
  expect(sim({"selftest.pass", "selftest.fail", "selftest.broken", "--baseline", baseline}), 3, HasSubstr("stale"));
  expect(sim({"selftest.pass", "selftest.fail", "--baseline", baseline}), 1, HasSubstr("stale"));
  expect(sim({"selftest.pass", "--baseline", baseline}), 2, HasSubstr("conforming, but the baseline is stale"));
  expect(sim({"selftest.pass", "--baseline", file("empty.yaml", "")}), 0, HasSubstr("conforming"));
  expect(sim({"selftest.pass", "--baseline", path("")}), 4, HasSubstr("is a folder; expected a file"));
  expect(sim({"selftest.broken", "no.such", "--baseline", baseline}), 4, HasSubstr("no.such"));
  expect(sim({"selftest.fail", "--baseline", file("u.yaml", "- {check: 'selftest.pass#NO-1', reason: r, link: l}\n")}),
         4, HasSubstr("u.yaml:1: the case selftest.pass judges no 'NO-1'"));
  const auto second = file("v.yaml", "- {check: 'selftest.pass#SEED-2.2', reason: r, link: l}\n");
  expect(sim({"selftest.pass", "--baseline", second}), 0, HasSubstr("conforming"));  // a later judgement, not made now
}

TEST_F(Running, PlainLinesInAPipe) {
  const auto ended = sim({"selftest.pass", "selftest.fail", "--jobs=1"});
  EXPECT_THAT(ended.output, AllOf(HasSubstr("[1/2] fail         selftest.fail (sim)"),
                                  HasSubstr("[2/2] pass         selftest.pass (sim)"), Not(HasSubstr("\x1b"))));
}

TEST_F(Running, PlainLinesOnATerminalThatOnlyAppends) {
  const auto on = [&](const std::string& kind) {
    const auto command =
        "TERM=" + kind + " '" CUTOVER_PROGRAM "' run selftest.pass --world=sim -o '" + path("out") + "'";
    Program program({"-qec", command, "/dev/null"}, "/usr/bin/script");
    return program.end().output;
  };
  EXPECT_THAT(on("dumb"), AllOf(HasSubstr("[1/1] pass"), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(on("xterm"), HasSubstr("\x1b[K"));
}

TEST_F(Running, AFailureIsToldInASentenceFirst) {
  expect(sim({"selftest.fail"}), 1,
         HasSubstr("]\n    the document: expected \"<b/>\", got \"<a>\\x01</a>\"\n    Migrating XMPP federation"));
}

TEST_F(Running, TheSummarySaysWhyCasesWereSkipped) {
  expect(sim({"selftest.skip", "selftest.pass", "--repeat=2"}), 0, HasSubstr("\n2 skipped: not on this machine\n"));
}

TEST_F(Running, HelpIsForStrangers) {
  expect(cutover({}), 4, AllOf(HasSubstr("Usage: cutover"), HasSubstr("Examples:"), HasSubstr("Exit codes:")));
  expect(cutover({"run", "--help"}), 0,
         AllOf(HasSubstr("Selection:"), HasSubstr("Reports:"), HasSubstr("Exit codes:"), HasSubstr("results.jsonl")));
  expect(cutover({"rnu"}), 4, AllOf(HasSubstr("rnu"), HasSubstr("did you mean run?"), HasSubstr("cutover --help")));
  expect(cutover({"run", "--colour"}), 4, AllOf(HasSubstr("--colour"), Not(HasSubstr("did you mean"))));
  expect(cutover({"run", "--sed=3"}), 4, AllOf(HasSubstr("did you mean --seed?"), HasSubstr("cutover run --help")));
  expect(cutover({"list"}), 0,
         AllOf(HasSubstr("message ("), HasSubstr("  message.bodies"), Not(HasSubstr("selftest."))));
  expect(cutover({"explain", "message.bodies"}), 0,
         AllOf(HasSubstr("What is done"), HasSubstr("What is judged"), HasSubstr("RFC 3428"),
               HasSubstr("dies of the defect gateway.415-without-accept: sends 415")));
  expect(cutover({"explain", "SEED-2"}), 0, AllOf(HasSubstr("MUST SEED-2"), HasSubstr("judged by migration.")));
  expect(cutover({"explain", "mesage.bodies"}), 4, HasSubstr("did you mean message.bodies"));
}

TEST_F(Running, CoverageCountsWhatARunJudged) {
  EXPECT_EQ(sim({"message.bodies"}).code, 0);
  expect(cutover({"coverage", "--from", path("out/run.json")}), 0,
         AllOf(HasSubstr("RFC 3428"), HasSubstr("requirements judged of"),
               HasSubstr(" of them in part, which do not count"), Not(HasSubstr("RFC 6121 "))));
  expect(cutover({"coverage", "--list", "--from", path("out/results.jsonl")}), 0,
         AllOf(HasSubstr("RFC7572-7-5"), HasSubstr("by message.bodies")));
}

TEST_F(Running, AnUnmetShouldWarnsAndFailsWhenStrict) {
  const std::vector<std::string> arguments{"stream.without-version", "--defect=xmpp.ignores-version"};
  expect(
      sim(arguments), 0,
      AllOf(HasSubstr("1 case with warnings"), HasSubstr("stream.without-version#RFC6120-4.7.5-5 (sim) SHOULD NOT: ")));
  auto strict = arguments;
  strict.emplace_back("--strict");
  expect(sim(strict), 1, AllOf(HasSubstr("NOT CONFORMING"), HasSubstr("--strict --defect=xmpp.ignores-version")));
}

TEST_F(Running, CtestGetsEveryCaseInEveryWorld) {
  const auto script = cutover({"list", "--ctest"});
  EXPECT_EQ(script.code, 0);
  for (const auto* world : {"sim", "live"}) {
    EXPECT_THAT(script.output,
                HasSubstr(fmt::format("set_tests_properties([==[message.bodies/{0}]==] PROPERTIES LABELS "
                                      "\"case;message;{0};MUST\" SKIP_RETURN_CODE 77",
                                      world)));
  }
  EXPECT_THAT(script.output, AllOf(HasSubstr("case;interop;live;MUST;interop"), Not(HasSubstr("selftest.pass"))));
}

TEST_F(Running, DoctorSaysWhatIsThereAndWhatIsNot) {
  const auto ended = cutover({"doctor"});
  EXPECT_THAT(ended.code, testing::AnyOf(0, 3));
  EXPECT_THAT(ended.output, AllOf(HasSubstr("loopback range"), HasSubstr("user namespaces"), HasSubstr("open files"),
                                  HasSubstr("prosody"), HasSubstr("jabberd2"), HasSubstr("browser")));
  EXPECT_EQ(ended.code == 3, ended.output.find("MISSING") != std::string::npos);
}

TEST_F(Running, BenchMeasuresAndWritesWhatItMeasured) {
  expect(cutover({"bench", "--seconds=1", "--only=world alone", "--json", path("bench.json")}), 0,
         AllOf(HasSubstr("schedule, the world alone"), Not(HasSubstr("S2S negotiation"))));
  const auto written = boost::json::parse(content(path("bench.json")));
  const auto& rows = written.at("measurements").as_array();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_GT(rows[0].at("value").to_number<double>(), 0);
  expect(cutover({"bench", "--only=no such thing"}), 4, HasSubstr("no such thing"));
}

TEST_F(Running, AreComparedCheckByCheck) {
  const auto judged = [&](std::vector<std::string> arguments, const std::string& folder) {
    arguments.insert(arguments.begin(), "run");
    arguments.insert(arguments.end(), {"--world=sim", "--seed=1", "-o", path(folder)});
    (void)cutover(std::move(arguments));
    return path(folder + "/run.json");
  };
  const auto sound = judged({"message.bodies", "stream.ids"}, "sound");
  const auto shuffled = judged({"message.bodies", "stream.ids", "--shuffle"}, "shuffled");
  expect(cutover({"compare", sound, shuffled}), 0, HasSubstr("the same verdicts: "));
  expect(cutover({"compare", sound, path("shuffled/results.jsonl")}), 0, HasSubstr(" checks in 3 cases"));
  const auto flawed = judged({"message.bodies", "stream.ids", "--defect=gateway.loses-body"}, "flawed");
  expect(cutover({"compare", sound, flawed}), 1,
         AllOf(HasSubstr("message.bodies#RFC3261-415 (sim)\n"), HasSubstr("/sound/run.json: pass"),
               HasSubstr("/flawed/run.json: fail"), HasSubstr("; planted defects: gateway.loses-body"),
               Not(HasSubstr("stream.ids"))));
  const auto fewer = judged({"message.bodies"}, "fewer");
  expect(cutover({"compare", sound, fewer}), 1, AllOf(HasSubstr("stream.ids"), HasSubstr("run.json: not there")));
  // The sound run with one check told otherwise.
  const auto otherwise = [&](const std::string& id, const std::string& named, const std::string& outcome) {
    auto text = content(sound);
    const auto check = text.find("\"id\":\"" + id), passed = text.find(R"("outcome":"pass")", check);
    text.replace(passed, 16, R"("outcome":")" + outcome + '"').replace(check + 6, id.size(), named);
    return file(outcome + ".json", text);
  };
  // A standing rule that other traffic gave nothing to judge is no other verdict, unless it was broken.
  expect(cutover({"compare", sound, otherwise("standing#", "standing#other-", "pass")}), 0,
         HasSubstr("in one of the runs only"));
  expect(cutover({"compare", sound, otherwise("standing#", "standing#other-", "fail")}), 1,
         HasSubstr("standing#other-"));
  // What a baseline lists as a matter of chance may differ.
  const std::string check = "message.bodies#RFC7572-7-5";
  const auto failed = otherwise(check, check, "fail");
  const auto listed = "- check: " + check + "\n  reason: by chance\n";
  expect(cutover({"compare", sound, failed, "--baseline", file("always.yaml", listed)}), 1,
         HasSubstr(check + " (sim)\n"));
  expect(cutover({"compare", sound, failed, "--baseline", file("chance.yaml", listed + "  sometimes: true\n")}), 0,
         HasSubstr(check + ": differs by chance"));
  expect(cutover({"compare", sound}), 4, HasSubstr("second"));
}

TEST_F(Running, WhatDidNotRunIsNotComparedAsAlike) {
  EXPECT_EQ(sim({"selftest.pass"}).code, 0);
  auto text = content(path("out/run.json"));
  const std::string whole = R"("complete":true,"incomplete-reason":"")";
  ASSERT_NE(text.find(whole), std::string::npos);
  text.replace(text.find(whole), whole.size(), R"("complete":false,"incomplete-reason":"interrupted")");
  const auto cut_off = file("cut-off.json", text);
  expect(cutover({"compare", cut_off, path("out/run.json")}), 3,
         AllOf(HasSubstr("; incomplete: interrupted\n"), HasSubstr("the same verdicts: 1 checks")));
  (void)sim({"selftest.skip"});
  expect(cutover({"compare", path("out/run.json"), path("out/run.json")}), 3, HasSubstr("nothing was judged"));
}

TEST_F(Running, StartsOneServerForATargetOfItsOwnAlone) {
  expect(run({"message.bodies", "--one-server"}), 4, HasSubstr("--one-server is for a --target that is started here"));
  const auto target = file("target.yaml", "name: x\ndriver: prosody\n");
  expect(run({"stream.ids", "--one-server", "--target", target, "--defect=xmpp.header-without-to"}), 4,
         HasSubstr("leave --defect out"));
}

TEST_F(Running, BashCompletes) {
  const auto script = file("try", fmt::format(R"(source <({} completion bash)
try() {{ COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=(); _cutover; echo "<${{COMPREPLY[*]}}>"; }}
try {} ru
try cutover run --world = s
try cutover run --top
try {} explain message.b
try cutover serve name
try cutover authority i
try cutover authority issue lab --fl
try {} run RFC7572-7-5
try {} run message --defect = xmpp.no-close-timeo
try {} explain xmpp.no-close-timeo
try {} defects --requirement RFC7572-7-5
)",
                                              CUTOVER_PROGRAM, CUTOVER_PROGRAM, CUTOVER_PROGRAM, CUTOVER_PROGRAM,
                                              CUTOVER_PROGRAM, CUTOVER_PROGRAM, CUTOVER_PROGRAM));
  expect(Program({script}, "/bin/bash").end(), 0,
         "<run>\n<sim>\n<--topology>\n<message.bodies>\n<name-server>\n<issue>\n<--flaw>\n<RFC7572-7-5>\n"
         "<xmpp.no-close-timeout>\n<xmpp.no-close-timeout>\n<RFC7572-7-5>\n");
}

}  // namespace
}  // namespace cutover::cli_tests
