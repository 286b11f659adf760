// Charts: nothing of a loss vanishes, lanes of equal fortune are one row, labels do not touch.
#include "reports/chart.h"

#include "reports/chart_rows.h"
#include "reports/chart_scale.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libxml/parser.h>

#include <memory>
#include <regex>

namespace cutover::reports {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::int64_t day = 86400;

/// Works by the legacy gateway, fails from..to, works by the new side until the end.
std::vector<ChartSegment> fails(std::int64_t from, std::int64_t to, Fate fate = Fate::refused, bool certain = true) {
  return {{0, from, Fate::legacy, true, "works"}, {from, to, fate, certain, "why"}, {to, 20 * day, Fate::current}};
}

Chart chart_with(std::vector<ChartLane> lanes) {
  return {.title = "As planned", .summary = "what it is", .end = 20 * day, .lanes = std::move(lanes)};
}

std::string html_of(const Chart& chart) { return charts_html(std::span(&chart, 1), "t"); }

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(ChartRows, ClassesOfEqualFortuneAreOneRow) {
  const auto early = fails(100, 200), late = fails(100, 300);
  const auto groups = groups_of(std::vector{chart_with({{"a", true, "sales", 7, early},
                                                        {"a", true, "it", 2, early},
                                                        {"a", true, "board", 1, late},
                                                        {"a", false, "sales", 7, late},
                                                        {"a", false, "it", 2, late},
                                                        {"a", false, "board", 1, late}})},
                                20);
  ASSERT_THAT(groups, SizeIs(1));
  const auto& rows = groups.front().rows;
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_THAT(rows[0].users, ElementsAre("sales", "it"));
  EXPECT_EQ(rows[0].count, 9);
  EXPECT_THAT(rows[1].users, ElementsAre("board"));
  EXPECT_THAT(rows[2].users, IsEmpty()) << "all of them";
  EXPECT_FALSE(rows[2].to_partner);
}

TEST(ChartRows, WhatLooksAlikeIsOneRowWhateverItsCauses) {
  const std::vector<ChartSegment> once{{0, 9, Fate::refused, true, "x"}};
  const std::vector<ChartSegment> twice{{0, 4, Fate::refused, true, "a"}, {4, 9, Fate::refused, true, "b"}};
  const auto groups = groups_of(std::vector{chart_with({{"p", true, "u", 1, twice}, {"p", true, "v", 1, once}})}, 20);
  ASSERT_THAT(groups.front().rows, SizeIs(1));
  ASSERT_THAT(groups.front().rows[0].charts[0], SizeIs(1));
  EXPECT_EQ(groups.front().rows[0].charts[0][0].words, "a; then b; or x");
}

TEST(ChartRows, PartnersAreOneGroupOnlyWhereTheyAreEqualInAllCharts) {
  const std::vector charts{
      chart_with(
          {{"a", true, "u", 1, fails(1, 2)}, {"b", true, "u", 1, fails(1, 2)}, {"c", true, "u", 1, fails(1, 2)}}),
      chart_with(
          {{"a", true, "u", 1, fails(1, 2)}, {"b", true, "u", 1, fails(1, 3)}, {"c", true, "u", 1, fails(1, 2)}})};
  const auto groups = groups_of(charts, 20);
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_THAT(groups[0].partners, ElementsAre("a", "c"));
  EXPECT_THAT(groups[1].partners, ElementsAre("b"));
  EXPECT_FALSE(groups[0].worst_of);
}

TEST(ChartRows, ManyOfThemAreReadableAndLoseNothing) {
  std::vector<ChartLane> lanes;
  for (int i = 0; i < 100; ++i) {
    for (const bool way : {true, false}) {
      // All differ in time; every tenth is told success and loses.
      lanes.push_back({fmt::format("p{}.example", i), way, "u", 5,
                       fails(1000 + i * 60, 1100 + i * 61, i % 10 == 0 ? Fate::lost : Fate::refused)});
    }
  }
  const auto chart = chart_with(lanes);
  const auto groups = groups_of(std::span(&chart, 1), 20);
  std::size_t partners = 0, rows = 0;
  for (const auto& group : groups) {
    partners += group.partners.size();
    rows += group.rows.size();
  }
  EXPECT_EQ(partners, 100);
  EXPECT_LE(rows, 20);
  for (const auto& lane : lanes) {
    for (const auto& group : groups) {
      if (std::ranges::find(group.partners, lane.partner) == group.partners.end()) continue;
      const auto& segments = group.rows[lane.to_partner ? 0 : 1].charts[0];
      const auto& loss = lane.segments[1];
      for (const auto at : {loss.from, loss.to - 1}) {
        const auto found = std::ranges::find_if(segments, [&](const auto& s) { return s.from <= at && at < s.to; });
        ASSERT_NE(found, segments.end());
        EXPECT_GE(found->fate, loss.fate) << lane.partner;
      }
    }
  }
  EXPECT_THAT(html_of(chart), AllOf(HasSubstr("90 partners: "), HasSubstr("10 partners: ")));
}

TEST(ChartRows, OneOfThreeClassesMakesItUncertain) {
  std::vector<ChartLane> lanes;
  lanes.reserve(30);
  for (int i = 0; i < 30; ++i) lanes.push_back({"a", true, fmt::format("u{}", i), 1, fails(100 + i, 200 + i)});
  const auto chart = chart_with(lanes);
  const auto groups = groups_of(std::span(&chart, 1), 20);
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_TRUE(groups[0].worst_of);
  EXPECT_EQ(groups[0].rows[0].count, 30);
  const auto& segments = groups[0].rows[0].charts[0];
  ASSERT_THAT(segments, SizeIs(5));
  EXPECT_FALSE(segments[1].certain) << "only some have begun to fail";
  EXPECT_TRUE(segments[2].certain);
  EXPECT_EQ(segments[2].from, 129);
  EXPECT_EQ(segments[2].to, 200);
  EXPECT_EQ(segments[4].fate, Fate::current);
}

TEST(ChartScale, IsInProportionWhereThatShowsEverything) {
  const ChartScale scale({0, 100, 200, 1000}, 0, 1000);
  EXPECT_DOUBLE_EQ(scale.x(150), 150);
  EXPECT_THAT(scale.cuts(), IsEmpty());
  EXPECT_FALSE(scale.widened());
}

TEST(ChartScale, CutsWeeksAndWidensSeconds) {
  const ChartScale scale({0, 14 * day, 14 * day + 5, 14 * day + 3600, 20 * day}, 0, 1000);
  ASSERT_THAT(scale.cuts(), SizeIs(2));
  EXPECT_EQ(scale.cuts()[0].to, 14 * day);
  EXPECT_TRUE(scale.widened());
  EXPECT_GE(scale.x(14 * day + 5) - scale.x(14 * day), 10);
  EXPECT_DOUBLE_EQ(scale.x(0), 0);
  EXPECT_DOUBLE_EQ(scale.x(20 * day), 1000);
  double before = -1;
  for (std::int64_t at = 0; at < 20 * day; at += 1799) {
    EXPECT_GT(scale.x(at), before);
    before = scale.x(at);
  }
}

TEST(ChartScale, HasRoomForHundredsOfMoments) {
  std::vector<std::int64_t> moments{0, 20 * day};
  for (int i = 0; i < 500; ++i) moments.push_back(10 * day + i);
  const ChartScale scale(moments, 0, 1000);
  EXPECT_DOUBLE_EQ(scale.x(20 * day), 1000);
  EXPECT_GT(scale.x(10 * day + 499) - scale.x(10 * day), 400);
}

TEST(Chart, IsWellFormedAndTellsEverySegmentInWords) {
  auto chart = chart_with({{"a&b.example", true, "sales", 1200, fails(10 * day, 10 * day + 60, Fate::lost, false)}});
  chart.start = 1795816800;
  chart.marks = {{10 * day, 10 * day + 30, "1", "Move <them>", true}};
  const auto html = html_of(chart);
  const auto begin = html.find("<svg viewBox=\"0 0 1240"), end = html.find("</svg>", begin);
  const auto svg = html.substr(begin, end + 6 - begin);
  const std::unique_ptr<xmlDoc, void (*)(xmlDoc*)> document(
      xmlReadMemory(svg.data(), static_cast<int>(svg.size()), "chart", nullptr, XML_PARSE_NONET), xmlFreeDoc);
  EXPECT_NE(document, nullptr);
  EXPECT_THAT(svg, HasSubstr("role=\"img\" aria-label=\"As planned: what it is\""));
  EXPECT_THAT(svg, HasSubstr("<title>a&amp;b.example, to partner, everybody: Mon 7 Dec 22:00 to Mon 7 Dec 22:01: why "
                             "(for some of them)</title>"));
  EXPECT_THAT(svg, HasSubstr("point of no return"));
  EXPECT_THAT(html, HasSubstr("<li><b>1</b> <span class=\"facts\">Mon 7 Dec 22:00</span> Move &lt;them&gt;"));
  EXPECT_THAT(html, AllOf(HasSubstr("torn:"), HasSubstr("striped:"), HasSubstr("lost: the sender is told success"),
                          Not(HasSubstr("black-holed: nobody"))));
}

TEST(Chart, ALossOfASecondHasAWidth) {
  const auto html = html_of(chart_with({{"a.example", true, "u", 1, fails(10 * day, 10 * day + 1)}}));
  std::smatch found;
  ASSERT_TRUE(std::regex_search(html, found, std::regex("width=\"([0-9.]+)\" height=\"[0-9.]+\" class=\"f-refused\"")));
  EXPECT_GE(std::stod(found[1]), 3);
}

TEST(Chart, NumbersThatWouldTouchAreOneLabel) {
  auto chart = chart_with({{"a.example", true, "u", 1, fails(10 * day, 11 * day)}});
  for (int i = 0; i < 6; ++i)
    chart.marks.push_back({i < 4 ? 10 * day : 15 * day + i, 0, std::to_string(i + 1), "s", false});
  const auto html = html_of(chart);
  EXPECT_THAT(html, HasSubstr(">1–4</text>"));
  EXPECT_EQ(count_of(html, "class=\"pill\""), 2)
      << "5 and 6 are a second apart: the scale is widened for them, or they are one";
}

TEST(Chart, StepsNeedNoTimes) {
  Chart chart{.title = "Rehearsed", .summary = "s", .by_step = true, .end = 3};
  chart.lanes = {{"a.example", true, "", 3, {{0, 2, Fate::legacy}, {2, 3, Fate::current}}}};
  chart.marks = {{1, 1, "1", "deploy", false}, {2, 2, "2", "update DNS", false}};
  const auto html = html_of(chart);
  EXPECT_THAT(html, HasSubstr("from the start until step 2: works by the legacy gateway"));
  EXPECT_THAT(html, HasSubstr("from step 2 to the end: works by the new side"));
  EXPECT_THAT(html, HasSubstr("<li><b>1</b> deploy</li>"));
}

TEST(Chart, TellsMomentsWithAndWithoutADate) {
  EXPECT_EQ(moment_of(std::nullopt, 0), "+00:00");
  EXPECT_EQ(moment_of(std::nullopt, 90065), "+1 d 01:01:05");
  EXPECT_EQ(moment_of(std::nullopt, -3600), "-01:00");
  EXPECT_EQ(moment_of(std::nullopt, -90000), "-1 d 01:00");
  EXPECT_EQ(moment_of(1795816800, 0), "Fri 27 Nov 22:00");
  EXPECT_EQ(moment_of(1795816800, -7200), "Fri 27 Nov 20:00");
}

TEST(Chart, WordsOfFatesAreReadBack) {
  for (std::size_t i = 0; i < fates; ++i) EXPECT_EQ(fate_of(word_of(static_cast<Fate>(i))), static_cast<Fate>(i));
  EXPECT_EQ(fate_of("unheard-of"), std::nullopt);
}

}  // namespace
}  // namespace cutover::reports
