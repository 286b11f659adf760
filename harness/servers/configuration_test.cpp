// What each product is told, as text.
#include "harness/servers/ejabberd.h"
#include "harness/servers/jabberd2.h"
#include "harness/servers/prosody.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::harness {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

ServerSettings settings_for(ServerMode mode) {
  ServerSettings settings;
  settings.domain = "a-b.test";
  settings.address = "127.250.3.4";
  settings.name_server = {"127.250.3.1", 10053};
  settings.mode = mode;
  settings.folder = "/nowhere";
  settings.accounts = {{"juliet", "pass\"word\n"}, {"o'neil", "it's"}};
  return settings;
}

TEST(ServerProducts, AreFoundByTheirNames) {
  EXPECT_EQ(product_named("ejabberd"), &ejabberd());
  EXPECT_EQ(product_named("pigeon"), nullptr);
  for (const auto* product : server_products()) EXPECT_FALSE(product->modes.empty());
}

TEST(ProsodyConfiguration, NamesTheAuthenticationOfEachMode) {
  const auto text = [](ServerMode mode) { return prosody_configuration(settings_for(mode)); };
  EXPECT_THAT(text(ServerMode::external_only),
              AllOf(HasSubstr("s2s_secure_auth = true"), HasSubstr("modules_disabled = { \"dialback\"; }")));
  EXPECT_THAT(text(ServerMode::dialback_over_tls), AllOf(HasSubstr("s2s_require_encryption = true"),
                                                         HasSubstr("modules_disabled = { \"s2s_auth_certs\"; }")));
  EXPECT_THAT(text(ServerMode::external_and_dialback), HasSubstr("modules_disabled = {  }"));
  EXPECT_THAT(text(ServerMode::dialback_in_clear),
              AllOf(HasSubstr("s2s_require_encryption = false"),
                    HasSubstr("modules_disabled = { \"tls\"; \"s2s_auth_certs\"; }")));
  EXPECT_THAT(text(ServerMode::opportunistic),
              AllOf(HasSubstr("s2s_require_encryption = false"), HasSubstr("modules_disabled = {  }")));
}

TEST(ProsodyConfiguration, AsksOnlyOurNameServerFromItsOwnAddress) {
  const auto text = prosody_configuration(settings_for(ServerMode::external_only));
  EXPECT_THAT(text, AllOf(HasSubstr("resolvconf = false"), HasSubstr("\"127.250.3.1@10053\""),
                          HasSubstr("[\"outgoing-interface:\"] = \"127.250.3.4\"")));
}

TEST(ProsodyConfiguration, EscapesAccountFilesAsItsStorageDoes) {
  EXPECT_EQ(prosody_account_file("a-b.test", "o'neil"), "data/a%2db%2etest/accounts/o%27neil.dat");
  const auto plan = prosody().plan(settings_for(ServerMode::external_only));
  EXPECT_THAT(plan.files, testing::Contains(testing::Pair("data/a%2db%2etest/accounts/juliet.dat",
                                                          "return { [\"password\"] = \"pass\\\"word\\010\"; };\n")));
}

TEST(EjabberdConfiguration, NamesTheAuthenticationOfEachMode) {
  const auto text = [](ServerMode mode) { return ejabberd_configuration(settings_for(mode)); };
  EXPECT_THAT(text(ServerMode::external_only), AllOf(HasSubstr("s2s_use_starttls: required"), HasSubstr("s2s_cafile"),
                                                     Not(HasSubstr("mod_s2s_dialback:"))));
  EXPECT_THAT(text(ServerMode::external_and_dialback),
              AllOf(HasSubstr("s2s_use_starttls: required"), HasSubstr("mod_s2s_dialback:")));
  EXPECT_THAT(text(ServerMode::dialback_in_clear),
              AllOf(HasSubstr("s2s_use_starttls: false"), HasSubstr("starttls: false"), HasSubstr("mod_s2s_dialback:"),
                    Not(HasSubstr("certfiles"))));
  EXPECT_THAT(text(ServerMode::opportunistic),
              AllOf(HasSubstr("s2s_use_starttls: optional"), HasSubstr("mod_s2s_dialback:")));
}

TEST(EjabberdConfiguration, TrustsNobodyWhereCertificatesDoNotCount) {
  auto settings = settings_for(ServerMode::external_and_dialback);
  settings.certificate.root = "the root";
  const auto root = testing::Contains(testing::Pair("root.pem", "the root"));
  EXPECT_THAT(ejabberd().plan(settings).files, root);
  settings.mode = ServerMode::dialback_over_tls;
  EXPECT_THAT(ejabberd().plan(settings).files, Not(root));
}

TEST(EjabberdConfiguration, AsksOnlyOurNameServer) {
  EXPECT_THAT(ejabberd_resolver(settings_for(ServerMode::external_only)),
              AllOf(HasSubstr("{resolv_conf, \"\"}."), HasSubstr("{nameserver, {127,250,3,1}, 10053}.")));
}

TEST(EjabberdConfiguration, MakesAccountsOfAnyOctets) {
  EXPECT_THAT(ejabberd_accounts(settings_for(ServerMode::external_only)),
              HasSubstr("try_register(<<111,39,110,101,105,108>>, <<97,45,98,46,116,101,115,116>>, "
                        "<<105,116,39,115>>)"));
}

TEST(Jabberd2Configuration, NamesTheAuthenticationOfEachMode) {
  if (const auto reason = unavailable(jabberd2())) GTEST_SKIP() << *reason;
  const auto text = [](const std::string& part, ServerMode mode) {
    auto settings = settings_for(mode);
    settings.program = *program_of(jabberd2());
    return jabberd2_configuration(part, settings);
  };
  const auto pem = HasSubstr("<pemfile>/nowhere/certificate.pem</pemfile>");
  const auto required = HasSubstr("<security><require_tls/>");
  EXPECT_THAT(text("s2s", ServerMode::dialback_over_tls), AllOf(pem, required));
  EXPECT_THAT(text("s2s", ServerMode::opportunistic), AllOf(pem, Not(required)));
  EXPECT_THAT(text("s2s", ServerMode::dialback_in_clear), AllOf(Not(pem), Not(required)));
  EXPECT_THAT(text("c2s", ServerMode::dialback_in_clear),
              AllOf(HasSubstr("<id>a-b.test</id>"), HasSubstr("VALUES ('o''neil', 'a-b.test', 'it''s')")));
  EXPECT_THAT(text("c2s", ServerMode::opportunistic),
              HasSubstr("<id pemfile='/nowhere/certificate.pem'>a-b.test</id>"));
}

TEST(Jabberd2Configuration, WantsTheExamplesOfItsPackage) {
  auto settings = settings_for(ServerMode::opportunistic);
  settings.program = "/nowhere/bin/jabberd2";
  EXPECT_THROW((void)jabberd2_configuration("s2s", settings), HarnessFault);
}

}  // namespace
}  // namespace cutover::harness
