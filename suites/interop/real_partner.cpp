// A real server as a partner of a SIP user: behind the legacy gateway, and after the six steps behind proxy and
// gateway; in between it has nothing to go by but our SRV record.
#include "harness/servers/real_partner.h"
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

constexpr char srv_name[] = "_xmpp-server._tcp.contoso.example";

std::string domain_of(PartnerServer server) { return std::string(name_of(server)) + ".example"; }

std::unique_ptr<Deployment> with_partner(Run& run, PartnerServer server, PartnerKind kind) {
  if (const auto reason = unavailable(*product_named(name_of(server)))) run.skip(*reason);
  DeploymentOptions options;
  options.topology.users = {"alice"};
  options.topology.partners = {{domain_of(server), kind, {"romeo"}, server}};
  options.planted = run.planted();
  auto deployment = std::make_unique<Deployment>(run.world(), std::move(options));
  run.columns(deployment->columns());
  try {
    deployment->bring_up();
  } catch (const ServerFailed& failed) {
    run.evidence([log = failed.log] { return log; });
    run.skip(failed.what());
  }
  run.evidence([&real = deployment->real_partner(domain_of(server)).server()] { return real.log(); });
  return deployment;
}

/// How the streams with the partner are authenticated, seen from our end of each.
std::vector<std::string> methods(const xmpp::Server& server, const std::string& domain) {
  std::vector<std::string> seen;
  for (const auto& stream : server.streams()) {
    if (stream.remote_domain != domain) continue;
    const auto* method = stream.method == xmpp::AuthenticationMethod::sasl_external ? "EXTERNAL"
                         : stream.method == xmpp::AuthenticationMethod::dialback    ? "dialback"
                                                                                    : "nothing";
    seen.push_back(fmt::format("{}: {} {}", stream.initiated_by_us ? "to it" : "from it", method,
                               stream.tls_version.empty() ? "in clear" : "inside TLS"));
  }
  return seen;
}

void cross(Run& run, PartnerServer server, PartnerKind kind, const std::string& method) {
  const auto deployment = with_partner(run, server, kind);
  const auto domain = domain_of(server);
  const auto all = all_exchanges(deployment->topology());
  const auto expected = UnorderedElementsAre("to it: " + method, "from it: " + method);
  CONFORMS("SEED-1", "what went otherwise than it should before the cutover", deviations(*deployment, all), IsEmpty());
  CONFORMS("SEED-1", "how many exchanges belong on the legacy gateway", predicted_on(*deployment, Path::legacy),
           Eq(all.size()));
  CONFORMS("MIG-N02", "the streams between the partner and the legacy gateway",
           methods(deployment->legacy_gateway().server(), domain), expected);

  for (const auto step : canonical_steps()) deployment->carry_out(step);
  deployment->settle();
  const auto& names = deployment->name_server().server();
  const auto asked = names.queries(srv_name, dns::Type::srv);
  CONFORMS("SEED-9", "what went otherwise than it should after the cutover", deviations(*deployment, all), IsEmpty());
  CONFORMS("SEED-9", "how many exchanges belong on proxy and gateway", predicted_on(*deployment, Path::current),
           Eq(all.size()));
  CONFORMS("SEED-9", "how many queries for our SRV record came", names.queries(srv_name, dns::Type::srv), Gt(asked));
  const auto* edge = deployment->proxy().server();
  CONFORMS("MIG-N02", "the streams between the partner and the proxy",
           edge == nullptr ? std::vector<std::string>{} : methods(*edge, domain), expected);
}

/// How a partner may authenticate: in ids, as a kind, as methods() words it, and a defect that breaks it.
struct Way {
  std::string slug;
  PartnerKind kind;
  std::string method, defect;
};
const Way by_external{"external", PartnerKind::sasl_external, "EXTERNAL inside TLS", "xmpp.no-restart-after-success"};
const Way by_dialback{"dialback", PartnerKind::dialback_over_tls, "dialback inside TLS",
                      "xmpp.valid-key-called-invalid"};
const Way by_dialback_in_clear{"dialback-in-clear", PartnerKind::plaintext_dialback, "dialback in clear",
                               "xmpp.valid-key-called-invalid"};

CaseRecord with(PartnerServer server, const Way& way) {
  const std::string title = product_named(name_of(server))->title;
  return {.id = fmt::format("interop.{}-by-{}", name_of(server), way.slug),
          .title = title + " as a partner by " + way.method +
                   ": message and presence both ways before and after the cutover",
          .procedure =
              title +
              " with one account is the only partner. Message, presence subscription and state both ways with a SIP "
              "user behind the legacy gateway; then the six steps, in the last of which our SRV record moves; the same "
              "again.",
          .accepted =
              "Each marker arrives exactly once, first through the legacy gateway, then through proxy and gateway; the "
              "streams of both directions are authenticated as configured; the partner asks for our SRV record again.",
          .likely_causes =
              "A stream that only our own implementation understands; a name server that only our own resolver "
              "understands.",
          .judges = {{"SEED-1", {"gateway.doubles-message-to-xmpp"}},
                     {"SEED-9", {"migration.srv-not-repointed"}},
                     {"MIG-N02", {way.defect}}},
          .needs = {Need::sip_side, Need::new_deployment, Need::legacy_gateway},
          .staging = Staging::bench_only,
          .sim = false,
          .interop = true,
          .budget = 2min,
          .takes = 3s,
          .body = [server, way](Run& run) { cross(run, server, way.kind, way.method); }};
}

const Registration prosody_external = CaseAt{__FILE__, __LINE__} + with(PartnerServer::prosody, by_external);
const Registration prosody_dialback = CaseAt{__FILE__, __LINE__} + with(PartnerServer::prosody, by_dialback);
const Registration prosody_clear = CaseAt{__FILE__, __LINE__} + with(PartnerServer::prosody, by_dialback_in_clear);
const Registration ejabberd_external = CaseAt{__FILE__, __LINE__} + with(PartnerServer::ejabberd, by_external);
const Registration ejabberd_dialback = CaseAt{__FILE__, __LINE__} + with(PartnerServer::ejabberd, by_dialback);
const Registration ejabberd_clear = CaseAt{__FILE__, __LINE__} + with(PartnerServer::ejabberd, by_dialback_in_clear);
const Registration jabberd2_dialback = CaseAt{__FILE__, __LINE__} + with(PartnerServer::jabberd2, by_dialback);
// In clear jabberd2 speaks the protocol of before RFC 3920, without addresses in the header (RFC 6120 section 4.7).

}  // namespace
}  // namespace cutover::suites
