// Deployment: a topology brought up in a world, and the operations of the migration carried out on it.
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
  std::optional<migration::Estate> estate = {};  ///< see Plan
  bool paper_tls = false;                        ///< names without encryption, for explorations and benchmarks
  departures::Planted planted;                   ///< defects and variants of the reference and the mocks
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

  /// One operation; the nodes follow what it makes of the state. Throws OperationError for what the estate does not
  /// have, and HarnessFault for what no node here can show (see on_the_wire()).
  void carry_out(const migration::Operation&);
  /// The same as text: "allow-partner fabrikam.example".
  void carry_out(std::string_view operation);
  // The six steps, each all of its operations at once, and each one's undo.
  void carry_out(Step);
  void undo(Step);
  void move_user(const std::string& user, Pool home);
  void allow_partner(const std::string& domain);  ///< on the new side
  void remove_partner(const std::string& domain);
  void set_legacy_gateway(bool runs);
  /// From now on the edge learns of the central store by the operation `replicate` alone.
  void hold_replication() { replicates_ = false; }
  /// What the operations so far amount to; what predict() is asked about.
  [[nodiscard]] const migration::State& state() const { return state_; }
  [[nodiscard]] const migration::Estate& estate() const { return plan_->estate(); }

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
  void take(const std::vector<migration::Operation>&);
  [[nodiscard]] bool can_be_taken_back(const migration::Operation&) const;
  // The nodes follow the state, each part where it differs.
  void conform();
  void conform_homes();
  void conform_legacy_gateway();
  void conform_records();
  void conform_edge();
  void conform_services();
  void publish_routes();
  void start_legacy_gateway();
  void start_pool(Pool);
  void start_partner(const PartnerSpec&);
  void start_real(const PartnerSpec&, const ServerProduct&);
  void start_clients(const PartnerSpec&, int first_host);
  void start_user(const std::string&);
  void start_edge();
  void stop_edge();
  void apply_settings();
  void await(const std::function<bool()>&, const std::string& what);

  World& world_;
  DeploymentOptions options_;
  Departures routes_;  ///< what departs in the steps themselves
  migration::State state_;
  bool replicates_ = true;
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
  // What the nodes were told last.
  std::map<std::string, Pool> registered_;
  std::optional<migration::Certificate> assigned_, live_;
  bool edge_runs_ = true, legacy_runs_ = false;
  std::map<std::string, std::pair<migration::Srv, std::uint32_t>> published_;  ///< record and TTL by domain
  reference::Proxy* proxy_ = nullptr;
  reference::Gateway* gateway_ = nullptr;
};

}  // namespace cutover::harness
