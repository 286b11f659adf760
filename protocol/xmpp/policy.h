// How streams with one peer domain may be secured and authenticated, with the words of New-CsXmppAllowedPartner.
#pragma once

#include <cstddef>
#include <string>

namespace cutover::xmpp {

/// Use of TLS or SASL towards a peer.
enum class Negotiation { required, optional, not_supported };

/// How a stream to or from one peer domain may be authenticated.
struct PeerPolicy {
  bool allowed = true;  ///< false: not a partner; its streams are refused
  Negotiation tls = Negotiation::required;
  Negotiation sasl = Negotiation::optional;
  bool dialback = true;
  bool keep_alive = true;  ///< the peer should send keep-alives
  std::size_t connections_max = 20;
  std::string proxy_fqdn;  ///< connect there instead of asking for SRV; empty: SRV
  /// Inside TLS dialback counts only beside a certificate that proves the peer's domain (RFC 6120 section 13.7.2);
  /// without it TLS may encrypt what dialback authenticates (section 13.14).
  bool proof_needed = false;
};

enum class AuthenticationMethod { none, sasl_external, dialback };

/// The methods that a policy leaves usable: the complete negotiation matrix of the product's documentation
/// ("Negotiation settings for XMPP federated partners", 18 rows).
struct Methods {
  bool sasl_over_tls = false, tls_dialback = false, tcp_dialback = false;
  [[nodiscard]] bool any() const { return sasl_over_tls || tls_dialback || tcp_dialback; }
  [[nodiscard]] bool dialback(bool secured) const { return secured ? tls_dialback : tcp_dialback; }
  bool operator==(const Methods&) const = default;
};
[[nodiscard]] Methods methods_of(const PeerPolicy&);

}  // namespace cutover::xmpp
