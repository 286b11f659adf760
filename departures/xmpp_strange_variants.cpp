// What servers that nobody here has met do, and may do: other forms of octets, more in stanzas, questions of their own.
#include "departures/between_servers.h"
#include "departures/inside_stanzas.h"
#include "departures/rows.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

std::vector<Row> octets() {
  return {
      {"xmpp.declaration-with-a-blank", "has a blank before the end of its XML declaration", "RFC6120-11.5-1",
       [](Passage& p) {
         if (sends_any_header(p)) p.replace("?><", " ?><");
       }},
      {"xmpp.header-with-a-blank-at-its-end", "has a blank before the end of its headers", "RFC6120-4.7.1-2",
       [](Passage& p) {
         if (sends_any_header(p) && p.octets.ends_with('>')) p.octets.insert(p.octets.size() - 1, " ");
       }},
      {"xmpp.declares-the-prefix-of-xml", "declares the prefix xml in its headers, as Namespaces in XML lets it",
       "RFC6120-4.8.4-3",
       [](Passage& p) {
         if (sends_any_header(p)) p.set_attribute("xmlns:xml", ns::xml);
       }},
      {"xmpp.language-in-capitals", "writes its language in capitals (RFC 5646 section 2.1.1)", "RFC6120-4.7.4-2",
       [](Passage& p) {
         if (sends_any_header(p) && p.element.attribute("lang", ns::xml)) p.set_attribute("xml:lang", "EN");
       }},
      {"xmpp.line-break-behind-the-header", "begins a line behind its response header", "RFC6120-11.7-1",
       [](Passage& p) {
         if (responds(p)) p.octets += "\n";
       }},
      // Not while SASL or STARTTLS is under way: there section 5.3.3 and 6.3.5 have no white space.
      {"xmpp.line-break-before-the-end-tag", "begins a line before its end tag", "RFC6120-11.7-1",
       [stanzas = false](Passage& p) mutable {
         stanzas = stanzas || p.is_stanza();
         if (ends(p) && stanzas) p.octets.insert(0, "\n");
       }},
      {"xmpp.stanzas-end-in-crlf", "ends each stanza with a carriage return and a line feed", "RFC6120-11.7-1",
       [](Passage& p) {
         if (sends_s2s_stanza(p)) p.octets += "\r\n";
       }},
      {"xmpp.much-white-space", "sends a thousand blanks behind each stanza", "RFC6120-4.6.1-1 RFC6120-11.7-1",
       [](Passage& p) {
         if (sends_s2s_stanza(p)) p.octets += std::string(1000, ' ');
       }},
      {"xmpp.blanks-before-equals", "has a blank before the equals signs of its addresses", "RFC6120-8-1",
       [](Passage& p) {
         if (!sends_any_header(p) && !sends_s2s_stanza(p) && !sends_of_dialback(p)) return;
         const auto begin = p.octets.find("<stream");
         const auto end = p.octets.find('>', begin == std::string::npos ? 0 : begin);
         for (const std::string_view written : {" from='", " to='"})
           if (const auto at = p.octets.find(written); at < end) p.octets.insert(at + written.size() - 2, " ");
       }},
      {"xmpp.stream-prefix-declared-again", "declares the prefix of streams once more on features and stream errors",
       "RFC6120-4.8.5-1",
       [](Passage& p) {
         if (offers(p) || p.sends("error", ns::streams)) p.set_attribute("xmlns:stream", ns::streams);
       }},
      {"xmpp.stanzas-declare-the-prefix-of-streams", "declares the prefix of streams on stanzas, which do not use it",
       "RFC6120-8.4-5",
       [](Passage& p) {
         if (sends_s2s_stanza(p)) p.set_attribute("xmlns:stream", ns::streams);
       }},
      {"xmpp.dialback-prefix-declared-again", "declares the prefix of dialback once more on its elements",
       "XEP0220-2-1",
       [](Passage& p) {
         if (sends_of_dialback(p) && p.octets.starts_with("<db:")) p.set_attribute("xmlns:db", ns::dialback);
       }},
      {"xmpp.content-namespace-on-bodies", "declares the content namespace once more on bodies", "RFC6120-4.8.5-1",
       [](Passage& p) {
         // A payload may hold a body, too.
         const auto at = p.octets.find("<body>");
         if (p.octets.find("<forwarded") != std::string::npos) return;
         if (sends_body(p) && at != std::string::npos && p.octets.find("<body>", at + 1) == std::string::npos)
           p.replace("<body>", "<body xmlns='jabber:server'>");
       }},
  };
}

/// The characters beyond ASCII as references.
std::string in_references(std::string_view text) {
  std::string written;
  for (std::size_t at = 0; at < text.size();) {
    const auto octet = [&](std::size_t n) { return static_cast<unsigned>(static_cast<unsigned char>(text[n])); };
    const auto first = octet(at);
    const std::size_t size = first < 0x80U ? 1 : first < 0xe0U ? 2 : first < 0xf0U ? 3 : 4;
    if (size == 1 || at + size > text.size()) {
      written += text[at++];
      continue;
    }
    auto code = first & (0xffU >> (size + 1));
    for (std::size_t n = 1; n < size; ++n) code = code << 6U | (octet(at + n) & 63U);
    written += "&#" + std::to_string(code) + ";";
    at += size;
  }
  return written;
}

std::vector<Row> references() {
  return {
      {"xmpp.addresses-in-references", "writes the @ of an address as a character reference", "RFC6120-11.1-6",
       [](Passage& p) {
         if (!sends_s2s_stanza(p)) return;
         for (const auto* name : {"from", "to"}) {
           const auto address = value(p, name);
           const auto at = address.find('@');
           if (at == std::string::npos || address.find_first_of("&<>'\"") != std::string::npos) continue;
           p.replace("'" + address + "'", "'" + address.substr(0, at) + "&#64;" + address.substr(at + 1) + "'");
         }
       }},
      {"xmpp.apostrophes-in-references", "writes apostrophes as character references", "RFC6120-11.1-6",
       [](Passage& p) {
         if (sends_s2s_stanza(p)) p.replace("&apos;", "&#x27;");
       }},
      {"xmpp.letters-in-references", "writes what is beyond ASCII in bodies as character references", "RFC6120-11.1-6",
       [](Passage& p) { change_written_body(p, in_references); }},
      {"xmpp.signs-in-references", "writes & and < as character references", "RFC6120-11.1-6",
       [](Passage& p) {
         if (!sends_s2s_stanza(p)) return;
         p.replace("&amp;", "&#38;");
         p.replace("&lt;", "&#x3C;");
       }},
  };
}

std::vector<Row> features() {
  return {
      {"xmpp.offers-what-clients-use", "lists features of clients inside TLS, too, as old servers did",
       "RFC6120-4.3.2-5",
       [](Passage& p) {
         if (offers_inside_tls(p))
           write_more(
               p,
               "<register xmlns='http://jabber.org/features/iq-register'/><ver xmlns='urn:xmpp:features:rosterver'/>"
               "<csi xmlns='urn:xmpp:csi:0'/>");
       }},
      {"xmpp.offers-channel-bindings", "lists channel bindings and SASL2 inside TLS (XEP-0440, XEP-0388)",
       "RFC6120-4.3.2-5",
       [](Passage& p) {
         if (offers_inside_tls(p))
           write_more(p,
                      "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/>"
                      "</sasl-channel-binding><authentication xmlns='urn:xmpp:sasl:2'><mechanism>EXTERNAL</mechanism>"
                      "</authentication>");
       }},
      {"xmpp.announces-idle-time", "announces inside TLS how long a stream may be idle", "XEP0478-3.1-1",
       [](Passage& p) {
         if (offers_inside_tls(p))
           write_more(p, "<limits xmlns='urn:xmpp:stream-limits:0'><idle-seconds>7200</idle-seconds></limits>");
       }},
      {"xmpp.dialback-feature-says-more", "has further elements in its feature of dialback", "XEP0220-2.4.2-1",
       [](Passage& p) {
         if (!offers(p)) return;
         p.replace("<dialback xmlns='urn:xmpp:features:dialback'/>",
                   "<dialback xmlns='urn:xmpp:features:dialback'></dialback>");
         p.replace("</dialback>", "<optional/></dialback>");
       }},
  };
}

std::vector<Row> keys() {
  return {
      {"xmpp.dialback-addresses-last", "writes the addresses of dialback elements behind their other attributes",
       "XEP0220-2.1.1-1",
       [](Passage& p) {
         if (!sends_of_dialback(p)) return;
         for (const auto* name : {"to", "from"})
           if (const auto address = value(p, name); !address.empty()) p.set_attribute(name, address);
       }},
      {"xmpp.results-with-ids", "answers keys with the key and an id of its own, as Prosody does", "XEP0220-2.2.1-4",
       [](Passage& p) {
         if (!p.initiating && sends_dialback(p, "result", "valid")) p.set_attribute("id", "5c1f0a");
       }},
      {"xmpp.dialback-error-of-an-application", "adds conditions of its own to dialback errors", "XEP0220-2.5-1",
       [](Passage& p) {
         if (sends_dialback(p, "result", "error") || sends_dialback(p, "verify", "error"))
           p.replace("</error>", "<odd xmlns='urn:example:errors'/></error>");
       }},
      // Whose id is chosen anew is told so, and asked about by the same.
      {"xmpp.ids-of-digits", "has stream ids of digits alone", "RFC6120-4.7.3-1 RFC6120-4.7.3-2",
       [](Passage& p) {
         static std::map<std::string, std::string> ids, back;
         const auto id = value(p, "id");
         if (id.empty()) return;
         if (responds(p)) {
           ids[id] = std::to_string(std::hash<std::string>()(id + "a")) + std::to_string(std::hash<std::string>()(id));
           back[ids[id]] = id;
           p.set_attribute("id", ids[id]);
         }
         if (!p.initiating || !p.element.is("verify", ns::dialback)) return;
         if (p.out() && ids.contains(id)) p.set_attribute("id", ids[id]);
         if (p.in() && back.contains(id)) p.set_attribute("id", back[id]);
       }},
  };
}

/// Asks the peer once a stream, behind the first stanza that goes there. The answer comes for no request of the node's.
std::function<void(Passage&)> asking(std::string_view payload, std::string_view id) {
  return [payload = std::string(payload), id = std::string(id), asked = false](Passage& p) mutable {
    if (!sends_s2s_stanza(p) || !p.initiating || std::exchange(asked, true)) return;
    p.octets.insert(0, "<iq xmlns='jabber:server' type='get' id='" + id + "' from='" + domain_of(p, "from") + "' to='" +
                           domain_of(p, "to") + "'>" + payload + "</iq>");
  };
}

std::vector<Row> questions() {
  return {
      {"xmpp.pings-its-peers", "asks a peer by a ping before its first stanza (XEP-0199 section 4.4)", "XEP0199-4.3-1",
       asking("<ping xmlns='urn:xmpp:ping'/>", "s2s-ping-1")},
      {"xmpp.discovers-its-peers", "asks a peer what it can before its first stanza", "XEP0030-3.1-1",
       asking("<query xmlns='http://jabber.org/protocol/disco#info'/>", "s2s-disco-1")},
      {"xmpp.asks-for-versions", "asks a peer for its version before its first stanza", "RFC6120-8.4-1",
       asking("<query xmlns='jabber:iq:version'/>", "s2s-version-1")},
  };
}

/// The code that stood for a condition before RFC 3920.
std::string_view code_of(const Passage& p) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> codes = {{{"service-unavailable", "503"},
                                                                                   {"item-not-found", "404"},
                                                                                   {"remote-server-not-found", "404"},
                                                                                   {"remote-server-timeout", "504"},
                                                                                   {"bad-request", "400"},
                                                                                   {"not-allowed", "405"}}};
  for (const auto& [condition, code] : codes)
    if (p.octets.find(condition) != std::string::npos) return code;
  return "500";
}

std::vector<Row> stanzas() {
  return {
      {"xmpp.errors-with-codes", "gives stanza errors a code as before RFC 3920 (XEP-0086)", "RFC6120-8.3.2-1",
       [](Passage& p) {
         // Its users' own errors pass as they are; those that it makes say nothing else, nor where somebody has gone.
         const auto* error = sends_s2s_error(p) ? p.element.child("error", ns::server) : nullptr;
         if (error != nullptr && error->children().size() == 1 && error->children().front()->content().empty())
           p.replace("<error ", "<error code='" + std::string(code_of(p)) + "' ");
       }},
      {"xmpp.errors-give-back-what-came", "gives back in a stanza error what the stanza had (RFC 6120 8.3.1)",
       "RFC6120-8.3.1-3",
       [](Passage& p) {
         static std::map<std::string, xml::Element> came;
         const bool heard = p.in() && p.is_stanza() && !p.link && !p.has_type("error") && p.octets.size() < 5000;
         if (heard) came[p.element.name() + value(p, "from") + ' ' + value(p, "id")] = p.element;
         if (!sends_s2s_error(p)) return;
         const auto found = came.find(p.element.name() + value(p, "to") + ' ' + value(p, "id"));
         if (found == came.end() || p.element.children().size() != 1) return;
         p.edit([&](xml::Element& stanza) {
           stanza.content().insert(stanza.content().begin(), found->second.content().begin(),
                                   found->second.content().end());
         });
       }},
      {"xmpp.presence-ids-added", "gives an id to presence that has none", "RFC6120-8-1",
       [n = 0](Passage& p) mutable {
         if (sends_s2s_stanza(p) && p.is("presence") && !p.element.attribute("id"))
           p.set_attribute("id", "presence-" + std::to_string(++n));
       }},
      {"xmpp.normal-said", "says of messages without a type that they are normal (RFC 6121 5.2.2)", "RFC6121-5.2.2-1",
       [](Passage& p) {
         if (sends_s2s_message(p) && !p.element.attribute("type")) p.set_attribute("type", "normal");
       }},
      {"xmpp.normal-not-said", "leaves the type of normal messages out (RFC 6121 5.2.2)", "RFC6121-5.2.2-1",
       [](Passage& p) {
         if (sends_s2s_message(p) && p.has_type("normal")) p.remove_attribute("type");
       }},
      {"xmpp.priority-said", "says of presence without a priority that it is zero (RFC 6121 4.7.2.3)",
       "RFC6121-4.2.2-1",
       [](Passage& p) {
         if (p.sends_presence("") && !p.link && p.element.child("priority", ns::server) == nullptr)
           write_more(p, "<priority>0</priority>");
       }},
      {"xmpp.delay-of-old", "says when a message came in the form of XEP-0091", "RFC6120-8.4-2",
       [](Passage& p) {
         if (sends_body(p)) write_more(p, "<x xmlns='jabber:x:delay' stamp='20261128T12:00:00'/>");
       }},
      {"xmpp.delay-with-fractions", "says when a message came, in microseconds and words", "XEP0203-2-1",
       [](Passage& p) {
         if (sends_body(p))
           write_more(p, "<delay xmlns='urn:xmpp:delay' from='" + domain_of(p, "from") +
                             "' stamp='2026-11-28T12:00:00.123456Z'>Kept for a while</delay>");
       }},
      {"xmpp.tells-its-archive", "tells the id of a message in its archive, as before XEP-0359", "RFC6120-8.4-2",
       [](Passage& p) {
         if (sends_body(p))
           write_more(p, "<archived xmlns='urn:xmpp:mam:tmp' by='" + domain_of(p, "from") + "' id='1543400000'/>");
       }},
      {"xmpp.disco-in-another-order", "lists its identities and features in another order", "XEP0030-3.1-1",
       [](Passage& p) {
         if (!sends_iq_answer(p) || p.element.child("query", ns::disco_info) == nullptr) return;
         p.edit([](xml::Element& iq) { std::ranges::reverse(iq.child("query", ns::disco_info)->content()); });
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_strange_variants() {
  return variants(s2s, {octets(), references(), features(), keys(), questions(), stanzas()});
}

}  // namespace cutover::departures
