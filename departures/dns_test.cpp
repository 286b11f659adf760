// What the rewrites and settings of resolvers do to the targets that are found.
#include "departures/table.h"
#include "protocol/dns/test_names.h"

#include <gmock/gmock.h>

namespace cutover::departures {
namespace {

using dns::Type;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::SizeIs;

struct DnsDepartures : testing::Test, dns::ResolverBench {
  std::vector<std::string> with(const std::string& name) {
    use(Planted({name}).at(proxy));
    return places(targets());
  }
};

TEST_F(DnsDepartures, show_in_the_targets) {
  auto& server = network.server;
  server.set("a.example", Type::a, 60, {"127.0.0.8"});
  server.set("gw.a.example", Type::a, 60, {"127.0.0.5", "127.0.0.6"});
  server.set("_xmpps-server._tcp.a.example", Type::srv, 60, {"1 0 5270 gw.a.example"});
  EXPECT_THAT(with("dns.first-address-only"), ElementsAre("127.0.0.5:15269", "tls:127.0.0.5:5270"));
  EXPECT_THAT(with("dns.queries-client-label"), ElementsAre("127.0.0.8:5269"));
  EXPECT_THAT(with("dns.highest-priority-number-first"),
              ElementsAre("tls:127.0.0.5:5270", "tls:127.0.0.6:5270", "127.0.0.5:15269", "127.0.0.6:15269"));
  server.set("gw.a.example", Type::a, 60, {"127.0.0.5"});
  server.set("_xmpps-server._tcp.a.example", Type::srv, 60, {});
  std::vector<std::string> six;
  for (int i = 1; i <= 6; ++i) six.push_back(std::to_string(i) + " 0 " + std::to_string(i) + " gw.a.example");
  server.set("_xmpp-server._tcp.a.example", Type::srv, 60, six);
  EXPECT_THAT(with("dns.first-srvs-only"), SizeIs(4));
  EXPECT_THAT(with("dns.first-srv-only"), SizeIs(1));
  EXPECT_THAT(with("dns.highest-priority-number-first").front(), "127.0.0.5:6");
  server.set("_xmpp-server._tcp.a.example", Type::srv, 60, {});
  EXPECT_THAT(with("dns.falls-back-on-wrong-port"), ElementsAre("127.0.0.8:5222"));
}

TEST_F(DnsDepartures, are_planted_where_a_resolver_is) {
  for (const auto* name : {"dns.first-srv-only", "dns.queries-client-label", "dns.falls-back-on-wrong-port"}) {
    EXPECT_FALSE(Planted({name}).at(legacy_gateway).none());
    EXPECT_TRUE(Planted({name}).at(front).none());
    EXPECT_TRUE(Planted({name}).at(routes).none());
  }
}

}  // namespace
}  // namespace cutover::departures
