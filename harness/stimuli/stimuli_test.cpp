// The table of stimuli is whole, what is drawn covers it, and what fails becomes small.
#include "harness/stimuli/covering.h"
#include "protocol/base/check.h"

#include <gmock/gmock.h>

#include <set>

namespace cutover::harness::stimuli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

Grammar header() { return Grammar({"connection", "header"}); }

TEST(Stimuli, OfEachDimensionTheUsualValueComesFirstAndTheOthersHaveWordsAndARequirement) {
  std::set<std::string_view> words;
  for (const auto& element : elements()) {
    for (const auto& dimension : element.dimensions) {
      ASSERT_THAT(dimension.values, Not(IsEmpty())) << element.name << " " << dimension.name;
      EXPECT_THAT(dimension.values.front().words, IsEmpty()) << dimension.name;
      for (std::size_t i = 1; i < dimension.values.size(); ++i) {
        const auto& value = dimension.values[i];
        EXPECT_TRUE(words.insert(value.words).second) << value.words << " stands twice";
        EXPECT_THAT(value.requirement, Not(IsEmpty())) << value.words;
        EXPECT_EQ(value.conditions.empty(), value.condition_requirement.empty()) << value.words;
      }
    }
  }
}

TEST(Stimuli, AreFilledIn) {
  const auto grammar = header();
  const Surroundings slots{{"our domain", "a.example"}, {"subject", "b.example"}};
  EXPECT_EQ(grammar.render("header", grammar.usual(), slots),
            "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
            "xmlns:db='jabber:server:dialback' from='a.example' to='b.example' version='1.0' xml:lang='en'>");
  EXPECT_EQ(grammar.part("header", "names", 3, grammar.usual(), slots), "</stream:stream>");
  EXPECT_EQ(grammar.in_words(grammar.usual()), "nothing out of the usual");
  EXPECT_THROW((void)grammar.render("header", grammar.usual(), {}), HarnessFault);
  EXPECT_THROW(Grammar({"header"}, {"no such value"}), HarnessFault);
  const auto values = [](const Grammar& of) { return of.dimensions().front().values.size(); };
  EXPECT_EQ(values(Grammar({"connection"}, {"TLS 1.2"})), values(Grammar({"connection"})) - 1);
  EXPECT_EQ(values(Grammar({"connection"}, {"version"})), 1U);
}

TEST(Stimuli, TextsAreWrittenInEachForm) {
  EXPECT_EQ(written("a<\xc3\xbc]]>", "escaped"), "a&lt;\xc3\xbc]]&gt;");
  EXPECT_EQ(written("a<]]>", "CDATA"), "<![CDATA[a<]]]]><![CDATA[>]]>");
  EXPECT_EQ(written("<\xf0\x9f\x98\x80", "hexadecimal"), "&#x3C;&#x1F600;");
  EXPECT_EQ(written("\xc3\xbc", "decimal"), "&#252;");
  EXPECT_EQ(written("a\r", "escaped"), "a&#13;");
}

/// The legal values that stand in some combination, or pairs of them.
std::set<std::vector<std::size_t>> met(const std::vector<Combination>& all, std::size_t together) {
  std::set<std::vector<std::size_t>> found;
  for (const auto& one : all) {
    for (std::size_t a = 0; a < one.size(); ++a) {
      if (together == 1) found.insert({a, one[a]});
      for (std::size_t b = a + 1; together == 2 && b < one.size(); ++b) found.insert({a, one[a], b, one[b]});
    }
  }
  return found;
}
std::size_t legal(const Dimension& dimension) {
  return static_cast<std::size_t>(
      std::ranges::count_if(dimension.values, [](const auto& one) { return one.status == Status::legal; }));
}

TEST(Covering, HasEachValueOrEachPairAndNothingForbidden) {
  const auto grammar = header();
  Generator numbers(7);
  std::size_t values = 0, pairs = 0;
  const auto& dimensions = grammar.dimensions();
  for (std::size_t a = 0; a < dimensions.size(); ++a) {
    values += legal(dimensions[a]);
    for (std::size_t b = a + 1; b < dimensions.size(); ++b) pairs += legal(dimensions[a]) * legal(dimensions[b]);
  }
  const auto quick = covering(grammar, Depth::quick, numbers), whole = covering(grammar, Depth::covering, numbers);
  EXPECT_EQ(met(quick, 1).size(), values);
  EXPECT_EQ(met(whole, 2).size(), pairs);
  EXPECT_EQ(whole.front(), grammar.usual());
  EXPECT_LT(whole.size(), 60U);
  for (const auto& one : whole) {
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(dimensions[i].values[one[i]].status, Status::legal);
  }
  Generator again(7);
  EXPECT_EQ(covering(grammar, Depth::quick, again), quick);
}

TEST(Covering, DeepDrawsMoreFromTheSeed) {
  Generator one(1), two(2);
  const auto a = covering(header(), Depth::deep, one), b = covering(header(), Depth::deep, two);
  EXPECT_GT(a.size(), 100U);
  EXPECT_NE(a, b);
}

TEST(Covering, ForbiddenValuesStandAlone) {
  for (const auto& one : alone(header(), Status::forbidden))
    EXPECT_EQ(std::ranges::count_if(one, [](auto value) { return value != 0; }), 1);
}

TEST(Smallest, IsTheCauseAndNothingElse) {
  const Combination failing{1, 2, 0, 3, 1, 4, 2, 1};
  const auto of_two = smallest(failing, 100, [](const auto& one) { return one[1] == 2 && one[5] == 4; });
  EXPECT_THAT(of_two, ElementsAre(0, 2, 0, 0, 0, 4, 0, 0));
  const auto of_one = smallest(failing, 100, [](const auto& one) { return one[7] == 1; });
  EXPECT_THAT(of_one, ElementsAre(0, 0, 0, 0, 0, 0, 0, 1));
  EXPECT_TRUE(contains(failing, of_two));
  EXPECT_FALSE(contains(of_one, of_two));
}

TEST(Smallest, StopsWhenItsTriesAreSpent) {
  std::size_t tries = 0;
  (void)smallest(Combination(30, 1), 5, [&](const auto&) {
    ++tries;
    return false;
  });
  EXPECT_EQ(tries, 5U);
}

}  // namespace
}  // namespace cutover::harness::stimuli
