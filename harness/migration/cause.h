// Why an exchange fails: each cause with its sentence, its remedy and the place in the documents. The known failures of
// lync-facts section 5 are among them by number.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace cutover::harness::migration {

enum class Cause {
  none,
  // The rule of the source document.
  partner_configured,
  user_on_legacy_pool,
  partner_not_allowed,
  xmpp_left_the_product,
  // The new side is not there yet, or not whole.
  edge_not_deployed,
  flag_not_ticked,
  not_published,
  route_not_set,
  proxy_not_installed,
  gateway_not_installed,
  services_stopped,
  gateway_stopped,
  not_replicated,
  pool_down,
  next_hop_down,
  link_closed,
  member_down,
  route_elsewhere,
  // Certificates.
  certificate_missing,
  certificate_not_live,
  name_missing,
  wildcard_only,
  certificate_expired,
  certificate_not_yet_valid,
  authority_untrusted,
  revocation_unreachable,
  client_usage_missing,
  members_differ,
  // Policies.
  federation_switch_off,
  policy_absent,
  policy_without_federation,
  federation_not_allowed,
  user_not_enabled,
  branch_user,
  // Names.
  srv_missing,
  srv_target_dead,
  srv_port_wrong,
  partner_srv_missing,
  domain_not_listed,
  old_record_cached,
  old_stream_open,
  // Negotiation.
  row_invalid,
  we_require_tls,
  partner_requires_tls,
  partner_is_not_proved,
  no_common_method,
  partner_without_version,
  external_fails_and_closes,
  dialback_authority,
  dialback_unanswered,
  partner_hosts_our_domain,
  // Network.
  firewall_in,
  firewall_out,
  // Limits.
  connections_exhausted,
  // What a partner's contact may.
  contact_not_listed,
  note_not_shown,
  partner_discards,
  // The legacy side.
  legacy_gateway_stopped,
  legacy_edge_stopped,
  legacy_route_missing,
  legacy_partner_missing,
  legacy_domain_missing,
};

/// The directions in which exchanges fail for a cause.
enum class Ways { both, to_partner, from_partner };

struct CauseText {
  Cause cause = Cause::none;
  std::string_view id;        ///< "dialback-authority": `cutover explain` takes it
  std::string_view sentence;  ///< what is so
  std::string_view remedy;    ///< what to do, an imperative
  std::string_view failure;   ///< "F19" of the known failures, or some of them; empty: none
  std::string_view source;    ///< section of the fact sheet
  Ways ways = Ways::both;
  std::string_view whom;  ///< whose exchanges it hits
};
[[nodiscard]] std::span<const CauseText> causes();
[[nodiscard]] const CauseText& text_of(Cause);
/// By id; nothing for a word that names none.
[[nodiscard]] std::optional<Cause> cause_of(std::string_view id);
[[nodiscard]] std::string_view name_of(Ways);

/// A known failure of such deployments (lync-facts section 5).
struct FailureText {
  std::string_view id;       ///< "F19"
  std::string_view symptom;  ///< what people see
  std::string_view check;    ///< what would have found it before
};
[[nodiscard]] std::span<const FailureText> failures();
/// The causes that bring it about, in their order; none for the three that are no failures of XMPP.
[[nodiscard]] std::vector<Cause> causes_behind(std::string_view failure);

}  // namespace cutover::harness::migration
