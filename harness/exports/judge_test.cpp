// Each known failure is planted into an estate without any, found by its number and place, and nothing else with it.
#include "harness/exports/judge.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <functional>

namespace cutover::harness::exports {
namespace {

using reference::Negotiation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::time_t noon = 1'800'000'000;

ZoneRecord record(std::string name, dns::Type type, std::string data, std::uint32_t ttl_s = 300, int line = 7) {
  return {{std::move(name), type, ttl_s, std::move(data)}, {"zone", line}};
}

Certificate certificate(std::vector<std::string> names) {
  Certificate made;
  made.stored.facts.dns_names = std::move(names);
  made.stored.facts.eku_present = made.stored.facts.eku_server = made.stored.facts.eku_client = true;
  made.stored.not_before = noon - 1000;
  made.stored.not_after = noon + 1000;
  made.place = {"edge.pem", 1};
  return made;
}

Policy policy(Policy::Scope scope, std::string name, bool federation, bool xmpp) {
  return {scope, std::move(name), {federation, xmpp}, {"policies", 5}};
}

Partner partner(std::string domain, Negotiation tls = Negotiation::required, Negotiation sasl = Negotiation::optional,
                bool dialback = true) {
  Partner made;
  made.settings.domain = std::move(domain);
  made.settings.tls_negotiation = tls;
  made.settings.sasl_negotiation = sasl;
  made.settings.support_dialback_negotiation = dialback;
  made.place = {"partners", 3};
  return made;
}

User user(std::string address, std::string policy, std::string pool = "pool.contoso.example") {
  User made;
  made.address = std::move(address);
  made.policy = std::move(policy);
  made.pool = std::move(pool);
  made.home_server = "CN=Lc Services";
  made.place = {"users", 9};
  return made;
}

/// Two SIP domains, one partner, everything as the documents want it.
Inventory good() {
  Inventory all;
  all.partners = {partner("fabrikam.example")};
  all.gateway = Gateway{{}, {"gateway", 1}};
  all.policies = {policy(Policy::Scope::global, "", false, false), policy(Policy::Scope::user, "Xmpp", true, true)};
  all.users = {user("a@contoso.example", "Xmpp"), user("b@contoso.example", "Xmpp"),
               user("c@woodgrove.example", "xmpp")};
  all.access_edge = AccessEdge{true, {"edge", 2}};
  Site site;
  site.name = "HQ";
  site.pools = {"pool.contoso.example"};
  site.xmpp_route = "edgepool.contoso.example";
  site.place = {"sites", 4};
  all.sites = {site};
  all.edges = {{"edgepool.contoso.example", "HQ", "sip.contoso.example", {"edges", 1}}};
  all.sip_domains = {{"contoso.example", {"domains", 1}}, {"woodgrove.example", {"domains", 2}}};
  all.zones = {{"contoso.example",
                {record("_xmpp-server._tcp.contoso.example", dns::Type::srv, "0 0 5269 xmpp.contoso.example"),
                 record("xmpp.contoso.example", dns::Type::a, "192.0.2.20"),
                 record("sip.contoso.example", dns::Type::a, "192.0.2.20")},
                {"contoso.zone", 1}},
               {"woodgrove.example",
                {record("_xmpp-server._tcp.woodgrove.example", dns::Type::srv, "0 0 5269 sip.contoso.example")},
                {"woodgrove.zone", 1}}};
  all.certificates = {certificate({"sip.contoso.example", "contoso.example", "woodgrove.example"})};
  return all;
}

std::vector<std::string> found(const Inventory& inventory, const JudgeOptions& options = {.now = noon}) {
  std::vector<std::string> words;
  for (const auto& finding : judge(inventory, options)) words.push_back(to_string(finding));
  return words;
}

TEST(Judge, FindsNothingWhereNothingIs) { EXPECT_THAT(found(good()), IsEmpty()); }

struct Planted {
  std::string name;
  std::function<void(Inventory&)> plant;
  std::vector<std::string> begins;    ///< of each finding
  std::vector<std::string> contains;  ///< of the first
};

void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.name; }

class JudgeFinds : public testing::TestWithParam<Planted> {};

TEST_P(JudgeFinds, TheFailureAndNoOther) {
  auto estate = good();
  GetParam().plant(estate);
  const auto words = found(estate);
  ASSERT_EQ(words.size(), GetParam().begins.size()) << fmt::format("{}", fmt::join(words, "\n"));
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_THAT(words[i], testing::StartsWith(GetParam().begins[i]));
  for (const auto& part : GetParam().contains) EXPECT_THAT(words.front(), HasSubstr(part));
}

const std::vector<Planted> planted{
    {"NoRoute", [](Inventory& all) { all.sites[0].xmpp_route.clear(); }, {"F1 fails sites:4"}, {"Set-CsSite"}},
    {"NoSites", [](Inventory& all) { all.sites.clear(); }, {"F1 not judged"}, {"Get-CsSite"}},
    {"NoBareDomain",
     [](Inventory& all) { all.certificates = {certificate({"sip.contoso.example"})}; },
     {"F3 fails edge.pem:1: no certificate has contoso.example", "F3 fails edge.pem:1: no certificate has woodgrove"},
     {}},
    {"CommonNameAlone",
     [](Inventory& all) {
       all.certificates = {certificate({"woodgrove.example"})};
       all.certificates[0].stored.facts.common_name = "contoso.example";
     },
     {"F4 fails edge.pem:1"},
     {"not contoso.example"}},
    {"OneDomainOnly",
     [](Inventory& all) {
       all.certificates = {certificate({"sip.contoso.example", "contoso.example"})};
     },
     {"F4 fails edge.pem:1"},
     {"not woodgrove.example", "restart"}},
    {"WildcardOnly",
     [](Inventory& all) {
       all.certificates = {certificate({"*.contoso.example", "woodgrove.example"})};
     },
     {"F5 fails edge.pem:1", "F5 risks edge.pem:1"},
     {"not contoso.example itself"}},
    {"WildcardBeside",
     [](Inventory& all) { all.certificates[0].stored.facts.dns_names.emplace_back("*.contoso.example"); },
     {"F5 risks edge.pem:1"},
     {"*.contoso.example"}},
    {"NoCertificate", [](Inventory& all) { all.certificates.clear(); }, {"F3 not judged"}, {}},
    {"AuthoritiesOnly", [](Inventory& all) { all.certificates[0].stored.of_authority = true; }, {"F3 not judged"}, {}},
    {"ClientsOnly",
     [](Inventory& all) { all.certificates[0].stored.facts.eku_server = false; },
     {"F3 fails edge.pem:1: the certificate is not for servers"},
     {}},
    {"ServersOnly",
     [](Inventory& all) { all.certificates[0].stored.facts.eku_client = false; },
     {"F13 risks edge.pem:1"},
     {"-ClientEku $true"}},
    {"Expired",
     [](Inventory& all) { all.certificates[0].stored.not_after = noon - 1; },
     {"F13 fails edge.pem:1: the certificate has expired"},
     {}},
    {"NotYetValid",
     [](Inventory& all) { all.certificates[0].stored.not_before = noon + 1; },
     {"F13 fails edge.pem:1: the certificate is not valid yet"},
     {}},
    {"SecondSrvMissing",
     [](Inventory& all) { all.zones[1].records.clear(); },
     {"F4 fails woodgrove.zone:1"},
     {"_xmpp-server._tcp.woodgrove.example"}},
    {"BothSrvMissing",
     [](Inventory& all) {
       all.zones[0].records.erase(all.zones[0].records.begin());
       all.zones[1].records.clear();
     },
     {"F11 fails contoso.zone:1", "F11 fails woodgrove.zone:1"},
     {"dialback"}},
    {"ZoneMissing", [](Inventory& all) { all.zones.pop_back(); }, {"F4 not judged"}, {"no zone of woodgrove.example"}},
    {"TargetWithoutAddress",
     [](Inventory& all) { all.zones[0].records.erase(all.zones[0].records.begin() + 1); },
     {"F11 fails zone:7"},
     {"xmpp.contoso.example", "has no address"}},
    {"TargetIsAnAlias",
     [](Inventory& all) {
       all.zones[0].records[1] = record("xmpp.contoso.example", dns::Type::cname, "sip.contoso.example", 300, 8);
     },
     {"F11 risks zone:8"},
     {"RFC 2782"}},
    {"NoService",
     [](Inventory& all) { all.zones[1].records[0].record.data = "0 0 0 ."; },
     {"F11 fails zone:7"},
     {"woodgrove.example has no XMPP service"}},
    {"OtherPort",
     [](Inventory& all) { all.zones[1].records[0].record.data = "0 0 5270 sip.contoso.example"; },
     {"F11 risks zone:7"},
     {"5270"}},
    {"LongTtl",
     [](Inventory& all) { all.zones[0].records[0].record.ttl_s = 3600; },
     {"F20 risks zone:7"},
     {"1 h", "5 min"}},
    {"LongTtlWithDialback",
     [](Inventory& all) {
       all.zones[0].records[0].record.ttl_s = 3600;
       all.partners.push_back(partner("litware.example", Negotiation::required, Negotiation::not_supported));
     },
     {"F19 risks zone:7", "F20 risks zone:7"},
     {"1 partner is authenticated by dialback alone"}},
    {"FederationOff",
     [](Inventory& all) { all.access_edge->allow_federated_users = false; },
     {"F6 fails edge:2"},
     {"Set-CsAccessEdgeConfiguration"}},
    {"AccessEdgeUnknown", [](Inventory& all) { all.access_edge.reset(); }, {"F6 not judged"}, {}},
    {"XmppWithoutFederation",
     [](Inventory& all) {
       all.policies[1].settings = {false, true};
     },
     {"F6 fails policies:5: the policy Xmpp has EnableXmppAccess without", "F6 fails policies:5: no policy has both",
      "F6 fails users:9: 3 of 3 users"},
     {"3 users"}},
    {"GrantedToNobody",
     [](Inventory& all) { all.policies.push_back(policy(Policy::Scope::user, "Spare", true, true)); },
     {"F6 risks policies:5"},
     {"the policy Spare allows XMPP and is granted to nobody"}},
    {"NotGranted",
     [](Inventory& all) { all.users[0].policy.clear(); },
     {"F6 risks users:9"},
     {"1 of 3 users may not use XMPP"}},
    {"GrantOfNothing",
     [](Inventory& all) { all.users[0].policy = "Gone"; },
     {"F6 risks users:9"},
     {"the policy Gone is granted to 1 user"}},
    {"GlobalNotExported",
     [](Inventory& all) {
       all.policies.erase(all.policies.begin());
       all.users[0].policy.clear();
     },
     {"F6 not judged users:9"},
     {"for 1 user the global policy holds"}},
    {"NoPolicies", [](Inventory& all) { all.policies.clear(); }, {"F6 not judged"}, {}},
    {"NoUsers", [](Inventory& all) { all.users.clear(); }, {"F6 not judged"}, {"Get-CsUser"}},
    {"OurDomainIsAPartner",
     [](Inventory& all) { all.partners[0].settings.additional_domains = {"Woodgrove.example"}; },
     {"F7 fails partners:3"},
     {"woodgrove.example"}},
    {"InvalidRow",
     [](Inventory& all) {
       all.partners[0] = partner("fabrikam.example", Negotiation::required, Negotiation::not_supported, false);
     },
     {"F8 fails partners:3"},
     {"invalid"}},
    {"DefaultRow",
     [](Inventory& all) {
       all.partners[0] = partner("fabrikam.example", Negotiation::required, Negotiation::required);
     },
     {"F8 risks partners:3"},
     {"dialback will not operate"}},
    {"OptionalTls",
     [](Inventory& all) {
       all.partners[0] = partner("fabrikam.example", Negotiation::optional, Negotiation::optional);
     },
     {"F8 risks partners:3"},
     {"SASL requires TLS"}},
    {"InClear",
     [](Inventory& all) {
       all.partners[0] = partner("fabrikam.example", Negotiation::not_supported, Negotiation::not_supported);
     },
     {"F9 risks partners:3"},
     {"in clear"}},
    {"ShellAlone",
     [](Inventory& all) {
       all.partners[0] = partner("fabrikam.example", Negotiation::not_supported, Negotiation::optional);
     },
     {"F8 risks partners:3", "F9 risks partners:3", "F24 risks partners:3"},
     {}},
    {"NoPartners", [](Inventory& all) { all.partners.clear(); }, {"F8 not judged"}, {}},
    {"RouteBeforeUsers",
     [](Inventory& all) { all.users[1].pool.clear(); },
     {"F17 fails users:9"},
     {"1 user is on a legacy pool"}},
    {"PartnerBeforeUsers",
     [](Inventory& all) {
       all.users[1].pool.clear();
       all.sites[0].xmpp_route.clear();
     },
     {"F1 fails sites:4", "F18 risks partners:3"},
     {}},
    {"SurvivableBranch",
     [](Inventory& all) {
       all.sites.push_back({.name = "Lisbon", .branch = true, .pools = {"sba.contoso.example"}, .place = {"sites", 8}});
       all.users.push_back(user("d@contoso.example", "Xmpp", "sba.contoso.example"));
     },
     {"F21 fails users:9"},
     {"1 user on the survivable branch sba.contoso.example"}},
    {"BranchWithoutXmpp",
     [](Inventory& all) {
       all.sites.push_back({.name = "Lisbon", .branch = true, .pools = {"sba.contoso.example"}, .place = {"sites", 8}});
       all.users.push_back(user("d@contoso.example", "", "sba.contoso.example"));
     },
     {"F6 risks users:9"},
     {"1 of 4"}},
    {"OtherEdge",
     [](Inventory& all) { all.zones[0].records[1].record.data = "192.0.2.10"; },
     {"F23 fails zone:7"},
     {"192.0.2.10", "192.0.2.20"}},
    {"OtherEdgeBehind",
     [](Inventory& all) {
       all.zones[0].records.push_back(
           record("_xmpp-server._tcp.contoso.example", dns::Type::srv, "10 0 5269 edge2.contoso.example", 300, 8));
       all.zones[0].records.push_back(record("edge2.contoso.example", dns::Type::a, "192.0.2.30"));
     },
     {"F23 risks zone:8"},
     {"edge2.contoso.example"}},
    {"EdgeUnknown",
     [](Inventory& all) { all.edges.clear(); },
     {"F23 not judged zone:7", "F23 not judged zone:7"},
     {"Get-CsService -EdgeServer"}},
    {"TwoRoutes",
     [](Inventory& all) {
       all.sites.push_back({.name = "Two", .xmpp_route = "edge2.contoso.example", .place = {"sites", 8}});
     },
     {"F23 risks sites:8"},
     {"in one site only"}},
    {"KeepAliveTooSlow",
     [](Inventory& all) { all.gateway->settings.keep_alive_interval = 600s; },
     {"F27 risks gateway:1"},
     {"10 min"}},
    {"PartnerLimit",
     [](Inventory& all) { all.partners[0].settings.connection_limit = 40; },
     {"F28 risks partners:3"},
     {"40 connections", "20"}},
    {"NoConnection",
     [](Inventory& all) { all.partners[0].settings.connection_limit = 0; },
     {"F28 fails partners:3"},
     {}},
    {"TotalLimit",
     [](Inventory& all) { all.gateway->settings.connection_limit = 10; },
     {"F28 risks gateway:1"},
     {"10 connections in all"}},
    {"BothLists",
     [](Inventory& all) {
       all.allowed_domains = {{"Fabrikam.example", "xmppgw.contoso.example", {"allowed", 6}}};
     },
     {"F32 risks allowed:6"},
     {"xmppgw.contoso.example", "partners:3"}},
    {"SubDomain",
     [](Inventory& all) {
       all.allowed_domains = {{"lab.fabrikam.example", "", {"allowed", 6}}};
     },
     {"F33 risks allowed:6"},
     {"lab.fabrikam.example"}},
    {"SubDomainListed",
     [](Inventory& all) {
       all.allowed_domains = {{"other.example", "", {"allowed", 6}}};
       all.partners[0].settings.additional_domains = {"lab.fabrikam.example"};
     },
     {},
     {}},
    {"ClaimedTwice",
     [](Inventory& all) {
       all.partners.push_back(partner("adatum.example"));
       all.partners[1].settings.additional_domains = {"fabrikam.example"};
     },
     {"F33 fails partners:3"},
     {"belongs to two partners"}},
    {"GoogleHalf",
     [](Inventory& all) { all.partners.push_back(partner("gmail.com")); },
     {"F34 risks partners:3"},
     {"googlemail.com is not"}},
    {"GoogleOtherHalf",
     [](Inventory& all) { all.partners.push_back(partner("googlemail.com")); },
     {"F34 risks partners:3"},
     {"gmail.com is not"}},
    {"GoogleWhole",
     [](Inventory& all) {
       all.partners.push_back(partner("gmail.com"));
       all.partners[1].settings.additional_domains = {"googlemail.com"};
     },
     {},
     {}},
    {"DisabledUserIsNobody",
     [](Inventory& all) {
       all.users.push_back(user("d@contoso.example", ""));
       all.users.back().enabled = false;
     },
     {},
     {}},
    {"ADomainWithoutXmppNeedsNothing",
     [](Inventory& all) {
       all.sip_domains.push_back({"quiet.example", {"domains", 3}});
       all.users.push_back(user("d@quiet.example", ""));
     },
     {"F6 risks users:9"},
     {"1 of 4"}},
};

INSTANTIATE_TEST_SUITE_P(Known, JudgeFinds, testing::ValuesIn(planted), [](const auto& one) { return one.param.name; });

TEST(Judge, All18RowsAsTheMatrixHasThem) {
  std::size_t invalid = 0, warned = 0, silent = 0;
  for (const auto tls : {Negotiation::required, Negotiation::optional, Negotiation::not_supported}) {
    for (const auto sasl : {Negotiation::required, Negotiation::optional, Negotiation::not_supported}) {
      for (const bool dialback : {true, false}) {
        auto estate = good();
        estate.partners = {partner("fabrikam.example", tls, sasl, dialback)};
        const auto words = found(estate);
        const auto has = [&](std::string_view begin) {
          return std::ranges::any_of(words, [&](const auto& each) { return each.starts_with(begin); });
        };
        invalid += has("F8 fails") ? 1 : 0;
        warned += has("F8 risks") ? 1 : 0;
        silent += !has("F8") ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(invalid, 5U);
  EXPECT_EQ(warned, 7U) << "the first row, and the six of W1";
  EXPECT_EQ(silent, 6U);
}

TEST(Judge, ManyUsersAreCountedAndNotListed) {
  auto estate = good();
  for (int i = 0; i < 1000; ++i) estate.users.push_back(user(fmt::format("u{}@contoso.example", i), ""));
  EXPECT_THAT(found(estate), ElementsAre(HasSubstr("1000 of 1003 users may not use XMPP")));
}

TEST(Judge, TheSampleEstate) {
  const std::filesystem::path samples = CUTOVER_SOURCE_DIR "/fixtures/exports/contoso";
  std::vector<std::string> files{samples / "names/contoso.example.zone", samples / "names/woodgrove.example.dns",
                                 samples / "names/edge.pem"};
  for (const auto& entry : std::filesystem::directory_iterator(samples / "json")) files.push_back(entry.path());
  std::vector<std::string> failures;
  const auto inventory = read_inventory(files);
  for (const auto& finding : judge(inventory, {.legacy_pools = {"pool2.contoso.example"}})) {
    EXPECT_FALSE(finding.sentence.empty());
    EXPECT_FALSE(finding.remedy.empty()) << to_string(finding);
    failures.push_back(fmt::format("{} {}", finding.failure, name_of(finding.severity)));
  }
  EXPECT_THAT(failures,
              ElementsAre("F4 fails",   // the certificate has not woodgrove.example
                          "F4 fails",   // nor is there an SRV record of it
                          "F6 fails",   // XmppForgotten
                          "F6 risks",   // XmppSpare is granted to nobody
                          "F6 risks",   // half of the users have no policy
                          "F8 risks",   // adatum.example has the defaults
                          "F8 risks",   // tailspin.example has TLS optional
                          "F9 risks",   // talk.example is reached in clear
                          "F13 risks",  // the certificate is for servers alone
                          "F17 fails",  // users on the old pools, and a route
                          "F19 risks",  // the records are kept for an hour
                          "F19 risks", "F20 risks", "F20 risks",
                          "F21 fails",   // the branch
                          "F23 fails",   // the SRV record leads to the legacy gateway
                          "F28 risks",   // tailspin.example wants 40 connections
                          "F32 risks",   // talk.example is an allowed SIP domain, too
                          "F33 risks"))  // lab.northwind.example
      << fmt::format("{}", fmt::join(failures, "\n"));
}

}  // namespace
}  // namespace cutover::harness::exports
