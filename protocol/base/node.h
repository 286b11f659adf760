// Node and Context: one machine that reacts and never waits, and all that it can reach outside itself.
#pragma once

#include "protocol/base/time.h"

#include <compare>
#include <cstdint>
#include <ctime>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cutover {

/// An address and a port. The address is a literal ("127.0.0.5", "::1"), never a name.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

/// One TCP connection as one of its ends sees it; never reused within a world.
enum class ConnectionId : std::uint64_t { none = 0 };

/// Which protocol a note speaks of; a report draws each in its own way.
enum class Layer { xmpp, sip, dns, tls, http, event };
enum class Direction { in, out, none };

/// What a node tells the trace: one stanza, SIP message, DNS message, TLS or other event, after decryption.
/// The world adds the time, the node and the name of the other end.
struct Note {
  Layer layer = Layer::event;
  Direction direction = Direction::none;
  ConnectionId connection = ConnectionId::none;
  std::string summary;       ///< one line: "message", "SUBSCRIBE sip:a@b", "SRV _xmpp-server._tcp.a.example"
  std::string detail;        ///< the decrypted octets, or more words; may hold any octet
  std::string address = {};  ///< of the other end of a datagram, which has no connection
};

/// A node, or a part of a node (resolver, server, SIP endpoint) with connections and a wake-up of its own.
/// Inputs are total: an actor accepts every call at every time and does not throw for what a peer sends.
/// The destructor of every actor that used a Context must call Context::forget(*this).
class Actor {
 public:
  virtual ~Actor() = default;
  /// A connection was accepted on `port`; it belongs to the actor that listens, until handed over.
  virtual void on_accepted(ConnectionId, std::uint16_t port, const Endpoint& peer);
  virtual void on_connected(ConnectionId);
  /// A connect failed; `reason` is for people ("connection refused", "timed out").
  virtual void on_connect_failed(ConnectionId, std::string_view reason);
  virtual void on_received(ConnectionId, std::string_view bytes);
  /// The peer will send no more; we may still send. Answer with Context::shutdown when done.
  virtual void on_eof(ConnectionId);
  /// The connection is gone: both directions shut down, reset, or aborted by the peer. The id is dead.
  virtual void on_closed(ConnectionId, std::string_view reason);
  virtual void on_datagram(std::uint16_t local_port, const Endpoint& from, std::string_view bytes);
  /// The time asked for with Context::wake_at has come.
  virtual void on_wake();
};

/// A port that could not be bound; what() names address, port and reason.
struct ListenError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Everything that a node can do to the outside. One Context belongs to one node (one address).
class Context {
 public:
  virtual ~Context() = default;

  [[nodiscard]] virtual Time now() const = 0;
  /// Seconds since 1970 for the validity of certificates: virtual in a simulated world, real in a live one.
  [[nodiscard]] virtual std::time_t wall_clock() const = 0;
  /// A number below `bound` (> 0), from the printed seed.
  [[nodiscard]] virtual std::uint64_t random(std::uint64_t bound) = 0;
  /// The address of this node, a literal.
  [[nodiscard]] virtual const std::string& address() const = 0;

  /// Listens on (own address, port). Throws ListenError when the port is taken.
  virtual void listen(Actor&, std::uint16_t port) = 0;
  /// Stops accepting on `port`; connections that are open stay open. No effect if nothing listens.
  virtual void stop_listening(std::uint16_t port) = 0;
  /// Starts a connect from the own address; the outcome arrives as on_connected or on_connect_failed, never from
  /// inside this call.
  [[nodiscard]] virtual ConnectionId connect(Actor&, const Endpoint&) = 0;
  /// Queues bytes; those sent before on_connected are kept. No effect on a dead id.
  virtual void send(ConnectionId, std::string_view bytes) = 0;
  /// Half-closes after what is queued was sent (FIN). on_closed follows once the peer has closed too.
  virtual void shutdown(ConnectionId) = 0;
  /// Resets the connection (RST). No further event comes for the id.
  virtual void abort(ConnectionId) = 0;
  /// Gives a connection to another actor of the same node.
  virtual void hand_over(ConnectionId, Actor&) = 0;

  /// Binds UDP on (own address, port); 0 asks for any free port. Returns the port. Throws ListenError when taken.
  virtual std::uint16_t bind_datagram(Actor&, std::uint16_t port) = 0;
  virtual void unbind_datagram(std::uint16_t port) = 0;
  virtual void send_to(std::uint16_t local_port, const Endpoint& to, std::string_view bytes) = 0;

  /// Asks for on_wake at `when` (or as soon as possible if past). An actor has one wake-up: this replaces the last.
  virtual void wake_at(Actor&, Time when) = 0;
  virtual void cancel_wake(Actor&) = 0;

  virtual void note(Note) = 0;
  /// False where nobody will read notes (an exploration): then they need not be written.
  [[nodiscard]] virtual bool keeps_notes() const { return true; }
  /// Forgets the actor: its listeners stop, its connections are aborted, its wake-up is cancelled.
  virtual void forget(Actor&) = 0;
};

/// One machine of a deployment. It is created with its settings, started once, and can be stopped (crash) by
/// destroying it.
class Node : public Actor {
 public:
  /// Called once, before any other event. The context outlives the node.
  virtual void start(Context&) = 0;
};

}  // namespace cutover
