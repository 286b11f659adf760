// Messages that a gateway loses, doubles, overtakes or changes, in either direction.
//
// What both sides show of a text is changed on the XMPP side alone: as it is heard for SIP, as it is said for XMPP.
#include "departures/rows.h"
#include "protocol/interworking/mapping/address.h"
#include "protocol/interworking/mapping/message.h"
#include "protocol/sip/passage.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>
#include <utility>

namespace cutover::departures {

namespace {

using Stanza = xmpp::Passage;
using Sip = sip::Passage;

/// A message with a body that is no report about another one.
bool is_text(const Stanza& p) {
  return p.is("message") && !p.has_type("error") && p.element.child("body", p.element.ns()) != nullptr;
}
bool hears_text(const Stanza& p) { return p.in() && is_text(p); }
bool sends_text(const Stanza& p) { return p.out() && is_text(p); }

void replace_child(xml::Element& stanza, const char* name, std::string_view text) {
  stanza.remove_children(name, stanza.ns());
  stanza.add(xml::Element(name, stanza.ns()).with_text(text));
}

/// At most so many octets of a text, and no character in parts.
std::string shortened(std::string text, std::size_t octets) {
  if (text.size() <= octets) return text;
  text.resize(octets);
  while (!interworking::is_utf8(text)) text.pop_back();
  return text;
}

/// Changes places with the one behind it; the first of two waits for the second.
void overtake(Stanza& p, std::string& waiting) {
  if (waiting.empty()) {
    waiting = std::exchange(p.octets, {});
  } else {
    p.octets += std::exchange(waiting, {});
  }
}

bool outside_a_dialog(const Sip& p) { return p.message.to() && p.message.to()->tag().empty(); }

}  // namespace

std::vector<Row> gateway_messages() {
  return {
      {"gateway.late-failure-silent", "reports no error that comes behind the answer to a message", "MIG-S04",
       [](Sip& p) {
         if (p.sends("MESSAGE") && p.message.header_or_empty("Content-Type") == "message/imdn+xml") p.settle(200);
       },
       gateways},

      // Whole messages.
      {"gateway.drops-message-to-sip", "loses messages to SIP without an error",
       "RFC7572-4-1 RFC7572-4-T1-from RFC7572-4-T1-to RFC7572-4-n1b RFC3428-4-1 RFC7573-4-1 LYNC-IM-1",
       [](Stanza& p) {
         if (hears_text(p)) p.drop();
       },
       gateways},
      {"gateway.drops-message-to-xmpp", "answers 200 to a MESSAGE and sends no stanza",
       "RFC7572-5-1 RFC7572-5-T2-From RFC7572-5-T2-Request-URI RFC7572-5-to",
       [](Stanza& p) {
         if (sends_text(p)) p.drop();
       },
       gateways},
      {"gateway.doubles-message-to-sip", "sends a stanza as two MESSAGEs", "DEL-DUP INV-2 SEC-HDR",
       [](Stanza& p) {
         if (hears_text(p)) p.repeat();
       },
       gateways},
      {"gateway.doubles-message-to-xmpp", "sends a MESSAGE as two stanzas", "DEL-DUP SEED-1",
       [](Stanza& p) {
         if (sends_text(p)) p.repeat();
       },
       gateways},
      {"gateway.reorders-to-sip", "sends of two messages to SIP the second first", "RFC7572-4-order",
       [waiting = std::string()](Stanza& p) mutable {
         if (hears_text(p)) overtake(p, waiting);
       },
       gateways},
      {"gateway.reorders-to-xmpp", "sends of two messages to XMPP the second first", "RFC7572-4-order",
       [waiting = std::string()](Stanza& p) mutable {
         if (sends_text(p)) overtake(p, waiting);
       },
       gateways},

      // RFC 7572 Tables 1 and 2, row by row.
      {"gateway.loses-body", "replaces the body", "RFC7572-4-T1-body RFC7572-5-T2-body RFC7572-7-1",
       [](Stanza& p) {
         if (is_text(p)) p.edit([](xml::Element& stanza) { replace_child(stanza, "body", "."); });
       },
       gateways},
      {"gateway.truncates-body", "cuts bodies at 8 octets", "RFC7572-4-T1-body RFC7572-8-2",
       [](Stanza& p) {
         if (!is_text(p)) return;
         p.edit([](xml::Element& stanza) {
           replace_child(stanza, "body", shortened(stanza.child("body", stanza.ns())->text(), 8));
         });
       },
       gateways},
      {"gateway.loses-subject", "loses the subject", "RFC7572-4-T1-subject RFC7572-5-T2-Subject",
       [](Stanza& p) {
         if (is_text(p)) p.edit([](xml::Element& stanza) { stanza.remove_children("subject", stanza.ns()); });
       },
       gateways},
      {"gateway.loses-thread", "loses the thread", "RFC7572-4-T1-thread RFC7572-5-T2-Call-ID",
       [](Stanza& p) {
         if (is_text(p)) p.edit([](xml::Element& stanza) { stanza.remove_children("thread", stanza.ns()); });
       },
       gateways},
      {"gateway.wrong-thread", "uses another thread", "RFC7572-4-T1-thread RFC7572-5-T2-Call-ID",
       [](Stanza& p) {
         if (is_text(p)) p.edit([](xml::Element& stanza) { replace_child(stanza, "thread", "another-thread"); });
       },
       gateways},
      {"gateway.loses-language", "loses the language",
       "RFC7572-4-T1-xml-lang RFC7572-5-T2-Content-Language RFC7572-8-1",
       [](Stanza& p) {
         if (!is_text(p)) return;
         p.edit([](xml::Element& stanza) {
           stanza.remove_attribute("lang", xmpp::ns::xml);
           stanza.child("body", stanza.ns())->remove_attribute("lang", xmpp::ns::xml);
         });
       },
       gateways},
      {"gateway.wrong-sender-to-sip", "writes another user into the From of requests that it makes",
       "RFC7572-4-T1-from RFC7572-4-n1 RFC8048-5.2.1-7",
       [](Sip& p) {
         auto from = p.message.header_or_empty("From");
         const auto at = from.find("sip:romeo@");
         if (!p.out() || !p.message.is_request || !outside_a_dialog(p) || at == std::string::npos) return;
         p.message.set_header("From", from.replace(at + 4, 5, "mercutio"));
       },
       gateways},
      {"gateway.header-lines-in-subjects", "lets a line in a subject become a header", "SEC-HDR",
       [](Sip& p) {
         const auto subject = p.message.header_or_empty("Subject");
         const auto colon = subject.find(": "), blank = subject.rfind(' ', colon);
         if (!p.sends("MESSAGE") || colon == std::string::npos || blank == std::string::npos) return;
         p.message.set_header("Subject", subject.substr(0, blank));
         p.message.add_header(subject.substr(blank + 1, colon - blank - 1), subject.substr(colon + 2));
       },
       gateways},
      {"gateway.wrong-receiver-to-sip", "adds a resource of nobody's to the To of a MESSAGE", "RFC7572-4-T1-to",
       [](Sip& p) {
         auto to = p.message.header_or_empty("To");
         const auto end = to.find('>');
         if (p.sends("MESSAGE") && outside_a_dialog(p) && end != std::string::npos)
           p.message.set_header("To", to.insert(end, ";gr=odd"));
       },
       gateways},
      {"gateway.message-without-from-tag", "sends MESSAGE without a From tag", "RFC7572-4-n1b",
       [](Sip& p) {
         const auto from = p.message.header_or_empty("From");
         if (p.sends("MESSAGE") && outside_a_dialog(p))
           p.message.set_header("From", from.substr(0, from.find(";tag=")));
       },
       gateways},
      {"gateway.text-of-another-type", "calls text of a message text/html", "RFC3428-4-1",
       [](Sip& p) {
         if (p.sends("MESSAGE") && p.message.header_or_empty("Content-Type").starts_with("text/plain"))
           p.message.set_header("Content-Type", "text/html;charset=utf-8");
       },
       gateways},
      {"gateway.wrong-sender-to-xmpp", "writes another user of the domain into the from of messages",
       "RFC7572-5-T2-From",
       [](Stanza& p) {
         const auto from = p.element.attribute_or_empty("from");
         if (sends_text(p)) p.set_attribute("from", "nobody" + from.substr(std::min(from.find('@'), from.size())));
       },
       gateways},
      {"gateway.receiver-with-resource", "adds a resource to the to of messages outside of a session",
       "RFC7572-5-T2-Request-URI RFC7572-5-to",
       [](Stanza& p) {
         if (sends_text(p) && !p.has_type("chat")) p.set_attribute("to", p.element.attribute_or_empty("to") + "/home");
       },
       gateways},
      {"gateway.swaps-addresses", "swaps from and to of a message", "RFC7572-5-T2-From RFC7572-5-T2-Request-URI",
       [](Stanza& p) {
         if (!sends_text(p)) return;
         const auto from = p.element.attribute_or_empty("from"), to = p.element.attribute_or_empty("to");
         p.set_attribute("from", to);
         p.set_attribute("to", from);
       },
       gateways},
      {"gateway.pager-type-chat", "gives a pager-mode message the type chat", "RFC7572-5-type",
       [](Stanza& p) {
         if (sends_text(p) && p.has_type("")) p.set_attribute("type", "chat");
       },
       gateways},
      {"gateway.refuses-unknown-type", "refuses a message of unknown type", "RFC7572-4-unk",
       [](Stanza& p) {
         if (!hears_text(p)) return;
         for (const char* known : {"", "normal", "chat", "headline", "groupchat"}) {
           if (p.has_type(known)) return;
         }
         p.drop();
         if (const auto error = xmpp::make_error(p.element, "bad-request")) p.answer(*error);
       },
       gateway},

      // MESSAGE as SIP has it.
      {"gateway.contact-in-message", "puts a Contact into a MESSAGE", "RFC3428-4-2",
       [](Sip& p) {
         if (p.sends("MESSAGE") && outside_a_dialog(p)) {
           p.message.add_header("Contact", "<" + p.message.from()->uri.text() + ">");
         }
       },
       gateways},
      {"gateway.contact-in-2xx", "puts a Contact into the 2xx to a MESSAGE", "RFC3428-7-3",
       [](Sip& p) {
         if (p.answers("MESSAGE", 200, 299)) p.message.set_header("Contact", "<sip:gateway.invalid>");
       },
       gateways},
      {"gateway.body-in-2xx", "puts a body into the 2xx to a MESSAGE", "RFC3428-7-2",
       [](Sip& p) {
         if (!p.answers("MESSAGE", 200, 299)) return;
         p.message.set_header("Content-Type", "text/plain");
         p.message.body = "delivered";
       },
       gateways},
      {"gateway.no-charset", "leaves the charset out of Content-Type", "RFC7572-4-ctype",
       [](Sip& p) {
         const auto type = interworking::media_type(p.message.header_or_empty("Content-Type"));
         if (p.sends("MESSAGE")) p.message.set_header("Content-Type", type);
       },
       gateways},
      {"gateway.reuses-cseq", "uses a CSeq twice in a Call-ID", "RFC7572-4-thread2",
       [](Sip& p) {
         if (!p.sends("MESSAGE") || !outside_a_dialog(p)) return;
         p.message.set_header("From", "<" + p.message.from()->uri.text() + ">;tag=same");
         p.message.set_header("CSeq", "1 MESSAGE");
       },
       gateways},
      {"gateway.never-answers-message", "never answers a MESSAGE", "RFC7572-5-1",
       [](Sip& p) {
         if (p.answers("MESSAGE", 200)) p.drop();
       },
       gateways},
      {"gateway.media-types-by-the-letter", "knows media types in small letters alone", "RFC7572-7-5",
       [](Sip& p) {
         const auto type = p.message.header_or_empty("Content-Type");
         const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
         const bool small = std::ranges::none_of(type.substr(0, type.find(';')), capital);
         if (p.hears("MESSAGE") && !small) p.message.set_header("Content-Type", "application/octet-stream");
       },
       gateways},
      {"gateway.shows-any-media", "shows any body as text", "RFC3261-415 RFC7572-7-4",
       [](Sip& p) {
         const auto type = interworking::media_type(p.message.header_or_empty("Content-Type"));
         const bool known = type == "text/plain" || type == "application/im-iscomposing+xml";
         // Any octets are text in that charset.
         if (p.hears("MESSAGE") && !known) p.message.set_header("Content-Type", "text/plain;charset=iso-8859-1");
       },
       gateways},
  };
}

}  // namespace cutover::departures
