// The checks by verb; the known failures of lync-facts section 5 name what each would have caught.
#include "harness/migration/checks.h"

#include <fmt/format.h>

namespace cutover::harness::migration {

namespace {

std::vector<std::string> of_edge(const Operation& operation) {
  const auto& [verb, subject, value] = operation;
  switch (verb) {
    case Verb::assign_certificate:
      return {fmt::format("the bare name of every SIP domain is in subjectAltName of '{}' (F3, F5)", value)};
    case Verb::restart_edge:
      return {
          fmt::format("openssl s_client -connect {}:5269 -starttls xmpp-server shows the new certificate", subject)};
    case Verb::set_up_edge:
      return {fmt::format("netstat -an on every machine of {} shows 5269 and 23456 listening (F1)", subject)};
    case Verb::tick_xmpp:
      return {"the topology is published and the edge replica is UpToDate (F29)"};
    default:
      return {};
  }
}

}  // namespace

std::vector<std::string> checks_of(const Operation& operation, const Estate& estate) {
  const auto& [verb, subject, value] = operation;
  switch (verb) {
    case Verb::move_users:
      return {fmt::format("Get-CsUser: no user of {} is left on its old pool (F17)", subject),
              fmt::format("a user of {} exchanges a message with each partner, both ways", subject)};
    case Verb::grant_policy:
      return {fmt::format("a user of {} has signed in again and its effective policy allows XMPP (F6)", subject)};
    case Verb::allow_federated_users:
      return {"Get-CsAccessEdgeConfiguration: AllowFederatedUsers is True (F6)"};
    case Verb::allow_partner:
      return {fmt::format("Get-CsXmppAllowedPartner {} shows the row that was planned (F8, F9, F24)", subject),
              "Get-CsManagementStoreReplicationStatus: UpToDate on every edge (F29)"};
    case Verb::remove_partner:
      return {fmt::format("Get-CsXmppAllowedPartner lacks {}, and its legacy path carries a message", subject)};
    case Verb::set_up_front_end:
      return {"the service RTCXMPPTGW runs on every front end (F1)"};
    case Verb::set_route:
      return {"Get-CsSite: XmppFederationRoute names the pool to which the SRV record leads (F23)"};
    case Verb::repoint: {
      std::vector<std::string> checks{
          fmt::format("dig SRV _xmpp-server._tcp.{} @<each name server of the zone> (F4, F11)", subject)};
      if (estate.partners.size() > 1)
        checks.emplace_back("a message with an answer from a user of each partner (F10, F19)");
      return checks;
    }
    case Verb::set_ttl:
      return {fmt::format("dig SRV _xmpp-server._tcp.{}: the TTL is {} s or less", subject, value)};
    case Verb::drain_streams:
    case Verb::stop_legacy_gateway:
      return {"no connection to 5269 of the legacy gateway is left (F20)"};
    default:
      return of_edge(operation);
  }
}

}  // namespace cutover::harness::migration
