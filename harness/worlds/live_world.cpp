// Sockets by Boost.Asio. Every callback to an actor starts in the io_context, so none comes from inside a Context call.
#include "harness/worlds/live_world.h"

#include "harness/worlds/books.h"
#include "harness/worlds/first_octets.h"
#include "protocol/base/address.h"
#include "protocol/base/check.h"

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace cutover::harness {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr std::size_t read_size_max_octets = 16 * 1024;
constexpr std::size_t datagram_size_max_octets = 64 * 1024;
/// What a peer that does not read leaves with us before it is not read either.
constexpr std::size_t queue_size_max_octets = 16 * 1024 * 1024;
constexpr std::size_t dead_labels_max = 1024;
constexpr std::chrono::milliseconds accept_pause{100}, look_pause{10};

std::string reason_of(const error_code& error) {
  if (error == asio::error::connection_refused) return "connection refused";
  if (error == asio::error::timed_out) return "connection timed out";
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe)
    return "connection reset by the peer";
  return error.message();
}

/// What is no address is a mistake of ours where it is to be listened at, and of anybody where it is to be reached.
std::optional<asio::ip::address> address_in(const std::string& text) {
  if (!is_address_literal(text)) return std::nullopt;
  return asio::ip::make_address(text);
}

asio::ip::address literal(const std::string& text) {
  const auto address = address_in(text);
  if (!address) throw HarnessFault("not an address literal: '" + text + "'");
  return *address;
}

}  // namespace

struct LiveWorld::Impl {
  class Host;

  struct Connection : EndBooks {
    Connection(tcp::socket s, ConnectionId id_, Host& host_, Actor& owner_)
        : EndBooks{.owner = &owner_}, socket(std::move(s)), id(id_), host(host_) {}
    tcp::socket socket;
    ConnectionId id;
    Host& host;
    std::string remote_address, peer_name, label;
    std::string queued, in_writing;
    std::array<char, read_size_max_octets> buffer{};
    bool write_failed = false, read_paused = false;
  };
  using ConnectionPtr = std::shared_ptr<Connection>;

  /// A port that is listened at, and the hosts that do so: more than one where each speaks for domains of its own.
  struct Door {
    explicit Door(asio::io_context& io) : acceptor(io), retry(io) {}
    tcp::acceptor acceptor;
    asio::steady_timer retry;
    bool paused = false;  // nothing is accepted for want of descriptors or memory
    std::vector<Host*> residents;
  };
  using DoorPtr = std::shared_ptr<Door>;
  struct Listening {
    Actor* owner = nullptr;
    DoorPtr door;
  };
  /// Somebody who has not said yet for which domain.
  struct Caller {
    explicit Caller(tcp::socket socket_) : socket(std::move(socket_)), wait(socket.get_executor()) {}
    tcp::socket socket;
    asio::steady_timer wait;
    int looks = 0;
  };

  struct DatagramSocket {
    explicit DatagramSocket(asio::io_context& io) : socket(io) {}
    udp::socket socket;
    udp::endpoint from;
    std::array<char, datagram_size_max_octets> buffer{};
  };
  struct Bound {
    Actor* owner = nullptr;
    std::shared_ptr<DatagramSocket> socket;
  };

  struct Wake {
    explicit Wake(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
    bool cancelled = false;  // the timer may have fired already and wait in the queue
  };

  class Host final : public HostBooks<Listening, Bound, std::shared_ptr<Wake>, ConnectionPtr> {
   public:
    Host(Impl& world, std::string name, std::string address, int number)
        : HostBooks(std::move(name), std::move(address), number, world.options.seed),
          host_number(number),
          world_(world) {}

    const int host_number;

    Time now() const override { return world_.now(); }
    std::time_t wall_clock() const override { return std::time(nullptr); }
    void listen(Actor& actor, std::uint16_t port) override;
    ConnectionId connect(Actor& actor, const Endpoint& to) override;
    void send(ConnectionId id, std::string_view bytes) override;
    void shutdown(ConnectionId id) override;
    std::uint16_t bind_datagram(Actor& actor, std::uint16_t port) override;
    void send_to(std::uint16_t local_port, const Endpoint& to, std::string_view bytes) override;
    void wake_at(Actor& actor, Time when) override;
    bool keeps_notes() const override { return world_.options.notes; }

    void erase(ConnectionId id) { connections_.erase(id); }
    Impl& world() const { return world_; }
    void accepted(std::uint16_t port, tcp::socket socket);

   private:
    void reset(ConnectionId, const ConnectionPtr& connection) override { Impl::reset(connection); }
    void close(const Listening& listening) override;
    void close(const Bound& bound) override;
    void cancel(const std::shared_ptr<Wake>& wake) override;
    void name_other_end(TraceRecord& record) override;
    Trace& trace() override { return world_.trace; }

    void label(const ConnectionPtr& connection);
    void receive(std::shared_ptr<DatagramSocket> bound, Actor& owner, std::uint16_t port);

    Impl& world_;
    std::map<ConnectionId, std::pair<std::string, std::string>> labels_;  // peer and connection, also of the late dead
  };

  explicit Impl(LiveOptions options_) : options(std::move(options_)) {
    CUTOVER_CHECK(options.block >= 0 && options.block < blocks);
  }
  Time now() const { return Time{1us} + std::chrono::duration_cast<Duration>(Steady::now() - epoch); }
  std::string name_at(const std::string& address) const;
  std::string strangers;                        ///< see call_strangers()
  std::map<std::string, int> hosts_of_domains;  ///< see answer_for()
  std::function<std::string()> nameless;        ///< see answer_nameless_for()
  std::map<std::pair<std::string, std::uint16_t>, std::weak_ptr<Door>> doors;

  ConnectionId next_id() { return static_cast<ConnectionId>(++last_id); }
  [[nodiscard]] bool speaks_for_a_domain(const Host& host) const;
  static void accept(const DoorPtr& door, std::uint16_t port);
  /// Throws HarnessFault for a shortage that is not to be outlasted.
  void bear(const error_code& error) const;
  static void pause_accepting(const DoorPtr& door, std::uint16_t port, const error_code& error);
  void look_at(const DoorPtr& door, std::uint16_t port, const std::shared_ptr<Caller>& caller) const;
  [[nodiscard]] Host& resident_for(const Door& door, const std::string& domain) const;
  static void read(const ConnectionPtr& connection);
  static void write(const ConnectionPtr& connection);
  static void written(const ConnectionPtr& connection, const error_code& error);
  static void end_of_file(const ConnectionPtr& connection);
  static void reset(const ConnectionPtr& connection);
  static void bury(const ConnectionPtr& connection);
  static void closed(const ConnectionPtr& connection, std::string_view reason);
  static void close_later(const ConnectionPtr& connection, std::string reason);
  static void connected(const ConnectionPtr& connection, const error_code& error);

  using Steady = std::chrono::steady_clock;
  LiveOptions options;
  const Steady::time_point epoch = Steady::now();
  asio::io_context io{1};
  // Without work an io_context stops, and an idle world would spin.
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  Machines<Host> machines;
  std::uint64_t last_id = 0;
  Trace trace;
};

// -- connections ---------------------------------------------------------------------------------------------------

void LiveWorld::Impl::bury(const ConnectionPtr& connection) {
  connection->state = EndState::dead;
  connection->host.erase(connection->id);
  error_code ignored;
  connection->socket.close(ignored);
}

void LiveWorld::Impl::reset(const ConnectionPtr& connection) {
  error_code ignored;
  connection->socket.set_option(asio::socket_base::linger(true, 0), ignored);
  bury(connection);
}

void LiveWorld::Impl::closed(const ConnectionPtr& connection, std::string_view reason) {
  if (connection->state == EndState::dead) return;
  const bool was_connecting = connection->state == EndState::connecting;
  bury(connection);
  if (was_connecting)
    connection->owner->on_connect_failed(connection->id, reason);
  else
    connection->owner->on_closed(connection->id, reason);
}

void LiveWorld::Impl::close_later(const ConnectionPtr& connection, std::string reason) {
  asio::post(connection->socket.get_executor(),
             [connection, reason = std::move(reason)] { closed(connection, reason); });
}

void LiveWorld::Impl::read(const ConnectionPtr& connection) {
  connection->socket.async_read_some(
      asio::buffer(connection->buffer), [connection](const error_code& error, std::size_t size) {
        if (connection->state == EndState::dead || error == asio::error::operation_aborted) return;
        if (error == asio::error::eof && !connection->write_failed) return end_of_file(connection);
        if (error) return closed(connection, "connection reset by the peer");
        connection->owner->on_received(connection->id, {connection->buffer.data(), size});
        if (connection->state == EndState::dead || !connection->socket.is_open()) return;
        connection->read_paused = connection->queued.size() > queue_size_max_octets;
        if (!connection->read_paused) read(connection);
      });
}

void LiveWorld::Impl::end_of_file(const ConnectionPtr& connection) {
  connection->fin_seen = true;
  connection->owner->on_eof(connection->id);
  if (connection->state != EndState::dead && connection->fin_sent) closed(connection, "closed by both ends");
}

/// One write at a time; a FIN only when all is written, by shutdown(send), because close() may turn unread bytes into
/// an RST that eats what we said last.
void LiveWorld::Impl::write(const ConnectionPtr& connection) {
  if (!connection->in_writing.empty() || connection->state != EndState::open || connection->write_failed) return;
  if (!connection->queued.empty()) {
    connection->in_writing = std::exchange(connection->queued, {});
    asio::async_write(connection->socket, asio::buffer(connection->in_writing),
                      [connection](const error_code& error, std::size_t) { written(connection, error); });
  } else if (connection->fin_wanted && !connection->fin_sent) {
    error_code ignored;
    connection->socket.shutdown(tcp::socket::shutdown_send, ignored);
    connection->fin_sent = true;
    if (connection->fin_seen) close_later(connection, "closed by both ends");
  }
}

void LiveWorld::Impl::written(const ConnectionPtr& connection, const error_code& error) {
  connection->in_writing.clear();
  if (connection->state == EndState::dead || error == asio::error::operation_aborted) return;
  if (!error) {
    if (std::exchange(connection->read_paused, false)) read(connection);
    return write(connection);
  }
  connection->write_failed =
      true;  // the read in progress fails too, after the last bytes; a failed write makes it say EOF
  if (connection->fin_seen || connection->read_paused) closed(connection, reason_of(error));
}

void LiveWorld::Impl::connected(const ConnectionPtr& connection, const error_code& error) {
  if (connection->state == EndState::dead || error == asio::error::operation_aborted) return;
  if (error) return closed(connection, reason_of(error));
  error_code ignored;
  connection->socket.set_option(tcp::no_delay(true), ignored);
  connection->state = EndState::open;
  write(connection);
  connection->owner->on_connected(connection->id);
  if (connection->state != EndState::dead) read(connection);
}

// -- what nodes ask for --------------------------------------------------------------------------------------------

bool LiveWorld::Impl::speaks_for_a_domain(const Host& host) const {
  return std::ranges::any_of(hosts_of_domains, [&](const auto& entry) { return entry.second == host.host_number; });
}

void LiveWorld::Impl::Host::listen(Actor& actor, std::uint16_t port) {
  auto& known = world_.doors[{address(), port}];
  auto door = known.lock();
  const auto fail = [&](const std::string& why) {
    throw ListenError(fmt::format("cannot listen on {}:{}: {}", address(), port, why));
  };
  if (door) {
    const auto speaks = [this](const Host* host) { return host != this && world_.speaks_for_a_domain(*host); };
    if (!world_.speaks_for_a_domain(*this) || !std::ranges::all_of(door->residents, speaks))
      fail("Address already in use");
    door->residents.push_back(this);
    listeners_[port] = {&actor, door};
    return;
  }
  door = std::make_shared<Door>(world_.io);
  error_code error;
  auto& acceptor = door->acceptor;
  acceptor.open(tcp::v4(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind({literal(address()), port}, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) fail(error.message());
  door->residents.push_back(this);
  known = door;
  listeners_[port] = {&actor, door};
  accept(door, port);
}

void LiveWorld::Impl::accept(const DoorPtr& door, std::uint16_t port) {
  door->acceptor.async_accept([door, port](const error_code& error, tcp::socket socket) {
    if (!door->acceptor.is_open()) return;
    if (error && error != asio::error::connection_aborted) return pause_accepting(door, port, error);
    if (!error) {
      auto& first = *door->residents.front();
      if (std::exchange(door->paused, false))
        first.note({.summary = fmt::format("accepts on port {} again", port), .detail = {}});
      if (door->residents.size() == 1)
        first.accepted(port, std::move(socket));
      else
        first.world().look_at(door, port, std::make_shared<Caller>(std::move(socket)));
    }
    if (door->acceptor.is_open()) accept(door, port);
  });
}

void LiveWorld::Impl::bear(const error_code& error) const {
  const bool shortage = error == asio::error::no_descriptors || error == asio::error::no_memory ||
                        error == boost::system::errc::too_many_files_open_in_system;
  if (shortage && !options.outlasts_shortage)
    throw HarnessFault(error.message() + ": allow this process more open files (ulimit -n)");
}

/// Those who connect wait in the kernel meanwhile; what is open goes on.
void LiveWorld::Impl::pause_accepting(const DoorPtr& door, std::uint16_t port, const error_code& error) {
  door->residents.front()->world().bear(error);
  if (!std::exchange(door->paused, true))
    door->residents.front()->note(
        {.summary = fmt::format("accepts nobody on port {} for now: {}", port, error.message()), .detail = {}});
  door->retry.expires_after(accept_pause);
  door->retry.async_wait([door, port](const error_code&) {
    if (door->acceptor.is_open()) accept(door, port);
  });
}

/// What the caller says stays in the kernel until it is known who is meant.
void LiveWorld::Impl::look_at(const DoorPtr& door, std::uint16_t port, const std::shared_ptr<Caller>& caller) const {
  constexpr int looks_max = 500;
  const auto look = [this, door, port, caller](const error_code& failed) {
    if (door->residents.empty()) return;
    std::array<char, 8192> first{};
    error_code error = failed;
    std::size_t size = 0;
    if (!error) size = caller->socket.receive(asio::buffer(first), asio::socket_base::message_peek, error);
    const auto domain = domain_called({first.data(), size});
    if (error) return;  // gone before it said anything
    if (domain || ++caller->looks > looks_max)
      return resident_for(*door, domain.value_or("")).accepted(port, std::move(caller->socket));
    caller->wait.expires_after(look_pause);
    caller->wait.async_wait([this, door, port, caller](const error_code&) { look_at(door, port, caller); });
  };
  caller->socket.async_wait(tcp::socket::wait_read, look);
}

LiveWorld::Impl::Host& LiveWorld::Impl::resident_for(const Door& door, const std::string& domain) const {
  const auto host = hosts_of_domains.find(domain.empty() && nameless ? nameless() : domain);
  const auto meant = std::ranges::find_if(door.residents, [&](const Host* resident) {
    return host != hosts_of_domains.end() && resident->host_number == host->second;
  });
  return meant == door.residents.end() ? *door.residents.front() : **meant;
}

/// Of the dead the last ones keep theirs: their nodes may note more of them.
void LiveWorld::Impl::Host::label(const ConnectionPtr& connection) {
  labels_[connection->id] = {connection->peer_name, connection->label};
  if (labels_.size() <= 2 * dead_labels_max + connections_.size()) return;
  auto surplus = labels_.size() - dead_labels_max - connections_.size();
  std::erase_if(labels_, [&](const auto& entry) {
    return surplus != 0 && !connections_.contains(entry.first) && surplus-- != 0;
  });
}

void LiveWorld::Impl::Host::accepted(std::uint16_t port, tcp::socket socket) {
  const auto* listening = listener_at(port);
  if (listening == nullptr) return;
  error_code error;
  const auto remote = socket.remote_endpoint(error);
  const Endpoint peer = error ? Endpoint{} : Endpoint{remote.address().to_string(), remote.port()};
  socket.set_option(tcp::no_delay(true), error);
  auto connection = std::make_shared<Connection>(std::move(socket), world_.next_id(), *this, *listening->owner);
  connection->state = EndState::open;
  connection->remote_address = peer.address;
  connection->peer_name = world_.name_at(peer.address);
  connection->label = fmt::format("{}:{} > {}:{}", connection->peer_name, peer.port, name(), port);
  connections_.emplace(connection->id, connection);
  label(connection);
  connection->owner->on_accepted(connection->id, port, peer);
  if (connection->state != EndState::dead) read(connection);
}

void LiveWorld::Impl::Host::close(const Listening& listening) {
  auto& door = *listening.door;
  std::erase(door.residents, this);
  if (!door.residents.empty()) return;
  error_code ignored;
  door.acceptor.close(ignored);
  std::erase_if(world_.doors, [&](const auto& entry) { return entry.second.lock() == listening.door; });
}

ConnectionId LiveWorld::Impl::Host::connect(Actor& actor, const Endpoint& to) {
  auto connection = std::make_shared<Connection>(tcp::socket(world_.io), world_.next_id(), *this, actor);
  connections_.emplace(connection->id, connection);
  connection->remote_address = to.address;
  connection->peer_name = world_.name_at(to.address);
  error_code error;
  connection->socket.open(tcp::v4(), error);
  world_.bear(error);
  if (!error) connection->socket.bind({literal(address()), 0}, error);
  const auto local = error ? tcp::endpoint{} : connection->socket.local_endpoint(error);
  connection->label = fmt::format("{}:{} > {}:{}", name(), local.port(), connection->peer_name, to.port);
  label(connection);
  const auto address = address_in(to.address);
  if (error || !address) {
    close_later(connection, error ? error.message() : "'" + to.address + "' is no address");
    return connection->id;
  }
  connection->socket.async_connect({*address, to.port},
                                   [connection](const error_code& outcome) { connected(connection, outcome); });
  return connection->id;
}

void LiveWorld::Impl::Host::send(ConnectionId id, std::string_view bytes) {
  const auto connection = own(id);
  if (connection == nullptr || connection->fin_wanted || bytes.empty()) return;
  connection->queued += bytes;
  write(connection);
}

void LiveWorld::Impl::Host::shutdown(ConnectionId id) {
  const auto connection = own(id);
  if (connection == nullptr) return;
  connection->fin_wanted = true;
  write(connection);
}

std::uint16_t LiveWorld::Impl::Host::bind_datagram(Actor& actor, std::uint16_t port) {
  auto bound = std::make_shared<DatagramSocket>(world_.io);
  error_code error;
  bound->socket.open(udp::v4(), error);
  if (!error) bound->socket.bind({literal(address()), port}, error);
  if (!error) bound->socket.non_blocking(true, error);
  if (error) throw ListenError(fmt::format("cannot bind UDP {}:{}: {}", address(), port, error.message()));
  const auto number = bound->socket.local_endpoint().port();
  datagram_ports_[number] = {&actor, bound};
  receive(std::move(bound), actor, number);
  return number;
}

void LiveWorld::Impl::Host::receive(std::shared_ptr<DatagramSocket> bound, Actor& owner, std::uint16_t port) {
  auto& [socket, from, octets] = *bound;
  socket.async_receive_from(asio::buffer(octets), from,
                            [this, bound = std::move(bound), &owner, port](const error_code& error, std::size_t size) {
                              if (!bound->socket.is_open()) return;
                              if (!error) {
                                const Endpoint sender{bound->from.address().to_string(), bound->from.port()};
                                owner.on_datagram(port, sender, {bound->buffer.data(), size});
                              }
                              if (bound->socket.is_open()) receive(bound, owner, port);
                            });
}

void LiveWorld::Impl::Host::close(const Bound& bound) {
  error_code ignored;
  bound.socket->socket.close(ignored);
}

void LiveWorld::Impl::Host::send_to(std::uint16_t local_port, const Endpoint& to, std::string_view bytes) {
  const auto* bound = datagram_port_at(local_port);
  const auto address = address_in(to.address);
  if (bound == nullptr || !address) return;
  error_code ignored;  // a datagram may be lost
  bound->socket->socket.send_to(asio::buffer(bytes.data(), bytes.size()), {*address, to.port}, 0, ignored);
}

void LiveWorld::Impl::Host::wake_at(Actor& actor, Time when) {
  cancel_wake(actor);
  auto wake = std::make_shared<Wake>(world_.io);
  wakes_[&actor] = wake;
  wake->timer.expires_at(world_.epoch + (when - Time{1us}));
  wake->timer.async_wait([this, wake, &actor](const error_code&) {
    if (wake->cancelled) return;
    wakes_.erase(&actor);
    actor.on_wake();
  });
}

void LiveWorld::Impl::Host::cancel(const std::shared_ptr<Wake>& wake) {
  wake->cancelled = true;
  wake->timer.cancel();
}

void LiveWorld::Impl::Host::name_other_end(TraceRecord& record) {
  if (const auto label = labels_.find(record.note.connection); label != labels_.end())
    std::tie(record.peer, record.connection) = label->second;
  else if (!record.note.address.empty())
    record.peer = world_.name_at(record.note.address);
}

// -- the world -----------------------------------------------------------------------------------------------------

std::string LiveWorld::Impl::name_at(const std::string& address) const {
  if (const auto* host = machines.at_address(address)) return host->name();
  return strangers.empty() ? address : strangers;
}

LiveWorld::LiveWorld(LiveOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

LiveWorld::~LiveWorld() {
  impl_->machines.clear([](Impl::Host& host) { host.close_everything(); });
}

Time LiveWorld::now() const { return impl_->now(); }
std::time_t LiveWorld::wall_clock() const { return std::time(nullptr); }
Trace& LiveWorld::trace() { return impl_->trace; }
void LiveWorld::call_strangers(std::string name) { impl_->strangers = std::move(name); }
void LiveWorld::answer_for(int host, const std::string& domain) { impl_->hosts_of_domains[domain] = host; }

void LiveWorld::answer_nameless_for(const std::function<std::string()>& whom) { impl_->nameless = whom; }

std::string LiveWorld::address_of(int host) const {
  const auto& given = impl_->options.addresses;
  if (const auto address = given.find(host); address != given.end()) return address->second;
  CUTOVER_CHECK(host >= 1 && host <= 254);
  const int block = impl_->options.block;
  return fmt::format("127.{}.{}.{}", 1 + block / 256, block % 256,
                     host);  // never 127.0.0.0/16, where people have servers
}

void LiveWorld::add_node(std::string name, int host, std::unique_ptr<Node> node) {
  const bool lent = impl_->options.addresses.contains(host);  // one machine may have to lend its address to several
  impl_->machines.add(std::make_unique<Impl::Host>(*impl_, std::move(name), address_of(host), host), std::move(node),
                      lent);
}

void LiveWorld::remove(Node& node) { impl_->machines.remove(node); }

void LiveWorld::partition(const std::string&, const std::string&) {
  throw HarnessFault("a live world cannot part two nodes: the case is for simulated worlds only");
}

void LiveWorld::heal(const std::string& node_a, const std::string& node_b) { partition(node_a, node_b); }

void LiveWorld::close_port(const std::string&, const std::string&, std::uint16_t) {
  throw HarnessFault("a live world has no firewall: the case is for simulated worlds only");
}

void LiveWorld::open_port(const std::string& from, const std::string& to, std::uint16_t port) {
  close_port(from, to, port);
}

void LiveWorld::cut_connections(const std::string& node_a, const std::string& node_b) {
  const auto& near = impl_->machines.named(node_a);
  const auto& far_address = impl_->machines.named(node_b).address();
  for (const auto& [id, connection] : near.connections()) {
    if (connection->remote_address != far_address) continue;
    error_code ignored;
    connection->socket.set_option(asio::socket_base::linger(true, 0), ignored);
    connection->socket.close(ignored);  // the kernel tells the other end
    Impl::close_later(connection, "connection reset by the network");
  }
}

std::size_t LiveWorld::open_connections(const Node& node) const { return impl_->machines.of(node).open_connections(); }

bool LiveWorld::step(Time end) {
  impl_->io.run_one_until(impl_->epoch + (end - Time{1us}));
  return true;
}

Time LiveWorld::end_of(Duration limit) const {
  return now() + std::chrono::duration_cast<Duration>(limit * impl_->options.time_scale);
}

}  // namespace cutover::harness
