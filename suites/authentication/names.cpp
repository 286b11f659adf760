// Whom a certificate names, as each role reads it: kinds of names, letters, parts of names, and names that say more.
#include "protocol/tls/authority.h"
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Ne;

constexpr auto external = PartnerKind::sasl_external;

/// A certificate, and the requirement that says what it is worth for the domain.
struct Shown {
  const char* requirement;
  std::string words;
  std::vector<tls::SubjectName> names;
  std::string common_name = "Example Products";
};

std::string in_capitals(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::shared_ptr<const tls::Identity> issued(Negotiation& n, const Shown& shown) {
  tls::CertificateRequest request;
  request.names = shown.names;
  request.common_name = shown.common_name;
  if (shown.names.empty()) request.flaw = tls::Flaw::common_name_only;
  return n.subject().authority().issue(request);
}

std::vector<Shown> that_prove(const std::string& domain) {
  using enum tls::NameKind;
  return {
      {"RFC6125-6.4.1-1/letters", "a dNSName in capital letters", {{dns, in_capitals(domain)}}},
      {"RFC6125-6.2.1-1", "the names of two domains", {{dns, "victim.example"}, {dns, domain}}},
      {"RFC6125-6.5.1-1/letters", "an SRVName whose service is in capital letters", {{srv, "_XMPP-Server." + domain}}}};
}

std::vector<Shown> that_prove_nothing(const std::string& domain) {
  using enum tls::NameKind;
  return {{"RFC6125-6.2.1-1", "the name of another domain", {{dns, "victim.example"}}},
          {"RFC6125-6.4.1-1/labels", "a dNSName that goes on behind the domain", {{dns, domain + ".evil.invalid"}}},
          {"RFC6125-6.4.1-1/labels",
           "a dNSName with another letter for the dot",
           {{dns, std::string(domain).replace(domain.find('.'), 1, "x")}}},
          {"RFC6125-6.4.4-1",
           "a dNSName of another domain, and the domain as common name",
           {{dns, "victim.example"}},
           domain},
          {"RFC6125-6.5.1-1/domain", "an SRVName of another domain", {{srv, "victim.example"}}},
          {"SEC-FROM-SPOOF-4",
           "a common name that holds the domain behind another one",
           {},
           "victim.example, CN=" + domain},
          {"SEC-FROM-SPOOF-4", "a common name that looks like a distinguished name", {}, "/O=Example/CN=" + domain}};
}

std::string worth_of(Negotiation& n, const tls::Identity& identity) {
  auto stream = n.connect(external);
  return stream.open() ? stream.worth_of(identity) : "no features";
}

void read_by_receiver(Run& run) {
  Negotiation n(run);
  const auto domain = n.domain(external);
  const auto good = [&] { return worth_of(n, *n.certificate(external)); };
  if (!GIVEN(good() == "success", "EXTERNAL succeeds with a good certificate")) return;
  for (const auto& shown : that_prove(domain))
    CONFORMS(shown.requirement, "the answer to EXTERNAL with a certificate that has " + shown.words,
             worth_of(n, *issued(n, shown)), Eq("success"));
  for (const auto& shown : that_prove_nothing(domain))
    CONFORMS(shown.requirement, "the answer to EXTERNAL with a certificate that has " + shown.words,
             worth_of(n, *issued(n, shown)), Ne("success"));
  (void)GIVEN(good() == "success", "EXTERNAL succeeds with a good certificate afterwards");
}

std::vector<Judges> judged(const char* by_waiver) {
  return {{"RFC6125-6.2.1-1", {by_waiver}},
          {"RFC6125-6.4.1-1", {"xmpp.names-compared-in-part"}},
          {"RFC6125-6.4.4-1", {"xmpp.common-name-beside-names"}},
          {"RFC6125-6.5.1-1", {by_waiver}},
          {"SEC-FROM-SPOOF-4", {"xmpp.common-name-searched"}}};
}

CUTOVER_CASE(receiver_reads){
    .id = "authentication.names-as-receiver",
    .title = "A certificate authenticates the peer whose domain it names, label by label, and nobody else",
    .procedure =
        "EXTERNAL with certificates of a trusted authority: the domain in capital letters, beside another one, in an "
        "SRVName whose service is in capital letters; then such as name it in part, with more behind it, in the common "
        "name beside other names, or within a common name that says more.",
    .accepted = "<success/> for the first three; for the others a failure, or the end of the handshake or the stream.",
    .likely_causes = "Names compared by their beginnings; subjects that are searched as text.",
    .judges = judged("xmpp.wrong-certificate-name-accepted"),
    .needs = {Need::sasl_external, Need::authority},
    .budget = 1min,
    .body = read_by_receiver};

/// What the subject sends to a server with that certificate that only a trusted one may get.
std::string sent_to(Negotiation& n, const std::string& body, const tls::Identity& identity) {
  auto stream = n.called(external, body);
  if (!stream) return "no stream";
  if (!n.lead_to_tls(*stream, identity, external_offered)) return "nothing";
  const auto next = stream->await_element();
  stream->wire().abort();
  return goes_on_with(next);
}

void read_by_initiator(Run& run) {
  Negotiation n(run);
  const auto domain = n.domain(external);
  int number = 0;
  const auto sent = [&](const Shown& shown) {
    const auto body = fmt::format("to server {}", ++number);
    auto what = sent_to(n, body, *issued(n, shown));
    (void)n.told(body);  // by then it has given this try up
    return what;
  };
  auto host = Shown{"RFC7673-4.1-1", "the name of the host that DNS gave", {{tls::NameKind::dns, "xmpp." + domain}}};
  auto nothing = that_prove_nothing(domain);
  nothing.push_back(host);
  for (const auto& shown : that_prove(domain)) {
    const auto what = sent(shown);
    if (!GIVEN(what != "no stream", "the subject opens a stream to its peer")) return;
    CONFORMS(shown.requirement, "what the subject sent to a server whose certificate has " + shown.words, what,
             Eq("auth"));
  }
  for (const auto& shown : nothing) {
    const auto what = sent(shown);
    if (!GIVEN(what != "no stream", "the subject opens a stream to its peer")) return;
    CONFORMS(shown.requirement, "what the subject sent to a server whose certificate has " + shown.words, what,
             Eq("nothing"));
  }
}

CUTOVER_CASE(initiator_reads){
    .id = "authentication.names-as-initiator",
    .title = "The initiating server authenticates to a server whose certificate names the domain that it calls",
    .procedure =
        "Let the user write for each of the certificates of authentication.names-as-receiver, and for one of the host "
        "that the SRV record names; lead the stream into TLS with it; see what comes inside.",
    .accepted = "<auth/> for those that prove the domain; for the others the end of the handshake or the stream.",
    .likely_causes = "The name of the host is checked instead of the domain's; names compared by their beginnings.",
    .judges =
        [] {
          auto judges = judged("xmpp.peer-certificate-not-checked");
          judges.push_back({"RFC7673-4.1-1", {"xmpp.peer-certificate-not-checked"}});
          return judges;
        }(),
    .needs = {Need::sasl_external, Need::user_account, Need::partner_list, Need::unmet_peers, Need::authority},
    .budget = 30min,
    .body = read_by_initiator};

void two_names(Run& run) {
  Negotiation n(run);
  const auto other = PartnerKind::dialback_over_tls;
  if (n.domain(other) == n.domain(external)) run.unsupported("there is no peer of another domain");
  auto stream = n.connect(external);
  const Shown both{"", "", {{tls::NameKind::dns, n.domain(external)}, {tls::NameKind::dns, n.domain(other)}}};
  if (!GIVEN(stream.open() && stream.worth_of(*issued(n, both)) == "success" && stream.reopen(),
             "a stream is authenticated with a certificate of two domains"))
    return;
  stream.send(n.message(external, "as who it is"));
  if (!GIVEN(n.until([&] { return n.subject().received("as who it is") > 0; }), "a message of the peer arrived"))
    return;
  stream.send(n.message(other, "as the other name"));
  const auto ending = stream.await_ending();
  CONFORMS("RFC6120-4.3.6-1", "what came of a message of the other domain in the certificate", ending, HasEnded());
  if (!n.given_marker()) return;
  CONFORMS("RFC6120-4.3.6-1", "how often it arrived", n.subject().received("as the other name"), Eq(0U));
}

CUTOVER_CASE(one_identity){
    .id = "authentication.one-of-two-names",
    .title = "A peer is the domain that it was authenticated as, not each that its certificate names",
    .procedure =
        "EXTERNAL with a certificate of two domains; a message of the one of the header, which arrives; one of the "
        "other; a marker.",
    .accepted = "A stream error and the end of the stream; the second message never arrives.",
    .likely_causes = "Stanzas held against the certificate instead of the identity of the stream.",
    .judges = {{"RFC6120-4.3.6-1", {"xmpp.spoofed-from-delivered"}}},
    .needs = {Need::sasl_external, Need::authority, Need::user_account},
    .budget = 1min,
    .body = two_names};

}  // namespace
}  // namespace cutover::suites
