// What is sent in a form that no text allows, whatever it is about: for the standing judge, which hears all of it.
#include "departures/between_servers.h"
#include "departures/rows.h"

#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

constexpr std::string_view odd = "<odd xmlns='urn:example:odd'/>", declaration = "<?xml version='1.0'";

bool sends_message(const Passage& p) { return p.sends("message") && !p.link; }
bool sends_stream_error(const Passage& p) { return p.sends("error", ns::streams); }
bool asks(const Passage& p, std::string_view name) {
  return p.sends(name, ns::dialback) && !p.element.attribute("type");
}
bool answers(const Passage& p, std::string_view name) {
  return p.sends(name, ns::dialback) && p.element.attribute("type").has_value();
}
bool sends_iq(const Passage& p, std::string_view type) { return p.sends("iq") && p.has_type(type) && !p.link; }
void add_odd(xml::Element& stanza) { stanza.add(xml::Element("odd", "urn:example:odd")); }
void set_text(xml::Element& element, std::string_view text) {
  element.content().clear();
  element.add_text(text);
}
/// One more child of a stream error.
void put_into_error(Passage& p, std::string_view child) {
  if (sends_stream_error(p)) p.replace("</stream:error>", std::string(child) + "</stream:error>");
}

std::vector<Row> octets() {
  return {
      {"xmpp.sends-comments", "sends a comment before each message", "RFC6120-11.1-1",
       [](Passage& p) {
         if (sends_message(p)) p.octets.insert(0, "<!-- a message -->");
       }},
      {"xmpp.sends-latin-1", "sends octets that are no UTF-8", "RFC6120-11.6-1",
       [](Passage& p) {
         if (sends_message(p)) p.replace("</body>", "\xe9</body>");
       }},
      {"xmpp.sends-byte-order-mark", "begins its streams with a byte order mark", "RFC6120-11.6-3",
       [](Passage& p) {
         if (p.sends_header() && !p.link) p.octets.insert(0, "\xef\xbb\xbf");
       }},
      {"xmpp.sends-no-declaration", "begins its streams without an XML declaration", "RFC6120-11.5-1",
       [](Passage& p) {
         if (p.sends_header()) p.octets.erase(0, p.octets.find("<stream"));
       }},
      {"xmpp.declares-standalone", "declares its streams as standalone", "RFC6120-11.5-2",
       [](Passage& p) {
         if (p.sends_header()) p.replace(declaration, std::string(declaration) + " standalone='yes'");
       }},
      {"xmpp.declares-xml-1.1", "declares its streams as XML 1.1", "RFC6120-11.8-1",
       [](Passage& p) {
         if (p.sends_header()) p.replace(declaration, "<?xml version='1.1'");
       }},
      {"xmpp.text-between-stanzas", "sends characters between stanzas", "RFC6120-11.7-2",
       [](Passage& p) {
         if (sends_message(p)) p.octets += "stray";
       }},
      {"xmpp.crosses-tags", "closes messages before their bodies", "RFC6120-11.3-1",
       [](Passage& p) {
         if (sends_message(p)) p.replace("</body></message>", "</message></body>");
       }},
      {"xmpp.prefixes-stanzas", "sends stanzas with a prefix", "RFC6120-4.8.5-2",
       [](Passage& p) {
         if (!sends_message(p)) return;
         // The stanza itself, not those inside its payload.
         constexpr std::string_view open = "<message", close = "</message>";
         if (!p.octets.ends_with(close)) return;
         p.octets.replace(p.octets.size() - close.size(), close.size(), "</s:message>");
         p.octets.replace(p.octets.find(open), open.size(), "<s:message xmlns:s='jabber:server'");
       }},
  };
}

std::vector<Row> headers() {
  return {
      {"xmpp.responds-with-version-1.1", "answers version 1.0 with a higher one", "RFC6120-4.7.5-2",
       [](Passage& p) {
         if (responds(p)) p.set_attribute("version", "1.1");
       }},
      {"xmpp.version-with-leading-zero", "writes its version with a leading zero", "RFC6120-4.7.5-4",
       [](Passage& p) {
         if (responds(p)) p.set_attribute("version", "01.0");
       }},
      {"xmpp.responds-from-a-user", "answers in the name of a user instead of a domain", "RFC6120-4.7.1-4",
       [](Passage& p) {
         if (responds(p)) p.set_attribute("from", "user@" + p.element.attribute_or_empty("from"));
       }},
      {"xmpp.language-of-no-form", "names a language that is none", "RFC6120-4.7.4-4",
       [](Passage& p) {
         if (responds(p)) p.set_attribute("xml:lang", "en_GB");
       }},
      {"xmpp.version-forgotten-at-restarts", "leaves its version out of all headers of a connection but the first",
       "RFC6120-4.7.5-7",
       [headers = 0](Passage& p) mutable {
         if (p.sends_header() && !p.link && ++headers > 1) p.remove_attribute("version");
       }},
      {"xmpp.dialback-not-declared", "asks for dialback without having declared it", "XEP0220-2.4.1-1",
       [](Passage& p) {
         constexpr std::string_view declared = " xmlns:db='jabber:server:dialback'";
         if (p.sends_header() && p.initiating && !p.link) p.replace(declared, "");
         for (const std::string tag : {"<db:result", "<db:verify"})
           if (p.out() && p.initiating) p.replace(tag, tag + std::string(declared));
       }},
  };
}

std::vector<Row> negotiation() {
  return {
      {"xmpp.something-before-features", "sends an element between its header and its features", "RFC6120-4.3.2-1",
       [](Passage& p) {
         if (p.sends("features", ns::streams) && !p.secured) p.octets.insert(0, odd);
       }},
      {"xmpp.something-before-features-of-a-restart",
       "sends an element between the header and the features of a restart", "RFC6120-4.3.4-1",
       [](Passage& p) {
         if (p.sends("features", ns::streams) && p.secured && !p.link) p.octets.insert(0, odd);
       }},
      {"xmpp.required-with-content", "writes something into <required/>", "RFC6120-5.4.1-3",
       [](Passage& p) {
         if (p.sends("features", ns::streams)) p.replace("<required/>", "<required>yes</required>");
       }},
      {"xmpp.mechanism-without-name", "offers a mechanism that has no name", "RFC6120-6.4.1-1",
       [](Passage& p) {
         if (p.sends("features", ns::streams)) p.replace("</mechanisms>", "<mechanism/></mechanisms>");
       }},
      {"xmpp.mechanism-of-odd-name", "offers a mechanism whose name has blanks and small letters", "RFC4422-3.1-1",
       [](Passage& p) {
         if (p.sends("features", ns::streams))
           p.replace("</mechanisms>", "<mechanism>Client certificate</mechanism></mechanisms>");
       }},
      {"xmpp.external-listed-last", "lists another mechanism before EXTERNAL", "RFC6120-6.3.4-4",
       [](Passage& p) {
         if (p.sends("features", ns::streams))
           p.replace("<mechanism>EXTERNAL<", "<mechanism>SCRAM-SHA-1</mechanism><mechanism>EXTERNAL<");
       }},
      {"xmpp.management-offered-early", "offers stream management to a peer that is still to authenticate",
       "XEP0198-2-1",
       [](Passage& p) {
         if (p.sends("features", ns::streams)) p.replace("</mechanisms>", "</mechanisms><sm xmlns='urn:xmpp:sm:3'/>");
       }},
      {"xmpp.space-behind-starttls", "sends white space behind <starttls/>", "RFC6120-5.3.3-1",
       [](Passage& p) {
         if (p.sends("starttls", ns::tls)) p.octets += " ";
       }},
      {"xmpp.space-behind-auth", "sends white space behind <auth/>", "RFC6120-6.3.5-1",
       [](Passage& p) {
         if (p.sends("auth", ns::sasl)) p.octets += " ";
       }},
      {"xmpp.speaks-behind-proceed", "sends an element behind <proceed/>, in clear", "RFC6120-5.4.3.1-1",
       [](Passage& p) {
         if (p.sends("proceed", ns::tls)) p.octets += odd;
       }},
      {"xmpp.starttls-behind-auth", "asks for TLS once more behind <auth/>", "RFC6120-5.3.4-1",
       [](Passage& p) {
         if (p.sends("auth", ns::sasl)) p.octets += "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
       }},
      {"xmpp.auth-is-no-base64", "writes its identity in clear into <auth/>", "RFC6120-6.3.5-2",
       [](Passage& p) {
         if (p.sends("auth", ns::sasl)) p.edit([](xml::Element& auth) { set_text(auth, "a.server.example"); });
       }},
  };
}

std::vector<Row> dialback() {
  return {
      {"xmpp.result-without-key", "asks by db:result without a key",
       "XEP0220-2.1.1-1 LYNC-NEG-3 LYNC-NEG-5 LYNC-NEG-7 LYNC-NEG-8 LYNC-NEG-10 LYNC-NEG-12 LYNC-NEG-14 "
       "LYNC-NEG-16",
       [](Passage& p) {
         if (asks(p, "result")) p.edit([](xml::Element& result) { set_text(result, ""); });
       }},
      {"xmpp.result-twice", "asks for a pair twice", "XEP0220-2.1.1-2",
       [](Passage& p) {
         if (asks(p, "result")) p.repeat();
       }},
      {"xmpp.result-not-turned-about", "answers a db:result without turning its addresses about", "XEP0220-2.2.1-4",
       [](Passage& p) {
         if (!answers(p, "result")) return;
         const auto from = p.element.attribute_or_empty("from");
         p.set_attribute("from", p.element.attribute_or_empty("to"));
         p.set_attribute("to", from);
       }},
      {"xmpp.requests-of-a-type", "gives its requests for dialback a type", "XEP0220-2.2-2",
       [](Passage& p) {
         if (asks(p, "result") || asks(p, "verify")) p.set_attribute("type", "get");
       }},
      {"xmpp.verify-without-id", "asks by db:verify without the id of the stream", "XEP0220-2.1.2-1",
       [](Passage& p) {
         if (asks(p, "verify")) p.remove_attribute("id");
       }},
      {"xmpp.verify-of-odd-type", "answers a db:verify with a type that does not exist", "XEP0220-2.2.2-1",
       [](Passage& p) {
         if (answers(p, "verify")) p.set_attribute("type", "yes");
       }},
      {"xmpp.one-key-for-all", "has one key for every pair and stream", "XEP0185-2-4",
       [](Passage& p) {
         if (asks(p, "result")) p.edit([](xml::Element& result) { set_text(result, "0123456789abcdef"); });
       }},
  };
}

std::vector<Row> errors() {
  return {
      {"xmpp.speaks-behind-error", "sends an element behind a stream error", "RFC6120-4.9.1.1-1",
       [](Passage& p) {
         if (sends_stream_error(p)) p.octets += odd;
       }},
      {"xmpp.speaks-behind-the-end", "sends an element behind its end tag", "RFC6120-4.4-2",
       [](Passage& p) {
         if (p.out() && p.kind == Passage::Kind::end_tag) p.octets += odd;
       }},
      {"xmpp.error-text-elsewhere", "writes the text of stream errors in another namespace", "RFC6120-4.9.2-3",
       [](Passage& p) { put_into_error(p, "<text xmlns='jabber:server'>so it is</text>"); }},
      {"xmpp.error-extra-elsewhere", "adds to stream errors a child of the content namespace", "RFC6120-4.9.2-4",
       [](Passage& p) { put_into_error(p, "<why xmlns='jabber:server'/>"); }},
      {"xmpp.error-of-rfc-3920", "names what is not well-formed as RFC 3920 did", "RFC6120-4.9.3.13-1",
       [](Passage& p) {
         if (sends_stream_error(p)) p.replace("<not-well-formed", "<xml-not-well-formed");
       }},
      {"xmpp.redirects-in-clear", "sends peers elsewhere before TLS", "RFC6120-4.9.3.19-2",
       [](Passage& p) {
         if (sends_stream_error(p) && !p.secured)
           p.octets =
               "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>other.example"
               "</see-other-host></stream:error>";
       }},
      {"xmpp.error-names-files", "tells in the texts of errors where in its program they arose", "SEC-LEAK-1",
       [](Passage& p) {
         put_into_error(p, "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>/usr/lib/server/s2s.lua:12</text>");
       }},
  };
}

std::vector<Row> stanzas() {
  return {
      {"xmpp.stanza-without-to", "sends messages without a to", "RFC6120-8.1.1.2-3",
       [](Passage& p) {
         if (sends_message(p)) p.remove_attribute("to");
       }},
      {"xmpp.stanza-without-from", "sends messages without a from", "RFC6120-8.1.2.2-3",
       [](Passage& p) {
         if (sends_message(p)) p.remove_attribute("from");
       }},
      {"xmpp.domain-in-a-labels", "writes the domain of a sender in A-labels", "RFC7622-3.2.1-1 XEP0220-2.1.1-3",
       [](Passage& p) {
         if (sends_message(p)) p.set_attribute("from", "user@xn--bcher-kva.example");
       }},
      {"xmpp.sends-for-others", "sends messages in the name of a domain that was not verified", "XEP0220-2.1.1-3",
       [](Passage& p) {
         if (sends_message(p)) p.set_attribute("from", "user@other.example");
       }},
      {"xmpp.iq-without-id", "sends iqs without an id", "RFC6120-8.1.3-2",
       [](Passage& p) {
         if (p.sends("iq") && !p.link) p.remove_attribute("id");
       }},
      {"xmpp.request-with-two-children", "sends iq requests with two children", "RFC6120-8.2.3-5",
       [](Passage& p) {
         if (sends_iq(p, "get") || sends_iq(p, "set")) p.edit(add_odd);
       }},
      {"xmpp.result-with-two-children", "sends iq results with two children", "RFC6120-8.2.3-6",
       [](Passage& p) {
         if (!sends_iq(p, "result")) return;
         p.edit(add_odd);
         p.edit(add_odd);
       }},
      {"xmpp.error-without-error", "sends stanzas of type error without an error", "RFC6120-8.3.1-3",
       [](Passage& p) {
         if (p.out() && p.is_stanza() && p.has_type("error") && !p.link)
           p.edit([](xml::Element& stanza) { stanza.remove_children("error", ns::server); });
       }},
      {"xmpp.error-in-messages", "puts an error into messages of other types", "RFC6120-8.3.1-6",
       [](Passage& p) {
         if (sends_message(p) && !p.has_type("error"))
           p.edit([](xml::Element& stanza) { stanza.add(xml::Element("error", ns::server)); });
       }},
      {"xmpp.stanza-error-without-condition", "sends stanza errors that name no condition", "RFC6120-8.3.2-1",
       [](Passage& p) {
         if (p.out() && p.is_stanza() && p.has_type("error") && !p.link)
           p.edit([](xml::Element& stanza) {
             if (auto* error = stanza.child("error", ns::server)) error->content().clear();
           });
       }},
      {"xmpp.subscribes-with-resource", "sends subscriptions from a full JID", "RFC6121-3-1",
       [](Passage& p) {
         constexpr std::string_view types[] = {"subscribe", "subscribed", "unsubscribe", "unsubscribed"};
         for (const auto type : types)
           if (p.sends_presence(type) && !p.link)
             p.set_attribute("from", p.element.attribute_or_empty("from") + "/there");
       }},
      {"xmpp.delay-of-odd-form", "stamps messages with a time that is not of the form of XEP-0082", "XEP0203-2-1",
       [](Passage& p) {
         if (!sends_message(p)) return;
         p.edit([](xml::Element& stanza) {
           stanza.add(xml::Element("delay", ns::delay)).set_attribute("stamp", "20020910T23:08:25");
         });
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_forms() {
  return defects(judged, {octets(), headers(), negotiation(), dialback(), errors(), stanzas()});
}

}  // namespace cutover::departures
