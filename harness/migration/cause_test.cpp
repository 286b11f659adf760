// The tables of causes and of known failures hold together.
#include "harness/migration/cause.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cutover::harness::migration {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

TEST(Causes, EachHasAnIdASentenceARemedyAndAPlace) {
  std::set<std::string_view> ids, sentences;
  for (const auto& one : causes()) {
    EXPECT_TRUE(ids.insert(one.id).second) << one.id;
    EXPECT_TRUE(sentences.insert(one.sentence).second) << one.sentence;
    EXPECT_THAT(std::string(one.id), MatchesRegex("[a-z]+(-[a-z]+)*"));
    EXPECT_EQ(cause_of(one.id), one.cause);
    EXPECT_FALSE(one.sentence.ends_with('.')) << one.id;
    EXPECT_FALSE(one.whom.empty()) << one.id;
    if (one.cause == Cause::none) continue;
    EXPECT_TRUE(one.remedy.ends_with('.')) << one.id;
    EXPECT_FALSE(one.source.empty()) << one.id;
  }
  EXPECT_EQ(cause_of("no-such-cause"), std::nullopt);
  EXPECT_EQ(cause_of(""), std::nullopt);
}

TEST(Causes, NameOnlyFailuresThatAreKnown) {
  std::set<std::string> known, named;
  for (const auto& one : failures()) known.insert(std::string(one.id));
  ASSERT_EQ(known.size(), 37U);
  for (const auto& one : failures()) {
    for (const auto cause : causes_behind(one.id)) named.insert(std::string(text_of(cause).id));
  }
  for (const auto& one : causes()) EXPECT_EQ(named.contains(std::string(one.id)), !one.failure.empty()) << one.id;
}

TEST(Causes, AreFoundByTheFailureThatTheyBringAbout) {
  EXPECT_THAT(causes_behind("F19"), ElementsAre(Cause::dialback_authority));
  EXPECT_THAT(causes_behind("F34"), ElementsAre(Cause::domain_not_listed));
  EXPECT_THAT(causes_behind("F3"), ElementsAre(Cause::name_missing));  // not F33
  EXPECT_THAT(causes_behind("F99"), IsEmpty());
  // What no plan can bring about: tools that fail for reasons of their own, time alone, a leftover that harms nobody
  // yet, and a header that a server writes.
  std::vector<std::string> without;
  for (const auto& one : failures()) {
    if (causes_behind(one.id).empty()) without.emplace_back(one.id);
  }
  EXPECT_THAT(without, ElementsAre("F26", "F27", "F30", "F31", "F32", "F36"));
}

}  // namespace
}  // namespace cutover::harness::migration
