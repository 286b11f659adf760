// Windows, objections, ways back, the point of no return, proposals, and what is reported of them.
#include "harness/migration/plan_file.h"
#include "harness/migration/report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cutover::harness::migration {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using namespace std::chrono_literals;

/// A small estate that is ready for its partners, with these steps.
Plan plan_with(std::string_view steps, std::string_view head = "") {
  return parse_plan(fmt::format(R"(name: Small
{}
estate:
  sip-domains: [a.example]
  ttl: 10m
  pools: {{old: {{side: legacy}}, new: {{side: new, deployed: true}}}}
  users: {{sales: {{count: 70, pool: new, policy: Xmpp}}, support: {{count: 30, pool: new, policy: Xmpp}}}}
  partners:
    external.example: {{kind: external, configured-as: {{type: Federated}}}}
    dialback.example: {{kind: dialback, configured-as: {{type: Federated, sasl: NotSupported}}}}
  policies: {{user: {{Xmpp: {{federation: true, xmpp: true}}}}}}
  certificates: {{edge: {{names: [a.example]}}}}
  edges: {{edge: {{deployed: true, ticked: true, proxy-installed: true, certificate: edge}}}}
  route: edge
  gateway: {{installed: true}}
steps:
{})",
                                head, steps),
                    "small.yaml");
}

constexpr std::string_view partners_and_dns = R"(
  - {name: Partners, at: 1h, do: [allow-partner external.example, allow-partner dialback.example]}
  - {name: DNS, at: 90m, do: repoint a.example edge}
)";

/// The same with the legacy gateway stopped: nobody goes on writing to it unheard.
constexpr std::string_view stopped_with_dns = R"(
  - {name: Partners, at: 1h, do: [allow-partner external.example, allow-partner dialback.example]}
  - {name: DNS, at: 90m, do: [repoint a.example edge, stop-legacy-gateway]}
)";

std::vector<std::string> words_of(const std::vector<Operation>& operations) {
  std::vector<std::string> all;
  all.reserve(operations.size());
  for (const auto& one : operations) all.push_back(migration::words_of(one));
  return all;
}

TEST(Rehearsals, WindowsJoinPartnersAndClassesThatFailAlike) {
  const auto made = rehearse(plan_with(partners_and_dns));
  const auto in =
      std::ranges::find_if(made.windows, [](const Window& one) { return one.way == Way::from_partner && one.certain; });
  ASSERT_NE(in, made.windows.end());
  EXPECT_EQ(in->from, 1h);
  EXPECT_EQ(in->to, 90min);
  EXPECT_EQ(in->outcome.cause, Cause::partner_configured);
  EXPECT_THAT(in->partners, ElementsAre("dialback.example", "external.example"));
  EXPECT_THAT(in->classes, ElementsAre("sales", "support"));
  EXPECT_EQ(in->users, 100U);
  EXPECT_TRUE(std::ranges::is_sorted(made.windows, {}, &Window::from));
  EXPECT_THAT(words_of(*in), HasSubstr("1 h to 1 h 30 min (30 min): sales, support (100 users) from dialback.example, "
                                       "external.example: refused: the partner is configured"));
}

TEST(Rehearsals, LossesThatFollowOneAnotherAreOne) {
  // 30 minutes for certain and 10 (or an hour, of streams) at worst, each by itself within the budget.
  const auto budget = [&](std::string_view text) { return rehearse(plan_with(stopped_with_dns, text)).go(); };
  EXPECT_TRUE(budget("budget: 2h\nquiet-within: 1m"));
  EXPECT_TRUE(budget("budget: 40m\nquiet-within: 1m"));
  EXPECT_FALSE(budget("budget: 35m\nquiet-within: 1m"));
}

TEST(Rehearsals, ARefusalThatNobodyCanHearIsANoGoWhateverTheBudget) {
  const auto made = rehearse(plan_with(partners_and_dns, "budget: 3h"));
  EXPECT_THAT(made.objections, ElementsAre(HasSubstr("dialback.example")));
}

TEST(Rehearsals, WhatBreaksInTheFirstSecondIsNoFateOfTheEstate) {
  const auto made = rehearse(plan_with("  - {name: Partners, do: allow-partner external.example}\n"));
  EXPECT_FALSE(made.go());
  EXPECT_THAT(made.objections, Contains(HasSubstr("in the end, sales, support (100 users) from external.example")));
  EXPECT_THAT(made.gates.front().broken, Not(IsEmpty()));
  EXPECT_THAT(words_of(made.gates.front().back), ElementsAre("remove-partner external.example"));
}

TEST(Rehearsals, WhatNeverWorkedIsNoObjection) {
  auto plan = plan_with(stopped_with_dns, "budget: 3h");
  plan.estate.partners.at("external.example").hosts_our_domain = true;
  const auto made = rehearse(plan);
  EXPECT_THAT(made.objections, IsEmpty());
  EXPECT_EQ(to_run(made).cases.size(), 3U);
  for (const auto& one : to_run(made).cases) EXPECT_EQ(one.outcome, reports::Outcome::pass) << one.id;
}

TEST(Rehearsals, TheWayBackTakesPartnersAndRecordsBackAndDnsFirst) {
  const auto made = rehearse(plan_with(partners_and_dns));
  ASSERT_THAT(made.gates, SizeIs(2));
  EXPECT_THAT(words_of(made.gates[0].back),
              ElementsAre("remove-partner dialback.example", "remove-partner external.example"));
  EXPECT_EQ(made.gates[0].whole_again, 0s);
  EXPECT_THAT(words_of(made.gates[1].back),
              ElementsAre("repoint a.example legacy-gateway", "remove-partner dialback.example",
                          "remove-partner external.example"));
  EXPECT_TRUE(made.gates[1].returns);
  EXPECT_GE(made.gates[1].whole_again, 10min) << "the record's TTL";
}

TEST(Rehearsals, MovedUsersStayWhereTheyAreOnTheWayBack) {
  const auto made = rehearse(plan_with(R"(
  - {name: Back and forth, at: 1h, takes: 1h, do: [move-users sales old, move-users support old]}
)"));
  EXPECT_TRUE(made.go());
  EXPECT_THAT(made.gates.front().back, IsEmpty()) << "nobody loses anything, so nothing is to be taken back";
}

TEST(Rehearsals, EverythingIsTakenBackWhereLessDoesNotHelp) {
  const auto made = rehearse(plan_with(R"(
  - {name: Stop, at: 1h, do: [stop-pool new]}
)"));
  EXPECT_FALSE(made.go());
  EXPECT_THAT(words_of(made.gates.front().back), ElementsAre("start-pool new"));
  EXPECT_TRUE(made.gates.front().returns);
}

TEST(Rehearsals, BehindThePointOfNoReturnGoingOnIsSooner) {
  const auto looked = fmt::format("{}  - {{name: Look, at: 95m, do: publish}}\n", partners_and_dns);
  auto made = rehearse(plan_with(looked, "quiet-within: 1m"));
  EXPECT_EQ(made.no_return, 2U) << "half of the TTL is over, and a way back would begin it anew";
  made = rehearse(plan_with("  - {name: Policy, at: 1h, do: set-policy Other both}\n"));
  EXPECT_EQ(made.no_return, made.gates.size());
}

TEST(Rehearsals, AStepOfLengthHasItsOperationsOneAfterAnother) {
  const auto operations = schedule(plan_with(R"(
  - {name: Move, at: 1h, takes: 1h, do: [move-users sales old, move-users support old]}
  - {name: Beside it, with-previous: true, do: set-policy Other both}
)"));
  ASSERT_THAT(operations, SizeIs(3));
  EXPECT_EQ(operations[0].operation.verb, Verb::set_policy);
  EXPECT_EQ(operations[1].begins, 1h);
  EXPECT_EQ(operations[1].at, 90min);
  EXPECT_EQ(operations[2].begins, 90min);
  EXPECT_EQ(operations[2].at, 2h);
}

TEST(Rehearsals, WhatHappensBesideAStepBelongsToItsWayBack) {
  const auto made = rehearse(plan_with(R"(
  - {name: Policies, at: 1h, takes: 2h, do: set-policy Other both}
  - {name: Partners, at: 2h, do: allow-partner external.example}
)"));
  EXPECT_THAT(words_of(made.gates[0].back), ElementsAre("remove-partner external.example"));
}

TEST(Rehearsals, TellWhatStaysOfTheLegacySideWhereNobodyGoesByIt) {
  const auto left = [](std::string_view steps) { return rehearse(plan_with(steps)).leftovers; };
  EXPECT_THAT(left(partners_and_dns),
              ElementsAre(HasSubstr("the legacy gateway still runs"),
                          HasSubstr("Remove-CsAllowedDomain dialback.example, external.example")));
  EXPECT_THAT(left("  - {name: One of two, do: [allow-partner external.example, repoint a.example edge]}"), SizeIs(2));
  EXPECT_THAT(left("  - {name: Nothing yet, do: [set-ttl a.example 60]}"), IsEmpty()) << "all goes by it";
  EXPECT_THAT(left("  - {name: All, do: [allow-partner external.example, allow-partner dialback.example, "
                   "repoint a.example edge, stop-legacy-gateway, remove-legacy-route external.example, "
                   "remove-legacy-route dialback.example]}"),
              IsEmpty());
  EXPECT_THAT(left("  - {name: No record, do: [allow-partner external.example, allow-partner dialback.example]}"),
              Contains(HasSubstr("SRV record")));
}

TEST(Rehearsals, AreHeldAgainstWhatThePlanExpects) {
  const auto surprises = [](std::string_view expect) {
    return rehearse(plan_with(stopped_with_dns, fmt::format("budget: 3h\nexpect: {}", expect))).surprises;
  };
  EXPECT_THAT(surprises("{}"), IsEmpty());
  EXPECT_THAT(surprises("{verdict: go, causes: [partner-configured, dialback-authority]}"), IsEmpty());
  EXPECT_THAT(surprises("{verdict: no-go}"), ElementsAre("it is a go, and the plan expects no-go"));
  EXPECT_THAT(surprises("{causes: [wildcard-only]}"),
              ElementsAre("nobody loses anything for wildcard-only, which the plan expects"));
}

TEST(Reports, AGateIsACaseAndRedWhereItsObjectionsBegin) {
  const auto run = to_run(rehearse(plan_with(partners_and_dns, "budget: 35m\nexpect: {verdict: go}")));
  ASSERT_THAT(run.cases, SizeIs(4));
  EXPECT_EQ(run.cases[0].outcome, reports::Outcome::fail);
  EXPECT_EQ(run.cases[1].outcome, reports::Outcome::pass);
  EXPECT_EQ(run.cases[2].id, "plan.verdict");
  EXPECT_EQ(run.cases[2].outcome, reports::Outcome::fail);
  EXPECT_EQ(run.cases[3].id, "plan.expected");
  EXPECT_EQ(run.cases[3].outcome, reports::Outcome::fail);
}

TEST(Proposals, CostLessAndAreTheBestFirst) {
  const auto rehearsal = rehearse(plan_with(partners_and_dns));
  const auto proposals = proposals_for(rehearsal);
  ASSERT_THAT(proposals, Not(IsEmpty()));
  for (const auto& one : proposals) {
    EXPECT_LT(one.cost_after, one.cost_before) << one.what;
    EXPECT_DOUBLE_EQ(cost_of(rehearse(one.plan).timeline), one.cost_after) << one.what;
  }
  EXPECT_TRUE(std::ranges::is_sorted(proposals, {}, &Proposal::cost_after));
  std::vector<std::string> what;
  what.reserve(proposals.size());
  for (const auto& one : proposals) what.push_back(one.what);
  EXPECT_THAT(what,
              Contains(HasSubstr("Lower the TTL of the SRV record of a.example to 300 s, at least 10 min before")));
  EXPECT_THAT(what, Contains(HasSubstr("Stop the legacy gateway in the step that updates DNS")));
  EXPECT_THAT(what, Contains(HasSubstr("Close the open streams of the legacy gateway in the step that updates DNS")));
  EXPECT_THAT(what, Contains(HasSubstr("before DNS is updated, as long as replication takes")));
}

TEST(Proposals, MendEachCauseThatAChangeOfThePlanCanMend) {
  struct Broken {
    std::string_view steps, cure;
  };
  for (const auto& [steps, cure] : std::vector<Broken>{
           {"[set-route -]", "Set the XMPP route"},
           {"[stop-edge edge]", "Start the services of the edge pool"},
           {"[stop-gateway]", "Start the XMPP gateway"},
           {"[allow-federated-users off]", "Allow federated users"},
           {"[grant-policy sales -]", "Grant every user a policy"},
           {"[close-firewall edge out]", "Open 5269 from the edge"},
           {"[close-firewall edge in]", "Open 5269 to the edge"},
           {"[tick-xmpp edge off, publish]", "Enable XMPP in the topology"},
       }) {
    const auto plan = plan_with(fmt::format("{}  - {{name: Broken, at: 4h, do: {}}}\n", partners_and_dns, steps));
    std::vector<std::string> what;
    for (const auto& one : proposals_for(rehearse(plan))) what.push_back(one.what);
    EXPECT_THAT(what, Contains(HasSubstr(cure))) << steps;
  }
}

TEST(Improvements, EndWhereNoChangeHelps) {
  const auto planned = rehearse(plan_with(partners_and_dns));
  const auto made = improve(planned, proposals_for(planned));
  EXPECT_THAT(made.taken, Not(IsEmpty()));
  EXPECT_THAT(proposals_for(made.rehearsal), IsEmpty());
  EXPECT_LT(cost_of(made.rehearsal.timeline), made.taken.front().cost_before / 2);
  EXPECT_TRUE(made.rehearsal.go());
}

}  // namespace
}  // namespace cutover::harness::migration
