// Does a certificate speak for an XMPP domain? RFC 6120 section 13.7.2, RFC 6125, XEP-0178.
#pragma once

#include "protocol/tls/session.h"

namespace cutover::tls {

/// What a verifier may ask of the extended key usage beyond chain_valid.
enum class EkuRule { any, need_server_for_server, need_client_for_client };

/// Whether one of the certificate's names covers `domain` (an ASCII or U-label domain; compared as A-labels). The chain
/// is not looked at. A wildcard covers exactly one left-most label (RFC 6125 section 6.4.3). The CN counts only where
/// no dNSName, SRVName or xmppAddr is present.
[[nodiscard]] bool covers(const PeerCertificate&, std::string_view domain);

/// Whether the extended key usage is enough for the rule; a certificate without one is good for every use.
[[nodiscard]] bool satisfies(const PeerCertificate&, EkuRule);

/// The domain as A-labels in lower case (UTS 46, non-transitional), without a final dot; nothing where it is no domain.
[[nodiscard]] std::optional<std::string> ascii_domain(std::string_view domain);

/// covers() and a valid chain.
[[nodiscard]] bool authenticates(const PeerCertificate&, std::string_view domain);

}  // namespace cutover::tls
