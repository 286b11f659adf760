// The legacy gateway: one box with XMPP on one side and SIP on the other, as OCS 2007 R2 had it.
#pragma once

#include "protocol/base/node.h"
#include "protocol/dns/resolver.h"
#include "protocol/interworking/bridge.h"
#include "protocol/xmpp/server.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cutover::mocks {

/// How the gateway speaks with one partner domain; the product's setting (domain facts 2.8, 3.6; marked there as ours).
enum class ConnectionMode { tcp_dialback, tls_dialback, tls_sasl };

struct LegacyGatewaySettings {
  std::vector<std::string> domains;                ///< our SIP domains
  std::map<std::string, ConnectionMode> partners;  ///< by domain; others are refused
  std::string host;                                ///< sent-by of Via
  std::shared_ptr<const tls::Identity> identity;   ///< XMPP side, for our domains; null: no TLS
  std::shared_ptr<const tls::Identity> sip_identity;
  std::string dialback_secret;
  Endpoint name_server;
  sip::Endpoint::Destination next_hop;  ///< the legacy pool or its edge
  std::uint16_t xmpp_port = 5269;
  std::uint16_t sip_port = 5061;
  Duration message_hold = 2s;
  Departures departures;
};

class LegacyGateway final : public Node, public xmpp::ServerOwner {
 public:
  explicit LegacyGateway(LegacyGatewaySettings settings);
  ~LegacyGateway() override;
  /// Opens both listeners. Throws ListenError.
  void start(Context& context) override;

  /// The service is stopped in an orderly way: no new streams or requests, every stream is closed with its end tag and
  /// read until the partner has closed too (RFC 6120 section 4.4).
  void drain();
  /// False from drain() on.
  [[nodiscard]] bool running() const { return running_; }
  /// Every stream has ended since drain().
  [[nodiscard]] bool drained() const;
  /// Starts the service again after drain(). Throws ListenError.
  void resume();

  /// Partners by domain; streams with domains that are gone are closed.
  void set_partners(const std::map<std::string, ConnectionMode>& partners);
  void set_next_hop(sip::Endpoint::Destination next_hop);

  [[nodiscard]] xmpp::Server& server() { return *server_; }
  [[nodiscard]] dns::Resolver& resolver() { return *resolver_; }
  [[nodiscard]] interworking::Translator& translator() { return bridge_->translator(); }

  void on_stanza(const xml::Element& stanza, std::string_view sender_domain) override;
  void on_undeliverable(const xml::Element& stanza, std::string_view condition) override;

 private:
  [[nodiscard]] xmpp::ServerConfig server_config() const;
  void start_services();

  LegacyGatewaySettings settings_;
  Context* context_ = nullptr;
  std::unique_ptr<dns::Resolver> resolver_;
  std::unique_ptr<xmpp::Server> server_;
  std::unique_ptr<interworking::Bridge> bridge_;
  bool running_ = false;
};

}  // namespace cutover::mocks
