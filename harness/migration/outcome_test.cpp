// Every cause can come about, in the directions that its text tells; the rest is held against the documents row by row
// in facts_test.cpp.
#include "harness/migration/outcome.h"
#include "harness/migration/estate_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cutover::harness::migration {
namespace {

using testing::IsEmpty;

constexpr std::string_view text = R"(estate:
  sip-domains: [a.example, b.example]
  pools:
    old: {side: legacy}
    new: {side: new}
    branch: {side: new, branch: true, deployed: true}
  users:
    sales: {pool: old}
    support: {pool: old, domain: b.example}
    branch: {pool: branch}
    leavers: {pool: old, enabled: false}
  partners:
    external.example: {kind: external, further-domains: [sub.external.example], configured-as: {type: Federated}}
    dialback.example: {kind: dialback, configured-as: {sasl: NotSupported}}
    talk.example: {kind: dialback-in-clear, configured-as: {tls: NotSupported, sasl: NotSupported}}
    old-talk.example: {kind: dialback-in-clear, configured-as: {tls: Optional, sasl: Optional, dialback: false}}
    tls-only.example: {kind: external, configured-as: {tls: NotSupported, sasl: NotSupported}}
    clear-only.example: {kind: dialback-in-clear}
    closes.example:
      {kind: external, dialback-over-tls: true, closes-on-failed-external: true,
       configured-as: {type: Federated, sasl: Optional}}
    usage.example: {kind: external, wants-client-usage: true}
    distrusts.example: {kind: external, trusts-our-authority: false}
    google.example: {kind: external, hosts-our-domain: true}
    discards.example:
      {kind: dialback-in-clear, discards-messages: true, configured-as: {tls: Optional, sasl: NotSupported}}
    silent.example: {kind: dialback, answers-dialback: false, configured-as: {sasl: NotSupported}}
    lost.example: {kind: external, has-srv: false}
    lost-too.example: {kind: dialback, has-srv: false, configured-as: {sasl: NotSupported}}
    many.example: {kind: external, connections: 50}
    bad.example: {kind: dialback, certificate: bad, external: true, lenient: false}
    mismatch.example: {kind: dialback}
    invalid.example: {kind: external, configured-as: {tls: NotSupported, dialback: false}}
  edges:
    edge: {members: [one, two], next-hop: new}
    spare: {}
  certificates:
    edge: {names: [a.example, b.example]}
    expired: {names: [a.example, b.example], fault: expired}
    early: {names: [a.example, b.example], fault: not-yet-valid}
    unknown: {names: [a.example, b.example], fault: untrusted-root}
    unchecked: {names: [a.example, b.example], fault: revocation-unreachable}
    wildcard: {names: [a.example, "*.b.example"]}
    one-name: {names: [a.example]}
    server: {names: [a.example, b.example], client-usage: false}
  records:
    port: {box: edge, port: 5222}
    dead: {box: edge, resolves: false}
)";

struct Met {
  std::set<Cause> causes;
  std::map<Cause, std::set<Way>> ways;
};

/// Everything that anybody can do with anybody in a state.
void judge(const Estate& estate, const State& state, const Readings& readings, Met& met) {
  for (const auto& [domain, partner] : estate.partners) {
    auto domains = partner.further_domains;
    domains.push_back(domain);
    for (const auto& remote : domains) {
      for (const auto& [name, users] : state.users) {
        for (const auto way : {Way::to_partner, Way::from_partner}) {
          for (const auto what : {What::message, What::presence, What::note}) {
            for (const bool contact : {true, false}) {
              const auto outcome = outcome_of(state, partner, {name, remote, way, what, contact}, readings);
              met.causes.insert(outcome.cause);
              met.ways[outcome.cause].insert(way);
              const bool carried = outcome.kind == Kind::works || outcome.kind == Kind::lost;
              EXPECT_EQ(carried, outcome.path != Path::none || outcome.kind == Kind::works_at_times ? carried : false)
                  << words_of(outcome);
              EXPECT_EQ(outcome.kind == Kind::works, outcome.cause == Cause::none) << words_of(outcome);
            }
          }
        }
      }
    }
  }
}

/// So many steps of the document, and then these operations.
struct Situation {
  int steps = 0;
  std::vector<std::string_view> then;
};

const std::vector<Situation> situations{
    {0, {}},
    {0, {"stop-legacy-gateway"}},
    {0, {"stop-legacy-edge"}},
    {0, {"remove-legacy-route external.example"}},
    {3, {"allow-partner external.example"}},
    {1, {"repoint a.example edge"}},
    {2, {"repoint a.example edge"}},
    {2, {"tick-xmpp edge on", "repoint a.example edge"}},
    {2, {"tick-xmpp edge on", "publish", "repoint a.example edge"}},
    {2, {"tick-xmpp edge on", "publish", "set-up-edge edge", "repoint a.example edge"}},
    {4,
     {"tick-xmpp edge on", "publish", "set-up-edge edge", "repoint a.example edge", "set-route edge",
      "allow-partner external.example", "replicate"}},
    {4,
     {"tick-xmpp edge on", "publish", "set-up-edge edge", "repoint a.example edge", "replicate",
      "allow-partner external.example", "allow-partner dialback.example"}},
    {5, {}},
    {6, {}},
    {6, {"remove-partner external.example", "replicate"}},
    {6, {"remove-partner external.example", "replicate", "allow-partner external.example"}},
    {6, {"remove-legacy-route sub.external.example"}},
    {6, {"set-route -"}},
    {6, {"set-route spare"}},
    {6, {"stop-gateway"}},
    {6, {"stop-edge edge"}},
    {6, {"stop-pool new"}},
    {6, {"move-users sales old"}},
    {6, {"stop-member edge/one"}},
    {6, {"close-link edge/one", "close-link edge/two"}},
    {6, {"assign-certificate edge -", "restart-edge edge"}},
    {6, {"assign-certificate edge expired", "restart-edge edge", "assign-certificate edge edge"}},
    {6, {"assign-certificate edge expired", "restart-edge edge"}},
    {6, {"assign-certificate edge early", "restart-edge edge"}},
    {6, {"assign-certificate edge unknown", "restart-edge edge"}},
    {6, {"assign-certificate edge unchecked", "restart-edge edge"}},
    {6, {"assign-certificate edge wildcard", "restart-edge edge"}},
    {6, {"assign-certificate edge one-name", "restart-edge edge"}},
    {6, {"assign-certificate edge server", "restart-edge edge"}},
    {6, {"allow-federated-users off"}},
    {6, {"allow-federated-users off", "replicate"}},
    {6, {"grant-policy sales -"}},
    {6, {"set-policy XmppAccess xmpp"}},
    {6, {"repoint a.example -"}},
    {6, {"repoint a.example dead"}},
    {6, {"repoint a.example port"}},
    {6, {"close-firewall edge in"}},
    {6, {"close-firewall edge out"}},
    {6, {"repoint a.example legacy-gateway"}},
    {3, {"set-policy global none"}},
};

Met everything() {
  Met met;
  const auto estate = parse_estate(text, "o.yaml");
  for (const auto& [steps, then] : situations) {
    auto state = estate.start;
    for (int step = 1; step <= steps; ++step) {
      for (const auto& operation : operations_of_step(step, estate)) {
        if (operation.subject != "spare" || operation.verb == Verb::deploy_edge) apply(operation, estate, state);
      }
    }
    if (steps >= 5) replicate(state);
    for (const auto one : then) apply(parse_operation(one), estate, state);
    judge(estate, state, {}, met);
    judge(estate, state,
          {.legacy_users = Readings::LegacyUsers::cut_off_when_routed, .unlisted = Readings::Unlisted::refused}, met);
  }
  // What no operation brings about: how an estate is at the beginning, and what fails by itself.
  auto state = estate.start;
  state.legacy.partners.erase("external.example");
  state.legacy.sip_domains.erase("b.example");
  judge(estate, state, {}, met);
  state = estate.start;
  state.generation = Generation::sfb2019;
  state.users.at("sales").pool = "new";
  state.pools.at("new").deployed = true;
  judge(estate, state, {}, met);
  state = estate.start;
  for (int step = 1; step <= steps_of_the_document; ++step) {
    for (const auto& operation : operations_of_step(step, estate)) apply(operation, estate, state);
  }
  replicate(state);
  auto differing = state;
  differing.edges.at("edge").members.back().certificate = estate.certificates.at("one-name");
  judge(estate, differing, {}, met);
  auto hop = state;
  hop.pools["second"] = {.side = Side::current};
  hop.users.at("sales").pool = "second";
  hop.pools.at("new").runs = false;
  judge(estate, hop, {}, met);
  return met;
}

TEST(Outcomes, EveryCauseComesAbout) {
  const auto met = everything();
  std::vector<std::string_view> never;
  for (const auto& one : causes()) {
    // What lingers is named by the timeline, which knows of time.
    const bool of_time = one.cause == Cause::old_record_cached || one.cause == Cause::old_stream_open;
    if (!of_time && !met.causes.contains(one.cause)) never.push_back(one.id);
  }
  EXPECT_THAT(never, IsEmpty());
}

TEST(Outcomes, CausesHitTheDirectionsThatTheirTextTells) {
  for (const auto& [cause, ways] : everything().ways) {
    if (cause == Cause::none) continue;
    const auto expected = text_of(cause).ways;
    EXPECT_EQ(ways.contains(Way::to_partner), expected != Ways::from_partner) << text_of(cause).id;
    EXPECT_EQ(ways.contains(Way::from_partner), expected != Ways::to_partner) << text_of(cause).id;
  }
}

struct Migrated : testing::Test {
  Migrated() {
    for (int step = 1; step <= steps_of_the_document; ++step) {
      for (const auto& operation : operations_of_step(step, estate)) apply(operation, estate, state);
    }
    replicate(state);
  }
  Outcome outcome(Way way, std::string_view partner = "external.example") const {
    return outcome_of(state, estate.partners.at(std::string(partner)), {"sales", std::string(partner), way});
  }
  Estate estate = parse_estate(text, "o.yaml");
  State state = estate.start;
};

TEST_F(Migrated, WhatIsChangedAndNotPublishedHasNoEffect) {
  for (const auto* change : {"tick-xmpp edge off", "tick-xmpp spare off"}) {
    auto before = state;
    apply(parse_operation(change), estate, state);
    EXPECT_EQ(outcome(Way::to_partner).kind, Kind::works) << change;
    EXPECT_EQ(outcome(Way::from_partner).kind, Kind::works) << change;
    state = before;
  }
  apply(parse_operation("tick-xmpp edge off"), estate, state);
  apply(parse_operation("publish"), estate, state);
  EXPECT_EQ(outcome(Way::to_partner).cause, Cause::flag_not_ticked);
}

TEST_F(Migrated, ARefusalIsToldAtOnceAndAClosedFirewallBehindATimeOut) {
  apply(parse_operation("close-firewall edge out"), estate, state);
  const auto closed = outcome(Way::to_partner);
  EXPECT_EQ(closed.kind, Kind::bounced);
  EXPECT_EQ(closed.after, state.replica.gateway.stream_establishment_timeout);
  EXPECT_THAT(words_of(closed), testing::HasSubstr("bounced after 60 s: the firewall lets the edge not out to 5269"));
  apply(parse_operation("stop-edge edge"), estate, state);
  EXPECT_EQ(outcome(Way::to_partner).kind, Kind::refused);
}

TEST_F(Migrated, MembersThatDifferFailAtTimesAndAllThatFailFail) {
  auto& members = state.edges.at("edge").members;
  members.front().certificate = estate.certificates.at("expired");
  for (const auto way : {Way::to_partner, Way::from_partner}) {
    EXPECT_EQ(outcome(way).kind, Kind::works_at_times);
    EXPECT_EQ(outcome(way).cause, Cause::members_differ);
    EXPECT_EQ(outcome(way, "talk.example").kind, Kind::works) << "in clear nobody looks";
  }
  members.back().certificate = estate.certificates.at("expired");
  EXPECT_EQ(outcome(Way::to_partner).cause, Cause::certificate_expired);
  members.front().runs = false;
  members.back().certificate.reset();
  EXPECT_EQ(outcome(Way::to_partner).cause, Cause::member_down) << "the one that differs does not run";
}

}  // namespace
}  // namespace cutover::harness::migration
