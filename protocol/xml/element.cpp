// Element trees: access, change and infoset comparison.
#include "protocol/xml/element.h"

#include <algorithm>

namespace cutover::xml {
namespace {

auto find_attribute(auto& attributes, std::string_view name, std::string_view ns) {
  return std::find_if(attributes.begin(), attributes.end(),
                      [&](const Attribute& each) { return each.name == name && each.ns == ns; });
}

// Adjacent texts count as one, so one side may have to be joined over several pieces.
std::string text_from(const std::vector<Content>& content, std::size_t& at) {
  std::string joined;
  for (; at < content.size() && content[at].is_text(); ++at) joined += content[at].text;
  return joined;
}

bool same_content(const std::vector<Content>& left, const std::vector<Content>& right) {
  std::size_t i = 0;
  std::size_t j = 0;
  for (;;) {
    if (text_from(left, i) != text_from(right, j)) return false;
    if (i == left.size() || j == right.size()) return i == left.size() && j == right.size();
    if (!(left[i].element.front() == right[j].element.front())) return false;
    ++i;
    ++j;
  }
}

}  // namespace

std::optional<std::string> Element::attribute(std::string_view name) const { return attribute(name, {}); }

std::optional<std::string> Element::attribute(std::string_view name, std::string_view ns) const {
  const auto found = find_attribute(attributes_, name, ns);
  if (found == attributes_.end()) return std::nullopt;
  return found->value;
}

std::string Element::attribute_or_empty(std::string_view name) const {
  const auto found = find_attribute(attributes_, name, {});
  return found == attributes_.end() ? std::string() : found->value;
}

void Element::set_attribute(std::string_view name, std::string_view value, std::string_view ns) {
  const auto found = find_attribute(attributes_, name, ns);
  if (found != attributes_.end()) {
    found->value = value;
  } else {
    attributes_.push_back({std::string(name), std::string(value), std::string(ns)});
  }
}

void Element::remove_attribute(std::string_view name, std::string_view ns) {
  const auto found = find_attribute(attributes_, name, ns);
  if (found != attributes_.end()) attributes_.erase(found);
}

Element&& Element::with(std::string_view name, std::string_view value) && {
  set_attribute(name, value);
  return std::move(*this);
}

const Element* Element::child(std::string_view name, std::string_view ns) const {
  for (const Content& piece : content_) {
    if (!piece.is_text() && piece.element.front().is(name, ns)) return &piece.element.front();
  }
  return nullptr;
}

Element* Element::child(std::string_view name, std::string_view ns) {
  return const_cast<Element*>(std::as_const(*this).child(name, ns));
}

const Element* Element::first_child() const {
  for (const Content& piece : content_) {
    if (!piece.is_text()) return &piece.element.front();
  }
  return nullptr;
}

std::vector<const Element*> Element::children() const {
  std::vector<const Element*> all;
  for (const Content& piece : content_) {
    if (!piece.is_text()) all.push_back(&piece.element.front());
  }
  return all;
}

std::string Element::text() const {
  std::string joined;
  for (const Content& piece : content_) joined += piece.text;
  return joined;
}

Element& Element::add(Element child) {
  Content& piece = content_.emplace_back();
  return piece.element.emplace_back(std::move(child));
}

void Element::add_text(std::string_view text) {
  if (text.empty()) return;
  if (content_.empty() || !content_.back().is_text()) content_.emplace_back();
  content_.back().text += text;
}

Element&& Element::with(Element child) && {
  add(std::move(child));
  return std::move(*this);
}

Element&& Element::with_text(std::string_view text) && {
  add_text(text);
  return std::move(*this);
}

void Element::remove_children(std::string_view name, std::string_view ns) {
  std::erase_if(content_, [&](const Content& piece) { return !piece.is_text() && piece.element.front().is(name, ns); });
}

void Element::rename(std::string name, std::string ns) {
  name_ = std::move(name);
  ns_ = std::move(ns);
}

void Element::change_namespace(std::string_view from, std::string_view to) {
  if (ns_ != from) return;
  ns_ = to;
  for (Content& piece : content_) {
    if (!piece.is_text()) piece.element.front().change_namespace(from, to);
  }
}

bool Element::operator==(const Element& other) const {
  if (name_ != other.name_ || ns_ != other.ns_ || attributes_.size() != other.attributes_.size()) return false;
  const bool same_attributes = std::all_of(attributes_.begin(), attributes_.end(), [&](const Attribute& each) {
    const auto found = find_attribute(other.attributes_, each.name, each.ns);
    return found != other.attributes_.end() && found->value == each.value;
  });
  return same_attributes && same_content(content_, other.content_);
}

std::size_t octets_of(const Element& element) {
  auto octets = sizeof(Element) + element.name().size() + element.ns().size();
  for (const auto& attribute : element.attributes())
    octets += sizeof(Attribute) + attribute.name.size() + attribute.value.size() + attribute.ns.size();
  for (const auto& content : element.content())
    octets += content.is_text() ? sizeof(Content) + content.text.size() : octets_of(content.element.front());
  return octets;
}

}  // namespace cutover::xml
