// RFC 7572 section 4: a message stanza becomes one SIP MESSAGE, its parts in the places of Table 1.
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char ns_server[] = "jabber:server";

void table_1(Run& run) {
  Federated f(run);
  const std::string smile = "\xF0\x9F\x98\x80", body = "x < y & \"z\" " + smile;
  auto stanza = f.message(body, {}, "abc");
  stanza.add(xml::Element("subject", ns_server).with_text("Verona"));
  stanza.add(xml::Element("thread", ns_server).with_text("thread-1@verona"));
  stanza.set_attribute("lang", "it", "http://www.w3.org/XML/1998/namespace");
  f.partner.send(std::move(stanza));
  const auto seen = f.request_to_alice("MESSAGE");
  const bool came = !seen.method.empty();
  if (!CONFORMS("RFC7572-4-1", "a MESSAGE came for the stanza", came, Eq(true))) return;
  const auto header = [&](const char* name) { return seen.header(name).value_or("none"); };
  const auto from_uri = seen.from() ? seen.from()->uri.text() : "";
  CONFORMS("RFC7572-4-T1-body", "the body of the MESSAGE", seen.body, Eq(body));
  CONFORMS("RFC7572-8-2", "the body of the MESSAGE", seen.body, HasSubstr(smile));
  CONFORMS("RFC7572-4-T1-subject", "the Subject of the MESSAGE", header("Subject"), Eq("Verona"));
  CONFORMS("RFC7572-4-T1-thread", "the Call-ID of the MESSAGE", seen.call_id(), Eq("thread-1@verona"));
  CONFORMS("RFC7572-4-T1-xml-lang", "the Content-Language of the MESSAGE", header("Content-Language"), Eq("it"));
  CONFORMS("RFC7572-8-1", "the Content-Language of the MESSAGE", header("Content-Language"), Eq("it"));
  CONFORMS("RFC7572-4-T1-from", "the From URI of the MESSAGE", from_uri, StartsWith("sip:romeo@fabrikam.example"));
  CONFORMS("RFC7572-4-n1", "the From URI of the MESSAGE", from_uri, Eq("sip:romeo@fabrikam.example;gr=home"));
  CONFORMS("RFC7572-4-T1-to", "the To URI of the MESSAGE", seen.to() ? seen.to()->uri.text() : "",
           Eq("sip:alice@contoso.example"));
  CONFORMS("RFC7572-4-n1b", "the MESSAGE has a From tag", seen.from() && !seen.from()->tag().empty(), Eq(true));
  CONFORMS("RFC7572-4-n1b", "the To tag of the MESSAGE", seen.to() ? seen.to()->tag() : "no To", Eq(""));
  CONFORMS("RFC3428-4-1", "the media type of the MESSAGE", token_in(seen, "Content-Type"), Eq("text/plain"));
  CONFORMS("RFC3428-4-2", "the Contact of the MESSAGE", header("Contact"), Eq("none"));
  if (!f.given_markers()) return;
  CONFORMS("DEL-DUP", "how often the text reached the SIP user",
           std::ranges::count(f.alice.texts(), seen.body, &mocks::SipText::body), Eq(1));
}

CUTOVER_CASE(to_sip_table){
    .id = "message.partner-to-user",
    .title = "A message from a partner reaches the SIP user once, with each part where the table puts it",
    .procedure =
        "A partner's user sends a message with body, subject, thread and language. The SIP user looks at the MESSAGE.",
    .accepted = "One MESSAGE outside a dialog; header by header as RFC 7572 Table 1.",
    .likely_causes = "A gateway that knows the body only.",
    .judges = {{"RFC7572-4-1", {"gateway.drops-message-to-sip"}},
               {"RFC7572-4-T1-body", {"gateway.loses-body", "gateway.truncates-body"}},
               {"RFC7572-8-2", {"gateway.truncates-body"}},
               {"RFC7572-4-T1-subject", {"gateway.loses-subject"}},
               {"RFC7572-4-T1-thread", {"gateway.loses-thread", "gateway.wrong-thread"}},
               {"RFC7572-4-T1-xml-lang", {"gateway.loses-language"}},
               {"RFC7572-8-1", {"gateway.loses-language"}},
               {"RFC7572-4-T1-from", {"gateway.wrong-sender-to-sip"}},
               {"RFC7572-4-n1", {"gateway.drops-gr", "gateway.gr-as-header-parameter"}},
               {"RFC7572-4-T1-to", {"gateway.wrong-receiver-to-sip"}},
               {"RFC7572-4-n1b", {"gateway.message-without-from-tag"}},
               {"RFC3428-4-1", {"gateway.text-of-another-type"}},
               {"RFC3428-4-2", {"gateway.contact-in-message"}},
               {"DEL-DUP", {"gateway.doubles-message-to-sip"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = table_1};

void what_is_no_text(Run& run) {
  Federated f(run);
  auto empty = f.message({}, "chat", "state");
  empty.remove_children("body", ns_server);
  empty.add(xml::Element("composing", "http://jabber.org/protocol/chatstates"));
  f.partner.send(std::move(empty));
  f.partner.send(f.message("in the room", "groupchat", "room"));
  auto failed = f.message("an error", "error", "failed");
  failed.add(xmpp::make_error_element("service-unavailable"));
  f.partner.send(std::move(failed));
  if (!f.given_markers()) return;
  const auto got = [&](const char* body) { return std::ranges::count(f.alice.texts(), body, &mocks::SipText::body); };
  CONFORMS("RFC7572-4-nobody", "how many MESSAGEs came for a stanza without a body", got(""), Eq(0));
  CONFORMS("RFC7572-4-gc", "how many MESSAGEs came for a stanza of type groupchat", got("in the room"), Eq(0));
  CONFORMS("RFC7572-4-err", "how many MESSAGEs came for a stanza of type error", got("an error"), Eq(0));
  CONFORMS("RFC6120-8.3.1-8", "the stanza of type error was answered with an error",
           f.error_stanza("failed") != nullptr, Eq(false));
  const auto odd = f.sip_request_for(f.message("odd type", "shout", "odd"), "MESSAGE", "odd type");
  CONFORMS("RFC7572-4-unk", "a MESSAGE came for a stanza of an unknown type", odd.has_value(), Eq(true));
}

CUTOVER_CASE(no_text){
    .id = "message.what-is-no-text",
    .title = "Chat states, groupchat and errors never reach the SIP user as text; an unknown type does, as normal",
    .procedure =
        "A partner's user sends a stanza without body, one of type groupchat, one of type error, one of an unknown "
        "type; then a marker.",
    .accepted = "The first three are refused or dropped (the error silently), the last is a MESSAGE.",
    .likely_causes = "A gateway that looks at the body only.",
    .judges = {{"RFC7572-4-nobody", {"gateway.sends-empty-message"}},
               {"RFC7572-4-gc", {"gateway.relays-groupchat"}},
               {"RFC7572-4-err", {"gateway.relays-error-as-text"}},
               {"RFC6120-8.3.1-8", {"gateway.answers-error-with-error"}},
               {"RFC7572-4-unk", {"gateway.refuses-unknown-type"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = what_is_no_text};

void order(Run& run) {
  Federated f(run);
  std::vector<std::string> sent, seen;
  for (int i = 0; i < 5; i++) {
    sent.push_back(fmt::format("line {}", i));
    f.partner.send(f.message(sent.back(), {}, sent.back()));
  }
  (void)f.until([&] { return f.alice.texts().size() >= sent.size(); });
  for (const auto& text : f.alice.texts()) seen.push_back(text.body);
  CONFORMS("RFC7572-4-order", "the texts that the SIP user got", seen, Eq(sent));
}

CUTOVER_CASE(to_sip_order){.id = "message.partner-to-user-in-order",
                           .title = "Messages of one pair reach the SIP user in the order in which they were sent",
                           .procedure = "A partner's user sends five messages in a row.",
                           .accepted = "The same five, in that order.",
                           .likely_causes = "A gateway that starts the next transaction before the last one ended.",
                           .judges = {{"RFC7572-4-order", {"gateway.reorders-to-sip"}}},
                           .needs = {Need::sip_side, Need::new_deployment},
                           .budget = 1h,
                           .body = order};

}  // namespace
}  // namespace cutover::suites
