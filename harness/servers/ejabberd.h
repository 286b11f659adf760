// ejabberd's side of a real server: its files as text.
#pragma once

#include "harness/servers/real_server.h"

namespace cutover::harness {

/// ejabberd.yml for these settings.
[[nodiscard]] std::string ejabberd_configuration(const ServerSettings&);
/// What Erlang's resolver reads: it asks our name server and nobody else, and keeps nothing.
[[nodiscard]] std::string ejabberd_resolver(const ServerSettings&);
/// Erlang expressions that are evaluated once it runs: they make the accounts.
[[nodiscard]] std::string ejabberd_accounts(const ServerSettings&);

}  // namespace cutover::harness
