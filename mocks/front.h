// A front before a real server: it ends the TLS of both sides and passes what they say through rewrites.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/node.h"
#include "protocol/tls/authority.h"

#include <memory>
#include <string>

namespace cutover::mocks {

/// Who the front stands before, and what it shows to both sides. To peers it is the server; to the server it is
/// whichever peer is behind it.
struct FrontSettings {
  std::uint16_t port = 5269;         ///< where peers dial the server
  std::uint16_t peers_port = 15269;  ///< where the server dials its peers, because its name server tells it so
  Endpoint server;                   ///< its real place
  Endpoint name_server;              ///< says where the peers really are
  std::shared_ptr<const tls::Identity> identity;  ///< for the names of the server; null: it has no TLS
  /// Issues what is shown to the server: the certificate of the peer again, with its names and as good or bad.
  std::shared_ptr<tls::Authority> authority;
  Departures departures;  ///< "out" is what the server says
};

/// Connections pass one for one: an end of one side is an end of the other, close_notify is passed on as such, a reset
/// as a reset. An item of a stream goes on when it is whole. STARTTLS is watched: behind <proceed/> each side speaks
/// TLS with the front. TLS itself is the front's own, on both sides: its versions, ciphers and alerts are not those of
/// the server.
class Front final : public Node {
 public:
  explicit Front(FrontSettings);
  ~Front() override;
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  /// Throws ListenError.
  void start(Context&) override;
  void on_accepted(ConnectionId, std::uint16_t port, const Endpoint& peer) override;
  void on_connected(ConnectionId) override;
  void on_connect_failed(ConnectionId, std::string_view reason) override;
  void on_received(ConnectionId, std::string_view bytes) override;
  void on_eof(ConnectionId) override;
  void on_closed(ConnectionId, std::string_view reason) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What to issue so that a certificate says what another one said. Of flaws that it cannot show it takes the nearest:
/// an issuer that nobody trusts.
[[nodiscard]] tls::CertificateRequest request_like(const std::optional<tls::PeerCertificate>&);

}  // namespace cutover::mocks
