// `rehearse` and `plan`: what a plan of a migration costs whom, and what would make it better.
#include "harness/cli/console.h"
#include "harness/cli/reporting.h"
#include "harness/cli/subcommands.h"
#include "harness/judging/outcome.h"
#include "harness/migration/orders.h"
#include "harness/migration/page.h"
#include "harness/migration/plan_file.h"
#include "harness/migration/report.h"
#include "reports/junit.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <iostream>
#include <optional>

namespace cutover::harness::cli {

namespace {

using namespace migration;

reports::RunResult run_of(const Rehearsal& rehearsal, const std::vector<std::string>& command) {
  auto run = to_run(rehearsal);
  run.tool_version = version;
  run.command = command;
  conclude(run);
  return run;
}

}  // namespace

int rehearse_command(const RehearseArguments& arguments, const std::vector<std::string>& command) {
  const auto rehearsal = rehearse(load_plan(arguments.plan));
  const auto proposals = proposals_for(rehearsal);
  std::optional<Improvement> improvement;
  if (arguments.improve) improvement = improve(rehearsal);
  std::optional<Orders> orders;
  if (arguments.orders) orders = orders_of(rehearsal.plan);
  fmt::print(std::cout, "{}", to_text(rehearsal, proposals));
  if (improvement) fmt::print(std::cout, "{}", to_text(*improvement));
  if (orders) fmt::print(std::cout, "{}", to_text(*orders));
  const auto run = run_of(rehearsal, command);
  const auto* improved = improvement ? &*improvement : nullptr;
  write_report(arguments.directory + "/plan.json",
               to_json(rehearsal, proposals, improved, orders ? &*orders : nullptr));
  write_report(arguments.directory + "/plan.html", reports::to_html(page_of(rehearsal, proposals, improved)));
  write_report(arguments.directory + "/junit.xml", reports::to_junit(run));
  fmt::print(std::cout, "\nreports:\n  {0}/plan.html\n  {0}/plan.json\n  {0}/junit.xml\n", arguments.directory);
  return printed() ? run.exit_code : exit_code::fault;
}

int plan_new_command() {
  fmt::print(std::cout, "{}", plan_to_begin_with());
  return printed() ? exit_code::conforming : exit_code::fault;
}

int plan_operations_command() {
  for (const auto& verb : verbs()) {
    auto form = std::string(verb.name);
    for (const auto part : {verb.subject, verb.value}) {
      if (!part.empty()) form += fmt::format(" <{}>", part);
    }
    fmt::print(std::cout, "{}\n    {}\n", form, verb.says);
  }
  return printed() ? exit_code::conforming : exit_code::fault;
}

int plan_causes_command() {
  for (const auto& cause : causes()) {
    if (cause.cause == Cause::none) continue;
    fmt::print(std::cout, "{:<26} {:<9} {}\n", cause.id, cause.failure, cause.sentence);
  }
  return printed() ? exit_code::conforming : exit_code::fault;
}

}  // namespace cutover::harness::cli
