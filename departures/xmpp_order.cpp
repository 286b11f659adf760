// Features before their time, documents that are not left behind at a restart, answers to what was never offered, and
// elements that are taken from where none stands.
#include "departures/rows.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"

#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

/// Says something else where the node would begin TLS.
auto instead_of_starttls(const char* octets) {
  return [octets](Passage& p) {
    if (p.sends("starttls", ns::tls)) p.octets = octets;
  };
}

/// Answers an element that was never offered as if it had been.
auto answers(const char* name, const char* in, const char* octets) {
  return [=](Passage& p) {
    if (!p.hears(name, in) || p.initiating) return;
    p.drop();
    p.answer(octets);
  };
}

/// What came in the old document behind <auth/>, kept until the new one has begun.
struct Kept {
  bool authenticating = false, inside = false;
  std::string octets;

  void operator()(Passage& p) {
    if (p.initiating || p.link) return;
    if (p.hears("auth", ns::sasl)) authenticating = true;
    if (p.sends("features", ns::streams) && !octets.empty()) p.answer(std::exchange(octets, {}));
    if (!p.in() || !authenticating) return;
    if (p.hears("message", ns::server)) return keep(p);
    if (p.hears_header() && p.element.name() == "message") inside = true;
    if (p.hears_header() && p.element.name() == "stream") authenticating = inside = false;
    if (!inside) return;
    if (p.kind == Passage::Kind::end_tag) inside = false;
    keep(p);
  }
  void keep(Passage& p) {
    octets += p.octets;
    p.drop();
  }
};

/// What an element holds, at any depth, that would be an element of the stream if it stood there.
void lift(const xml::Element& element, bool stanzas, std::string& lifted) {
  for (const auto* child : element.children()) {
    const bool stanza = child->name() == "message";
    const bool of_stream = child->is("error", ns::streams) || child->ns() == ns::tls || child->ns() == ns::sasl ||
                           child->ns() == ns::dialback;
    if (stanzas ? stanza : of_stream) {
      auto copy = *child;
      if (stanza) copy.change_namespace(std::string(copy.ns()), ns::server);
      lifted += xml::write(copy, ns::server);
    }
    lift(*child, stanzas, lifted);
  }
}
auto lifts(bool stanzas) {
  return [stanzas](Passage& p) {
    if (!p.in() || p.kind != Passage::Kind::element || p.initiating || p.link || p.is("error", ns::streams)) return;
    std::string lifted;
    lift(p.element, stanzas, lifted);
    p.octets.insert(0, lifted);
  };
}

}  // namespace

std::vector<Row> xmpp_order() {
  return {
      {"xmpp.authenticates-before-tls", "as initiator authenticates where it should begin TLS",
       "RFC6120-4.3.2-3 XEP0170-3.1-1 XEP0170-4-1 XEP0288-2.1-2 XEP0198-3-1",
       instead_of_starttls("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")},
      {"xmpp.compresses-before-tls", "as initiator asks for compression where it should begin TLS",
       "RFC6120-4.3.2-3 XEP0170-3.1-1 XEP0170-4-1 XEP0288-2.1-2 XEP0198-3-1",
       instead_of_starttls("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>")},
      {"xmpp.bidi-before-tls", "as initiator switches bidi on where it should begin TLS",
       "RFC6120-4.3.2-3 XEP0170-3.1-1 XEP0170-4-1 XEP0288-2.1-2 XEP0198-3-1",
       instead_of_starttls("<bidi xmlns='urn:xmpp:bidi'/>")},
      {"xmpp.enables-before-tls", "as initiator enables stream management where it should begin TLS",
       "RFC6120-4.3.2-3 XEP0170-3.1-1 XEP0170-4-1 XEP0288-2.1-2 XEP0198-3-1",
       instead_of_starttls("<enable xmlns='urn:xmpp:sm:3'/>")},
      {"xmpp.compresses-unasked", "takes <compress/>, which it did not offer", "XEP0138-2-1",
       answers("compress", "http://jabber.org/protocol/compress",
               "<compressed xmlns='http://jabber.org/protocol/compress'/>")},
      {"xmpp.enables-unasked", "enables stream management for a peer that is not authenticated", "XEP0198-3-3",
       answers("enable", "urn:xmpp:sm:3", "<enabled xmlns='urn:xmpp:sm:3'/>")},
      {"xmpp.resumes-unasked", "resumes a session for a peer that is not authenticated", "XEP0198-10-1",
       answers("resume", "urn:xmpp:sm:3", "<resumed xmlns='urn:xmpp:sm:3' previd='some-id' h='0'/>")},
      {"xmpp.features-instead-of-tls", "authenticates in clear who has asked for another feature first",
       "SEC-TLS-STRIP-3",
       [asked = false](Passage& p) mutable {
         if (p.initiating || p.secured) return;
         const bool feature = p.hears("compress") || p.hears("bidi") || p.hears("enable");
         asked |= feature;
         if (feature) p.drop();
         if (!asked || !p.hears("auth", ns::sasl)) return;
         p.drop();
         p.answer("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
       }},
      {"xmpp.ends-before-restart", "ends its document before it begins the next one", "RFC6120-4.3.3-1",
       [before = false](Passage& p) mutable {
         if (!p.sends_header()) return;
         if (std::exchange(before, true)) p.octets.insert(0, "</stream:stream>");
       }},
      {"xmpp.stanzas-kept-over-restart", "takes what came in the old document behind <auth/> for part of the new one",
       "SEC-RESTART-3 SEC-TLS-INJECT-4 RFC6120-6.3.2-1", Kept{}},
      {"xmpp.nested-stanzas-delivered", "takes a message for a stanza wherever it stands",
       "RFC6120-4.1-2 RFC6120-4.8.4-1 SEC-SMUGGLE-6 RFC6120-8.4-5", lifts(true)},
      {"xmpp.nested-elements-act", "takes elements of streams for such wherever they stand", "SEC-SMUGGLE-6",
       lifts(false)},
      {"xmpp.known-prefixes-undeclared", "passes the prefix of dialback on without its declaration", "RFC6120-8.4-5",
       [](Passage& p) {
         if (p.sends("message")) p.replace(" xmlns:db='jabber:server:dialback'", "");
       }},
      {"xmpp.namespaces-cut", "compares no more than the beginning of a namespace", "SEC-SMUGGLE-2",
       [](Passage& p) {
         if (!p.hears("message") || p.element.ns() == ns::server || !p.element.ns().starts_with(ns::server)) return;
         auto copy = p.element;
         copy.change_namespace(std::string(copy.ns()), ns::server);
         p.put(copy);
       }},
      {"xmpp.references-become-markup", "takes markup in references for markup", "SEC-SMUGGLE-3",
       [](Passage& p) {
         if (!p.hears("message") || p.initiating || p.link) return;
         while (p.replace("&lt;", "<") || p.replace("&gt;", ">") || p.replace("&apos;", "'")) {
         }
       }},
      {"xmpp.odd-errors-lost", "passes on no error that says more than its condition", "RFC6120-8.3.4-1",
       [](Passage& p) {
         if (!p.hears("message") || !p.has_type("error")) return;
         const auto* error = p.element.child("error", ns::server);
         if (error != nullptr && error->children().size() > 1) p.drop();
       }},
      {"xmpp.responds-as-called", "answers a header in the name of whom it was for, served or not", "RFC6120-4.9.1.3-1",
       [called = std::string()](Passage& p) mutable {
         if (p.initiating || p.link) return;
         if (p.hears_header()) called = p.element.attribute_or_empty("to");
         if (p.sends_header() && !called.empty()) p.set_attribute("from", called);
       }},
      {"xmpp.second-auth-refused", "refuses a second <auth/> while the first is not settled", "RFC6120-6.4.2-2",
       [challenged = false](Passage& p) mutable {
         challenged |= p.sends("challenge", ns::sasl);
         if (!challenged || !p.hears("auth", ns::sasl)) return;
         p.drop();
         p.answer("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><malformed-request/></failure>");
       }},
      {"xmpp.completes-stanzas", "takes a message for one before its end tag has come", "RFC6120-8-1 RFC6120-4.4-7",
       [complete = false](Direction direction, std::string& octets) mutable {
         constexpr std::string_view end_tag = "</message>";
         if (direction != Direction::in) return;
         if (complete && octets.starts_with(end_tag)) octets.erase(0, end_tag.size());
         complete = octets.ends_with("</body>");
         if (complete) octets += end_tag;
       }},
      {"xmpp.looks-for-xml", "passes over what stands before the first declaration", "SEC-PROTO-3",
       [](Direction direction, std::string& octets) {
         if (direction != Direction::in || octets.starts_with("<")) return;
         if (const auto at = octets.find("<?xml"); at != std::string::npos) octets.erase(0, at);
       }},
  };
}

}  // namespace cutover::departures
