// The state of an estate at one moment, in the product's own terms: what is deployed, configured, assigned, replicated
// and published. A plain value; what follows from it is in outcome.h.
#pragma once

#include "harness/negotiation/product.h"
#include "reference/settings.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness::migration {

using reference::AccessPolicies;
using reference::AccessPolicy;
using reference::AllowedPartner;
using reference::GatewayConfiguration;
using reference::PartnerType;

/// The two generations of the estate. With Generation::sfb2019 the new side has no XMPP at all (lync-facts 1.7).
enum class Side { legacy, current };
enum class Generation { lync2013, sfb2019 };

/// What the legacy gateway is called where a record or a plan names a box; every other box is an edge pool by its name.
inline constexpr std::string_view legacy_gateway_box = "legacy-gateway";

struct Pool {
  Side side = Side::legacy;
  bool deployed = true;
  bool runs = true;
  bool branch = false;  ///< a survivable branch appliance: no XMPP for its users (2.7)
  bool operator==(const Pool&) const = default;
};

/// Users of equal situation. Everything that decides a route is here, so that a class is judged once, not a user.
struct UserClass {
  std::uint32_t count = 1;
  std::string domain;  ///< their SIP domain
  std::string pool;    ///< home, a key of State::pools
  std::string site;
  std::string policy;   ///< granted external access policy; empty: site or global
  bool enabled = true;  ///< for the product at all
  bool operator==(const UserClass&) const = default;
};

/// What a peer checks of a certificate (2.4).
struct Certificate {
  enum class Fault { none, expired, not_yet_valid, untrusted_root, revocation_unreachable };
  std::vector<std::string> names;  ///< of subjectAltName
  std::string subject = {};        ///< its common name, which TLS ignores (2.4); empty: one of the others
  Fault fault = Fault::none;
  bool client_usage = true;  ///< extended key usage lets it stand for a TLS client, or there is none
  bool operator==(const Certificate&) const = default;
};

struct EdgeMember {
  std::string name;
  bool runs = true;
  bool link_open = true;                   ///< the front end reaches it at 23456 (2.2)
  std::optional<Certificate> certificate;  ///< one of its own, where members differ; otherwise that of the pool
  bool operator==(const EdgeMember&) const = default;
};

/// An edge pool of the new side. The XMPP proxy is there when set-up was run behind the ticked flag.
struct EdgePool {
  bool deployed = false;
  bool xmpp_ticked = false;      ///< "Enable XMPP federation (port 5269)" in the topology
  bool proxy_installed = false;  ///< set-up was run on it since
  bool services_run = true;
  std::vector<EdgeMember> members;  ///< empty: one machine, and it runs
  std::optional<Certificate> assigned;
  std::optional<Certificate> live;         ///< what is shown: the one assigned at the last restart (1.5)
  bool opens_in = true, opens_out = true;  ///< the firewall lets 5269 through (2.2)
  std::string next_hop;                    ///< pool that its SIP traffic goes to; empty: any that runs
  bool operator==(const EdgePool&) const = default;
};

/// What the central store holds and replicates to the edge.
struct Configuration {
  std::map<std::string, AllowedPartner> partners;  ///< Get-CsXmppAllowedPartner, by primary domain
  GatewayConfiguration gateway;
  /// Set-CsAccessEdgeConfiguration. The product's default is false; the partners of a legacy gateway are federated, so
  /// whoever has one has turned it on.
  bool allow_federated_users = true;
  std::string xmpp_route;  ///< Set-CsSite -XmppFederationRoute: an edge pool; empty: none
  bool published = true;   ///< the topology's flags were published
  bool operator==(const Configuration&) const = default;
};

/// The legacy side, as the new side and the partners meet it.
struct Legacy {
  bool gateway_runs = true;
  bool edge_runs = true;              ///< the SIP leg of the gateway goes through it
  bool one_edge_name = false;         ///< access, conferences and media of that edge share one FQDN (1.4.8)
  std::set<std::string> routes;       ///< allowed SIP domains whose proxy is the gateway (2.8)
  std::set<std::string> partners;     ///< that the gateway itself serves
  std::set<std::string> sip_domains;  ///< of ours that it serves
  std::optional<Certificate> certificate = Certificate{};
  std::set<std::string> in_clear;  ///< partners that it speaks to without TLS (its TCP dialback mode)
  bool operator==(const Legacy&) const = default;
};

/// One target of `_xmpp-server._tcp.<domain>`.
struct SrvTarget {
  std::string box;  ///< legacy_gateway_box, an edge pool, or a name that is neither: nobody is there
  std::uint16_t port = 5269;
  std::uint16_t priority = 0;
  bool resolves = true;  ///< its name has an address
  bool operator==(const SrvTarget&) const = default;
};
using Srv = std::vector<SrvTarget>;

/// What a partner is and does; nothing here is ours to change.
struct Partner {
  std::string domain;
  std::vector<std::string> further_domains;  ///< that its users have, too
  negotiation::Side side;                    ///< what its server has and allows
  bool trusts_our_authority = true;
  bool wants_client_usage = false;         ///< of the certificate that a TLS client shows
  bool closes_on_failed_external = false;  ///< instead of falling back to dialback (F14)
  bool hosts_our_domain = false;           ///< takes our domain for one of its own (F7)
  bool discards_messages = false;          ///< shows presence, loses messages (F10)
  bool answers_dialback = true;            ///< F35
  bool sends_keep_alives = true;           ///< F27
  bool has_srv = true;                     ///< its own record
  std::uint32_t connections = 1;           ///< that it opens at once (F28)
  std::uint32_t cache_s = 0;               ///< holds our records that long whatever their TTL; 0: as long as the TTL
  bool operator==(const Partner&) const = default;
};

struct State {
  Generation generation = Generation::lync2013;
  std::vector<std::string> sip_domains;
  std::map<std::string, Pool> pools;
  std::map<std::string, EdgePool> edges;
  std::map<std::string, UserClass> users;
  /// Grants stand at the classes. For the same reason the global one allows federation, as imported.
  AccessPolicies policies{.global = {.enable_federation_access = true}};
  Configuration configuration;     ///< central store; front ends see it at once
  Configuration replica;           ///< what the edge has of it
  bool gateway_installed = false;  ///< set-up was run on the front ends since the flag was published
  bool gateway_runs = true;        ///< RTCXMPPTGW, once it is installed
  Legacy legacy;
  std::map<std::string, Srv> srv;              ///< by SIP domain, as our zone has it
  std::map<std::string, std::uint32_t> ttl_s;  ///< of these records
  bool operator==(const State&) const = default;
};

/// The row of the complete matrix (3.2) that a partner's settings are.
[[nodiscard]] negotiation::Use use_of(reference::Negotiation);
[[nodiscard]] const negotiation::ProductRow& row_of(const AllowedPartner&);
/// Edge and central store agree.
void replicate(State&);
/// The partner that a domain belongs to by the list, by primary or additional domain; null for none.
[[nodiscard]] const AllowedPartner* listed(const Configuration&, std::string_view domain);
/// The side that a class is homed on; legacy where its pool is not known.
[[nodiscard]] Side side_of(const State&, const UserClass&);
/// Which policy holds for a class: user over site over global (3.4).
[[nodiscard]] AccessPolicies::Effective effective(const AccessPolicies&, const UserClass&);
/// A name of the certificate covers the domain verbatim; wildcards cover nothing here (2.4).
[[nodiscard]] bool covers(const Certificate&, std::string_view domain);

}  // namespace cutover::harness::migration
