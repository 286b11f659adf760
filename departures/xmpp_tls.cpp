// STARTTLS that is not answered, and TLS that says, or sees, less than it should.
#include "departures/rows.h"
#include "protocol/tls/session.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stream.h"

#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;
using xmpp::StreamConfig;
namespace ns = xmpp::ns;

/// What is different in a session.
struct Otherwise {
  void (*certificate)(tls::PeerCertificate&) = nullptr;  ///< how the peer's is read; null: as it is
  bool close_notify = true;
};

class OtherSession final : public tls::Session {
 public:
  OtherSession(std::unique_ptr<tls::Session> session, Otherwise otherwise)
      : session_(std::move(session)), otherwise_(otherwise) {}
  void put_cipher(std::string_view octets) override { session_->put_cipher(octets); }
  std::string take_cipher() override { return session_->take_cipher(); }
  tls::Progress handshake() override { return session_->handshake(); }
  std::string read() override { return session_->read(); }
  void write(std::string_view plain) override { session_->write(plain); }
  void close() override {
    if (otherwise_.close_notify) session_->close();
  }
  bool peer_closed() const override { return session_->peer_closed(); }
  std::string failure() const override { return session_->failure(); }
  std::optional<tls::PeerCertificate> peer_certificate() const override {
    auto certificate = session_->peer_certificate();
    if (certificate && otherwise_.certificate != nullptr) otherwise_.certificate(*certificate);
    return certificate;
  }
  std::string version() const override { return session_->version(); }
  std::string cipher_suite() const override { return session_->cipher_suite(); }
  std::string alpn() const override { return session_->alpn(); }
  std::string server_name() const override { return session_->server_name(); }

 private:
  std::unique_ptr<tls::Session> session_;
  Otherwise otherwise_;
};

class OtherIdentity final : public tls::Identity {
 public:
  OtherIdentity(std::shared_ptr<const tls::Identity> identity, Otherwise otherwise)
      : identity_(std::move(identity)), otherwise_(otherwise) {}
  std::unique_ptr<tls::Session> session(tls::Role role, const tls::SessionOptions& options) const override {
    return std::make_unique<OtherSession>(identity_->session(role, options), otherwise_);
  }

 private:
  std::shared_ptr<const tls::Identity> identity_;
  Otherwise otherwise_;
};

void change(StreamConfig& config, Otherwise otherwise) {
  if (config.identity) config.identity = std::make_shared<OtherIdentity>(std::move(config.identity), otherwise);
}

/// The certificates of partners; those of the link between proxy and gateway stay as they are.
void read_certificates(StreamConfig& config, void (*reading)(tls::PeerCertificate&)) {
  if (config.purpose != xmpp::StreamPurpose::trusted_link) change(config, {.certificate = reading});
}

}  // namespace

std::vector<Row> xmpp_tls() {
  using tls::PeerCertificate;
  return {
      {"xmpp.starttls-not-answered", "answers nothing to <starttls/>", "RFC6120-5.4.2.1-1",
       [](Passage& p) {
         if (p.hears("starttls", ns::tls)) p.drop();
       }},
      {"xmpp.no-close-notify", "ends TLS without close_notify", "RFC6120-4.4-6",
       [](StreamConfig& config) { change(config, {.close_notify = false}); }},
      {"xmpp.sni-is-srv-target", "names the SRV target in SNI instead of the service domain",
       "XEP0368-3-6 RFC7590-3.5-1",
       [](StreamConfig& config) {
         if (!config.target_host.empty()) config.server_name = config.target_host;
       }},
      {"xmpp.dns-names-ignored", "finds no dNSName in a certificate", "RFC6120-13.7.1.2.1-1",
       [](StreamConfig& config) {
         read_certificates(config, [](PeerCertificate& read) {
           read.dns_names.clear();
           read.common_name.clear();
         });
       }},
      {"xmpp.srv-names-ignored", "finds no SRVName in a certificate", "RFC6120-13.7.1.2.1-2",
       [](StreamConfig& config) {
         read_certificates(config, [](PeerCertificate& read) {
           read.srv_names.clear();
           read.common_name.clear();
         });
       }},
      {"xmpp.xmpp-addrs-ignored", "finds no XmppAddr in a certificate", "RFC6120-13.7.1.2.1-4",
       [](StreamConfig& config) {
         read_certificates(config, [](PeerCertificate& read) {
           read.xmpp_addrs.clear();
           read.common_name.clear();
         });
       }},
      {"xmpp.client-eku-demanded", "accepts no client certificate without the clientAuth usage", "SEC-EKU-1",
       [](StreamConfig& config) {
         if (config.role == xmpp::StreamRole::initiating) return;
         read_certificates(config, [](PeerCertificate& read) {
           if (!read.eku_present || read.eku_client) return;
           read.chain_valid = false;
           read.chain_error = "no clientAuth usage";
         });
       }},
  };
}

}  // namespace cutover::departures
