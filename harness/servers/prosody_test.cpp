// Prosody's settings as text, and its process: it starts, is looked after, and dies with its owner.
#include "harness/servers/prosody.h"

#include "harness/worlds/live_world.h"
#include "protocol/base/check.h"

#include <unistd.h>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::harness {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ProsodySettings settings_for(ProsodyMode mode, const std::string& name) {
  ProsodySettings settings;
  settings.domain = "a-b.test";
  settings.address = "127.250.3.4";
  settings.name_server = {"127.250.3.1", 10053};
  settings.mode = mode;
  settings.folder = std::filesystem::path(testing::TempDir()) / ("prosody-" + name + std::to_string(getpid()));
  settings.accounts = {{"juliet", "pass\"word\n"}};
  return settings;
}

TEST(ProsodyConfiguration, NamesTheAuthenticationOfEachMode) {
  const auto text = [](ProsodyMode mode) { return prosody_configuration(settings_for(mode, "text")); };
  EXPECT_THAT(text(ProsodyMode::external_only),
              AllOf(HasSubstr("s2s_secure_auth = true"), HasSubstr("modules_disabled = { \"dialback\"; }")));
  EXPECT_THAT(text(ProsodyMode::dialback_over_tls), AllOf(HasSubstr("s2s_require_encryption = true"),
                                                          HasSubstr("modules_disabled = { \"s2s_auth_certs\"; }")));
  EXPECT_THAT(text(ProsodyMode::external_and_dialback), HasSubstr("modules_disabled = {  }"));
  EXPECT_THAT(text(ProsodyMode::dialback_in_clear),
              AllOf(HasSubstr("s2s_require_encryption = false"),
                    HasSubstr("modules_disabled = { \"tls\"; \"s2s_auth_certs\"; }")));
}

TEST(ProsodyConfiguration, AsksOnlyOurNameServerFromItsOwnAddress) {
  const auto text = prosody_configuration(settings_for(ProsodyMode::external_only, "text"));
  EXPECT_THAT(text, AllOf(HasSubstr("resolvconf = false"), HasSubstr("\"127.250.3.1@10053\""),
                          HasSubstr("[\"outgoing-interface:\"] = \"127.250.3.4\"")));
}

TEST(ProsodyConfiguration, EscapesAccountFilesAsItsStorageDoes) {
  EXPECT_EQ(prosody_account_file("a-b.test", "o'neil"), "data/a%2db%2etest/accounts/o%27neil.dat");
}

/// A program in Prosody's place: the process side is the same for every program.
std::filesystem::path script(const ProsodySettings& settings, const std::string& body) {
  std::filesystem::create_directories(settings.folder);
  auto path = settings.folder / "program";
  std::ofstream(path) << "#!/bin/sh\n" << body;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

TEST(ProsodyProcess, IsEndedWithItsOwner) {
  auto settings = settings_for(ProsodyMode::external_only, "ended");
  settings.program = script(settings, "exec cat /dev/zero > /dev/null\n");
  {
    Prosody prosody(settings);
    EXPECT_TRUE(prosody.running());
    prosody.kill();
    EXPECT_FALSE(prosody.running());
    prosody.kill();  // again: no effect
  }
  std::filesystem::remove_all(settings.folder);
}

TEST(ProsodyProcess, KeepsWhatItSaidAndLeavesPrivateFiles) {
  auto settings = settings_for(ProsodyMode::external_only, "said");
  settings.program = script(settings, "echo \"told $*\"\n");
  Prosody prosody(settings);
  while (prosody.running()) {
  }
  EXPECT_THAT(prosody.log(), AllOf(HasSubstr("told --config"), HasSubstr("-F")));
  EXPECT_EQ(std::filesystem::status(settings.folder).permissions(), std::filesystem::perms::owner_all);
  std::ifstream account(settings.folder / prosody_account_file("a-b.test", "juliet"));
  std::string line;
  std::getline(account, line);
  EXPECT_EQ(line, R"(return { ["password"] = "pass\"word\010"; };)");
  std::filesystem::remove_all(settings.folder);
}

TEST(ProsodyProcess, RefusesAFolderThatCannotBeMade) {
  auto settings = settings_for(ProsodyMode::external_only, "refused");
  settings.program = "/bin/true";
  settings.folder = "/proc/nowhere";
  EXPECT_THROW(Prosody{settings}, HarnessFault);
}

/// A client by hand: says a line when connected, and a further one each time the answer so far holds what is waited
/// for.
class Talker : public Node {
 public:
  struct Turn {
    std::string say, until;
  };
  Talker(Endpoint target, std::vector<Turn> turns) : target_(std::move(target)), turns_(std::move(turns)) {}
  ~Talker() override {
    if (context_ != nullptr) context_->forget(*this);
  }
  Talker(const Talker&) = delete;
  Talker& operator=(const Talker&) = delete;

  void start(Context& context) override {
    context_ = &context;
    connection_ = context.connect(*this, target_);
    context.send(connection_, turns_.front().say);
  }
  void on_received(ConnectionId, std::string_view bytes) override {
    answer_ += bytes;
    while (!done() && answer_.find(turns_[turn_].until) != std::string::npos) {
      answer_.clear();
      if (++turn_ < turns_.size()) context_->send(connection_, turns_[turn_].say);
    }
  }
  [[nodiscard]] bool done() const { return turn_ == turns_.size(); }
  [[nodiscard]] const std::string& answer() const { return answer_; }

 private:
  Endpoint target_;
  std::vector<Turn> turns_;
  std::size_t turn_ = 0;
  Context* context_ = nullptr;
  ConnectionId connection_ = ConnectionId::none;
  std::string answer_;
};

/// Answers every question with "no such name", and remembers who asked.
class NoNames : public Node {
 public:
  ~NoNames() override {
    if (context_ != nullptr) context_->forget(*this);
  }
  void start(Context& context) override {
    context_ = &context;
    port_ = context.bind_datagram(*this, 10053);
  }
  void on_datagram(std::uint16_t, const Endpoint& from, std::string_view bytes) override {
    const auto end_of_name = bytes.find('\0', 12);
    if (end_of_name == std::string_view::npos || end_of_name + 5 > bytes.size()) return;
    askers_.insert(from.address);
    questions_ += bytes.substr(12, end_of_name - 12);
    std::string answer(bytes.substr(0, end_of_name + 5));
    answer.replace(2, 2, "\x81\x83");
    answer.replace(6, 6, std::string(6, '\0'));
    context_->send_to(port_, from, answer);
  }
  std::set<std::string> askers_;
  std::string questions_;

 private:
  Context* context_ = nullptr;
  std::uint16_t port_ = 0;
};

TEST(ProsodyProcess, SpeaksOnBothPortsAndAsksOurNameServer) {
  if (const auto reason = prosody_unavailable()) GTEST_SKIP() << *reason;
  LiveWorld world({.block = 63'000 + getpid() % 900});
  const auto authority = tls::make_openssl_authority(world.wall_clock());
  auto settings = settings_for(ProsodyMode::external_and_dialback, "real");
  settings.address = world.address_of(20);
  settings.name_server = {world.address_of(1), 10053};
  settings.certificate = authority->issue_pem({.names = {{tls::NameKind::dns, settings.domain}}});
  settings.accounts = {{"juliet", "secret"}};
  auto& names = world.add("names", 1, std::make_unique<NoNames>());
  Prosody prosody(settings);
  prosody.wait_until_ready(world, 2, 10s);

  const std::string namespaces = " xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='a-b.test'>";
  auto& server =
      world.add("server", 3,
                std::make_unique<Talker>(
                    Endpoint{settings.address, Prosody::s2s_port},
                    std::vector<Talker::Turn>{{"<stream:stream xmlns='jabber:server' from='b.test'" + namespaces,
                                               "xmpp-tls'><required/></starttls>"}}));
  EXPECT_TRUE(world.run_until([&] { return server.done(); }, 5s)) << server.answer();

  const std::string header = "<stream:stream xmlns='jabber:client'" + namespaces;
  auto& client = world.add(
      "client", 4,
      std::make_unique<Talker>(
          Endpoint{settings.address, Prosody::c2s_port},
          std::vector<Talker::Turn>{
              {header, "</stream:features>"},
              // NUL juliet NUL secret
              {"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldABzZWNyZXQ=</auth>",
               "<success"},
              {header, "</stream:features>"},
              {"<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "juliet@a-b.test/"},
              {"<message to='x@nowhere.test'><body>hi</body></message>", "remote-server-not-found"}}));
  EXPECT_TRUE(world.run_until([&] { return client.done(); }, 10s)) << client.answer() << prosody.log();
  EXPECT_THAT(names.questions_, HasSubstr("\x0c_xmpp-server\x04_tcp\x07nowhere\x04test"));
  EXPECT_THAT(names.askers_, testing::ElementsAre(settings.address));

  prosody.terminate();
  EXPECT_TRUE(prosody.wait_until_ended(world, 5, 10s));
  std::filesystem::remove_all(settings.folder);
}

}  // namespace
}  // namespace cutover::harness
