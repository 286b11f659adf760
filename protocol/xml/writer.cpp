// Elements to octets: chooses prefixes, declares namespaces where they are not in scope, escapes.
#include "protocol/xml/writer.h"

#include "protocol/base/check.h"
#include "protocol/xml/utf8.h"

namespace cutover::xml {
namespace {

constexpr std::string_view ns_xml = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view replacement = "\xEF\xBF\xBD";

enum class Place { text, attribute };

// Line ends and tabs would be normalised away by the other side's parser (XML 1.0 sections 2.11, 3.3.3), hence
// references.
std::string_view reference(char c, Place place) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    case '\r':
      return "&#13;";
    case '\n':
      return place == Place::attribute ? "&#10;" : std::string_view();
    case '\t':
      return place == Place::attribute ? "&#9;" : std::string_view();
    default:
      return {};
  }
}

bool plain(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet >= 0x20 && octet < 0x80 && c != '&' && c != '<' && c != '>' && c != '"' && c != '\'';
}

void append_escaped(std::string& out, std::string_view text, Place place) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    while (end < text.size() && plain(text[end])) ++end;
    out.append(text, at, end - at);
    if (end == text.size()) return;
    at = end;
    const std::string_view ref = reference(text[at], place);
    const std::size_t length = character_length(text.substr(at));
    if (!ref.empty()) {
      out += ref;
    } else if (length == 0) {
      out += replacement;
    } else {
      out.append(text, at, length);
    }
    at += length == 0 ? 1 : length;
  }
}

// A namespace that goes by a fixed prefix, because peers of old look at the prefix.
struct KnownPrefix {
  std::string_view ns, prefix;
};
constexpr KnownPrefix known_prefixes[] = {{"http://etherx.jabber.org/streams", "stream"},
                                          {"jabber:server:dialback", "db"}};

// What an element inherits from those around it.
struct Scope {
  std::string_view default_ns;
  bool declared[std::size(known_prefixes)] = {};
};

void declare(std::string& out, std::string_view prefix, std::string_view ns) {
  out += " xmlns";
  if (!prefix.empty()) (out += ':') += prefix;
  out += "='";
  append_escaped(out, ns, Place::attribute);
  out += '\'';
}

void append_attribute(std::string& out, const Attribute& attribute, std::vector<std::string_view>& generated) {
  std::string prefix;
  if (attribute.ns == ns_xml) {
    prefix = "xml:";
  } else if (!attribute.ns.empty()) {
    std::size_t i = 0;
    while (i < generated.size() && generated[i] != attribute.ns) ++i;
    const std::string name = "ns" + std::to_string(i);
    if (i == generated.size()) {
      declare(out, name, attribute.ns);
      generated.emplace_back(attribute.ns);
    }
    prefix = name + ":";
  }
  ((out += ' ') += prefix) += attribute.name;
  out += "='";
  append_escaped(out, attribute.value, Place::attribute);
  out += '\'';
}

std::size_t known_prefix_of(std::string_view ns) {
  std::size_t i = 0;
  while (i < std::size(known_prefixes) && known_prefixes[i].ns != ns) ++i;
  return i;
}

void append(std::string& out, const Element& element, Scope scope) {
  CUTOVER_CHECK(!element.name().empty());
  const std::size_t known =
      element.ns() == scope.default_ns ? std::size(known_prefixes) : known_prefix_of(element.ns());
  const std::string_view prefix = known < std::size(known_prefixes) ? known_prefixes[known].prefix : std::string_view();
  const auto append_name = [&] {
    if (!prefix.empty()) (out += prefix) += ':';
    out += element.name();
  };
  out += '<';
  append_name();
  if (!prefix.empty()) {
    if (!scope.declared[known]) declare(out, prefix, element.ns());
    scope.declared[known] = true;
  } else if (element.ns() != scope.default_ns) {
    declare(out, {}, element.ns());
    scope.default_ns = element.ns();
  }
  std::vector<std::string_view> generated;
  for (const Attribute& attribute : element.attributes()) append_attribute(out, attribute, generated);
  if (element.content().empty()) {
    out += "/>";
    return;
  }
  out += '>';
  for (const Content& piece : element.content()) {
    if (piece.is_text()) {
      append_escaped(out, piece.text, Place::text);
    } else {
      append(out, piece.element.front(), scope);
    }
  }
  out += "</";
  append_name();
  out += '>';
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  append_escaped(out, text, Place::text);
  return out;
}

std::string write(const Element& element, std::string_view default_ns, bool in_stream) {
  std::string out;
  Scope scope{.default_ns = default_ns};
  for (bool& declared : scope.declared) declared = in_stream;
  append(out, element, scope);
  return out;
}

}  // namespace cutover::xml
