// Versions of TLS that the subject speaks, in both roles.
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using tls::Version;

/// The version that comes of a peer that knows those; "none" where the handshake fails, nothing where it did not come
/// to one.
std::optional<std::string> called_with(Negotiation& n, PartnerKind kind, Version oldest, Version newest) {
  auto stream = n.connect(kind);
  const bool opened = stream.open().has_value();
  stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  const auto answer = opened ? stream.await_element() : std::nullopt;
  if (!GIVEN(answer && answer->is("proceed", xmpp::ns::tls), "the subject answers <starttls/> with <proceed/>"))
    return std::nullopt;
  auto& wire = stream.wire();
  wire.start_tls(*n.certificate(kind), tls::Role::client,
                 {.server_name = n.subject().domain(), .oldest = oldest, .newest = newest});
  (void)n.until([&] { return wire.handshake_over(); });
  const auto version = wire.secured() ? wire.tls()->version() : "none";
  wire.abort();
  return version;
}

void versions_as_server(Run& run) {
  Negotiation n(run);
  const auto kind = n.kind_in_tls();
  if (const auto best = called_with(n, kind, Version::tls1_2, Version::tls1_3))
    CONFORMS("RFC9325-3.1.1-3", "the version of TLS with a peer that knows 1.2 and 1.3", *best, Eq("TLSv1.3"));
  if (const auto usual = called_with(n, kind, Version::tls1_2, Version::tls1_2))
    CONFORMS("RFC9325-3.1.1-2", "the version of TLS with a peer that knows 1.2 alone", *usual, Eq("TLSv1.2"));
  if (const auto old = called_with(n, kind, Version::tls1_0, Version::tls1_1))
    CONFORMS("RFC9325-3.1.1-1", "the version of TLS with a peer that knows 1.0 and 1.1 alone", *old, Eq("none"));
}

CUTOVER_CASE(server_versions){
    .id = "tls.versions-as-server",
    .title = "The server takes TLS 1.2, prefers 1.3, and takes neither 1.0 nor 1.1",
    .procedure =
        "STARTTLS three times, with a peer that knows 1.2 and 1.3, one that knows 1.2, one that knows 1.0 and 1.1.",
    .accepted =
        "TLS 1.2 with all, or 1.3 where the peer knows it; an alert or the end of the connection with the last one.",
    .likely_causes = "A library's or a distribution's defaults of another time.",
    .judges = {{"RFC9325-3.1.1-1", {"xmpp.old-tls-spoken"}},
               {"RFC9325-3.1.1-2", {"xmpp.tls-1.2-not-spoken"}},
               {"RFC9325-3.1.1-3", {"xmpp.tls-1.3-not-spoken"}}},
    .needs = {Need::tls},
    .body = versions_as_server};

/// The version that the subject comes to with a peer that knows those.
std::optional<std::string> calls_with(Negotiation& n, PartnerKind kind, const char* body, Version oldest,
                                      Version newest) {
  auto stream = n.called(kind, body);
  const bool asked =
      stream && stream->answer_header(starttls_required) && stream->await_element("starttls", xmpp::ns::tls);
  if (!GIVEN(asked, "the subject opened a stream to its peer and asked for TLS")) return std::nullopt;
  stream->send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  auto& wire = stream->wire();
  wire.start_tls(*n.certificate(kind), tls::Role::server, {.oldest = oldest, .newest = newest});
  (void)n.until([&] { return wire.handshake_over(); });
  const auto version = wire.secured() ? wire.tls()->version() : "none";
  wire.abort();
  return version;
}

void best_as_client(Run& run) {
  Negotiation n(run);
  if (const auto best = calls_with(n, n.kind_in_tls(), "in TLS", Version::tls1_2, Version::tls1_3))
    CONFORMS("RFC9325-3.1.1-3", "the version of TLS with a peer that knows 1.2 and 1.3", *best, Eq("TLSv1.3"));
}

CUTOVER_CASE(client_best){
    .id = "tls.best-version-as-client",
    .title = "Where the server opens a stream it speaks the best TLS there is",
    .procedure = "Let the user write; secure the subject's stream as a peer that knows 1.2 and 1.3.",
    .accepted = "TLS 1.3; 1.2 is a warning.",
    .likely_causes = "A library's or a distribution's defaults of another time.",
    .judges = {{"RFC9325-3.1.1-3", {"xmpp.tls-1.3-not-spoken"}}},
    .needs = {Need::tls, Need::user_account},
    .body = best_as_client};

void usual_as_client(Run& run) {
  Negotiation n(run);
  if (const auto usual = calls_with(n, n.kind_in_tls(), "in TLS 1.2", Version::tls1_2, Version::tls1_2))
    CONFORMS("RFC9325-3.1.1-2", "the version of TLS with a peer that knows 1.2 alone", *usual, Eq("TLSv1.2"));
}

CUTOVER_CASE(client_usual){
    .id = "tls.usual-version-as-client",
    .title = "Where the server opens a stream it speaks TLS 1.2 with a peer that has no other",
    .procedure = "Let the user write; secure the subject's stream as a peer that knows 1.2 alone.",
    .accepted = "TLS 1.2.",
    .likely_causes = "A policy of 1.3 alone, which cuts older servers off.",
    .judges = {{"RFC9325-3.1.1-2", {"xmpp.tls-1.2-not-spoken"}}},
    .needs = {Need::tls, Need::user_account},
    .body = usual_as_client};

void old_as_client(Run& run) {
  Negotiation n(run);
  if (const auto old = calls_with(n, n.kind_in_tls(), "in old TLS", Version::tls1_0, Version::tls1_1))
    CONFORMS("RFC9325-3.1.1-1", "the version of TLS with a peer that knows 1.0 and 1.1 alone", *old, Eq("none"));
}

CUTOVER_CASE(client_old){
    .id = "tls.old-version-as-client",
    .title = "Where the server opens a stream it speaks neither TLS 1.0 nor 1.1",
    .procedure = "Let the user write; secure the subject's stream as a peer that knows 1.0 and 1.1 alone.",
    .accepted = "An alert, or the end of the connection.",
    .likely_causes = "A library's or a distribution's defaults of another time.",
    .judges = {{"RFC9325-3.1.1-1", {"xmpp.old-tls-spoken"}}},
    .needs = {Need::tls, Need::user_account},
    .body = old_as_client};

}  // namespace
}  // namespace cutover::suites
