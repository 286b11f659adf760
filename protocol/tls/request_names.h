// The names that a requested certificate really carries, its flaw applied; the same for every authority.
#pragma once

#include "protocol/tls/authority.h"

namespace cutover::tls {

struct RequestedNames {
  std::vector<std::string> dns_names, srv_names, xmpp_addrs;
  std::string common_name;
};

[[nodiscard]] RequestedNames requested_names(const CertificateRequest&);

}  // namespace cutover::tls
