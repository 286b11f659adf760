// A plan made of exports is read whatever is in them, says what they say, and is the same from every form of them.
#include "harness/exports/to_plan.h"

#include "harness/migration/plan_file.h"
#include "harness/migration/report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

namespace cutover::harness::exports {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const std::filesystem::path samples = CUTOVER_SOURCE_DIR "/fixtures/exports/contoso";

Inventory sample(const std::string& form) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(samples / form)) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto* name : {"contoso.example.zone", "woodgrove.example.dns", "edge.pem"})
    files.push_back(samples / "names" / name);
  return read_inventory(files);
}

migration::Plan plan_of(const Inventory& inventory, const JudgeOptions& options = {}) {
  const auto text = to_plan(inventory, options);
  try {
    return migration::parse_plan(text, "plan");
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what() << "\nin\n" << text;
    return {};
  }
}

TEST(ToPlan, TheSampleEstateIsWhatItsExportsSay) {
  const auto plan = plan_of(sample("json"), {.legacy_pools = {"Pool2.contoso.example"}});
  const auto& start = plan.estate.start;
  EXPECT_THAT(start.sip_domains, ElementsAre("contoso.example", "woodgrove.example"));
  EXPECT_THAT(start.pools, UnorderedElementsAre(Key("pool1.contoso.example"), Key("pool2.contoso.example"),
                                                Key("sba.lisbon.contoso.example"), Key("ocspool")));
  EXPECT_EQ(start.pools.at("pool1.contoso.example").side, migration::Side::current);
  EXPECT_EQ(start.pools.at("pool2.contoso.example").side, migration::Side::legacy);
  EXPECT_EQ(start.pools.at("ocspool").side, migration::Side::legacy);
  EXPECT_TRUE(start.pools.at("sba.lisbon.contoso.example").branch);
  std::size_t users = 0;
  for (const auto& [name, one] : start.users) users += one.count;
  EXPECT_EQ(users, 300U);
  EXPECT_LT(start.users.size(), 30U);
  EXPECT_THAT(start.policies.user_scoped, Contains(Key("XmppUsers")));
  EXPECT_THAT(start.policies.sites, ElementsAre(Key("Headquarters")));
  EXPECT_EQ(start.configuration.xmpp_route, "edgepool.contoso.example");
  EXPECT_THAT(start.configuration.partners, SizeIs(6));
  EXPECT_EQ(start.srv.at("contoso.example").front().box, "legacy-gateway");
  EXPECT_TRUE(start.srv.at("woodgrove.example").empty());
  EXPECT_EQ(start.ttl_s.at("contoso.example"), 3600U);
  // A route to the legacy gateway that is below a partner's domain and not among its rows.
  EXPECT_THAT(plan.estate.partners.at("northwind.example").further_domains, Contains("lab.northwind.example"));
  EXPECT_THAT(start.legacy.routes, UnorderedElementsAre("talk.example", "lab.northwind.example"));
  EXPECT_TRUE(plan.estate.certificates.contains("edge"));
}

TEST(ToPlan, EveryRowIsThatOfItsExport) {
  const auto inventory = sample("clixml");
  const auto plan = plan_of(inventory);
  for (const auto& partner : inventory.partners)
    EXPECT_EQ(plan.estate.rows.at(partner.settings.domain), partner.settings) << partner.settings.domain;
  EXPECT_EQ(plan.estate.start.configuration.gateway, inventory.gateway->settings);
}

TEST(ToPlan, TheVerdictIsTheSameFromAllThreeForms) {
  const auto told = [](const std::string& form) {
    const auto rehearsal = migration::rehearse(plan_of(sample(form)));
    return migration::to_text(rehearsal, {});
  };
  const auto json = told("json");
  EXPECT_THAT(json, HasSubstr("GO\n"));
  EXPECT_EQ(told("clixml"), json);
  EXPECT_EQ(told("csv"), json);
}

TEST(ToPlan, WithoutAnythingItIsAPlanToBeFilledIn) {
  const auto text = to_plan(Inventory());
  for (const auto* what : {"the SIP domains", "users (Get-CsUser)", "partners (Get-Cs", "edge pools", "the zone of",
                           "the certificate of", "AllowFederatedUsers", "the global policy", "its routes"})
    EXPECT_THAT(text, HasSubstr(std::string("# not in the exports: ") + what));
  (void)plan_of(Inventory());
}

TEST(ToPlan, AnyNameIsTaken) {
  const std::vector<std::string> names{"it's \"quoted\"",
                                       "a: b",
                                       "# no comment",
                                       "- item",
                                       "{x}",
                                       "[x]",
                                       "*a",
                                       "&a",
                                       "!tag",
                                       "null",
                                       "true",
                                       "~",
                                       "Prüfung",
                                       "日本語",
                                       "back\\slash",
                                       "a\nb\tc",
                                       "100%",
                                       " blank ",
                                       "<<",
                                       "? key",
                                       "0x10",
                                       "1:30",
                                       "@at",
                                       "`tick`",
                                       "a, b",
                                       "\x7f",
                                       "=",
                                       std::string(2000, 'n')};
  for (const auto& name : names) {
    Inventory all;
    all.policies.push_back({Policy::Scope::user, name, {.enable_federation_access = true}, {}});
    all.policies.push_back({Policy::Scope::site, name, {.enable_xmpp_access = true}, {}});
    all.sites.push_back({.name = name, .pools = {"pool1.a.example"}});
    all.pools.push_back({name + ".a.example", name, {name}, {"Registrar:" + name}, {}});
    all.edges.push_back({"edge." + name, name, name, {}});
    all.users.push_back({"u@a.example", "pool1.a.example", "", name, true, {name, 1}});
    all.users.push_back({"v@a.example", name, "", name + "'", true, {name, 1}});
    all.users.push_back({"w@" + name, "", "CN=x,CN=" + name + ",CN=Pools,DC=y", "", false, {name, 1}});
    all.partners.push_back({{.domain = "b.example", .description = name}, {name, 1}});
    all.allowed_domains.push_back({"c.example", name, {}});
    Certificate certificate;
    certificate.stored.facts.dns_names = {name};
    certificate.place = {name, 3};
    all.certificates = {certificate, certificate};
    all.files.push_back({name, "ConvertTo-Json", {{"users", 3}}});
    const auto plan = plan_of(all);
    EXPECT_EQ(plan.estate.rows.at("b.example").description, name);
    EXPECT_TRUE(plan.estate.start.policies.user_scoped.contains(name)) << name;
    EXPECT_TRUE(plan.estate.start.policies.user_scoped.contains(name + "'")) << name;
    EXPECT_TRUE(plan.estate.start.policies.sites.contains(name)) << name;
    (void)migration::rehearse(plan);
  }
}

TEST(ToPlan, WhatStandsBehindAnSrvRecordIsToldByItsAddress) {
  InventoryReader reader;
  reader.add(R"({"Identity": "EdgeServer:edge.a.example", "PoolFqdn": "edge.a.example", "Role": "EdgeServer",
                 "AccessEdgeExternalFqdn": "sip.a.example"})",
             "edges");
  reader.add(
      "$ORIGIN a.example.\n$TTL 900\n@ IN SOA ns h 1 1 1 1 1\nsip IN A 192.0.2.1\nxmpp IN A 192.0.2.1\n"
      "_xmpp-server._tcp IN SRV 0 0 5269 xmpp\n_xmpp-server._tcp IN SRV 5 0 5270 gone\n",
      "a.example.zone");
  auto inventory = reader.take();
  inventory.sip_domains = {{"a.example", {}}, {"b.example", {}}};
  const auto plan = plan_of(inventory);
  const auto& srv = plan.estate.start.srv.at("a.example");
  ASSERT_THAT(srv, SizeIs(2));
  EXPECT_EQ(srv[0], (migration::SrvTarget{.box = "edge.a.example"}));
  EXPECT_EQ(srv[1], (migration::SrvTarget{.box = "legacy-gateway", .port = 5270, .priority = 5, .resolves = false}));
  EXPECT_EQ(plan.estate.start.ttl_s.at("a.example"), 900U);
  EXPECT_THAT(to_plan(inventory), AllOf(HasSubstr("not in the exports: whose host gone.a.example is"),
                                        HasSubstr("not in the exports: the zone of b.example")));
}

TEST(ToPlan, TheCertificateThatProvesMostIsAssigned) {
  Inventory all;
  all.sip_domains = {{"a.example", {}}, {"b.example", {}}};
  const auto certificate = [](std::vector<std::string> names, std::time_t until, bool client) {
    Certificate one;
    one.stored.facts.dns_names = std::move(names);
    one.stored.facts.common_name = "sip.a.example";
    one.stored.facts.eku_present = true;
    one.stored.facts.eku_client = client;
    one.stored.not_before = 1;
    one.stored.not_after = until;
    return one;
  };
  all.certificates = {certificate({"a.example"}, 200, true), certificate({"a.example", "b.example"}, 50, true),
                      certificate({"a.example", "b.example"}, 200, false)};
  const auto plan = plan_of(all, {.now = 100});
  const auto& made = plan.estate.certificates;
  EXPECT_THAT(made, UnorderedElementsAre(Key("edge"), Key("sip.a.example"), Key("sip.a.example-2")));
  EXPECT_FALSE(made.at("edge").client_usage);
  EXPECT_EQ(made.at("edge").fault, migration::Certificate::Fault::none);
  EXPECT_EQ(made.at("sip.a.example").fault, migration::Certificate::Fault::expired);
}

TEST(ToPlan, NoSecretAndNobodysNameIsInIt) {
  auto inventory = sample("csv");
  inventory.gateway->settings.dialback_passphrase = "correct horse";
  const auto text = to_plan(inventory);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("correct horse")), HasSubstr("it is a secret"), Not(HasSubstr("cleo"))));
}

}  // namespace
}  // namespace cutover::harness::exports
