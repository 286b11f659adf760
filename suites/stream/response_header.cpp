// The receiving server's answer to a stream header: its own header, with what RFC 6120 section 4.7 asks of it, and
// features.
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AllOf;
using testing::AnyOf;
using testing::Each;
using testing::Eq;
using testing::Ne;

std::vector<std::string> feature_namespaces(const xml::Element& features) {
  std::vector<std::string> found;
  for (const auto* child : features.children()) found.push_back(child->ns());
  return found;
}

/// Whether the domain is one of the subject's: a stream to it is answered with features. Which others it has nobody
/// declares.
bool is_served(Negotiation& n, const std::string& domain) {
  if (domain.empty() || domain == n.subject().domain()) return !domain.empty();
  auto stream = n.connect(PartnerKind::sasl_external);
  stream.header().to = domain;
  return stream.open().has_value();
}

void response_header(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(PartnerKind::sasl_external);
  const auto features = stream.open();
  const auto& tag = stream.peer_header().tag;
  CONFORMS("RFC6120-5.4.1-1", "the root element that answered the header", tag.name().empty() ? "none" : tag.name(),
           Eq("stream"));
  if (!GIVEN(!tag.name().empty(), "the server answered with a header")) return;
  const auto from = tag.attribute_or_empty("from");
  CONFORMS_THAT("RFC6120-4.7.1-2", "the from of the server's header", is_served(n, from), "a domain that it serves",
                from.empty() ? "nothing" : from);
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
  // The stream namespace: no content namespace is declared, and each element names its own (section 4.8.2).
  CONFORMS("RFC6120-4.8.2-1", "the default namespace of the server's header", stream.peer_header().content_ns,
           AnyOf(Eq(xmpp::ns::server), Eq(xmpp::ns::streams)));
  CONFORMS("RFC6120-4.3.2-1", "features followed the server's header", features.has_value(), Eq(true));
  if (!GIVEN(features.has_value(), "the server sent features")) return;
  CONFORMS("RFC6120-4.3.2-2", "the namespaces of the features", feature_namespaces(*features),
           Each(AllOf(Ne(xmpp::ns::streams), Ne(xmpp::ns::server))));
}

CUTOVER_CASE(header_answered){
    .id = "stream.response-header",
    .title =
        "A stream header is answered with a header that names both domains, an id and a language, and with features",
    .procedure = "Connect, send a header of version 1.0, read the header and the features that come back.",
    .accepted =
        "As from any domain that the server serves; jabber:server as the default namespace, or the stream namespace "
        "where each element names its own; any prefix, attribute order and extra attributes; further features in "
        "namespaces of their own.",
    .likely_causes = "A server that copies the header that it got, or writes one without the domain it serves.",
    .judges = {{"RFC6120-5.4.1-1", {"xmpp.header-not-answered"}},
               {"RFC6120-4.7.1-2", {"xmpp.response-without-from", "xmpp.responds-from-another-domain"}},
               {"RFC6120-4.7.2-2", {"xmpp.header-without-to", "xmpp.responds-to-itself"}},
               {"RFC6120-4.7.3-1", {"xmpp.stream-id-missing", "xmpp.stream-id-empty"}},
               {"RFC6120-4.7.4-2", {"xmpp.header-without-lang"}},
               {"RFC6120-4.7.5-2", {"xmpp.response-version-copied"}},
               {"RFC6120-4.8.2-1", {"xmpp.response-in-client-namespace"}},
               {"RFC6120-4.3.2-1", {"xmpp.no-features"}},
               {"RFC6120-4.3.2-2", {"xmpp.features-in-content-namespace"}}},
    .needs = {Need::sasl_external},
    .body = response_header};

/// Bits that a guess of the next id would have to hit, at most: those of the characters behind what all ids begin with
/// alike, each of the smallest alphabet that holds it. Hexadecimal random numbers of 128 bits have about that.
int bits_to_guess(const std::vector<std::string>& ids) {
  std::set<char> alphabet;
  std::size_t positions = 0;
  for (std::size_t at = 0; at < ids.front().size(); ++at) {
    std::set<char> here;
    for (const auto& id : ids) here.insert(at < id.size() ? id[at] : '\0');
    if (here.size() == 1) continue;
    ++positions;
    alphabet.merge(here);
  }
  return static_cast<int>(static_cast<double>(positions) * std::log2(static_cast<double>(alphabet.size())));
}

/// Each above the one before, as a counter's or a clock's are.
bool ascending(const std::vector<std::string>& ids) {
  const auto order = [](const auto& id) { return std::pair(id.size(), id); };
  return std::ranges::is_sorted(ids, {}, order);
}

void stream_ids(Run& run) {
  Negotiation n(run);
  constexpr std::size_t streams = 10;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < streams; ++i) {
    auto stream = n.connect(PartnerKind::sasl_external);
    if (!GIVEN(stream.open().has_value(), "the server answered a header with features")) return;
    ids.push_back(stream.id());
    stream.wire().abort();
  }
  if (!GIVEN(std::ranges::none_of(ids, &std::string::empty), "each stream has an id")) return;
  CONFORMS("RFC6120-4.7.3-2", "how many different ids ten streams got", std::set(ids.begin(), ids.end()).size(),
           Eq(streams));
  CONFORMS("RFC6120-4.7.3-2", "each id is above the one before", ascending(ids), Eq(false));
  // Those of a counter differ in a character or two. No text says how many bits are enough (RFC 4086 does not, either).
  CONFORMS("RFC6120-4.7.3-2", "how many bits differ between the ids", bits_to_guess(ids), testing::Ge(32));
  auto stream = n.connect(PartnerKind::sasl_external);
  if (!GIVEN(stream.open().has_value(), "the server answered a header with features")) return;
  const auto in_clear = stream.id();
  const bool secured = stream.start_tls(*n.certificate(PartnerKind::sasl_external)) && stream.open();
  if (!GIVEN(secured, "the stream was opened anew inside TLS")) return;
  const auto inside = stream.id();
  CONFORMS("RFC6120-5.4.3.3-4", "the id of the stream inside TLS", inside, AllOf(Ne(in_clear), Ne("")));
  const auto answer = stream.authenticate("");
  const bool reopened = answer && answer->is("success", xmpp::ns::sasl) && stream.reopen();
  if (!GIVEN(reopened, "the stream was opened anew after SASL")) return;
  CONFORMS("RFC6120-6.4.6-3", "the id of the stream after SASL", stream.id(), AllOf(Ne(inside), Ne(in_clear), Ne("")));
  CONFORMS("RFC6120-4.3.3-4", "the id of the stream after SASL", stream.id(), AllOf(Ne(inside), Ne(in_clear)));
}

CUTOVER_CASE(ids){
    .id = "stream.ids",
    .title = "Stream ids are never used twice, neither by another stream nor after a restart of the same one",
    .procedure = "Open ten streams, then one that restarts after TLS and after SASL; compare the ids.",
    .accepted = "Any ids that differ, in 32 bits or more, and are not in ascending order.",
    .likely_causes = "An id made once a connection; a generator that starts anew; dialback keys are bound to it.",
    .judges = {{"RFC6120-4.7.3-2", {"xmpp.stream-id-predictable", "xmpp.stream-id-of-few-bits"}},
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
