// Certificates that a server should not show, in either role, and versions of TLS that it should not speak.
#include "departures/rows.h"
#include "departures/tls_passed_on.h"
#include "protocol/tls/authority.h"
#include "protocol/xmpp/stream.h"

#include <utility>

namespace cutover::departures {

namespace {

using tls::CertificateRequest;
using tls::Flaw;
using xmpp::StreamConfig;

/// Shows another certificate on streams with partners; the link between proxy and gateway stays as it is.
void show(StreamConfig& config, void (*change)(CertificateRequest&)) {
  if (!config.identity || config.purpose == xmpp::StreamPurpose::trusted_link) return;
  if (auto other = config.identity->reissued(change)) config.identity = std::move(other);
}

/// Instead of a good certificate: whoever has a bad one, or none, keeps it.
template <Flaw flaw>
void flawed(StreamConfig& config) {
  show(config, [](CertificateRequest& request) {
    if (request.flaw == Flaw::none) request.flaw = flaw;
  });
}

void speak(StreamConfig& config, tls::Version oldest, tls::Version newest) {
  if (!config.identity || config.purpose == xmpp::StreamPurpose::trusted_link) return;
  config.identity = std::make_shared<PassedOnIdentity>(
      std::move(config.identity),
      [oldest, newest](const tls::Identity& identity, tls::Role role, const tls::SessionOptions& options) {
        auto changed = options;
        changed.oldest = oldest;
        changed.newest = newest;
        return identity.session(role, changed);
      });
}

}  // namespace

std::vector<Row> xmpp_certificates() {
  using enum tls::Version;
  constexpr auto variant = Nature::variant;
  std::vector<Row> rows = {
      {"xmpp.certificate-expired", "shows a certificate that has expired", "RFC6120-13.7.2-3", flawed<Flaw::expired>},
      {"xmpp.certificate-not-yet-valid", "shows a certificate that is not valid yet", "RFC6120-13.7.2-3",
       flawed<Flaw::not_yet_valid>},
      {"xmpp.certificate-self-signed", "shows a certificate that it signed itself", "RFC6120-13.7.2-3",
       flawed<Flaw::self_signed>},
      {"xmpp.certificate-of-unknown-root", "shows a certificate of an authority that nobody trusts", "RFC6120-13.7.2-3",
       flawed<Flaw::unknown_root>},
      {"xmpp.certificate-without-intermediate", "does not send the intermediate of its certificate", "RFC8446-4.4.2-1",
       flawed<Flaw::missing_intermediate>},
      {"xmpp.certificate-of-another-name", "shows the certificate of another name", "RFC6120-13.7.2.1-3",
       flawed<Flaw::wrong_name>},
      {"xmpp.certificate-for-names-below", "shows a certificate for the names below its domain alone",
       "RFC6120-13.7.2.1-3", flawed<Flaw::wildcard>},
      {"xmpp.certificate-of-client-service", "shows a certificate whose only name is that of the service for clients",
       "RFC6120-13.7.2.1-3", flawed<Flaw::foreign_service>},
      {"xmpp.certificate-with-common-name-only", "shows a certificate that names it in the common name alone",
       "RFC6120-13.7.1.2.1-6", flawed<Flaw::common_name_only>},
      {"xmpp.certificate-with-partial-wildcard", "shows a certificate with a wildcard that is not a whole label",
       "RFC6120-13.7.1.2.1-7", flawed<Flaw::partial_wildcard>},
      {"xmpp.certificate-for-code-signing", "shows a certificate that is for signing code", "RFC5280-4.2.1.12-1",
       flawed<Flaw::wrong_eku>},
      {"xmpp.certificate-not-for-signatures", "shows a certificate whose key may not sign", "RFC8446-4.4.2.2-1",
       flawed<Flaw::no_signing>},
      {"xmpp.certificate-with-weak-key", "shows a certificate with an RSA key of 1024 bits", "RFC7525-4.3-1",
       flawed<Flaw::weak_key>},
      {"xmpp.certificate-with-weak-signature", "shows a certificate that is signed with SHA-1", "RFC7525-4.3-1",
       flawed<Flaw::weak_signature>},
      {"xmpp.certificate-of-another-name-as-client", "shows the certificate of another name where it opens a stream",
       "RFC6120-13.7.2.1-3",
       [](StreamConfig& config) {
         if (config.role == xmpp::StreamRole::initiating) flawed<Flaw::wrong_name>(config);
       }},
      {"xmpp.shows-no-certificate", "shows no certificate where it opens a stream", "RFC6120-5.4.3.1-4",
       [](StreamConfig& config) {
         if (config.role == xmpp::StreamRole::initiating) flawed<Flaw::no_certificate>(config);
       }},
      {"xmpp.old-tls-spoken", "speaks TLS 1.0 and 1.1 with who knows nothing better", "RFC9325-3.1.1-1",
       [](StreamConfig& config) { speak(config, tls1_0, tls1_3); }},
      {"xmpp.tls-1.2-not-spoken", "speaks TLS 1.3 alone", "RFC9325-3.1.1-2",
       [](StreamConfig& config) { speak(config, tls1_3, tls1_3); }},
      {"xmpp.tls-1.3-not-spoken", "speaks TLS 1.2 alone", "RFC9325-3.1.1-3",
       [](StreamConfig& config) { speak(config, tls1_2, tls1_2); }},

      {"xmpp.clients-alpn-selected", "selects the protocol of clients (ALPN) for a stream of servers", "XEP0368-3-8",
       [](StreamConfig& config) {
         if (!config.identity || config.role != xmpp::StreamRole::receiving) return;
         config.identity = std::make_shared<PassedOnIdentity>(
             std::move(config.identity),
             [](const tls::Identity& identity, tls::Role role, const tls::SessionOptions& options) {
               auto changed = options;
               if (!changed.alpn.empty()) changed.alpn.insert(changed.alpn.begin(), "xmpp-client");
               return identity.session(role, changed);
             });
       }},

      {"xmpp.another-certificate-as-client", "shows another certificate where it opens a stream", "RFC6120-5.4.3.1-4",
       [](StreamConfig& config) {
         if (config.role == xmpp::StreamRole::initiating) show(config, [](CertificateRequest&) {});
       },
       judged, variant},
      {"xmpp.certificate-with-rsa-key", "shows a certificate with an RSA key", "RFC6120-13.7.1.1-1",
       [](StreamConfig& config) { show(config, [](CertificateRequest& request) { request.rsa = true; }); }, judged,
       variant},
      {"xmpp.certificate-with-all-names", "shows a certificate with every kind of name, of clients' service too",
       "RFC6120-13.7.1.2.1-6",
       [](StreamConfig& config) {
         show(config, [](CertificateRequest& request) {
           if (request.names.empty()) return;
           const auto domain = request.names.front().value;
           request.names.push_back({tls::NameKind::srv, domain});
           request.names.push_back({tls::NameKind::srv, "_xmpp-client." + domain});
           request.names.push_back({tls::NameKind::dns, "*." + domain});
           request.names.push_back({tls::NameKind::xmpp_addr, domain});
         });
       },
       judged, variant},
      {"xmpp.certificate-for-servers-only", "shows a certificate without the usage of a client", "SEC-EKU-1",
       flawed<Flaw::server_only_eku>, judged, variant},
      {"xmpp.certificate-without-common-name-match", "shows a certificate whose common name is no domain",
       "RFC6120-13.7.1.2.1-6",
       [](StreamConfig& config) {
         show(config, [](CertificateRequest& request) { request.common_name = "Example Products, Inc."; });
       },
       judged, variant},
  };
  for (auto& row : rows) row.nodes |= in_tls_of_front;
  return rows;
}

}  // namespace cutover::departures
