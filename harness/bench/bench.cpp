// Two partners and a name server, then a whole deployment, timed: what a negotiation, a stanza, a schedule, an idle
// stream and a way through proxy and gateway cost.
#include "harness/bench/bench.h"

#include "harness/bench/rehearsals.h"
#include "harness/bench/whole_run.h"
#include "harness/captures/senders.h"
#include "harness/captures/tshark_output.h"
#include "harness/deployment/deployment.h"
#include "harness/files/report_files.h"
#include "harness/running/selection.h"
#include "harness/standing/judge.h"
#include "harness/worlds/explore.h"
#include "harness/worlds/live_world.h"
#include "harness/worlds/sim_world.h"
#include "mocks/name_server.h"
#include "mocks/partner.h"
#include "protocol/base/base64.h"
#include "protocol/base/check.h"
#include "protocol/tls/authority.h"

#include <fmt/format.h>
#ifdef CUTOVER_MIMALLOC
#include <mimalloc.h>
#endif
#include <boost/json.hpp>

#include <unistd.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>
#include <string_view>
#include <thread>

namespace cutover::harness {

namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

enum class TlsKind { real, paper };

constexpr int name_server_host = 1;
constexpr int first_partner_host = 2;
constexpr Duration patience = 30s;  // of world time, before a measurement is given up as broken

/// Ends a measurement by real time, and counts processor time (ours and the kernel's for us), so that a busy machine
/// gives fewer samples and not worse ones.
class Stopwatch {
 public:
  [[nodiscard]] Duration elapsed() const {
    return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin_);
  }
  [[nodiscard]] double cpu_s() const { return static_cast<double>(std::clock() - cpu_begin_) / CLOCKS_PER_SEC; }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::clock_t cpu_begin_ = std::clock();
};

std::string domain_of(std::size_t number) { return fmt::format("d{}.example", number); }

/// Certificates are dear and not what is measured: one set for every world of a kind.
struct Credentials {
  explicit Credentials(TlsKind kind, std::time_t wall_clock, std::size_t partners) {
    const auto authority =
        kind == TlsKind::real ? tls::make_openssl_authority(wall_clock) : tls::make_paper_authority(wall_clock);
    for (std::size_t i = 0; i < partners; i++)
      identities.push_back(authority->issue({.names = {{tls::NameKind::dns, domain_of(i)}}, .common_name = {}}));
  }
  std::vector<std::shared_ptr<const tls::Identity>> identities;
};

/// d0.example is the one that all others write to.
class Bench {
 public:
  Bench(World& world, const Credentials& credentials) : world_(world) {
    auto& names = world.add("name server", name_server_host, std::make_unique<mocks::NameServer>());
    for (std::size_t i = 0; i < credentials.identities.size(); i++) {
      const auto domain = domain_of(i);
      const auto host = first_partner_host + static_cast<int>(i);
      names.server().add_empty_zone(domain);
      names.server().set("_xmpp-server._tcp." + domain, dns::Type::srv, 86'400, {"0 0 5269 xmpp." + domain});
      names.server().set("xmpp." + domain, dns::Type::a, 86'400, {world.address_of(host)});
      mocks::PartnerSettings settings;
      settings.domain = domain;
      settings.users = {"user"};
      settings.identity = credentials.identities[i];
      settings.policy.sasl = xmpp::Negotiation::required;
      settings.policy.dialback = false;
      settings.dialback_secret = domain;
      settings.name_server = names.endpoint();
      partners_.push_back(&world.add(domain, host, std::make_unique<mocks::Partner>(std::move(settings))));
    }
  }

  /// Sends one message to d0.example; it has arrived when this returns.
  void exchange(std::size_t from) {
    const auto before = inbox().total();
    send(from);
    await([&] { return inbox().total() > before; }, "a message arrives");
  }
  void send(std::size_t from) { partners_[from]->send_message("user", partners_[0]->bare_jid("user"), "measured"); }
  void close(std::size_t from) {
    partners_[from]->server().close_streams_with(domain_of(0));
    await([&] { return world_.open_connections(*partners_[0]) + world_.open_connections(*partners_[from]) == 0; },
          "a stream closes");
  }
  History<xml::Element>& inbox() { return partners_[0]->user("user").messages; }
  [[nodiscard]] std::size_t streams() { return world_.open_connections(*partners_[0]); }
  /// What a long measurement would pile up is not what it measures.
  void tidy() {
    inbox().clear();
    world_.trace().clear();
  }
  void await(const std::function<bool()>& condition, const char* what) {
    if (!world_.run_until(condition, patience))
      throw HarnessFault(fmt::format("bench: waited in vain until {}\n{}", what, world_.trace().text()));
  }

 private:
  World& world_;
  std::vector<mocks::Partner*> partners_;
};

struct Setting {
  WorldKind world = WorldKind::sim;
  TlsKind tls = TlsKind::real;
  [[nodiscard]] std::string name() const {
    return fmt::format("{}, {} TLS", world == WorldKind::sim ? "sim" : "live", tls == TlsKind::real ? "real" : "paper");
  }
};

std::unique_ptr<World> make_bench_world(WorldKind kind, Choice& choice, int block) {
  if (kind == WorldKind::sim) return std::make_unique<SimWorld>(choice, SimOptions{.notes = false});
  return std::make_unique<LiveWorld>(LiveOptions{.block = block, .notes = false});
}

/// Negotiations a CPU second: stream, STARTTLS, SASL EXTERNAL, one message, close by both ends.
double negotiations_per_s(const Setting& setting, const BenchOptions& options) {
  Seed choice(1);
  const auto world = make_bench_world(setting.world, choice, options.block);
  const Credentials credentials(setting.tls, world->wall_clock(), 2);
  Bench bench(*world, credentials);
  bench.exchange(1);  // fills the cache of the resolver
  bench.close(1);
  const Stopwatch watch;
  std::size_t count = 0;
  for (; watch.elapsed() < options.budget; count++) {
    bench.exchange(1);
    bench.close(1);
    bench.tidy();
  }
  return static_cast<double>(count) / watch.cpu_s();
}

/// Messages a CPU second on a stream that is open, `in_flight` at a time.
double stanzas_per_s(const Setting& setting, std::size_t in_flight, const BenchOptions& options) {
  Seed choice(1);
  const auto world = make_bench_world(setting.world, choice, options.block);
  const Credentials credentials(setting.tls, world->wall_clock(), 2);
  Bench bench(*world, credentials);
  bench.exchange(1);
  bench.tidy();
  const Stopwatch watch;
  std::size_t count = 0;
  for (; watch.elapsed() < options.budget; count += in_flight) {
    for (std::size_t i = 0; i < in_flight; i++) bench.send(1);
    bench.await([&] { return bench.inbox().size() == in_flight; }, "the messages arrive");
    bench.tidy();
  }
  return static_cast<double>(count) / watch.cpu_s();
}

/// Schedules a CPU second: a world, two partners and a name server built, two partners write at once to the third over
/// paper TLS, every order with at most two detours.
double negotiation_schedules_per_s(const BenchOptions& options) {
  const Credentials credentials(TlsKind::paper, SimOptions{}.epoch, 3);
  const Stopwatch watch;
  std::size_t schedules = 0;
  const Scenario scenario = [&](Exploration& run) {
    if (watch.elapsed() > options.budget) return run.violated("budget spent");
    SimWorld world(run.choice(), {.order_only = true, .notes = false});
    Bench bench(world, credentials);
    bench.send(1);
    bench.send(2);
    bench.await([&] { return bench.inbox().size() == 2; }, "both messages arrive");
    schedules++;
  };
  while (watch.elapsed() < options.budget) (void)explore(scenario, {.detours_max = 2});
  return static_cast<double>(schedules) / watch.cpu_s();
}

/// A node that answers each datagram, until it has seen `limit`.
class Echo final : public Node {
 public:
  explicit Echo(std::size_t limit) : limit_(limit) {}
  ~Echo() override { context_->forget(*this); }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;
  void start(Context& context) override {
    context_ = &context;
    context.bind_datagram(*this, mocks::name_server_port);
  }
  void serve(const std::string& address) {
    context_->send_to(mocks::name_server_port, {address, mocks::name_server_port}, "ball");
  }
  void on_datagram(std::uint16_t port, const Endpoint& from, std::string_view bytes) override {
    if (++seen_ < limit_) context_->send_to(port, from, bytes);
  }

 private:
  std::size_t limit_, seen_ = 0;
  Context* context_ = nullptr;
};

/// Schedules a CPU second of the world alone: three nodes, three balls, 30 deliveries.
double world_schedules_per_s(const BenchOptions& options) {
  const Stopwatch watch;
  std::size_t schedules = 0;
  const Scenario scenario = [&](Exploration& run) {
    if (schedules % 256 == 0 && watch.elapsed() > options.budget) return run.violated("budget spent");
    SimWorld world(run.choice(), {.order_only = true, .notes = false});
    std::array<Echo*, 3> nodes{};
    for (int i = 0; i < 3; i++) nodes.at(i) = &world.add(domain_of(i), i + 1, std::make_unique<Echo>(10));
    for (int i = 0; i < 3; i++) nodes.at(i)->serve(world.address_of((i + 1) % 3 + 1));
    world.run_for(1s);
    schedules++;
  };
  while (watch.elapsed() < options.budget) (void)explore(scenario, {.detours_max = 2});
  return static_cast<double>(schedules) / watch.cpu_s();
}

#ifdef CUTOVER_MIMALLOC
/// Held by this thread, as its allocator counts: blocks in use and what they were rounded up to.
std::size_t heap_octets() {
  std::size_t octets = 0;
  const auto add = [](const mi_heap_t*, const mi_heap_area_t* area, void*, std::size_t, void* sum) {
    *static_cast<std::size_t*>(sum) += area->used * area->block_size;
    return true;
  };
  if (!mi_heap_visit_blocks(mi_heap_get_default(), false, add, &octets))
    throw HarnessFault("bench: no look at the heap");
  return octets;
}
#else
std::size_t heap_octets() { throw HarnessFault("a sanitizer's allocator does not tell what is held"); }
#endif

/// Octets of heap that one end of an idle stream holds: many streams opened, one message each, both ends halved.
double octets_per_idle_stream(TlsKind tls, const BenchOptions& options) {
  Undisturbed choice;
  SimWorld world(choice);
  const auto partners = std::min<std::size_t>(options.idle_streams, 250) + 1;
  const Credentials credentials(tls, world.wall_clock(), partners);
  Bench bench(world, credentials);
  bench.tidy();
  const auto before = heap_octets();
  for (std::size_t i = 1; i < partners; i++) bench.exchange(i);
  world.run_for(5s);
  bench.inbox().clear();
  world.trace() = Trace{};
  const auto held = heap_octets() - before;
  if (bench.streams() != partners - 1) throw HarnessFault("bench: not every stream stayed open");
  return static_cast<double>(held) / static_cast<double>(2 * (partners - 1));
}

/// The reference topology after all six steps, as its first partner's and its first user's messages meet it.
class MigratedBench {
 public:
  MigratedBench(World& world, bool paper_tls)
      : world_(world), deployment_(world, {.topology = reference_topology(), .paper_tls = paper_tls}) {
    deployment_.bring_up();
    for (const auto step : canonical_steps()) deployment_.carry_out(step);
    const auto& topology = deployment_.topology();
    const auto& spec = topology.partners.front();
    partner_ = &deployment_.partner(spec.domain);
    partner_user_ = spec.users.front();
    user_ = &deployment_.user(topology.users.front());
    our_jid_ = topology.users.front() + "@" + topology.domain;
    their_uri_ = "sip:" + partner_user_ + "@" + spec.domain;
  }
  void to_us() {
    const auto before = user_->texts().total();
    partner_->send_message(partner_user_, our_jid_, "measured");
    await([&] { return user_->texts().total() > before; }, "a message reaches our user");
  }
  void to_partner() {
    const auto before = partner_->user(partner_user_).messages.total();
    user_->send_message(their_uri_, "measured");
    await([&] { return partner_->user(partner_user_).messages.total() > before; }, "a message reaches the partner");
  }

 private:
  void await(const std::function<bool()>& condition, const char* what) {
    if (!world_.run_until(condition, patience))
      throw HarnessFault(fmt::format("bench: waited in vain until {}\n{}", what, world_.trace().text()));
    world_.trace().clear();
  }

  World& world_;
  Deployment deployment_;
  mocks::Partner* partner_;
  mocks::SipUser* user_;
  std::string partner_user_, our_jid_, their_uri_;
};

/// Messages a CPU second through proxy, gateway and pool, one in flight.
double translated_per_s(const Setting& setting, void (MigratedBench::*exchange)(), const BenchOptions& options) {
  Seed choice(1);
  const auto world = make_bench_world(setting.world, choice, options.block);
  MigratedBench bench(*world, setting.tls == TlsKind::paper);
  (bench.*exchange)();  // opens the streams
  const Stopwatch watch;
  std::size_t count = 0;
  for (; watch.elapsed() < options.budget; count++) (bench.*exchange)();
  return static_cast<double>(count) / watch.cpu_s();
}

/// Whole migrations a CPU second: the legacy shape brought up, six steps, one message each way.
double migrations_per_s(TlsKind tls, const BenchOptions& options) {
  const Stopwatch watch;
  std::size_t count = 0;
  for (; count == 0 || watch.elapsed() < options.budget; count++) {
    Seed choice(count + 1);
    SimWorld world(choice);
    MigratedBench bench(world, tls == TlsKind::paper);
    bench.to_us();
    bench.to_partner();
  }
  return static_cast<double>(count) / watch.cpu_s();
}

/// What tshark prints of a connection in which the one server sends the other messages.
std::string followed_connection(std::size_t octets_min, std::size_t& octets) {
  std::string yaml = "peers:\npackets:\n";
  std::uint32_t packet = 1;
  const auto say = [&](bool by_opener, const std::string& text) {
    packet += (packet % 2 == 1) == by_opener ? 2 : 1;  // the opener's are odd
    octets += text.size();
    yaml += fmt::format("  - packet: {}\n    timestamp: {}.0\n    data: !!binary |\n", packet, packet);
    const auto base64 = to_base64(text);
    for (std::size_t at = 0; at < base64.size(); at += 76) yaml += "      " + base64.substr(at, 76) + "\n";
  };
  constexpr auto header =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' version='1.0' xml:lang='en' "
      "xmlns:stream='http://etherx.jabber.org/streams' {}>";
  say(true, fmt::format(header, "from='a.example' to='b.example'"));
  say(false, fmt::format(header, "id='77' from='b.example' to='a.example'") + "<stream:features/>");
  while (octets < octets_min)
    say(true, fmt::format("<message from='romeo@a.example/balcony' to='juliet@b.example' type='chat' id='m{}'>"
                          "<body>Neither, fair saint, if either thee dislike.</body><active "
                          "xmlns='http://jabber.org/protocol/chatstates'/></message>",
                          packet));
  return yaml;
}

/// Octets a CPU second from what tshark prints to the verdicts on both servers.
double graded_octets_per_s(const BenchOptions& options) {
  std::size_t octets = 0, graded = 0;
  const auto yaml = followed_connection(4UL * 1024 * 1024, octets);
  const Stopwatch watch;
  for (; graded == 0 || watch.elapsed() < options.budget; graded += octets) {
    Capture capture;
    auto& connection = capture.connections.emplace_back();
    connection.opener.address = "192.0.2.1";
    connection.listener.address = "192.0.2.2";
    auto followed = read_followed(yaml);
    for (auto& chunk : followed.front())
      connection.spoken.push_back({chunk.packet, chunk.time, chunk.packet % 2 == 1, false, std::move(chunk.octets)});
    for (const auto& sender : senders_of(capture))
      if (standing::judge(sender.records, [](std::string_view, std::string_view) { return true; }).empty())
        throw HarnessFault("bench: nothing was judged");
  }
  return static_cast<double>(graded) / watch.cpu_s();
}

/// Name, value, unit, budget, method. As wide as the longest name, unit and budget below.
constexpr auto row_form = "{:<58} {:>9} {:<13} {:<15} {}\n";

#ifdef __clang__
constexpr auto compiler = "clang " __clang_version__;
#else
constexpr auto compiler = "g++ " __VERSION__;
#endif

/// As the kernel names it; not every architecture's kernel does.
std::string processor_model() {
  std::ifstream lines("/proc/cpuinfo");
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.find(": ") + 2, line.size()));
  return "unknown processor";
}

void print_head(std::ostream& out, const BenchOptions& options) {
  out << fmt::format("{}, {} processors, {} build by {}\n", processor_model(), std::thread::hardware_concurrency(),
                     CUTOVER_BUILD_TYPE, compiler)
      << fmt::format("One thread, both ends in it, {} ms of real time a row; processor time is what counts.\n",
                     options.budget / 1ms);
  if (CUTOVER_BUILD_TYPE != std::string_view("Release"))
    out << "bench: this build is not optimised as the budgets suppose: cmake --preset release && "
           "cmake --build --preset release\n";
  out << fmt::format(row_form, "measurement", "value", "unit", "budget", "method") << std::flush;
}

/// Prints as it measures, and keeps what it printed.
class Table {
 public:
  Table(std::ostream& out, const BenchOptions& options) : out_(out), options_(options) {}

  void row(const std::string& name, const char* unit, const char* budget, const char* method,
           const std::function<double()>& measure) {
    if (name.find(options_.only) == std::string::npos) return;
    if (rows_.empty()) print_head(out_, options_);
    json::object row{{"name", name}, {"unit", unit}, {"method", method}};
    if (*budget != 0) row["budget"] = budget;
    try {
      const double value = measure();
      row["value"] = value;
      const auto figure = value < 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
      out_ << fmt::format(row_form, name, figure, unit, budget, method) << std::flush;
    } catch (const std::exception& fault) {
      failed_ = true;
      row["not_measured"] = fault.what();
      out_ << fmt::format("{:<58} not measured: {}\n", name, fault.what()) << std::flush;
    }
    rows_.push_back(std::move(row));
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const json::array& rows() const { return rows_; }

 private:
  std::ostream& out_;
  const BenchOptions& options_;
  json::array rows_;
  bool failed_ = false;
};

void measure_streams(Table& table, const BenchOptions& options) {
  for (const auto world : {WorldKind::sim, WorldKind::live})
    for (const auto tls : {TlsKind::real, TlsKind::paper}) {
      const Setting setting{world, tls};
      table.row("S2S negotiation, " + setting.name(), "a CPU second",
                tls == TlsKind::real      ? "at least 500"
                : world == WorldKind::sim ? "at least 25000"
                                          : "",
                "STARTTLS, SASL EXTERNAL, one message, close by both ends",
                [&] { return negotiations_per_s(setting, options); });
      table.row("stanza on an open stream, " + setting.name(), "a CPU second",
                tls == TlsKind::paper     ? ""
                : world == WorldKind::sim ? "at least 230000"
                                          : "at least 100000",
                "one message in flight, engines to inbox", [&] { return stanzas_per_s(setting, 1, options); });
      table.row("stanza on an open stream, 100 at once, " + setting.name(), "a CPU second", "",
                "100 messages in flight", [&] { return stanzas_per_s(setting, 100, options); });
    }
}

void measure_deployment(Table& table, const BenchOptions& options) {
  for (const auto world : {WorldKind::sim, WorldKind::live})
    for (const auto tls : {TlsKind::real, TlsKind::paper}) {
      const Setting setting{world, tls};
      table.row("message, partner to SIP user, " + setting.name(), "a CPU second", "",
                "through proxy, gateway and pool, one in flight",
                [&] { return translated_per_s(setting, &MigratedBench::to_us, options); });
      table.row("message, SIP user to partner, " + setting.name(), "a CPU second", "",
                "through pool, gateway and proxy, one in flight",
                [&] { return translated_per_s(setting, &MigratedBench::to_partner, options); });
    }
  for (const auto tls : {TlsKind::real, TlsKind::paper})
    table.row("migration, " + Setting{WorldKind::sim, tls}.name(), "a CPU second",
              tls == TlsKind::real ? "at least 20" : "", "deployment built, six steps, a message each way",
              [&] { return migrations_per_s(tls, options); });
}

/// `cutover run` as a user calls it, in a folder of its own that goes away again.
void measure_whole_run(Table& table) {
  const auto folder = fs::temp_directory_path() / fmt::format("cutover-bench-{}", ::getpid());
  std::optional<RunCost> cost;
  const auto run = [&] {
    if (!cost) cost = cost_of({"run", "-o", folder.string()});
    if (cost->exit_code != 0) throw HarnessFault(fmt::format("the run ended with {}", cost->exit_code));
    return *cost;
  };
  table.row("whole run, both worlds", "s", "", "cutover run: every case, reports written, real time",
            [&] { return run().wall_s; });
  table.row("whole run, processor time", "s", "", "of all its processes", [&] { return run().cpu_s; });
  table.row("whole run, largest process", "MiB", "", "the most resident memory of one of its processes",
            [&] { return run().largest_process_mib; });
  std::error_code ignored;
  if (cost) fs::remove_all(folder, ignored);
}

void measure_rehearsals(Table& table) {
  struct Size {
    std::size_t partners, classes, users;
    const char* budget;
  };
  constexpr auto form = "rehearsal, {} partners, {} classes, {} users";
  for (const auto& size : {Size{6, 5, 5000, "at most 10000"}, Size{1, 20, 5000, ""}, Size{10, 20, 5000, ""},
                           Size{100, 20, 100'000, "at most 60000"}, Size{10, 2, 5000, ""}, Size{10, 200, 5000, ""},
                           Size{10, 20, 1'000'000, ""}})
    table.row(fmt::format(form, size.partners, size.classes, size.users), "CPU ms", size.budget,
              "plan read, rehearsed, ways back, proposals",
              [&] { return 1000 * rehearsal_cpu_s(size.partners, size.classes, size.users); });
  table.row("schedules of the six steps over the model", "a CPU minute", "at least 1e6",
            "explore_orders(): 6 partners, 5 classes, every rollback, cache and stream",
            [] { return model_schedules_per_minute(); });
}

void write_json(const std::string& file, const json::array& rows) {
  const json::object whole{{"schema", 1},
                           {"processor", processor_model()},
                           {"processors", std::thread::hardware_concurrency()},
                           {"build", CUTOVER_BUILD_TYPE},
                           {"compiler", compiler},
                           {"measurements", rows}};
  write_report(file, json::serialize(whole) + "\n");
}

}  // namespace

int run_bench(std::ostream& out, const BenchOptions& options) {
  Table table(out, options);
  measure_streams(table, options);
  table.row("schedule, the world alone", "a CPU second", "at least 10000", "3 nodes, 30 datagrams, 2 detours",
            [&] { return world_schedules_per_s(options); });
  table.row("schedule, two negotiations, paper TLS", "a CPU second", "",
            "4 nodes built, DNS, 2 streams and messages, 2 detours",
            [&] { return negotiation_schedules_per_s(options); });
  table.row("memory, idle S2S stream, paper TLS", "octets an end", "at most 65536",
            "heap after 200 streams less heap before, halved",
            [&] { return octets_per_idle_stream(TlsKind::paper, options); });
  table.row("memory, idle S2S stream, real TLS", "octets an end", "", "as before, with OpenSSL's state",
            [&] { return octets_per_idle_stream(TlsKind::real, options); });
  measure_deployment(table, options);
  table.row("capture judged, both servers, without tshark", "octets/CPU s", "at least 20000000",
            "one connection of 4 MiB, messages of 230 octets", [&] { return graded_octets_per_s(options); });
  measure_rehearsals(table);
  measure_whole_run(table);
  if (table.rows().empty()) throw UsageError("no measurement has \"" + options.only + "\" in its name");
  if (!options.json_file.empty()) write_json(options.json_file, table.rows());
  return table.failed() ? 3 : 0;
}

}  // namespace cutover::harness
