// Slips of whoever writes a stream: one word, one place or one namespace that is wrong, from the header to the end tag.
#include "departures/between_servers.h"
#include "departures/rows.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

bool sends_features(const Passage& p) { return p.sends("features", ns::streams) && !p.link; }

std::vector<Row> headers() {
  return {
      {"xmpp.version-without-minor", "writes its version as 1", "RFC6120-4.7.5-1 RFC6120-4.7.5-2",
       [](Passage& p) {
         if ((calls(p) || responds(p)) && value(p, "version") == "1.0") p.set_attribute("version", "1");
       }},
      {"xmpp.language-empty", "names an empty language in its headers", "RFC6120-4.7.4-4 RFC6120-4.7.4-2",
       [](Passage& p) {
         if (calls(p) || responds(p)) p.set_attribute("xml:lang", "");
       }},
      {"xmpp.stream-ids-counted", "numbers its streams one after the other", "RFC6120-4.7.3-2 XEP0220-2.1.2-1",
       [](Passage& p) {
         static std::atomic<unsigned> last = 1000;
         if (responds(p)) p.set_attribute("id", "stream-" + std::to_string(++last));
       }},
      {"xmpp.calls-from-a-resource", "writes its domain with a resource into its initial header",
       "RFC6120-4.7.1-4 RFC6120-4.7.1-1",
       [](Passage& p) {
         if (calls(p) && !value(p, "from").empty()) p.set_attribute("from", value(p, "from") + "/s2s");
       }},
      {"xmpp.to-forgotten-behind-sasl", "leaves to out of its response header behind <success/>", "RFC6120-4.7.2-2",
       forgotten_behind_sasl("to")},
      {"xmpp.dialback-namespace-misspelt", "declares a namespace of dialback that does not exist", "XEP0220-2.4.1-1",
       [](Passage& p) {
         if (calls(p) || responds(p)) p.replace("jabber:server:dialback", "jabber:server:callback");
       }},
      {"xmpp.declares-twice", "writes the XML declaration of its streams twice", "RFC6120-11.5-4 RFC6120-11.3-1",
       [](Passage& p) {
         if (p.sends_header() && !p.link) p.octets.insert(0, "<?xml version='1.0'?>");
       }},
      {"xmpp.header-ends-at-once", "writes its response header as an empty element",
       "RFC6120-4.3.2-1 RFC6120-4.4-2 RFC6120-4.9.1.1-1",
       [](Passage& p) {
         if (responds(p) && p.octets.ends_with('>')) p.octets.insert(p.octets.size() - 1, "/");
       }},
      {"xmpp.no-content-namespace", "declares no content namespace, neither in headers nor in stanzas",
       "RFC6120-4.8.2-1 RFC6120-4.8.3-2 RFC6120-4.8.3-1",
       [](Passage& p) {
         if (calls(p) || responds(p)) p.remove_attribute("xmlns");
       }},
      {"xmpp.pings-before-features", "sends a ping at once behind its initial header", "RFC6120-4.3.5-2",
       [](Passage& p) {
         if (calls(p) && !value(p, "from").empty())
           p.octets += "<iq type='get' id='early' from='" + value(p, "from") + "' to='" + value(p, "to") +
                       "'><ping xmlns='urn:xmpp:ping'/></iq>";
       }},
  };
}

std::vector<Row> features() {
  return {
      {"xmpp.features-without-prefix", "sends features that are qualified by the content namespace",
       "RFC6120-4.3.2-1 RFC6120-4.3.4-1",
       [](Passage& p) {
         if (!sends_features(p)) return;
         p.replace("<stream:features", "<features");
         p.replace("</stream:features", "</features");
       }},
      {"xmpp.features-again-once-authenticated", "sends features once more where the negotiation is over",
       "RFC6120-4.3.5-1",
       [authenticated = false](Passage& p) mutable {
         authenticated = authenticated || p.sends("success", ns::sasl);
         if (authenticated && sends_features(p))
           p.octets += "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>";
       }},
      {"xmpp.starttls-feature-in-another-namespace", "offers STARTTLS in the namespace of SASL",
       "RFC6120-5.4.1-2 RFC6120-5.2-1",
       [](Passage& p) {
         if (sends_features(p)) p.replace(ns::tls, ns::sasl);
       }},
      {"xmpp.mechanisms-in-another-namespace", "offers its mechanisms in the namespace of STARTTLS",
       "RFC6120-6.2-1 RFC6120-6.4.1-1 XEP0178-3-1 RFC6120-6.3.4-2 RFC6120-13.8.4-1 DECLARED-1 "
       "SEC-DOWNGRADE-2",
       [](Passage& p) {
         if (sends_features(p) && p.secured) p.replace(ns::sasl, ns::tls);
       }},
      {"xmpp.mechanisms-in-small-letters", "offers the mechanism external",
       "RFC6120-6.2-1 RFC6120-6.4.1-1 XEP0178-3-1 RFC6120-6.3.4-2 RFC6120-13.8.4-1 DECLARED-1 "
       "SEC-DOWNGRADE-2",
       [](Passage& p) {
         if (sends_features(p)) p.replace("EXTERNAL", "external");
       }},
      {"xmpp.compression-offered", "offers compression by zlib", "XEP0138-7-1",
       [](Passage& p) {
         if (sends_features(p) && p.secured)
           p.replace("</stream:features>",
                     "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>"
                     "</stream:features>");
       }},
      {"xmpp.dialback-beside-required-tls", "offers dialback beside STARTTLS that it requires", "RFC6120-5.3.1-2",
       [](Passage& p) {
         if (sends_features(p) && p.octets.find("<required/>") != std::string::npos)
           p.replace("</stream:features>",
                     "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>");
       }},
  };
}

std::vector<Row> security() {
  return {
      {"xmpp.space-before-proceed", "sends white space before <proceed/>", "RFC6120-5.3.3-1",
       [](Passage& p) {
         if (p.sends("proceed", ns::tls)) p.octets.insert(0, "\n");
       }},
      {"xmpp.line-break-behind-proceed", "ends <proceed/> with a line break, in clear",
       "RFC6120-5.4.2.3-1 RFC6120-5.3.3-1 RFC6120-5.4.3.1-1",
       [](Passage& p) {
         if (p.sends("proceed", ns::tls)) p.octets += "\n";
       }},
      {"xmpp.starttls-without-namespace", "asks for TLS by an element of the content namespace", "RFC6120-5.2-1",
       [](Passage& p) {
         if (p.sends("starttls", ns::tls)) p.octets = "<starttls/>";
       }},
      {"xmpp.auth-names-plain", "answers the offer of EXTERNAL by PLAIN", "RFC6120-6.3.3-1 SEC-DOWNGRADE-2",
       [](Passage& p) {
         if (p.sends("auth", ns::sasl)) p.set_attribute("mechanism", "PLAIN");
       }},
      {"xmpp.identity-on-two-lines", "breaks the line inside the base64 of its identity", "RFC6120-6.3.5-2",
       [](Passage& p) {
         if (!p.sends("auth", ns::sasl) || p.element.text().size() < 4) return;
         const auto at = p.octets.find(p.element.text());
         if (at != std::string::npos) p.octets.insert(at + 4, "\n");
       }},
      {"xmpp.success-in-another-namespace", "answers <auth/> with <success/> in the namespace of STARTTLS",
       "RFC6120-6.2-1",
       [](Passage& p) {
         if (p.sends("success", ns::sasl)) p.replace(ns::sasl, ns::tls);
       }},
      {"xmpp.sasl-failure-of-stanzas", "names the condition of a <failure/> in the namespace of stanza errors",
       "RFC6120-6.4.5-1",
       [](Passage& p) {
         if (!p.sends("failure", ns::sasl)) return;
         p.octets =
             "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
             "<not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failure>";
       }},
      {"xmpp.sasl-failure-unheard-of", "names a condition in <failure/> that SASL does not have", "RFC6120-6.4.5-1",
       [](Passage& p) {
         if (p.sends("failure", ns::sasl))
           p.octets = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><denied/></failure>";
       }},
      {"xmpp.space-before-success", "sends white space before <success/>", "RFC6120-6.3.5-1",
       [](Passage& p) {
         if (p.sends("success", ns::sasl)) p.octets.insert(0, " ");
       }},
  };
}

std::vector<Row> dialback() {
  return {
      {"xmpp.verify-asked-the-wrong-way", "asks by db:verify with from and to exchanged", "XEP0220-2.1.2-1",
       [](Passage& p) {
         if (sends_dialback(p, "verify", "")) turn_about(p);
       }},
      {"xmpp.verify-key-cut", "asks by db:verify with a key that lacks its last character", "XEP0220-2.1.2-1",
       [](Passage& p) {
         if (!sends_dialback(p, "verify", "")) return;
         const auto at = p.octets.rfind("</");
         if (at != std::string::npos && at > 0) p.octets.erase(at - 1, 1);
       }},
      {"xmpp.verify-answered-with-another-id", "answers db:verify with an id that nobody gave", "XEP0220-2.2.2-1",
       [](Passage& p) {
         if (p.sends("verify", ns::dialback) && !value(p, "type").empty()) p.set_attribute("id", value(p, "id") + "0");
       }},
      {"xmpp.verify-answered-by-another-domain", "answers db:verify in the name of another domain", "XEP0220-2.2.2-1",
       [](Passage& p) {
         if (p.sends("verify", ns::dialback) && !value(p, "type").empty())
           p.set_attribute("from", "another." + value(p, "from"));
       }},
      {"xmpp.result-in-capitals", "tells the outcome of dialback in capitals", "XEP0220-2.2.1-4",
       [](Passage& p) {
         if (sends_dialback(p, "result", "valid")) p.set_attribute("type", "VALID");
         if (sends_dialback(p, "result", "invalid")) p.set_attribute("type", "INVALID");
       }},
      {"xmpp.outcome-as-text", "tells the outcome of dialback as text instead of as a type", "XEP0220-2.2.1-4",
       [](Passage& p) {
         if (!sends_dialback(p, "result", "valid") && !sends_dialback(p, "result", "invalid")) return;
         p.edit([](xml::Element& result) {
           result.add_text(result.attribute_or_empty("type"));
           result.remove_attribute("type");
         });
       }},
      {"xmpp.dialback-without-prefix", "declares the namespace of dialback on each element instead of its prefix",
       "XEP0220-2-1",
       [](Passage& p) {
         for (const std::string name : {"result", "verify"}) {
           if (!p.sends(name, ns::dialback)) continue;
           p.replace("<db:" + name, "<" + name + " xmlns='jabber:server:dialback'");
           p.replace("</db:" + name, "</" + name);
         }
       }},
      {"xmpp.dialback-error-in-another-namespace", "puts the error of a dialback element into no namespace of a stream",
       "XEP0220-2.5-1",
       [](Passage& p) {
         if (sends_dialback(p, "result", "error") || sends_dialback(p, "verify", "error"))
           p.replace("<error", "<error xmlns='urn:example:error'");
       }},
      {"xmpp.unserved-result-is-invalid", "calls a key for a domain that it does not serve invalid", "XEP0220-2.2.1-3",
       [](Passage& p) {
         if (!sends_dialback(p, "result", "error") || p.octets.find("item-not-found") == std::string::npos) return;
         p.edit([](xml::Element& result) {
           result.content().clear();
           result.set_attribute("type", "invalid");
         });
       }},
  };
}

std::vector<Row> closing() {
  return {
      {"xmpp.stream-error-in-content-namespace", "sends stream errors that are qualified by the content namespace",
       "RFC6120-4.9.1.1-1 RFC6120-4.9.2-1",
       [](Passage& p) {
         if (!p.sends("error", ns::streams)) return;
         p.replace("<stream:error", "<error");
         p.replace("</stream:error", "</error");
       }},
      {"xmpp.stream-conditions-misspelt", "writes the conditions of stream errors with an underscore",
       "RFC6120-4.9.2-1",
       [](Passage& p) {
         if (!p.sends("error", ns::streams)) return;
         for (const auto* child : p.element.children()) {
           auto name = child->name();
           std::ranges::replace(name, '-', '_');
           while (name != child->name() && p.replace(child->name() + " ", name + " ")) {
           }
           if (name != child->name()) p.replace("</" + child->name() + ">", "</" + name + ">");
         }
       }},
      {"xmpp.two-stream-errors", "sends its stream errors twice", "RFC6120-4.9.1.1-1",
       [](Passage& p) {
         if (p.sends("error", ns::streams)) p.repeat();
       }},
      {"xmpp.end-tag-before-error", "closes its stream before it tells the error", "RFC6120-4.9.1.1-1 RFC6120-4.4-2",
       [told = false](Passage& p) mutable {
         if (p.out() && p.kind == Passage::Kind::end_tag && told) p.drop();
         if (!p.sends("error", ns::streams)) return;
         told = true;
         p.octets.insert(0, "</stream:stream>");
       }},
      {"xmpp.two-end-tags", "closes its streams twice", "RFC6120-4.4-2 RFC6120-11.3-1",
       [](Passage& p) {
         if (p.out() && p.kind == Passage::Kind::end_tag && !p.link) p.repeat();
       }},
      {"xmpp.keep-alive-refused", "takes white space between stanzas for a breach", "RFC6120-4.6.1-1 RFC6120-11.7-1",
       [stanzas = false](Passage& p) mutable {
         stanzas = stanzas || (p.in() && p.is_stanza());
         // It comes before the item behind it.
         if (stanzas && p.in() && !p.link && p.octets.find_first_of(" \t\r\n") == 0) p.end_stream("not-well-formed");
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_slips() { return defects(s2s, {headers(), features(), security(), dialback(), closing()}); }

}  // namespace cutover::departures
