// A domain that a real server serves, with its users at clients of ours.
#pragma once

#include "harness/servers/real_server.h"
#include "mocks/client_users.h"

namespace cutover::harness {

/// Stands at the server's address in the world and owns its processes. Its users' clients are nodes of their own.
class RealPartner final : public Node, public mocks::ClientUsers {
 public:
  /// Starts the server. Throws HarnessFault when that fails.
  RealPartner(const ServerProduct& product, ServerSettings settings) : server_(product, std::move(settings)) {}
  void start(Context&) override {}

  [[nodiscard]] RealServer& server() { return server_; }
  /// Waits until it is up and signs every account in, from hosts `first_host`, first_host + 1 ... of the world.
  /// `identity` holds the trust anchors; null: in clear. Throws ServerFailed.
  void sign_users_in(World&, int first_host, const std::shared_ptr<const tls::Identity>& identity);

 private:
  RealServer server_;
};

}  // namespace cutover::harness
