// What every octet of a stream is judged by: RFC 6120 sections 4.8.5 and 11.
#include "harness/standing/rules_by_layer.h"
#include "protocol/xml/markup.h"
#include "protocol/xml/utf8.h"
#include "protocol/xmpp/namespaces.h"

#include <algorithm>

namespace cutover::harness::standing {

namespace ns = xmpp::ns;

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf", spaces = " \t\r\n";

/// The octets without the white space before them.
std::string_view trimmed(std::string_view octets) {
  return octets.substr(std::min(octets.find_first_not_of(spaces), octets.size()));
}

void judge_declaration(std::string_view octets, Ledger& ledger) {
  if (!ledger.judge(Rule::declaration_before_header, octets.starts_with("<?xml"), octets)) return;
  const auto declaration = octets.substr(0, octets.find("?>"));
  ledger.judge(Rule::not_standalone, declaration.find("standalone") == std::string_view::npos, declaration);
  const bool is_1_0 =
      declaration.find("'1.0'") != std::string_view::npos || declaration.find("\"1.0\"") != std::string_view::npos;
  ledger.judge(Rule::xml_is_1_0, is_1_0, declaration);
}

/// One broken rule for what could not be read: the one that says why.
void judge_unreadable(const xml::Fault& fault, std::string_view octets, Ledger& ledger) {
  if (fault.condition == "policy-violation") return;  // a bound of ours
  if (fault.condition == "restricted-xml") {
    ledger.judge(Rule::no_restricted_xml, false, octets);
  } else if (octets.starts_with(byte_order_mark.front())) {  // a reader takes no more of it
    ledger.judge(Rule::no_byte_order_mark, false, octets);
  } else if (fault.condition == "unsupported-encoding" || !xml::all_characters(octets)) {
    ledger.judge(Rule::utf8_only, false, octets);
  } else if (fault.condition == "bad-format") {
    ledger.judge(Rule::space_between_elements, false, octets);
  } else {
    ledger.judge(Rule::well_formed, false, octets);
  }
}

bool has_prefixed_content(std::string_view octets, const xml::StreamHeader& header) {
  auto declared = header.prefixes;
  declared.emplace_back("", header.content_ns);
  return std::ranges::any_of(xml::tags_of(octets, std::move(declared)), [](const xml::Tag& tag) {
    return !tag.prefix.empty() && (tag.ns == ns::server || tag.ns == ns::client);
  });
}

}  // namespace

void judge_octets(const Conversation& conversation, Ledger& ledger) {
  const xml::StreamHeader* header = nullptr;
  int header_document = 0;
  for (const auto& one : conversation.said) {
    if (!one.by_sender || one.is<Space>() || one.is<BehindTheEnd>() || one.is<BehindProceed>()) continue;
    const auto octets = trimmed(one.octets);
    const bool in_a_stream = header != nullptr && header_document == one.document;
    if (const auto* fault = one.fault()) {
      // Features, or an error, outside a stream: what is wrong is what did not come before them.
      if (!in_a_stream && octets.find(":error") != std::string_view::npos)
        ledger.judge(Rule::header_before_error, false, octets);
      else if (!in_a_stream && octets.find(":features") != std::string_view::npos)
        ledger.judge(Rule::header_first, false, octets);
      else
        judge_unreadable(*fault, octets, ledger);
      continue;
    }
    for (const auto rule : {Rule::no_restricted_xml, Rule::well_formed, Rule::utf8_only, Rule::space_between_elements})
      ledger.judge(rule, true, octets);
    if (one.header() != nullptr) {
      header = one.header();
      header_document = one.document;
      ledger.judge(Rule::header_first, true, octets);
      ledger.judge(Rule::no_byte_order_mark, !octets.starts_with(byte_order_mark), octets);
      judge_declaration(octets, ledger);
    }
    if (one.element() != nullptr && one.element()->is("error", ns::streams))
      ledger.judge(Rule::header_before_error, true, octets);
    if (one.element() != nullptr && header != nullptr)
      ledger.judge(Rule::content_has_no_prefix, !has_prefixed_content(octets, *header), octets);
  }
}

}  // namespace cutover::harness::standing
