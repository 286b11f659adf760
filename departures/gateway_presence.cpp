// Presence that a gateway loses or changes on its way, in either direction: on the XMPP side, as it is heard for SIP
// and as it is said for XMPP.
#include "departures/rows.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"

namespace cutover::departures {

namespace {

using xmpp::Passage;

/// Presence that tells a state: of no type, or unavailable.
bool is_state(const Passage& p) { return p.is("presence") && (p.has_type("") || p.has_type("unavailable")); }
bool is_unavailable(const Passage& p) { return p.is("presence") && p.has_type("unavailable"); }

void lose(Passage& p, const char* child) {
  if (is_state(p)) p.edit([child](xml::Element& stanza) { stanza.remove_children(child, stanza.ns()); });
}

void show_another(xml::Element& stanza) {
  const auto* show = stanza.child("show", stanza.ns());
  const std::string other = show != nullptr && show->text() == "xa" ? "chat" : "xa";
  stanza.remove_children("show", stanza.ns());
  stanza.add(xml::Element("show", stanza.ns()).with_text(other));
}

}  // namespace

std::vector<Row> gateway_presence() {
  return {
      {"gateway.loses-show", "loses the show", "RFC8048-6.2-T1-show RFC8048-6.3-T2-show",
       [](Passage& p) { lose(p, "show"); }, gateways},
      {"gateway.loses-status", "loses the status note", "RFC8048-6.2-T1-status RFC8048-6.3-T2-note MIG-S02",
       [](Passage& p) { lose(p, "status"); }, gateways},
      {"gateway.priority-turned-round", "maps the highest priority to the lowest",
       "RFC8048-6.2-T1-priority RFC8048-6.3-T2-priority",
       [](Passage& p) {
         if (is_state(p))
           p.edit([](xml::Element& stanza) {
             auto* priority = stanza.child("priority", stanza.ns());
             if (priority == nullptr || priority->text() != "127") return;
             priority->content().clear();
             priority->add_text("0");
           });
       },
       gateways},
      {"gateway.loses-presence-language", "loses the language of a status",
       "RFC8048-6.2-T1-xml-lang RFC8048-6.3-T2-content-language",
       [](Passage& p) {
         if (is_state(p)) p.edit([](xml::Element& stanza) { stanza.remove_attribute("lang", xmpp::ns::xml); });
       },
       gateways},
      {"gateway.wrong-show", "shows another state", "RFC8048-6.2-T1-show RFC8048-6.3-T2-show MIG-S03",
       [](Passage& p) {
         if (p.is("presence") && p.has_type("")) p.edit(show_another);
       },
       gateways},
      {"gateway.closed-as-available", "shows a closed tuple or an unavailable resource as available",
       "RFC8048-6.2-9 RFC8048-6.3-1b",
       [](Passage& p) {
         if (is_unavailable(p)) p.remove_attribute("type");
       },
       gateways},
      {"gateway.unavailable-lost", "loses unavailable", "RFC8048-6.2-9 RFC8048-6.3-4 MIG-S06",
       [](Passage& p) {
         if (is_unavailable(p)) p.drop();
       },
       gateways},
  };
}

}  // namespace cutover::departures
