// Faults of the kinds that servers in the field have had: restarts, refusals, addresses, answers, and payloads on their
// way.
#include "departures/between_servers.h"
#include "departures/rows.h"

#include <algorithm>
#include <string>
#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

bool sends_end(const Passage& p) { return p.out() && p.kind == Passage::Kind::end_tag; }

std::string in_small_letters(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return text;
}

/// Changes the text of each body.
void change_bodies(Passage& p, std::string (*change)(std::string)) {
  if (!sends_s2s_message(p)) return;
  p.edit([change](xml::Element& stanza) {
    for (auto& content : stanza.content()) {
      if (content.is_text() || content.element.front().name() != "body") continue;
      auto& body = content.element.front();
      const auto text = change(body.text());
      body.content().clear();
      body.add_text(text);
    }
  });
}

std::string trimmed(std::string text) {
  const auto begin = text.find_first_not_of(" \n\t");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \n\t") + 1 - begin);
}

std::string on_one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

void lose_children(Passage& p, bool (*lost)(const xml::Element&)) {
  if (!sends_s2s_message(p)) return;
  p.edit([lost](xml::Element& stanza) {
    std::erase_if(stanza.content(),
                  [lost](const xml::Content& one) { return !one.is_text() && lost(one.element.front()); });
  });
}

/// Makes a request of what was heard, which the server answers with an error.
void take_for_a_request(Passage& p) {
  xml::Element request("iq", ns::server);
  for (const auto* name : {"from", "to", "id"}) request.set_attribute(name, value(p, name));
  request.set_attribute("type", "get");
  request.add(xml::Element("odd", "urn:example:odd"));
  p.put(request);
}

std::vector<Row> headers() {
  return {
      {"xmpp.restart-without-addresses", "leaves the addresses out of the headers inside TLS",
       "RFC6120-4.7.1-1 RFC6120-4.7.1-2 RFC6120-4.7.2-1 RFC6120-4.7.2-2",
       [](Passage& p) {
         if (!p.secured || !(calls(p) || responds(p))) return;
         p.remove_attribute("from");
         p.remove_attribute("to");
       }},
      {"xmpp.error-before-header", "refuses a header by a stream error without a header before it", "RFC6120-4.9.1.2-1",
       [held = std::string(), modern = false](Passage& p) mutable {
         if (p.initiating || p.link) return;
         if (p.hears_header()) modern = value(p, "version") == "1.0";
         if (!p.out()) return;
         if (p.kind == Passage::Kind::header && modern) {
           held = std::exchange(p.octets, {});
         } else {
           const auto header = std::exchange(held, {});
           if (!p.sends("error", ns::streams)) p.octets.insert(0, header);
         }
       }},
      {"xmpp.space-before-header", "sends white space before its headers", "RFC6120-11.5-4 RFC6120-11.3-1",
       [](Passage& p) {
         if (p.sends_header() && !p.link) p.octets.insert(0, " ");
       }},
      {"xmpp.responds-from-another-domain", "answers headers in the name of a domain that is not its own",
       "RFC6120-4.7.1-2",
       [](Passage& p) {
         if (responds(p)) p.set_attribute("from", "another.example");
       }},
      {"xmpp.responds-to-itself", "writes its own domain as to into response headers", "RFC6120-4.7.2-2",
       [](Passage& p) {
         const auto from = value(p, "from");
         const auto domain = from.substr(from.find('@') + 1);
         if (responds(p)) p.set_attribute("to", domain.substr(0, domain.find('/')));
       }},
      {"xmpp.calls-the-host", "names a host of the peer's domain instead of the domain in its initial header",
       "RFC6120-4.7.2-1",
       [](Passage& p) {
         if (calls(p)) p.set_attribute("to", "xmpp." + value(p, "to"));
       }},
      {"xmpp.stream-id-empty", "sends response headers with an empty id", "RFC6120-4.7.3-1",
       [](Passage& p) {
         if (responds(p)) p.set_attribute("id", "");
       }},
  };
}

std::vector<Row> negotiation() {
  return {
      {"xmpp.proceed-in-another-namespace", "answers <starttls/> with <proceed/> in the namespace of SASL",
       "RFC6120-5.4.2.1-1",
       [](Passage& p) {
         if (p.sends("proceed", ns::tls)) p.replace(ns::tls, ns::sasl);
       }},
      {"xmpp.starttls-fails-and-goes-on", "answers <starttls/> with <failure/>, and goes on in clear",
       "RFC6120-5.4.2.2-1 DECLARED-1 DECLARED-2",
       [](Passage& p) {
         if (!p.hears("starttls", ns::tls)) return;
         p.drop();
         p.answer("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
       }},
      {"xmpp.verify-answered-without-id", "answers db:verify without the id", "XEP0220-2.2.2-1",
       [](Passage& p) {
         if (p.sends("verify", ns::dialback) && !value(p, "type").empty()) p.remove_attribute("id");
       }},
      {"xmpp.verify-not-turned-about", "answers db:verify without turning its addresses about", "XEP0220-2.2.2-1",
       [](Passage& p) {
         if (!p.sends("verify", ns::dialback) || value(p, "type").empty()) return;
         p.set_attribute("from", value(p, "to"));
         p.set_attribute("to", value(p, "from"));
       }},
      {"xmpp.every-key-is-valid", "as authoritative server calls every dialback key valid",
       "XEP0220-2.2.2-3 XEP0220-2.2.2-1 XEP0220-2.2.2-2 SEC-DIALBACK-6",
       [](Passage& p) {
         if (sends_dialback(p, "verify", "invalid")) p.set_attribute("type", "valid");
       }},
      {"xmpp.invalid-result-told-as-valid", "tells the initiator that its key is valid when it is not",
       "XEP0220-2.2.1-4",
       [](Passage& p) {
         if (sends_dialback(p, "result", "invalid")) p.set_attribute("type", "valid");
       }},
      {"xmpp.verify-without-key", "asks by db:verify without a key", "XEP0220-2.1.2-1",
       [](Passage& p) {
         if (sends_dialback(p, "verify", "")) p.edit([](xml::Element& verify) { verify.content().clear(); });
       }},
  };
}

std::vector<Row> closing() {
  return {
      {"xmpp.no-end-tag-behind-error", "does not close its stream behind a stream error", "RFC6120-4.9.1.1-1 INV-3",
       [erred = false](Passage& p) mutable {
         erred = erred || p.sends("error", ns::streams);
         if (erred && sends_end(p)) p.drop();
       }},
      {"xmpp.no-end-tag-for-an-error", "does not close its stream when the peer sends a stream error",
       "RFC6120-4.9.1.1-2 INV-3",
       [erred = false](Passage& p) mutable {
         erred = erred || p.hears("error", ns::streams);
         if (erred && sends_end(p)) p.drop();
       }},
      {"xmpp.two-stream-conditions", "names two conditions in its stream errors", "RFC6120-4.9.2-1",
       [](Passage& p) {
         if (p.sends("error", ns::streams))
           p.replace("</stream:error>",
                     "<undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
       }},
      {"xmpp.end-tag-without-prefix", "closes streams by an end tag without the prefix of its header", "RFC6120-11.3-1",
       [](Passage& p) {
         if (sends_end(p)) p.replace("</stream:stream>", "</stream>");
       }},
  };
}

std::vector<Row> answers() {
  return {
      {"xmpp.errors-answered", "answers messages of type error with an error", "RFC6120-8.3.1-5 SEC-ERRLOOP-1",
       [](Passage& p) {
         if (p.hears("message", ns::server) && p.has_type("error") && !p.link) take_for_a_request(p);
       }},
      {"xmpp.results-answered", "answers iq results that are for it with an error", "RFC6120-8.2.3-4",
       [](Passage& p) {
         const bool for_it = value(p, "to").find('@') == std::string::npos;
         if (p.hears("iq", ns::server) && p.has_type("result") && !p.link && for_it) take_for_a_request(p);
       }},
      {"xmpp.requests-unanswered", "answers no iq request",
       "RFC6120-8.2.3-3 RFC6120-8.3.1-1 RFC6120-8.4-1 XEP0199-4.3-1 XEP0199-7-1 XEP0030-3.1-1 RFC6121-8.5.2.1.3-1 "
       "RFC6121-8.5.3.2.3-1 RFC6121-8.5.1-1 RFC6120-10.5.1-1 RFC6120-10.5.2-1",
       [](Passage& p) {
         if (sends_iq_answer(p)) p.drop();
       }},
      {"xmpp.requests-answered-twice", "answers iq requests twice", "RFC6120-8.2.3-3",
       [](Passage& p) {
         if (sends_iq_answer(p)) p.repeat();
       }},
      {"xmpp.answers-with-small-ids", "writes the id of an answer in small letters", "RFC6120-8.1.3-1",
       [](Passage& p) {
         if (sends_iq_answer(p)) p.set_attribute("id", in_small_letters(value(p, "id")));
       }},
      {"xmpp.stanza-error-without-type", "sends stanza errors without a type", "RFC6120-8.3.2-1",
       [](Passage& p) {
         if (!sends_s2s_error(p)) return;
         p.edit([](xml::Element& stanza) {
           if (auto* error = stanza.child("error", ns::server)) error->remove_attribute("type");
         });
       }},
      {"xmpp.stanza-condition-of-streams", "writes conditions of stanza errors in the namespace of stream errors",
       "RFC6120-8.3.2-1",
       [](Passage& p) {
         if (sends_s2s_error(p))
           p.replace("urn:ietf:params:xml:ns:xmpp-stanzas", "urn:ietf:params:xml:ns:xmpp-streams");
       }},
  };
}

std::vector<Row> stanzas() {
  return {
      {"xmpp.stanzas-in-client-namespace", "sends messages in jabber:client", "RFC6120-4.8.3-3",
       [](Passage& p) {
         if (sends_s2s_message(p)) p.set_attribute("xmlns", ns::client);
       }},
      {"xmpp.resources-in-small-letters", "writes the resource of a sender in small letters", "RFC7622-3.4-1",
       [](Passage& p) {
         const auto from = value(p, "from");
         const auto slash = from.find('/');
         if (p.is_stanza() && !p.link && slash != std::string::npos)
           p.set_attribute("from", from.substr(0, slash) + in_small_letters(from.substr(slash)));
       }},
      {"xmpp.subjects-lost", "passes messages on without their subject", "INV-4",
       [](Passage& p) { lose_children(p, [](const xml::Element& one) { return one.name() == "subject"; }); }},
      {"xmpp.threads-lost", "passes messages on without their thread", "RFC6121-5.2.5-1 INV-4",
       [](Passage& p) { lose_children(p, [](const xml::Element& one) { return one.name() == "thread"; }); }},
      {"xmpp.payloads-lost", "passes on what it knows in a message only", "RFC6120-8.4-2 INV-4",
       [](Passage& p) { lose_children(p, [](const xml::Element& one) { return one.ns() != ns::server; }); }},
      {"xmpp.bodies-trimmed", "takes white space off the ends of a body", "INV-4",
       [](Passage& p) { change_bodies(p, trimmed); }},
      {"xmpp.line-breaks-lost", "writes a body on one line", "INV-4",
       [](Passage& p) { change_bodies(p, on_one_line); }},
      {"xmpp.escapes-twice", "escapes what is escaped already", "RFC6120-8.4-2 INV-4",
       [](Passage& p) {
         if (sends_s2s_message(p)) p.replace("&amp;", "&amp;amp;");
       }},
      {"xmpp.control-characters", "refers to characters in messages that XML does not have", "RFC6120-11.3-1",
       [](Passage& p) {
         if (sends_s2s_message(p)) p.replace("</body>", "&#1;</body>");
       }},
      {"xmpp.prefixes-undeclared", "sends payloads with a prefix that the stanza does not declare",
       "RFC6120-8.4-5 RFC6120-11.3-1",
       [](Passage& p) {
         if (sends_s2s_message(p)) p.replace("</message>", "<odd:odd/></message>");
       }},
      {"xmpp.unavailable-becomes-available", "sends presence of type unavailable without the type",
       "RFC6121-4.5.2-1 RFC6121-3.2.2-1 RFC6121-8.5.1-2",
       [](Passage& p) {
         if (p.sends_presence("unavailable") && !p.link) p.remove_attribute("type");
       }},
      {"xmpp.approvals-lost", "does not send the approval of a subscription", "RFC6121-3.1.5-1",
       [](Passage& p) {
         if (p.sends_presence("subscribed") && !p.link) p.drop();
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_field() { return defects(s2s, {headers(), negotiation(), closing(), answers(), stanzas()}); }

}  // namespace cutover::departures
