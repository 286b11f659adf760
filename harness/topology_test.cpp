// Topology files: what is read, and where a mistake is told to be.
#include "harness/topology.h"

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
      HasSubstr("t.yaml:4: unknown server 'x', expected mock or prosody"));
  EXPECT_THAT(error_of("domain: a\nusers: [x]\npartners:\n  - {domain: a, kind: sasl-external, users: [y]}\n"),
              HasSubstr("domain 'a' is used twice"));
  EXPECT_THAT(error_of("domain: a\nsrv-ttl-seconds: soon\nusers: [x]\n"), HasSubstr("t.yaml:2: expected a number"));
}

TEST(Topology, MissingFileIsNamed) { EXPECT_THROW((void)load_topology("/nowhere/t.yaml"), TopologyError); }

}  // namespace
}  // namespace cutover::harness
