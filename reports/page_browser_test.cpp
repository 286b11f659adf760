// The HTML report in a real browser: drawn, searchable, filterable. Skipped with the reason where there is no Chromium.
#include "reports/html.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace cutover::reports {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* browser = "/usr/bin/chromium";

/// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cutover-page-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The document tree after the page's scripts and `extra` ran, as Chromium prints it.
std::string dom_of(const RunResult& run, const std::string& extra = {}) {
  const Folder folder;
  std::ofstream(folder.path() / "report.html") << to_html(run) << "<script>" << extra << "</script>";
  const auto command = fmt::format(
      "HOME={0} {1} --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
      "--disable-background-networking "
      "--disable-component-update --disable-sync --user-data-dir={0}/profile --virtual-time-budget=20000 --dump-dom "
      "file://{0}/report.html "
      "2>{0}/log",
      folder.path().string(), browser);
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::string dom;
  char buffer[4096];
  while (const auto n = fread(buffer, 1, sizeof buffer, pipe.get())) dom.append(buffer, n);
  return dom;
}

RunResult two_cases() {
  CaseResult passes;
  passes.id = "message.greets";
  passes.suite = "message";
  passes.world = "sim";
  passes.title = "A greeting arrives";
  CaseResult fails = passes;
  fails.id = "presence.shows";
  fails.suite = "presence";
  fails.title = "Presence is seen";
  fails.outcome = Outcome::fail;
  fails.standing = Standing::red;
  fails.columns = {"partner", "proxy"};
  fails.trace = {{1000, "xmpp", "partner", "proxy", "presence romeo", "<presence xml:lang='en'/>"}};
  fails.checks = {
      {"presence.shows#R-1", "R-1", "MUST", Outcome::fail, "it", "is available", "<b>not</b> available", "a.cpp", 3}};
  fails.checks.front().standing = Standing::red;
  RunResult run;
  run.verdict = "not conforming";
  run.exit_code = 1;
  run.cases = {passes, fails};
  return run;
}

class Page : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(browser)) GTEST_SKIP() << "Chromium is not installed (package chromium)";
  }
};

TEST_F(Page, OpensTheFirstFailureWithDiagramAndWire) {
  const auto dom = dom_of(two_cases());
  EXPECT_THAT(dom, HasSubstr("not conforming (exit code 1)"));
  EXPECT_THAT(dom, HasSubstr("2 of 2 cases"));
  EXPECT_THAT(dom, HasSubstr("aria-label=\"sequence diagram\""));
  EXPECT_THAT(dom, HasSubstr("partner → proxy"));
  EXPECT_THAT(dom, HasSubstr("&lt;presence xml:lang='en'/&gt;"));
  EXPECT_THAT(dom, HasSubstr("it: expected is available, got &lt;b&gt;not&lt;/b&gt; available"))
      << "the sentence stands first, and octets of the wire are text, never markup";
}

TEST_F(Page, OpensTheDiagramWhereItFailed) {
  auto run = two_cases();
  auto& fails = run.cases.back();
  fails.trace.clear();
  for (int i = 0; i < 200; ++i)
    fails.trace.push_back(
        {i * 1000, "xmpp", "partner", "proxy", fmt::format("arrow {}", i), fmt::format("octets {}", i)});
  fails.checks.front().time_ns = 150'500;
  const auto dom =
      dom_of(run,
             "const look = () => { const of = s => document.querySelector(s), row = of('.row.chosen title'); "
             "if (!row) return setTimeout(look, 20); document.title = 'at ' + row.textContent + ', scrolled ' + "
             "(of('.diagram').scrollTop > 0) + ' ' + (of('.wire').scrollTop > 0); }; look();");
  EXPECT_THAT(dom, HasSubstr("<title>at octets 150, scrolled true true</title>"));
}

TEST_F(Page, TellsWhatWasPlanted) {
  auto run = two_cases();
  run.planted = {"gateway.loses-body", "xmpp.no-close-timeout"};
  EXPECT_THAT(dom_of(run), HasSubstr("Planted in what was judged: gateway.loses-body, xmpp.no-close-timeout"));
}

TEST_F(Page, ShowsNothingRedThatTheBaselineAccepts) {
  auto run = two_cases();
  run.exit_code = 0;
  auto& accepted = run.cases.back();
  accepted.standing = accepted.checks.front().standing = Standing::accepted;
  accepted.checks.front().baseline = BaselineState::expected;
  accepted.checks.front().baseline_reason = "issue 7";
  const auto dom = dom_of(run, "for (const d of document.querySelectorAll('details.case')) d.open = true;");
  EXPECT_THAT(dom, HasSubstr("<span class=\"badge accepted\">accepted</span>"));
  EXPECT_THAT(dom, HasSubstr("accepted, because issue 7"));
  EXPECT_THAT(dom, AllOf(Not(HasSubstr("class=\"badge red\"")), Not(HasSubstr("class=\"n bad\""))));
}

TEST_F(Page, TellsTheCausesFirst) {
  auto run = two_cases();
  auto hidden = run.cases.back();
  hidden.id = "presence.follows";
  hidden.standing = hidden.checks.front().standing = Standing::hidden;
  hidden.checks.front().id = "presence.follows#R-2";
  hidden.checks.front().cause = "presence.shows#R-1";
  run.cases.push_back(hidden);
  const auto dom = dom_of(run);
  EXPECT_THAT(dom, HasSubstr("One check is red, and 1 not reached because of them:"));
  EXPECT_THAT(dom, HasSubstr("<summary>1 not reached because of it</summary>"));
  EXPECT_THAT(dom, HasSubstr("href=\"#presence.follows%2Fsim\">presence.follows#R-2</a>"));
  EXPECT_THAT(dom, HasSubstr("<span class=\"badge hidden\">not reached</span>"));
}

TEST_F(Page, FollowsALinkToACase) {
  const auto opened = [](const std::string& dom) {
    const auto at = dom.find("data-id=\"message.greets\"");
    return dom.substr(at, dom.find('>', at) - at);
  };
  EXPECT_THAT(opened(dom_of(two_cases())), Not(HasSubstr("open")));
  EXPECT_THAT(opened(dom_of(two_cases(), "location.hash = 'message.greets/sim';")), HasSubstr("open"));
}

TEST_F(Page, ShowsTheTitleOfALinkedCaseBelowTheBar) {
  const auto dom = dom_of(two_cases(),
                          "document.body.style.paddingBottom = '9999px'; location.hash = 'message.greets/sim'; "
                          "const look = () => { const top = s => document.querySelector(s).getBoundingClientRect(); "
                          "if (scrollY === 0) return setTimeout(look, 20); document.title = 'hidden ' + "
                          "(top('[data-id=\"message.greets\"]').top < top('.controls').bottom - 1); }; look();");
  EXPECT_THAT(dom, HasSubstr("<title>hidden false</title>"));
}

TEST_F(Page, SearchesAndFilters) {
  const auto set = [](const char* id, const char* value) {
    return fmt::format("{{const e=document.getElementById('{}');e.value=`{}`;e.dispatchEvent(new Event('input'));}}",
                       id, value);
  };
  EXPECT_THAT(dom_of(two_cases(), set("search", "greet")), HasSubstr("1 of 2 cases"));
  EXPECT_THAT(dom_of(two_cases(), set("outcome", "fail")), HasSubstr("1 of 2 cases"));
  EXPECT_THAT(dom_of(two_cases(), set("outcome", "red")), HasSubstr("1 of 2 cases"));
  EXPECT_THAT(dom_of(two_cases(), set("level", "MUST")), HasSubstr("1 of 2 cases"));
  EXPECT_THAT(dom_of(two_cases(), set("search", "xml:lang='en'")), HasSubstr("1 of 2 cases"))
      << "the wire is unpacked for a search";
  EXPECT_THAT(dom_of(two_cases(), set("search", "nothing has this")), HasSubstr("0 of 2 cases"));
}

}  // namespace
}  // namespace cutover::reports
