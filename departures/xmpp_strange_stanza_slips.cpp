// Slips of servers that nobody here has met: what a stanza loses or gains on its way, by its texts, payloads and names.
#include "departures/between_servers.h"
#include "departures/inside_stanzas.h"
#include "departures/rows.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

bool sends_s2s_presence(const Passage& p, std::string_view type) { return p.sends_presence(type) && !p.link; }

/// Replaces texts in the bodies of messages.
void change_bodies(Passage& p, const Texts& texts) {
  change_body_texts(p, [&texts](std::string text) { return with_all_replaced(std::move(text), texts); });
}

bool has_elements(const xml::Element& element) {
  return std::ranges::any_of(element.content(), [](const xml::Content& one) { return !one.is_text(); });
}

void cut_below(xml::Element& element, int levels) {
  if (levels == 0) std::erase_if(element.content(), [](const xml::Content& one) { return !one.is_text(); });
  for (auto& one : element.content())
    if (!one.is_text()) cut_below(one.element.front(), levels - 1);
}

/// Takes what begins and ends so out of the octets.
void take_out_all(std::string& octets, std::string_view begin, std::string_view end) {
  for (auto at = octets.find(begin); at != std::string::npos; at = octets.find(begin, at)) {
    const auto close = octets.find(end, at);
    if (close == std::string::npos) return;
    octets.erase(at, close + end.size() - at);
  }
}

/// Each character reference beyond the basic plane becomes a question mark.
void lose_high_references(Passage& p) {
  for (auto at = p.octets.find("&#"); at != std::string::npos; at = p.octets.find("&#", at + 1)) {
    const auto end = p.octets.find(';', at);
    const bool hex = p.octets.size() > at + 2 && p.octets[at + 2] == 'x';
    const auto digits = p.octets.substr(at + (hex ? 3 : 2), end == std::string::npos ? 0 : end - at - (hex ? 3 : 2));
    if (!digits.empty() && digits.size() < 9 && std::stoul(digits, nullptr, hex ? 16 : 10) > 0xffffU)
      p.octets.replace(at, end + 1 - at, "?");
  }
}

std::vector<Row> texts() {
  return {
      {"xmpp.tabs-become-spaces", "writes a tab in a body as a space", "INV-4",
       [](Passage& p) {
         change_bodies(p, {{"\t", " "}});
       }},
      {"xmpp.no-break-spaces-lost", "writes a no-break space in a body as a space", "INV-4",
       [](Passage& p) {
         change_bodies(p, {{"\u00a0", " "}});
       }},
      {"xmpp.bodies-composed", "writes a letter and its combining mark as one character", "INV-4",
       [](Passage& p) {
         change_bodies(p, {{"e\u0301", "\u00e9"}, {"a\u0308", "\u00e4"}, {"o\u0308", "\u00f6"}, {"u\u0308", "\u00fc"}});
       }},
      {"xmpp.joiners-lost", "takes characters that have no width out of bodies", "INV-4",
       [](Passage& p) {
         change_bodies(p, {{"\u200d", ""}, {"\u200b", ""}, {"\ufe0f", ""}});
       }},
      {"xmpp.line-ends-of-xml-1.1", "takes U+0085 and U+2028 for line breaks, as XML 1.1 does", "RFC6120-11.8-1 INV-4",
       [](Passage& p) {
         change_bodies(p, {{"\u0085", "\n"}, {"\u2028", "\n"}});
       }},
      {"xmpp.carriage-returns-end-lines", "takes a reference to a carriage return for a line break",
       "RFC6120-11.1-6 INV-4 XML-2.11-1",
       [](Passage& p) {
         if (!hears_s2s_stanza(p)) return;
         for (const std::string_view one : {"&#13;", "&#xD;", "&#xd;"}) p.replace(one, "\n");
       }},
      {"xmpp.cdata-lost", "loses what stands in CDATA sections", "RFC6120-11.8-1 INV-4",
       [](Passage& p) {
         if (hears_s2s_stanza(p)) take_out_all(p.octets, "<![CDATA[", "]]>");
       }},
      {"xmpp.high-references-lost", "knows no reference to a character beyond the basic plane", "RFC6120-11.1-6 INV-4",
       [](Passage& p) {
         if (hears_s2s_stanza(p)) lose_high_references(p);
       }},
      {"xmpp.apostrophes-not-escaped", "writes apostrophes as they are, in attributes, too",
       "RFC6120-11.3-1 SEC-SMUGGLE-3",
       [](Passage& p) {
         if (!sends_s2s_stanza(p)) return;
         p.replace("&apos;", "'");
         p.replace("&#39;", "'");
       }},
      {"xmpp.section-ends-not-escaped", "writes ]]> as it is", "RFC6120-11.3-1 SEC-SMUGGLE-3",
       [](Passage& p) {
         if (sends_s2s_stanza(p)) p.replace("]]&gt;", "]]>");
       }},
      {"xmpp.child-languages-lost", "takes the language off the bodies and subjects of messages", "INV-4",
       [](Passage& p) {
         if (!passes_message(p)) return;
         alter(p, [](xml::Element& stanza) {
           for (auto& one : stanza.content())
             if (!one.is_text()) one.element.front().remove_attribute("lang", ns::xml);
         });
       }},
      {"xmpp.thread-parents-lost", "does not tell which thread a thread comes from", "RFC6121-5.2.5-1 INV-4",
       [](Passage& p) {
         if (!passes_message(p)) return;
         alter(p, [](xml::Element& stanza) {
           if (auto* thread = stanza.child("thread", stanza.ns())) thread->remove_attribute("parent");
         });
       }},
  };
}

std::vector<Row> payloads() {
  return {
      {"xmpp.long-attributes-cut", "passes on the first 255 octets of an attribute", "RFC6120-8.4-2 INV-4",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element) {
           for (const auto attributes = element.attributes(); const auto& one : attributes)
             if (one.value.size() > 255) element.set_attribute(one.name, one.value.substr(0, 255), one.ns);
         });
       }},
      {"xmpp.deep-payloads-cut", "passes on four levels of a payload", "RFC6120-8.4-2 INV-4",
       [](Passage& p) {
         if (passes_message(p)) alter(p, [](xml::Element& stanza) { cut_below(stanza, 4); });
       }},
      {"xmpp.payload-white-space-lost", "loses white space between the elements of a payload", "RFC6120-8.4-2 INV-4",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element) {
           if (has_elements(element))
             std::erase_if(element.content(),
                           [](const xml::Content& one) { return one.is_text() && is_blank(one.text); });
         });
       }},
      {"xmpp.no-namespace-lost", "puts what is in no namespace into the one around it",
       "RFC6120-8.4-2 SEC-SMUGGLE-6 INV-4",
       [](Passage& p) {
         if (!passes_message(p)) return;
         p.replace(" xmlns=''", "");
         p.replace(" xmlns=\"\"", "");
       }},
      {"xmpp.qualified-attributes-lost", "loses the attributes of a payload that have a namespace",
       "RFC6120-8.4-2 INV-4",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element) {
           for (const auto attributes = element.attributes(); const auto& one : attributes)
             if (!one.ns.empty()) element.remove_attribute(one.name, one.ns);
         });
       }},
      {"xmpp.like-payloads-merged", "passes on the last of several payloads of one name only", "RFC6120-8.4-2 INV-4",
       [](Passage& p) {
         if (!passes_message(p)) return;
         alter(p, [](xml::Element& stanza) {
           std::set<std::pair<std::string, std::string>> seen;
           std::ranges::reverse(stanza.content());
           std::erase_if(stanza.content(), [&](const xml::Content& one) {
             if (one.is_text() || one.element.front().ns() == stanza.ns()) return false;
             return !seen.emplace(one.element.front().name(), one.element.front().ns()).second;
           });
           std::ranges::reverse(stanza.content());
         });
       }},
      {"xmpp.payloads-turned-about", "passes the elements of a payload on in another order", "RFC6120-8.4-2 INV-4",
       [](Passage& p) { change_payloads(p, [](xml::Element& element) { std::ranges::reverse(element.content()); }); }},
      {"xmpp.xhtml-bodies-lost", "takes the body out of a text that is marked up", "RFC6120-8.4-2 INV-4",
       [](Passage& p) {
         change_payloads(
             p, [](xml::Element& element) { element.remove_children("body", "http://www.w3.org/1999/xhtml"); });
       }},
      {"xmpp.application-conditions-lost", "loses what an application says in a stanza error",
       "RFC6120-8.3.4-1 RFC6120-8.4-2 INV-4",
       [](Passage& p) {
         if (!passes_stanza(p) || !p.has_type("error")) return;
         alter(p, [](xml::Element& stanza) {
           auto* error = stanza.child("error", stanza.ns());
           if (error == nullptr) return;
           std::erase_if(error->content(), [](const xml::Content& one) {
             return !one.is_text() && one.element.front().ns() != ns::stanza_errors;
           });
         });
       }},
      {"xmpp.large-stanzas-ignored", "says nothing to a stanza of more than 12 000 octets, and forgets it",
       "RFC6120-13.12-5",
       [](Passage& p) {
         if (hears_s2s_stanza(p) && p.octets.size() > 12000) p.drop();
       }},
  };
}

std::vector<Row> addresses() {
  return {
      {"xmpp.backslashes-doubled", "escapes the backslash of a localpart that is escaped already (XEP-0106)",
       "RFC7622-3.3-1 RFC6120-8.1.2.1-1 RFC6120-10.5.4-1",
       [](Passage& p) {
         change_part(p, true, [](const std::string& local) { return with_all_replaced(local, {{"\\", "\\5c"}}); });
       }},
      {"xmpp.escapes-resolved", "sends stanzas to addresses with what XEP-0106 escapes", "RFC7622-3.3.1-1 RFC7622-4-1",
       [](Passage& p) {
         if (p.in()) return;
         change_part(p, true, [](const std::string& local) {
           return with_all_replaced(local, {{"\\20", " "},
                                            {"\\22", "\""},
                                            {"\\26", "&"},
                                            {"\\27", "'"},
                                            {"\\2f", "/"},
                                            {"\\3a", ":"},
                                            {"\\3c", "<"},
                                            {"\\3e", ">"},
                                            {"\\40", "@"}});
         });
       }},
      {"xmpp.localparts-in-ascii-only", "knows no letter beyond ASCII in a localpart", "RFC7622-3.3-1",
       [](Passage& p) {
         change_part(p, true, [](std::string local) {
           std::erase_if(local, [](unsigned char c) { return c > 0xbfU; });
           std::ranges::replace_if(
               local, [](unsigned char c) { return c > 0x7fU; }, '_');
           return local;
         });
       }},
      {"xmpp.resources-without-spaces", "writes the spaces of a resource as underscores", "RFC7622-3.4-1",
       [](Passage& p) {
         change_part(p, false, [](const std::string& resource) { return with_all_replaced(resource, {{" ", "_"}}); });
       }},
      {"xmpp.resources-end-at-a-slash", "takes a resource to end at the next slash", "RFC7622-3.4-1 RFC7622-3.1-1",
       [](Passage& p) {
         change_part(p, false, [](const std::string& resource) { return resource.substr(0, resource.find('/')); });
       }},
  };
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// Puts words of no language in that namespace into a stanza error, in place of those that it has.
void put_words(Passage& p, std::string_view text_ns) {
  if (!sends_s2s_error(p)) return;
  p.edit([&](xml::Element& stanza) {
    auto* error = stanza.child("error", stanza.ns());
    if (error == nullptr) return;
    error->remove_children("text", ns::stanza_errors);
    error->add(xml::Element("text", std::string(text_ns))).add_text("It did not work.");
  });
}

std::vector<Row> requests() {
  return {
      {"xmpp.ids-trimmed", "takes blanks off the ends of an id that it answers", "RFC6120-8.1.3-1",
       [](Passage& p) {
         const auto id = value(p, "id");
         if (!sends_iq_answer(p) || is_blank(id)) return;
         const auto begin = id.find_first_not_of(' ');
         const auto trimmed = id.substr(begin, id.find_last_not_of(' ') + 1 - begin);
         if (trimmed != id) p.set_attribute("id", trimmed);
       }},
      {"xmpp.ids-as-numbers", "takes an id of digits for a number", "RFC6120-8.1.3-1",
       [](Passage& p) {
         const auto id = value(p, "id");
         if (sends_iq_answer(p) && is_number(id) && id.size() > 1 && id.front() == '0')
           p.set_attribute("id", id.substr(std::min(id.find_first_not_of('0'), id.size() - 1)));
       }},
      {"xmpp.repeated-ids-unanswered", "answers no request whose id another user of the peer has used",
       "RFC6120-8.2.3-3",
       [seen = std::set<std::string>()](Passage& p) mutable {
         const bool asks = p.is("iq") && (p.has_type("get") || p.has_type("set"));
         if (hears_s2s_stanza(p) && asks && !seen.insert(value(p, "id")).second) p.drop();
       }},
      {"xmpp.requests-by-their-prefix", "knows pings and service discovery as text only",
       "RFC6120-8.4-4 RFC6120-8.2.3-3 XEP0199-4.3-1 XEP0030-3.1-1",
       [](Passage& p) {
         if (!hears_s2s_stanza(p) || !p.is("iq")) return;
         const auto* asked = p.element.first_child();
         if (asked != nullptr && p.octets.find("<" + asked->name()) == std::string::npos) p.drop();
       }},
      {"xmpp.unknown-requests-not-implemented", "answers requests that it does not know with feature-not-implemented",
       "RFC6120-8.4-1",
       [](Passage& p) {
         if (sends_s2s_error(p) && p.is("iq") && value(p, "from").find('@') == std::string::npos)
           p.replace("<service-unavailable", "<feature-not-implemented");
       }},
      {"xmpp.absence-told", "answers a request to a resource that is not there with recipient-unavailable",
       "RFC6120-8.3.3.13-1 RFC6121-8.5.3.2.3-1 XEP0199-7-1",
       [](Passage& p) {
         if (sends_s2s_error(p) && p.is("iq") && value(p, "from").find('/') != std::string::npos)
           p.replace("<service-unavailable", "<recipient-unavailable");
       }},
      {"xmpp.disco-identity-without-type", "does not say of what type it is", "XEP0030-3.1-1",
       [](Passage& p) {
         if (!sends_iq_answer(p)) return;
         alter(p, [](xml::Element& iq) {
           if (auto* query = iq.child("query", ns::disco_info))
             if (auto* identity = query->child("identity", ns::disco_info)) identity->remove_attribute("type");
         });
       }},
      {"xmpp.ping-not-listed", "does not list pings among its features", "XEP0199-5-1",
       [](Passage& p) {
         if (!sends_iq_answer(p)) return;
         alter(p, [](xml::Element& iq) {
           if (auto* query = iq.child("query", ns::disco_info))
             std::erase_if(query->content(), [](const xml::Content& one) {
               return !one.is_text() && one.element.front().attribute_or_empty("var") == ns::ping;
             });
         });
       }},
      {"xmpp.two-stanza-conditions", "names two conditions in stanza errors", "RFC6120-8.3.2-1",
       [](Passage& p) {
         if (!sends_s2s_error(p)) return;
         p.edit([](xml::Element& stanza) {
           if (auto* error = stanza.child("error", stanza.ns()))
             error->add(xml::Element("undefined-condition", ns::stanza_errors));
         });
       }},
      {"xmpp.stanza-error-text-elsewhere", "writes the text of stanza errors in the namespace of the stanza",
       "RFC6120-8.3.2-3", [](Passage& p) { put_words(p, ns::server); }},
      {"xmpp.stanza-error-text-without-language", "explains stanza errors in words of no language", "RFC6120-8.3.2-4",
       [](Passage& p) { put_words(p, ns::stanza_errors); }},
      {"xmpp.stanza-conditions-unheard-of", "names a condition in stanza errors that does not exist", "RFC6120-8.3.2-1",
       [](Passage& p) {
         if (sends_s2s_error(p)) p.replace("<service-unavailable", "<not-available");
       }},
  };
}

std::vector<Row> presence() {
  return {
      {"xmpp.negative-priorities-lost", "tells nobody a priority below zero", "RFC6121-4.4.2-1 RFC6121-4.2.2-1 INV-4",
       [](Passage& p) {
         if (passes_stanza(p) && p.is("presence")) p.replace("<priority>-", "<priority>");
       }},
      {"xmpp.requests-heard-without-content", "delivers requests for a subscription without what they say",
       "RFC6121-3.1.3-4 INV-4",
       [](Passage& p) {
         if (p.hears_presence("subscribe") && !p.link) alter(p, [](xml::Element& stanza) { stanza.content().clear(); });
       }},
      {"xmpp.probes-from-a-resource", "sends probes from a full address", "RFC6121-4.3-1",
       [](Passage& p) {
         if (sends_s2s_presence(p, "probe") && value(p, "from").find('/') == std::string::npos)
           p.set_attribute("from", value(p, "from") + "/probe");
       }},
      {"xmpp.unavailable-from-bare-address", "sends presence of type unavailable from the bare address",
       "RFC6121-4.5.2-1 RFC6120-8.1.2.1-1",
       [](Passage& p) {
         if (sends_s2s_presence(p, "unavailable"))
           p.set_attribute("from", value(p, "from").substr(0, value(p, "from").find('/')));
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_strange_stanza_slips() {
  return defects(s2s, {texts(), payloads(), addresses(), requests(), presence()});
}

}  // namespace cutover::departures
