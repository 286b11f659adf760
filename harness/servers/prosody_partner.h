// A domain that a real Prosody serves, with its users at clients of ours.
#pragma once

#include "harness/servers/prosody.h"
#include "mocks/client_users.h"

namespace cutover::harness {

/// Stands at Prosody's address in the world and owns its process. Its users' clients are nodes of their own.
class ProsodyPartner final : public Node, public mocks::ClientUsers {
 public:
  /// Starts the process. Throws HarnessFault when that fails.
  explicit ProsodyPartner(ProsodySettings settings) : prosody_(std::move(settings)) {}
  void start(Context&) override {}

  [[nodiscard]] Prosody& server() { return prosody_; }
  /// Waits until it is up and signs every account in, from hosts `first_host`, first_host + 1 ... of the world.
  /// `identity` holds the trust anchors; null: in clear. Throws ProsodyFailed.
  void sign_users_in(World&, int first_host, const std::shared_ptr<const tls::Identity>& identity);

 private:
  Prosody prosody_;
};

}  // namespace cutover::harness
