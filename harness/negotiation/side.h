// One side of a negotiation between two servers as data: what it has, and what its settings allow.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cutover::harness::negotiation {

enum class Certificate { none, bad, good };
enum class Tls { none, optional, required };
/// From the weakest to the strongest.
enum class Method { none, dialback_in_clear, dialback_in_tls, external };

struct Side {
  Certificate certificate = Certificate::good;
  Tls tls = Tls::optional;
  bool external = true;           ///< uses and takes SASL EXTERNAL
  bool dialback_in_tls = true;    ///< uses and takes dialback inside TLS
  bool dialback_in_clear = true;  ///< ... and without it
  bool lenient = true;      ///< TLS may encrypt what dialback authenticates, with a certificate that proves nothing
  bool direct_tls = false;  ///< has a port for TLS from the first octet, and uses that of others (XEP-0368)
  bool features = true;     ///< XMPP 1.0; without them XMPP 0.9: neither TLS nor SASL
  bool operator==(const Side&) const = default;
};

/// A side whose switches follow from the three settings that a server has: EXTERNAL wherever there is TLS, dialback
/// where it is on and TLS is not required or there.
[[nodiscard]] Side side(Certificate, bool dialback, Tls);
// How partners are met as a rule: by EXTERNAL alone, by dialback inside TLS, and as Google Talk, by dialback without
// TLS and without a version.
[[nodiscard]] Side external_alone();
[[nodiscard]] Side dialback_over_tls();
[[nodiscard]] Side dialback_without_tls();
/// Certificate (none, bad, good) x dialback (on, off) x TLS (none, optional, required): 18 sides.
[[nodiscard]] std::vector<Side> sides();
/// The same with and without direct TLS, lenient and strict: 72 sides.
[[nodiscard]] std::vector<Side> all_sides();
/// "good certificate, dialback, TLS optional, strict, direct TLS".
[[nodiscard]] std::string words_of(const Side&);
[[nodiscard]] std::string_view name_of(Method);

}  // namespace cutover::harness::negotiation
