// RFC 2782's order of SRV targets.
#include "protocol/dns/srv.h"

#include "protocol/dns/rules.h"

#include <algorithm>

namespace cutover::dns {

namespace {

using Iterator = std::vector<SrvCandidate>::iterator;

/// RFC 2782: a number from 0 to the sum of the weights, and the first record whose running sum reaches it. Weight 0
/// stands in front, so that it is chosen only by the number 0.
Iterator choose(Iterator first, Iterator last, const Random& random, const Departures& departures) {
  if (departures.holds(Rule::weight_zero_has_a_chance))
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

void order_by_weight(Iterator first, Iterator last, const Random& random, const Departures& departures) {
  for (; last - first > 1; ++first) {
    const auto chosen = choose(first, last, random, departures);
    std::rotate(first, chosen, chosen + 1);
  }
}

}  // namespace

std::vector<SrvCandidate> in_order(std::vector<SrvCandidate> candidates, const Random& random,
                                   const Departures& departures) {
  const bool by_priority = departures.holds(Rule::lowest_priority_comes_first);
  const bool by_list = !departures.holds(Rule::both_lists_are_one);
  const auto rank = [&](const SrvCandidate& candidate) {
    return std::pair(by_list && candidate.direct_tls, by_priority ? candidate.srv.priority : 0);
  };
  std::ranges::stable_sort(candidates, {}, rank);
  if (!departures.holds(Rule::weight_draws_lots)) return candidates;
  for (auto first = candidates.begin(); first != candidates.end();) {
    const auto last = std::find_if(first, candidates.end(), [&](const auto& c) { return rank(c) != rank(*first); });
    order_by_weight(first, last, random, departures);
    first = last;
  }
  return candidates;
}

SrvService merge(const std::vector<Record>& direct, const std::vector<Record>& starttls, const Departures& departures) {
  SrvService service;
  /// Whether the list says ".".
  const auto take = [&](const std::vector<Record>& records, bool direct_tls) {
    bool dot = false;
    for (const auto& record : records) {
      const auto srv = srv_of(record);
      if (!srv) continue;
      if (srv->target == ".") {
        dot = true;
      } else {
        service.candidates.push_back({*srv, direct_tls});
      }
    }
    return dot;
  };
  const bool direct_dot = take(direct, true), starttls_dot = take(starttls, false);
  if (direct_dot && !departures.holds(Rule::dot_is_for_its_own_list)) return {{}, true};
  const bool dot = starttls_dot || departures.breaks(Rule::dot_for_direct_tls_counts, direct_dot);
  service.declared_absent = departures.breaks(Rule::dot_means_no_service, dot) && service.candidates.empty();
  return service;
}

}  // namespace cutover::dns
