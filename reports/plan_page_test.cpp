// The page of a plan: verdict, windows, gates; everything escaped.
#include "reports/plan_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::reports {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Chart chart(const char* title) {
  return {.title = title,
          .summary = "one & another",
          .end = 100,
          .lanes = {{"p.example", true, "sales", 7, {{0, 40, Fate::legacy}, {40, 100, Fate::refused}}}},
          .marks = {{40, 40, "1", "DNS", false}}};
}

PlanPage page() {
  PlanPage page{
      .title = "A & B", .facts = {"plan.yaml"}, .go = false, .reasons = {"a <is> cut off", "b", "c", "d", "e"}};
  page.charts = {chart("As planned"), chart("As proposed")};
  page.windows = {{.from = 40,
                   .to = 100,
                   .lasts = "1 min",
                   .certain = false,
                   .partners = "p.example",
                   .users = "sales",
                   .count = 7,
                   .kind = "refused",
                   .cause = "because",
                   .remedy = "do it",
                   .failure = "F18"}};
  page.steps = {{.label = "1",
                 .name = "DNS",
                 .at = 40,
                 .until = 40,
                 .commands = {"Set-CsSite <x>"},
                 .checks = {"look"},
                 .broken = {"sales to p"},
                 .back = {"repoint a legacy"},
                 .whole_again = "",
                 .no_return = true}};
  page.proposals = {{"Lower the TTL", "90 % less", true}};
  page.readings = {"a reading"};
  page.estate = {{"users", "7"}};
  return page;
}

TEST(PlanPage, TellsVerdictWindowsGatesAndProposals) {
  const auto html = to_html(page());
  EXPECT_THAT(html, AllOf(HasSubstr("<title>A &amp; B: no-go</title>"), HasSubstr("<b>No-go</b>"),
                          HasSubstr("<li>a &lt;is&gt; cut off</li>"), HasSubstr(">2 more</a>")));
  EXPECT_THAT(html, AllOf(HasSubstr("<b>As planned</b> one &amp; another"), HasSubstr("<b>As proposed</b>")));
  EXPECT_THAT(html, AllOf(HasSubstr("1 min at worst"), HasSubstr("because (F18)"), HasSubstr("do it")));
  EXPECT_THAT(html, AllOf(HasSubstr("Set-CsSite &lt;x&gt;"), HasSubstr("<li>look</li>"), HasSubstr("sales to p"),
                          HasSubstr("repoint a legacy"), HasSubstr("does not make it whole again"),
                          HasSubstr("point of no return")));
  EXPECT_THAT(html, AllOf(HasSubstr("Lower the TTL"), HasSubstr("90 % less"), HasSubstr("a reading"),
                          HasSubstr("<dt>users</dt><dd>7</dd>")));
  EXPECT_THAT(html, Not(HasSubstr("<script"))) << "it is read as it is, and printed";
}

TEST(PlanPage, AGoodPlanHasNoReasons) {
  auto good = page();
  good.go = true;
  good.reasons.clear();
  good.windows.clear();
  const auto html = to_html(good);
  EXPECT_THAT(html, AllOf(HasSubstr("<b>Go</b></div>"), HasSubstr("Nothing: every user reaches every partner"),
                          Not(HasSubstr("No-go"))));
}

}  // namespace
}  // namespace cutover::reports
