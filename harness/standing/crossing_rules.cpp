// What went in at one side of the subject is what came out at the other: between its client and a peer server.
#include "harness/standing/crossing.h"
#include "harness/standing/rules_by_layer.h"
#include "protocol/xml/writer.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness::standing {

namespace ns = xmpp::ns;

namespace {

/// A stanza as both sides may write it, to be compared.
xml::Element in_server_namespace(xml::Element stanza) {
  stanza.change_namespace(ns::client, ns::server);
  // A child that was left in the other namespace is told as that (stanza_namespace), and is there nevertheless.
  for (auto& one : stanza.content())
    if (!one.is_text()) one.element.front().change_namespace(ns::client, ns::server);
  return stanza;
}

/// Words that stand in the condition of an error are told as that (condition_is_empty).
xml::Element without_words_in_conditions(xml::Element stanza) {
  auto* error = stanza.child("error", ns::server);
  if (error == nullptr) return stanza;
  for (auto& one : error->content()) {
    if (!one.is_text() && has_to_be_empty(one.element.front(), ns::stanza_errors))
      one.element.front().content().clear();
  }
  return stanza;
}

std::string full(std::string_view address) {
  const auto jid = xmpp::Jid::parse(address);
  return jid ? jid->full() : std::string(address);
}

/// What a server may take away or put in between: delays (XEP-0203 section 5).
bool may_change(const xml::Element& child) { return child.ns() == ns::delay; }

/// A text as it is read where its carriage returns are not written as references: XML 1.0 section 2.11.
std::string read_as_lines(const std::string& text) {
  std::string lines;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r')
      lines += text[i];
    else if (i + 1 == text.size() || text[i + 1] != '\n')
      lines += '\n';
  return lines;
}

/// Whether its white space has to be written as references to be read as it is.
bool needs_references(const xml::Element& element) {
  const auto in_attribute = [](const auto& one) { return one.value.find_first_of("\t\n\r") != std::string::npos; };
  const auto in_content = [](const xml::Content& one) {
    return one.is_text() ? one.text.find('\r') != std::string::npos : needs_references(one.element.front());
  };
  return std::ranges::any_of(element.attributes(), in_attribute) || std::ranges::any_of(element.content(), in_content);
}

/// An element as it is read where all of its white space is written as it is, in attributes too (section 3.3.3).
xml::Element as_read(xml::Element element) {
  for (const auto attributes = element.attributes(); const auto& one : attributes) {
    auto value = read_as_lines(one.value);
    std::ranges::replace_if(
        value, [](char c) { return c == '\t' || c == '\n'; }, ' ');
    element.set_attribute(one.name, value, one.ns);
  }
  for (auto& one : element.content())
    if (one.is_text())
      one.text = read_as_lines(one.text);
    else
      one.element.front() = as_read(std::move(one.element.front()));
  return element;
}

/// What is wrong with children, each as it was written; empty where nothing is.
struct Losses {
  std::string lost;    ///< the first that is not there
  std::string reread;  ///< the first that is there as it is read without references
};

/// Of the children of `in` that `counts`. Their order says nothing (RFC 6121 Appendix A), and more may have been put
/// between them.
template <class Counts>
Losses losses(const xml::Element& in, const xml::Element& out, const Counts& counts) {
  auto there = out.children();
  Losses all;
  for (const auto* child : in.children()) {
    if (!counts(*child)) continue;
    const auto find = [&](const xml::Element& one) {
      return std::ranges::find_if(there, [&](const auto* other) { return *other == one; });
    };
    auto found = find(*child);
    if (found == there.end()) {
      if (needs_references(*child)) found = find(as_read(*child));
      auto& told = found == there.end() ? all.lost : all.reread;
      if (told.empty()) told = xml::write(*child);
    }
    if (found != there.end()) there.erase(found);
  }
  return all;
}

/// A message without type, or of an unknown one, is normal (RFC 6121 section 5.2.2).
std::string type_of(const xml::Element& stanza) {
  constexpr std::string_view types[] = {"chat", "error", "groupchat", "headline", "normal"};
  const auto type = stanza.attribute_or_empty("type");
  const bool known = stanza.name() != "message" || std::ranges::find(types, type) != std::end(types);
  return known ? type : "normal";
}

bool holds_content_of_stanzas(const xml::Element& element) {
  return std::ranges::any_of(element.children(), [](const auto* child) {
    return child->ns() == ns::server || child->ns() == ns::client || holds_content_of_stanzas(*child);
  });
}

/// Whether a child is a payload of that kind, and none that a server may change.
bool is_own(const xml::Element& child) { return child.ns() == ns::server && !may_change(child); }
bool is_nest(const xml::Element& child) { return child.ns() != ns::server && holds_content_of_stanzas(child); }
bool is_payload(const xml::Element& child) { return child.ns() != ns::server && !is_nest(child) && !may_change(child); }

}  // namespace

std::vector<Crossed> compare_crossed(xml::Element in, xml::Element out) {
  in = without_words_in_conditions(in_server_namespace(std::move(in)));
  out = without_words_in_conditions(in_server_namespace(std::move(out)));
  const auto has = [&](const auto& kind) {
    return std::ranges::any_of(in.children(), [&](const auto* child) { return kind(*child); });
  };
  const auto to = full(in.attribute_or_empty("to")), came_to = full(out.attribute_or_empty("to"));
  const auto changed = [](const char* what, const std::string& from, const std::string& by) {
    return from == by ? std::string() : fmt::format("{} '{}' became '{}'", what, from, by);
  };
  const auto own = losses(in, out, is_own);
  // What is not there at all is lost as a payload, whatever it holds.
  const auto is_gone = [&](const xml::Element& child) {
    const auto* there = out.child(child.name(), child.ns());
    return is_nest(child) && (there == nullptr || there->children().empty());
  };
  const auto is_lost_payload = [&](const xml::Element& child) { return is_payload(child) || is_gone(child); };
  const auto is_whole_nest = [&](const xml::Element& child) { return is_nest(child) && !is_gone(child); };
  std::vector<Crossed> all{
      {Rule::stanza_crosses, own.lost.empty() ? changed("type", type_of(in), type_of(out)) : own.lost},
      {Rule::address_crosses, changed("to", to, came_to)}};
  const auto payloads = losses(in, out, is_lost_payload), nests = losses(in, out, is_whole_nest);
  if (has(is_lost_payload)) all.push_back({Rule::payload_crosses, payloads.lost});
  if (has(is_whole_nest)) all.push_back({Rule::nested_content_crosses, nests.lost});
  const auto has_space = [](const xml::Element& child) { return !may_change(child) && needs_references(child); };
  if (has(has_space)) all.push_back({Rule::white_space_crosses, own.reread + payloads.reread + nests.reread});
  // A client's own stanza has no sender yet.
  if (const auto from = full(in.attribute_or_empty("from")); from.find('/') != std::string::npos)
    all.push_back({Rule::resource_crosses, changed("from", from, full(out.attribute_or_empty("from")))});
  if (const auto language = in.attribute("lang", ns::xml))
    all.push_back(
        {Rule::language_crosses, changed("xml:lang", *language, out.attribute("lang", ns::xml).value_or(""))});
  return all;
}

namespace {

/// A stanza that a server passes on without a part in it: what a user sends to somebody, and answers.
bool is_passed_on(const xml::Element& stanza) {
  if (!xmpp::is_stanza(stanza) || stanza.attribute_or_empty("to").empty()) return false;
  const auto type = stanza.attribute_or_empty("type");
  return stanza.name() != "presence" || type.empty() || type == "unavailable";
}

}  // namespace

const Crossing::Sight* Crossing::repeated(const std::vector<Sight>& stanzas) {
  std::set<int> conversations;
  for (const auto& sight : stanzas)
    if (!conversations.insert(sight.conversation).second) return &sight;
  return nullptr;
}

void Crossing::note_client(const Conversation& conversation) { note(conversation, from_client_, to_client_, true); }
void Crossing::note_peer(const Conversation& conversation) { note(conversation, from_peer_, to_peer_, false); }

/// What the listener said went in, what the sender said came out. A client's own stanza has no `from` yet.
void Crossing::note(const Conversation& conversation, Stanzas& in, Stanzas& out, bool of_client) {
  ++conversations_;
  for (const auto& one : conversation.said) {
    if (one.element() == nullptr || !is_passed_on(*one.element())) continue;
    const auto& stanza = *one.element();
    const bool came_in = !one.by_sender;
    const auto from = of_client && came_in ? std::string() : xmpp::canonical_bare(stanza.attribute_or_empty("from"));
    const Key key{stanza.name(), stanza.attribute_or_empty("id"), from,
                  xmpp::canonical_bare(stanza.attribute_or_empty("to")), stanza.attribute_or_empty("type") == "error"};
    auto& place = (came_in ? in : out)[key];
    place.push_back({stanza, one.octets, conversations_});
  }
}

/// Only what went in once is judged, and what came out once compared: with an id twice nobody knows which is which.
void Crossing::judge(Ledger& ledger) const {
  const auto judge_way = [&](const Stanzas& in, const Stanzas& out, bool from_client) {
    for (const auto& [key, stanzas] : out) {
      auto source = key;
      if (from_client) source.from.clear();
      const auto found = in.find(source);
      if (key.id.empty() || found == in.end() || found->second.size() != 1) continue;
      // An account has several clients, and a stream that broke off is taken up again: each may get it once.
      const auto* again = repeated(stanzas);
      ledger.judge(Rule::crosses_once, again == nullptr, again == nullptr ? std::string() : again->octets);
      if (stanzas.size() != 1) continue;
      const auto &went_in = found->second.front(), &came_out = stanzas.front();
      for (const auto& [rule, lost] : compare_crossed(went_in.stanza, came_out.stanza))
        ledger.judge(rule, lost.empty(), lost + "\nof " + went_in.octets + "\ncame out as " + came_out.octets);
    }
  };
  judge_way(from_client_, to_peer_, true);
  judge_way(from_peer_, to_client_, false);
}

}  // namespace cutover::harness::standing
