// What stream headers are judged by: RFC 6120 sections 4.7 and 4.8.
#include "harness/standing/rules_by_layer.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stream_text.h"

#include <algorithm>
#include <cctype>

namespace cutover::harness::standing {

namespace ns = xmpp::ns;

bool is_language(std::string_view tag) {
  // RFC 5646 section 2.1: subtags of one to eight letters and digits; the first has letters only.
  std::size_t length = 0;
  bool first = true;
  for (const char c : tag) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '-') {
      if (length == 0) return false;
      length = 0;
      first = false;
      continue;
    }
    const bool in_place = std::isalpha(octet) != 0 || (!first && std::isdigit(octet) != 0);
    if (!in_place || ++length > 8) return false;
  }
  return length > 0;
}

bool is_bidi(const Conversation& conversation) {
  return std::ranges::any_of(conversation.said, [](const Said& one) {
    return one.element() != nullptr && one.element()->is("bidi", ns::bidi);
  });
}

namespace {

/// An attribute of a header, for what stands there.
std::optional<std::string> language_of(const xml::StreamHeader& header) {
  return header.tag.attribute("lang", ns::xml);
}

bool has_leading_zero(std::string_view version) {
  const auto zero = [](std::string_view number) { return number.size() > 1 && number.front() == '0'; };
  const auto dot = version.find('.');
  return zero(version.substr(0, dot)) || (dot != std::string_view::npos && zero(version.substr(dot + 1)));
}

bool is_1_0(std::string_view version) { return xmpp::parse_version(version) == std::pair(1, 0); }

}  // namespace

void StreamIds::judge(const Conversation& conversation, Ledger& ledger) {
  if (conversation.sender_initiates) return;
  ++conversations_;
  for (const auto& one : conversation.said) {
    if (!one.by_sender || one.header() == nullptr) continue;
    const auto id = one.header()->tag.attribute_or_empty("id");
    if (id.empty()) continue;
    // Of one connection: response_id_is_new.
    const bool elsewhere = seen_in_.emplace(id, conversations_).first->second != conversations_;
    ledger.judge(Rule::stream_id_never_repeats, !elsewhere, one.octets);
    ledger.once(Rule::stream_id_never_repeats, id, {});
  }
}

namespace {

/// `initial`: what it answers, whose addresses it may give back as they came; null for none.
void judge_any(const Said& one, const xml::StreamHeader* initial, Ledger& ledger) {
  const auto& header = *one.header();
  for (const auto& [name, turned] : {std::pair{"from", "to"}, {"to", "from"}}) {
    const auto address = header.tag.attribute(name);
    const bool given_back = initial != nullptr && address && initial->tag.attribute(turned) == address;
    if (address && !address->empty() && !given_back)
      ledger.judge(Rule::addresses_are_domains, address->find_first_of("@/") == std::string::npos, one.octets);
  }
  if (const auto version = header.tag.attribute("version"))
    ledger.judge(Rule::version_form, !has_leading_zero(*version), one.octets);
  if (const auto language = language_of(header)) ledger.judge(Rule::language_form, is_language(*language), one.octets);
}

void judge_initial(const Said& one, Ledger& ledger) {
  const auto& tag = one.header()->tag;
  ledger.judge(Rule::initial_to, !tag.attribute_or_empty("to").empty(), one.octets);
  if (one.secured) ledger.judge(Rule::initial_from, !tag.attribute_or_empty("from").empty(), one.octets);
  ledger.judge(Rule::initial_no_id, !tag.attribute("id"), one.octets);
  ledger.judge(Rule::initial_language, language_of(*one.header()).has_value(), one.octets);
  // Without one it says that it is a server of XMPP 0.9, and may be right.
  if (const auto version = tag.attribute("version")) ledger.judge(Rule::initial_version, is_1_0(*version), one.octets);
}

/// A response header; `initial` is what it answers.
void judge_response(const Said& one, const xml::StreamHeader* initial, std::set<std::string>& ids, Ledger& ledger) {
  const auto& tag = one.header()->tag;
  const auto id = tag.attribute_or_empty("id");
  ledger.judge(Rule::response_id, !id.empty(), one.octets);
  if (!id.empty()) ledger.judge(Rule::response_id_is_new, ids.insert(id).second, one.octets);
  ledger.judge(Rule::response_from, tag.attribute("from").has_value(), one.octets);
  ledger.judge(Rule::response_language, language_of(*one.header()).has_value(), one.octets);
  if (initial == nullptr) return;
  const auto from = initial->tag.attribute_or_empty("from");
  if (xmpp::is_domain(from)) {
    const bool turned = xmpp::canonical_domain(tag.attribute_or_empty("to")) == xmpp::canonical_domain(from);
    ledger.judge(Rule::response_to, turned, one.octets);
  }
  // Without one it says that it is a server of XMPP 0.9, and may be right.
  const auto version = tag.attribute("version");
  if (version && is_1_0(initial->tag.attribute_or_empty("version")))
    ledger.judge(Rule::response_version, is_1_0(*version), one.octets);
}

/// The header belongs to a stream error: it is sent although the other one's could not be understood.
bool is_of_an_error(const Conversation& conversation, std::size_t at) {
  const auto& said = conversation.said;
  const auto next = std::find_if(said.begin() + static_cast<std::ptrdiff_t>(at) + 1, said.end(),
                                 [](const Said& one) { return one.by_sender && !one.is<Space>(); });
  return next == said.end() || !next->element() || next->element()->is("error", ns::streams);
}

/// Also in a namespace that is none of dialback: then the header has declared another one for it.
bool asks_for_dialback(const xml::Element& element) {
  const bool addressed = element.attribute("from") && element.attribute("to") && !element.attribute("type");
  const bool named = element.name() == "result" || element.name() == "verify";
  return (element.ns() == ns::dialback && !element.attribute("type")) || (named && addressed);
}

bool asks_for_dialback(const Conversation& conversation, const Said& header) {
  return std::ranges::any_of(conversation.said, [&](const Said& one) {
    return one.by_sender && one.document == header.document && one.element() != nullptr &&
           asks_for_dialback(*one.element());
  });
}

void judge_namespaces(const Conversation& conversation, const Said& one, Ledger& ledger) {
  const auto& header = *one.header();
  // A stream without a default namespace, or with that of streams itself, names it on each element (section 4.8.2).
  if (!header.content_ns.empty() && header.content_ns != ns::streams)
    ledger.judge(Rule::content_namespace, header.content_ns == ns::server, one.octets);
  if (!asks_for_dialback(conversation, one)) return;
  const bool declared =
      std::ranges::any_of(header.prefixes, [](const auto& prefix) { return prefix.second == ns::dialback; });
  ledger.judge(Rule::dialback_is_declared, declared, one.octets);
}

}  // namespace

void judge_headers(const Conversation& conversation, Ledger& ledger) {
  const xml::StreamHeader* initial = nullptr;
  std::set<std::string> ids;
  bool versioned = false;  // a header of the sender had a version
  for (std::size_t at = 0; at < conversation.said.size(); ++at) {
    const auto& one = conversation.said[at];
    if (one.header() == nullptr) continue;
    if (!one.by_sender) {
      initial = one.header();
      continue;
    }
    judge_any(one, initial, ledger);
    // In answer to a header without one a response has none (section 4.7.5), and before an error it may answer
    // anything.
    const bool version = one.header()->tag.attribute("version").has_value();
    const bool due = conversation.sender_initiates ||
                     (initial != nullptr && initial->tag.attribute("version") && !is_of_an_error(conversation, at));
    if (versioned && due) ledger.judge(Rule::version_is_kept, version, one.octets);
    versioned = versioned || version;
    if (conversation.sender_initiates) {
      judge_initial(one, ledger);
      judge_namespaces(conversation, one, ledger);
    } else if (!is_of_an_error(conversation, at)) {
      judge_response(one, initial, ids, ledger);
      judge_namespaces(conversation, one, ledger);
    }
  }
}

}  // namespace cutover::harness::standing
