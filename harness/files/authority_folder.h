// A test authority in a folder: authority.pem (root and intermediate with their keys) and, for those who must trust it,
// root.pem. Several processes may use it at once.
#pragma once

#include "protocol/tls/authority.h"

#include <memory>
#include <stdexcept>
#include <string>

namespace cutover::harness {

/// A folder or a file of an authority that cannot be used; what() names it and the reason.
struct AuthorityError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Others who open the folder wait while this lives. Everything throws AuthorityError.
class AuthorityFolder {
 public:
  /// A new authority; the folder is made where it is missing, and must not have one.
  [[nodiscard]] static AuthorityFolder make(const std::string& folder) { return {folder, true, false}; }
  /// The one that is there.
  [[nodiscard]] static AuthorityFolder open(const std::string& folder) { return {folder, false, true}; }
  [[nodiscard]] static AuthorityFolder open_or_make(const std::string& folder) { return {folder, true, true}; }

  /// Writes STEM.pem, the certificate with what leads to the root, and STEM.key.
  void issue(const tls::CertificateRequest&, const std::string& stem);
  [[nodiscard]] std::unique_ptr<tls::Authority> take() { return std::move(authority_); }

 private:
  class Lock {
   public:
    Lock() = default;
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    void take(const std::string& path);

   private:
    int descriptor_ = -1;
  };
  AuthorityFolder(const std::string& folder, bool may_make, bool may_open);

  std::string folder_;
  Lock lock_;
  std::unique_ptr<tls::Authority> authority_;
};

}  // namespace cutover::harness
