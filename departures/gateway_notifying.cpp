// Users of SIP who watch users of XMPP: what the gateway says and hears otherwise as their notifier.
#include "departures/rows.h"
#include "protocol/interworking/mapping/address.h"
#include "protocol/sip/passage.h"
#include "protocol/xml/reader.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stanza.h"

#include <charconv>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace cutover::departures {

namespace {

using Stanza = xmpp::Passage;
using Sip = sip::Passage;
using Dialogs = std::set<std::string>;  // by Call-ID

/// The word that the gateway sends for a watcher who has logged off: from bare to bare.
bool is_logoff(const Stanza& p) {
  const auto bare = [&](const char* name) {
    const auto address = interworking::parse_jid(p.element.attribute_or_empty(name));
    return address && address->is_bare();
  };
  return p.sends_presence("unavailable") && bare("from") && bare("to");
}

std::string state_of(const Sip& notify) { return notify.message.header_or_empty("Subscription-State"); }

void edit_document(sip::Message& notify, const std::function<void(xml::Element&)>& change) {
  auto document = xml::parse(notify.body);
  auto* root = std::get_if<xml::Element>(&document);
  if (root == nullptr) return;
  change(*root);
  notify.body = xml::write(*root);
}

}  // namespace

std::vector<Row> gateway_notifying() {
  return {
      // The answer to SUBSCRIBE.
      {"gateway.423-without-min-expires", "refuses a short subscription without saying which is long enough",
       "RFC3261-423",
       [](Sip& p) {
         if (p.answers("SUBSCRIBE", 423, 423)) p.message.remove_header("Min-Expires");
       },
       gateways},
      {"gateway.2xx-without-expires", "answers SUBSCRIBE without Expires", "RFC8048-5.3.1-3",
       [](Sip& p) {
         if (p.answers("SUBSCRIBE", 200, 299)) p.message.remove_header("Expires");
       },
       gateways},
      {"gateway.grants-more-than-asked", "grants a longer subscription than asked for", "RFC8048-5.3.1-3",
       [](Sip& p) {
         if (!p.answers("SUBSCRIBE", 200, 299)) return;
         const auto text = p.message.header_or_empty("Expires");
         unsigned seconds = 0;
         std::from_chars(text.data(), text.data() + text.size(), seconds);
         p.message.set_header("Expires", std::to_string(seconds + 3600));
       },
       gateways},
      {"gateway.subscribe-unanswered", "does not answer SUBSCRIBE", "RFC8048-5.3.1-2",
       [](Sip& p) {
         if (p.answers("SUBSCRIBE", 200, 299)) p.drop();
       },
       gateways},

      // What the XMPP user is asked, and answers.
      {"gateway.subscribe-lost", "sends no subscribe for a SUBSCRIBE", "RFC8048-5.3.1-1 RFC8048-5.3.1-9",
       [](Stanza& p) {
         if (p.sends_presence("subscribe")) p.drop();
       },
       gateways},
      {"gateway.approval-lost", "sends no NOTIFY active after subscribed", "RFC8048-5.3.1-5",
       [](Stanza& p) {
         if (p.hears_presence("subscribed")) p.drop();
       },
       gateways},
      {"gateway.revocation-lost", "keeps notifying after unsubscribed", "RFC8048-5.3.1-8",
       [](Stanza& p) {
         if (p.hears_presence("unsubscribed")) p.drop();
       },
       gateways},
      {"gateway.poll-without-probe", "sends no probe for a poll", "RFC8048-7.2-1 RFC8048-7.2-2",
       [](Stanza& p) {
         if (p.sends_presence("probe")) p.drop();
       },
       gateways},
      {"gateway.logoff-silent", "sends no unavailable when the last dialog of a watcher ends", "RFC8048-5.3.3-2",
       [](Stanza& p) {
         if (is_logoff(p)) p.drop();
       },
       gateways},
      {"gateway.logoff-unsubscribes", "sends unsubscribe when a watcher logs off", "RFC8048-5.3.3-3",
       [](Stanza& p) {
         if (is_logoff(p)) p.set_attribute("type", "unsubscribe");
       },
       gateways},
      {"gateway.first-resource-only", "notifies no resource but the first of a user", "RFC8048-6.2-8",
       [first = std::map<std::string, std::string>()](Stanza& p) mutable {
         const auto from = interworking::parse_jid(p.element.attribute_or_empty("from"));
         if (!p.hears_presence("") || !from || from->is_bare()) return;
         if (first.emplace(from->bare(), from->resource).first->second != from->resource) p.drop();
       },
       gateways},
      {"gateway.last-resource-wins", "has a document of its own for each client of a user", "RFC8048-6.2-8",
       [latest = std::map<std::string, std::string>()](Stanza& p) mutable {
         const auto from = interworking::parse_jid(p.element.attribute_or_empty("from"));
         if (!p.hears_presence("") || !from || from->is_bare()) return;
         const auto before = std::exchange(latest[from->bare()], from->resource);
         if (before.empty() || before == from->resource) return;
         auto others = p;  // with a new state the others of that user are not spoken of any more
         others.put(xmpp::make_presence(from->bare(), p.element.attribute_or_empty("to"), "unavailable"));
         p.octets.insert(0, others.octets);
       },
       gateways, Nature::variant},

      // NOTIFY.
      {"gateway.notify-lost", "sends no NOTIFY at all", "RFC8048-5.3.1-4",
       [](Sip& p) {
         if (p.sends("NOTIFY")) p.settle(200);
       },
       gateways},
      {"gateway.forgets-first-notify", "sends no NOTIFY after the 2xx to SUBSCRIBE", "RFC8048-5.3.1-4",
       [begun = Dialogs()](Sip& p) mutable {
         if (p.sends("NOTIFY") && begun.insert(p.message.call_id()).second) p.settle(200);
       },
       gateways},
      {"gateway.forgets-refresh-notify", "sends no NOTIFY after a refresh", "RFC8048-5.3.2-1 RFC8048-5.3.2-2",
       [refreshed = Dialogs()](Sip& p) mutable {
         const bool refresh =
             p.hears("SUBSCRIBE") && !p.message.to()->tag().empty() && p.message.header("Expires") != "0";
         if (refresh) refreshed.insert(p.message.call_id());
         if (p.sends("NOTIFY") && refreshed.erase(p.message.call_id()) > 0) p.settle(200);
       },
       gateways},
      {"gateway.expiry-silent", "ends an expired subscription without NOTIFY", "RFC8048-5.3.2-5",
       [asked = Dialogs()](Sip& p) mutable {
         if (p.hears("SUBSCRIBE") && p.message.header("Expires") == "0") asked.insert(p.message.call_id());
         const bool timed_out = p.sends("NOTIFY") && state_of(p).starts_with("terminated;reason=timeout");
         if (timed_out && !asked.contains(p.message.call_id())) p.settle(200);
       },
       gateways},
      {"gateway.watchers-never-lapse", "goes on telling a watcher who has not refreshed in time", "MIG-S06",
       [asked = std::map<std::string, std::string>()](Sip& p) mutable {
         const auto expires = p.message.header_or_empty("Expires");
         if (p.hears("SUBSCRIBE") && expires != "0") {
           asked[p.message.call_id()] = expires;
           p.message.set_header("Expires", "28800");
         }
         const auto known = asked.find(p.message.call_id());
         if (known != asked.end() && p.answers("SUBSCRIBE", 200, 299)) p.message.set_header("Expires", known->second);
       },
       gateways},
      {"gateway.notify-wrong-event", "notifies another event than was subscribed", "RFC6665-3.2.1",
       [](Sip& p) {
         if (p.sends("NOTIFY")) p.message.set_header("Event", "presence.winfo");
       },
       gateways},
      {"gateway.notify-without-expires", "leaves expires out of Subscription-State", "RFC6665-4.2.2",
       [](Sip& p) {
         const auto state = state_of(p);
         if (p.sends("NOTIFY")) p.message.set_header("Subscription-State", state.substr(0, state.find(";expires=")));
       },
       gateways},
      {"gateway.terminated-without-reason", "ends a subscription without reason",
       "RFC8048-5.3.1-7 RFC8048-5.3.3-1 RFC8048-7.2-2 RFC6665-rejected-final",
       [](Sip& p) {
         if (p.sends("NOTIFY") && state_of(p).starts_with("terminated")) {
           p.message.set_header("Subscription-State", "terminated");
         }
       },
       gateways},
      {"gateway.rejected-as-timeout", "ends a revoked subscription with reason timeout", "RFC8048-5.3.1-7",
       [](Sip& p) {
         if (p.sends("NOTIFY") && state_of(p) == "terminated;reason=rejected") {
           p.message.set_header("Subscription-State", "terminated;reason=timeout");
         }
       },
       gateways},
      {"gateway.unavailable-terminates", "ends the dialog on unavailable", "RFC8048-6.2-4b",
       [](Sip& p) {
         const bool closed =
             p.message.body.find(">closed<") != std::string::npos && p.message.body.find(">open<") == std::string::npos;
         if (p.sends("NOTIFY") && closed) p.message.set_header("Subscription-State", "terminated;reason=noresource");
       },
       gateways},
      {"gateway.wrong-entity", "names another presentity in the PIDF", "RFC3863-4.1.1",
       [](Sip& p) {
         if (!p.sends("NOTIFY")) return;
         edit_document(p.message,
                       [](xml::Element& root) { root.set_attribute("entity", "pres:else@gateway.invalid"); });
       },
       gateways},
      {"gateway.wrong-tuple-id", "gives all tuples one id", "RFC8048-6.2-T1-resource RFC3863-4.1.2",
       [](Sip& p) {
         if (!p.sends("NOTIFY")) return;
         edit_document(p.message, [](xml::Element& root) {
           for (auto& piece : root.content()) {
             for (auto& child : piece.element) {
               if (child.name() == "tuple") child.set_attribute("id", "tuple");
             }
           }
         });
       },
       gateways},
  };
}

}  // namespace cutover::departures
