// The authority of a folder, and one certificate for talking by hand.
#include "harness/serve/credentials.h"

#include "harness/files/authority_folder.h"

namespace cutover::harness {

std::unique_ptr<tls::Authority> open_credentials(const std::string& folder, const Topology& topology) {
  try {
    auto credentials = AuthorityFolder::open_or_make(folder);
    tls::CertificateRequest by_hand{.names = {{tls::NameKind::dns, topology.domain}}, .common_name = {}};
    for (const auto& partner : topology.partners) by_hand.names.push_back({tls::NameKind::dns, partner.domain});
    credentials.issue(by_hand, folder + "/hand");
    return credentials.take();
  } catch (const AuthorityError& error) {
    throw CredentialsError(std::string(error.what()) + "; choose another folder with --credentials=FOLDER");
  }
}

}  // namespace cutover::harness
