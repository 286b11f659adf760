// Deployment: a topology brought up in a world, and the six steps of the migration as operations on it.
#pragma once

#include "harness/deployment/plan.h"
#include "harness/deployment/steps.h"
#include "harness/worlds/world.h"
#include "mocks/name_server.h"

namespace cutover::harness {
class RealPartner;
struct ServerProduct;

struct DeploymentOptions {
  Topology topology = reference_topology();
  bool paper_tls = false;       ///< names without encryption, for explorations and benchmarks
  departures::Planted planted;  ///< defects and variants of the reference and the mocks
  AdminPlan admin;
  std::uint16_t direct_tls_port = 0;          ///< where the proxy takes TLS from the first octet, too; 0: nowhere
  std::unique_ptr<tls::Authority> authority;  ///< null: a new one
};

/// Owns nothing but knowledge: the nodes belong to the world. Its verbs pump the world and throw HarnessFault when a
/// deployment does not come up; a subject's misbehaviour is never thrown.
class Deployment {
 public:
  Deployment(World&, DeploymentOptions);
  ~Deployment();
  Deployment(const Deployment&) = delete;
  Deployment& operator=(const Deployment&) = delete;

  /// The legacy shape: name server, legacy gateway, legacy pool, every user registered there, every partner. Throws
  /// ServerFailed where a partner's real server does not come up.
  void bring_up();

  // The steps, and each one's undo. A step that is done (undone) already has no effect.
  void carry_out(Step);
  void undo(Step);
  void move_user(const std::string& user, Pool home);
  void allow_partner(const std::string& domain);  ///< on the new side
  void remove_partner(const std::string& domain);
  void set_legacy_gateway(bool runs);
  /// What the operations so far amount to; what predict() is asked about.
  [[nodiscard]] const MigrationState& state() const { return state_; }

  /// Ends what earlier states left behind: waits out the TTL of our SRV record and closes the S2S streams between
  /// partners and both our gateways, so that the next exchange meets the present state only.
  void settle();

  /// No stream of ours is being negotiated any more, which cannot end by its tags; waits for a second at most.
  void finish_negotiations();
  /// The end: every S2S server of ours and of the mock partners closes its streams. False when one did not come to an
  /// end within a minute of world time.
  [[nodiscard]] bool close();
  /// Nodes on whose connections nothing may go in clear: the SIP side, and partners of a kind that requires TLS.
  [[nodiscard]] std::vector<std::string> secured_nodes() const;
  /// Nodes with S2S streams, real servers apart.
  [[nodiscard]] std::vector<std::string> stream_nodes() const;

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] const Topology& topology() const { return options_.topology; }
  [[nodiscard]] mocks::NameServer& name_server() { return *name_server_; }
  [[nodiscard]] mocks::LegacyGateway& legacy_gateway() { return *legacy_gateway_; }
  [[nodiscard]] mocks::Partner& partner(const std::string& domain);  ///< HarnessFault where it is a real server
  [[nodiscard]] mocks::PartnerDomain& partner_domain(const std::string& domain);
  [[nodiscard]] RealPartner& real_partner(const std::string& domain);  ///< HarnessFault where it is a mock
  [[nodiscard]] mocks::SipUser& user(const std::string& name);
  [[nodiscard]] reference::Proxy& proxy();      ///< HarnessFault before the edge is deployed
  [[nodiscard]] reference::Gateway& gateway();  ///< HarnessFault before federation is enabled
  [[nodiscard]] tls::Authority& authority() { return *authority_; }
  [[nodiscard]] Endpoint name_server_endpoint() const;
  /// The host number of a partner's server in the world's block; HarnessFault for a domain that is no partner.
  [[nodiscard]] int partner_host(const std::string& domain) const;
  /// Who listens where, by node name, as far as the deployment has come.
  [[nodiscard]] std::vector<std::pair<std::string, Endpoint>> endpoints() const;
  /// Node names in the order of a sequence diagram.
  [[nodiscard]] std::vector<std::string> columns() const;

 private:
  template <class N>
  N& add(const std::string& name, std::unique_ptr<N> node) {
    return world_.add(name, hosts_.at(name), std::move(node));
  }
  void publish_routes();
  void start_legacy_gateway();
  void start_pool(Pool);
  void start_partner(const PartnerSpec&);
  void start_real(const PartnerSpec&, const ServerProduct&);
  void start_clients(const PartnerSpec&, int first_host);
  void start_user(const std::string&);
  void start_edge();
  void start_gateway();
  void stop_gateway();
  void apply_settings();
  void await(const std::function<bool()>&, const std::string& what);

  World& world_;
  DeploymentOptions options_;
  Departures routes_;  ///< what departs in the steps themselves
  MigrationState state_;
  std::vector<std::string> tls_partners_;  ///< node names of partners whose kind requires TLS
  std::unique_ptr<tls::Authority> authority_;
  std::unique_ptr<Plan> plan_;
  std::map<std::string, int> hosts_;  ///< by node name
  std::shared_ptr<mocks::Routing> routing_;
  mocks::NameServer* name_server_ = nullptr;
  mocks::LegacyGateway* legacy_gateway_ = nullptr;
  std::map<Pool, mocks::PoolNode*> pools_;
  std::map<std::string, mocks::Partner*> partners_;
  std::map<std::string, RealPartner*> real_partners_;
  std::map<std::string, mocks::SipUser*> users_;
  bool certificate_live_ = false;
  reference::Proxy* proxy_ = nullptr;
  reference::Gateway* gateway_ = nullptr;
};

}  // namespace cutover::harness
