// The certificates of the peers of a remote target: issued by an authority of ours, or brought by whoever runs it.
#include "harness/targets/target.h"
#include "protocol/xmpp/jid.h"

#include <map>

namespace cutover::harness {

namespace {

class PeerCertificates final : public tls::Authority {
 public:
  PeerCertificates(const RemoteTarget& target, std::time_t wall_clock)
      : own_(tls::authority_from_pem(target.authority.empty() ? tls::new_authority_pem(wall_clock) : target.authority,
                                     wall_clock, target.trust)) {
    const auto roots = target.trust + own_->issue_pem({.flaw = tls::Flaw::no_certificate}).root;
    for (const auto& peer : target.peers) {
      if (peer.certificate.certificate_chain.empty()) continue;
      auto files = peer.certificate;
      files.root = roots;
      brought_[xmpp::canonical_domain(peer.domain)] = std::move(files);
    }
  }

  std::shared_ptr<const tls::Identity> issue(const tls::CertificateRequest& request) override {
    const auto* files = brought_for(request);
    return files != nullptr ? tls::identity_from_pem(*files) : own_->issue(request);
  }
  tls::PemFiles issue_pem(const tls::CertificateRequest& request) override {
    const auto* files = brought_for(request);
    return files != nullptr ? *files : own_->issue_pem(request);
  }

 private:
  /// A good certificate for the one domain.
  [[nodiscard]] const tls::PemFiles* brought_for(const tls::CertificateRequest& request) const {
    if (request.flaw != tls::Flaw::none || request.names.size() != 1 ||
        request.names.front().kind != tls::NameKind::dns)
      return nullptr;
    const auto found = brought_.find(xmpp::canonical_domain(request.names.front().value));
    return found == brought_.end() ? nullptr : &found->second;
  }

  std::unique_ptr<tls::Authority> own_;
  std::map<std::string, tls::PemFiles> brought_;
};

}  // namespace

std::unique_ptr<tls::Authority> authority_of(const RemoteTarget& target, std::time_t wall_clock) {
  return std::make_unique<PeerCertificates>(target, wall_clock);
}

}  // namespace cutover::harness
