// On the parser's events: its tree cannot tell any more, and may go in circles.
#include "harness/files/yaml_keys.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <set>
#include <sstream>
#include <vector>

namespace cutover::harness {

namespace {

class Keys final : public YAML::EventHandler {
 public:
  std::optional<PassedOver> found;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2 && !found) found = PassedOver{"another document begins; expected one", mark.line + 1};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { item(mark, ""); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { item(mark, std::nullopt); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string& value) override {
    item(mark, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    item(mark, std::nullopt);
    open_.push_back({});
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    item(mark, std::nullopt);
    open_.push_back({.is_map = true, .key_next = true, .keys = {}});
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct Collection {
    bool is_map = false, key_next = false;
    std::set<std::string> keys;
  };

  /// Something begins in the innermost collection; `text` where it is one word.
  void item(const YAML::Mark& mark, const std::optional<std::string>& text) {
    if (open_.empty() || !open_.back().is_map) return;
    auto& map = open_.back();
    if (map.key_next && text && !map.keys.insert(*text).second && !found)
      found = PassedOver{"key '" + *text + "' is given twice", mark.line + 1};
    map.key_next = !map.key_next;
  }

  std::vector<Collection> open_;
  int documents_ = 0;
};

}  // namespace

std::optional<PassedOver> passed_over(std::string_view yaml) {
  std::istringstream text{std::string(yaml)};
  YAML::Parser parser(text);
  Keys keys;
  while (!keys.found && parser.HandleNextDocument(keys)) {
  }
  return keys.found;
}

}  // namespace cutover::harness
