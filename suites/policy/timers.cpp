// The timers and limits of Set-CsXmppGatewayConfiguration take effect (lync-facts 3.3): in virtual time, each with a
// value of its own, so that no default can be taken for it.
#include "protocol/xmpp/server.h"
#include "suites/support/chosen.h"
#include "suites/support/invariants.h"
#include "suites/support/migration.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

/// A timer may be late, and how late is nobody's requirement; that it never ends is a fault.
constexpr int patience = 15;

/// All six steps, with other settings than the product's defaults.
std::shared_ptr<Deployment> deployed(Run& run, const std::function<void(reference::GatewayConfiguration&)>& set,
                                     const std::string& keep_alives_of = {}) {
  auto topology = with_one_edge_machine(run);
  check_block(run, topology);
  auto estate = estate_of(topology);
  set(estate.start.configuration.gateway);
  migration::replicate(estate.start);
  if (!keep_alives_of.empty()) estate.rows.at(keep_alives_of).enable_keep_alive = true;
  auto deployment = std::make_shared<Deployment>(
      run.world(),
      DeploymentOptions{.topology = std::move(topology), .estate = std::move(estate), .planted = run.planted()});
  deployment->bring_up();
  run.columns(deployment->columns());
  for (const auto step : canonical_steps()) deployment->carry_out(step);
  deployment->settle();
  return deployment;
}

/// Streams between the proxy and a partner.
std::size_t streams_with(Deployment& deployment, const PartnerSpec& partner) {
  const auto* server = deployment.proxy().server();
  if (server == nullptr) return 0;
  const auto streams = server->streams();
  return static_cast<std::size_t>(
      std::ranges::count_if(streams, [&](const auto& stream) { return stream.remote_domain == partner.domain; }));
}

/// A user of the partner writes, so that the partner has a stream.
bool writes(Deployment& deployment, const PartnerSpec& partner) {
  const auto& user = deployment.topology().users.front();
  (void)deployment.partner(partner.domain)
      .send_message(partner.users.front(), address_of(deployment.topology(), user), "hello");
  return deployment.world().run_until([&] { return deployment.user(user).texts().total() > 0; }, 30s);
}

/// Whether the streams with the partner end in that time.
bool streams_end(Deployment& deployment, const PartnerSpec& partner, Duration within) {
  return deployment.world().run_until([&] { return streams_with(deployment, partner) == 0; }, within);
}

void idle_streams(Run& run) {
  const auto partner = partner_by_dialback(run);  // whose keep-alives are not asked for
  static constexpr Duration idle = 20s;
  const auto deployment = deployed(run, [](auto& gateway) { gateway.stream_inactivity_timeout = idle; });
  hold_invariants(run, deployment);
  if (!GIVEN(writes(*deployment, partner), "a message of a partner's user reached the SIP user")) return;
  CONFORMS("LYNC-CFG-StreamInactivityTimeout",
           fmt::format("streams on which nothing is said end within {} times the time-out of 20 s", patience),
           streams_end(*deployment, partner, idle * patience), Eq(true));
}

CUTOVER_CASE(idle){.id = "policy.idle-streams",
                   .title = "StreamInactivityTimeout ends streams on which nothing is said",
                   .procedure =
                       "StreamInactivityTimeout is 20 s; a partner whose keep-alives are not asked for writes "
                       "once, and is silent.",
                   .accepted = "Its streams are closed, by whichever side, within fifteen times that time.",
                   .likely_causes = "The setting is read and not used, or the default holds.",
                   .judges = {{"LYNC-CFG-StreamInactivityTimeout", {"xmpp.no-idle-timeout@proxy"}}},
                   .needs = {Need::sip_side, Need::new_deployment},
                   .any_topology = true,
                   .staging = Staging::bench_only,
                   .live = false,
                   .budget = 24h,
                   .body = idle_streams};

void silent_partner(Run& run) {
  const auto partner = partner_by_certificate(run);
  static constexpr Duration interval = 50s;
  const auto set = [](auto& gateway) {
    gateway.keep_alive_interval = interval;
    gateway.stream_inactivity_timeout = 24h;
  };
  const auto deployment = deployed(run, set, partner.domain);
  auto& world = deployment->world();
  if (!GIVEN(writes(*deployment, partner), "a message of a partner's user reached the SIP user")) return;
  // What the partner itself sends does not reach us any more, nor does its end of the stream.
  const auto node = node_name_of(deployment->topology(), partner);
  world.partition("proxy", node);
  const bool ended = streams_end(*deployment, partner, interval * patience);
  world.heal("proxy", node);
  CONFORMS("LYNC-CFG-KeepAliveInterval",
           fmt::format("streams of a partner that sends no keep-alive end within {} intervals of 50 s", patience),
           ended, Eq(true));
}

CUTOVER_CASE(keep_alive){.id = "policy.silent-partner",
                         .title = "A partner that owes keep-alives and sends none is given up after KeepAliveInterval",
                         .procedure =
                             "KeepAliveInterval is 50 s, EnableKeepAlive is set for the partner; it writes once, "
                             "then nothing of it arrives.",
                         .accepted = "Its streams are given up within fifteen intervals.",
                         .likely_causes = "Keep-alives are sent and not waited for.",
                         .judges = {{"LYNC-CFG-KeepAliveInterval", {"xmpp.silence-tolerated@proxy"}}},
                         .needs = {Need::sip_side, Need::new_deployment},
                         .any_topology = true,
                         .staging = Staging::bench_only,
                         .live = false,
                         .budget = 24h,
                         .body = silent_partner};

void slow_stream(Run& run) {
  static constexpr Duration time = 20s;
  const auto deployment = deployed(run, [](auto& gateway) { gateway.stream_establishment_timeout = time; });
  auto& peer = somebody(*deployment);
  auto& connection = peer.connect(deployment->endpoint("proxy"));
  auto& world = deployment->world();
  if (!GIVEN(world.run_until([&] { return connection.open(); }, 5s), "the edge takes a connection")) return;
  const bool ended = world.run_until([&] { return connection.ended(); }, time * patience);
  connection.abort();
  CONFORMS("LYNC-CFG-StreamEstablishmentTimeout",
           fmt::format("a connection that says nothing ends within {} times the time-out of 20 s", patience), ended,
           Eq(true));
}

CUTOVER_CASE(establishment){
    .id = "policy.slow-establishment",
    .title = "StreamEstablishmentTimeout ends a connection that never becomes a stream",
    .procedure = "StreamEstablishmentTimeout is 20 s; somebody connects to the port for partners and says nothing.",
    .accepted = "The connection is ended within fifteen times that time.",
    .likely_causes = "The time-out begins with the stream header.",
    .judges = {{"LYNC-CFG-StreamEstablishmentTimeout", {"xmpp.no-establishment-timeout@proxy"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 24h,
    .body = slow_stream};

constexpr std::uint32_t limit = 2;

void many_connections(Run& run, const char* requirement, const std::string& setting,
                      std::uint32_t reference::GatewayConfiguration::*member) {
  const auto deployment = deployed(run, [&](auto& gateway) {
    gateway.*member = limit;
    gateway.partner_connection_limit = std::min(gateway.partner_connection_limit, gateway.connection_limit);
  });
  const auto partner = deployment->topology().partners.front().domain;
  auto& world = deployment->world();
  auto& peer = somebody(*deployment);
  std::vector<mocks::RawConnection*> connections;
  const auto open_one = [&] {
    auto& connection = peer.connect(deployment->endpoint("proxy"));
    connections.push_back(&connection);
    (void)world.run_until([&] { return connection.open() || connection.closed(); }, 5s);
    connection.send(fmt::format(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
        "from='{}' to='{}' version='1.0' xml:lang='en'>",
        partner, deployment->topology().domain));
    // A refusal may come behind the header and the features.
    return !world.run_until([&] { return connection.ended(); }, 2s) && connection.has_received("</stream:features>");
  };
  bool within = true;
  for (std::uint32_t i = 0; i < limit; ++i) within = open_one() && within;
  if (!GIVEN(within, fmt::format("{} connections at once are taken", limit))) return;
  const bool beyond = open_one();
  for (auto* connection : connections) connection->abort();
  world.run_for(1s);
  CONFORMS(requirement, fmt::format("a connection beyond {} of {} is taken", setting, limit), beyond, Eq(false));
  CONFORMS("MIG-N11", fmt::format("a connection beyond the limit of {} is taken", limit), beyond, Eq(false));
}

CUTOVER_CASE(connections){
    .id = "policy.connection-limit",
    .title = "No more connections are taken than ConnectionLimit allows",
    .procedure = "ConnectionLimit is 2; three connections at once, each with the header of a partner.",
    .accepted = "Two are taken; the third is refused or ended.",
    .likely_causes = "The limit is read and not used.",
    .judges = {{"LYNC-CFG-ConnectionLimit", {"xmpp.no-connection-limits@proxy"}},
               {"MIG-N11", {"xmpp.no-connection-limits@proxy"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 1h,
    .body = [](Run& run) {
      many_connections(run, "LYNC-CFG-ConnectionLimit", "ConnectionLimit",
                       &reference::GatewayConfiguration::connection_limit);
    }};

CUTOVER_CASE(of_a_partner){
    .id = "policy.partner-connection-limit",
    .title = "A partner has no more connections than PartnerConnectionLimit allows",
    .procedure = "PartnerConnectionLimit is 2; three connections at once, each with the header of a partner.",
    .accepted = "Two are taken; the third is refused or ended.",
    .likely_causes = "The limit is read and not used.",
    .judges = {{"LYNC-CFG-PartnerConnectionLimit", {"xmpp.no-connection-limits@proxy"}},
               {"MIG-N11", {"xmpp.no-connection-limits@proxy"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .any_topology = true,
    .staging = Staging::bench_only,
    .live = false,
    .budget = 1h,
    .body = [](Run& run) {
      many_connections(run, "LYNC-CFG-PartnerConnectionLimit", "PartnerConnectionLimit",
                       &reference::GatewayConfiguration::partner_connection_limit);
    }};

}  // namespace
}  // namespace cutover::suites
