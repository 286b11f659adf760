// Topology files: what is read, and where a mistake is told to be.
#include "harness/deployment/topology.h"

#include "harness/deployment/exchange.h"
#include "harness/worlds/choice.h"
#include "harness/worlds/sim_world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cutover::harness {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string error_of(std::string_view yaml) {
  try {
    (void)parse_topology(yaml, "t.yaml");
    return "no error";
  } catch (const TopologyError& error) {
    return error.what();
  }
}

TEST(Topology, FixtureIsTheEmbeddedDeployment) {
  EXPECT_EQ(load_topology(CUTOVER_SOURCE_DIR "/fixtures/topologies/contoso.yaml"), reference_topology());
}

TEST(Topology, MistakesAreToldWithFileAndLine) {
  EXPECT_THAT(error_of("domain: [\n"), HasSubstr("t.yaml:2: not YAML"));
  EXPECT_THAT(error_of("domain: a.example\nusers: [x]\npartnerz: []\n"), HasSubstr("t.yaml:3: unknown key 'partnerz'"));
  EXPECT_THAT(error_of("domain: a.example\nusers: []\npartners: []\n"), HasSubstr("t.yaml:2: expected a list"));
  EXPECT_THAT(error_of("domain: a.example\nusers: [x, x]\n"), HasSubstr("t.yaml:2: user 'x' is listed twice"));
  EXPECT_THAT(error_of("domain: a\nusers: [x]\npartners:\n  - {domain: b, kind: carrier-pigeon, users: [y]}\n"),
              HasSubstr("t.yaml:4: unknown kind 'carrier-pigeon'"));
  EXPECT_THAT(
      error_of("domain: a\nusers: [x]\npartners:\n  - {domain: b, kind: sasl-external, users: [y], server: x}\n"),
      HasSubstr("t.yaml:4: unknown server 'x', expected mock, prosody, ejabberd or jabberd2"));
  EXPECT_THAT(error_of("domain: a\nusers: [x]\npartners:\n  - {domain: a, kind: sasl-external, users: [y]}\n"),
              HasSubstr("domain 'a' is used twice"));
  EXPECT_THAT(error_of("domain: a\nusers: [x]\npartners:\n  - {domain: xmpp.a, kind: sasl-external, users: [y]}\n"),
              HasSubstr("t.yaml:4: 'xmpp.a' is the name of a host of ours"));
  EXPECT_THAT(error_of("domain: a\nsrv-ttl-seconds: soon\nusers: [x]\n"), HasSubstr("t.yaml:2: expected a number"));
  EXPECT_THAT(error_of(""), HasSubstr("t.yaml:1: expected a mapping"));
  EXPECT_THAT(error_of("domain: a\nusers: [x]\ndomain: b\n"), HasSubstr("t.yaml:3: key 'domain' is given twice"));
  EXPECT_THAT(error_of("domain: a\nsrv-ttl-seconds: 2147483648\nusers: [x]\n"), HasSubstr("t.yaml:2: expected"));
  for (const auto* name : {"\"a b\"", "1.2.3", "xn--zzzzzzzzzz99999.example", "A.example", "-a.example", "a..example",
                           "a.example.", ".", "b\xc3\xbc.example"}) {
    EXPECT_THAT(error_of("users: [x]\ndomain: " + std::string(name) + "\n"),
                HasSubstr("t.yaml:2: expected a domain name"));
  }
}

std::string with_places(const std::string& lines) {
  return "domain: a.example\nusers: [alice]\npartners:\n  - {domain: b.example, kind: sasl-external, users: "
         "[y]}\nplaces:\n" +
         lines;
}

TEST(Topology, PlacesMoveNodes) {
  const auto topology = parse_topology(with_places("  proxy: {address: 192.0.2.7, admin: 9000}\n"), "t.yaml");
  EXPECT_EQ(topology.places.at("proxy").address, "192.0.2.7");
  EXPECT_EQ(port_of(topology, "proxy", "admin"), 9000);
  EXPECT_EQ(port_of(topology, "proxy", "xmpp"), 5269);
  EXPECT_THROW((void)port_of(topology, "proxy", "sip"), std::invalid_argument);
  EXPECT_THAT(error_of(with_places("  moon: {address: 192.0.2.7}\n")), HasSubstr("t.yaml:6: unknown key 'moon'"));
  EXPECT_THAT(error_of(with_places("  b: {address: moon}\n")), HasSubstr("t.yaml:6: expected an IPv4 address"));
  EXPECT_THAT(error_of(with_places("  b: {xmpp: 65536}\n")), HasSubstr("t.yaml:6: expected a port"));
  EXPECT_THAT(error_of(with_places("  alice: {xmpp: 1}\n")), HasSubstr("t.yaml:6: unknown key 'xmpp'"));
}

TEST(Topology, PlacesFromTheCommandLine) {
  auto topology = reference_topology();
  set_place(topology, "proxy=192.0.2.7");
  set_place(topology, "fabrikam.xmpp=5270");
  EXPECT_EQ(topology.places.at("proxy").address, "192.0.2.7");
  EXPECT_EQ(port_of(topology, "fabrikam", "xmpp"), 5270);
  const auto error = [&](const std::string& assignment) {
    try {
      set_place(topology, assignment);
      return std::string("no error");
    } catch (const TopologyError& thrown) {
      return std::string(thrown.what());
    }
  };
  EXPECT_THAT(error("proxy"), HasSubstr("expected NODE=ADDRESS or NODE.SERVICE=PORT"));
  EXPECT_THAT(error("proxi=192.0.2.7"), HasSubstr("expected one of name-server, legacy-gateway, proxy"));
  EXPECT_THAT(error("proxy=here"), HasSubstr("IPv4"));
  EXPECT_THAT(error("proxy.sip=5061"), HasSubstr("expected one of xmpp, internal, admin"));
  EXPECT_THAT(error("proxy.admin=0"), HasSubstr("port from 1 to 65535"));
}

std::string with_users(const std::string& users) {
  return "domain: a.example\nfurther-domains: [c.example]\npartners: [{domain: b.example, kind: sasl-external, users: "
         "[y]}]\nusers: [" +
         users + "]\n";
}

TEST(Topology, EveryNodeHasAName) {
  auto topology = reference_topology();
  topology.partners.push_back({"fabrikam.org", PartnerKind::sasl_external, {"x"}});
  topology.partners.push_back({"proxy.example", PartnerKind::sasl_external, {"x"}});
  std::vector<std::string> names;
  for (const auto& node : nodes_of(topology)) names.push_back(node.name);
  EXPECT_THAT(names, testing::ElementsAre("name-server", "legacy-gateway", "proxy", "gateway", "legacy-pool",
                                          "new-pool", "fabrikam.example", "litware", "talk", "fabrikam.org",
                                          "partner-proxy.example", "alice", "bob", "carol"));
  for (const auto* name : {"name-server", "new-pool", "b"})
    EXPECT_THAT(error_of(with_users(name)), HasSubstr(fmt::format("'{}' is the name of another node", name)));
  for (const auto* name : {"proxy", "proxy-1", "gateway.team", "{group: legacy-gateway, count: 2}"})
    EXPECT_THAT(error_of(with_users(name)), HasSubstr("t.yaml:4: user '")) << name;
}

/// So many of both, partners of the three kinds in turn.
Topology topology_of(std::size_t partners, std::size_t users) {
  Topology topology{.domain = "a.example", .users = {}, .partners = {}};
  for (std::size_t i = 0; i < users; ++i) topology.users.push_back(fmt::format("user-{}", i));
  for (std::size_t i = 0; i < partners; ++i)
    topology.partners.push_back({fmt::format("p{}.example", i), static_cast<PartnerKind>(i % 3), {"romeo"}});
  return topology;
}

TEST(Topology, EveryNodeHasAHostNumberOfItsOwn) {
  const auto topology = topology_of(partners_max, users_max);
  std::set<int> hosts;
  for (const auto& node : nodes_of(topology)) hosts.insert(node.host);
  EXPECT_EQ(hosts.size(), nodes_of(topology).size());
  const auto small = nodes_of(topology_of(partners_in_block, users_in_block));
  EXPECT_TRUE(std::ranges::all_of(small, [](const auto& node) { return node.host <= 254; }));
  const auto names = node_names_of_partners(reference_topology());
  EXPECT_THAT(names, testing::ElementsAre("fabrikam", "litware", "talk"));
}

TEST(Topology, WhatIsBeyondABlockIsTold) {
  EXPECT_EQ(beyond_a_block(topology_of(partners_in_block, users_in_block)), std::nullopt);
  EXPECT_THAT(beyond_a_block(topology_of(partners_in_block + 1, 1)),
              testing::Optional(HasSubstr("holds 20 partners and 100 users, and the topology has 21 and 1")));
  EXPECT_NE(beyond_a_block(topology_of(1, users_in_block + 1)), std::nullopt);
}

TEST(Topology, GroupsAreUsersThatAreMovedAsOne) {
  const auto topology = parse_topology(with_users("alice, {group: sales, count: 2, domain: c.example}, bob"), "t.yaml");
  EXPECT_THAT(topology.users, testing::ElementsAre("alice", "sales-1", "sales-2", "bob"));
  EXPECT_EQ(address_of(topology, "sales-2"), "sales-2@c.example");
  EXPECT_EQ(moved_with(topology, "sales-2"), "sales");
  EXPECT_EQ(moved_with(topology, "bob"), "bob");
  EXPECT_THAT(moved_as_one(topology),
              testing::ElementsAre(UserGroup{"alice", {"alice"}}, UserGroup{"sales", {"sales-1", "sales-2"}},
                                   UserGroup{"bob", {"bob"}}));
  const auto users = estate_of(topology).start.users;
  EXPECT_THAT(users, testing::SizeIs(3));
  EXPECT_EQ(users.at("sales").count, 2U);
  EXPECT_EQ(users.at("sales").domain, "c.example");
}

TEST(Topology, MistakesInGroupsAreToldWithFileAndLine) {
  EXPECT_THAT(error_of(with_users("{group: sales}")), HasSubstr("t.yaml:4: expected a text for 'count'"));
  EXPECT_THAT(error_of(with_users("{group: sales, count: 0}")),
              HasSubstr("t.yaml:4: expected a number of users from 1"));
  EXPECT_THAT(error_of(with_users("{group: sales, count: many}")), HasSubstr("t.yaml:4: expected a number of users"));
  EXPECT_THAT(error_of(with_users("{group: sales, size: 2}")), HasSubstr("t.yaml:4: unknown key 'size'"));
  EXPECT_THAT(error_of(with_users("{group: Sales, count: 2}")), HasSubstr("t.yaml:4: expected a user name"));
  EXPECT_THAT(error_of(with_users("{group: s, count: 2, domain: d.example}")),
              HasSubstr("t.yaml:4: 'd.example' is no domain of ours, expected one of a.example, c.example"));
  EXPECT_THAT(error_of(with_users("{group: s, count: 2}, {group: s, count: 2}")),
              HasSubstr("t.yaml:4: group 's' is listed twice"));
  EXPECT_THAT(error_of(with_users("s-1, {group: s, count: 2}")), HasSubstr("t.yaml:4: user 's-1' is listed twice"));
  EXPECT_THAT(error_of(with_users("s, {group: s, count: 2}")), HasSubstr("t.yaml:4: 's' is a user and a group"));
  EXPECT_THAT(error_of(with_users("{group: s, count: 999}, {group: t, count: 2}")),
              HasSubstr("t.yaml:4: expected at most 1000 users, those of groups counted"));
}

TEST(Topology, RecordsHaveTheirTtlByDomain) {
  const auto of = [](const std::string& ttls) {
    return parse_topology(with_users("x") + "srv-ttl-seconds: " + ttls + "\n", "t.yaml");
  };
  EXPECT_THAT(estate_of(of("{default: 120, c.example: 60}")).start.ttl_s,
              testing::ElementsAre(testing::Pair("a.example", 120U), testing::Pair("c.example", 60U)));
  EXPECT_THAT(estate_of(of("{c.example: 60}")).start.ttl_s,
              testing::ElementsAre(testing::Pair("a.example", 300U), testing::Pair("c.example", 60U)));
  EXPECT_EQ(srv_ttl_of(of("45"), "c.example"), 45U);
  const auto error = [](const std::string& ttls) {
    return error_of(with_users("x") + "srv-ttl-seconds: " + ttls + "\n");
  };
  EXPECT_THAT(
      error("{b.example: 60}"),
      HasSubstr("t.yaml:5: 'b.example' is no domain of ours, expected default (for the rest) or one of a.example"));
  EXPECT_THAT(error("{c.example: soon}"), HasSubstr("t.yaml:5: expected a number of seconds"));
}

/// Brought up with TLS of paper.
struct Small {
  explicit Small(Topology topology, bool every_exchange = false)
      : world(choice, {.latency = std::chrono::milliseconds(1), .jitter_max = {}, .fragment = false}),
        deployment(world, {.topology = std::move(topology), .paper_tls = true, .every_exchange = every_exchange}) {
    deployment.bring_up();
  }
  Undisturbed choice;
  SimWorld world;
  Deployment deployment;
};

TEST(Topology, TheFirstAndTheLastStandForManyInOneSituation) {
  const Small many(topology_of(12, 5)), all(topology_of(12, 5), true), few(topology_of(9, 3));
  std::set<std::string> users, partners;
  for (const auto& one : tried_exchanges(many.deployment)) {
    users.insert(one.user);
    partners.insert(one.partner_domain);
  }
  EXPECT_THAT(users, testing::ElementsAre("user-0", "user-4"));
  EXPECT_THAT(partners, testing::UnorderedElementsAre("p0.example", "p1.example", "p2.example", "p9.example",
                                                      "p10.example", "p11.example"));
  EXPECT_EQ(everybody_in_words(many.deployment), "everybody (48 stand for 240; --depth=deep tries all)");
  EXPECT_EQ(tried_exchanges(all.deployment).size(), 240U);
  EXPECT_EQ(tried_exchanges(few.deployment).size(), all_exchanges(few.deployment.topology()).size());
  EXPECT_EQ(everybody_in_words(few.deployment), "everybody");
}

TEST(Topology, AGroupStandsForItselfAlone) {
  const Small some(parse_topology(with_users("u, v, w, {group: s, count: 5}, x"), "t.yaml"));
  std::set<std::string> users;
  for (const auto& one : tried_exchanges(some.deployment)) users.insert(one.user);
  EXPECT_THAT(users, testing::ElementsAre("s-1", "s-5", "u", "x"));
}

TEST(Topology, AGroupIsMovedInOneGo) {
  Small some(parse_topology(with_users("alice, {group: s, count: 3}"), "t.yaml"));
  some.deployment.carry_out(Step::deploy_pool);
  some.deployment.move_user("s-2", Pool::current);
  const auto handlers = [&](const std::string& user) {
    const auto seen = observe(some.deployment, {{user, "b.example", "y", Way::from_partner, What::message}});
    EXPECT_EQ(seen.front().copies, 1U);
    return seen.front().nodes;
  };
  for (const auto* moved : {"s-1", "s-2", "s-3"}) EXPECT_THAT(handlers(moved), testing::Contains("new-pool")) << moved;
  EXPECT_THAT(handlers("alice"), Not(testing::Contains("new-pool")));
  some.deployment.carry_out("move-users s legacy-pool");
  EXPECT_THAT(handlers("s-3"), Not(testing::Contains("new-pool")));
}

TEST(Topology, NamesThatResembleThoseOfBoxesAndZonesThatLieInOthersWork) {
  Small some(
      parse_topology("domain: a.example\nusers: [alice]\npartners:\n"
                     "  - {domain: gateway.test, kind: sasl-external, users: [y]}\n"
                     "  - {domain: proxy-1.test, kind: sasl-external, users: [y]}\n"
                     "  - {domain: example, kind: sasl-external, users: [y]}\n"
                     "  - {domain: b.a.example, kind: sasl-external, users: [y]}\n",
                     "t.yaml"));
  const auto arrive_once = [&](Path path) {
    for (const auto& seen : observe(some.deployment, all_exchanges(some.deployment.topology()))) {
      EXPECT_EQ(seen.copies, 1U) << seen.exchange.partner_domain << ": " << seen.told;
      EXPECT_FALSE(seen.both_paths) << seen.exchange.partner_domain;
      EXPECT_EQ(seen.path, path) << seen.exchange.partner_domain;
    }
  };
  arrive_once(Path::legacy);
  for (const auto step : canonical_steps()) some.deployment.carry_out(step);
  some.world.run_for(std::chrono::hours(1));  // until nobody has the old record
  arrive_once(Path::current);
}

std::string with_pools(const std::string& users) {
  return with_users(users) + "pools: {legacy: [old-a, old-b], new: [new-a, new-b]}\n";
}

constexpr char placed[] =
    "alice, {name: bob@c.example, pool: old-b, moves-to: new-b}, {group: s, count: 2, pool: old-b}";

TEST(Topology, EachPoolIsANode) {
  const auto topology = parse_topology(with_pools(placed), "t.yaml");
  std::vector<std::string> names;
  for (const auto& node : nodes_of(topology)) names.push_back(node.name);
  EXPECT_THAT(names, testing::ElementsAre("name-server", "legacy-gateway", "proxy", "gateway", "old-a", "old-b",
                                          "new-a", "new-b", "b", "alice", "bob", "s-1", "s-2"));
  EXPECT_EQ(address_of(topology, "bob"), "bob@c.example");
  const auto estate = estate_of(topology);
  EXPECT_THAT(estate.start.pools, testing::SizeIs(4));
  EXPECT_EQ(estate.start.users.at("alice").pool, "old-a");
  EXPECT_EQ(estate.start.users.at("s").pool, "old-b");
  std::vector<std::string> moves;
  for (const auto& one : operations_of_step(3, estate)) moves.push_back(words_of(one));
  EXPECT_THAT(moves, testing::ElementsAre("move-users alice new-a", "move-users bob new-b", "move-users s new-a"));
  std::string many = with_users("x") + "pools: {legacy: [";
  for (std::size_t i = 0; i < pools_max; ++i) many += fmt::format("{}old-{}", i == 0 ? "" : ", ", i);
  std::set<int> hosts;
  const auto most = nodes_of(parse_topology(many + "], new: [a, b, c, d, e, f, g, h, i, j]}\n", "t.yaml"));
  for (const auto& node : most) hosts.insert(node.host);
  EXPECT_EQ(hosts.size(), most.size());
}

TEST(Topology, MistakesInPoolsAreToldWithFileAndLine) {
  const auto error = [](const std::string& pools) { return error_of(with_users("x") + "pools: " + pools + "\n"); };
  EXPECT_THAT(error("[old]"), HasSubstr("t.yaml:5: expected a mapping from legacy, new, or both to a list of pools"));
  EXPECT_THAT(error("{old: [a]}"), HasSubstr("t.yaml:5: unknown key 'old', expected one of legacy, new"));
  EXPECT_THAT(error("{legacy: []}"), HasSubstr("t.yaml:5: expected a list with at least one entry for 'legacy'"));
  EXPECT_THAT(error("{legacy: [Old]}"), HasSubstr("t.yaml:5: expected a name of small letters"));
  EXPECT_THAT(error("{legacy: [a], new: [a]}"), HasSubstr("t.yaml:5: pool 'a' is listed twice"));
  EXPECT_THAT(error("{legacy: [a, new-pool]}"), HasSubstr("t.yaml:5: 'new-pool' is the name of a pool of both sides"));
  EXPECT_THAT(error("{new: [proxy-2]}"), HasSubstr("t.yaml:5: 'proxy-2' is the name of another node"));
  EXPECT_THAT(error("{new: [gateway]}"), HasSubstr("t.yaml:5: 'gateway' is the name of another node"));
  EXPECT_THAT(error("{new: [a, b, c, d, e, f, g, h, i, j, k]}"),
              HasSubstr("t.yaml:5: expected at most 10 entries for 'new'"));
  EXPECT_THAT(error("{new: [x]}"), HasSubstr("'x' is the name of another node; expected another user name"));
  EXPECT_THAT(error_of(with_pools("{name: bob, pool: new-b}")),
              HasSubstr("t.yaml:4: 'new-b' is no legacy pool for 'pool', expected one of old-a, old-b"));
  EXPECT_THAT(error_of(with_pools("{group: s, count: 2, moves-to: old-b}")),
              HasSubstr("t.yaml:4: 'old-b' is no new pool for 'moves-to', expected one of new-a, new-b"));
  EXPECT_THAT(error_of(with_pools("{pool: old-b}")), HasSubstr("t.yaml:4: expected 'name' of a user, or 'group'"));
  EXPECT_THAT(error_of(with_pools("{name: bob, home: old-b}")), HasSubstr("t.yaml:4: unknown key 'home'"));
}

/// What became of a message each way: the kind that the rules predict, and whether it came.
class OfPools {
 public:
  explicit OfPools(const std::string& users) : some_(parse_topology(with_pools(users), "t.yaml")) {}
  Deployment& deployment() { return some_.deployment; }

  /// "works", or the cause, of both ways; told where the wire has it otherwise.
  std::string of(const std::string& user) {
    some_.deployment.settle();
    std::string words;
    for (const auto way : {Way::to_partner, Way::from_partner}) {
      const Exchange exchange{user, "b.example", "y", way, What::message};
      const auto seen = observe(some_.deployment, {exchange}).front();
      nodes_ = seen.nodes;
      const auto expected = predict(some_.deployment, exchange);
      const bool works = expected.kind == migration::Kind::works;
      EXPECT_EQ(seen.copies, works ? 1U : 0U) << user << " " << name_of(way);
      EXPECT_EQ(seen.sender_told, !works) << user << " " << name_of(way);
      const auto word = works ? std::string("works") : std::string(migration::text_of(expected.cause).id);
      if (words != word) words += (words.empty() ? "" : ", ") + word;
    }
    return words;
  }
  /// Of the message to the user.
  [[nodiscard]] const std::vector<std::string>& nodes() const { return nodes_; }

 private:
  Small some_;
  std::vector<std::string> nodes_;
};

TEST(Topology, UsersAreHomedOnTheirPoolsOnTheWire) {
  OfPools pools(placed);
  EXPECT_EQ(pools.of("bob"), "works");
  // The legacy gateway goes to the first one.
  EXPECT_THAT(pools.nodes(), testing::IsSupersetOf({"legacy-gateway", "old-a", "old-b", "bob"}));
  EXPECT_EQ(pools.of("alice"), "works");
  EXPECT_THAT(pools.nodes(), Not(testing::Contains("old-b")));
  for (const auto step : canonical_steps()) pools.deployment().carry_out(step);
  EXPECT_EQ(pools.of("bob"), "works");
  EXPECT_THAT(pools.nodes(), testing::IsSupersetOf({"gateway", "new-a", "new-b", "bob"}));
  EXPECT_EQ(pools.of("s-1"), "works");
  EXPECT_THAT(pools.nodes(), Not(testing::Contains("new-b")));
  pools.deployment().user("s-1").end_session("sip:y@b.example");  // who is moved is signed out
  pools.deployment().carry_out("move-users s new-b");
  EXPECT_EQ(pools.of("s-1"), "works");
  EXPECT_THAT(pools.nodes(), testing::Contains("new-b"));
  pools.deployment().move_user("bob", Pool::legacy);
  EXPECT_EQ(pools.deployment().home_of("bob"), "old-b");
}

TEST(Topology, APoolThatStopsCutsItsOwnUsersOff) {
  OfPools pools(placed);
  pools.deployment().carry_out("stop-pool old-b");
  EXPECT_EQ(pools.of("bob"), "pool-down");
  EXPECT_EQ(pools.of("alice"), "works");
  pools.deployment().carry_out("start-pool old-b");
  pools.deployment().carry_out("stop-pool old-a");  // to which the legacy gateway went
  EXPECT_EQ(pools.of("bob"), "works");
  EXPECT_EQ(pools.of("alice"), "pool-down");
  pools.deployment().carry_out("start-pool old-a");
  EXPECT_EQ(pools.of("alice"), "works");
  // Who is moved to a pool that does not run has left the other one.
  pools.deployment().carry_out("stop-pool old-b");
  pools.deployment().carry_out("move-users alice old-b");
  EXPECT_EQ(pools.of("alice"), "pool-down");
  pools.deployment().carry_out("start-pool old-b");
  EXPECT_EQ(pools.of("alice"), "works");
}

TEST(Topology, AnEdgeWhoseNextHopStopsHasNoXmpp) {
  OfPools pools(placed);
  for (const auto step : canonical_steps()) pools.deployment().carry_out(step);
  pools.deployment().carry_out("stop-pool new-a");
  EXPECT_EQ(pools.of("bob"), "works");  // by any that runs
  pools.deployment().carry_out("set-next-hop proxy new-a");
  EXPECT_EQ(pools.of("bob"), "next-hop-down");
  pools.deployment().carry_out("set-next-hop proxy new-b");
  EXPECT_EQ(pools.of("bob"), "works");
  EXPECT_THAT(pools.nodes(), Not(testing::Contains("new-a")));
  EXPECT_EQ(pools.of("alice"), "pool-down");
}

/// A trace that is emptied, or is full, has the same number of records again.
TEST(Exchange, NoTwoHaveTheSameMarker) {
  Small some(parse_topology(with_users("alice"), "t.yaml"));
  std::set<std::string> markers;
  for (int i = 0; i < 12; ++i) {
    some.world.trace().clear();
    const auto seen = observe(some.deployment, {{"alice", "b.example", "y", Way::to_partner, What::message}}).front();
    EXPECT_EQ(seen.copies, 1U);
    for (const auto& other : markers) EXPECT_FALSE(seen.marker.starts_with(other)) << seen.marker;
    markers.insert(seen.marker);
  }
}

TEST(Topology, MissingFileIsNamed) { EXPECT_THROW((void)load_topology("/nowhere/t.yaml"), TopologyError); }

}  // namespace
}  // namespace cutover::harness
