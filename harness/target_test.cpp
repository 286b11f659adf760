// Target files: what is read, and where a mistake is told to be.
#include "harness/target.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& yaml, const std::string& file = "t.yaml") {
  try {
    (void)parse_target(yaml, file);
  } catch (const TargetError& problem) {
    return problem.what();
  }
  return "no error";
}

/// A folder with the files that a target names.
class TargetFiles : public testing::Test {
 protected:
  TargetFiles() : folder_(std::filesystem::path(testing::TempDir()) / ("target-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    const auto authority = tls::make_openssl_authority(1'700'000'000);
    const auto pem = authority->issue_pem({.names = {{tls::NameKind::dns, "b.example"}}});
    put("peers.pem", pem.certificate_chain);
    put("peers.key", pem.private_key);
    put("root.pem", pem.root);
    put("rubbish.pem", "rubbish");
  }
  ~TargetFiles() override { std::filesystem::remove_all(folder_); }
  void put(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

TEST(Target, ProsodyFixturesAreRead) {
  const std::string folder = CUTOVER_SOURCE_DIR "/fixtures/targets/";
  EXPECT_EQ(std::get<ProsodyTarget>(load_target(folder + "prosody.yaml").driver).mode,
            ProsodyMode::external_and_dialback);
  EXPECT_EQ(std::get<ProsodyTarget>(load_target(folder + "prosody-dialback.yaml").driver).mode,
            ProsodyMode::dialback_over_tls);
}

TEST_F(TargetFiles, TheRemoteExampleIsCompleteButForItsFiles) {
  std::filesystem::copy_file(CUTOVER_SOURCE_DIR "/fixtures/targets/remote-example.yaml", path("t.yaml"));
  const auto target = load_target(path("t.yaml"));
  const auto& remote = std::get<RemoteTarget>(target.driver);
  EXPECT_EQ(remote.domain, "example.org");
  EXPECT_EQ(remote.s2s, (Endpoint{"192.0.2.10", 5269}));
  EXPECT_TRUE(remote.external && remote.dialback && remote.tls);
  EXPECT_EQ(remote.account->c2s.port, 5222);
  EXPECT_EQ(remote.peer_domains.size(), remote.peer_addresses.size());
  EXPECT_EQ(remote.name_server->port, 10053);
  EXPECT_THAT(remote.peer_identity.private_key, HasSubstr("PRIVATE KEY"));
}

TEST(Target, NamesFileLineAndExpectation) {
  EXPECT_THAT(error_of("name: x\ndriver: prosody\noffers: [moon]\n"), HasSubstr("t.yaml:3: expected one of sip_side"));
  EXPECT_THAT(error_of("nam: x\n"), HasSubstr("t.yaml:1: unknown key 'nam'; expected name, driver"));
  EXPECT_THAT(error_of("name: [\n"), HasSubstr("t.yaml:2: expected YAML"));
  EXPECT_THAT(error_of("[]"), HasSubstr("t.yaml:1: expected a target"));
  EXPECT_THAT(error_of("name: x\n"), HasSubstr("t.yaml:1: expected a key 'driver'"));
  EXPECT_THAT(error_of("name:\ndriver: prosody\n"), HasSubstr("t.yaml:1: expected a text for 'name'"));
  EXPECT_THAT(error_of("name: x\ndriver: pigeon\n"), HasSubstr("t.yaml:2: unknown driver 'pigeon', expected prosody"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\nallows: all\n"), HasSubstr("t.yaml:3: expected one of safe"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\noffers: [sip_side]\n"), HasSubstr("t.yaml:3: the driver prosody"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\nsettings: {mode: fast}\n"),
              HasSubstr("t.yaml:3: expected one of external-only, dialback-over-tls"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\nsettings: [1]\n"), HasSubstr("t.yaml:3: expected a map"));
  EXPECT_THAT(error_of("name: x\ndriver: remote\n"), HasSubstr("t.yaml:1: expected a key 'settings'"));
}

/// A remote target in clear, one line of which is replaced.
std::string remote(const std::string& line = {}, const std::string& instead = {}) {
  std::string yaml =
      "name: x\n"
      "driver: remote\n"
      "settings:\n"
      "  domain: a.example\n"
      "  s2s: 192.0.2.1:5269\n"
      "  tls: none\n"
      "  authentication: [dialback]\n"
      "  account: {user: u, password: p, c2s: 192.0.2.1:5222}\n"
      "  peers:\n"
      "    domains: [b.example]\n"
      "    addresses: [192.0.2.2]\n";
  if (const auto at = yaml.find(line); !line.empty()) yaml.replace(at, line.size(), instead);
  return yaml;
}

TEST(Target, NamesTheMistakesOfARemoteOne) {
  EXPECT_EQ(error_of(remote()), "no error");
  EXPECT_THAT(error_of(remote("  domain: a.example\n")), HasSubstr("t.yaml:4: expected a key 'domain'"));
  EXPECT_THAT(error_of(remote("192.0.2.1:5269", "192.0.2.1")), HasSubstr("t.yaml:5: expected ADDRESS:PORT for 's2s'"));
  EXPECT_THAT(error_of(remote("192.0.2.1:5269", "a.example:5269")), HasSubstr("t.yaml:5: expected an IPv4 address"));
  EXPECT_THAT(error_of(remote("192.0.2.1:5269", "192.0.2.256:5269")), HasSubstr("t.yaml:5: expected an IPv4 address"));
  EXPECT_THAT(error_of(remote("192.0.2.1:5269", "192.0.2.1:70000")), HasSubstr("t.yaml:5: expected ADDRESS:PORT"));
  EXPECT_THAT(error_of(remote("tls: none", "tls: maybe")), HasSubstr("t.yaml:6: expected required or none"));
  EXPECT_THAT(error_of(remote("[dialback]", "[kerberos]")), HasSubstr("t.yaml:7: expected external, dialback or both"));
  EXPECT_THAT(error_of(remote("[dialback]", "[external]")), HasSubstr("t.yaml:6: expected tls: required"));
  EXPECT_THAT(error_of(remote("password: p, ", "")), HasSubstr("t.yaml:8: expected a key 'password'"));
  EXPECT_THAT(error_of(remote("password: p", "password-file: absent")), HasSubstr("t.yaml:8: cannot read absent"));
  EXPECT_THAT(error_of(remote("addresses: [192.0.2.2]", "addresses: []")), HasSubstr("t.yaml:11: expected a list"));
  EXPECT_THAT(error_of(remote("[192.0.2.2]", "[192.0.2.2, 192.0.2.3]")), HasSubstr("t.yaml:11: expected as many"));
  EXPECT_THAT(error_of(remote("[b.example]", "[b.example, b.example]")), HasSubstr("t.yaml:10: 'b.example' is there"));
  EXPECT_THAT(error_of(remote("  tls: none\n")), HasSubstr("expected a key 'certificate', for tls is required"));
  EXPECT_THAT(error_of(remote("domains:", "colour: red\n    domains:")), HasSubstr("t.yaml:10: unknown key 'colour'"));
}

TEST_F(TargetFiles, WantAKeyWithACertificateAndPemInBoth) {
  const auto with = [&](const std::string& files) {
    return error_of(remote("    domains:", files + "    domains:"), path("t.yaml"));
  };
  EXPECT_EQ(with("    certificate: peers.pem\n    key: peers.key\n    trust: root.pem\n"), "no error");
  EXPECT_THAT(with("    certificate: peers.pem\n"), HasSubstr("t.yaml:10: expected a key 'key' beside 'certificate'"));
  EXPECT_THAT(with("    key: peers.key\n"), HasSubstr("t.yaml:10: expected a key 'certificate' beside 'key'"));
  EXPECT_THAT(with("    certificate: rubbish.pem\n    key: peers.key\n"), HasSubstr("t.yaml:10: "));
  EXPECT_THAT(with("    certificate: peers.pem\n    key: rubbish.pem\n"), HasSubstr("t.yaml:10: "));
  EXPECT_THAT(with("    certificate: peers.pem\n    key: peers.key\n    trust: rubbish.pem\n"),
              HasSubstr("t.yaml:10: the root holds no certificate"));
}

}  // namespace
}  // namespace cutover::harness
