// `list --lint`: what the build refuses, run on the program that it has just linked.
#include "harness/cli/subcommands.h"
#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"
#include "harness/judging/standing.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <iostream>

namespace cutover::harness::cli {

int lint_command() {
  auto findings = lint(all_cases(), Catalogue::current());
  for (auto& finding : lint_departures(Catalogue::current())) findings.push_back(std::move(finding));
  for (auto& finding : lint_standing(Catalogue::current())) findings.push_back(std::move(finding));
  for (const auto& finding : findings) fmt::print(std::cerr, "{}\n", finding);
  return findings.empty() ? 0 : exit_code::failure;
}

}  // namespace cutover::harness::cli
