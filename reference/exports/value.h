// What the product's shell exports, whatever the form: objects with properties by name, each with its line.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::reference::exports {

/// Where something stands; the first line is 1, and 0 is the file as a whole.
struct Place {
  std::string file;
  int line = 0;
  bool operator==(const Place&) const = default;
};
/// "users.json:12", "users.json"
[[nodiscard]] std::string to_string(const Place&);

/// What is wrong with a file, and what to do about it. What is no error is left out, and the rest holds.
struct Problem {
  Place place;
  std::string what;
  std::string remedy;  ///< may be empty
  bool error = true;
};
/// "users.json:12: Enabled: true or false was expected (export it again ...)"
[[nodiscard]] std::string to_string(const Problem&);

/// The problems of one file.
struct Problems {
  std::string file;
  std::vector<Problem> all;
  void add(int line, std::string what, std::string remedy = {}) {
    all.push_back({{file, line}, std::move(what), std::move(remedy), true});
  }
  void note(int line, std::string what, std::string remedy = {}) {
    all.push_back({{file, line}, std::move(what), std::move(remedy), false});
  }
};

struct Property;

/// A value as it was exported. What is an enumeration in the product is a text where the form has its name, a number
/// where it has not.
struct Value {
  /// unreadable: only the name of its type was exported, or what is not known; `text` says what stands there.
  enum class Kind { null, flag, number, text, list, object, unreadable };
  Kind kind = Kind::null;
  bool flag = false;
  std::int64_t number = 0;           ///< without what is behind the point; the nearest that there is
  std::string text;                  ///< of a text; a number as it was written; how an object calls itself
  std::vector<Value> items;          ///< of a list
  std::vector<Property> properties;  ///< of an object, in the order of the file
  std::vector<std::string> types;    ///< of an object, where the form has them; the most derived first
  int line = 0;

  /// The property with that name, whose case does not count to the shell; null where there is none.
  [[nodiscard]] const Value* find(std::string_view name) const;
  /// Null, an empty text, or a list of nothing.
  [[nodiscard]] bool empty() const;
};
struct Property {
  std::string name;
  Value value;
};

/// Whether two names are the same to the shell.
[[nodiscard]] bool same_name(std::string_view, std::string_view);

/// Takes the objects of a document one by one: a large estate is never in memory as a whole.
using Sink = std::function<void(Value&&)>;

/// Bounds. An object with everything that the product has of a user is far below.
inline constexpr std::size_t depth_max = 32;
inline constexpr std::size_t values_per_object_max = 100'000;

}  // namespace cutover::reference::exports
