// The subject of a run with a target: a real server of our own, or one that is up.
#pragma once

#include "harness/subjects/subject.h"
#include "harness/targets/target.h"
#include "mocks/xmpp_client.h"
#include "protocol/dns/server.h"

namespace cutover::harness {

/// By which names a case meets its peers.
struct PeerNames {
  std::string label;                         ///< below the declared domains; empty where those are used themselves
  std::map<PartnerKind, std::size_t> which;  ///< of several that are listed for a kind; the first without
};
/// Those of this case: of its own where that can be, the same again only for the same seed and, at a server that stays
/// up, not even then.
[[nodiscard]] PeerNames peer_names(const Run&, const Target&, std::time_t wall_clock);

/// Brings it up as its driver says, with our name server and its user online. HarnessFault where that fails: the
/// harness's matter, never a failed check. What a case has changed at a server that stays up (roster, subscriptions,
/// presence) is taken back when the subject goes, also where the case failed.
[[nodiscard]] std::shared_ptr<Subject> make_target_subject(Run&, const Target&);
/// The mock server with accounts in the place of a target.
[[nodiscard]] std::shared_ptr<Subject> make_embedded_accounts(Run&);
/// A server that is up, for somebody other than a case; without its user.
[[nodiscard]] std::shared_ptr<Subject> make_remote_subject(World&, const Target&, PeerNames);

/// Waits until the client is online. Where its stream breaks it tries again: how a server treats clients is not judged.
/// Why it is not; empty when it is.
[[nodiscard]] std::string signs_in(World&, mocks::XmppClient&);

/// Publishes a domain of that zone with one server.
void publish(dns::DnsServer&, const std::string& zone, const std::string& name, const Endpoint& server);

/// How the account of a remote target signs in; with its trust anchors, not yet connected.
[[nodiscard]] mocks::XmppClient::Config client_of(const RemoteTarget&, const World&);

}  // namespace cutover::harness
