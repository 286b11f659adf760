// The link between gateway and proxy: TLS from the first octet, with a certificate at both ends (lync-facts 2.2, 2.4).
#include "suites/support/federated.h"
#include "suites/support/migration.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

/// Whether the proxy answers a stream header of somebody who shows that certificate.
bool taken(Federated& f, mocks::RawPeer& peer, const tls::CertificateRequest& request) {
  auto& world = f.deployment.world();
  const auto& ours = f.deployment.topology().domain;
  const auto identity = f.deployment.authority().issue(request);
  auto& connection = peer.connect(f.deployment.endpoint("proxy (internal)"));
  (void)world.run_until([&] { return connection.open() || connection.closed(); }, 5s);
  connection.start_tls(*identity, tls::Role::client, {.server_name = "proxy." + ours});
  connection.send(fmt::format(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
      "from='gateway.{0}' to='proxy.{0}' version='1.0' xml:lang='en'>",
      ours));
  // What TLS refuses ends the connection; what it takes gets features.
  const auto has_features = [&] { return connection.has_received("features"); };
  (void)world.run_until([&] { return has_features() || connection.ended(); }, 10s);
  const bool good = has_features() && !world.run_until([&] { return connection.ended(); }, 1s);
  connection.abort();
  return good;
}

void proof(Run& run) {
  Federated f(run);
  auto& peer = somebody(f.deployment);
  const auto& ours = f.deployment.topology().domain;
  const tls::SubjectName gateway{tls::NameKind::dns, "gateway." + ours};
  if (!GIVEN(taken(f, peer, {.names = {gateway}}), "a certificate of the gateway is taken")) return;
  CONFORMS("MIG-C09", "a certificate of another name is taken at the internal port",
           taken(f, peer, {.names = {{tls::NameKind::dns, "evil." + ours}}}), Eq(false));
  CONFORMS("MIG-C09", "a certificate of an authority that nobody trusts is taken at the internal port",
           taken(f, peer, {.names = {gateway}, .flaw = tls::Flaw::unknown_root}), Eq(false));
  CONFORMS("MIG-C09", "somebody without a certificate is taken at the internal port",
           taken(f, peer, {.names = {gateway}, .flaw = tls::Flaw::no_certificate}), Eq(false));
}

CUTOVER_CASE(link){
    .id = "policy.link-needs-proof",
    .title = "The proxy links with a gateway that proves its name, and with nobody else",
    .procedure =
        "Connections to the internal port of the edge with the gateway's certificate, with one of another "
        "name, with one of an unknown authority, and with none; each with a stream header.",
    .accepted = "The first is answered; the others are ended.",
    .likely_causes = "Whatever comes from the internal network is trusted.",
    .judges = {{"MIG-C09", {"xmpp.link-without-client-certificate@proxy"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 1h,
    .body = proof};

}  // namespace
}  // namespace cutover::suites
