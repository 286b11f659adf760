// Plans in YAML: every mistake at once with its line, and what the plans of fixtures/plans say that is expected of
// them.
#include "harness/migration/plan_file.h"

#include "harness/files/yaml_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace cutover::harness::migration {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

std::string error_of(std::string_view yaml) {
  try {
    (void)parse_plan(yaml, "p.yaml");
    return "no error";
  } catch (const YamlError& error) {
    return error.what();
  }
}

TEST(PlanFile, TheOneToBeginWithIsRead) {
  const auto plan = parse_plan(plan_to_begin_with(), "new.yaml");
  EXPECT_EQ(plan.name, "Our migration to the new pool");
  EXPECT_EQ(plan.budget, 30min);
  EXPECT_EQ(plan.start, "2027-01-16 20:00");
  EXPECT_THAT(plan.steps, SizeIs(7));
  EXPECT_EQ(plan.steps[2].takes, 3h);
  EXPECT_GT(plan.steps[0].line, 25);
  EXPECT_THAT(plan.steps[6].operations, SizeIs(2));
}

TEST(PlanFile, AStepBeginsWhereTheOneBeforeItEnds) {
  const auto plan = parse_plan(R"(name: Times
estate: {sip-domains: [a.example], pools: {old: {side: legacy}}, users: {sales: {pool: old}},
  partners: {p.example: {kind: external}}}
steps:
  - {name: One, at: 10m, takes: 5m, do: publish}
  - {name: Two, do: publish}
  - {name: Beside it, with-previous: true, takes: 1m, do: publish}
)",
                               "p.yaml");
  EXPECT_EQ(plan.steps[0].at, 10min);
  EXPECT_EQ(plan.steps[1].at, 15min);
  EXPECT_EQ(plan.steps[2].at, 15min);
}

TEST(PlanFile, EveryMistakeIsToldAtOnceWithItsLine) {
  const auto error = error_of(R"(title: Wrong
budget: soon
readings: {legacy-users: maybe}
expect: {verdict: perhaps, causes: [bad-weather]}
estate:
  sip-domains: [a.example]
  pools: {old: {side: left}}
steps:
  - {at: 1h, do: publish}
  - {name: Back in time, at: 30m, do: [publish, step-7, fly-away, {a: b}]}
  - {name: Both, at: 2h, with-previous: true, do: publish}
  - {name: Nothing}
)");
  EXPECT_THAT(error, HasSubstr("p.yaml:1: unknown key 'title' of a plan"));
  EXPECT_THAT(error, HasSubstr("p.yaml:1: expected a key 'name'"));
  EXPECT_THAT(error, HasSubstr("p.yaml:2: expected a time such as"));
  EXPECT_THAT(error, HasSubstr("p.yaml:3: unknown 'maybe' for 'legacy-users'"));
  EXPECT_THAT(error, HasSubstr("p.yaml:4: unknown 'perhaps' for 'verdict', expected one of go, no-go"));
  EXPECT_THAT(error, HasSubstr("p.yaml:4: 'bad-weather' is no cause; `cutover plan causes` lists them"));
  EXPECT_THAT(error, HasSubstr("p.yaml:7: unknown 'left' for 'side'"));
  EXPECT_THAT(error, HasSubstr("p.yaml:9: expected a key 'name'"));
  EXPECT_THAT(error, HasSubstr("p.yaml:10: 'at' of the step 'Back in time' is before the begin of the step above it"));
  EXPECT_THAT(error, HasSubstr("p.yaml:10: 'step-7': expected step-1 to step-6"));
  EXPECT_THAT(error, HasSubstr("p.yaml:10: 'fly-away' is no operation"));
  EXPECT_THAT(error, HasSubstr("p.yaml:10: expected an operation such as"));
  EXPECT_THAT(error, HasSubstr("p.yaml:11: 'at' and 'with-previous' contradict each other"));
  EXPECT_THAT(error, HasSubstr("p.yaml:12: expected 'do' of the step 'Nothing'"));
}

TEST(PlanFile, WhatCannotBeCarriedOutIsToldWithItsStep) {
  const auto error = error_of(R"(name: Too early
estate:
  sip-domains: [a.example]
  pools: {old: {side: legacy}, new: {side: new}}
  users: {sales: {pool: old}}
  partners: {p.example: {kind: external}}
  edges: {edge: {}}
steps:
  - {name: Users first, do: step-3}
  - {name: The edge, at: 1h, do: [tick-xmpp edge on, remove-partner p.example]}
)");
  EXPECT_THAT(error,
              HasSubstr("p.yaml:9: move-users sales new of the step 'Users first': the pool 'new' is not deployed"));
  EXPECT_THAT(error,
              HasSubstr("p.yaml:10: tick-xmpp edge on of the step 'The edge': the edge pool 'edge' is not deployed"));
  EXPECT_THAT(error, HasSubstr("p.yaml:10: remove-partner p.example of the step 'The edge': 'p.example' is not conf"));
}

TEST(PlanFile, AnEdgeOfOneNameIsNotChangedOverWithUsersOnALegacyPool) {
  const auto plan = [](std::string_view name, std::string_view users) {
    return fmt::format(R"(name: One name
estate:
  sip-domains: [a.example]
  pools: {{old: {{side: legacy}}, new: {{side: new, deployed: true}}}}
  users: {{sales: {{pool: old}}}}
  partners: {{p.example: {{kind: external}}}}
  legacy: {{one-edge-name: {}}}
steps: [{{name: The legacy edge, do: [{}stop-legacy-edge]}}]
)",
                       name, users);
  };
  EXPECT_THAT(error_of(plan("true", "")),
              HasSubstr("p.yaml:8: stop-legacy-edge of the step 'The legacy edge': the access, conference and media"));
  EXPECT_EQ(error_of(plan("true", "move-users sales new, ")), "no error");
  EXPECT_EQ(error_of(plan("false", "")), "no error");
}

TEST(PlanFile, WhatIsNoPlanIsTold) {
  EXPECT_THAT(
      error_of("name: x\nestate:\n  sip-domains: [a.example]\n  partners: {p.example: {kind: external}}\nsteps: []"),
      HasSubstr("p.yaml:3: expected at least one class of users"));
  EXPECT_THAT(error_of("name: x\nestate:\n  sip-domains: [a.example]\n  users: {sales: {count: 9}}\nsteps: []"),
              HasSubstr("p.yaml:4: expected a key 'pool' here"));
  EXPECT_THAT(error_of(""), HasSubstr("p.yaml:1: expected a mapping"));
  EXPECT_THAT(error_of("- 1"), HasSubstr("p.yaml:1: expected a mapping for a plan"));
  EXPECT_THAT(error_of("name: x"), HasSubstr("p.yaml:1: expected 'estate'"));
  EXPECT_THAT(error_of("name: x"), HasSubstr("p.yaml:1: expected 'steps'"));
  EXPECT_THAT(error_of("name: ["), HasSubstr("p.yaml:1: not YAML"));
  EXPECT_THAT(error_of("name: x\nestate: {sip-domains: [a.example]}\nsteps: []"),
              HasSubstr("p.yaml:3: expected at least one step"));
  EXPECT_THROW((void)load_plan("/nonexistent/plan.yaml"), YamlError);
}

/// fixtures/plans: whoever changes the model or a plan learns what it changes.
struct ExamplePlans : testing::TestWithParam<std::string> {
  static std::vector<std::string> files() {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(CUTOVER_SOURCE_DIR "/fixtures/plans"))
      all.push_back(entry.path().stem());
    std::ranges::sort(all);
    return all;
  }
};

TEST_P(ExamplePlans, AreAsTheyExpect) {
  const auto plan = load_plan(CUTOVER_SOURCE_DIR "/fixtures/plans/" + GetParam() + ".yaml");
  EXPECT_TRUE(plan.expect.go) << "an example expects a verdict";
  const auto rehearsal = rehearse(plan);
  EXPECT_THAT(rehearsal.surprises, IsEmpty());
  EXPECT_EQ(rehearsal.go(), !GetParam().starts_with("wrong-"));
  // What an example goes wrong by is named first of all: nothing that it does not expect is worse.
  for (const auto& gate : rehearsal.gates) EXPECT_TRUE(gate.returns) << gate.step + 1;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ExamplePlans, testing::ValuesIn(ExamplePlans::files()), [](const auto& one) {
  auto name = one.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace cutover::harness::migration
