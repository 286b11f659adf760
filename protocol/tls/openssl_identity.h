// Between the files of this folder that use OpenSSL: its objects under their forward names, and an identity from them.
#pragma once

#include "protocol/tls/session.h"

#include <functional>

struct x509_st;
struct evp_pkey_st;

namespace cutover::tls {

/// Frees with an OpenSSL function: `std::unique_ptr<X509, Freed<X509_free>>`.
template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

/// What an identity is made of. Without a leaf it has no certificate to show.
struct Credentials {
  std::shared_ptr<x509_st> leaf;
  std::shared_ptr<evp_pkey_st> key;
  std::vector<std::shared_ptr<x509_st>> chain;  ///< intermediates to send, leaf's issuer first
  std::vector<std::shared_ptr<x509_st>> roots;
  std::vector<std::shared_ptr<x509_st>> known;  ///< intermediates that a peer may have left out, to tell so
  bool system_roots = false;                    ///< trust what the operating system trusts
  std::time_t wall_clock = 0;                   ///< where a session names none; 0: the real one
  bool weak = false;                            ///< OpenSSL would not show this certificate to anybody
  /// What Identity::reissued() does; empty: nobody can.
  std::function<Credentials(void (*change)(CertificateRequest&))> again;
};

[[nodiscard]] std::shared_ptr<const Identity> make_openssl_identity(Credentials);

/// What a certificate says; nothing of what its chain is worth.
[[nodiscard]] PeerCertificate facts_of(x509_st*);

}  // namespace cutover::tls
