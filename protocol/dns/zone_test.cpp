// Master files: what is read, and the words for what cannot be.
#include "protocol/dns/zone.h"

#include <gmock/gmock.h>

namespace cutover::dns {
namespace {

using testing::HasSubstr;

constexpr const char* soa = "@ 60 IN SOA ns hostmaster 1 3600 600 86400 60\n";

std::string error_of(const std::string& text) {
  const auto result = parse_zone(text, "a.example", "a.zone");
  const auto* error = std::get_if<ZoneError>(&result);
  return error == nullptr ? "no error" : to_string(*error);
}

TEST(Zone, reads_a_master_file) {
  const auto result = parse_zone(
      "$TTL 300\n"
      "$ORIGIN A.example.\n"
      "; the SRV records of us\n"
      "@ IN SOA ns hostmaster (\n"
      "    1 3600 600\n"
      "    86400 60 )\n"
      "_xmpp-server._tcp 30 IN SRV 0 5 5269 gw\n"
      "gw IN A 127.0.0.5\n"
      "   IN AAAA ::1\n"
      "www IN CNAME gw.b.example.\n",
      "a.example", "a.zone");
  const auto* zone = std::get_if<Zone>(&result);
  ASSERT_NE(zone, nullptr) << to_string(std::get<ZoneError>(result));
  EXPECT_EQ(zone->origin, "a.example");
  const std::vector<Record> expected{
      {"a.example", Type::soa, 300, "ns.a.example hostmaster.a.example 1 3600 600 86400 60"},
      {"_xmpp-server._tcp.a.example", Type::srv, 30, "0 5 5269 gw.a.example"},
      {"gw.a.example", Type::a, 300, "127.0.0.5"},
      {"gw.a.example", Type::aaaa, 300, "::1"},
      {"www.a.example", Type::cname, 300, "gw.b.example"}};
  EXPECT_EQ(zone->records, expected);
}

TEST(Zone, all_errors_at_once_and_the_line_of_each_record) {
  const auto reading = read_zone(
      "$TTL 300\n"
      "@ IN SOA ns hostmaster (\n"
      "    1 3600 600 86400 60 )\n"
      "gw IN A 127.0.0.256\n"
      "gw IN A 127.0.0.5\n"
      "x IN SRV 0 5 99999 gw\n"
      "y IN NOTATYPE z\n"
      "www IN CNAME gw\n"
      "www IN A 127.0.0.6\n",
      "a.example", "a.zone");
  std::vector<int> errors;
  for (const auto& error : reading.errors) errors.push_back(error.line);
  EXPECT_THAT(errors, testing::ElementsAre(4, 6, 7, 9));
  EXPECT_THAT(reading.lines, testing::ElementsAre(2, 5, 8));
  EXPECT_EQ(reading.zone.records.at(1).data, "127.0.0.5");
  EXPECT_THAT(read_zone(std::string(soa) + "gw IN A 127.0.0.5\n" + soa, "a.example", "a.zone").errors,
              testing::IsEmpty())
      << "what a transfer gives";
}

TEST(Zone, an_error_has_file_line_and_expectation) {
  EXPECT_THAT(error_of(std::string(soa) + "\ngw IN A 127.0.0.256\n"),
              HasSubstr("a.zone:3: expected an IPv4 address, found \"gw IN A 127.0.0.256\""));
  EXPECT_THAT(error_of(std::string(soa) + "gw IN AAAA 1.2.3.4\n"), HasSubstr("a.zone:2: expected an IPv6 address"));
  EXPECT_THAT(error_of(std::string(soa) + "x IN SRV 0 5 5269\n"), HasSubstr("a.zone:2: expected "));
  EXPECT_THAT(error_of(std::string(soa) + "x IN SRV 0 5 99999 gw\n"), HasSubstr("each from 0 to 65535"));
  EXPECT_THAT(error_of(std::string(soa) + "x IN NOTATYPE y\n"), HasSubstr("a.zone:2: expected"));
  EXPECT_THAT(error_of(std::string(soa) + "x CH A 127.0.0.1\n"), HasSubstr("a.zone:2: expected class IN"));
  EXPECT_THAT(error_of(std::string(soa) + "$INCLUDE /etc/passwd\n"),
              HasSubstr("a.zone:2: expected records in this file"));
  EXPECT_THAT(error_of(std::string(soa) + "$TTL never\n"), HasSubstr("a.zone:2: expected a TTL"));
  EXPECT_THAT(error_of(std::string(soa) + "b.example. IN A 127.0.0.1\n"),
              HasSubstr("a.zone:2: expected a name in the zone a.example"));
  EXPECT_THAT(error_of(std::string(soa) + "xa.example. IN A 127.0.0.1\n"), HasSubstr("a name in the zone"));
  EXPECT_THAT(error_of(std::string(soa) + soa), HasSubstr("a.zone:2: expected one SOA"));
  EXPECT_THAT(error_of("gw IN A 127.0.0.1\n"), HasSubstr("a.zone:1: expected the SOA as the first record"));
  EXPECT_THAT(error_of(std::string(soa) + "x IN CNAME y\nx IN A 127.0.0.1\n"),
              HasSubstr("a.zone:3: expected no other record beside a CNAME"));
  EXPECT_THAT(error_of(""), HasSubstr("an empty file"));
  EXPECT_THAT(error_of("; nothing\n"), HasSubstr("found \"no record\""));
  EXPECT_THAT(error_of(std::string(soa) + std::string(1, '\0')), HasSubstr("a.zone:2: expected text"));
  EXPECT_THAT(error_of("@ 60 IN SOA ns hostmaster ( 1 3600\n"), HasSubstr("a.zone:1: expected"));
}

TEST(Zone, knows_what_is_inside) {
  EXPECT_TRUE(is_in("a.example", "a.example"));
  EXPECT_TRUE(is_in("x.a.example", "a.example"));
  EXPECT_TRUE(is_in("x", "."));
  EXPECT_FALSE(is_in("xa.example", "a.example"));
  EXPECT_FALSE(is_in("example", "a.example"));
}

}  // namespace
}  // namespace cutover::dns
