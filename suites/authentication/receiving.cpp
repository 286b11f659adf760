// SASL EXTERNAL as the receiving server does it: for whom it is offered, which identities it takes, and how it refuses.
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;

/// What a certificate is worth to the subject: "success", the SASL failure condition, "not offered", or how it ended.
std::string worth(Negotiation& n, const tls::Identity& identity, bool* offered = nullptr) {
  auto stream = n.connect(external);
  if (!stream.open()) return "no features in clear";
  if (!stream.start_tls(identity)) return "no TLS";
  const auto features = stream.open();
  if (!features) return "no features inside TLS";
  if (offered != nullptr) *offered = offers_mechanism(*features, "EXTERNAL");
  const auto answer = stream.authenticate("");
  if (!answer) return "ended";
  if (answer->is("success", xmpp::ns::sasl)) return "success";
  return answer->first_child() == nullptr ? answer->name() : answer->first_child()->name();
}

void good_certificates(Run& run) {
  Negotiation n(run);
  using enum tls::NameKind;
  CONFORMS("RFC6120-13.7.1.2.1-1", worth(n, *n.certificate(external, tls::Flaw::none, dns)), Eq("success"));
  CONFORMS("RFC6120-13.7.1.2.1-2", worth(n, *n.certificate(external, tls::Flaw::none, srv)), Eq("success"));
  CONFORMS("RFC6120-13.7.1.2.1-4", worth(n, *n.certificate(external, tls::Flaw::none, xmpp_addr)), Eq("success"));
  CONFORMS("SEC-EKU-1", worth(n, *n.certificate(external, tls::Flaw::server_only_eku)), Eq("success"));
}

CUTOVER_CASE(accepted_certificates){
    .id = "authentication.good-certificates",
    .title = "A certificate authenticates by dNSName, SRVName or XmppAddr, also one that only serves as a server's",
    .procedure = "A stream each with such a client certificate; SASL EXTERNAL with the authorisation identity '='.",
    .accepted = "<success/>.",
    .likely_causes =
        "Names that are not read; a demand for clientAuth, which public authorities do not issue any more.",
    .judges = {{"RFC6120-13.7.1.2.1-1", {"xmpp.dns-names-ignored"}},
               {"RFC6120-13.7.1.2.1-2", {"xmpp.srv-names-ignored"}},
               {"RFC6120-13.7.1.2.1-4", {"xmpp.xmpp-addrs-ignored"}},
               {"SEC-EKU-1", {"xmpp.client-eku-demanded"}}},
    .needs = {Need::sasl_external},
    .body = good_certificates};

void bad_certificates(Run& run) {
  Negotiation n(run);
  using enum tls::Flaw;
  for (const auto flaw : {expired, not_yet_valid, unknown_root, missing_intermediate}) {
    CONFORMS("RFC6120-13.7.2-1", worth(n, *n.certificate(external, flaw)), Ne("success"));
  }
  CONFORMS("RFC6120-13.7.1.1-1", worth(n, *n.certificate(external, ca_true_leaf)), Ne("success"));
  CONFORMS("SEC-FROM-SPOOF-5", worth(n, *n.certificate(external, self_signed)), Ne("success"));
  for (const auto flaw : {wrong_name, wildcard}) {
    CONFORMS("RFC6120-13.7.2.1-2", worth(n, *n.certificate(external, flaw)), Ne("success"));
  }
  bool offered = true;
  CONFORMS("RFC6120-5.4.3.1-7", worth(n, *n.certificate(external, no_certificate), &offered), Ne("success"));
  CONFORMS("RFC6120-6.3.4-3", offered, Eq(false));
}

CUTOVER_CASE(refused_certificates){
    .id = "authentication.bad-certificates",
    .title = "No flawed certificate, no other name and no missing certificate authenticates a peer by EXTERNAL",
    .procedure =
        "A stream each with a certificate that is expired, not yet valid, of an unknown root, without its "
        "intermediate, "
        "self-signed, an authority's, of another name, a wildcard below the domain; and one without any. Then <auth/>.",
    .accepted =
        "A refused handshake, EXTERNAL not offered, a failure, or the end of the stream; anything but <success/>.",
    .likely_causes = "A verification callback that always agrees, because dialback shall stay possible.",
    .judges = {{"RFC6120-13.7.2-1", {"xmpp.invalid-chain-accepted"}},
               {"RFC6120-13.7.1.1-1", {"xmpp.invalid-chain-accepted"}},
               {"SEC-FROM-SPOOF-5", {"xmpp.invalid-chain-accepted"}},
               {"RFC6120-13.7.2.1-2", {"xmpp.wrong-certificate-name-accepted"}},
               {"RFC6120-5.4.3.1-7", {"xmpp.external-without-certificate"}},
               {"RFC6120-6.3.4-3", {"xmpp.external-offered-without-match"}}},
    .needs = {Need::sasl_external},
    .body = bad_certificates};

std::string failure_of(const std::optional<xml::Element>& answer) {
  if (!answer) return "no answer";
  if (!answer->is("failure", xmpp::ns::sasl)) return answer->name();
  return answer->first_child() == nullptr ? "no condition" : answer->first_child()->name();
}

constexpr char auth_open[] = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='";

std::optional<PeerStream> inside_tls(Negotiation& n) { return n.secured(external, *n.certificate(external)); }

void identities(Run& run) {
  Negotiation n(run);
  if (auto stream = inside_tls(n)) {
    const auto own = stream->authenticate(n.domain(external));
    CONFORMS("XEP0178-3-3", own ? own->name() : "no answer", Eq("success"));
  }
  if (auto stream = inside_tls(n)) {
    CONFORMS("RFC6120-6.3.8-2", failure_of(stream->authenticate("victim.example")),
             AnyOf(Eq("invalid-authzid"), Eq("not-authorized")));
  }
  if (auto stream = inside_tls(n)) {
    stream->send(std::string(auth_open) + "EXTERNAL'>!!!not-base64!!!</auth>");
    const auto answer = failure_of(stream->await_element());
    CONFORMS("RFC6120-13.9.1-1", answer, Ne("success"));
    CONFORMS("RFC6120-6.4.5-1", answer, Ne("no condition"));
  }
  if (auto stream = inside_tls(n)) {
    stream->send(std::string(auth_open) + "X-NONSENSE'>=</auth>");
    CONFORMS("RFC6120-6.5.7-1", failure_of(stream->await_element()), Eq("invalid-mechanism"));
  }
  if (auto stream = inside_tls(n)) {
    stream->send("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    CONFORMS("RFC6120-6.4.4-1", failure_of(stream->await_element()), AnyOf(Eq("aborted"), Eq("malformed-request")));
  }
}

CUTOVER_CASE(authzids){
    .id = "authentication.identities",
    .title = "EXTERNAL takes the peer's own domain as identity and no other; rubbish is refused with a condition",
    .procedure =
        "Inside TLS with a good certificate: the own domain as authorisation identity, a foreign one, text that is no "
        "base64, an unknown mechanism, an <abort/>.",
    .accepted = "<success/> for the own domain; <failure/> with a defined condition for everything else.",
    .likely_causes = "An authorisation identity that is believed; a lax base64 decoder.",
    .judges = {{"XEP0178-3-3", {"xmpp.dns-names-ignored"}},
               {"RFC6120-6.3.8-2", {"xmpp.foreign-authzid-accepted"}},
               {"RFC6120-13.9.1-1", {"xmpp.bad-base64-accepted"}},
               {"RFC6120-6.4.5-1", {"xmpp.failure-without-condition"}},
               {"RFC6120-6.5.7-1", {"xmpp.any-mechanism-accepted"}},
               {"RFC6120-6.4.4-1", {"xmpp.abort-ignored"}}},
    .needs = {Need::sasl_external},
    .body = identities};

void retries(Run& run) {
  Negotiation n(run);
  auto stream = inside_tls(n);
  if (!stream) return;
  constexpr int far_too_many = 20;
  int tries = 0;
  bool ended = false;
  while (tries < far_too_many && !ended) {
    tries++;
    const auto answer = stream->authenticate("victim.example");
    ended = !answer || answer->is("error", xmpp::ns::streams);
  }
  CONFORMS("RFC6120-13.9.4-1", ended, Eq(true));
  CONFORMS("RFC6120-6.4.5-2", tries - 1, testing::AllOf(testing::Ge(1), testing::Le(5)));
}

CUTOVER_CASE(limited){
    .id = "authentication.retries",
    .title = "A peer has a few tries at SASL, then the stream ends",
    .procedure = "Send <auth/> with a foreign identity up to twenty times.",
    .accepted = "The end of the stream after 2 to 5 failures (1 counts as a warning).",
    .likely_causes = "No counter.",
    .judges = {{"RFC6120-13.9.4-1", {"xmpp.sasl-tries-unlimited"}}, {"RFC6120-6.4.5-2", {"xmpp.sasl-tries-unlimited"}}},
    .needs = {Need::sasl_external},
    .body = retries};

void after_success(Run& run) {
  Negotiation n(run);
  auto stream = n.established(external);
  CONFORMS("RFC6120-6.2-1", stream.has_value(), Eq(true));
  if (!stream) return;
  stream->send(n.message(external, "authenticated"));
  CONFORMS("RFC6120-4.3.2-6", n.until([&] { return n.subject().received("authenticated") > 0; }), Eq(true));
  CONFORMS("INV-2", n.marker_arrives() ? n.subject().received("authenticated") : 0U, Eq(1U));
}

CUTOVER_CASE(delivers){.id = "authentication.delivers",
                       .title = "An authenticated stream carries a message to the user, once",
                       .procedure = "STARTTLS, EXTERNAL, a new stream, a message; then a marker.",
                       .accepted = "One copy.",
                       .likely_causes = "A stream that is never taken for established.",
                       .judges = {{"RFC6120-6.2-1", {"xmpp.dns-names-ignored"}},
                                  {"RFC6120-4.3.2-6", {"gateway.proxy-drops-inbound"}},
                                  {"INV-2", {"gateway.doubles-message-to-sip"}}},
                       .needs = {Need::sasl_external, Need::user_account},
                       .body = after_success};

}  // namespace
}  // namespace cutover::suites
