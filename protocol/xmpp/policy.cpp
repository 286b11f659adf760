// The negotiation matrix as one expression for each method.
#include "protocol/xmpp/policy.h"

namespace cutover::xmpp {

Methods methods_of(const PeerPolicy& policy) {
  using enum Negotiation;
  // "Required, Required, True: dialback will not operate" - the one row where the switch is without effect.
  const bool dialback = policy.dialback && !(policy.tls == required && policy.sasl == required);
  return {.sasl_over_tls = policy.tls != not_supported && policy.sasl != not_supported,
          .tls_dialback = dialback && policy.tls != not_supported,
          .tcp_dialback = dialback && policy.tls != required};
}

}  // namespace cutover::xmpp
