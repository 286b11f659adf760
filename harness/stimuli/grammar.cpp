// The table as values, and how a combination becomes octets.
#include "harness/stimuli/grammar.h"

#include "protocol/base/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

namespace cutover::harness::stimuli {

namespace {

class Table {
 public:
  Table() {
    using enum Refusal;
#define ELEMENT(name, form) add_element(#name, form);
#define DIMENSION(name) add_dimension(#name);
#define USUAL(form) add({{}, form, {}});
#define LEGAL(words, form, requirement) add({words, form, requirement});
#define OPEN(words, form, requirement, conditions, of_condition) \
  add({words, form, requirement, Status::open, ends, conditions, of_condition});
#define FORBIDDEN(words, form, requirement, refusal, conditions, of_condition) \
  add({words, form, requirement, Status::forbidden, refusal, conditions, of_condition});
#include "harness/stimuli/stimuli.inc"
#undef ELEMENT
#undef DIMENSION
#undef USUAL
#undef LEGAL
#undef OPEN
#undef FORBIDDEN
  }
  std::vector<Element> elements;

 private:
  void add_element(std::string_view name, std::string_view octets) { elements.push_back({name, octets, {}}); }
  void add_dimension(std::string_view name) { elements.back().dimensions.push_back({elements.back().name, name, {}}); }
  void add(const Value& value) { elements.back().dimensions.back().values.push_back(value); }
};

std::string_view part_of(std::string_view octets, std::size_t number) {
  for (; number > 0; --number) {
    const auto bar = octets.find('|');
    if (bar == std::string_view::npos) return {};
    octets.remove_prefix(bar + 1);
  }
  return octets.substr(0, octets.find('|'));
}

/// The characters of UTF-8 text, as numbers.
std::vector<char32_t> characters(std::string_view text) {
  std::vector<char32_t> all;
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    char32_t character = length == 1 ? first : first & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length && at + i < text.size(); ++i)
      character = (character << 6U) | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
    all.push_back(character);
    at += length;
  }
  return all;
}

std::string references(std::string_view text, bool hexadecimal) {
  std::string result;
  for (const auto character : characters(text)) {
    const auto number = static_cast<std::uint32_t>(character);
    result += hexadecimal ? fmt::format("&#x{:X};", number) : fmt::format("&#{};", number);
  }
  return result;
}

std::string escaped(std::string_view text) {
  std::string result;
  // A reader takes a carriage return that stands for itself for a line break (XML 1.0 section 2.11).
  for (const char c : text)
    result += c == '<' ? "&lt;" : c == '&' ? "&amp;" : c == '>' ? "&gt;" : c == '\r' ? "&#13;" : std::string(1, c);
  return result;
}

}  // namespace

std::span<const Element> elements() {
  static const Table table;
  return table.elements;
}

const Element& element(std::string_view name) {
  const auto all = elements();
  const auto found = std::ranges::find(all, name, &Element::name);
  if (found == all.end()) throw HarnessFault(fmt::format("the table of stimuli has no element {}", name));
  return *found;
}

std::string written(std::string_view text, std::string_view form) {
  if (form == "CDATA") {
    std::string inside(text);  // "]]>" would end it
    for (auto at = inside.find("]]>"); at != std::string::npos; at = inside.find("]]>", at + 15))
      inside.replace(at, 3, "]]]]><![CDATA[>");
    return "<![CDATA[" + inside + "]]>";
  }
  if (form == "decimal" || form == "hexadecimal") return references(text, form == "hexadecimal");
  return escaped(text);
}

Grammar::Grammar(std::initializer_list<std::string_view> element_names) : Grammar(element_names, {}) {}

Grammar::Grammar(std::initializer_list<std::string_view> element_names, std::initializer_list<std::string_view> drop) {
  for (const auto name : element_names) std::ranges::copy(element(name).dimensions, std::back_inserter(dimensions_));
  for (const auto words : drop) {
    std::size_t dropped = 0;
    for (auto& dimension : dimensions_)
      dropped += std::erase_if(dimension.values, [&](const Value& value) {
        const bool varies = dimension.name == words && !value.words.empty();
        return varies || value.words == words;
      });
    if (dropped == 0) throw HarnessFault(fmt::format("the table of stimuli has no value '{}'", words));
  }
}

/// Fills slots: the dimensions of the element first, then those of the others, then the surroundings.
class Grammar::Rendering {
 public:
  Rendering(const Grammar& grammar, std::string_view element, const Combination& combination,
            const Surroundings& surroundings)
      : grammar_(grammar), element_(element), combination_(combination), surroundings_(surroundings) {}

  [[nodiscard]] std::string filled(std::string_view octets) {
    if (++depth_ > depth_max) throw HarnessFault(fmt::format("a slot of {} stands in itself", element_));
    std::string result;
    while (!octets.empty()) {
      const auto open = octets.find('{');
      result += octets.substr(0, open);
      if (open == std::string_view::npos) break;
      const auto close = octets.find('}', open);
      result += slot(octets.substr(open + 1, close - open - 1));
      octets.remove_prefix(close + 1);
    }
    --depth_;
    return result;
  }

 private:
  static constexpr int depth_max = 12;

  std::string slot(std::string_view name) {
    if (const auto as = name.find(" as "); as != std::string_view::npos)
      return written(whole(name.substr(0, as)), whole(name.substr(as + 4)));
    if (const auto own = surroundings_.find(name); own != surroundings_.end()) return own->second;
    const bool second = name.ends_with(" 2");
    return filled(part_of(octets(second ? name.substr(0, name.size() - 2) : name), second ? 1 : 0));
  }
  [[nodiscard]] std::string_view whole(std::string_view name) const { return octets(name); }

  [[nodiscard]] std::string_view octets(std::string_view name) const {
    std::optional<std::string_view> elsewhere;
    for (std::size_t i = 0; i < grammar_.dimensions_.size(); ++i) {
      const auto& dimension = grammar_.dimensions_[i];
      if (dimension.name != name) continue;
      const auto octets = dimension.values[combination_[i]].octets;
      if (dimension.element == element_) return octets;
      elsewhere = octets;
    }
    if (!elsewhere) throw HarnessFault(fmt::format("nothing fills the slot {} of {}", name, element_));
    return *elsewhere;
  }

  const Grammar& grammar_;
  std::string_view element_;
  const Combination& combination_;
  const Surroundings& surroundings_;
  int depth_ = 0;
};

const Value& Grammar::value(const Combination& combination, std::string_view element,
                            std::string_view dimension) const {
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    if (dimensions_[i].element == element && dimensions_[i].name == dimension)
      return dimensions_[i].values[combination[i]];
  }
  throw HarnessFault(fmt::format("the grammar has no dimension {} of {}", dimension, element));
}

std::string Grammar::render(std::string_view element, const Combination& combination,
                            const Surroundings& surroundings) const {
  return Rendering(*this, element, combination, surroundings).filled(stimuli::element(element).octets);
}

std::string Grammar::part(std::string_view element, std::string_view dimension, std::size_t number,
                          const Combination& combination, const Surroundings& surroundings) const {
  return Rendering(*this, element, combination, surroundings)
      .filled(part_of(value(combination, element, dimension).octets, number));
}

std::string Grammar::in_words(const Combination& combination) const {
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    if (combination[i] != 0) words.push_back(dimensions_[i].values[combination[i]].words);
  }
  return words.empty() ? "nothing out of the usual" : fmt::format("{}", fmt::join(words, " and "));
}

double Grammar::possible() const {
  double all = 1;
  for (const auto& dimension : dimensions_)
    all *= static_cast<double>(
        std::ranges::count_if(dimension.values, [](const auto& one) { return one.status == Status::legal; }));
  return all;
}

}  // namespace cutover::harness::stimuli
