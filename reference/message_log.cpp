// One entry a message stanza.
#include "reference/message_log.h"

#include "protocol/xmpp/stanza.h"
#include "reference/rules.h"

namespace cutover::reference {

std::size_t octets_of(const LoggedMessage& message) {
  return sizeof(LoggedMessage) + message.from.size() + message.to.size() + message.id.size() +
         message.body.value_or("").size();
}

void MessageLog::note(const xml::Element& stanza, Time now, bool with_bodies) {
  if (xmpp::stanza_kind(stanza) != xmpp::StanzaKind::message) return;
  const auto* body = stanza.child("body", stanza.ns());
  const auto text = body == nullptr ? std::string() : body->text();
  LoggedMessage message{.at = now,
                        .from = stanza.attribute_or_empty("from"),
                        .to = stanza.attribute_or_empty("to"),
                        .id = stanza.attribute_or_empty("id"),
                        .type = stanza.attribute_or_empty("type"),
                        .octets = text.size(),
                        .body = std::nullopt};
  const bool kept = with_bodies ? departures_.holds(Rule::bodies_are_logged_when_asked)
                                : !departures_.holds(Rule::bodies_are_not_logged);
  if (kept) message.body = text;
  messages_.push_back(std::move(message));
}

}  // namespace cutover::reference
