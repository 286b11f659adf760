// Whether the subject has what its target file declares: a contradiction is one finding, and what needs the ability is
// told to be behind it (tell_contradictions_once).
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

constexpr auto external = PartnerKind::sasl_external;
constexpr char likely_causes[] =
    "A line of the target file that is not true; a module that is not loaded; a certificate without the root that the "
    "target trusts.";

void offers_external(Run& run) {
  Negotiation n(run);
  xml::Element features;
  const auto stream = n.secured(external, *n.certificate(external), &features);
  if (GIVEN(stream.has_value(), "the server sent features inside TLS"))
    CONFORMS("DECLARED-1", "EXTERNAL is offered inside TLS to a certificate of the peer's domain",
             offers_mechanism(features, "EXTERNAL"), Eq(true));
}

CUTOVER_CASE(declared_external){
    .id = "target.external",
    .title = "The subject offers EXTERNAL, as its target file declares (sasl_external)",
    .procedure = "STARTTLS with a certificate of the peer's domain; read the features inside.",
    .accepted = "EXTERNAL among any features.",
    .likely_causes = likely_causes,
    .judges = {{"DECLARED-1", {"xmpp.external-not-offered"}}},
    .needs = {Need::sasl_external},
    .body = offers_external};

void authorises(Run& run, PartnerKind kind, const char* requirement, const char* words) {
  Negotiation n(run);
  const auto met = n.peer(kind).accepted_count();
  const bool established = n.established(kind).has_value();
  // Who asks the authoritative server does dialback: what goes wrong behind that is a fault, and no false declaration.
  const bool takes_part = established || n.peer(kind).accepted_count() > met;
  const bool in_clear = kind == PartnerKind::plaintext_dialback;
  if (!takes_part && !in_clear && !GIVEN(n.secured(kind, *n.certificate(kind)), "the subject offers features")) return;
  if (CONFORMS(requirement, words, takes_part, Eq(true)))
    (void)GIVEN(established, "the subject calls a key valid that its authoritative server calls valid");
}

CUTOVER_CASE(declared_dialback){
    .id = "target.dialback",
    .title = "The subject takes dialback inside TLS, as its target file declares (dialback)",
    .procedure = "Inside TLS, db:result with a key that the authoritative server calls valid.",
    .accepted =
        "A connection to the authoritative server, or db:result of type valid, whether dialback is announced or not.",
    .likely_causes = likely_causes,
    .judges = {{"DECLARED-2", {"xmpp.dialback-unanswered"}}},
    .needs = {Need::dialback},
    .body = [](Run& run) {
      authorises(run, PartnerKind::dialback_over_tls, "DECLARED-2", "the subject has a key verified inside TLS");
    }};

CUTOVER_CASE(declared_plaintext){
    .id = "target.plaintext-dialback",
    .title = "The subject takes dialback in clear, as its target file declares (plaintext_dialback)",
    .procedure = "In clear, db:result with a key that the authoritative server calls valid.",
    .accepted =
        "A connection to the authoritative server, or db:result of type valid, whether dialback is announced or not.",
    .likely_causes = likely_causes,
    .judges = {{"DECLARED-3", {"xmpp.dialback-unanswered"}}},
    .needs = {Need::plaintext_dialback},
    .body = [](Run& run) {
      authorises(run, PartnerKind::plaintext_dialback, "DECLARED-3", "the subject has a key verified in clear");
    }};

/// Whether a peer that TLS is required of becomes authorised by dialback in clear.
bool goes_on_in_clear(Negotiation& n, PartnerKind kind) {
  auto stream = n.connect(kind);
  (void)stream.open();
  const auto met = n.peer(kind).accepted_count();
  stream.send(db_result(n.domain(kind), n.subject().domain(), "a-key"));
  (void)n.until(
      [&] { return n.peer(kind).accepted_count() > met || stream.wire().has_item() || stream.wire().ended(); });
  if (n.peer(kind).accepted_count() == met || !n.answer_verify(kind, "valid", "a-key")) return false;
  const auto answer = stream.await_element("result", xmpp::ns::dialback);
  return answer && answer->attribute_or_empty("type") == "valid";
}

void requires_tls(Run& run) {
  Negotiation n(run);
  const bool dialback = run.target() == nullptr || run.target()->offers.contains(Need::dialback);
  CONFORMS("DECLARED-4", "a peer becomes authorised in clear",
           goes_on_in_clear(n, dialback ? PartnerKind::dialback_over_tls : external), Eq(false));
}

CUTOVER_CASE(declared_tls_required){
    .id = "target.tls-required",
    .title = "The subject authorises nobody in clear, as its target file declares (tls_required)",
    .procedure = "In clear, db:result with a key that the authoritative server calls valid.",
    .accepted = "Any refusal, or silence.",
    .likely_causes = likely_causes,
    .judges = {{"DECLARED-4", {"xmpp.tls-optional-against-policy"}}},
    .needs = {Need::tls_required},
    .body = requires_tls};

}  // namespace
}  // namespace cutover::suites
