// Certificates that lie in a file, as people have them: PEM, DER, PKCS#7, and PKCS#12 without a password.
#pragma once

#include "protocol/tls/session.h"

namespace cutover::tls {

struct StoredCertificate {
  PeerCertificate facts;  ///< its chain is not looked at: chain_valid stays false
  std::time_t not_before = 0, not_after = 0;
  std::string subject;
  bool of_authority = false;  ///< it may sign others
  int line = 0;               ///< of a PEM text: where it begins
};

struct CertificateFile {
  std::vector<StoredCertificate> certificates;
  struct Fault {
    int line = 0;
    std::string what, remedy;
  };
  std::vector<Fault> faults;
  bool has_private_key = false;  ///< there is one; it was not read
  int private_key_line = 0;
};

/// Whether the octets are meant to be one of the forms.
[[nodiscard]] bool is_certificate_file(std::string_view octets);
/// All certificates; what cannot be read is told. A private key is passed over unread.
[[nodiscard]] CertificateFile read_certificate_file(std::string_view octets);

}  // namespace cutover::tls
