// A plan of a migration: it is read and rehearsed, or every mistake is told with its file and line.
#include "harness/files/yaml_reader.h"
#include "harness/migration/plan_file.h"
#include "harness/migration/report.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

namespace {

using namespace cutover::harness;

/// Each line is "fuzz.yaml:LINE: words".
void check_places(const std::string& what) {
  std::istringstream lines(what);
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view file = "fuzz.yaml:";
    if (!line.starts_with(file)) std::abort();
    std::size_t digits = 0;
    (void)std::stoul(line.substr(file.size(), 10), &digits);
    if (!line.substr(file.size() + digits).starts_with(": ")) std::abort();
  }
}

/// Lanes are without gaps, and a verdict has its reasons.
void check(const migration::Rehearsal& rehearsal) {
  for (const auto& lane : rehearsal.timeline.lanes) {
    auto from = migration::Seconds(0);
    for (const auto& segment : lane.segments) {
      if (segment.from != from || segment.to <= from) std::abort();
      from = segment.to;
    }
    if (from != rehearsal.timeline.end) std::abort();
  }
  const auto run = migration::to_run(rehearsal);
  const bool red =
      std::ranges::any_of(run.cases, [](const auto& one) { return one.outcome != cutover::reports::Outcome::pass; });
  if (red == (rehearsal.go() && rehearsal.surprises.empty())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto plan = migration::parse_plan(text, "fuzz.yaml");
    constexpr std::size_t work_max = 20'000;  // of outcomes and steps, so that an input takes no minute
    if (plan.estate.partners.size() * plan.estate.start.users.size() * migration::schedule(plan).size() > work_max)
      return 0;
    const auto rehearsal = migration::rehearse(plan);
    check(rehearsal);
    if (migration::to_text(rehearsal, {}).empty() || migration::to_json(rehearsal, {}, nullptr).empty()) std::abort();
  } catch (const YamlError& error) {
    check_places(error.what());
  }
  return 0;
}
