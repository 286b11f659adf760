// A target: somebody's deployment that is judged instead of the embedded one, as its YAML file declares it.
#pragma once

#include "harness/case.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace cutover::harness {

[[nodiscard]] const char* name_of(Need);
[[nodiscard]] const char* name_of(Staging);

/// What a target file says. Only its declaration makes a case `unsupported`; nothing is inferred from a failure.
struct Target {
  std::string name;                ///< for reports
  std::string file;                ///< where it was read from; drivers find their files beside it
  std::string driver = "remote";   ///< who brings it up: "remote" (it is up), or a driver of the harness ("prosody")
  std::set<Need> offers;           ///< what it has
  Staging allows = Staging::safe;  ///< the most disruptive kind of case that may be run against it
  std::map<std::string, std::string> settings;  ///< everything under `settings`, nested keys joined by dots
};

/// What is wrong with a target file: "file:line: what was expected".
struct TargetError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[nodiscard]] Target parse_target(std::string_view yaml, const std::string& file);
[[nodiscard]] Target load_target(const std::string& path);

}  // namespace cutover::harness
