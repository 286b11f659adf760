// Wire format: round trips, presentation forms, rubbish.
#include "protocol/dns/message.h"

#include "protocol/base/check.h"

#include <gmock/gmock.h>

namespace cutover::dns {
namespace {

using namespace std::string_literals;

TEST(DnsMessage, comes_back_as_it_went) {
  const Message message{
      .id = 0xbeef,
      .response = true,
      .authoritative = true,
      .questions = {{"_xmpp-server._tcp.a.example", Type::srv}},
      .answers = {{"_xmpp-server._tcp.a.example", Type::srv, 300, "10 5 15269 gw.a.example"},
                  {"_xmpp-server._tcp.a.example", Type::srv, 300, "20 0 5269 ."}},
      .authority = {{"a.example", Type::soa, 60, "ns.a.example mail.a.example 1 2 3 4 5"}},
      .additional = {{"gw.a.example", Type::a, 1, "127.0.0.5"}, {"gw.a.example", Type::aaaa, 1, "::1"}}};
  const auto read = parse(serialise(message));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, message.id);
  EXPECT_TRUE(read->response);
  EXPECT_TRUE(read->authoritative);
  EXPECT_FALSE(read->truncated);
  ASSERT_EQ(read->questions.size(), 1U);
  EXPECT_EQ(read->questions[0].name, "_xmpp-server._tcp.a.example");
  EXPECT_EQ(read->questions[0].type, Type::srv);
  EXPECT_EQ(read->answers, message.answers);
  EXPECT_EQ(read->authority, message.authority);
  EXPECT_EQ(read->additional, message.additional);
}

TEST(DnsMessage, has_the_octets_of_rfc_1035) {
  EXPECT_EQ(serialise({.id = 0x1234, .recursion_desired = true, .questions = {{"a.b", Type::a}}}),
            "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
            "a\x01"
            "b\x00\x00\x01\x00\x01"s);
}

TEST(DnsMessage, a_plain_query_has_the_octets_that_ldns_would_write) {
  for (const auto* name : {"a.example", "A.Example.", "_xmpp-server._tcp.a.example", "."}) {
    for (const bool recursion : {false, true}) {
      Message message{.id = 0xbeef, .recursion_desired = recursion, .questions = {{name, Type::srv}}};
      const auto query = serialise(message);
      message.response = true;  // ldns writes this one
      auto response = serialise(message);
      response.at(2) = static_cast<char>(response.at(2) & 0x7f);
      EXPECT_EQ(query, response) << name;
    }
  }
}

TEST(DnsMessage, knows_which_names_can_be_asked_for) {
  const std::string longest_label(63, 'a');
  for (const auto& name : {"a.example"s, "."s, "with space.example"s, longest_label + ".example"})
    EXPECT_TRUE(has_wire_form(name)) << name;
  for (const auto& name : {"a..example"s, ".a"s, longest_label + "a.example", std::string(256, 'a')})
    EXPECT_FALSE(has_wire_form(name)) << name;
}

TEST(DnsMessage, of_rubbish_is_nothing) {
  EXPECT_FALSE(parse(""));
  EXPECT_FALSE(parse("\x12"));
  EXPECT_FALSE(parse(std::string(12, '\xff')));
  const auto whole =
      serialise({.id = 1, .questions = {{"a.example", Type::a}}, .answers = {{"a.example", Type::a, 1, "127.0.0.1"}}});
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse(whole.substr(0, size))) << size;
  // A compression pointer to itself.
  EXPECT_FALSE(parse("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"s));
}

TEST(DnsMessage, normalises_records_and_refuses_what_is_none) {
  const auto record = normalised({"GW.A.example.", Type::srv, 5, "0  5 5269 Host.Example."});
  ASSERT_TRUE(record);
  EXPECT_EQ(record->name, "gw.a.example");
  EXPECT_EQ(record->data, "0 5 5269 host.example");
  EXPECT_FALSE(normalised({"a.example", Type::a, 1, "not an address"}));
  EXPECT_FALSE(normalised({"a.example", Type::srv, 1, "1 2"}));
  EXPECT_FALSE(normalised({"a.example", Type::srv, 1, "99999 0 1 a.example"}));
  EXPECT_FALSE(normalised({"a..example", Type::a, 1, "127.0.0.1"}));
  constexpr auto nsec3 = static_cast<Type>(50);  // ldns cannot read what it would write of this one
  EXPECT_FALSE(normalised({"a.example", nsec3, 1, "18 0 29827 -  00======"}));
  EXPECT_FALSE(normalised({std::string(64, 'a') + ".example", Type::a, 1, "127.0.0.1"}));
  EXPECT_THROW(static_cast<void>(serialise({.id = 1, .answers = {{"a.example", Type::a, 1, "x"}}})), HarnessFault);
}

TEST(DnsMessage, reads_srv_data) {
  const auto srv = srv_of({"x", Type::srv, 1, "1 2 3 Host.Example."});
  ASSERT_TRUE(srv);
  EXPECT_EQ(srv->priority, 1);
  EXPECT_EQ(srv->weight, 2);
  EXPECT_EQ(srv->port, 3);
  EXPECT_EQ(srv->target, "host.example");
  EXPECT_FALSE(srv_of({"x", Type::a, 1, "1 2 3 host"}));
  for (const auto* data : {"", "1", "1 2 3", "1 2 3 ", "1 2 70000 h", "1 -2 3 h", "1 2 3 h h"}) {
    EXPECT_FALSE(srv_of({"x", Type::srv, 1, data})) << data;
  }
}

}  // namespace
}  // namespace cutover::dns
