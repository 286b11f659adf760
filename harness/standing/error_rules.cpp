// What stream errors, ends and the texts of errors are judged by: RFC 6120 sections 4.4 and 4.9.
#include "harness/standing/rules_by_layer.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cutover::harness::standing {

namespace ns = xmpp::ns;

bool has_one_condition(const xml::Element& error, std::string_view ns, std::span<const std::string_view> defined) {
  const xml::Element* found = nullptr;
  for (const auto* child : error.children()) {
    if (child->ns() != ns || child->name() == "text") continue;
    if (std::exchange(found, child) != nullptr) return false;
  }
  return found != nullptr && std::ranges::find(defined, found->name()) != defined.end();
}

bool has_to_be_empty(const xml::Element& child, std::string_view ns) {
  constexpr std::array<std::string_view, 3> of_stanzas{"text", "gone", "redirect"};
  constexpr std::array<std::string_view, 2> of_streams{"text", "see-other-host"};
  if (child.ns() != ns) return false;
  return ns == xmpp::ns::stream_errors ? std::ranges::find(of_streams, child.name()) == of_streams.end()
                                       : std::ranges::find(of_stanzas, child.name()) == of_stanzas.end();
}

bool has_empty_condition(const xml::Element& error, std::string_view ns) {
  return std::ranges::none_of(
      error.children(), [ns](const auto* child) { return has_to_be_empty(*child, ns) && !child->content().empty(); });
}

bool names_a_language(const xml::Element& text) { return text.attribute("lang", ns::xml).has_value(); }

namespace {

bool is_stream_error(const Said& one) { return one.element() != nullptr && one.element()->is("error", ns::streams); }

void judge_stream_error(const Said& one, Ledger& ledger) {
  bool undefined = false, extra = false, extra_in_place = true, text_in_place = true;
  for (const auto* child : one.element()->children()) {
    const bool of_errors = child->ns() == ns::stream_errors;
    if (child->name() == "text" &&
        (of_errors || child->ns() == ns::streams || child->ns() == ns::server || child->ns().empty())) {
      text_in_place = text_in_place && of_errors;
    } else if (of_errors) {
      if (child->name() == "xml-not-well-formed") {
        ledger.judge(Rule::no_old_condition, false, one.octets);
        return;
      }
      undefined = undefined || child->name() == "undefined-condition";
      if (child->name() == "not-well-formed") ledger.judge(Rule::no_old_condition, true, one.octets);
      if (child->name() == "see-other-host") ledger.judge(Rule::redirect_inside_tls, one.secured, one.octets);
    } else {
      extra = true;
      extra_in_place =
          extra_in_place && !child->ns().empty() && child->ns() != ns::streams && child->ns() != ns::server;
    }
  }
  const bool one_condition = has_one_condition(*one.element(), ns::stream_errors, xmpp::stream_conditions());
  ledger.judge(Rule::stream_error_condition, one_condition, one.octets);
  ledger.judge(Rule::stream_condition_is_empty, has_empty_condition(*one.element(), ns::stream_errors), one.octets);
  if (const auto* text = one.element()->child("text", ns::stream_errors))
    ledger.judge(Rule::stream_error_language, names_a_language(*text), one.octets);
  if (one.element()->child("text", ns::stream_errors) != nullptr || !text_in_place)
    ledger.judge(Rule::stream_error_text, text_in_place, one.octets);
  if (extra) ledger.judge(Rule::stream_error_extra, extra_in_place, one.octets);
  if (undefined) ledger.judge(Rule::undefined_not_alone, extra, one.octets);
}

/// Words that only the inside of a server knows.
bool leaks(std::string_view text) {
  constexpr std::array inner{"/usr/",
                             "/ho"
                             "me/",
                             "/var/",
                             "/opt/",
                             "/tmp/",
                             "/etc/",
                             "stack traceback",
                             "Traceback (most",
                             ".lua:",
                             ".erl:",
                             ".cpp:",
                             ".java:",
                             "Exception in",
                             "{badmatch",
                             "{error,",
                             "0x7f"};
  return std::ranges::any_of(inner, [&](const char* word) { return text.find(word) != std::string_view::npos; });
}

void judge_texts(const Said& one, Ledger& ledger) {
  const auto& element = *one.element();
  const auto judge = [&](const xml::Element& error) {
    for (const auto* child : error.children())
      if (child->name() == "text") ledger.judge(Rule::nothing_leaks, !leaks(child->text()), one.octets);
  };
  if (is_stream_error(one) || element.is("failure", ns::sasl)) judge(element);
  if (const auto* error = element.child("error", ns::server)) judge(*error);
}

}  // namespace

void judge_errors(const Conversation& conversation, Ledger& ledger) {
  const Said* error = nullptr;
  bool ended_by_peer = false;
  for (const auto& one : conversation.said) {
    if (!one.by_sender && !one.is<Space>()) ended_by_peer = one.is<xml::StreamEnd>();
    if (!one.by_sender || one.is<Space>() || one.is<BehindProceed>()) continue;
    // What cannot be read is told as that.
    if (error != nullptr && one.fault() == nullptr) {
      ledger.judge(Rule::error_ends_the_stream, one.is<xml::StreamEnd>(), one.octets);
      error = nullptr;
    }
    if (one.is<xml::StreamEnd>()) ledger.judge(Rule::nothing_behind_the_end, true, one.octets);
    if (one.is<BehindTheEnd>()) {
      ledger.judge(Rule::nothing_behind_the_end, false, one.octets);
      // Nobody reads that far for the reason.
      if (one.octets.find("<stream:error") != std::string::npos)
        ledger.judge(Rule::error_ends_the_stream, false, one.octets);
    }
    if (one.element() == nullptr) continue;
    judge_texts(one, ledger);
    // A first-level <error/> can mean nothing else, and is none.
    if (one.element()->is("error", ns::server)) ledger.judge(Rule::stream_error_condition, false, one.octets);
    if (!is_stream_error(one)) continue;
    judge_stream_error(one, ledger);
    if (one.element()->child("connection-timeout", ns::stream_errors) != nullptr)
      ledger.judge(Rule::no_timeout_behind_an_end, !ended_by_peer, one.octets);
    error = &one;
  }
}

}  // namespace cutover::harness::standing
