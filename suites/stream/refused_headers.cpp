// Headers that a receiving server refuses, and how: a header of its own, one defined condition, the end of the stream.
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;

MATCHER(HasOneCondition, "a stream error with exactly one defined condition") { return arg.defined; }

/// What comes of a header: the subject's header, if any, and how it ended.
Ending refused(PeerStream& stream, bool* answered = nullptr) {
  stream.send(stream.header().text());
  const bool header = stream.await_header();
  if (answered != nullptr) *answered = header;
  return stream.await_ending();
}

void unknown_host(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(PartnerKind::sasl_external);
  stream.header().to = "nobody.invalid";
  bool answered = false;
  const auto ending = refused(stream, &answered);
  CONFORMS("RFC6120-4.9.3.6-1", "the condition of the stream error", ending.condition_in_words(),
           AnyOf("host-unknown", "host-gone"));
  CONFORMS("RFC6120-4.9.1.2-1", "a header of the server came before its stream error", answered, Eq(true));
  CONFORMS("RFC6120-4.9.1.1-1", "what came of a stream to a domain that is not served", ending, HasEnded());
  CONFORMS("RFC6120-4.9.2-1", "what came of a stream to a domain that is not served", ending, HasOneCondition());
}

CUTOVER_CASE(host_unknown){
    .id = "stream.unknown-host",
    .title =
        "A header for a domain that is not served is refused with host-unknown, behind a header, and the stream ends",
    .procedure = "Send a header whose to is nobody.invalid.",
    .accepted = "host-unknown or host-gone behind the server's own header, then the end of the stream.",
    .likely_causes = "A default host that takes every domain; an error without a stream around it.",
    .judges = {{"RFC6120-4.9.3.6-1", {"xmpp.host-unknown-accepted", "xmpp.wrong-stream-condition"}},
               {"RFC6120-4.9.1.2-1", {"xmpp.no-header-before-error"}},
               {"RFC6120-4.9.1.1-1", {"xmpp.open-after-stream-error"}},
               {"RFC6120-4.9.2-1", {"xmpp.stream-error-without-condition"}}},
    .body = unknown_host};

void wrong_namespaces(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(PartnerKind::sasl_external);
  stream.header().stream_ns = "urn:example:no-streams";
  CONFORMS("RFC6120-4.8.1-1", "what came of a header in another namespace", refused(stream), HasEnded());
  auto renamed = n.connect(PartnerKind::sasl_external);
  renamed.header().name = "flow";
  CONFORMS("RFC6120-4.8.1-2", "what came of a root element of another name", refused(renamed), HasEnded());
}

CUTOVER_CASE(namespaces){
    .id = "stream.wrong-header-namespace",
    .title = "A root element that is no stream header ends the stream",
    .procedure = "Send a root element in another namespace; on a second connection one of another name.",
    .accepted = "Any stream error, or none, and the end of the stream.",
    .likely_causes = "A parser that looks at prefixes or local names only.",
    .judges = {{"RFC6120-4.8.1-1", {"xmpp.wrong-header-namespace-accepted"}},
               {"RFC6120-4.8.1-2", {"xmpp.wrong-header-namespace-accepted"}}},
    .body = wrong_namespaces};

/// Opens a stream, sends something that no stream may hold, and judges that the stream ends. How it did; nothing where
/// none opens.
std::optional<Ending> ended_by(Negotiation& n, const char* requirement, const char* what, std::string_view octets) {
  auto stream = n.connect(PartnerKind::sasl_external);
  if (!GIVEN(stream.open().has_value(), "the server answered a header with features")) return std::nullopt;
  stream.send(octets);
  const auto ending = stream.await_ending();
  CONFORMS(requirement, std::string("what came of ") + what, ending, HasEnded());
  return ending;
}

void restricted_xml(Run& run) {
  Negotiation n(run);
  (void)ended_by(n, "RFC6120-11.1-2", "a comment", "<!-- a comment -->");
  (void)ended_by(n, "RFC6120-11.1-3", "a processing instruction", "<?target data?>");
  (void)ended_by(n, "RFC6120-11.1-5", "a general entity", "<message to='a@b.example'><body>&nbsp;</body></message>");
  auto stream = n.connect(PartnerKind::sasl_external);
  auto header = stream.header().text();
  const auto declaration = header.find("?>") + 2;
  header.insert(declaration, "<!DOCTYPE stream [<!ENTITY a 'b'>]>");
  stream.send(header);
  (void)stream.await_header();
  CONFORMS("RFC6120-11.1-4", "what came of a document type", stream.await_ending(), HasEnded());
}

CUTOVER_CASE(restricted){
    .id = "stream.restricted-xml",
    .title = "Comments, processing instructions, document types and entities end the stream",
    .procedure = "On a stream each: a comment, a processing instruction, a general entity, a document type.",
    .accepted = "Any stream error (restricted-xml and not-well-formed are usual), and the end of the stream.",
    .likely_causes = "An XML parser with its defaults.",
    .judges = {{"RFC6120-11.1-2", {"xmpp.accepts-restricted-xml"}},
               {"RFC6120-11.1-3", {"xmpp.accepts-restricted-xml"}},
               {"RFC6120-11.1-4", {"xmpp.accepts-restricted-xml"}},
               {"RFC6120-11.1-5", {"xmpp.open-after-stream-error"}}},
    .needs = {Need::sasl_external},
    .body = restricted_xml};

void not_well_formed(Run& run) {
  Negotiation n(run);
  const auto crossed = ended_by(n, "RFC6120-11.3-2", "crossed tags", "<message to='a@b.example'><body></message>");
  if (!crossed) return;
  CONFORMS("RFC6120-4.9.3.13-1", "the condition of the stream error for crossed tags, if any",
           crossed->condition_in_words(), AnyOf("not-well-formed", "bad-format", "no condition"));
  (void)ended_by(n, "RFC6120-11.3-3", "an unbound prefix", "<unbound:message/>");
}

CUTOVER_CASE(malformed){
    .id = "stream.not-well-formed",
    .title = "XML that is not well-formed and an unbound prefix end the stream",
    .procedure = "On a stream each: crossed tags, an element with an unbound prefix.",
    .accepted = "not-well-formed (bad-format, or no error at all, where the parser gave up) and the end of the stream.",
    .likely_causes = "The condition of RFC 3920, xml-not-well-formed; a parser that repairs.",
    .judges = {{"RFC6120-11.3-2", {"xmpp.open-after-stream-error"}},
               {"RFC6120-4.9.3.13-1", {"xmpp.wrong-stream-condition"}},
               {"RFC6120-11.3-3", {"xmpp.open-after-stream-error"}}},
    .needs = {Need::sasl_external},
    .body = not_well_formed};

}  // namespace
}  // namespace cutover::suites
