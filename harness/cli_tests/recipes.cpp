// The recipes of fixtures/targets/recipes as written: what they say to prepare is done, a Prosody stands where they say
// that the target is, and a few cases are judged there.
#include "harness/cli_tests/program.h"
#include "harness/running/block_lease.h"
#include "harness/running/descriptor.h"
#include "harness/servers/real_server.h"
#include "harness/subjects/target_subject.h"
#include "harness/worlds/live_world.h"
#include "mocks/name_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <sstream>
#include <thread>

namespace cutover::cli_tests {
namespace {

namespace fs = std::filesystem;
using harness::ServerMode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The addresses of a recipe are for one process of this machine at a time.
class Turn {
 public:
  explicit Turn(const std::string& recipe) : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto name = "cutover-recipe-" + recipe;
    name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    for (int i = 0; ::bind(descriptor_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0; ++i) {
      if (i == 3000) throw std::runtime_error("the addresses of the recipe are never free");
      ::poll(nullptr, 0, 20);
    }
  }

 private:
  harness::Descriptor descriptor_;
};

/// A name server of somebody else, for a target whose own DNS names the peers.
class OwnNames {
 public:
  OwnNames(const std::string& address, const std::string& peer, const std::string& peer_address)
      : thread_([this, address, peer, peer_address] {
          harness::LiveWorld world({.addresses = {{1, address}}, .notes = false});
          dns::DnsServer names;
          harness::publish(names, peer, peer, {peer_address, harness::RealServer::s2s_port});
          world.add("names", 1, std::make_unique<mocks::NameServer>(std::move(names)));
          while (!over_) world.run_for(std::chrono::milliseconds(20));
        }) {}
  ~OwnNames() {
    over_ = true;
    thread_.join();
  }
  OwnNames(const OwnNames&) = delete;
  OwnNames& operator=(const OwnNames&) = delete;

 private:
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

class Recipe : public CommandLine {
 protected:
  /// Copies the recipe into a folder of its own, does what its comment says to prepare, and starts the target.
  void prepare(const std::string& name, int number, ServerMode mode,
               const std::function<void(harness::ServerSettings&)>& otherwise = {}) {
    if (const auto reason = harness::unavailable(harness::prosody())) GTEST_SKIP() << *reason;
    turn_.emplace(name);
    recipe_ = path(name + ".yaml");
    fs::copy_file(CUTOVER_SOURCE_DIR "/fixtures/targets/recipes/" + name + ".yaml", recipe_);
    (void)file("password", "pencil\nof juliet\n");
    follow(content(recipe_));
    harness::ServerSettings settings;
    settings.domain = "target.example";
    settings.address = address(number, 10);
    settings.name_server = {address(number, 20), mocks::name_server_port};
    settings.mode = mode;
    const auto folder = fs::exists(path("company")) ? path("company") : path("lab");
    if (mode == ServerMode::dialback_over_tls) {
      settings.certificate =
          tls::make_openssl_authority(harness::LiveWorld().wall_clock())
              ->issue_pem({.names = {{tls::NameKind::dns, settings.domain}}, .flaw = tls::Flaw::self_signed});
    } else {
      settings.certificate = {content(folder + "/target.example.pem"), content(folder + "/target.example.key"),
                              content(folder + "/root.pem")};
    }
    settings.accounts = {{"juliet", "pencil"}};
    if (otherwise) otherwise(settings);
    server_ = std::make_unique<harness::RealServer>(harness::prosody(), std::move(settings));
    const harness::BlockLease lease;
    harness::LiveWorld world({.block = lease.block(), .notes = false});
    server_->wait_until_ready(world, 1);
  }
  static std::string address(int number, int host) { return fmt::format("127.252.{}.{}", number, host); }

  /// Runs cases with the recipe as it is, with the usual workers.
  [[nodiscard]] Ended judged(std::vector<std::string> cases, const std::string& recipe = {}) const {
    const auto baseline = std::string(CUTOVER_SOURCE_DIR) + "/fixtures/baselines/prosody.yaml";
    cases.insert(cases.end(), {"--target", recipe.empty() ? recipe_ : recipe, "--baseline", baseline, "--seed=1"});
    return run(std::move(cases));
  }
  /// All of the cases were judged, and nothing was found but what Prosody is known for; beside them, all that it sent.
  void expect_conforming(const std::vector<std::string>& cases) const {
    const auto ended = judged(cases);
    expect(ended, 0,
           AllOf(HasSubstr(fmt::format(" in {} case", cases.size() + 1)), HasSubstr("conforming"),
                 Not(HasSubstr("did not come to")), Not(HasSubstr("unsupported:"))));
    EXPECT_EQ(outcomes("broken") + outcomes("unsupported") + outcomes("inconclusive"), 0U) << ended.output;
  }
  [[nodiscard]] std::string with(const std::vector<std::pair<std::string, std::string>>& changes) const {
    auto text = content(recipe_);
    for (const auto& [words, instead] : changes) {
      const auto at = text.find(words);
      if (at == std::string::npos) throw std::runtime_error("the recipe has no " + words);
      text.replace(at, words.size(), instead);
    }
    return file("changed.yaml", text);
  }
  [[nodiscard]] std::string with(const std::string& words, const std::string& instead) const {
    return with({{words, instead}});
  }

 private:
  /// The lines of its comment that begin with `cutover authority`.
  void follow(const std::string& recipe) const {
    std::istringstream lines(recipe);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string word;
      if (!(words >> word) || word != "#" || !(words >> word) || word != "cutover") continue;
      std::vector<std::string> arguments;
      while (words >> word) arguments.push_back(word);
      if (arguments.front() != "authority") continue;
      expect(Program(arguments, CUTOVER_PROGRAM, folder()).end(), 0, HasSubstr(".pem"));
    }
  }
  [[nodiscard]] std::size_t outcomes(const std::string& outcome) const {
    const auto json = content(path("out/run.json"));
    const auto mark = "\"outcome\":\"" + outcome + "\"";
    std::size_t found = 0;
    for (auto at = json.find(mark); at != std::string::npos; at = json.find(mark, at + 1)) ++found;
    return found;
  }

  std::optional<Turn> turn_;
  std::string recipe_;
  std::unique_ptr<harness::RealServer> server_;
};

TEST_F(Recipe, ExternalOnly) {
  ASSERT_NO_FATAL_FAILURE(prepare("external-only", 1, ServerMode::external_only));
  if (IsSkipped()) return;
  expect_conforming({"authentication.delivers", "authentication.bad-certificates", "tls.certificate-proves-server",
                     "tls.certificate-proves-client", "tls.required"});
  // One wrong line each, and what is said of it.
  expect(judged({"tls.required"}, with("s2s: 127.252.1.10:5269", "s2s: 127.252.1.10:5222")), 3,
         AllOf(HasSubstr("127.252.1.10:5222 (settings.s2s)"), HasSubstr("the port for clients")));
  expect(judged({"tls.required"}, with("domain: target.example", "domain: other.example")), 3,
         HasSubstr("does not serve other.example (settings.domain): host-unknown"));
}

TEST_F(Recipe, ThatDeclaresTooMuchIsOneFinding) {
  ASSERT_NO_FATAL_FAILURE(prepare("external-only", 1, ServerMode::external_only));
  if (IsSkipped()) return;
  const auto recipe = with({{"sasl_external,", "sasl_external, dialback,"},
                            {"  authority:",
                             "    - {kind: dialback-over-tls, domain: b.example, address: 127.252.1.20}\n"
                             "  authority:"}});
  expect(judged({"target.external", "target.dialback", "dialback.verified"}, recipe), 1,
         AllOf(HasSubstr("the subject has a key verified inside TLS"), HasSubstr("1 case failed"),
               HasSubstr("dialback is declared, and the subject does not have it: see target.dialback")));
}

TEST_F(Recipe, DialbackOnly) {
  ASSERT_NO_FATAL_FAILURE(prepare("dialback-only", 2, ServerMode::dialback_over_tls));
  if (IsSkipped()) return;
  expect_conforming({"tls.certificate-as-server", "tls.versions-as-server", "target.dialback"});
}

TEST_F(Recipe, ExternalAndDialback) {
  ASSERT_NO_FATAL_FAILURE(prepare("external-and-dialback", 3, ServerMode::external_and_dialback));
  if (IsSkipped()) return;
  expect_conforming({"authentication.delivers", "dialback.verified", "account.messages-both-ways"});
}

TEST_F(Recipe, Plaintext) {
  ASSERT_NO_FATAL_FAILURE(prepare("plaintext", 4, ServerMode::dialback_in_clear, [](auto& settings) {
    const auto authority = tls::make_openssl_authority(harness::LiveWorld().wall_clock());
    settings.certificate = authority->issue_pem({.names = {{tls::NameKind::dns, settings.domain}}});
  }));
  if (IsSkipped()) return;
  expect_conforming({"account.messages-both-ways", "account.messages-in-order", "target.plaintext-dialback"});
}

TEST_F(Recipe, OneAddress) {
  ASSERT_NO_FATAL_FAILURE(prepare("one-address", 5, ServerMode::external_and_dialback));
  if (IsSkipped()) return;
  expect_conforming({"authentication.delivers", "authentication.good-certificates", "dialback.verified",
                     "dialback.key-before-stanzas", "account.messages-both-ways", "stream.response-header",
                     "security.no-service-in-clear", "tls.certificate-as-client", "target.tls-required"});
  expect(judged({"dns.next-target", "stream.ids"}), 0, HasSubstr("does not declare that it offers spare_addresses"));
}

TEST_F(Recipe, OwnDns) {
  const OwnNames names(address(6, 30), "peer.example", address(6, 20));
  ASSERT_NO_FATAL_FAILURE(prepare("own-dns", 6, ServerMode::external_only, [](auto& settings) {
    settings.name_server = {address(6, 30), mocks::name_server_port};
  }));
  if (IsSkipped()) return;
  expect_conforming({"authentication.delivers", "tls.certificate-proves-client"});
  expect(judged({"stream.ids"}, with("domain: peer.example", "domain: absent.example")), 0,
         AllOf(HasSubstr("note: the target did not come to absent.example"), HasSubstr("remote-server-not-found"),
               HasSubstr("_xmpp-server._tcp.absent.example")));
  const auto unused = with({{"domain: peer.example", "domain: absent.example"},
                            {"  authority:", "  name-server: 127.252.6.20:10053\n  authority:"}});
  expect(judged({"stream.ids"}, unused), 0,
         HasSubstr("our name server (settings.name-server) was never asked for anything; does the target use it?"));
}

TEST_F(Recipe, CompanyAuthority) {
  ASSERT_NO_FATAL_FAILURE(prepare("company-ca", 7, ServerMode::external_only));
  if (IsSkipped()) return;
  expect_conforming({"authentication.delivers", "tls.certificate-proves-server", "tls.certificate-as-client"});
  expect(judged({"authentication.bad-certificates", "stream.ids"}), 0,
         HasSubstr("does not declare that it offers authority"));
}

TEST_F(Recipe, DirectTls) {
  ASSERT_NO_FATAL_FAILURE(
      prepare("direct-tls", 8, ServerMode::external_only, [](auto& settings) { settings.direct_tls = true; }));
  if (IsSkipped()) return;
  expect_conforming({"tls.direct", "tls.direct-trust", "authentication.delivers"});
  expect(judged({"stream.ids"}, with("s2s: 127.252.8.10:5269", "s2s: 127.252.8.10:5270")), 3,
         AllOf(HasSubstr("it speaks TLS from the first octet, for servers"), HasSubstr("settings.s2s-direct-tls")));
}

TEST_F(Recipe, ScramAccount) {
  ASSERT_NO_FATAL_FAILURE(prepare("scram-account", 9, ServerMode::external_only));
  if (IsSkipped()) return;
  expect_conforming({"account.messages-both-ways"});
  EXPECT_THAT(content(path("out/results.jsonl")), AllOf(HasSubstr("auth SCRAM-SHA-1"), Not(HasSubstr("pencil"))));
}

TEST_F(Recipe, PlainAccount) {
  ASSERT_NO_FATAL_FAILURE(
      prepare("plain-account", 10, ServerMode::external_only, [](auto& settings) { settings.plain_only = true; }));
  if (IsSkipped()) return;
  expect_conforming({"account.messages-both-ways"});
  EXPECT_THAT(content(path("out/results.jsonl")), AllOf(HasSubstr("auth PLAIN"), Not(HasSubstr("pencil"))));
}

TEST(Recipes, AreAllTested) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(CUTOVER_SOURCE_DIR "/fixtures/targets/recipes"))
    files += entry.exists();
  EXPECT_EQ(files, 10U);
}

}  // namespace
}  // namespace cutover::cli_tests
