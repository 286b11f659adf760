// Messages between a user of the judged server and a user of a peer: RFC 6120 sections 10.1 and 10.5, RFC 6121 sections
// 5 and 8.5.
#include "protocol/xml/writer.h"
#include "suites/support/accounts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::IsEmpty;

constexpr char ns_server[] = "jabber:server", ns_odd[] = "urn:example:odd";
const std::vector<Need> needs{Need::user_account};

std::string text_of(const xml::Element& stanza, const char* name) {
  const auto* child = stanza.child(name, ns_server);
  return child == nullptr ? std::string("none") : child->text();
}

std::vector<std::string> bodies(const std::vector<xml::Element>& messages, const std::string& start) {
  std::vector<std::string> found;
  for (const auto& message : messages) {
    auto body = text_of(message, "body");
    if (body.starts_with(start)) found.push_back(std::move(body));
  }
  return found;
}

/// The only message with that body; an element named for what is there where it came never, or twice.
xml::Element only(const std::vector<xml::Element>& messages, const std::string& body) {
  const auto matches = [&](const auto& message) { return text_of(message, "body") == body; };
  const auto found = std::ranges::find_if(messages, matches);
  const auto count = std::ranges::count_if(messages, matches);
  return count == 1 ? *found : xml::Element(count == 0 ? "no message" : "the same message again", "");
}

std::string attribute(const xml::Element& message, const char* name) {
  return message.attribute(name).value_or(message.name() == "message" ? "none" : message.name());
}

/// "all 40 in order", or where what was got first differs from what was sent.
std::string compared(const std::vector<std::string>& got, const std::vector<std::string>& sent) {
  const auto [at, instead_of] = std::ranges::mismatch(got, sent);
  if (at == got.end() && instead_of == sent.end()) return fmt::format("all {} in order", sent.size());
  return fmt::format("{} in the place of {}", at == got.end() ? "nothing" : *at,
                     instead_of == sent.end() ? "nothing" : *instead_of);
}

/// The message to the bare JID, which had a thread and a payload that nobody knows.
void judge_bare(const Accounts& a, const xml::Element& bare, const xml::Element& payload) {
  if (!GIVEN(bare.name() != "no message", "the message to the bare JID reaches the subject's user")) return;
  CONFORMS("RFC6121-8.5.2.1.1-4", "the 'to' of the message to the bare JID", attribute(bare, "to"), Eq(a.juliet_bare));
  CONFORMS("RFC6121-5.2.5-1", "the thread of the message to the bare JID", text_of(bare, "thread"),
           Eq("e0ffe42b28561960c6b12b944a092794b9683a38"));
  const auto* odd = bare.child("odd", ns_odd);
  CONFORMS_THAT("RFC6120-8.4-2", "the payload of the message to the bare JID", odd != nullptr && *odd == payload,
                "the unknown payload as it was sent", odd == nullptr ? "no payload" : xml::write(*odd));
}

void both_ways(Run& run) {
  Accounts a(run);
  a.peer().send(xmpp::make_message(a.romeo_full, a.juliet_full, "to the full JID", "chat", "m1"));
  auto rich = xmpp::make_message(a.romeo_full, a.juliet_bare, "to the bare JID", "chat", "m2");
  rich.add(xml::Element("thread", ns_server)).add_text("e0ffe42b28561960c6b12b944a092794b9683a38");
  xml::Element payload("odd", ns_odd);
  payload.set_attribute("kind", "<&'\">");
  payload.add(xml::Element("inner", ns_odd)).add_text("\xc3\xa9 & \xf0\x9f\x98\x80");
  rich.add(payload);
  a.peer().send(std::move(rich));
  (void)(a.markers_pass() && a.markers_pass());  // a second copy of the first would have come by now
  const auto called = a.called();
  if (GIVEN(called != "no stream", "the subject opens a stream to the peer"))
    CONFORMS("RFC6120-4.7.2-1", "the 'to' of the first header that the subject sent to the peer", called,
             Eq(a.romeo_bare.substr(a.romeo_bare.find('@') + 1)));
  const auto full = only(a.juliet().messages, "to the full JID"), bare = only(a.juliet().messages, "to the bare JID");
  if (!GIVEN(full.is("message", ns_server) || bare.is("message", ns_server),
             "messages of the peer's user reach the subject's user"))
    return;
  CONFORMS("RFC6120-10.5.4-1/arrives", "the 'to' of the message to the full JID", attribute(full, "to"),
           Eq(a.juliet_full));
  judge_bare(a, bare, payload);
  const auto answer = only(a.romeo().messages, "marker 1");
  if (GIVEN(answer.is("message", ns_server), "the answer of the subject's user reaches the peer's user"))
    CONFORMS("RFC6120-8.1.2.1-1", "the 'from' of the answer", attribute(answer, "from"), Eq(a.juliet_full));
}

CUTOVER_CASE(messages_both_ways){
    .id = "account.messages-both-ways",
    .title = "A message reaches the resource or the account that it names, as it was sent, and an answer comes back",
    .procedure =
        "A peer's user sends a message to the full JID and one with thread and unknown payload to the bare JID of the "
        "subject's user, who answers.",
    .accepted = "Each arrives once, its `to`, thread and payload unchanged; the answer comes from the full JID.",
    .likely_causes = "A server that writes stanzas anew instead of passing them on.",
    .judges = {{"RFC6120-10.5.4-1", {"account.full-jid-messages-lost"}},
               {"RFC6120-8.1.2.1-1", {"account.messages-from-the-account"}},
               {"RFC6120-4.7.2-1", {"xmpp.header-without-to", "xmpp.calls-the-host"}},
               {"RFC6121-8.5.2.1.1-4", {"account.bare-to-rewritten"}},
               {"RFC6121-5.2.5-1", {"account.thread-lost"}},
               {"RFC6120-8.4-2", {"account.payloads-lost"}}},
    .needs = needs,
    .budget = 1min,
    .body = both_ways};

void order(Run& run) {
  constexpr int count = 20;
  Accounts a(run);
  std::vector<std::string> sent;
  const auto send = [&](int from) {
    for (int i = from; i < from + count; ++i) {
      sent.push_back(fmt::format("number {}", i));
      a.subject().send_message(a.account, a.romeo_full, sent.back());
      a.peer().send_message("romeo", a.juliet_full, sent.back());
    }
  };
  // The first ones in each direction wait for the stream, the later ones find it open and used.
  send(0);
  (void)a.until([&] { return bodies(a.romeo().messages, "number").size() >= count; });
  send(count);
  (void)a.markers_pass();
  const auto in_order = fmt::format("all {} in order", sent.size());
  const auto in = bodies(a.juliet().messages, "number"), out = bodies(a.romeo().messages, "number");
  // Where none came there was no stream for them, which is the matter of other cases.
  if (GIVEN(!in.empty(), "messages reach the subject's user"))
    CONFORMS("RFC6120-10.1-1", "the messages that the subject's user got", compared(in, sent), Eq(in_order));
  if (GIVEN(!out.empty(), "messages reach the peer's user"))
    CONFORMS("RFC6120-10.1-2", "the messages that the peer's user got", compared(out, sent), Eq(in_order));
}

CUTOVER_CASE(messages_order){
    .id = "account.messages-in-order",
    .title = "Messages of one sender arrive in the order in which they were sent, those that waited for a stream too",
    .procedure =
        "Each side sends 20 messages before a stream is there, and 20 more when those have come; all are compared when "
        "a later marker has passed.",
    .accepted = "All of them, once, in order.",
    .likely_causes = "A queue in front of a new stream that is overtaken by what is sent directly.",
    .judges = {{"RFC6120-10.1-1", {"account.messages-reordered"}},
               {"RFC6120-10.1-2", {"xmpp.reorders-queue", "xmpp.loses-queued-stanza"}}},
    .needs = needs,
    .budget = 1min,
    .body = order};

void large(Run& run) {
  // Above what every server must take (RFC 6120 section 13.12), and in one record of TLS.
  constexpr std::size_t octets = 12'500;
  Accounts a(run);
  if (!a.given_markers()) return;
  auto stanza = xmpp::make_message(a.romeo_full, a.juliet_full, "large", "chat", "large");
  stanza.add(xml::Element("padding", "urn:example:padding")).add_text(std::string(octets, 'a'));
  a.peer().send(std::move(stanza));
  const auto arrived = [&] { return !bodies(a.juliet().messages, "large").empty(); };
  (void)a.until([&] { return arrived() || !a.answers("large").empty() || !a.stream_error().empty(); });
  const auto answers = kinds_of(a.answers("large"));
  CONFORMS("RFC6120-13.12-5", "what came of a message of 12 500 octets",
           arrived()                   ? "it arrived"
           : !answers.empty()          ? answers.front()
           : !a.stream_error().empty() ? "stream error " + a.stream_error()
                                       : "nothing",
           testing::AnyOf("it arrived", "error/policy-violation", "stream error policy-violation"));
}

CUTOVER_CASE(messages_large){
    .id = "account.large-message",
    .title = "A message above the size that every server takes arrives, or is refused for its size",
    .procedure = "A peer's user sends a message of 12 500 octets.",
    .accepted = "It arrives; or policy-violation, as a stanza error or a stream error.",
    .likely_causes = "A buffer of fixed size whose end nobody hears of.",
    .judges = {{"RFC6120-13.12-5", {"xmpp.large-stanzas-ignored"}}},
    .needs = needs,
    .budget = 1min,
    .body = large};

void not_for_delivery(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  a.peer().send(xmpp::make_message(a.romeo_full, a.juliet_bare, "to a room", "groupchat", "g1"));
  auto error = xmpp::make_message(a.romeo_full, a.juliet_bare, {}, "error", "e1");
  error.add(xmpp::make_error_element("service-unavailable"));
  a.peer().send(error);
  error.set_attribute("id", "e2");
  error.set_attribute("to", "nobody@" + a.domain);
  a.peer().send(error);
  CONFORMS("RFC6121-8.5.2.1.1-1", "the answer to the groupchat message", kind_of(a.answer("g1")),
           Eq("error/service-unavailable"));
  if (!a.given_markers()) return;
  CONFORMS("RFC6121-8.5.2.1.1-1", "the groupchat messages that the subject's user got",
           bodies(a.juliet().messages, "to a room"), IsEmpty());
  const auto delivered = std::ranges::count_if(
      a.juliet().errors, [](const auto& stanza) { return stanza.attribute_or_empty("id") == "e1"; });
  CONFORMS("RFC6121-8.5.2.1.1-2", "how often the subject's user got the error message", delivered, Eq(0));
  CONFORMS("RFC6120-8.3.1-5", "the answer to the error message to the user", kinds_of(a.answers("e1")), IsEmpty());
  CONFORMS("RFC6120-8.3.1-5", "the answer to the error message to nobody", kinds_of(a.answers("e2")), IsEmpty());
}

CUTOVER_CASE(messages_not_for_delivery){
    .id = "account.messages-not-for-delivery",
    .title = "Groupchat messages to an account bounce, error messages to one end there and are never answered",
    .procedure =
        "A peer's user sends a groupchat message and an error message to the bare JID, and an error message to an "
        "account that does not exist; then markers both ways.",
    .accepted = "service-unavailable for the first; nothing for the others, and nothing at the user.",
    .likely_causes = "Delivery that does not look at the type; bounces that answer bounces.",
    .judges = {{"RFC6121-8.5.2.1.1-1", {"account.groupchat-delivered"}},
               {"RFC6121-8.5.2.1.1-2", {"account.bare-errors-delivered"}},
               {"RFC6120-8.3.1-5", {"xmpp.errors-answered-with-errors", "xmpp.errors-answered"}}},
    .needs = needs,
    .budget = 1min,
    .body = not_for_delivery};

void unroutable(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  const auto id = a.subject().send_message(a.account, "ghost@absent.example", "is anybody there?");
  const auto returned = [&] {
    return std::ranges::find_if(a.juliet().errors,
                                [&](const auto& stanza) { return stanza.attribute_or_empty("id") == id; });
  };
  const bool told = a.until_given_up([&] { return returned() != a.juliet().errors.end(); });
  if (!CONFORMS("RFC6120-10.4.3-1", "the sender was told", told, Eq(true))) return;
  CONFORMS("RFC6120-10.4.3-2", "what the sender was told", kind_of(*returned()), Eq("error/remote-server-not-found"));
}

CUTOVER_CASE(messages_unroutable){
    .id = "account.message-to-absent-domain",
    .title = "The sender of a message to a domain that does not exist is told remote-server-not-found",
    .procedure = "The subject's user sends a message to a domain that the name server does not know.",
    .accepted = "An error with remote-server-not-found and the id of the message, however late.",
    .likely_causes = "A queue for a stream that never comes, dropped in silence.",
    .judges = {{"RFC6120-10.4.3-1", {"xmpp.undeliverable-silent"}},
               {"RFC6120-10.4.3-2", {"xmpp.undeliverable-wrong-condition"}}},
    .needs = needs,
    .budget = 5min,
    .body = unroutable};

}  // namespace
}  // namespace cutover::suites
