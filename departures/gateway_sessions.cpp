// Sessions and typing: RFC 7573 said, heard or answered otherwise.
#include "departures/rows.h"
#include "protocol/interworking/mapping/chat_state.h"
#include "protocol/interworking/mapping/message.h"
#include "protocol/sip/passage.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"

#include <algorithm>
#include <set>
#include <utility>

namespace cutover::departures {

namespace {

using Stanza = xmpp::Passage;
using Sip = sip::Passage;
using interworking::ChatState;

bool has_body(const Stanza& p) { return p.element.child("body", p.element.ns()) != nullptr; }

/// A chat state that stands alone in its message.
bool is_state(const Stanza& p, std::initializer_list<ChatState> states) {
  const auto state = p.is("message") && !has_body(p) ? interworking::chat_state_of(p.element) : std::nullopt;
  return state && std::find(states.begin(), states.end(), *state) != states.end();
}

bool holds_typing(const Sip& p) {
  return p.is("MESSAGE") &&
         interworking::media_type(p.message.header_or_empty("Content-Type")) == interworking::iscomposing_media;
}

/// composing for another state, and active for composing.
void invert(xml::Element& stanza) {
  const auto state = interworking::chat_state_of(stanza).value_or(ChatState::active);
  const auto other = state == ChatState::composing ? ChatState::active : ChatState::composing;
  stanza.remove_children(interworking::to_string(state), xmpp::ns::chat_states);
  stanza.add(xml::Element(std::string(interworking::to_string(other)), xmpp::ns::chat_states));
}

}  // namespace

std::vector<Row> gateway_sessions() {
  return {
      {"gateway.ack-wrong-cseq", "acknowledges a 2xx with another CSeq than the INVITE's", "RFC3261-13.2.2.4",
       [](Sip& p) {
         if (p.sends("ACK")) p.message.set_header("CSeq", std::to_string(p.message.cseq_number() + 1) + " ACK");
       },
       gateways},
      {"gateway.answer-without-media", "answers an IM offer without its m= lines", "RFC3264-6",
       [](Sip& p) {
         if (p.answers("INVITE", 200, 299)) {
           p.message.body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
         }
       },
       gateways},
      {"gateway.refuses-im-offer", "refuses every INVITE", "RFC7573-5-1",
       [](Sip& p) {
         if (p.hears("INVITE")) p.settle(488);
       },
       gateways},
      {"gateway.loses-ms-text", "announces that it takes the text in an INVITE, and loses it", "LYNC-IM-4",
       [](Sip& p) {
         if (p.hears("INVITE")) p.message.remove_header("Ms-Text-Format");
         if (p.answers("INVITE", 200, 299)) p.message.set_header("Supported", "ms-text-format");
       },
       gateways},
      {"gateway.loses-first-message", "loses the message that opened a session", "RFC7573-4-2",
       [opened = std::set<std::string>()](Sip& p) mutable {
         if (p.sends("INVITE")) opened.insert(p.message.call_id());
         if (p.sends("MESSAGE") && opened.erase(p.message.call_id()) > 0) p.settle(200);
       },
       gateways},
      {"gateway.doubles-first-message", "sends the message that opened a session twice", "RFC7573-4-2",
       [opened = std::set<std::pair<std::string, std::string>>()](Stanza& p) mutable {
         if (!p.hears("message") || !p.has_type("chat") || !has_body(p)) return;
         if (opened.emplace(p.element.attribute_or_empty("from"), p.element.attribute_or_empty("to")).second)
           p.repeat();
       },
       gateways},
      {"gateway.session-without-chat-type", "sends session content without type chat", "RFC7573-5-3",
       [](Stanza& p) {
         if (p.sends("message") && has_body(p) && p.has_type("chat")) p.remove_attribute("type");
       },
       gateways},
      {"gateway.never-sends-bye", "never ends a session", "RFC7573-4-11 RFC7573-6.1-1",
       [](Sip& p) {
         if (p.sends("BYE")) p.settle(200);
       },
       gateways},
      {"gateway.bye-unanswered", "does not answer BYE", "RFC7573-4-10",
       [](Sip& p) {
         if (p.answers("BYE")) p.drop();
       },
       gateways},
      {"gateway.bye-without-gone", "sends no <gone/> after BYE", "RFC7573-6.1-2",
       [](Stanza& p) {
         if (p.out() && is_state(p, {ChatState::gone})) p.drop();
       },
       gateways},
      {"gateway.ignores-gone", "keeps the session after <gone/>", "RFC7573-6.1-1 RFC7573-6-T4-gone",
       [](Stanza& p) {
         if (p.in() && is_state(p, {ChatState::gone})) p.drop();
       },
       gateways},

      {"gateway.drops-typing", "sends no chat state for isComposing", "RFC7573-6-T3-active",
       [](Stanza& p) {
         if (p.out() && is_state(p, {ChatState::composing, ChatState::active})) p.drop();
       },
       gateways},
      {"gateway.inverts-typing", "maps composing to idle and idle to composing",
       "RFC7573-6-T3-active RFC7573-6-T4-composing",
       [](Stanza& p) {
         if (is_state(p, {ChatState::composing, ChatState::active, ChatState::inactive, ChatState::paused})) {
           p.edit(invert);
         }
       },
       gateways},
      {"gateway.typing-as-text", "shows an isComposing document as text", "RFC7573-6-1",
       [](Sip& p) {
         if (p.in() && holds_typing(p)) p.message.set_header("Content-Type", "text/plain;charset=utf-8");
       },
       gateways},
  };
}

}  // namespace cutover::departures
