// The driver of a server that is up already: a Prosody that nobody of the case has started.
#include "harness/subjects/target_subject.h"

#include "mocks/raw_peer.h"

#include "harness/subjects/reachability.h"
#include "harness/worlds/live_world.h"

#include <unistd.h>

#include <algorithm>

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using reports::Outcome;
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
  [[nodiscard]] reports::CaseResult run(std::function<void(CaseRun&)> body) const {
    const CaseRecord record{.id = "remote.test",
                            .title = "t",
                            .procedure = "p",
                            .judges = {{must, {"xmpp.duplicates-stanzas"}}},
                            .needs = {Need::user_account},
                            .body = std::move(body)};
    return execute_case(record, {.world = WorldKind::live, .block = block_ + 1000, .target = target_});
  }

  int block_;
  Target target_;
  std::unique_ptr<RealServer> server_;
};

/// A peer of ours that answers as a server does.
mocks::Partner& add_peer(Subject& subject) {
  mocks::PartnerSettings settings;
  settings.domain = subject.peer_domain(PartnerKind::sasl_external);
  settings.users = {"romeo"};
  settings.identity = subject.authority().issue({.names = {{tls::NameKind::dns, settings.domain}}});
  settings.dialback_secret = "secret";
  settings.name_server = subject.name_server();
  return subject.world().add("peer", subject.peer_host(PartnerKind::sasl_external),
                             std::make_unique<mocks::Partner>(std::move(settings)));
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
    subject->send_message("romeo@peer.example", "out");
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
    EXPECT_EQ(subject->peer_domain(PartnerKind::plaintext_dialback), "peer.example");
    EXPECT_EQ(subject->peer_host(PartnerKind::plaintext_dialback), subject->peer_host(PartnerKind::sasl_external));
    subject->send_message("romeo@other.example", "to the other");
    CONFORMS(must, "the other peer was called",
             world.run_until([&] { return other.accepted_count() == 1 && other.last().has_item(); }, 10s), Eq(true));
    EXPECT_EQ(other.last().next_header()->tag.attribute_or_empty("to"), "other.example");
    subject->send_message("romeo@peer.example", "to the peer");
    CONFORMS(must, "the peer got the message",
             world.run_until([&] { return peer.user("romeo").messages.size() == 1; }, 10s), Eq(true));
    EXPECT_EQ(other.accepted_count(), 1U);
  });
  EXPECT_EQ(result.outcome, Outcome::pass) << result.reason << server_->log();
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
