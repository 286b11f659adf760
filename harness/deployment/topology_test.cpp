// Topology files: what is read, and where a mistake is told to be.
#include "harness/deployment/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::harness {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view yaml) {
  try {
    (void)parse_topology(yaml, "t.yaml");
    return "no error";
  } catch (const TopologyError& error) {
    return error.what();
  }
}

TEST(Topology, FixtureIsTheEmbeddedDeployment) {
  EXPECT_EQ(load_topology(CUTOVER_SOURCE_DIR "/fixtures/topologies/contoso.yaml"), reference_topology());
}

TEST(Topology, MistakesAreToldWithFileAndLine) {
  EXPECT_THAT(error_of("domain: [\n"), HasSubstr("t.yaml:2: not YAML"));
  EXPECT_THAT(error_of("domain: a.example\nusers: [x]\npartnerz: []\n"), HasSubstr("t.yaml:3: unknown key 'partnerz'"));
  EXPECT_THAT(error_of("domain: a.example\nusers: []\npartners: []\n"), HasSubstr("t.yaml:2: expected a list"));
  EXPECT_THAT(error_of("domain: a.example\nusers: [x, x]\n"), HasSubstr("t.yaml:2: user 'x' is listed twice"));
  EXPECT_THAT(error_of("domain: a\nusers: [x]\npartners:\n  - {domain: b, kind: carrier-pigeon, users: [y]}\n"),
              HasSubstr("t.yaml:4: unknown kind 'carrier-pigeon'"));
  EXPECT_THAT(
      error_of("domain: a\nusers: [x]\npartners:\n  - {domain: b, kind: sasl-external, users: [y], server: x}\n"),
      HasSubstr("t.yaml:4: unknown server 'x', expected mock, prosody, ejabberd or jabberd2"));
  EXPECT_THAT(error_of("domain: a\nusers: [x]\npartners:\n  - {domain: a, kind: sasl-external, users: [y]}\n"),
              HasSubstr("domain 'a' is used twice"));
  EXPECT_THAT(error_of("domain: a\nsrv-ttl-seconds: soon\nusers: [x]\n"), HasSubstr("t.yaml:2: expected a number"));
  EXPECT_THAT(error_of(""), HasSubstr("t.yaml:1: expected a mapping"));
  EXPECT_THAT(error_of("domain: a\nusers: [x]\ndomain: b\n"), HasSubstr("t.yaml:3: key 'domain' is given twice"));
  EXPECT_THAT(error_of("domain: a\nsrv-ttl-seconds: 2147483648\nusers: [x]\n"), HasSubstr("t.yaml:2: expected"));
  for (const auto* name :
       {"\"a b\"", "A.example", "-a.example", "a..example", "a.example.", ".", "b\xc3\xbc.example"}) {
    EXPECT_THAT(error_of("users: [x]\ndomain: " + std::string(name) + "\n"),
                HasSubstr("t.yaml:2: expected a domain name"));
  }
}

std::string with_places(const std::string& lines) {
  return "domain: a.example\nusers: [alice]\npartners:\n  - {domain: b.example, kind: sasl-external, users: "
         "[y]}\nplaces:\n" +
         lines;
}

TEST(Topology, PlacesMoveNodes) {
  const auto topology = parse_topology(with_places("  proxy: {address: 192.0.2.7, admin: 9000}\n"), "t.yaml");
  EXPECT_EQ(topology.places.at("proxy").address, "192.0.2.7");
  EXPECT_EQ(port_of(topology, "proxy", "admin"), 9000);
  EXPECT_EQ(port_of(topology, "proxy", "xmpp"), 5269);
  EXPECT_THROW((void)port_of(topology, "proxy", "sip"), std::invalid_argument);
  EXPECT_THAT(error_of(with_places("  moon: {address: 192.0.2.7}\n")), HasSubstr("t.yaml:6: unknown key 'moon'"));
  EXPECT_THAT(error_of(with_places("  b: {address: moon}\n")), HasSubstr("t.yaml:6: expected an IPv4 address"));
  EXPECT_THAT(error_of(with_places("  b: {xmpp: 65536}\n")), HasSubstr("t.yaml:6: expected a port"));
  EXPECT_THAT(error_of(with_places("  alice: {xmpp: 1}\n")), HasSubstr("t.yaml:6: unknown key 'xmpp'"));
}

TEST(Topology, PlacesFromTheCommandLine) {
  auto topology = reference_topology();
  set_place(topology, "proxy=192.0.2.7");
  set_place(topology, "fabrikam.xmpp=5270");
  EXPECT_EQ(topology.places.at("proxy").address, "192.0.2.7");
  EXPECT_EQ(port_of(topology, "fabrikam", "xmpp"), 5270);
  const auto error = [&](const std::string& assignment) {
    try {
      set_place(topology, assignment);
      return std::string("no error");
    } catch (const TopologyError& thrown) {
      return std::string(thrown.what());
    }
  };
  EXPECT_THAT(error("proxy"), HasSubstr("expected NODE=ADDRESS or NODE.SERVICE=PORT"));
  EXPECT_THAT(error("proxi=192.0.2.7"), HasSubstr("expected one of name-server, legacy-gateway, proxy"));
  EXPECT_THAT(error("proxy=here"), HasSubstr("IPv4"));
  EXPECT_THAT(error("proxy.sip=5061"), HasSubstr("expected one of xmpp, internal, admin"));
  EXPECT_THAT(error("proxy.admin=0"), HasSubstr("port from 1 to 65535"));
}

TEST(Topology, EveryNodeHasAName) {
  auto topology = reference_topology();
  topology.partners.push_back({"fabrikam.org", PartnerKind::sasl_external, {"x"}});
  topology.partners.push_back({"proxy.example", PartnerKind::sasl_external, {"x"}});
  std::vector<std::string> names;
  for (const auto& node : nodes_of(topology)) names.push_back(node.name);
  EXPECT_THAT(names, testing::ElementsAre("name-server", "legacy-gateway", "proxy", "gateway", "legacy-pool",
                                          "new-pool", "fabrikam.example", "litware", "talk", "fabrikam.org",
                                          "proxy.example", "alice", "bob", "carol"));
  EXPECT_THAT(error_of("domain: a\nusers: [proxy]\npartners:\n  - {domain: b, kind: sasl-external, users: [y]}\n"),
              HasSubstr("t.yaml:2: 'proxy' is the name of another node"));
}

TEST(Topology, MissingFileIsNamed) { EXPECT_THROW((void)load_topology("/nowhere/t.yaml"), TopologyError); }

}  // namespace
}  // namespace cutover::harness
