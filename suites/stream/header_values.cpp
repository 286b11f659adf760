// What an initial header may say, and what comes of it: addresses, versions, namespaces.
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;

/// What comes of a header in clear: "features", or how the stream ended.
std::string outcome_of(PeerStream& stream) {
  stream.send(stream.header().text());
  if (!stream.await_header()) return stream.is_over() ? "the end of the connection" : "nothing";
  const auto next = stream.await_element();
  if (next && next->is("features", xmpp::ns::streams)) return "features";
  if (next && next->is("error", xmpp::ns::streams)) return "a stream error";
  return next ? next->name() : stream.is_over() ? "the end of the stream" : "nothing";
}

void without_to(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(external);
  stream.header().to.clear();
  CONFORMS("RFC6120-4.7.2-3", "what came of a header without to", outcome_of(stream),
           AnyOf("features", "a stream error"));
}

CUTOVER_CASE(nameless){
    .id = "stream.header-without-to",
    .title = "A header without to is taken for one to a default domain, or refused with a stream error",
    .procedure = "A header without to.",
    .accepted = "Features, or a stream error behind a header.",
    .likely_causes = "A connection that is dropped, or left to time out.",
    .judges = {{"RFC6120-4.7.2-3", {"xmpp.no-stream-error"}}},
    .body = without_to};

void own_name(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(external);
  stream.header().from = n.subject().domain();
  const auto outcome = stream.open() ? stream.worth_of(*n.certificate(external)) : "refused";
  CONFORMS("SEC-FROM-SPOOF-2", "what came of a peer that calls itself by the subject's own domain", outcome,
           Ne("success"));
}

CUTOVER_CASE(own){
    .id = "stream.header-from-the-subject",
    .title = "A peer that calls itself by the subject's own domain is not authenticated",
    .procedure = "STARTTLS with a certificate of the peer's domain, headers from the subject's domain, then EXTERNAL.",
    .accepted = "A stream error, EXTERNAL not offered, or its failure.",
    .likely_causes = "A header that is believed where the certificate is good for somebody.",
    .judges = {{"SEC-FROM-SPOOF-2", {"xmpp.lets-its-own-name-in"}}},
    .needs = {Need::sasl_external},
    .body = own_name};

void versions(Run& run) {
  Negotiation n(run);
  auto usual = n.connect(external);
  if (!GIVEN(outcome_of(usual) == "features", "a header of version 1.0 is answered with features")) return;
  auto minor = n.connect(external);
  minor.header().version = "1.10";
  if (CONFORMS("RFC6120-4.7.5-3", "what came of a header of version 1.10", outcome_of(minor), Eq("features")))
    CONFORMS("RFC6120-4.7.5-3", "the version of the answer to it",
             minor.peer_header().tag.attribute_or_empty("version"), AnyOf("1.0", "1.10"));
  auto major = n.connect(external);
  major.header().version = "10.0";
  CONFORMS("RFC6120-4.9.3.25-1", "what came of a header of version 10.0", outcome_of(major),
           AnyOf("features", "a stream error"));
  auto odd = n.connect(external);
  odd.header().version = "one";
  // Refused, or taken for 0.9, which has no features: then nothing comes.
  CONFORMS("RFC6120-4.9.3.25-1", "what came of a header of version 'one'", outcome_of(odd), Ne("features"));
}

CUTOVER_CASE(version_numbers){
    .id = "stream.versions",
    .title = "Versions are two numbers: 1.10 is no less than 1.0, and 10.0 is understood or refused",
    .procedure = "Headers of version 1.10, 10.0 and 'one', each on a connection of its own; one of version 1.0 first.",
    .accepted =
        "Features for 1.10; features or a stream error for 10.0; for 'one' a stream error or what a peer of version "
        "0.9 "
        "gets.",
    .likely_causes = "Versions compared as texts, or with '1.0' alone.",
    .judges = {{"RFC6120-4.7.5-3", {"xmpp.knows-one-version"}}, {"RFC6120-4.9.3.25-1", {"xmpp.ignores-version"}}},
    .body = versions};

void content_namespace(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(external);
  stream.header().content_ns = xmpp::ns::client;
  const auto outcome = outcome_of(stream);
  const auto& declared = stream.peer_header().content_ns;
  // Who refuses it may do so in a stream of its own kind.
  const bool same = outcome != "features" || declared == xmpp::ns::client || declared == xmpp::ns::streams;
  CONFORMS_THAT("RFC6120-4.8.2-1", "what came of a header whose content namespace is jabber:client", same,
                "a refusal, or a header with the same one", outcome + " behind a header with " + declared);
}

CUTOVER_CASE(content_namespaces){
    .id = "stream.content-namespace",
    .title = "Both streams of a connection have the same content namespace",
    .procedure = "A header whose default namespace is jabber:client, at the port of servers.",
    .accepted = "A stream error (invalid-namespace), the end of the connection, or an answer in jabber:client.",
    .likely_causes = "A header whose default namespace is not read.",
    .judges = {{"RFC6120-4.8.2-1", {"xmpp.wrong-content-namespace-accepted"}}},
    .body = content_namespace};

}  // namespace
}  // namespace cutover::suites
