// The end of a stream: the closing handshake of RFC 6120 section 4.4, seen from a peer that begins it and one that does
// not.
#include "protocol/xml/writer.h"
#include "suites/support/negotiation.h"
#include "suites/support/varied_peer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Contains;
using testing::Eq;
using testing::Not;

constexpr auto external = PartnerKind::sasl_external;

void peer_closes(Run& run) {
  Negotiation n(run);
  auto stream = n.established(external);
  if (!GIVEN(stream.has_value(), "the stream of a partner was established")) return;
  stream->send("</stream:stream>");
  const auto ending = stream->await_ending();
  CONFORMS("RFC6120-4.4-5", "the closing tag was answered with one", ending.end_tag, Eq(true));
  (void)n.until([&] { return stream->wire().tls()->peer_closed() || stream->wire().closed(); });
  CONFORMS("RFC6120-4.4-6", "TLS was closed with close_notify", stream->wire().tls()->peer_closed(), Eq(true));
}

CUTOVER_CASE(answered){
    .id = "stream.closed-by-the-peer",
    .title = "A closing tag is answered with a closing tag and close_notify",
    .procedure = "On an established stream send </stream:stream>; read on until the end.",
    .accepted = "</stream:stream>, close_notify, the end of the connection.",
    .likely_causes = "A server that drops the connection when its peer says goodbye.",
    .judges = {{"RFC6120-4.4-5", {"xmpp.no-end-tag-reply"}}, {"RFC6120-4.4-6", {"xmpp.no-close-notify"}}},
    .needs = {Need::sasl_external},
    .body = peer_closes};

void ends_behind_messages(Run& run) {
  Negotiation n(run);
  const auto kind = n.kind_in_tls();
  for (const auto& form : {std::pair<std::string, const char*>("in one write with the end tag", "whole"),
                           {"in pieces of 7 octets with the end tag", "sevens"}}) {
    const auto& body = form.first;
    auto stream = n.established(kind);
    if (!GIVEN(stream.has_value(), "the stream of a peer was established")) return;
    const auto message = xml::write(n.message(kind, body), xmpp::ns::server);
    send_pieces(n.subject().world(), *stream, message + "</stream:stream>", form.second);
    (void)n.until([&] { return n.subject().received(body) > 0; });
    CONFORMS("RFC6120-10.1-1", "how often a message arrived that came " + body, n.subject().received(body), Eq(1U));
    (void)stream->await_ending();
  }
}

CUTOVER_CASE(last_message){
    .id = "stream.ends-behind-a-message",
    .title = "What comes right before an end tag is handled before the stream ends",
    .procedure = "On two streams of a peer a message and </stream:stream>, first in one write, then in small ones.",
    .accepted = "Both messages arrive once.",
    .likely_causes = "A parser that is thrown away with its stream before what it read is handled.",
    .judges = {{"RFC6120-10.1-1", {"xmpp.last-message-lost"}}},
    .needs = {Need::tls, Need::user_account},
    .budget = 1min,
    .body = ends_behind_messages};

void subject_closes(Run& run) {
  Negotiation n(run);
  auto stream = n.established(external);
  if (!GIVEN(stream.has_value(), "the stream of a partner was established")) return;
  // Long enough for every idle limit that is in use; virtual time.
  const auto begun = [&] {
    return std::ranges::any_of(stream->wire().items(),
                               [](const auto& item) { return std::holds_alternative<xml::StreamEnd>(item); });
  };
  const bool closing = n.subject().world().run_until(begun, 2h);
  CONFORMS("RFC6120-4.6.3-1", "the server closed a stream that was idle for two hours", closing, Eq(true));
  if (!GIVEN(closing, "the server closed the idle stream")) return;
  n.subject().world().run_for(500ms);
  CONFORMS("RFC6120-4.4-1", "the server ended the connection half a second behind its closing tag, unanswered",
           stream->wire().eof(), Eq(false));
  stream->send(n.message(external, "still listening"));
  (void)n.until([&] { return n.subject().received("still listening") == 1 || stream->wire().closed(); });
  CONFORMS("RFC6120-4.4-3", "how often a message arrived that was sent behind the server's closing tag",
           n.subject().received("still listening"), Eq(1U));
  CONFORMS("RFC6120-4.4-4", "the server ended the connection although its closing tag was not answered",
           n.subject().world().run_until([&] { return stream->wire().eof(); }, 10min), Eq(true));
}

CUTOVER_CASE(listens){
    .id = "stream.closed-by-the-subject",
    .title = "A server that closed its side still takes what comes, and gives up on a peer that never answers",
    .procedure =
        "Leave a stream idle until the subject closes it; half a second later send a message instead of a closing tag, "
        "and nothing more.",
    .accepted =
        "The connection is there still, and the message is delivered; it ends although the closing tag is never "
        "answered.",
    .likely_causes = "A server that stops reading once it has sent </stream:stream>, as a draining gateway does.",
    .judges = {{"RFC6120-4.6.3-1", {"xmpp.no-idle-timeout"}},
               {"RFC6120-4.4-1", {"xmpp.ends-with-its-end-tag"}},
               {"RFC6120-4.4-3", {"xmpp.deaf-while-closing"}},
               {"RFC6120-4.4-4", {"xmpp.no-close-timeout"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .live = false,
    .budget = 4h,
    .body = subject_closes};

void slow_peers(Run& run) {
  Negotiation n(run);
  auto silent = n.connect(external);
  auto half = n.connect(external);
  if (!GIVEN(half.open().has_value(), "the server answered a header with features")) return;
  const auto given_up = [&] {
    return (silent.wire().eof() || silent.wire().closed()) && (half.wire().eof() || half.wire().closed());
  };
  CONFORMS("SEC-SLOW-1", "both connections were given up within the hour", n.subject().world().run_until(given_up, 1h),
           Eq(true));
}

CUTOVER_CASE(slow){
    .id = "security.slow-negotiation",
    .title = "A peer that does not finish its negotiation is given up, whatever stage it stopped at",
    .procedure = "One connection that never says a word, one that stops after the features; wait, in virtual time.",
    .accepted = "Both connections end within the hour.",
    .likely_causes = "No time limit for the establishment of a stream.",
    .judges = {{"SEC-SLOW-1", {"xmpp.no-establishment-timeout"}}},
    .needs = {Need::sasl_external},
    .live = false,
    .budget = 4h,
    .body = slow_peers};

void half_a_stanza_for_long(Run& run) {
  Negotiation n(run);
  auto unfinished = n.established(external);
  if (!GIVEN(unfinished.has_value(), "the stream of a partner was established") || !n.given_marker()) return;
  unfinished->send(fmt::format("<message from='{}' to='{}'><body>never", n.romeo(external), n.subject().user()));
  CONFORMS("SEC-SLOW-4", "a message on another stream arrived while half a stanza stood on the first",
           n.marker_arrives(), Eq(true));
  CONFORMS("SEC-SLOW-4", "the stream with half a stanza was ended within two hours",
           n.subject().world().run_until([&] { return unfinished->is_over(); }, 2h), Eq(true));
}

CUTOVER_CASE(half){
    .id = "security.half-a-stanza-for-long",
    .title = "A peer that leaves a stanza unfinished is given up in the end, and holds up nobody meanwhile",
    .procedure =
        "On an established stream send half a message; on one of another domain a whole message. Wait, in virtual "
        "time.",
    .accepted = "The whole message arrives at once; the first stream ends within two hours.",
    .likely_causes = "A time limit for idle streams that an open element stops.",
    .judges = {{"SEC-SLOW-4", {"xmpp.no-idle-timeout"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .live = false,
    .budget = 4h,
    .body = half_a_stanza_for_long};

/// Brings a connection to a stage of its negotiation; where the subject ends it before, that is well, too.
using Stage = void (*)(Negotiation&, PartnerKind, PeerStream&);

void break_off_at_each_stage(Negotiation& n, PartnerKind kind) {
  constexpr int rounds = 9;
  static constexpr std::array<Stage, 5> stages{
      [](Negotiation& at, PartnerKind, PeerStream& stream) {
        (void)at.until([&] { return stream.wire().open() || stream.is_over(); });
      },
      [](Negotiation&, PartnerKind, PeerStream& stream) {
        const auto header = stream.header().text();
        stream.send(header.substr(0, header.size() / 2));
      },
      [](Negotiation&, PartnerKind, PeerStream& stream) { (void)stream.open(); },
      [](Negotiation&, PartnerKind, PeerStream& stream) {
        if (!stream.open()) return;
        stream.send(fmt::format("<starttls xmlns='{}'/>", xmpp::ns::tls));
        (void)stream.await_element();
      },
      [](Negotiation& at, PartnerKind of, PeerStream& stream) {
        if (stream.open() && stream.start_tls(*at.certificate(of))) (void)stream.open();
      }};
  for (int round = 0; round < rounds; ++round) {
    for (const auto stage : stages) {
      auto stream = n.connect(kind);
      stage(n, kind, stream);
      stream.wire().abort();
    }
  }
}

/// On a stream of its own. A peer that has just broken off many connections may be let in only after a while.
bool arrives_in_the_end(Negotiation& n, PartnerKind kind, const std::string& body) {
  for (int tries = 0; tries < 4; ++tries) {
    if (tries > 0) n.subject().world().run_for(20s);
    auto stream = n.established(kind);
    if (!stream) continue;
    stream->send(n.message(kind, body));
    const bool arrived = n.arrives(*stream, body);
    stream->close();  // for a server may allow one a pair (RFC 6120 section 4.9.3.3)
    (void)stream->await_ending();
    if (arrived) return true;
  }
  return false;
}

void broken_off_while_negotiating(Run& run) {
  Negotiation n(run);
  const auto kind = n.kind_in_tls();
  if (!GIVEN(arrives_in_the_end(n, kind, "before them"), "a message of that peer arrives")) return;
  break_off_at_each_stage(n, kind);
  CONFORMS("SEC-SLOW-2/service", "a message arrives behind 45 connections that were broken off while they negotiated",
           arrives_in_the_end(n, kind, "behind them"), Eq(true));
}

CUTOVER_CASE(broken_off_early){
    .id = "security.broken-off-while-negotiating",
    .title = "Connections that are broken off before anybody is authenticated take nothing from those that come later",
    .procedure =
        "Break off connections by RST, nine times at each stage: before a word, in the middle of the header, behind "
        "the "
        "features, behind <proceed/>, inside TLS. Then authenticate as the same peer and send a message.",
    .accepted = "It arrives; within a minute, for a server may slow down who does so.",
    .likely_causes =
        "A count of connections, or a slot of a table, that is given back only where a stream ended in order.",
    .judges = {{"SEC-SLOW-2", {"xmpp.ended-connections-kept"}}},
    .needs = {Need::tls, Need::user_account},
    .budget = 10min,
    .body = broken_off_while_negotiating};

void breaks_off(Run& run) {
  Negotiation n(run);
  auto stream = n.called_to_deliver("once");
  if (!stream) return;
  stream->wire().abort();
  // What the user writes before the subject knows of it may be lost with the stream.
  auto back = n.established(external);
  if (back) back->send(n.message(external, "behind the break"));
  if (!GIVEN(back && n.arrives(*back, "behind the break"), "a message of the partner arrived behind the break")) return;
  std::optional<PeerStream> next;
  std::string behind;
  for (int tries = 1; tries < 3 && !next; ++tries) {
    behind = "behind it, " + std::to_string(tries);
    n.subject().send_message(n.romeo(external), behind);
    next = n.accepted(external);
  }
  const bool ready =
      next && n.lead_to_tls(*next, *n.certificate(external), external_offered) && next->accept_external();
  if (!GIVEN(ready, "the subject goes on by another stream")) return;
  std::vector<std::string> came;
  while (came.empty() || came.back() != behind) {
    const auto message = next->await_element("message", xmpp::ns::server);
    if (!message) break;
    came.push_back(body_of(message));
  }
  CONFORMS("INV-2", "the messages on the next stream", came, Not(Contains("once")));
  // The last message is the one for which the new connection was made.
  const bool sent = !came.empty() && came.back() == behind;
  CONFORMS_THAT("RFC6120-10.4.3-1", "what came of the message for which the next connection was made",
                sent || n.told(behind) != "nothing", "it came, or its sender was told", "nothing");
}

CUTOVER_CASE(broken_off){
    .id = "stream.breaks-off",
    .title =
        "A message that may have been read before its stream broke off is not sent a second time, and the next is not "
        "lost",
    .procedure =
        "Lead a stream of the subject's up to its message, and reset the connection; let the user write once more, and "
        "lead the next stream up to that message.",
    .accepted =
        "The first message does not come again; its sender may be told that it is in doubt. That for which the next "
        "connection was made comes, or its sender is told.",
    .likely_causes = "A queue that forgets a stanza only when the stream was closed in good order.",
    .judges = {{"INV-2", {"xmpp.resends-after-failure", "xmpp.last-stanza-again"}},
               {"RFC6120-10.4.3-1", {"xmpp.first-stanza-after-a-break-lost"}}},
    .needs = {Need::sasl_external, Need::user_account, Need::unmet_peers},
    .budget = 3min,
    .body = breaks_off};

}  // namespace
}  // namespace cutover::suites
