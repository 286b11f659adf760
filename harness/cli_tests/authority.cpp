// `cutover authority`: what it writes is what OpenSSL takes, and refuses for the flaw that was asked for.
#include "harness/cli_tests/program.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <memory>

namespace cutover::cli_tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Certificate = std::shared_ptr<X509>;

std::vector<Certificate> certificates_in(const std::string& pem) {
  std::vector<Certificate> all;
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  while (X509* one = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) all.emplace_back(one, X509_free);
  BIO_free(bio);
  return all;
}

/// What OpenSSL says of a server's certificate for that host, with this root and what came with the certificate.
int verified(const std::string& chain, const std::string& root, const std::string& host) {
  const auto certificates = certificates_in(chain), roots = certificates_in(root);
  if (certificates.empty() || roots.size() != 1) return -1;
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, roots[0].get());
  STACK_OF(X509)* others = sk_X509_new_null();
  for (std::size_t i = 1; i < certificates.size(); ++i) sk_X509_push(others, certificates[i].get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, certificates[0].get(), others);
  X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context), host.data(), host.size());
  (void)X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  sk_X509_free(others);
  X509_STORE_free(store);
  return error;
}

class AuthorityCommand : public CommandLine {
 protected:
  [[nodiscard]] Ended issue(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"authority", "issue", path("lab")});
    return cutover(std::move(arguments));
  }
  [[nodiscard]] unsigned mode_of(const std::string& name) const {
    struct stat status {};
    return ::stat(path(name).c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
  }
};

TEST_F(AuthorityCommand, NeverIssuesOverItself) {
  expect(cutover({"authority", "new", path("lab")}), 0, HasSubstr("root.pem"));
  const auto own = content(path("lab/authority.pem")), root = content(path("lab/root.pem"));
  expect(issue({"authority"}), 4, HasSubstr("the authority's own"));
  expect(issue({"root"}), 4, HasSubstr("the authority's own"));
  expect(issue({"x.example", "--out", path("lab/../lab/authority")}), 4, HasSubstr("the authority's own"));
  EXPECT_EQ(content(path("lab/authority.pem")), own);
  EXPECT_EQ(content(path("lab/root.pem")), root);
}

TEST_F(AuthorityCommand, IssuesForDomainsOnly) {
  expect(cutover({"authority", "new", path("lab")}), 0, HasSubstr("root.pem"));
  for (const auto* odd : {".", "..", "a..b", "a@b", "192.0.2.1", "a\nb", "$(id)"})
    expect(issue({odd}), 4, HasSubstr("expected DOMAIN"));
  expect(issue({"a\x1b[31mb"}), 4, AllOf(HasSubstr("\\x1B"), Not(HasSubstr("\x1b"))));
  expect(issue({"*.example.org"}), 0, HasSubstr(".pem"));
}

TEST_F(AuthorityCommand, MakesOneAndIssuesWhatItsRootVerifies) {
  expect(cutover({"authority", "new", path("lab")}), 0, AllOf(HasSubstr("lab/root.pem"), HasSubstr("authority.pem")));
  EXPECT_EQ(mode_of("lab/authority.pem"), 0600U);
  const auto authority = content(path("lab/authority.pem"));
  expect(cutover({"authority", "new", path("lab")}), 4, HasSubstr("authority.pem: there is an authority already"));
  EXPECT_EQ(content(path("lab/authority.pem")), authority);

  expect(issue({"example.org", "srv:example.org", "xmpp:example.org"}), 0,
         AllOf(HasSubstr("lab/example.org.pem"), HasSubstr("lab/example.org.key")));
  EXPECT_EQ(mode_of("lab/example.org.key"), 0600U);
  const auto chain = content(path("lab/example.org.pem"));
  EXPECT_EQ(verified(chain, content(path("lab/root.pem")), "example.org"), X509_V_OK);
  const auto certificates = certificates_in(chain);
  ASSERT_EQ(certificates.size(), 2U) << "with the intermediate";
  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificates[0].get(), NID_subject_alt_name, nullptr, nullptr));
  EXPECT_EQ(sk_GENERAL_NAME_num(names), 3);
  GENERAL_NAMES_free(names);
  const auto key = content(path("lab/example.org.key"));
  BIO* bio = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
  EVP_PKEY* own = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  EXPECT_EQ(X509_check_private_key(certificates[0].get(), own), 1);
  EVP_PKEY_free(own);
  BIO_free(bio);
}

TEST_F(AuthorityCommand, IssuesEveryFlaw) {
  ASSERT_EQ(cutover({"authority", "new", path("lab")}).code, 0);
  const auto root = content(path("lab/root.pem"));
  for (const auto& [flaw, error] :
       std::vector<std::pair<std::string, int>>{{"none", X509_V_OK},
                                                {"expired", X509_V_ERR_CERT_HAS_EXPIRED},
                                                {"not-yet-valid", X509_V_ERR_CERT_NOT_YET_VALID},
                                                {"wrong-name", X509_V_ERR_HOSTNAME_MISMATCH},
                                                {"wildcard", X509_V_ERR_HOSTNAME_MISMATCH},
                                                {"self-signed", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
                                                {"unknown-root", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
                                                {"missing-intermediate", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
                                                {"wrong-eku", X509_V_ERR_INVALID_PURPOSE},
                                                {"server-only-eku", X509_V_OK},
                                                {"common-name-only", X509_V_OK},
                                                {"foreign-service", X509_V_ERR_HOSTNAME_MISMATCH},
                                                {"partial-wildcard", X509_V_OK},
                                                {"no-signing", X509_V_OK},
                                                {"weak-key", X509_V_OK},
                                                {"weak-signature", X509_V_OK},
                                                {"bad-signature", X509_V_ERR_CERT_SIGNATURE_FAILURE},
                                                {"issuer-no-ca", X509_V_ERR_INVALID_CA},
                                                {"ca-true-leaf", X509_V_OK}}) {
    expect(issue({"example.org", "--flaw", flaw}), 0, HasSubstr(".pem"));
    const auto stem = flaw == "none" ? "lab/example.org" : "lab/example.org-" + flaw;
    EXPECT_EQ(verified(content(path(stem + ".pem")), root, "example.org"), error) << flaw;
  }
  expect(cutover({"authority", "issue", "--help"}), 0, HasSubstr("ca-true-leaf"));
}

TEST_F(AuthorityCommand, WritesWhereItIsTold) {
  ASSERT_EQ(cutover({"authority", "new", path("lab")}).code, 0);
  expect(issue({"example.org", "--rsa", "--out", path("edge/own")}), 0, HasSubstr("edge/own.pem"));
  const auto certificates = certificates_in(content(path("edge/own.pem")));
  ASSERT_FALSE(certificates.empty());
  EXPECT_EQ(EVP_PKEY_get_base_id(X509_get0_pubkey(certificates[0].get())), EVP_PKEY_RSA);
  EXPECT_EQ(EVP_PKEY_get_base_id(X509_get0_pubkey(certificates[1].get())), EVP_PKEY_EC);
}

TEST_F(AuthorityCommand, ServesAndTargetsShareTheFolder) {
  ASSERT_EQ(cutover({"authority", "new", path("lab")}).code, 0);
  const auto authority = content(path("lab/authority.pem"));
  const auto network = fmt::format("127.{}.{}", 201 + ::getpid() % 50, ::getpid() / 50 % 256);
  Program program({"serve", "name-server", "--network", network, "--credentials", path("lab")});
  ASSERT_TRUE(program.read_until("Ctrl-C ends it."));
  EXPECT_EQ(content(path("lab/authority.pem")), authority);
  EXPECT_EQ(verified(content(path("lab/hand.pem")), content(path("lab/root.pem")), "contoso.example"), X509_V_OK);
}

TEST_F(AuthorityCommand, TellsWhatIsWrong) {
  expect(issue({"example.org"}), 4, AllOf(HasSubstr("there is no authority"), HasSubstr("cutover authority new")));
  ASSERT_EQ(cutover({"authority", "new", path("lab")}).code, 0);
  expect(issue({}), 4, HasSubstr("names is required"));
  expect(issue({"srv:"}), 4, HasSubstr("expected DOMAIN, srv:DOMAIN or xmpp:DOMAIN, not 'srv:'"));
  expect(issue({"../x"}), 4, HasSubstr("expected DOMAIN"));
  expect(issue({"example.org", "--flaw=old"}), 4, AllOf(HasSubstr("--flaw"), HasSubstr("expired")));
  expect(issue({"example.org", "--out=/proc/nowhere/x"}), 4, HasSubstr("/proc/nowhere"));
  expect(cutover({"authority", "new", "/proc/nowhere"}), 4,
         AllOf(HasSubstr("/proc/nowhere: No such file"), Not(HasSubstr("--credentials"))));
  expect(cutover({"authority"}), 4, HasSubstr("cutover authority --help"));
  expect(cutover({"authority", "isue", path("lab")}), 4, HasSubstr("did you mean issue?"));
  (void)file("lab/authority.pem", "nothing");
  expect(issue({"example.org"}), 4, HasSubstr("authority.pem: expected PEM text"));
}

}  // namespace
}  // namespace cutover::cli_tests
