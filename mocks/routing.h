// What all pools know of users, partners and gateways: the published topology that decides every route.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/node.h"

#include <map>
#include <optional>
#include <set>

namespace cutover::mocks {

/// The generation of a pool.
enum class Pool { legacy, current };

/// One box that SIP requests are sent to. `tls_name` is what its certificate must carry.
struct SipPeer {
  Endpoint address;
  std::string tls_name;
};

/// Why a request goes nowhere, as a SIP status with a reason for people.
struct Refusal {
  int status = 404;
  std::string reason;
};

/// The pool of a user.
struct Home {
  Pool side = Pool::legacy;
  std::string pool;  ///< its name
};

/// Where a pool is reached.
struct PoolPeer {
  Pool side = Pool::legacy;
  SipPeer peer;
};

/// Shared by all pools, changed by the steps of the migration. A plain value.
struct Routing {
  std::set<std::string> domains;              ///< ours
  std::map<std::string, Home> homes;          ///< by user (bare address)
  std::map<std::string, PoolPeer> pools;      ///< by name: those that run
  std::set<std::string> legacy_partners;      ///< domains with a federation route to the legacy gateway
  std::set<std::string> configured_partners;  ///< allowed XMPP partners on the new side, with their additional domains
  std::optional<SipPeer> legacy_gateway;
  std::optional<SipPeer> gateway;         ///< the site's XMPP route; none until federation is enabled
  std::set<std::string> xmpp_users;       ///< users whom an external access policy lets use XMPP
  std::set<std::string> federated_users;  ///< users whom the policy of the new side lets use SIP federation
  std::map<std::string, Refusal> barred;  ///< users who have no XMPP whatever partners and policies say, and why
  bool edge_deployed = false;             ///< decides nothing by itself (SEED-5)
  Departures departures;
};

/// Where a request leaves our deployment: a gateway, or a refusal. The switch is per partner domain: a partner that is
/// configured on the new side has no legacy path any more, and reaches only users of the new pools.
struct Exit {
  std::optional<SipPeer> peer;
  Refusal refusal;
};
[[nodiscard]] Exit exit_for(const Routing&, const std::string& user, const std::string& partner_domain);

/// Whether a request of `partner_domain` that came from a gateway may reach `user`; nothing where it may.
[[nodiscard]] std::optional<Refusal> refusal_of_entry(const Routing&, const std::string& user,
                                                      const std::string& partner_domain, bool from_legacy_gateway);

}  // namespace cutover::mocks
