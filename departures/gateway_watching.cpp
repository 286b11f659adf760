// Users of XMPP who watch users of SIP: what the gateway says and hears otherwise as their subscriber.
#include "departures/rows.h"
#include "protocol/interworking/mapping/address.h"
#include "protocol/sip/passage.h"
#include "protocol/xmpp/passage.h"

namespace cutover::departures {

namespace {

using Stanza = xmpp::Passage;
using Sip = sip::Passage;

}  // namespace

std::vector<Row> gateway_watching() {
  return {
      {"gateway.offers-vendor-presence", "accepts only the vendor's presence format", "RFC8048-5.2.1-1 LYNC-PRES-fmt",
       [](Sip& p) {
         if (p.sends("SUBSCRIBE")) p.message.set_header("Accept", "application/msrtc-event-categories+xml");
       },
       gateways},
      {"gateway.subscribed-lost", "sends no subscribed after the active NOTIFY", "RFC8048-5.2.1-4",
       [](Stanza& p) {
         if (p.sends_presence("subscribed")) p.drop();
       },
       gateways},
      {"gateway.drops-pidf", "sends no presence for a PIDF", "RFC8048-5.2.1-5 RFC8048-6.3-1a",
       [](Sip& p) {
         if (!p.hears("NOTIFY")) return;
         p.message.remove_header("Content-Type");
         p.message.body.clear();
       },
       gateways},
      {"gateway.notify-unanswered", "does not answer NOTIFY", "RFC8048-6.3-8",
       [](Sip& p) {
         if (p.answers("NOTIFY", 200, 299)) p.drop();
       },
       gateways},
      {"gateway.presence-from-domain", "sends presence from its domain instead of the user", "RFC8048-6.3-T2-from",
       [](Stanza& p) {
         const auto from = interworking::parse_jid(p.element.attribute_or_empty("from"));
         if (p.sends_presence("") && from) p.set_attribute("from", from->domain);
       },
       gateways},
      {"gateway.unstable-resource", "gives each presence a new resource", "RFC8048-6.3-4 RFC8048-6.3-5",
       [resources = 0](Stanza& p) mutable {
         auto from = interworking::parse_jid(p.element.attribute_or_empty("from"));
         if ((!p.sends_presence("") && !p.sends_presence("unavailable")) || !from || from->resource.empty()) return;
         from->resource = "r" + std::to_string(++resources);
         p.set_attribute("from", from->full());
       },
       gateways},
      {"gateway.probe-unanswered", "does not answer a probe", "RFC8048-7.1-1 RFC8048-7.1-2",
       [](Stanza& p) {
         if (p.hears_presence("probe")) p.drop();
       },
       gateways},
      {"gateway.unsubscribe-lost", "sends no SUBSCRIBE with Expires 0", "RFC8048-5.2.3-1 RFC8048-5.2.3-2",
       [](Stanza& p) {
         if (p.hears_presence("unsubscribe")) p.drop();
       },
       gateways},
      {"gateway.unsubscribe-ends-both", "ends both directions on unsubscribe", "RFC8048-5.2.3-4",
       [](Stanza& p) {
         if (!p.hears_presence("unsubscribe")) return;
         const auto one = p.octets;
         p.set_attribute("type", "unsubscribed");
         p.octets += one;
       },
       gateways},
      {"gateway.unsubscribe-new-dialog", "ends a subscription outside its dialog", "RFC8048-5.2.3-1",
       [](Sip& p) {
         if (!p.sends("SUBSCRIBE") || p.message.header("Expires") != "0") return;
         p.message.set_header("To", "<" + p.message.to()->uri.text() + ">");
         p.message.set_header("Call-ID", p.message.call_id() + "x");
       },
       gateways},
  };
}

}  // namespace cutover::departures
