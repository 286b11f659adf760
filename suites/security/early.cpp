// What comes before its time: stanzas, SASL and other features before, beside and between the steps of a negotiation.
#include "protocol/xml/writer.h"
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::IsEmpty;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;
constexpr auto dialback = PartnerKind::dialback_over_tls;
constexpr char auth[] = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";

/// The twin of what must not arrive: the same message arrives where the negotiation is over.
bool arrives_in_time(Negotiation& n, PartnerKind kind) {
  auto stream = n.established(kind);
  if (!GIVEN(stream.has_value(), "a stream of that peer was established")) return false;
  stream->send(n.message(kind, "in time"));
  const bool arrived = n.until([&] { return n.subject().received("in time") > 0; });
  // The next may be refused while there is this one (RFC 6120 section 4.9.3.3), whatever comes on it.
  stream->close();
  (void)stream->await_ending();
  return GIVEN(arrived, "the same message behind the negotiation arrived");
}

std::optional<PeerStream> opened(Negotiation& n, PartnerKind kind) {
  auto stream = n.connect(kind);
  if (!GIVEN(stream.open().has_value(), "the subject answers a header with features")) return std::nullopt;
  return stream;
}

/// ... inside TLS, with a certificate that proves the domain.
std::optional<PeerStream> inside_tls(Negotiation& n, PartnerKind kind) {
  auto stream = n.secured(kind, *n.certificate(kind));
  (void)GIVEN(stream.has_value(), "the subject offers features inside TLS");
  return stream;
}

void early_stanzas(Run& run) {
  Negotiation n(run);
  const auto kind = n.kind_in_tls();
  if (!arrives_in_time(n, kind)) return;
  const auto judge = [&](PeerStream& stream, const std::string& stage) {
    const auto body = "early " + stage;
    const bool secured = stream.wire().secured();
    stream.send(n.message(kind, body));
    const auto ending = stream.await_ending();
    if (CONFORMS("RFC6120-4.3.5-3", "what came of a message " + stage, ending, HasEndedWithAnError()))
      // In clear it may be the policy of TLS that is violated first (section 4.9.3.14).
      CONFORMS_THAT("RFC6120-4.3.5-3", "the condition of the stream error for a message " + stage,
                    ending.condition == "not-authorized" || (!secured && ending.condition == "policy-violation"),
                    secured ? "not-authorized" : "not-authorized, or policy-violation", ending.condition_in_words());
    if (!n.given_marker()) return;
    for (const auto* requirement : {"RFC6120-13.12-1", "RFC6120-4.7.1-5/receiving", "XEP0205-4.3-1"})
      CONFORMS(requirement, "how often the message " + stage + " arrived", n.subject().received(body), Eq(0U));
  };
  if (auto clear = opened(n, kind)) judge(*clear, "in clear, behind the features");
  if (auto inside = inside_tls(n, kind)) judge(*inside, "inside TLS, before anybody is authenticated");
}

CUTOVER_CASE(stanzas){
    .id = "security.stanza-too-early",
    .title = "A stanza of a peer that has not finished its negotiation is not taken, and ends the stream",
    .procedure =
        "A message behind the features in clear, and one behind those inside TLS; a marker behind each. Before them "
        "the same message on an authenticated stream, which arrives.",
    .accepted = "not-authorized, in clear policy-violation, too, and the end of the stream; the messages never arrive.",
    .likely_causes = "Stanzas handled by their names, whatever the state of the stream; stanzas dropped in silence.",
    .judges = {{"RFC6120-4.3.5-3",
                {"xmpp.unauthenticated-stanza-delivered", "xmpp.wrong-stream-condition", "xmpp.no-stream-error"}},
               {"RFC6120-13.12-1", {"xmpp.unauthenticated-stanza-delivered"}},
               {"RFC6120-4.7.1-5", {"xmpp.unauthenticated-stanza-delivered"}},
               {"XEP0205-4.3-1", {"xmpp.unauthenticated-stanza-delivered"}}},
    .needs = {Need::tls, Need::user_account},
    .budget = 1min,
    .body = early_stanzas};

/// Sends <auth/> and something behind it in one write, and a new header once <success/> has come, as after every one.
/// What the subject says then is nobody's here, only whether that message gets through.
void authenticate_with(Negotiation& n, PeerStream& stream, const std::string& behind, const std::string& body) {
  stream.send(auth + behind);
  const auto answer = stream.await_element();
  if (answer && answer->is("success", xmpp::ns::sasl)) stream.send(stream.header().text());
  (void)n.arrives(stream, body);
}

void behind_auth(Run& run) {
  Negotiation n(run);
  if (!arrives_in_time(n, external)) return;
  auto old_stream = inside_tls(n, external);
  if (!old_stream) return;
  authenticate_with(n, *old_stream, xml::write(n.message(external, "in the old stream")), "in the old stream");
  auto new_header = inside_tls(n, external);
  if (!new_header) return;
  authenticate_with(n, *new_header, xml::write(n.message(external, "before a header")) + new_header->header().text(),
                    "before a header");
  if (!n.given_marker()) return;
  for (const auto* requirement : {"SEC-RESTART-3", "RFC6120-6.3.2-1/receiving"})
    CONFORMS(requirement, "how often a message arrived that was sent with <auth/>",
             n.subject().received("in the old stream"), Eq(0U));
  CONFORMS("SEC-TLS-INJECT-4", "how often a message arrived between <auth/> and the header of the restart",
           n.subject().received("before a header"), Eq(0U));
}

CUTOVER_CASE(behind_sasl){
    .id = "security.stanza-behind-auth",
    .title =
        "What a peer sends behind <auth/> without a new header is not taken for the stanza of an authenticated one",
    .procedure =
        "Inside TLS in one write: <auth/> and a message, and the new header only behind <success/>; on another stream "
        "<auth/>, a message, a header. A marker. Before them a message behind the restart, which arrives.",
    .accepted = "A stream error, the end of the stream, or no notice; the messages never arrive.",
    .likely_causes = "A buffer that survives the restart; a parser that is not made anew.",
    .judges = {{"SEC-RESTART-3", {"xmpp.stanzas-kept-over-restart"}},
               {"RFC6120-6.3.2-1", {"xmpp.stanzas-kept-over-restart"}},
               {"SEC-TLS-INJECT-4", {"xmpp.stanzas-kept-over-restart"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .budget = 1min,
    .body = behind_auth};

void behind_a_key(Run& run) {
  Negotiation n(run);
  if (!arrives_in_time(n, dialback)) return;
  // A certificate that proves nothing, or the subject need not ask (XEP-0220 section 2.2.1).
  auto stream = n.secured(dialback, *n.certificate(dialback, tls::Flaw::self_signed));
  if (!stream) return run.unsupported("the subject takes certificates alone that prove the domain");
  stream->send(db_result(n.domain(dialback), n.subject().domain(), "another-key") +
               xml::write(n.message(dialback, "not verified")));
  if (auto request = n.asked(dialback, &*stream)) request->first.send(db_verify_answer(request->second, "invalid"));
  if (!n.given_marker()) return;
  CONFORMS("RFC6120-10.1-3", "how often a message arrived that was sent with a key which proved invalid",
           n.subject().received("not verified"), Eq(0U));
}

CUTOVER_CASE(behind_key){
    .id = "security.stanza-behind-key",
    .title = "A message in the same segment as a key waits for the verification, or is refused",
    .procedure =
        "Inside TLS, in one write: db:result and a message; answer the db:verify, if one comes, with invalid; a "
        "marker. Before it a message behind a key that was called valid, which arrives.",
    .accepted = "A stream error, no notice, or a message that waits; it never arrives, for the key is invalid.",
    .likely_causes = "A pair that counts from the request on.",
    .judges = {{"RFC6120-10.1-3", {"xmpp.unauthenticated-stanza-delivered", "xmpp.dialback-without-verifying"}}},
    .needs = {Need::dialback, Need::user_account},
    .budget = 1min,
    .body = behind_a_key};

/// The name of what answers, "nothing" where nothing came or the stream ended.
std::string answer_to(PeerStream& stream, std::string_view octets) {
  stream.send(octets);
  return goes_on_with(stream.await_element());
}

constexpr char compress[] = "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>";
constexpr char bidi[] = "<bidi xmlns='urn:xmpp:bidi'/>";
constexpr char enable[] = "<enable xmlns='urn:xmpp:sm:3'/>";
constexpr char resume[] = "<resume xmlns='urn:xmpp:sm:3' previd='some-id' h='0'/>";

void other_features(Run& run) {
  Negotiation n(run);
  auto twin = opened(n, external);
  if (!twin) return;
  if (!GIVEN(twin->worth_of(*n.certificate(external)) == "success", "EXTERNAL succeeds inside TLS")) return;
  for (const auto* feature : {compress, bidi, enable}) {
    auto clear = opened(n, external);
    if (!clear) return;
    const auto words = std::string(feature).substr(0, std::string(feature).find(' ')) + "/>";
    clear->send(feature + std::string(auth));
    const auto first = clear->await_element();
    const auto second = clear->is_over() ? std::nullopt : clear->await_element();
    const bool success =
        (first && first->is("success", xmpp::ns::sasl)) || (second && second->is("success", xmpp::ns::sasl));
    CONFORMS("SEC-TLS-STRIP-3", "the peer was authenticated in clear behind " + words, success, Eq(false));
  }
  for (const auto& [requirement, element, never] :
       {std::tuple("XEP0138-2-1/unasked", compress, "compressed"), std::tuple("XEP0198-3-3", enable, "enabled"),
        std::tuple("XEP0198-10-1/authenticated", resume, "resumed")}) {
    auto stream = inside_tls(n, external);
    if (!stream) return;
    CONFORMS(requirement, "what answered it before authentication", answer_to(*stream, element), Ne(never));
  }
}

CUTOVER_CASE(features){
    .id = "security.features-too-early",
    .title = "No other feature passes by TLS or authentication: compression, bidi, stream management",
    .procedure =
        "In clear, on a stream each: <compress/>, <bidi/>, <enable/>, and <auth/> behind it. Inside TLS, before "
        "<auth/>: <compress/>, <enable/>, <resume/>. Before them EXTERNAL inside TLS, which succeeds.",
    .accepted = "A failure, a stream error, the end of the stream, or no notice.",
    .likely_causes = "Elements that are handled by their names, whatever was offered.",
    .judges = {{"SEC-TLS-STRIP-3", {"xmpp.features-instead-of-tls"}},
               {"XEP0138-2-1", {"xmpp.compresses-unasked"}},
               {"XEP0198-3-3", {"xmpp.enables-unasked"}},
               {"XEP0198-10-1", {"xmpp.resumes-unasked"}}},
    .needs = {Need::sasl_external},
    .budget = 1min,
    .body = other_features};

constexpr char everything_offered[] =
    "<bidi xmlns='urn:xmpp:features:bidi'/><sm xmlns='urn:xmpp:sm:3'/>"
    "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>"
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
    "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";

void tls_first(Run& run) {
  Negotiation n(run);
  auto stream = n.called(n.kind_in_tls(), "TLS first");
  if (!GIVEN(stream && stream->answer_header(everything_offered), "the subject opens a stream to its peer")) return;
  const auto first = goes_on_with(stream->await_element());
  for (const auto* requirement : {"RFC6120-4.3.2-3", "XEP0170-3.1-1", "XEP0170-4-1", "XEP0288-2.1-2", "XEP0198-3-1"})
    CONFORMS(requirement, "what the subject sent first of all that is offered", first, AnyOf("starttls", "nothing"));
  stream->wire().abort();
}

CUTOVER_CASE(first){
    .id = "security.tls-first",
    .title = "Of all that a peer offers in clear the initiating server takes STARTTLS first",
    .procedure =
        "Answer the subject's header with features that offer bidi, stream management, compression, EXTERNAL, dialback "
        "and, behind them, STARTTLS as required; read what comes.",
    .accepted = "<starttls/>, or the end of the stream.",
    .likely_causes = "Features that are taken in the order in which they stand.",
    .judges = {{"RFC6120-4.3.2-3", {"xmpp.authenticates-before-tls"}},
               {"XEP0170-3.1-1", {"xmpp.authenticates-before-tls"}},
               {"XEP0170-4-1", {"xmpp.compresses-before-tls"}},
               {"XEP0288-2.1-2", {"xmpp.bidi-before-tls"}},
               {"XEP0198-3-1", {"xmpp.enables-before-tls"}}},
    .needs = {Need::tls, Need::user_account},
    .budget = 3min,
    .body = tls_first};

/// The end tags of streams among octets, whatever their prefix.
std::string end_tags_in(std::string_view octets) {
  const auto at = octets.find("stream>");
  for (auto begin = at; begin != std::string_view::npos; begin = octets.find("stream>", begin + 1)) {
    const auto open = octets.rfind('<', begin);
    if (open != std::string_view::npos && octets.substr(open).starts_with("</")) return "an end tag";
  }
  return "";
}

/// An end tag that came before a restart, as it is told.
bool goes_on(PeerStream& stream, const std::string& where) {
  return CONFORMS("RFC6120-4.3.3-1/receiving", "what ended the document before the one " + where,
                  end_tags_in(stream.wire().received()), IsEmpty());
}

void restarts_received(Run& run) {
  Negotiation n(run);
  auto stream = opened(n, external);
  if (!stream || !GIVEN(stream->start_tls(*n.certificate(external)), "TLS was established")) return;
  const bool inside = stream->open().has_value();
  if (!goes_on(*stream, "inside TLS") || !GIVEN(inside, "the subject offers features inside TLS")) return;
  const auto answer = stream->authenticate("");
  if (!GIVEN(answer && answer->is("success", xmpp::ns::sasl), "EXTERNAL succeeds")) return;
  const bool anew = stream->reopen().has_value();
  if (!goes_on(*stream, "behind <success/>") || !GIVEN(anew, "the header of a restart was answered")) return;
  CONFORMS("RFC6120-4.3.3-1/receiving", "the connection was ended at a restart", stream->is_over(), Eq(false));
}

CUTOVER_CASE(received_restarts){
    .id = "stream.restarts-as-receiver",
    .title = "The receiving server restarts a stream without an end tag, on the same connection",
    .procedure = "Lead a stream through STARTTLS and EXTERNAL, open it anew; look for end tags in what came.",
    .accepted = "A header behind each restart, and no end tag before it.",
    .likely_causes = "A document that is closed before the next one.",
    .judges = {{"RFC6120-4.3.3-1", {"xmpp.ends-before-restart"}}},
    .needs = {Need::sasl_external},
    .body = restarts_received};

void restarts_initiated(Run& run) {
  Negotiation n(run);
  auto stream = n.called(external, "over each restart");
  if (!GIVEN(stream && stream->answer_header(starttls_required) && stream->accept_tls(*n.certificate(external)),
             "the subject secures a stream of its own"))
    return;
  const bool inside = stream->await_header();
  auto ended = end_tags_in(stream->wire().received());
  if (!CONFORMS("RFC6120-4.3.3-1/initiating", "what ended the document before TLS", ended, IsEmpty())) return;
  CONFORMS("RFC6120-5.3.2-1", "a new header came inside TLS", inside, Eq(true));
  if (!inside) return;
  auto header = stream->header();
  header.id = "inside-tls";
  stream->send(header.text() + fmt::format("<stream:features>{}</stream:features>", external_offered));
  if (!GIVEN(stream->accept_external().has_value() || stream->wire().has_received("<auth"),
             "the subject authenticates by EXTERNAL"))
    return;
  (void)stream->await_element("message", xmpp::ns::server);
  ended = end_tags_in(stream->wire().received());
  if (!CONFORMS("RFC6120-4.3.3-1/initiating", "what ended the document before <success/>", ended, IsEmpty())) return;
  const auto& items = stream->wire().items();
  const auto headers = std::ranges::count_if(items, [](const auto& item) {
    const auto* one = std::get_if<xml::StreamHeader>(&item);
    return one != nullptr && one->tag.is("stream", xmpp::ns::streams);
  });
  CONFORMS("RFC6120-4.3.3-2", "how many headers came: in clear, inside TLS, behind <success/>", headers, Eq(3));
  CONFORMS("RFC6120-6.3.2-1/initiating", "the message came behind the header of the restart",
           stream->wire().has_received("over each restart") && headers < 3, Eq(false));
}

CUTOVER_CASE(initiated_restarts){
    .id = "stream.restarts-as-initiator",
    .title = "The initiating server begins a new document behind TLS and behind SASL, without an end tag before it",
    .procedure = "Let the user write; lead the stream through STARTTLS and EXTERNAL; count headers and end tags.",
    .accepted = "Three headers, no end tag, the message behind the last header.",
    .likely_causes = "A stream that goes on after <success/>; a document that is closed before the next one.",
    .judges = {{"RFC6120-4.3.3-1", {"xmpp.ends-before-restart"}},
               {"RFC6120-5.3.2-1", {"xmpp.no-restart-after-tls"}},
               {"RFC6120-6.3.2-1", {"xmpp.no-restart-after-success"}},
               {"RFC6120-4.3.3-2", {"xmpp.no-restart-after-success"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .budget = 1min,
    .body = restarts_initiated};

}  // namespace
}  // namespace cutover::suites
