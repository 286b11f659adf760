// Dialback as the initiating server does it: a key first, stanzas only once it came back valid.
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Ne;

constexpr auto kind = PartnerKind::dialback_over_tls;

/// A stream of the subject that it has led into TLS, where dialback is offered; a precondition of what is judged on it.
std::optional<PeerStream> inside_tls(Negotiation& n, const std::string& body) {
  auto stream = n.called(kind, body);
  const bool led = stream && n.lead_to_tls(*stream, *n.certificate(kind), dialback_offered);
  if (!GIVEN(led, "the subject opens a stream to its peer and secures it")) return std::nullopt;
  return stream;
}

/// The same, its key read.
std::optional<PeerStream> up_to_key(Negotiation& n, const std::string& body) {
  auto stream = inside_tls(n, body);
  if (stream && !GIVEN(stream->await_element(), "the subject sends its key")) return std::nullopt;
  return stream;
}

std::string answer_text(Negotiation& n, std::string_view type) {
  return fmt::format("<db:result from='{}' to='{}' type='{}'", n.domain(kind), n.subject().domain(), type);
}

void valid_key(Run& run) {
  Negotiation n(run);
  auto stream = inside_tls(n, "after the key");
  if (!stream) return;
  const auto first = stream->await_element();
  CONFORMS("XEP0220-2.1.1-3", "what the subject sent first", first ? first->name() : "nothing", Eq("result"));
  // What is sent in spite of it goes out with the key; a marker the other way gives it its time.
  if (!first || !n.given_marker()) return;
  CONFORMS("XEP0220-2.1.1-3", "the message was sent before the answer", stream->wire().has_received("<message"),
           Eq(false));
  CONFORMS("XEP0220-2.1.1-1", "the addresses of db:result",
           first->attribute_or_empty("from") + " > " + first->attribute_or_empty("to"),
           Eq(n.subject().domain() + " > " + n.domain(kind)));
  CONFORMS("XEP0220-2.1.1-1", "the key", first->text(), Ne(""));
  stream->send(answer_text(n, "valid") + "/>");
  const auto message = stream->await_element("message", xmpp::ns::server);
  CONFORMS("XEP0220-2.1.1-10", "the message behind the answer valid", body_of(message), Eq("after the key"));
}

CUTOVER_CASE(key_first){
    .id = "dialback.key-before-stanzas",
    .title = "The initiating server sends its key, waits for valid, and then what it has to say",
    .procedure = "Let the user write; lead the stream into TLS with dialback as the only feature; answer valid.",
    .accepted = "The key in db:result from the user's domain to ours; the message only behind the answer.",
    .likely_causes = "Stanzas that are sent at once, in the hope of the best.",
    .judges = {{"XEP0220-2.1.1-3", {"xmpp.stanzas-before-dialback-result"}},
               {"XEP0220-2.1.1-1", {"xmpp.dialback-result-addresses-swapped"}},
               {"XEP0220-2.1.1-10", {"xmpp.valid-result-ignored"}}},
    .needs = {Need::dialback, Need::user_account},
    .body = valid_key};

constexpr char never_sent[] = "never to be sent",
               sent_nevertheless[] = "the message was sent behind the answer invalid";

/// Calls the key invalid; whether the subject sends its message nevertheless.
bool sends_by_invalid_key(Negotiation& n, PeerStream& stream) {
  stream.send(answer_text(n, "invalid") + "/>");
  const auto sent = [&] { return stream.wire().has_received(never_sent); };
  (void)n.until([&] { return sent() || !n.subject().told(never_sent).empty() || stream.wire().ended(); });
  return sent();
}

void refused_key(Run& run) {
  Negotiation n(run);
  auto stream = up_to_key(n, never_sent);
  if (!stream) return;
  CONFORMS("XEP0220-2.1.1-7", sent_nevertheless, sends_by_invalid_key(n, *stream), Eq(false));
  stream->send("</stream:stream>");
  const auto told = n.told(never_sent);
  // RFC 6120 section 10.4.3 names another condition for a stream that could not be negotiated.
  if (CONFORMS("RFC6120-10.4.3-1", "what the sender of the queued message was told", told, Ne("nothing")))
    CONFORMS("XEP0220-2.1.1-12", "what the sender of the queued message was told", told,
             AnyOf(Tells("internal-server-error"), Tells("remote-server-timeout")));
}

CUTOVER_CASE(called_invalid){.id = "dialback.own-key-called-invalid",
                             .title = "A key that comes back invalid returns the queued stanzas to their senders",
                             .procedure = "Answer the subject's key with invalid, then with the end of the stream.",
                             .accepted =
                                 "The user is told internal-server-error, or remote-server-timeout as RFC 6120 says, "
                                 "however late; the message is "
                                 "never sent.",
                             .likely_causes = "A queue that is dropped with its stream.",
                             .judges = {{"XEP0220-2.1.1-7", {"xmpp.refused-result-authorises"}},
                                        {"RFC6120-10.4.3-1", {"xmpp.undeliverable-silent"}},
                                        {"XEP0220-2.1.1-12", {"xmpp.undeliverable-wrong-condition"}}},
                             .needs = {Need::dialback, Need::user_account, Need::unmet_peers},
                             .budget = 5min,
                             .body = refused_key};

void failed_verification(Run& run) {
  Negotiation n(run);
  auto stream = up_to_key(n, "not verified");
  if (!stream) return;
  stream->send(answer_text(n, "error") +
               "><error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
               "</db:result>");
  const auto told = n.told("not verified");
  if (CONFORMS("RFC6120-10.4.3-1", "what the sender of the queued message was told", told, Ne("nothing")))
    CONFORMS("XEP0220-2.1.1-8/returned", "what the sender of the queued message was told", told,
             Tells("remote-server-timeout"));
  const bool ended = std::ranges::any_of(stream->wire().items(), [](const auto& item) {
    const auto* element = std::get_if<xml::Element>(&item);
    return element != nullptr && element->is("error", xmpp::ns::streams);
  });
  // A stream without a pair may be closed at any time, as every idle one; that is no error.
  CONFORMS("XEP0220-2.5-8", "the subject sent a stream error", ended, Eq(false));
}

CUTOVER_CASE(not_verified){.id = "dialback.own-key-not-verified",
                           .title = "A dialback error returns the queued stanzas and leaves the stream open",
                           .procedure = "Answer the subject's key with a db:result of type error.",
                           .accepted =
                               "The user is told remote-server-timeout, however late; no stream error. The end of the "
                               "stream without one: it carries no pair.",
                           .likely_causes = "Every dialback error taken for the end of the stream.",
                           .judges = {{"XEP0220-2.1.1-8", {"xmpp.undeliverable-wrong-condition"}},
                                      {"RFC6120-10.4.3-1", {"xmpp.undeliverable-silent"}},
                                      {"XEP0220-2.5-8", {"xmpp.dialback-error-ends-stream"}}},
                           .needs = {Need::dialback, Need::user_account, Need::unmet_peers},
                           .budget = 5min,
                           .body = failed_verification};

// The product's profile binds the deployment, and no target (lync-facts 4.4): it answers an invalid key by nothing at
// all.

void called_invalid_by_partner(Run& run) {
  Negotiation n(run);
  auto stream = up_to_key(n, never_sent);
  if (!stream) return;
  CONFORMS("MIG-N06/invalid", sent_nevertheless, sends_by_invalid_key(n, *stream), Eq(false));
  stream->send("</stream:stream>");
  CONFORMS("MIG-N06/invalid", "what the sender of the queued message was told", n.told(never_sent), Ne("nothing"));
}

CUTOVER_CASE(by_partner){.id = "dialback.own-key-refused-by-partner",
                         .title = "A key that a partner calls invalid lets nothing through, and the sender is told",
                         .procedure = "Answer the key of the edge with invalid, then with the end of the stream.",
                         .accepted = "The user is told, however late; the message is never sent.",
                         .likely_causes = "A queue that is dropped with its stream.",
                         .judges = {{"MIG-N06", {"xmpp.undeliverable-silent", "xmpp.refused-result-authorises"}}},
                         .needs = {Need::sip_side, Need::dialback, Need::user_account, Need::unmet_peers},
                         .staging = Staging::bench_only,
                         .budget = 5min,
                         .body = called_invalid_by_partner};

void never_answered(Run& run) {
  Negotiation n(run);
  auto stream = up_to_key(n, "into silence");
  if (!stream) return;
  constexpr Duration longer_than_any_waits = 15min;
  auto& world = n.subject().world();
  CONFORMS("MIG-N06/silence", "the stream without an answer came to its end",
           world.run_until([&] { return stream->wire().ended(); }, longer_than_any_waits), Eq(true));
  CONFORMS("MIG-N06/silence", "the message was sent without an answer to the key",
           stream->wire().has_received("into silence"), Eq(false));
}

CUTOVER_CASE(silence){.id = "dialback.own-key-never-answered",
                      .title = "A stream whose key is never answered is given up, and nothing is sent on it",
                      .procedure = "Let the user write; lead the stream up to the subject's key, and answer nothing.",
                      .accepted = "The end of the stream, however late; the message is never sent.",
                      .likely_causes = "A queue that waits without end for a stream that is open.",
                      .judges = {{"MIG-N06", {"xmpp.no-establishment-timeout"}}},
                      .needs = {Need::dialback, Need::user_account, Need::unmet_peers},
                      .live = false,
                      .budget = 1h,
                      .body = never_answered};

void taken_for_its_own(Run& run) {
  Negotiation n(run);
  constexpr char text[] = "to a partner that has our domain";
  auto stream = n.called(kind, text);
  if (!GIVEN(stream && stream->answer_header(""), "the subject opens a stream to its peer")) return;
  stream->send("<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
  stream->close();
  CONFORMS("MIG-N14", "what the sender of the queued message was told", n.told(text), Ne("nothing"));
}

CUTOVER_CASE(our_domain){
    .id = "dialback.partner-has-our-domain",
    .title = "A partner that takes our domain for its own ends our stream, and the sender is told",
    .procedure = "Let the user write; end the stream with not-authorized, as a server does that hosts that domain.",
    .accepted = "The user is told, however late. That the partner hosts the domain is in what exports tell (F7).",
    .likely_causes = "Tries without end, and nothing for the user.",
    .judges = {{"MIG-N14", {"xmpp.undeliverable-silent"}}},
    .needs = {Need::sip_side, Need::dialback, Need::user_account, Need::unmet_peers},
    .staging = Staging::bench_only,
    .budget = 15min,
    .body = taken_for_its_own};

}  // namespace
}  // namespace cutover::suites
