// The way out of the deployment and into it, with every rule and without.
#include "mocks/routing.h"

#include "mocks/rules.h"

#include <gmock/gmock.h>

namespace cutover::mocks {
namespace {

constexpr char partner[] = "fabrikam.example", other[] = "litware.example";
const SipPeer legacy_gateway{{"127.0.0.1", 5061}, "legacy"}, gateway{{"127.0.0.2", 5098}, "new"};

/// alice has been moved and may use XMPP, bob has not; the partner is configured on the new side.
Routing routing(std::initializer_list<Rule> waived = {}) {
  Routing all;
  all.domains = {"contoso.example"};
  all.homes = {{"alice", {Pool::current, "new"}}, {"bob", {Pool::legacy, "old"}}, {"carol", {Pool::current, "new"}}};
  all.pools = {{"old", {Pool::legacy, {}}}, {"new", {Pool::current, {}}}};
  all.legacy_partners = {partner, other};
  all.configured_partners = {partner};
  all.legacy_gateway = legacy_gateway;
  all.gateway = gateway;
  all.xmpp_users = {"alice"};
  all.federated_users = {"alice", "carol"};
  all.edge_deployed = true;
  if (waived.size() > 0) all.departures = Departures::waiving(waived);
  return all;
}

/// "legacy", "new", or the status of the refusal.
std::string way_out(const Routing& routing, const std::string& user, const std::string& domain) {
  const auto exit = exit_for(routing, user, domain);
  return exit.peer ? exit.peer->tls_name : std::to_string(exit.refusal.status);
}
std::string way_in(const Routing& routing, const std::string& user, const std::string& domain, bool from_legacy) {
  const auto refusal = refusal_of_entry(routing, user, domain, from_legacy);
  return refusal ? std::to_string(refusal->status) : "in";
}

TEST(Routing, FollowsThePartnerListAndNothingElse) {
  EXPECT_EQ(way_out(routing(), "alice", partner), "new");
  EXPECT_EQ(way_out(routing(), "alice", other), "legacy");
  EXPECT_EQ(way_out(routing(), "bob", partner), "403");
  EXPECT_EQ(way_out(routing(), "carol", partner), "403");
  EXPECT_EQ(way_out(routing(), "ghost", partner), "404");
  EXPECT_EQ(way_out(routing(), "alice", "unknown.example"), "404");
  EXPECT_EQ(way_in(routing(), "alice", partner, false), "in");
  EXPECT_EQ(way_in(routing(), "alice", partner, true), "403");
  EXPECT_EQ(way_in(routing(), "alice", other, true), "in");
  auto closed = routing();
  closed.gateway.reset();
  EXPECT_EQ(way_out(closed, "alice", partner), "503");
}

TEST(Routing, WhoIsBarredHasNoWayWhateverPartnersSay) {
  auto all = routing();
  all.barred["alice"] = {403, "of a branch"};
  EXPECT_EQ(way_out(all, "alice", partner), "403");
  EXPECT_EQ(way_out(all, "alice", other), "403");
  EXPECT_EQ(way_in(all, "alice", partner, false), "403");
  EXPECT_EQ(way_in(all, "alice", other, true), "403");
  EXPECT_EQ(way_in(all, "carol", other, true), "in");
}

TEST(Routing, WithoutARuleGoesAnotherWay) {
  EXPECT_EQ(way_out(routing({Rule::configured_partner_has_no_legacy_path}), "alice", partner), "legacy");
  EXPECT_EQ(way_out(routing({Rule::switch_is_per_partner}), "alice", other), "new");
  EXPECT_EQ(way_out(routing({Rule::new_pool_takes_no_route}), "bob", other), "503");
  EXPECT_EQ(way_out(routing({Rule::new_edge_takes_no_route}), "bob", other), "503");
  EXPECT_EQ(way_out(routing({Rule::moved_user_keeps_the_legacy_path}), "alice", other), "503");
  EXPECT_EQ(way_out(routing({Rule::policy_takes_no_route}), "bob", other), "503");
  EXPECT_EQ(way_out(routing({Rule::legacy_user_has_no_new_path, Rule::policy_admits_the_user}), "bob", partner), "new");
  EXPECT_EQ(way_out(routing({Rule::policy_admits_the_user}), "carol", partner), "new");
  EXPECT_EQ(way_out(routing({Rule::user_is_known, Rule::policy_admits_the_user}), "ghost", partner), "new");
  EXPECT_EQ(way_out(routing({Rule::partner_is_known}), "alice", "unknown.example"), "legacy");
  EXPECT_EQ(way_in(routing({Rule::entry_is_judged}), "alice", partner, true), "in");
  auto closed = routing({Rule::closed_new_side_has_no_detour});
  closed.gateway.reset();
  EXPECT_EQ(way_out(closed, "alice", partner), "legacy");
}

}  // namespace
}  // namespace cutover::mocks
