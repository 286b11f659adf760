// The subject as initiating server: its header, STARTTLS, whom it trusts, SASL EXTERNAL, and what it does with its
// queue.
#include "protocol/tls/identity.h"
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;

constexpr auto external = PartnerKind::sasl_external;

void whole_way(Run& run) {
  Negotiation n(run);
  auto stream = n.called(external, "by external");
  if (!stream || !stream->answer_header(starttls_required)) return;
  const auto header = stream->peer_header().tag;
  CONFORMS("RFC6120-4.7.2-1", header.attribute_or_empty("to"), Eq(n.domain(external)));
  CONFORMS("RFC6120-4.7.3-3", header.attribute("id").has_value(), Eq(false));
  CONFORMS("RFC6120-4.7.4-1", header.attribute("lang", xmpp::ns::xml).has_value(), Eq(true));
  CONFORMS("RFC6120-4.7.5-1", header.attribute_or_empty("version"), Eq("1.0"));
  CONFORMS("RFC6120-4.8.3-2", stream->peer_header().content_ns, Eq(xmpp::ns::server));
  const bool secured = stream->accept_tls(*n.certificate(external));
  CONFORMS("RFC6120-5.2-1", secured, Eq(true));
  if (!secured) return;
  const auto presented = stream->wire().tls()->peer_certificate();
  CONFORMS("RFC6120-5.4.3.1-4", presented && tls::authenticates(*presented, n.subject().domain()), Eq(true));
  const auto sni = stream->wire().tls()->server_name();
  CONFORMS("RFC7590-3.5-1", sni, AnyOf(Eq(n.domain(external)), Eq("")));
  const bool restarted = stream->answer_header(external_offered);
  CONFORMS("RFC6120-5.4.3.3-3", restarted, Eq(true));
  if (!restarted) return;
  CONFORMS("RFC6120-4.7.1-1", stream->peer_header().tag.attribute_or_empty("from"), Eq(n.subject().domain()));
  const auto authzid = stream->accept_external();
  CONFORMS("RFC6120-6.4.6-2", authzid.has_value(), Eq(true));
  if (!authzid) return;
  CONFORMS("RFC6120-6.3.8-1", *authzid, AnyOf(Eq(""), Eq(n.subject().domain())));
  const auto message = stream->await_element("message", xmpp::ns::server);
  CONFORMS("RFC6120-4.3.2-6", message.has_value(), Eq(true));
  if (!message) return;
  const auto* body = message->child("body", xmpp::ns::server);
  CONFORMS("RFC6120-4.3.2-6", body == nullptr ? "" : body->text(), Eq("by external"));
}

CUTOVER_CASE(external_way){
    .id = "authentication.initiating-external",
    .title =
        "The initiating server secures its stream, shows its certificate, authenticates by EXTERNAL, then delivers",
    .procedure = "Let the user write; lead the stream through STARTTLS, EXTERNAL and the restarts; read the message.",
    .accepted = "The authorisation identity empty or the own domain; SNI absent or the domain; any prefix and order.",
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
               {"RFC6120-4.7.1-1", {"xmpp.header-without-from"}},
               {"RFC6120-6.4.6-2", {"xmpp.no-restart-after-success"}},
               {"RFC6120-6.3.8-1", {"xmpp.authzid-is-a-user"}},
               {"RFC6120-4.3.2-6", {"xmpp.waits-behind-empty-features"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .body = whole_way};

/// Whether the subject goes on as if it trusted a receiving server with that certificate: it authenticates, sends a
/// key or a stanza.
std::string trust_in(Negotiation& n, const std::string& body, tls::Flaw flaw) {
  auto stream = n.called(external, body);
  if (!stream) return "no stream";
  if (!n.lead_to_tls(*stream, *n.certificate(external, flaw), external_offered)) return "ended";
  const auto next = stream->await_element();
  stream->wire().abort();
  if (!next || next->ns() == xmpp::ns::streams) return "ended";
  return next->name();
}

void whom_it_trusts(Run& run) {
  Negotiation n(run);
  using enum tls::Flaw;
  const auto told = [&](const std::string& body) { return n.until([&] { return !n.subject().told(body).empty(); }); };
  CONFORMS("RFC6120-13.7.2-1", trust_in(n, "to an expired", expired), Eq("ended"));
  CONFORMS("RFC6120-10.4.3-3", told("to an expired"), Eq(true));
  CONFORMS("RFC6120-13.9.5-2", trust_in(n, "to an unknown root", unknown_root), Eq("ended"));
  CONFORMS("RFC6120-13.9.5-2", told("to an unknown root"), Eq(true));
  CONFORMS("RFC6120-13.7.2.1-1", trust_in(n, "to another name", wrong_name), Eq("ended"));
  CONFORMS("RFC6120-13.7.2.1-1", told("to another name"), Eq(true));
}

CUTOVER_CASE(server_certificates){
    .id = "authentication.initiating-trust",
    .title = "The initiating server authenticates to no server whose certificate is not good for the domain",
    .procedure =
        "Let the user write three times; lead the stream into TLS with an expired certificate, one of an unknown root, "
        "one "
        "of another name; see what comes inside.",
    .accepted = "The end of the stream or of the handshake; the user is told that the message was not delivered.",
    .likely_causes = "Certificates checked as server only; a mismatch that is logged and forgiven.",
    .judges = {{"RFC6120-13.7.2-1", {"xmpp.peer-certificate-not-checked"}},
               {"RFC6120-10.4.3-3", {"xmpp.undeliverable-silent"}},
               {"RFC6120-13.9.5-2", {"xmpp.peer-certificate-not-checked"}},
               {"RFC6120-13.7.2.1-1", {"xmpp.peer-certificate-not-checked"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::partner_list},
    .budget = 1min,
    .body = whom_it_trusts};

void behind_proceed(Run& run) {
  Negotiation n(run);
  auto stream = n.called(external, "secret");
  if (!stream || !stream->answer_header(starttls_required)) return;
  auto injected = stream->header();
  injected.id = "injected";
  const bool secured =
      stream->accept_tls(*n.certificate(external),
                         injected.text() + "<stream:features>" + std::string(external_offered) + "</stream:features>");
  // It must not authenticate by features that came in clear. It may end the stream, with an error or without.
  bool authenticated = false;
  if (secured && stream->await_header()) {
    authenticated = n.marker_arrives() && (stream->wire().take_element("auth", xmpp::ns::sasl) ||
                                           stream->wire().take_element("message", xmpp::ns::server));
  }
  CONFORMS("SEC-TLS-INJECT-2", authenticated, Eq(false));
}

CUTOVER_CASE(response_injection){
    .id = "security.proceed-injection",
    .title = "Features in the same segment as <proceed/> are not taken for features that came through TLS",
    .procedure =
        "Answer <starttls/> with <proceed/>, a header and features in one write; then the handshake, and silence.",
    .accepted = "A failed handshake, or a header and no authentication; a stream error is fine.",
    .likely_causes = "A buffer that survives the switch to TLS.",
    .judges = {{"SEC-TLS-INJECT-2", {"xmpp.plaintext-after-proceed-kept"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .sim = false,  // a simulated network cuts the segment that this is about
    .body = behind_proceed};

void refused_and_returned(Run& run) {
  Negotiation n(run);
  auto stream = n.called(external, "never authenticated");
  if (!stream || !n.lead_to_tls(*stream, *n.certificate(external), external_offered)) return;
  const auto auth = stream->await_element("auth", xmpp::ns::sasl);
  if (!auth) return;
  stream->send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
  (void)n.until([&] { return stream->wire().has_item() || stream->wire().eof() || stream->wire().closed(); });
  CONFORMS("SEC-LEAK-2", stream->wire().has_received("never authenticated"), Eq(false));
  stream->close();
  CONFORMS("RFC6120-10.4.3-1", n.until([&] { return !n.subject().told("never authenticated").empty(); }), Eq(true));
}

CUTOVER_CASE(refused_stream){
    .id = "authentication.initiating-refused",
    .title = "Where its authentication is refused, the initiating server returns the stanza to its sender",
    .procedure = "Answer <auth/> with <failure/>, then end the stream.",
    .accepted = "An error for the user, at once or after further tries; the message is never sent.",
    .likely_causes = "A queue without an end.",
    .judges = {{"RFC6120-10.4.3-1", {"xmpp.undeliverable-silent", "xmpp.reconnects-before-teardown"}},
               {"SEC-LEAK-2", {"xmpp.sends-despite-failure"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::partner_list},
    .body = refused_and_returned};

}  // namespace
}  // namespace cutover::suites
