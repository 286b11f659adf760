// `list --lint`: what the build refuses, run on the program that it has just linked.
#include "harness/cli/subcommands.h"
#include "harness/judging/outcome.h"
#include "harness/judging/registry.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <iostream>

namespace cutover::harness::cli {

namespace {
/// Whether a departure without requirements of the catalogue is an error. To be set once every row has some.
constexpr bool departures_need_requirements = false;
}  // namespace

int lint_command(bool brief) {
  const auto cases = lint(all_cases(), Catalogue::current());
  for (const auto& finding : cases) fmt::print(std::cerr, "{}\n", finding);
  const auto departures = lint_departures(Catalogue::current());
  if (!brief || departures_need_requirements) {
    for (const auto& finding : departures) fmt::print(std::cerr, "{}\n", finding);
  }
  if (!departures.empty())
    fmt::print(std::cerr, "{} findings in the table of departures (`cutover list --lint=all` names them)\n",
               departures.size());
  const bool wrong = !cases.empty() || (departures_need_requirements && !departures.empty());
  return wrong ? exit_code::failure : 0;
}

}  // namespace cutover::harness::cli
