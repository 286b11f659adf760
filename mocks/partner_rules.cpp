// How a partner treats what arrives for its users and for itself: RFC 6120 section 10.5, RFC 6121 sections 3, 4 and 8.5
// as far as one resource needs them, and the defects of a server with accounts.
#include "mocks/partner.h"

#include "protocol/base/check.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>

namespace cutover::mocks {

namespace {

namespace ns = xmpp::ns;

std::string bare_of(const std::string& jid) { return jid.substr(0, jid.find('/')); }

/// In canonical form, as accounts are compared (RFC 7622 section 3.3); as it stands where it has none.
std::string localpart_of(const std::string& jid) {
  const auto at = jid.find('@');
  if (at == std::string::npos) return {};
  const auto prepared = xmpp::Jid::parse(jid);
  return prepared ? prepared->local() : jid.substr(0, at);
}

bool holds(const std::vector<std::string>& list, const std::string& one) { return std::ranges::count(list, one) != 0; }

/// What a disco#info query is answered with; the node is mirrored (XEP-0030 section 3.2).
xml::Element disco_result(const xml::Element& query, const char* category, const char* type) {
  auto result = xml::Element("query", ns::disco_info);
  if (const auto node = query.attribute("node")) result.set_attribute("node", *node);
  result.add(xml::Element("identity", ns::disco_info).with("category", category).with("type", type));
  for (const auto* feature : {ns::disco_info, ns::ping})
    result.add(xml::Element("feature", ns::disco_info).with("var", feature));
  return result;
}

}  // namespace

void Partner::on_stanza(const xml::Element& stanza, std::string_view) {
  const auto to = stanza.attribute_or_empty("to");
  const auto slash = to.find('/');
  const Recipient recipient{localpart_of(bare_of(to)), slash == std::string::npos ? "" : to.substr(slash + 1)};
  const auto found = users_.find(recipient.localpart);
  if (!recipient.localpart.empty() && found == users_.end()) return on_unknown_account(stanza);
  auto* self = recipient.localpart.empty() ? nullptr : &found->second;
  if (stanza.name() == "iq") return on_iq(self, recipient, stanza);
  if (self == nullptr) {
    if (stanza.name() == "message") refuse(stanza, "service-unavailable");  // RFC 6120 section 10.5.1
    return;
  }
  stanza.name() == "message" ? on_message(*self, recipient, stanza) : on_presence(*self, recipient, stanza);
}

void Partner::on_unknown_account(const xml::Element& stanza) {
  // RFC 6121 section 8.5.1: presence is ignored silently.
  if (stanza.name() == "presence" && !defect("account.unknown-account-presence-answered")) return;
  if (defect("account.unknown-account-silent")) return;
  refuse(stanza, defect("account.unknown-account-revealed") ? "item-not-found" : "service-unavailable");
}

void Partner::on_message(PartnerUser& self, const Recipient& recipient, xml::Element stanza) {
  const auto type = stanza.attribute_or_empty("type");
  const bool bare = recipient.resource.empty();
  // RFC 6121 section 8.5.2.1.1.
  if (bare && type == "error" && settings_.filters && !defect("account.bare-errors-delivered")) return;
  if (bare && type == "groupchat" && !defect("account.groupchat-delivered"))
    return refuse(stanza, "service-unavailable");
  if (!bare && defect("account.full-jid-messages-lost")) return;
  if (bare && defect("account.bare-to-rewritten")) stanza.set_attribute("to", full_jid(recipient.localpart));
  if (defect("account.thread-lost")) stanza.remove_children("thread", ns::server);
  if (defect("account.payloads-lost")) {
    std::erase_if(stanza.content(),
                  [](const xml::Content& part) { return !part.is_text() && part.element.front().ns() != ns::server; });
  }
  const bool first = defect("account.messages-reordered") && type != "error";
  self.record(std::move(stanza));
  if (first) std::rotate(self.messages.begin(), self.messages.end() - 1, self.messages.end());
}

void Partner::on_presence(PartnerUser& self, const Recipient& recipient, const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  const auto from = bare_of(stanza.attribute_or_empty("from"));
  const bool asked = holds(self.asked, from) || !settings_.filters;
  // RFC 6121 sections 3.1.6 and 3.2.3.
  if (type == "subscribed" && !asked && !defect("account.unsolicited-approval-delivered")) return;
  if (type == "unsubscribed" && !asked && !defect("account.unsolicited-cancellation-delivered")) return;
  if (type == "unsubscribed") std::erase(self.asked, from);
  if (type.empty() && defect("account.presence-lost")) return;
  if (type == "unavailable" && defect("account.unavailable-lost")) return;
  self.record(stanza);
  if (type == "subscribe") return on_subscribe(self, recipient.localpart, from);
  if (type == "probe") return on_probe(self, recipient.localpart, stanza);
  const bool cancels = type == "unsubscribe" && std::erase(self.subscribers, from) != 0;
  // RFC 6121 section 3.3.3.
  if (cancels && self.online && !defect("account.unsubscribe-unanswered")) tell_unavailable(recipient.localpart, from);
  if (cancels && defect("account.subscriber-kept")) self.subscribers.push_back(from);
}

void Partner::on_subscribe(PartnerUser& self, const std::string& localpart, const std::string& from) {
  const bool again = holds(self.subscribers, from);
  if (again && defect("account.resubscription-unanswered")) return;
  if (again || self.approves || defect("account.approves-by-itself")) approve(localpart, from);
}

void Partner::on_probe(PartnerUser& self, const std::string& localpart, const xml::Element& stanza) {
  const auto from = stanza.attribute_or_empty("from");
  const bool authorised = holds(self.subscribers, bare_of(from));
  if (authorised && defect("account.probe-unanswered")) return;
  if (authorised || defect("account.probe-reveals")) {
    if (self.online) return tell_presence(localpart, from);
    return send(xmpp::make_presence(bare_jid(localpart), from, "unavailable"));
  }
  // RFC 6121 section 4.3.2.
  if (!defect("account.stranger-probe-unanswered"))
    send(xmpp::make_presence(bare_jid(localpart), bare_of(from), "unsubscribed"));
}

void Partner::on_iq(PartnerUser* self, const Recipient& recipient, const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  const bool matches =
      self != nullptr && self->online && recipient.resource == users_.at(recipient.localpart).presence.resource;
  if (type == "get" || type == "set") {
    if (matches || (self != nullptr && defect("account.bare-iq-delivered"))) self->record(stanza);
    return answer_request(matches ? self : nullptr, recipient, stanza);
  }
  if (type == "result" || type == "error") {
    if (matches && !defect("account.iq-answers-lost")) self->record(stanza);
    if (defect("account.iq-answers-answered"))
      answer(*xmpp::make_error(xmpp::make_iq(stanza.attribute_or_empty("from"), stanza.attribute_or_empty("to"), "get",
                                             stanza.attribute_or_empty("id")),
                               "service-unavailable"));
    return;
  }
  if (!defect("account.odd-iq-ignored")) refuse(stanza, "bad-request");  // RFC 6120 section 8.2.3
}

void Partner::answer_request(PartnerUser* client, const Recipient& recipient, const xml::Element& stanza) {
  const bool server = recipient.localpart.empty() && recipient.resource.empty();
  const bool account = !recipient.localpart.empty() && recipient.resource.empty();
  const auto* info = stanza.child("query", ns::disco_info);
  const bool stranger =
      account && !holds(users_.at(recipient.localpart).subscribers, bare_of(stanza.attribute_or_empty("from")));
  if ((server || account || client != nullptr) && stanza.child("ping", ns::ping) != nullptr)
    return answer(xmpp::make_result(stanza));
  if (info != nullptr && server && !defect("account.no-disco"))
    return answer(xmpp::make_result(stanza, disco_result(*info, "server", "im")));
  if (info != nullptr && account && !stranger)
    return answer(xmpp::make_result(stanza, disco_result(*info, "account", "registered")));
  if (info != nullptr && client != nullptr)
    return answer(xmpp::make_result(stanza, disco_result(*info, "client", "pc")));
  if (server && stanza.child("query", ns::disco_items) != nullptr)
    return answer(xmpp::make_result(stanza, xml::Element("query", ns::disco_items)));
  if (defect("account.unknown-query-accepted")) return answer(xmpp::make_result(stanza));
  refuse(stanza, "service-unavailable");
}

void Partner::answer(xml::Element stanza) {
  const bool iq = stanza.name() == "iq";
  if (iq && defect("account.iq-unanswered")) return;
  if (iq && defect("account.iq-answered-twice")) send(stanza);
  send(std::move(stanza));
}

void Partner::refuse(const xml::Element& stanza, std::string_view condition) {
  auto error = xmpp::make_error(stanza, condition, {}, {}, settings_.departures);
  if (!error) return;
  if (defect("account.error-without-id")) error->remove_attribute("id");
  if (defect("account.error-from-domain")) error->set_attribute("from", settings_.domain);
  if (defect("account.error-of-odd-type")) error->child("error", ns::server)->set_attribute("type", "fatal");
  if (defect("account.error-without-child")) error->remove_children("error", ns::server);
  answer(std::move(*error));
}

void Partner::on_undeliverable(const xml::Element& stanza, std::string_view condition) {
  const auto found = users_.find(localpart_of(stanza.attribute_or_empty("from")));
  if (found == users_.end()) return;
  if (auto error = xmpp::make_error(stanza, condition)) found->second.errors.push_back(std::move(*error));
}

}  // namespace cutover::mocks
