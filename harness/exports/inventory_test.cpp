// The sample estate in three forms and every encoding is the same inventory; what is damaged is told, all at once.
#include "harness/exports/inventory.h"

#include "reference/exports/read.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace cutover::harness::exports {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::filesystem::path samples = CUTOVER_SOURCE_DIR "/fixtures/exports/contoso";

std::vector<std::string> files_in(const std::filesystem::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// UTF-16 of a text in UTF-8, with or without a mark.
std::string utf16(std::string_view utf8, bool little, bool mark) {
  std::string out;
  const auto unit = [&](unsigned value) {
    const auto high = static_cast<char>(value >> 8U), low = static_cast<char>(value & 0xffU);
    out += little ? std::string{low, high} : std::string{high, low};
  };
  if (mark) unit(0xfeff);
  for (std::size_t i = 0; i < utf8.size();) {
    const auto first = static_cast<unsigned char>(utf8[i]);
    const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned code = size == 1 ? first : first & (0x7fU >> size);
    for (std::size_t k = 1; k < size; ++k) code = code << 6U | (static_cast<unsigned char>(utf8[i + k]) & 0x3fU);
    i += size;
    if (code < 0x10000) {
      unit(code);
    } else {
      unit(0xd800 + ((code - 0x10000) >> 10U));
      unit(0xdc00 + ((code - 0x10000) & 0x3ffU));
    }
  }
  return out;
}

/// Everything that an inventory says, without places.
std::string shown(const Inventory& all) {
  std::string out;
  for (const auto& [partner, place] : all.partners)
    out += fmt::format("partner {} [{}] {} {} {} {} {} {} {} {}\n", partner.domain,
                       fmt::join(partner.additional_domains, ","), partner.connection_limit.value_or(0),
                       partner.description, partner.enable_keep_alive, reference::name_of(partner.partner_type),
                       partner.proxy_fqdn, reference::name_of(partner.sasl_negotiation),
                       reference::name_of(partner.tls_negotiation), partner.support_dialback_negotiation);
  if (all.gateway) {
    const auto& one = all.gateway->settings;
    out += fmt::format("gateway {} {} {} {} {} {} {} {}\n", one.connection_limit, one.partner_connection_limit,
                       one.dialback_passphrase, one.enable_logging_all_message_bodies, one.keep_alive_interval / 1s,
                       one.stream_establishment_timeout / 1s, one.stream_inactivity_timeout / 1s,
                       one.subscription_refresh_interval / 1s);
  }
  for (const auto& one : all.policies)
    out += fmt::format("{}: {} {}\n", words_of(one), one.settings.enable_federation_access,
                       one.settings.enable_xmpp_access);
  for (const auto& one : all.users)
    out += fmt::format("user {} {} {} {} {}\n", one.address, one.pool, one.home_server, one.policy, one.enabled);
  if (all.access_edge) out += fmt::format("access edge {}\n", all.access_edge->allow_federated_users);
  for (const auto& one : all.sites)
    out += fmt::format("site {} {} [{}] {}\n", one.name, one.branch, fmt::join(one.pools, ","), one.xmpp_route);
  for (const auto& one : all.edges) out += fmt::format("edge {} {} {}\n", one.pool, one.site, one.external_fqdn);
  for (const auto& one : all.allowed_domains) out += fmt::format("allowed {} {}\n", one.domain, one.proxy_fqdn);
  for (const auto& one : all.sip_domains) out += fmt::format("SIP domain {}\n", one.name);
  return out;
}

std::vector<std::string> words(const Inventory& inventory) {
  std::vector<std::string> words;
  for (const auto& problem : inventory.problems) words.push_back(to_string(problem));
  return words;
}

Inventory of(std::string_view octets, const std::string& file = "f") {
  InventoryReader reader;
  reader.add(octets, file);
  return reader.take();
}

TEST(Inventory, IsTheSameFromAllThreeForms) {
  const auto json = read_inventory(files_in(samples / "json"));
  EXPECT_THAT(words(json), ElementsAre(HasSubstr("enumerations are numbers here")));
  EXPECT_THAT(json.partners, SizeIs(6));
  EXPECT_THAT(json.policies, SizeIs(5));
  EXPECT_THAT(json.users, SizeIs(300));
  EXPECT_THAT(json.sites, SizeIs(2));
  EXPECT_THAT(json.edges, SizeIs(1));
  EXPECT_THAT(json.allowed_domains, SizeIs(3));
  EXPECT_THAT(json.sip_domains, SizeIs(2));
  EXPECT_TRUE(json.gateway && json.access_edge);
  for (const auto* form : {"clixml", "csv"}) {
    const auto other = read_inventory(files_in(samples / form));
    EXPECT_THAT(words(other), IsEmpty()) << form;
    EXPECT_EQ(shown(other), shown(json)) << form;
  }
}

TEST(Inventory, IsTheSameInEveryEncodingAndUnderAnyName) {
  for (const auto* form : {"json", "clixml", "csv"}) {
    const auto files = files_in(samples / form);
    const auto expected = shown(read_inventory(files));
    for (const bool little : {true, false}) {
      for (const bool mark : {true, false}) {
        InventoryReader reader;
        for (std::size_t i = 0; i < files.size(); ++i) {
          const auto text = std::get<std::string>(reference::exports::to_utf8(content_of(files[i]), ""));
          reader.add(utf16(text, little, mark), fmt::format("export{}.txt", i));
        }
        const auto all = reader.take();
        EXPECT_TRUE(std::ranges::none_of(all.problems, &Problem::error)) << form;
        EXPECT_EQ(shown(all), expected) << form;
      }
    }
  }
}

TEST(Inventory, IsTheSameFromJsonOnOneLineAndWithNamesForNumbers) {
  InventoryReader lines, names;
  for (const auto& file : files_in(samples / "json")) {
    auto text = std::get<std::string>(reference::exports::to_utf8(content_of(file), ""));
    std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
    lines.add(text, file);
    const std::vector<std::pair<std::string, std::vector<std::string>>> enumerations{
        {"Negotiation\": ", {"Required", "Optional", "NotSupported"}},
        {"PartnerType\": ", {"Federated", "PublicVerified", "PublicUnverified"}},
        {"SiteType\": ", {"CentralSite", "BranchSite"}}};
    for (const auto& [property, values] : enumerations) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto number = property + std::to_string(i);
        for (auto at = text.find(number); at != std::string::npos; at = text.find(number))
          text.replace(at, number.size(), property + '"' + values[i] + '"');
      }
    }
    names.add(text, file);
  }
  const auto expected = shown(read_inventory(files_in(samples / "json")));
  EXPECT_EQ(shown(lines.take()), expected);
  const auto by_name = names.take();
  EXPECT_EQ(shown(by_name), expected);
  EXPECT_THAT(words(by_name), IsEmpty());
}

TEST(Inventory, CutAnywhereItIsToldAndNeverThrown) {
  for (const auto* path : {"json/partners.json", "clixml/partners.xml", "csv/partners.csv", "names/edge.p12"}) {
    const auto whole = content_of(samples / path);
    for (std::size_t size = 1; size + 4 < whole.size(); size += 97) {
      const auto all = of(std::string_view(whole).substr(0, size));
      EXPECT_TRUE(!all.problems.empty() || all.partners.size() < 6) << path << " cut at " << size;
    }
  }
}

TEST(Inventory, OfOneObjectAndOfTheSameInAListOrAWrapperIsTheSame) {
  const std::string one = R"({"Identity": "Global", "AllowFederatedUsers": true})";
  for (const auto& text : {one, "[" + one + "]", "{\"value\": [" + one + "], \"Count\": 1}"}) {
    const auto all = of(text);
    EXPECT_THAT(words(all), IsEmpty()) << text;
    ASSERT_TRUE(all.access_edge) << text;
    EXPECT_TRUE(all.access_edge->allow_federated_users);
  }
}

TEST(Inventory, EveryRecordHasItsPlace) {
  const auto all = read_inventory({samples / "csv/partners.csv", samples / "names/contoso.example.zone",
                                   samples / "names/edge.pem", samples / "json/sites.json"});
  EXPECT_EQ(all.partners.at(0).place.line, 3);
  EXPECT_EQ(all.partners.at(1).place.line, 5) << "the description before it has two lines";
  ASSERT_THAT(all.zones, SizeIs(1));
  EXPECT_EQ(all.zones[0].origin, "contoso.example");
  EXPECT_EQ(all.zones[0].records.at(0).place.line, 3);
  EXPECT_EQ(all.zones[0].records.at(5).record.name, "_xmpp-server._tcp.contoso.example");
  EXPECT_EQ(all.zones[0].records.at(5).place.line, 10);
  EXPECT_EQ(all.certificates.at(0).place.line, 1);
  EXPECT_GT(all.sites.at(0).place.line, 2) << "that of its route";
}

TEST(Inventory, CertificatesInEveryFormAndAWindowsZone) {
  for (const auto* file : {"edge.pem", "edge.cer", "edge.p12", "edge.p7b"}) {
    const auto all = read_inventory({samples / "names" / file});
    EXPECT_THAT(words(all), IsEmpty()) << file;
    ASSERT_THAT(all.certificates, SizeIs(1)) << file;
    EXPECT_THAT(all.certificates[0].stored.facts.dns_names, Contains("contoso.example")) << file;
  }
  const auto all = read_inventory({samples / "names/woodgrove.example.dns"});
  EXPECT_THAT(words(all), IsEmpty());
  ASSERT_THAT(all.zones, SizeIs(1));
  EXPECT_EQ(all.zones[0].origin, "woodgrove.example") << "by the name of the file: such a zone does not tell it";
  EXPECT_THAT(all.zones[0].records, SizeIs(5));
}

TEST(Inventory, WhatIsDamagedIsToldAllAtOnce) {
  const auto all = of(R"([
{"Identity": "a.example", "Domain": "a.example", "TlsNegotiation": "Maybe", "SaslNegotiation": 1,
 "SupportDialbackNegotiation": true, "PartnerType": 0},
{"Identity": "not a domain", "TlsNegotiation": 0},
{"SipAddress": "sip:nobody", "RegistrarPool": "p"},
{"SipAddress": "sip:x@contoso.example", "Enabled": "perhaps"},
{"SipAddress": null},
{"Identity": "Tag:A", "EnableXmppAccess": true},
{"Identity": "A", "EnableXmppAccess": true, "EnableFederationAccess": true},
{"Colour": "blue", "Shape": "round"},
{"Colour": "red", "Shape": "square"}
])");
  EXPECT_THAT(words(all),
              ElementsAre(HasSubstr("f:2: TlsNegotiation: Required, Optional or NotSupported was expected"),
                          HasSubstr("f:2: enumerations are numbers here"),
                          HasSubstr("f:4: \"not a domain\" is no domain"), HasSubstr("f:5: \"nobody\" is no address"),
                          HasSubstr("f:6: Enabled: true or false"), HasSubstr("f:6: RegistrarPool was not exported"),
                          HasSubstr("f:6: ExternalAccessPolicy was not exported"),
                          HasSubstr("f:8: Tag:A: EnableFederationAccess was not exported"),
                          HasSubstr("f:10: 2 objects with the properties Colour, Shape are not understood"),
                          HasSubstr("f:9: the policy A is given twice; the first is in f:8")));
}

TEST(Inventory, ManyProblemsAlikeAreCounted) {
  std::string text = "\"SipAddress\",\"Enabled\"\n";
  for (int i = 0; i < 1000; ++i) text += fmt::format("\"sip:u{}@contoso.example\",\"True\"\n", i);
  const auto all = of(text);
  EXPECT_THAT(all.users, SizeIs(1000));
  EXPECT_THAT(all.problems, SizeIs(12)) << "five of each of two, and their number";
  EXPECT_THAT(words(all), Contains(HasSubstr("f: 995 more of: RegistrarPool was not exported")));
}

TEST(Inventory, AListThatExportCsvDoesNotWriteIsUnreadable) {
  const auto all =
      of("\"Identity\",\"AdditionalDomains\",\"TlsNegotiation\",\"SaslNegotiation\",\"SupportDialbackNegotiation\","
         "\"PartnerType\"\n"
         "\"a.example\",\"System.Collections.Generic.List`1[System.String]\",\"Required\",\"Optional\",\"True\","
         "\"Federated\"\n");
  EXPECT_THAT(words(all), ElementsAre(AllOf(HasSubstr("f:2: AdditionalDomains"), HasSubstr("ConvertTo-Json"))));
  EXPECT_THAT(all.partners, SizeIs(1)) << "the rest holds";
}

TEST(Inventory, WhatIsNoneOfItIsToldAndNothingIsGuessed) {
  EXPECT_THAT(words(of("")), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(words(of("Identity : a.example\n")), ElementsAre(HasSubstr("Format-List")));
  EXPECT_THAT(words(of("<html/>")), ElementsAre(HasSubstr("is nothing that is known")));
  EXPECT_THAT(words(of(R"({"Domain": "a.example", "ProxyFqdn": null})")), ElementsAre(HasSubstr("not understood")))
      << "an allowed SIP domain, or a partner?";
  EXPECT_THAT(words(of("@ IN SOA a b 1 2 3 4 5\n", "zone")), ElementsAre(HasSubstr("$ORIGIN")));
  EXPECT_THAT(words(of("@ IN SOA a b 1 2 3 4 5\nx IN A 1\ny IN A 2\n", "a.example.zone")),
              ElementsAre(HasSubstr("a.example.zone:2: expected an IPv4 address"), HasSubstr("zone:3: expected")));
}

TEST(Inventory, APrivateKeyIsNotRead) {
  const auto all = of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  EXPECT_THAT(words(all), ElementsAre(HasSubstr("f:1: holds a private key; it was not read")));
}

TEST(Inventory, WhatIsNoFileIsNotWaitedFor) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("cutover-exports-{}", ::getpid());
  std::filesystem::create_directory(folder);
  const auto pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(words(read_inventory({pipe, "/dev/zero", folder, folder / "missing"})),
              ElementsAre(HasSubstr("is a pipe"), HasSubstr("is a device"), HasSubstr("is a folder"),
                          HasSubstr("cannot be read")));
  std::filesystem::remove_all(folder);
}

TEST(Inventory, TheTopologyTellsDomainsSitesAndPools) {
  const auto all = of(utf16(R"(<?xml version="1.0" encoding="utf-16"?>
<Topology xmlns="urn:schema:Microsoft.Rtc.Management.Deploy.Topology.2008" Signature="x">
  <InternalDomains AllowAllDomains="false" DefaultDomain="contoso.example">
    <InternalDomain Name="Contoso.example" Authoritative="false" AllowSubDomains="false" />
    <InternalDomain Name="woodgrove.example" Authoritative="false" AllowSubDomains="false" />
  </InternalDomains>
  <Sites>
    <CentralSite SiteId="1"><Name>Headquarters</Name><Location /></CentralSite>
    <OtherSite SiteId="2"><Name>Lisbon</Name></OtherSite>
  </Sites>
  <Clusters>
    <Cluster RequiresReplication="true" RequiresSetup="true" Fqdn="Pool1.contoso.example">
      <ClusterId SiteId="1" Number="1" /><Machine OrdinalInCluster="1" Fqdn="fe1.contoso.example" />
    </Cluster>
  </Clusters>
  <Services>
    <Service RoleVersion="2" ServiceVersion="6">
      <ServiceId SiteId="1" RoleName="Registrar" Instance="1" />
      <DependsOn><Dependency><ServiceId SiteId="1" RoleName="UserServices" Instance="1" /></Dependency></DependsOn>
      <InstalledOn><ClusterId SiteId="1" Number="1" /></InstalledOn>
    </Service>
  </Services>
</Topology>)",
                            true, true));
  ASSERT_THAT(all.sip_domains, SizeIs(2));
  EXPECT_EQ(all.sip_domains[0].name, "contoso.example");
  ASSERT_THAT(all.pools, SizeIs(1));
  EXPECT_EQ(all.pools[0].fqdn, "pool1.contoso.example");
  EXPECT_EQ(all.pools[0].site, "Headquarters");
  EXPECT_THAT(all.pools[0].computers, ElementsAre("fe1.contoso.example"));
  EXPECT_THAT(all.pools[0].services, ElementsAre("Registrar:pool1.contoso.example"));
  EXPECT_THAT(words(all), ElementsAre(HasSubstr("<OtherSite>"), HasSubstr("is not understood from it")));
}

TEST(Inventory, UsersOfEqualSituationAreOneClass) {
  const auto all = read_inventory(files_in(samples / "json"));
  const auto classes = classes_of(all, {"pool2.contoso.example"});
  std::size_t users = 0, legacy = 0, branch = 0;
  for (const auto& one : classes) {
    users += one.count;
    legacy += one.legacy ? one.count : 0;
    branch += one.branch ? one.count : 0;
    EXPECT_TRUE(one.may_use_xmpp.has_value()) << one.policy;
    EXPECT_EQ(*one.may_use_xmpp, one.policy == "user:XmppUsers") << one.policy;
  }
  EXPECT_EQ(users, 300U);
  EXPECT_LT(classes.size(), 60U);
  EXPECT_EQ(branch, 6U);
  EXPECT_GT(legacy, 90U);
  const auto settings = settings_of(all);
  EXPECT_THAT(settings.partners, SizeIs(6));
  EXPECT_TRUE(settings.allow_federated_users);
  EXPECT_TRUE(settings.site_federation_route);
  for (const auto& user : all.users)
    EXPECT_EQ(settings.policies.effective(user.address).policy.allows_xmpp(), user.policy == "XmppUsers");
}

TEST(Inventory, ALargeEstateIsReadInSeconds) {
  std::string text = "[\n";
  for (int i = 0; i < 100'000; ++i)
    text += fmt::format(
        "{}{{\"SipAddress\": \"sip:user{}@contoso.example\", \"RegistrarPool\": {{\"FriendlyName\": "
        "\"pool{}.contoso.example\"}}, \"ExternalAccessPolicy\": null, \"Enabled\": true, "
        "\"HomeServer\": \"CN=Lc Services\"}}",
        i == 0 ? "" : ",\n", i, i % 8);
  const auto all = of(text + "]");
  EXPECT_THAT(words(all), IsEmpty());
  EXPECT_THAT(all.users, SizeIs(100'000));
  EXPECT_THAT(classes_of(all), SizeIs(8));
}

}  // namespace
}  // namespace cutover::harness::exports
