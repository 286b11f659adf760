// The driver of a server that is up already: a Prosody that nobody of the case has started.
#include "harness/subjects/target_subject.h"

#include "mocks/raw_peer.h"

#include "harness/subjects/known_good.h"
#include "harness/subjects/reachability.h"
#include "harness/worlds/live_world.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using reports::Outcome;
using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;

using CaseRun = Run;  // testing::Test has a Run of its own

constexpr char must[] = "RFC6120-10.5.4-1";

/// A Prosody at an address of its own, and the target that its administrator would describe.
class RemoteServer : public testing::Test {
 protected:
  RemoteServer() : block_(42'000 + getpid() % 1000) {
    target_.name = "a server that is up";
    target_.file = "remote.yaml";
    target_.offers = {Need::user_account, Need::sasl_external};
    RemoteTarget remote;
    remote.domain = "up.example";
    remote.s2s = {address(200), RealServer::s2s_port};
    remote.account = TargetAccount{"juliet", "pencil", {address(200), RealServer::c2s_port}};
    remote.peers = {{PartnerKind::sasl_external, "peer.example", address(201)}};
    remote.name_server = Endpoint{address(202), 10053};
    remote.authority = tls::new_authority_pem(wall_clock());
    target_.driver = remote;
    target_.offers.insert({Need::peer_zones, Need::unmet_peers});  // as the reader makes of a name server
  }

  [[nodiscard]] std::string address(int host) const { return LiveWorld({.block = block_}).address_of(host); }
  [[nodiscard]] std::time_t wall_clock() const { return LiveWorld({.block = block_}).wall_clock(); }
  [[nodiscard]] RemoteTarget& remote() { return std::get<RemoteTarget>(target_.driver); }

  void start() {
    const auto authority = tls::authority_from_pem(remote().authority, wall_clock());
    ServerSettings settings;
    settings.domain = remote().domain;
    settings.address = remote().s2s.address;
    settings.name_server = *remote().name_server;
    settings.mode = ServerMode::external_only;
    settings.certificate = authority->issue_pem({.names = {{tls::NameKind::dns, remote().domain}}});
    settings.accounts = {{"juliet", "pencil"}};
    server_ = std::make_unique<RealServer>(prosody(), std::move(settings));
    LiveWorld world({.block = block_});
    server_->wait_until_ready(world, 203);
  }
  [[nodiscard]] std::optional<std::string> down() const {
    LiveWorld world({.block = block_ + 1000, .addresses = addresses_for(target_)});
    return subject_down(world, target_);
  }
  [[nodiscard]] reports::CaseResult run(std::function<void(CaseRun&)> body, std::uint64_t seed = 1) const {
    const CaseRecord record{.id = "remote.test",
                            .title = "t",
                            .procedure = "p",
                            .judges = {{must, {"xmpp.duplicates-stanzas"}}},
                            .needs = {Need::user_account},
                            .body = std::move(body)};
    return execute_case(record, {.world = WorldKind::live, .seed = seed, .block = block_ + 1000, .target = target_});
  }

  int block_;
  Target target_;
  std::unique_ptr<RealServer> server_;
};

/// A peer of ours that answers as a server does.
mocks::Partner& add_peer(Subject& subject) {
  constexpr auto kind = PartnerKind::sasl_external;
  return subject.world().add("peer", subject.peer_host(kind),
                             std::make_unique<mocks::Partner>(peer_settings(subject, kind, "romeo")));
}

TEST_F(RemoteServer, IsMetByPeersAndItsUserWritesAndReads) {
  if (const auto reason = unavailable(prosody())) GTEST_SKIP() << *reason;
  start();
  EXPECT_EQ(down(), std::nullopt);
  const auto result = run([](CaseRun& run) {
    const auto subject = make_subject(run);
    auto& peer = add_peer(*subject);
    auto& world = subject->world();
    peer.send_message("romeo", subject->user(), "in");
    CONFORMS(must, "the message came in", world.run_until([&] { return subject->received("in") == 1; }, 10s), Eq(true));
    EXPECT_THAT(subject->peer_domain(PartnerKind::sasl_external),
                testing::MatchesRegex("remote-test-[0-9a-f]{8}\\.peer\\.example"));
    subject->send_message(peer.bare_jid("romeo"), "out");
    CONFORMS(must, "the message went out",
             world.run_until([&] { return peer.user("romeo").messages.size() == 1; }, 10s), Eq(true));
    subject->send_message("ghost@absent.example", "nowhere");
    CONFORMS(must, "the sender was told", world.run_until([&] { return !subject->told("nowhere").empty(); }, 10s),
             Eq(true));
  });
  EXPECT_EQ(result.outcome, Outcome::pass) << result.reason << server_->log();
  EXPECT_EQ(result.world, "target");
}

TEST_F(RemoteServer, MeetsAllPeersAtOneAddress) {
  if (const auto reason = unavailable(prosody())) GTEST_SKIP() << *reason;
  remote().peers.push_back({PartnerKind::dialback_over_tls, "other.example", remote().peers.front().address});
  target_.offers.insert(Need::dialback);
  start();
  const auto result = run([](CaseRun& run) {
    const auto subject = make_subject(run);
    auto& world = subject->world();
    auto& peer = add_peer(*subject);
    const auto other_host = subject->peer_host(PartnerKind::dialback_over_tls);
    auto& other = world.add("other", other_host, std::make_unique<mocks::RawPeer>());
    EXPECT_EQ(world.address_of(other_host), world.address_of(subject->peer_host(PartnerKind::sasl_external)));
    const auto unlisted = subject->peer_domain(PartnerKind::plaintext_dialback);
    EXPECT_NE(unlisted, subject->peer_domain(PartnerKind::sasl_external)) << "another domain is another one";
    EXPECT_THAT(unlisted, testing::EndsWith(".peer.example"));
    const auto domain = subject->peer_domain(PartnerKind::dialback_over_tls);
    EXPECT_THAT(domain, testing::EndsWith(".other.example"));
    subject->send_message("romeo@" + domain, "to the other");
    CONFORMS(must, "the other peer was called",
             world.run_until([&] { return other.accepted_count() == 1 && other.last().has_item(); }, 10s), Eq(true));
    EXPECT_EQ(other.last().next_header()->tag.attribute_or_empty("to"), domain);
    subject->send_message(peer.bare_jid("romeo"), "to the peer");
    CONFORMS(must, "the peer got the message",
             world.run_until([&] { return peer.user("romeo").messages.size() == 1; }, 10s), Eq(true));
    EXPECT_EQ(other.accepted_count(), 1U);
  });
  EXPECT_EQ(result.outcome, Outcome::pass) << result.reason << server_->log();
}

/// The roster of the account, and what the next client to sign in is told besides.
TEST_F(RemoteServer, IsLeftAsItWasFoundThoughACaseFailsWithItsUserSignedOut) {
  if (const auto reason = unavailable(prosody())) GTEST_SKIP() << *reason;
  start();
  const auto failing = [](CaseRun& run) {
    const auto subject = make_subject(run);
    auto& peer = add_peer(*subject);
    const auto romeo = peer.bare_jid("romeo"), juliet = subject->user();
    auto& account = *subject->account();
    account.user("juliet").approves = false;
    account.send_presence("juliet", romeo, "subscribe");
    peer.send_presence("romeo", juliet, "subscribe");
    const auto& seen = account.user("juliet").presences;
    const auto subscribes = [](const auto& stanza) { return stanza.attribute_or_empty("type") == "subscribe"; };
    CONFORMS(must, "both asked", run.world().run_until([&] { return std::ranges::any_of(seen, subscribes); }, 10s),
             Eq(true));
    account.go_offline("juliet");
    throw std::runtime_error("the case breaks off");
  };
  EXPECT_THAT(run(failing).reason, HasSubstr("the case breaks off"));
  const auto next = run(
      [](CaseRun& run) {
        const auto subject = make_subject(run);
        auto& peer = add_peer(*subject);
        peer.send_message("romeo", subject->user(), "marker");
        CONFORMS(must, "the marker came", run.world().run_until([&] { return subject->received("marker") == 1; }, 10s),
                 Eq(true));
        std::vector<std::string> senders;
        for (const auto& stanza : subject->account()->user("juliet").presences)
          senders.push_back(stanza.attribute_or_empty("type") + " of " + stanza.attribute_or_empty("from"));
        CONFORMS(must, "presence", senders, ElementsAre(" of juliet@up.example/cutover"));
      },
      2);
  EXPECT_EQ(next.outcome, Outcome::pass) << next.checks.back().actual << server_->log();
  std::ifstream roster(server_->settings().folder / "data/up%2eexample/roster/juliet.dat");
  const std::string text((std::istreambuf_iterator<char>(roster)), {});
  EXPECT_THAT(text, testing::Not(HasSubstr("peer.example")));
}

TEST_F(RemoteServer, AnswersAKnownGoodExchangeAndIsWaitedForWhereItDoesNot) {
  if (const auto reason = unavailable(prosody())) GTEST_SKIP() << *reason;
  start();
  const auto answers = [&](const std::string& label, Duration limit) {
    LiveWorld world({.block = block_ + 1000, .addresses = addresses_for(target_)});
    return answers_nobody(world, target_, label, limit);
  };
  EXPECT_EQ(answers("known-good-1", 10s), std::nullopt);
  remote().domain = "other.example";
  EXPECT_EQ(answers("known-good-2", 4s), "known-good-2.peer.example");
}

TEST_F(RemoteServer, WrongPasswordIsNoFailureOfTheServer) {
  if (const auto reason = unavailable(prosody())) GTEST_SKIP() << *reason;
  start();
  remote().account->password = "wrong";
  EXPECT_THAT(down().value_or("up"), HasSubstr("does not let juliet@up.example in: authentication failed"));
  const auto result = run([](CaseRun& run) {
    (void)make_subject(run);
    CONFORMS(must, "the number", 1, Eq(1));
  });
  EXPECT_EQ(result.outcome, Outcome::broken);
  EXPECT_THAT(result.reason, HasSubstr("the account juliet@up.example cannot sign in"));
}

TEST_F(RemoteServer, AnotherDomainIsTold) {
  if (const auto reason = unavailable(prosody())) GTEST_SKIP() << *reason;
  start();
  remote().domain = "other.example";
  EXPECT_THAT(down().value_or("up"), HasSubstr("does not serve other.example (settings.domain): host-unknown"));
}

}  // namespace
}  // namespace cutover::harness
