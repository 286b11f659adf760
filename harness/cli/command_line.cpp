// Subcommands and options; every slip of the user ends in exit code 4 with what was expected.
#include "harness/cli/command_line.h"

#include "harness/baseline.h"
#include "harness/choice.h"
#include "harness/cli/console.h"
#include "harness/live/bench.h"
#include "harness/live/credentials.h"
#include "harness/live/serve.h"
#include "harness/outcome.h"
#include "harness/reachability.h"
#include "harness/registry/registry.h"
#include "harness/report_files.h"
#include "harness/requirements.h"
#include "harness/run.h"
#include "harness/runner.h"
#include "harness/world_factory.h"
#include "protocol/base/check.h"
#include "protocol/base/quirks.h"
#include "reports/html.h"
#include "reports/json.h"
#include "reports/junit.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <gtest/gtest.h>
#include <sys/random.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

namespace cutover::harness::cli {

namespace json = boost::json;
using reports::Outcome;

namespace {

constexpr const char* version = "0.1.0";

struct RunArguments {
  std::vector<std::string> patterns, exclude, defects;
  std::string world = "both", target, replay, shard = "1/1", junit, json, html, baseline, directory = "out", catalogue;
  std::optional<std::uint64_t> seed;
  bool strict = false, single = false;
  int repeat = 1, jobs = 0, timeout_s = 0;
};

std::uint64_t random_seed() {
  std::uint32_t seed = 0;  // 32 bits: short enough to be typed
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed)
    throw HarnessFault("the system gave no random seed; use --seed");
  return seed;
}

std::string today() {
  const auto now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[11];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d", &utc));
}

Selection selection_of(const RunArguments& arguments) {
  Selection selection;
  selection.patterns = arguments.patterns;
  selection.exclude = arguments.exclude;
  if (arguments.world == "sim") selection.world = WorldKind::sim;
  if (arguments.world == "live") selection.world = WorldKind::live;
  selection.target = !arguments.target.empty();
  selection.shard = parse_shard(arguments.shard);
  selection.repeat = arguments.repeat;
  return selection;
}

RunnerOptions runner_options_of(const RunArguments& arguments, std::uint64_t seed) {
  RunnerOptions options;
  options.seed = seed;
  options.replay = arguments.replay;
  options.strict = arguments.strict;
  options.jobs = arguments.jobs > 0 ? arguments.jobs : static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  options.target_file = arguments.target;
  options.catalogue = arguments.catalogue;
  options.case_timeout_s = arguments.timeout_s;
  options.quirks = {arguments.defects.begin(), arguments.defects.end()};
  return options;
}

// Everything that a user can have wrong is found before the first case runs.
void check_arguments(const RunArguments& arguments) {
  if (!arguments.replay.empty()) {
    try {
      (void)make_choice(arguments.replay);
    } catch (const std::invalid_argument& error) {
      throw UsageError(std::string("--replay: ") + error.what());
    }
  }
  try {
    (void)Quirks({arguments.defects.begin(), arguments.defects.end()});
  } catch (const HarnessFault& fault) {
    throw UsageError(std::string("--defect: ") + fault.what());
  }
  if (!arguments.catalogue.empty()) Catalogue::use(Catalogue::load(arguments.catalogue));
}

struct Reports {
  std::string json, junit, html;
};

Reports places(const RunArguments& arguments) {
  const auto place = [&](const std::string& given, const char* name) {
    return given.empty() ? arguments.directory + "/" + name : given;
  };
  return {place(arguments.json, "run.json"), place(arguments.junit, "junit.xml"), place(arguments.html, "report.html")};
}

// Writes all that can be written; false, with a message for each, when one could not be.
bool write_reports(const reports::RunResult& run, const Reports& where) {
  bool good = true;
  const auto write = [&](const std::string& path, auto make) {
    try {
      write_report(path, make(run));
      fmt::print("  {}\n", path);
    } catch (const std::exception& error) {
      fmt::print(std::cerr, "cutover: {}\n", error.what());
      good = false;
    }
  };
  fmt::print("reports:\n");
  write(where.html, reports::to_html);
  write(where.junit, reports::to_junit);
  write(where.json, reports::to_json);
  std::cout.flush();
  return good;
}

// Whether the target can be judged at all, from a block of loopback addresses that is free while this is asked.
std::optional<std::string> target_down(const std::optional<Target>& target) {
  if (!target) return std::nullopt;
  const BlockLease lease;
  Undisturbed choice;
  const auto world = make_world(WorldKind::live, choice, 1, lease.block(), addresses_for(*target));
  return subject_down(*world, *target);
}

// A run against a subject that is down has no results, and one in which it went down has none to be trusted.
void mark_down(reports::RunResult& run, const std::string& words, const std::string& reason) {
  run.complete = false;
  run.incomplete_reason = words + ": " + reason;
}

int run_single(const RunArguments& arguments, const std::vector<Job>& jobs, std::uint64_t seed) {
  auto options = runner_options_of(arguments, seed);
  options.jobs = 1;
  auto run = run_jobs(jobs, options, {});
  if (!arguments.baseline.empty()) apply_baseline(load_baseline(arguments.baseline), today(), run);
  run.verdict = verdict_of(run);
  print_summary(std::cout, run);
  const auto skipped = [](const auto& result) {
    return result.outcome == Outcome::skipped || result.outcome == Outcome::unsupported;
  };
  if (!run.cases.empty() && std::ranges::all_of(run.cases, skipped)) {
    fmt::print("skipped: {}\n", run.cases.front().reason);
    return exit_code::skipped;
  }
  return exit_code_of(run);
}

int run_command(const RunArguments& arguments, const std::vector<std::string>& command) {
  check_arguments(arguments);
  const auto jobs = select(all_cases(), selection_of(arguments));
  std::optional<Target> target;
  if (!arguments.target.empty()) target = load_target(arguments.target);
  const auto name = target ? target->name : "embedded reference";
  std::optional<Baseline> baseline;
  if (!arguments.baseline.empty()) baseline = load_baseline(arguments.baseline);
  const auto seed = arguments.seed ? *arguments.seed : random_seed();
  if (arguments.single) return run_single(arguments, jobs, seed);

  const auto options = runner_options_of(arguments, seed);
  fmt::print("cutover {}: {} runs of cases against {}, {} workers, --seed={}\n", version, jobs.size(), name,
             options.jobs, seed);
  std::cout.flush();
  std::optional<ResultLog> log;
  std::string log_error;
  try {
    log.emplace(arguments.directory + "/results.jsonl");
  } catch (const ReportError& error) {
    log_error = error.what();
  }
  Progress progress(std::cout, ::isatty(STDOUT_FILENO) != 0);
  const auto on_result = [&](const reports::CaseResult& result, std::size_t, std::size_t done, std::size_t total) {
    progress.report(result, done, total);
    if (!log) return;
    try {
      log->append(reports::case_to_json(result));
    } catch (const ReportError& error) {
      log_error = error.what();
      log.reset();
    }
  };
  reports::RunResult run;
  if (const auto reason = target_down(target)) {
    run = run_jobs({}, options, on_result);
    mark_down(run, "subject down", *reason);
  } else {
    run = run_jobs(jobs, options, on_result);
    const bool red = std::ranges::any_of(run.cases, [](const auto& result) { return is_red(result); });
    if (const auto later = red && run.complete ? target_down(target) : std::nullopt)
      mark_down(run, "subject down since some time of the run", *later);
  }
  progress.end();
  run.tool_version = version;
  run.target = name;
  run.command = command;
  if (baseline) apply_baseline(*baseline, today(), run);
  run.exit_code = exit_code_of(run);
  run.verdict = verdict_of(run);
  print_summary(std::cout, run);
  if (!log_error.empty()) fmt::print(std::cerr, "cutover: {}\n", log_error);
  const bool written = write_reports(run, places(arguments)) && log_error.empty();
  return written ? run.exit_code : exit_code::fault;
}

const char* worlds_of(const CaseRecord& record) {
  if (record.sim && record.live) return "sim,live";
  return record.sim ? "sim" : "live";
}

std::string cmake_quoted(const std::string& text) { return "[==[" + text + "]==]"; }

// A script that ctest includes: one test a case and world.
void list_for_ctest(std::ostream& out, const std::vector<Job>& jobs, const std::string& program) {
  for (const auto& job : jobs) {
    const std::string world = job.world == WorldKind::sim ? "sim" : "live";
    const auto name = cmake_quoted(job.record->id + "/" + world);
    fmt::print(out, "add_test({} {} run {} --world={} --single)\n", name, cmake_quoted(program), job.record->id, world);
    fmt::print(out, "set_tests_properties({} PROPERTIES LABELS \"case;{};{};{}{}\" SKIP_RETURN_CODE 77 TIMEOUT {})\n",
               name, suite_of(job.record->id), world, level_of(*job.record, Catalogue::current()),
               job.record->interop ? ";interop" : "", watchdog_s(job) + 30);
  }
}

void list_as_json(std::ostream& out, const std::vector<const CaseRecord*>& records) {
  json::array list;
  for (const auto* record : records) {
    json::array judges, needs;
    for (const auto& item : record->judges) {
      json::array killed_by;
      for (const auto& quirk : item.killed_by) killed_by.emplace_back(quirk);
      judges.push_back(json::object{{"requirement", item.requirement}, {"killed_by", killed_by}});
    }
    for (const auto need : record->needs) needs.emplace_back(name_of(need));
    list.push_back(json::object{{"id", record->id},
                                {"title", record->title},
                                {"suite", suite_of(record->id)},
                                {"sim", record->sim},
                                {"live", record->live},
                                {"level", level_of(*record, Catalogue::current())},
                                {"staging", name_of(record->staging)},
                                {"interop", record->interop},
                                {"needs", needs},
                                {"judges", judges},
                                {"file", record->file},
                                {"line", record->line}});
  }
  out << json::serialize(list) << '\n';
}

int list_command(const RunArguments& arguments, bool as_json, bool for_ctest, const std::string& program) {
  if (for_ctest && arguments.patterns.empty() && std::ranges::all_of(all_cases(), is_hidden)) return 0;
  const auto jobs = select(all_cases(), selection_of(arguments));
  if (for_ctest) {
    list_for_ctest(std::cout, jobs, program);
    return 0;
  }
  std::vector<const CaseRecord*> records;
  for (const auto& job : jobs) {
    if (records.empty() || records.back() != job.record) records.push_back(job.record);
  }
  if (as_json) {
    list_as_json(std::cout, records);
    return 0;
  }
  for (const auto* record : records) {
    fmt::print("{:<48} {:<8} {:<6} {}\n", record->id, worlds_of(*record), level_of(*record, Catalogue::current()),
               record->title);
  }
  fmt::print("{} cases\n", records.size());
  return 0;
}

int explain_command(const std::string& id) {
  Selection selection;
  selection.patterns = {id};
  const auto* record = select(all_cases(), selection).front().record;
  fmt::print("{}\n{}\n\nworlds: {}   staging: {}   {}:{}\n", record->id, record->title, worlds_of(*record),
             name_of(record->staging), record->file, record->line);
  for (const auto need : record->needs) fmt::print("needs: {}\n", name_of(need));
  fmt::print("\nWhat is done\n  {}\n", record->procedure);
  if (!record->accepted.empty()) fmt::print("\nWhat is accepted\n  {}\n", record->accepted);
  if (!record->likely_causes.empty()) fmt::print("\nLikely causes of a failure\n  {}\n", record->likely_causes);
  fmt::print("\nWhat is judged\n");
  for (const auto& judges : record->judges) {
    const auto* requirement = Catalogue::current().find(judges.requirement);
    if (requirement == nullptr) throw HarnessFault("no such requirement in the catalogue: " + judges.requirement);
    fmt::print("  {} {} ({})\n    {}\n", requirement->level, requirement->id, requirement->source, requirement->text);
    if (!requirement->test.empty()) fmt::print("    test: {}\n", requirement->test);
    for (const auto& quirk : judges.killed_by) fmt::print("    killed by the defect {}\n", quirk);
  }
  return 0;
}

int coverage_command(const RunArguments& arguments, const std::string& file) {
  if (!arguments.catalogue.empty()) Catalogue::use(Catalogue::load(arguments.catalogue));
  if (!file.empty()) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in || !text) throw UsageError(file + " cannot be read; expected the run.json of a run");
    try {
      print_coverage(std::cout, reports::from_json(text.str()));
    } catch (const std::invalid_argument& error) {
      throw UsageError(file + ": " + error.what());
    }
    return 0;
  }
  const auto jobs = select(all_cases(), selection_of(arguments));
  const auto run = run_jobs(jobs, runner_options_of(arguments, arguments.seed.value_or(1)), {});
  print_coverage(std::cout, run);
  return run.complete ? 0 : exit_code::fault;
}

// The kill matrix: each defect must turn each check that names it red, and without defects nothing may be red.
class KillMatrix {
 public:
  explicit KillMatrix(const std::vector<Job>& cases) {
    for (const auto& job : cases) {
      jobs_.push_back(job);
      std::set<std::string> defects;
      for (const auto& judges : job.record->judges) defects.insert(judges.killed_by.begin(), judges.killed_by.end());
      for (const auto& defect : defects) {
        auto with = job;
        with.quirks = {defect};
        jobs_.push_back(with);
      }
    }
  }
  [[nodiscard]] const std::vector<Job>& jobs() const { return jobs_; }

  [[nodiscard]] int print(std::ostream& out, const reports::RunResult& run) {
    if (!run.complete) {  // the results that are there cannot be told apart by their places
      fmt::print(out, "the matrix is incomplete: {}\n", run.incomplete_reason);
      return exit_code::fault;
    }
    for (std::size_t i = 0; i < run.cases.size(); ++i) {
      if (jobs_[i].quirks.empty()) {
        control(out, run.cases[i]);
      } else {
        defect(out, jobs_[i], run.cases[i]);
      }
    }
    fmt::print(out, "{} of {} killed; {} survivors, {} controls not green\n", killed_, killed_ + survivors_, survivors_,
               not_green_);
    return survivors_ + not_green_ == 0 ? 0 : 1;
  }

 private:
  void control(std::ostream& out, const reports::CaseResult& result) {
    if (!is_red(result)) return;
    ++not_green_;
    fmt::print(out, "NOT GREEN {} without a defect: {} {}\n", result.id, reports::name_of(result.outcome),
               result.reason);
    for (const auto& check : result.checks) {
      if (is_red(check))
        fmt::print(out, "          {}: {}\n", check.id, check.actual.substr(0, check.actual.find('\n')));
    }
  }
  void defect(std::ostream& out, const Job& job, const reports::CaseResult& result) {
    const auto& quirk = *job.quirks.begin();
    for (const auto& judges : job.record->judges) {
      if (std::ranges::find(judges.killed_by, quirk) == judges.killed_by.end()) continue;
      const bool dead = std::ranges::any_of(result.checks, [&](const auto& check) {
        return check.requirement == judges.requirement &&
               (check.outcome == Outcome::fail || check.outcome == Outcome::warn || check.outcome == Outcome::info);
      });
      (dead ? killed_ : survivors_) += 1;
      fmt::print(out, "{:<9} {}#{} by {}{}\n", dead ? "killed" : "SURVIVED", result.id, judges.requirement, quirk,
                 dead ? "" : fmt::format(" (the case: {} {})", reports::name_of(result.outcome), result.reason));
      if (!dead) fmt::print(out, "          {}\n", result.reproduce);
    }
  }

  std::vector<Job> jobs_;
  std::size_t killed_ = 0, survivors_ = 0, not_green_ = 0;
};

int selftest_command(RunArguments arguments) {
  const auto findings = lint(all_cases(), Catalogue::current());
  for (const auto& finding : findings) fmt::print("{}\n", finding);
  std::vector<Job> cases;
  arguments.world = "both";
  for (auto& job : select(all_cases(), selection_of(arguments))) {
    // Simulated where the case can be: the same defects, a hundred times as fast. What needs a real server only when
    // it was asked for: a defect costs a minute of real time there.
    if ((job.record->interop && arguments.patterns.empty()) || (job.world == WorldKind::live && job.record->sim))
      continue;
    cases.push_back(job);
  }
  KillMatrix matrix(cases);
  Progress progress(std::cerr, true);
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  const auto run = run_jobs(matrix.jobs(), runner_options_of(arguments, arguments.seed.value_or(1)),
                            [&](const reports::CaseResult& result, std::size_t, std::size_t done, std::size_t total) {
                              if (terminal) progress.report(result, done, total);
                            });
  progress.end();
  const int code = matrix.print(std::cout, run);
  return code == 0 && !findings.empty() ? 1 : code;
}

// One case as a GoogleTest test.
class CaseTest final : public testing::Test {
 public:
  CaseTest(const CaseRecord& record, WorldKind world, int block) : record_(record), block_(block), world_(world) {}
  void TestBody() override {
    RunOptions options;
    options.world = world_;
    options.block = block_;
    options.seed = case_seed(1, record_.id, 1);
    const auto result = execute_case(record_, options);
    if (result.outcome == Outcome::skipped || result.outcome == Outcome::unsupported) GTEST_SKIP() << result.reason;
    if (result.outcome == Outcome::broken) ADD_FAILURE() << "broken: " << result.reason;
    for (const auto& check : result.checks) {
      if (is_red(check)) {
        ADD_FAILURE_AT(check.file.c_str(), check.line)
            << check.id << "\nexpected: " << check.expected << "\nbut: " << check.actual;
      }
    }
  }

 private:
  const CaseRecord& record_;
  int block_;
  WorldKind world_;
};

int gtest_command(std::vector<std::string> arguments) {
  static const BlockLease lease;
  for (const auto& record : all_cases()) {
    if (is_hidden(record)) continue;
    for (const auto world : {WorldKind::sim, WorldKind::live}) {
      if (!(world == WorldKind::sim ? record.sim : record.live)) continue;
      const auto name = slug_of(record.id) + (world == WorldKind::sim ? "/sim" : "/live");
      testing::RegisterTest(
          suite_of(record.id).c_str(), name.c_str(), nullptr, nullptr, record.file.c_str(), record.line,
          [&record, world]() -> testing::Test* { return new CaseTest(record, world, lease.block()); });
    }
  }
  std::vector<char*> pointers;
  arguments.insert(arguments.begin(), "cutover gtest");
  pointers.reserve(arguments.size() + 1);
  for (auto& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  testing::InitGoogleTest(&count, pointers.data());
  if (count > 1) throw UsageError(std::string("gtest does not know the option ") + pointers[1]);
  return RUN_ALL_TESTS();
}

void add_selection(CLI::App& command, RunArguments& arguments) {
  command.add_option("cases", arguments.patterns, "Ids, suites or globs ('message.*'); every case without any");
  command.add_option("--exclude", arguments.exclude, "Ids, suites or globs to leave out")->allow_extra_args(false);
  command.add_option("--world", arguments.world, "sim (virtual time), live (loopback sockets) or both")
      ->check(CLI::IsMember({"sim", "live", "both"}));
  command.add_option("--shard", arguments.shard, "Part i of n of the selection, as i/n");
  command.add_option("--catalogue", arguments.catalogue, "Folder of requirements instead of the built-in catalogue");
}

void add_running(CLI::App& command, RunArguments& arguments) {
  command.add_option("-j,--jobs", arguments.jobs, "Worker processes; one a processor without it")
      ->check(CLI::Range(1, 256));
  command.add_option("--seed", arguments.seed,
                     "Seed of everything that is left to chance; random and printed without it");
  command.add_option("--case-timeout", arguments.timeout_s, "Seconds of real time after which a case is killed")
      ->check(CLI::Range(1, 86400));
  command.add_flag("--strict", arguments.strict, "An unmet SHOULD fails, too");
}

void add_reports(CLI::App& command, RunArguments& arguments) {
  command.add_option("--target", arguments.target, "YAML file of the deployment to judge; the embedded one without it");
  command.add_option("--replay", arguments.replay, "Decisions of an earlier run, as its report prints them");
  command.add_option("--repeat", arguments.repeat, "Runs of every case, each with its own seed")
      ->check(CLI::Range(1, 100000));
  command.add_option("--defect", arguments.defects, "Plants a named defect in the embedded deployment")
      ->allow_extra_args(false);
  command.add_option("--baseline", arguments.baseline, "YAML file of known failures");
  command.add_option("-o,--output", arguments.directory, "Folder of the reports")->capture_default_str();
  command.add_option("--junit", arguments.junit, "Place of the JUnit report; out/junit.xml without it");
  command.add_option("--json", arguments.json, "Place of the JSON report; out/run.json without it");
  command.add_option("--html", arguments.html, "Place of the HTML report; out/report.html without it");
  command.add_flag("--single", arguments.single, "No report files; 77 when every case is skipped (for ctest)")
      ->group("");
}

constexpr const char* examples = R"(
Examples:
  cutover run                                   everything, simulated and on loopback
  cutover run --world=sim message presence      two suites in virtual time
  cutover run message.partner-to-user --seed=7  one case, the same again
  cutover run --target=fixtures/targets/prosody.yaml
  cutover explain message.partner-to-user
  cutover selftest                              does every check die of its defect?

Exit codes: 0 conforming, 1 unexpected failure, 2 only stale baseline entries,
3 harness fault or incomplete run, 4 wrong usage or empty selection.
)";

int bench_command(const std::string& only, int seconds) {
  const BlockLease lease;
  return run_bench(std::cout, {.budget = std::chrono::seconds(seconds), .only = only, .block = lease.block()});
}
struct ServeArguments {
  std::vector<std::string> nodes, places;
  std::string topology, network = "127.200.0", credentials = "out/serve", token_file;
  bool legacy = false, no_admin = false;
};

int serve_command(const ServeArguments& arguments) {
  ServeOptions options;
  options.topology = arguments.topology.empty() ? reference_topology() : load_topology(arguments.topology);
  for (const auto& place : arguments.places) {
    try {
      set_place(options.topology, place);
    } catch (const TopologyError& error) {
      throw UsageError(std::string("--place: ") + error.what());
    }
  }
  options.nodes = arguments.nodes;
  options.block = block_of(arguments.network);
  options.seed = random_seed();
  options.legacy = arguments.legacy;
  options.credentials = arguments.credentials;
  options.admin = !arguments.no_admin;
  options.token_file = arguments.token_file;
  return serve(std::cout, STDIN_FILENO, options);
}

std::string own_program() {
  char path[4096];
  const auto size = ::readlink("/proc/self/exe", path, sizeof path);
  if (size <= 0) throw HarnessFault("/proc/self/exe cannot be read");
  return {path, static_cast<std::size_t>(size)};
}

constexpr const char* serve_examples = R"(
Examples:
  cutover serve                                 the whole deployment, after the migration
  cutover serve --legacy                        before it: type `step` to carry out one step after the other
  cutover serve name-server partners            in one terminal, and in others:
  cutover serve proxy gateway
  cutover serve new-pool users
  cutover serve proxy --place proxy=192.0.2.7 --place proxy.admin=9000 --admin-token-file=token

Nodes of several processes find each other by the topology, --network and --place, which must be the same everywhere,
and trust each other by the authority in --credentials, where root.pem and a certificate for every domain (hand.pem,
hand.key) are for your own tools. The admin interface is HTTP with JSON; without a token it is on loopback only.
)";

CLI::App* add_serve(CLI::App& app, ServeArguments& arguments) {
  auto* serve = app.add_subcommand("serve", "Keeps the reference deployment, or some of its nodes, up to talk to");
  serve->add_option("nodes", arguments.nodes,
                    "Nodes to start, by name, or pools, partners, users; the whole deployment without any");
  serve->add_option("--topology", arguments.topology, "YAML file of domains, users, partners and places");
  serve->add_flag("--legacy", arguments.legacy, "Before the migration: everybody behind the legacy gateway");
  serve->add_option("--network", arguments.network, "First three numbers of the loopback addresses")
      ->capture_default_str();
  serve->add_option("--place", arguments.places, "NODE=ADDRESS or NODE.SERVICE=PORT: moves one node")
      ->allow_extra_args(false);
  serve->add_option("--credentials", arguments.credentials, "Folder of the authority; made by the first process")
      ->capture_default_str();
  serve->add_option("--admin-token-file", arguments.token_file,
                    "File with the token that the admin interface asks for");
  serve->add_flag("--no-admin", arguments.no_admin, "Without the admin interface of proxy and gateway");
  serve->footer(serve_examples);
  return serve;
}

std::string completion_of(const CLI::App& app, const CLI::App& run) {
  std::vector<std::string> commands, options;
  for (const auto* command : app.get_subcommands([](const auto*) { return true; })) {
    if (!command->get_group().empty()) commands.push_back(command->get_name());
  }
  for (const auto* option : run.get_options()) {
    for (const auto& name : option->get_lnames()) options.push_back("--" + name);
  }
  return bash_completion(commands, options);
}

int parse_and_run(int argc, char** argv) {
  const std::vector<std::string> command(argv, argv + argc);
  if (argc > 1 && command[1] == "worker") return run_worker();
  if (argc > 1 && command[1] == "gtest") return gtest_command({command.begin() + 2, command.end()});

  CLI::App app{"Judges XMPP federation and rehearses its migration from a legacy gateway.", "cutover"};
  app.footer(examples);
  app.set_version_flag("--version", version);
  app.require_subcommand(1);
  RunArguments arguments;
  bool as_json = false, for_ctest = false;
  std::string id, file, shell;
  auto* run = app.add_subcommand("run", "Runs cases and writes reports");
  add_selection(*run, arguments);
  add_running(*run, arguments);
  add_reports(*run, arguments);
  run->footer(examples);
  auto* list = app.add_subcommand("list", "Lists the cases");
  add_selection(*list, arguments);
  list->add_flag("--json", as_json, "As JSON");
  list->add_flag("--ctest", for_ctest, "As a script for ctest");
  auto* explain = app.add_subcommand("explain", "Tells what a case does, what it judges and why it may fail");
  explain->add_option("case", id, "Id of the case")->required();
  auto* coverage = app.add_subcommand("coverage", "Counts the requirements that a run really judged");
  coverage->add_option("--from", file, "run.json of an earlier run; without it the cases are run now");
  add_selection(*coverage, arguments);
  add_running(*coverage, arguments);
  auto* selftest =
      app.add_subcommand("selftest", "Plants each named defect and expects the check that names it to turn red");
  add_selection(*selftest, arguments);
  add_running(*selftest, arguments);
  auto* check = app.add_subcommand("doctor", "Tells what this machine lacks");
  (void)app.add_subcommand("gtest", "Runs the cases as GoogleTest tests: cutover gtest --gtest_filter='message.*'");
  auto* bench = app.add_subcommand("bench", "Measures negotiations, stanzas and schedules a second on this machine");
  std::string only;
  int seconds = 2;
  bench->add_option("--only", only, "Only measurements whose name contains this");
  bench->add_option("--seconds", seconds, "Real time of each measurement")->check(CLI::Range(1, 3600));
  ServeArguments serving;
  auto* serve_app = add_serve(app, serving);
  auto* completion = app.add_subcommand("completion", "Prints a completion script: source <(cutover completion bash)");
  completion->add_option("shell", shell, "bash")->required()->check(CLI::IsMember({"bash"}));

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code::usage;
  }
  if (run->parsed()) return run_command(arguments, command);
  if (list->parsed()) return list_command(arguments, as_json, for_ctest, own_program());
  if (explain->parsed()) return explain_command(id);
  if (coverage->parsed()) return coverage_command(arguments, file);
  if (selftest->parsed()) return selftest_command(arguments);
  if (check->parsed()) return doctor();
  if (bench->parsed()) return bench_command(only, seconds);
  if (serve_app->parsed()) return serve_command(serving);
  if (completion->parsed()) std::cout << completion_of(app, *run);
  return 0;
}

}  // namespace

std::string bash_completion(const std::vector<std::string>& commands, const std::vector<std::string>& options) {
  const auto joined = [](const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); };
  return "_cutover() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]}\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W '" +
         joined(commands) +
         "' -- \"$current\")); return; fi\n"
         "  case $current in\n"
         "    -*) COMPREPLY=($(compgen -W '" +
         joined(options) +
         "' -- \"$current\")) ;;\n"
         "    *) COMPREPLY=($(compgen -W \"$(\"${COMP_WORDS[0]}\" list 2>/dev/null | awk '/\\./ {print $1}')\" -- "
         "\"$current\")) ;;\n"
         "  esac\n"
         "}\n"
         "complete -o default -F _cutover cutover\n";
}

int run_command_line(int argc, char** argv) {
  const auto said = [](const std::exception& error, int code) {
    std::cout.flush();
    std::cerr << "cutover: " << error.what() << '\n';
    return code;
  };
  try {
    return parse_and_run(argc, argv);
  } catch (const UsageError& error) {
    return said(error, exit_code::usage);
  } catch (const CatalogueError& error) {
    return said(error, exit_code::usage);
  } catch (const BaselineError& error) {
    return said(error, exit_code::usage);
  } catch (const TargetError& error) {
    return said(error, exit_code::usage);
  } catch (const TopologyError& error) {
    return said(error, exit_code::usage);
  } catch (const CredentialsError& error) {
    return said(error, exit_code::usage);
  } catch (const std::exception& error) {
    return said(error, exit_code::fault);
  }
}

}  // namespace cutover::harness::cli
