// Connections, framing and transactions of one SIP element (RFC 3261 sections 17 and 18, RFC 5626 keep-alives, RFC 5922
// names).
#include "protocol/sip/endpoint.h"

#include "protocol/sip/framing.h"
#include "protocol/sip/passage.h"
#include "protocol/sip/rules.h"
#include "protocol/sip/text.h"
#include "protocol/tls/identity.h"

#include <algorithm>
#include <map>
#include <set>

namespace cutover::sip {
namespace {

std::string summary_of(const Message& message) {
  if (message.is_request) return message.method + ' ' + message.request_uri;
  return std::to_string(message.status) + ' ' + message.reason + " (" + message.cseq_method() + ')';
}

/// Whether the certificate names a SIP domain (RFC 5922 section 7.2).
bool speaks_for(const tls::PeerCertificate& certificate, std::string_view name, const Departures& departures) {
  auto names = certificate;
  if (departures.holds(Rule::wildcards_speak_for_nobody)) {
    std::erase_if(names.dns_names, [](const auto& entry) { return entry.starts_with("*."); });
    if (names.dns_names.empty() && names.common_name.starts_with("*.")) return false;
  }
  return tls::covers(names, name);
}

}  // namespace

struct Endpoint::Impl {
  struct Outgoing {
    std::string octets;
    std::string summary;
  };
  struct Connection {
    ::cutover::Endpoint peer;
    bool outbound = false;
    bool ready = false;  ///< octets of messages may be sent: TLS, where there is any, is established and judged
    std::string tls_name;
    std::unique_ptr<tls::Session> tls;
    Framer framer;
    std::vector<Outgoing> waiting;
  };
  struct Client {
    ClientTransaction machine;
    ConnectionId connection;
    OnResponse on_response;
    OnFailure on_failure;
    std::optional<Time> scheduled;
  };
  struct Server {
    ServerTransaction machine;
    ConnectionId connection;
    std::string key;
    std::optional<Time> scheduled;
  };

  Impl(Endpoint& self_in, Context& context_in, EndpointConfig config_in, EndpointOwner& owner_in)
      : self(self_in), context(context_in), config(std::move(config_in)), owner(owner_in) {
    config.departures.adjust(config);
    if (const auto* departed = config.departures.get()) rewrites = departed->sip_messages;
  }

  Endpoint& self;
  Context& context;
  EndpointConfig config;
  EndpointOwner& owner;
  std::map<ConnectionId, Connection> connections;
  std::map<std::pair<::cutover::Endpoint, std::string>, ConnectionId> outbound;
  std::map<std::string, Client> clients;
  std::map<TransactionId, Server> servers;
  std::map<std::string, TransactionId> server_keys;
  std::set<std::pair<Time, std::string>> client_deadlines;
  std::set<std::pair<Time, TransactionId>> server_deadlines;
  std::vector<OnFailure> refused;  ///< requests that had nowhere to go: told at the next wake, never inside request()
  std::optional<Time> armed;
  std::uint64_t transactions_made = 0;
  std::vector<std::function<void(Passage&)>> rewrites;  ///< at the seam; with what they remember

  [[nodiscard]] bool holds(Rule rule) const { return config.departures.holds(rule); }
  [[nodiscard]] bool breaks(Rule rule, bool condition) const { return config.departures.breaks(rule, condition); }

  // Time.

  void arm() {
    std::optional<Time> next;
    if (!refused.empty()) next = context.now();
    if (!client_deadlines.empty() && (!next || client_deadlines.begin()->first < *next))
      next = client_deadlines.begin()->first;
    if (!server_deadlines.empty() && (!next || server_deadlines.begin()->first < *next))
      next = server_deadlines.begin()->first;
    if (!next) {
      if (armed) context.cancel_wake(self);
      armed.reset();
    } else if (!armed || *next < *armed) {
      // A wake-up that comes too early for what is left does no harm; moving it for every transaction would cost more.
      armed = next;
      context.wake_at(self, *next);
    }
  }

  void schedule(const std::string& key, Client& client) {
    if (client.scheduled == client.machine.deadline()) return;
    if (client.scheduled) client_deadlines.erase({*client.scheduled, key});
    client.scheduled = client.machine.deadline();
    if (client.scheduled) client_deadlines.insert({*client.scheduled, key});
    arm();
  }

  void schedule(TransactionId id, Server& server) {
    if (server.scheduled == server.machine.deadline()) return;
    if (server.scheduled) server_deadlines.erase({*server.scheduled, id});
    server.scheduled = server.machine.deadline();
    if (server.scheduled) server_deadlines.insert({*server.scheduled, id});
    arm();
  }

  void on_wake() {
    armed.reset();
    for (const auto& on_failure : std::exchange(refused, {})) on_failure(TransactionFailure::transport_failed);
    while (!client_deadlines.empty() && client_deadlines.begin()->first <= context.now()) {
      const auto key = client_deadlines.begin()->second;
      auto& client = clients.at(key);
      auto out = client.machine.timeout(context.now());
      finish_client_step(key, std::move(out));
    }
    while (!server_deadlines.empty() && server_deadlines.begin()->first <= context.now()) {
      const auto id = server_deadlines.begin()->second;
      finish_server_step(id, servers.at(id).machine.timeout(context.now()));
    }
    arm();
  }

  // Notes.

  void note_message(Direction direction, ConnectionId id, std::string summary, std::string octets) {
    context.note({Layer::sip, direction, id, std::move(summary), std::move(octets)});
  }
  void note_event(Layer layer, ConnectionId id, std::string summary, std::string detail = {}) {
    context.note({layer, Direction::none, id, std::move(summary), std::move(detail)});
  }

  // Connections.

  [[nodiscard]] bool is_open(ConnectionId id) const { return connections.contains(id); }

  Connection& add_connection(ConnectionId id, const ::cutover::Endpoint& peer, bool is_outbound, std::string tls_name) {
    auto& connection = connections[id];
    connection.framer = Framer(config.departures);
    connection.peer = peer;
    connection.outbound = is_outbound;
    connection.tls_name = std::move(tls_name);
    if (config.identity) {
      tls::SessionOptions options;
      options.server_name = connection.tls_name;
      options.request_client_certificate = true;
      options.require_client_certificate = config.mutual_tls && holds(Rule::peer_shows_a_certificate);
      options.wall_clock = context.wall_clock();
      connection.tls = config.identity->session(is_outbound ? tls::Role::client : tls::Role::server, options);
    }
    return connection;
  }

  ConnectionId choose(const Destination& destination) {
    if (is_open(destination.connection)) return destination.connection;
    if (destination.address.address.empty()) return ConnectionId::none;
    const auto key = std::pair{destination.address, destination.tls_name};
    const auto open = outbound.find(key);
    if (breaks(Rule::connection_is_reused, open != outbound.end())) return open->second;
    const auto id = context.connect(self, destination.address);
    add_connection(id, destination.address, true, destination.tls_name);
    outbound[key] = id;
    return id;
  }

  /// Forgets a connection and fails what depended on it. The caller has seen to the socket.
  void drop(ConnectionId id) {
    const auto found = connections.find(id);
    if (found == connections.end()) return;
    const auto key = std::pair{found->second.peer, found->second.tls_name};
    if (const auto reused = outbound.find(key); reused != outbound.end() && reused->second == id)
      outbound.erase(reused);
    connections.erase(found);
    std::vector<std::string> lost;
    for (const auto& [client, entry] : clients)
      if (entry.connection == id) lost.push_back(client);
    std::vector<TransactionId> unanswerable;
    for (const auto& [transaction, entry] : servers)
      if (entry.connection == id) unanswerable.push_back(transaction);
    for (const auto transaction : unanswerable) {
      servers.at(transaction).machine.transport_failed();
      finish_server_step(transaction, {});
    }
    for (const auto& client : lost)
      if (const auto entry = clients.find(client); entry != clients.end())
        finish_client_step(client, entry->second.machine.transport_failed());
    owner.on_connection_closed(id);
  }

  void close(ConnectionId id, const std::string& why) {
    const auto found = connections.find(id);
    if (found == connections.end()) return;
    if (!why.empty()) note_event(Layer::event, id, "SIP connection closed: " + why);
    if (found->second.tls) {
      if (found->second.ready) found->second.tls->close();
      flush_cipher(id, found->second);
    }
    context.shutdown(id);
    drop(id);
  }

  void flush_cipher(ConnectionId id, Connection& connection) {
    if (const auto cipher = connection.tls->take_cipher(); !cipher.empty()) context.send(id, cipher);
  }

  void transmit(ConnectionId id, const Message& message) {
    if (rewrites.empty()) return transmit_octets(id, message, serialise(message));
    auto passage = rewritten(Direction::out, message);
    if (!passage.dropped) {
      auto octets = serialise(passage.message);
      for (const auto& edit : passage.edits) edit(octets);
      transmit_octets(id, passage.message, std::move(octets));
    }
    for (const auto& another : passage.behind) transmit_octets(id, another, serialise(another));
    for (auto& answer : passage.back) hear(id, std::move(answer));
  }

  void transmit_octets(ConnectionId id, const Message& message, std::string octets) {
    const auto found = connections.find(id);
    if (found == connections.end()) return;
    Outgoing outgoing{std::move(octets), summary_of(message)};
    if (found->second.ready)
      put(id, found->second, std::move(outgoing));
    else
      found->second.waiting.push_back(std::move(outgoing));
  }

  void put(ConnectionId id, Connection& connection, Outgoing outgoing) {
    if (connection.tls) {
      connection.tls->write(outgoing.octets);
      flush_cipher(id, connection);
    } else {
      context.send(id, outgoing.octets);
    }
    note_message(Direction::out, id, std::move(outgoing.summary), std::move(outgoing.octets));
  }

  void become_ready(ConnectionId id) {
    auto& connection = connections.at(id);
    connection.ready = true;
    for (auto& outgoing : std::exchange(connection.waiting, {})) put(id, connection, std::move(outgoing));
  }

  /// What is wrong with the peer's certificate (RFC 5922 section 7); empty where nothing is.
  [[nodiscard]] std::string judge(const Connection& connection) const {
    if (!holds(Rule::certificate_is_judged)) return {};
    const auto certificate = connection.tls->peer_certificate();
    if (!certificate) {
      const bool wanted = connection.outbound || config.mutual_tls;
      return breaks(Rule::peer_shows_a_certificate, wanted) ? "the peer shows no certificate" : "";
    }
    if (breaks(Rule::chain_is_trusted, !certificate->chain_valid)) return "certificate: " + certificate->chain_error;
    const auto& sought = connection.tls_name;
    if (breaks(Rule::certificate_speaks_for_the_domain,
               !sought.empty() && !speaks_for(*certificate, sought, config.departures)))
      return "the certificate does not speak for " + sought;
    return {};
  }

  /// Goes on with the handshake. False when the connection is gone.
  bool shake_hands(ConnectionId id) {
    auto& connection = connections.at(id);
    if (!connection.tls || connection.ready) return true;
    const auto progress = connection.tls->handshake();
    flush_cipher(id, connection);
    if (progress == tls::Progress::wants_input) return true;
    auto wrong = progress == tls::Progress::failed ? connection.tls->failure() : judge(connection);
    if (progress == tls::Progress::failed && wrong.empty()) wrong = "handshake failed";
    if (!wrong.empty()) {
      note_event(Layer::tls, id, "TLS refused", wrong);
      close(id, wrong);
      return false;
    }
    note_event(Layer::tls, id, "TLS established", connection.tls->version() + ' ' + connection.tls->cipher_suite());
    become_ready(id);
    return true;
  }

  void on_received(ConnectionId id, std::string_view octets) {
    if (!is_open(id)) return;
    if (auto& connection = connections.at(id); connection.tls) {
      connection.tls->put_cipher(octets);
      if (!shake_hands(id)) return;
      // Nothing is read before the peer's certificate was judged.
      if (!connection.ready) return;
      connection.framer.push(connection.tls->read());
      flush_cipher(id, connection);
    } else {
      connection.framer.push(octets);
    }
    while (is_open(id)) {
      auto item = connections.at(id).framer.next();
      if (!item) break;
      on_item(id, std::move(*item));
    }
    if (const auto found = connections.find(id); found != connections.end() && found->second.tls) {
      if (found->second.tls->peer_closed())
        close(id, "the peer closed TLS");
      else if (const auto failure = found->second.tls->failure(); !failure.empty())
        close(id, failure);
    }
  }

  void on_item(ConnectionId id, Framer::Item item) {
    if (auto* frame = std::get_if<Framer::Frame>(&item)) return on_octets(id, std::move(frame->octets));
    if (std::holds_alternative<Framer::Ping>(item)) {
      if (holds(Rule::keep_alive_is_answered)) pong(id);
      return;
    }
    auto& fault = std::get<Framer::Fault>(item);
    note_message(Direction::in, id, "unreadable: " + fault.what, fault.headers);
    // Only the length is wrong: what the headers say of the way back can still be used.
    if (!fault.headers.empty()) {
      const auto result = parse(fault.headers);
      if (const auto* error = std::get_if<ParseError>(&result)) {
        if (error->answerable) answer_bad(id, *error->answerable, fault.status, fault.what);
      } else if (std::get<Message>(result).is_request) {
        answer_bad(id, std::get<Message>(result), fault.status, fault.what);
      }
    }
    if (holds(Rule::stream_without_boundaries_is_closed)) close(id, fault.what);
  }

  void pong(ConnectionId id) {
    auto& connection = connections.at(id);
    if (connection.tls) {
      connection.tls->write("\r\n");
      flush_cipher(id, connection);
    } else {
      context.send(id, "\r\n");
    }
  }

  void answer_bad(ConnectionId id, const Message& request, int status, const std::string& what) {
    if (breaks(Rule::ack_is_never_answered, request.method == "ACK")) return;
    if (!holds(Rule::bad_request_is_answered)) return;
    auto response = response_to(request, status, "", self.random_token());
    response.add_header("Warning", "399 " + self.host_port() + " \"" + what + "\"");
    transmit(id, response);
  }

  void on_octets(ConnectionId id, std::string octets) {
    auto result = parse(octets, holds(Rule::headers_are_counted) ? limits::sip_headers_max : octets.size());
    if (const auto* error = std::get_if<ParseError>(&result)) {
      note_message(Direction::in, id, "unreadable: " + error->what, std::move(octets));
      if (error->answerable) answer_bad(id, *error->answerable, error->status, error->what);
      return;
    }
    auto& message = std::get<Message>(result);
    note_message(Direction::in, id, summary_of(message), std::move(octets));
    if (rewrites.empty()) return hear(id, std::move(message));
    auto passage = rewritten(Direction::in, std::move(message));
    for (const auto& answer : passage.back) transmit_octets(id, answer, serialise(answer));
    if (!passage.dropped) hear(id, std::move(passage.message));
    for (auto& another : passage.behind) hear(id, std::move(another));
  }

  [[nodiscard]] Passage rewritten(Direction direction, Message message) {
    Passage passage;
    passage.direction = direction;
    passage.message = std::move(message);
    for (const auto& rewrite : rewrites) rewrite(passage);
    return passage;
  }

  void hear(ConnectionId id, Message message) {
    if (!is_open(id)) return;
    if (message.is_request)
      on_request(id, std::move(message));
    else
      on_response(message);
  }

  // Server side.

  /// RFC 3261 section 18.2.1: where the topmost Via names another host than the source address, that is written beside
  /// it.
  void mark_received(ConnectionId id, Message& request) {
    if (!holds(Rule::source_is_written_beside_via)) return;
    const auto via = request.header_or_empty("Via");
    const auto front = trim(std::string_view(via).substr(0, via.find(';')));
    const auto space = front.find_last_of(" \t");
    const auto sent_by = parse_uri("sip:" + std::string(front.substr(space == std::string_view::npos ? 0 : space + 1)));
    const auto& address = connections.at(id).peer.address;
    if (!sent_by || sent_by->host == address || sent_by->host == '[' + address + ']' ||
        via.find(";received=") != std::string::npos)
      return;
    const auto first = std::find_if(request.headers.begin(), request.headers.end(),
                                    [](const auto& header) { return same_ignoring_case(header.name, "Via"); });
    first->value += ";received=" + address;
  }

  void on_request(ConnectionId id, Message request) {
    const auto key = server_key(request);
    const auto known = server_keys.find(key);
    const bool absorbed = request.method == "ACK" || holds(Rule::repeated_request_is_absorbed);
    if (known != server_keys.end() && absorbed) {
      const auto transaction = known->second;
      auto out = servers.at(transaction).machine.receive(request, context.now());
      const bool to_user = out.to_user;
      finish_server_step(transaction, out);
      if (to_user) owner.on_request(TransactionId::none, request, id);
      return;
    }
    mark_received(id, request);
    if (request.method == "ACK") return owner.on_request(TransactionId::none, request, id);
    const auto transaction = static_cast<TransactionId>(++transactions_made);
    auto [entry, added] = servers.emplace(
        transaction,
        Server{ServerTransaction(request, context.now(), config.timers, config.departures), id, key, std::nullopt});
    server_keys.emplace(key, transaction);
    schedule(transaction, entry->second);
    owner.on_request(transaction, request, id);
  }

  void respond(TransactionId transaction, const Message& response) {
    const auto found = servers.find(transaction);
    if (found == servers.end()) return;
    finish_server_step(transaction, found->second.machine.respond(response, context.now()));
  }

  void finish_server_step(TransactionId transaction, const ServerOutput& out) {
    const auto found = servers.find(transaction);
    if (found == servers.end()) return;
    const auto connection = found->second.connection;
    schedule(transaction, found->second);
    if (found->second.machine.state() == TransactionState::terminated) {
      server_keys.erase(found->second.key);
      servers.erase(found);
    }
    for (const auto& response : out.to_transport) transmit(connection, response);
  }

  // Client side.

  void prepare(Message& request) {
    if (!request.header("Max-Forwards")) request.add_header("Max-Forwards", "70");
    const std::string transport = config.identity ? "TLS" : "TCP";
    request.prepend_header("Via",
                           "SIP/2.0/" + transport + ' ' + self.host_port() + ";branch=z9hG4bK" + self.random_token());
  }

  void request(Message message, const Destination& destination, OnResponse on_response, OnFailure on_failure) {
    auto id = message.method == "CANCEL" ? prepare_cancel(message) : ConnectionId::none;
    const bool nothing_to_cancel = message.method == "CANCEL" && id == ConnectionId::none;
    if (id == ConnectionId::none && !nothing_to_cancel) {
      prepare(message);
      id = choose(destination);
    }
    if (id == ConnectionId::none) {
      if (on_failure) refused.push_back(std::move(on_failure));
      return arm();
    }
    const auto key = client_key(message);
    auto [entry, added] =
        clients.emplace(key, Client{ClientTransaction(message, context.now(), config.timers, config.departures), id,
                                    std::move(on_response), std::move(on_failure), std::nullopt});
    schedule(key, entry->second);
    transmit(id, message);
  }

  /// RFC 3261 section 9.1: the Via of the INVITE, and its way. None where that is not pending any more.
  ConnectionId prepare_cancel(Message& cancel) {
    for (const auto& [key, client] : clients) {
      const auto& invite = client.machine.request();
      if (invite.method != "INVITE" || invite.call_id() != cancel.call_id() ||
          invite.cseq_number() != cancel.cseq_number())
        continue;
      cancel.remove_header("Via");
      cancel.prepend_header("Via", invite.header_or_empty("Via"));
      if (!cancel.header("Max-Forwards")) cancel.add_header("Max-Forwards", "70");
      return client.connection;
    }
    return ConnectionId::none;
  }

  void on_response(const Message& response) {
    auto found = clients.find(client_key(response));
    if (found == clients.end() && !holds(Rule::answer_matches_a_request))
      found = std::ranges::find_if(clients, [method = response.cseq_method()](const auto& entry) {
        return entry.second.machine.request().method == method;
      });
    if (found == clients.end())
      return note_event(Layer::event, ConnectionId::none, "SIP answer to no request", summary_of(response));
    const auto key = found->first;
    finish_client_step(key, found->second.machine.receive(response, context.now()));
  }

  /// Last step of every input, because the callbacks may do anything: the transaction is brought in order before them.
  void finish_client_step(const std::string& key, ClientOutput out) {
    const auto found = clients.find(key);
    if (found == clients.end()) return;
    const auto connection = found->second.connection;
    const auto on_response = found->second.on_response;
    const auto on_failure = found->second.on_failure;
    schedule(key, found->second);
    if (found->second.machine.state() == TransactionState::terminated) clients.erase(found);
    for (const auto& ack : out.to_transport) transmit(connection, ack);
    for (const auto& response : out.to_user)
      if (on_response) on_response(response);
    if (out.failure && on_failure) on_failure(*out.failure);
  }

  void send(Message message, const Destination& destination) {
    if (message.is_request) prepare(message);
    const auto id = choose(destination);
    if (id == ConnectionId::none) return note_event(Layer::event, id, "SIP message with no way", summary_of(message));
    transmit(id, message);
  }
};

Endpoint::Endpoint(Context& context, EndpointConfig config, EndpointOwner& owner)
    : impl_(std::make_unique<Impl>(*this, context, std::move(config), owner)) {}

Endpoint::~Endpoint() { impl_->context.forget(*this); }

void Endpoint::open() { impl_->context.listen(*this, impl_->config.port); }
void Endpoint::stop_accepting() { impl_->context.stop_listening(impl_->config.port); }

void Endpoint::request(Message message, const Destination& destination, OnResponse on_response, OnFailure on_failure) {
  impl_->request(std::move(message), destination, std::move(on_response), std::move(on_failure));
}
void Endpoint::send(Message message, const Destination& destination) { impl_->send(std::move(message), destination); }
void Endpoint::respond(TransactionId transaction, const Message& response) { impl_->respond(transaction, response); }

const Message* Endpoint::request_of(TransactionId transaction) const {
  const auto found = impl_->servers.find(transaction);
  return found == impl_->servers.end() ? nullptr : &found->second.machine.request();
}

TransactionId Endpoint::cancelled_by(const Message& cancel) const {
  const auto found = impl_->server_keys.find(cancelled_key(cancel));
  return found == impl_->server_keys.end() ? TransactionId::none : found->second;
}

bool Endpoint::peer_has_name(ConnectionId id, std::string_view name) const {
  const auto certificate = peer_certificate(id);
  return certificate && !impl_->breaks(Rule::chain_is_trusted, !certificate->chain_valid) &&
         speaks_for(*certificate, name, impl_->config.departures);
}

std::optional<tls::PeerCertificate> Endpoint::peer_certificate(ConnectionId id) const {
  const auto found = impl_->connections.find(id);
  if (found == impl_->connections.end() || !found->second.tls || !found->second.ready) return std::nullopt;
  return found->second.tls->peer_certificate();
}

bool Endpoint::is_open(ConnectionId id) const { return impl_->is_open(id); }

void Endpoint::close_all() {
  std::vector<ConnectionId> ids;
  for (const auto& [id, connection] : impl_->connections) ids.push_back(id);
  for (const auto id : ids) impl_->close(id, "");
}

std::string Endpoint::random_token() {
  constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string result;
  for (int i = 0; i < 2; ++i) {
    auto number = impl_->context.random(2'176'782'336);  // 36^6: twelve digits together, 62 bits
    for (int k = 0; k < 6; ++k, number /= 36) result += digits[number % 36];
  }
  return result;
}

std::string Endpoint::host_port() const {
  auto host = impl_->config.sent_by.empty() ? impl_->context.address() : impl_->config.sent_by;
  if (host.find(':') != std::string::npos && host.front() != '[') {
    host.insert(0, 1, '[');
    host += ']';
  }
  return host + ':' + std::to_string(impl_->config.port);
}

void Endpoint::on_accepted(ConnectionId id, std::uint16_t, const ::cutover::Endpoint& peer) {
  auto& connection = impl_->add_connection(id, peer, false, "");
  connection.ready = !connection.tls;
}

void Endpoint::on_connected(ConnectionId id) {
  if (!impl_->is_open(id)) return;
  if (impl_->connections.at(id).tls)
    impl_->shake_hands(id);
  else
    impl_->become_ready(id);
}

void Endpoint::on_connect_failed(ConnectionId id, std::string_view reason) {
  impl_->note_event(Layer::event, id, "SIP connect failed", std::string(reason));
  impl_->drop(id);
}

void Endpoint::on_received(ConnectionId id, std::string_view bytes) { impl_->on_received(id, bytes); }

void Endpoint::on_eof(ConnectionId id) { impl_->close(id, "the peer closed"); }

void Endpoint::on_closed(ConnectionId id, std::string_view) { impl_->drop(id); }

void Endpoint::on_wake() { impl_->on_wake(); }

}  // namespace cutover::sip
