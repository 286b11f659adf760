// How a partner treats what arrives for its users and for itself: RFC 6120 section 10.5, RFC 6121 sections 3, 4 and 8.5
// as far as one resource needs them.
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

bool lists(const std::vector<std::string>& list, const std::string& one) { return std::ranges::count(list, one) != 0; }

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
    if (stanza.name() == "message" && holds(Rule::message_to_the_server_is_answered))
      refuse(stanza, "service-unavailable");
    return;
  }
  stanza.name() == "message" ? on_message(*self, recipient, stanza) : on_presence(*self, recipient, stanza);
}

void Partner::on_unknown_account(const xml::Element& stanza) {
  if (breaks(Rule::presence_to_nobody_is_ignored, stanza.name() == "presence")) return;
  if (!holds(Rule::unknown_account_is_answered)) return;
  refuse(stanza, holds(Rule::unknown_account_is_not_revealed) ? "service-unavailable" : "item-not-found");
}

/// The resource that is named is the user's, and there.
bool Partner::matches(const PartnerUser& self, const Recipient& recipient) const {
  return self.online && recipient.resource == self.presence.resource;
}

void Partner::on_message(PartnerUser& self, const Recipient& recipient, const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  const bool bare = recipient.resource.empty(), error = type == "error";
  if (breaks(Rule::bare_errors_end_here, bare && error && settings_.filters)) return;
  if (breaks(Rule::groupchat_is_refused, bare && type == "groupchat")) return refuse(stanza, "service-unavailable");
  // RFC 6121 section 8.5.3.2.1: a chat is treated as if it were for the account.
  const bool lost = settings_.filters && !bare && type != "chat" && !matches(self, recipient);
  if (breaks(Rule::absent_resource_gets_nothing, lost)) return refuse(stanza, "service-unavailable");
  self.record(stanza, error || holds(Rule::messages_keep_their_order));
}

void Partner::on_presence(PartnerUser& self, const Recipient& recipient, const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  const auto from = xmpp::canonical_bare(stanza.attribute_or_empty("from"));
  // RFC 6121 section 8.5.3.2.2: requests and probes are treated as if they were for the account.
  const bool for_nobody = settings_.filters && !recipient.resource.empty() && !matches(self, recipient) &&
                          type != "subscribe" && type != "probe" && type != "error";
  if (for_nobody && !holds(Rule::presence_to_absent_resource_is_ignored)) return refuse(stanza, "service-unavailable");
  if (for_nobody) return;
  const bool stray = settings_.filters && type == "unsubscribe" && !lists(self.subscribers, from);
  if (stray && !holds(Rule::unsubscribing_has_a_subscription)) tell_unavailable(recipient.localpart, from);
  if (breaks(Rule::unsubscribing_has_a_subscription, stray)) {
    std::erase(self.pending, from);
    return;
  }
  const bool asked = lists(self.asked, from) || !settings_.filters;
  if (breaks(Rule::approval_was_asked_for, type == "subscribed" && !asked)) return;
  if (breaks(Rule::cancellation_has_a_subscription, type == "unsubscribed" && !asked)) return;
  if (type == "unsubscribed") std::erase(self.asked, from);
  self.record(stanza);
  if (type == "subscribe") return on_subscribe(self, recipient.localpart, from);
  if (type == "probe") return on_probe(self, recipient.localpart, stanza);
  const bool cancels = type == "unsubscribe" && lists(self.subscribers, from);
  if (!cancels) return;
  if (self.online && holds(Rule::unsubscribing_is_confirmed)) tell_unavailable(recipient.localpart, from);
  if (holds(Rule::unsubscribing_ends_it)) std::erase(self.subscribers, from);
}

void Partner::on_subscribe(PartnerUser& self, const std::string& localpart, const std::string& from) {
  const bool again = lists(self.subscribers, from);
  if (again && !holds(Rule::subscriber_is_answered_again)) return;
  if (!lists(self.pending, from)) self.pending.push_back(from);
  if (!breaks(Rule::user_approves, !again && !self.approves)) approve(localpart, from);
}

void Partner::on_probe(PartnerUser& self, const std::string& localpart, const xml::Element& stanza) {
  const auto from = stanza.attribute_or_empty("from");
  const bool authorised = lists(self.subscribers, xmpp::canonical_bare(from));
  if (authorised && !holds(Rule::probe_is_answered)) return;
  if (!breaks(Rule::probe_reveals_nothing, !authorised)) {
    if (self.online) return tell_presence(localpart, from);
    return send(xmpp::make_presence(bare_jid(localpart), from, "unavailable"));
  }
  if (holds(Rule::stranger_probe_is_refused))
    send(xmpp::make_presence(bare_jid(localpart), bare_of(from), "unsubscribed"));
}

void Partner::on_iq(PartnerUser* self, const Recipient& recipient, const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  const bool matched = self != nullptr && matches(*self, recipient);
  if (type == "get" || type == "set") {
    if (!breaks(Rule::server_answers_for_the_account, !matched) && self != nullptr) self->record(stanza);
    return answer_request(matched ? self : nullptr, recipient, stanza);
  }
  if (type == "result" || type == "error") {
    if (self != nullptr && (matched || !settings_.filters)) self->record(stanza);
    return refuse(stanza, "service-unavailable");  // what answers may never be answered with is known to make_error()
  }
  if (holds(Rule::odd_iq_is_refused)) refuse(stanza, "bad-request");
}

void Partner::answer_request(PartnerUser* client, const Recipient& recipient, const xml::Element& stanza) {
  const bool server = recipient.localpart.empty() && recipient.resource.empty();
  const bool account = !recipient.localpart.empty() && recipient.resource.empty();
  const auto* info = stanza.child("query", ns::disco_info);
  const bool stranger = account && !lists(users_.at(recipient.localpart).subscribers,
                                          xmpp::canonical_bare(stanza.attribute_or_empty("from")));
  if ((server || account || client != nullptr) && stanza.child("ping", ns::ping) != nullptr)
    return send(xmpp::make_result(stanza));
  if (info != nullptr && server && holds(Rule::server_tells_what_it_can))
    return send(xmpp::make_result(stanza, disco_result(*info, "server", "im")));
  if (info != nullptr && account && !breaks(Rule::strangers_learn_nothing, stranger))
    return send(xmpp::make_result(stanza, disco_result(*info, "account", "registered")));
  if (info != nullptr && client != nullptr) return send(xmpp::make_result(stanza, disco_result(*info, "client", "pc")));
  if (const auto* items = stanza.child("query", ns::disco_items); server && items != nullptr) {
    auto none = xml::Element("query", ns::disco_items);
    if (const auto node = items->attribute("node")) none.set_attribute("node", *node);
    return send(xmpp::make_result(stanza, none));
  }
  if (holds(Rule::unknown_query_is_refused)) return refuse(stanza, "service-unavailable");
  send(xmpp::make_result(stanza));
}

void Partner::refuse(const xml::Element& stanza, std::string_view condition) {
  if (auto error = xmpp::make_error(stanza, condition, {}, {}, settings_.departures)) send(std::move(*error));
}

void Partner::on_undeliverable(const xml::Element& stanza, std::string_view condition) {
  const auto found = users_.find(localpart_of(stanza.attribute_or_empty("from")));
  if (found == users_.end()) return;
  auto error = xmpp::make_error(stanza, condition);
  if (!error) return;
  if (auto* child = error->child("error", error->ns())) child->set_attribute("by", settings_.domain);
  found->second.errors.push_back(std::move(*error));
}

}  // namespace cutover::mocks
