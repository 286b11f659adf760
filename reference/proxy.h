// The XMPP proxy of the edge: streams with the allowed partners on 5269, one trusted link to each gateway on 23456.
//
// The proxy secures, authenticates and hands on; it translates nothing and answers nothing for users. It listens only
// while the topology says so and a certificate is there.
#pragma once

#include "protocol/base/node.h"
#include "protocol/dns/resolver.h"
#include "protocol/tls/session.h"
#include "protocol/xmpp/server.h"
#include "reference/settings.h"
#include "reference/trusted_link.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cutover::reference {

class Admin;

struct ProxyConfig {
  std::vector<std::string> domains;  ///< ours
  std::string host;                  ///< internal name of the edge
  std::string gateway_name;          ///< name that a gateway's certificate must carry; empty: any trusted one
  std::shared_ptr<const tls::Identity> certificate;  ///< external, for the domains; null: none is assigned
  std::shared_ptr<const tls::Identity> internal_identity;
  Endpoint name_server;
  Settings settings;
  std::uint16_t port = 5269;
  std::uint16_t direct_tls_port = 0;  ///< XEP-0368; 0: none
  std::uint16_t internal_port = 23456;
  std::uint16_t admin_port = 0;  ///< 0: no admin interface
  std::string admin_token;       ///< required where the node's address is not loopback
  Departures departures;
};

class Proxy final : public Node, public xmpp::ServerOwner {
 public:
  explicit Proxy(ProxyConfig config);
  ~Proxy() override;
  void start(Context& context) override;

  /// Replicated settings: partners, limits and the topology flag take effect at once. Streams with domains that are no
  /// partners any more are closed.
  void apply(Settings settings);
  /// Assigns the external certificate; it is used from the next restart_service() on (domain facts 2.4).
  void assign_certificate(std::shared_ptr<const tls::Identity> certificate);
  /// Stops and starts the service: every stream and link ends, the assigned certificate becomes the live one.
  void restart_service();
  /// Closes every stream with system-shutdown (RFC 6120 section 4.9.3.20), then the links; stopped() tells when it is
  /// done. Stanzas that partners sent before they answered are still handed on.
  void stop_service();
  /// Starts to listen if flag and certificate allow it. Throws ListenError.
  void start_service();

  [[nodiscard]] bool serving() const { return server_ != nullptr && !stopping_; }
  [[nodiscard]] bool stopped() const { return server_ == nullptr; }
  [[nodiscard]] bool gateway_connected() const;
  /// Null while the service is stopped.
  [[nodiscard]] xmpp::Server* server() { return server_.get(); }
  [[nodiscard]] dns::Resolver& resolver() { return *resolver_; }
  [[nodiscard]] const Settings& settings() const { return config_.settings; }

  void on_stanza(const xml::Element& stanza, std::string_view sender_domain) override;
  void on_undeliverable(const xml::Element& stanza, std::string_view condition) override;
  void on_drained() override;
  void on_accepted(ConnectionId connection, std::uint16_t port, const Endpoint& peer) override;
  void on_received(ConnectionId connection, std::string_view bytes) override;
  void on_eof(ConnectionId connection) override;
  void on_closed(ConnectionId connection, std::string_view reason) override;
  void on_wake() override;

 private:
  [[nodiscard]] xmpp::ServerConfig server_config() const;
  void end_service();
  [[nodiscard]] bool enabled() const;
  [[nodiscard]] bool serves(std::string_view domain) const;
  void from_gateway(const xml::Element& stanza);
  void to_gateway(const xml::Element& stanza);
  void refuse(const xml::Element& stanza, std::string_view condition);
  [[nodiscard]] TrustedLink* link(ConnectionId connection);
  void tidy();

  ProxyConfig config_;
  std::vector<std::string> ours_;  ///< the domains as addresses compare
  Context* context_ = nullptr;
  std::unique_ptr<dns::Resolver> resolver_;
  std::unique_ptr<xmpp::Server> server_;
  bool stopping_ = false, restart_wanted_ = false;
  std::shared_ptr<const tls::Identity> live_certificate_;
  std::map<ConnectionId, std::unique_ptr<TrustedLink>> links_;
  std::unique_ptr<Admin> admin_;
};

}  // namespace cutover::reference
