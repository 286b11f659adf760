// An XML element as a value: names with namespaces, attributes, mixed content; compared as infosets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cutover::xml {

/// An attribute; `ns` is empty for the usual case. "xml:lang" is {"lang", namespace of xml}.
struct Attribute {
  std::string name;
  std::string value;
  std::string ns;
  bool operator==(const Attribute&) const = default;
};

struct Content;

/// An element: a value, copied and compared freely. Prefixes are not kept; a writer chooses them.
class Element {
 public:
  Element() = default;
  Element(std::string name, std::string ns);
  /// With attributes that are known to differ in name or namespace, in document order.
  Element(std::string name, std::string ns, std::vector<Attribute> attributes);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& ns() const { return ns_; }
  [[nodiscard]] bool is(std::string_view name, std::string_view ns) const { return name_ == name && ns_ == ns; }

  /// The value of the attribute without namespace; nothing where it is absent.
  [[nodiscard]] std::optional<std::string> attribute(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> attribute(std::string_view name, std::string_view ns) const;
  /// The same with the empty string for an absent one.
  [[nodiscard]] std::string attribute_or_empty(std::string_view name) const;
  /// Sets or replaces; the builder form returns the element itself: `Element("message", ns).with("to", jid)`.
  void set_attribute(std::string_view name, std::string_view value, std::string_view ns = {});
  void remove_attribute(std::string_view name, std::string_view ns = {});
  Element&& with(std::string_view name, std::string_view value) &&;
  [[nodiscard]] const std::vector<Attribute>& attributes() const { return attributes_; }

  /// The first child element with that name and namespace; null where there is none.
  [[nodiscard]] const Element* child(std::string_view name, std::string_view ns) const;
  [[nodiscard]] Element* child(std::string_view name, std::string_view ns);
  [[nodiscard]] const Element* first_child() const;
  [[nodiscard]] std::vector<const Element*> children() const;
  [[nodiscard]] const std::vector<Content>& content() const { return content_; }
  [[nodiscard]] std::vector<Content>& content() { return content_; }
  /// All character data directly below this element, joined.
  [[nodiscard]] std::string text() const;
  Element& add(Element child);  ///< returns the added child
  void add_text(std::string_view text);
  Element&& with(Element child) &&;
  Element&& with_text(std::string_view text) &&;
  void remove_children(std::string_view name, std::string_view ns);
  void rename(std::string name, std::string ns);
  /// Moves this element and every descendant in namespace `from` to namespace `to` (jabber:server <-> jabber:client
  /// touches the stanza's own tree only: descend stops at elements of other namespaces).
  void change_namespace(std::string_view from, std::string_view to);

  /// Infoset equality: the order of attributes does not count, adjacent texts are one.
  bool operator==(const Element&) const;

 private:
  std::string name_;
  std::string ns_;
  std::vector<Attribute> attributes_;
  std::vector<Content> content_;
};

/// One piece of mixed content: an element, or text where `element` is empty.
struct Content {
  std::string text;
  std::vector<Element> element;  ///< zero or one
  [[nodiscard]] bool is_text() const { return element.empty(); }
};

/// About how much memory it takes.
[[nodiscard]] std::size_t octets_of(const Element&);

// Below, where Content is complete: clang instantiates a vector's destructor in a constructor.
inline Element::Element(std::string name, std::string ns) : name_(std::move(name)), ns_(std::move(ns)) {}
inline Element::Element(std::string name, std::string ns, std::vector<Attribute> attributes)
    : name_(std::move(name)), ns_(std::move(ns)), attributes_(std::move(attributes)) {}

}  // namespace cutover::xml
