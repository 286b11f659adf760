// `grade`: what the standing judge says of octets that were not sent for us: a capture, or a run that is over.
#include "harness/captures/capture.h"
#include "harness/captures/senders.h"
#include "harness/cli/console.h"
#include "harness/cli/left_by_runs.h"
#include "harness/cli/reporting.h"
#include "harness/cli/subcommands.h"
#include "harness/judging/baseline.h"
#include "harness/judging/outcome.h"
#include "harness/judging/standing.h"
#include "harness/standing/judge.h"
#include "harness/worlds/arrows.h"
#include "reports/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>

namespace cutover::harness::cli {

namespace {

bool is_record_of_a_run(const std::string& file) { return file.ends_with(".json") || file.ends_with(".jsonl"); }

/// The diagram of a sender, as far as a trace goes.
void draw(const std::vector<TraceRecord>& records, reports::CaseResult& result) {
  auto in_order = records;
  std::ranges::stable_sort(in_order, {}, &TraceRecord::time);
  Trace trace;
  for (auto& record : in_order) trace.append(std::move(record));
  result.trace = arrows(trace.records());
  result.columns = column_order(result.trace);
}

reports::CaseResult grade(const Sender& sender, const GradeArguments& arguments) {
  auto heard = standing::judge(sender.records, [](std::string_view, std::string_view) { return true; });
  const auto keys = arguments.keys.empty() ? "" : fmt::format(" --keys {}", arguments.keys);
  auto result = standing_of(sender.name, std::move(heard),
                            fmt::format("cutover grade {}{} --sender {}", arguments.file, keys, sender.name),
                            arguments.reporting.strict);
  if (result.checks.empty()) result.reason = "nothing of it could be read";
  if (!sender.unread.empty()) {
    constexpr std::size_t told_max = 5;
    const auto told = std::min(told_max, sender.unread.size());
    result.reason =
        fmt::format("not all of it could be read ({}{})",
                    fmt::join(sender.unread.begin(), sender.unread.begin() + static_cast<long>(told), "; "),
                    sender.unread.size() > told ? fmt::format("; and {} connections more", sender.unread.size() - told)
                                                : std::string());
  }
  draw(sender.records, result);
  return result;
}

bool is_called(const Sender& sender, const std::string& name) {
  return sender.name == name || std::ranges::find(sender.addresses, name) != sender.addresses.end();
}

/// Those that were asked for; all without. Throws UsageError for a name of nobody.
void keep_asked(const std::vector<std::string>& asked, std::vector<Sender>& senders) {
  for (const auto& name : asked) {
    if (std::ranges::any_of(senders, [&](const auto& sender) { return is_called(sender, name); })) continue;
    std::vector<std::string> there;
    there.reserve(senders.size());
    for (const auto& sender : senders)
      there.push_back(fmt::format("{} ({})", sender.name, fmt::join(sender.addresses, ", ")));
    throw UsageError(there.empty() ? fmt::format("no server speaks in it, {} neither", name)
                                   : fmt::format("no {} speaks in it; there are {}", name, fmt::join(there, ", ")));
  }
  if (asked.empty()) return;
  std::erase_if(senders, [&](const auto& sender) {
    return std::ranges::none_of(asked, [&](const auto& name) { return is_called(sender, name); });
  });
}

reports::RunResult grade_capture(const GradeArguments& arguments) {
  const auto capture = read_capture({arguments.file, arguments.keys, {arguments.ports.begin(), arguments.ports.end()}});
  auto senders = senders_of(capture);
  keep_asked(arguments.senders, senders);
  reports::RunResult run;
  run.started += std::chrono::duration_cast<std::chrono::milliseconds>(capture.begin());  // from 1970 on
  for (const auto& sender : senders) {
    run.cases.push_back(grade(sender, arguments));
    run.cases.back().started = run.started;
  }
  if (capture.cut_short) run.notes.emplace_back("the capture ends within a packet: judged is what stands before it");
  if (capture.others > 0)
    run.notes.push_back(
        fmt::format("{} other connection{} not looked at (--port for XMPP elsewhere than at 5222, 5223, "
                    "5269 and 5270)",
                    capture.others, capture.others == 1 ? " was" : "s were"));
  if (run.cases.empty()) run.notes.emplace_back("no server speaks XMPP in it");
  return run;
}

/// What the judge heard while it went on.
reports::RunResult grade_run(const GradeArguments& arguments) {
  if (!arguments.senders.empty() || !arguments.keys.empty() || !arguments.ports.empty())
    throw UsageError(arguments.file + " is of a run of ours: --sender, --keys and --port are for captures");
  auto run = judged_by_run(arguments.file);
  add_standing(run, arguments.reporting.strict);
  std::erase_if(run.cases, [](const auto& result) { return result.id != standing_id; });
  run.traces.clear();
  return run;
}

}  // namespace

int grade_command(const GradeArguments& arguments, const std::vector<std::string>& command) {
  const auto& reporting = arguments.reporting;
  check_places(reporting, arguments.file);
  const bool recorded = is_record_of_a_run(arguments.file);
  auto run = recorded ? grade_run(arguments) : grade_capture(arguments);
  run.tool_version = version;
  run.command = command;
  run.strict = reporting.strict;
  if (!recorded) run.target = arguments.file;
  if (!reporting.baseline.empty()) apply_baseline(load_baseline(reporting.baseline), today(), run);
  conclude(run);
  print_summary(std::cout, run);
  std::cout.flush();
  // What was encrypted is readable here.
  const auto readers = recorded ? readers_of(arguments.file) : Readers::owner;
  const bool written = write_reports(run, places(reporting), readers, "");
  return printed() && written ? run.exit_code : exit_code::fault;
}

}  // namespace cutover::harness::cli
