// Subject: the XMPP server that an S2S case judges, with everything around it under the hand of the case.
#pragma once

#include "harness/deployment/topology.h"
#include "harness/judging/run.h"
#include "mocks/partner.h"
#include "protocol/dns/server.h"
#include "protocol/tls/authority.h"

#include <memory>
#include <string>

namespace cutover::harness {

/// One XMPP server with one account, up and reachable. It looks names up at our name server, and trusts our authority.
///
/// Peer domains are spoken for by the case, with raw peers: the zone of each names the host `peer_host(domain)`. How
/// the subject treats the domain follows its kind; a server with one policy for every domain declares which kinds it
/// knows (`offers` of a target), and cases that need another do not run against it.
class Subject {
 public:
  virtual ~Subject() = default;

  [[nodiscard]] virtual World& world() = 0;
  /// The domain that is served, and the bare JID of the account.
  [[nodiscard]] virtual std::string domain() const = 0;
  [[nodiscard]] virtual std::string user() const = 0;
  /// Where it takes S2S streams with STARTTLS.
  [[nodiscard]] virtual Endpoint s2s() const = 0;
  /// Where it takes them with TLS from the first octet (XEP-0368); nullopt: nowhere.
  [[nodiscard]] virtual std::optional<Endpoint> s2s_direct_tls() const { return std::nullopt; }

  /// The zones of our name server, which the case may change.
  [[nodiscard]] virtual dns::DnsServer& names() = 0;
  /// Where machines of the case ask it.
  [[nodiscard]] virtual Endpoint name_server() const = 0;
  [[nodiscard]] virtual tls::Authority& authority() = 0;
  /// A peer domain of that kind, and the number of the host where its zone says that its server is.
  [[nodiscard]] virtual std::string peer_domain(PartnerKind) const = 0;
  [[nodiscard]] virtual int peer_host(PartnerKind) const = 0;
  /// The domain of one more peer of that kind at the same host, which the subject has never met; the same again where
  /// names cannot be made.
  [[nodiscard]] virtual std::string another_peer(PartnerKind kind) { return peer_domain(kind); }
  /// First of the host numbers that are free for more machines of the case.
  [[nodiscard]] virtual int free_host() const = 0;

  /// Lets the user send a message with that text, which is its mark.
  virtual void send_message(const std::string& to, const std::string& body) = 0;
  /// How many messages with that text the user has got, errors apart.
  [[nodiscard]] virtual std::size_t received(const std::string& body) const = 0;
  /// The user was told that the message with that text was not delivered: the stanza error or SIP status in words;
  /// empty while it was not.
  [[nodiscard]] virtual std::string told(const std::string& body) const = 0;

  /// The account as an XMPP user; null where the user is a SIP user.
  [[nodiscard]] virtual mocks::PartnerDomain* account() { return nullptr; }

  /// Node names in the order of a sequence diagram, peers apart.
  [[nodiscard]] virtual std::vector<std::string> columns() const = 0;
};

/// A server of ours that serves the domain, with one user; in clear without `identity`. It hears what comes the wrong
/// way, and on streams to nobody, too: that is told once, and not as answers that never came.
[[nodiscard]] mocks::PartnerSettings server_settings(const std::string& domain, const std::string& user,
                                                     std::shared_ptr<const tls::Identity>, const Endpoint& name_server);
/// The same as the peer of that kind.
[[nodiscard]] mocks::PartnerSettings peer_settings(Subject&, PartnerKind, const std::string& user);

/// The domain that a peer of that kind has where nothing else is said.
[[nodiscard]] std::string default_peer_domain(PartnerKind);

/// Brings the subject of this run up: the embedded deployment after the cutover, or the target.
[[nodiscard]] std::shared_ptr<Subject> make_subject(Run&);
/// A subject with an XMPP account: the target, or the mock server with accounts, for the deployment has SIP users only.
[[nodiscard]] std::shared_ptr<Subject> make_subject_with_account(Run&);

}  // namespace cutover::harness
