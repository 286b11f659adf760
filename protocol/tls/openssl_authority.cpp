// Certificates from OpenSSL: a root, an intermediate, a second root that nobody trusts, and leaves with every flaw.
#include "protocol/base/check.h"
#include "protocol/tls/openssl_identity.h"
#include "protocol/tls/randomness.h"
#include "protocol/tls/request_names.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <fmt/format.h>

#include <map>
#include <stdexcept>

namespace cutover::tls {
namespace {

constexpr std::time_t day_seconds = 86400;
constexpr std::time_t ca_lifetime_seconds = 3650 * day_seconds;
constexpr std::time_t leaf_lifetime_seconds = 398 * day_seconds;

using Certificate = std::shared_ptr<X509>;
using Key = std::shared_ptr<EVP_PKEY>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;

Certificate share(X509* certificate) {
  CUTOVER_CHECK(certificate != nullptr);
  return {certificate, X509_free};
}

constexpr std::size_t rsa_bits = 2048, weak_rsa_bits = 1024;

/// An elliptic curve's where no bits of RSA are named.
Key make_key(std::size_t bits = 0) {
  EVP_PKEY* key = bits != 0 ? EVP_RSA_gen(static_cast<unsigned>(bits)) : EVP_EC_gen("P-256");
  CUTOVER_CHECK(key != nullptr);
  return {key, EVP_PKEY_free};
}

Key duplicate(const Key& key) {
  EVP_PKEY* copy = EVP_PKEY_dup(key.get());
  CUTOVER_CHECK(copy != nullptr);
  return {copy, EVP_PKEY_free};
}

// One who signs: its certificate and key.
struct Issuer {
  Certificate certificate;
  Key key;
};

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  CUTOVER_CHECK(extension != nullptr);
  CUTOVER_CHECK(X509_add_ext(certificate, extension.get(), -1) == 1);
}

ASN1_STRING* make_string(int type, const std::string& value) {
  ASN1_STRING* string = ASN1_STRING_type_new(type);
  CUTOVER_CHECK(string != nullptr);
  CUTOVER_CHECK(ASN1_STRING_set(string, value.data(), static_cast<int>(value.size())) == 1);
  return string;
}

void add_dns_name(GENERAL_NAMES* names, const std::string& value) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, GEN_DNS, make_string(V_ASN1_IA5STRING, value));
  sk_GENERAL_NAME_push(names, name);
}

void add_other_name(GENERAL_NAMES* names, const char* oid, int string_type, const std::string& value) {
  ASN1_TYPE* any = ASN1_TYPE_new();
  ASN1_TYPE_set(any, string_type, make_string(string_type, value));
  GENERAL_NAME* name = GENERAL_NAME_new();
  CUTOVER_CHECK(GENERAL_NAME_set0_othername(name, OBJ_txt2obj(oid, 1), any) == 1);
  sk_GENERAL_NAME_push(names, name);
}

void add_names(X509* certificate, const RequestedNames& requested) {
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> names(GENERAL_NAMES_new());
  for (const auto& value : requested.dns_names) add_dns_name(names.get(), value);
  for (const auto& value : requested.srv_names) {
    add_other_name(names.get(), "1.3.6.1.5.5.7.8.7", V_ASN1_IA5STRING, value);
  }
  for (const auto& value : requested.xmpp_addrs) {
    add_other_name(names.get(), "1.3.6.1.5.5.7.8.5", V_ASN1_UTF8STRING, value);
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return;
  CUTOVER_CHECK(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1);
}

const char* extended_key_usage(Flaw flaw) {
  switch (flaw) {
    case Flaw::wrong_eku:
      return "codeSigning";
    case Flaw::server_only_eku:
      return "serverAuth";
    default:
      return "serverAuth,clientAuth";
  }
}

const char* key_usage(Flaw flaw) {
  switch (flaw) {
    case Flaw::ca_true_leaf:
      return "critical,digitalSignature,keyCertSign";
    case Flaw::no_signing:
      return "critical,keyAgreement";
    default:
      return "critical,digitalSignature";
  }
}

/// Signed by itself, so that no path leads beyond it.
bool is_root(const Certificate& certificate) {
  return X509_NAME_cmp(X509_get_subject_name(certificate.get()), X509_get_issuer_name(certificate.get())) == 0;
}

std::string to_pem(const auto& write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  CUTOVER_CHECK(bio != nullptr);
  CUTOVER_CHECK(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string certificate_pem(X509* certificate) {
  return to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string key_pem(EVP_PKEY* key) {
  return to_pem([&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

/// What identities share with the authority that issued them, for they may ask for another certificate later.
class Issuing {
 public:
  explicit Issuing(std::time_t wall_clock) : wall_clock_(wall_clock) {}
  Issuing(std::time_t wall_clock, Issuer root, Issuer below_root, std::vector<Certificate> trust)
      : wall_clock_(wall_clock), root_(std::move(root)), below_root_(std::move(below_root)), trust_(std::move(trust)) {}

  std::string to_pem() {
    std::string text;
    for (const Issuer* issuer : {&root(), &below_root()})
      text += certificate_pem(issuer->certificate.get()) + key_pem(issuer->key.get());
    return text;
  }

  void make_every_issuer() {
    below_root();
    never_shown();
    unknown();
    no_authority();
  }

  Credentials credentials(const CertificateRequest& request) {
    Credentials made;
    made.wall_clock = wall_clock_;
    made.roots = {root().certificate};
    made.known = {below_root().certificate, never_shown().certificate};
    for (const auto& each : trust_) (is_root(each) ? made.roots : made.known).push_back(each);
    made.weak = request.flaw == Flaw::weak_key || request.flaw == Flaw::weak_signature;
    if (request.flaw == Flaw::no_certificate) return made;
    const bool self_signed = request.flaw == Flaw::self_signed;
    const bool stranger = request.flaw == Flaw::unknown_root;
    // One that is missing is one that nobody has seen: a peer may complete a path with what it was shown earlier.
    const bool missing = request.flaw == Flaw::missing_intermediate;
    const bool pretender = request.flaw == Flaw::issuer_no_ca;
    const bool intermediate = !self_signed && !stranger && !missing && !pretender && request.through_intermediate;
    const Issuer* issuer = self_signed    ? nullptr
                           : stranger     ? &unknown()
                           : missing      ? &never_shown()
                           : pretender    ? &no_authority()
                           : intermediate ? &below_root()
                                          : &root();
    made.key = make_key(request.flaw == Flaw::weak_key ? weak_rsa_bits : request.rsa ? rsa_bits : 0);
    made.leaf = make_leaf(request, made.key, issuer);
    if (intermediate || pretender) made.chain = {issuer->certificate};
    return made;
  }

 private:
  Certificate make_leaf(const CertificateRequest& request, const Key& key, const Issuer* issuer) {
    const RequestedNames names = requested_names(request);
    Certificate leaf = blank(names.common_name, key, issuer);
    X509* const raw = leaf.get();
    const auto valid = [&](std::time_t from, std::time_t until) {
      ASN1_TIME_set(X509_getm_notBefore(raw), wall_clock_ + from);
      ASN1_TIME_set(X509_getm_notAfter(raw), wall_clock_ + until);
    };
    if (request.flaw == Flaw::expired) {
      valid(-leaf_lifetime_seconds, -day_seconds);
    } else if (request.flaw == Flaw::not_yet_valid) {
      valid(day_seconds, leaf_lifetime_seconds);
    } else {
      valid(-day_seconds, leaf_lifetime_seconds);
    }
    add_extension(raw, nullptr, NID_basic_constraints,
                  request.flaw == Flaw::ca_true_leaf ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(raw, nullptr, NID_key_usage, key_usage(request.flaw));
    add_extension(raw, nullptr, NID_ext_key_usage, extended_key_usage(request.flaw));
    add_names(raw, names);
    Issuer forger;
    if (request.flaw == Flaw::bad_signature && issuer != nullptr) {
      forger = {.certificate = issuer->certificate, .key = make_key()};
      issuer = &forger;
    }
    sign(raw, key, issuer, request.flaw == Flaw::weak_signature ? EVP_sha1() : EVP_sha256());
    return leaf;
  }

  Issuer make_issuer(const char* name, const Issuer* above, bool authority) {
    Issuer made{.certificate = nullptr, .key = make_key()};
    made.certificate = blank(name, made.key, above);
    X509* const raw = made.certificate.get();
    ASN1_TIME_set(X509_getm_notBefore(raw), wall_clock_ - ca_lifetime_seconds);
    ASN1_TIME_set(X509_getm_notAfter(raw), wall_clock_ + ca_lifetime_seconds);
    add_extension(raw, nullptr, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(raw, nullptr, NID_key_usage, "critical,keyCertSign,cRLSign");
    sign(raw, made.key, above);
    return made;
  }

  static Certificate blank(const std::string& name, const Key& key, const Issuer* issuer) {
    Certificate certificate = share(X509_new());
    X509* const raw = certificate.get();
    X509_set_version(raw, X509_VERSION_3);
    // Two processes with one root must not give out the same numbers (RFC 5280 section 4.1.2.2).
    std::uint64_t serial = 0;
    CUTOVER_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(raw), (serial >> 1U) | 1U);
    X509_NAME* subject = X509_get_subject_name(raw);
    constexpr std::size_t common_name_max_characters = 64;  // ub-common-name, RFC 5280 appendix A.1
    if (!name.empty() && name.size() <= common_name_max_characters) {
      X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1,
                                 0);
    }
    X509_set_issuer_name(raw, issuer != nullptr ? X509_get_subject_name(issuer->certificate.get()) : subject);
    X509_set_pubkey(raw, key.get());
    return certificate;
  }

  static void sign(X509* certificate, const Key& own, const Issuer* issuer, const EVP_MD* digest = EVP_sha256()) {
    add_extension(certificate, nullptr, NID_subject_key_identifier, "hash");
    if (issuer != nullptr) add_extension(certificate, issuer->certificate.get(), NID_authority_key_identifier, "keyid");
    EVP_PKEY* const key = issuer != nullptr ? issuer->key.get() : own.get();
    CUTOVER_CHECK(X509_sign(certificate, key, digest) > 0);
  }

  // All made when first needed.
  const Issuer& root() { return made(root_, "Cutover test root", nullptr); }
  const Issuer& below_root() { return made(below_root_, "Cutover test intermediate", &root()); }
  const Issuer& never_shown() { return made(never_shown_, "Cutover test intermediate that is never shown", &root()); }
  const Issuer& unknown() { return made(unknown_, "Somebody else's root", nullptr); }
  const Issuer& no_authority() { return made(no_authority_, "Cutover test server that issues", &root(), false); }
  const Issuer& made(Issuer& issuer, const char* name, const Issuer* above, bool authority = true) {
    if (!issuer.certificate) issuer = make_issuer(name, above, authority);
    return issuer;
  }

  std::time_t wall_clock_;
  Issuer root_, below_root_, never_shown_, unknown_, no_authority_;
  std::vector<Certificate> trust_;
};

std::string text_of(const CertificateRequest& request) {
  std::string text = fmt::format("{} {} {} '{}'", name_of(request.flaw), request.through_intermediate, request.rsa,
                                 request.common_name);
  for (const auto& name : request.names) text += fmt::format(" {} '{}'", static_cast<int>(name.kind), name.value);
  return text;
}

// FNV-1a: the same on every machine, which std::hash need not be.
std::uint64_t seed_from(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char octet : text) hash = (hash ^ static_cast<unsigned char>(octet)) * 0x100000001b3U;
  return hash;
}

/// What the authorities of simulated worlds issued at one time, kept for the next of them: a certificate follows from
/// the time, the request and how often an authority was asked for it. Making them anew took a quarter of the time of
/// such a case.
class Kept {
 public:
  explicit Kept(std::time_t wall_clock) : wall_clock_(wall_clock), issuing_(wall_clock) {
    under_tls_seed(seed_from(fmt::format("{}", wall_clock_)), [this] { issuing_.make_every_issuer(); });
  }

  Credentials get(const std::string& text, const CertificateRequest& request, std::size_t nth) {
    auto& all = made_[text];
    while (all.size() <= nth) {
      under_tls_seed(seed_from(fmt::format("{} {} {}", wall_clock_, all.size(), text)),
                     [&] { all.push_back(issuing_.credentials(request)); });
    }
    auto copy = all[nth];
    // RSA keys keep the blinding of their last use, which the next case would not draw anew.
    if (copy.key && (request.rsa || request.flaw == Flaw::weak_key)) copy.key = duplicate(copy.key);
    return copy;
  }

  static std::shared_ptr<Kept> of(std::time_t wall_clock) {
    constexpr std::size_t times_max = 8;
    thread_local std::map<std::time_t, std::shared_ptr<Kept>> all;
    if (all.size() > times_max) all.clear();
    auto& kept = all[wall_clock];
    if (!kept) kept = std::make_shared<Kept>(wall_clock);
    return kept;
  }

 private:
  std::time_t wall_clock_;
  Issuing issuing_;
  std::map<std::string, std::vector<Credentials>> made_;
};

using Source = std::function<Credentials(const CertificateRequest&)>;

Source source_at(std::time_t wall_clock) {
  if (!tls_randomness_is_seeded())
    return [issuing = std::make_shared<Issuing>(wall_clock)](const auto& request) {
      return issuing->credentials(request);
    };
  return [kept = Kept::of(wall_clock),
          asked = std::make_shared<std::map<std::string, std::size_t>>()](const CertificateRequest& request) {
    const auto text = text_of(request);
    return kept->get(text, request, (*asked)[text]++);
  };
}

class OpensslAuthority final : public Authority {
 public:
  explicit OpensslAuthority(Source source) : source_(std::move(source)) {}

  std::shared_ptr<const Identity> issue(const CertificateRequest& request) override {
    auto made = source_(request);
    made.again = [source = source_, request](void (*change)(CertificateRequest&)) {
      auto changed = request;
      change(changed);
      return source(changed);
    };
    return make_openssl_identity(std::move(made));
  }

  PemFiles issue_pem(const CertificateRequest& request) override {
    const Credentials made = source_(request);
    PemFiles files{.certificate_chain = {}, .private_key = {}, .root = certificate_pem(made.roots.front().get())};
    if (!made.leaf) return files;
    files.certificate_chain = certificate_pem(made.leaf.get());
    for (const auto& each : made.chain) files.certificate_chain += certificate_pem(each.get());
    files.private_key = key_pem(made.key.get());
    return files;
  }

 private:
  Source source_;
};

// The certificates in PEM text, in its order.
std::vector<Certificate> read_certificates(const std::string& pem) {
  std::vector<Certificate> all;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) all.push_back(share(certificate));
  ERR_clear_error();  // the end of the text is an error to OpenSSL
  return all;
}

// The private keys in PEM text, in its order.
std::vector<Key> read_keys(const std::string& pem) {
  std::vector<Key> all;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Without a callback OpenSSL would ask at the terminal for the password of an encrypted key.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  while (EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr))
    all.push_back({key, EVP_PKEY_free});
  ERR_clear_error();
  return all;
}

Key read_key(const std::string& pem) {
  const auto keys = read_keys(pem);
  return keys.empty() ? nullptr : keys.front();
}

void read_own(Credentials& credentials, const PemFiles& files) {
  std::vector<Certificate> chain = read_certificates(files.certificate_chain);
  if (chain.empty()) {
    throw std::invalid_argument(
        "the certificate chain holds no certificate; give PEM text (-----BEGIN CERTIFICATE-----) with the server's own "
        "first");
  }
  credentials.leaf = chain.front();
  credentials.chain.assign(chain.begin() + 1, chain.end());
  credentials.key = read_key(files.private_key);
  if (!credentials.key) {
    throw std::invalid_argument("the private key cannot be read; give it as PEM text without a password");
  }
  if (X509_check_private_key(credentials.leaf.get(), credentials.key.get()) != 1) {
    ERR_clear_error();
    throw std::invalid_argument(
        "the private key does not belong to the first certificate of the chain; put the server's own certificate "
        "first");
  }
}

}  // namespace

std::unique_ptr<Authority> make_openssl_authority(std::time_t wall_clock) {
  return std::make_unique<OpensslAuthority>(source_at(wall_clock));
}

std::string new_authority_pem(std::time_t wall_clock) { return Issuing(wall_clock).to_pem(); }

std::unique_ptr<Authority> authority_from_pem(const std::string& pem, std::time_t wall_clock,
                                              const std::string& trust) {
  const auto certificates = read_certificates(pem);
  const auto keys = read_keys(pem);
  if (certificates.size() != 2 || keys.size() != 2) {
    throw std::invalid_argument(
        "expected PEM text of an authority: the certificate and the key of a root, then those of an intermediate");
  }
  for (std::size_t i = 0; i < 2; ++i) {
    if (X509_check_private_key(certificates[i].get(), keys[i].get()) == 1) continue;
    ERR_clear_error();
    throw std::invalid_argument("expected each certificate of the authority with its own key");
  }
  const auto issuing = std::make_shared<Issuing>(wall_clock, Issuer{certificates[0], keys[0]},
                                                 Issuer{certificates[1], keys[1]}, read_certificates(trust));
  return std::make_unique<OpensslAuthority>([issuing](const auto& request) { return issuing->credentials(request); });
}

std::shared_ptr<const Identity> identity_from_pem(const PemFiles& files) {
  Credentials credentials;
  if (!files.certificate_chain.empty() || !files.private_key.empty()) read_own(credentials, files);
  for (const auto& each : read_certificates(files.root))
    (is_root(each) ? credentials.roots : credentials.known).push_back(each);
  if (credentials.roots.empty() && !files.root.empty()) {
    throw std::invalid_argument("the root holds no certificate; give PEM text, or nothing to trust the system's roots");
  }
  credentials.system_roots = files.root.empty();
  return make_openssl_identity(std::move(credentials));
}

}  // namespace cutover::tls
