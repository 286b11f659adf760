// What Export-Clixml writes ([MS-PSRP] section 2.2.5), by libxml2's parser in its SAX form, which knows the line.
#include "reference/exports/forms.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace cutover::reference::exports {

namespace {

constexpr std::string_view again = "export it again with Export-Clixml";
constexpr std::size_t distinct_types_max = 10'000;
constexpr std::size_t remembered_values_max = 1'000'000;  ///< that a later <Ref> may mean

std::string_view text_of(const xmlChar* text) {
  return text == nullptr ? std::string_view{} : std::string_view(reinterpret_cast<const char*>(text));
}

std::string utf8_of(std::uint32_t code) {
  std::string out;
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((code >> shift) & 0x3fU)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0U | code >> 6U);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0U | code >> 12U);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0U | code >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
  return out;
}

/// The code unit of "_x000A_" at the start of `text`.
std::optional<std::uint32_t> escaped_unit(std::string_view text) {
  constexpr std::size_t size = 7;
  if (text.size() < size || text[0] != '_' || (text[1] != 'x' && text[1] != 'X') || text[size - 1] != '_')
    return std::nullopt;
  std::uint32_t unit = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + size - 1, unit, 16);
  if (error != std::errc() || end != text.data() + size - 1) return std::nullopt;
  return unit;
}

/// [MS-PSRP] section 2.2.5.3.2: "_xHHHH_" is a code unit of UTF-16.
std::string unescaped(std::string_view text) {
  constexpr std::size_t size = 7;
  constexpr std::uint32_t replacement = 0xfffd;
  std::string out;
  while (!text.empty()) {
    const auto unit = escaped_unit(text);
    if (!unit) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(size);
    const bool high = *unit >= 0xd800 && *unit < 0xdc00, low = *unit >= 0xdc00 && *unit < 0xe000;
    const auto second = high ? escaped_unit(text) : std::nullopt;
    if (second && *second >= 0xdc00 && *second < 0xe000) {
      text.remove_prefix(size);
      out += utf8_of(0x10000 + ((*unit - 0xd800) << 10U) + (*second - 0xdc00));
    } else {
      out += utf8_of(high || low || *unit == 0 ? replacement : *unit);
    }
  }
  return out;
}

enum class Part {
  root,        ///< Objs
  object,      ///< Obj
  type_names,  ///< TN
  type_name,   ///< T
  to_string,   ///< ToString
  properties,  ///< Props, MS
  list,        ///< LST, IE, STK, QUE
  dictionary,  ///< DCT
  entry,       ///< En
  primitive,
  unknown,
};

Part part_of(std::string_view name) {
  static const std::map<std::string_view, Part> parts = {
      {"Objs", Part::root},     {"Obj", Part::object},         {"TN", Part::type_names},
      {"T", Part::type_name},   {"ToString", Part::to_string}, {"Props", Part::properties},
      {"MS", Part::properties}, {"LST", Part::list},           {"IE", Part::list},
      {"STK", Part::list},      {"QUE", Part::list},           {"DCT", Part::dictionary},
      {"En", Part::entry}};
  static const std::array primitives = {"S",   "C",   "B",   "DT",      "TS", "By",  "SB", "U16", "I16",
                                        "U32", "I32", "U64", "I64",     "Sg", "Db",  "D",  "BA",  "G",
                                        "URI", "Nil", "Ref", "Version", "XD", "SBK", "SS"};
  if (const auto found = parts.find(name); found != parts.end()) return found->second;
  return std::ranges::find(primitives, name) != primitives.end() ? Part::primitive : Part::unknown;
}

bool is_number(std::string_view tag) {
  constexpr std::array<std::string_view, 11> tags{"By",  "SB",  "U16", "I16", "U32", "I32",
                                                  "U64", "I64", "Sg",  "Db",  "D"};
  return std::ranges::find(tags, tag) != tags.end();
}

/// The value of a primitive element; a text that is none of its kind is unreadable.
Value primitive_of(std::string_view tag, std::string text) {
  Value value;
  if (tag == "Nil") return value;
  if (tag == "B") {
    value.kind = text == "true" || text == "false" ? Value::Kind::flag : Value::Kind::unreadable;
    value.flag = text == "true";
  } else if (is_number(tag)) {
    value.kind = Value::Kind::number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value.number);
    if (error == std::errc::result_out_of_range) {
      value.number = text.starts_with('-') ? INT64_MIN : INT64_MAX;
    } else if (error != std::errc()) {
      value.kind = Value::Kind::unreadable;
    }
  } else if (tag == "SS") {
    value.kind = Value::Kind::unreadable;
    text = "a secret that only its machine can read";
  } else {
    text = unescaped(text);
    value.kind = is_type_name(text) ? Value::Kind::unreadable : Value::Kind::text;
  }
  value.text = std::move(text);
  return value;
}

struct Extent {
  std::size_t values = 1, depth = 1;
};
Extent extent_of(const Value& value) {
  Extent extent;
  const auto add = [&](const Value& inner) {
    const auto [values, depth] = extent_of(inner);
    extent.values += values;
    extent.depth = std::max(extent.depth, depth + 1);
  };
  for (const auto& item : value.items) add(item);
  for (const auto& [name, inner] : value.properties) add(inner);
  return extent;
}

class Document {
 public:
  Document(const Sink& sink, Problems& problems) : sink_(sink), problems_(problems) {}

  void read(std::string_view text);

 private:
  struct Open {
    Part part = Part::unknown;
    std::string tag, name, id;
    int line = 0;
    std::string text;                ///< of a leaf
    Value value;                     ///< of an object
    bool named = false;              ///< an object: it has said how it calls itself
    std::optional<Value> primitive;  ///< an object: the value that it is, beside its properties
    std::optional<Value> key, entry_value;
  };

  static Document& self(void* context) { return *static_cast<Document*>(context); }
  static xmlSAXHandler handler();

  void start(std::string_view tag, std::string name, std::string id);
  void end();
  void end_object(Open& closed);
  void place(Value value, const std::string& name);
  void refer(const Open& reference);
  void remember(const std::string& id, const Value& value);
  void stop(std::string what, std::string_view remedy = again);
  [[nodiscard]] bool at_top() const;
  [[nodiscard]] int line() const { return context_->input != nullptr ? context_->input->line : 0; }

  const Sink& sink_;
  Problems& problems_;
  xmlParserCtxt* context_ = nullptr;
  std::vector<Open> open_;
  std::map<std::string, std::vector<std::string>, std::less<>> types_;
  std::map<std::string, Value, std::less<>> remembered_;
  std::size_t remembered_values_ = 0;
  std::size_t values_ = 0;
  bool stopped_ = false, told_unknown_ = false;
};

void Document::stop(std::string what, std::string_view remedy) {
  if (stopped_) return;
  stopped_ = true;
  problems_.add(line(), std::move(what), std::string(remedy));
  xmlStopParser(context_);
}

/// Whether what ends now is an object of its own: below the root, or in a list that stands there.
bool Document::at_top() const {
  if (open_.size() == 1) return open_[0].part == Part::root;
  return open_.size() == 3 && open_[2].part == Part::list && open_[1].part == Part::object;
}

void Document::start(std::string_view tag, std::string name, std::string id) {
  if (stopped_) return;
  if (open_.size() >= 3 * depth_max) return stop("is nested deeper than " + std::to_string(depth_max), select_less);
  Open opened;
  opened.part = part_of(tag);
  opened.tag = tag;
  opened.name = std::move(name);
  opened.id = std::move(id);
  opened.line = line();
  if (open_.empty() != (opened.part == Part::root)) return stop("is not CLIXML: <" + opened.tag + "> stands there");
  if (opened.part == Part::unknown && !told_unknown_) {
    told_unknown_ = true;
    problems_.note(opened.line, "<" + opened.tag + "> is not understood");
  }
  if (opened.part == Part::object || opened.part == Part::primitive) {
    if (++values_ > values_per_object_max) return stop(std::string(too_much_in_one), select_less);
  }
  if (opened.part == Part::object) opened.value.kind = Value::Kind::object;
  if (opened.part == Part::list && !open_.empty()) open_.back().value.kind = Value::Kind::list;
  open_.push_back(std::move(opened));
}

void Document::end() {
  if (stopped_ || open_.empty()) return;
  Open closed = std::move(open_.back());
  open_.pop_back();
  Open* parent = open_.empty() ? nullptr : &open_.back();
  switch (closed.part) {
    case Part::object:
      return end_object(closed);
    case Part::primitive:
      if (closed.tag == "Ref") return refer(closed);
      closed.value = primitive_of(closed.tag, std::move(closed.text));
      closed.value.line = closed.line;
      return place(std::move(closed.value), closed.name);
    case Part::type_name:
      if (parent != nullptr && parent->part == Part::type_names) parent->value.types.push_back(std::move(closed.text));
      return;
    case Part::type_names: {
      if (parent == nullptr || parent->part != Part::object) return;
      const bool is_reference = closed.tag == "TNRef";
      if (!is_reference && types_.size() < distinct_types_max) types_[closed.id] = closed.value.types;
      parent->value.types = std::move(closed.value.types);
      return;
    }
    case Part::to_string:
      if (parent == nullptr || parent->part != Part::object) return;
      parent->value.text = unescaped(closed.text);
      parent->named = true;
      return;
    case Part::entry:
      if (parent == nullptr || !closed.key || !closed.entry_value) return;
      place(std::move(*closed.entry_value), closed.key->text);
      return;
    default:
      return;
  }
}

void Document::end_object(Open& closed) {
  Value value = std::move(closed.value);
  value.line = closed.line;
  if (value.kind == Value::Kind::object) drop_repeated(value, problems_);
  if (value.kind == Value::Kind::list) value.properties.clear();  // Count and the like
  if (closed.primitive) {
    // An enumeration has its name and its number; any other value of one piece is that, whatever was added to it.
    const bool has_name = closed.primitive->kind == Value::Kind::number && closed.named;
    auto name = std::move(value.text);
    const auto types = std::move(value.types);
    value = std::move(*closed.primitive);
    if (has_name && !name.empty() && name.find_first_not_of("0123456789-") != std::string::npos) {
      value.kind = Value::Kind::text;
      value.text = std::move(name);
    }
    value.line = closed.line;
  }
  if (!at_top()) remember(closed.id, value);
  place(std::move(value), closed.name);
}

void Document::remember(const std::string& id, const Value& value) {
  const auto [values, depth] = extent_of(value);
  // References to references make a value deeper than any that is written out.
  if (id.empty() || depth > depth_max || remembered_values_ + values > remembered_values_max) return;
  remembered_values_ += values;
  remembered_[id] = value;
}

/// What stands elsewhere. A reference to an object that contains it, or to one that is no property, is not followed.
void Document::refer(const Open& reference) {
  Value value;
  const auto found = remembered_.find(reference.id);
  if (found != remembered_.end()) {
    value = found->second;
    values_ += extent_of(value).values;
    if (values_ > values_per_object_max) return stop(std::string(too_much_in_one), select_less);
  } else {
    value.kind = Value::Kind::unreadable;
    value.text = "a reference to the object " + reference.id;
  }
  value.line = reference.line;
  place(std::move(value), reference.name);
}

void Document::place(Value value, const std::string& name) {
  if (at_top()) {
    values_ = 0;
    if (open_.size() == 3) open_[1].value.kind = Value::Kind::null;  // the list was passed on
    if (value.kind == Value::Kind::object) return sink_(std::move(value));
    const bool nothing = value.kind == Value::Kind::null || (value.kind == Value::Kind::list && value.items.empty());
    if (!nothing)
      problems_.add(value.line, "an object of the product was expected", "pipe what Get-Cs... gives into it");
    return;
  }
  if (open_.empty()) return;
  Open& parent = open_.back();
  Open* object = open_.size() > 1 ? &open_[open_.size() - 2] : nullptr;
  switch (parent.part) {
    case Part::object:
      parent.primitive = std::move(value);
      return;
    case Part::properties:
    case Part::dictionary:
      if (object != nullptr && object->part == Part::object)
        object->value.properties.push_back({unescaped(name), std::move(value)});
      return;
    case Part::list:
      if (object != nullptr && object->part == Part::object) object->value.items.push_back(std::move(value));
      return;
    case Part::entry:
      (name == "Key" ? parent.key : parent.entry_value) = std::move(value);
      return;
    default:
      return;
  }
}

xmlSAXHandler Document::handler() {
  xmlSAXHandler sax{};
  sax.initialized = XML_SAX2_MAGIC;
  sax.startElementNs = [](void* context, const xmlChar* name, const xmlChar*, const xmlChar*, int, const xmlChar**,
                          int count, int, const xmlChar** attributes) {
    std::string label, id;
    for (int i = 0; i < count; ++i, attributes += 5) {  // local name, prefix, namespace, value, its end
      const std::string_view value(reinterpret_cast<const char*>(attributes[3]),
                                   static_cast<std::size_t>(attributes[4] - attributes[3]));
      if (text_of(attributes[0]) == "N") label = value;
      if (text_of(attributes[0]) == "RefId") id = value;
    }
    auto& document = self(context);
    if (text_of(name) != "TNRef") return document.start(text_of(name), std::move(label), std::move(id));
    const auto types = document.types_.find(id);
    document.start("TN", {}, std::move(id));
    if (document.open_.empty() || document.stopped_) return;
    document.open_.back().tag = "TNRef";
    if (types != document.types_.end()) document.open_.back().value.types = types->second;
  };
  sax.endElementNs = [](void* context, const xmlChar*, const xmlChar*, const xmlChar*) { self(context).end(); };
  sax.characters = [](void* context, const xmlChar* text, int size) {
    auto& open = self(context).open_;
    if (open.empty()) return;
    auto& into = open.back();
    if (into.part != Part::primitive && into.part != Part::type_name && into.part != Part::to_string) return;
    into.text.append(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  };
  sax.cdataBlock = sax.characters;
  sax.internalSubset = [](void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
    self(context).stop("has a document type, which no export has");
  };
  sax.getEntity = [](void* context, const xmlChar* name) -> xmlEntityPtr {
    self(context).stop("has the entity &" + std::string(text_of(name)) + ";, which no export has");
    return nullptr;
  };
  sax.serror = [](void* context, xmlErrorPtr error) {
    if (error->level < XML_ERR_ERROR) return;
    std::string words = error->message != nullptr ? error->message : "not well-formed";
    while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
    self(context).stop("is not XML: " + words);
  };
  return sax;
}

void Document::read(std::string_view text) {
  auto sax = handler();
  const std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> context(
      xmlCreatePushParserCtxt(&sax, this, nullptr, 0, nullptr), xmlFreeParserCtxt);
  context_ = context.get();
  xmlSwitchEncoding(context_, XML_CHAR_ENCODING_UTF8);
  xmlCtxtUseOptions(context_, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);  // it was UTF-16 before
  constexpr std::size_t piece_octets = 65536;
  while (!text.empty() && !stopped_) {
    const auto piece = text.substr(0, piece_octets);
    text.remove_prefix(piece.size());
    xmlParseChunk(context_, piece.data(), static_cast<int>(piece.size()), 0);
  }
  if (!stopped_) xmlParseChunk(context_, nullptr, 0, 1);
  if (!stopped_ && !open_.empty()) stop("ends in the middle of an object");
}

}  // namespace

void read_clixml(std::string_view text, const Sink& sink, Problems& problems) { Document(sink, problems).read(text); }

}  // namespace cutover::reference::exports
