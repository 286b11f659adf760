// Stanzas that a peer may not send: in another's name, to others, without addresses, in another namespace, too large.
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;

constexpr auto external = PartnerKind::sasl_external;

/// An authenticated stream of a partner: what these cases presuppose.
std::optional<PeerStream> authenticated(Negotiation& n) {
  auto stream = n.established(external);
  (void)GIVEN(stream.has_value(), "the stream of a partner was established");
  return stream;
}

/// ... on which the octets were sent.
std::optional<PeerStream> after(Negotiation& n, std::string_view octets) {
  auto stream = authenticated(n);
  if (stream) stream->send(octets);
  return stream;
}

/// A message on a good stream comes to the user: what was sent before has been handled.
bool handled(Negotiation& n) { return GIVEN(n.marker_arrives(), "a later message of a partner arrived"); }

std::string message(const std::string& from, const std::string& to, const std::string& body) {
  return fmt::format("<message from='{}' to='{}' id='x'><body>{}</body></message>", from, to, body);
}

void spoofed(Run& run) {
  Negotiation n(run);
  const auto user = n.subject().user();
  const std::vector<std::string> senders{n.romeo(PartnerKind::dialback_over_tls),
                                         "romeo@victim.example",
                                         "romeo@sub." + n.domain(external),
                                         "romeo@example",
                                         user,
                                         n.domain(external) + "@victim.example/" + n.domain(external)};
  for (std::size_t i = 0; i < senders.size(); ++i) {
    const auto body = fmt::format("spoofed {}", i);
    auto stream = after(n, message(senders[i], user, body));
    if (!stream) return;
    const auto ending = stream->await_ending();
    CONFORMS("RFC6120-8.1.2.2-2", "the condition of the stream error for the sender " + senders[i],
             ending.condition_in_words(), AnyOf("invalid-from", "not-authorized"));
    if (!handled(n)) return;
    CONFORMS("SEC-FROM-SPOOF-1", "how often the message of the sender " + senders[i] + " arrived",
             n.subject().received(body), Eq(0U));
  }
}

CUTOVER_CASE(senders){
    .id = "security.spoofed-sender",
    .title =
        "A peer cannot write in the name of another domain, of a sub- or parent domain, or of the subject's own user",
    .procedure = "On an authenticated stream each: a message from such a sender; then a marker on a good stream.",
    .accepted = "invalid-from (or not-authorized), the end of the stream; the message never arrives.",
    .likely_causes = "The from of stanzas is not compared with the authenticated domain, or by its ending only.",
    .judges = {{"RFC6120-8.1.2.2-2", {"xmpp.spoofed-from-delivered"}},
               {"SEC-FROM-SPOOF-1", {"xmpp.spoofed-from-delivered"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .budget = 1min,
    .body = spoofed};

void without_addresses(Run& run) {
  Negotiation n(run);
  auto no_to = after(n, fmt::format("<message from='{}'><body>no to</body></message>", n.romeo(external)));
  if (!no_to) return;
  CONFORMS("RFC6120-8.1.1.2-1", "what came of a message without to", no_to->await_ending(), HasEnded());
  auto no_from = after(n, fmt::format("<message to='{}'><body>no from</body></message>", n.subject().user()));
  if (!no_from) return;
  CONFORMS("RFC6120-8.1.2.2-1", "what came of a message without from", no_from->await_ending(), HasEnded());
}

CUTOVER_CASE(addresses){.id = "security.missing-addresses",
                        .title = "A stanza without to or from ends the stream",
                        .procedure = "On an authenticated stream each: a message without to, one without from.",
                        .accepted = "improper-addressing or another stream error, and the end of the stream.",
                        .likely_causes = "Addresses filled in as for clients.",
                        .judges = {{"RFC6120-8.1.1.2-1", {"xmpp.improper-addressing-ignored"}},
                                   {"RFC6120-8.1.2.2-1", {"xmpp.improper-addressing-ignored"}}},
                        .needs = {Need::sasl_external},
                        .body = without_addresses};

void relayed(Run& run) {
  Negotiation n(run);
  constexpr auto third = PartnerKind::dialback_over_tls;
  auto stream = after(n, message(n.romeo(external), n.romeo(third), "relayed"));
  if (!stream) return;
  const auto ending = stream->await_ending();
  CONFORMS("RFC6120-8.1.1.2-2", "the condition of the stream error", ending.condition_in_words(),
           AnyOf("host-unknown", "host-gone", "improper-addressing"));
  if (!handled(n)) return;
  CONFORMS("RFC6120-10.4-1", "how many connections came to the third domain", n.peer(third).accepted_count(), Eq(0U));
}

CUTOVER_CASE(relay){
    .id = "security.relay",
    .title = "A peer cannot use the subject as a relay to a third domain",
    .procedure = "On an authenticated stream: a message to a user of another partner; then a marker.",
    .accepted = "host-unknown or host-gone, and no connection to the third domain.",
    .likely_causes = "A router that asks only where a stanza goes, not where it came from.",
    .judges = {{"RFC6120-10.4-1", {"xmpp.relays-for-peers"}}, {"RFC6120-8.1.1.2-2", {"xmpp.relays-for-peers"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .body = relayed};

void foreign_namespace(Run& run) {
  Negotiation n(run);
  auto stream = after(n, fmt::format("<message xmlns='jabber:client' from='{}' to='{}'><body>client</body></message>",
                                     n.romeo(external), n.subject().user()));
  if (!stream) return;
  CONFORMS("RFC6120-4.8.3-1", "what came of a message in jabber:client", stream->await_ending(), HasEnded());
  if (!handled(n)) return;
  CONFORMS("RFC6120-4.8.4-2", "how often the message in jabber:client arrived", n.subject().received("client"), Eq(0U));
}

CUTOVER_CASE(client_namespace){
    .id = "security.client-namespace",
    .title = "A stanza in jabber:client is no stanza of a server's stream",
    .procedure = "On an authenticated stream: a message qualified by jabber:client; then a marker.",
    .accepted = "A stream error (invalid-namespace) and the end of the stream; the message does not arrive.",
    .likely_causes = "A parser that knows stanzas by their local names.",
    .judges = {{"RFC6120-4.8.3-1", {"xmpp.client-namespace-accepted"}},
               {"RFC6120-4.8.4-2", {"xmpp.client-namespace-accepted"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .body = foreign_namespace};

void second_header(Run& run) {
  Negotiation n(run);
  auto stream = authenticated(n);
  if (!stream) return;
  auto header = stream->header();
  header.from = n.domain(PartnerKind::dialback_over_tls);
  const auto before = stream->wire().items().size();
  stream->send(header.text().substr(header.text().find("?>") + 2));
  (void)stream->await_ending();  // a server that leaves the nested element unfinished for ever serves nobody by it
  const auto& items = stream->wire().items();
  // A second header of the subject cannot be read as part of its first document.
  const bool answered =
      std::any_of(items.begin() + static_cast<std::ptrdiff_t>(before), items.end(), [](const auto& item) {
        return std::holds_alternative<xml::StreamHeader>(item) || std::holds_alternative<xml::Fault>(item);
      });
  CONFORMS("SEC-RESTART-2", "the second header was answered with a header", answered, Eq(false));
}

CUTOVER_CASE(twice){.id = "security.second-header",
                    .title = "A stream header where no restart is due does not begin a new stream",
                    .procedure = "On an authenticated stream: a header that names another domain.",
                    .accepted = "Any stream error, or none, and the end of the stream; no header in answer.",
                    .likely_causes = "A parser that restarts with every header.",
                    .judges = {{"SEC-RESTART-2", {"xmpp.duplicate-header-accepted"}}},
                    .needs = {Need::sasl_external, Need::user_account},
                    .body = second_header};

void other_from(Run& run) {
  Negotiation n(run);
  auto stream = n.secured(external, *n.certificate(external));
  if (!GIVEN(stream.has_value(), "the stream of a partner was secured")) return;
  const auto answer = stream->authenticate("");
  if (!GIVEN(answer && answer->is("success", xmpp::ns::sasl), "the partner was authenticated")) return;
  const auto victim = PartnerKind::dialback_over_tls;
  stream->header().from = n.domain(victim);
  (void)stream->reopen();
  if (!stream->wire().closed()) stream->send(message(n.romeo(victim), n.subject().user(), "after a restart"));
  if (!handled(n)) return;
  CONFORMS("SEC-RESTART-1", "how often a message of the other domain arrived", n.subject().received("after a restart"),
           Eq(0U));
}

CUTOVER_CASE(restart){
    .id = "security.restart-with-other-from",
    .title = "A restart with another from does not widen what was authenticated",
    .procedure = "Authenticate, restart with a header that names another domain, send a message from there; a marker.",
    .accepted = "A stream error, or silence; the message does not arrive.",
    .likely_causes = "The header of the restart is believed because SASL has succeeded.",
    .judges = {{"SEC-RESTART-1", {"xmpp.restart-with-other-from-accepted"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .body = other_from};

void sizes(Run& run) {
  Negotiation n(run);
  const auto user = n.subject().user();
  auto stream = authenticated(n);
  if (!stream) return;
  // RFC 6120 section 13.12: 10 000 octets counted from '<' to '>' are always taken. Not in the body, which has bounds
  // of its own behind a gateway.
  const auto padded = [&](std::size_t octets) {
    return fmt::format(
        "<message from='{}' to='{}'><body>fits</body><padding xmlns='urn:example:padding'>{}</padding></message>",
        n.romeo(external), user, std::string(octets, 'a'));
  };
  stream->send(padded(9999 - padded(0).size()));
  (void)n.until([&] { return n.subject().received("fits") > 0 || stream->wire().closed() || stream->wire().eof(); });
  CONFORMS("RFC6120-13.12-4", "how often a message of just under 10 000 octets arrived", n.subject().received("fits"),
           Eq(1U));
  auto flood = authenticated(n);
  if (!flood) return;
  const std::string chunk(1 << 20, 'b');
  flood->send(fmt::format("<message from='{}' to='{}'><body>", n.romeo(external), user));
  constexpr int chunks_max = 64;
  const auto given_up = [&] { return flood->wire().has_item() || flood->wire().closed() || flood->wire().eof(); };
  for (int i = 0; i < chunks_max && !given_up(); ++i) {
    flood->send(chunk);
    n.subject().world().run_for(1ms);
  }
  CONFORMS("RFC6120-13.12-5", "a message of 64 MiB met an error, or the end of the stream", n.until(given_up),
           Eq(true));
}

CUTOVER_CASE(large){
    .id = "security.stanza-size",
    .title = "Stanzas of 10 000 octets are taken, those without end are not",
    .procedure = "A message of just under 10 000 octets; on a second stream one that grows until 64 MiB.",
    .accepted = "The first arrives; the second meets a stanza or stream error, or the end of the stream, on its way.",
    .likely_causes = "A buffer without a bound; a bound below what RFC 6120 section 13.12 asks for.",
    .judges = {{"RFC6120-13.12-4", {"xmpp.small-stanzas-only"}}, {"RFC6120-13.12-5", {"xmpp.no-size-limits"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .budget = 1min,
    .body = sizes};

void strangers(Run& run) {
  Negotiation n(run);
  auto stream = n.connect(external);
  stream.header().from = "stranger.example";
  stream.send(stream.header().text());
  CONFORMS("LYNC-ARCH-4", "what came of the header of a stranger", stream.await_ending(), HasEnded());
}

CUTOVER_CASE(stranger){.id = "policy.stranger",
                       .title = "A domain that is not an allowed partner gets no stream",
                       .procedure = "Send a header from stranger.example, which is on no list.",
                       .accepted = "Any stream error, and the end of the stream.",
                       .likely_causes = "An open federation where a list was meant.",
                       .judges = {{"LYNC-ARCH-4", {"xmpp.strangers-accepted"}}},
                       .needs = {Need::partner_list},
                       .body = strangers};

}  // namespace
}  // namespace cutover::suites
