// The subject of a run with a target: a real server of our own, or one that is up.
#pragma once

#include "harness/subjects/subject.h"
#include "harness/targets/target.h"
#include "mocks/xmpp_client.h"
#include "protocol/dns/server.h"

namespace cutover::harness {

/// Brings it up as its driver says, with our name server and its user online. HarnessFault where that fails: the
/// harness's matter, never a failed check.
[[nodiscard]] std::shared_ptr<Subject> make_target_subject(Run&, const Target&);

/// Publishes a domain with one server.
void publish(dns::DnsServer&, const std::string& domain, const Endpoint& server);

/// How the account of a remote target signs in; with its trust anchors, not yet connected.
[[nodiscard]] mocks::XmppClient::Config client_of(const RemoteTarget&, const World&);

}  // namespace cutover::harness
