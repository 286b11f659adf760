// Each verb: read, carried out, told wrong names, and taken back.
#include "harness/migration/estate_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace cutover::harness::migration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view small = R"(estate:
  sip-domains: [a.example]
  pools: {old: {side: legacy}, new: {side: new}, spare: {side: new}, broken: {side: new, deployed: true, runs: false}}
  users: {sales: {count: 7, pool: old}, support: {pool: old}, leavers: {pool: old, enabled: false}}
  partners:
    p.example: {kind: external, further-domains: [q.example], configured-as: {type: Federated, proxy-fqdn: x.p.example}}
    t.example: {kind: dialback-in-clear}
  edges:
    edge: {members: [one, {name: two, runs: false, link-open: false}]}
    second: {deployed: true, services-run: false, certificate: other, opens-in: false}
    third: {}
  certificates: {edge: {names: [a.example]}, other: {names: [sip.a.example]}}
  records: {both: [edge, {box: second, priority: 10}]}
)";

/// All six steps of the document are done.
struct Operations : testing::Test {
  Operations() {
    for (int step = 1; step <= steps_of_the_document; ++step) {
      for (const auto& operation : operations_of_step(step, estate)) {
        // The second edge is not part of this migration.
        if (operation.subject != "third" && operation.verb != Verb::restart_edge) apply(operation, estate, state);
        if (operation.verb == Verb::restart_edge && operation.subject == "edge") apply(operation, estate, state);
      }
    }
    replicate(state);
  }
  void run(std::string_view text) { apply(parse_operation(text), estate, state); }
  [[nodiscard]] std::string error_of(std::string_view text) const {
    auto changed = state;
    try {
      check_possible(parse_operation(text), state);
      apply(parse_operation(text), estate, changed);
    } catch (const OperationError& error) {
      return error.what();
    }
    return "no error";
  }

  Estate estate = [] {
    auto read = parse_estate(small, "e.yaml");
    read.start.edges.erase("third");
    return read;
  }();
  State state = estate.start;
};

/// What each verb is tried with: it changes something there.
const std::vector<std::string_view> samples{
    "deploy-pool spare2",
    "remove-pool new",
    "start-pool broken",
    "stop-pool new",
    "deploy-edge undeployed",
    "remove-edge edge",
    "move-users sales old",
    "enable-users leavers",
    "disable-users sales",
    "set-policy XmppAccess federation",
    "delete-policy XmppAccess",
    "grant-policy sales -",
    "allow-federated-users off",
    "assign-certificate edge other",
    "restart-edge second",
    "tick-xmpp edge off",
    "set-route second",
    "publish",
    "replicate",
    "set-up-edge fresh",
    "set-up-front-end",
    "start-edge second",
    "stop-edge edge",
    "start-member edge/two",
    "stop-member edge/one",
    "open-link edge/two",
    "close-link edge/one",
    "open-firewall second in",
    "close-firewall edge out",
    "set-next-hop edge new",
    "start-gateway",
    "stop-gateway",
    "allow-partner late.example",
    "remove-partner p.example",
    "set-ttl a.example 300",
    "repoint a.example both",
    "drain-streams",
    "start-legacy-gateway",
    "stop-legacy-gateway",
    "start-legacy-edge",
    "stop-legacy-edge",
    "add-legacy-route r.example",
    "remove-legacy-route q.example",
};

/// ... behind these.
const std::map<Verb, std::vector<std::string_view>> before{
    {Verb::start_gateway, {"stop-gateway"}},
    {Verb::start_legacy_gateway, {"stop-legacy-gateway"}},
    {Verb::start_legacy_edge, {"stop-legacy-edge"}},
};

void prepare(Verb verb, Estate& estate, State& state) {
  for (auto* one : {&estate.start, &state}) {
    one->pools["spare2"] = {.side = Side::current, .deployed = false};
    one->edges["undeployed"] = {};
    one->edges["fresh"] = {.deployed = true, .xmpp_ticked = true};
  }
  estate.rows["late.example"] = {.domain = "late.example"};
  estate.partners["late.example"] = {.domain = "late.example", .further_domains = {"r.example"}};
  if (const auto found = before.find(verb); found != before.end()) {
    for (const auto text : found->second) apply(parse_operation(text), estate, state);
  }
  if (verb == Verb::start_edge) state.edges.at("second").live = state.edges.at("second").assigned;
  if (verb == Verb::publish) state.configuration.published = false;
  if (verb == Verb::replicate) state.replica.xmpp_route.clear();
  if (verb == Verb::set_up_front_end) state.gateway_installed = false;
}

TEST_F(Operations, EveryVerbIsTried) {
  std::set<Verb> tried;
  for (const auto text : samples) tried.insert(parse_operation(text).verb);
  for (const auto& verb : verbs()) EXPECT_TRUE(tried.contains(verb.verb)) << verb.name;
}

TEST_F(Operations, EachIsReadAndWrittenAlike) {
  for (const auto text : samples) EXPECT_EQ(words_of(parse_operation(text)), text);
  EXPECT_EQ(words_of(parse_operation("  move-users   sales\tnew ")), "move-users sales new");
  for (const auto& verb : verbs()) EXPECT_EQ(text_of(verb.verb).name, verb.name);
}

TEST_F(Operations, EachHasCommandsForPeople) {
  for (const auto text : samples) {
    const auto operation = parse_operation(text);
    auto own = estate;
    auto now = state;
    prepare(operation.verb, own, now);
    EXPECT_THAT(commands_of(operation, own, now), Not(IsEmpty())) << text;
  }
}

TEST_F(Operations, WhatTakesOneBackBringsTheStateBack) {
  // These have no inverse: what is published, replicated, set up, restarted or drained is so.
  const std::set<Verb> without{Verb::publish,          Verb::replicate,    Verb::set_up_edge,
                               Verb::set_up_front_end, Verb::restart_edge, Verb::drain_streams};
  for (const auto text : samples) {
    const auto operation = parse_operation(text);
    auto own = estate;
    auto now = state;
    prepare(operation.verb, own, now);
    const auto was = now;
    apply(operation, own, now);
    EXPECT_EQ(now == was, operation.verb == Verb::drain_streams) << text;
    const auto undo = undo_of(operation, own, was);
    EXPECT_EQ(undo.empty(), without.contains(operation.verb)) << text;
    for (const auto& one : undo) apply(one, own, now);
    EXPECT_TRUE(without.contains(operation.verb) || now == was) << text << " is not taken back";
    // Done twice, the second time changes nothing, and there is nothing to take back.
    const bool refused = operation.verb == Verb::remove_partner || operation.verb == Verb::delete_policy ||
                         operation.verb == Verb::remove_legacy_route || operation.verb == Verb::remove_edge;
    if (refused) continue;
    auto again = was;
    apply(operation, own, again);
    EXPECT_THAT(undo_of(operation, own, again), IsEmpty()) << text;
  }
}

TEST_F(Operations, AreToldWhatThereIs) {
  EXPECT_THAT(error_of("fly-away"), HasSubstr("'fly-away' is no operation; there are: deploy-pool, "));
  EXPECT_THAT(error_of(""), HasSubstr("an empty operation; the verbs are: "));
  EXPECT_THAT(error_of("publish now"), HasSubstr("'publish now': expected publish"));
  EXPECT_THAT(error_of("move-users sales"), HasSubstr("expected move-users (class of users) (pool)"));
  EXPECT_THAT(error_of("move-users nobody new"),
              HasSubstr("'nobody' is no class of users of this estate; there are: "));
  EXPECT_THAT(error_of("move-users sales nowhere"), HasSubstr("'nowhere' is no pool of this estate"));
  EXPECT_THAT(error_of("set-policy XmppAccess some"), HasSubstr("expected none, federation, xmpp or both"));
  EXPECT_THAT(error_of("delete-policy Other"), HasSubstr("there is no policy 'Other'"));
  EXPECT_THAT(error_of("grant-policy sales Other"), HasSubstr("'Other' is no policy that can be granted"));
  EXPECT_THAT(error_of("allow-federated-users yes"), HasSubstr("'yes': expected on or off"));
  EXPECT_THAT(error_of("assign-certificate edge none"), HasSubstr("'none' is no certificate of this estate"));
  EXPECT_THAT(error_of("tick-xmpp edge5 on"),
              HasSubstr("'edge5' is no edge pool of this estate; there are: edge, second"));
  EXPECT_THAT(error_of("set-route edge5"), HasSubstr("'edge5' is no edge pool"));
  EXPECT_THAT(error_of("stop-member edge"), HasSubstr("expected EDGE/MEMBER"));
  EXPECT_THAT(error_of("stop-member edge/nine"), HasSubstr("'edge' has no member 'nine'"));
  EXPECT_THAT(error_of("open-firewall edge up"), HasSubstr("'up': expected in or out"));
  EXPECT_THAT(error_of("allow-partner x.example"), HasSubstr("'x.example' is no partner's domain of this estate"));
  EXPECT_THAT(error_of("remove-partner x.example"), HasSubstr("'x.example' is not configured; there are: p.example"));
  EXPECT_THAT(error_of("add-legacy-route x.example"), HasSubstr("'x.example' is no domain of a partner"));
  EXPECT_THAT(error_of("remove-legacy-route x.example"), HasSubstr("no allowed SIP domain 'x.example' leads to"));
  EXPECT_THAT(error_of("set-ttl a.example soon"), HasSubstr("'soon': expected seconds"));
  EXPECT_THAT(error_of("set-ttl b.example 300"), HasSubstr("'b.example' is no SIP domain of this estate"));
  EXPECT_THAT(error_of("repoint a.example moon"), HasSubstr("'moon' is neither legacy-gateway nor an edge pool"));
}

TEST_F(Operations, NeedWhatTheyWorkOn) {
  EXPECT_THAT(error_of("move-users sales spare3"), HasSubstr("no pool"));
  state.pools["later"] = {.side = Side::current, .deployed = false};
  state.edges["later"] = {};
  EXPECT_THAT(error_of("move-users sales later"), HasSubstr("the pool 'later' is not deployed yet"));
  for (const auto* text : {"assign-certificate later edge", "restart-edge later", "tick-xmpp later on",
                           "set-route later", "set-up-edge later", "start-edge later", "set-next-hop later new"})
    EXPECT_THAT(error_of(text), HasSubstr("the edge pool 'later' is not deployed yet")) << text;
  EXPECT_EQ(error_of("open-firewall later in"), "no error");
}

TEST_F(Operations, ACertificateIsShownBehindARestart) {
  const auto& edge = state.edges.at("edge");
  run("assign-certificate edge other");
  EXPECT_THAT(edge.live->names, ElementsAre("a.example"));
  run("restart-edge edge");
  EXPECT_THAT(edge.live->names, ElementsAre("sip.a.example"));
  run("assign-certificate edge -");
  run("restart-edge edge");
  EXPECT_EQ(edge.live, std::nullopt);
}

TEST_F(Operations, AProxyIsInstalledBehindThePublishedFlagAlone) {
  state.edges["fresh"] = {.deployed = true};
  run("set-up-edge fresh");
  EXPECT_FALSE(state.edges.at("fresh").proxy_installed);
  run("tick-xmpp fresh on");
  run("set-up-edge fresh");
  EXPECT_FALSE(state.edges.at("fresh").proxy_installed);
  run("publish");
  run("set-up-edge fresh");
  EXPECT_TRUE(state.edges.at("fresh").proxy_installed);
  run("tick-xmpp fresh on");
  EXPECT_TRUE(state.configuration.published) << "nothing was changed";
}

TEST_F(Operations, TheDocumentsStepsAreThoseOfTheEstate) {
  const auto text = [&](int step) {
    std::vector<std::string> all;
    for (const auto& one : operations_of_step(step, estate)) all.push_back(words_of(one));
    return all;
  };
  EXPECT_THAT(text(1), ElementsAre("deploy-pool broken", "deploy-pool new", "deploy-pool spare"));
  EXPECT_THAT(text(2), ElementsAre("deploy-edge edge", "deploy-edge second"));
  EXPECT_THAT(text(3), ElementsAre("move-users leavers broken", "move-users sales new", "move-users support spare"));
  EXPECT_THAT(text(6), ElementsAre("repoint a.example edge"));
  estate.moves_to["sales"] = "spare";  // and nobody else's turn changes but by it
  EXPECT_THAT(text(3), ElementsAre("move-users leavers broken", "move-users sales spare", "move-users support new"));
  EXPECT_THAT(operations_of_step(0, estate), IsEmpty());
  EXPECT_THAT(operations_of_step(7, estate), IsEmpty());
}

TEST_F(Operations, CommandsAreThoseOfTheProductAndOfTheZone) {
  const auto commands = [&](std::string_view text) { return commands_of(parse_operation(text), estate, state); };
  EXPECT_THAT(
      commands("allow-partner p.example"),
      ElementsAre(testing::AllOf(HasSubstr("New-CsXmppAllowedPartner -Identity p.example -PartnerType Federated"),
                                 HasSubstr("-ProxyFqdn x.p.example"))));
  EXPECT_THAT(commands("set-route edge"),
              ElementsAre("Set-CsSite -Identity <site> -XmppFederationRoute \"EdgeServer:edge\""));
  EXPECT_THAT(commands("repoint a.example both"),
              ElementsAre("_xmpp-server._tcp.a.example. 3600 IN SRV 0 0 5269 edge.",
                          "_xmpp-server._tcp.a.example. 3600 IN SRV 10 0 5269 second."));
  EXPECT_THAT(commands("repoint a.example -"), ElementsAre("; remove _xmpp-server._tcp.a.example."));
  EXPECT_THAT(commands("set-policy XmppAccess both"), ElementsAre(HasSubstr("Set-CsExternalAccessPolicy")));
  EXPECT_THAT(commands("set-policy site:x both"), ElementsAre(HasSubstr("New-CsExternalAccessPolicy")));
}

}  // namespace
}  // namespace cutover::harness::migration
