// Subcommands and options; every slip of the user ends in exit code 4 with what was expected.
#include "harness/cli/command_line.h"

#include "harness/bench/bench.h"
#include "harness/captures/capture.h"
#include "harness/cli/completion.h"
#include "harness/cli/out_of_memory.h"
#include "harness/cli/subcommands.h"
#include "harness/files/authority_folder.h"
#include "harness/files/yaml_reader.h"
#include "harness/judging/baseline.h"
#include "harness/judging/outcome.h"
#include "harness/judging/requirements.h"
#include "harness/running/block_lease.h"
#include "harness/running/worker.h"
#include "harness/serve/credentials.h"
#include "harness/serve/serve.h"
#include "harness/targets/target.h"
#include "protocol/base/check.h"
#include "reports/text.h"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <iostream>
#include <new>
#include <sstream>

namespace cutover::harness::cli {

namespace {

constexpr const char* examples = R"(
Examples:
  cutover run                                   everything, simulated and on loopback
  cutover run --world=sim message migration     two suites in virtual time
  cutover run message.partner-to-user --seed=7  one case, and the same again
  cutover run --target=fixtures/targets/prosody.yaml
  cutover grade FILE.pcapng --keys KEYS         what servers say in a capture
  cutover fuzz --target=FILE --seconds=1800     rubbish in every phase of a negotiation
  cutover explain message.partner-to-user       what it does, judges and accepts
  cutover serve                                 a deployment to talk to by hand
  cutover rehearse plan.yaml                    who loses what, and when, by a plan of a migration
  cutover estate EXPORTS --plan=plan.yaml       what is wrong by exports of the product, and a plan of their estate
  cutover authority new lab                     certificates for the servers of a lab
)";

constexpr const char* exit_codes = R"(
Exit codes: 0 conforming, 1 unexpected failure, 2 only stale baseline entries,
3 harness fault, incomplete run or nothing judged, 4 wrong usage, unknown id or empty selection.
)";

constexpr const char* run_notes = R"(
Selection: an id (message.bodies), a suite (message) or a glob ('*.partner*', in quotes); a requirement (RFC6120-4.4-4,
'XEP0220-*') stands for the cases that judge it; several add up. A case runs in
each of its two worlds: `sim` is a simulated network in virtual time, which its seed repeats octet for octet, and `live`
is real sockets on 127.0.0.0/8. Results go to FOLDER/results.jsonl as they come; SIGINT, SIGTERM and SIGHUP end the run
early, and everything that was done is reported. Without --junit, --json and --html the reports are FOLDER/junit.xml,
FOLDER/run.json and FOLDER/report.html.
)";

constexpr const char* fuzz_notes = R"(
Says what no text allows, and what it allows, in every phase of a negotiation, mutated and cut: the case
security.rubbish again and again, each time with a seed of its own. Behind each burst a message must come through on
another stream, and none that nobody was authenticated for; what the subject says meanwhile is judged by the rules that
bind every sender. What is sent stays small (64 KiB a piece, four pieces a connection, one connection at a time), and
everything is addressed to the target and its own peers. A finding is told by the shortest run that still shows it, with
the line that repeats it.

Examples:
  cutover fuzz                                              the reference, a minute
  cutover fuzz --target=fixtures/targets/prosody.yaml --seconds=1800 --baseline=fixtures/baselines/prosody.yaml
  cutover fuzz --target=mine.yaml --one-server --seed=7     one server for all of it
)";

constexpr const char* serve_notes = R"(
Examples:
  cutover serve                                 the whole deployment, after the migration
  cutover serve --legacy                        before it: type `step` to carry out one step after the other
  cutover serve name-server partners            in one terminal, and in others:
  cutover serve proxy gateway
  cutover serve new-pool users
  cutover serve proxy --place proxy=192.0.2.7 --place proxy.admin=9000 --admin-token-file=token

Nodes of several processes find each other by --topology, --network and --place, which must be the same for all, and
trust each other by the authority in --credentials. There, root.pem and a certificate for every domain (hand.pem,
hand.key) are for your own tools. The admin interface is HTTP with JSON; without a token it is on loopback only.
)";

constexpr const char* grade_notes = R"(
Judges every server that speaks to another one in a capture (pcap or pcapng), by the rules that bind a sender whatever
it is about; `cutover explain standing` lists them. tshark reassembles and decrypts. KEYS is a key log as programs write
it where SSLKEYLOGFILE is set; without it what was sent in clear is judged. A connection whose beginning is not in the
capture is not judged, one with a gap up to there. FILE may be the run.json or results.jsonl of a run, too: then it
tells what the judge heard in it. The reports hold what was encrypted, and are for their owner's eyes.
)";

constexpr const char* rehearse_notes = R"(
Examples:
  cutover plan new > plan.yaml                  a commented plan to begin with
  cutover rehearse plan.yaml                    go or no-go, who loses what and when, what would help
  cutover rehearse plan.yaml --improve          the same, and the plan that costs least
  cutover rehearse plan.yaml --orders           the same, and every order of the six steps over its estate
  cutover explain dialback-authority            what a cause is, what to do, whom it hits; F19 tells its causes

Nothing is run: outcomes follow from the rules of the documents, as `cutover run migration` holds them against the wire.
Exit codes: 0 go, 1 no-go or not what the plan expects, 3 a report could not be written, 4 wrong usage or a plan with
mistakes.
)";

constexpr const char* estate_notes = R"(
FILE is what the product's cmdlets give, as ConvertTo-Json, Export-Clixml or Export-Csv write it, in any encoding:
Get-CsUser, Get-CsXmppAllowedPartner, Get-CsXmppGatewayConfiguration, Get-CsExternalAccessPolicy, Get-CsAllowedDomain,
Get-CsAccessEdgeConfiguration, Get-CsSite, Get-CsPool, Get-CsService -EdgeServer, Get-CsSipDomain, Get-CsTopology
-AsXml; a zone as a master file; certificates as PEM, DER, PKCS#7 or PKCS#12. What it is is told from what it holds.

Examples:
  cutover estate exports/*                                       what fails, the worst first
  cutover estate exports/* --legacy-pool=ocs.contoso.example     ... with the pools that users are to be moved from
  cutover estate exports/* --plan=plan.yaml                      ... and a commented plan for `cutover rehearse`

Nothing is sent anywhere. The plan counts users and names none, and has no secret.
Exit codes: 0 nothing fails, 1 something fails, 3 the plan could not be written, 4 wrong usage or a file that is no
export.
)";

constexpr const char* authority_notes = R"(
Examples:
  cutover authority new lab                                      lab/root.pem, lab/authority.pem
  cutover authority issue lab example.org srv:example.org        lab/example.org.pem, lab/example.org.key
  cutover authority issue lab example.org --flaw=expired         lab/example.org-expired.pem and .key
  openssl pkcs12 -export -in lab/example.org.pem -inkey lab/example.org.key -out example.org.pfx \
    -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1                                      for Windows

It is for tests: nobody but the servers under test should trust its root.
)";

template <class Value>
CLI::Option* option(CLI::App& command, const char* group, const char* name, Value& value, const char* type,
                    const char* text) {
  return command.add_option(name, value, text)->type_name(type)->group(group);
}

/// An option that is given again for each of its values: it takes one, and its help promises no more.
template <class Value>
CLI::Option* repeated(CLI::App& command, const char* group, const char* name, Value& values, const char* type,
                      const char* text) {
  return option(command, group, name, values, type, text)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

void add_selection(CLI::App& command, RunArguments& arguments) {
  command.add_option("cases", arguments.patterns, "Ids, suites, requirements or globs; every case without any")
      ->type_name("");
  const auto* group = "Selection";
  repeated(command, group, "--exclude", arguments.exclude, "CASES",
           "Id, suite, requirement or glob to leave out; again for each");
  option(command, group, "--world", arguments.world, "WORLD", "sim, live or both; both without it")
      ->check(CLI::IsMember({"sim", "live", "both"}));
  option(command, group, "--shard", arguments.shard, "i/n", "Part i of n, for n machines that share a run");
  option(command, group, "--topology", arguments.topology, "FILE",
         "YAML file of users and partners; the cases that work with any topology");
  option(command, group, "--catalogue", arguments.catalogue, "FOLDER",
         "Folder of requirements instead of the built-in ones");
}

/// What is wrong with a seed; empty when it is one. (Left alone, the conversion takes -1 for the largest number.)
std::string is_seed(const std::string& text) {
  std::uint64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  return read.ec == std::errc() && read.ptr == end ? "" : "expected a number from 0 to 2^64 - 1, not " + text;
}

void add_filter(CLI::App& command, DefectFilter& filter) {
  const auto* group = "Selection";
  option(command, group, "--search", filter.search, "WORD",
         "Those that have this in their name, sentence or requirements");
  option(command, group, "--kind", filter.kind, "KIND", "rule (waived), rewrite, setting or inner")
      ->check(CLI::IsMember({"rule", "rewrite", "setting", "inner"}));
  option(command, group, "--nature", filter.nature, "NATURE", "defect or variant (what the documents allow)")
      ->check(CLI::IsMember({"defect", "variant"}));
  option(command, group, "--layer", filter.layer, "LAYER", "The first part of the name: xmpp, sip, dns, gateway ...");
  option(command, group, "--requirement", filter.requirement, "ID", "Of this requirement; a glob for several");
}

void add_running(CLI::App& command, RunArguments& arguments) {
  const auto* group = "Execution";
  option(command, group, "-j,--jobs", arguments.jobs, "N",
         "Worker processes; without it one a processor, and six more for cases on loopback, which wait")
      ->check(CLI::Range(1, 256));
  option(command, group, "--seed", arguments.seed, "N", "Decides all that is left to chance; random without it")
      ->check(is_seed);
  option(command, group, "--case-timeout", arguments.timeout_s, "SECONDS", "Real time after which a case is killed")
      ->check(CLI::Range(1, 86400));
  command.add_flag("--shuffle", arguments.shuffle, "Begins the cases in an order that the seed decides")->group(group);
  command.add_flag("--strict", arguments.strict, "An unmet SHOULD fails, too")->group(group);
}

void add_judging(CLI::App& command, RunArguments& arguments) {
  const auto* group = "Execution";
  option(command, group, "--target", arguments.target, "FILE",
         "YAML file of a deployment to judge instead of the embedded one");
  command
      .add_flag("--one-server", arguments.one_server,
                "Starts the server of the target once for the whole run, instead of once for each case")
      ->group(group);
  option(command, group, "--replay", arguments.replay, "TEXT",
         "Decisions of an earlier run, as its report prints them");
  option(command, group, "--detours", arguments.detours, "N",
         "Detours from the usual order that explorations allow in one schedule; 1 without it")
      ->check(CLI::Range(1, 8));
  option(command, group, "--depth", arguments.depth, "DEPTH",
         "How many combinations of stimuli: quick (each value once), covering (each pair once; without it), deep")
      ->check(CLI::IsMember({"quick", "covering", "deep"}));
  option(command, group, "--repeat", arguments.repeat, "N", "Runs of every case, each with its own seed")
      ->check(CLI::Range(1, 100000));
  repeated(command, group, "--defect", arguments.defects, "NAME",
           "Plants a defect in the embedded deployment, or before the target (`cutover defects`); again for each");
  command.add_flag("--single", arguments.single, "No report files; 77 when every case is skipped (for ctest)")
      ->group("");
}

void add_reports(CLI::App& command, RunArguments& arguments) {
  const auto* group = "Reports";
  option(command, group, "--baseline", arguments.baseline, "FILE", "YAML file of known failures");
  option(command, group, "-o,--output", arguments.directory, "FOLDER", "Where the reports go; out without it");
  option(command, group, "--junit", arguments.junit, "FILE", "JUnit, for CI systems");
  option(command, group, "--json", arguments.json, "FILE", "JSON, for programs");
  option(command, group, "--html", arguments.html, "FILE", "HTML, one file for people");
}

void add_fuzzing(CLI::App& fuzz, RunArguments& arguments) {
  const auto* group = "Execution";
  option(fuzz, group, "--target", arguments.target, "FILE",
         "YAML file of a deployment to judge instead of the embedded one");
  fuzz.add_flag("--one-server", arguments.one_server,
                "Starts the server of the target once for the whole run, instead of again and again")
      ->group(group);
  option(fuzz, group, "--seconds", arguments.limit_s, "N", "Real time; 60 without it")->check(CLI::Range(1, 86400));
  option(fuzz, group, "--world", arguments.world, "WORLD", "sim, live or both; of the embedded deployment")
      ->check(CLI::IsMember({"sim", "live", "both"}));
  repeated(fuzz, group, "--defect", arguments.defects, "NAME",
           "Plants a defect in the embedded deployment, or before the target (`cutover defects`); again for each");
  add_running(fuzz, arguments);
  add_reports(fuzz, arguments);
  fuzz.get_option("--output")->description("Where the reports go; out/fuzz without it");
  fuzz.footer(std::string(fuzz_notes) + exit_codes);
}

void add_testing(CLI::App& command, SelftestOptions& options) {
  const auto* group = "Instead of the matrices";
  auto* plant = option(command, group, "--plant", options.plant, "DEFECT", "Tells which checks this defect turns red")
                    ->allow_extra_args(false);
  command.add_flag("--rules", options.rules, "Which rules and other defects that no case names does no check notice?")
      ->group(group)
      ->excludes(plant);
  command
      .add_flag("--all", options.all,
                "With --rules: in all cases, not only in those nearest to their requirements; else: each variant alone")
      ->group(group)
      ->excludes(plant);
}

void add_grading(CLI::App& grade, GradeArguments& arguments) {
  arguments.reporting.directory = "out/grade";
  grade.add_option("file", arguments.file, "A capture; or run.json or results.jsonl of a run")
      ->required()
      ->type_name("");
  const auto* group = "Selection";
  option(grade, group, "--keys", arguments.keys, "FILE",
         "Key log (SSLKEYLOGFILE) with the secrets of the TLS connections");
  repeated(grade, group, "--sender", arguments.senders, "NAME",
           "Domain or address of a server to judge, again for each; all without it");
  repeated(grade, group, "--port", arguments.ports, "PORT",
           "Port of XMPP, beside 5222, 5223, 5269 and 5270; again for each")
      ->check(CLI::Range(1, 65535));
  grade.add_flag("--strict", arguments.reporting.strict, "An unmet SHOULD fails, too")->group(group);
  add_reports(grade, arguments.reporting);
  grade.get_option("--output")->description("Where the reports go; out/grade without it");
  grade.footer(std::string(grade_notes) + exit_codes);
}

struct ServeArguments {
  std::vector<std::string> nodes, places;
  std::string topology, network = "127.200.0", credentials = "out/serve", token_file;
  bool legacy = false, no_admin = false;
};

void add_serving(CLI::App& serve, ServeArguments& arguments) {
  serve
      .add_option("nodes", arguments.nodes,
                  "Nodes to start, by name, or pools, partners, users; the whole deployment without any")
      ->type_name("");
  const auto* group = "Options";
  option(serve, group, "--topology", arguments.topology, "FILE", "YAML file of domains, users, partners and places");
  serve.add_flag("--legacy", arguments.legacy, "Before the migration: everybody behind the legacy gateway");
  option(serve, group, "--network", arguments.network, "127.x.y",
         "First three numbers of the addresses; 127.200.0 without it");
  repeated(serve, group, "--place", arguments.places, "PLACE",
           "Moves a node: NODE=ADDRESS or NODE.SERVICE=PORT; again for each");
  option(serve, group, "--credentials", arguments.credentials, "FOLDER",
         "Where the authority is; out/serve without it");
  option(serve, group, "--admin-token-file", arguments.token_file, "FILE",
         "The token that the admin interface asks for");
  serve.add_flag("--no-admin", arguments.no_admin, "Without the admin interface of proxy and gateway");
  serve.footer(serve_notes);
}

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

void add_authority(CLI::App& authority, AuthorityArguments& arguments) {
  authority.require_subcommand(1);
  authority.footer(authority_notes);
  auto* made = authority.add_subcommand("new", "Makes an authority: a root and an intermediate with their keys");
  made->add_option("folder", arguments.folder, "Where it is to be; made where it is missing")
      ->required()
      ->type_name("");
  auto* issue = authority.add_subcommand("issue", "Issues a certificate, and its key");
  issue->add_option("folder", arguments.folder, "The folder of the authority")->required()->type_name("");
  issue->add_option("names", arguments.names, "DOMAIN (a dNSName), srv:DOMAIN (an SRVName), xmpp:DOMAIN (an xmppAddr)")
      ->required()
      ->type_name("");
  const auto* group = "Options";
  option(*issue, group, "--flaw", arguments.flaw, "FLAW",
         fmt::format("What is to be wrong with it: {}", fmt::join(issuable_flaws(), ", ")).c_str())
      ->check(CLI::IsMember(issuable_flaws()));
  option(*issue, group, "--out", arguments.out, "STEM",
         "Writes STEM.pem and STEM.key; FOLDER/DOMAIN or FOLDER/DOMAIN-FLAW without it");
  issue->add_flag("--rsa", arguments.rsa, "An RSA key of 2048 bits instead of one on P-256")->group(group);
  issue->footer(authority_notes);
}

int bench_command(const std::string& only, int seconds, const std::string& json_file) {
  const BlockLease lease;
  return run_bench(
      std::cout,
      {.budget = std::chrono::seconds(seconds), .only = only, .block = lease.block(), .json_file = json_file});
}

// What is wrong with the arguments, what may have been meant, and where the help is.
std::string explain_slip(const CLI::App* app, const CLI::Error& error) {
  const auto* command = app;
  std::string used;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    used += command->get_name() + " ";
  }
  std::vector<std::string> words;
  for (const auto* each : command->get_subcommands([](const auto*) { return true; })) words.push_back(each->get_name());
  for (const auto* option : command->get_options()) {
    for (const auto& name : option->get_lnames()) words.push_back(name);
  }
  const std::string_view what = error.what();
  const auto flag = what.find(" was given a disallowed flag override");
  std::string text =
      "cutover: " + (flag == std::string_view::npos ? reports::terminal_text(what)
                                                    : fmt::format("--{} takes no value", what.substr(0, flag)));
  if (!app->remaining(true).empty()) {
    const auto typed = app->remaining(true).front();
    const auto start = typed.find_first_not_of('-');
    std::string near;
    if (start != std::string::npos) {  // the dashes are no likeness
      for (const auto& word : nearest(words, typed.substr(start, typed.find('=') - start)))
        near += fmt::format("{}{}{}", near.empty() ? "" : ", ", command->get_option_no_throw("--" + word) ? "--" : "",
                            word);
    }
    if (!near.empty()) text += "; did you mean " + near + "?";
  }
  return text + "\n`cutover " + used + "--help` tells what there is\n";
}

void add_rehearsing(CLI::App& command, RehearseArguments& arguments) {
  command.add_option("plan", arguments.plan, "YAML file of an estate and the steps of its migration")
      ->required()
      ->type_name("");
  command.add_flag("--improve", arguments.improve, "Searches for the order and times that cost least");
  command.add_flag("--orders", arguments.orders, "Every order of the document's six steps over the plan's estate");
  option(command, "Reports", "-o,--output", arguments.directory, "FOLDER",
         "Where the reports go; out/rehearsal without it");
  command.footer(rehearse_notes);
}

void add_estate(CLI::App& command, EstateArguments& arguments) {
  command.add_option("files", arguments.files, "Exports of the product, zones, certificates")
      ->required()
      ->type_name("");
  repeated(command, "Options", "--legacy-pool", arguments.legacy_pools, "FQDN",
           "A pool of the old version, which no export tells; again for each");
  option(command, "Reports", "--plan", arguments.plan, "FILE",
         "Writes a plan of their estate there, for `cutover rehearse`; none without it");
  command.footer(estate_notes);
}

// Where a standard stream was closed (>&-), the next file would take its place, and be written into.
void hold_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);
  }
}

std::string own_program() {
  char path[4096];
  const auto size = ::readlink("/proc/self/exe", path, sizeof path);
  if (size <= 0) throw HarnessFault("/proc/self/exe cannot be read");
  return {path, static_cast<std::size_t>(size)};
}

/// `--shuffle=1,2` would be taken for `--shuffle`, and what was meant by it passed over.
void refuse_values_of_flags(CLI::App& app) {
  for (auto* option : app.get_options())
    if (option->get_expected_max() == 0) option->disable_flag_override();
  for (auto* command : app.get_subcommands({})) refuse_values_of_flags(*command);
}

/// `--exclude A B` may mean that both are left out, or that B is run without A: neither is done by a guess.
void refuse_a_word_behind_exclude(const std::vector<std::string>& command) {
  for (std::size_t i = 1; i + 2 < command.size() && command[i] != "--"; ++i) {
    if (command[i] != "--exclude" || command[i + 2].starts_with('-')) continue;
    throw UsageError(fmt::format(
        "--exclude {0} {1}: it takes one. To leave both out: --exclude {0} --exclude {1}; to run {1} without {0}: {1} "
        "--exclude {0}",
        command[i + 1], command[i + 2]));
  }
}

int parse_and_run(int argc, char** argv) {
  const std::vector<std::string> command(argv, argv + argc);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is an error of its write, as a full disk is
  if (argc > 2 && command[1] == "worker") return run_worker(command[2]);
  hold_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away must not cost the reports
  if (argc > 1 && command[1] == "gtest") return gtest_command({command.begin() + 2, command.end()});

  CLI::App app{"Judges XMPP federation, and rehearses its migration from a legacy SIP/XMPP gateway.", "cutover"};
  app.footer(std::string(examples) + exit_codes);
  app.set_version_flag("--version", version, "Prints the version");
  app.failure_message(explain_slip);
  app.require_subcommand(0, 1);
  RunArguments arguments;
  bool as_json = false, for_ctest = false, as_words = false, to_lint = false, by_requirement = false;
  DefectFilter filter;
  std::string id, from, file, other, shell, only;
  std::vector<std::string> files;
  SelftestOptions testing;
  int seconds = 2;

  auto* run = app.add_subcommand("run", "Runs cases and writes reports");
  add_selection(*run, arguments);
  add_running(*run, arguments);
  add_judging(*run, arguments);
  add_reports(*run, arguments);
  run->footer(std::string(run_notes) + examples + exit_codes);
  RunArguments fuzzing;
  fuzzing.directory = "out/fuzz";
  fuzzing.limit_s = 60;
  auto* fuzz = app.add_subcommand("fuzz", "Sends rubbish to a target and sees whether anybody suffers by it");
  add_fuzzing(*fuzz, fuzzing);
  auto* list = app.add_subcommand("list", "Lists the cases: id, worlds, strongest level, title");
  add_selection(*list, arguments);
  list->add_flag("--json", as_json, "As JSON");
  list->add_flag("--ctest", for_ctest, "As a script for ctest")->group("");
  list->add_flag("--words", as_words, "For completion")->group("");
  list->add_flag("--lint", to_lint, "What is wrong with cases and departures, for the build")->group("");
  auto* defects = app.add_subcommand("defects", "Lists what can be planted: defects and permitted variants");
  add_filter(*defects, filter);
  defects->add_flag("--json", as_json, "As JSON");
  defects->add_flag("--words", as_words, "For completion")->group("");
  auto* explain = app.add_subcommand(
      "explain", "Tells what a case does, judges and accepts; what a requirement, defect, cause or known failure is");
  explain->add_option("id", id, "Id of a case, requirement, cause or known failure, or name of a defect or variant")
      ->required()
      ->type_name("");
  auto* coverage = app.add_subcommand("coverage", "Counts the requirements that a run really judged");
  coverage->add_option("--from", from, "run.json or results.jsonl of a run; without it the cases are run now")
      ->type_name("FILE");
  coverage->add_flag("--list", by_requirement, "Names each judged requirement and the cases that judge it");
  add_selection(*coverage, arguments);
  add_running(*coverage, arguments);
  auto* report =
      app.add_subcommand("report", "Writes the reports of a run that was cut off, or of its shards together");
  report->add_option("results", files, "results.jsonl or run.json of the run, or of each shard")
      ->required()
      ->type_name("");
  add_reports(*report, arguments);
  report->footer(exit_codes);
  GradeArguments grading;
  auto* grade = app.add_subcommand("grade", "Judges the servers that speak in a capture, without a stimulus");
  add_grading(*grade, grading);
  auto* compare =
      app.add_subcommand("compare", "Tells which verdicts of two runs differ, check by check; 1 where any does");
  for (auto* one : {&file, &other})
    compare->add_option(one == &file ? "first" : "second", *one, "run.json or results.jsonl of a run")
        ->required()
        ->type_name("");
  std::string known;
  compare->add_option("--baseline", known, "YAML list of known deviations: what it lists as sometimes may differ")
      ->type_name("FILE");
  auto* selftest = app.add_subcommand(
      "selftest", "Plants each named defect, which must turn its check red, and each variant, which must not");
  add_selection(*selftest, arguments);
  add_running(*selftest, arguments);
  add_testing(*selftest, testing);
  ServeArguments serving;
  auto* serve = app.add_subcommand("serve", "Keeps the reference deployment, or some of its nodes, up to talk to");
  add_serving(*serve, serving);
  AuthorityArguments issuing;
  auto* authority = app.add_subcommand("authority", "Makes a test authority, and certificates, flawed ones too");
  add_authority(*authority, issuing);
  auto* negotiation = app.add_subcommand(
      "negotiation",
      "Shows which method two servers authenticate by, for each pair of settings, with the wire of each");
  std::string tables = "out/negotiation";
  option(*negotiation, "Reports", "-o,--output", tables, "FOLDER", "Where the pages go; out/negotiation without it");
  RehearseArguments rehearsing;
  auto* rehearse = app.add_subcommand("rehearse", "Rehearses a plan of a migration: who loses what, when, and why");
  add_rehearsing(*rehearse, rehearsing);
  auto* plan = app.add_subcommand("plan", "Helps to write a plan for rehearse");
  plan->require_subcommand(1);
  (void)plan->add_subcommand("new", "Prints a commented plan to begin with");
  (void)plan->add_subcommand("operations", "Lists what the steps of a plan can do");
  (void)plan->add_subcommand("causes", "Lists why an exchange can fail");
  EstateArguments surveying;
  auto* estate = app.add_subcommand("estate", "Judges an estate by exports of the product, and begins a plan of it");
  add_estate(*estate, surveying);
  auto* check = app.add_subcommand("doctor", "Tells what this machine lacks, and the remedy");
  auto* bench =
      app.add_subcommand("bench", "Measures negotiations, stanzas, schedules and a whole run on this machine");
  bench->add_option("--only", only, "Only measurements whose name contains this")->type_name("TEXT");
  bench->add_option("--json", file, "Writes the measurements there, too")->type_name("FILE");
  bench->add_option("--seconds", seconds, "Real time of each measurement; 2 without it")
      ->check(CLI::Range(1, 3600))
      ->type_name("N");
  (void)app.add_subcommand("gtest",
                           "Runs the cases as GoogleTest tests, with its options (--gtest_filter='message.*')");
  auto* completion = app.add_subcommand("completion", "Prints a completion script: source <(cutover completion bash)");
  completion->add_option("shell", shell, "bash")->required()->check(CLI::IsMember({"bash"}))->type_name("");

  refuse_values_of_flags(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code::usage;
  }
  refuse_a_word_behind_exclude(command);
  if (run->parsed()) return run_command(arguments, command);
  if (fuzz->parsed()) return fuzz_command(fuzzing, command);
  if (list->parsed() && to_lint) return lint_command();
  if (list->parsed()) {
    const auto form = for_ctest  ? ListForm::ctest
                      : as_json  ? ListForm::json
                      : as_words ? ListForm::words
                                 : ListForm::text;
    return list_command(arguments, form, own_program());
  }
  if (defects->parsed())
    return defects_command(filter, as_json ? DefectForm::json : as_words ? DefectForm::words : DefectForm::text);
  if (explain->parsed()) return explain_command(id);
  if (coverage->parsed()) return coverage_command(arguments, from, by_requirement);
  if (grade->parsed()) return grade_command(grading, command);
  if (compare->parsed()) return compare_command(file, other, known);
  if (report->parsed()) return report_command(arguments, files, command);
  if (selftest->parsed()) return selftest_command(arguments, testing);
  if (serve->parsed()) return serve_command(serving);
  if (authority->parsed())
    return authority->got_subcommand("new") ? authority_new_command(issuing.folder) : authority_issue_command(issuing);
  if (negotiation->parsed()) return negotiation_command(tables, command);
  if (rehearse->parsed()) return rehearse_command(rehearsing, command);
  if (plan->parsed() && plan->got_subcommand("causes")) return plan_causes_command();
  if (plan->parsed()) return plan->got_subcommand("new") ? plan_new_command() : plan_operations_command();
  if (estate->parsed()) return estate_command(surveying);
  if (check->parsed()) return doctor();
  if (bench->parsed()) return bench_command(only, seconds, file);
  if (completion->parsed()) {
    std::cout << bash_completion(app);
    return 0;
  }
  std::cerr << app.help();
  return exit_code::usage;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  throw_when_out_of_memory();
  const auto said = [](const std::exception& error, int code) {
    std::cout.flush();
    std::istringstream lines(error.what());  // several mistakes of a file, a line each
    for (std::string line; std::getline(lines, line);) std::cerr << "cutover: " << reports::terminal_text(line) << '\n';
    return code;
  };
  try {
    return parse_and_run(argc, argv);
  } catch (const UsageError& error) {
    return said(error, exit_code::usage);
  } catch (const CaptureError& error) {
    return said(error, exit_code::usage);
  } catch (const CatalogueError& error) {
    return said(error, exit_code::usage);
  } catch (const BaselineError& error) {
    return said(error, exit_code::usage);
  } catch (const TargetError& error) {
    return said(error, exit_code::usage);
  } catch (const TopologyError& error) {
    return said(error, exit_code::usage);
  } catch (const YamlError& error) {
    return said(error, exit_code::usage);
  } catch (const CredentialsError& error) {
    return said(error, exit_code::usage);
  } catch (const AuthorityError& error) {
    return said(error, exit_code::usage);
  } catch (const std::bad_alloc&) {
    std::cout.flush();
    std::cerr << out_of_memory_words;
    return exit_code::fault;
  } catch (const std::exception& error) {
    return said(error, exit_code::fault);
  }
}

}  // namespace cutover::harness::cli
