// RFC 2782's order of SRV targets.
#include "protocol/dns/srv.h"

#include <algorithm>

namespace cutover::dns {

namespace {

using Iterator = std::vector<SrvCandidate>::iterator;

/// RFC 2782: a number from 0 to the sum of the weights, and the first record whose running sum reaches it. Weight 0
/// stands in front, so that it is chosen only by the number 0.
Iterator choose(Iterator first, Iterator last, const Random& random) {
  std::stable_partition(first, last, [](const auto& candidate) { return candidate.srv.weight == 0; });
  std::uint64_t sum = 0;
  for (auto it = first; it != last; ++it) sum += it->srv.weight;
  // All weights are zero: any order will do, and a fair one spreads the load.
  if (sum == 0) return first + static_cast<std::ptrdiff_t>(random(static_cast<std::uint64_t>(last - first)));
  const auto number = random(sum + 1);
  std::uint64_t running = 0;
  for (auto it = first; it != last; ++it) {
    running += it->srv.weight;
    if (running >= number) return it;
  }
  return last - 1;
}

void order_by_weight(Iterator first, Iterator last, const Random& random) {
  for (; last - first > 1; ++first) {
    const auto chosen = choose(first, last, random);
    std::rotate(first, chosen, chosen + 1);
  }
}

}  // namespace

std::vector<SrvCandidate> in_order(std::vector<SrvCandidate> candidates, const Random& random,
                                   const Departures& departures) {
  // Where a subject ignores weights it tends to sort them, or to keep the order of the answer.
  const bool by_weight = !departures.has("dns.ignores-weight");
  if (departures.has("dns.ignores-priority")) {
    for (auto& candidate : candidates) candidate.srv.priority = 0;
  } else if (departures.has("dns.highest-priority-number-first")) {
    for (auto& candidate : candidates)
      candidate.srv.priority = static_cast<std::uint16_t>(65535 - candidate.srv.priority);
  }
  if (departures.has("dns.starttls-list-first")) {
    std::ranges::stable_sort(candidates, {}, [](const auto& c) { return std::pair(c.direct_tls, c.srv.priority); });
    return candidates;
  }
  std::ranges::stable_sort(candidates, {}, [](const auto& candidate) { return candidate.srv.priority; });
  for (auto first = candidates.begin(); first != candidates.end() && by_weight;) {
    const auto last =
        std::find_if(first, candidates.end(), [&](const auto& c) { return c.srv.priority != first->srv.priority; });
    order_by_weight(first, last, random);
    first = last;
  }
  return candidates;
}

SrvService merge(const std::vector<Record>& direct, const std::vector<Record>& starttls) {
  SrvService service;
  bool dot = false;
  const auto take = [&](const std::vector<Record>& records, bool direct_tls) {
    for (const auto& record : records) {
      const auto srv = srv_of(record);
      if (!srv) continue;
      if (srv->target == ".") {
        dot = true;
      } else {
        service.candidates.push_back({*srv, direct_tls});
      }
    }
  };
  take(direct, true);
  take(starttls, false);
  service.declared_absent = dot && service.candidates.empty();
  return service;
}

}  // namespace cutover::dns
