// Brings the users of a real server online.
#include "harness/servers/real_partner.h"

#include <fmt/format.h>

namespace cutover::harness {

void RealPartner::sign_users_in(World& world, int first_host, const std::shared_ptr<const tls::Identity>& identity) {
  constexpr Duration sign_in_limit = 10s;
  server_.wait_until_ready(world, first_host);
  const auto& settings = server_.settings();
  int host = first_host;
  for (const auto& account : settings.accounts) {
    mocks::XmppClient::Config config;
    config.server = {settings.address, RealServer::c2s_port};
    config.user = account.user;
    config.domain = settings.domain;
    config.password = account.password;
    config.resource = "home";
    config.identity = identity;
    config.plain_in_clear = identity == nullptr;
    world.add(account.user, host++, make_client(std::move(config)));
  }
  const bool settled = world.run_until([this] { return signed_in() || !failure().empty(); }, sign_in_limit);
  if (signed_in()) return;
  throw ServerFailed(fmt::format("{} at {} lets no user in: {}", server_.product().title, settings.address,
                                 settled ? failure() : "no answer"),
                     server_.log());
}

}  // namespace cutover::harness
