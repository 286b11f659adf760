// SASL EXTERNAL as the receiving server does it: for whom it is offered, which identities it takes, and how it refuses.
#include "protocol/xmpp/stanza.h"
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;

/// A stream whose features in clear were read; a precondition of what is judged on it.
std::optional<PeerStream> opened(Negotiation& n) {
  auto stream = n.connect(external);
  if (!GIVEN(stream.open(), "the subject answers a header with features")) return std::nullopt;
  return stream;
}

void good_certificates(Run& run) {
  struct Good {
    const char *requirement, *words;
    tls::NameKind name;
    tls::Flaw flaw;
  };
  Negotiation n(run);
  for (const auto& [requirement, words, name, flaw] :
       {Good{"RFC6120-13.7.1.2.1-2", "has an SRVName", tls::NameKind::srv, tls::Flaw::none},
        Good{"RFC6120-13.7.1.2.1-4", "has an XmppAddr", tls::NameKind::xmpp_addr, tls::Flaw::none},
        Good{"RFC6120-13.7.1.2.1-1", "has a dNSName", tls::NameKind::dns, tls::Flaw::none},
        Good{"SEC-EKU-1", "is for servers only", tls::NameKind::dns, tls::Flaw::server_only_eku}}) {
    auto stream = opened(n);
    if (!stream) return;
    const auto answer = stream->worth_of(*n.certificate(external, flaw, name));
    // A server that secures no stream at all looks at no certificate.
    if (answer == "no TLS" && !GIVEN(n.secured(external, *n.certificate(external)), "streams are secured")) return;
    const bool taken = CONFORMS(requirement, fmt::format("the answer to EXTERNAL with a certificate that {}", words),
                                answer, Eq("success"));
    if (!taken && name == tls::NameKind::dns) return;  // the last of them has such a name, too
  }
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
    .needs = {Need::sasl_external, Need::authority},
    .body = good_certificates};

/// The twin of what must be refused: the same with a good certificate succeeds, or a refusal proves nothing.
bool good_one_succeeds(Negotiation& n) {
  auto stream = opened(n);
  return stream &&
         GIVEN(stream->worth_of(*n.certificate(external)) == "success", "EXTERNAL succeeds with a good certificate");
}

void bad_certificates(Run& run) {
  struct Bad {
    const char *requirement, *words;
    tls::Flaw flaw;
  };
  Negotiation n(run);
  using enum tls::Flaw;
  if (!good_one_succeeds(n)) return;
  for (const auto& [requirement, words, flaw] :
       {Bad{"RFC6120-13.7.2-1/validity", "an expired certificate", expired},
        Bad{"RFC6120-13.7.2-1/validity", "a certificate that is not yet valid", not_yet_valid},
        Bad{"RFC6120-13.7.2-1/path", "a certificate without its intermediate", missing_intermediate},
        Bad{"RFC6120-13.7.2-1/path", "a certificate that no authority issued, but a server with a good one",
            issuer_no_ca},
        Bad{"RFC6120-13.7.2-1/signature", "a certificate whose signature is not its issuer's", bad_signature},
        Bad{"RFC6120-5.4.3.1-7", "a certificate of an unknown root", unknown_root},
        Bad{"SEC-FROM-SPOOF-5", "a self-signed certificate", self_signed},
        Bad{"RFC6120-13.7.2.1-2", "the certificate of another name", wrong_name},
        Bad{"RFC6120-13.7.2.1-2", "a certificate with a wildcard below the domain", wildcard},
        Bad{"RFC6120-13.7.1.2.1-3", "a certificate for the service of clients alone", foreign_service},
        Bad{"SEC-FROM-SPOOF-5", "no certificate", no_certificate}}) {
    auto stream = opened(n);
    if (!stream) return;
    CONFORMS(requirement, fmt::format("the answer to EXTERNAL with {}", words),
             stream->worth_of(*n.certificate(external, flaw)), Ne("success"));
  }
  (void)good_one_succeeds(n);
}

CUTOVER_CASE(refused_certificates){
    .id = "authentication.bad-certificates",
    .title = "No flawed certificate, no other name and no missing certificate authenticates a peer by EXTERNAL",
    .procedure =
        "A stream each with a certificate that is expired, not yet valid, without its intermediate, issued by a server "
        "instead of an authority, signed by another key than its issuer's, of an unknown root, self-signed, of another "
        "name, a wildcard below the domain, with an SRVName of the service of clients; and one without any. Then "
        "<auth/>. Before and behind them one with a good certificate, which succeeds.",
    .accepted =
        "A refused handshake, EXTERNAL offered or not (RFC 6120 section 6.3.4 lets a server offer it), a failure, or "
        "the end of the stream; anything but <success/>.",
    .likely_causes = "A verification callback that always agrees, because dialback shall stay possible.",
    .judges = {{"RFC6120-13.7.2-1",
                {"xmpp.invalid-chain-accepted", "xmpp.signatures-not-checked", "xmpp.issuers-not-checked"}},
               {"RFC6120-13.7.1.2.1-3", {"xmpp.any-service-in-srv-names"}},
               {"RFC6120-5.4.3.1-7", {"xmpp.invalid-chain-accepted"}},
               {"SEC-FROM-SPOOF-5", {"xmpp.invalid-chain-accepted", "xmpp.external-without-certificate"}},
               {"RFC6120-13.7.2.1-2", {"xmpp.wrong-certificate-name-accepted", "xmpp.external-without-proof"}}},
    .needs = {Need::sasl_external, Need::authority},
    .body = bad_certificates};

/// "success", or the condition of the failure.
std::string result_of(const std::optional<xml::Element>& answer) {
  if (!answer) return "no answer";
  if (!answer->is("failure", xmpp::ns::sasl)) return answer->name();
  return answer->first_child() == nullptr ? "no condition" : answer->first_child()->name();
}

constexpr char auth_open[] = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='";

/// A stream with a good certificate, its features inside TLS read; a precondition of what is judged on it.
std::optional<PeerStream> inside_tls(Negotiation& n) {
  auto stream = n.secured(external, *n.certificate(external));
  (void)GIVEN(stream, "the subject offers features inside TLS");
  return stream;
}

MATCHER(IsASaslCondition, "a condition of RFC 6120 section 6.5") {
  return std::ranges::find(xmpp::sasl_conditions(), arg) != xmpp::sasl_conditions().end();
}

/// What <abort/> is answered in the midst of an exchange, which an <auth/> without initial response begins. A server
/// that settles EXTERNAL at once has none to abort.
std::string answer_to_abort(PeerStream& stream) {
  stream.send(std::string(auth_open) + "EXTERNAL'/>");
  const auto first = stream.await_element();
  if (!first || !first->is("challenge", xmpp::ns::sasl)) return "no exchange to abort: " + result_of(first);
  stream.send("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  return result_of(stream.await_element());
}

void identities(Run& run) {
  Negotiation n(run);
  if (!good_one_succeeds(n)) return;
  if (auto stream = inside_tls(n)) {
    stream->send(std::string(auth_open) + "EXTERNAL'/>");
    const auto first = stream->await_element();
    const bool begun = first && first->is("challenge", xmpp::ns::sasl);
    CONFORMS_THAT("RFC6120-6.4.2-2", "the answer to a second <auth/> in the midst of the exchange of the first",
                  !begun || result_of(stream->authenticate("")) == "success", "success",
                  begun ? "another one" : "no exchange to begin anew");
  }
  if (auto stream = inside_tls(n)) {
    CONFORMS("RFC6120-6.3.8-2", "the answer to EXTERNAL as the own domain",
             result_of(stream->authenticate(n.domain(external))), Eq("success"));
  }
  if (auto stream = inside_tls(n)) {
    stream->send(std::string(auth_open) + "EXTERNAL'>!!!not-base64!!!</auth>");
    const auto answer = stream->await_element();
    CONFORMS("RFC6120-13.9.1-1", "the answer to text that is no base64", result_of(answer), Ne("success"));
    if (GIVEN(answer && answer->is("failure", xmpp::ns::sasl), "text that is no base64 is answered with <failure/>") &&
        !CONFORMS("RFC6120-6.4.5-1", "the condition of the failure", result_of(answer), IsASaslCondition()))
      return;
  }
  if (auto stream = inside_tls(n)) {
    CONFORMS("RFC6120-6.3.8-2", "the answer to EXTERNAL as another domain",
             result_of(stream->authenticate("victim.example")), Eq("invalid-authzid"));
  }
  if (auto stream = inside_tls(n)) {
    stream->send(std::string(auth_open) + "X-NONSENSE'>=</auth>");
    CONFORMS("RFC6120-6.5.7-1", "the answer to an unknown mechanism", result_of(stream->await_element()),
             Eq("invalid-mechanism"));
  }
  if (auto stream = inside_tls(n)) {
    CONFORMS("RFC6120-6.4.4-1", "the answer to <abort/>", answer_to_abort(*stream),
             AnyOf(Eq("aborted"), testing::StartsWith("no exchange to abort")));
  }
}

CUTOVER_CASE(authzids){
    .id = "authentication.identities",
    .title = "EXTERNAL takes the peer's own domain as identity and no other; rubbish is refused with a condition",
    .procedure =
        "Inside TLS with a good certificate: a second <auth/> where the first is challenged, no authorisation "
        "identity, the own domain, a foreign one, text that is no "
        "base64, an unknown mechanism, and an <auth/> without a response that is aborted.",
    .accepted =
        "<success/> without identity and for the own domain; invalid-authzid for the foreign one; <failure/> with a "
        "defined condition for text that is no base64; invalid-mechanism; aborted, where the server challenges instead "
        "of settling EXTERNAL at once.",
    .likely_causes = "An authorisation identity that is believed; a lax base64 decoder.",
    .judges = {{"RFC6120-6.4.2-2", {"xmpp.second-auth-refused"}},
               {"RFC6120-6.3.8-2",
                {"xmpp.foreign-authzid-accepted", "xmpp.foreign-authzid-not-authorized", "xmpp.padding-refused"}},
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
  int failures = 0;
  auto answer = stream->authenticate("victim.example");
  for (; failures < far_too_many && answer && answer->is("failure", xmpp::ns::sasl); ++failures)
    answer = stream->authenticate("victim.example");
  if (!GIVEN(failures > 0, "EXTERNAL as another domain is refused with <failure/>")) return;
  const bool limited = failures < far_too_many;
  CONFORMS("RFC6120-13.9.4-1", fmt::format("the stream ended within {} tries", far_too_many), limited, Eq(true));
  // A first try and at most five more; fewer, too, for trying again is hardly appropriate for EXTERNAL.
  CONFORMS("RFC6120-6.4.5-2", "how many failures came before the stream ended", failures, testing::Le(6));
  if (!limited) return;  // what is said behind the last try is another matter
  // The element that answers the last try may be the error itself.
  const bool error = answer && answer->is("error", xmpp::ns::streams);
  const auto ending = stream->await_ending();
  CONFORMS_THAT("RFC6120-6.4.5-3", "the end of a stream on which the tries were used up",
                failures < 2 || error || ending.error, "a stream error",
                error || ending.error ? "a stream error"
                : failures < 2        ? "one try alone is given"
                                      : "no stream error");
}

CUTOVER_CASE(limited){.id = "authentication.retries",
                      .title = "A peer has a few tries at SASL, then the stream ends",
                      .procedure = "Send <auth/> with a foreign identity up to twenty times.",
                      .accepted = "The end of the stream after a failure, or after up to five more.",
                      .likely_causes = "No counter.",
                      .judges = {{"RFC6120-13.9.4-1", {"xmpp.sasl-tries-unlimited"}},
                                 {"RFC6120-6.4.5-2", {"xmpp.sasl-tries-unlimited"}},
                                 {"RFC6120-6.4.5-3", {"xmpp.no-stream-error"}}},
                      .needs = {Need::sasl_external},
                      .body = retries};

void after_success(Run& run) {
  Negotiation n(run);
  auto stream = n.established(external);
  // A server that secures no stream at all has another fault.
  if (!stream && !GIVEN(n.secured(external, *n.certificate(external)), "the subject offers features inside TLS"))
    return;
  if (!CONFORMS("RFC6120-6.2-1", "the stream was authenticated by EXTERNAL and opened anew", stream.has_value(),
                Eq(true)))
    return;
  stream->send(n.message(external, "authenticated"));
  CONFORMS("RFC6120-4.3.2-6", "the message of the authenticated peer reached the user",
           n.until([&] { return n.subject().received("authenticated") > 0; }), Eq(true));
  if (n.given_marker())
    CONFORMS("INV-2", "how often the message reached the user", n.subject().received("authenticated"), Eq(1U));
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
