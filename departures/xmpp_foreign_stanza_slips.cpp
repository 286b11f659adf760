// Slips that servers and gateways in the field were shipped with: what a text, a payload or an address loses on its
// way.
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

/// Writes the & of each address of the web as it is.
void bare_ampersands(std::string& octets) {
  for (auto at = octets.find("://"); at != std::string::npos; at = octets.find("://", at + 1)) {
    const auto end = std::min(octets.find_first_of(" \t\r\n<>'\"", at), octets.size());
    const auto address = octets.substr(at, end - at);
    octets.replace(at, end - at, replaced(address, "&amp;", "&"));
  }
}

/// Takes what looks like a tag of HTML out of a text.
std::string without_tags(std::string text) {
  for (auto at = text.find('<'); at != std::string::npos; at = text.find('<', at)) {
    const auto end = text.find('>', at);
    const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
    if (end == std::string::npos) break;
    if (std::isalpha(static_cast<int>(next)) != 0 || next == '/')
      text.erase(at, end + 1 - at);
    else
      ++at;
  }
  return text;
}

bool has_body(const Passage& p) {
  return std::ranges::any_of(p.element.children(),
                             [&p](const xml::Element* one) { return one->is("body", p.element.ns()); });
}

std::vector<Row> texts() {
  return {
      {"xmpp.addresses-of-the-web-not-escaped", "writes the & in addresses of the web as it is",
       "RFC6120-11.3-1 SEC-SMUGGLE-3",
       [](Passage& p) {
         if (sends_s2s_stanza(p)) bare_ampersands(p.octets);
       }},
      // It stands in texts that were broken before; now it is a character as any other.
      {"xmpp.replacement-characters-refused", "takes U+FFFD for broken UTF-8, and loses the message",
       "RFC6120-11.8-1 RFC6120-10.5.4-1 INV-4",
       [](Passage& p) {
         if (passes_message(p) && p.octets.find("\ufffd") != std::string::npos) p.drop();
       }},
      {"xmpp.texts-decoded-twice", "resolves references in a body that was resolved already", "INV-4",
       [](Passage& p) {
         change_body_texts(p, [](std::string text) {
           return with_all_replaced(std::move(text), {{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}});
         });
       }},
      {"xmpp.bodies-taken-for-html", "takes tags of HTML out of a body, which is a text", "INV-4",
       [](Passage& p) { change_body_texts(p, without_tags); }},
      {"xmpp.lines-end-in-crlf", "ends the lines of a body with a carriage return and a line feed", "INV-4",
       [](Passage& p) {
         change_body_texts(p, [](std::string text) {
           return with_all_replaced(std::move(text), {{"\r\n", "\n"}, {"\n", "\r\n"}});
         });
       }},
      {"xmpp.empty-bodies-lost", "loses a body that is empty", "INV-4",
       [](Passage& p) {
         if (!passes_message(p)) return;
         alter(p, [](xml::Element& stanza) {
           std::erase_if(stanza.content(), [&stanza](const xml::Content& one) {
             return !one.is_text() && one.element.front().is("body", stanza.ns()) &&
                    one.element.front().content().empty();
           });
         });
       }},
      {"xmpp.messages-without-body-lost", "passes on no message that has no body", "RFC6120-10.5.4-1 RFC6120-8.4-2",
       [](Passage& p) {
         if (passes_message(p) && !p.has_type("error") && !has_body(p)) p.drop();
       }},
      {"xmpp.new-addresses-lost", "passes on that somebody has gone, and not where to (RFC 6120 8.3.3.5)",
       "INV-4 RFC6120-8.3.2-1",
       [](Passage& p) {
         if (!passes_stanza(p) || !p.has_type("error")) return;
         alter(p, [](xml::Element& stanza) {
           auto* error = stanza.child("error", stanza.ns());
           if (error == nullptr) return;
           for (const auto* name : {"gone", "redirect"})
             if (auto* condition = error->child(name, ns::stanza_errors)) condition->content().clear();
         });
       }},
  };
}

std::vector<Row> payloads() {
  return {
      {"xmpp.empty-attributes-lost", "loses the attributes of payloads that are empty", "RFC6120-8.4-2 INV-4",
       [](Passage& p) {
         change_payloads(p, [](xml::Element& element) {
           for (const auto attributes = element.attributes(); const auto& one : attributes)
             if (one.value.empty()) element.remove_attribute(one.name, one.ns);
         });
       }},
      {"xmpp.client-namespace-inside-payloads-lost", "does not say that a message inside a payload is in jabber:client",
       "RFC6120-8.4-2 RFC6120-4.8.3-4 INV-4",
       [](Passage& p) {
         if (!passes_message(p) || p.element.ns() != ns::server) return;
         p.replace(" xmlns='jabber:client'", "");
         p.replace(" xmlns=\"jabber:client\"", "");
       }},
      {"xmpp.delay-in-local-time", "stamps messages with the time of where it stands", "XEP0203-2-1",
       [](Passage& p) {
         if (sends_body(p))
           write_more(p, "<delay xmlns='urn:xmpp:delay' from='" + domain_of(p, "from") +
                             "' stamp='2026-11-28T14:00:00+02:00'/>");
       }},
  };
}

std::string localpart(const std::string& address) {
  const auto at = address.find('@');
  return at < address.find('/') ? address.substr(0, at) : std::string();
}

/// No more than that many octets, and whole characters.
std::string cut_to(const std::string& text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
  return text.substr(0, size);
}

bool is_below(std::string_view domain, const std::string& parent) {
  return !parent.empty() && domain.ends_with("." + parent);
}

/// An address at another domain.
std::string moved(const std::string& address, const std::string& from, const std::string& to) {
  const auto at = address.find('@') < address.find('/') ? address.find('@') + 1 : 0;
  return address.substr(0, at) + to + address.substr(at + from.size());
}

std::vector<Row> parts() {
  return {
      {"xmpp.long-resources-cut", "keeps the first 255 octets of a resource", "RFC7622-3.4-1 RFC6121-8.5.2.1.1-4",
       [](Passage& p) { change_part(p, false, [](const std::string& resource) { return cut_to(resource, 255); }); }},
      {"xmpp.long-localparts-refused", "takes and sends no stanza of a localpart of more than 255 octets",
       "RFC7622-3.3-1",
       [](Passage& p) {
         const auto is_long = [&p](std::string_view name) { return localpart(value(p, name)).size() > 255; };
         if (passes_stanza(p) && (is_long("from") || is_long("to"))) p.drop();
       }},
      // U+20000 and others there are as old as Unicode 3.1, and permitted by stringprep (RFC 6122) as by PRECIS. What
      // was assigned later may be refused: PRECIS leaves the version of Unicode to who implements it (RFC 8264 section
      // 5).
      {"xmpp.addresses-in-one-plane", "takes and sends no stanza whose address has characters beyond the basic plane",
       "RFC7622-3.4-1 RFC7622-3.3-1",
       [](Passage& p) {
         const auto is_beyond = [&p](std::string_view name) {
           return std::ranges::any_of(value(p, name), [](unsigned char octet) { return octet >= 0xf0U; });
         };
         if (passes_stanza(p) && (is_beyond("from") || is_beyond("to"))) p.drop();
       }},
      {"xmpp.at-signs-as-percent", "writes the escape of @ as %, as transports did before XEP-0106",
       "RFC7622-3.3-1 RFC6120-10.5.4-1",
       [](Passage& p) { change_part(p, true, [](const std::string& local) { return replaced(local, "\\40", "%"); }); }},
  };
}

/// What the header of an incoming stream says, and which other domains proved on it who they are.
struct Incoming {
  std::string theirs, ours;
  std::set<std::string> proved;

  void look(const Passage& p) {
    if (p.hears_header() && !p.link) {
      theirs = value(p, "from");
      ours = value(p, "to");
    }
    if (sends_dialback(p, "result", "valid")) proved.insert(value(p, "to"));
  }
};

std::vector<Row> domains() {
  return {
      {"xmpp.names-below-it-served", "takes stanzas to any name below its domain for its users'",
       "RFC6120-8.1.1.2-2 RFC6120-10.4-1",
       [stream = Incoming()](Passage& p) mutable {
         if (p.initiating) return;
         stream.look(p);
         const auto domain = domain_of(p, "to");
         if (hears_s2s_stanza(p) && is_below(domain, stream.ours) && !domain.starts_with("conference."))
           p.set_attribute("to", moved(value(p, "to"), domain, stream.ours));
       }},
      {"xmpp.names-below-taken-for-their-parent", "takes stanzas from names below the domain of a peer for its users'",
       "SEC-FROM-SPOOF-1 RFC6120-8.1.2.2-2 RFC6120-4.9.3.9-1",
       [stream = Incoming()](Passage& p) mutable {
         if (p.initiating) return;
         stream.look(p);
         const auto domain = domain_of(p, "from");
         if (hears_s2s_stanza(p) && is_below(domain, stream.theirs) && !stream.proved.contains(domain))
           p.set_attribute("from", moved(value(p, "from"), domain, stream.theirs));
       }},
      {"xmpp.senders-in-the-domain-of-the-header",
       "takes the users of a further domain of a stream for those of the domain of its header",
       "XEP0220-2.6.1-2 RFC6120-10.5.4-1 RFC6120-8.1.2.1-1",
       [stream = Incoming()](Passage& p) mutable {
         if (p.initiating) return;
         stream.look(p);
         const auto domain = domain_of(p, "from");
         if (hears_s2s_stanza(p) && domain != stream.theirs && stream.proved.contains(domain))
           p.set_attribute("from", moved(value(p, "from"), domain, stream.theirs));
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_foreign_stanza_slips() { return defects(s2s, {texts(), payloads(), parts(), domains()}); }

}  // namespace cutover::departures
