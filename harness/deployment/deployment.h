// Deployment: a topology brought up in a world, and the operations of the migration carried out on it.
#pragma once

#include "harness/deployment/plan.h"
#include "harness/deployment/steps.h"
#include "harness/migration/outcome.h"
#include "harness/worlds/world.h"
#include "mocks/name_server.h"

#include <set>
#include <tuple>

namespace cutover::harness {
class RealPartner;
struct ServerProduct;

struct DeploymentOptions {
  Topology topology = reference_topology();
  std::optional<migration::Estate> estate = {};  ///< see Plan
  bool paper_tls = false;                        ///< names without encryption, for explorations and benchmarks
  departures::Planted planted;                   ///< defects and variants of the reference and the mocks
  AdminPlan admin;
  bool every_exchange = false;        ///< is tried, not those of the first and last of many in the same situation
  std::uint16_t direct_tls_port = 0;  ///< where the proxy takes TLS from the first octet, too; 0: nowhere
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

  /// What the estate begins with; of a topology that is the legacy shape: name server, legacy gateway, legacy pool,
  /// every user registered there, every partner. Throws ServerFailed where a partner's real server does not come up.
  void bring_up();

  /// One operation; the nodes follow what it makes of the state. Throws OperationError for what the estate does not
  /// have, and HarnessFault for what no node here can show (see on_the_wire()).
  void carry_out(const migration::Operation&);
  /// The same as text: "allow-partner fabrikam.example".
  void carry_out(std::string_view operation);
  // The six steps, each all of its operations at once, and each one's undo.
  void carry_out(Step);
  void undo(Step);
  void move_user(const std::string& user, Pool home);  ///< to the pool that the topology has for it on that side
  void allow_partner(const std::string& domain);       ///< on the new side
  void remove_partner(const std::string& domain);
  /// From now on the edge learns of the central store by the operation `replicate` alone.
  void hold_replication() { replicates_ = false; }
  // Where several boxes are there, some are picked by chance. From now on it is this node alone: a machine of an edge
  // pool, or the legacy gateway; empty: all of them again.
  /// What DNS answers partners, as for one who got that address first and tries no other.
  void lead_partners_to(const std::string& node);
  /// Whom the gateway of the front ends dials.
  void lead_gateway_to(const std::string& node);
  /// The state as an exchange of that way meets it: with the boxes that are led to.
  [[nodiscard]] migration::State met(migration::Way) const;
  /// What resolvers answer for that domain of ours from now on, whatever the state has: a record of earlier times.
  void answer_with(const std::string& domain, const migration::Srv&);
  /// The pool where a user of ours is homed.
  [[nodiscard]] std::string home_of(const std::string& user) const;
  /// A text that no exchange of this deployment had before, nor begins with.
  [[nodiscard]] std::string next_marker();
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
  [[nodiscard]] bool tries_every_exchange() const { return options_.every_exchange; }
  [[nodiscard]] mocks::NameServer& name_server() { return *name_server_; }
  [[nodiscard]] mocks::LegacyGateway& legacy_gateway() { return *legacy_gateway_; }
  [[nodiscard]] mocks::Partner& partner(const std::string& domain);  ///< HarnessFault where it is a real server
  [[nodiscard]] mocks::PartnerDomain& partner_domain(const std::string& domain);
  [[nodiscard]] RealPartner& real_partner(const std::string& domain);  ///< HarnessFault where it is a mock
  [[nodiscard]] mocks::SipUser& user(const std::string& name);
  [[nodiscard]] reference::Proxy& proxy();  ///< the first; HarnessFault before the edge is deployed
  [[nodiscard]] reference::Proxy& proxy(const std::string& node);
  /// Every machine of an edge pool, deployed or not.
  [[nodiscard]] const std::vector<EdgeMachine>& machines() const { return plan_->machines(); }
  [[nodiscard]] reference::Gateway& gateway();  ///< HarnessFault before federation is enabled
  [[nodiscard]] tls::Authority& authority() { return *authority_; }
  [[nodiscard]] Endpoint name_server_endpoint() const;
  /// The host number of a partner's server in the world's block; HarnessFault for a domain that is no partner.
  [[nodiscard]] int partner_host(const std::string& domain) const;
  /// Who listens where, by node name, as far as the deployment has come.
  [[nodiscard]] std::vector<std::pair<std::string, Endpoint>> endpoints() const;
  /// One of them by its label: "proxy", "proxy (internal)". HarnessFault for what is not there.
  [[nodiscard]] Endpoint endpoint(std::string_view label) const;
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
  [[nodiscard]] bool repoints(const std::string& domain) const;
  void conform_edge();
  void conform_firewalls();
  void conform_legacy_next_hop();
  void publish_routes();
  void start_pool(const std::string& node);
  void stop_pool(const std::string& node);
  void start_partner(const PartnerSpec&);
  void start_real(const PartnerSpec&, const ServerProduct&);
  void start_clients(const PartnerSpec&, int first_host);
  void start_user(const std::string&);
  /// A machine of an edge pool that is deployed, and what it was told last.
  struct Machine {
    EdgeMachine name;
    reference::Proxy* proxy = nullptr;
    std::optional<migration::Certificate> assigned, live;
    bool runs = true;
  };
  void start_machine(const EdgeMachine&);
  void stop_machine(const std::string& node);
  void conform_services(Machine&);
  [[nodiscard]] bool should_link(const Machine&) const;
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
  std::map<std::string, mocks::PoolNode*> pools_;  ///< by name: those that run
  std::map<std::string, mocks::Partner*> partners_;
  std::map<std::string, RealPartner*> real_partners_;
  std::map<std::string, mocks::SipUser*> users_;
  // What the nodes were told last.
  /// The pool that a user was told to register with, and whether it ran.
  struct Registration {
    std::string pool;
    bool up = false;
    bool operator==(const Registration&) const = default;
  };
  std::map<std::string, Registration> registered_;
  std::map<std::string, Machine> machines_;                                ///< by node name
  std::string partners_meet_, gateway_meets_;                              ///< see lead_partners_to()
  using ClosedPort = std::tuple<std::string, std::string, std::uint16_t>;  // from, to, port
  std::set<ClosedPort> closed_ports_;
  std::string legacy_next_hop_, next_hop_;  ///< pools
  std::uint64_t markers_ = 0;
  std::map<std::string, std::pair<migration::Srv, std::uint32_t>> published_;  ///< record and TTL by domain
  reference::Gateway* gateway_ = nullptr;
};

}  // namespace cutover::harness
