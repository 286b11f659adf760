// How the initiating server finds its peer: SRV records, their order and ports, the fallback, TTLs and spoilt answers.
#include "suites/support/targets.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Ge;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;

void order(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& first = zone.machine("first", {5299});
  auto& second = zone.machine("second");
  zone.srv({"20 0 5269 " + zone.at("second"), "10 0 5299 " + zone.at("first")});
  (void)zone.called("in order", {&first, &second});
  CONFORMS("RFC6120-3.2.1-1", "how many SRV queries for _xmpp-server came",
           n.subject().names().queries("_xmpp-server._tcp." + n.domain(external), dns::Type::srv), Ge(1U));
  CONFORMS("RFC2782-target-1", "how many connections came to the worse target", second.accepted_count(), Eq(0U));
  CONFORMS("RFC6120-3.2.1-3", "how many connections came to port 5299 of the better target", first.accepted_count(),
           Ge(1U));
}

CUTOVER_CASE(priorities){
    .id = "dns.srv-priority-and-port",
    .title = "The target with the lowest priority number is called first, at its own port",
    .procedure = "Two SRV records, the better one with port 5299; let the user write; see who is called.",
    .accepted = "A connection to port 5299 of the better target; none to the other.",
    .likely_causes = "The order of the answer; a port that is built in.",
    .judges = {{"RFC6120-3.2.1-1", {"dns.queries-client-label", "dns.skips-srv"}},
               {"RFC2782-target-1", {"dns.highest-priority-number-first", "dns.ignores-priority"}},
               {"RFC6120-3.2.1-3", {"dns.ignores-srv-port"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::spare_addresses, Need::peer_zones, Need::unmet_peers},
    .body = order};

void next_target(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& spare = zone.machine("spare");
  zone.address("gone", {zone.nowhere()});
  zone.srv({"10 0 5269 " + zone.at("gone"), "20 0 5269 " + zone.at("spare")});
  (void)zone.called("to the next", {&spare});
  CONFORMS("RFC6120-3.2.1-5", "how many connections came to the second target", spare.accepted_count(), Ge(1U));
}

CUTOVER_CASE(further){
    .id = "dns.next-target",
    .title = "Where a target cannot be reached the next one is tried",
    .procedure = "Two SRV records, nobody at the better one.",
    .accepted = "A connection to the second target.",
    .likely_causes = "One try and no more.",
    .judges = {{"RFC6120-3.2.1-5", {"xmpp.first-target-only", "dns.first-srv-only"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::spare_addresses, Need::peer_zones, Need::unmet_peers},
    .budget = 1min,
    .body = next_target};

void beside_srv(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& apex = zone.machine("apex");
  zone.apex(n.subject().free_host());
  zone.address("gone", {zone.nowhere()});
  zone.srv({"10 0 5269 " + zone.at("gone")});
  (void)zone.called("not to the apex", {&apex});
  CONFORMS("RFC6120-10.4.3-1", "what the sender was told", n.told("not to the apex"), Ne("nothing"));
  CONFORMS("RFC6120-3.2.1-6", "how many connections came to the domain's own address", apex.accepted_count(), Eq(0U));
}

CUTOVER_CASE(no_fallback){
    .id = "dns.no-fallback-beside-srv",
    .title = "Where SRV records exist the domain's own address is not called, even if no target can be reached",
    .procedure = "One SRV record with nobody there; an address record at the domain itself, where somebody listens.",
    .accepted = "An error for the user and no connection.",
    .likely_causes = "A fallback as the last of all tries.",
    .judges = {{"RFC6120-3.2.1-6", {"dns.falls-back-when-srv-exists"}},
               {"RFC6120-10.4.3-1", {"xmpp.undeliverable-silent"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::spare_addresses, Need::peer_zones, Need::unmet_peers},
    .budget = 5min,
    .body = beside_srv};

void next_address(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& there = zone.machine("there");
  zone.address("there", {zone.nowhere(), n.subject().world().address_of(n.subject().free_host())});
  zone.srv({"10 0 5269 " + zone.at("there")});
  (void)zone.called("to the next address", {&there});
  CONFORMS("RFC6120-3.2.1-4", "how many connections came to the second address", there.accepted_count(), Ge(1U));
}

CUTOVER_CASE(addresses){
    .id = "dns.next-address",
    .title = "Where one address of a target cannot be reached the next one is tried",
    .procedure = "One SRV record whose target has two addresses, nobody at the first.",
    .accepted = "A connection to the second address.",
    .likely_causes = "The first address record and no other.",
    .judges = {{"RFC6120-3.2.1-4", {"dns.first-address-only"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::spare_addresses, Need::peer_zones, Need::unmet_peers},
    .budget = 1min,
    .body = next_address};

void fallback(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& apex = zone.machine("apex");
  zone.srv({});
  zone.apex(n.subject().free_host());
  (void)zone.called("without SRV", {&apex});
  for (const auto* requirement : {"RFC6120-3.2.1-7", "RFC6120-3.2.2-1"})
    CONFORMS(requirement, "how many connections came to port 5269 of the domain's own address", apex.accepted_count(),
             Ge(1U));
}

CUTOVER_CASE(no_srv){
    .id = "dns.fallback",
    .title = "Without SRV records the domain's own address is called, at port 5269",
    .procedure = "Take the SRV record away, give the domain an address.",
    .accepted = "A connection to that address, port 5269.",
    .likely_causes = "SRV or nothing; the port for clients.",
    .judges = {{"RFC6120-3.2.1-7", {"dns.never-falls-back"}}, {"RFC6120-3.2.2-1", {"dns.falls-back-on-wrong-port"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::spare_addresses, Need::peer_zones, Need::unmet_peers},
    .body = fallback};

void no_service(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& apex = zone.machine("apex");
  zone.srv({"0 0 0 ."});
  zone.apex(n.subject().free_host());
  (void)zone.called("no service", {&apex});
  CONFORMS("RFC6120-10.4.3-1", "what the sender was told", n.told("no service"), Ne("nothing"));
  for (const auto* requirement : {"RFC6120-3.2.1-2", "RFC2782-usage-4"})
    CONFORMS(requirement, "how many connections came to the domain's own address", apex.accepted_count(), Eq(0U));
}

CUTOVER_CASE(dot){
    .id = "dns.no-service",
    .title = "An SRV target of '.' means that there is no service: nobody is called, the sender is told",
    .procedure = "One SRV record with the target '.'; an address at the domain itself.",
    .accepted = "No connection; an error for the user.",
    .likely_causes = "'.' taken for a missing record.",
    .judges = {{"RFC6120-3.2.1-2", {"dns.connects-when-dot"}},
               {"RFC2782-usage-4", {"dns.connects-when-dot"}},
               {"RFC6120-10.4.3-1", {"xmpp.undeliverable-silent"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::spare_addresses, Need::peer_zones, Need::unmet_peers},
    .budget = 5min,
    .body = no_service};

void truncated(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& there = zone.machine("there");
  std::vector<std::string> records{"1 0 5269 " + zone.at("there")};
  for (int i = 0; i < 30; ++i)
    records.push_back(fmt::format("9 0 5269 a-spare-host-with-a-long-name-{}.{}", i, n.domain(external)));
  zone.srv(records);
  n.subject().names().spoil("_xmpp-server._tcp." + n.domain(external), dns::Spoilt::truncated);
  (void)zone.called("by TCP", {&there});
  const auto& history = n.subject().names().history();
  const bool by_tcp =
      std::ranges::any_of(history, [](const auto& query) { return query.transport == dns::Transport::tcp; });
  CONFORMS("RFC2782-usage-3", "a query came by TCP", by_tcp, Eq(true));
  CONFORMS("RFC2782-usage-3", "how many connections came to the best target", there.accepted_count(), Ge(1U));
}

CUTOVER_CASE(by_tcp){
    .id = "dns.truncated",
    .title = "A truncated answer is asked for again by TCP",
    .procedure = "An answer that does not fit, with TC set, by UDP; the whole of it by TCP.",
    .accepted = "A query by TCP and a connection to the best target.",
    .likely_causes = "A resolver of its own that speaks UDP only.",
    .judges = {{"RFC2782-usage-3", {"dns.ignores-truncation"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::spare_addresses, Need::peer_zones, Need::unmet_peers},
    .body = truncated};

void unknown_domain(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  n.subject().names().spoil("", dns::Spoilt::server_failure);
  n.subject().send_message(n.romeo(external), "nobody knows");
  const auto told = n.told("nobody knows");
  if (CONFORMS("RFC6120-10.4.3-1", "what the sender was told", told, Ne("nothing")))
    CONFORMS("RFC6120-10.4.3-2", "what the sender was told", told, Tells("remote-server-not-found"));
}

CUTOVER_CASE(servfail){.id = "dns.server-failure",
                       .title = "Where no name can be looked up the sender is told",
                       .procedure = "Every answer is SERVFAIL.",
                       .accepted = "remote-server-not-found for the user, however late.",
                       .likely_causes = "A queue without an end; a failure to resolve told as one to connect.",
                       .judges = {{"RFC6120-10.4.3-1", {"xmpp.undeliverable-silent"}},
                                  {"RFC6120-10.4.3-2", {"xmpp.undeliverable-wrong-condition"}}},
                       .needs = {Need::sasl_external, Need::user_account, Need::peer_zones, Need::unmet_peers},
                       .budget = 5min,
                       .body = unknown_domain};

void direct_tls(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& direct = zone.machine("direct", {5270});
  auto& starttls = zone.machine("starttls");
  const auto identity = n.certificate(external);
  direct.accept_with_tls(5270, *identity, {.alpn = {"xmpp-server"}});
  zone.srv({"10 0 5270 " + zone.at("direct")}, "_xmpps-server");
  zone.srv({"20 0 5269 " + zone.at("starttls")});
  (void)zone.called("directly", {&direct, &starttls});
  CONFORMS("XEP0368-3-1", "how many connections came to the worse target, of _xmpp-server", starttls.accepted_count(),
           Eq(0U));
  if (!CONFORMS("XEP0368-3-1", "how many connections came to the better target, of _xmpps-server",
                direct.accepted_count(), Ge(1U)))
    return;
  mocks::RawConnection* speaks = nullptr;  // of several connections one may be used
  (void)n.until([&] { return (speaks = direct.take_accepted()) != nullptr; });
  if (!GIVEN(speaks != nullptr, "the subject speaks on a connection to the better target")) return;
  auto& wire = *speaks;
  (void)n.until([&] { return wire.handshake_over(); });
  if (!CONFORMS("XEP0368-3-2", "the connection was in TLS from its first octet", wire.secured(), Eq(true))) return;
  CONFORMS("XEP0368-3-6", "the server name (SNI) in the handshake", wire.tls()->server_name(), Eq(n.domain(external)));
  CONFORMS("XEP0368-3-7", "the protocol (ALPN) in the handshake", wire.tls()->alpn(), Eq("xmpp-server"));
}

CUTOVER_CASE(direct){
    .id = "dns.direct-tls",
    .title = "Targets of _xmpps-server are merged with those of _xmpp-server and spoken to in TLS from the first octet",
    .procedure = "A better _xmpps-server record and a worse _xmpp-server record; let the user write.",
    .accepted = "A TLS handshake with SNI of the domain and ALPN xmpp-server at the better target.",
    .likely_causes = "_xmpps-server is not asked for, or is STARTTLS at another port.",
    .judges = {{"XEP0368-3-1", {"dns.skips-direct-tls", "dns.starttls-list-first"}},
               {"XEP0368-3-2", {"dns.takes-direct-tls-for-starttls"}},
               {"XEP0368-3-6", {"xmpp.sni-is-srv-target"}},
               {"XEP0368-3-7", {}}},
    .needs = {Need::sasl_external, Need::user_account, Need::spare_addresses, Need::direct_tls, Need::peer_zones,
              Need::unmet_peers},
    .body = direct_tls};

void expiry(Run& run) {
  Negotiation n(run);
  Targets zone(n);
  auto& before = zone.machine("before");
  auto& after = zone.machine("after");
  zone.srv({"0 0 5269 " + zone.at("before")});
  (void)zone.called("before the change", {&before});
  if (!GIVEN(before.accepted_count() > 0, "the subject calls the first target")) return;
  zone.hang_up(before);
  zone.srv({"0 0 5269 " + zone.at("after")});
  n.subject().world().run_for(2min);  // the TTL is a minute
  before.stop_listening(5269);
  (void)zone.called("after the change", {&after});
  CONFORMS("RFC6120-13.9.2-1", "how many connections came to the new target", after.accepted_count(), Ge(1U));
}

CUTOVER_CASE(ttl){
    .id = "dns.ttl",
    .title = "An answer is used no longer than its TTL: a repointed record is followed",
    .procedure =
        "Let the user write; repoint the SRV record; two minutes later, in virtual time, let the user write again.",
    .accepted = "The second stream goes to the new target.",
    .likely_causes = "Addresses that are kept for as long as the process lives.",
    .judges = {{"RFC6120-13.9.2-1", {"dns.ignores-ttl"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::spare_addresses, Need::peer_zones, Need::unmet_peers},
    .live = false,
    .budget = 1h,
    .body = expiry};

}  // namespace
}  // namespace cutover::suites
