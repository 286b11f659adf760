// An estate as its exports, zones and certificates tell it: records with their places, and what could not be read.
#pragma once

#include "protocol/dns/message.h"
#include "protocol/tls/certificate_file.h"
#include "reference/exports/value.h"
#include "reference/settings.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness::exports {

using reference::exports::Place;
using reference::exports::Problem;

/// Get-CsXmppAllowedPartner
struct Partner {
  reference::AllowedPartner settings;
  Place place;
};
/// Get-CsXmppGatewayConfiguration
struct Gateway {
  reference::GatewayConfiguration settings;
  Place place;
};
/// Get-CsExternalAccessPolicy: "Global", "Site:Redmond", "Tag:Name".
struct Policy {
  enum class Scope { global, site, user };
  Scope scope = Scope::global;
  std::string name;  ///< "Redmond", "Name"; empty for the global one
  reference::AccessPolicy settings;
  Place place;
};
[[nodiscard]] std::string words_of(const Policy&);  ///< "the policy Name", "the policy of the site Redmond"
/// Get-CsUser
struct User {
  std::string address;      ///< "alice@contoso.example"
  std::string pool;         ///< RegistrarPool; empty for a user of a legacy server
  std::string home_server;  ///< HomeServer, a distinguished name
  std::string policy;       ///< the name of the external access policy that was granted; empty for none
  bool enabled = true;
  Place place;
};
/// Get-CsAccessEdgeConfiguration
struct AccessEdge {
  bool allow_federated_users = false;
  Place place;
};
/// Get-CsSite
struct Site {
  std::string name;
  bool branch = false;
  std::vector<std::string> pools;
  std::string xmpp_route;   ///< the edge pool of "EdgeServer:<fqdn>"; empty for none
  bool route_known = true;  ///< it was exported
  Place place;
};
/// Get-CsPool, or a cluster of Get-CsTopology -AsXml
struct Pool {
  std::string fqdn, site;
  std::vector<std::string> computers, services;
  Place place;
};
/// Get-CsService -EdgeServer
struct EdgeService {
  std::string pool, site;
  std::string external_fqdn;  ///< AccessEdgeExternalFqdn
  Place place;
};
/// Get-CsAllowedDomain: federation by SIP, and the way to the legacy gateway
struct AllowedDomain {
  std::string domain, proxy_fqdn;
  Place place;
};
/// Get-CsSipDomain, or an internal domain of the topology
struct SipDomain {
  std::string name;
  Place place;
};
struct ZoneRecord {
  dns::Record record;
  Place place;
};
struct Zone {
  std::string origin;
  std::vector<ZoneRecord> records;
  Place place;
};
struct Certificate {
  tls::StoredCertificate stored;
  Place place;
};
/// What a file was taken for, to be told.
struct FileRead {
  std::string file;
  std::string form;                           ///< "ConvertTo-Json", "a zone"
  std::map<std::string, std::size_t> counts;  ///< "users": 300
};
[[nodiscard]] std::string to_string(const FileRead&);  ///< "users.json: ConvertTo-Json (users: 300)"

struct Inventory {
  std::vector<Partner> partners;
  std::optional<Gateway> gateway;
  std::vector<Policy> policies;
  std::vector<User> users;
  std::optional<AccessEdge> access_edge;
  std::vector<Site> sites;
  std::vector<Pool> pools;
  std::vector<EdgeService> edges;
  std::vector<AllowedDomain> allowed_domains;
  std::vector<SipDomain> sip_domains;
  std::vector<Zone> zones;
  std::vector<Certificate> certificates;
  std::vector<FileRead> files;
  std::vector<Problem> problems;  ///< everything that is wrong with the files, in their order
};

/// A file with all that the product has of 100,000 users.
inline constexpr std::size_t export_max_octets = 512UL * 1024 * 1024;

/// Reads files one after the other. What a file holds is told from its content, never from its name.
class InventoryReader {
 public:
  void add(std::string_view octets, const std::string& file);
  /// What is no regular file is not waited for.
  void add_file(const std::string& path);
  /// The whole, with what was given twice told.
  [[nodiscard]] Inventory take();

 private:
  Inventory inventory_;
};
[[nodiscard]] Inventory read_inventory(const std::vector<std::string>& paths);

/// Users of equal situation.
struct UserClass {
  std::string sip_domain, pool, site;
  bool enabled = true;
  bool branch = false;               ///< the pool is a survivable branch's
  bool legacy = false;               ///< homed on a legacy server, by HomeServer or by the names that were given
  std::string policy;                ///< the scope that holds: "user:Name", "site:Name", "global"
  std::optional<bool> may_use_xmpp;  ///< by that policy; nothing where it was not exported
  std::size_t count = 0;
  Place first;
};
/// `legacy_pools`: registrar pools of the old version, which no export tells.
[[nodiscard]] std::vector<UserClass> classes_of(const Inventory&, const std::vector<std::string>& legacy_pools = {});

/// The SIP domains, of their own export or else of the users' addresses; lower case, in order.
[[nodiscard]] std::vector<SipDomain> sip_domains_of(const Inventory&);

/// What the boxes of the reference would be given. `enable_xmpp_federation` is not exported and stays false.
[[nodiscard]] reference::Settings settings_of(const Inventory&);

}  // namespace cutover::harness::exports
