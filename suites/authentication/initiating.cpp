// The subject as initiating server: its header, STARTTLS, whom it trusts, SASL EXTERNAL, and what it does with its
// queue.
#include "protocol/tls/identity.h"
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;

void whole_way(Run& run) {
  Negotiation n(run);
  auto stream = n.called(external, "by external");
  if (!GIVEN(stream && stream->answer_header(starttls_required), "the subject opens a stream to its peer")) return;
  const auto header = stream->peer_header().tag;
  CONFORMS("RFC6120-4.7.2-1", "the 'to' of the header", header.attribute_or_empty("to"), Eq(n.domain(external)));
  CONFORMS("RFC6120-4.7.3-3", "the header has an id", header.attribute("id").has_value(), Eq(false));
  CONFORMS("RFC6120-4.7.4-1", "the header has an xml:lang", header.attribute("lang", xmpp::ns::xml).has_value(),
           Eq(true));
  CONFORMS("RFC6120-4.7.5-1", "the version of the header", header.attribute_or_empty("version"), Eq("1.0"));
  // The stream namespace: no content namespace is declared, and each element names its own (section 4.8.2).
  CONFORMS("RFC6120-4.8.3-2", "the default namespace of the header", stream->peer_header().content_ns,
           AnyOf(Eq(xmpp::ns::server), Eq(xmpp::ns::streams)));
  const bool secured = stream->accept_tls(*n.certificate(external));
  if (!CONFORMS("RFC6120-5.2-1", "the subject secured the stream by STARTTLS", secured, Eq(true))) return;
  const auto presented = stream->wire().tls()->peer_certificate();
  CONFORMS("RFC6120-5.4.3.1-4", "the subject presented a certificate for its domain",
           presented && tls::authenticates(*presented, n.subject().domain()), Eq(true));
  CONFORMS("RFC7590-3.5-1", "the server name (SNI) in the handshake", stream->wire().tls()->server_name(),
           AnyOf(Eq(n.domain(external)), Eq("")));
  const bool restarted = stream->answer_header(external_offered);
  if (!CONFORMS("RFC6120-5.4.3.3-3", "a new header came inside TLS", restarted, Eq(true))) return;
  CONFORMS("RFC6120-4.7.1-1", "the 'from' of the header inside TLS",
           stream->peer_header().tag.attribute_or_empty("from"), Eq(n.subject().domain()));
  const auto authzid = stream->accept_external();
  if (!CONFORMS("RFC6120-6.4.6-2", "the subject authenticated, and a new header came behind <success/>",
                authzid.has_value(), Eq(true)))
    return;
  CONFORMS("RFC6120-6.3.8-1", "the authorisation identity", *authzid, AnyOf(Eq(""), Eq(n.subject().domain())));
  const auto message = stream->await_element("message", xmpp::ns::server);
  CONFORMS("RFC6120-4.3.2-6", "the message on the authenticated stream", body_of(message), Eq("by external"));
}

CUTOVER_CASE(external_way){
    .id = "authentication.initiating-external",
    .title =
        "The initiating server secures its stream, shows its certificate, authenticates by EXTERNAL, then delivers",
    .procedure = "Let the user write; lead the stream through STARTTLS, EXTERNAL and the restarts; read the message.",
    .accepted =
        "jabber:server as the default namespace, or the stream namespace where each element names its own; the "
        "authorisation identity empty or the own domain; SNI absent or the domain; any prefix and order.",
    .likely_causes = "A header without from inside TLS; no new header behind <success/>.",
    .judges = {{"RFC6120-4.7.2-1", {"xmpp.header-without-to"}},
               {"RFC6120-4.7.3-3", {"xmpp.initial-header-with-id"}},
               {"RFC6120-4.7.4-1", {"xmpp.header-without-lang"}},
               {"RFC6120-4.7.5-1", {"xmpp.initial-version-low"}},
               {"RFC6120-4.8.3-2", {"xmpp.initiates-in-client-namespace"}},
               {"RFC6120-5.2-1", {"xmpp.never-starts-tls"}},
               {"RFC6120-5.4.3.1-4", {}},
               {"RFC7590-3.5-1", {"xmpp.sni-is-srv-target"}},
               {"RFC6120-5.4.3.3-3", {"xmpp.no-restart-after-tls"}},
               {"RFC6120-4.7.1-1", {"xmpp.header-without-from", "xmpp.calls-from-its-host-inside-tls"}},
               {"RFC6120-6.4.6-2", {"xmpp.no-restart-after-success"}},
               {"RFC6120-6.3.8-1", {"xmpp.authzid-is-a-user"}},
               {"RFC6120-4.3.2-6", {"xmpp.waits-behind-empty-features"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .body = whole_way};

/// What the subject sends to a receiving server with that certificate that only a trusted one may get, such as <auth/>,
/// a key or a stanza; "nothing" where it ends the handshake or the stream.
std::string sent_to(Negotiation& n, PeerStream& stream, tls::Flaw flaw) {
  if (!n.lead_to_tls(stream, *n.certificate(external, flaw), external_offered)) return "nothing";
  const auto next = stream.await_element();
  stream.wire().abort();
  return goes_on_with(next);
}

void whom_it_trusts(Run& run) {
  struct Server {
    tls::Flaw flaw;
    const char *words, *trust;  ///< the requirement that each is about
  };
  Negotiation n(run);
  for (const auto& [flaw, words, trust] :
       {Server{tls::Flaw::expired, "an expired certificate", "RFC6120-13.7.2-1/validity"},
        Server{tls::Flaw::unknown_root, "a certificate of an unknown root", "RFC6120-13.9.5-2"},
        Server{tls::Flaw::wrong_name, "the certificate of another name", "RFC6120-13.7.2.1-1"}}) {
    const auto server = fmt::format("a server with {}", words);
    auto stream = n.called(external, server);
    if (!GIVEN(stream, "the subject opens a stream to " + server)) return;
    const auto sent = sent_to(n, *stream, flaw);
    for (const auto* requirement : {trust, "RFC6120-5.4.3.1-6", "RFC6120-4.7.1-5/initiating", "SEC-FROM-SPOOF-6"})
      CONFORMS(requirement, "what the subject sent to " + server, sent, Eq("nothing"));
    const auto told = n.told(server);
    if (CONFORMS("RFC6120-10.4.3-1", "what the sender of a message to " + server + " was told", told, Ne("nothing")))
      CONFORMS("RFC6120-10.4.3-3", "what the sender of a message to " + server + " was told", told,
               Tells("remote-server-timeout"));
  }
}

CUTOVER_CASE(server_certificates){
    .id = "authentication.initiating-trust",
    .title = "The initiating server authenticates to no server whose certificate is not good for the domain",
    .procedure =
        "Let the user write three times; lead the stream into TLS with an expired certificate, one of an unknown root, "
        "one "
        "of another name; see what comes inside.",
    .accepted = "The end of the stream or of the handshake; the user is told remote-server-timeout, however late.",
    .likely_causes = "Certificates checked as server only; a mismatch that is logged and forgiven.",
    .judges = {{"RFC6120-13.7.2-1", {"xmpp.peer-certificate-not-checked"}},
               {"RFC6120-10.4.3-1", {"xmpp.undeliverable-silent"}},
               {"RFC6120-10.4.3-3", {"xmpp.undeliverable-wrong-condition"}},
               {"RFC6120-13.9.5-2", {"xmpp.peer-certificate-not-checked"}},
               {"RFC6120-5.4.3.1-6", {"xmpp.peer-certificate-not-checked"}},
               {"RFC6120-4.7.1-5", {"xmpp.peer-certificate-not-checked"}},
               {"SEC-FROM-SPOOF-6", {"xmpp.peer-certificate-not-checked"}},
               {"RFC6120-13.7.2.1-1", {"xmpp.peer-certificate-not-checked"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::partner_list, Need::unmet_peers, Need::authority},
    .budget = 10min,
    .body = whom_it_trusts};

void behind_proceed(Run& run) {
  Negotiation n(run);
  auto stream = n.called(external, "secret");
  if (!GIVEN(stream && stream->answer_header(starttls_required), "the subject opens a stream to its peer")) return;
  auto injected = stream->header();
  injected.id = "injected";
  const bool secured =
      stream->accept_tls(*n.certificate(external),
                         injected.text() + "<stream:features>" + std::string(external_offered) + "</stream:features>");
  // It must not authenticate by features that came in clear. It may end the stream, with an error or without.
  bool authenticated = false;
  if (secured && stream->await_header()) {
    if (!n.given_marker()) return;
    authenticated =
        stream->wire().take_element("auth", xmpp::ns::sasl) || stream->wire().take_element("message", xmpp::ns::server);
  }
  CONFORMS("SEC-TLS-INJECT-2", "the subject authenticated by features that came in clear", authenticated, Eq(false));
}

CUTOVER_CASE(response_injection){
    .id = "security.proceed-injection",
    .title = "Features in the same segment as <proceed/> are not taken for features that came through TLS",
    .procedure =
        "Answer <starttls/> with <proceed/>, a header and features in one write; then the handshake, and silence.",
    .accepted = "A failed handshake, or a header and no authentication; a stream error is fine.",
    .likely_causes = "A buffer that survives the switch to TLS.",
    .judges = {{"SEC-TLS-INJECT-2", {"xmpp.plaintext-after-proceed-kept"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::unmet_peers},
    .sim = false,  // a simulated network cuts the segment that this is about
    .body = behind_proceed};

void refused_and_returned(Run& run) {
  Negotiation n(run);
  auto stream = n.called_to_authenticate("never authenticated", external_offered);
  if (!stream) return;
  stream->send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
  (void)n.until([&] { return stream->wire().has_item() || stream->wire().eof() || stream->wire().closed(); });
  CONFORMS("SEC-LEAK-2", "the message was sent in spite of <failure/>",
           stream->wire().has_received("never authenticated"), Eq(false));
  stream->close();
  CONFORMS("RFC6120-10.4.3-1", "what the sender was told", n.told("never authenticated"), Ne("nothing"));
}

CUTOVER_CASE(refused_stream){
    .id = "authentication.initiating-refused",
    .title = "Where its authentication is refused, the initiating server returns the stanza to its sender",
    .procedure = "Answer <auth/> with <failure/>, then end the stream.",
    .accepted = "An error for the user, at once or after further tries, however late; the message is never sent.",
    .likely_causes = "A queue without an end.",
    .judges = {{"RFC6120-10.4.3-1", {"xmpp.undeliverable-silent"}}, {"SEC-LEAK-2", {"xmpp.sends-despite-failure"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::partner_list, Need::unmet_peers},
    .budget = 5min,
    .body = refused_and_returned};

void oddly_refused(Run& run) {
  Negotiation n(run);
  auto stream = n.called_to_authenticate("oddly refused", external_offered);
  if (!stream) return;
  stream->send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><made-up/></failure>");
  (void)n.until([&] { return stream->wire().has_item() || stream->is_over(); });
  const bool sent = stream->wire().has_received("oddly refused");
  stream->close();
  CONFORMS("RFC6120-6.5-1", "what the sender was told where the condition of <failure/> was none that is known",
           sent ? "nothing, but the message was sent" : n.told("oddly refused"),
           testing::Not(testing::StartsWith("nothing")));
}

CUTOVER_CASE(refused_for_a_made_up_reason){
    .id = "authentication.initiating-refused-oddly",
    .title = "A failure of SASL whose condition nobody knows is a failure",
    .procedure = "Answer <auth/> with <failure/> of a condition that is made up, then end the stream.",
    .accepted = "An error for the user, at once or after further tries, however late; the message is never sent.",
    .likely_causes = "A list of conditions that is taken for the schema.",
    .judges = {{"RFC6120-6.5-1", {"xmpp.undeliverable-silent", "xmpp.sends-despite-failure"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::partner_list, Need::unmet_peers},
    .budget = 5min,
    .body = oddly_refused};

}  // namespace
}  // namespace cutover::suites
