// A pool: SIP registrar and proxy (RFC 3261 sections 10 and 16) for users, gateways and the other pools.
#pragma once

#include "mocks/routing.h"
#include "protocol/sip/endpoint.h"

namespace cutover::mocks {

struct PoolSettings {
  std::string name;  ///< see Routing::pools
  std::string host;  ///< "pool.contoso.example", in Via and Record-Route
  std::shared_ptr<const tls::Identity> identity;
  std::shared_ptr<const Routing> routing;
  std::string legacy_gateway_host;  ///< name in the legacy gateway's certificate (and its Via, where there is no TLS)
  std::uint16_t port = 5061;
};

class PoolNode final : public Node, public sip::EndpointOwner {
 public:
  explicit PoolNode(PoolSettings);
  ~PoolNode() override;
  void start(Context&) override;
  [[nodiscard]] bool registered(const std::string& user) const { return bindings_.contains(user); }

 private:
  /// A registered contact: requests go back over the connection that registered it (RFC 5626).
  struct Binding {
    ConnectionId connection = ConnectionId::none;
    std::string contact;  ///< the URI as text
    std::string host;     ///< of that URI
  };
  void on_request(sip::TransactionId, const sip::Message&, ConnectionId source) override;
  void on_connection_closed(ConnectionId) override;
  void on_register(sip::TransactionId, const sip::Message&, ConnectionId source);
  void on_routed(sip::TransactionId, sip::Message, ConnectionId source);
  void route_to_user(sip::TransactionId, sip::Message, const std::string& user);
  void forward(sip::TransactionId, sip::Message, const sip::Endpoint::Destination&);
  void refuse(sip::TransactionId, const sip::Message&, int status, const std::string& reason);
  void drop_own_route(sip::Message&) const;
  [[nodiscard]] std::optional<Refusal> refusal_of(const sip::Message&, ConnectionId source) const;
  [[nodiscard]] bool from_user(ConnectionId) const;
  [[nodiscard]] bool comes_from(const std::string& host, const sip::Message&, ConnectionId source) const;
  [[nodiscard]] std::string record_route() const;

  PoolSettings settings_;
  Context* context_ = nullptr;
  std::unique_ptr<sip::Endpoint> endpoint_;
  std::map<std::string, Binding> bindings_;
  std::uint64_t tags_ = 0;
};

}  // namespace cutover::mocks
