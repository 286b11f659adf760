// What several files of rewrites between servers look at and change inside of stanzas, headers and features.
#pragma once

#include "departures/between_servers.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cutover::departures {

inline bool sends_any_header(const xmpp::Passage& p) { return p.sends_header() && !p.link; }
inline bool offers(const xmpp::Passage& p) { return p.sends("features", xmpp::ns::streams) && !p.link; }
inline bool offers_inside_tls(const xmpp::Passage& p) { return offers(p) && p.secured; }
inline bool ends(const xmpp::Passage& p) { return p.out() && p.kind == xmpp::Passage::Kind::end_tag && !p.link; }
inline bool sends_of_dialback(const xmpp::Passage& p) {
  return p.out() && p.kind == xmpp::Passage::Kind::element && p.element.ns() == xmpp::ns::dialback;
}
inline bool sends_body(const xmpp::Passage& p) {
  return sends_s2s_message(p) && !p.has_type("error") && p.element.child("body", xmpp::ns::server) != nullptr;
}

/// Writes one more child, in whatever form the element is.
inline void write_more(xmpp::Passage& p, std::string_view more) {
  open_empty_element(p);
  put_last(p, more);
}

/// Whichever way it goes.
inline bool passes_stanza(const xmpp::Passage& p) { return p.is_stanza() && !p.link; }
inline bool passes_message(const xmpp::Passage& p) { return passes_stanza(p) && p.is("message"); }
inline bool hears_s2s_stanza(const xmpp::Passage& p) { return passes_stanza(p) && p.in(); }

/// Changes the texts of the bodies of messages.
template <class Change>
void change_body_texts(xmpp::Passage& p, Change change) {
  if (!passes_message(p)) return;
  alter(p, [&change](xml::Element& stanza) {
    for (auto& one : stanza.content()) {
      if (one.is_text() || !one.element.front().is("body", stanza.ns())) continue;
      auto& body = one.element.front();
      const std::string text = change(body.text());
      body.content().clear();
      body.add_text(text);
    }
  });
}

using Texts = std::vector<std::pair<std::string_view, std::string_view>>;

inline std::string with_all_replaced(std::string text, const Texts& texts) {
  for (const auto& [from, to] : texts) text = replaced(std::move(text), from, to);
  return text;
}

template <class Change>
void change_below(xml::Element& element, const Change& change) {
  change(element);
  for (auto& one : element.content())
    if (!one.is_text()) change_below(one.element.front(), change);
}

/// Changes the payloads of messages, and each element inside them.
template <class Change>
void change_payloads(xmpp::Passage& p, const Change& change) {
  if (!passes_message(p)) return;
  alter(p, [&change](xml::Element& stanza) {
    for (auto& one : stanza.content())
      if (!one.is_text() && one.element.front().ns() != stanza.ns()) change_below(one.element.front(), change);
  });
}

/// Changes the localpart or the resource of the peer's user, in what comes from it and in what goes to it.
template <class Change>
void change_part(xmpp::Passage& p, bool local, Change change) {
  if (!passes_stanza(p)) return;
  const std::string_view name = p.in() ? "from" : "to";
  const auto whole = value(p, name);
  const auto slash = std::min(whole.find('/'), whole.size());
  const auto at = whole.substr(0, slash).find('@');
  if (local ? at == std::string::npos : slash == whole.size()) return;
  const auto begin = local ? 0 : slash + 1;
  const auto size = local ? at : whole.size() - begin;
  const auto part = whole.substr(begin, size);
  const std::string now = change(part);
  if (now != part) p.set_attribute(name, whole.substr(0, begin) + now + whole.substr(begin + size));
}

/// Changes the first body as it is written, references and all.
inline void change_written_body(xmpp::Passage& p, std::string (*change)(std::string_view)) {
  const auto open = p.octets.find("<body>"), close = p.octets.find("</body>", open);
  if (!sends_body(p) || open == std::string::npos || close == std::string::npos) return;
  const auto begin = open + std::string_view("<body>").size();
  const auto text = p.octets.substr(begin, close - begin);
  if (text.find("<![CDATA[") == std::string::npos) p.octets.replace(begin, close - begin, change(text));
}

/// The domain of an address that an element has.
inline std::string domain_of(const xmpp::Passage& p, std::string_view name) {
  const auto address = value(p, name);
  const auto domain = address.substr(address.find('@') + 1);
  return domain.substr(0, domain.find('/'));
}

}  // namespace cutover::departures
