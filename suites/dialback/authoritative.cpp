// Dialback as the authoritative server does it: which keys it calls its own. The keys are those of its own streams.
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

constexpr auto kind = PartnerKind::dialback_over_tls;

/// A key of the subject, as it sent it on a stream to us.
struct Key {
  std::string text, stream_id;
};

std::optional<Key> key_of_subject(Negotiation& n, const std::string& body) {
  auto stream = n.called(kind, body);
  if (!stream || !n.lead_to_tls(*stream, *n.certificate(kind), dialback_offered)) return std::nullopt;
  const auto result = stream->await_element("result", xmpp::ns::dialback);
  if (!result) return std::nullopt;
  return Key{result->text(), stream->header().id};
}

/// What the subject says of a key: the type of its answer, or how it ended.
std::string verdict(Negotiation& n, PeerStream& stream, const std::string& to, const std::string& id,
                    const std::string& key) {
  stream.send(db_verify(n.domain(kind), to, id, key));
  const auto answer = stream.await_element();
  if (!answer) return "no answer";
  if (answer->ns() == xmpp::ns::streams) return "stream error";
  if (!answer->is("verify", xmpp::ns::dialback)) return answer->name();
  return answer->attribute("type").value_or("no type");
}

void own_keys(Run& run) {
  Negotiation n(run);
  const auto key = key_of_subject(n, "for a key");
  if (!GIVEN(key, "the subject sends a key on a stream of its own")) return;
  auto stream = n.secured(kind, *n.certificate(kind));
  if (!GIVEN(stream, "the subject offers features inside TLS")) return;
  const auto ours = n.subject().domain();
  stream->send(db_verify(n.domain(kind), ours, key->stream_id, key->text));
  const auto answer = stream->await_element();
  const auto name = answer ? answer->name() : "no answer";
  if (!CONFORMS("XEP0220-2.2.2-4", "what answered db:verify on an unauthenticated stream", name, Eq("verify"))) return;
  CONFORMS("XEP0220-2.2.2-1", "the type of the answer for its own key", answer->attribute_or_empty("type"),
           Eq("valid"));
  CONFORMS("XEP0220-2.2.2-1", "the addresses of the answer",
           answer->attribute_or_empty("from") + " > " + answer->attribute_or_empty("to"),
           Eq(ours + " > " + n.domain(kind)));
  CONFORMS("XEP0220-2.2.2-1", "the id of the answer", answer->attribute_or_empty("id"), Eq(key->stream_id));
  CONFORMS("XEP0220-2.2.2-3", "the answer for a changed key",
           verdict(n, *stream, ours, key->stream_id, key->text + "0"), Eq("invalid"));
  CONFORMS("XEP0220-2.2.2-3", "the answer for the key of another stream",
           verdict(n, *stream, ours, "another-stream", key->text), Eq("invalid"));
  // The class of CVE-2016-0756: move characters between the fields that the key is made of.
  const auto shifted = n.domain(kind).substr(n.domain(kind).size() - 1) + key->stream_id;
  CONFORMS("SEC-DIALBACK-6", "the answer for a stream id that begins with the end of the domain",
           verdict(n, *stream, ours, shifted, key->text), Eq("invalid"));
  CONFORMS("XEP0220-2.2.2-2", "the answer for a domain that is not served",
           verdict(n, *stream, "nobody.invalid", key->stream_id, key->text), testing::AnyOf("error", "invalid"));
}

CUTOVER_CASE(keys){
    .id = "dialback.own-keys",
    .title = "A server knows its own keys, and every change of key, stream id or domain makes them invalid",
    .procedure =
        "Take the key from a stream of the subject's own; ask the subject about it on an unauthenticated stream inside "
        "TLS: as it is, with another key, with another id, with a character moved, for a domain that it does not "
        "serve.",
    .accepted = "valid for the first, invalid for the others, an error (or invalid) for the last.",
    .likely_causes = "A key that leaves a field out, or joins the fields without a separator.",
    .judges = {{"XEP0220-2.2.2-4", {"xmpp.verify-needs-authentication", "xmpp.verify-not-answered"}},
               {"XEP0220-2.2.2-1", {"xmpp.valid-key-called-invalid", "xmpp.dialback-key-with-pre-tls-id"}},
               {"XEP0220-2.2.2-3", {"xmpp.any-key-is-valid", "xmpp.dialback-key-without-stream-id"}},
               {"SEC-DIALBACK-6", {"xmpp.any-key-is-valid"}},
               {"XEP0220-2.2.2-2", {"xmpp.unserved-verify-ends-stream"}}},
    .needs = {Need::dialback, Need::user_account},
    .body = own_keys};

}  // namespace
}  // namespace cutover::suites
