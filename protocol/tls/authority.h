// A certificate authority for tests: it issues good certificates, and every flaw on demand.
#pragma once

#include "protocol/tls/session.h"

#include <span>

namespace cutover::tls {

/// What is wrong with a certificate.
/// - wrong_name: it names "wrong-name.invalid" instead of what was asked for
/// - wildcard: "*.<name>", which covers hosts below the name but not the name itself
/// - unknown_root: a whole path, but to a root that nobody trusts
/// - wrong_eku: code signing only; server_only_eku: serverAuth without clientAuth
/// - common_name_only: no subject alternative name at all
/// - foreign_service: the SRVName of the client-to-server service, and no other name
/// - partial_wildcard: beside the names, a wildcard that is not a whole label
/// - no_signing: a key usage that does not allow signatures
/// - weak_key: RSA of 1024 bits; weak_signature: signed with SHA-1
/// - no_certificate: an identity without credentials, only with trust anchors
enum class Flaw {
  none,
  expired,
  not_yet_valid,
  wrong_name,
  wildcard,
  self_signed,
  unknown_root,
  missing_intermediate,
  wrong_eku,
  server_only_eku,
  no_certificate,
  ca_true_leaf,
  common_name_only,
  foreign_service,
  partial_wildcard,
  no_signing,
  weak_key,
  weak_signature,
  bad_signature,  ///< in the name of an issuer, by another key
  issuer_no_ca,   ///< issued by a certificate that is none of an authority
};

/// As people write it: "not-yet-valid".
[[nodiscard]] const char* name_of(Flaw);
/// All of them, `none` first.
[[nodiscard]] std::span<const Flaw> flaws();

enum class NameKind { dns, srv, xmpp_addr };
struct SubjectName {
  NameKind kind = NameKind::dns;
  /// U-labels are converted where the kind asks for A-labels. For srv: the domain, to which "_xmpp-server." is added,
  /// or a whole SRVName that begins with an underscore.
  std::string value;
};

/// What to put into one certificate.
struct CertificateRequest {
  std::vector<SubjectName> names;
  std::string common_name;  ///< empty: the first name
  Flaw flaw = Flaw::none;
  bool through_intermediate = true;
  bool rsa = false;  ///< an RSA key of 2048 bits instead of one on P-256, for products that take no other
};

/// Contents of PEM files for a server that is not ours (Prosody), and of the root.
struct PemFiles {
  std::string certificate_chain, private_key, root;
};

/// A root, an intermediate, and the identities issued from them. All times are relative to `wall_clock`.
/// Keys of authorities are P-256. In a simulated world the same requests give the same certificates.
class Authority {
 public:
  virtual ~Authority() = default;
  [[nodiscard]] virtual std::shared_ptr<const Identity> issue(const CertificateRequest&) = 0;
  [[nodiscard]] virtual PemFiles issue_pem(const CertificateRequest&) = 0;
};

[[nodiscard]] std::unique_ptr<Authority> make_openssl_authority(std::time_t wall_clock);
/// A new root and intermediate with their keys, as PEM text: for processes that must trust each other.
[[nodiscard]] std::string new_authority_pem(std::time_t wall_clock);
/// The authority of such a text. `trust`: PEM text of further roots that its identities trust. Throws
/// std::invalid_argument with what was expected.
[[nodiscard]] std::unique_ptr<Authority> authority_from_pem(const std::string& pem, std::time_t wall_clock,
                                                            const std::string& trust = {});
/// Unencrypted stand-in that carries the same names and flaws; for exploration and benchmarks.
[[nodiscard]] std::unique_ptr<Authority> make_paper_authority(std::time_t wall_clock);
/// An identity from PEM text of somebody else (a target). Without a root the system's trust store is used; without
/// chain and key the identity has no certificate. Throws std::invalid_argument with what is wrong and the remedy.
[[nodiscard]] std::shared_ptr<const Identity> identity_from_pem(const PemFiles&);

}  // namespace cutover::tls
