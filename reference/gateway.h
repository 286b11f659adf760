// The XMPP gateway of the front end: SIP on 5098, a trusted link to each proxy, and the translator between them.
#pragma once

#include "protocol/base/node.h"
#include "protocol/interworking/bridge.h"
#include "protocol/sip/endpoint.h"
#include "protocol/tls/session.h"
#include "reference/settings.h"
#include "reference/trusted_link.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cutover::reference {

class Admin;

struct GatewayConfig {
  std::vector<std::string> domains;               ///< our SIP domains
  std::string host;                               ///< sent-by of Via, name of our certificate
  std::shared_ptr<const tls::Identity> identity;  ///< for SIP and for the link
  std::vector<Endpoint> proxies;                  ///< every member of the edge pool, port 23456
  std::string proxy_name;                         ///< name that their certificates must carry; empty: any trusted one
  sip::Endpoint::Destination next_hop;            ///< the pool that our users are homed on
  Settings settings;
  std::uint16_t port = 5098;
  std::uint16_t admin_port = 0;
  std::string admin_token;
  Duration reconnect = 5s;  ///< pause before a link is dialled again
  interworking::Profile profile = interworking::Profile::sessions;
  Duration message_hold = 2s;
  Departures departures;
};

class Gateway final : public Node {
 public:
  explicit Gateway(GatewayConfig config);
  ~Gateway() override;
  /// Listens for SIP and, where the site has a federation route, dials the proxies. Throws ListenError.
  void start(Context& context) override;

  /// Replicated settings: partners, policies, timers and the site's route take effect at once.
  void apply(Settings settings);
  void set_next_hop(sip::Endpoint::Destination next_hop);
  /// The members of the edge pool that has the site's route now, and the name in their certificates. Links to others
  /// end.
  void set_proxies(const std::vector<Endpoint>& proxies, std::string name);

  /// Some proxy can take stanzas.
  [[nodiscard]] bool linked() const;
  [[nodiscard]] interworking::Translator& translator() { return bridge_->translator(); }
  [[nodiscard]] const Settings& settings() const { return config_.settings; }

  void on_connected(ConnectionId connection) override;
  void on_connect_failed(ConnectionId connection, std::string_view reason) override;
  void on_received(ConnectionId connection, std::string_view bytes) override;
  void on_eof(ConnectionId connection) override;
  void on_closed(ConnectionId connection, std::string_view reason) override;
  void on_wake() override;

 private:
  /// The way to one member of the edge pool.
  struct Way {
    Endpoint proxy;
    ConnectionId connection = ConnectionId::none;
    std::unique_ptr<TrustedLink> link;
    std::optional<Time> dial_at;
    bool leaves = false;  ///< the route does not lead there any more
  };
  void dial(const std::vector<Endpoint>& proxies);
  void leave(Way& way, std::string_view condition);
  [[nodiscard]] interworking::Settings translator_settings() const;
  [[nodiscard]] bool has_route() const;
  void dial_due();
  void drop_links(std::string_view condition);
  void to_partner(const xml::Element& stanza);
  [[nodiscard]] Way* way(ConnectionId connection);
  void lost(Way& way);
  void schedule();

  GatewayConfig config_;
  Context* context_ = nullptr;
  std::unique_ptr<interworking::Bridge> bridge_;
  std::vector<Way> ways_;
  std::unique_ptr<Admin> admin_;
};

}  // namespace cutover::reference
