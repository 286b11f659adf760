// A target: somebody's deployment that is judged instead of the embedded one, as its YAML file declares it.
#pragma once

#include "harness/deployment/topology.h"
#include "harness/servers/real_server.h"
#include "harness/targets/need.h"
#include "harness/worlds/world.h"

#include <map>
#include <set>
#include <variant>

namespace cutover::harness {

/// A driver by a product's name: the harness starts one for each case, on loopback, with our authority, name server and
/// accounts.
struct LocalTarget {
  const ServerProduct* product = nullptr;
  ServerMode mode = ServerMode::external_and_dialback;
  bool front = false;  ///< a front stands before it (mocks/front.h), whether or not anything is planted there
};

/// An account on the target, for cases that need a user there.
struct TargetAccount {
  std::string user;  ///< localpart
  std::string password;
  Endpoint c2s;                 ///< client-to-server port
  std::string fingerprint;      ///< of the certificate there, see tls::PeerCertificate; empty: the authority issued it
  bool plain_in_clear = false;  ///< the password may go over a connection without TLS
  bool direct_tls = false;      ///< TLS from the first octet there
};

/// A peer domain that we play, as the target's DNS must find it. With a name server of ours each case has one of its
/// own below it.
struct TargetPeer {
  PartnerKind kind = PartnerKind::sasl_external;
  std::string domain;
  std::string address;  ///< of this machine; the peer listens on port 5269 there, several of them side by side
  tls::PemFiles certificate = {};  ///< what it shows, with its key; empty: what the authority issues
};

/// Driver "remote": a server that is up, and where it and our peers find each other.
struct RemoteTarget {
  std::string domain;  ///< that is judged
  Endpoint s2s;
  std::optional<Endpoint> s2s_direct_tls;  ///< where it accepts streams with TLS from the first octet
  std::optional<TargetAccount> account;
  std::vector<TargetPeer> peers;        ///< at least one; several of a kind, at one address, only without name server
  std::vector<std::string> spares;      ///< addresses of this machine for others of ours, each with port 5269 free
  std::optional<Endpoint> name_server;  ///< where it asks for the peers and we answer; nullopt: somebody else does
  std::string authority;  ///< PEM text of an authority of ours that it trusts; empty: certificates are brought
  std::string trust;      ///< PEM text of roots that its own certificate may come from, beside that of the authority
};

/// With a server somewhere, where its file does not say another one.
inline constexpr Duration remote_patience = std::chrono::seconds(30);

/// What a target file says. Only its declaration makes a case `unsupported`; nothing is inferred from a failure.
struct Target {
  std::string name;                     ///< for reports
  std::string file;                     ///< where it was read from; the files that it names are relative to it
  std::set<Need> offers;                ///< what it has
  Staging allows = Staging::safe;       ///< the most disruptive kind of case that may be run against it
  Duration patience = remote_patience;  ///< with each of its answers; what comes later is told as late
  std::variant<LocalTarget, RemoteTarget> driver;
  bool one_server = false;  ///< a product of ours that was started once for a whole run, and is met as a remote one
};

/// Whether each case can have peer domains of its own: our name server answers for what is below the declared ones, and
/// the target lets domains in that nobody has listed there.
[[nodiscard]] bool names_its_peers(const Target&);
/// How many peer domains of that kind the file lists.
[[nodiscard]] std::size_t peers_of(const RemoteTarget&, PartnerKind);
/// The kinds whose peers a case meets: those of its needs, else the best one that the target offers.
[[nodiscard]] std::vector<PartnerKind> kinds_met(const std::vector<Need>& asked, const Target&);

/// Hosts of the world from which a target is met. The peer of each kind has its own; further machines begin at spare.
namespace target_host {
inline constexpr int name_server = 2, client = 5, probe = 6, server = 10, first_peer = 40, spare = 100;
inline constexpr std::size_t spares_min = 2, spares_max = 10;
inline constexpr int behind_front = 11;  ///< the server, where a front stands at its place
[[nodiscard]] constexpr int peer(PartnerKind kind) { return first_peer + static_cast<int>(kind); }
}  // namespace target_host
/// Addresses of those hosts, where a target needs them outside the world's own block.
[[nodiscard]] std::map<int, std::string> addresses_for(const Target&);

/// What is wrong with a target file: "file:line: what was expected".
struct TargetError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Whether the target file holds what must not come into other hands, so that its reports are private, too.
[[nodiscard]] bool has_secrets(const Target&);

/// What a target must offer for a peer of that kind.
[[nodiscard]] Need need_of(PartnerKind);
/// Whether a target file names it under 'offers'; what follows from its settings is left out there.
[[nodiscard]] bool is_declared(Need);

/// What certificates of peers come from, and whom they trust: the authority of the file, with the certificates that
/// the user brought in their places. Where there is none, what is issued is trusted by nobody.
[[nodiscard]] std::unique_ptr<tls::Authority> authority_of(const RemoteTarget&, std::time_t wall_clock);

/// Reads everything that the file names, too: authority, certificates and passwords.
[[nodiscard]] Target parse_target(std::string_view yaml, const std::string& file);
[[nodiscard]] Target load_target(const std::string& path);
/// The target of `file`, a product of ours that was started once for a whole run: `started` tells where it is met.
[[nodiscard]] Target load_started(const std::string& file, const std::string& started);

}  // namespace cutover::harness
