// Features that are missing, that should not be there, or that nobody reads.
#include "departures/rows.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

bool offers(const Passage& p) { return p.sends("features", ns::streams) && !p.link; }
bool is_offered(const Passage& p) { return p.hears("features", ns::streams) && !p.link; }

void take_out(Passage& p, const char* name, const char* ns) {
  p.edit([&](xml::Element& features) { features.remove_children(name, ns); });
}
void put_in(Passage& p, const xml::Element& feature) {
  p.edit([&](xml::Element& features) { features.add(feature); });
}

}  // namespace

std::vector<Row> xmpp_features() {
  return {
      {"xmpp.no-features", "sends no features", "RFC6120-4.3.2-1",
       [](Passage& p) {
         if (offers(p)) p.drop();
       }},
      {"xmpp.features-in-content-namespace", "puts a feature into the content namespace", "RFC6120-4.3.2-2",
       [](Passage& p) {
         if (offers(p)) put_in(p, {"limits", ns::server});
       }},
      {"xmpp.starttls-not-offered", "does not offer STARTTLS although it requires it",
       "RFC6120-5.4.1-2 RFC6120-13.14-1 RFC6120-13.8.4-1 RFC6120-13.7.2-1",
       [](Passage& p) {
         if (offers(p)) take_out(p, "starttls", ns::tls);
       }},
      {"xmpp.starttls-without-required", "does not mark mandatory STARTTLS as required", "RFC6120-5.4.1-3",
       [](Passage& p) {
         if (!offers(p)) return;
         p.edit([](xml::Element& features) {
           if (auto* starttls = features.child("starttls", ns::tls)) starttls->remove_children("required", ns::tls);
         });
       }},
      {"xmpp.starttls-offered-inside-tls", "lists STARTTLS again inside TLS", "RFC6120-5.4.3.3-5",
       [](Passage& p) {
         if (offers(p) && p.secured) put_in(p, {"starttls", ns::tls});
       }},
      {"xmpp.external-offered-in-clear", "offers SASL EXTERNAL before TLS", "RFC6120-6.3.4-1 RFC6120-5.3.1-2",
       [](Passage& p) {
         if (!offers(p) || p.secured) return;
         put_in(p,
                xml::Element("mechanisms", ns::sasl).with(xml::Element("mechanism", ns::sasl).with_text("EXTERNAL")));
       }},
      {"xmpp.external-not-offered", "does not offer EXTERNAL to a peer that it knows by its certificate",
       "SEC-DOWNGRADE-2 XEP0178-3-1 RFC6120-6.3.4-2 DECLARED-1 RFC6120-13.8.4-1 LYNC-NEG-1 LYNC-NEG-2 LYNC-NEG-3 "
       "LYNC-NEG-4 LYNC-NEG-5 LYNC-NEG-6 LYNC-NEG-7 LYNC-NEG-11 MIG-N02",
       [](Passage& p) {
         if (offers(p) && p.secured) take_out(p, "mechanisms", ns::sasl);
       }},
      {"xmpp.dialback-not-advertised", "does not list dialback among its features", "XEP0220-2.4.2-1",
       [](Passage& p) {
         if (offers(p)) take_out(p, "dialback", ns::dialback_feature);
       }},
      {"xmpp.dialback-errors-not-advertised", "uses dialback errors and does not announce them", "XEP0220-2.4.2-1",
       [](Passage& p) {
         if (!offers(p)) return;
         p.edit([](xml::Element& features) {
           auto* dialback = features.child("dialback", ns::dialback_feature);
           if (dialback != nullptr) dialback->remove_children("errors", ns::dialback_feature);
         });
       }},
      {"xmpp.never-starts-tls", "does not use STARTTLS as initiator",
       "RFC6120-5.2-1 RFC6120-13.14-1 RFC6120-13.8.4-1 RFC6120-13.7.2-1",
       [](Passage& p) {
         if (is_offered(p)) take_out(p, "starttls", ns::tls);
       }},
      {"xmpp.external-not-used", "as initiator does not use EXTERNAL that is offered",
       "SEC-DOWNGRADE-2 RFC6120-13.8.4-1 MIG-N02 LYNC-NEG-1 LYNC-NEG-2 LYNC-NEG-3 LYNC-NEG-4 LYNC-NEG-5 "
       "LYNC-NEG-6 LYNC-NEG-7 LYNC-NEG-11",
       [](Passage& p) {
         if (is_offered(p)) take_out(p, "mechanisms", ns::sasl);
       }},
      {"xmpp.waits-behind-empty-features", "as initiator does not take empty features for the end of the negotiation",
       "RFC6120-4.3.2-6",
       [authenticated = false](Passage& p) mutable {
         authenticated |= p.hears("success", ns::sasl);
         if (is_offered(p) && authenticated) p.drop();
       }},
  };
}

}  // namespace cutover::departures
