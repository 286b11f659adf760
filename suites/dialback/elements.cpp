// Dialback elements that are not whole, not asked for, or for another pair: they authorise nobody.
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Ne;

constexpr auto kind = PartnerKind::dialback_over_tls;

void not_whole(Run& run) {
  Negotiation n(run);
  const auto theirs = n.domain(kind), ours = n.subject().domain();
  const std::vector<std::string> elements{fmt::format("<db:result to='{}'>key</db:result>", ours),
                                          fmt::format("<db:result from='{}'>key</db:result>", theirs),
                                          fmt::format("<db:verify from='{}' to='{}'>key</db:verify>", theirs, ours)};
  std::vector<PeerStream> streams;
  for (const auto& element : elements) {
    auto stream = n.secured(kind, *n.certificate(kind));
    if (!GIVEN(stream.has_value(), "the subject offers features inside TLS")) return;
    stream->send(element);
    streams.push_back(std::move(*stream));
  }
  const auto has_answer = [](PeerStream& stream) { return stream.wire().has_item() || stream.is_over(); };
  // Whoever takes one of them for whole asks the authoritative server, and hears that the key is good.
  (void)n.until([&] { return std::ranges::all_of(streams, has_answer) || n.peer(kind).accepted_count() > 0; });
  const bool verified = n.peer(kind).accepted_count() > 0 && n.answer_verify(kind, "valid").has_value();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    auto answer = verified || has_answer(streams[i]) ? streams[i].await_element() : std::nullopt;
    CONFORMS("XEP0220-6.1-1", "the type of the answer to " + elements[i],
             answer && answer->ns() == xmpp::ns::dialback ? answer->attribute_or_empty("type") : "none", Ne("valid"));
  }
}

CUTOVER_CASE(whole){
    .id = "dialback.elements-not-whole",
    .title = "A dialback element without addresses or id authorises nobody",
    .procedure =
        "Inside TLS, each on a stream of its own: db:result without from, without to; db:verify without id. "
        " Whoever asks the authoritative server hears that the key is valid.",
    .accepted = "A dialback error, invalid, a stream error (improper-addressing), the end of the stream, or silence.",
    .likely_causes = "What is missing is taken from the header of the stream.",
    .judges = {{"XEP0220-6.1-1", {"xmpp.completes-dialback"}}},
    .needs = {Need::dialback, Need::unmet_peers},
    .budget = 3min,
    .body = not_whole};

void not_asked_for(Run& run) {
  Negotiation n(run);
  auto stream = n.called(kind, "for a key");
  if (!GIVEN(stream && n.lead_to_tls(*stream, *n.certificate(kind), dialback_offered) &&
                 stream->await_element("result", xmpp::ns::dialback),
             "the subject sends a key on a stream of its own"))
    return;
  const auto ours = n.subject().domain(), theirs = n.domain(kind);
  for (const auto& [from, to] : {std::pair{"other." + theirs, ours}, {theirs, "other." + ours}, {ours, theirs}})
    stream->send(fmt::format("<db:result from='{}' to='{}' type='valid'/>", from, to));
  stream->send(fmt::format("<db:verify from='{}' to='{}' id='x' type='valid'/>", theirs, ours));
  // One more for the same pair waits behind the first.
  n.subject().send_message(n.romeo(kind), "another");
  const auto next = stream->await_element();
  if (!CONFORMS("XEP0220-2.1.1-2", "a further key came for a pair that is asked for already",
                next && next->is("result", xmpp::ns::dialback), Eq(false)))
    return;
  for (const auto* requirement : {"XEP0220-2.1.1-6", "SEC-DIALBACK-2"})
    CONFORMS(requirement, "what the subject sent upon answers for other pairs than it asked for", goes_on_with(next),
             Eq("nothing"));
}

CUTOVER_CASE(asked_for){
    .id = "dialback.unsolicited-answers",
    .title = "The initiating server takes db:result of type valid only for a pair that it asked for on that stream",
    .procedure =
        "While its key is not answered, send db:result of type valid for a sub-domain of the peer's, for one of its "
        "own, "
        "and with from and to exchanged, and db:verify of type valid; let the user write once more; see what comes.",
    .accepted = "A stream error, the end of the stream, or no notice.",
    .likely_causes = "Any valid answer is taken for the one that is waited for.",
    .judges = {{"XEP0220-2.1.1-6", {"xmpp.any-answer-counts"}},
               {"SEC-DIALBACK-2", {"xmpp.any-answer-counts"}},
               {"XEP0220-2.1.1-2", {"xmpp.result-twice"}}},
    .needs = {Need::dialback, Need::user_account, Need::unmet_peers},
    .budget = 3min,
    .body = not_asked_for};

void closed_behind(Run& run) {
  Negotiation n(run);
  auto stream = n.secured(kind, *n.certificate(kind, tls::Flaw::self_signed));
  if (!GIVEN(stream.has_value(), "the subject offers features inside TLS")) return;
  stream->send(db_result(n.domain(kind), n.subject().domain(), "a-key"));
  auto asked = n.asked(kind, &*stream);
  if (!GIVEN(asked.has_value(), "the subject asks the authoritative server about the key")) return;
  auto& [authority, request] = *asked;
  authority.send(db_verify_answer(request, "valid"));
  auto& wire = authority.wire();
  CONFORMS("XEP0220-2.1.2-3", "the stream on which it asked was closed within twenty seconds",
           n.subject().world().run_until([&] { return wire.ended(); }, 20s), Eq(true));
}

CUTOVER_CASE(soon_closed){
    .id = "dialback.verification-stream-ends",
    .title = "A stream that was opened to ask about a key is closed behind the answer",
    .procedure = "Answer db:verify on the stream that the subject opened for it; wait, in virtual time.",
    .accepted = "The end of that stream within twenty seconds.",
    .likely_causes = "A stream that belongs to nobody once it has served.",
    .judges = {{"XEP0220-2.1.2-3", {"xmpp.verification-stream-kept"}}},
    .needs = {Need::dialback, Need::unmet_peers},
    .live = false,
    .budget = 2h,
    .body = closed_behind};

void twice_asked(Run& run) {
  Negotiation n(run);
  auto stream = n.secured(kind, *n.certificate(kind));
  if (!GIVEN(stream.has_value(), "the subject offers features inside TLS")) return;
  constexpr int times = 64;
  for (int i = 0; i < times; ++i) stream->send(db_result(n.domain(kind), n.subject().domain(), "one-key"));
  // Who knows the peer otherwise asks nobody, and answers.
  const bool asked = n.answer_verify(kind, "valid", {}, &*stream).has_value();
  if (!GIVEN(asked || stream->has_result(), "the subject asks the authoritative server about the key, or answers"))
    return;
  (void)n.until([&] { return stream->has_result() || stream->is_over(); });
  CONFORMS("SEC-DIALBACK-10", "how many connections one pair brought to its authoritative server",
           n.peer(kind).accepted_count(), testing::Lt(std::size_t{times}));
}

CUTOVER_CASE(once){
    .id = "dialback.one-verification-for-a-pair",
    .title = "A peer that sends its key again and again does not cause as many connections",
    .procedure = "The same db:result 64 times in a row; count the connections to the authoritative server.",
    .accepted = "Fewer connections than keys; a stream error; one connection that carries all.",
    .likely_causes = "Every db:result begins a verification of its own.",
    .judges = {{"SEC-DIALBACK-10", {"xmpp.verifies-again-for-a-pair"}}},
    .needs = {Need::dialback, Need::unmet_peers},
    .live = false,  // how many are too many is the server's choice: this is about the reference
    .budget = 3min,
    .body = twice_asked};

}  // namespace
}  // namespace cutover::suites
