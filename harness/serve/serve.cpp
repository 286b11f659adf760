// A deployment in a live world that lasts until somebody ends it.
#include "harness/serve/serve.h"

#include "harness/files/text_file.h"
#include "harness/running/selection.h"
#include "harness/serve/commands.h"
#include "harness/serve/credentials.h"
#include "harness/worlds/live_world.h"
#include "reports/text.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <deque>
#include <optional>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <tuple>

namespace cutover::harness {

namespace {

constexpr Duration tick = 50ms, register_again = 2s;

volatile std::sig_atomic_t ended = 0;
void end(int) { ended = 1; }

bool is_loopback(const std::string& address) { return address.starts_with("127."); }

/// Nodes by name, once each, in the order of the topology.
std::vector<NodeSpec> chosen_nodes(const ServeOptions& options) {
  const auto all = nodes_of(options.topology);
  std::set<std::string> wanted;
  for (const auto& word : options.nodes) {
    if (word == "pools") {
      for (const auto& pools : {legacy_pools_of(options.topology), new_pools_of(options.topology)})
        wanted.insert(pools.begin(), pools.end());
    } else if (word == "partners") {
      for (const auto& partner : options.topology.partners) wanted.insert(node_name_of(options.topology, partner));
    } else if (word == "users") {
      wanted.insert(options.topology.users.begin(), options.topology.users.end());
    } else if (std::ranges::find(all, word, &NodeSpec::name) != all.end()) {
      wanted.insert(word);
    } else {
      std::string names;
      for (const auto& node : all) names.append(node.name).append(", ");
      throw UsageError(fmt::format("no node '{}'; expected some of {}or pools, partners, users", word, names));
    }
  }
  std::vector<NodeSpec> chosen;
  for (const auto& node : all) {
    if (wanted.empty() || wanted.contains(node.name)) chosen.push_back(node);
  }
  return chosen;
}

std::map<int, std::string> addresses_of(const Topology& topology) {
  std::map<int, std::string> addresses;
  for (const auto& node : nodes_of(topology)) {
    const auto place = topology.places.find(node.name);
    if (place != topology.places.end() && !place->second.address.empty()) addresses[node.host] = place->second.address;
  }
  return addresses;
}

/// What is beyond the block that we serve on needs an address of its own.
void check_addresses(const Topology& topology) {
  const auto why = beyond_a_block(topology);
  if (!why) return;
  constexpr int last_host = 254;
  const auto given = addresses_of(topology);
  for (const auto& node : nodes_of(topology)) {
    if (node.host > last_host && !given.contains(node.host))
      throw UsageError(fmt::format("no address for {}: {}; give it one with --place {}=ADDRESS, or under 'places'",
                                   node.name, *why, node.name));
  }
}

std::string token_of(const std::string& file) {
  if (file.empty()) return "";
  std::string text, token;
  try {
    text = read_text_file(file);
  } catch (const FileError& error) {
    throw UsageError(file + ": " + error.what());
  }
  if (!(std::istringstream(text) >> token))
    throw UsageError(file + ":1: expected the token of the admin interface, one word");
  return token;
}

/// Everything that is up in this process.
class Hall {
 public:
  explicit Hall(const ServeOptions& options)
      : options_(options),
        chosen_(chosen_nodes(options)),
        world_({.block = options.block,
                .seed = options.seed,
                .addresses = addresses_of(options.topology),
                .outlasts_shortage = true}),
        admin_{options.admin, token_of(options.token_file)},
        served_{world_, options.topology, {}, {}} {
    check_addresses(options_.topology);
    check_admin();
    auto authority = open_credentials(options.credentials, options.topology);
    options.nodes.empty() ? bring_up_all(std::move(authority)) : bring_up_some(std::move(authority));
    world_.trace().clear();
  }

  [[nodiscard]] LiveWorld& world() { return world_; }
  [[nodiscard]] Served& served() { return served_; }
  [[nodiscard]] const Served& served() const { return served_; }
  [[nodiscard]] const std::vector<NodeSpec>& nodes() const { return chosen_; }
  [[nodiscard]] Endpoint endpoint(const NodeSpec& node, const std::string& service) const {
    return {world_.address_of(node.host), port_of(options_.topology, node.name, service)};
  }

  /// What nodes in other processes make necessary: a user's pool may come up later than the user.
  void tend() {
    if (options_.nodes.empty() || world_.now() < next_round_) return;
    next_round_ = world_.now() + register_again;
    for (const auto& [name, user] : served_.users) {
      if (!user->registered()) user->register_with(plan_->user(name, home_of(name)).pool);
    }
  }

 private:
  void check_admin() const {
    for (const auto& node : chosen_) {
      const bool admin =
          std::ranges::any_of(node.services, [](const auto& service) { return service.first == "admin"; });
      const auto address = world_.address_of(node.host);
      if (!admin || !admin_.enabled || !admin_.token.empty() || is_loopback(address)) continue;
      throw UsageError(
          fmt::format("the admin interface of {} would be open to everybody on {}; give it a token with "
                      "--admin-token-file=FILE, or leave it out with --no-admin",
                      node.name, address));
    }
  }

  void bring_up_all(std::unique_ptr<tls::Authority> authority) {
    DeploymentOptions options{.topology = options_.topology, .admin = admin_, .authority = std::move(authority)};
    deployment_ = std::make_unique<Deployment>(world_, std::move(options));
    deployment_->bring_up();
    served_.deployment = deployment_.get();
    for (const auto step : canonical_steps()) {
      if (options_.legacy) break;
      deployment_->carry_out(step);
      ++served_.steps_done;
    }
    for (const auto& partner : options_.topology.partners)
      served_.partners[partner.domain] = &deployment_->partner_domain(partner.domain);
    for (const auto& user : options_.topology.users) served_.users[user] = &deployment_->user(user);
  }

  void bring_up_some(std::unique_ptr<tls::Authority> authority) {
    authority_ = std::move(authority);
    plan_ = std::make_unique<Plan>(
        options_.topology, std::nullopt, [&](int host) { return world_.address_of(host); }, *authority_,
        departures::Planted(), admin_);
    state_ = options_.legacy ? plan_->estate().start : migrated(plan_->estate());
    routing_ = std::make_shared<mocks::Routing>(plan_->routing(state_));
    for (const auto& node : chosen_) start(node);
  }

  template <class N>
  N& add(const NodeSpec& node, std::unique_ptr<N> made) {
    return world_.add(node.name, node.host, std::move(made));
  }

  /// Null for a node that is no machine of an edge pool.
  [[nodiscard]] const EdgeMachine* machine_called(const std::string& node) const {
    const auto found = std::ranges::find(plan_->machines(), node, &EdgeMachine::node);
    return found == plan_->machines().end() ? nullptr : &*found;
  }

  void start(const NodeSpec& node) {
    if (node.name == "name-server") {
      dns::DnsServer server;
      plan_->publish_zones(server, state_);
      add(node, std::make_unique<mocks::NameServer>(std::move(server), plan_->name_server().port));
    } else if (node.name == "legacy-gateway") {
      add(node, std::make_unique<mocks::LegacyGateway>(plan_->legacy_gateway()));
    } else if (const auto* machine = machine_called(node.name)) {
      auto config = plan_->proxy(state_, *machine);
      config.certificate = plan_->certificate(shown_by(state_, *machine));
      add(node, std::make_unique<reference::Proxy>(std::move(config)));
    } else if (node.name == "gateway") {
      add(node, std::make_unique<reference::Gateway>(plan_->gateway(state_)));
    } else if (std::ranges::find(plan_->pools(), node.name, &PoolNodeName::node) != plan_->pools().end()) {
      add(node, std::make_unique<mocks::PoolNode>(plan_->pool(node.name, routing_)));
    } else {
      start_user_or_partner(node);
    }
  }

  void start_user_or_partner(const NodeSpec& node) {
    for (const auto& partner : options_.topology.partners) {
      if (node_name_of(options_.topology, partner) != node.name) continue;
      if (partner.server != PartnerServer::mock)
        throw UsageError(node.name + " is a real server in this topology; only the whole deployment can start it");
      served_.partners[partner.domain] = &add(node, std::make_unique<mocks::Partner>(plan_->partner(partner)));
      return;
    }
    served_.users[node.name] = &add(node, std::make_unique<mocks::SipUser>(plan_->user(node.name, home_of(node.name))));
  }

  [[nodiscard]] std::string home_of(const std::string& user) const {
    return plan_->home_of(state_, moved_with(options_.topology, user));
  }

  const ServeOptions& options_;
  std::vector<NodeSpec> chosen_;
  std::unique_ptr<tls::Authority> authority_;
  LiveWorld world_;
  AdminPlan admin_;
  Served served_;
  std::unique_ptr<Deployment> deployment_;
  std::unique_ptr<Plan> plan_;
  migration::State state_;
  std::shared_ptr<mocks::Routing> routing_;
  Time next_round_;
};

void print_nodes(std::ostream& out, const Hall& hall, const ServeOptions& options) {
  for (const auto& node : hall.nodes()) {
    if (node.services.empty()) out << fmt::format("  {:<18} user\n", node.name);
    for (const auto& [service, port] : node.services) {
      if (service == "admin" && !options.admin) continue;
      const auto where = hall.endpoint(node, service);
      out << fmt::format("  {:<18} {:<9} {}{}:{}\n", node.name, service, service == "admin" ? "http://" : "",
                         where.address, where.port);
    }
  }
}

/// Lines to copy for the nodes that are here.
void print_ways_in(std::ostream& out, const Hall& hall, const ServeOptions& options) {
  const auto& topology = options.topology;
  const auto token = options.token_file.empty()
                         ? std::string()
                         : fmt::format(" -H \"Authorization: Bearer $(cat {})\"", options.token_file);
  const auto tls = fmt::format("-CAfile {0}/root.pem -cert {0}/hand.pem -cert_chain {0}/hand.pem -key {0}/hand.key",
                               options.credentials);
  out << "talk to it from another terminal:\n";
  for (const auto& node : hall.nodes()) {
    if (node.name == "name-server") {
      const auto where = hall.endpoint(node, "dns");
      out << fmt::format("  dig @{} -p {} SRV _xmpp-server._tcp.{}\n", where.address, where.port, topology.domain);
    } else if (node.name.starts_with("proxy") || node.name == "gateway") {
      if (options.admin) {
        const auto where = hall.endpoint(node, "admin");
        const auto url = fmt::format("http://{}:{}", where.address, where.port);
        out << fmt::format("  curl{} {}/health   (also /settings /partners /policies /streams /routes)\n", token, url);
        out << fmt::format("  curl{} -X DELETE {}/partners/{}\n", token, url, topology.partners.front().domain);
      }
      const bool proxy = node.name != "gateway";
      const auto where = hall.endpoint(node, proxy ? "xmpp" : "sip");
      out << fmt::format("  openssl s_client -connect {}:{} {}{}\n", where.address, where.port,
                         proxy ? "-starttls xmpp-server -name " + topology.domain + " " : "", tls);
    }
  }
  if (!hall.served().users.empty() || !hall.served().partners.empty())
    out << fmt::format(
        "or type here: send {} {}@{} hello   (`help` lists all commands)\n",
        hall.served().users.empty() ? topology.partners.front().users.front() : topology.users.front(),
        hall.served().users.empty() ? topology.users.front() : topology.partners.front().users.front(),
        hall.served().users.empty() ? domain_of(topology, topology.users.front()) : topology.partners.front().domain);
  out << "Ctrl-C ends it.\n";
}

/// What goes over the wire, a line each: where it leaves, and where it comes from somebody who is not served here.
class Wire {
 public:
  /// Notes since the last call; the trace is emptied so that a deployment can stay up for days.
  void print(std::ostream& out, Trace& trace) {
    for (const auto& record : trace.records()) {
      if (is_told(record)) continue;
      const auto* arrow = record.note.direction == Direction::out  ? "->"
                          : record.note.direction == Direction::in ? "<-"
                                                                   : "--";
      const auto seconds = std::chrono::duration<double>(record.time.time_since_epoch()).count();
      out << fmt::format("{:10.3f} {} {} {}: {}\n", seconds, record.node, arrow, record.peer,
                         reports::terminal_text(record.note.summary));
    }
    trace.clear();
  }

 private:
  using Item = std::tuple<std::string, std::string, std::string>;
  /// Whether it is the arrival of what was told when it left.
  bool is_told(const TraceRecord& record) {
    if (record.note.direction == Direction::out) {
      under_way_.emplace_back(record.node, record.peer, record.note.summary);
      if (under_way_.size() > under_way_max) under_way_.pop_front();  // it went to somebody else
      return false;
    }
    if (record.note.direction != Direction::in) return false;
    const auto left = std::ranges::find(under_way_, Item(record.peer, record.node, record.note.summary));
    if (left == under_way_.end()) return false;
    under_way_.erase(left);
    return true;
  }
  static constexpr std::size_t under_way_max = 256;
  std::deque<Item> under_way_;
};

/// Lines from a descriptor, without ever waiting for one, nor reading more at a time than a person types.
class Lines {
 public:
  Lines(std::ostream& out, int descriptor) : out_(out), descriptor_(descriptor) {}
  std::vector<std::string> take() {
    std::vector<std::string> lines;
    pollfd one{descriptor_, POLLIN, 0};
    for (int i = 0; i < reads_max && descriptor_ >= 0 && ::poll(&one, 1, 0) > 0; ++i) {
      char buffer[4096];
      const auto size = ::read(descriptor_, buffer, sizeof buffer);
      if (size < 0 && errno == EINTR) continue;
      if (size > 0) {
        put({buffer, static_cast<std::size_t>(size)}, lines);
        continue;
      }
      descriptor_ = -1;  // nobody types any more; the deployment stays up
      if (!partial_.empty()) lines.push_back(std::exchange(partial_, {}));
    }
    return lines;
  }

 private:
  static constexpr int reads_max = 16;
  static constexpr std::size_t line_max_octets = 64 * 1024;

  void put(std::string_view octets, std::vector<std::string>& lines) {
    for (auto end = octets.find('\n'); end != std::string_view::npos; end = octets.find('\n')) {
      partial_ += octets.substr(0, end);
      if (!std::exchange(too_long_, false)) lines.push_back(partial_);
      partial_.clear();
      octets.remove_prefix(end + 1);
    }
    if (!too_long_) partial_ += octets;
    if (partial_.size() <= line_max_octets) return;
    too_long_ = true;  // until its end
    out_ << fmt::format("? expected lines of {} KiB at most; this one is not done\n", line_max_octets / 1024);
    partial_ = {};
  }

  std::ostream& out_;
  int descriptor_;
  bool too_long_ = false;
  std::string partial_;
};

void stay_up(std::ostream& out, int input, Hall& hall) {
  Commands commands(out, hall.served());
  Lines lines(out, input);
  Wire wire;
  bool wanted = true;
  while (ended == 0 && wanted && out) {
    hall.world().run_for(tick);
    hall.tend();
    for (const auto& line : lines.take()) wanted = wanted && commands.obey(line);
    wire.print(out, hall.world().trace());
    commands.tell_news();
    out.flush();
  }
}

/// The reason of the system and what can be done about it.
[[noreturn]] void fail_to_listen(const ListenError& error) {
  const std::string_view what = error.what();
  std::string remedy = "move the node with --place NODE=ADDRESS or --place NODE.SERVICE=PORT";
  if (what.find("in use") != std::string_view::npos)
    remedy = "end what listens there (another `cutover serve`?), take other addresses with --network=127.201.0, or " +
             remedy;
  if (what.find("Cannot assign") != std::string_view::npos) remedy = "this machine has no such address; " + remedy;
  if (what.find("denied") != std::string_view::npos) remedy = "ports below 1024 are root's; " + remedy;
  throw ListenError(std::string(what) + "; " + remedy);
}

}  // namespace

int block_of(const std::string& network) {
  in_addr address{};
  const bool four = ::inet_pton(AF_INET, (network + ".0").c_str(), &address) == 1;
  const auto value = ntohl(address.s_addr);
  const int block = static_cast<int>(value >> 8U & 0xffffU) - 256;  // LiveWorld: block 0 is 127.1.0.0/24
  if (!four || value >> 24U != 127 || block < 0 || block >= LiveWorld::blocks)
    throw UsageError("--network expects three numbers from 127.1.0 to 127.250.255 such as 127.200.0, not '" + network +
                     "'");
  return block;
}

int serve(std::ostream& out, int input, const ServeOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our output that went away ends us through `out`
  std::optional<Hall> hall;
  try {
    hall.emplace(options);
  } catch (const ListenError& error) {
    fail_to_listen(error);
  }
  ended = 0;  // only from here on: until everything is up, a signal ends the program as it always does
  std::signal(SIGINT, end);
  std::signal(SIGTERM, end);
  out << (options.legacy ? "up, before the migration:\n" : "up, after the migration:\n");
  print_nodes(out, *hall, options);
  print_ways_in(out, *hall, options);
  out.flush();
  stay_up(out, input, *hall);
  out << "ended\n";
  return 0;
}

}  // namespace cutover::harness
