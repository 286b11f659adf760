// What dialback elements are judged by: XEP-0220 sections 2.1 to 2.5, XEP-0185.
#include "harness/standing/rules_by_layer.h"
#include "protocol/xml/markup.h"
#include "protocol/xmpp/dialback.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>

namespace cutover::harness::standing {

namespace ns = xmpp::ns;

namespace {

std::string domain_in(const xml::Element& element, const char* name) {
  return xmpp::canonical_domain(element.attribute_or_empty(name));
}
std::string key_in(const xml::Element& element) {
  const auto text = element.text();
  const auto begin = text.find_first_not_of(" \t\r\n"), end = text.find_last_not_of(" \t\r\n");
  return begin == std::string::npos ? std::string() : text.substr(begin, end - begin + 1);
}
bool is_addressed(const xml::Element& element) {
  return xmpp::is_domain(element.attribute_or_empty("from")) && xmpp::is_domain(element.attribute_or_empty("to"));
}
bool is_dialback(const Said& one, std::string_view name) {
  return one.element() != nullptr && one.element()->is(name, ns::dialback);
}

/// What the listener asked for on this connection before place `end`, which `answer` answers; null where nothing.
const xml::Element* asked_for(const Conversation& conversation, std::size_t end, const xml::Element& answer) {
  for (std::size_t at = 0; at < end; ++at) {
    const auto& one = conversation.said[at];
    // With a type it is an answer that nobody asked for; who takes it for a request has still something to answer.
    if (one.by_sender || !is_dialback(one, answer.name())) continue;
    const auto& request = *one.element();
    const bool same_id = answer.name() == "result" || request.attribute("id") == answer.attribute("id");
    if (same_id && domain_in(request, "from") == domain_in(answer, "to") &&
        domain_in(request, "to") == domain_in(answer, "from"))
      return &request;
  }
  return nullptr;
}

/// The listener asked with addresses that are none: what the answer has in their place is anybody's guess.
bool asked_oddly(const Conversation& conversation, const xml::Element& answer) {
  return std::ranges::any_of(conversation.said, [&](const Said& one) {
    return !one.by_sender && is_dialback(one, answer.name()) && !is_addressed(*one.element());
  });
}

/// A condition of RFC 6120, or the one that only XEP-0220 section 2.5 has.
bool is_stanza_condition(std::string_view name) {
  if (name == "remote-connection-failed") return true;
  return std::ranges::any_of(xmpp::stanza_conditions(), [&](const auto& row) { return row.condition == name; });
}

bool has_error_condition(const xml::Element& element) {
  const auto* error = element.child("error", ns::server);
  if (error == nullptr) return false;
  std::size_t conditions = 0;
  for (const auto* child : error->children())
    if (child->ns() == ns::stanza_errors && child->name() != "text") conditions += is_stanza_condition(child->name());
  return conditions == 1;
}

bool declares_dialback(const xml::StreamHeader& header) {
  return std::ranges::any_of(header.prefixes, [](const auto& declared) { return declared.second == ns::dialback; });
}

/// Whether the element itself, and not a declaration of its own, says what its prefix stands for.
bool has_declared_prefix(const Said& one, const xml::StreamHeader& header) {
  const auto tags = xml::tags_of(one.octets, header.prefixes);
  if (tags.empty()) return true;
  return std::ranges::any_of(header.prefixes, [&](const auto& declared) {
    return declared.first == tags.front().prefix && declared.second == ns::dialback;
  });
}

/// Whether there are as many answers like that one before it as there were requests for them.
bool is_answered_already(const Conversation& conversation, std::size_t end, const xml::Element& answer) {
  // A db:result is told by its pair alone, whatever else it says.
  const auto of_one = [&](const xml::Element& other) {
    return answer.name() == "result" || other.attribute("id") == answer.attribute("id");
  };
  std::ptrdiff_t open = 0;
  for (std::size_t at = 0; at < end; ++at) {
    const auto& one = conversation.said[at];
    if (!is_dialback(one, answer.name()) || !of_one(*one.element())) continue;
    const bool like = one.by_sender && one.element()->attribute("type") &&
                      domain_in(*one.element(), "to") == domain_in(answer, "to") &&
                      domain_in(*one.element(), "from") == domain_in(answer, "from");
    const bool request = !one.by_sender && domain_in(*one.element(), "from") == domain_in(answer, "to") &&
                         domain_in(*one.element(), "to") == domain_in(answer, "from");
    open += request ? 1 : like ? -1 : 0;
  }
  return open <= 0;
}

void judge_answer(const Conversation& conversation, std::size_t at, Ledger& ledger) {
  const auto& one = conversation.said[at];
  const auto& answer = *one.element();
  const auto type = answer.attribute_or_empty("type");
  const bool typed = type == "valid" || type == "invalid" || type == "error";
  const auto rule = answer.name() == "result" ? Rule::result_answer_form : Rule::verify_answer_form;
  const bool known = conversation.listener_errs || asked_oddly(conversation, answer) ||
                     (asked_for(conversation, at, answer) != nullptr && !is_answered_already(conversation, at, answer));
  ledger.judge(rule, typed && known, one.octets);
  if (type == "error") ledger.judge(Rule::dialback_error_form, has_error_condition(answer), one.octets);
}

/// A key that the one who opened the stream sends unasked is a request, whatever its type says.
bool asks(const Conversation& conversation, std::size_t at) {
  const auto& element = *conversation.said[at].element();
  if (!element.attribute("type")) return true;
  return conversation.sender_initiates && !key_in(element).empty() && asked_for(conversation, at, element) == nullptr;
}

/// Whether it asks for the domain that it was sent to: nobody holds a key of another.
bool asks_for_the_listener(const Conversation& conversation, const xml::Element& request) {
  const auto* header = conversation.first_header(true);
  return header != nullptr && conversation.sender_initiates &&
         domain_in(request, "from") == domain_in(header->tag, "to") &&
         domain_in(request, "to") == domain_in(header->tag, "from");
}

void judge_request(const Conversation& conversation, const Said& one,
                   std::set<std::pair<std::string, std::string>>& asked, Ledger& ledger) {
  const auto& request = *one.element();
  const bool whole = is_addressed(request) && !key_in(request).empty();
  if (request.name() == "verify") {
    // The key is the one that was received, which a peer by hand may have left out.
    const bool verifiable = is_addressed(request) && !request.attribute_or_empty("id").empty();
    ledger.judge(Rule::verify_form, verifiable, one.octets);
    return;
  }
  ledger.judge(Rule::result_form, whole && !asks_for_the_listener(conversation, request), one.octets);
  if (whole)
    ledger.judge(Rule::result_once, asked.emplace(domain_in(request, "from"), domain_in(request, "to")).second,
                 one.octets);
}

}  // namespace

void judge_dialback(const Conversation& conversation, Ledger& ledger) {
  std::set<std::pair<std::string, std::string>> asked;
  const xml::StreamHeader* header = nullptr;
  for (std::size_t at = 0; at < conversation.said.size(); ++at) {
    const auto& one = conversation.said[at];
    if (one.by_sender && one.header() != nullptr) header = one.header();
    if (!one.by_sender) {
      // An answer other than "valid": the pair may be asked for again.
      if (is_dialback(one, "result") && one.element()->attribute("type").value_or("valid") != "valid")
        asked.erase({domain_in(*one.element(), "to"), domain_in(*one.element(), "from")});
      continue;
    }
    if (!is_dialback(one, "result") && !is_dialback(one, "verify")) continue;
    // Without any declaration, that is what is told (dialback_is_declared).
    if (header != nullptr && declares_dialback(*header))
      ledger.judge(Rule::dialback_has_declared_prefix, has_declared_prefix(one, *header), one.octets);
    const bool request = asks(conversation, at);
    if (request) ledger.judge(Rule::request_has_no_type, !one.element()->attribute("type"), one.octets);
    if (request)
      judge_request(conversation, one, asked, ledger);
    else
      judge_answer(conversation, at, ledger);
  }
}

void Keys::judge(const Conversation& conversation, Ledger& ledger) {
  std::string stream_id;
  for (const auto& one : conversation.said) {
    if (!one.by_sender && one.header() != nullptr) stream_id = one.header()->tag.attribute_or_empty("id");
    if (!one.by_sender || !is_dialback(one, "result") || one.element()->attribute("type")) continue;
    const auto key = key_in(*one.element());
    if (key.empty() || stream_id.empty()) continue;
    const std::tuple made_for{domain_in(*one.element(), "from"), domain_in(*one.element(), "to"), stream_id};
    const auto [place, fresh] = made_for_.emplace(key, made_for);
    ledger.judge(Rule::key_is_bound, fresh || place->second == made_for, one.octets);
    ledger.once(Rule::key_is_bound, key,
                domain_in(*one.element(), "from") + " to " + domain_in(*one.element(), "to") + ", stream " + stream_id);
  }
}

}  // namespace cutover::harness::standing
