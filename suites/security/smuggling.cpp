// Elements that are not where they seem to be: a stanza inside another element, in a namespace that looks like its own,
// in text, behind half a stanza, and across the beginning of TLS.
#include "protocol/xml/writer.h"
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

/// An authenticated stream of a partner: what these cases presuppose.
std::optional<PeerStream> authenticated(Negotiation& n) {
  auto stream = n.established(n.kind_in_tls());
  (void)GIVEN(stream.has_value(), "the stream of a partner was established");
  return stream;
}

/// Ends a stream, so that the peer may have the next: a server may allow one a pair (RFC 6120 section 4.9.3.3).
void leave(PeerStream& stream) {
  stream.close();
  (void)stream.await_ending();
}

/// A message of the partner to the user, with more children behind its body.
std::string message(Negotiation& n, const std::string& body, const std::string& more = {},
                    const std::string& declarations = {}) {
  return fmt::format("<message {} from='{}' to='{}' id='{}'><body>{}</body>{}</message>", declarations,
                     n.romeo(n.kind_in_tls()), n.subject().user(), body, body, more);
}

bool arrived(Negotiation& n, const std::string& body) {
  return n.until([&] { return n.subject().received(body) > 0; });
}

/// Sends octets that must bring no message of that text, with a proper message behind them in the same write: by the
/// time that this has come, or the stream has ended, they were handled.
bool handled(Negotiation& n, PeerStream& stream, const std::string& octets, const std::string& never) {
  const auto behind = "behind " + never;
  const auto before = n.subject().received(behind);
  stream.send(octets + message(n, behind));
  (void)n.until(
      [&] { return n.subject().received(never) > 0 || n.subject().received(behind) > before || stream.is_over(); });
  return n.given_marker();
}

void inside_others(Run& run) {
  Negotiation n(run);
  struct Wrapped {
    const char *requirement, *words;
    std::string octets;
  };
  const auto inner = message(n, "inner", "", "xmlns='jabber:server'");
  const auto client = message(n, "inner", "", "xmlns='jabber:client'");
  const auto foreign = fmt::format("<ns1:foo xmlns:ns1='urn:example:x' from='{}' to='{}'>{}</ns1:foo>",
                                   n.romeo(n.kind_in_tls()), n.subject().user(), inner);
  // Elements of the first level that are no stanzas: the stream may end at each.
  for (const auto& [requirement, words, octets] :
       {Wrapped{"RFC6120-4.1-2", "inside an element of the first level",
                fmt::format("<x xmlns='urn:example:x'>{}</x>", inner)},
        Wrapped{"RFC6120-4.8.4-1", "inside an addressed element of another namespace", foreign}}) {
    auto stream = authenticated(n);
    if (!stream) return;
    const auto before = fmt::format("before one {}", words);
    stream->send(message(n, before));
    if (!GIVEN(arrived(n, before), "a message on the same stream arrived")) return;
    if (!handled(n, *stream, octets, "inner")) return;
    CONFORMS(requirement, fmt::format("how often a message {} arrived", words), n.subject().received("inner"), Eq(0U));
    leave(*stream);
  }
  // Inside a stanza, which arrives, and behind which the stream goes on.
  int number = 0;
  for (const auto& [requirement, words, octets] :
       {Wrapped{"SEC-SMUGGLE-6/stanza", "a message", fmt::format("<x xmlns='urn:example:x'>{}</x>", inner)},
        Wrapped{"SEC-SMUGGLE-6/stanza", "a message of clients", client},
        Wrapped{"SEC-SMUGGLE-6/stanza", "a message without namespace", message(n, "inner", "", "xmlns=''")},
        Wrapped{"SEC-SMUGGLE-6/stream", "a stream error",
                "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"},
        Wrapped{"SEC-SMUGGLE-6/stream", "features", "<stream:features/>"},
        Wrapped{"SEC-SMUGGLE-6/stream", "<auth/>",
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"},
        Wrapped{"SEC-SMUGGLE-6/stream", "<starttls/>", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"},
        Wrapped{"RFC6120-8.4-5", "a dialback element, by the prefix of the header",
                db_result("victim.example", n.subject().domain(), "key")}}) {
    auto stream = authenticated(n);
    if (!stream) return;
    const auto outer = fmt::format("outer {}", ++number), behind = fmt::format("behind {}", number);
    stream->send(message(n, outer, octets));
    const bool came = arrived(n, outer);
    stream->send(message(n, behind));
    CONFORMS(requirement, fmt::format("a message that holds {} arrived, and one behind it", words),
             came && arrived(n, behind), Eq(true));
    CONFORMS(requirement, fmt::format("how often what stood inside of it ({}) arrived", words),
             n.subject().received("inner"), Eq(0U));
    leave(*stream);
  }
}

CUTOVER_CASE(nested){
    .id = "security.nested-elements",
    .title = "What stands inside an element is no element of the stream",
    .procedure =
        "On an authenticated stream each: a message inside an element that is no stanza, after a proper one; then "
        "messages that hold a message (of jabber:server, jabber:client, no namespace), a stream error, features, "
        "<auth/>, <starttls/>, db:result, and a message behind each.",
    .accepted =
        "A stream error, or no notice, for elements that are no stanzas; the outer messages and those behind them "
        "arrive, whatever becomes of what they hold; what stands inside never does.",
    .likely_causes = "A search for stanzas at any depth; prefixes passed on without their declarations.",
    .judges = {{"RFC6120-4.1-2", {"xmpp.nested-stanzas-delivered"}},
               {"RFC6120-4.8.4-1", {"xmpp.nested-stanzas-delivered"}},
               {"SEC-SMUGGLE-6", {"xmpp.nested-stanzas-delivered", "xmpp.nested-elements-act"}},
               {"RFC6120-8.4-5", {"xmpp.known-prefixes-undeclared"}}},
    .needs = {Need::tls, Need::user_account},
    .budget = 2min,
    .body = inside_others};

void namespaces_alike(Run& run) {
  Negotiation n(run);
  int number = 0;
  for (const auto* more : {"|", "#", " ", "}", "&#10;", "/", ":message"}) {
    auto stream = authenticated(n);
    if (!stream) return;
    const auto proper = fmt::format("proper {}", ++number), alike = fmt::format("alike {}", number);
    stream->send(message(n, proper));
    if (!GIVEN(arrived(n, proper), "a message on the same stream arrived")) return;
    if (!handled(n, *stream, message(n, alike, "", fmt::format("xmlns='jabber:server{}'", more)), alike)) return;
    CONFORMS("SEC-SMUGGLE-2", fmt::format("how often a message of the namespace jabber:server{} arrived", more),
             n.subject().received(alike), Eq(0U));
    leave(*stream);
  }
}

CUTOVER_CASE(alike){.id = "security.namespaces-alike",
                    .title = "A namespace with one more character is another one",
                    .procedure =
                        "On an authenticated stream each: a proper message, and one whose namespace is jabber:server "
                        "with a sign behind "
                        "it that programs put between namespace and name; a marker.",
                    .accepted = "A stream error, or no notice; the second message never arrives.",
                    .likely_causes = "Namespace and name joined by a separator that may stand in a namespace.",
                    .judges = {{"SEC-SMUGGLE-2", {"xmpp.namespaces-cut"}}},
                    .needs = {Need::tls, Need::user_account},
                    .budget = 1min,
                    .body = namespaces_alike};

void text_as_markup(Run& run) {
  Negotiation n(run);
  auto stream = authenticated(n);
  if (!stream) return;
  const auto text =
      fmt::format("</body></message><message from='{}' to='{}'><body>forged</body></message><message><body>",
                  n.romeo(n.kind_in_tls()), n.subject().user());
  auto whole = n.message(n.kind_in_tls(), text);
  whole.set_attribute("id", "text");
  stream->send(whole);
  const bool came = arrived(n, text);
  if (!n.given_marker()) return;
  CONFORMS("SEC-SMUGGLE-3", "a message whose text looks like the end of one, and another message, arrived as it is",
           came, Eq(true));
  CONFORMS("SEC-SMUGGLE-3", "how often the message within its text arrived", n.subject().received("forged"), Eq(0U));
}

CUTOVER_CASE(text){.id = "security.text-is-no-markup",
                   .title = "Text that looks like markup stays text on its whole way",
                   .procedure = "A message whose text ends a message and begins another one, escaped as it should be.",
                   .accepted = "It arrives with this text, and nothing else does.",
                   .likely_causes = "Text that is put together with markup and not escaped again.",
                   .judges = {{"SEC-SMUGGLE-3", {"xmpp.references-become-markup"}}},
                   .needs = {Need::tls, Need::user_account},
                   .body = text_as_markup};

void half_a_stanza(Run& run) {
  Negotiation n(run);
  auto stream = authenticated(n);
  if (!stream) return;
  const auto whole = message(n, "in two halves");
  const auto cut = whole.rfind("</message>");
  stream->send(whole.substr(0, cut));
  if (!n.given_marker()) return;
  CONFORMS("RFC6120-8-1", "how often a message arrived whose end tag had not come",
           n.subject().received("in two halves"), Eq(0U));
  stream->send(whole.substr(cut));
  CONFORMS("RFC6120-8-1", "the message arrived once its end tag had come", arrived(n, "in two halves"), Eq(true));
  leave(*stream);
  auto cut_off = authenticated(n);
  if (!cut_off) return;
  const auto truncated = message(n, "cut off");
  cut_off->send(truncated.substr(0, truncated.rfind("</message>")));
  cut_off->wire().shutdown();
  (void)n.until([&] { return n.subject().received("cut off") > 0 || cut_off->is_over(); });
  if (!n.given_marker()) return;
  CONFORMS("RFC6120-4.4-7", "how often a message arrived whose end the end of the connection cut off",
           n.subject().received("cut off"), Eq(0U));
}

CUTOVER_CASE(halves){
    .id = "security.half-a-stanza",
    .title = "A stanza is one once its end tag has come, and never by the end of the connection",
    .procedure =
        "A message without its end tag, a marker on another stream, then the end tag. On a further stream a message "
        "without its end tag, and the end of the connection; a marker.",
    .accepted = "The first message arrives behind its end tag; the second never does.",
    .likely_causes = "A parser that hands on what it has.",
    .judges = {{"RFC6120-8-1", {"xmpp.completes-stanzas"}}, {"RFC6120-4.4-7", {"xmpp.completes-stanzas"}}},
    .needs = {Need::tls, Need::user_account},
    .budget = 1min,
    .body = half_a_stanza};

void token_over_tls(Run& run) {
  Negotiation n(run);
  const auto kind = n.kind_in_tls();
  if (!GIVEN(n.secured(kind, *n.certificate(kind)).has_value(), "the subject offers features inside TLS")) return;
  auto stream = n.connect(kind);
  if (!GIVEN(stream.open().has_value(), "the subject answers a header with features")) return;
  const auto header = stream.header().text();
  const auto cut = header.find(" xmlns=");
  stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + header.substr(0, cut));
  const auto answer = stream.await_element();
  bool joined = false;
  if (answer && answer->is("proceed", xmpp::ns::tls) && stream.begin_tls(*n.certificate(kind))) {
    stream.send(header.substr(cut));
    joined = stream.await_header() && stream.await_element("features", xmpp::ns::streams).has_value();
  }
  CONFORMS("SEC-TLS-INJECT-3", "a header that began in clear and ended inside TLS was answered with features", joined,
           Eq(false));
}

CUTOVER_CASE(over_tls){
    .id = "security.half-a-token-before-tls",
    .title = "What began in clear does not go on inside TLS",
    .procedure =
        "Send <starttls/> and the first half of a header in one write, do the handshake, and send the other half "
        "inside. Before it a whole header inside TLS, which is answered.",
    .accepted = "A refusal, a failed handshake, a stream error, the end, or silence.",
    .likely_causes = "A parser or a buffer that survives the switch to TLS.",
    .judges = {{"SEC-TLS-INJECT-3", {"xmpp.plaintext-after-starttls-kept"}}},
    .needs = {Need::tls},
    .sim = false,  // a simulated network cuts the segment that this is about
    .budget = 1min,
    .body = token_over_tls};

void another_protocol(Run& run) {
  Negotiation n(run);
  auto proper = n.connect(n.kind_in_tls());
  if (!GIVEN(proper.open().has_value(), "the subject answers a header with features")) return;
  const auto header = proper.header().text();
  for (const auto& [what, octets] :
       {std::pair("an HTTP request", fmt::format("POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: text/xml\r\n"
                                                 "Content-Length: {}\r\n\r\n",
                                                 n.subject().domain(), header.size())),
        std::pair("the lines of SMTP", std::string("EHLO victim.example\r\nMAIL FROM:<a@victim.example>\r\n"))}) {
    auto stream = n.connect(n.kind_in_tls());
    stream.send(octets + header);
    const bool answered = stream.await_header() && stream.await_element("features", xmpp::ns::streams).has_value();
    CONFORMS("SEC-PROTO-3", fmt::format("a header behind {} was answered with features", what), answered, Eq(false));
    CONFORMS("SEC-PROTO-3", fmt::format("the answer to {} repeats it", what),
             stream.wire().has_received("victim.example\r") || stream.wire().has_received("POST /"), Eq(false));
  }
}

CUTOVER_CASE(protocols){
    .id = "security.other-protocols",
    .title = "A stream header inside the text of another protocol is not read",
    .procedure = "Send an HTTP request, and lines of SMTP, with a header behind them; before that a header by itself.",
    .accepted = "A stream error, the end of the connection, or silence; no features.",
    .likely_causes = "A reader that looks for the beginning of XML.",
    .judges = {{"SEC-PROTO-3", {"xmpp.looks-for-xml"}}},
    .needs = {},
    .budget = 1min,
    .body = another_protocol};

}  // namespace
}  // namespace cutover::suites
