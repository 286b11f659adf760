// Stanzas and their errors; the tables of conditions of RFC 6120.
#include "protocol/xmpp/stanza.h"

#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/rules.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace cutover::xmpp {

namespace {

constexpr ConditionRow stanza_rows[] = {
    {"bad-request", "modify"},
    {"conflict", "cancel"},
    {"feature-not-implemented", "cancel"},
    {"forbidden", "auth"},
    {"gone", "cancel"},
    {"internal-server-error", "cancel"},
    {"item-not-found", "cancel"},
    {"jid-malformed", "modify"},
    {"not-acceptable", "modify"},
    {"not-allowed", "cancel"},
    {"not-authorized", "auth"},
    {"policy-violation", "modify"},
    {"recipient-unavailable", "wait"},
    {"redirect", "modify"},
    {"registration-required", "auth"},
    {"remote-server-not-found", "cancel"},
    {"remote-server-timeout", "wait"},
    {"resource-constraint", "wait"},
    {"service-unavailable", "cancel"},
    {"subscription-required", "auth"},
    {"undefined-condition", "cancel"},
    {"unexpected-request", "wait"},
};

constexpr std::string_view sasl_rows[] = {"aborted",
                                          "account-disabled",
                                          "credentials-expired",
                                          "encryption-required",
                                          "incorrect-encoding",
                                          "invalid-authzid",
                                          "invalid-mechanism",
                                          "malformed-request",
                                          "mechanism-too-weak",
                                          "not-authorized",
                                          "temporary-auth-failure"};

constexpr std::string_view stream_rows[] = {
    "bad-format",
    "bad-namespace-prefix",
    "conflict",
    "connection-timeout",
    "host-gone",
    "host-unknown",
    "improper-addressing",
    "internal-server-error",
    "invalid-from",
    "invalid-namespace",
    "invalid-xml",
    "not-authorized",
    "not-well-formed",
    "policy-violation",
    "remote-connection-failed",
    "reset",
    "resource-constraint",
    "restricted-xml",
    "see-other-host",
    "system-shutdown",
    "undefined-condition",
    "unsupported-encoding",
    "unsupported-feature",
    "unsupported-stanza-type",
    "unsupported-version",
};
static_assert(std::size(stanza_rows) == 22 && std::size(stream_rows) == 25);

const ConditionRow* find_condition(std::string_view condition) {
  const auto row = std::ranges::find(stanza_rows, condition, &ConditionRow::condition);
  return row == std::end(stanza_rows) ? nullptr : row;
}

xml::Element addressed(std::string_view name, std::string_view from, std::string_view to, std::string_view type,
                       std::string_view id) {
  xml::Element stanza{std::string(name), ns::server};
  if (!from.empty()) stanza.set_attribute("from", from);
  if (!to.empty()) stanza.set_attribute("to", to);
  if (!type.empty()) stanza.set_attribute("type", type);
  if (!id.empty()) stanza.set_attribute("id", id);
  return stanza;
}

}  // namespace

std::optional<StanzaKind> stanza_kind(const xml::Element& element) {
  if (element.ns() != ns::server && element.ns() != ns::client) return std::nullopt;
  if (element.name() == "message") return StanzaKind::message;
  if (element.name() == "presence") return StanzaKind::presence;
  if (element.name() == "iq") return StanzaKind::iq;
  return std::nullopt;
}

bool is_stanza(const xml::Element& element) { return stanza_kind(element).has_value(); }

xml::Element make_message(std::string_view from, std::string_view to, std::string_view body, std::string_view type,
                          std::string_view id) {
  auto stanza = addressed("message", from, to, type, id);
  if (!body.empty()) stanza.add(xml::Element("body", ns::server)).add_text(body);
  return stanza;
}

xml::Element make_presence(std::string_view from, std::string_view to, std::string_view type, std::string_view id) {
  return addressed("presence", from, to, type, id);
}

xml::Element make_iq(std::string_view from, std::string_view to, std::string_view type, std::string_view id,
                     std::optional<xml::Element> payload) {
  auto stanza = addressed("iq", from, to, type, id);
  if (payload) stanza.add(std::move(*payload));
  return stanza;
}

xml::Element make_result(const xml::Element& iq, std::optional<xml::Element> payload) {
  auto result = make_iq(iq.attribute_or_empty("to"), iq.attribute_or_empty("from"), "result",
                        iq.attribute_or_empty("id"), std::move(payload));
  result.rename("iq", iq.ns());
  return result;
}

std::span<const ConditionRow> stanza_conditions() { return stanza_rows; }
std::span<const std::string_view> stream_conditions() { return stream_rows; }
std::span<const std::string_view> sasl_conditions() { return sasl_rows; }

std::string_view usual_error_type(std::string_view condition) {
  const auto* row = find_condition(condition);
  return row ? row->type : "cancel";
}

xml::Element make_error_element(std::string_view condition, std::string_view type, std::string_view text,
                                std::string_view content_ns) {
  xml::Element error("error", std::string(content_ns));
  error.set_attribute("type", type.empty() ? usual_error_type(condition) : type);
  error.add(xml::Element(std::string(condition), ns::stanza_errors));
  if (!text.empty()) {
    auto& words = error.add(xml::Element("text", ns::stanza_errors));
    words.set_attribute("lang", "en", ns::xml);
    words.add_text(text);
  }
  return error;
}

bool may_answer_with_error(const xml::Element& stanza, const Departures& departures) {
  const auto kind = stanza_kind(stanza);
  const auto type = stanza.attribute_or_empty("type");
  if (!kind || departures.breaks(Rule::errors_are_not_answered, type == "error")) return false;
  return !departures.breaks(Rule::iq_results_are_not_answered, *kind == StanzaKind::iq && type == "result");
}

std::optional<xml::Element> make_error(const xml::Element& stanza, std::string_view condition, std::string_view text,
                                       std::string_view type, const Departures& departures) {
  if (!may_answer_with_error(stanza, departures)) return std::nullopt;
  auto error = addressed(stanza.name(), stanza.attribute_or_empty("to"), stanza.attribute_or_empty("from"), "error",
                         stanza.attribute_or_empty("id"));
  error.rename(stanza.name(), stanza.ns());
  error.add(make_error_element(condition, type, text, stanza.ns()));
  return error;
}

std::optional<StanzaError> error_of(const xml::Element& stanza) {
  if (stanza.attribute_or_empty("type") != "error") return std::nullopt;
  const auto* error = stanza.child("error", stanza.ns());
  if (!error) return std::nullopt;
  StanzaError out{"undefined-condition", error->attribute_or_empty("type"), {}};
  for (const auto* child : error->children()) {
    if (child->ns() != ns::stanza_errors) continue;  // an application's own condition only accompanies
    if (child->name() == "text") {
      out.text = child->text();
    } else if (find_condition(child->name())) {
      out.condition = child->name();
    }
  }
  return out;
}

std::string summary_of(const xml::Element& element) {
  std::string out = element.name();
  // Both ends must say the same of an element: the diagram pairs them by it.
  for (const auto* telling : {"type", "mechanism"}) {
    if (const auto value = element.attribute(telling)) out += " " + *value;
  }
  const auto from = element.attribute_or_empty("from"), to = element.attribute_or_empty("to");
  if (!from.empty() || !to.empty()) out += " " + from + " > " + to;
  return out;
}

}  // namespace cutover::xmpp
