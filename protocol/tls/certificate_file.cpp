// By OpenSSL's readers of each form.
#include "protocol/tls/certificate_file.h"

#include "protocol/tls/openssl_identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace cutover::tls {
namespace {

constexpr std::size_t blocks_max = 1000, certificates_max = 1000;
/// A million rounds take a good part of a second: what wants more is no export but a trap.
constexpr long rounds_max = 1'000'000;

using Pkcs12 = std::unique_ptr<PKCS12, Freed<PKCS12_free>>;
using Pkcs7 = std::unique_ptr<PKCS7, Freed<PKCS7_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

void free_bags(STACK_OF(PKCS12_SAFEBAG) * bags) { sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free); }
using Bags = std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), Freed<free_bags>>;
void free_safes(STACK_OF(PKCS7) * safes) { sk_PKCS7_pop_free(safes, PKCS7_free); }
using Safes = std::unique_ptr<STACK_OF(PKCS7), Freed<free_safes>>;

constexpr const char* as_cer = "export the certificate without its key, as .cer or .p7b";

std::time_t time_of(const ASN1_TIME* time) {
  std::tm parts{};
  return time != nullptr && ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

std::string subject_of(X509* certificate) {
  const std::unique_ptr<BIO, Freed<BIO_free_all>> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

class File {
 public:
  CertificateFile read(std::string_view octets) {
    if (octets.find(pem_mark) != std::string_view::npos) {
      read_pem(octets);
    } else {
      read_der(octets, 0);
    }
    ERR_clear_error();
    return std::move(file_);
  }

  static constexpr std::string_view pem_mark = "-----BEGIN ";

 private:
  void fault(int line, std::string what, std::string remedy = as_cer) {
    file_.faults.push_back({line, std::move(what), std::move(remedy)});
  }

  void key_at(int line) {
    if (!file_.has_private_key) file_.private_key_line = line;
    file_.has_private_key = true;
  }

  void add(X509* certificate, int line) {
    if (file_.certificates.size() >= certificates_max) return;
    StoredCertificate stored;
    stored.facts = facts_of(certificate);
    stored.not_before = time_of(X509_get0_notBefore(certificate));
    stored.not_after = time_of(X509_get0_notAfter(certificate));
    stored.subject = subject_of(certificate);
    stored.of_authority = X509_check_ca(certificate) != 0;
    stored.line = line;
    file_.certificates.push_back(std::move(stored));
  }

  /// Block by block, so that each has its line and a bad one does not hide the next.
  void read_pem(std::string_view text) {
    constexpr std::string_view end_mark = "-----END ";
    std::size_t counted = 0, blocks = 0;
    int line = 1;
    for (auto at = text.find(pem_mark); at != std::string_view::npos; at = text.find(pem_mark, at)) {
      if (++blocks > blocks_max)
        return fault(line, "holds more than 1000 blocks", "give the certificate of the edge alone");
      line += static_cast<int>(std::ranges::count(text.substr(counted, at - counted), '\n'));
      counted = at;
      const auto end = text.find(end_mark, at);
      const auto stop = end == std::string_view::npos ? end : text.find('\n', end);
      const auto block = text.substr(at, stop == std::string_view::npos ? stop : stop + 1 - at);
      const auto label = block.substr(pem_mark.size(), block.find('-', pem_mark.size()) - pem_mark.size());
      at += pem_mark.size();
      if (label.ends_with("PRIVATE KEY")) {
        key_at(line);
      } else if (label.ends_with("CERTIFICATE") || label == "PKCS7" || label == "CMS") {
        read_block(block, line);
      }
    }
    if (file_.certificates.empty() && file_.faults.empty() && !file_.has_private_key) fault(0, "holds no certificate");
  }

  void read_block(std::string_view block, int line) {
    const std::unique_ptr<BIO, Freed<BIO_free_all>> bio(BIO_new_mem_buf(block.data(), static_cast<int>(block.size())));
    char *name = nullptr, *header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) {
      return fault(line, "is damaged: the text between BEGIN and END is no PEM", "export it again");
    }
    read_der({reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)}, line);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }

  void read_der(std::string_view der, int line) {
    const auto* const first = reinterpret_cast<const unsigned char*>(der.data());
    const auto size = static_cast<long>(der.size());
    const auto* at = first;
    if (const Certificate one(d2i_X509(nullptr, &at, size)); one) return add(one.get(), line);
    at = first;
    if (const Pkcs12 store(d2i_PKCS12(nullptr, &at, size)); store) return read_pkcs12(store.get());
    at = first;
    if (const Pkcs7 bundle(d2i_PKCS7(nullptr, &at, size)); bundle && PKCS7_type_is_signed(bundle.get())) {
      const auto* all = bundle->d.sign->cert;
      if (sk_X509_num(all) <= 0) return fault(line, "holds no certificate");
      for (int i = 0; i < sk_X509_num(all); ++i) add(sk_X509_value(all, i), line);
      return;
    }
    fault(line, "is no certificate", "PEM, DER, PKCS#7, or PKCS#12 without a password was expected");
  }

  void read_pkcs12(PKCS12* store) {
    const char* password = nullptr;
    if (PKCS12_mac_present(store) != 0) {
      const ASN1_INTEGER* rounds = nullptr;
      PKCS12_get0_mac(nullptr, nullptr, nullptr, &rounds, store);
      if (rounds != nullptr && !bounded(rounds)) return;
      // Without a password there are two readings: an empty one, and none.
      if (PKCS12_verify_mac(store, "", 0) == 1) {
        password = "";
      } else if (PKCS12_verify_mac(store, nullptr, 0) != 1) {
        return fault(0, "has a password");
      }
    }
    const Safes safes(PKCS12_unpack_authsafes(store));
    if (!safes) return fault(0, "is a damaged PKCS#12 file", "export it again");
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) read_safe(sk_PKCS7_value(safes.get(), i), password);
    if (file_.certificates.empty() && file_.faults.empty()) fault(0, "holds no certificate");
  }

  void read_safe(PKCS7* safe, const char* password) {
    const int type = OBJ_obj2nid(safe->type);
    Bags bags;
    if (type == NID_pkcs7_data) {
      bags.reset(PKCS12_unpack_p7data(safe));
    } else if (type == NID_pkcs7_encrypted) {
      if (!bounded(safe)) return;
      bags.reset(PKCS12_unpack_p7encdata(safe, password, 0));
    }
    if (!bags) {
      return fault(0, type == NID_pkcs7_encrypted ? "is encrypted in a way that cannot be read here (RC2, most likely)"
                                                  : "is a damaged PKCS#12 file");
    }
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags.get()); ++i) {
      const auto* bag = sk_PKCS12_SAFEBAG_value(bags.get(), i);
      const int kind = PKCS12_SAFEBAG_get_nid(bag);
      if (kind == NID_keyBag || kind == NID_pkcs8ShroudedKeyBag) key_at(0);
      if (kind != NID_certBag) continue;
      if (const Certificate one(PKCS12_SAFEBAG_get1_cert(bag)); one) add(one.get(), 0);
    }
  }

  bool bounded(const ASN1_INTEGER* rounds) {
    std::int64_t count = 0;
    const bool small = ASN1_INTEGER_get_int64(&count, rounds) == 1 && count > 0 && count <= rounds_max;
    if (!small) fault(0, "wants its key derived in too many rounds");
    return small;
  }

  /// The rounds of an encrypted part, of PKCS#12's own scheme or of PBES2.
  bool bounded(PKCS7* safe) {
    const auto* algorithm = safe->d.encrypted->enc_data->algorithm;
    if (OBJ_obj2nid(algorithm->algorithm) != NID_pbes2) {
      const std::unique_ptr<PBEPARAM, Freed<PBEPARAM_free>> own(
          static_cast<PBEPARAM*>(ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), algorithm->parameter)));
      return !own || bounded(own->iter);
    }
    const std::unique_ptr<PBE2PARAM, Freed<PBE2PARAM_free>> two(
        static_cast<PBE2PARAM*>(ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter)));
    if (!two) return true;  // its reader will refuse it
    if (OBJ_obj2nid(two->keyfunc->algorithm) != NID_id_pbkdf2) {
      fault(0, "derives its key in a way that is not known");
      return false;
    }
    const std::unique_ptr<PBKDF2PARAM, Freed<PBKDF2PARAM_free>> derivation(
        static_cast<PBKDF2PARAM*>(ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), two->keyfunc->parameter)));
    return !derivation || bounded(derivation->iter);
  }

  CertificateFile file_;
};

}  // namespace

bool is_certificate_file(std::string_view octets) {
  // DER begins with a SEQUENCE whose length takes further octets; no text begins so.
  const bool der = octets.size() > 4 && octets[0] == '\x30' && (static_cast<unsigned char>(octets[1]) & 0x80U) != 0;
  return der || octets.find(File::pem_mark) != std::string_view::npos;
}

CertificateFile read_certificate_file(std::string_view octets) { return File().read(octets); }

}  // namespace cutover::tls
