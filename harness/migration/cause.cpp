// The causes as a table.
#include "harness/migration/cause.h"

#include "protocol/base/check.h"

#include <algorithm>
#include <array>

namespace cutover::harness::migration {

namespace {

using enum Cause;

constexpr std::array table{
    CauseText{none, "none", "nothing stands in the way", "", "", ""},
    CauseText{
        partner_configured, "partner-configured",
        "the partner is configured on the new side, so its legacy path has stopped",
        "Configure the partner only in the window in which DNS is updated, or remove it: Remove-CsXmppAllowedPartner.",
        "F18", "1.2.3"},
    CauseText{user_on_legacy_pool, "user-on-legacy-pool",
              "the partner is reached through the new side, and the user is still homed on a legacy pool",
              "Move every user before the partner is configured and the route is set.", "F17", "1.2.6"},
    CauseText{partner_not_allowed, "partner-not-allowed",
              "our SRV record names the new edge, whose list of allowed partners lacks this one",
              "New-CsXmppAllowedPartner for the domain; partners of the legacy gateway are not imported.", "", "1.6"},
    CauseText{xmpp_left_the_product, "xmpp-left-the-product", "the pool is of a version that has no XMPP any more",
              "Keep users who need XMPP on the older pool.", "", "1.7"},
    CauseText{edge_not_deployed, "edge-not-deployed", "the edge pool of the new side is not deployed",
              "Deploy the edge first.", "F1", "1.2.1"},
    CauseText{flag_not_ticked, "flag-not-ticked",
              "\"Enable XMPP federation (port 5269)\" is not ticked for the edge pool, so nothing listens on 5269 and "
              "23456",
              "Tick it in Topology Builder, publish, and run set-up on edge and front end again; no topic of the "
              "migration says so.",
              "F1", "1.6"},
    CauseText{not_published, "not-published", "the topology was changed and not published",
              "Publish the topology, then run set-up.", "F1", "1.5"},
    CauseText{route_not_set, "route-not-set", "the site has no XMPP federation route",
              "Set-CsSite -XmppFederationRoute \"EdgeServer:<fqdn>\".", "F1", "3.5"},
    CauseText{proxy_not_installed, "proxy-not-installed",
              "set-up was not run on the edge since XMPP was enabled in the topology: the proxy is not installed",
              "Run \"Setup or Remove Lync Server Components\" on every edge of the pool.", "F1", "1.5"},
    CauseText{gateway_not_installed, "gateway-not-installed",
              "set-up was not run on the front ends since XMPP was enabled: the gateway is not installed",
              "Run \"Setup or Remove Lync Server Components\" on every front end.", "F1", "1.5"},
    CauseText{services_stopped, "services-stopped", "the services of the edge pool are stopped",
              "Start-CsWindowsService on its members.", "F1", "1.5"},
    CauseText{gateway_stopped, "gateway-stopped", "the XMPP gateway service of the front end is stopped",
              "Start-CsWindowsService RTCXMPPTGW.", "F1", "2.1"},
    CauseText{
        not_replicated, "not-replicated", "the change has not reached the edge yet",
        "Wait until Get-CsManagementStoreReplicationStatus says UpToDate, or Invoke-CsManagementStoreReplication.",
        "F29", "5 F29"},
    CauseText{pool_down, "pool-down", "the user's pool does not run", "Bring the pool up or move its users.", "",
              "2.3"},
    CauseText{next_hop_down, "next-hop-down", "the edge's next hop is a pool that does not run",
              "Set the next hop of the edge pool to a pool that runs, and publish.", "F37", "2.3"},
    CauseText{link_closed, "link-closed", "the front end does not reach the edge at 23456",
              "Open 23456/tcp from the front ends to the internal address of every member; no balancer between.", "F16",
              "2.2"},
    CauseText{member_down, "member-down",
              "a member of the edge pool is down: DNS balancing goes on sending to it, without failover",
              "Bring the member up or take its address out of DNS.", "F22", "2.3"},
    CauseText{
        route_elsewhere, "route-elsewhere", "the SRV record leads to an edge pool that does not have the XMPP route",
        "Set-CsSite -XmppFederationRoute to the pool that the record names, or repoint the record.", "F23", "2.3"},
    CauseText{certificate_missing, "certificate-missing",
              "the edge has no external certificate, and its services do not start without one",
              "Request, import and assign it, then restart the services.", "F2", "5 F2"},
    CauseText{certificate_not_live, "certificate-not-live",
              "the certificate that is assigned is not shown before the services are restarted",
              "Stop-CsWindowsService and Start-CsWindowsService on the edge.", "F29", "1.5"},
    CauseText{name_missing, "name-missing", "the certificate of the edge lacks the bare SIP domain",
              "Request it again behind the proxy's set-up, with the bare name of every SIP domain in subjectAltName.",
              "F3", "2.4"},
    CauseText{wildcard_only, "wildcard-only",
              "only a wildcard of the certificate could stand for the domain, and it does not",
              "Request a certificate with the bare name; wildcards are not supported on an edge.", "F5", "2.4"},
    CauseText{certificate_expired, "certificate-expired", "the certificate of the edge has expired",
              "Renew it, assign it and restart the services.", "F25", "2.4"},
    CauseText{certificate_not_yet_valid, "certificate-not-yet-valid", "the certificate of the edge is not valid yet",
              "Wait for its date or request another one; look at the clocks.", "F25", "2.4"},
    CauseText{authority_untrusted, "authority-untrusted",
              "the partner does not trust the authority that issued our certificate",
              "Use a certificate of a public authority, with its intermediate certificates.", "F25", "2.2"},
    CauseText{revocation_unreachable, "revocation-unreachable",
              "the partner cannot reach the revocation list of our certificate",
              "Publish the list where the Internet reaches it; open 80/tcp.", "F25", "2.2"},
    CauseText{
        client_usage_missing, "client-usage-missing",
        "our certificate may not stand for a TLS client, and this partner insists",
        "Request it with client authentication: Request-CsCertificate -ClientEku $true and a template of its own.",
        "F13", "2.4"},
    CauseText{members_differ, "members-differ", "the members of the edge pool show different certificates",
              "Import the same certificate with its key on every member.", "F22", "2.4"},
    CauseText{federation_switch_off, "federation-switch-off", "AllowFederatedUsers is false for the whole deployment",
              "Set-CsAccessEdgeConfiguration -AllowFederatedUsers $true.", "F6", "3.5"},
    CauseText{policy_absent, "policy-absent", "no external access policy allows XMPP for the user",
              "Grant one with EnableFederationAccess and EnableXmppAccess: Grant-CsExternalAccessPolicy.", "F6", "3.4"},
    CauseText{policy_without_federation, "policy-without-federation",
              "the user's policy allows XMPP and not federation, which has no effect",
              "Set-CsExternalAccessPolicy -EnableFederationAccess $true for that policy.", "F6", "3.4"},
    CauseText{federation_not_allowed, "federation-not-allowed",
              "the user's policy does not allow federation, and the legacy path is SIP federation",
              "Set-CsExternalAccessPolicy -EnableFederationAccess $true for the policy that holds for the user.", "F6",
              "3.4"},
    CauseText{user_not_enabled, "user-not-enabled", "the user is not enabled", "Enable-CsUser.", "", "3.4"},
    CauseText{branch_user, "branch-user",
              "the user is homed on a survivable branch appliance, where XMPP is not supported",
              "Home users who need XMPP on a pool.", "F21", "2.7"},
    CauseText{srv_missing, "srv-missing", "the SIP domain has no _xmpp-server record, so a partner cannot find us",
              "Publish _xmpp-server._tcp for every SIP domain.", "F4", "2.5"},
    CauseText{srv_target_dead, "srv-target-dead", "the SRV record leads to a name without an address, or to nobody",
              "Publish the A record of the target.", "F11", "2.5"},
    CauseText{srv_port_wrong, "srv-port-wrong", "the SRV record names another port than the one that is listened to",
              "Publish port 5269.", "F11", "2.5"},
    CauseText{partner_srv_missing, "partner-srv-missing", "the partner has no SRV record and no ProxyFqdn is set",
              "Set-CsXmppAllowedPartner -ProxyFqdn, or have the partner publish its record.", "F11", "2.5"},
    CauseText{domain_not_listed, "domain-not-listed",
              "this domain of the partner stands neither as its primary nor as an additional domain",
              "Set-CsXmppAllowedPartner -AdditionalDomains @{Add=...}: each must be listed.", "F33", "5 F33"},
    CauseText{old_record_cached, "old-record-cached",
              "the partner's resolver still has our old SRV record, which leads to the box that we left",
              "Lower the TTL of the record, as long ahead of the change as the old TTL lasts.", "F20", "1.4.7"},
    CauseText{old_stream_open, "old-stream-open",
              "the partner still sends over a stream to the box that our record has left",
              "Close the streams of the legacy gateway behind the change of DNS, or wait for its idle time-out.", "F20",
              "1.6"},
    CauseText{row_invalid, "row-invalid", "these negotiation settings leave no way to authenticate",
              "Choose one of the thirteen rows that work.", "F24", "3.2"},
    CauseText{
        we_require_tls, "we-require-tls", "we require TLS and the partner has none",
        "Set-CsXmppAllowedPartner -TlsNegotiation NotSupported -SaslNegotiation NotSupported, if that is acceptable.",
        "F8", "3.2"},
    CauseText{partner_requires_tls, "partner-requires-tls", "the partner requires TLS and our settings forbid it",
              "Set-CsXmppAllowedPartner -TlsNegotiation Optional or Required.", "F9", "3.2"},
    CauseText{we_are_not_proved, "we-are-not-proved",
              "the partner does not accept our certificate and has no other way to know us",
              "Show a certificate that the partner accepts for the SIP domain, or agree on dialback.", "F13", "5 F13"},
    CauseText{partner_is_not_proved, "partner-is-not-proved",
              "the partner's certificate does not prove its domain, and our settings leave no other way",
              "Allow dialback: -SupportDialbackNegotiation $true with -SaslNegotiation Optional or NotSupported.", "",
              "3.1"},
    CauseText{
        no_common_method, "no-common-method", "there is no way of authenticating that both sides have",
        "Compare what the partner supports with the row: a partner with all defaults works by SASL over TLS only.", "",
        "3.1"},
    CauseText{partner_without_version, "partner-without-version",
              "the partner speaks XMPP 0.9 without features, and our settings leave it no dialback in clear",
              "Set the row of the Google Talk recipe for such a partner.", "F12", "3.5"},
    CauseText{external_fails_and_closes, "external-fails-and-closes",
              "SASL EXTERNAL fails at the partner, which then closes instead of falling back to dialback",
              "Show a certificate that it accepts, or set -SaslNegotiation NotSupported for it.", "F14", "4.4"},
    CauseText{dialback_authority, "dialback-authority",
              "dialback: our SRV record, as the partner sees it, names the box that does not know the key",
              "Lower the TTL ahead of time and configure the partner in the same window in which DNS is updated.",
              "F19", "1.6"},
    CauseText{dialback_unanswered, "dialback-unanswered", "the partner's dialback never comes to a result",
              "Have the partner's TLS mended, or use SASL EXTERNAL.", "F35", "5 F35"},
    CauseText{partner_hosts_our_domain, "partner-hosts-our-domain", "the partner takes our domain for one of its own",
              "Have the service for our domain ended at the partner.", "F7", "5 F7"},
    CauseText{firewall_in, "firewall-in", "the firewall lets nothing in to 5269 of the edge",
              "Open 5269/tcp from any to the access edge's address.", "F15", "2.2"},
    CauseText{firewall_out, "firewall-out", "the firewall lets the edge not out to 5269",
              "Open 5269/tcp from the access edge's address to any; the main port table does not list it.", "F15",
              "2.2"},
    CauseText{connections_exhausted, "connections-exhausted", "the partner opens more connections than its limit",
              "Set-CsXmppAllowedPartner -ConnectionLimit, or Set-CsXmppGatewayConfiguration -PartnerConnectionLimit.",
              "F28", "3.3"},
    CauseText{contact_not_listed, "contact-not-listed",
              "the partner is PublicUnverified, and the user has not added the contact",
              "Have the user add the contact, or choose another partner type.", "", "4.1"},
    CauseText{note_not_shown, "note-not-shown", "only contacts of a Federated partner see status notes",
              "Nothing: the product works so.", "", "4.1"},
    CauseText{partner_discards, "partner-discards", "the partner shows its user as present and discards messages",
              "Ask for an answer before you call a partner working.", "F10", "5 F10"},
    CauseText{legacy_gateway_stopped, "legacy-gateway-stopped", "the legacy gateway is stopped",
              "Start the service \"Office Communications Server XMPP Gateway\" while partners depend on it.", "",
              "1.3"},
    CauseText{legacy_edge_stopped, "legacy-edge-stopped",
              "the edge between the pools and the legacy gateway is stopped or has no federation",
              "Keep it until the last partner has left the legacy path.", "", "1.4"},
    CauseText{legacy_route_missing, "legacy-route-missing",
              "no allowed SIP domain leads to the legacy gateway for this partner, and the new side does not have it",
              "New-CsAllowedDomain with ProxyFqdn of the gateway, or configure the partner on the new side.", "",
              "2.8"},
    CauseText{legacy_partner_missing, "legacy-partner-missing", "the legacy gateway does not serve this partner",
              "Add the partner at the gateway.", "", "1.3"},
    CauseText{legacy_domain_missing, "legacy-domain-missing", "the legacy gateway does not serve the user's SIP domain",
              "Add the SIP domain at the gateway.", "", "2.8"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.at(i).cause != static_cast<Cause>(i)) return false;
  }
  return table.size() == static_cast<std::size_t>(legacy_domain_missing) + 1;
}
static_assert(in_order(), "the table has every cause in the order of the enumeration");

}  // namespace

std::span<const CauseText> causes() { return table; }

const CauseText& text_of(Cause cause) { return table.at(static_cast<std::size_t>(cause)); }

std::optional<Cause> cause_of(std::string_view id) {
  const auto found = std::ranges::find(table, id, &CauseText::id);
  if (found == table.end()) return std::nullopt;
  return found->cause;
}

}  // namespace cutover::harness::migration
