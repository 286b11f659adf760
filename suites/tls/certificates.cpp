// The certificates that the subject shows, to who calls it and to whom it calls: whom they prove, what they are for,
// and how strong they are.
#include "protocol/tls/identity.h"
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using tls::PeerCertificate;

/// What it shows on its port, and in words that it is there.
std::optional<PeerCertificate> shown_as_server(Negotiation& n, PartnerKind kind) {
  auto stream = n.connect(kind);
  if (!GIVEN(stream.open() && stream.start_tls(*n.certificate(kind)), "the subject secured a stream by STARTTLS"))
    return std::nullopt;
  auto shown = stream.wire().tls()->peer_certificate();
  if (!GIVEN(shown.has_value(), "the subject showed a certificate to who called it")) return std::nullopt;
  return shown;
}

/// What it shows where it calls a peer, which asks for it.
struct AsClient {
  bool secured = false;
  std::optional<PeerCertificate> certificate;
};
AsClient shown_as_client(Negotiation& n, PartnerKind kind) {
  auto stream = n.called(kind, "shows its certificate");
  AsClient shown;
  shown.secured = GIVEN(stream && stream->answer_header(starttls_required) && stream->accept_tls(*n.certificate(kind)),
                        "the subject opened a stream to its peer and secured it");
  if (shown.secured) shown.certificate = stream->wire().tls()->peer_certificate();
  if (stream) stream->wire().abort();
  return shown;
}

bool is_too_weak(const std::string& error) {
  return error.find("too weak") != std::string::npos || error.find("too small") != std::string::npos;
}

/// What a peer finds that validates the path (RFC 6120 section 13.7.2). That an intermediate is missing, what the key
/// is for and how strong it is are checks of their own.
std::string path_of(const PeerCertificate& shown) {
  constexpr std::string_view others[] = {"unsuitable certificate purpose", "CA certificate used as an end entity's"};
  const auto& error = shown.chain_error;
  if (error.empty() || shown.intermediate_missing || is_too_weak(error) ||
      std::ranges::find(others, error) != std::end(others))
    return "whole, and leads to a trusted root";
  if (error == "unable to get local issuer certificate" || error == "self-signed certificate in certificate chain")
    return fmt::format("leads to no root that we trust, its issuer is {} ({})", shown.issuer, error);
  return error;
}

std::string names_of(const PeerCertificate& shown) {
  std::string names;
  for (const auto& [kind, list] : {std::pair("dNSName", &shown.dns_names), std::pair("SRVName", &shown.srv_names),
                                   std::pair("XmppAddr", &shown.xmpp_addrs)})
    for (const auto& name : *list) names += fmt::format("{}{} {}", names.empty() ? "" : ", ", kind, name);
  if (names.empty()) names = "no subject alternative name";
  return names + ", common name " + (shown.common_name.empty() ? "none" : shown.common_name);
}

/// A wildcard that is not the complete left-most label of a name.
bool misused(const std::string& name) {
  const auto star = name.find('*');
  return star != std::string::npos && (star != 0 || !name.starts_with("*.") || name.find('*', 1) != std::string::npos);
}

void judge_proof(const PeerCertificate& shown, const std::string& domain, const std::string& role) {
  CONFORMS("RFC6120-13.7.2-3", "the path of the certificate that the subject shows " + role, path_of(shown),
           Eq("whole, and leads to a trusted root"));
  CONFORMS_THAT("RFC6120-13.7.2.1-3", "the names in the certificate that the subject shows " + role,
                tls::covers(shown, domain), "one that proves " + domain, names_of(shown));
}

void judge_make(const PeerCertificate& shown, const std::string& domain, const std::string& role, bool for_clients) {
  const auto certificate = "the certificate that the subject shows " + role;
  PeerCertificate dns_only;
  dns_only.dns_names = shown.dns_names;
  const bool named_otherwise = !shown.dns_names.empty() && !tls::covers(dns_only, domain);
  if (!named_otherwise)  // the name of another is another check's
    CONFORMS_THAT("RFC6120-13.7.1.2.1-6", "the names in " + certificate, tls::covers(dns_only, domain),
                  "a dNSName for " + domain, names_of(shown));
  CONFORMS_THAT("RFC6120-13.7.1.2.1-7", "wildcards in " + certificate, std::ranges::none_of(shown.dns_names, misused),
                "complete left-most labels alone", names_of(shown));
  const bool fits = !shown.eku_present || shown.eku_server || (for_clients && shown.eku_client);
  CONFORMS_THAT("RFC5280-4.2.1.12-1", "the extended key usage of " + certificate, fits,
                for_clients ? "none, or that of clients or servers of TLS" : "none, or that of servers of TLS",
                !shown.eku_present ? "none"
                : shown.eku_server ? "that of servers"
                : shown.eku_client ? "that of clients alone"
                                   : "another one");
  CONFORMS("RFC8446-4.4.2.2-1", "the key of " + certificate + " may sign", shown.signs, Eq(true));
  CONFORMS("RFC8446-4.4.2-1", "an intermediate is missing behind " + certificate, shown.intermediate_missing,
           Eq(false));
  CONFORMS_THAT("RFC7525-4.3-1", "the key in " + certificate, !shown.weak_key,
                "RSA of 2048 bits, a curve of 192, or more", shown.key);
  CONFORMS_THAT("RFC7525-4.3-1", "the signature of " + certificate, !shown.weak_signature, "SHA-256 or stronger",
                shown.signature);
}

constexpr char accepted_make[] =
    "Any name beside the own, of other domains and services, too; wildcards as the left-most label; an extended key "
    "usage "
    "of servers, or none, and for a client that of clients alone; keys and signatures of any kind that is not weak.";

std::vector<Judges> judged_make() {
  return {{"RFC6120-13.7.1.2.1-6", {"xmpp.certificate-with-common-name-only"}},
          {"RFC6120-13.7.1.2.1-7", {"xmpp.certificate-with-partial-wildcard"}},
          {"RFC5280-4.2.1.12-1", {"xmpp.certificate-for-code-signing"}},
          {"RFC8446-4.4.2.2-1", {"xmpp.certificate-not-for-signatures"}},
          {"RFC8446-4.4.2-1", {"xmpp.certificate-without-intermediate"}},
          {"RFC7525-4.3-1", {"xmpp.certificate-with-weak-key", "xmpp.certificate-with-weak-signature"}}};
}
std::vector<Judges> judged_proof() {
  return {
      {"RFC6120-13.7.2-3",
       {"xmpp.certificate-expired", "xmpp.certificate-not-yet-valid", "xmpp.certificate-self-signed",
        "xmpp.certificate-of-unknown-root"}},
      {"RFC6120-13.7.2.1-3",
       {"xmpp.certificate-of-another-name", "xmpp.certificate-for-names-below", "xmpp.certificate-of-client-service"}}};
}

void proves_server(Run& run) {
  Negotiation n(run);
  if (const auto shown = shown_as_server(n, PartnerKind::sasl_external))
    judge_proof(*shown, n.subject().domain(), "to who calls it");
}

CUTOVER_CASE(server_proof){
    .id = "tls.certificate-proves-server",
    .title = "The certificate that the server shows on its port proves its domain",
    .procedure = "STARTTLS; validate path, validity and names of what is shown.",
    .accepted =
        "Any path to a root that the target file trusts; dNSName, SRVName, XmppAddr, or a common name where there is "
        "none of them; a wildcard for the left-most label.",
    .likely_causes =
        "A certificate that nobody renewed; the self-signed one of the installation; one for the machine instead "
        "of the domain; a root that the target file does not name (`trust`).",
    .judges = judged_proof(),
    .needs = {Need::sasl_external},
    .body = proves_server};

void proves_client(Run& run) {
  Negotiation n(run);
  const auto at_port = shown_as_server(n, PartnerKind::sasl_external);
  const auto shown = shown_as_client(n, PartnerKind::sasl_external);
  if (!GIVEN(shown.certificate.has_value(), "the subject showed a certificate where it called")) return;
  const bool same = at_port && at_port->fingerprint == shown.certificate->fingerprint;
  judge_proof(*shown.certificate, n.subject().domain(),
              same ? "where it calls, the same as at its port" : "where it calls, another one than at its port");
}

CUTOVER_CASE(client_proof){
    .id = "tls.certificate-proves-client",
    .title = "The certificate that the server shows where it opens a stream proves its domain",
    .procedure =
        "Let the user write; secure the subject's stream and ask for its certificate; validate path, validity and "
        "names.",
    .accepted =
        "The same as at its port, or another one; any path to a root that the target file trusts; any kind of name.",
    .likely_causes = "Certificates that are configured twice, and renewed once.",
    .judges =
        [] {
          auto judges = judged_proof();
          judges.back().killed_by.emplace_back("xmpp.certificate-of-another-name-as-client");
          return judges;
        }(),
    .needs = {Need::sasl_external, Need::user_account},
    .body = proves_client};

void made_as_server(Run& run) {
  Negotiation n(run);
  if (const auto shown = shown_as_server(n, n.kind_in_tls()))
    judge_make(*shown, n.subject().domain(), "to who calls it", false);
}

CUTOVER_CASE(server_make){
    .id = "tls.certificate-as-server",
    .title = "The certificate that the server shows on its port is made for a server, sent whole, and strong",
    .procedure = "STARTTLS; read names, usages, key, signature and chain of what is shown.",
    .accepted = accepted_make,
    .likely_causes = "A chain file without the intermediate; a certificate for something else; one of ten years ago.",
    .judges = judged_make(),
    .needs = {Need::tls},
    .body = made_as_server};

void made_as_client(Run& run) {
  Negotiation n(run);
  const auto shown = shown_as_client(n, n.kind_in_tls());
  if (!shown.secured) return;
  CONFORMS("RFC6120-5.4.3.1-4", "the subject showed a certificate where it called and was asked for one",
           shown.certificate.has_value(), Eq(true));
  if (shown.certificate) return judge_make(*shown.certificate, n.subject().domain(), "where it calls", true);
  // That none is shown is told once, above; nothing can be wrong with it.
  for (const auto& judges : judged_make())
    CONFORMS_THAT(judges.requirement.c_str(), "faults of the certificate that the subject shows where it calls", true,
                  "none", "no certificate");
}

CUTOVER_CASE(client_make){
    .id = "tls.certificate-as-client",
    .title = "The server shows a certificate where it opens a stream: made for that, sent whole, and strong",
    .procedure =
        "Let the user write; secure the subject's stream and ask for its certificate; read names, usages, key, "
        "signature and chain.",
    .accepted = accepted_make,
    .likely_causes =
        "No certificate for outgoing streams; another one than at the port; a chain file without the "
        "intermediate.",
    .judges =
        [] {
          auto judges = judged_make();
          judges.push_back({"RFC6120-5.4.3.1-4", {"xmpp.shows-no-certificate"}});
          return judges;
        }(),
    .needs = {Need::tls, Need::user_account},
    .body = made_as_client};

}  // namespace
}  // namespace cutover::suites
