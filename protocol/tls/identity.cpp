// The names of a certificate against an XMPP domain.
#include "protocol/tls/identity.h"

#include <unicode/bytestream.h>
#include <unicode/idna.h>

#include <algorithm>

namespace cutover::tls {
namespace {

constexpr std::string_view service_label = "_xmpp-server.";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<std::string> uts46(std::string_view domain) {
  static UErrorCode made = U_ZERO_ERROR;
  static const std::unique_ptr<icu::IDNA> idna(icu::IDNA::createUTS46Instance(
      UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_USE_STD3_RULES, made));
  if (U_FAILURE(made)) return std::nullopt;
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  icu::IDNAInfo info;
  UErrorCode status = U_ZERO_ERROR;
  idna->nameToASCII_UTF8(icu::StringPiece(domain.data(), static_cast<int32_t>(domain.size())), sink, info, status);
  if (U_FAILURE(status) || info.hasErrors()) return std::nullopt;
  return out;
}

// RFC 6125 section 6.4.3: the wildcard is the whole left-most label and stands for exactly one.
bool dns_name_covers(std::string_view name, std::string_view domain) {
  if (!name.starts_with("*.")) return name == domain;
  const std::size_t dot = domain.find('.');
  return dot != std::string_view::npos && dot > 0 && name.substr(1) == domain.substr(dot);
}

bool xmpp_addr_covers(std::string_view address, std::string_view domain) {
  if (address.find_first_of("@/") != std::string_view::npos) return false;  // an account's, not a domain's
  return ascii_domain(address) == domain;
}

}  // namespace

std::optional<std::string> ascii_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (domain.empty() || domain.size() > 1023) return std::nullopt;
  const bool ascii =
      std::all_of(domain.begin(), domain.end(), [](char c) { return static_cast<unsigned char>(c) - 0x21U < 0x5eU; });
  if (ascii) return lower(domain);
  return uts46(domain);
}

bool covers(const PeerCertificate& certificate, std::string_view domain) {
  const auto wanted = ascii_domain(domain);
  if (!wanted) return false;
  const auto any = [](const std::vector<std::string>& names, auto matches) {
    return std::any_of(names.begin(), names.end(), matches);
  };
  if (any(certificate.dns_names, [&](const auto& name) { return dns_name_covers(lower(name), *wanted); })) return true;
  if (any(certificate.srv_names,
          [&](const auto& name) { return lower(name) == std::string(service_label) + *wanted; })) {
    return true;
  }
  if (any(certificate.xmpp_addrs, [&](const auto& name) { return xmpp_addr_covers(name, *wanted); })) return true;
  const bool named =
      !certificate.dns_names.empty() || !certificate.srv_names.empty() || !certificate.xmpp_addrs.empty();
  return !named && !certificate.common_name.empty() && dns_name_covers(lower(certificate.common_name), *wanted);
}

bool satisfies(const PeerCertificate& certificate, EkuRule rule) {
  if (!certificate.eku_present) return true;
  switch (rule) {
    case EkuRule::any:
      return true;
    case EkuRule::need_server_for_server:
      return certificate.eku_server;
    case EkuRule::need_client_for_client:
      return certificate.eku_client;
  }
  return false;
}

bool authenticates(const PeerCertificate& certificate, std::string_view domain) {
  return certificate.chain_valid && covers(certificate, domain);
}

}  // namespace cutover::tls
