// The receiving server's answer to a stream header: its own header, with what RFC 6120 section 4.7 asks of it, and
// features.
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Each;
using testing::Eq;
using testing::Ne;

std::vector<std::string> feature_namespaces(const xml::Element& features) {
  std::vector<std::string> found;
  for (const auto* child : features.children()) found.push_back(child->ns());
  return found;
}

void response_header(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(PartnerKind::sasl_external);
  const auto features = stream.open();
  const auto& tag = stream.peer_header().tag;
  CONFORMS("RFC6120-5.4.1-1", "the root element that answered the header", tag.name().empty() ? "none" : tag.name(),
           Eq("stream"));
  if (!GIVEN(!tag.name().empty(), "the server answered with a header")) return;
  CONFORMS("RFC6120-4.7.1-2", "the from of the server's header", tag.attribute_or_empty("from"),
           Eq(n.subject().domain()));
  CONFORMS("RFC6120-4.7.2-2", "the to of the server's header", tag.attribute_or_empty("to"),
           Eq(n.domain(PartnerKind::sasl_external)));
  CONFORMS("RFC6120-4.7.3-1", "the id of the server's header", stream.id(), Ne(""));
  CONFORMS("RFC6120-4.7.4-2", "the xml:lang of the server's header", tag.attribute("lang", xmpp::ns::xml).value_or(""),
           Ne(""));
  CONFORMS("RFC6120-4.7.5-2", "the version of the server's header", tag.attribute_or_empty("version"), Eq("1.0"));
  auto newer = n.connect(PartnerKind::sasl_external);
  newer.header().version = "2.0";
  newer.send(newer.header().text());
  if (newer.await_header()) {
    // Where it does not want to negotiate down it may refuse (section 4.9.3.25).
    CONFORMS("RFC6120-4.7.5-2", "the version that answers version 2.0",
             newer.peer_header().tag.attribute_or_empty("version"), Eq("1.0"));
  }
  CONFORMS("RFC6120-4.8.2-1", "the content namespace of the server's header", stream.peer_header().content_ns,
           Eq(xmpp::ns::server));
  CONFORMS("RFC6120-4.3.2-1", "features followed the server's header", features.has_value(), Eq(true));
  if (!GIVEN(features.has_value(), "the server sent features")) return;
  CONFORMS("RFC6120-4.3.2-2", "the namespaces of the features", feature_namespaces(*features),
           Each(testing::AllOf(Ne(xmpp::ns::streams), Ne(xmpp::ns::server))));
}

CUTOVER_CASE(header_answered){
    .id = "stream.response-header",
    .title =
        "A stream header is answered with a header that names both domains, an id and a language, and with features",
    .procedure = "Connect, send a header of version 1.0, read the header and the features that come back.",
    .accepted = "Any prefix, attribute order and extra attributes; further features in namespaces of their own.",
    .likely_causes = "A server that copies the header that it got, or writes one without the domain it serves.",
    .judges = {{"RFC6120-5.4.1-1", {"xmpp.header-not-answered"}},
               {"RFC6120-4.7.1-2", {"xmpp.response-without-from"}},
               {"RFC6120-4.7.2-2", {"xmpp.header-without-to"}},
               {"RFC6120-4.7.3-1", {"xmpp.stream-id-missing"}},
               {"RFC6120-4.7.4-2", {"xmpp.header-without-lang"}},
               {"RFC6120-4.7.5-2", {"xmpp.response-version-copied"}},
               {"RFC6120-4.8.2-1", {"xmpp.response-in-client-namespace"}},
               {"RFC6120-4.3.2-1", {"xmpp.no-features"}},
               {"RFC6120-4.3.2-2", {"xmpp.features-in-content-namespace"}}},
    .needs = {Need::sasl_external},
    .body = response_header};

void stream_ids(Run& run) {
  Negotiation n(run);
  constexpr std::size_t streams = 8;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < streams; ++i) {
    auto stream = n.connect(PartnerKind::sasl_external);
    (void)stream.open();
    ids.insert(stream.id());
    stream.wire().abort();
  }
  CONFORMS("RFC6120-4.7.3-2", "how many different ids eight streams got", ids.size(), Eq(streams));
  auto stream = n.connect(PartnerKind::sasl_external);
  if (!GIVEN(stream.open().has_value(), "the server answered a header with features")) return;
  const auto in_clear = stream.id();
  const bool secured = stream.start_tls(*n.certificate(PartnerKind::sasl_external)) && stream.open();
  if (!GIVEN(secured, "the stream was opened anew inside TLS")) return;
  const auto inside = stream.id();
  CONFORMS("RFC6120-5.4.3.3-4", "the id of the stream inside TLS", inside, testing::AllOf(Ne(in_clear), Ne("")));
  const auto answer = stream.authenticate("");
  const bool reopened = answer && answer->is("success", xmpp::ns::sasl) && stream.reopen();
  if (!GIVEN(reopened, "the stream was opened anew after SASL")) return;
  CONFORMS("RFC6120-6.4.6-3", "the id of the stream after SASL", stream.id(),
           testing::AllOf(Ne(inside), Ne(in_clear), Ne("")));
  CONFORMS("RFC6120-4.3.3-4", "the id of the stream after SASL", stream.id(), testing::AllOf(Ne(inside), Ne(in_clear)));
}

CUTOVER_CASE(ids){
    .id = "stream.ids",
    .title = "Stream ids are never used twice, neither by another stream nor after a restart of the same one",
    .procedure = "Open eight streams, then one that restarts after TLS and after SASL; compare the ids.",
    .accepted = "Any ids that differ.",
    .likely_causes = "An id made once a connection; a generator that starts anew; dialback keys are bound to it.",
    .judges = {{"RFC6120-4.7.3-2", {"xmpp.stream-id-predictable"}},
               {"RFC6120-5.4.3.3-4", {"xmpp.stream-id-repeated"}},
               {"RFC6120-6.4.6-3", {"xmpp.stream-id-repeated"}},
               {"RFC6120-4.3.3-4", {"xmpp.stream-id-repeated"}}},
    .needs = {Need::sasl_external},
    .body = stream_ids};

void without_version(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(PartnerKind::plaintext_dialback);
  stream.header().version.clear();
  stream.send(stream.header().text());
  if (!GIVEN(stream.await_header(), "the server answered with a header")) return;
  CONFORMS("RFC6120-4.7.5-5", "the version that answers none", stream.peer_header().tag.attribute_or_empty("version"),
           Eq(""));
}

CUTOVER_CASE(old){
    .id = "stream.without-version",
    .title = "A header without version is answered without version",
    .procedure = "Send a header without version, as servers before RFC 3920 did.",
    .accepted = "A header without version; no features.",
    .likely_causes = "A server that always writes version 1.0, so that old peers wait for what they do not know.",
    .judges = {{"RFC6120-4.7.5-5", {"xmpp.ignores-version"}}},
    .needs = {Need::plaintext_dialback},
    .body = without_version};

}  // namespace
}  // namespace cutover::suites
