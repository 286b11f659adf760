// What one certificate says of itself.
#include "protocol/tls/openssl_identity.h"

#include <openssl/x509v3.h>

#include <array>

namespace cutover::tls {
namespace {

constexpr std::string_view oid_srv_name = "1.3.6.1.5.5.7.8.7";   // id-on-dnsSRV, RFC 4985
constexpr std::string_view oid_xmpp_addr = "1.3.6.1.5.5.7.8.5";  // id-on-xmppAddr, RFC 6120 section 13.7.1.4

using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

std::string text_of(const ASN1_STRING* string) {
  const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
  return {data, static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// A name with a NUL in it is nobody's: cut at the NUL it would be somebody else's.
void add_name(std::vector<std::string>& names, std::string name) {
  if (!name.empty() && name.find('\0') == std::string::npos) names.push_back(std::move(name));
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

void add_other_name(PeerCertificate& facts, const OTHERNAME& other) {
  std::array<char, 64> oid{};
  OBJ_obj2txt(oid.data(), static_cast<int>(oid.size()), other.type_id, 1);
  const std::string_view type(oid.data());
  if (type == oid_srv_name && other.value->type == V_ASN1_IA5STRING) {
    add_name(facts.srv_names, text_of(other.value->value.ia5string));
  } else if (type == oid_xmpp_addr && other.value->type == V_ASN1_UTF8STRING) {
    add_name(facts.xmpp_addrs, text_of(other.value->value.utf8string));
  }
}

// The last, most specific CN, as UTF-8.
std::string common_name_of(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  int last = -1;
  for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;) last = i;
  if (last < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return name.find('\0') == std::string::npos ? name : std::string();
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += {digits[digest.at(i) >> 4U], digits[digest.at(i) & 15U]};
  return text;
}

std::string name_of_issuer(const X509* certificate) {
  const std::unique_ptr<BIO, Freed<BIO_free_all>> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_issuer_name(certificate), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void add_strength(PeerCertificate& facts, X509* certificate) {
  constexpr int rsa_bits_min = 2048, curve_bits_min = 192, sha256_strength_bits = 128;
  if (const auto* key = X509_get0_pubkey(certificate); key != nullptr) {
    const int bits = EVP_PKEY_get_bits(key);
    const bool rsa = EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1;
    const bool curve = EVP_PKEY_is_a(key, "EC") == 1;
    const char* type = EVP_PKEY_get0_type_name(key);
    facts.key = std::string(type != nullptr ? type : "an unknown type") + " of " + std::to_string(bits) + " bits";
    facts.weak_key = (rsa && bits < rsa_bits_min) || (curve && bits < curve_bits_min);
  }
  int strength = 0;
  facts.signature = OBJ_nid2ln(X509_get_signature_nid(certificate));
  facts.weak_signature = X509_get_signature_info(certificate, nullptr, nullptr, &strength, nullptr) == 1 &&
                         strength < sha256_strength_bits;
}

}  // namespace

PeerCertificate facts_of(X509* certificate) {
  PeerCertificate facts;
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) add_name(facts.dns_names, lower(text_of(name->d.dNSName)));
    if (name->type == GEN_OTHERNAME) add_other_name(facts, *name->d.otherName);
  }
  facts.common_name = common_name_of(certificate);
  facts.fingerprint = fingerprint_of(certificate);
  facts.issuer = name_of_issuer(certificate);
  facts.signs = (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) != 0;  // all bits are set where it has none
  add_strength(facts, certificate);
  facts.eku_present = (X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) != 0;
  if (facts.eku_present) {
    const std::uint32_t uses = X509_get_extended_key_usage(certificate);
    facts.eku_server = (uses & (XKU_SSL_SERVER | XKU_ANYEKU)) != 0;
    facts.eku_client = (uses & (XKU_SSL_CLIENT | XKU_ANYEKU)) != 0;
  }
  return facts;
}

}  // namespace cutover::tls
