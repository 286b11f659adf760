// Prosody's side of a real server: its configuration as text.
#pragma once

#include "harness/servers/real_server.h"

namespace cutover::harness {

/// The text of the configuration file for these settings.
[[nodiscard]] std::string prosody_configuration(const ServerSettings&);

/// The name of the account file below the folder: domain and user as Prosody's `internal` storage escapes them.
[[nodiscard]] std::string prosody_account_file(const std::string& domain, const std::string& user);

}  // namespace cutover::harness
