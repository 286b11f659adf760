// The S2S side of one XMPP server: accepts and opens streams, authenticates in every role, queues and delivers stanzas.
// The proxy, the legacy gateway and the partners are built on it; what they do with stanzas is theirs.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/limits.h"
#include "protocol/base/node.h"
#include "protocol/dns/resolver.h"
#include "protocol/tls/session.h"
#include "protocol/xml/element.h"
#include "protocol/xmpp/policy.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cutover::xmpp {

/// A stream as the admin interface and the cases see it.
struct StreamInfo {
  ConnectionId connection = ConnectionId::none;
  bool initiated_by_us = false;
  bool direct_tls = false;                                          ///< TLS from the first octet (XEP-0368)
  std::string local_domain, remote_domain, stream_id, tls_version;  ///< tls_version empty: in clear
  AuthenticationMethod method = AuthenticationMethod::none;
  std::vector<std::pair<std::string, std::string>> authorised_pairs;  ///< (sender domain, target domain)
  std::string state;
};

struct ServerConfig {
  std::vector<std::string> domains;               ///< served here
  std::shared_ptr<const tls::Identity> identity;  ///< null: no TLS
  std::function<PeerPolicy(std::string_view remote_domain)> policy;
  std::string dialback_secret;
  std::uint16_t port = 5269;
  std::uint16_t direct_tls_port = 0;  ///< XEP-0368; 0: none
  bool send_version = true;           ///< false: as Google Talk, XMPP 0.9, no features
  Duration establishment_timeout = limits::stream_establishment_timeout;
  Duration inactivity_timeout = 600s;
  Duration keep_alive_interval = 300s;
  Duration connect_timeout = 20s;  ///< for one address; the kernel's own is minutes
  Duration doubt_window = 30s;     ///< what was sent this long before a connection broke is reported
  std::size_t connections_max = 1000;
  bool calls_back = false;        ///< opens a stream of its own to whoever has authenticated, before there is a stanza
  bool connects_twice = false;    ///< calls a target twice at once and keeps one connection, as RFC 8305 has it
  bool verifies_on_open = false;  ///< asks about a key on a stream to that domain that is open (XEP-0220 section 2.1.2)
  Departures departures;
};

/// What a server tells its owner.
class ServerOwner {
 public:
  virtual ~ServerOwner() = default;
  /// A stanza from an authenticated pair. `sender_domain` is the domain that was authenticated.
  virtual void on_stanza(const xml::Element&, std::string_view sender_domain) = 0;
  /// A stanza that was given to send() will not be delivered; `condition` is a stanza error condition for its sender.
  virtual void on_undeliverable(const xml::Element&, std::string_view condition) = 0;
  /// Server::drain() has come to its end. The server must outlive this call.
  virtual void on_drained() {}
};

class Server final : public Actor {
 public:
  Server(Context&, ServerConfig, dns::Resolver&, ServerOwner&);
  ~Server() override;

  /// Starts to listen. Throws ListenError.
  void open();
  /// Routes by the domain of `to`, from the domain of `from`; opens a stream where there is none. In order per pair.
  void send(xml::Element stanza);
  /// Stops accepting and closes every stream with </stream:stream>, still reading what peers send until they close
  /// (RFC 6120 section 4.4). `condition` sends a stream error first (system-shutdown), empty for none.
  void drain(std::string_view condition = {});
  [[nodiscard]] bool drained() const;
  /// How many questions about dialback keys were answered, as the authoritative server.
  [[nodiscard]] std::uint64_t keys_answered() const;
  /// Closes the streams with one peer domain (a partner that is no longer allowed).
  void close_streams_with(std::string_view remote_domain, std::string_view condition = {});
  [[nodiscard]] std::vector<StreamInfo> streams() const;
  /// Replaces the settings that new streams use; open streams keep theirs.
  void reconfigure(ServerConfig);
  [[nodiscard]] const ServerConfig& config() const;

  void on_accepted(ConnectionId, std::uint16_t port, const Endpoint& peer) override;
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

}  // namespace cutover::xmpp
