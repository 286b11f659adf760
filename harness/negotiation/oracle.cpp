// The documents, step by step: TLS first, then what the certificates are worth, then SASL, then dialback with the
// stream back that it takes.
#include "harness/negotiation/oracle.h"

#include <algorithm>
#include <array>
#include <ostream>

namespace cutover::harness::negotiation {

namespace {

constexpr std::array rows{
    Rationale{Why::both_proved, "both certificates prove their domains, and EXTERNAL is offered, and tried first",
              "RFC 6120 sections 6.3.4 and 13.8.4, XEP-0178 section 3", "RFC6120-13.8.4-1", "RFC6120-13.8.4-1"},
    Rationale{Why::unproved, "a certificate does not prove its domain: TLS encrypts, and dialback authenticates",
              "RFC 6120 section 13.14, RFC 7590 section 3.4, XEP-0178 section 3", "RFC6120-13.14-1", "RFC6120-13.14-1"},
    Rationale{Why::without_external, "EXTERNAL is not to be had with one of them: dialback inside TLS",
              "RFC 6120 sections 6.4.1 and 13.14, XEP-0220 section 1", "RFC6120-13.14-1", "RFC6120-13.14-1"},
    Rationale{Why::without_tls, "one of them has no TLS for this stream, and neither requires it: dialback in clear",
              "RFC 6120 section 5.3.1, XEP-0220 section 2", "XEP0220-2.1.1-1", "XEP0220-2.2.1-1"},
    Rationale{Why::initiating_requires_tls, "the initiating side requires TLS, and the receiving one does not offer it",
              "RFC 6120 section 5.3.1, RFC 9325 section 3.2", "SEC-TLS-STRIP-1", ""},
    Rationale{Why::receiving_requires_tls, "the receiving side requires TLS, and the initiating one does not begin it",
              "RFC 6120 section 5.3.1, XEP-0220 section 2.5 (policy-violation)", "", "SEC-TLS-STRIP-2"},
    Rationale{Why::receiving_unproved,
              "the receiving side's certificate does not prove it, and the initiating one is strict",
              "RFC 6120 section 13.7.2", "RFC6120-13.7.2-1", ""},
    Rationale{Why::initiating_unproved,
              "the initiating side's certificate does not prove it, and the receiving one is strict",
              "RFC 6120 section 13.7.2, XEP-0220 section 2.5 (not-authorized)", "", "RFC6120-13.7.2-1"},
    Rationale{Why::initiating_has_no_other_way,
              "EXTERNAL is not to be had, and the initiating side has no dialback here",
              "RFC 6120 section 4.3.5, XEP-0178 section 3", "RFC6120-4.3.5-2", ""},
    Rationale{Why::receiving_has_no_other_way, "EXTERNAL is not to be had, and the receiving side has no dialback here",
              "RFC 6120 sections 4.3.5 and 6.4.5, XEP-0220 section 2.5 (not-authorized)", "", "SEC-DIALBACK-8"},
    Rationale{Why::key_cannot_be_verified,
              "the receiving side cannot ask the authoritative server as its own settings want it, so no key is valid",
              "XEP-0220 sections 2.1.2 and 2.5", "", "XEP0220-2.2.1-1"},
};

bool proves(const Side& one) { return one.certificate == Certificate::good; }

/// Whether a stream from `client` to `server` is inside TLS. A TLS server shows a certificate (RFC 6120 section
/// 5.4.3.1); a client need not have one. XMPP 0.9 has no features, so nothing is offered.
bool inside_tls(const Side& client, const Side& server) {
  return client.features && server.features && client.tls != Tls::none && server.tls != Tls::none &&
         server.certificate != Certificate::none;
}

/// XEP-0368 section 3: a target from _xmpps-server is met with TLS at once.
bool direct(const Side& client, const Side& server) {
  return inside_tls(client, server) && client.direct_tls && server.direct_tls;
}

/// XEP-0220 section 2.1.2: the receiving server connects to the authoritative one, which is the initiating side's, and
/// negotiates as the client of that stream. It needs no authentication, but its own settings hold.
bool can_verify(const Side& receiving, const Side& authoritative) {
  if (!inside_tls(receiving, authoritative)) return receiving.tls != Tls::required;
  return receiving.lenient || proves(authoritative);
}

Prediction cell(Method method, Why why, bool direct_tls = false) {
  return {.method = method, .why = why, .direct_tls = direct_tls, .permitted = {method}};
}

Prediction none(Why why) { return cell(Method::none, why); }

/// What is left to servers inside TLS where EXTERNAL is not to be had.
Prediction dialback_in_tls(const Side& initiating, const Side& receiving, Why why) {
  if (!initiating.dialback_in_tls) return none(Why::initiating_has_no_other_way);
  if (!receiving.dialback_in_tls) return none(Why::receiving_has_no_other_way);
  if (!can_verify(receiving, initiating)) return none(Why::key_cannot_be_verified);
  return cell(Method::dialback_in_tls, why, direct(initiating, receiving));
}

Prediction in_tls(const Side& initiating, const Side& receiving) {
  // RFC 6120 section 13.7.2: the initiating side is the first to know.
  if (!initiating.lenient && !proves(receiving)) return none(Why::receiving_unproved);
  if (!receiving.lenient && !proves(initiating)) return none(Why::initiating_unproved);
  const bool proved = proves(initiating) && proves(receiving);
  const bool external = initiating.external && receiving.external;
  if (external && proved) return cell(Method::external, Why::both_proved, direct(initiating, receiving));
  auto made = dialback_in_tls(initiating, receiving, external ? Why::unproved : Why::without_external);
  // Whoever sees a certificate that proves nothing may end the stream (section 13.7.2, XEP-0178 section 3).
  if (!proved) made.permitted.insert(Method::none);
  // A lenient initiating server may prove itself to one that it cannot be sure of.
  if (external && proves(initiating)) made.permitted.insert(Method::external);
  return made;
}

Prediction in_clear(const Side& initiating, const Side& receiving) {
  if (initiating.tls == Tls::required) return none(Why::initiating_requires_tls);
  if (receiving.tls == Tls::required) return none(Why::receiving_requires_tls);
  if (!initiating.dialback_in_clear) return none(Why::initiating_has_no_other_way);
  if (!receiving.dialback_in_clear) return none(Why::receiving_has_no_other_way);
  if (!can_verify(receiving, initiating)) return none(Why::key_cannot_be_verified);
  auto made = cell(Method::dialback_in_clear, Why::without_tls);
  const bool unproved = !proves(initiating) || !proves(receiving);
  if (inside_tls(receiving, initiating) && unproved) made.permitted.insert(Method::none);
  return made;
}

}  // namespace

std::span<const Rationale> rationales() { return rows; }
const Rationale& rationale_of(Why why) { return rows.at(static_cast<std::size_t>(why)); }

Prediction predict(const Side& initiating, const Side& receiving) {
  if (!inside_tls(initiating, receiving)) return in_clear(initiating, receiving);
  auto made = in_tls(initiating, receiving);
  // XEP-0220 section 2.2.2 lets anybody ask, and section 5.3.1 of RFC 6120 whoever requires TLS refuse to be asked
  // without.
  const bool asks_in_clear = made.method == Method::dialback_in_tls && !inside_tls(receiving, initiating);
  if (asks_in_clear && initiating.tls == Tls::required) made.permitted.insert(Method::none);
  return made;
}

std::string weaker_than_allowed(Method used, const Side& initiating, const Side& receiving) {
  if (used == Method::none) return {};
  if (used == Method::external) {
    if (!proves(initiating)) return "EXTERNAL without a certificate that proves the initiating domain";
    if (!initiating.external || !receiving.external) return "EXTERNAL, which one of the settings forbids";
    if (!initiating.lenient && !proves(receiving)) return "a receiving server that is not proved, to a strict peer";
    return {};
  }
  const bool clear = used == Method::dialback_in_clear;
  if (clear && (initiating.tls == Tls::required || receiving.tls == Tls::required))
    return "in clear, where TLS is required";
  const auto allows = [&](const Side& one) { return clear ? one.dialback_in_clear : one.dialback_in_tls; };
  if (!allows(initiating) || !allows(receiving)) return "dialback, which one of the settings forbids";
  if (!clear && !initiating.lenient && !proves(receiving))
    return "a receiving server that is not proved, to a strict peer";
  if (!clear && !receiving.lenient && !proves(initiating))
    return "an initiating server that is not proved, to a strict peer";
  return {};
}

std::string told_of(const std::vector<std::string>& differing) {
  constexpr std::size_t told_max = 3;
  std::string words = differing.empty() ? "as predicted" : "";
  for (std::size_t i = 0; i < std::min(told_max, differing.size()); ++i) words += (i == 0 ? "" : "; ") + differing[i];
  if (differing.size() > told_max) words += "; and " + std::to_string(differing.size() - told_max) + " more";
  return words;
}

void PrintTo(const Prediction& one, std::ostream* out) {
  *out << name_of(one.method) << (one.direct_tls ? ", direct TLS" : "") << " (" << rationale_of(one.why).sentence
       << ")";
}

}  // namespace cutover::harness::negotiation
