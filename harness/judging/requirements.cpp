// Reads the catalogue from YAML with an error for every slip, and finds requirements by id.
#include "harness/judging/requirements.h"

#include "harness/files/text_file.h"
#include "harness/files/yaml_keys.h"

#include "harness/judging/requirements_table.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <deque>
#include <filesystem>
#include <optional>

namespace cutover::harness {

class Catalogue::Text {
 public:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  std::vector<Requirement> items;

 private:
  std::deque<std::string> texts_;  // a deque, because views into it must hold while it grows
};

namespace {

constexpr std::array levels{"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "TEXT", "PROFILE"};
constexpr std::array keys{"id",    "source", "level", "actor",    "area",    "text",
                          "title", "test",   "parts", "testable", "verified"};

[[noreturn]] void fail(const std::string& file, const YAML::Mark& mark, const std::string& expected) {
  throw CatalogueError(file + ":" + std::to_string(mark.line + 1) + ": " + expected);
}

// `what` is the key; a missing value is an error unless it is optional.
std::string scalar(const YAML::Node& item, const char* what, const std::string& file, bool optional = false) {
  const YAML::Node value = item[what];
  if (!value) {
    if (optional) return {};
    fail(file, item.Mark(), std::string("expected a key '") + what + "' in this requirement");
  }
  if (!value.IsScalar()) fail(file, value.Mark(), std::string("expected a text for '") + what + "'");
  return value.Scalar();
}

void check_keys(const YAML::Node& item, const std::string& file) {
  for (const auto& pair : item) {
    const auto& key = pair.first.Scalar();
    if (std::ranges::find(keys, key) == keys.end()) {
      fail(file, pair.first.Mark(), "unknown key '" + key + "' in a requirement");
    }
  }
}

struct TestText {
  std::string whole, send, see;
};

// `test` is a sentence, a map of send, see and on_mismatch, or absent.
TestText read_test(const YAML::Node& item, const std::string& file) {
  const YAML::Node test = item["test"];
  if (!test) return {};
  if (test.IsScalar()) return {test.Scalar(), "", ""};
  if (!test.IsMap()) fail(file, test.Mark(), "expected a text, or a map of 'send' and 'see', for 'test'");
  TestText result{"", scalar(test, "send", file), scalar(test, "see", file)};
  result.whole = "Send: " + result.send + ". See: " + result.see + ".";
  return result;
}

std::string read_parts(const YAML::Node& item, const std::string& file) {
  const YAML::Node parts = item["parts"];
  if (!parts) return {};
  if (!parts.IsSequence() || parts.size() < 2)
    fail(file, parts.Mark(), "expected a list of two names or more for 'parts'");
  std::string names;
  for (const auto& part : parts) {
    if (!part.IsScalar() || part.Scalar().empty() || part.Scalar().find_first_of(" /") != std::string::npos)
      fail(file, part.Mark(), "expected a name without blanks and slashes in 'parts'");
    names += (names.empty() ? "" : " ") + part.Scalar();
  }
  return names;
}

std::string read_file(const std::filesystem::path& path) {
  try {
    return read_text_file(path.string());
  } catch (const FileError& error) {
    throw CatalogueError(path.string() + ": " + error.what());
  }
}

}  // namespace

// Not a member of the public interface: fills `into` from one file.
namespace {
template <class Text>
void read_items(std::string_view yaml, const std::string& file, Text& into) {
  YAML::Node root;
  try {
    root = YAML::Load(std::string(yaml));
  } catch (const YAML::Exception& error) {
    fail(file, error.mark, "expected YAML: " + error.msg);
  }
  if (const auto odd = passed_over(yaml))
    throw CatalogueError(file + ":" + std::to_string(odd->line) + ": " + odd->words);
  if (!root.IsSequence()) fail(file, root.Mark(), "expected a list of requirements");
  const auto name = into.keep(file);
  for (const auto& item : root) {
    if (!item.IsMap()) fail(file, item.Mark(), "expected a requirement, a map with the key 'id'");
    check_keys(item, file);
    const auto text = [&](const char* key, bool optional = false) {
      return into.keep(scalar(item, key, file, optional));
    };
    auto test = read_test(item, file);
    Requirement requirement{.id = text("id"),
                            .source = text("source"),
                            .level = text("level"),
                            .actor = text("actor"),
                            .area = text("area"),
                            .title = text("title", true),
                            .text = text("text"),
                            .test = into.keep(std::move(test.whole)),
                            .send = into.keep(std::move(test.send)),
                            .see = into.keep(std::move(test.see)),
                            .parts = into.keep(read_parts(item, file)),
                            .testable = text("testable"),
                            .verified = text("verified"),
                            .file = name,
                            .line = item.Mark().line + 1};
    if (std::ranges::find(levels, requirement.level) == levels.end()) {
      fail(file, item["level"].Mark(),
           "expected one of MUST, MUST NOT, SHOULD, SHOULD NOT, MAY, TEXT, PROFILE for 'level', not '" +
               std::string(requirement.level) + "'");
    }
    into.items.push_back(requirement);
  }
}

void sort_and_check(std::vector<Requirement>& items) {
  std::ranges::stable_sort(items, {}, &Requirement::id);
  const auto twice = std::ranges::adjacent_find(items, {}, &Requirement::id);
  if (twice == items.end()) return;
  const auto& second = *std::next(twice);
  throw CatalogueError(std::string(second.file) + ":" + std::to_string(second.line) + ": requirement '" +
                       std::string(second.id) + "' is already in " + std::string(twice->file) + ":" +
                       std::to_string(twice->line));
}

std::optional<Catalogue>& chosen() {
  static std::optional<Catalogue> catalogue;
  return catalogue;
}
}  // namespace

Catalogue Catalogue::parse(std::string_view yaml, const std::string& file) {
  auto text = std::make_shared<Text>();
  read_items(yaml, file, *text);
  sort_and_check(text->items);
  Catalogue result{std::span<const Requirement>(text->items)};
  result.owned_ = std::move(text);
  return result;
}

Catalogue Catalogue::load(const std::string& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".yaml") files.push_back(at->path());
  }
  if (error) throw CatalogueError(directory + ":0: cannot be read: " + error.message());
  if (files.empty()) throw CatalogueError(directory + ":0: expected at least one *.yaml with requirements");
  std::ranges::sort(files);
  auto text = std::make_shared<Text>();
  for (const auto& file : files) read_items(read_file(file), file.filename().string(), *text);
  sort_and_check(text->items);
  Catalogue result{std::span<const Requirement>(text->items)};
  result.owned_ = std::move(text);
  return result;
}

Catalogue Catalogue::embedded() { return Catalogue{embedded_requirements()}; }

const Requirement* Catalogue::find(std::string_view id) const {
  const auto found = std::ranges::lower_bound(items_, id, {}, &Requirement::id);
  return found != items_.end() && found->id == id ? &*found : nullptr;
}

const Catalogue& Catalogue::current() {
  if (!chosen()) chosen() = embedded();
  return *chosen();
}

void Catalogue::use(Catalogue catalogue) { chosen() = std::move(catalogue); }

std::vector<std::string_view> parts_of(const Requirement& requirement) {
  std::vector<std::string_view> parts;
  for (auto rest = requirement.parts; !rest.empty();) {
    const auto end = std::min(rest.find(' '), rest.size());
    parts.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return parts;
}

std::pair<std::string_view, std::string_view> id_and_part(std::string_view requirement) {
  const auto slash = requirement.find('/');
  if (slash == std::string_view::npos) return {requirement, {}};
  return {requirement.substr(0, slash), requirement.substr(slash + 1)};
}

std::string document_of(const Requirement& requirement) {
  constexpr std::string_view section = "§";
  const auto end =
      std::min({requirement.source.find(section), requirement.source.find(" section "), requirement.source.find(" ("),
                requirement.source.find(','), requirement.source.find(';')});
  auto document = std::string(requirement.source.substr(0, end));
  constexpr std::string_view file = ".md ";  // "facts.md 1.2": what follows is a section
  if (const auto at = document.find(file); at != std::string::npos) document.resize(at + file.size());
  while (!document.empty() && document.back() == ' ') document.pop_back();
  return document;
}

bool is_mandatory(std::string_view level) {
  return level == "MUST" || level == "MUST NOT" || level == "TEXT" || level == "PROFILE";
}

}  // namespace cutover::harness
