// The order in which the targets of SRV records are tried: RFC 2782, and the merged lists of XEP-0368.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/dns/message.h"

#include <functional>

namespace cutover::dns {

/// One SRV record with the list that it came from.
struct SrvCandidate {
  Srv srv;
  bool direct_tls = false;  ///< from _xmpps-server (XEP-0368)
};

/// A number below its argument (> 0), as Context::random gives it.
using Random = std::function<std::uint64_t(std::uint64_t bound)>;

/// All candidates in the order to try: by priority, and within one priority at random by weight with the running-sum
/// procedure of RFC 2782 ("Weight"). Records of both lists take part in one order (XEP-0368 section 3).
[[nodiscard]] std::vector<SrvCandidate> in_order(std::vector<SrvCandidate> candidates, const Random& random,
                                                 const Departures& departures = {});

/// What the two look-ups of a domain say together.
struct SrvService {
  std::vector<SrvCandidate> candidates;  ///< not yet in order; without those whose target is "."
  bool declared_absent = false;          ///< nothing usable, and at least one list said "."
};

/// Merges the answers for _xmpps-server and _xmpp-server. A "." says "no service" for its own list alone (RFC 2782
/// "Target", XEP-0368 section 5).
[[nodiscard]] SrvService merge(const std::vector<Record>& direct, const std::vector<Record>& starttls,
                               const Departures& departures = {});

}  // namespace cutover::dns
