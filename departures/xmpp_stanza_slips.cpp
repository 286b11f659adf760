// Slips of whoever passes stanzas on and answers them: an address, an id, a child or a type that is lost or changed.
#include "departures/between_servers.h"
#include "departures/rows.h"

#include <algorithm>
#include <string>
#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

bool hears_message(const Passage& p) { return p.hears("message", ns::server) && !p.link; }

void cut_resource(Passage& p, std::string_view name) {
  const auto address = value(p, name);
  if (address.find('/') != std::string::npos) p.set_attribute(name, address.substr(0, address.find('/')));
}

/// Changes the answer to a request that had this payload.
void change_result(Passage& p, std::string_view name, std::string_view of, void (*change)(xml::Element& iq)) {
  if (sends_iq_answer(p) && p.has_type("result") && p.element.child(name, of) != nullptr) p.edit(change);
}

/// Changes each child of a message that is none of XMPP's own.
template <class Change>
void change_payloads(Passage& p, Change change) {
  if (!sends_s2s_message(p)) return;
  p.edit([&change](xml::Element& stanza) {
    for (auto& one : stanza.content())
      if (!one.is_text() && one.element.front().ns() != ns::server) change(one.element.front());
  });
}

void lose_attributes(xml::Element& element) {
  for (const auto attributes = element.attributes(); const auto& one : attributes)
    element.remove_attribute(one.name, one.ns);
}

void collapse_spaces(xml::Element& stanza) {
  for (auto& one : stanza.content()) {
    if (one.is_text() || one.element.front().name() != "body") continue;
    auto& body = one.element.front();
    auto text = body.text();
    const auto both_blank = [](char a, char b) { return a == ' ' && b == ' '; };
    text.erase(std::unique(text.begin(), text.end(), both_blank), text.end());
    body.content().clear();
    body.add_text(text);
  }
}

/// Each character beyond the basic plane as two surrogates of three octets (CESU-8), as Java once wrote them.
void write_surrogates(std::string& octets) {
  for (std::size_t at = 0; at + 4 <= octets.size(); ++at) {
    const auto octet = [&octets, at](std::size_t n) {
      return static_cast<unsigned>(static_cast<unsigned char>(octets[at + n]));
    };
    if (octet(0) < 0xf0U) continue;
    const auto code =
        ((octet(0) & 7U) << 18U | (octet(1) & 63U) << 12U | (octet(2) & 63U) << 6U | (octet(3) & 63U)) - 0x10000U;
    std::string two;
    for (const auto half : {0xd800U + (code >> 10U), 0xdc00U + (code & 0x3ffU)}) {
      two += static_cast<char>(0xe0U | half >> 12U);
      two += static_cast<char>(0x80U | (half >> 6U & 63U));
      two += static_cast<char>(0x80U | (half & 63U));
    }
    octets.replace(at, 4, two);
    at += two.size() - 1;
  }
}

std::vector<Row> answers() {
  return {
      {"xmpp.stanza-error-of-odd-type", "sends stanza errors of a type that does not exist", "RFC6120-8.3.2-1",
       [](Passage& p) {
         if (!sends_s2s_error(p)) return;
         p.edit([](xml::Element& stanza) {
           if (auto* error = stanza.child("error", ns::server)) error->set_attribute("type", "fatal");
         });
       }},
      {"xmpp.stanza-errors-not-turned-about", "sends stanza errors with the addresses of what they answer",
       "RFC6120-8.1.2.2-3 RFC6120-8.3.1-2",
       [](Passage& p) {
         if (sends_s2s_error(p)) turn_about(p);
       }},
      {"xmpp.errors-told-as-results", "answers what it refuses with an empty result",
       "RFC6120-8.3.1-1 RFC6120-8.4-1 RFC6120-10.5.3.1-1 RFC6121-8.5.1-1 RFC6121-8.5.3.2.3-1 RFC6121-8.5.2.1.3-1 "
       "XEP0030-8-1 XEP0199-7-1 "
       "RFC6120-8.2.3-2 RFC6120-8.2.3-1",
       [](Passage& p) {
         if (!sends_s2s_error(p) || !p.is("iq")) return;
         p.edit([](xml::Element& stanza) {
           stanza.content().clear();
           stanza.set_attribute("type", "result");
         });
       }},
      {"xmpp.answers-to-bare-addresses", "answers an iq at the bare address of who asked",
       "RFC6120-8.3.1-2 RFC6120-8.2.3-3 RFC6120-8.1.3-1",
       [](Passage& p) {
         if (sends_iq_answer(p)) cut_resource(p, "to");
       }},
      {"xmpp.answers-without-id", "answers an iq without its id", "RFC6120-8.1.3-1 RFC6120-8.1.3-2 RFC6120-8.2.3-3",
       [](Passage& p) {
         if (sends_iq_answer(p)) p.remove_attribute("id");
       }},
      {"xmpp.answers-without-type", "answers an iq without a type", "RFC6120-8.2.3-7 RFC6120-8.2.3-3 XEP0199-4.3-1",
       [](Passage& p) {
         if (sends_iq_answer(p) && p.has_type("result")) p.remove_attribute("type");
       }},
      {"xmpp.ping-result-with-content", "writes the ping back into its result", "XEP0199-4.3-1",
       [asked = std::string()](Passage& p) mutable {
         if (p.hears("iq", ns::server) && p.element.child("ping", ns::ping) != nullptr) asked = value(p, "id");
         if (sends_iq_answer(p) && p.has_type("result") && value(p, "id") == asked)
           p.edit([](xml::Element& iq) { iq.add(xml::Element("ping", ns::ping)); });
       }},
      {"xmpp.disco-without-itself", "does not list service discovery among its features", "XEP0030-3.1-1",
       [](Passage& p) {
         change_result(p, "query", ns::disco_info, [](xml::Element& iq) {
           std::erase_if(iq.child("query", ns::disco_info)->content(), [](const xml::Content& one) {
             return !one.is_text() && one.element.front().attribute_or_empty("var") == ns::disco_info;
           });
         });
       }},
      {"xmpp.disco-without-identity", "lists features without an identity", "XEP0030-3.1-1",
       [](Passage& p) {
         change_result(p, "query", ns::disco_info, [](xml::Element& iq) {
           iq.child("query", ns::disco_info)->remove_children("identity", ns::disco_info);
         });
       }},
      {"xmpp.disco-node-lost", "answers service discovery without the node that it was asked for", "XEP0030-3.2-1",
       [](Passage& p) {
         if (sends_iq_answer(p))
           p.edit([](xml::Element& iq) {
             for (const auto* of : {ns::disco_info, ns::disco_items})
               if (auto* query = iq.child("query", of)) query->remove_attribute("node");
           });
       }},
      {"xmpp.disco-items-refused", "answers a request for items with an error where there are none", "XEP0030-4.1-1",
       [](Passage& p) {
         change_result(p, "query", ns::disco_items, [](xml::Element& iq) {
           iq.set_attribute("type", "error");
           iq.content().clear();
           xml::Element error("error", ns::server);
           error.set_attribute("type", "cancel");
           error.add(xml::Element("item-not-found", ns::stanza_errors));
           iq.add(std::move(error));
         });
       }},
  };
}

std::vector<Row> messages() {
  return {
      {"xmpp.children-in-client-namespace", "leaves the children of a message in jabber:client", "RFC6120-4.8.3-3",
       [](Passage& p) {
         if (!sends_s2s_message(p)) return;
         p.edit([](xml::Element& stanza) {
           for (auto& one : stanza.content())
             if (!one.is_text() && one.element.front().ns() == ns::server)
               one.element.front().change_namespace(ns::server, ns::client);
         });
       }},
      {"xmpp.senders-without-resource", "sends messages from the bare address of their sender", "RFC6120-8.1.2.1-1",
       [](Passage& p) {
         if (sends_s2s_message(p)) cut_resource(p, "from");
       }},
      {"xmpp.recipients-without-resource", "sends messages to the bare address of their recipient",
       "RFC6120-10.5.4-1 RFC7622-3.4-1 RFC6121-8.5.2.1.1-4 INV-4",
       [](Passage& p) {
         if (sends_s2s_message(p)) cut_resource(p, "to");
       }},
      {"xmpp.languages-replaced", "writes its own language over that of a message", "RFC6120-4.7.4-6",
       [](Passage& p) {
         if (sends_s2s_message(p)) p.set_attribute("xml:lang", "en-GB");
       }},
      {"xmpp.spaces-collapsed", "writes several spaces of a body as one", "INV-4",
       [](Passage& p) {
         if (sends_s2s_message(p)) p.edit(collapse_spaces);
       }},
      {"xmpp.type-becomes-chat", "sends every message that is no error as chat", "INV-4",
       [](Passage& p) {
         if (sends_s2s_message(p) && !p.has_type("error")) p.set_attribute("type", "chat");
       }},
      {"xmpp.payload-attributes-lost", "takes the attributes off payloads", "RFC6120-8.4-2 INV-4",
       [](Passage& p) { change_payloads(p, lose_attributes); }},
      {"xmpp.payload-contents-lost", "empties payloads", "RFC6120-8.4-2 INV-4",
       [](Passage& p) { change_payloads(p, [](xml::Element& payload) { payload.content().clear(); }); }},
      {"xmpp.empty-payloads-lost", "loses payloads that have no content", "RFC6120-8.4-2 INV-4",
       [](Passage& p) {
         if (!sends_s2s_message(p)) return;
         p.edit([](xml::Element& stanza) {
           std::erase_if(stanza.content(), [](const xml::Content& one) {
             return !one.is_text() && one.element.front().content().empty() && one.element.front().ns() != ns::server;
           });
         });
       }},
      {"xmpp.message-ids-replaced", "gives messages ids of its own", "RFC6120-10.5.4-1",
       [](Passage& p) {
         if (sends_s2s_message(p) && !p.has_type("error") && !value(p, "id").empty())
           p.set_attribute("id", "s2s-" + std::to_string(std::hash<std::string>()(value(p, "id"))));
       }},
      {"xmpp.surrogates-in-utf-8", "writes characters beyond the basic plane as two surrogates",
       "RFC6120-11.6-1 RFC6120-11.3-1",
       [](Passage& p) {
         if (sends_s2s_message(p)) write_surrogates(p.octets);
       }},
      {"xmpp.sends-instructions", "sends a processing instruction before each message", "RFC6120-11.1-1",
       [](Passage& p) {
         if (sends_s2s_message(p)) p.octets.insert(0, "<?server passed='on'?>");
       }},
      {"xmpp.sends-entities", "refers to an entity of HTML in messages", "RFC6120-11.1-1 RFC6120-11.3-1",
       [](Passage& p) {
         if (sends_s2s_message(p)) p.replace("</body>", "&nbsp;</body>");
       }},
      {"xmpp.resources-empty", "leaves a '/' behind the bare address of a sender", "RFC7622-4-2 RFC7622-3.4-1",
       [](Passage& p) {
         if (!sends_s2s_message(p)) return;
         const auto from = value(p, "from");
         p.set_attribute("from", from.substr(0, from.find('/')) + "/");
       }},
      {"xmpp.languages-heard-lost", "takes the language off messages that come", "RFC6120-4.7.4-6",
       [](Passage& p) {
         if (hears_message(p)) p.remove_attribute("xml:lang");
       }},
      {"xmpp.messages-heard-twice", "takes every message that comes for two", "INV-2 RFC6120-10.5.4-1",
       [](Passage& p) {
         if (hears_message(p)) p.repeat();
       }},
      {"xmpp.iq-answers-heard-lost", "delivers no answer of a peer to its user's iq", "RFC6121-8.5.3.1-2",
       [](Passage& p) {
         const bool to_a_user = value(p, "to").find('@') != std::string::npos;
         if (p.hears("iq", ns::server) && (p.has_type("result") || p.has_type("error")) && to_a_user && !p.link)
           p.drop();
       }},
      {"xmpp.errors-heard-lost", "delivers no message of type error to its user", "RFC6120-10.5.4-1 RFC6120-8.3.2-2",
       [](Passage& p) {
         if (hears_message(p) && p.has_type("error")) p.drop();
       }},
  };
}

std::vector<Row> presence() {
  return {
      {"xmpp.unavailable-lost", "sends no presence of type unavailable",
       "RFC6121-4.5.2-1 RFC6121-3.2.2-1 RFC6121-3.3.3-1 RFC6121-4.6.3-1",
       [](Passage& p) {
         if (p.sends_presence("unavailable") && !p.link) p.drop();
       }},
      {"xmpp.presence-from-bare-address", "sends available presence from the bare address",
       "RFC6121-4.2.2-1 RFC6121-4.4.2-1 RFC6121-3.1.5-1 RFC6121-4.3.2-3 RFC6120-8.1.2.1-1",
       [](Passage& p) {
         if (p.sends_presence("") && !p.link) cut_resource(p, "from");
       }},
      {"xmpp.show-lost", "sends presence without what it shows",
       "RFC6121-4.4.2-1 RFC6121-4.3.2-3 RFC6121-4.2.2-1 RFC6121-3.1.5-1 INV-4",
       [](Passage& p) {
         if (p.sends_presence("") && !p.link)
           p.edit([](xml::Element& stanza) { stanza.remove_children("show", ns::server); });
       }},
      {"xmpp.status-heard-lost", "delivers presence without its status", "RFC6121-4.2.3-1 INV-4",
       [](Passage& p) {
         if (p.hears_presence("") && !p.link)
           p.edit([](xml::Element& stanza) { stanza.remove_children("status", ns::server); });
       }},
      {"xmpp.probes-lost", "sends no probes", "RFC6121-4.3.1-1",
       [](Passage& p) {
         if (p.sends_presence("probe") && !p.link) p.drop();
       }},
      {"xmpp.refuses-for-its-user", "sends the approval of a subscription as its refusal", "RFC6121-3.1.5-1",
       [](Passage& p) {
         if (p.sends_presence("subscribed") && !p.link) p.set_attribute("type", "unsubscribed");
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_stanza_slips() { return defects(s2s, {answers(), messages(), presence()}); }

}  // namespace cutover::departures
