// What must hold of every export, whatever it is made of.
#pragma once

#include "reference/exports/read.h"
#include "reference/exports/records.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace cutover::reference::exports {

inline void check_value(const Value& value, int lines, std::size_t depth) {
  if (value.line < 0 || value.line > lines || depth > 3 * depth_max) std::abort();
  if (value.kind != Value::Kind::object && !value.properties.empty()) std::abort();
  if (value.kind != Value::Kind::list && !value.items.empty()) std::abort();
  for (const auto& item : value.items) check_value(item, lines, depth + 1);
  for (const auto& [name, inner] : value.properties) {
    if (value.find(name) == nullptr) std::abort();
    check_value(inner, lines, depth + 1);
  }
}

/// Reads it in one form: objects within the bounds, problems with a place in the text and words.
inline void check_form(Form form, const std::uint8_t* data, std::size_t size) {
  const auto text = to_utf8({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!std::holds_alternative<std::string>(text)) return;
  const auto& utf8 = std::get<std::string>(text);
  const auto lines = static_cast<int>(2 + std::ranges::count(utf8, '\n'));
  Problems problems{"fuzz", {}};
  const auto look = [&](Value&& object) {
    if (object.kind != Value::Kind::object) std::abort();
    check_value(object, lines, 0);
    (void)partner_of(object, {}, problems);
    (void)gateway_of(object, {}, problems);
    for (const auto& property : object.properties) (void)duration_of(property.value);
  };
  read_form(form, utf8, look, problems);
  for (const auto& problem : problems.all) {
    if (problem.place.file != "fuzz" || problem.place.line < 0 || problem.place.line > lines || problem.what.empty())
      std::abort();
  }
}

}  // namespace cutover::reference::exports
