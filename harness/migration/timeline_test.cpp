// Time by itself: caches, replication, streams, classes on their way, and how lanes are merged and weighed.
#include "harness/migration/timeline.h"
#include "harness/migration/estate_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cutover::harness::migration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using namespace std::chrono_literals;

/// Everything is ready, and the partners are still served by the legacy gateway.
constexpr std::string_view ready = R"(estate:
  sip-domains: [a.example]
  ttl: 10m
  replication: 60s
  pools: {old: {side: legacy}, new: {side: new, deployed: true}}
  users: {sales: {count: 70, pool: new, policy: Xmpp}, support: {count: 30, pool: new, policy: Xmpp}}
  partners:
    external.example: {kind: external, configured-as: {type: Federated}}
    dialback.example: {kind: dialback, cache: 1h, configured-as: {type: Federated, sasl: NotSupported}}
  policies: {user: {Xmpp: {federation: true, xmpp: true}}}
  allow-federated-users: true
  certificates: {edge: {names: [a.example]}}
  edges: {edge: {deployed: true, ticked: true, proxy-installed: true, certificate: edge}}
  route: edge
  gateway: {installed: true}
)";

TimedOperation at(Seconds when, std::string_view text) { return {when, when, parse_operation(text), 0}; }

const Lane& lane(const Timeline& timeline, std::string_view partner, Way way, std::string_view users = "sales") {
  const auto found = std::ranges::find_if(timeline.lanes, [&](const Lane& one) {
    return one.partner == partner && one.way == way && std::ranges::find(one.classes, users) != one.classes.end();
  });
  return *found;
}

/// "0 works, 600 refused (partner-configured)": when what begins.
std::vector<std::string> told(const Lane& lane) {
  std::vector<std::string> all;
  for (const auto& one : lane.segments) {
    std::string text = std::to_string(one.from.count()) + (one.certain ? " " : " at worst ");
    text += one.outcome.kind == Kind::works ? std::string(name_of(one.outcome.path))
                                            : std::string(text_of(one.outcome.cause).id);
    all.push_back(text);
  }
  return all;
}

struct Timelines : testing::Test {
  Timeline run(const std::vector<TimedOperation>& operations, Seconds quiet_within = 0s) {
    return timeline_of(estate, operations, {.quiet_within = quiet_within});
  }
  Estate estate = parse_estate(ready, "t.yaml");
};

TEST_F(Timelines, APartnerIsOnTheNewSideAtOnceAndOnTheEdgeWhenItIsReplicated) {
  const auto timeline = run({at(100s, "allow-partner external.example"), at(1000s, "repoint a.example edge")});
  EXPECT_THAT(told(lane(timeline, "external.example", Way::to_partner)),
              ElementsAre("0 legacy", "100 not-replicated", "160 current"));
  EXPECT_THAT(told(lane(timeline, "external.example", Way::from_partner)),
              ElementsAre("0 legacy", "100 partner-configured", "1000 at worst old-record-cached", "1600 current"));
  EXPECT_EQ(timeline.end, 1000s + 1h + 10min) << "the longest cache, and a while more";
  EXPECT_FALSE(timeline.last.replica.partners.empty());
}

TEST_F(Timelines, WaitingForReplicationEndsIt) {
  const auto timeline = run({at(100s, "allow-partner external.example"), at(110s, "replicate")});
  EXPECT_THAT(told(lane(timeline, "external.example", Way::to_partner)),
              ElementsAre("0 legacy", "100 not-replicated", "110 current"));
}

TEST_F(Timelines, APartnerHoldsARecordAsLongAsItsCacheOrTheTtl) {
  const auto timeline =
      run({at(0s, "allow-partner dialback.example"), at(0s, "replicate"), at(100s, "repoint a.example edge")});
  EXPECT_THAT(told(lane(timeline, "dialback.example", Way::to_partner)),
              ElementsAre("0 dialback-authority", "100 at worst dialback-authority", "3700 current"));
}

TEST_F(Timelines, ALowerTtlHelpsWhenTheOldOneIsOver) {
  for (const auto& [lowered, whole] : std::vector<std::pair<Seconds, Seconds>>{{0s, 1060s}, {700s, 1300s}}) {
    const auto timeline = run({at(lowered, "set-ttl a.example 60"), at(1000s, "allow-partner external.example"),
                               at(1000s, "repoint a.example edge")});
    const auto& one = lane(timeline, "external.example", Way::from_partner);
    EXPECT_EQ(one.segments.back().from, whole) << lowered.count();
  }
}

TEST_F(Timelines, AnOpenStreamOutlivesTheRecord) {
  const std::vector<TimedOperation> change{at(0s, "allow-partner external.example"),
                                           at(100s, "repoint a.example edge")};
  auto timeline = run(change, 1h);
  EXPECT_EQ(lane(timeline, "external.example", Way::from_partner).segments.back().from, 4300s)
      << "it is opened as late as the last who has the old record does it, and lives for an hour";
  for (const auto& [drain, whole] :
       std::vector<std::pair<Seconds, Seconds>>{{600s, 4300s}, {700s, 700s}, {800s, 800s}}) {
    auto drained = change;
    drained.push_back(at(drain, "drain-streams"));
    timeline = run(drained, 1h);
    const auto& one = lane(timeline, "external.example", Way::from_partner);
    EXPECT_EQ(one.segments.back().from, whole) << drain.count();
    EXPECT_EQ(one.segments.at(one.segments.size() - 2).outcome.cause,
              drain == 700s ? Cause::old_record_cached : Cause::old_stream_open);
  }
}

TEST_F(Timelines, WhatRestartsEndsTheStreamsToItsBox) {
  apply(parse_operation("allow-partner external.example"), estate, estate.start);
  apply(parse_operation("repoint a.example edge"), estate, estate.start);
  apply(parse_operation("replicate"), estate, estate.start);
  const auto timeline = run({at(100s, "repoint a.example legacy-gateway"), at(100s, "remove-partner external.example"),
                             at(900s, "restart-edge edge")},
                            1h);
  EXPECT_EQ(lane(timeline, "external.example", Way::from_partner).segments.back().from, 900s);
}

TEST_F(Timelines, AFailureOfAnOldRecordAloneIsNamedByIt) {
  const auto timeline = run({at(0s, "allow-partner external.example"), at(0s, "replicate"),
                             at(100s, "repoint a.example edge"), at(200s, "stop-legacy-gateway")});
  EXPECT_THAT(told(lane(timeline, "external.example", Way::from_partner)),
              testing::Contains("100 at worst old-record-cached"));
}

TEST_F(Timelines, AClassOnItsWayIsWhereSomeOfItAre) {
  estate.start.users.at("sales").pool = "old";
  apply(parse_operation("allow-partner external.example"), estate, estate.start);
  apply(parse_operation("replicate"), estate, estate.start);
  const auto timeline = run({{100s, 500s, parse_operation("move-users sales new"), 0}});
  EXPECT_THAT(told(lane(timeline, "external.example", Way::to_partner)),
              ElementsAre("0 user-on-legacy-pool", "100 at worst user-on-legacy-pool", "500 current"));
  EXPECT_THAT(told(lane(timeline, "external.example", Way::to_partner, "support")), ElementsAre("0 current"));
}

TEST_F(Timelines, WhatWasBeforeTheFirstOperationIsKept) {
  const auto timeline = run({at(0s, "allow-partner external.example")});
  const auto& one = lane(timeline, "external.example", Way::from_partner);
  EXPECT_EQ(one.before.kind, Kind::works);
  EXPECT_EQ(one.before.path, Path::legacy);
  EXPECT_THAT(told(one), ElementsAre("0 partner-configured"));
  EXPECT_GT(cost_of(timeline), 0);
}

TEST_F(Timelines, ClassesOfEqualFortuneShareALane) {
  auto timeline = run({at(100s, "allow-partner external.example")});
  EXPECT_THAT(timeline.lanes, SizeIs(4));
  const auto& shared = lane(timeline, "external.example", Way::to_partner);
  EXPECT_THAT(shared.classes, ElementsAre("sales", "support"));
  EXPECT_EQ(shared.users, 100U);
  timeline = run({at(100s, "allow-partner external.example"), at(200s, "grant-policy support -")});
  EXPECT_THAT(timeline.lanes, SizeIs(5)) << "with the partner that is configured, a policy matters";
  EXPECT_EQ(lane(timeline, "external.example", Way::to_partner, "support").users, 30U);
}

TEST_F(Timelines, LanesAreWithoutGaps) {
  const auto timeline = run({at(100s, "allow-partner external.example"), at(100s, "stop-edge edge"),
                             at(300s, "start-edge edge"), at(5000s, "repoint a.example edge")},
                            1h);
  for (const auto& one : timeline.lanes) {
    auto from = 0s;
    for (const auto& segment : one.segments) {
      EXPECT_EQ(segment.from, from);
      EXPECT_LT(segment.from, segment.to);
      from = segment.to;
    }
    EXPECT_EQ(from, timeline.end);
  }
}

TEST_F(Timelines, AnOperationThatCannotBeIsTold) {
  try {
    (void)run({at(5s, "move-users sales nowhere")});
    FAIL() << "it was carried out";
  } catch (const OperationError& error) {
    EXPECT_THAT(error.what(), HasSubstr("move-users sales nowhere: 'nowhere' is no pool"));
  }
}

TEST(Losses, AreWeighedByUsersTimeAndKind) {
  const auto segment = [](Seconds from, Seconds to, Kind kind, bool certain = true) {
    return Segment{from, to, {.kind = kind}, certain};
  };
  Lane one{.users = 10,
           .segments = {segment(0s, 10s, Kind::works), segment(10s, 30s, Kind::refused),
                        segment(30s, 40s, Kind::bounced, false), segment(40s, 50s, Kind::works)}};
  EXPECT_EQ(loss_of(one).at_worst, 30s);
  EXPECT_EQ(loss_of(one).certain, 20s);
  const Timeline timeline{.lanes = {one}};
  EXPECT_DOUBLE_EQ(cost_of(timeline), 10 * (20 * 1.0 + 10 * 1.5 * 0.5));
  one.segments.back().outcome.kind = Kind::refused;
  EXPECT_DOUBLE_EQ(cost_of({.lanes = {one}}), 10 * (20 * 1.0 + 10 * 1.5 * 0.5 + 86'400)) << "for ever is a day";
}

TEST(Times, AreTold) {
  EXPECT_EQ(words_of(0s), "0 s");
  EXPECT_EQ(words_of(45s), "45 s");
  EXPECT_EQ(words_of(3600s), "1 h");
  EXPECT_EQ(words_of(7500s), "2 h 5 min");
  EXPECT_EQ(words_of(90061s), "1 d 1 h");
}

}  // namespace
}  // namespace cutover::harness::migration
