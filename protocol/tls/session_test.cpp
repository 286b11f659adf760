// Both kinds of TLS against the same expectations: flaws in both roles, names, ends, alerts, smuggling, replay.
#include "protocol/tls/authority.h"
#include "protocol/tls/identity.h"
#include "protocol/tls/randomness.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace cutover::tls {
namespace {

constexpr std::time_t wall_clock = 1'400'000'000;
const std::string domain = "a.example";

CertificateRequest request(Flaw flaw = Flaw::none) {
  return {.names = {{NameKind::dns, domain}}, .common_name = {}, .flaw = flaw};
}

struct Pair {
  std::unique_ptr<Session> client, server;
  std::string wire;  // all octets, both ways, in order

  bool exchange_once() {
    const std::string up = client->take_cipher();
    server->put_cipher(up);
    (void)server->handshake();
    const std::string down = server->take_cipher();
    client->put_cipher(down);
    (void)client->handshake();
    wire += up + down;
    return !up.empty() || !down.empty();
  }
  void run() {
    (void)client->handshake();
    while (exchange_once()) {
    }
  }
};

using Maker = std::unique_ptr<Authority> (*)(std::time_t);

class EveryTls : public testing::TestWithParam<Maker> {
 protected:
  Pair make_pair(const CertificateRequest& client, const CertificateRequest& server,
                 const SessionOptions& at_server = {}, SessionOptions at_client = {}) {
    if (at_client.server_name.empty()) at_client.server_name = domain;
    Pair pair{authority_->issue(client)->session(Role::client, at_client),
              authority_->issue(server)->session(Role::server, at_server),
              {}};
    return pair;
  }
  std::unique_ptr<Authority> authority_ = GetParam()(wall_clock);
};

TEST_P(EveryTls, CarriesDataBothWaysAndEndsInOrder) {
  Pair pair = make_pair(request(), request());
  pair.client->write("early");
  pair.run();
  ASSERT_EQ(pair.client->handshake(), Progress::established);
  ASSERT_EQ(pair.server->handshake(), Progress::established);
  const std::string large(100'000, 'x');
  pair.client->write(large);
  pair.server->write("down");
  std::string up = pair.server->read();
  pair.exchange_once();
  up += pair.server->read();
  EXPECT_TRUE(up == "early" + large);
  EXPECT_EQ(pair.client->read(), "down");
  EXPECT_EQ(pair.server->server_name(), domain);
  EXPECT_FALSE(pair.server->peer_closed());

  pair.client->close();
  pair.exchange_once();
  EXPECT_EQ(pair.server->read(), "");
  EXPECT_TRUE(pair.server->peer_closed());
  EXPECT_EQ(pair.server->failure(), "");
  // Half closed: the other direction goes on until it is closed as well.
  pair.server->write("last words");
  pair.server->close();
  pair.exchange_once();
  EXPECT_EQ(pair.client->read(), "last words");
  EXPECT_TRUE(pair.client->peer_closed());
}

TEST_P(EveryTls, DoesNotLookLikeXmlOrShowCloseWithoutIt) {
  Pair pair = make_pair(request(), request());
  pair.run();
  EXPECT_EQ(pair.wire[0], '\x16');
  EXPECT_EQ(pair.server->read(), "");
  EXPECT_FALSE(pair.server->peer_closed());  // an end of the connection now is a truncation
}

TEST_P(EveryTls, JudgesEveryFlawInBothRoles) {
  struct Expectation {
    Flaw flaw;
    std::string error;
    bool covers = true;
  };
  const std::vector<Expectation> expectations{
      {Flaw::none, ""},
      {Flaw::expired, "certificate has expired"},
      {Flaw::not_yet_valid, "certificate is not yet valid"},
      {Flaw::wrong_name, "", false},
      {Flaw::wildcard, "", false},
      {Flaw::self_signed, "self-signed certificate"},
      {Flaw::unknown_root, "unable to get local issuer certificate"},
      {Flaw::missing_intermediate, "unable to get local issuer certificate"},
      {Flaw::wrong_eku, "unsuitable certificate purpose"},
      {Flaw::server_only_eku, ""},
      {Flaw::ca_true_leaf, "CA certificate used as an end entity's"},
      {Flaw::bad_signature, "certificate signature failure"},
      {Flaw::issuer_no_ca, "invalid CA certificate"},
  };
  for (const auto& [flaw, error, covered] : expectations) {
    SCOPED_TRACE(static_cast<int>(flaw));
    Pair pair = make_pair(request(flaw), request(flaw));
    pair.run();
    ASSERT_EQ(pair.client->handshake(), Progress::established);
    ASSERT_EQ(pair.server->handshake(), Progress::established);
    for (const Session* session : {pair.client.get(), pair.server.get()}) {
      const auto peer = session->peer_certificate();
      ASSERT_TRUE(peer);
      EXPECT_EQ(peer->chain_error, error);
      EXPECT_EQ(peer->chain_valid, error.empty());
      EXPECT_EQ(covers(*peer, domain), covered);
      EXPECT_EQ(authenticates(*peer, domain), covered && error.empty());
      EXPECT_EQ(satisfies(*peer, EkuRule::need_client_for_client),
                flaw != Flaw::wrong_eku && flaw != Flaw::server_only_eku);
      EXPECT_EQ(satisfies(*peer, EkuRule::need_server_for_server), flaw != Flaw::wrong_eku);
    }
  }
}

TEST_P(EveryTls, LetsAClientWithoutCertificateInOnlyWhereNoneIsRequired) {
  Pair soft = make_pair(request(Flaw::no_certificate), request());
  soft.run();
  EXPECT_EQ(soft.server->handshake(), Progress::established);
  EXPECT_FALSE(soft.server->peer_certificate());

  Pair strict = make_pair(request(Flaw::no_certificate), request(), {.require_client_certificate = true});
  strict.run();
  EXPECT_EQ(strict.server->handshake(), Progress::failed);
  EXPECT_NE(strict.server->failure(), "");
  // The client was established before; the alert reaches it where it reads, so the failed side's output was drained.
  EXPECT_EQ(strict.client->handshake(), Progress::established);
  EXPECT_EQ(strict.client->read(), "");
  EXPECT_THAT(strict.client->failure(), testing::HasSubstr("certificate required"));
  EXPECT_FALSE(strict.client->peer_closed());

  Pair unasked = make_pair(request(), request(), {.request_client_certificate = false});
  unasked.run();
  EXPECT_FALSE(unasked.server->peer_certificate());

  Pair bare = make_pair(request(), request(Flaw::no_certificate));
  bare.run();
  EXPECT_EQ(bare.server->handshake(), Progress::failed);
  EXPECT_EQ(bare.client->handshake(), Progress::failed);
  EXPECT_NE(bare.client->failure(), "");
}

TEST_P(EveryTls, CarriesEveryKindOfName) {
  const CertificateRequest names{.names = {{NameKind::dns,
                                            "B\xC3\xBC"
                                            "cher.example"},
                                           {NameKind::dns, "*.hosts.example"},
                                           {NameKind::srv, "srv.example"},
                                           {NameKind::srv, "_sip.other.example"},
                                           {NameKind::xmpp_addr,
                                            "b\xC3\xBC"
                                            "cher.net"}},
                                 .common_name = "common.example",
                                 .through_intermediate = false};
  Pair pair = make_pair(names, names);
  pair.run();
  const auto peer = pair.server->peer_certificate();
  ASSERT_TRUE(peer);
  EXPECT_TRUE(peer->chain_valid) << peer->chain_error;
  EXPECT_THAT(peer->dns_names, testing::ElementsAre("xn--bcher-kva.example", "*.hosts.example"));
  EXPECT_THAT(peer->srv_names, testing::ElementsAre("_xmpp-server.srv.example", "_sip.other.example"));
  EXPECT_THAT(peer->xmpp_addrs, testing::ElementsAre("b\xC3\xBC"
                                                     "cher.net"));
  EXPECT_EQ(peer->common_name, "common.example");
  EXPECT_TRUE(covers(*peer,
                     "b\xC3\xBC"
                     "cher.example"));
  EXPECT_TRUE(covers(*peer, "srv.example"));
  EXPECT_FALSE(covers(*peer, "other.example"));
  EXPECT_FALSE(covers(*peer, "common.example"));
}

TEST_P(EveryTls, NegotiatesAlpnAndRefusesNoneInCommon) {
  Pair pair = make_pair(request(), request(), {.alpn = {"xmpp-server"}}, {.alpn = {"other", "xmpp-server"}});
  pair.run();
  EXPECT_EQ(pair.client->alpn(), "xmpp-server");
  EXPECT_EQ(pair.server->alpn(), "xmpp-server");
  Pair without = make_pair(request(), request(), {}, {.alpn = {"xmpp-server"}});
  without.run();
  EXPECT_EQ(without.client->handshake(), Progress::established);
  EXPECT_EQ(without.client->alpn(), "");
  Pair refused = make_pair(request(), request(), {.alpn = {"xmpp-server"}}, {.alpn = {"xmpp-client"}});
  refused.run();
  EXPECT_EQ(refused.client->handshake(), Progress::failed);
  EXPECT_THAT(refused.client->failure(), testing::HasSubstr("no application protocol"));
}

TEST_P(EveryTls, RefusesSmuggledPlaintext) {
  Pair pair = make_pair(request(), request());
  (void)pair.client->handshake();
  pair.server->put_cipher("<message/>" + pair.client->take_cipher());
  EXPECT_EQ(pair.server->handshake(), Progress::failed);
  EXPECT_NE(pair.server->failure(), "");
  EXPECT_EQ(pair.server->read(), "");
  EXPECT_EQ(pair.server->handshake(), Progress::failed);

  Pair later = make_pair(request(), request());
  later.run();
  later.server->put_cipher("<message/>");
  EXPECT_EQ(later.server->read(), "");
  EXPECT_NE(later.server->failure(), "");
  EXPECT_NE(later.server->take_cipher(), "");  // the alert
}

TEST_P(EveryTls, TakesEveryCutAndTheWallClockOfTheSession) {
  Pair pair = make_pair(request(), request(), {.wall_clock = wall_clock + 500 * 86400});
  (void)pair.client->handshake();
  for (int turn = 0; turn < 6; ++turn) {
    Session& from = turn % 2 == 0 ? *pair.client : *pair.server;
    Session& to = turn % 2 == 0 ? *pair.server : *pair.client;
    for (const char octet : from.take_cipher()) {
      to.put_cipher({&octet, 1});
      (void)to.handshake();
    }
  }
  ASSERT_EQ(pair.server->handshake(), Progress::established);
  EXPECT_TRUE(pair.client->peer_certificate()->chain_valid);
  EXPECT_EQ(pair.server->peer_certificate()->chain_error, "certificate has expired");
}

TEST_P(EveryTls, IsRepeatedOctetByOctetUnderTheSameSeed) {
  const auto wire = [](std::uint64_t seed) {
    seed_tls_randomness(seed);
    const auto authority = GetParam()(wall_clock);
    Pair pair{authority->issue(request())->session(Role::client, {.server_name = domain}),
              authority->issue(request())->session(Role::server, {}),
              {}};
    pair.run();
    unseed_tls_randomness();
    return pair.wire;
  };
  EXPECT_TRUE(wire(1) == wire(1));
  EXPECT_FALSE(wire(1) == wire(2));
}

TEST_P(EveryTls, DoesNotTrustAnotherAuthority) {
  const auto other = GetParam()(wall_clock);
  Pair pair{
      authority_->issue(request())->session(Role::client, {}), other->issue(request())->session(Role::server, {}), {}};
  pair.run();
  EXPECT_FALSE(pair.client->peer_certificate()->chain_valid);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryTls, testing::Values(make_openssl_authority, make_paper_authority),
                         [](const auto& kind) { return kind.index == 0 ? "Openssl" : "Paper"; });

TEST(IdentityFromPem, WorksWithWhatAnAuthorityWroteAndSaysWhatIsWrong) {
  const auto authority = make_openssl_authority(wall_clock);
  const PemFiles files = authority->issue_pem(request());
  const auto identity = identity_from_pem(files);
  Pair pair{identity->session(Role::client, {.wall_clock = wall_clock}),
            authority->issue(request())->session(Role::server, {}),
            {}};
  pair.run();
  EXPECT_TRUE(authenticates(*pair.server->peer_certificate(), domain));
  EXPECT_TRUE(authenticates(*pair.client->peer_certificate(), domain));

  const auto complaint = [](const PemFiles& bad) -> std::string {
    try {
      (void)identity_from_pem(bad);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return {};
  };
  const PemFiles other = authority->issue_pem(request());
  EXPECT_THAT(complaint({"", files.private_key, files.root}), testing::HasSubstr("certificate chain"));
  EXPECT_THAT(complaint({files.certificate_chain, "", files.root}), testing::HasSubstr("private key cannot be read"));
  EXPECT_THAT(complaint({files.certificate_chain, other.private_key, files.root}),
              testing::HasSubstr("does not belong"));
  EXPECT_THAT(complaint({files.certificate_chain, files.private_key, "x"}), testing::HasSubstr("root"));
}

PeerCertificate named(std::vector<std::string> dns_names, std::string common_name = {}) {
  PeerCertificate certificate;
  certificate.dns_names = std::move(dns_names);
  certificate.common_name = std::move(common_name);
  return certificate;
}

TEST(Covers, TakesAWildcardForOneLeftMostLabelOnly) {
  const PeerCertificate wildcard = named({"*.example.net"});
  EXPECT_TRUE(covers(wildcard, "a.example.net"));
  EXPECT_TRUE(covers(wildcard, "A.Example.NET."));
  EXPECT_FALSE(covers(wildcard, "example.net"));
  EXPECT_FALSE(covers(wildcard, "a.b.example.net"));
  EXPECT_FALSE(covers(wildcard, ".example.net"));
  EXPECT_FALSE(covers(named({"a*.example.net"}), "ab.example.net"));
  EXPECT_FALSE(covers(named({"a.*.net"}), "a.example.net"));
  EXPECT_FALSE(covers(named({"*"}), "net"));
}

TEST(Covers, ComparesInternationalNamesAsALabels) {
  EXPECT_TRUE(covers(named({"xn--bcher-kva.example"}),
                     "b\xC3\xBC"
                     "cher.example"));
  EXPECT_TRUE(covers(named({"xn--bcher-kva.example"}),
                     "B\xC3\x9C"
                     "CHER.example"));
  EXPECT_TRUE(covers(named({"xn--bcher-kva.example"}), "xn--bcher-kva.example"));
  EXPECT_FALSE(covers(named({"bucher.example"}),
                      "b\xC3\xBC"
                      "cher.example"));
  EXPECT_EQ(ascii_domain("fa\xC3\x9F.example"), "xn--fa-hia.example");  // non-transitional
  EXPECT_EQ(ascii_domain("a\xFF.example"), std::nullopt);
  EXPECT_EQ(ascii_domain("a b.example"), std::nullopt);
  EXPECT_EQ(ascii_domain(""), std::nullopt);
  EXPECT_FALSE(covers(named({""}), ""));
}

TEST(Covers, TakesTheCommonNameOnlyWhereThereIsNoOther) {
  EXPECT_TRUE(covers(named({}, "a.example"), "a.example"));
  EXPECT_FALSE(covers(named({"b.example"}, "a.example"), "a.example"));
  EXPECT_FALSE(covers(named({}, ""), "a.example"));
  EXPECT_FALSE(covers(named({}, "x CN=a.example"), "a.example"));
}

TEST(Covers, TakesServiceAndXmppNamesOfDomainsOnly) {
  PeerCertificate certificate;
  certificate.srv_names = {"_xmpp-client.a.example"};
  certificate.xmpp_addrs = {"user@a.example", "a.example/x"};
  EXPECT_FALSE(covers(certificate, "a.example"));
  certificate.srv_names = {"_XMPP-server.A.example"};
  EXPECT_TRUE(covers(certificate, "a.example"));
  certificate.srv_names.clear();
  certificate.xmpp_addrs = {"A.example"};
  EXPECT_TRUE(covers(certificate, "a.example"));
}

/// What a client sees of a server whose certificate has the flaw.
PeerCertificate seen(Authority& authority, Flaw flaw) {
  Pair pair{authority.issue(request())->session(Role::client, {.server_name = domain}),
            authority.issue(request(flaw))->session(Role::server, {}),
            {}};
  pair.run();
  return pair.client->peer_certificate().value_or(PeerCertificate{});
}

TEST(Certificates, TellWhatIsWeakAndWhatIsMissing) {
  const auto authority = make_openssl_authority(wall_clock);
  const auto good = seen(*authority, Flaw::none);
  EXPECT_EQ(good.key, "EC of 256 bits");
  EXPECT_FALSE(good.weak_key || good.weak_signature || good.intermediate_missing);
  EXPECT_TRUE(good.signs);
  EXPECT_THAT(good.issuer, testing::HasSubstr("Cutover test intermediate"));

  EXPECT_TRUE(seen(*authority, Flaw::missing_intermediate).intermediate_missing);
  EXPECT_FALSE(seen(*authority, Flaw::unknown_root).intermediate_missing);
  EXPECT_FALSE(seen(*authority, Flaw::self_signed).intermediate_missing);
  const auto key = seen(*authority, Flaw::weak_key);
  EXPECT_EQ(key.key, "RSA of 1024 bits");
  EXPECT_TRUE(key.weak_key && !key.weak_signature);
  const auto signature = seen(*authority, Flaw::weak_signature);
  EXPECT_TRUE(signature.weak_signature && !signature.weak_key) << signature.signature;
  EXPECT_FALSE(seen(*authority, Flaw::no_signing).signs);
  EXPECT_TRUE(seen(*authority, Flaw::no_signing).chain_valid);
}

TEST(Certificates, HaveTheNamesThatAFlawLeaves) {
  const auto authority = make_openssl_authority(wall_clock);
  const auto common = seen(*authority, Flaw::common_name_only);
  EXPECT_TRUE(common.dns_names.empty() && common.srv_names.empty());
  EXPECT_TRUE(covers(common, domain)) << "by its common name, where there is nothing better";
  const auto foreign = seen(*authority, Flaw::foreign_service);
  EXPECT_THAT(foreign.srv_names, testing::ElementsAre("_xmpp-client." + domain));
  EXPECT_FALSE(covers(foreign, domain));
  EXPECT_THAT(seen(*authority, Flaw::partial_wildcard).dns_names, testing::ElementsAre(domain, "xmpp*." + domain));
}

TEST(Certificates, AreIssuedAnewToAChangedRequest) {
  const auto authority = make_openssl_authority(wall_clock);
  const auto identity = authority->issue(request());
  const auto expire = [](CertificateRequest& changed) { changed.flaw = Flaw::expired; };
  const auto other = identity->reissued(expire);
  ASSERT_TRUE(other);
  EXPECT_EQ(identity->reissued(expire), other) << "the same each time";
  Pair pair{authority->issue(request())->session(Role::client, {.server_name = domain}),
            other->session(Role::server, {}),
            {}};
  pair.run();
  EXPECT_EQ(pair.client->peer_certificate()->chain_error, "certificate has expired");
  EXPECT_EQ(identity_from_pem(authority->issue_pem(request()))->reissued(expire), nullptr);
}

TEST(Versions, AreThoseThatBothEndsKnow) {
  const auto authority = make_openssl_authority(wall_clock);
  const auto spoken = [&](SessionOptions client, const SessionOptions& server) {
    client.server_name = domain;
    Pair pair{authority->issue(request())->session(Role::client, client),
              authority->issue(request())->session(Role::server, server),
              {}};
    pair.run();
    return pair.client->handshake() == Progress::established ? pair.client->version() : std::string("none");
  };
  using enum Version;
  EXPECT_EQ(spoken({}, {}), "TLSv1.3");
  EXPECT_EQ(spoken({.newest = tls1_2}, {}), "TLSv1.2");
  EXPECT_EQ(spoken({.oldest = tls1_0, .newest = tls1_1}, {}), "none");
  EXPECT_EQ(spoken({.oldest = tls1_0, .newest = tls1_1}, {.oldest = tls1_0}), "TLSv1.1");
  EXPECT_EQ(spoken({.oldest = tls1_3}, {.newest = tls1_2}), "none");
}

TEST(Trust, MayHoldRootsOfOthers) {
  const auto others = make_openssl_authority(wall_clock);
  const auto mine = authority_from_pem(new_authority_pem(wall_clock), wall_clock, others->issue_pem(request()).root);
  Pair pair{mine->issue(request())->session(Role::client, {.server_name = domain}),
            others->issue(request())->session(Role::server, {}),
            {}};
  pair.run();
  EXPECT_EQ(pair.client->peer_certificate()->chain_error, "");
}

}  // namespace
}  // namespace cutover::tls
