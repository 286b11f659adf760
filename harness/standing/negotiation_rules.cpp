// What features, TLS and SASL are judged by: RFC 6120 sections 4.3, 5 and 6.
#include "harness/standing/authorised.h"
#include "harness/standing/rules_by_layer.h"
#include "protocol/base/base64.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cutover::harness::standing {

namespace ns = xmpp::ns;

namespace {

constexpr std::array<std::string_view, 2> management_versions{"urn:xmpp:sm:2", "urn:xmpp:sm:3"};

// --- Features -----------------------------------------------------------------------------------------------------

void judge_starttls_feature(const Said& one, const xml::Element& features, Ledger& ledger) {
  const auto* starttls = features.child("starttls", ns::tls);
  if (one.secured) ledger.judge(Rule::no_tls_inside_tls, starttls == nullptr, one.octets);
  const auto* required = starttls == nullptr ? nullptr : starttls->child("required", ns::tls);
  if (required == nullptr) return;
  ledger.judge(Rule::required_is_empty, required->content().empty() && required->attributes().empty(), one.octets);
  if (one.secured) return;
  const bool alone = std::ranges::all_of(features.children(), [](const auto* child) {
    return child->is("starttls", ns::tls) || child->is("bidi", ns::bidi_feature);
  });
  ledger.judge(Rule::only_tls_while_required, alone, one.octets);
}

/// RFC 4422 section 3.1.
bool is_mechanism_name(std::string_view name) {
  constexpr std::size_t name_max = 20;
  constexpr std::string_view signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !name.empty() && name.size() <= name_max && name.find_first_not_of(signs) == std::string_view::npos;
}

void judge_mechanisms(const Said& one, const xml::Element& mechanisms, Ledger& ledger) {
  bool formed = true;
  std::vector<std::string> names;
  for (const auto* child : mechanisms.children()) {
    if (child->ns() != ns::sasl) continue;  // further children are allowed (RFC 6120 section 6.4.1)
    formed = formed && child->name() == "mechanism" && !child->text().empty();
    if (!child->text().empty()) names.push_back(child->text());
  }
  ledger.judge(Rule::mechanism_form, formed, one.octets);
  if (!names.empty()) ledger.judge(Rule::mechanism_name, std::ranges::all_of(names, is_mechanism_name), one.octets);
  const bool external = std::ranges::find(names, "EXTERNAL") != names.end();
  if (!one.secured) ledger.judge(Rule::external_inside_tls, !external, one.octets);
  if (external && names.size() > 1) ledger.judge(Rule::external_is_first, names.front() == "EXTERNAL", one.octets);
}

/// XEP-0198 section 2: who must authenticate first cannot take the offer. A peer that dialback is left to has no
/// features behind it, and is offered it before.
void judge_management(const Said& one, const xml::Element& features, Ledger& ledger) {
  if (std::ranges::none_of(management_versions, [&](auto version) { return features.child("sm", version) != nullptr; }))
    return;
  const bool early = features.child("mechanisms", ns::sasl) != nullptr ||
                     (!one.secured && features.child("starttls", ns::tls) != nullptr);
  ledger.judge(Rule::management_behind_authentication, !early, one.octets);
}

void judge_list(const Said& one, Ledger& ledger) {
  const auto& features = *one.element();
  const bool foreign = std::ranges::all_of(features.children(), [](const auto* child) {
    return !child->ns().empty() && child->ns() != ns::streams && child->ns() != ns::server;
  });
  ledger.judge(Rule::features_have_namespaces, foreign, one.octets);
  judge_starttls_feature(one, features, ledger);
  const auto* compression = features.child("compression", "http://jabber.org/features/compress");
  const bool by_zlib = compression != nullptr && std::ranges::any_of(compression->children(), [](const auto* method) {
                         return method->text() == "zlib";
                       });
  ledger.judge(Rule::no_compression, !by_zlib, one.octets);
  if (const auto* mechanisms = features.child("mechanisms", ns::sasl)) judge_mechanisms(one, *mechanisms, ledger);
  judge_management(one, features, ledger);
}

bool is_features(const Said& one) { return one.element() != nullptr && one.element()->is("features", ns::streams); }

// --- SASL ---------------------------------------------------------------------------------------------------------

bool is_sasl(const Said& one, std::string_view name) {
  return one.element() != nullptr && one.element()->is(name, ns::sasl);
}

void judge_failure(const Said& one, Ledger& ledger) {
  const bool one_condition = has_one_condition(*one.element(), ns::sasl, xmpp::sasl_conditions());
  ledger.judge(Rule::sasl_failure_condition, one_condition, one.octets);
}

void judge_auth(const Said& one, Ledger& ledger) {
  const auto text = one.element()->text();
  const auto authzid = from_base64_strict(text);
  if (one.element()->attribute_or_empty("mechanism") != "EXTERNAL" || !authzid || authzid->empty()) return;
  ledger.judge(Rule::authzid_is_a_domain, xmpp::is_domain(*authzid), one.octets);
}

/// Where the peer has not offered any, that is another matter.
void judge_mechanism(const Said& auth, const xml::Element& offered, Ledger& ledger) {
  const auto mechanism = auth.element()->attribute_or_empty("mechanism");
  const bool known = mechanism == "EXTERNAL" || std::ranges::any_of(offered.children(), [&](const auto* child) {
                       return child->text() == mechanism;
                     });
  ledger.judge(Rule::mechanism_was_offered, known, auth.octets);
}

void judge_sasl_element(const Said& one, Ledger& ledger) {
  const auto& element = *one.element();
  if (element.name() == "failure") return judge_failure(one, ledger);
  if (element.name() == "auth") judge_auth(one, ledger);
  const auto text = element.text();
  // RFC 6120 section 6.4.2: "=" is an initial response that is empty. A challenge that is has nothing to be told from.
  const bool equals_sign = text == "=" && element.name() != "challenge";
  const bool base64 = text.empty() || equals_sign || from_base64_strict(text).has_value();
  for (const char* name : {"auth", "challenge", "response", "success"})
    if (element.name() == name) ledger.judge(Rule::sasl_is_base64, base64, one.octets);
}

/// The initiating side asks for TLS, or must.
bool leads_to_tls(const Said& one) {
  if (one.element() == nullptr) return false;
  const auto* offer = is_features(one) ? one.element()->child("starttls", ns::tls) : nullptr;
  return one.element()->is("starttls", ns::tls) || (offer != nullptr && offer->child("required", ns::tls) != nullptr);
}

/// What an initiating side asks for beside authentication: XEP-0198 section 3, XEP-0288 section 2.1.
void judge_extension(const Said& one, bool authenticated, bool wants_tls, Ledger& ledger) {
  const auto& element = *one.element();
  if (std::ranges::any_of(management_versions, [&](auto version) { return element.is("enable", version); }))
    ledger.judge(Rule::management_asked_in_time, authenticated, one.octets);
  if (element.is("bidi", ns::bidi)) ledger.judge(Rule::bidi_behind_tls, one.secured || !wants_tls, one.octets);
}

/// What the initiating side says while the other one must answer: no white space.
void judge_silence(const Conversation& conversation, Ledger& ledger) {
  enum class Awaits { nothing, tls, sasl } awaits = Awaits::nothing;
  for (const auto& one : conversation.said) {
    if (!one.by_sender) {
      const bool ends = is_sasl(one, "success") || is_sasl(one, "failure") || one.is<Secured>() ||
                        (one.element() != nullptr && one.element()->is("failure", ns::tls));
      if (ends) awaits = Awaits::nothing;
      continue;
    }
    const bool space = one.is<Space>() || (!one.octets.empty() && one.octets.find_first_of(" \t\r\n") == 0);
    if (awaits == Awaits::tls) ledger.judge(Rule::no_space_behind_starttls, !space, one.octets);
    if (awaits == Awaits::sasl) ledger.judge(Rule::no_space_behind_auth, !space, one.octets);
    if (one.element() == nullptr) continue;
    if (one.element()->is("starttls", ns::tls)) awaits = Awaits::tls;
    if (one.element()->ns() == ns::sasl) awaits = Awaits::sasl;
    if (awaits == Awaits::tls) ledger.judge(Rule::no_space_behind_starttls, true, one.octets);
    if (awaits == Awaits::sasl) ledger.judge(Rule::no_space_behind_auth, true, one.octets);
  }
}

/// What the receiving side answers by: no white space before it. What was sent earlier has come by itself.
void judge_answers(const Conversation& conversation, Ledger& ledger) {
  const Said* asked = nullptr;
  for (const auto& one : conversation.said) {
    if (one.element() == nullptr) continue;
    const bool is_asked = one.element()->is("starttls", ns::tls) || is_sasl(one, "auth") || is_sasl(one, "response");
    if (!one.by_sender) {
      asked = is_asked ? &one : nullptr;
    } else if (const auto* question = std::exchange(asked, nullptr);
               question != nullptr && one.element()->ns() == question->element()->ns()) {
      const bool space = one.octets.find_first_of(" \t\r\n") == 0;
      ledger.judge(question->element()->ns() == ns::tls ? Rule::no_space_behind_starttls : Rule::no_space_behind_auth,
                   !space, one.octets);
    }
  }
}

}  // namespace

void judge_features(const Conversation& conversation, Ledger& ledger) {
  if (conversation.sender_initiates) return;
  const Said* header = nullptr;  // of version 1.0, with nothing behind it yet
  const xml::StreamHeader* initial = nullptr;
  bool listed = false;  // behind the last header
  for (const auto& one : conversation.said) {
    if (!one.by_sender) {
      if (one.header() != nullptr) initial = one.header();
      continue;
    }
    // A header that is an empty element has ended its stream before the features.
    if (one.is<BehindTheEnd>() && header != nullptr && one.octets.find(":features") != std::string::npos)
      ledger.judge(Rule::features_behind_header, false, one.octets);
    if (one.header() != nullptr) listed = false;
    if (one.header() != nullptr) {
      const bool both = initial != nullptr && initial->tag.attribute_or_empty("version") == "1.0" &&
                        one.header()->tag.attribute_or_empty("version") == "1.0";
      header = both ? &one : nullptr;
    } else if (one.element() != nullptr && header != nullptr) {
      if (!one.element()->is("error", ns::streams))
        ledger.judge(header->document == 0 ? Rule::features_behind_header : Rule::features_behind_restart,
                     is_features(one), one.octets);
      header = nullptr;
    }
    if (!is_features(one)) continue;
    ledger.judge(Rule::features_once, !std::exchange(listed, true) || one.element()->content().empty(), one.octets);
    judge_list(one, ledger);
  }
}

void judge_tls_and_sasl(const Conversation& conversation, Ledger& ledger) {
  bool in_sasl = false;
  Authorised authorised;
  const xml::Element* offered = nullptr;
  const bool wants_tls = std::ranges::any_of(conversation.said, leads_to_tls);
  for (const auto& one : conversation.said) {
    authorised.hear(one);
    if (!one.by_sender && is_features(one)) offered = one.element()->child("mechanisms", ns::sasl);
    // White space behind <starttls/> is judged by its own rule, though <proceed/> came first.
    const bool space = conversation.sender_initiates && one.octets.find_first_not_of(" \t\r\n") == std::string::npos;
    if (one.is<Secured>() || (one.by_sender && one.is<BehindProceed>() && !space))
      ledger.judge(Rule::nothing_behind_proceed, one.is<Secured>(), one.octets);
    if (!one.by_sender || one.element() == nullptr) continue;
    if (one.element()->ns() == ns::sasl) judge_sasl_element(one, ledger);
    if (!conversation.sender_initiates) continue;
    judge_extension(one, authorised.anybody(), wants_tls, ledger);
    if (is_sasl(one, "auth")) in_sasl = true;
    if (is_sasl(one, "auth") && offered != nullptr) judge_mechanism(one, *offered, ledger);
    if (one.element()->is("starttls", ns::tls)) ledger.judge(Rule::tls_before_sasl, !in_sasl, one.octets);
  }
  if (conversation.sender_initiates)
    judge_silence(conversation, ledger);
  else
    judge_answers(conversation, ledger);
}

}  // namespace cutover::harness::standing
