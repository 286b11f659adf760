// The facts as a file, and the model held against each of them.
#include "harness/migration/facts.h"

#include "harness/files/yaml_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace cutover::harness::migration {
namespace {

using testing::HasSubstr;

const Facts& facts() { return embedded_facts(); }

TEST(Facts, TheModelContradictsNone) {
  for (const auto& sentence : held_against_model(facts())) ADD_FAILURE() << sentence;
}

TEST(Facts, AreManyAndOfEveryStanding) {
  std::map<Standing, int> counts;
  for (const auto& fact : facts().all) ++counts[fact.standing];
  EXPECT_GE(facts().all.size(), 200U);
  for (const auto standing : {Standing::stated, Standing::derived, Standing::ours}) {
    RecordProperty(std::string(name_of(standing)), counts[standing]);
    EXPECT_GT(counts[standing], 0) << name_of(standing);
  }
}

/// What somebody would find who had it wrong: every kind and path that the fact does not have, and another cause.
std::vector<Outcome> wrong_outcomes(const Expected& expected) {
  std::vector<Outcome> wrong;
  for (const auto kind :
       {Kind::works, Kind::works_at_times, Kind::refused, Kind::bounced, Kind::black_holed, Kind::lost}) {
    const bool carried = kind == Kind::works || kind == Kind::works_at_times || kind == Kind::lost;
    for (const auto path : {Path::none, Path::legacy, Path::current}) {
      Outcome outcome{.kind = kind, .path = path, .after = expected.after.value_or(Duration())};
      if (!expected.causes.empty()) outcome.cause = expected.causes.front();
      const bool right_kind = std::ranges::find(expected.kinds, kind) != expected.kinds.end();
      if (!right_kind || (carried && path != expected.path)) wrong.push_back(outcome);
      if (expected.causes.empty()) continue;
      outcome.cause = Cause::none;
      wrong.push_back(outcome);
    }
  }
  return wrong;
}

TEST(Facts, EachOneCanFail) {
  for (const auto& fact : facts().all) {
    ASSERT_FALSE(fact.exchanges.empty()) << fact.id;
    ASSERT_FALSE(readings_of(fact).empty()) << fact.id;
    const auto wrong = wrong_outcomes(fact.expected);
    ASSERT_FALSE(wrong.empty()) << fact.id;
    for (const auto& outcome : wrong) {
      for (const auto& exchange : fact.exchanges) {
        EXPECT_THAT(contradiction(facts(), fact, exchange, outcome), HasSubstr(fact.id + ": ")) << words_of(outcome);
      }
    }
  }
}

TEST(Facts, AContradictionIsASentenceWithItsSource) {
  const auto& fact = facts().all.front();
  const Outcome wrong{.kind = Kind::refused, .cause = Cause::partner_configured};
  const auto sentence = contradiction(facts(), fact, fact.exchanges.front(), wrong);
  EXPECT_THAT(sentence, HasSubstr("fixtures/migration/facts.yaml:"));
  EXPECT_THAT(sentence,
              HasSubstr("to partner, message: works (path legacy) expected, and it is: refused: the partner is "
                        "configured on the new side"));
  EXPECT_THAT(sentence, HasSubstr("stated (1.2.4): " + fact.sentence));
}

TEST(Facts, AreSaidUnderEveryReadingThatTheyDoNotName) {
  Fact fact;
  EXPECT_EQ(readings_of(fact).size(), 8U);
  fact.unlisted = Readings::Unlisted::refused;
  EXPECT_EQ(readings_of(fact).size(), 4U);
}

/// Every exchange of the estate, for comparing two states.
std::vector<std::string> outcomes_in(const State& state) {
  std::vector<std::string> all;
  for (const auto& [name, users] : facts().estate.start.users) {
    for (const auto& [domain, partner] : facts().estate.partners) {
      for (const auto way : {Way::to_partner, Way::from_partner}) {
        const Exchange exchange{.user_class = name, .remote_domain = domain, .way = way};
        all.push_back(
            fmt::format("{}, {}, {}: {}", name, domain, name_of(way), words_of(outcome_of(state, partner, exchange))));
      }
    }
  }
  return all;
}

TEST(Facts, TheStepsOfTheModelAreThoseOfTheDocuments) {
  auto documents = facts().estate.start, model = facts().estate.start;
  for (int step = 1; step <= steps_of_the_document; ++step) {
    for (const auto& operation : facts().steps.at(static_cast<std::size_t>(step - 1)))
      apply(operation, facts().estate, documents);
    for (const auto& operation : operations_of_step(step, facts().estate)) apply(operation, facts().estate, model);
    replicate(model);
    EXPECT_THAT(outcomes_in(model), testing::ElementsAreArray(outcomes_in(documents))) << "behind step " << step;
  }
}

constexpr std::string_view head = R"(estate:
  sip-domains: [a.example]
  pools: {old: {side: legacy}, new: {side: new}}
  users: {all: {pool: old}}
  partners: {p.example: {kind: external}}
steps: [[deploy-pool new], [], [move-users all new], [], [], []]
facts:
)";
constexpr std::string_view good =
    "  - {id: FACT-1, after: 0, exchange: {users: all, partner: p.example, way: both}, outcome: {kind: works, path: "
    "legacy}, standing: stated, source: \"1\", sentence: s}\n";

std::string error_of(const std::string& rows) {
  try {
    (void)parse_facts(std::string(head) + rows, "f.yaml");
    return "no error";
  } catch (const YamlError& error) {
    return error.what();
  }
}

TEST(Facts, MistakesInTheFileAreToldWithTheirLine) {
  const std::string row(good);
  EXPECT_EQ(error_of(row), "no error");
  EXPECT_THAT(error_of(row + row), HasSubstr("f.yaml:9: 'FACT-1' is used twice"));
  const auto changed = [&](const std::string& from, const std::string& into) {
    auto text = row;
    text.replace(text.find(from), from.size(), into);
    return error_of(text);
  };
  EXPECT_THAT(changed("users: all", "users: some"),
              HasSubstr("f.yaml:8: unknown 'some' for 'users', expected one of all"));
  EXPECT_THAT(changed("kind: works", "kind: perhaps"), HasSubstr("f.yaml:8: unknown kind 'perhaps'"));
  EXPECT_THAT(changed("after: 0", "after: 7"), HasSubstr("f.yaml:8: expected a number of steps up to 6"));
  EXPECT_THAT(changed("after: 0", "after: 0, do: [dance]"), HasSubstr("f.yaml:8: 'dance' is no operation"));
  EXPECT_THAT(changed("after: 0", "after: 0, do: [start-pool moon]"), HasSubstr("f.yaml:8: FACT-1: 'moon' is no pool"));
  EXPECT_THAT(changed("after: 0", "after: 1, without: [move-users all new]"),
              HasSubstr("f.yaml:8: 'move-users all new' is no operation of the steps that are done"));
  EXPECT_THAT(changed("path: legacy", "path: legacy, cause: weather"), HasSubstr("f.yaml:8: 'weather' is no cause"));
  EXPECT_THAT(changed("sentence: s", "colour: red"), HasSubstr("f.yaml:8: unknown key 'colour' of a fact"));
  EXPECT_THAT(changed("sentence: s", "colour: red"), HasSubstr("f.yaml:8: expected a key 'sentence' here"));
}

}  // namespace
}  // namespace cutover::harness::migration
