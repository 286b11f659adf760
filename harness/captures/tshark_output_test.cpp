// What tshark prints, and what it might print.
#include "harness/captures/tshark_output.h"
#include "harness/captures/capture.h"
#include "harness/captures/senders.h"

#include <gmock/gmock.h>

namespace cutover::harness {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Segment> segments_of(std::string_view rows) {
  std::vector<Segment> all;
  each_segment(rows, [&](const Segment& segment) { all.push_back(segment); });
  return all;
}

TEST(TsharkOutput, ARowIsASegment) {
  const auto all = segments_of(
      "7\t2\t192.0.2.1\t\t40000\t192.0.2.2\t\t5269\t0x0002\t74\t74\t0\teth:ip:tcp\n"
      "8\t3\t\t2001:db8::1\t5269\t\t2001:db8::2\t40001\t0x0018\t300\t96\t234\teth:ipv6:tcp:xmpp\n");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].from, (Endpoint{"192.0.2.1", 40000}));
  EXPECT_EQ(all[0].to, (Endpoint{"192.0.2.2", 5269}));
  EXPECT_TRUE(all[0].syn && !all[0].ack && all[0].empty && !all[0].cut);
  EXPECT_EQ(all[1].packet, 8U);
  EXPECT_EQ(all[1].connection, 3U);
  EXPECT_EQ(all[1].from, (Endpoint{"2001:db8::1", 5269}));
  EXPECT_TRUE(!all[1].syn && all[1].ack && !all[1].empty && all[1].cut);
  EXPECT_EQ(all[1].protocols, "eth:ipv6:tcp:xmpp");
}

TEST(TsharkOutput, ARowThatCannotBeReadIsNone) {
  EXPECT_THAT(segments_of("\n\t\t\nx\t2\t192.0.2.1\t\t40000\t192.0.2.2\t\t5269\t0x0002\t74\t74\t0\tip\n"
                          "1,1\t2,3\t192.0.2.1,10.0.0.1\t\t1,2\t192.0.2.2,10.0.0.2\t\t3,4\t0x02\t74\t74\t0\tip:ip\n"),
              IsEmpty());
}

TEST(TsharkOutput, FollowedConnectionsAreOctetsByPacket) {
  const auto all = read_followed(
      "peers:\n  - peer: 0\n    host: 192.0.2.1\n    port: 1\npackets:\n"
      "  - packet: 4\n    peer: 0\n    timestamp: 1795813240.809476376\n    data: !!binary |\n"
      "      PHN0cmVh\n      bT4=\n"
      "  - packet: 6\n    peer: 1\n    timestamp: 1795813240.81\n    data: !!binary |\n      PC9zPg==\n"
      "peers:\n  - peer: 0\n    host: \n    port: 0\npackets:\n");
  ASSERT_THAT(all, ElementsAre(SizeIs(2), IsEmpty()));
  EXPECT_EQ(all[0][0].packet, 4U);
  EXPECT_EQ(all[0][0].octets, "<stream>");
  EXPECT_EQ(all[0][0].time, Duration(1795813240809476376));
  EXPECT_EQ(all[0][1].octets, "</s>");
  EXPECT_EQ(all[0][1].time, Duration(1795813240810000000));
}

TEST(TsharkOutput, WhatIsNoYamlIsNothing) {
  EXPECT_THAT(read_followed(""), IsEmpty());
  EXPECT_THAT(read_followed("      PHM+\n  - packet: 1\n"), IsEmpty());
  EXPECT_THAT(read_followed("peers:\n      PHM+\n    timestamp: x\n  - packet: y\n"), ElementsAre(SizeIs(1)));
}

TEST(TsharkOutput, AGapIsToldFromWords) {
  EXPECT_TRUE(tells_of_a_gap({.octets = std::string("[513 bytes missing in capture file]\0", 36)}));
  EXPECT_FALSE(tells_of_a_gap({.octets = "<body>[513 bytes missing in capture file]</body>"}));
}

std::string header(const std::string& attributes, const std::string& ns = "jabber:server") {
  return "<?xml version='1.0'?><stream:stream xmlns='" + ns + "' xmlns:stream='http://etherx.jabber.org/streams' " +
         attributes + ">";
}

/// A connection of the two, as it was read.
Connection connection_of(const std::string& initial, const std::string& response) {
  Connection connection;
  connection.opener = {"192.0.2.1", 40000};
  connection.listener = {"192.0.2.2", 5269};
  connection.spoken = {{1, Duration(5s), true, false, initial}, {2, Duration(6s), false, false, response}};
  return connection;
}

std::vector<std::string> names_of(const Capture& capture) {
  std::vector<std::string> names;
  for (const auto& sender : senders_of(capture)) names.push_back(sender.name);
  return names;
}

TEST(Senders, AreCalledByTheirDomains) {
  Capture capture;
  capture.connections = {connection_of(header("from='A.example' to='b.example'"), header("from='b.example' id='1'")),
                         connection_of(header("from='b.example' to='c.example'"), header("from='c.example' id='1'"))};
  const auto senders = senders_of(capture);
  ASSERT_THAT(senders, SizeIs(3));
  EXPECT_EQ(senders[0].name, "a.example");
  EXPECT_EQ(senders[1].name, "b.example");
  EXPECT_EQ(senders[1].connections, 2U);
  EXPECT_THAT(senders[1].addresses, ElementsAre("192.0.2.2", "192.0.2.1"));
  EXPECT_EQ(opener_of(senders[0].records.front()), "a.example");
}

TEST(Senders, WhoNamesNobodyIsCalledByItsAddress) {
  Capture capture;
  capture.connections = {connection_of(header(""), header("id='1'"))};
  EXPECT_THAT(names_of(capture), ElementsAre("192.0.2.1", "192.0.2.2"));
  // What cannot be a name is none: whoever opened the connection would not be known again.
  capture.connections = {connection_of(header("from='a b: &gt;' to='b.example'"), header("id='1'"))};
  EXPECT_THAT(names_of(capture), ElementsAre("192.0.2.1", "b.example"));
}

TEST(Senders, ClientsAndServersWithClientsAloneAreNotJudged) {
  Capture capture;
  capture.connections = {
      connection_of(header("to='b.example'", "jabber:client"), header("from='b.example' id='1'", "jabber:client"))};
  EXPECT_THAT(names_of(capture), IsEmpty());
}

TEST(Senders, WhatSpeaksNoXmppIsNobody) {
  Capture capture;
  capture.connections = {connection_of("GET / HTTP/1.1\r\n", "HTTP/1.1 400\r\n")};
  EXPECT_THAT(names_of(capture), IsEmpty());
}

}  // namespace
}  // namespace cutover::harness
