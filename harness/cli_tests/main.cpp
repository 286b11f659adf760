// Bad input and bad ends through the real program: exit codes and messages that a stranger can act on.
#include "harness/cli_tests/program.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <csignal>

#include <filesystem>

namespace cutover::cli_tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(CommandLine, WrongUsageIsFour) {
  expect(cutover({"run", "--colour=red"}), 4, HasSubstr("--colour=red"));
  expect(run({"selftest.pass", "--world=moon"}), 4, HasSubstr("--world"));
  expect(sim({"selftest.pass/sim"}), 4, HasSubstr("named without its world; --world=sim"));
  expect(sim({"selftest.pas"}), 4, HasSubstr("'selftest.pas' is no case, suite or glob"));
  expect(sim({"mesage"}), 4, HasSubstr("did you mean message?"));
  expect(sim({"no-such-suite.*"}), 4, HasSubstr("matches no case"));
  expect(sim({"selftest.pass", "--json=-"}), 4, HasSubstr("/dev/stdout is one"));
  expect(sim({"selftest.pass", "--exclude=selftest.pass"}), 4, HasSubstr("selection is empty"));
  expect(sim({"selftest.pass", "--shard=3/2"}), 4, HasSubstr("i/n"));
  expect(sim({"selftest.pass", "--shuffle=1,2"}), 4, HasSubstr("--shuffle"));
  expect(sim({"selftest.pass", "--replay=rubbish"}), 4, HasSubstr("--replay"));
  expect(sim({"selftest.pass", "--replay=seed:99999999999999999999999"}), 4, HasSubstr("--replay"));
  expect(sim({"selftest.pass", "--seed=-1"}), 4, HasSubstr("expected a number from 0"));
  expect(sim({"selftest.pass", "--seed=99999999999999999999999"}), 4, HasSubstr("expected a number from 0"));
  expect(sim({""}), 4, HasSubstr("'' is no case"));
  expect(sim({"selftest.pass", "--defect=no.such"}), 4, HasSubstr("no such defect or variant: no.such"));
  expect(cutover({"explain", "no.such"}), 4, HasSubstr("'no.such' is no case"));
  expect(cutover({"coverage", "--from", path("absent.json")}), 4, HasSubstr("absent.json cannot be read"));
  expect(cutover({"coverage", "--from", file("bad.json", "{")}), 4,
         AllOf(HasSubstr("bad.json"), HasSubstr("expected the run.json or results.jsonl of a run")));
}

TEST_F(CommandLine, WrongFilesNameLineAndExpectation) {
  const auto with = [&](const char* option, const std::string& text) {
    return run({"selftest.pass", option, file("x.yaml", text)});
  };
  expect(with("--baseline", "- check: selftest.pass#SEED-2\n"), 4, HasSubstr("x.yaml:1: expected a key 'reason'"));
  expect(with("--baseline", "- {check: 'selftest.pass#precondition', reason: r}\n"), 0, HasSubstr("conforming"));
  expect(with("--baseline", "- {check: 'selftest.pass#SEED-99', reason: r}\n"), 4, HasSubstr("judges no 'SEED-99'"));
  for (const auto* date : {"tomorrow", "2027-6-30", "2027-13-01", "2027-02-29"})
    expect(with("--baseline", fmt::format("- check: selftest.pass#SEED-2\n  reason: r\n  expires: {}\n", date)), 4,
           HasSubstr("x.yaml:3: expected a date such as 2027-06-30 for 'expires'"));
  expect(with("--baseline", "- [\n"), 4, HasSubstr("x.yaml:2: expected YAML"));
  expect(with("--baseline", "- {check: 'a.b#C', reason: r, link: l}\n"), 4, HasSubstr("there is no case 'a.b'"));
  expect(with("--target", "name: x\ndriver: prosody\noffers: [moon]\n"), 4,
         HasSubstr("x.yaml:3: expected one of sip_side"));
  expect(run({"selftest.pass", "--target", path("absent.yaml")}), 4, HasSubstr("absent.yaml: cannot be read"));
  expect(run({"selftest.pass", "--catalogue", path("absent")}), 4, HasSubstr("cannot be read"));
}

TEST_F(CommandLine, WhatIsNoFileIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(path("folder"));
  (void)file("large", "");
  std::filesystem::resize_file(path("large"), 100UL * 1024 * 1024);
  const auto files = {std::pair(path("pipe"), "is a pipe; expected a file"),
                      std::pair(std::string("/dev/zero"), "is a device; expected a file"),
                      std::pair(std::string("/dev/urandom"), "is a device; expected a file"),
                      std::pair(path("folder"), "is a folder; expected a file"),
                      std::pair(path("large"), "is too large; expected at most 8 MiB")};
  for (const auto& [name, reason] : files) {
    for (const auto* option : {"--topology", "--target", "--baseline"})
      expect(run({"selftest.pass", option, name}), 4, AllOf(HasSubstr(name + ": "), HasSubstr(reason)));
    expect(cutover({"serve", "--credentials", path("credentials"), "--admin-token-file", name}), 4, HasSubstr(reason));
  }
  expect(cutover({"report", path("pipe"), "-o", path("out")}), 4, HasSubstr("is a pipe"));
  expect(cutover({"coverage", "--from", "/dev/zero"}), 4, HasSubstr("is a device"));
}

TEST_F(CommandLine, AKeyThatStandsTwiceIsAMistake) {
  const auto with = [&](const char* option, const std::string& text) {
    return run({"selftest.pass", option, file("x.yaml", text)});
  };
  expect(with("--baseline",
              "- {check: 'selftest.pass#SEED-2', reason: a, link: l}\n- {check: 'a.b#C',\n   reason: r,\n"
              "   link: l, reason: s}\n"),
         4, HasSubstr("x.yaml:4: key 'reason' is given twice"));
  expect(with("--target", "name: x\ndriver: prosody\nsettings: {mode: external-only}\nname: y\n"), 4,
         HasSubstr("x.yaml:4: key 'name' is given twice"));
  expect(with("--topology", "domain: a.example\nusers: [b]\nusers: [c]\n"), 4,
         HasSubstr("x.yaml:3: key 'users' is given twice"));
  expect(with("--baseline", "- {check: 'selftest.pass#SEED-2', reason: a}\n---\n- {check: 'a.b#C', reason: r}\n"), 4,
         HasSubstr("x.yaml:2: another document begins; expected one"));
  std::filesystem::create_directory(path("catalogue"));
  (void)file("catalogue/x.yaml", "- id: A-1\n  level: MUST\n  level: MAY\n");
  expect(run({"selftest.pass", "--catalogue", path("catalogue")}), 4,
         HasSubstr("x.yaml:3: key 'level' is given twice"));
}

TEST_F(CommandLine, AReportIntoAPipeWantsAReader) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  expect(
      sim({"selftest.pass", "--json", path("pipe")}), 3,
      AllOf(HasSubstr("conforming: 1 check"), HasSubstr("pipe: nobody reads this pipe"), HasSubstr("out/report.html")));
  Program reader({"-c", "exec cat '" + path("pipe") + "'"}, "/bin/sh");
  for (int i = 0; i < 500; ++i) {  // until it has opened the pipe
    const int writer = ::open(path("pipe").c_str(), O_WRONLY | O_NONBLOCK);
    if (writer < 0) {
      ::poll(nullptr, 0, 10);
      continue;
    }
    expect(sim({"selftest.pass", "--json", path("pipe")}), 0, HasSubstr("pipe"));
    ::close(writer);
    break;
  }
  EXPECT_THAT(reader.end().output, HasSubstr("selftest.pass"));
}

TEST_F(CommandLine, ExitCodesFollowTheVerdict) {
  expect(sim({"selftest.pass"}), 0, HasSubstr("conforming"));
  expect(sim({"selftest.pass", "selftest.fail"}), 1,
         AllOf(HasSubstr("NOT CONFORMING"), HasSubstr("cutover run selftest.fail --world=sim --replay=seed:"),
               Not(HasSubstr("\x01"))));
  expect(sim({"selftest.pass", "selftest.broken"}), 3, HasSubstr("thrown on purpose"));
  expect(sim({"selftest.skip"}), 3, HasSubstr("nothing was judged"));
  expect(sim({"selftest.skip", "--single"}), 77, HasSubstr("not on this machine"));
  for (const auto* report : {"run.json", "junit.xml", "report.html", "results.jsonl"}) {
    EXPECT_TRUE(std::filesystem::exists(path(std::string("out/") + report))) << report;
  }
}

TEST_F(CommandLine, ABaselineExpectsAndGoesStale) {
  const auto baseline = [&](const std::string& id, const std::string& more) {
    return file("b.yaml", "- {check: '" + id + "#SEED-2', reason: known, link: 'https://x.example'" + more + "}\n");
  };
  const auto with = [&](const std::string& more) {
    return sim({"selftest.pass", "selftest.fail", "--baseline", baseline("selftest.fail", more)});
  };
  expect(with(""), 0, AllOf(HasSubstr("1 case accepted by the baseline"), HasSubstr("because known")));
  expect(with(", message: other"), 1, HasSubstr("another failure"));
  expect(with(", expires: 2001-01-01"), 1, HasSubstr("expired on 2001-01-01"));
  expect(sim({"selftest.pass", "--baseline", baseline("selftest.pass", "")}), 2, HasSubstr("stale"));
}

TEST_F(CommandLine, ALostWorkerCostsOneCase) {
  const auto ended =
      sim({"selftest.crash", "selftest.killed", "selftest.hang", "selftest.pass", "--jobs=2", "--case-timeout=5"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("killed by SIGSEGV"), HasSubstr("last words of the worker"),
                    HasSubstr("killed by SIGKILL"), HasSubstr("did not end within 5 s of real time (--case-timeout)"),
                    HasSubstr("3 cases broken"), HasSubstr("1 check in 4 cases")));
}

TEST_F(CommandLine, AnInterruptedRunReportsWhatIsDone) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    Program program({"run", "selftest.pass", "selftest.hang", "-o", path("out"), "--world=sim", "--jobs=2"});
    ASSERT_TRUE(program.read_until("selftest.pass"));
    for (int impatience = 0; impatience < 5; ++impatience) {
      program.signal(number);
      ::poll(nullptr, 0, 1);
    }
    expect(program.end(), 3, AllOf(HasSubstr("the run is incomplete"), HasSubstr("after 1 of 2 cases")));
    EXPECT_THAT(content(path("out/run.json")), HasSubstr("selftest.pass"));
    EXPECT_THAT(content(path("out/junit.xml")), HasSubstr("incomplete"));
  }
}

TEST_F(CommandLine, ResultsComeInTheOrderOfTheSelection) {
  std::vector<std::string> seen;
  for (const auto* jobs : {"--jobs=1", "--jobs=4"}) {
    EXPECT_EQ(sim({"selftest.pass", "selftest.fail", "--repeat=3", "--seed=5", jobs}).code, 1);
    const auto text = content(path("out/junit.xml"));
    std::string names;
    for (auto at = text.find("<testcase "); at != std::string::npos; at = text.find("<testcase ", at + 1)) {
      const auto name = text.find("name=\"", at) + 6;
      names += text.substr(name, text.find('"', name) - name) + "\n";
    }
    seen.push_back(names);
  }
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_FALSE(seen[0].empty());
}

}  // namespace
}  // namespace cutover::cli_tests
