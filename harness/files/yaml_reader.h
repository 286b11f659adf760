// Walks a YAML file and gathers every mistake with its place, so that its author sees all of them at once.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace YAML {
class Node;
}

namespace cutover::harness {

/// Every mistake of a file, a line each: "file:line: what was expected".
struct YamlError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One reader for one text. What is missing or wrong leaves the default in place and is complained of; finish() throws.
class YamlReader {
 public:
  /// `source` names the text in complaints.
  explicit YamlReader(std::string source) : source_(std::move(source)) {}

  /// Throws YamlError at once for what is no YAML, is empty, or has a key twice.
  [[nodiscard]] YAML::Node load(std::string_view yaml);
  void complain(const YAML::Node& at, const std::string& what);
  /// The same at a line, from 1.
  void complain(int line, const std::string& what);
  [[nodiscard]] bool content() const { return complaints_.empty(); }
  /// Throws YamlError with everything that was complained of, in the order of lines.
  void finish() const;
  [[nodiscard]] const std::string& source() const { return source_; }

  /// Whether a node is a map of these keys and no others. A key that is unknown is complained of, and the rest read.
  bool map(const YAML::Node&, std::string_view what, std::initializer_list<std::string_view> keys);
  /// The entries of a map whose keys are the author's own names.
  [[nodiscard]] std::vector<std::pair<std::string, YAML::Node>> entries(const YAML::Node&, std::string_view what);
  [[nodiscard]] std::vector<YAML::Node> items(const YAML::Node&, std::string_view what);

  // One key of a map each; absent keys leave `into` as it is, unless `needed`.
  void read(const YAML::Node& map, const char* key, std::string& into, bool needed = false);
  void read(const YAML::Node& map, const char* key, bool& into);
  void read(const YAML::Node& map, const char* key, std::uint32_t& into);
  void read(const YAML::Node& map, const char* key, std::uint16_t& into);
  /// A list of words, or one word.
  void read(const YAML::Node& map, const char* key, std::vector<std::string>& into);
  /// "90s", "5m", "8h", "1d", or a number of seconds as a zone has it.
  void read_seconds(const YAML::Node& map, const char* key, std::uint32_t& into);

  /// The value that a key's word stands for.
  template <class T>
  void read_word(const YAML::Node& map, const char* key, T& into,
                 std::initializer_list<std::pair<std::string_view, T>> words, bool needed = false) {
    std::string word, all;
    read(map, key, word, needed);
    if (word.empty()) return;
    for (const auto& [name, value] : words) {
      if (name == word) {
        into = value;
        return;
      }
      all += (all.empty() ? "" : ", ") + std::string(name);
    }
    unknown(map, key, word, all);
  }
  /// What a key names among things that are known by name; null where it is absent or names none.
  template <class T>
  const T* find(const YAML::Node& map, const char* key, const std::map<std::string, T>& known, bool needed = false) {
    std::string name, all;
    read(map, key, name, needed);
    if (name.empty()) return nullptr;
    if (const auto found = known.find(name); found != known.end()) return &found->second;
    for (const auto& entry : known) all += (all.empty() ? "" : ", ") + entry.first;
    unknown(map, key, name, all);
    return nullptr;
  }

 private:
  void unknown(const YAML::Node& map, const char* key, const std::string& word, const std::string& all);
  [[nodiscard]] std::optional<std::string> scalar(const YAML::Node& map, const char* key, const char* expected);

  std::string source_;
  std::vector<std::pair<int, std::string>> complaints_;
};

/// Seconds of "90s", "5m", "8h", "1d" or "300"; nothing for what is none of them or beyond 2^31.
[[nodiscard]] std::optional<std::uint32_t> seconds_of(std::string_view text);

}  // namespace cutover::harness
