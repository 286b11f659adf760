// A real Prosody as a partner of a SIP user: behind the legacy gateway, and after the six steps behind proxy and
// gateway; in between it has nothing to go by but our SRV record.
#include "harness/servers/prosody_partner.h"
#include "reference/proxy.h"
#include "suites/support/migration.h"

#include "mocks/legacy_gateway.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Gt;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr char domain[] = "prosody.example";
constexpr char srv_name[] = "_xmpp-server._tcp.contoso.example";

std::unique_ptr<Deployment> with_prosody(Run& run, PartnerKind kind) {
  if (const auto reason = prosody_unavailable()) run.skip(*reason);
  DeploymentOptions options;
  options.topology.users = {"alice"};
  options.topology.partners = {{domain, kind, {"romeo"}, PartnerServer::prosody}};
  options.planted = run.planted();
  auto deployment = std::make_unique<Deployment>(run.world(), std::move(options));
  run.columns(deployment->columns());
  try {
    deployment->bring_up();
  } catch (const ProsodyFailed& failed) {
    run.evidence([log = failed.log] { return log; });
    run.skip(failed.what());
  }
  run.evidence([&server = deployment->real_partner(domain).server()] { return server.log(); });
  return deployment;
}

/// How the streams with Prosody are authenticated, seen from our end of each.
std::vector<std::string> methods(const xmpp::Server& server) {
  std::vector<std::string> seen;
  for (const auto& stream : server.streams()) {
    if (stream.remote_domain != domain) continue;
    const auto* method = stream.method == xmpp::AuthenticationMethod::sasl_external ? "EXTERNAL"
                         : stream.method == xmpp::AuthenticationMethod::dialback    ? "dialback"
                                                                                    : "nothing";
    seen.push_back(fmt::format("{}: {} {}", stream.initiated_by_us ? "to Prosody" : "from Prosody", method,
                               stream.tls_version.empty() ? "in clear" : "inside TLS"));
  }
  return seen;
}

void cross(Run& run, PartnerKind kind, const std::string& method) {
  const auto deployment = with_prosody(run, kind);
  const auto all = all_exchanges(deployment->topology());
  const auto expected = UnorderedElementsAre("to Prosody: " + method, "from Prosody: " + method);
  CONFORMS("SEED-1", "what went otherwise than it should before the cutover", deviations(*deployment, all), IsEmpty());
  CONFORMS("SEED-1", "how many exchanges belong on the legacy gateway", predicted_on(*deployment, Path::legacy),
           Eq(all.size()));
  CONFORMS("MIG-N02", "the streams between Prosody and the legacy gateway",
           methods(deployment->legacy_gateway().server()), expected);

  for (const auto step : canonical_steps()) deployment->carry_out(step);
  deployment->settle();
  const auto& names = deployment->name_server().server();
  const auto asked = names.queries(srv_name, dns::Type::srv);
  CONFORMS("SEED-9", "what went otherwise than it should after the cutover", deviations(*deployment, all), IsEmpty());
  CONFORMS("SEED-9", "how many exchanges belong on proxy and gateway", predicted_on(*deployment, Path::current),
           Eq(all.size()));
  CONFORMS("SEED-9", "how many queries for our SRV record came", names.queries(srv_name, dns::Type::srv), Gt(asked));
  const auto* edge = deployment->proxy().server();
  CONFORMS("MIG-N02", "the streams between Prosody and the proxy",
           edge == nullptr ? std::vector<std::string>{} : methods(*edge), expected);
}

/// The case of one way of authentication: `method` as methods() words it, and a defect that breaks it.
CaseRecord with(const std::string& slug, PartnerKind kind, const std::string& method, const std::string& defect) {
  return {
      .id = "interop.prosody-by-" + slug,
      .title = "Prosody as a partner by " + method + ": message and presence both ways before and after the cutover",
      .procedure =
          "Prosody with one account is the only partner. Message, presence subscription and state both ways with a SIP "
          "user behind the legacy gateway; then the six steps, in the last of which our SRV record moves; the same "
          "again.",
      .accepted =
          "Each marker arrives exactly once, first through the legacy gateway, then through proxy and gateway; the "
          "streams of both directions are authenticated as configured; Prosody asks for our SRV record again.",
      .likely_causes =
          "A stream that only our own implementation understands; a name server that only our own resolver "
          "understands.",
      .judges = {{"SEED-1", {"gateway.doubles-message-to-xmpp"}},
                 {"SEED-9", {"migration.srv-not-repointed"}},
                 {"MIG-N02", {defect}}},
      .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
      .staging = Staging::bench_only,
      .sim = false,
      .interop = true,
      .budget = 2min,
      .takes = 3s,
      .body = [kind, method](Run& run) { cross(run, kind, method); }};
}

const Registration external = CaseAt{__FILE__, __LINE__} + with("external", PartnerKind::sasl_external,
                                                                "EXTERNAL inside TLS", "xmpp.no-restart-after-success");
const Registration dialback = CaseAt{__FILE__, __LINE__} + with("dialback", PartnerKind::dialback_over_tls,
                                                                "dialback inside TLS", "xmpp.valid-key-called-invalid");
const Registration in_clear = CaseAt{__FILE__, __LINE__} + with("dialback-in-clear", PartnerKind::plaintext_dialback,
                                                                "dialback in clear", "xmpp.valid-key-called-invalid");

}  // namespace
}  // namespace cutover::suites
