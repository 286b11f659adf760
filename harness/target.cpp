// Reads a target file.
#include "harness/target.h"

#include <yaml-cpp/yaml.h>

#include <array>
#include <fstream>
#include <sstream>

namespace cutover::harness {

namespace {
constexpr std::array needs{Need::sip_side, Need::new_deployment, Need::legacy_gateway, Need::admin, Need::user_account};
constexpr std::array stagings{Staging::safe, Staging::disruptive, Staging::bench_only};

[[noreturn]] void fail(const std::string& file, const YAML::Mark& mark, const std::string& expected) {
  throw TargetError(file + ":" + std::to_string(mark.line + 1) + ": " + expected);
}

template <class Values>
std::string words(const Values& values) {
  std::string text;
  for (const auto value : values) text += (text.empty() ? "" : ", ") + std::string(name_of(value));
  return text;
}

template <class Values>
auto read_word(const YAML::Node& node, const Values& values, const std::string& file) {
  if (node.IsScalar()) {
    for (const auto value : values) {
      if (node.Scalar() == name_of(value)) return value;
    }
  }
  fail(file, node.Mark(), "expected one of " + words(values));
}

void flatten(const YAML::Node& node, const std::string& prefix, std::map<std::string, std::string>& into) {
  if (node.IsMap()) {
    for (const auto& pair : node)
      flatten(pair.second, prefix.empty() ? pair.first.Scalar() : prefix + "." + pair.first.Scalar(), into);
  } else if (node.IsSequence()) {
    std::size_t index = 0;
    for (const auto& item : node) flatten(item, prefix + "." + std::to_string(index++), into);
  } else {
    into[prefix] = node.IsNull() ? "" : node.Scalar();
  }
}
}  // namespace

const char* name_of(Need need) {
  switch (need) {
    case Need::sip_side:
      return "sip_side";
    case Need::new_deployment:
      return "new_deployment";
    case Need::legacy_gateway:
      return "legacy_gateway";
    case Need::admin:
      return "admin";
    case Need::user_account:
      return "user_account";
  }
  return "?";
}

const char* name_of(Staging staging) {
  switch (staging) {
    case Staging::safe:
      return "safe";
    case Staging::disruptive:
      return "disruptive";
    case Staging::bench_only:
      return "bench_only";
  }
  return "?";
}

Target parse_target(std::string_view yaml, const std::string& file) {
  YAML::Node root;
  try {
    root = YAML::Load(std::string(yaml));
  } catch (const YAML::Exception& error) {
    fail(file, error.mark, "expected YAML: " + error.msg);
  }
  if (!root.IsMap()) fail(file, root.Mark(), "expected a target: a map with the key 'name'");
  Target target;
  target.file = file;
  for (const auto& pair : root) {
    const auto& value = pair.second;
    const auto key = pair.first.Scalar();
    if (key == "name" || key == "driver") {
      if (!value.IsScalar()) fail(file, value.Mark(), "expected a text for '" + key + "'");
      (key == "name" ? target.name : target.driver) = value.Scalar();
    } else if (key == "offers") {
      if (!value.IsSequence()) fail(file, value.Mark(), "expected a list of " + words(needs));
      for (const auto& item : value) target.offers.insert(read_word(item, needs, file));
    } else if (key == "allows") {
      target.allows = read_word(value, stagings, file);
    } else if (key == "settings") {
      if (!value.IsMap()) fail(file, value.Mark(), "expected a map for 'settings'");
      flatten(value, "", target.settings);
    } else {
      fail(file, pair.first.Mark(), "unknown key '" + key + "'; expected name, driver, offers, allows or settings");
    }
  }
  if (target.name.empty()) fail(file, root.Mark(), "expected a key 'name'");
  return target;
}

Target load_target(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || !text) throw TargetError(path + ":0: cannot be read");
  return parse_target(text.str(), path);
}

}  // namespace cutover::harness
