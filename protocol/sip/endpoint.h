// A SIP element over TCP and TLS: listener, connection reuse, framing, transactions. Dialogs and routing are its
// owner's.
#pragma once

#include "protocol/base/node.h"
#include "protocol/base/quirks.h"
#include "protocol/sip/message.h"
#include "protocol/tls/session.h"

#include <functional>
#include <memory>

namespace cutover::sip {

/// A server transaction as its owner names it.
enum class TransactionId : std::uint64_t { none = 0 };

/// How a client transaction ended, besides a response.
enum class TransactionFailure { timed_out, transport_failed };

struct EndpointConfig {
  std::uint16_t port = 5061;
  std::shared_ptr<const tls::Identity> identity;  ///< null: TCP without TLS
  bool mutual_tls = true;
  std::string sent_by;  ///< host of Via and Contact; empty: the address of the node
  Quirks quirks;
};

/// What an endpoint tells its owner.
class EndpointOwner {
 public:
  virtual ~EndpointOwner() = default;
  /// A new request; retransmissions are absorbed. ACK for a 2xx comes with TransactionId::none. `source` is the
  /// connection that it came on; requests back to that user can be sent over it (RFC 5626).
  virtual void on_request(TransactionId, const Message&, ConnectionId source) = 0;
  virtual void on_connection_closed(ConnectionId) {}
};

class Endpoint final : public Actor {
 public:
  Endpoint(Context&, EndpointConfig, EndpointOwner&);
  ~Endpoint() override;
  /// Starts to listen. Throws ListenError.
  void open();
  /// Stops to listen; open connections stay.
  void stop_accepting();

  /// Where a request goes: an address (a connection to it is reused or opened), or an open connection.
  struct Destination {
    ::cutover::Endpoint address;
    ConnectionId connection = ConnectionId::none;  ///< preferred when alive
    std::string tls_name;  ///< name that the certificate must carry; empty: any with a valid chain
  };
  using OnResponse = std::function<void(const Message&)>;  ///< provisional ones too
  using OnFailure = std::function<void(TransactionFailure)>;
  /// Adds Via, Max-Forwards (where absent) and Content-Length, starts a client transaction (RFC 3261 section 17.1 over
  /// a reliable transport: timers B and F, 32 s).
  void request(Message, const Destination&, OnResponse, OnFailure);
  /// ACK for a 2xx, and anything else that has no transaction.
  void send(Message, const Destination&);
  void respond(TransactionId, Message);

  void on_accepted(ConnectionId, std::uint16_t port, const ::cutover::Endpoint& peer) override;
  void on_connected(ConnectionId) override;
  void on_connect_failed(ConnectionId, std::string_view reason) override;
  void on_received(ConnectionId, std::string_view bytes) override;
  void on_eof(ConnectionId) override;
  void on_closed(ConnectionId, std::string_view reason) override;
  void on_wake() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutover::sip
