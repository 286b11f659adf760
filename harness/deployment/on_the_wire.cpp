// Limits of mocks, told in one place.
#include "harness/deployment/on_the_wire.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness {

using namespace migration;

bool shown_by_nodes(const Partner& partner) {
  // Whoever meets a certificate that proves nothing may go on by dialback or end the stream (RFC 6120 section 13.7.2).
  const bool clear = partner.side.certificate != negotiation::Certificate::bad;
  return clear && partner.trusts_our_authority && !partner.wants_client_usage && !partner.closes_on_failed_external &&
         !partner.hosts_our_domain && !partner.discards_messages && partner.answers_dialback && partner.has_srv &&
         partner.connections == 1 && partner.cache_s == 0;
}

bool shown_by_nodes(const Operation& operation, const Estate& estate) {
  if (std::ranges::find(on_the_wire(), operation.verb) == on_the_wire().end()) return false;
  const auto& here = edge_name_on_the_wire(estate.start);
  if (estate.start.edges.contains(operation.subject) && operation.subject != here) return false;
  if (operation.verb == Verb::assign_certificate && operation.value != "-") {
    const auto& certificate = estate.certificates.at(operation.value);
    return certificate.fault != Certificate::Fault::revocation_unreachable;
  }
  if (operation.verb == Verb::remove_pool) {  // its users would find another node of that side
    const auto of_side = [](const auto& entry) {
      return entry.second.side == migration::Side::current && !entry.second.branch;
    };
    return std::ranges::count_if(estate.start.pools, of_side) == 1;
  }
  if (operation.verb != Verb::repoint || operation.value == "-") return true;
  const auto record = estate.records.find(operation.value);
  if (record == estate.records.end()) return operation.value == here || operation.value == legacy_gateway_box;
  return record->second.size() == 1 && (record->second[0].box == here || record->second[0].box == legacy_gateway_box);
}

bool shown_by_nodes(const UserClass& users, const State& state) {
  return users.enabled && side_of(state, users) == migration::Side::legacy;
}

void list_contact(Deployment& deployment, const std::string& user, const std::string& partner_domain) {
  constexpr Duration patience = 45s;
  const auto& partners = deployment.topology().partners;
  const auto spec = std::ranges::find(partners, partner_domain, &PartnerSpec::domain);
  const auto uri = fmt::format("sip:{}@{}", spec->users.front(), partner_domain);
  auto& watcher = deployment.user(user);
  watcher.subscribe(uri);
  (void)deployment.world().run_until([&] { return watcher.contact(uri).subscribe_status >= 200; }, patience);
}

Outcome felt(const Observation& seen, Duration took) {
  constexpr Duration at_once = 20s;  // an error takes some round trips of a millisecond
  Outcome outcome{.path = seen.path};
  if (seen.copies > 0) return outcome;
  if (!seen.sender_told)
    outcome.kind = Kind::black_holed;
  else
    outcome.kind = took > at_once ? Kind::bounced : Kind::refused;
  outcome.after = took;
  return outcome;
}

}  // namespace cutover::harness
