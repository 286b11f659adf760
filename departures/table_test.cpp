// The table as its users see it: look-up, places, and which rules a run came to.
#include "departures/table.h"

#include "protocol/dns/rules.h"
#include "protocol/xmpp/rules.h"

#include <gmock/gmock.h>

#include <optional>

namespace cutover::departures {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Table, IsSortedAndHasEachNameOnce) {
  const auto all = table();
  ASSERT_FALSE(all.empty());
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1].name, all[i].name);
  for (const auto& departure : all) {
    const auto* found = find(departure.name);
    ASSERT_NE(found, nullptr) << departure.name;
    EXPECT_EQ(found->sentence, departure.sentence);
    EXPECT_FALSE(departure.sentence.empty()) << departure.name;
    EXPECT_EQ(departure.rule.empty(), departure.kind != Kind::rule) << departure.name;
    EXPECT_FALSE(departure.file.empty()) << departure.name;
  }
}

TEST(Table, SaysWhereADepartureStandsAndIsPlanted) {
  const auto* rule = find("xmpp.host-unknown-accepted");
  ASSERT_NE(rule, nullptr);
  EXPECT_TRUE(rule->file.ends_with("protocol/xmpp/rules.inc"));
  EXPECT_GT(rule->line, 0);
  EXPECT_THAT(requirements_of(*rule), ElementsAre("RFC6120-4.9.3.6-1", "RFC6120-4.9.1.1-1"));
  const auto* rewrite = find("xmpp.header-without-from");
  ASSERT_NE(rewrite, nullptr);
  EXPECT_TRUE(rewrite->file.ends_with("departures/xmpp_headers.cpp"));
  EXPECT_EQ(names_of_nodes(proxy | front), "proxy, front");
  EXPECT_EQ(named("xmpp.header-without-from@gateway").nodes, gateway);
  EXPECT_THROW((void)named("xmpp.header-without-from@moon"), UnknownDeparture);
  EXPECT_THROW((void)named("no.such"), UnknownDeparture);
}

TEST(Planted, TellsWhichRulesItsNodesCameTo) {
  const Planted watched(std::set<std::string, std::less<>>{}, Watch::yes);
  std::optional<Planted> copy = watched;  // as a deployment has one
  const auto edge = copy->at(proxy);
  EXPECT_TRUE(edge.holds(xmpp::Rule::to_is_served));
  EXPECT_FALSE(edge.breaks(dns::Rule::answer_has_the_id, false))
      << "a judgement that finds nothing wrong waives nothing";
  EXPECT_TRUE(copy->at(partner).none()) << "what a run does not judge is not watched";
  EXPECT_THAT(watched.asked(), ElementsAre("xmpp.host-unknown-accepted"));
  const Planted unwatched;
  EXPECT_TRUE(unwatched.at(proxy).none());
  EXPECT_THAT(unwatched.asked(), IsEmpty());
}

}  // namespace
}  // namespace cutover::departures
