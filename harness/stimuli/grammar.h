// The grammar of what our peers send: elements, the dimensions in which each varies, and the values of each dimension.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness::stimuli {

/// Whether a value must be taken, may be taken or refused by a stream error, or must be refused.
enum class Status { legal, open, forbidden };
/// How a forbidden value is refused. That it is not taken holds for all.
enum class Refusal {
  not_taken,      ///< in whatever way
  ends,           ///< by a stream error and the end of the stream
  ends_or_error,  ///< by that, or by a stanza error
  fails,          ///< by a failure of SASL, or as `ends`
};

struct Value {
  std::string_view words;  ///< as they are told, a noun: "a header in double quotes"; empty for the usual value
  std::string_view octets;
  std::string_view requirement;  ///< of the catalogue, which has it taken or refused; empty for the usual value
  Status status = Status::legal;
  Refusal refusal = Refusal::not_taken;
  std::string_view conditions;             ///< one of which is preferred, blanks between; empty: any
  std::string_view condition_requirement;  ///< that prefers it
};

/// One place in an element that varies. Its usual value comes first; it is the twin of those that are forbidden.
struct Dimension {
  std::string_view element, name;
  std::vector<Value> values;
};

struct Element {
  std::string_view name, octets;  ///< with {slots}
  std::vector<Dimension> dimensions;
};
[[nodiscard]] std::span<const Element> elements();
[[nodiscard]] const Element& element(std::string_view name);

/// A choice of one value a dimension of a grammar.
using Combination = std::vector<std::size_t>;
/// What a case fills in, by the name of its slot.
using Surroundings = std::map<std::string, std::string, std::less<>>;

/// The dimensions of the elements that make up one stimulus.
class Grammar {
 public:
  explicit Grammar(std::initializer_list<std::string_view> element_names);
  /// Without the values that `drop` names by their words, and as usual in the dimensions that it names.
  Grammar(std::initializer_list<std::string_view> element_names, std::initializer_list<std::string_view> drop);

  [[nodiscard]] const std::vector<Dimension>& dimensions() const { return dimensions_; }
  [[nodiscard]] Combination usual() const { return Combination(dimensions_.size()); }
  [[nodiscard]] const Value& value(const Combination&, std::string_view element, std::string_view dimension) const;
  /// The octets of one element.
  [[nodiscard]] std::string render(std::string_view element, const Combination&, const Surroundings&) const;
  /// One part of a value's octets, counted from 0, with its slots filled.
  [[nodiscard]] std::string part(std::string_view element, std::string_view dimension, std::size_t number,
                                 const Combination&, const Surroundings&) const;
  /// "a header in double quotes and TLS 1.2"; "nothing out of the usual".
  [[nodiscard]] std::string in_words(const Combination&) const;
  /// How many combinations of legal values there are: more than a number holds.
  [[nodiscard]] double possible() const;

 private:
  class Rendering;
  std::vector<Dimension> dimensions_;
};

/// A text as XML may write it: "escaped", "CDATA", "decimal" or "hexadecimal".
[[nodiscard]] std::string written(std::string_view text, std::string_view form);

}  // namespace cutover::harness::stimuli
