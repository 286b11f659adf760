// Progress, summary and coverage as text.
#include "harness/cli/console.h"

#include "harness/judging/causes.h"
#include "harness/judging/outcome.h"
#include "harness/judging/requirements.h"
#include "harness/judging/standing.h"
#include "reports/text.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <ostream>
#include <set>
#include <utility>

namespace cutover::harness::cli {

using reports::Outcome;
using reports::Standing;

namespace {
// What the wire says must not move the terminal; its lines stay lines.
std::string printable(std::string_view text, const char* indent) {
  std::string result;
  for (bool more = true; more;) {
    const auto end = text.find('\n');
    more = end != std::string_view::npos;
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    result.append(indent).append(reports::terminal_text(line)).append(more ? "\n" : "");
    text.remove_prefix(more ? end + 1 : text.size());
  }
  while (!result.empty() && (result.back() == ' ' || result.back() == '\n')) result.pop_back();
  return result;
}

/// The end of a log that is in the reports whole.
std::string_view end_of(std::string_view log) {
  constexpr int lines_max = 30;
  while (log.ends_with('\n')) log.remove_suffix(1);
  auto start = log.size();
  for (int line = 0; line < lines_max && start != std::string_view::npos && start > 0; ++line)
    start = log.rfind('\n', start - 1);
  return start == std::string_view::npos || start == 0 ? log : log.substr(start + 1);
}

/// The reproduction as it can be pasted: with the program as it was called.
std::string pasteable(const std::string& reproduce, const std::string& program) {
  constexpr std::string_view name = "cutover ";
  return program.empty() || !reproduce.starts_with(name) ? reproduce : program + " " + reproduce.substr(name.size());
}

void print_case(std::ostream& out, const reports::CaseResult& result, const std::string& program) {
  fmt::print(out, "\n{} {} ({}): {}\n", reports::name_of(result.outcome), result.id, result.world, result.title);
  if (!result.reason.empty()) fmt::print(out, "{}\n", printable(result.reason, "  "));
  std::string shown;  // the wire is told once where it is the same
  for (const auto& check : result.checks) {
    if (check.standing != Standing::red) continue;
    fmt::print(out, "  {} {}{}{}  [{}:{}]\n", reports::name_of(check.outcome), check.level,
               check.level.empty() ? "" : " ", check.id, check.file, check.line);
    fmt::print(out, "{}\n", printable(reports::sentence_of(check), "    "));
    if (const auto* requirement = reports::requirement_of(result, check))
      fmt::print(out, "{}\n", printable(fmt::format("{}: {}", requirement->source, requirement->text), "    "));
    if (auto details = reports::details_of(check); !details.empty() && details != shown) {
      fmt::print(out, "{}\n", printable(details, "      "));
      shown = std::move(details);
    }
    if (!check.baseline_reason.empty())
      fmt::print(out, "    baseline: {}\n", reports::terminal_text(check.baseline_reason));
  }
  if (!result.log.empty()) fmt::print(out, "  end of the log:\n{}\n", printable(end_of(result.log), "    "));
  fmt::print(out, "  reproduce: {}\n", reports::terminal_text(pasteable(result.reproduce, program)));
}
}  // namespace

void Progress::report(const reports::CaseResult& result, std::size_t done, std::size_t total) {
  const bool red = is_red(result);
  if (red) ++red_;
  if (columns_ == 0) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(result.wall).count();
    fmt::print(out_, "[{:>{}}/{}] {:<12} {} ({}) {} ms{}{}\n", done, std::to_string(total).size(), total,
               reports::name_of(result.outcome), result.id, result.world, ms, result.reason.empty() ? "" : ": ",
               reports::terminal_text(result.reason.substr(0, result.reason.find('\n'))));
    out_.flush();
    return;
  }
  constexpr std::size_t width = 30;
  const auto full = total == 0 ? width : done * width / total;
  const auto line = fmt::format("[{}{}] {}/{}{} {}", std::string(full, '#'), std::string(width - full, '.'), done,
                                total, red_ == 0 ? std::string() : fmt::format(", {} red", red_), result.id);
  fmt::print(out_, "\r\x1b[K{}", line.substr(0, columns_ - 1));  // a line that wraps could not be taken back
  out_.flush();
  drawn_ = true;
}

std::size_t terminal_columns(int descriptor) {
  const char* kind = std::getenv("TERM");
  const bool moves = kind != nullptr && std::string_view(kind) != "dumb";  // a line can be taken back there
  if (!moves || ::isatty(descriptor) == 0) return 0;
  constexpr std::size_t usual = 80;
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : usual;
}

void Progress::end() {
  if (drawn_) fmt::print(out_, "\r\x1b[K");
  drawn_ = false;
}

namespace {
/// What is not met and fails nobody: a line each.
void print_warnings(std::ostream& out, const reports::RunResult& run) {
  bool any = false;
  for (const auto& result : run.cases) {
    for (const auto& check : result.checks) {
      if (check.outcome != Outcome::warn) continue;
      if (!std::exchange(any, true)) fmt::print(out, "\nwarnings (--strict: failures):\n");
      fmt::print(out, "  {} ({}) {}: {}\n", check.id, result.world, check.level,
                 printable(reports::sentence_of(check), ""));
    }
  }
}

/// What red checks hid, below those of them that may be the cause.
void print_hidden(std::ostream& out, const reports::RunResult& run) {
  for (const auto& hidden : hidden_in(run))
    fmt::print(out, "\nnot reached, see {}:\n  {}\n", hidden.cause, fmt::join(hidden.checks, "\n  "));
}

/// What is known and fails nobody: a line each, with the baseline's reason.
void print_accepted(std::ostream& out, const reports::RunResult& run) {
  bool any = false;
  for (const auto& result : run.cases) {
    for (const auto& check : result.checks) {
      if (check.standing != Standing::accepted) continue;
      if (!std::exchange(any, true)) fmt::print(out, "\naccepted by the baseline:\n");
      fmt::print(out, "  {} ({}) {}: {}\n    because {}\n", check.id, result.world, check.level,
                 printable(reports::sentence_of(check), ""), printable(check.baseline_reason, ""));
    }
  }
}

/// What is to be said of cases that were run: that answers came late.
void print_notes(std::ostream& out, const reports::RunResult& run) {
  for (const auto& result : run.cases) {
    const bool told_above = result.standing == Standing::red || result.standing == Standing::fault;
    if (!result.reason.empty() && !told_above && result.standing != Standing::idle)
      fmt::print(out, "\n{} ({}): {}\n", result.id, result.world, printable(result.reason, ""));
  }
}

/// Why cases were not run, each reason once.
void print_skipped(std::ostream& out, const reports::RunResult& run) {
  std::map<std::string, std::size_t> reasons;
  for (const auto& result : run.cases) {
    if (result.standing == Standing::idle)
      ++reasons[fmt::format("{}: {}", reports::name_of(result.outcome), printable(result.reason, ""))];
  }
  if (!reasons.empty()) fmt::print(out, "\n");
  for (const auto& [reason, count] : reasons) fmt::print(out, "{} {}\n", count, reason);
}
}  // namespace

void print_summary(std::ostream& out, const reports::RunResult& run) {
  // The judge of all that was sent first: what it tells is the cause of much.
  const auto print = [&](bool of_all) {
    for (const auto& result : run.cases) {
      const bool red = result.standing == Standing::red || result.standing == Standing::fault;
      if (red && (result.id == standing_id) == of_all)
        print_case(out, result, run.command.empty() ? "" : run.command.front());
    }
  };
  print(true);
  print(false);
  print_hidden(out, run);
  print_accepted(out, run);
  print_warnings(out, run);
  print_notes(out, run);
  print_skipped(out, run);
  constexpr auto row = "{:<16}{:>6}{:>8}{:>8}{:>8}{:>8}{:>13}{:>10}{:>8}{:>9}{:>13}\n";
  fmt::print(out, "\n");
  fmt::print(out, row, "suite", "cases", "checks", "passed", "failed", "warned", "not reached", "accepted", "broken",
             "skipped", "unsupported");
  for (const auto& suite : reports::count_by_suite(run)) {
    fmt::print(out, row, suite.suite, suite.cases, suite.checks, suite.met, suite.red, suite.told, suite.hidden,
               suite.accepted, suite.fault, suite.idle - suite.unsupported, suite.unsupported);
  }
  if (const auto variety = reports::variety_of(run); !variety.empty()) fmt::print(out, "stimuli: {}\n", variety);
  for (const auto& note : run.notes) fmt::print(out, "note: {}\n", printable(note, ""));
  for (const auto& check : run.stale_baseline) fmt::print(out, "stale in the baseline, for it passes: {}\n", check);
  fmt::print(out, "\n{}\n", printable(run.verdict, ""));
}

namespace {
/// What was really judged of a requirement, and by which cases.
struct Judged {
  std::set<std::string> cases, parts;
  bool whole = false;  ///< without a part, or in each of its parts
};

std::vector<std::string_view> parts_of_id(const std::string& id) {
  const auto* requirement = Catalogue::current().find(id);
  return requirement == nullptr ? std::vector<std::string_view>() : parts_of(*requirement);
}

/// The checks that were really made, by requirement.
std::map<std::string, Judged, std::less<>> judged_in(const reports::RunResult& run) {
  std::map<std::string, Judged, std::less<>> judged;
  for (const auto& result : run.cases) {
    for (const auto& check : result.checks) {
      if (check.outcome == Outcome::inconclusive || check.requirement.empty()) continue;
      auto& one = judged[check.requirement];
      one.cases.insert(result.id);
      check.part.empty() ? void(one.whole = true) : void(one.parts.insert(check.part));
    }
  }
  for (auto& [id, one] : judged) one.whole = one.whole || one.parts.size() == parts_of_id(id).size();
  return judged;
}

/// "path, validity; not signature, revocation": of a requirement that was judged in part.
std::string parts_in_words(const std::string& id, const Judged& judged) {
  auto missing = parts_of_id(id);
  std::erase_if(missing, [&](std::string_view part) { return judged.parts.contains(std::string(part)); });
  return fmt::format("{}; not {}", fmt::join(judged.parts, ", "), fmt::join(missing, ", "));
}

/// "310 requirements judged of 1900, 9 of them in part".
std::string totals_of(const std::map<std::string, Judged, std::less<>>& judged) {
  const auto in_part = std::ranges::count_if(judged, [](const auto& one) { return !one.second.whole; });
  return fmt::format("{} requirements judged of {}, {} of them in part", judged.size(),
                     Catalogue::current().all().size(), in_part);
}
}  // namespace

void print_judged(std::ostream& out, const reports::RunResult& run) {
  const auto judged = judged_in(run);
  for (const auto& [id, one] : judged) {
    const auto* requirement = Catalogue::current().find(id);
    fmt::print(out, "{:<10} {}  {}\n           by {}\n", requirement == nullptr ? "?" : requirement->level, id,
               requirement == nullptr ? "not in the catalogue" : requirement->source, fmt::join(one.cases, ", "));
    if (!one.whole) fmt::print(out, "           in part: {}\n", parts_in_words(id, one));
  }
  fmt::print(out, "{}\n", totals_of(judged));
}

void print_coverage(std::ostream& out, const reports::RunResult& run) {
  const auto judged = judged_in(run);
  struct Count {
    std::size_t judged = 0, total = 0;
  };
  constexpr const char* columns[] = {"MUST", "SHOULD", "MAY", "TEXT", "PROFILE"};
  std::map<std::string, std::map<std::string, Count>> documents;
  std::map<std::string, Count> all;
  for (const auto& requirement : Catalogue::current().all()) {
    auto level = std::string(requirement.level.substr(0, requirement.level.find(' ')));
    const auto found = judged.find(requirement.id);
    const bool hit = found != judged.end() && found->second.whole;
    for (auto* count : {&documents[document_of(requirement)][level], &all[level]}) {
      ++count->total;
      count->judged += hit ? 1 : 0;
    }
  }
  const auto row = [&](const std::string& name, std::map<std::string, Count>& levels) {
    fmt::print(out, "{:<36}", name.substr(0, 35));
    for (const auto* level : columns) {
      const auto& count = levels[level];
      fmt::print(out, "{:>12}", count.total == 0 ? "" : fmt::format("{}/{}", count.judged, count.total));
    }
    fmt::print(out, "\n");
  };
  fmt::print(out, "{:<36}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "document (judged/known)", "MUST", "SHOULD", "MAY", "TEXT",
             "PROFILE");
  std::size_t untouched = 0;
  for (auto& [name, levels] : documents) {
    const bool any = std::ranges::any_of(levels, [](const auto& pair) { return pair.second.judged > 0; });
    if (any) row(name, levels);
    untouched += any ? 0 : 1;
  }
  row("all documents", all);
  fmt::print(out, "{}, which do not count above; {} documents untouched; --list names what is judged\n",
             totals_of(judged), untouched);
}

}  // namespace cutover::harness::cli
