// How the documents let a stream be written, and the reference does not write it: XML has many forms for one thing.
#include "departures/rows.h"
#include "protocol/xml/markup.h"
#include "protocol/xmpp/dialback.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;

/// "<name" becomes "<prefix:name".
bool put_prefix(Passage& p, const std::string& open, std::string_view prefix, const std::string& rest) {
  return p.replace(open + rest, open + std::string(prefix) + ":" + rest);
}
namespace ns = xmpp::ns;

bool sends_header(const Passage& p) { return p.sends_header() && !p.link; }
bool sends_stanza(const Passage& p) { return p.out() && p.is_stanza() && !p.link; }
bool sends_dialback(const Passage& p) {
  return p.out() && p.kind == Passage::Kind::element && p.element.ns() == ns::dialback;
}
/// An element of STARTTLS or SASL.
bool negotiates(const Passage& p) {
  return p.out() && p.kind == Passage::Kind::element && (p.element.ns() == ns::tls || p.element.ns() == ns::sasl);
}

/// Single quotes become double ones, where no octet of the item minds.
void quote_twice(Passage& p) {
  if (p.octets.find('"') != std::string::npos || p.octets.find("&apos;") != std::string::npos) return;
  if (p.kind == Passage::Kind::element && p.element.text().find('\'') != std::string::npos) return;
  std::ranges::replace(p.octets, '\'', '"');
}

/// Where the first tag of the octets ends ('>' or "/>"); npos where it does not.
std::size_t end_of_first_tag(const std::string& octets) {
  const auto end = xml::end_of_tag(octets, 0);
  return end != std::string::npos && end > 0 && octets[end - 1] == '/' ? end - 1 : end;
}

/// "<name .../>" becomes "<name ...></name>", for each tag without content.
void write_end_tags(Passage& p) {
  std::string written;
  for (std::size_t at = 0; at < p.octets.size();) {
    if (p.octets[at] != '<') {
      written += p.octets[at++];
      continue;
    }
    const auto rest = p.octets.substr(at);
    const auto end = end_of_first_tag(rest);
    if (rest.starts_with("<!") || end == std::string::npos) return;
    if (rest[end] == '/') {
      const auto name = rest.substr(1, rest.find_first_of(" \t\r\n/>", 1) - 1);
      written += rest.substr(0, end) + "></" + name + ">";
      at += end + 2;
    } else {
      written += rest.substr(0, end + 1);
      at += end + 1;
    }
  }
  p.octets = written;
}

/// `<name xmlns='uri' ...>` becomes `<n:name xmlns:n='uri' ...>`; of an element that holds text at most.
void write_with_prefix(Passage& p) {
  const auto& name = p.element.name();
  if (!p.element.children().empty() || !p.octets.starts_with("<" + name)) return;
  p.replace("<" + name, "<n:" + name);
  p.replace("</" + name, "</n:" + name);
  p.replace(" xmlns=", " xmlns:n=");
}

/// Changes the octets between <body> and </body>.
void change_text(Passage& p, const std::function<void(std::string&)>& change) {
  if (!sends_stanza(p) || p.element.name() != "message") return;
  constexpr std::string_view open = "<body>";
  const auto begin = p.octets.find(open), end = p.octets.find("</body>");
  if (begin == std::string::npos || end == std::string::npos) return;
  const auto from = begin + open.size();
  auto text = p.octets.substr(from, end - from);
  if (text.find("<![CDATA[") != std::string::npos) return;
  change(text);
  p.octets.replace(from, end - from, text);
}

std::vector<Row> headers() {
  return {
      {"xmpp.header-attributes-in-another-order", "names the version first and its prefix last in its headers",
       "RFC6120-4.7.5-2 RFC6120-4.7.5-1",
       [](Passage& p) {
         if (!sends_header(p)) return;
         p.set_attribute("xmlns:stream", ns::streams);
         const auto version = p.element.attribute("version");
         if (!version || *version != "1.0") return;
         p.remove_attribute("version");
         p.replace("<stream:stream", "<stream:stream version='1.0'");
       }},
      {"xmpp.declaration-in-double-quotes", "writes its XML declaration with double quotes", "RFC6120-11.6-1",
       [](Passage& p) {
         if (sends_header(p)) p.replace("version='1.0'?>", "version=\"1.0\"?>");
       }},
      {"xmpp.declares-its-encoding-in-small-letters", "names utf-8 in its XML declaration", "RFC6120-11.6-1",
       [](Passage& p) {
         if (sends_header(p)) p.replace("<?xml version='1.0'?>", "<?xml version='1.0' encoding='utf-8'?>");
       }},
      {"xmpp.line-break-behind-the-declaration", "begins a line behind its XML declaration", "RFC6120-11.6-1",
       [](Passage& p) {
         if (sends_header(p)) p.replace("?><stream", "?>\r\n<stream");
       }},
      {"xmpp.header-declares-further-prefixes", "declares namespaces in its headers that nobody uses yet",
       "RFC6120-4.8.4-3",
       [](Passage& p) {
         if (!sends_header(p)) return;
         p.set_attribute("xmlns:bidi", "urn:xmpp:bidi");
         p.set_attribute("xmlns:e", "urn:xmpp:errors");
       }},
      // The id of a stream is the receiving entity's to choose. What asks about a key names it, too, on another stream.
      {"xmpp.ids-with-odd-signs", "has signs in its stream ids that XML escapes", "RFC6120-4.7.3-1",
       [](Passage& p) {
         constexpr std::string_view odd = "<&'\"> ";
         const auto id = p.element.attribute_or_empty("id");
         if (sends_header(p) && !p.initiating && !id.empty()) p.set_attribute("id", std::string(odd) + id);
         if (!p.initiating || !p.element.is("verify", ns::dialback)) return;
         if (p.out() && !p.element.attribute("type")) p.set_attribute("id", std::string(odd) + id);
         if (p.in() && id.starts_with(odd)) p.set_attribute("id", id.substr(odd.size()));
       }},
      {"xmpp.long-ids", "has stream ids of more than 200 characters", "RFC6120-4.7.3-1",
       [](Passage& p) {
         const std::string more(200, 'x');
         const auto id = p.element.attribute_or_empty("id");
         if (sends_header(p) && !p.initiating && !id.empty()) p.set_attribute("id", id + more);
         if (!p.initiating || !p.element.is("verify", ns::dialback)) return;
         if (p.out() && !p.element.attribute("type")) p.set_attribute("id", id + more);
         if (p.in() && id.ends_with(more)) p.set_attribute("id", id.substr(0, id.size() - more.size()));
       }},
      {"xmpp.end-tag-with-white-space", "writes its end tag as XML lets it: with a line break before '>'",
       "RFC6120-4.4-5",
       [](Passage& p) {
         if (p.out() && !p.link && p.kind == Passage::Kind::end_tag)
           p.replace("</stream:stream>", "</stream:stream\n>");
       }},
  };
}

std::vector<Row> negotiation() {
  return {
      {"xmpp.features-in-double-quotes", "writes its features with double quotes", "RFC6120-4.3.2-1",
       [](Passage& p) {
         if (p.sends("features", ns::streams)) quote_twice(p);
       }},
      {"xmpp.features-with-prefixes", "gives its features prefixes", "RFC6120-4.3.2-1",
       [](Passage& p) {
         if (!p.sends("features", ns::streams)) return;
         for (const auto& [name, prefix, uri] : {std::array{"starttls", "t", ns::tls},
                                                 {"mechanisms", "s", ns::sasl},
                                                 {"dialback", "d", ns::dialback_feature}}) {
           const auto declared = std::string(" xmlns='") + uri + "'";
           if (p.octets.find("<" + std::string(name) + declared) == std::string::npos) continue;
           for (const std::string tag : {name, "required", "mechanism", "errors"}) {
             const bool own = tag == name || (tag == "required" && *prefix == 't') ||
                              (tag == "mechanism" && *prefix == 's') || (tag == "errors" && *prefix == 'd');
             if (!own) continue;
             for (const std::string end : {">", "/>", " "}) {
               put_prefix(p, "<", prefix, tag + end);
               put_prefix(p, "</", prefix, tag + end);
             }
           }
           p.replace(declared, std::string(" xmlns:") + prefix + "='" + uri + "'");
         }
       }},
      {"xmpp.features-with-end-tags", "writes features without content with an end tag", "RFC6120-4.3.2-1",
       [](Passage& p) {
         if (p.sends("features", ns::streams)) write_end_tags(p);
       }},
      {"xmpp.negotiates-with-prefixes", "gives the elements of STARTTLS and SASL a prefix",
       "RFC6120-5.4.2.1-1 RFC6120-6.2-1",
       [](Passage& p) {
         if (negotiates(p)) write_with_prefix(p);
       }},
      {"xmpp.negotiates-in-double-quotes", "writes the elements of STARTTLS and SASL with double quotes",
       "RFC6120-5.4.2.1-1 RFC6120-6.2-1",
       [](Passage& p) {
         if (negotiates(p)) quote_twice(p);
       }},
      {"xmpp.negotiates-with-end-tags", "writes the elements of STARTTLS and SASL with end tags",
       "RFC6120-5.4.2.1-1 RFC6120-6.2-1",
       [](Passage& p) {
         if (negotiates(p)) write_end_tags(p);
       }},
      {"xmpp.dialback-in-double-quotes", "writes dialback elements with double quotes", "XEP0220-2.1.1-1",
       [](Passage& p) {
         if (sends_dialback(p)) quote_twice(p);
       }},
      {"xmpp.dialback-with-end-tags", "writes dialback elements without content with an end tag", "XEP0220-2.1.2-1",
       [](Passage& p) {
         if (sends_dialback(p)) write_end_tags(p);
       }},
      {"xmpp.dialback-errors-with-text", "explains dialback errors in words (RFC 6120 8.3.2)", "XEP0220-2.5-1",
       [](Passage& p) {
         if (sends_dialback(p))
           p.replace("</error>", "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>No.</text></error>");
       }},
      {"xmpp.stream-errors-in-double-quotes", "writes stream errors with double quotes", "RFC6120-4.9.2-1",
       [](Passage& p) {
         if (p.sends("error", ns::streams) && !p.link) quote_twice(p);
       }},
      {"xmpp.stream-errors-with-end-tags", "writes the condition of a stream error with an end tag", "RFC6120-4.9.2-1",
       [](Passage& p) {
         if (p.sends("error", ns::streams) && !p.link) write_end_tags(p);
       }},
  };
}

std::vector<Row> stanzas() {
  return {
      {"xmpp.white-space-before-stanzas", "begins each stanza on a line of its own", "RFC6120-11.7-1",
       [](Passage& p) {
         if (sends_stanza(p)) p.octets.insert(0, "\r\n \t");
       }},
      {"xmpp.children-in-another-order", "sends the children of a message in another order (RFC 6121 Appendix A)",
       "RFC6120-8.4-2",
       [](Passage& p) {
         if (p.sends("message") && !p.link)
           p.edit([](xml::Element& stanza) { std::ranges::reverse(stanza.content()); });
       }},
      {"xmpp.stanza-attributes-in-another-order", "writes the addresses of stanzas last", "RFC6120-8-1",
       [](Passage& p) {
         if (!sends_stanza(p)) return;
         for (const char* name : {"from", "to"}) {
           if (const auto value = p.element.attribute(name)) p.set_attribute(name, *value);
         }
       }},
      {"xmpp.stanza-attributes-on-many-lines", "writes each attribute of a stanza on a line of its own", "RFC6120-8-1",
       [](Passage& p) {
         if (!sends_stanza(p)) return;
         for (auto at = p.octets.find("' "); at < end_of_first_tag(p.octets); at = p.octets.find("' ", at + 1))
           if (p.octets[at - 1] != '=') p.octets.replace(at, 2, "'\r\n\t");
       }},
      {"xmpp.stanzas-with-end-tags", "writes elements without content with an end tag", "RFC6120-8-1",
       [](Passage& p) {
         if (sends_stanza(p)) write_end_tags(p);
       }},
      {"xmpp.spaces-inside-tags", "has white space before the end of tags", "RFC6120-8-1",
       [](Passage& p) {
         if (!sends_stanza(p)) return;
         const auto end = end_of_first_tag(p.octets);
         if (end != std::string::npos) p.octets.insert(end, " ");
         p.replace("</" + p.element.name() + ">", "</" + p.element.name() + " >");
       }},
      {"xmpp.text-in-hexadecimal-references", "writes the last letter of each text as a hexadecimal reference",
       "RFC6120-11.1-5",
       [](Passage& p) {
         change_text(p, [](std::string& text) {
           if (text.empty() || text.back() < 'a' || text.back() > 'z') return;
           constexpr std::string_view digits = "0123456789abcdef";
           const auto letter = static_cast<unsigned char>(text.back());
           text.pop_back();
           text += std::string("&#x") + digits[letter >> 4U] + digits[letter & 15U] + ";";
         });
       }},
      {"xmpp.less-is-escaped-in-text", "escapes in text what XML demands and no more", "RFC6120-11.1-5",
       [](Passage& p) {
         change_text(p, [](std::string& text) {
           for (const auto& [reference, letter] : {std::pair{"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}}) {
             const auto at = text.find(reference);
             const bool ends_cdata = at != std::string::npos && text.substr(0, at).ends_with("]]");
             if (at != std::string::npos && !ends_cdata) text.replace(at, std::string_view(reference).size(), letter);
           }
         });
       }},
      {"xmpp.chat-states-with-a-prefix", "gives chat states a prefix", "RFC6120-4.8.5-1",
       [](Passage& p) {
         if (!sends_stanza(p)) return;
         constexpr std::string_view declared = "xmlns='http://jabber.org/protocol/chatstates'";
         for (const char* state : {"active", "composing", "paused", "inactive", "gone"}) {
           if (!put_prefix(p, "<", "cha", std::string(state).append(" ").append(declared))) continue;
           p.replace(declared, "xmlns:cha='http://jabber.org/protocol/chatstates'");
           put_prefix(p, "</", "cha", std::string(state).append(">"));
         }
       }},
      {"xmpp.error-conditions-with-a-prefix", "gives the conditions of stanza errors a prefix", "RFC6120-8.3.2-1",
       [](Passage& p) {
         if (!sends_stanza(p) || !p.has_type("error")) return;
         const auto* error = p.element.child("error", ns::server);
         const auto* condition = error == nullptr ? nullptr : error->first_child();
         if (condition == nullptr || condition->ns() != ns::stanza_errors || !condition->content().empty()) return;
         const auto declared = std::string("='") + ns::stanza_errors + "'";
         if (!p.replace("<" + condition->name() + " xmlns" + declared,
                        "<e:" + condition->name() + " xmlns:e" + declared))
           return;
         p.replace("</" + condition->name() + ">", "</e:" + condition->name() + ">");
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_form_variants() { return variants(s2s, {headers(), negotiation(), stanzas()}); }

}  // namespace cutover::departures
