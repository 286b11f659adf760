// `estate`: what exports of the product tell of an estate, what fails by them, and a plan to begin with.
#include "harness/cli/arguments.h"
#include "harness/cli/reporting.h"
#include "harness/cli/subcommands.h"
#include "harness/exports/judge.h"
#include "harness/exports/to_plan.h"
#include "harness/judging/outcome.h"
#include "harness/running/selection.h"
#include "reports/text.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <set>

namespace cutover::harness::cli {

namespace {

using namespace exports;

void say(const std::string& text) { fmt::print("{}\n", reports::terminal_text(text)); }

/// A plan is worked on by hand, and an export is not made twice: neither is written over.
void check_plan_place(const EstateArguments& arguments) {
  std::error_code none;
  if (arguments.plan.empty() || !std::filesystem::is_regular_file(arguments.plan, none)) return;
  if (std::filesystem::file_size(arguments.plan, none) > 0)
    throw UsageError(arguments.plan + " is there already, and is not written over; name another file for --plan");
}

/// Every pool that any export names, for a slip of the pen would leave users where they are.
void check_legacy_pools(const EstateArguments& arguments, const Inventory& inventory) {
  std::set<std::string> known;
  for (const auto& user : inventory.users) known.insert(user.pool);
  for (const auto& pool : inventory.pools) known.insert(pool.fqdn);
  for (const auto& site : inventory.sites) known.insert(site.pools.begin(), site.pools.end());
  known.erase("");
  if (known.empty()) return;
  for (const auto& given : arguments.legacy_pools) {
    const auto is_given = [&](const std::string& pool) { return reference::exports::same_name(pool, given); };
    if (std::ranges::none_of(known, is_given))
      throw UsageError(
          fmt::format("--legacy-pool: {} is no pool of the exports; there are: {}", given, fmt::join(known, ", ")));
  }
}

/// Files of which nothing came.
std::vector<std::string> unread(const std::vector<std::string>& files, const Inventory& inventory) {
  std::vector<std::string> missing;
  for (const auto& file : files) {
    const bool gave = std::ranges::any_of(inventory.files, [&](const FileRead& read) {
      return read.file == file && std::ranges::any_of(read.counts, [](const auto& count) { return count.second > 0; });
    });
    const bool wrong = std::ranges::any_of(
        inventory.problems, [&](const Problem& problem) { return problem.error && problem.place.file == file; });
    if (!gave && wrong) missing.push_back(file);
  }
  return missing;
}

void print_problems(const Inventory& inventory) {
  if (inventory.problems.empty()) return;
  fmt::print("\nWhat is wrong with the files:\n");
  for (const auto& problem : inventory.problems) say((problem.error ? "  " : "  note: ") + to_string(problem));
}

/// The worst first; what was not judged last, and short.
void print_findings(std::vector<Finding> findings) {
  std::ranges::stable_sort(findings, {}, &Finding::severity);
  std::size_t counts[3] = {};
  for (const auto& finding : findings) ++counts[static_cast<std::size_t>(finding.severity)];
  fmt::print("\n{} {}, {} {} by what no export tells, {} not judged\n", counts[0], counts[0] == 1 ? "fails" : "fail",
             counts[1], counts[1] == 1 ? "is a risk" : "are risks", counts[2]);
  std::set<std::string> told;
  for (const auto& finding : findings) {
    if (finding.severity == Severity::unknown) {
      const auto text = fmt::format("  {} not judged: {}", finding.failure,
                                    finding.remedy.empty() ? finding.sentence : finding.remedy);
      if (told.insert(text).second) say(text);
      continue;
    }
    auto place = to_string(finding.place);
    if (!place.empty()) place += ": ";
    say(fmt::format("  {} {}: {}{}", finding.failure, name_of(finding.severity), place, finding.sentence));
    if (!finding.remedy.empty()) say("      " + finding.remedy);
  }
}

}  // namespace

int estate_command(const EstateArguments& arguments) {
  check_plan_place(arguments);
  const auto inventory = read_inventory(arguments.files);
  check_legacy_pools(arguments, inventory);
  const JudgeOptions options{.now = std::time(nullptr), .legacy_pools = arguments.legacy_pools};
  for (const auto& file : inventory.files) say(to_string(file));
  print_problems(inventory);
  const bool nothing = std::ranges::none_of(inventory.files, [](const FileRead& file) {
    return std::ranges::any_of(file.counts, [](const auto& count) { return count.second > 0; });
  });
  if (nothing) throw UsageError("nothing among the files is an export of the product, a zone or a certificate");
  const auto findings = judge(inventory, options);
  print_findings(findings);
  if (const auto missing = unread(arguments.files, inventory); !missing.empty()) {
    throw UsageError(
        fmt::format("not read: {}; {}", fmt::join(missing, ", "),
                    arguments.plan.empty() ? "leave it out, or give it as it was exported" : "no plan was written"));
  }
  if (!arguments.plan.empty()) {
    write_report(arguments.plan, to_plan(inventory, options));
    fmt::print("\nplan:\n");
    say(fmt::format("  {0}    `cutover rehearse {0}` tells who loses what by it", arguments.plan));
  }
  if (!printed()) return exit_code::fault;
  const bool fails =
      std::ranges::any_of(findings, [](const Finding& one) { return one.severity == Severity::fails; }) ||
      std::ranges::any_of(inventory.problems, &Problem::error);
  return fails ? exit_code::failure : exit_code::conforming;
}

}  // namespace cutover::harness::cli
