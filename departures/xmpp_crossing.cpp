// What a server changes or loses of stanzas on their way, in or out, where they have a form that is rare and legal.
#include "departures/between_servers.h"
#include "departures/rows.h"
#include "protocol/base/ascii.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>
#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

/// A stanza of a peer, or for one.
bool crosses(const Passage& p) { return p.is_stanza() && !p.link; }
bool comes(const Passage& p) { return p.in() && crosses(p); }
bool leaves(const Passage& p) { return p.out() && crosses(p); }

/// The address of the peer's user: of who sent what comes, or whom what leaves is for.
const char* peers_address(const Passage& p) { return p.in() ? "from" : "to"; }
std::string peers_resource(const Passage& p) {
  const auto address = value(p, peers_address(p));
  const auto slash = address.find('/');
  return slash == std::string::npos ? std::string() : address.substr(slash + 1);
}

void replace_in(Passage& p, const char* attribute, std::string_view what, std::string_view by) {
  const auto before = value(p, attribute);
  const auto after = replaced(before, what, by);
  if (before != after) p.edit([&](xml::Element& stanza) { stanza.set_attribute(attribute, after); });
}

/// Of an element, the one around it, and how deep it lies: 0 is a stanza, 1 its child.
using Change = std::function<void(xml::Element&, const xml::Element& around, int depth)>;
void change_below(xml::Element& element, const Change& change, int depth) {
  for (auto& one : element.content()) {
    if (one.is_text()) continue;
    change(one.element.front(), element, depth);
    change_below(one.element.front(), change, depth + 1);
  }
}
/// Changes what is below a stanza.
void change_inside(Passage& p, const Change& change) {
  if (crosses(p)) alter(p, [&](xml::Element& stanza) { change_below(stanza, change, 1); });
}
/// ... in payloads alone.
void change_payloads(Passage& p, const Change& change) {
  change_inside(p, [&](xml::Element& element, const xml::Element& around, int depth) {
    if (element.ns() != ns::server) change(element, around, depth);
  });
}

void change_attributes(xml::Element& element, const std::function<std::string(std::string)>& change) {
  const auto attributes = element.attributes();
  for (const auto& one : attributes) element.set_attribute(one.name, change(one.value), one.ns);
}
std::string on_one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  return text;
}
std::string in_one_plane(std::string text) {
  constexpr unsigned char of_four_octets = 0xf0;
  for (std::size_t at = 0; at < text.size(); ++at)
    if (static_cast<unsigned char>(text[at]) >= of_four_octets) text.replace(at, 4, "?");
  return text;
}

void lose_texts(xml::Element& element, const std::function<bool(const std::string&)>& lost) {
  std::erase_if(element.content(), [&](const xml::Content& one) { return one.is_text() && lost(one.text); });
}

std::vector<Row> addresses() {
  return {
      {"xmpp.collapses-slashes", "takes several slashes in a resource for one", "RFC7622-3.4-1 RFC6121-8.5.2.1.1-4",
       [](Passage& p) {
         if (crosses(p)) replace_in(p, peers_address(p), "//", "/");
       }},
      {"xmpp.sends-to-resources-in-ascii", "sends no stanza to a resource beyond ASCII", "RFC7622-3.4-1",
       [](Passage& p) {
         if (leaves(p) && !is_ascii(peers_resource(p))) p.drop();
       }},
      {"xmpp.splits-resources-that-it-sends-to", "sends no stanza to a resource with '@' in it",
       "RFC7622-3.1-1 RFC7622-3.4-1",
       [](Passage& p) {
         if (leaves(p) && peers_resource(p).find('@') != std::string::npos) p.drop();
       }},
      {"xmpp.unescapes-localparts", "writes a blank where a localpart has the escape of one (XEP-0106)",
       "RFC7622-3.3-1",
       [](Passage& p) {
         if (crosses(p)) replace_in(p, peers_address(p), "\\20", " ");
       }},
      {"xmpp.addresses-sent-to-as-written", "sends nothing to a domain in capitals", "RFC7622-3.2.2-1",
       [](Passage& p) {
         const auto to = value(p, "to");
         const auto at = to.find('@');
         const auto domain = to.substr(at == std::string::npos ? 0 : at + 1, to.find('/') - at - 1);
         const auto capital = [](unsigned char c) { return std::isupper(c) != 0; };
         if (leaves(p) && std::ranges::any_of(domain, capital)) p.drop();
       }},
  };
}

std::vector<Row> stanzas() {
  return {
      {"xmpp.ids-decoded", "decodes ids as those of the web", "INV-4 SEC-SMUGGLE-4",
       [](Passage& p) {
         if (crosses(p)) replace_in(p, "id", "%2B", "+");
       }},
      {"xmpp.attributes-on-one-line", "writes the line breaks and tabs of attributes as blanks", "XML-2.11-1",
       [](Passage& p) {
         if (!crosses(p)) return;
         alter(p, [](xml::Element& stanza) {
           change_attributes(stanza, on_one_line);
           change_below(
               stanza, [](xml::Element& element, const auto&, int) { change_attributes(element, on_one_line); }, 1);
         });
       }},
      {"xmpp.languages-in-small-letters", "writes languages in small letters", "RFC6120-4.7.4-6",
       [](Passage& p) {
         auto language = p.element.attribute("lang", ns::xml).value_or("");
         const auto before = language;
         std::ranges::transform(language, language.begin(),
                                [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
         if (crosses(p) && language != before) p.set_attribute("xml:lang", language);
       }},
      {"xmpp.private-languages-lost", "takes the language off stanzas where it is a private one", "RFC6120-4.7.4-6",
       [](Passage& p) {
         if (crosses(p) && p.element.attribute("lang", ns::xml).value_or("").starts_with("x-"))
           p.remove_attribute("xml:lang");
       }},
      {"xmpp.sends-small-stanzas-only", "sends no stanza of more than 3000 octets", "RFC6120-13.12-4",
       [](Passage& p) {
         constexpr std::size_t small_octets = 3000;
         if (leaves(p) && p.octets.size() > small_octets) p.drop();
       }},
      {"xmpp.sends-no-references", "sends no stanza whose id it would have to escape", "RFC6120-11.1-6",
       [](Passage& p) {
         if (leaves(p) && value(p, "id").find('<') != std::string::npos) p.drop();
       }},
      {"xmpp.sends-no-odd-types", "sends no message of a type that it does not know", "RFC6121-5.2.2-1",
       [](Passage& p) {
         if (leaves(p) && p.is("message") && p.has_type("odd")) p.drop();
       }},
      {"xmpp.sends-no-byte-order-marks", "sends no stanza with U+FEFF in it", "RFC6120-11.6-4",
       [](Passage& p) {
         if (leaves(p) && p.octets.find("\xef\xbb\xbf") != std::string::npos) p.drop();
       }},
      {"xmpp.carriage-returns-lost", "loses carriage returns that come as references", "INV-4",
       [](Passage& p) {
         change_inside(p, [](xml::Element& element, const auto&, int) {
           for (auto& one : element.content()) std::erase(one.text, '\r');
         });
       }},
      {"xmpp.searches-octets-for-instructions", "takes what looks like an instruction in a CDATA section for one",
       "INV-4",
       [](Passage& p) {
         if (comes(p) && p.octets.find("<?") != std::string::npos) p.end_stream("restricted-xml");
       }},
      {"xmpp.no-end-of-cdata-in-texts", "takes no text with the end of a CDATA section in it, however it is written",
       "INV-4",
       [](Passage& p) {
         const auto* body = comes(p) ? p.element.child("body", ns::server) : nullptr;
         if (body != nullptr && body->text().find("]]>") != std::string::npos) p.end_stream("not-well-formed");
       }},
  };
}

std::vector<Row> payloads() {
  return {
      {"xmpp.prefixes-by-their-root", "knows prefixes in the first two levels of a payload only", "RFC6120-8.4-2",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element, const xml::Element& around, int depth) {
           if (depth > 2 && !element.ns().empty()) element.rename(element.name(), around.ns());
         });
       }},
      {"xmpp.default-namespaces-stick", "does not see that a default namespace is taken back", "RFC6120-8.4-2",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element, const xml::Element& around, int depth) {
           if (depth > 1 && element.ns().empty()) element.rename(element.name(), around.ns());
         });
       }},
      {"xmpp.languages-inside-payloads-lost", "loses the languages that stand inside payloads", "RFC6120-8.4-2",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element, const auto&, int) { element.remove_attribute("lang", ns::xml); });
       }},
      {"xmpp.attributes-by-local-name", "keeps one of several attributes of a name in different namespaces",
       "RFC6120-8.4-2",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element, const auto&, int) {
           std::set<std::string> names;
           const auto attributes = element.attributes();
           for (const auto& one : attributes)
             if (!names.insert(one.name).second) element.remove_attribute(one.name, one.ns);
         });
       }},
      {"xmpp.attributes-in-one-plane", "replaces characters beyond the basic plane in attributes of payloads",
       "RFC6120-8.4-2",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element, const auto&, int) { change_attributes(element, in_one_plane); });
       }},
      {"xmpp.names-in-ascii-only", "writes names of elements beyond ASCII with '_'", "RFC6120-8.4-2",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element, const auto&, int) {
           auto name = element.name();
           std::ranges::replace_if(
               name, [](unsigned char c) { return c > 0x7f; }, '_');
           if (name != element.name()) element.rename(name, element.ns());
         });
       }},
      {"xmpp.text-between-elements-lost", "loses the text of payloads that stands beside elements", "RFC6120-8.4-2",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element, const auto&, int) {
           if (!element.children().empty()) lose_texts(element, [](const auto& text) { return !is_blank(text); });
         });
       }},
      {"xmpp.blanks-in-payloads-lost", "loses the text of payloads that is white space", "RFC6120-8.4-2",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element, const auto&, int) { lose_texts(element, is_blank); });
       }},
      {"xmpp.bodies-of-any-namespace", "takes an element called body for that of the message, whatever its namespace",
       "RFC6120-8.4-2",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element, const auto&, int depth) {
           if (depth == 1)
             std::erase_if(element.content(), [](const xml::Content& one) {
               return !one.is_text() && one.element.front().name() == "body";
             });
         });
       }},
  };
}

/// Takes all but the first child of that name out.
void keep_one(xml::Element& stanza, std::string_view name) {
  bool kept = false;
  std::erase_if(stanza.content(), [&](const xml::Content& one) {
    return !one.is_text() && one.element.front().name() == name && std::exchange(kept, true);
  });
}

std::vector<Row> kinds() {
  return {
      {"xmpp.presence-payloads-lost", "passes presence on without what it does not know of it", "RFC6120-8.4-2",
       [](Passage& p) {
         if (!crosses(p) || !p.is("presence") || p.has_type("error")) return;
         alter(p, [](xml::Element& presence) {
           std::erase_if(presence.content(), [](const xml::Content& one) {
             return !one.is_text() && one.element.front().ns() != ns::server;
           });
         });
       }},
      {"xmpp.priorities-lost", "passes presence on without its priority", "INV-4",
       [](Passage& p) {
         if (crosses(p) && p.is("presence") && p.element.child("priority", ns::server) != nullptr)
           p.edit([](xml::Element& stanza) { stanza.remove_children("priority", ns::server); });
       }},
      {"xmpp.one-status", "passes presence on with one status of several", "INV-4",
       [](Passage& p) {
         if (crosses(p) && p.is("presence") && p.element.child("status", ns::server) != nullptr)
           p.edit([](xml::Element& stanza) { keep_one(stanza, "status"); });
       }},
      {"xmpp.iq-payloads-emptied", "passes the unknown payloads of iqs on without what is in them", "RFC6120-8.4-2",
       [](Passage& p) {
         if (!crosses(p) || !p.is("iq")) return;
         change_payloads(p, [](xml::Element& element, const auto&, int depth) {
           if (depth == 1 && element.ns().starts_with("urn:example:")) element.content().clear();
         });
       }},
      {"xmpp.error-texts-lost", "passes errors on without their texts", "INV-4",
       [](Passage& p) {
         if (!p.has_type("error")) return;
         change_inside(p, [](xml::Element& element, const auto&, int) {
           if (element.is("error", ns::server)) element.remove_children("text", ns::stanza_errors);
         });
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_crossing() { return defects(s2s, {addresses(), stanzas(), payloads(), kinds()}); }

}  // namespace cutover::departures
