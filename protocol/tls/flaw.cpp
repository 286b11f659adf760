// The names of the flaws.
#include "protocol/tls/authority.h"

#include <array>

namespace cutover::tls {

const char* name_of(Flaw flaw) {
  switch (flaw) {
    case Flaw::none:
      return "none";
    case Flaw::expired:
      return "expired";
    case Flaw::not_yet_valid:
      return "not-yet-valid";
    case Flaw::wrong_name:
      return "wrong-name";
    case Flaw::wildcard:
      return "wildcard";
    case Flaw::self_signed:
      return "self-signed";
    case Flaw::unknown_root:
      return "unknown-root";
    case Flaw::missing_intermediate:
      return "missing-intermediate";
    case Flaw::wrong_eku:
      return "wrong-eku";
    case Flaw::server_only_eku:
      return "server-only-eku";
    case Flaw::no_certificate:
      return "no-certificate";
    case Flaw::ca_true_leaf:
      return "ca-true-leaf";
    case Flaw::common_name_only:
      return "common-name-only";
    case Flaw::foreign_service:
      return "foreign-service";
    case Flaw::partial_wildcard:
      return "partial-wildcard";
    case Flaw::no_signing:
      return "no-signing";
    case Flaw::weak_key:
      return "weak-key";
    case Flaw::weak_signature:
      return "weak-signature";
    case Flaw::bad_signature:
      return "bad-signature";
    case Flaw::issuer_no_ca:
      return "issuer-no-ca";
  }
  return "?";
}

std::span<const Flaw> flaws() {
  static constexpr std::array all{Flaw::none,
                                  Flaw::expired,
                                  Flaw::not_yet_valid,
                                  Flaw::wrong_name,
                                  Flaw::wildcard,
                                  Flaw::self_signed,
                                  Flaw::unknown_root,
                                  Flaw::missing_intermediate,
                                  Flaw::wrong_eku,
                                  Flaw::server_only_eku,
                                  Flaw::no_certificate,
                                  Flaw::ca_true_leaf,
                                  Flaw::common_name_only,
                                  Flaw::foreign_service,
                                  Flaw::partial_wildcard,
                                  Flaw::no_signing,
                                  Flaw::weak_key,
                                  Flaw::weak_signature,
                                  Flaw::bad_signature,
                                  Flaw::issuer_no_ca};
  return all;
}

}  // namespace cutover::tls
