// Estates in YAML: defaults, and where mistakes are told to be.
#include "harness/migration/estate_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::harness::migration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(std::string_view yaml) {
  try {
    (void)parse_estate(yaml, "e.yaml");
    return "no error";
  } catch (const YamlError& error) {
    return error.what();
  }
}

constexpr std::string_view small = R"(estate:
  sip-domains: [a.example, b.example]
  pools: {old: {side: legacy}, new: {side: new}}
  users: {sales: {count: 7, pool: old}}
  partners:
    p.example: {kind: dialback-in-clear, further-domains: [q.example]}
  edges: {edge: {members: [one, {name: two, runs: false}]}}
)";

TEST(EstateFile, WhatIsLeftOutIsAnEstateWhoseLegacyGatewayServesAll) {
  const auto estate = parse_estate(small, "e.yaml");
  const auto& state = estate.start;
  EXPECT_THAT(state.legacy.routes, ElementsAre("p.example", "q.example"));
  EXPECT_THAT(state.legacy.in_clear, ElementsAre("p.example"));
  EXPECT_THAT(state.legacy.sip_domains, ElementsAre("a.example", "b.example"));
  EXPECT_EQ(state.srv.at("b.example").front().box, legacy_gateway_box);
  EXPECT_EQ(state.ttl_s.at("a.example"), 3600);
  EXPECT_FALSE(state.pools.at("new").deployed);
  EXPECT_TRUE(state.pools.at("old").deployed);
  EXPECT_EQ(state.users.at("sales").domain, "a.example");
  EXPECT_FALSE(state.edges.at("edge").members.at(1).runs);
  EXPECT_EQ(estate.rows.at("p.example").tls_negotiation, reference::Negotiation::required);
  EXPECT_FALSE(estate.partners.at("p.example").side.features);
  EXPECT_EQ(estate.records.at("edge").front().box, "edge");
  // Partners of a legacy gateway are federated.
  EXPECT_TRUE(state.configuration.allow_federated_users);
  EXPECT_TRUE(state.policies.global.enable_federation_access);
  EXPECT_FALSE(state.policies.global.enable_xmpp_access);
}

TEST(EstateFile, EveryMistakeIsToldAtOnceWithItsLine) {
  const auto error = error_of(R"(estate:
  sip-domains: [a.example]
  pools: {old: {side: left}}
  users:
    sales: {pool: elsewhere, count: many}
  partners:
    p.example: {kind: pigeon}
  ttl: soon
  bogus: 1
)");
  EXPECT_THAT(error, HasSubstr("e.yaml:3: unknown 'left' for 'side', expected one of legacy, new"));
  EXPECT_THAT(error, HasSubstr("e.yaml:5: unknown 'elsewhere' for 'pool', expected one of old"));
  EXPECT_THAT(error, HasSubstr("e.yaml:5: expected a number from 0 to 4294967295 for 'count', not 'many'"));
  EXPECT_THAT(error, HasSubstr("e.yaml:7: unknown 'pigeon' for 'kind', expected one of external"));
  EXPECT_THAT(error, HasSubstr("e.yaml:8: expected a time such as 90s, 5m, 8h or 1d for 'ttl', not 'soon'"));
  EXPECT_THAT(error, HasSubstr("e.yaml:9: unknown key 'bogus' of estate"));
  EXPECT_THAT(error_of("estate: {}"), HasSubstr("e.yaml:1: expected at least one domain for 'sip-domains'"));
  EXPECT_THAT(error_of("estate: []"), HasSubstr("e.yaml:1: expected a mapping for estate"));
  EXPECT_THAT(error_of("- 1"), HasSubstr("e.yaml:1: expected a mapping for the file"));
  EXPECT_THAT(error_of(""), HasSubstr("e.yaml:1: expected a mapping"));
  EXPECT_THAT(error_of("estate: [\n"), HasSubstr("e.yaml:2: not YAML"));
}

TEST(EstateFile, TimesHaveUnits) {
  EXPECT_EQ(seconds_of("300"), 300U);
  EXPECT_EQ(seconds_of("90s"), 90U);
  EXPECT_EQ(seconds_of("8h"), 28800U);
  EXPECT_EQ(seconds_of("1d"), 86400U);
  for (const auto* bad : {"", "s", "-1", "1w", "1.5h", "99999999999", "4294967295d"}) {
    EXPECT_EQ(seconds_of(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace cutover::harness::migration
