// STARTTLS that is not answered, and TLS that says, or sees, less than it should.
#include "departures/rows.h"
#include "departures/tls_passed_on.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stream.h"

#include <algorithm>
#include <string>
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

class OtherSession final : public PassedOnSession {
 public:
  OtherSession(std::unique_ptr<tls::Session> session, Otherwise otherwise)
      : PassedOnSession(std::move(session)), otherwise_(otherwise) {}
  void close() override {
    if (otherwise_.close_notify) PassedOnSession::close();
  }
  std::optional<tls::PeerCertificate> peer_certificate() const override {
    auto certificate = PassedOnSession::peer_certificate();
    if (certificate && otherwise_.certificate != nullptr) otherwise_.certificate(*certificate);
    return certificate;
  }

 private:
  Otherwise otherwise_;
};

void change(StreamConfig& config, Otherwise otherwise) {
  if (!config.identity) return;
  config.identity = std::make_shared<PassedOnIdentity>(
      std::move(config.identity), [otherwise](const tls::Identity& identity, tls::Role role, const auto& options) {
        return std::make_unique<OtherSession>(identity.session(role, options), otherwise);
      });
}

/// The certificates of partners; those of the link between proxy and gateway stay as they are.
void read_certificates(StreamConfig& config, void (*reading)(tls::PeerCertificate&)) {
  if (config.purpose != xmpp::StreamPurpose::trusted_link) change(config, {.certificate = reading});
}

// What OpenSSL says of paths that are forgiven.
constexpr char bad_signature[] = "certificate signature failure";
constexpr char no_authority[] = "invalid CA certificate";

/// Reads names out of a common name wherever they stand in it.
void search_common_name(tls::PeerCertificate& read) {
  const auto at = read.common_name.find("CN=");
  if (at != std::string::npos) read.dns_names.push_back(read.common_name.substr(at + 3));
}

/// Whatever ends a name, as a comparison from its beginning sees it.
void cut_names(tls::PeerCertificate& read) {
  for (auto& name : read.dns_names) {
    std::string cut;
    std::size_t labels = 0;
    for (const char c : name) {
      if (c == '.' && ++labels == 2) break;
      cut += c;
    }
    name = cut;
  }
}

template <const char* error>
void forgive(tls::PeerCertificate& read) {
  if (read.chain_error != error) return;
  read.chain_valid = true;
  read.chain_error.clear();
}

}  // namespace

std::vector<Row> xmpp_tls() {
  using tls::PeerCertificate;
  return {
      {"xmpp.proceeds-again", "answers <starttls/> with <proceed/> inside TLS, too",
       "RFC6120-5.4.2.2-2 RFC6120-5.3.4-1 SEC-PROTO-2",
       [](Passage& p) {
         if (!p.hears("starttls", ns::tls) || !p.secured) return;
         p.drop();
         p.answer("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
       }},
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
      {"xmpp.dns-names-ignored", "finds no dNSName in a certificate", "RFC6120-13.7.1.2.1-1 RFC6120-6.3.4-2",
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
      {"xmpp.any-service-in-srv-names", "takes an SRVName of another service for that of servers",
       "RFC6120-13.7.1.2.1-3 RFC6125-6.5.1-1",
       [](StreamConfig& config) {
         read_certificates(config, [](PeerCertificate& read) {
           for (auto& name : read.srv_names) {
             if (const auto dot = name.find('.'); dot != std::string::npos) name.replace(0, dot, "_xmpp-server");
           }
         });
       }},
      {"xmpp.names-compared-in-part", "compares no more than the first two labels of a dNSName", "RFC6125-6.4.1-1",
       [](StreamConfig& config) { read_certificates(config, cut_names); }},
      {"xmpp.common-name-beside-names", "takes the common name for one more name of a certificate",
       "RFC6125-6.4.4-1 MIG-C04",
       [](StreamConfig& config) {
         read_certificates(config, [](PeerCertificate& read) { read.dns_names.push_back(read.common_name); });
       }},
      {"xmpp.common-name-searched", "finds names within a common name that says more", "SEC-FROM-SPOOF-4",
       [](StreamConfig& config) { read_certificates(config, search_common_name); }},
      {"xmpp.signatures-not-checked", "takes a certificate that its issuer did not sign", "RFC6120-13.7.2-1",
       [](StreamConfig& config) { read_certificates(config, forgive<bad_signature>); }},
      {"xmpp.issuers-not-checked", "takes whoever has a good certificate for an authority", "RFC6120-13.7.2-1",
       [](StreamConfig& config) { read_certificates(config, forgive<no_authority>); }},
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
