// What a case asks of its subject, and what a target declares: abilities, and how much it may be disturbed.
#pragma once

namespace cutover::harness {

/// Whether a case may be run against somebody's staging deployment.
enum class Staging { safe, disruptive, bench_only };

/// What the subject must have for the case to make sense; a target declares it.
enum class Need {
  sip_side,
  new_deployment,
  legacy_gateway,
  admin,
  user_account,        ///< an account whose messages the harness sends and reads
  sasl_external,       ///< streams over TLS with SASL EXTERNAL
  dialback,            ///< streams over TLS with dialback
  plaintext_dialback,  ///< streams without TLS, with dialback
  direct_tls,          ///< knows _xmpps-server records
  partner_list,        ///< domains that are not listed are refused
  direct_tls_in,       ///< takes streams with TLS from the first octet at a port of its own
  tls,                 ///< speaks TLS with peers, however they authenticate
  authority,           ///< trusts an authority of ours: certificates with flaws, and for names at will
  spare_addresses,     ///< more machines of ours can stand beside the peers, at addresses of their own
  peer_zones,          ///< our name server answers it for the peers' domains: a case may change their records
  unmet_peers,         ///< a peer domain that the subject has never met; a run may have only so many
  tls_required         ///< streams go on inside TLS only, in both directions
};

[[nodiscard]] const char* name_of(Need);
[[nodiscard]] const char* name_of(Staging);

}  // namespace cutover::harness
