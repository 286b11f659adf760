// The initiating server negotiates by what its peer offers, and by nothing else.
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;

std::string ended_or_nothing(PeerStream& stream, const std::optional<xml::Element>& next) {
  if (next && next->ns() != xmpp::ns::streams) return next->name();
  return next || stream.await_ending().ended() ? "the end of the stream" : "nothing";
}

void no_external(Run& run) {
  Negotiation n(run);
  const std::string plain =
      "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>";
  auto stream = n.called(external, "without external");
  if (!GIVEN(stream && n.lead_to_tls(*stream, *n.certificate(external), plain),
             "the subject secures a stream of its own"))
    return;
  CONFORMS("RFC6120-6.4.1-2", "what the subject sent where EXTERNAL is not offered",
           goes_on_with(stream->await_element()), Ne("auth"));
}

CUTOVER_CASE(not_offered){.id = "authentication.initiating-unoffered",
                          .title = "The initiating server uses EXTERNAL where it is offered",
                          .procedure = "Inside TLS offer PLAIN alone; read what comes.",
                          .accepted = "Dialback, a stream error, the end of the stream.",
                          .likely_causes = "A server that knows one way and does not read features.",
                          .judges = {{"RFC6120-6.4.1-2", {"xmpp.authenticates-unasked"}}},
                          .needs = {Need::sasl_external, Need::user_account, Need::unmet_peers},
                          .budget = 3min,
                          .body = no_external};

void nothing_offered(Run& run) {
  Negotiation n(run);
  auto stream = n.called_inside_tls(PartnerKind::dialback_over_tls, "where nothing is offered");
  if (!stream) return;
  auto header = stream->header();
  header.id = "nothing";
  auto octets = header.text();
  constexpr std::string_view announced = " xmlns:db='jabber:server:dialback'";
  if (const auto at = octets.find(announced); at != std::string::npos) octets.erase(at, announced.size());
  stream->send(octets + "<stream:features/>");
  const auto next = stream->await_element();
  CONFORMS("RFC6120-4.3.5-2", "a stanza was sent to a server that offers no authentication",
           next && xmpp::is_stanza(*next), Eq(false));
}

CUTOVER_CASE(nothing){
    .id = "authentication.initiating-without-offers",
    .title = "Where neither SASL nor dialback is offered, the initiating server sends no stanza unauthenticated",
    .procedure = "Inside TLS a header without the namespace of dialback, and empty features; read what comes.",
    .accepted = "A key all the same, a stream error, the end of the stream, or waiting.",
    .likely_causes = "Empty features are taken for the end of the negotiation, whoever nobody has authenticated.",
    .judges = {{"RFC6120-4.3.5-2", {"xmpp.takes-empty-features-for-trust"}}},
    .needs = {Need::dialback, Need::user_account, Need::unmet_peers},
    .budget = 3min,
    .body = nothing_offered};

void old_version(Run& run) {
  Negotiation n(run);
  auto stream = n.called(external, "to an old server");
  if (!GIVEN(stream && stream->await_header(), "the subject opens a stream to its peer")) return;
  auto header = stream->header();
  header.version.clear();
  header.id = "old";
  stream->send(header.text());
  const auto next = stream->await_element();
  CONFORMS("RFC6120-4.7.5-6", "what came of a server of version 0.9", ended_or_nothing(*stream, next), Ne("nothing"));
}

CUTOVER_CASE(too_old){
    .id = "authentication.initiating-to-an-old-server",
    .title = "A server of XMPP 0.9 has no features: the initiating server uses dialback, or ends the stream",
    .procedure = "Answer its header with one without version, and no features.",
    .accepted =
        "unsupported-version or another stream error, the end of the stream; a key, where the policy allows dialback "
        "in clear.",
    .likely_causes = "A policy that is read with the features, which never come; a wait without end for them.",
    .judges = {{"RFC6120-4.7.5-6", {"xmpp.version-not-needed"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::unmet_peers},
    .budget = 3min,
    .body = old_version};

void hopeless(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(external);
  if (!GIVEN(stream.open().has_value(), "the subject offers features in clear")) return;
  (void)stream.worth_of(*n.certificate(external, tls::Flaw::unknown_root));
  CONFORMS("RFC6120-6.4.5-4", "what came of a peer that can never be authenticated", stream.await_ending(), HasEnded());
}

CUTOVER_CASE(let_go){
    .id = "authentication.hopeless-peer",
    .title = "A peer that no way of authentication is left to is let go, with an error, and not kept waiting",
    .procedure = "STARTTLS with a certificate of an unknown root, then EXTERNAL, where there is no dialback.",
    .accepted = "A refused handshake; a failure or a stream error and the end of the stream.",
    .likely_causes = "A stream that waits for a better try until it times out.",
    .judges = {{"RFC6120-6.4.5-4", {"xmpp.open-after-not-authorized"}}},
    .needs = {Need::sasl_external, Need::authority, Need::partner_list},
    .budget = 3min,
    .body = hopeless};

}  // namespace
}  // namespace cutover::suites
