// jabberd2's side of a real server: its files as text.
#pragma once

#include "harness/servers/real_server.h"

namespace cutover::harness {

/// The configuration of one of the four programs: router, c2s, sm or s2s. It is the example that the package brings (in
/// the folder of `program`), with our addresses, paths, certificate and limits. Throws HarnessFault where the example
/// is missing or is of another release.
[[nodiscard]] std::string jabberd2_configuration(const std::string& part, const ServerSettings&);

}  // namespace cutover::harness
