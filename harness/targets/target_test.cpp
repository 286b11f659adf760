// Target files: what is read, and where a mistake is told to be.
#include "harness/targets/target.h"

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
 public:
  TargetFiles() : folder_(std::filesystem::path(testing::TempDir()) / ("target-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    put("authority.pem", tls::new_authority_pem(1'700'000'000));
    put("rubbish.pem", "rubbish");
    const auto authority = tls::make_openssl_authority(1'700'000'000);
    put("certificate.pem", authority->issue_pem({.names = {{tls::NameKind::dns, "b.example"}}}).certificate_chain);
  }
  ~TargetFiles() override { std::filesystem::remove_all(folder_); }

 protected:
  void put(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

TEST(Target, FixturesOfRealServersAreRead) {
  const std::string folder = CUTOVER_SOURCE_DIR "/fixtures/targets/";
  const auto target = [&](const std::string& name) {
    return std::get<LocalTarget>(load_target(folder + name + ".yaml").driver);
  };
  EXPECT_EQ(target("prosody").product, &prosody());
  EXPECT_EQ(target("prosody").mode, ServerMode::external_and_dialback);
  EXPECT_EQ(target("prosody-dialback").mode, ServerMode::dialback_over_tls);
  EXPECT_EQ(target("ejabberd").product, &ejabberd());
  EXPECT_EQ(target("ejabberd-opportunistic").mode, ServerMode::opportunistic);
  EXPECT_EQ(target("jabberd2").mode, ServerMode::dialback_over_tls);
  EXPECT_EQ(load_target(folder + "jabberd2.yaml").patience, usual_patience);
}

TEST_F(TargetFiles, TheRemoteExampleIsCompleteButForItsFiles) {
  std::filesystem::copy_file(CUTOVER_SOURCE_DIR "/fixtures/targets/remote-example.yaml", path("t.yaml"));
  const auto target = load_target(path("t.yaml"));
  const auto& remote = std::get<RemoteTarget>(target.driver);
  EXPECT_EQ(remote.domain, "example.org");
  EXPECT_EQ(remote.s2s, (Endpoint{"192.0.2.10", 5269}));
  EXPECT_EQ(remote.account->c2s.port, 5222);
  EXPECT_EQ(remote.peers.size(), 2U);
  EXPECT_EQ(remote.name_server->port, 10053);
  EXPECT_THAT(remote.authority, HasSubstr("PRIVATE KEY"));
  const auto addresses = addresses_for(target);
  EXPECT_EQ(addresses.at(target_host::peer(PartnerKind::dialback_over_tls)), "192.0.2.20");
  EXPECT_FALSE(addresses.contains(target_host::spare));
  EXPECT_EQ(addresses.at(target_host::name_server), "192.0.2.20");
  EXPECT_EQ(target.patience, remote_patience);
}

TEST(Target, NamesFileLineAndExpectation) {
  EXPECT_THAT(error_of("name: x\ndriver: prosody\noffers: [moon]\n"), HasSubstr("t.yaml:3: expected one of sip_side"));
  EXPECT_THAT(error_of("nam: x\n"), HasSubstr("t.yaml:1: unknown key 'nam'; expected name, driver"));
  EXPECT_THAT(error_of("name: [\n"), HasSubstr("t.yaml:2: expected YAML"));
  EXPECT_THAT(error_of("[]"), HasSubstr("t.yaml:1: expected a target"));
  EXPECT_THAT(error_of("name: x\n"), HasSubstr("t.yaml:1: expected a key 'driver'"));
  EXPECT_THAT(error_of("name:\ndriver: prosody\n"), HasSubstr("t.yaml:1: expected a text for 'name'"));
  EXPECT_THAT(error_of("name: x\ndriver: pigeon\n"),
              HasSubstr("t.yaml:2: unknown driver 'pigeon', expected prosody, ejabberd, jabberd2, remote"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\nallows: all\n"), HasSubstr("t.yaml:3: expected one of safe"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\npatience: soon\n"),
              HasSubstr("t.yaml:3: expected 1 to 600 seconds for 'patience'"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\noffers: [sip_side]\n"),
              HasSubstr("t.yaml:3: no driver can reach the sip_side"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\nsettings: {mode: fast}\n"),
              HasSubstr("t.yaml:3: expected one of external-only, dialback-over-tls"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\nsettings: {front: maybe}\n"),
              HasSubstr("t.yaml:3: expected true or false"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\noffers: [plaintext_dialback]\n"),
              HasSubstr("t.yaml:3: Prosody in mode external-and-dialback does not offer plaintext_dialback"));
  EXPECT_THAT(error_of("name: x\ndriver: jabberd2\noffers: [sasl_external]\nsettings: {mode: opportunistic}\n"),
              HasSubstr("t.yaml:3: jabberd2 in mode opportunistic does not offer sasl_external"));
  EXPECT_THAT(error_of("name: x\ndriver: jabberd2\nsettings: {mode: external-only}\n"),
              HasSubstr("t.yaml:3: expected one of dialback-over-tls, dialback-in-clear, opportunistic"));
  EXPECT_THAT(error_of("name: x\ndriver: prosody\nsettings: [1]\n"), HasSubstr("t.yaml:3: expected a map"));
  EXPECT_THAT(error_of("name: x\ndriver: remote\n"), HasSubstr("t.yaml:1: expected a key 'settings'"));
}

/// A remote target in clear, one line of which is replaced.
std::string remote(const std::string& line = {}, const std::string& instead = {}) {
  std::string yaml =
      "name: x\n"
      "driver: remote\n"
      "offers: [user_account, plaintext_dialback]\n"
      "settings:\n"
      "  domain: a.example\n"
      "  s2s: 192.0.2.1:5269\n"
      "  account: {user: u, password: p, c2s: 192.0.2.1:5222, plain-in-clear: true}\n"
      "  peers:\n"
      "    - {kind: plaintext-dialback, domain: b.example, address: 192.0.2.2}\n";
  if (const auto at = yaml.find(line); !line.empty()) yaml.replace(at, line.size(), instead);
  return yaml;
}

TEST(Target, NamesTheMistakesOfARemoteOne) {
  EXPECT_EQ(error_of(remote()), "no error");
  const auto spares = [](const std::string& list) { return remote("  peers:", "  spares: " + list + "\n  peers:"); };
  EXPECT_TRUE(parse_target(spares("[192.0.2.3, 192.0.2.4]"), "t.yaml").offers.contains(Need::spare_addresses));
  EXPECT_THAT(error_of(spares("[192.0.2.3]")), HasSubstr("t.yaml:8: expected 2 to 10 addresses for 'spares'"));
  EXPECT_THAT(error_of(spares("[192.0.2.3, 192.0.2.2]")), HasSubstr("t.yaml:8: 192.0.2.2 is the address of a peer"));
  EXPECT_THAT(error_of(spares("[192.0.2.3, b.example]")), HasSubstr("t.yaml:8: expected an IPv4 address"));
  EXPECT_THAT(error_of(remote("[user_account", "[spare_addresses, user_account")),
              HasSubstr("t.yaml:3: spare_addresses follows from the key 'spares'"));
  EXPECT_THAT(error_of(remote("[user_account", "[authority, user_account")),
              HasSubstr("t.yaml:3: authority follows from the key 'authority'"));
  EXPECT_THAT(error_of(remote("  domain: a.example\n")), HasSubstr("t.yaml:5: expected a key 'domain'"));
  EXPECT_THAT(error_of(remote("domain: a.example", "domain: 'a b/c'")), HasSubstr("t.yaml:5: expected a domain, not"));
  EXPECT_THAT(error_of(remote("domain: b.example", "domain: A.example")), HasSubstr("is the target's own domain"));
  EXPECT_THAT(error_of(remote("192.0.2.1:5269", "192.0.2.1")), HasSubstr("t.yaml:6: expected ADDRESS:PORT for 's2s'"));
  EXPECT_THAT(error_of(remote("192.0.2.1:5269", "a.example:5269")), HasSubstr("t.yaml:6: expected an IPv4 address"));
  EXPECT_THAT(error_of(remote("192.0.2.1:5269", "192.0.2.256:5269")), HasSubstr("t.yaml:6: expected an IPv4 address"));
  EXPECT_THAT(error_of(remote("192.0.2.1:5269", "192.0.2.1:70000")), HasSubstr("t.yaml:6: expected ADDRESS:PORT"));
  EXPECT_THAT(error_of(remote("password: p, ", "")), HasSubstr("t.yaml:7: expected a key 'password'"));
  EXPECT_THAT(error_of(remote("password: p", "password-file: absent")),
              HasSubstr("t.yaml:7: cannot read absent: it cannot be read: No such file"));
  EXPECT_THAT(error_of(remote("  account: {user: u, password: p, c2s: 192.0.2.1:5222, plain-in-clear: true}\n")),
              HasSubstr("t.yaml:5: expected a key 'account'"));
  EXPECT_THAT(error_of(remote("kind: plaintext-dialback", "kind: pigeon")),
              HasSubstr("t.yaml:9: expected one of sasl"));
  EXPECT_THAT(error_of(remote("kind: plaintext-dialback, ", "")), HasSubstr("t.yaml:9: expected one of sasl"));
  EXPECT_THAT(error_of(remote("address: 192.0.2.2", "address: b")), HasSubstr("t.yaml:9: expected an IPv4 address"));
  EXPECT_THAT(error_of(remote(", address: 192.0.2.2", "")), HasSubstr("t.yaml:9: expected a key 'address'"));
  EXPECT_THAT(error_of(remote("{kind", "{colour: red, kind")), HasSubstr("t.yaml:9: unknown key 'colour'"));
  EXPECT_THAT(error_of(remote("kind: plaintext-dialback", "kind: sasl-external")),
              HasSubstr("expected a key 'authority', or 'certificate' and 'key' of b.example, for it authenticates"));
  EXPECT_THAT(error_of(remote(", plaintext_dialback]", "]")), HasSubstr("t.yaml:9: a peer of kind plaintext-dialback"));
  EXPECT_THAT(error_of(remote("[user_account,", "[dialback,")), HasSubstr("expected a peer of kind dialback-over-tls"));
}

TEST(Target, HasSeveralPeersOfAKindWhereSomebodyElseNamesThem) {
  const std::string twice = "    - {kind: plaintext-dialback, domain: c.example, address: 192.0.2.2}\n";
  const auto target = parse_target(remote() + twice, "t.yaml");
  EXPECT_EQ(peers_of(std::get<RemoteTarget>(target.driver), PartnerKind::plaintext_dialback), 2U);
  EXPECT_FALSE(target.offers.contains(Need::unmet_peers));
  EXPECT_FALSE(target.offers.contains(Need::peer_zones));
  const std::string elsewhere = "    - {kind: plaintext-dialback, domain: c.example, address: 192.0.2.3}\n";
  EXPECT_THAT(error_of(remote() + elsewhere),
              HasSubstr("t.yaml:10: expected the address of the other peer of kind plaintext-dialback, 192.0.2.2"));
}

TEST(Target, HasPeersOfItsOwnForEachCaseWhereWeNameThem) {
  const auto with_name_server = remote("  peers:", "  name-server: 192.0.2.2:10053\n  peers:");
  const auto target = parse_target(with_name_server, "t.yaml");
  EXPECT_TRUE(names_its_peers(target));
  EXPECT_TRUE(target.offers.contains(Need::unmet_peers));
  EXPECT_TRUE(target.offers.contains(Need::peer_zones));
  EXPECT_EQ(addresses_for(target).at(target_host::peer(PartnerKind::sasl_external)), "192.0.2.2")
      << "another domain is another peer, on the one address";
  const std::string twice = "    - {kind: plaintext-dialback, domain: c.example, address: 192.0.2.2}\n";
  EXPECT_THAT(error_of(with_name_server + twice), HasSubstr("expected one peer of kind plaintext-dialback only"));
  EXPECT_THAT(error_of(remote("[user_account", "[unmet_peers, user_account")),
              HasSubstr("t.yaml:3: unmet_peers follows from the key 'name-server'"));
  auto listed = with_name_server;
  listed.replace(listed.find("[user_account"), 1, "[partner_list, ");
  EXPECT_FALSE(names_its_peers(parse_target(listed, "t.yaml"))) << "nobody has listed the domains of a case there";
}

TEST(Target, OfACaseMeetsTheKindsThatItNeeds) {
  Target target;
  target.offers = {Need::dialback, Need::plaintext_dialback};
  EXPECT_THAT(kinds_met({Need::user_account}, target), testing::ElementsAre(PartnerKind::dialback_over_tls));
  EXPECT_THAT(kinds_met({Need::plaintext_dialback, Need::user_account}, target),
              testing::ElementsAre(PartnerKind::plaintext_dialback));
}

TEST_F(TargetFiles, BringCertificatesOfAnotherAuthority) {
  const auto company = tls::make_openssl_authority(1'700'000'000);
  const auto issued = company->issue_pem({.names = {{tls::NameKind::dns, "b.example"}}});
  put("b.pem", issued.certificate_chain);
  put("b.key", issued.private_key);
  put("company.pem", issued.root);
  const auto with = [&](const std::string& peer, const std::string& trust) {
    return "name: x\ndriver: remote\noffers: [sasl_external]\nsettings:\n  domain: a.example\n  s2s: 192.0.2.1:5269\n" +
           trust + "  peers:\n    - {kind: sasl-external, domain: b.example, address: 192.0.2.2" + peer + "}\n";
  };
  const std::string own = ", certificate: b.pem, key: b.key", trust = "  trust: [company.pem]\n";
  const auto target = parse_target(with(own, trust), path("t.yaml"));
  EXPECT_FALSE(target.offers.contains(Need::authority));
  EXPECT_TRUE(target.offers.contains(Need::tls));
  const auto& remote = std::get<RemoteTarget>(target.driver);
  const auto authority = authority_of(remote, 1'700'000'000);
  EXPECT_EQ(authority->issue_pem({.names = {{tls::NameKind::dns, "B.example"}}}).certificate_chain,
            issued.certificate_chain);
  EXPECT_NE(authority->issue_pem({.names = {{tls::NameKind::dns, "c.example"}}}).certificate_chain,
            issued.certificate_chain);
  const auto error = [&](const std::string& peer, const std::string& roots) {
    return error_of(with(peer, roots), path("t.yaml"));
  };
  EXPECT_THAT(error("", trust), HasSubstr("'certificate' and 'key' of b.example"));
  EXPECT_THAT(error(own, ""), HasSubstr("expected a key 'authority' or 'trust'"));
  EXPECT_THAT(error(", certificate: b.pem", trust), HasSubstr("t.yaml:9: expected a key 'key'"));
  EXPECT_THAT(error(", certificate: b.pem, key: authority.pem", trust), HasSubstr("does not belong to the first"));
  EXPECT_THAT(error(", certificate: rubbish.pem, key: b.key", trust), HasSubstr("holds no certificate"));
  EXPECT_THAT(error(own, "  trust: [rubbish.pem]\n"), HasSubstr("t.yaml:7: the root holds no certificate"));
  EXPECT_THAT(error(own, "  trust: [absent.pem]\n"), HasSubstr("t.yaml:7: cannot read"));
}

TEST_F(TargetFiles, SayWhichServerMayHaveThePassword) {
  const auto with = [&](const std::string& line, const std::string& authority = {}) {
    auto yaml = remote(", plain-in-clear: true", line.empty() ? "" : ", " + line);
    if (!authority.empty()) yaml.insert(yaml.find("  account:"), "  authority: " + authority + "\n");
    return yaml;
  };
  const auto account_of = [&](const std::string& yaml) {
    return *std::get<RemoteTarget>(parse_target(yaml, path("t.yaml")).driver).account;
  };
  EXPECT_THAT(error_of(with("")), HasSubstr("t.yaml:7: nothing says which server may have the password"));
  EXPECT_THAT(error_of(with("plain-in-clear: false")), HasSubstr("nothing says which server"));
  EXPECT_THAT(error_of(with("plain-in-clear: perhaps")), HasSubstr("t.yaml:7: expected true or false"));
  EXPECT_TRUE(account_of(with("plain-in-clear: true")).plain_in_clear);
  EXPECT_FALSE(account_of(with("", "authority.pem")).plain_in_clear);
  EXPECT_THAT(error_of(with("fingerprint: 12:34")), HasSubstr("t.yaml:7: expected the SHA-256 of a certificate"));
  std::string octets = "AB";
  for (int i = 1; i < 32; ++i) octets += ":0" + std::to_string(i % 10);
  EXPECT_THAT(account_of(with("fingerprint: '" + octets + "'")).fingerprint, testing::StartsWith("ab0102"));
}

TEST(Target, HasSecretsWhereItHasAnAccount) {
  EXPECT_TRUE(has_secrets(parse_target(remote(), "t.yaml")));
  EXPECT_FALSE(has_secrets(parse_target("name: x\ndriver: prosody\n", "t.yaml")));
}

TEST_F(TargetFiles, WantAnAuthorityWithItsKeys) {
  const auto with = [&](const std::string& file) {
    return error_of(remote("  account:", "  authority: " + file + "\n  account:"), path("t.yaml"));
  };
  EXPECT_EQ(with("authority.pem"), "no error");
  EXPECT_THAT(with("absent.pem"), HasSubstr("; expected a file beside"));
  EXPECT_THAT(with("rubbish.pem"), HasSubstr("t.yaml:7: expected PEM text of an authority"));
  EXPECT_THAT(with("certificate.pem"),
              HasSubstr("t.yaml:7: expected PEM text of an authority: the certificate and the key"));
}

}  // namespace
}  // namespace cutover::harness
