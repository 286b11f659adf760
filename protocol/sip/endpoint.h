// A SIP element over TCP and TLS: listener, connection reuse, framing, transactions. Dialogs and routing are its
// owner's.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/node.h"
#include "protocol/sip/message.h"
#include "protocol/sip/transaction.h"
#include "protocol/tls/session.h"

#include <functional>
#include <memory>

namespace cutover::sip {

/// A server transaction as its owner names it.
enum class TransactionId : std::uint64_t { none = 0 };

struct EndpointConfig {
  std::uint16_t port = 5061;
  std::shared_ptr<const tls::Identity> identity;  ///< null: TCP without TLS
  bool mutual_tls = true;
  std::string sent_by;  ///< host of Via and Contact; empty: the address of the node
  Departures departures;
  TransactionTimers timers;
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
  /// Answers a server transaction; no effect for one that is finished or whose connection is gone.
  void respond(TransactionId, const Message&);
  /// The request of an open server transaction; null once it is finished.
  [[nodiscard]] const Message* request_of(TransactionId) const;
  /// The open INVITE that a CANCEL speaks of; none where there is none (answer 481).
  [[nodiscard]] TransactionId cancelled_by(const Message& cancel) const;

  /// Whether the peer of an open TLS connection has proved `name` by its certificate, by the rules of SIP: no wildcards
  /// (RFC 5922 section 7.2). False without TLS.
  [[nodiscard]] bool peer_has_name(ConnectionId, std::string_view name) const;
  [[nodiscard]] std::optional<tls::PeerCertificate> peer_certificate(ConnectionId) const;
  /// Whether messages can be sent over the connection.
  [[nodiscard]] bool is_open(ConnectionId) const;
  /// Closes every connection, TLS first; what is not answered fails.
  void close_all();

  /// A Via branch, a tag or a Call-ID from the random numbers of the world.
  [[nodiscard]] std::string random_token();
  /// What stands in Via and belongs into Contact: host and port.
  [[nodiscard]] std::string host_port() const;

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
