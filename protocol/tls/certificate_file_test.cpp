// Certificates in every form that people have, and what must not be read or waited for.
#include "protocol/tls/certificate_file.h"

#include "protocol/tls/authority.h"
#include "protocol/tls/openssl_identity.h"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

namespace cutover::tls {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::time_t noon = 1'800'000'000;

/// A certificate with its key and intermediate, in OpenSSL's form.
struct Made {
  Made() {
    const auto authority = make_openssl_authority(noon);
    pem = authority->issue_pem({.names = {{NameKind::dns, "contoso.example"}, {NameKind::dns, "sip.contoso.example"}}});
    const std::unique_ptr<BIO, Freed<BIO_free_all>> in(
        BIO_new_mem_buf(pem.certificate_chain.data(), static_cast<int>(pem.certificate_chain.size())));
    certificate.reset(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    const std::unique_ptr<BIO, Freed<BIO_free_all>> key_in(
        BIO_new_mem_buf(pem.private_key.data(), static_cast<int>(pem.private_key.size())));
    key.reset(PEM_read_bio_PrivateKey(key_in.get(), nullptr, nullptr, nullptr));
  }
  [[nodiscard]] std::string pkcs12(const char* password, bool with_key, int rounds = 2048, int nid = 0) const {
    const std::unique_ptr<PKCS12, Freed<PKCS12_free>> store(PKCS12_create(
        password, "edge", with_key ? key.get() : nullptr, certificate.get(), nullptr, nid, nid, rounds, rounds, 0));
    return der_of(store.get(), i2d_PKCS12);
  }
  [[nodiscard]] std::string der() const { return der_of(certificate.get(), i2d_X509); }
  template <class T>
  static std::string der_of(T* object, int (*write)(const T*, unsigned char**)) {
    unsigned char* octets = nullptr;
    const int size = write(object, &octets);
    std::string text(reinterpret_cast<char*>(octets), static_cast<std::size_t>(size));
    OPENSSL_free(octets);
    return text;
  }

  PemFiles pem;
  std::unique_ptr<X509, Freed<X509_free>> certificate;
  std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key;
};

std::vector<std::string> faults(const CertificateFile& file) {
  std::vector<std::string> words;
  for (const auto& fault : file.faults) words.push_back(std::to_string(fault.line) + " " + fault.what);
  return words;
}

void expect_ours(const CertificateFile& file) {
  EXPECT_THAT(faults(file), IsEmpty());
  ASSERT_THAT(file.certificates, SizeIs(1));
  const auto& one = file.certificates[0];
  EXPECT_THAT(one.facts.dns_names, ElementsAre("contoso.example", "sip.contoso.example"));
  EXPECT_LT(one.not_before, noon);
  EXPECT_GT(one.not_after, noon);
  EXPECT_FALSE(one.of_authority);
  EXPECT_THAT(one.subject, HasSubstr("contoso.example"));
}

TEST(CertificateFile, PemWithItsChainAndLines) {
  const Made made;
  EXPECT_TRUE(is_certificate_file(made.pem.certificate_chain));
  const auto file = read_certificate_file("Bag Attributes\n" + made.pem.certificate_chain + made.pem.private_key);
  EXPECT_THAT(faults(file), IsEmpty());
  ASSERT_THAT(file.certificates, SizeIs(2));
  EXPECT_EQ(file.certificates[0].line, 2);
  EXPECT_FALSE(file.certificates[0].of_authority);
  EXPECT_TRUE(file.certificates[1].of_authority);
  EXPECT_GT(file.certificates[1].line, 8);
  EXPECT_TRUE(file.has_private_key);
  EXPECT_GT(file.private_key_line, file.certificates[1].line);
}

TEST(CertificateFile, DerAndPkcs7) {
  const Made made;
  EXPECT_TRUE(is_certificate_file(made.der()));
  expect_ours(read_certificate_file(made.der()));
  const std::unique_ptr<PKCS7, Freed<PKCS7_free>> bundle(PKCS7_new());
  PKCS7_set_type(bundle.get(), NID_pkcs7_signed);
  PKCS7_content_new(bundle.get(), NID_pkcs7_data);
  PKCS7_add_certificate(bundle.get(), made.certificate.get());
  expect_ours(read_certificate_file(Made::der_of(bundle.get(), i2d_PKCS7)));
}

TEST(CertificateFile, Pkcs12WithoutPasswordAndNeverTheKey) {
  const Made made;
  for (const char* password : {"", static_cast<const char*>(nullptr)}) {
    const auto alone = read_certificate_file(made.pkcs12(password, false));
    expect_ours(alone);
    EXPECT_FALSE(alone.has_private_key);
    const auto with_key = read_certificate_file(made.pkcs12(password, true));
    expect_ours(with_key);
    EXPECT_TRUE(with_key.has_private_key);
  }
  expect_ours(read_certificate_file(made.pkcs12("", true, 2048, NID_pbe_WithSHA1And3_Key_TripleDES_CBC)));
}

TEST(CertificateFile, WhatCannotBeReadIsTold) {
  const Made made;
  EXPECT_THAT(faults(read_certificate_file(made.pkcs12("secret", true))), ElementsAre("0 has a password"));
  EXPECT_THAT(faults(read_certificate_file("\x30\x82\x01\x01xxxxxxxxxxxx")), ElementsAre("0 is no certificate"));
  EXPECT_THAT(faults(read_certificate_file("\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
              ElementsAre("2 is no certificate"));
  EXPECT_THAT(faults(read_certificate_file("-----BEGIN CERTIFICATE-----\n")), ElementsAre(HasSubstr("1 is damaged")));
  EXPECT_THAT(faults(read_certificate_file("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")),
              ElementsAre("0 holds no certificate"));
  EXPECT_TRUE(read_certificate_file(made.pem.private_key).has_private_key);
  for (std::size_t size = 5; size < made.der().size(); size += 7)
    EXPECT_THAT(read_certificate_file(made.der().substr(0, size)).faults, SizeIs(1)) << size;
}

TEST(CertificateFile, AKeyThatTakesAnHourToDeriveIsNotDerived) {
  const Made made;
  EXPECT_THAT(faults(read_certificate_file(made.pkcs12("", false, 1'000'001))),
              ElementsAre("0 wants its key derived in too many rounds"));
}

}  // namespace
}  // namespace cutover::tls
