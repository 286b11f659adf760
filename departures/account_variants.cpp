// What the documents allow of a server with accounts, and the reference does not show.
#include "departures/between_servers.h"
#include "departures/rows.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stream_text.h"

#include <functional>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;
constexpr char info[] = "http://jabber.org/protocol/disco#info";

bool sends_error(const Passage& p) { return p.out() && p.has_type("error"); }
xml::Element* error_in(xml::Element& stanza) { return stanza.child("error", ns::server); }

/// An error that the server itself made, which has nothing beside it here; its users' pass as they are.
void change_error(Passage& p, const std::function<void(xml::Element&)>& change) {
  if (!sends_error(p) || p.element.children().size() > 1) return;
  p.edit([&](xml::Element& stanza) {
    if (auto* error = error_in(stanza)) change(*error);
  });
}

bool answers_key(const Passage& p) { return !p.initiating && p.sends("verify", ns::dialback); }

std::vector<Row> dialback() {
  return {
      // XEP-0220 section 2.1.2: who asks SHOULD end the stream soon; nothing keeps who is asked from it.
      {"account.ends-behind-a-verification", "as authoritative server ends the stream behind its answer",
       "XEP0220-2.1.2-3",
       [ended = false, asked_more = false](Passage& p) mutable {
         if (ended && p.out()) return p.drop();
         asked_more = asked_more || p.hears("auth", ns::sasl) || p.hears("result", ns::dialback);
         if (asked_more || !answers_key(p)) return;
         ended = true;
         p.octets += xmpp::end_tag;
         p.answer(xmpp::end_tag);  // that of the node stays here
       }},
  };
}

std::vector<Row> errors_and_answers() {
  return {
      {"account.error-with-text", "explains stanza errors in words", "RFC6120-8.3.1-3",
       [](Passage& p) { change_error(p, [](xml::Element& error) { explain(error); }); }},
      {"account.error-of-an-application", "adds conditions of its own to stanza errors", "RFC6120-8.3.4-1",
       [](Passage& p) {
         change_error(p, [](xml::Element& error) { error.add(xml::Element("odd", "urn:example:errors")); });
       }},
      {"account.error-by", "says who raised a stanza error (RFC 6120 8.3.2)", "RFC6120-8.3.2-1",
       [](Passage& p) { change_error(p, [](xml::Element& error) { error.set_attribute("by", "judged.example"); }); }},
      {"account.error-of-another-type", "chooses other error types", "RFC6120-8.3.2-1",
       [](Passage& p) {
         change_error(p, [](xml::Element& error) {
           error.set_attribute("type", error.attribute_or_empty("type") == "cancel" ? "wait" : "cancel");
         });
       }},
      {"account.no-ping", "does not know pings", "XEP0199-4.3-1",
       [](Passage& p) {
         if (!p.hears("iq") || !p.has_type("get")) return;
         if (p.element.child("ping", "urn:xmpp:ping") != nullptr)
           p.edit([](xml::Element& iq) {
             iq.content().clear();
             iq.add(xml::Element("ping", "urn:example:unknown"));
           });
       }},
      {"account.message-to-nobody-ignored", "says nothing of messages to an account that does not exist",
       "RFC6120-10.5.3.1-2",
       [](Passage& p) {
         if (p.sends("message") && sends_error(p) && p.element.attribute_or_empty("from").starts_with("nobody@"))
           p.drop();
       }},
      {"account.says-more-of-itself", "has more identities and features than anybody asks for", "XEP0030-3.1-1",
       [](Passage& p) {
         if (!p.sends("iq") || p.element.child("query", info) == nullptr) return;
         p.edit([](xml::Element& iq) {
           auto* query = iq.child("query", info);
           query->add(xml::Element("feature", info).with("var", "urn:example:odd"));
           query->add(xml::Element("x", "jabber:x:data").with("type", "result"));
         });
       }},
      {"account.delivers-with-more", "adds a delay and an id to the messages that it delivers (XEP-0203, XEP-0359)",
       "RFC6120-8.4-2",
       [](Passage& p) {
         if (!p.hears("message") || p.has_type("error")) return;
         p.edit([](xml::Element& message) {
           message.add(xml::Element("stanza-id", "urn:xmpp:sid:0"));
           message.add(xml::Element("delay", "urn:xmpp:delay")).set_attribute("stamp", "2002-09-10T23:08:25Z");
         });
       }},
  };
}

std::vector<Row> presence() {
  return {
      {"account.presence-with-delay", "says since when a user is there (XEP-0203)", "RFC6120-8.4-2",
       [](Passage& p) {
         if (!p.sends_presence("")) return;
         p.edit([](xml::Element& presence) {
           presence.add(xml::Element("delay", "urn:xmpp:delay").with("stamp", "2010-11-13T23:29:00Z"));
         });
       }},
      {"account.unavailable-with-status", "says in words that a user is gone (RFC 6121 4.7.2.2)", "RFC6120-8.4-2",
       [](Passage& p) {
         if (!p.sends_presence("unavailable")) return;
         p.edit([](xml::Element& presence) {
           if (presence.child("status", presence.ns()) == nullptr)
             presence.add(xml::Element("status", presence.ns()).with_text("gone"));
         });
       }},
      {"account.subscribes-by-name", "names who subscribes or approves (XEP-0172)", "RFC6121-3.1.2-1",
       [](Passage& p) {
         if (!p.sends_presence("subscribe") && !p.sends_presence("subscribed")) return;
         p.edit([](xml::Element& presence) {
           presence.add(xml::Element("nick", "http://jabber.org/protocol/nick").with_text("Juliet"));
         });
       }},
      {"account.answers-say-more", "has an element of another namespace in answers to iq", "RFC6120-8.4-2",
       [](Passage& p) {
         const auto* answer = p.sends("iq") && p.has_type("result") ? p.element.first_child() : nullptr;
         if (answer == nullptr || !answer->ns().starts_with("http://jabber.org/protocol/disco")) return;
         p.edit([](xml::Element& iq) {
           for (auto& content : iq.content()) {
             if (!content.is_text()) content.element[0].add(xml::Element("odd", "urn:example:odd"));
           }
         });
       }},
  };
}

}  // namespace

std::vector<Row> account_variants() { return variants(account_server, {dialback(), errors_and_answers(), presence()}); }

}  // namespace cutover::departures
