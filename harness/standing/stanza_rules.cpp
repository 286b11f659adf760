// What stanzas are judged by: RFC 6120 section 8, RFC 6121, RFC 7622, XEP-0203.
#include "harness/standing/authorised.h"
#include "harness/standing/rules_by_layer.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>
#include <array>

namespace cutover::harness::standing {

namespace ns = xmpp::ns;

namespace {

std::string domain_of(std::string_view address) {
  const auto jid = xmpp::Jid::parse(address);
  return jid ? jid->domain() : std::string(address);
}

/// A domain of these addresses that is written in A-labels.
bool has_a_label(std::string_view address) {
  const auto domain = address.substr(0, address.find('/'));
  return domain.starts_with("xn--") || domain.find(".xn--") != std::string_view::npos ||
         domain.find("@xn--") != std::string_view::npos;
}

/// In the name of the one that it is sent to, who is not the sender too.
bool is_in_the_listeners_name(const Conversation& conversation, const xml::Element& stanza) {
  const auto* header = conversation.first_header(true);
  if (header == nullptr || !conversation.sender_initiates) return false;
  const auto domain = domain_of(stanza.attribute_or_empty("from"));
  return domain == domain_of(header->tag.attribute_or_empty("to")) &&
         domain != domain_of(header->tag.attribute_or_empty("from"));
}

void judge_flow(const Conversation& conversation, const Authorised& authorised, const Said& one, Ledger& ledger) {
  if (!ledger.judge(Rule::one_direction, conversation.sender_initiates, one.octets)) return;
  if (!ledger.judge(Rule::stanzas_behind_negotiation, authorised.anybody(), one.octets)) return;
  // Without both addresses it is of no pair, and that is told (stanza_has_to, stanza_has_from).
  const auto& stanza = *one.element();
  const auto from = stanza.attribute_or_empty("from");
  if (from.empty() || stanza.attribute_or_empty("to").empty()) return;
  if (!ledger.judge(Rule::stanza_has_from, !is_in_the_listeners_name(conversation, stanza), one.octets)) return;
  if (!xmpp::Jid::parse(from)) return;  // told as that (sender_is_an_address)
  // An error goes back to whatever address was given, if that is none.
  const bool to_nobody =
      stanza.attribute_or_empty("type") == "error" && !xmpp::Jid::parse(stanza.attribute_or_empty("to"));
  if (authorised.by_dialback_alone() && !to_nobody)
    ledger.judge(Rule::pair_is_verified, authorised.pair(domain_of(from), domain_of(stanza.attribute_or_empty("to"))),
                 one.octets);
}

void judge_addresses(const Said& one, Ledger& ledger) {
  const auto& stanza = *one.element();
  const auto from = stanza.attribute_or_empty("from"), to = stanza.attribute_or_empty("to");
  ledger.judge(Rule::stanza_has_to, !to.empty(), one.octets);
  ledger.judge(Rule::stanza_has_from, !from.empty(), one.octets);
  const auto type = stanza.attribute_or_empty("type");
  // An answer has the address that was written in what it answers.
  if (type != "error" && type != "result") {
    ledger.judge(Rule::domains_in_u_labels, !has_a_label(from), one.octets);
    if (!from.empty()) ledger.judge(Rule::sender_is_an_address, xmpp::Jid::parse(from).has_value(), one.octets);
  }
  constexpr std::array subscriptions{"subscribe", "subscribed", "unsubscribe", "unsubscribed"};
  if (stanza.name() == "presence" && std::ranges::find(subscriptions, type) != subscriptions.end())
    ledger.judge(Rule::subscription_from_bare, from.find('/') == std::string::npos, one.octets);
}

void judge_iq(const Said& one, Ledger& ledger) {
  const auto& iq = *one.element();
  const auto type = iq.attribute_or_empty("type");
  const auto children = iq.children().size();
  ledger.judge(Rule::iq_has_type, !type.empty(), one.octets);
  ledger.judge(Rule::iq_has_id, !iq.attribute_or_empty("id").empty(), one.octets);
  if (type == "get" || type == "set") ledger.judge(Rule::request_has_one_child, children == 1, one.octets);
  if (type == "result") ledger.judge(Rule::result_has_at_most_one_child, children <= 1, one.octets);
}

bool has_form_of_an_error(const xml::Element& error) {
  constexpr std::array types{"auth", "cancel", "continue", "modify", "wait"};
  std::size_t conditions = 0;
  for (const auto* child : error.children()) {
    if (child->ns() != ns::stanza_errors || child->name() == "text") continue;
    const bool defined =
        std::ranges::any_of(xmpp::stanza_conditions(), [&](const auto& row) { return row.condition == child->name(); });
    conditions += defined ? 1 : 2;
  }
  return conditions == 1 && std::ranges::find(types, error.attribute_or_empty("type")) != types.end();
}

void judge_error(const Said& one, Ledger& ledger) {
  const auto& stanza = *one.element();
  const auto* error = stanza.child("error", ns::server);
  if (stanza.attribute_or_empty("type") != "error") {
    ledger.judge(Rule::error_only_in_errors, error == nullptr, one.octets);
    return;
  }
  if (!ledger.judge(Rule::error_has_error, error != nullptr, one.octets)) return;
  ledger.judge(Rule::error_form, has_form_of_an_error(*error), one.octets);
  ledger.judge(Rule::condition_is_empty, has_empty_condition(*error, ns::stanza_errors), one.octets);
  const auto* text = error->child("text", ns::stanza_errors);
  const bool elsewhere = error->child("text", ns::server) != nullptr || error->child("text", "") != nullptr;
  if (text != nullptr || elsewhere) ledger.judge(Rule::error_text, !elsewhere, one.octets);
  if (text != nullptr) ledger.judge(Rule::error_language, names_a_language(*text), one.octets);
}

/// XEP-0082: 2002-09-10T23:08:25Z, with or without fractions of a second.
bool is_utc_stamp(std::string_view stamp) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
  if (stamp.size() <= form.size() || stamp.back() != 'Z') return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] == 'd' ? !digit(stamp[i]) : stamp[i] != form[i]) return false;
  const auto rest = stamp.substr(form.size(), stamp.size() - form.size() - 1);
  return rest.empty() || (rest.size() > 1 && rest.front() == '.' && std::ranges::all_of(rest.substr(1), digit));
}

void judge_delays(const Said& one, Ledger& ledger) {
  for (const auto* child : one.element()->children())
    if (child->is("delay", ns::delay))
      ledger.judge(Rule::delay_stamp, is_utc_stamp(child->attribute_or_empty("stamp")), one.octets);
}

bool is_named_like_a_stanza(const xml::Element& element) {
  return element.name() == "message" || element.name() == "presence" || element.name() == "iq";
}

bool keeps_namespace(const xml::Element& stanza) {
  return std::ranges::none_of(stanza.children(), [](const auto* child) { return child->ns() == ns::client; });
}

}  // namespace

void judge_stanzas(const Conversation& conversation, Ledger& ledger) {
  Authorised authorised;
  const bool bidi = is_bidi(conversation);
  for (const auto& one : conversation.said) {
    authorised.hear(one);
    if (!one.by_sender || one.element() == nullptr) continue;
    // The header declared no content namespace, and the stanza does not either (RFC 6120 section 4.8.2).
    if (is_named_like_a_stanza(*one.element()) && one.element()->ns().empty())
      ledger.judge(Rule::content_namespace, false, one.octets);
    if (!xmpp::is_stanza(*one.element())) continue;
    const bool between_servers = one.element()->ns() == ns::server;
    ledger.judge(Rule::stanza_namespace, between_servers && keeps_namespace(*one.element()), one.octets);
    if (!between_servers) continue;
    if (!bidi) judge_flow(conversation, authorised, one, ledger);
    judge_addresses(one, ledger);
    if (one.element()->name() == "iq") judge_iq(one, ledger);
    if (keeps_namespace(*one.element())) judge_error(one, ledger);
    judge_delays(one, ledger);
  }
}

void Answers::judge(const Conversation& conversation, Ledger& ledger) {
  for (const auto& one : conversation.said) {
    if (one.element() == nullptr || !one.element()->is("iq", ns::server)) continue;
    const auto& iq = *one.element();
    const auto type = iq.attribute_or_empty("type"), id = iq.attribute_or_empty("id");
    const auto from = xmpp::canonical_bare(iq.attribute_or_empty("from")),
               to = xmpp::canonical_bare(iq.attribute_or_empty("to"));
    if (!one.by_sender && (type == "get" || type == "set")) {
      ++asked_[{from, to, id}];
    } else if (one.by_sender && (type == "result" || type == "error")) {
      const auto asked = asked_.find({to, from, id});
      if (asked == asked_.end()) continue;
      ledger.judge(Rule::answered_once, ++answered_[asked->first] <= asked->second, one.octets);
    }
  }
}

}  // namespace cutover::harness::standing
