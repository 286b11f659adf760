// RFC 5922 section 7, RFC 3261 sections 8.2 and 16.3, RFC 7247 section 6, RFC 8048 section 8: whose requests the
// gateway takes, and to whom it says anything.
#include "suites/support/sip_by_hand.h"
#include "reference/gateway.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::StartsWith;

const std::vector<Need> needs{Need::sip_side, Need::new_deployment};

void who_connects(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  const auto taken = [&](const char* text, tls::Flaw flaw) {
    if (!pool.connect(SipByHand::certificate(SipByHand::host, flaw))) return false;
    return pool.said_and_answered(pool.request("MESSAGE", f.romeo_uri, text)).starts_with("2");
  };
  if (!GIVEN(taken("with a certificate", tls::Flaw::none), "a MESSAGE of who shows a certificate is answered 2xx"))
    return;
  CONFORMS("RFC5922-7.4-1", "a MESSAGE of who shows no certificate was taken",
           taken("without", tls::Flaw::no_certificate), Eq(false));
  CONFORMS("RFC5922-7.4-1", "a MESSAGE of who shows a certificate of an unknown issuer was taken",
           taken("of nobody", tls::Flaw::unknown_root), Eq(false));
  CONFORMS("RFC5922-7.4-1", "a MESSAGE of who shows a certificate that has expired was taken",
           taken("expired", tls::Flaw::expired), Eq(false));
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reaches the partner's user")) return;
  CONFORMS("RFC5922-7.4-1", "how many messages the partner's user got", f.romeo.messages.size(), Eq(2U));
}

CUTOVER_CASE(clients){
    .id = "policy.sip-clients",
    .title = "Nobody is heard on the SIP side without a certificate of a trusted issuer",
    .procedure =
        "Connections to the SIP port of the gateway with a good certificate, without one, with one of an unknown "
        "issuer and with one that has expired; a MESSAGE on each.",
    .accepted = "2xx for the first; for the others the end, at the handshake or behind it, and no stanza.",
    .likely_causes = "A certificate is asked for and not judged.",
    .judges = {{"RFC5922-7.4-1",
                {"sip.takes-peers-without-certificate", "sip.trusts-any-issuer", "sip.trusts-any-certificate"}}},
    .needs = needs,
    .any_topology = true,
    .budget = 1h,
    .takes = 3s,
    .body = who_connects};

void whom_it_tells(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  const auto told = [&](const char* text, const tls::CertificateRequest& shows) -> std::string {
    pool.show(shows);
    const auto before = pool.requests("MESSAGE");
    f.partner.send(f.message(text, {}, text));
    const auto over = [&] { return pool.requests("MESSAGE") > before || f.error_stanza(text) != nullptr; };
    if (!f.until(over)) return "nothing came of it";
    if (pool.requests("MESSAGE") == before) return "its sender was told";
    pool.answer(pool.asked("MESSAGE", before + 1), 200);
    return "it came";
  };
  const std::string host = SipByHand::host;
  if (!GIVEN(told("good", SipByHand::certificate()) == "it came", "a message comes to a next hop of the right name"))
    return;
  CONFORMS("RFC5922-7.3-1", "what came of a message to a next hop that shows another name",
           told("name", SipByHand::certificate("elsewhere.contoso.example")), Eq("its sender was told"));
  CONFORMS("RFC5922-7.2-1", "what came of a message to a next hop that shows a wildcard",
           told("wildcard", SipByHand::certificate("*.contoso.example")), Eq("its sender was told"));
  CONFORMS("RFC5922-7.3-1", "what came of a message to a next hop whose issuer is unknown",
           told("issuer", SipByHand::certificate(host, tls::Flaw::unknown_root)), Eq("its sender was told"));
  CONFORMS("RFC5922-7.3-1", "what came of a message to a next hop whose certificate has expired",
           told("date", SipByHand::certificate(host, tls::Flaw::expired)), Eq("its sender was told"));
  (void)GIVEN(told("good again", SipByHand::certificate()) == "it came", "a later message comes");
}

CUTOVER_CASE(servers){
    .id = "policy.sip-next-hop",
    .title = "Nothing is said to a next hop that does not prove by its certificate to be the one that was sought",
    .procedure =
        "The next hop of the gateway shows a good certificate, one with another name, with a wildcard, of an unknown "
        "issuer, an expired one, and a good one; a partner's user writes each time.",
    .accepted = "The first and the last message come; for the others an error for their sender.",
    .likely_causes = "A valid path is enough; the names are compared as XMPP does.",
    .judges = {{"RFC5922-7.3-1",
                {"sip.ignores-certificate-name", "sip.trusts-any-issuer", "sip.trusts-any-certificate"}},
               {"RFC5922-7.2-1", {"sip.takes-wildcards"}}},
    .needs = needs,
    .any_topology = true,
    .budget = 1h,
    .body = whom_it_tells};

void addresses(Run& run) {
  Federated f(run);
  SipByHand pool(f);
  if (!GIVEN(pool.connect(), connected)) return;
  const auto to = [&](const std::string& uri) {
    auto request = pool.request("MESSAGE", uri, "to " + uri);
    if (!uri.starts_with("sip:")) request.set_header("To", "<" + f.romeo_uri + ">");
    return pool.said_and_answered(request);
  };
  const auto from = [&](const std::string& uri, const std::string& target) {
    auto request = pool.request("MESSAGE", target, "from " + uri);
    request.set_header("From", "<" + uri + ">;tag=elsewhere");
    return pool.said_and_answered(request);
  };
  // Whoever is ours may: what is refused is refused for its address.
  auto settings = f.deployment.gateway().settings();
  settings.policies.global = {true, true};
  f.deployment.gateway().apply(std::move(settings));
  if (!GIVEN(to(f.romeo_uri).starts_with("2"), "a MESSAGE to a partner's user is answered 2xx")) return;
  CONFORMS("RFC3261-416", "the answer to a MESSAGE to a tel: URI",
           to("tel:+15550100;phone-context=" + f.partner_domain), Eq(status_text(416)));
  CONFORMS("RFC3261-404", "the answer to a MESSAGE to a user at an address", to("sip:romeo@192.0.2.1"),
           AnyOf(status_text(404), status_text(403)));
  f.partner.add_user(R"(\20romeo)");
  CONFORMS("RFC7247-6.2-7", "the answer to a MESSAGE to a user whose name begins with a space",
           to("sip:%20romeo@" + f.partner_domain), StartsWith("4"));
  CONFORMS("RFC3261-404", "the answer to a MESSAGE to a domain that is no partner", to("sip:romeo@stranger.example"),
           AnyOf(status_text(404), status_text(403)));
  CONFORMS("RFC3261-404", "the answer to a MESSAGE of a foreign domain to a partner's user",
           from("sip:mallory@stranger.example", f.romeo_uri), AnyOf(status_text(404), status_text(403)));
  auto at_its_end = pool.request("MESSAGE", f.romeo_uri, "at its end");
  at_its_end.set_header("Max-Forwards", "0");
  CONFORMS("RFC3261-483", "the answer to a MESSAGE with Max-Forwards 0", pool.said_and_answered(at_its_end),
           Eq(status_text(483)));
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reaches the partner's user")) return;
  CONFORMS("RFC3261-404", "how often the domain that is no partner was looked up",
           f.deployment.name_server().server().queries("_xmpp-server._tcp.stranger.example", dns::Type::srv), Eq(0U));
  std::vector<std::string> texts;
  for (const auto& stanza : f.romeo.messages) texts.push_back(body_of(stanza));
  CONFORMS("RFC3261-404", "what the partner's user got", texts, testing::ElementsAre("to " + f.romeo_uri, "marker 1"));
}

CUTOVER_CASE(of_addresses){
    .id = "policy.sip-addresses",
    .title = "Requests that no partner of ours can be meant by, or that are not ours to send, are refused",
    .procedure =
        "From the place of the pool: MESSAGEs to a tel: URI, to a user at an address, to one whose name "
        "begins with a space, to a domain that is no partner, from a foreign domain, and one with Max-Forwards 0.",
    .accepted = "416; 404 or 403; a status of the 400s; 404 or 403 twice; 483. No stanza.",
    .likely_causes = "Whatever comes from inside is sent on.",
    .judges = {{"RFC3261-416", {"gateway.accepts-any-scheme"}},
               {"RFC7247-6.2-7", {"gateway.accepts-edge-spaces"}},
               {"RFC3261-404", {"gateway.open-relay"}},
               {"RFC3261-483", {"gateway.ignores-max-forwards"}}},
    .needs = needs,
    .any_topology = true,
    .staging = Staging::bench_only,
    .budget = 1h,
    .takes = 4s,
    .body = addresses};

}  // namespace
}  // namespace cutover::suites
