// SASL as the peer does not expect it, and a negotiation that is over before it is.
#include "departures/rows.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/sasl_external.h"

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

/// The header that the node sends goes nowhere; to the node it seems that it was answered, and nothing is left to
/// negotiate.
void seem_restarted(Passage& p) {
  p.drop();
  p.answer(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
      "version='1.0' id='none'><stream:features/>");
}

}  // namespace

std::vector<Row> xmpp_sasl() {
  return {
      {"xmpp.padding-refused", "takes no base64 that is padded", "RFC6120-6.3.8-2 RFC6120-13.9.1-1",
       [](Passage& p) {
         const auto text = p.element.text();
         if (p.initiating || !p.hears("auth", ns::sasl) || text.size() < 2 || !text.ends_with('=')) return;
         p.edit([](xml::Element& auth) {
           auth.content().clear();
           auth.add_text("*");
         });
       }},
      {"xmpp.authzid-is-a-user", "sends a full address as authorisation identity", "RFC6120-6.3.8-1",
       [](Passage& p) {
         if (!p.sends("auth", ns::sasl)) return;
         const auto domain = xmpp::decode_authzid(p.element.text()).value_or("");
         p.edit([&](xml::Element& auth) {
           auth.content().clear();
           auth.add_text(xmpp::encode_authzid("user@" + domain));
         });
       }},
      {"xmpp.lets-its-own-name-in", "authenticates a peer that calls itself by the domain that it calls",
       "SEC-FROM-SPOOF-2",
       [same = false](Passage& p) mutable {
         if (p.initiating || !p.in()) return;
         if (p.hears_header()) {
           same = p.element.attribute_or_empty("from") == p.element.attribute_or_empty("to");
           if (same) p.remove_attribute("from");
         }
         if (!same || !p.hears("auth", ns::sasl)) return;
         p.drop();
         p.answer("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
       }},
      {"xmpp.takes-empty-features-for-trust", "as initiator sends a stanza behind features that offer nothing",
       "RFC6120-4.3.5-2",
       [](Passage& p) {
         if (!p.hears("features", ns::streams) || !p.initiating || !p.element.children().empty()) return;
         p.answer("<message from='juliet@a.example' to='romeo@b.example'><body>early</body></message>");
       }},
      {"xmpp.external-in-clear-succeeds", "authenticates whoever asks for it in clear",
       "RFC6120-13.3-1 RFC6120-6.5.4-1",
       [](Passage& p) {
         if (!p.hears("auth", ns::sasl) || p.secured) return;
         p.drop();
         p.answer("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
       }},
      {"xmpp.anything-taken-for-sasl-success", "as initiator takes any answer to <auth/> for <success/>", "SEC-PROTO-2",
       [asked = false](Passage& p) mutable {
         if (p.sends("auth", ns::sasl)) asked = true;
         if (!asked || !p.in() || p.kind != Passage::Kind::element) return;
         asked = false;
         if (p.element.ns() == ns::sasl) return;
         p.put(xml::Element("success", ns::sasl));
       }},
      {"xmpp.abort-ignored", "does not answer <abort/>", "RFC6120-6.4.4-1",
       [](Passage& p) {
         if (p.hears("abort", ns::sasl)) p.drop();
       }},
      {"xmpp.foreign-authzid-not-authorized", "refuses a foreign authorisation identity with not-authorized",
       "RFC6120-6.3.8-2",
       [](Passage& p) {
         if (p.sends("failure", ns::sasl)) p.replace("<invalid-authzid/>", "<not-authorized/>");
       }},
      {"xmpp.failure-without-condition", "sends <failure/> without a condition", "RFC6120-6.4.5-1",
       [](Passage& p) {
         if (p.sends("failure", ns::sasl)) p.put({"failure", ns::sasl});
       }},
      {"xmpp.no-restart-after-success", "sends stanzas behind <success/> without a new header",
       "RFC6120-4.3.3-2 RFC6120-6.3.2-1 RFC6120-6.4.6-2",
       [authenticated = false](Passage& p) mutable {
         authenticated |= p.hears("success", ns::sasl);
         if (p.sends_header() && authenticated) seem_restarted(p);
       }},
      {"xmpp.sends-despite-failure", "as initiator sends its stanzas although SASL failed", "SEC-LEAK-2 RFC6120-6.5-1",
       [refused = false](Passage& p) mutable {
         if (p.hears("failure", ns::sasl)) {
           refused = true;
           p.put({"success", ns::sasl});
         }
         if (p.sends_header() && refused) seem_restarted(p);
       }},
  };
}

}  // namespace cutover::departures
