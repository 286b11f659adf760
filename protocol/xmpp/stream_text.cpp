// Octets by the letter of RFC 6120 and XEP-0220, and words that both ends of a stream find for the same item.
#include "protocol/xmpp/stream_text.h"

#include "protocol/xml/writer.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <charconv>

namespace cutover::xmpp {

namespace {

/// The child of an error that is its condition: the one in that namespace which is not the text.
std::string condition_in(const xml::Element& error, std::string_view ns) {
  for (const auto* child : error.children()) {
    if (child->ns() == ns && child->name() != "text") return child->name();
  }
  return "undefined-condition";
}

std::string words_of_element(const xml::Element& element) {
  std::string_view prefix;
  if (element.ns() == ns::streams) prefix = "stream:";
  if (element.ns() == ns::dialback) prefix = "db:";
  auto out = std::string(prefix) + summary_of(element);
  if (element.is("error", ns::streams)) out += " " + stream_error_condition(element);
  if (element.ns() == ns::dialback && element.attribute_or_empty("type") == "error")
    out += " " + dialback_error_condition(element);
  return out;
}

}  // namespace

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "='" + xml::escape(value) + "'";
}

std::string stream_error(std::string_view condition, std::string_view text) {
  std::string out = "<stream:error><" + std::string(condition) + " xmlns='" + ns::stream_errors + "'/>";
  if (!text.empty()) {
    out += "<text xml:lang='en' xmlns='" + std::string(ns::stream_errors) + "'>" + xml::escape(text) + "</text>";
  }
  return out + "</stream:error>";
}

std::string stream_error_condition(const xml::Element& error) { return condition_in(error, ns::stream_errors); }

std::string dialback_element(std::string_view name, std::string_view from, std::string_view to, std::string_view id,
                             std::string_view type, std::string_view inside) {
  std::string out = "<db:" + std::string(name) + attribute("from", from) + attribute("to", to);
  if (!id.empty()) out += attribute("id", id);
  if (!type.empty()) out += attribute("type", type);
  return out + (inside.empty() ? "/>" : ">" + std::string(inside) + "</db:" + std::string(name) + ">");
}

std::string dialback_error(std::string_view condition) {
  return "<error type='" + std::string(usual_error_type(condition)) + "'><" + std::string(condition) + " xmlns='" +
         ns::stanza_errors + "'/></error>";
}

std::string dialback_error_condition(const xml::Element& element) {
  const auto* error = element.child("error", ns::server);
  return error == nullptr ? "undefined-condition" : condition_in(*error, ns::stanza_errors);
}

std::optional<std::pair<int, int>> parse_version(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<int> {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0) return std::nullopt;
    return value;
  };
  const auto major = number(text.substr(0, dot)), minor = number(text.substr(dot + 1));
  if (!major || !minor) return std::nullopt;
  return std::pair(*major, *minor);
}

std::string words_of(const xml::Item& item) {
  if (const auto* header = std::get_if<xml::StreamHeader>(&item)) {
    return "stream header " + header->tag.attribute_or_empty("from") + " > " + header->tag.attribute_or_empty("to");
  }
  if (const auto* element = std::get_if<xml::Element>(&item)) return words_of_element(*element);
  if (const auto* fault = std::get_if<xml::Fault>(&item)) return "unreadable: " + fault->condition;
  return "end of stream";
}

std::optional<std::string> words_of_octets(std::string_view octets) {
  constexpr std::string_view around =
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
      "xmlns:db='jabber:server:dialback'>";
  xml::Reader reader;
  std::size_t used = 0;
  const bool header = octets.starts_with("<?xml") || octets.starts_with("<stream:stream");
  if (!header) (void)reader.feed(around, used);
  const auto item = reader.feed(octets, used);
  if (!item || std::holds_alternative<xml::Fault>(*item)) return std::nullopt;
  return words_of(*item);
}

}  // namespace cutover::xmpp
