// Headers that a receiving server refuses, and how: a header of its own, one defined condition, the end of the stream.
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;

constexpr auto external = PartnerKind::sasl_external;

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
  auto stream = n.connect(external);
  stream.header().to = "nobody.invalid";
  bool answered = false;
  const auto ending = refused(stream, &answered);
  // Without a header around it an error cannot be read.
  const bool bare = !answered && stream.wire().has_received(":error");
  if (!bare)
    CONFORMS("RFC6120-4.9.1.1-1", "what came of a stream to a domain that is not served", ending,
             HasEndedWithAnError());
  // What follows is about an error that was sent.
  if (!GIVEN(bare || ending.refused(), "a stream error came for a domain that is not served")) return;
  if (!CONFORMS("RFC6120-4.9.1.2-1", "a header of the server came before its stream error", !bare, Eq(true))) return;
  CONFORMS("RFC6120-4.9.1.1-1", "an end tag came behind the stream error", ending.end_tag, Eq(true));
  CONFORMS("RFC6120-4.9.3.6-1", "the condition of the stream error", ending.condition_in_words(),
           AnyOf("host-unknown", "host-gone"));
  CONFORMS("RFC6120-4.9.2-1", "the stream error", ending, HasOneCondition());
  CONFORMS("RFC6120-4.9.1.3-1", "the from of the header before the error",
           stream.peer_header().tag.attribute_or_empty("from"), testing::Ne("nobody.invalid"));
}

CUTOVER_CASE(host_unknown){
    .id = "stream.unknown-host",
    .title =
        "A header for a domain that is not served is refused with host-unknown, behind a header, and the stream ends",
    .procedure = "Send a header whose to is nobody.invalid.",
    .accepted = "host-unknown or host-gone behind the server's own header, then the end of the stream.",
    .likely_causes = "A default host that takes every domain; an error without a stream around it.",
    .judges = {{"RFC6120-4.9.3.6-1", {"xmpp.wrong-stream-condition"}},
               {"RFC6120-4.9.1.3-1", {"xmpp.responds-as-called"}},
               {"RFC6120-4.9.1.2-1", {"xmpp.no-header-before-error"}},
               {"RFC6120-4.9.1.1-1",
                {"xmpp.open-after-stream-error", "xmpp.no-stream-error", "xmpp.host-unknown-accepted",
                 "xmpp.no-end-tag-behind-error"}},
               {"RFC6120-4.9.2-1", {"xmpp.stream-error-without-condition", "xmpp.two-stream-conditions"}}},
    .body = unknown_host};

void wrong_namespaces(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(external);
  stream.header().stream_ns = "urn:example:no-streams";
  const auto ending = refused(stream);
  if (CONFORMS("RFC6120-4.8.1-1", "what came of a header in another namespace", ending, HasEndedWithAnError()))
    CONFORMS("RFC6120-4.8.1-3", "the condition of the stream error", ending.condition_in_words(),
             Eq("invalid-namespace"));
  auto renamed = n.connect(external);
  renamed.header().name = "flow";
  CONFORMS("RFC6120-4.8.1-2", "what came of a root element of another name", refused(renamed), HasEndedWithAnError());
}

CUTOVER_CASE(namespaces){
    .id = "stream.wrong-header-namespace",
    .title = "A root element that is no stream header ends the stream with an error",
    .procedure = "Send a root element in another namespace; on a second connection one of another name.",
    .accepted = "A stream error, best invalid-namespace for the first, and the end of the stream.",
    .likely_causes = "A parser that looks at prefixes or local names only; a connection that is dropped.",
    .judges = {{"RFC6120-4.8.1-1", {"xmpp.wrong-header-namespace-accepted", "xmpp.no-stream-error"}},
               {"RFC6120-4.8.1-2", {"xmpp.wrong-header-namespace-accepted", "xmpp.no-stream-error"}},
               {"RFC6120-4.8.1-3", {"xmpp.wrong-stream-condition"}}},
    .body = wrong_namespaces};

/// Sends something that no stream may hold on a stream that is authenticated: another one ends at the first stanza,
/// whatever it holds (RFC 6120 section 4.3.5). Judges that the stream ends with an error. How it ended; nothing where
/// it was not established, or no error came.
std::optional<Ending> error_for(Negotiation& n, const char* requirement, const std::string& what,
                                const std::string& octets) {
  auto stream = n.established(external);
  if (!GIVEN(stream.has_value(), "the stream of a partner was established")) return std::nullopt;
  stream->send(octets);
  auto ending = stream->await_ending();
  if (!CONFORMS(requirement, "what came of " + what, ending, HasEndedWithAnError())) return std::nullopt;
  return ending;
}

/// A message to an account that need not exist, with that text inside.
std::string message_with(Negotiation& n, std::string_view inside) {
  return "<message from='" + n.romeo(external) + "' to='nobody@" + n.subject().domain() + "'>" + std::string(inside) +
         "</message>";
}

void restricted_xml(Run& run) {
  Negotiation n(run);
  const auto condition = [](const std::string& of, const std::optional<Ending>& ending) {
    if (ending)
      CONFORMS("RFC6120-11.1-7", "the condition of the stream error for " + of, ending->condition_in_words(),
               Eq("restricted-xml"));
  };
  condition("a comment", error_for(n, "RFC6120-11.1-2", "a comment", "<!-- a comment -->"));
  condition("a processing instruction", error_for(n, "RFC6120-11.1-3", "a processing instruction", "<?target data?>"));
  // An entity that was never declared is not well-formed, either.
  (void)error_for(n, "RFC6120-11.1-5", "a general entity", message_with(n, "<body>&nbsp;</body>"));
  auto stream = n.connect(external);
  auto header = stream.header().text();
  const auto declaration = header.find("?>") + 2;
  header.insert(declaration, "<!DOCTYPE stream [<!ENTITY a 'b'>]>");
  stream.send(header);
  (void)stream.await_header();
  const auto ending = stream.await_ending();
  if (CONFORMS("RFC6120-11.1-4", "what came of a document type", ending, HasEndedWithAnError()))
    condition("a document type", ending);
}

CUTOVER_CASE(restricted){
    .id = "stream.restricted-xml",
    .title = "Comments, processing instructions, document types and entities end the stream with an error",
    .procedure =
        "On an authenticated stream each: a comment, a processing instruction, a message with a general entity; then a "
        "header behind a document type.",
    .accepted = "A stream error (restricted-xml is preferred; bad-format and not-well-formed are in use), and the end.",
    .likely_causes = "An XML parser with its defaults.",
    .judges = {{"RFC6120-11.1-2", {"xmpp.accepts-restricted-xml", "xmpp.no-stream-error"}},
               {"RFC6120-11.1-3", {"xmpp.accepts-restricted-xml", "xmpp.no-stream-error"}},
               {"RFC6120-11.1-4", {"xmpp.accepts-restricted-xml", "xmpp.no-stream-error"}},
               {"RFC6120-11.1-5",
                {"xmpp.open-after-stream-error", "xmpp.no-stream-error", "xmpp.repairs-what-is-not-well-formed"}},
               {"RFC6120-11.1-7", {"xmpp.wrong-stream-condition"}}},
    .needs = {Need::sasl_external},
    .body = restricted_xml};

void not_well_formed(Run& run) {
  Negotiation n(run);
  const auto crossed = error_for(n, "RFC6120-11.3-2/tags", "crossed tags", message_with(n, "<body><b></body></b>"));
  if (crossed)
    CONFORMS("RFC6120-4.9.3.13-1", "the condition of the stream error for crossed tags", crossed->condition_in_words(),
             AnyOf("not-well-formed", "bad-format"));
  auto stream = n.established(external);
  if (!GIVEN(stream.has_value(), "the stream of a partner was established")) return;
  stream->send(message_with(n, "<unbound:odd/>"));
  const auto ending = stream->await_ending();
  const auto returned = ending.ended() ? std::nullopt : n.returned(external);
  const auto error = returned ? xmpp::error_of(*returned) : std::nullopt;
  CONFORMS_THAT("RFC6120-11.3-3/prefixes", "what came of an unbound prefix", (ending.error && ending.ended()) || error,
                "a stream error and the end of the stream, or a stanza error", testing::PrintToString(ending));
  // Section 4.9.3.2 has a name of its own for it, and 4.9.3.1 one for whatever cannot be processed.
  CONFORMS("RFC6120-11.3-3/prefixes", "the condition of the stream or stanza error for an unbound prefix",
           error ? error->condition : ending.condition_in_words(),
           AnyOf("not-well-formed", "not-acceptable", "bad-namespace-prefix", "bad-format"));
}

CUTOVER_CASE(malformed){
    .id = "stream.not-well-formed",
    .title = "XML that is not well-formed and an unbound prefix end the stream with an error that says so",
    .procedure = "On an authenticated stream each: a message with crossed tags, one with an unbound prefix.",
    .accepted =
        "not-well-formed or bad-format and the end of the stream; for the prefix bad-namespace-prefix, too, or the "
        "stanza error not-acceptable on a stream to the peer.",
    .likely_causes = "The condition of RFC 3920, xml-not-well-formed; a parser that repairs.",
    .judges = {{"RFC6120-11.3-2",
                {"xmpp.open-after-stream-error", "xmpp.no-stream-error", "xmpp.repairs-what-is-not-well-formed",
                 "xmpp.unreadable-ignored"}},
               {"RFC6120-4.9.3.13-1", {"xmpp.wrong-stream-condition"}},
               {"RFC6120-11.3-3",
                {"xmpp.open-after-stream-error", "xmpp.no-stream-error", "xmpp.repairs-what-is-not-well-formed"}}},
    .needs = {Need::sasl_external},
    .body = not_well_formed};

}  // namespace
}  // namespace cutover::suites
