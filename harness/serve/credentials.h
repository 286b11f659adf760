// The authority and the certificates of a deployment that is served, in a folder that several processes share.
#pragma once

#include "harness/deployment/topology.h"
#include "protocol/tls/authority.h"

#include <memory>
#include <stdexcept>
#include <string>

namespace cutover::harness {

/// A folder or file of credentials that cannot be used; what() names it, the reason and the remedy.
struct CredentialsError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The authority in `folder`; the first process makes it. Beside it are, for talking to the nodes by hand, root.pem and
/// a certificate for every domain of the topology with its key: hand.pem and hand.key. Throws CredentialsError.
[[nodiscard]] std::unique_ptr<tls::Authority> open_credentials(const std::string& folder, const Topology&);

}  // namespace cutover::harness
