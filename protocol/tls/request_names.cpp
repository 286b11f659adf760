// From a request to the names in a certificate.
#include "protocol/tls/request_names.h"

#include "protocol/tls/identity.h"

#include <algorithm>

namespace cutover::tls {
namespace {

// As A-labels, a wildcard and the case of letters kept; what is no domain is taken as it is, for tests that want it so.
std::string as_dns_name(const std::string& value) {
  if (std::ranges::all_of(value, [](unsigned char c) { return c < 0x80; })) return value;
  if (value.starts_with("*.")) return "*." + as_dns_name(value.substr(2));
  return ascii_domain(value).value_or(value);
}

std::string as_srv_name(const std::string& value) {
  return value.starts_with('_') ? value : "_xmpp-server." + as_dns_name(value);
}

}  // namespace

RequestedNames requested_names(const CertificateRequest& request) {
  RequestedNames names;
  std::vector<SubjectName> asked = request.names;
  if (request.flaw == Flaw::wrong_name) asked = {{NameKind::dns, "wrong-name.invalid"}};
  for (SubjectName& name : asked) {
    if (request.flaw == Flaw::wildcard) name = {NameKind::dns, "*." + name.value};
    switch (name.kind) {
      case NameKind::dns:
        names.dns_names.push_back(as_dns_name(name.value));
        if (request.flaw == Flaw::partial_wildcard) names.dns_names.push_back("xmpp*." + as_dns_name(name.value));
        break;
      case NameKind::srv:
        names.srv_names.push_back(as_srv_name(name.value));
        break;
      case NameKind::xmpp_addr:
        names.xmpp_addrs.push_back(name.value);
        break;
    }
  }
  if (request.flaw == Flaw::common_name_only || request.flaw == Flaw::foreign_service) {
    names.dns_names.clear();
    names.srv_names.clear();
    names.xmpp_addrs.clear();
    if (request.flaw == Flaw::foreign_service && !asked.empty())
      names.srv_names = {"_xmpp-client." + as_dns_name(asked.front().value)};
  }
  const bool keep = request.flaw != Flaw::wrong_name && request.flaw != Flaw::wildcard;
  names.common_name = keep ? request.common_name : std::string();
  // The SRVName is to be judged, and not whether a common name beside it counts.
  if (request.flaw == Flaw::foreign_service) names.common_name = "a service of clients";
  if (names.common_name.empty() && !asked.empty()) names.common_name = as_dns_name(asked.front().value);
  return names;
}

}  // namespace cutover::tls
