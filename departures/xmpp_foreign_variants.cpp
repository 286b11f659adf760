// What servers in the field do, and may do: labels, events and forms of their own, references, keys.
#include "departures/between_servers.h"
#include "departures/inside_stanzas.h"
#include "departures/rows.h"
#include "protocol/xmpp/stream_text.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

bool needs_no_reference(std::string_view text) {
  return !text.empty() && text.find_first_of("&<>'\"\t\r\n") == std::string_view::npos;
}

/// Writes the last character of an attribute as a reference, where that is of ASCII.
void end_in_a_reference(Passage& p, std::string_view name) {
  const auto text = value(p, name);
  if (!needs_no_reference(text) || static_cast<unsigned char>(text.back()) > 0x7eU) return;
  const auto written = std::string(name) + "='";
  p.replace(" " + written + text + "'", " " + written + text.substr(0, text.size() - 1) + "&#" +
                                            std::to_string(static_cast<int>(text.back())) + ";'");
}

/// The second half of a text as a section, unless the text has references or the end of one. A carriage return that is
/// written as it is belongs to the line feed behind it.
std::string half_in_a_section(std::string_view text) {
  auto middle = text.size() / 2;
  while (middle < text.size() && (static_cast<unsigned char>(text[middle]) & 0xc0U) == 0x80U) ++middle;
  const auto rest = text.substr(middle);
  if (rest.empty() || text.find_first_of("<&\r") != std::string_view::npos || rest.find("]]") != std::string_view::npos)
    return std::string(text);
  return std::string(text.substr(0, middle)) + "<![CDATA[" + std::string(rest) + "]]>";
}

/// Behind a carriage return that is written as it is, a reference would be one more line break.
std::string line_breaks_in_references(std::string_view text) {
  return text.find('\r') == std::string_view::npos ? replaced(std::string(text), "\n", "&#10;") : std::string(text);
}

std::vector<Row> octets() {
  return {
      {"xmpp.header-addresses-in-references", "ends the addresses of its headers in a character reference",
       "RFC6120-11.1-6",
       [](Passage& p) {
         if (!sends_any_header(p)) return;
         for (const auto* name : {"from", "to"}) end_in_a_reference(p, name);
       }},
      {"xmpp.dialback-addresses-in-references", "ends the addresses of dialback elements in a character reference",
       "RFC6120-11.1-6",
       [](Passage& p) {
         if (!sends_of_dialback(p)) return;
         for (const auto* name : {"from", "to"}) end_in_a_reference(p, name);
       }},
      {"xmpp.ids-in-references", "ends the ids of stanzas in a character reference", "RFC6120-11.1-6",
       [](Passage& p) {
         if (sends_s2s_stanza(p)) end_in_a_reference(p, "id");
       }},
      {"xmpp.line-breaks-in-references", "writes the line breaks of a body as references", "RFC6120-11.1-6",
       [](Passage& p) { change_written_body(p, line_breaks_in_references); }},
      {"xmpp.text-in-several-sections", "writes the second half of a body as CDATA", "RFC6120-11.1-1",
       [](Passage& p) { change_written_body(p, half_in_a_section); }},
      {"xmpp.keys-in-cdata", "writes the keys of dialback as CDATA", "XEP0220-2.1.1-1 RFC6120-11.1-1",
       [](Passage& p) {
         const auto key = p.element.text();
         if (sends_of_dialback(p) && value(p, "type").empty() && needs_no_reference(key))
           p.replace(">" + key + "<", "><![CDATA[" + key + "]]><");
       }},
      {"xmpp.language-of-many-parts", "names a language with its script, its country and its orthography",
       "RFC6120-4.7.4-4",
       [](Passage& p) {
         if (sends_any_header(p) && p.element.attribute("lang", ns::xml))
           p.set_attribute("xml:lang", "de-Latn-DE-1996");
       }},
      {"xmpp.line-break-behind-features", "begins a line behind its features", "RFC6120-11.7-1",
       [](Passage& p) {
         if (offers(p)) p.octets += "\n";
       }},
      {"xmpp.empty-features-with-a-blank", "writes a blank into features that offer nothing", "RFC6120-4.3.2-6",
       [](Passage& p) {
         if (offers(p) && p.element.children().empty()) write_more(p, " ");
       }},
  };
}

/// Letters, all of one case.
std::string in_case(std::string text, bool capitals) {
  std::ranges::transform(text, text.begin(), [capitals](unsigned char c) {
    return static_cast<char>(capitals ? std::toupper(c) : std::tolower(c));
  });
  return text;
}

std::vector<Row> negotiation() {
  return {
      // As who is asked, too: what is right in capitals is wrong in small letters.
      {"xmpp.keys-in-capitals", "makes dialback keys of capitals", "XEP0220-2.1.1-1 XEP0220-2.2.2-3",
       [](Passage& p) {
         const auto key = p.element.text();
         if (p.initiating && sends_dialback(p, "result", "") && needs_no_reference(key))
           p.replace(">" + key + "<", ">" + in_case(key, true) + "<");
         const bool asked = !p.initiating && p.hears("verify", ns::dialback) && value(p, "type").empty();
         if (asked && needs_no_reference(key))
           p.replace(">" + key + "<", ">" + in_case(key, key != in_case(key, true)) + "<");
       }},
  };
}

std::string bare(const std::string& address) { return address.substr(0, address.find('/')); }

/// What is told of a user besides presence (XEP-0163): that there is no picture.
std::string event_of(const Passage& p) {
  return "<message type='headline'" + xmpp::attribute("from", bare(value(p, "from"))) +
         xmpp::attribute("to", value(p, "to")) +
         "><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:avatar:metadata'>"
         "<item id='current'><metadata xmlns='urn:xmpp:avatar:metadata'/></item></items></event></message>";
}

std::vector<Row> stanzas() {
  return {
      {"xmpp.tells-events-behind-presence", "tells behind available presence what else is to be told (XEP-0163)",
       "RFC6121-4.2.2-1",
       [](Passage& p) {
         const bool of_a_user = value(p, "from").find('@') != std::string::npos;
         if (p.sends_presence("") && !p.link && of_a_user) p.octets += event_of(p);
       }},
      {"xmpp.labels-messages", "labels messages that have no label (XEP-0258)", "RFC6120-8.4-2",
       [](Passage& p) {
         if (sends_body(p) && p.element.child("securitylabel", "urn:xmpp:sec-label:0") == nullptr)
           write_more(p,
                      "<securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking fgcolor='black' bgcolor='green'>"
                      "UNCLASSIFIED</displaymarking><label/></securitylabel>");
       }},
      {"xmpp.presence-with-idle-time", "says since when a user did nothing (XEP-0319)", "RFC6120-8.4-2",
       [](Passage& p) {
         if (p.sends_presence("") && !p.link)
           write_more(p, "<idle xmlns='urn:xmpp:idle:1' since='2026-11-28T12:00:00Z'/>");
       }},
      {"xmpp.outcomes-of-subscriptions-in-words", "says in words that a subscription is approved or refused",
       "RFC6121-3.1.5-1",
       [](Passage& p) {
         const bool tells = p.sends_presence("subscribed") || p.sends_presence("unsubscribed");
         if (tells && !p.link && p.element.child("status", ns::server) == nullptr)
           write_more(p, "<status>So it was decided</status>");
       }},
  };
}

/// An answer to service discovery about the server itself.
bool tells_of_itself(const Passage& p) {
  return sends_iq_answer(p) && p.element.child("query", ns::disco_info) != nullptr &&
         value(p, "from").find('@') == std::string::npos;
}

void turn_attributes(xml::Element& element) {
  auto attributes = element.attributes();
  std::ranges::reverse(attributes);
  for (const auto& one : attributes) element.remove_attribute(one.name, one.ns);
  for (const auto& one : attributes) element.set_attribute(one.name, one.value, one.ns);
}

std::vector<Row> answers() {
  return {
      {"xmpp.disco-with-a-form", "tells by service discovery who answers for it (XEP-0157)", "XEP0030-3.1-1",
       [](Passage& p) {
         if (tells_of_itself(p) && p.octets.find("jabber:x:data") == std::string::npos)
           p.replace("</query>",
                     "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>"
                     "http://jabber.org/network/serverinfo</value></field><field var='abuse-addresses' "
                     "type='list-multi'><value>mailto:abuse@example.org</value></field></x></query>");
       }},
      {"xmpp.disco-declares-its-namespace-again", "declares the namespace of service discovery on each feature",
       "XEP0030-3.1-1",
       [](Passage& p) {
         if (tells_of_itself(p))
           p.replace("<feature var=", "<feature xmlns='http://jabber.org/protocol/disco#info' var=");
       }},
      {"xmpp.disco-attributes-in-another-order", "writes the attributes of identities and features the other way round",
       "XEP0030-3.1-1",
       [](Passage& p) {
         if (tells_of_itself(p)) p.edit([](xml::Element& iq) { change_below(iq, turn_attributes); });
       }},
      {"xmpp.answers-on-many-lines", "begins a line before each element of the answers of its own", "RFC6120-8-1",
       [](Passage& p) {
         if (!sends_iq_answer(p) || value(p, "from").find('@') != std::string::npos) return;
         for (auto at = p.octets.find("><"); at != std::string::npos; at = p.octets.find("><", at + 1))
           if (p.octets[at + 2] != '/') p.octets.insert(at + 1, "\n");
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_foreign_variants() { return variants(s2s, {octets(), negotiation(), stanzas(), answers()}); }

}  // namespace cutover::departures
