// Exchanges: messages and presence between users and partners, observed at both ends and along the way.
#pragma once

#include "harness/deployment/deployment.h"
#include "harness/migration/outcome.h"

#include <string>
#include <vector>

namespace cutover::harness {

using migration::Cause;
using migration::Outcome;
using migration::Path;
using migration::Way;
using migration::What;

/// One thing to send: between `user` of ours and `partner_user` of a partner.
struct Exchange {
  std::string user;
  std::string partner_domain, partner_user;
  Way way = Way::to_partner;
  What what = What::message;
};

/// What came of it.
struct Observation {
  Exchange exchange;
  std::string marker;              ///< the text that identifies it on every wire
  Path path = Path::none;          ///< by the gateways that handled it, where it arrived
  bool both_paths = false;         ///< it crossed the legacy and the new side
  std::size_t copies = 0;          ///< at the receiver
  bool sender_told = false;        ///< an error came back to the sender of a message
  std::string told;                ///< that error in words
  bool told_late = false;          ///< ... or to the gateway, which had answered the sender's MESSAGE by then
  std::vector<std::string> nodes;  ///< that handled it, in order
};

/// What the rules say of an exchange in the state of a deployment, with the boxes that it is led to.
[[nodiscard]] Outcome predict(const Deployment&, const Exchange&);
/// What the rules say of an exchange in a state where caches have expired and streams of earlier states are closed.
/// Presence needs both ways, for the subscription goes one way and the state the other.
[[nodiscard]] Outcome predict(const migration::State&, const Topology&, const Exchange&);

/// Every user with every partner's first user, messages and presence, both ways.
[[nodiscard]] std::vector<Exchange> all_exchanges(const Topology&);

/// Those of them that are tried. Users of one situation (domain, home, target, policy, group) are a class, and partners
/// of one kind and server likewise; of a class of more than three the first and the last stand for the rest, users in
/// the order in which they are moved. With DeploymentOptions::every_exchange: all.
[[nodiscard]] std::vector<Exchange> tried_exchanges(const Deployment&);
/// "everybody", and where not all is tried, how many exchanges stand for how many.
[[nodiscard]] std::string everybody_in_words(const Deployment&);

/// Carries out the exchanges one after the other and counts the copies when all are done, so that a later exchange on
/// the same path is the proof that no second copy comes. Presence subscriptions that it makes are ended again.
[[nodiscard]] std::vector<Observation> observe(Deployment&, const std::vector<Exchange>&);

}  // namespace cutover::harness
