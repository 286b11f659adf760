// On yaml-cpp: what it does not tell, like keys that are unknown or given twice, and where.
#include "harness/files/yaml_reader.h"

#include "harness/files/yaml_keys.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace cutover::harness {

namespace {

/// All digits, and not beyond what fits.
template <class Number>
std::optional<Number> number_of(std::string_view digits) {
  Number value{};
  const auto* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  if (digits.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

int line_of(const YAML::Node& node) { return node.IsDefined() ? node.Mark().line + 1 : 1; }

}  // namespace

std::optional<std::uint32_t> seconds_of(std::string_view text) {
  constexpr std::uint64_t seconds_max = 2'147'483'647;  // RFC 2181 section 8, and nothing here lasts longer
  static const std::map<char, std::uint64_t> units{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  std::uint64_t unit = 1;
  if (const auto found = text.empty() ? units.end() : units.find(text.back()); found != units.end()) {
    unit = found->second;
    text.remove_suffix(1);
  }
  const auto number = number_of<std::uint32_t>(text);
  if (!number || *number * unit > seconds_max) return std::nullopt;
  return static_cast<std::uint32_t>(*number * unit);
}

YAML::Node YamlReader::load(std::string_view yaml) {
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (root.IsNull()) throw YamlError(source_ + ":1: expected a mapping, and there is nothing");
    if (const auto odd = passed_over(yaml)) throw YamlError(fmt::format("{}:{}: {}", source_, odd->line, odd->words));
    return root;
  } catch (const YAML::Exception& error) {
    throw YamlError(fmt::format("{}:{}: not YAML: {}", source_, error.mark.line + 1, error.msg));
  }
}

void YamlReader::complain(const YAML::Node& at, const std::string& what) { complain(line_of(at), what); }

void YamlReader::complain(int line, const std::string& what) {
  complaints_.emplace_back(line, fmt::format("{}:{}: {}", source_, line, what));
}

void YamlReader::finish() const {
  if (complaints_.empty()) return;
  auto sorted = complaints_;
  std::ranges::stable_sort(sorted, {}, &std::pair<int, std::string>::first);
  std::string all;
  for (const auto& [line, text] : sorted) all += (all.empty() ? "" : "\n") + text;
  throw YamlError(all);
}

bool YamlReader::map(const YAML::Node& node, std::string_view what, std::initializer_list<std::string_view> keys) {
  if (!node.IsDefined() || !node.IsMap()) {
    complain(node, fmt::format("expected a mapping for {}, with keys of {}", what, fmt::join(keys, ", ")));
    return false;
  }
  for (const auto& [key, value] : entries(node, what)) {
    if (std::ranges::find(keys, key) == keys.end()) {
      // The line of the key itself is that of its value, or above it.
      for (const auto& entry : node) {
        if (entry.first.IsScalar() && entry.first.Scalar() == key)
          complain(entry.first,
                   fmt::format("unknown key '{}' of {}, expected one of {}", key, what, fmt::join(keys, ", ")));
      }
    }
  }
  return true;
}

std::vector<std::pair<std::string, YAML::Node>> YamlReader::entries(const YAML::Node& node, std::string_view what) {
  std::vector<std::pair<std::string, YAML::Node>> found;
  if (!node.IsDefined() || node.IsNull()) return found;
  if (!node.IsMap()) {
    complain(node, fmt::format("expected a mapping from name to value for {}", what));
    return found;
  }
  for (const auto& entry : node) {
    if (entry.first.IsScalar() && !entry.first.Scalar().empty())
      found.emplace_back(entry.first.Scalar(), entry.second);
    else
      complain(entry.first, fmt::format("expected a word as key in {}", what));
  }
  return found;
}

std::vector<YAML::Node> YamlReader::items(const YAML::Node& node, std::string_view what) {
  std::vector<YAML::Node> found;
  if (!node.IsDefined() || node.IsNull()) return found;
  if (!node.IsSequence()) {
    complain(node, fmt::format("expected a list for {}", what));
    return found;
  }
  for (const auto& item : node) found.push_back(item);
  return found;
}

std::optional<std::string> YamlReader::scalar(const YAML::Node& map, const char* key, const char* expected) {
  if (!map.IsMap()) return std::nullopt;
  const YAML::Node value = map[key];
  if (!value.IsDefined()) return std::nullopt;
  if (value.IsScalar() && !value.Scalar().empty()) return value.Scalar();
  complain(value, fmt::format("expected {} for '{}'", expected, key));
  return std::nullopt;
}

void YamlReader::read(const YAML::Node& map, const char* key, std::string& into, bool needed) {
  if (const auto text = scalar(map, key, "a word"))
    into = *text;
  else if (needed && !(map.IsMap() && map[key].IsDefined()))
    complain(map, fmt::format("expected a key '{}' here", key));
}

void YamlReader::read(const YAML::Node& map, const char* key, bool& into) {
  const auto text = scalar(map, key, "true or false");
  if (!text) return;
  if (*text != "true" && *text != "false")
    complain(map[key], fmt::format("expected true or false for '{}', not '{}'", key, *text));
  into = *text == "true";
}

void YamlReader::read(const YAML::Node& map, const char* key, std::uint32_t& into) {
  const auto text = scalar(map, key, "a number");
  if (!text) return;
  if (const auto number = number_of<std::uint32_t>(*text))
    into = *number;
  else
    complain(map[key], fmt::format("expected a number from 0 to {} for '{}', not '{}'",
                                   std::numeric_limits<std::uint32_t>::max(), key, *text));
}

void YamlReader::read(const YAML::Node& map, const char* key, std::uint16_t& into) {
  const auto text = scalar(map, key, "a number");
  if (!text) return;
  if (const auto number = number_of<std::uint16_t>(*text))
    into = *number;
  else
    complain(map[key], fmt::format("expected a number from 0 to 65535 for '{}', not '{}'", key, *text));
}

void YamlReader::read(const YAML::Node& map, const char* key, std::vector<std::string>& into) {
  if (!map.IsMap()) return;
  const YAML::Node value = map[key];
  if (!value.IsDefined()) return;
  into.clear();
  if (value.IsNull()) return;
  if (value.IsScalar() && !value.Scalar().empty()) {
    into.push_back(value.Scalar());
    return;
  }
  if (!value.IsSequence()) {
    complain(value, fmt::format("expected a list of words for '{}'", key));
    return;
  }
  for (const auto& item : value) {
    if (item.IsScalar() && !item.Scalar().empty())
      into.push_back(item.Scalar());
    else
      complain(item, fmt::format("expected a word in '{}'", key));
  }
}

void YamlReader::read_seconds(const YAML::Node& map, const char* key, std::uint32_t& into) {
  const auto text = scalar(map, key, "a time such as 90s, 5m, 8h or 1d");
  if (!text) return;
  if (const auto seconds = seconds_of(*text))
    into = *seconds;
  else
    complain(map[key], fmt::format("expected a time such as 90s, 5m, 8h or 1d for '{}', not '{}'", key, *text));
}

void YamlReader::unknown(const YAML::Node& map, const char* key, const std::string& word, const std::string& all) {
  complain(map[key], all.empty() ? fmt::format("'{}' for '{}' is not declared; there is none yet", word, key)
                                 : fmt::format("unknown '{}' for '{}', expected one of {}", word, key, all));
}

}  // namespace cutover::harness
