// TLS from the first octet (XEP-0368), as the receiving server does it.
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;

/// A connection to the port for direct TLS whose handshake is over, good or bad.
PeerStream met(Negotiation& n, const tls::Identity& identity, const std::vector<std::string>& alpn) {
  auto stream = n.connect_direct(external);
  stream.wire().start_tls(identity, tls::Role::client, {.server_name = n.subject().domain(), .alpn = alpn});
  (void)n.until([&] { return stream.wire().handshake_over(); });
  return stream;
}

void taken(Run& run) {
  Negotiation n(run);
  auto stream = met(n, *n.certificate(external), {"xmpp-server"});
  const bool secured = stream.wire().secured();
  if (!CONFORMS("XEP0368-3-8", "a handshake for xmpp-server succeeds at the port for direct TLS", secured, Eq(true)))
    return;
  CONFORMS("XEP0368-3-8", "the protocol that was selected of xmpp-server", stream.wire().tls()->alpn(),
           AnyOf(Eq("xmpp-server"), Eq("")));
  const auto features = stream.open();
  if (!GIVEN(features.has_value(), "the server answered a header inside TLS with features")) return;
  CONFORMS("XEP0368-3-5", "STARTTLS is offered inside TLS", features->child("starttls", xmpp::ns::tls) != nullptr,
           Eq(false));
  const auto answer = stream.authenticate("");
  const bool established = answer && answer->is("success", xmpp::ns::sasl) && stream.reopen();
  if (!CONFORMS("XEP0368-3-4", "a good certificate authenticates by EXTERNAL, as behind STARTTLS", established,
                Eq(true)))
    return;
  stream.send(n.message(external, "directly"));
  CONFORMS("XEP0368-3-8", "the message of the authenticated peer reached the user",
           n.until([&] { return n.subject().received("directly") > 0; }), Eq(true));
  auto client = met(n, *n.certificate(external), {"xmpp-client"});
  CONFORMS("XEP0368-3-8", "the protocol that was selected of xmpp-client",
           client.wire().secured() && client.wire().tls()->alpn() == "xmpp-client" && client.open()
               ? "xmpp-client, for a stream of servers"
               : "none, or no stream",
           Eq("none, or no stream"));
}

CUTOVER_CASE(direct_in){
    .id = "tls.direct",
    .title = "The server takes streams with TLS from the first octet, by the same rules as behind STARTTLS",
    .procedure =
        "Connect to the port for direct TLS with ALPN xmpp-server, authenticate by EXTERNAL, send a message; then "
        "with ALPN xmpp-client.",
    .accepted = "xmpp-server selected or no protocol at all; an alert, the end, or clients' service for xmpp-client.",
    .likely_causes =
        "A listener that adds STARTTLS to the features; one for clients and servers that does not look at ALPN.",
    .judges = {{"XEP0368-3-8", {"xmpp.clients-alpn-selected"}},
               {"XEP0368-3-5", {"xmpp.starttls-offered-inside-tls"}},
               {"XEP0368-3-4", {"xmpp.dns-names-ignored"}}},
    .needs = {Need::direct_tls_in, Need::sasl_external, Need::user_account},
    .body = taken};

void trusted(Run& run) {
  struct Bad {
    const char* words;
    tls::Flaw flaw;
  };
  Negotiation n(run);
  for (const auto& [words, flaw] : {Bad{"an expired certificate", tls::Flaw::expired},
                                    Bad{"the certificate of another name", tls::Flaw::wrong_name},
                                    Bad{"a certificate of an unknown root", tls::Flaw::unknown_root}}) {
    auto stream = met(n, *n.certificate(external, flaw), {"xmpp-server"});
    std::string worth = "no stream";
    if (stream.wire().secured() && stream.open()) {
      const auto answer = stream.authenticate("");
      worth = answer ? answer->name() : "ended";
    }
    CONFORMS("XEP0368-3-4", std::string("the answer to EXTERNAL with ") + words, worth, Ne("success"));
    stream.wire().abort();
  }
}

CUTOVER_CASE(direct_trust){
    .id = "tls.direct-trust",
    .title = "Behind TLS from the first octet no flawed certificate authenticates",
    .procedure =
        "Three times direct TLS and EXTERNAL: an expired certificate, one of another name, one of an unknown root.",
    .accepted = "A failed handshake, <failure/>, or the end of the stream.",
    .likely_causes = "Validation that is set up for STARTTLS alone.",
    .judges = {{"XEP0368-3-4", {"xmpp.invalid-chain-accepted", "xmpp.wrong-certificate-name-accepted"}}},
    .needs = {Need::direct_tls_in, Need::sasl_external, Need::authority},
    .body = trusted};

}  // namespace
}  // namespace cutover::suites
