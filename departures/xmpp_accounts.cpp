// What a server with accounts says, and hears, otherwise: addresses, errors, and stanzas that get lost on delivery.
#include "departures/rows.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

constexpr char resource[] = "/home";  ///< of the one client of a user there

std::string type_of(const Passage& p) { return p.element.attribute_or_empty("type"); }
std::string to_of(const Passage& p) { return p.element.attribute_or_empty("to"); }
bool is_bare(std::string_view jid) { return jid.find('/') == std::string_view::npos; }

bool sends_error(const Passage& p) { return p.out() && p.is_stanza() && type_of(p) == "error"; }
bool is_iq_answer(const Passage& p) { return p.is("iq") && (type_of(p) == "result" || type_of(p) == "error"); }
bool manages_subscription(const Passage& p) {
  constexpr std::string_view types[] = {"subscribe", "subscribed", "unsubscribe", "unsubscribed"};
  return p.is("presence") && std::ranges::find(types, type_of(p)) != std::end(types);
}

std::vector<Row> said() {
  return {
      {"account.resources-in-small-letters", "takes resources in small letters", "RFC7622-3.4-1",
       [](Passage& p) {
         auto to = to_of(p);
         if (!p.in() || !p.is_stanza() || is_bare(to)) return;
         std::transform(to.begin() + static_cast<std::ptrdiff_t>(to.find('/')), to.end(),
                        to.begin() + static_cast<std::ptrdiff_t>(to.find('/')),
                        [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
         p.set_attribute("to", to);
       },
       account_server},
      {"account.error-from-domain", "answers with errors from its domain instead of the address that was sent to",
       "RFC6120-8.3.1-2",
       [](Passage& p) {
         if (!sends_error(p)) return;
         const auto from = p.element.attribute_or_empty("from");
         p.set_attribute("from", from.substr(from.find('@') + 1));
       },
       account_server},
      {"account.error-of-odd-type", "sends error elements of a type that does not exist", "RFC6120-8.3.2-1",
       [](Passage& p) {
         if (!sends_error(p)) return;
         p.edit([](xml::Element& stanza) {
           if (auto* error = stanza.child("error", ns::server)) error->set_attribute("type", "fatal");
         });
       },
       account_server},
      {"account.disco-without-identity", "answers disco#info without an identity", "XEP0030-3.1-1",
       [](Passage& p) {
         static constexpr char info[] = "http://jabber.org/protocol/disco#info";
         if (p.sends("iq") && p.element.child("query", info) != nullptr)
           p.edit([](xml::Element& iq) { iq.child("query", info)->remove_children("identity", info); });
       },
       account_server},
      {"account.error-without-child", "sends stanzas of type error without an error element", "RFC6120-8.3.1-3",
       [](Passage& p) {
         if (sends_error(p)) p.edit([](xml::Element& stanza) { stanza.remove_children("error", ns::server); });
       },
       account_server},
      {"account.error-without-id", "answers with errors without the id of the stanza", "RFC6120-8.1.3-1",
       [](Passage& p) {
         if (sends_error(p)) p.remove_attribute("id");
       },
       account_server},
      {"account.iq-answered-twice", "answers every request twice", "RFC6120-8.2.3-3",
       [](Passage& p) {
         if (p.out() && is_iq_answer(p)) p.repeat();
       },
       account_server},
      {"account.iq-unanswered", "answers no request", "RFC6120-8.2.3-3 RFC6121-8.5.2.1.3-1 RFC6121-8.5.3.2.3-1",
       [](Passage& p) {
         if (p.out() && is_iq_answer(p)) p.drop();
       },
       account_server},
      {"account.messages-from-the-account", "sends messages of its users from their bare JIDs", "RFC6120-8.1.2.1-1",
       [](Passage& p) {
         if (!p.out() || !p.is("message") || type_of(p) == "error") return;
         const auto from = p.element.attribute_or_empty("from");
         p.set_attribute("from", from.substr(0, from.find('/')));
       },
       account_server},
      {"account.presence-before-approval", "sends presence before it sends the approval that it goes with",
       "RFC6121-3.1.5-2",
       [held = std::string(), once = false](Passage& p) mutable {
         if (!p.out() || !p.is("presence")) return;
         if (type_of(p) == "subscribed" && !once) {
           once = true;
           held = p.octets;
           p.drop();
         } else if (type_of(p).empty()) {
           p.octets += std::exchange(held, {});
         }
       },
       account_server},
      {"account.subscription-from-full-jid", "sends subscription stanzas from a full JID", "RFC6121-3-1",
       [](Passage& p) {
         if (p.out() && manages_subscription(p))
           p.set_attribute("from", p.element.attribute_or_empty("from") + resource);
       },
       account_server},
  };
}

std::vector<Row> delivered() {
  return {
      {"account.bare-to-rewritten", "rewrites the bare JID of a stanza to a full one on delivery",
       "RFC6121-8.5.2.1.1-4",
       [](Passage& p) {
         if (!p.hears("message") || type_of(p) == "error" || type_of(p) == "groupchat") return;
         if (is_bare(to_of(p))) p.set_attribute("to", to_of(p) + resource);
       },
       account_server},
      {"account.full-jid-messages-lost", "does not deliver messages to a full JID", "RFC6120-10.5.4-1",
       [](Passage& p) {
         if (p.hears("message") && !is_bare(to_of(p))) p.drop();
       },
       account_server},
      {"account.thread-lost", "drops the thread of messages", "RFC6121-5.2.5-1",
       [](Passage& p) {
         if (p.hears("message")) p.edit([](xml::Element& stanza) { stanza.remove_children("thread", ns::server); });
       },
       account_server},
      {"account.payloads-lost", "drops payloads that it does not know", "RFC6120-8.4-2",
       [](Passage& p) {
         if (!p.hears("message")) return;
         p.edit([](xml::Element& stanza) {
           std::erase_if(stanza.content(), [](const xml::Content& part) {
             return !part.is_text() && part.element.front().ns() != ns::server;
           });
         });
       },
       account_server},
      {"account.presence-lost", "does not deliver available presence", "RFC6121-4.2.3-1",
       [](Passage& p) {
         if (p.hears("presence") && type_of(p).empty()) p.drop();
       },
       account_server},
      {"account.unavailable-lost", "does not deliver unavailable presence", "RFC6121-4.5.3-1",
       [](Passage& p) {
         if (p.hears("presence") && type_of(p) == "unavailable") p.drop();
       },
       account_server},
      {"account.iq-answers-lost", "does not deliver results to the full JID that asked", "RFC6121-8.5.3.1-2",
       [](Passage& p) {
         if (p.in() && is_iq_answer(p) && !is_bare(to_of(p))) p.drop();
       },
       account_server},
  };
}

}  // namespace

std::vector<Row> xmpp_accounts() {
  auto rows = said();
  const auto more = delivered();
  rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

}  // namespace cutover::departures
