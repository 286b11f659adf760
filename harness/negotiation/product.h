// What the product's documents say of negotiation: the 18 rows of the complete matrix, and the six types of XEP-0238.
#pragma once

#include "harness/negotiation/side.h"

#include <span>

namespace cutover::harness::negotiation {

/// Use of TLS or SASL as New-CsXmppAllowedPartner has it.
enum class Use { required, optional, not_supported };

/// One row of "Negotiation settings for XMPP federated partners". The methods are those that the page lists.
struct ProductRow {
  int number = 0;
  Use tls = Use::required, sasl = Use::required;
  bool dialback = true;
  bool sasl_over_tls = false, tls_dialback = false, tcp_dialback = false;
  std::string_view requirement;  ///< of the catalogue
  [[nodiscard]] bool valid() const { return sasl_over_tls || tls_dialback || tcp_dialback; }
};
[[nodiscard]] std::span<const ProductRow> product_rows();
/// The product's side towards a partner with these settings: it has a certificate that proves it.
[[nodiscard]] Side side_of(const ProductRow&);
/// "TLS required, SASL optional, dialback".
[[nodiscard]] std::string words_of(const ProductRow&);

/// One type of XEP-0238 section 2.
struct ServerType {
  int number = 0;
  std::string_view policy;
  Side side;
};
[[nodiscard]] std::span<const ServerType> server_types();

/// What the table of XEP-0238 section 3 says, rows initiating: 'U', 'V', 'E' or 'T'.
[[nodiscard]] char outcome_by_xep0238(int initiating, int receiving);
/// What its sections 4 to 9 let happen, which is not always what the table says.
[[nodiscard]] Method method_of(char outcome);

}  // namespace cutover::harness::negotiation
