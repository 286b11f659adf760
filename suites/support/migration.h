// What the migration cases share: a deployment, and the judgement that the wire agrees with the prediction.
#pragma once

#include "harness/deployment/exchange.h"
#include "harness/judging/case.h"
#include "harness/judging/run.h"
#include "mocks/raw_peer.h"

#include <iosfwd>

namespace cutover::suites {

/// The deployment of the run, in its legacy shape.
[[nodiscard]] std::shared_ptr<harness::Deployment> bring_up(harness::Run&);

/// The same with that estate instead of what follows from the topology ...
[[nodiscard]] std::shared_ptr<harness::Deployment> bring_up(harness::Run&, harness::migration::Estate);
/// ... of another topology than that of the run.
[[nodiscard]] std::shared_ptr<harness::Deployment> bring_up(harness::Run&, harness::Topology,
                                                            harness::migration::Estate);
/// The first of them, taken through the six steps.
[[nodiscard]] std::shared_ptr<harness::Deployment> migrate(harness::Run&, harness::migration::Estate);
[[nodiscard]] std::shared_ptr<harness::Deployment> migrate(harness::Run&, harness::Topology,
                                                           harness::migration::Estate);
/// Ends the case as unsupported where a live world cannot hold the topology.
void check_block(harness::Run&, const harness::Topology&);

/// A peer by hand on a host that no deployment has; to be asked for once.
[[nodiscard]] mocks::RawPeer& somebody(harness::Deployment&, Layer speaks = Layer::xmpp);

/// Whether a connection to that listener comes about: "proxy", "legacy-gateway".
[[nodiscard]] bool takes_connections(harness::Deployment&, mocks::RawPeer&, std::string_view listener);

/// The exchanges that went otherwise than predicted, a sentence each.
struct Deviations {
  std::size_t exchanges = 0;  ///< that were observed
  std::vector<std::string> found;
  std::vector<harness::Observation> seen;
  [[nodiscard]] bool empty() const { return found.empty(); }
  [[nodiscard]] std::size_t size() const { return found.size(); }
};
void PrintTo(const Deviations&, std::ostream*);
MATCHER(AsPredicted, "each as the rules predict") { return arg.empty(); }

/// Observes the exchanges. A deviation: wrong path, both paths, not exactly one copy, or cut off without the sender of
/// a message being told.
[[nodiscard]] Deviations deviations(harness::Deployment&, const std::vector<harness::Exchange>&);
/// The same after settle(), of those that are tried (tried_exchanges).
[[nodiscard]] Deviations deviations(harness::Deployment&);

/// The exchanges of one user, or of one partner; an empty name is every one.
[[nodiscard]] std::vector<harness::Exchange> exchanges_of(const harness::Topology&, const std::string& user,
                                                          const std::string& partner_domain);
/// Those of one user that are tried: none where others stand for that user.
[[nodiscard]] std::vector<harness::Exchange> tried_exchanges_of(const harness::Deployment&, const std::string& user);
/// Those of one partner that are tried.
[[nodiscard]] std::vector<harness::Exchange> tried_exchanges_with(const harness::Deployment&,
                                                                  const std::string& partner_domain);
/// Those of a user, whoever stands for that one elsewhere, with the partners that are tried.
[[nodiscard]] std::vector<harness::Exchange> exchanges_of_user(const harness::Deployment&, const std::string& user);

/// How many of the exchanges that are tried the rules let through on `path`: a case says what it expects, so that a
/// prediction that went wrong with the deployment cannot agree with it unseen.
[[nodiscard]] std::size_t predicted_on(harness::Deployment&, harness::Path path);
/// The cause that the rules name for a message between the two; Cause::none where it is not cut off.
[[nodiscard]] harness::Cause predicted_cause(harness::Deployment&, const std::string& user,
                                             const std::string& partner_domain, harness::Way);

}  // namespace cutover::suites
