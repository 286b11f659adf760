// Values: looking up and comparing as the shell does.
#include "reference/exports/value.h"

#include <algorithm>

namespace cutover::reference::exports {

std::string to_string(const Place& place) {
  return place.line > 0 ? place.file + ":" + std::to_string(place.line) : place.file;
}

std::string to_string(const Problem& problem) {
  auto text = to_string(problem.place) + ": " + problem.what;
  if (!problem.remedy.empty()) text += " (" + problem.remedy + ")";
  return text;
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

const Value* Value::find(std::string_view name) const {
  const auto found = std::ranges::find_if(properties, [&](const Property& each) { return same_name(each.name, name); });
  return found == properties.end() ? nullptr : &found->value;
}

bool Value::empty() const {
  switch (kind) {
    case Kind::null:
      return true;
    case Kind::text:
      return text.empty();
    case Kind::list:
      return items.empty();
    default:
      return false;
  }
}

}  // namespace cutover::reference::exports
