// The HTML report in a real browser: drawn, searchable, filterable. Skipped with the reason where there is no Chromium.
#include "reports/html.h"
#include "reports/plan_page.h"

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

/// What Chromium prints of a page, or writes to a file in the folder.
std::string chromium(const Folder& folder, const std::string& html, const std::string& what) {
  std::ofstream(folder.path() / "report.html") << html;
  const auto command = fmt::format(
      "HOME={0} {1} --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
      "--disable-background-networking "
      "--disable-component-update --disable-sync --user-data-dir={0}/profile --virtual-time-budget=20000 {2} "
      "file://{0}/report.html "
      "2>{0}/log",
      folder.path().string(), browser, what);
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::string dom;
  char buffer[4096];
  while (const auto n = fread(buffer, 1, sizeof buffer, pipe.get())) dom.append(buffer, n);
  return dom;
}

/// The document tree after the page's scripts and `extra` ran, as Chromium prints it.
std::string dom_of(const std::string& html, const std::string& extra) {
  return chromium(Folder(), html + "<script>" + extra + "</script>", "--dump-dom");
}
std::string dom_of(const RunResult& run, const std::string& extra = {}) { return dom_of(to_html(run), extra); }

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

TEST_F(Page, TellsWhatTheAuthorOfACaseSays) {
  const auto dom =
      dom_of(to_html(two_cases(), {{"presence.shows", {"Look.", "A </script>", "Nobody <b>looked</b>."}}}), {});
  EXPECT_THAT(dom, HasSubstr("<p><b>Likely causes: </b>Nobody &lt;b&gt;looked&lt;/b&gt;.</p>"));
  EXPECT_THAT(dom, HasSubstr("<p><b>Accepted: </b>A &lt;/script&gt;</p>"));
  EXPECT_THAT(dom, HasSubstr("2 of 2 cases"));
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

Chart rehearsed() {
  Chart chart{.title = "The six steps", .summary = "as rehearsed", .by_step = true, .end = 3};
  for (const auto* partner : {"a.example", "b.example", "c.example"}) {
    for (const bool way : {true, false})
      chart.lanes.push_back(
          {partner, way, "u", 1, {{0, 1, Fate::legacy}, {1, 2, Fate::refused}, {2, 3, Fate::current}}});
  }
  chart.marks = {{1, 1, "1", "configure the partners", false}, {2, 2, "2", "update DNS", false}};
  return chart;
}

TEST_F(Page, HasTheChartOfTheRehearsalOnTheFirstScreen) {
  auto run = two_cases();
  run.cases.front().chart = rehearsed();
  const auto dom =
      dom_of(run,
             "const box = document.querySelector('#charts figure').getBoundingClientRect();"
             "const rows = document.querySelectorAll('#charts .plot .f-refused').length;"
             "document.title = 'chart ' + (box.height > 40) + ' ' + (box.bottom < innerHeight) + ' ' + rows;");
  EXPECT_THAT(dom, HasSubstr("<title>chart true true 2</title>")) << "three partners of equal fortune: one group";
  EXPECT_THAT(dom, HasSubstr("as seen on the wire by <a href=\"#message.greets/sim\">message.greets/sim</a>"));
}

/// A plan with as much on its first sheet as there may be.
PlanPage full_plan() {
  PlanPage page{.title = "Migration", .facts = {"plan.yaml, six partners"}, .go = false};
  for (int i = 0; i < 9; ++i)
    page.reasons.push_back(fmt::format("reason {} why this plan is not carried out as it is", i));
  for (const auto* title : {"As planned: no-go.", "As proposed: go."}) {
    Chart chart{.title = title, .summary = "six partners are cut off for a time", .end = 500'000};
    for (int i = 0; i < 14; ++i) {
      for (const bool way : {true, false})
        chart.lanes.push_back({fmt::format("partner{}.example", i),
                               way,
                               "u",
                               1,
                               {{0, 9000 + i * 300, Fate::legacy},
                                {9000 + i * 300, 9060 + i * 700, Fate::lost},
                                {9060 + i * 700, 500'000, Fate::current}}});
    }
    for (int i = 0; i < 12; ++i)
      chart.marks.push_back({i * 1800, i * 1800, std::to_string(i + 1), "a step with a name of usual length", i == 9});
    page.charts.push_back(chart);
  }
  return page;
}

TEST_F(Page, APlanFillsOneSheetOfPaper) {
  const Folder folder;
  auto page = full_plan();
  page.windows.clear();
  auto html = to_html(page);
  html.erase(html.find("<h2 id=\"windows\">"));  // what stands behind the sheet has pages of its own
  (void)chromium(folder, html, fmt::format("--print-to-pdf={}/plan.pdf", folder.path().string()));
  std::ifstream in(folder.path() / "plan.pdf", std::ios::binary);
  const std::string pdf((std::istreambuf_iterator<char>(in)), {});
  EXPECT_THAT(pdf, HasSubstr("/Count 1\n"));
  EXPECT_THAT(pdf, HasSubstr("/MediaBox [0 0 841")) << "A4, landscape";
}

TEST_F(Page, LabelsOfAPlanDoNotTouch) {
  const auto dom = dom_of(
      to_html(full_plan()),
      "const all = [...document.querySelectorAll('.plot svg')].map(svg => [...svg.querySelectorAll('text')].map(t => "
      "t.getBoundingClientRect()).filter(r => r.width));"
      "let touching = 0, count = 0; for (const boxes of all) boxes.forEach((a, i) => { count++; boxes.slice(i + 1)."
      "forEach(b => { if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - "
      "Math.max(a.top, b.top) > 4) touching++; }); });"
      "document.title = 'touching ' + touching + ' of ' + (count > 40);");
  EXPECT_THAT(dom, HasSubstr("<title>touching 0 of true</title>"));
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
