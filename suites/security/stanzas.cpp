// Stanzas that a peer may not send: in another's name, to others, without addresses, in another namespace, too large.
#include "protocol/xmpp/stanza.h"
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::ElementsAre;
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
  std::vector<std::string> senders{"romeo@victim.example", "romeo@sub." + n.domain(external), "romeo@example", user,
                                   n.domain(external) + "@victim.example/" + n.domain(external)};
  // A partner's, too, where there is another one than the peer.
  if (const auto partner = n.romeo(PartnerKind::dialback_over_tls); partner != n.romeo(external))
    senders.push_back(partner);
  std::set<std::string> conditions;
  for (std::size_t i = 0; i < senders.size(); ++i) {
    const auto body = fmt::format("spoofed {}", i);
    auto stream = after(n, message(senders[i], user, body));
    if (!stream) return;
    const auto ending = stream->await_ending();
    CONFORMS("RFC6120-8.1.2.2-2", "what came of a message of " + senders[i], ending, HasEndedWithAnError());
    if (ending.error) conditions.insert(ending.condition_in_words());
    if (!handled(n)) return;
    CONFORMS("SEC-FROM-SPOOF-1", "how often the message of the sender " + senders[i] + " arrived",
             n.subject().received(body), Eq(0U));
  }
  if (GIVEN(!conditions.empty(), "a stream error came for some sender"))
    CONFORMS("RFC6120-4.9.3.9-1", "the conditions of the stream errors", conditions, ElementsAre("invalid-from"));
}

CUTOVER_CASE(senders){
    .id = "security.spoofed-sender",
    .title =
        "A peer cannot write in the name of another domain, of a sub- or parent domain, or of the subject's own user",
    .procedure = "On an authenticated stream each: a message from such a sender; then a marker on a good stream.",
    .accepted = "invalid-from and the end of the stream; the message never arrives.",
    .likely_causes = "The from of stanzas is not compared with the authenticated domain, or by its ending only.",
    .judges = {{"RFC6120-8.1.2.2-2", {"xmpp.spoofed-from-delivered", "xmpp.no-stream-error"}},
               {"RFC6120-4.9.3.9-1", {"xmpp.wrong-stream-condition"}},
               {"SEC-FROM-SPOOF-1", {"xmpp.spoofed-from-delivered"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .budget = 1min,
    .body = spoofed};

void without_addresses(Run& run) {
  Negotiation n(run);
  std::set<std::string> conditions;
  const auto judged = [&](const char* requirement, const std::string& what, const std::string& octets) {
    auto stream = after(n, octets);
    if (!stream) return;
    const auto ending = stream->await_ending();
    CONFORMS(requirement, "what came of a message without " + what, ending, HasEndedWithAnError());
    if (ending.error) conditions.insert(ending.condition_in_words());
  };
  judged("RFC6120-8.1.1.2-1", "to", fmt::format("<message from='{}'><body>no to</body></message>", n.romeo(external)));
  judged("RFC6120-8.1.2.2-1", "from",
         fmt::format("<message to='{}'><body>no from</body></message>", n.subject().user()));
  judged("RFC6120-10.3-1", "to, or rather a presence", fmt::format("<presence from='{}'/>", n.romeo(external)));
  if (GIVEN(!conditions.empty(), "a stream error came for one of the messages"))
    CONFORMS("RFC6120-4.9.3.7-1", "the conditions of the stream errors", conditions,
             ElementsAre("improper-addressing"));
}

CUTOVER_CASE(addresses){
    .id = "security.missing-addresses",
    .title = "A stanza without to or from ends the stream with improper-addressing",
    .procedure = "On an authenticated stream each: a message without to, one without from, presence without to.",
    .accepted = "improper-addressing, and the end of the stream.",
    .likely_causes = "Addresses filled in as for clients; a connection that is dropped.",
    .judges = {{"RFC6120-8.1.1.2-1", {"xmpp.improper-addressing-ignored", "xmpp.no-stream-error"}},
               {"RFC6120-8.1.2.2-1", {"xmpp.improper-addressing-ignored", "xmpp.no-stream-error"}},
               {"RFC6120-10.3-1", {"xmpp.improper-addressing-ignored"}},
               {"RFC6120-4.9.3.7-1", {"xmpp.wrong-stream-condition"}}},
    .needs = {Need::sasl_external},
    .body = without_addresses};

void relayed(Run& run) {
  Negotiation n(run);
  constexpr auto third = PartnerKind::dialback_over_tls;
  auto stream = after(n, message(n.romeo(external), n.romeo(third), "relayed"));
  if (!stream) return;
  const auto ending = stream->await_ending();
  if (CONFORMS("RFC6120-8.1.1.2-2", "what came of a message to another domain", ending, HasEndedWithAnError()))
    CONFORMS("RFC6120-8.1.1.2-2", "the condition of the stream error", ending.condition_in_words(),
             AnyOf("host-unknown", "host-gone"));
  if (!handled(n)) return;
  CONFORMS("RFC6120-10.4-1", "how many connections came to the third domain", n.peer(third).accepted_count(), Eq(0U));
}

void to_a_name_below(Run& run) {
  Negotiation n(run);
  auto user = n.subject().user();
  user.insert(user.find('@') + 1, "below.");
  auto stream = after(n, message(n.romeo(external), user, "to a name below"));
  if (!stream || !handled(n)) return;
  CONFORMS("RFC6120-8.1.1.2-2", "how often the user got a message to a name below the domain that is served",
           n.subject().received("to a name below"), Eq(0U));
}

CUTOVER_CASE(name_below){.id = "security.name-below-the-served",
                         .title = "What is sent to a name below the domain that is served reaches no user of that",
                         .procedure =
                             "On an authenticated stream: a message to the user's localpart at `below.` and the domain "
                             "that is served; then a "
                             "marker.",
                         .accepted = "Whatever is said of it, or nothing; the message never reaches the user.",
                         .likely_causes = "Names that are compared by their endings.",
                         .judges = {{"RFC6120-8.1.1.2-2", {"xmpp.names-below-it-served"}}},
                         .needs = {Need::sasl_external, Need::user_account},
                         .body = to_a_name_below};

CUTOVER_CASE(relay){
    .id = "security.relay",
    .title = "A peer cannot use the subject as a relay to a third domain",
    .procedure = "On an authenticated stream: a message to a user of another partner; then a marker.",
    .accepted = "host-unknown or host-gone, and no connection to the third domain.",
    .likely_causes = "A router that asks only where a stanza goes, not where it came from.",
    .judges = {{"RFC6120-10.4-1", {"xmpp.relays-for-peers"}},
               {"RFC6120-8.1.1.2-2", {"xmpp.relays-for-peers", "xmpp.no-stream-error", "xmpp.wrong-stream-condition"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .body = relayed};

/// What came of an element that is no stanza of a server's stream: "ignored", or the condition of the stream error.
std::string refusal(const Ending& ending) { return ending.ended() ? ending.condition_in_words() : "ignored"; }

void foreign_namespace(Run& run) {
  Negotiation n(run);
  const auto sent = [&](const std::string& open, const std::string& close, const std::string& body) {
    return fmt::format("<{} from='{}' to='{}'><body>{}</body></{}>", open, n.romeo(external), n.subject().user(), body,
                       close);
  };
  auto stream = after(n, sent("message xmlns='jabber:client'", "message", "client"));
  if (!stream) return;
  CONFORMS("RFC6120-4.8.3-1", "what came of a message in jabber:client", refusal(stream->await_ending()),
           AnyOf("ignored", "invalid-namespace", "unsupported-stanza-type"));
  stream->close();
  (void)stream->await_ending();
  auto other = after(n, sent("ns2:message xmlns:ns2='http://example.org/ns2'", "ns2:message", "foreign"));
  if (!other) return;
  CONFORMS("RFC6120-4.8.4-3", "what came of a message in a foreign namespace", refusal(other->await_ending()),
           testing::Ne("no stream error"));
  if (!handled(n)) return;
  for (const auto* body : {"client", "foreign"})
    CONFORMS("RFC6120-4.8.4-2", fmt::format("how often the message with the text {} arrived", body),
             n.subject().received(body), Eq(0U));
}

CUTOVER_CASE(client_namespace){
    .id = "security.client-namespace",
    .title = "A stanza in jabber:client or in a foreign namespace is no stanza of a server's stream",
    .procedure =
        "On an authenticated stream each: a message qualified by jabber:client, one by a foreign namespace; then a "
        "marker.",
    .accepted =
        "For jabber:client invalid-namespace or unsupported-stanza-type and the end of the stream, or no notice of it "
        "(RFC 6120 section 4.8.4: every server supports jabber:client somewhere, so that section 4.8.3 need not speak "
        "of "
        "it). For the foreign namespace any stream error, or no notice. The messages do not arrive.",
    .likely_causes = "A parser that knows stanzas by their local names.",
    .judges = {{"RFC6120-4.8.3-1", {"xmpp.no-stream-error", "xmpp.wrong-stream-condition"}},
               {"RFC6120-4.8.4-3", {"xmpp.no-stream-error"}},
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

bool is_stream_error(const xml::Item& item) {
  const auto* element = std::get_if<xml::Element>(&item);
  return element != nullptr && element->is("error", xmpp::ns::streams);
}

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
  stream->close();
  (void)stream->await_ending();
  auto flood = authenticated(n);
  if (!flood) return;
  const std::string chunk(1 << 20, 'b');
  flood->send(fmt::format("<message from='{}' to='{}'><body>", n.romeo(external), user));
  constexpr int chunks_max = 64;
  const auto given_up = [&] {
    const auto& items = flood->wire().items();
    return flood->wire().ended() || (!items.empty() && is_stream_error(items.back()));
  };
  for (int i = 0; i < chunks_max && !given_up(); ++i) {
    flood->send(chunk);
    n.subject().world().run_for(1ms);
  }
  if (!CONFORMS("RFC6120-13.12-5", "a message of 64 MiB met an error, or the end of the stream", n.until(given_up),
                Eq(true)))
    return;
  // An error that was sent may be lost: TCP throws it away where octets came that nobody will read.
  const auto ending = flood->await_ending();
  const bool defined =
      std::ranges::find(xmpp::stream_conditions(), ending.condition) != xmpp::stream_conditions().end();
  if (ending.error && defined)  // what is none is told of every stream error
    CONFORMS("RFC6120-13.12-5", "the condition of the stream error", ending.condition_in_words(),
             Eq("policy-violation"));
}

CUTOVER_CASE(large){
    .id = "security.stanza-size",
    .title = "Stanzas of 10 000 octets are taken, those without end are not",
    .procedure = "A message of just under 10 000 octets; on the next stream one that grows until 64 MiB.",
    .accepted =
        "The first arrives; the second meets policy-violation, or the end of the connection, which may swallow the "
        "error.",
    .likely_causes = "A buffer without a bound; a bound below what RFC 6120 section 13.12 asks for.",
    .judges = {{"RFC6120-13.12-4", {"xmpp.small-stanzas-only"}},
               {"RFC6120-13.12-5", {"xmpp.no-size-limits", "xmpp.wrong-stream-condition"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .budget = 1min,
    .body = sizes};

/// A domain on no list, which says and shows whatever a partner would.
class Stranger {
 public:
  explicit Stranger(Negotiation& n)
      : n_(n), identity_(n.subject().authority().issue({.names = {{tls::NameKind::dns, domain}}})) {
    // Its key can be asked about, and a message for it could be delivered.
    auto& names = n.subject().names();
    const auto host = std::string("xmpp.") + domain;
    names.add_empty_zone(domain);
    names.set(std::string("_xmpp-server._tcp.") + domain, dns::Type::srv, 60, {"0 0 5269 " + host});
    names.set(host, dns::Type::a, 60, {n.subject().world().address_of(n.subject().peer_host(external))});
  }

  /// Goes as far as it is let, up to a message. Where it was turned away; "nowhere" where it was not.
  std::string turned_away(const std::string& body) {
    auto stream = n_.connect(external);
    stream.header().from = domain;
    auto features = stream.open();
    if (!features) return "at its header";
    if (features->child("starttls", xmpp::ns::tls) != nullptr) {
      if (!stream.start_tls(*identity_)) return "at TLS";
      features = stream.open();
      if (!features) return "at its header inside TLS";
    }
    if (!authenticates_by_external(stream, *features) && !authenticates_by_dialback(stream)) return "at its proof";
    stream.send(message(std::string("romeo@") + domain, n_.subject().user(), body));
    // Where it is refused by a stanza error, that comes on a stream of the subject's.
    const auto refused = [&] { return stream.is_over() || n_.peer(external).accepted_count() > called_before_; };
    return n_.until(refused) ? "at its message" : "nowhere";
  }

  /// Serves what the subject opens to it, until the user was told that the message cannot be delivered, or it came.
  bool is_sent(const std::string& body) {
    n_.subject().send_message(std::string("romeo@") + domain, body);
    const auto came = [&] {
      return std::ranges::any_of(called_, [&](auto& stream) { return stream.wire().has_received(body); });
    };
    (void)n_.until([&] {
      (void)asked();
      return came() || !n_.subject().told(body).empty();
    });
    return came();
  }

  static constexpr char domain[] = "stranger.example";

 private:
  bool authenticates_by_external(PeerStream& stream, const xml::Element& features) {
    if (!offers_mechanism(features, "EXTERNAL")) return false;
    const auto answer = stream.authenticate("");
    return answer && answer->is("success", xmpp::ns::sasl) && stream.reopen();
  }

  bool authenticates_by_dialback(PeerStream& stream) {
    if (stream.is_over()) return false;
    stream.send(db_result(domain, n_.subject().domain(), "a-key"));
    (void)n_.until([&] {
      if (const auto request = asked()) request->first->send(db_verify_answer(request->second, "valid"));
      return stream.has_result() || stream.is_over();
    });
    called_before_ = n_.peer(external).accepted_count();
    const auto answer = stream.await_element("result", xmpp::ns::dialback, Duration(0));
    return answer && answer->attribute_or_empty("type") == "valid";
  }

  /// Serves the streams that the subject opened; a db:verify, where one has come.
  std::optional<std::pair<PeerStream*, xml::Element>> asked() {
    while (auto* wire = n_.peer(external).take_accepted())
      called_.emplace_back(n_.subject().world(), *wire, Header{.from = domain, .to = n_.subject().domain()});
    for (auto& stream : called_)
      if (const auto request = stream.serve(identity_.get())) return std::pair(&stream, *request);
    return std::nullopt;
  }

  Negotiation& n_;
  std::shared_ptr<const tls::Identity> identity_;
  std::vector<PeerStream> called_;
  std::size_t called_before_ = 0;  ///< for its key
};

void strangers(Run& run) {
  Negotiation n(run);
  Stranger stranger(n);
  const auto where = stranger.turned_away("from a stranger");
  if (!handled(n)) return;
  CONFORMS("LYNC-ARCH-4", "where a stranger was turned away", where, testing::Ne("nowhere"));
  CONFORMS("LYNC-ARCH-4", "how often the message of a stranger, which was turned away " + where + ", arrived",
           n.subject().received("from a stranger"), Eq(0U));
  CONFORMS("LYNC-ARCH-4", "the stranger got a message of the user", stranger.is_sent("to a stranger"), Eq(false));
}

CUTOVER_CASE(stranger){
    .id = "policy.stranger",
    .title = "Nothing is taken from a domain that is not an allowed partner",
    .procedure =
        "As stranger.example, which is on no list and proves who it is: header, STARTTLS, EXTERNAL where it is "
        "offered, else dialback, and a message to the user; then a marker of a partner. The user writes to the "
        "stranger, too.",
    .accepted =
        "The stranger is turned away at any stage: header, TLS, EXTERNAL, db:result or message, by an error of the "
        "stream, of SASL, of dialback or of the stanza, or the end of the stream. No message arrives, of either.",
    .likely_causes = "An open federation where a list was meant; a list that is asked for some ways of authenticating.",
    .judges = {{"LYNC-ARCH-4", {"xmpp.strangers-accepted"}}},
    .needs = {Need::partner_list, Need::user_account, Need::authority},
    .any_topology = true,
    .body = strangers};

}  // namespace
}  // namespace cutover::suites
