// STARTTLS as the receiving server does it: what it offers before, how it answers, and what it forgets afterwards.
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::ElementsAre;
using testing::Eq;

constexpr auto external = PartnerKind::sasl_external;

std::vector<std::string> names_of_children(const xml::Element& element) {
  std::vector<std::string> names;
  for (const auto* child : element.children()) names.push_back(child->name());
  return names;
}

void offered(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(external);
  const auto features = stream.open();
  if (!GIVEN(features.has_value(), "the server answered a header with features")) return;
  const auto* starttls = features->child("starttls", xmpp::ns::tls);
  CONFORMS("RFC6120-5.4.1-2", "STARTTLS is offered in clear", starttls != nullptr, Eq(true));
  CONFORMS("RFC6120-6.3.4-1", "SASL EXTERNAL is offered in clear", offers_mechanism(*features, "EXTERNAL"), Eq(false));
  if (!GIVEN(starttls != nullptr, "STARTTLS is offered in clear")) return;
  stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  const auto answer = stream.await_element();
  const bool tls = answer && answer->ns() == xmpp::ns::tls;
  CONFORMS("RFC6120-5.4.2.1-1", "the answer to <starttls/>", !tls ? "none of TLS" : answer->name(),
           AnyOf("proceed", "failure"));
  const bool refused = tls && answer->name() == "failure";
  const bool over = !refused || stream.await_ending().ended();
  CONFORMS_THAT("RFC6120-5.4.2.2-1", "the stream behind the answer to <starttls/>", over, "ended where TLS is refused",
                !refused ? "TLS was not refused"
                : over   ? "ended"
                         : "open");
  if (!over) return;
  if (!GIVEN(tls && answer->name() == "proceed" && stream.begin_tls(*n.certificate(external)), "TLS was established"))
    return;
  const auto inside = stream.open();
  if (!GIVEN(inside.has_value(), "the server sent features inside TLS")) return;
  CONFORMS("RFC6120-5.4.3.3-5", "STARTTLS is offered inside TLS", inside->child("starttls", xmpp::ns::tls) != nullptr,
           Eq(false));
  CONFORMS("RFC6120-6.3.4-2", "SASL EXTERNAL is offered inside TLS to a certificate of the domain",
           offers_mechanism(*inside, "EXTERNAL"), Eq(true));
}

CUTOVER_CASE(starttls_offered){
    .id = "tls.starttls",
    .title = "STARTTLS is offered, answered with proceed, and not offered again inside TLS",
    .procedure = "Read the features in clear, send <starttls/>, do the handshake, read the features inside.",
    .accepted =
        "STARTTLS required or optional, among any features but EXTERNAL; <failure/> instead of <proceed/>, behind "
        "which nothing can be judged; any TLS version that BCP 195 allows; other features inside.",
    .likely_causes = "Features that are written once for both sides of the handshake.",
    .judges = {{"RFC6120-5.4.1-2", {"xmpp.starttls-not-offered"}},
               {"RFC6120-6.3.4-1", {"xmpp.external-offered-in-clear"}},
               {"RFC6120-5.4.2.1-1", {"xmpp.starttls-not-answered", "xmpp.proceed-in-another-namespace"}},
               {"RFC6120-5.4.2.2-1", {"xmpp.starttls-fails-and-goes-on"}},
               {"RFC6120-5.4.3.3-5", {"xmpp.starttls-offered-inside-tls"}},
               {"RFC6120-6.3.4-2", {"xmpp.dns-names-ignored"}}},
    .needs = {Need::sasl_external},
    .body = offered};

void required(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(external);
  const auto features = stream.open();
  if (!GIVEN(features.has_value(), "the server answered a header with features")) return;
  const auto* starttls = features->child("starttls", xmpp::ns::tls);
  if (!GIVEN(starttls != nullptr, "STARTTLS is offered in clear")) return;
  CONFORMS("RFC6120-5.4.1-3", "STARTTLS is offered as required", starttls->child("required", xmpp::ns::tls) != nullptr,
           Eq(true));
  // Bidi may be offered before TLS (XEP-0288 section 2.1).
  auto names = names_of_children(*features);
  std::erase(names, "bidi");
  CONFORMS("RFC6120-5.3.1-2", "the features in clear, bidi apart", names, ElementsAre("starttls"));
}

CUTOVER_CASE(starttls_required){
    .id = "tls.required",
    .title = "Where TLS is required, STARTTLS is offered as required, and alone",
    .procedure = "Read the features in clear.",
    .accepted = "STARTTLS with <required/>, alone or beside bidi.",
    .likely_causes = "A policy that recommends TLS; features that are not made anew for the stream in clear.",
    .judges = {{"RFC6120-5.4.1-3", {"xmpp.starttls-without-required"}},
               {"RFC6120-5.3.1-2", {"xmpp.external-offered-in-clear"}}},
    .needs = {Need::sasl_external, Need::tls_required},
    .body = required};

/// The class of CVE-2011-0411: whether the subject answers, inside TLS, a header that came in clear behind <starttls/>.
/// Nothing where it could not be seen.
std::optional<bool> answers_injected_header(Negotiation& n) {
  auto stream = n.connect(external);
  if (!GIVEN(stream.open().has_value(), "the server answered a header with features")) return std::nullopt;
  stream.send(std::string("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>") + stream.header().text());
  const auto answer = stream.await_element();
  if (!answer || !answer->is("proceed", xmpp::ns::tls)) return false;
  auto& wire = stream.wire();
  wire.start_tls(*n.certificate(external), tls::Role::client, {.server_name = stream.header().to});
  (void)n.until([&] { return wire.handshake_over(); });
  if (!GIVEN(n.marker_arrives(), "a later message of a partner arrived")) return std::nullopt;
  // Inside TLS: what stands in clear behind <proceed/> is another fault, and told as that.
  const bool answered = !wire.received_in_tls().empty();
  wire.abort();
  return answered;
}

void pipelined(Run& run) {
  Negotiation n(run);
  if (const auto answers = answers_injected_header(n))
    CONFORMS("SEC-TLS-INJECT-1", "a header that came in clear was answered inside TLS", *answers, Eq(false));
}

CUTOVER_CASE(injection){
    .id = "security.starttls-injection",
    .title = "A stream header in the same segment as <starttls/> is not answered as if it had come through TLS",
    .procedure =
        "Send <starttls/> and a whole stream header in one write, do the handshake, and say nothing; a marker on "
        "another "
        "stream shows that the subject has had its turn.",
    .accepted = "A refusal, a failed handshake, or silence until a header comes inside TLS.",
    .likely_causes = "A buffer that survives the switch to TLS.",
    .judges = {{"SEC-TLS-INJECT-1", {"xmpp.plaintext-after-starttls-kept"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .sim = false,  // a simulated network cuts the segment that this is about
    .body = pipelined};

void never_secured(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(external);
  if (!GIVEN(stream.open().has_value(), "the server answered a header with features")) return;
  stream.send(n.message(external, "in clear"));
  if (!GIVEN(n.marker_arrives(), "a later message of a partner arrived")) return;
  CONFORMS("RFC6120-4.9.3.12-1", "how often a message arrived whose sender was not authenticated",
           n.subject().received("in clear"), Eq(0U));
  CONFORMS("SEC-TLS-STRIP-2", "how often a message in clear arrived", n.subject().received("in clear"), Eq(0U));
}

CUTOVER_CASE(stripped){
    .id = "security.no-service-in-clear",
    .title = "A stanza in clear of a peer that has not authenticated is not delivered",
    .procedure = "Send a message without <starttls/> and without authentication; then a marker on a good stream.",
    .accepted = "Silence, or any stream error and the end of the stream; the message never arrives.",
    .likely_causes = "The state of the stream is not asked for when a stanza comes.",
    .judges = {{"RFC6120-4.9.3.12-1", {"xmpp.unauthenticated-stanza-delivered"}},
               {"SEC-TLS-STRIP-2", {"xmpp.unauthenticated-stanza-delivered"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .body = never_secured};

/// What the subject does on a stream of its own towards a peer that offers no STARTTLS.
void stripped_features(Run& run) {
  Negotiation n(run);
  auto stream = n.called(external, "secret");
  if (!GIVEN(stream && stream->answer_header(external_offered), "the server opened a stream for its user's message"))
    return;
  // It may try STARTTLS all the same (RFC 7590 section 3.1), which such a peer refuses.
  auto next = stream->await_element();
  if (next && next->is("starttls", xmpp::ns::tls)) {
    stream->send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
    next = stream->await_element();
  }
  const bool went_on =
      next && (next->is("auth", xmpp::ns::sasl) || xmpp::is_stanza(*next) || next->ns() == xmpp::ns::dialback);
  for (const auto* requirement : {"SEC-TLS-STRIP-1", "RFC7590-3.1-1"})
    CONFORMS_THAT(requirement, "what the server sent to a peer without STARTTLS", !went_on,
                  "no authentication, dialback or stanza", next ? "<" + next->name() + "/>" : "nothing");
}

CUTOVER_CASE(strip){
    .id = "security.starttls-stripped",
    .title = "Where TLS is required, a peer without STARTTLS gets no authentication and no stanza in clear",
    .procedure = "Let the user write; answer the subject's stream with features that lack STARTTLS.",
    .accepted = "An end of the stream, or <starttls/> all the same; never <auth/>, dialback or a stanza in clear.",
    .likely_causes = "Opportunistic TLS, which a man in the middle turns off.",
    .judges = {{"SEC-TLS-STRIP-1", {"xmpp.goes-on-without-tls"}}, {"RFC7590-3.1-1", {"xmpp.goes-on-without-tls"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::tls_required, Need::unmet_peers},
    .body = stripped_features};

}  // namespace
}  // namespace cutover::suites
