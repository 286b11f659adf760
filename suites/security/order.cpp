// Elements of another state or of the other role: they change nothing, whichever side the subject is.
#include "protocol/xml/writer.h"
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;
constexpr char auth[] = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";
constexpr char starttls[] = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// The name of what answers; "the end" where the stream ended, "nothing" where nothing came.
std::string answer_to(PeerStream& stream, std::string_view octets) {
  stream.send(octets);
  const auto answer = stream.await_element();
  const bool is_error = answer && answer->is("error", xmpp::ns::streams);
  if (is_error && answer->child(Ending::idle, xmpp::ns::stream_errors) != nullptr) return "nothing";
  if (answer) return is_error ? "a stream error" : answer->name();
  return stream.is_over() ? "the end" : "nothing";
}

/// A stream inside TLS, before anybody is authenticated on it.
std::optional<PeerStream> secured(Negotiation& n) {
  auto stream = n.secured(external, *n.certificate(external));
  (void)GIVEN(stream.has_value(), "the subject offers features inside TLS");
  return stream;
}

void receiving(Run& run) {
  Negotiation n(run);
  auto good = n.established(external);
  if (!GIVEN(good.has_value(), "the stream of a partner was established")) return;
  CONFORMS("RFC6120-5.3.4-1", "what answered <starttls/> behind SASL", answer_to(*good, starttls), Ne("proceed"));
  good->close();
  (void)good->await_ending();
  auto again = n.established(external);
  if (!GIVEN(again.has_value(), "a further stream of the partner was established")) return;
  CONFORMS("SEC-PROTO-1", "what answered a second <auth/> behind SASL", answer_to(*again, auth), Ne("success"));
  auto twice = secured(n);
  if (!twice) return;
  CONFORMS("RFC6120-5.4.2.2-2", "what answered <starttls/> inside TLS", answer_to(*twice, starttls),
           AnyOf("failure", "a stream error", "the end"));
  auto early = secured(n);
  if (!early) return;
  CONFORMS("RFC6120-6.5.8-1", "what answered <response/> without <auth/>",
           answer_to(*early, "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</response>"),
           AnyOf("failure", "a stream error", "the end"));
  auto clear = n.connect(external);
  if (!GIVEN(clear.open().has_value(), "the subject offers features in clear")) return;
  CONFORMS("RFC6120-13.3-1", "what answered <auth/> in clear", answer_to(clear, auth), Ne("success"));
}

CUTOVER_CASE(received){
    .id = "security.out-of-order",
    .title = "TLS comes before SASL, each once: what comes elsewhere is refused",
    .procedure =
        "<starttls/> and <auth/> on authenticated streams, <starttls/> and <response/> inside TLS before SASL, <auth/> "
        "in clear, each on a stream of its own.",
    .accepted = "A failure, a stream error or the end of the stream; behind SASL no notice of it, too.",
    .likely_causes = "Elements that are handled by their names, whatever went before.",
    .judges = {{"RFC6120-5.3.4-1", {"xmpp.proceeds-again"}},
               {"RFC6120-5.4.2.2-2", {"xmpp.proceeds-again"}},
               {"SEC-PROTO-1", {"xmpp.second-authentication-accepted"}},
               {"RFC6120-6.5.8-1", {"xmpp.misplaced-sasl-accepted"}},
               {"RFC6120-13.3-1", {"xmpp.external-in-clear-succeeds"}}},
    .needs = {Need::sasl_external},
    .budget = 1min,
    .body = receiving};

void not_offered(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(PartnerKind::plaintext_dialback);
  const auto features = stream.open();
  if (!GIVEN(features.has_value(), "the subject offers features")) return;
  if (features->child("starttls", xmpp::ns::tls) != nullptr) run.unsupported("the subject offers STARTTLS");
  CONFORMS("RFC6120-5.4.2.2-2", "what answered <starttls/> that was not offered", answer_to(stream, starttls),
           AnyOf("failure", "a stream error", "the end"));
}

CUTOVER_CASE(unoffered){.id = "security.starttls-unoffered",
                        .title = "STARTTLS that was not offered is refused",
                        .procedure = "In clear, where the features have no STARTTLS: <starttls/>.",
                        .accepted = "A failure, a stream error, or the end of the stream.",
                        .likely_causes = "Elements that are handled by their names, whatever was offered.",
                        .judges = {{"RFC6120-5.4.2.2-2", {"xmpp.starttls-unoffered-accepted"}}},
                        .needs = {Need::plaintext_dialback},
                        .body = not_offered};

void nothing_unasked(Run& run) {
  Negotiation n(run);
  for (const auto* element : {"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
                              "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<stream:features/>"}) {
    auto stream = secured(n);
    if (!stream) return;
    stream->send(element);
    stream->send(n.message(external, "unasked"));
    (void)stream->await_ending();
  }
  if (!n.given_marker()) return;
  CONFORMS("SEC-PROTO-1", "how many messages arrived of a peer that authenticated itself by answers of the other role",
           n.subject().received("unasked"), Eq(0U));
}

CUTOVER_CASE(other_role){.id = "security.answers-of-the-other-role",
                         .title = "A peer is not authenticated by sending what only its other side may send",
                         .procedure =
                             "Inside TLS, without SASL: <proceed/>, <success/>, features, each on a stream of its own "
                             "and each followed by a "
                             "message; then a marker.",
                         .accepted = "A stream error, or no notice; the messages do not arrive.",
                         .likely_causes = "One handler of elements for both roles.",
                         .judges = {{"SEC-PROTO-1", {"xmpp.unauthenticated-stanza-delivered"}}},
                         .needs = {Need::sasl_external, Need::user_account},
                         .budget = 1min,
                         .body = nothing_unasked};

constexpr char odd[] = "<odd xmlns='urn:example:odd'/>";

/// What the subject sends of what a trusted server alone may get: <auth/>, a key, a stanza, the header of a restart.
std::string sent_next(PeerStream& stream) {
  (void)stream.until([&] { return stream.wire().has_item() || stream.is_over(); });
  const auto item = stream.wire().next_item();
  if (!item || std::holds_alternative<xml::StreamEnd>(*item)) return "nothing";
  const auto* element = std::get_if<xml::Element>(&*item);
  return element == nullptr ? "a header" : goes_on_with(*element);
}

void no_features(Run& run) {
  Negotiation n(run);
  auto stream = n.called_inside_tls(external, "no features");
  if (!stream) return;
  auto header = stream->header();
  header.id = "no-features";
  // The mechanisms stand in an element that is none of the stream's.
  stream->send(header.text() + fmt::format("<odd xmlns='urn:example:odd'>{}</odd>", external_offered));
  CONFORMS("SEC-PROTO-2", "what the subject sent behind an element that are no features", sent_next(*stream),
           Eq("nothing"));
}

CUTOVER_CASE(features_expected){
    .id = "security.no-features",
    .title = "The initiating server negotiates by features, and by nothing else",
    .procedure = "Inside TLS answer its header with another element than features, which holds mechanisms.",
    .accepted = "A stream error, the end of the stream, or waiting.",
    .likely_causes = "A reader of features that looks at children only.",
    .judges = {{"SEC-PROTO-2", {"xmpp.anything-taken-for-features"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::unmet_peers},
    .budget = 3min,
    .body = no_features};

void no_proceed(Run& run) {
  Negotiation n(run);
  auto stream = n.called(external, "no proceed");
  if (!GIVEN(stream && stream->answer_header(starttls_required) && stream->await_element("starttls", xmpp::ns::tls),
             "the subject asks for TLS"))
    return;
  stream->send(odd);
  stream->wire().start_tls(*n.certificate(external), tls::Role::server);
  (void)n.until([&] { return stream->wire().handshake_over(); });
  CONFORMS("SEC-PROTO-2", "the subject began TLS behind an answer that is no <proceed/>", stream->wire().secured(),
           Eq(false));
}

CUTOVER_CASE(proceed_expected){.id = "security.no-proceed",
                               .title = "The initiating server begins TLS behind <proceed/>, and behind nothing else",
                               .procedure = "Answer <starttls/> with another element, then wait for a handshake.",
                               .accepted = "A stream error, the end of the stream, or waiting.",
                               .likely_causes = "Whatever is no <failure/> is taken for <proceed/>.",
                               .judges = {{"SEC-PROTO-2", {"xmpp.anything-taken-for-proceed"}}},
                               .needs = {Need::sasl_external, Need::user_account, Need::unmet_peers},
                               .budget = 3min,
                               .body = no_proceed};

void no_outcome(Run& run) {
  Negotiation n(run);
  auto stream = n.called_to_authenticate("no outcome", std::string(external_offered) + dialback_offered);
  if (!stream) return;
  stream->send(odd);
  CONFORMS("SEC-PROTO-2", "what the subject sent behind an answer to <auth/> that is none of SASL", sent_next(*stream),
           Eq("nothing"));
}

CUTOVER_CASE(outcome_expected){
    .id = "security.no-sasl-outcome",
    .title = "The initiating server is authenticated by <success/>, and goes on by <failure/>, and by nothing else",
    .procedure = "Answer <auth/> with an element that is none of SASL, where dialback is offered too.",
    .accepted = "A stream error, the end of the stream, or waiting.",
    .likely_causes = "Whatever is no <success/> is taken for <failure/>.",
    .judges = {{"SEC-PROTO-2", {"xmpp.anything-taken-for-sasl-success"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::unmet_peers},
    .budget = 3min,
    .body = no_outcome};

void asked_by_the_receiver(Run& run) {
  Negotiation n(run);
  auto stream = n.called_to_deliver("who asks");
  if (!stream) return;
  CONFORMS("SEC-PROTO-2", "what answered the receiving server's own <starttls/>", answer_to(*stream, starttls),
           Ne("proceed"));
}

CUTOVER_CASE(roles){
    .id = "security.roles-are-kept",
    .title = "The initiating server takes no request for TLS of the other side",
    .procedure = "Lead a stream of the subject's through EXTERNAL up to its message; then send it <starttls/>.",
    .accepted = "A failure, a stream error, the end of the stream, or no notice.",
    .likely_causes = "One handler of elements for both roles.",
    .judges = {{"SEC-PROTO-2", {"xmpp.proceeds-again"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::unmet_peers},
    .budget = 3min,
    .body = asked_by_the_receiver};

void sent_back(Run& run) {
  Negotiation n(run);
  auto stream = n.called_to_deliver("by its own stream");
  if (!stream) return;
  stream->send(n.message(external, "back on it"));
  if (!n.given_marker()) return;
  CONFORMS("RFC6120-4.1-1", "how often a message arrived that came back on the subject's own stream",
           n.subject().received("back on it"), Eq(0U));
}

CUTOVER_CASE(one_way){
    .id = "security.stanzas-back",
    .title = "A stream carries stanzas one way: what comes back on the subject's own is not delivered",
    .procedure =
        "Lead a stream of the subject's through EXTERNAL up to its message; send a message back on it; a marker on a "
        "stream of the peer's own.",
    .accepted = "A stream error, or no notice. Bidirectional streams (XEP-0288) are not offered here.",
    .likely_causes = "A stream that counts as authenticated in both directions.",
    .judges = {{"RFC6120-4.1-1", {"xmpp.stanzas-accepted-on-own-stream"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::unmet_peers},
    .budget = 3min,
    .body = sent_back};

void behind_a_violation(Run& run) {
  Negotiation n(run);
  auto good = n.established(external);
  if (!GIVEN(good.has_value(), "the stream of a partner was established")) return;
  // Addresses that are missing: what comes behind it can be read all the same.
  good->send("<message><body>nowhere</body></message>" + xml::write(n.message(external, "behind it")));
  (void)good->await_ending();
  auto told = n.established(external);
  if (!GIVEN(told.has_value(), "a further stream of the partner was established")) return;
  told->send("<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
  const auto ending = told->await_ending();
  auto oddly = n.established(external);
  if (!GIVEN(oddly.has_value(), "a further stream of the partner was established")) return;
  oddly->send("<stream:error><made-up xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
  CONFORMS("RFC6120-4.9.2-2", "what came of a stream error of the peer whose condition nobody knows",
           oddly->await_ending(), HasEnded());
  if (!n.given_marker()) return;
  CONFORMS("RFC6120-4.9.1.1-1", "how often a message arrived that came behind one without addresses",
           n.subject().received("behind it"), Eq(0U));
  if (CONFORMS("RFC6120-4.9.1.1-2", "what came of a stream error of the peer", ending, HasEnded()))
    CONFORMS("RFC6120-4.9.1.1-2", "an end tag came before the end of the connection", ending.end_tag, Eq(true));
}

CUTOVER_CASE(violations){
    .id = "security.behind-a-violation",
    .title = "A stream is over with a stream error, whoever sends it",
    .procedure =
        "On an authenticated stream, in one write: a message without addresses, and a proper one; on another one a "
        "stream error, and no end tag; on a third one such an error of a condition that nobody knows; then a marker.",
    .accepted =
        "The end of both streams, by an end tag where it answers the error of the peer; the message does not arrive.",
    .likely_causes = "Stanzas that are read on while the error is on its way; errors of peers that are only logged.",
    .judges = {{"RFC6120-4.9.1.1-1", {"xmpp.reads-on-after-violation"}},
               {"RFC6120-4.9.1.1-2", {"xmpp.peer-error-ignored", "xmpp.no-end-tag-for-an-error"}},
               {"RFC6120-4.9.2-2", {"xmpp.peer-error-ignored"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .budget = 1min,
    .body = behind_a_violation};

}  // namespace
}  // namespace cutover::suites
