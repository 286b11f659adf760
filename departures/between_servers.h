// What rewrites ask of a passage between two servers, and the small changes that several of them make.
#pragma once

#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stream_text.h"

#include <string>
#include <string_view>

namespace cutover::departures {

/// An initial header, and a response header; not on the link between gateway and proxy.
[[nodiscard]] inline bool calls(const xmpp::Passage& p) { return p.sends_header() && p.initiating && !p.link; }
[[nodiscard]] inline bool responds(const xmpp::Passage& p) { return p.sends_header() && !p.initiating && !p.link; }

[[nodiscard]] inline bool sends_s2s_stanza(const xmpp::Passage& p) { return p.out() && p.is_stanza() && !p.link; }
[[nodiscard]] inline bool sends_s2s_message(const xmpp::Passage& p) { return sends_s2s_stanza(p) && p.is("message"); }
/// A stanza of type error.
[[nodiscard]] inline bool sends_s2s_error(const xmpp::Passage& p) { return sends_s2s_stanza(p) && p.has_type("error"); }
[[nodiscard]] inline bool sends_iq_answer(const xmpp::Passage& p) {
  return sends_s2s_stanza(p) && p.is("iq") && (p.has_type("result") || p.has_type("error"));
}

/// An attribute of what passes; empty where it has none.
[[nodiscard]] inline std::string value(const xmpp::Passage& p, std::string_view name) {
  return p.element.attribute_or_empty(name);
}

/// A dialback element that is sent, of that type; an empty one: a request.
[[nodiscard]] inline bool sends_dialback(const xmpp::Passage& p, std::string_view name, std::string_view type) {
  return p.sends(name, xmpp::ns::dialback) && value(p, "type") == type;
}

/// Exchanges from and to.
inline void turn_about(xmpp::Passage& p) {
  const auto from = value(p, "from");
  const auto to = value(p, "to");
  p.set_attribute("from", to);
  p.set_attribute("to", from);
}

/// Writes an element anew where the change does something to it; one that is as it was keeps its octets.
template <class Change>
void alter(xmpp::Passage& p, Change change) {
  auto changed = p.element;
  change(changed);
  if (!(changed == p.element)) p.put(changed);
}

/// Adds words to a stanza error, with their language.
inline void explain(xml::Element& error) {
  auto& text = error.add(xml::Element("text", xmpp::ns::stanza_errors));
  text.set_attribute("lang", "en", xmpp::ns::xml);
  text.add_text("No.");
}

[[nodiscard]] inline std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}
[[nodiscard]] inline bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Another variant may have put the end of the stream behind the element.
inline void put_last(xmpp::Passage& p, std::string_view inside) {
  const auto behind = p.octets.ends_with(xmpp::end_tag) ? xmpp::end_tag.size() + 1 : 0;
  const auto end = p.octets.rfind("</", p.octets.size() - behind);
  if (end != std::string::npos) p.octets.insert(end, inside);
}

/// Leaves an attribute out of its response headers behind <success/>.
inline auto forgotten_behind_sasl(std::string_view attribute) {
  return [attribute, authenticated = false](xmpp::Passage& p) mutable {
    authenticated = authenticated || p.sends("success", xmpp::ns::sasl);
    if (authenticated && responds(p)) p.remove_attribute(attribute);
  };
}

/// Makes <x a='b'/> <x a='b'></x>, under the name that is written; whole elements may stand before it.
inline void open_empty_element(xmpp::Passage& p) {
  if (!p.octets.starts_with('<') || !p.octets.ends_with("/>")) return;
  const auto begin = p.octets.rfind('<') + 1;
  const auto name = p.octets.substr(begin, p.octets.find_first_of(" \t\r\n/", begin) - begin);
  p.octets.replace(p.octets.size() - 2, 2, "></" + name + ">");
}

}  // namespace cutover::departures
