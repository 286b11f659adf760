// The resolver and the name server against each other, over a network of a few lines in virtual time.
#include "protocol/base/check.h"
#include "protocol/dns/rules.h"
#include "protocol/dns/test_names.h"

#include <gmock/gmock.h>

namespace cutover::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct ResolverTest : testing::Test, ResolverBench {};

TEST_F(ResolverTest, answers_and_caches_until_the_ttl_ends) {
  EXPECT_THAT(ask("GW.a.example.").records, ElementsAre(Record{"gw.a.example", Type::a, 100, "127.0.0.5"}));
  network.server.set("gw.a.example", Type::a, 100, {"127.0.0.6"});
  network.pass(99s);
  EXPECT_EQ(ask("gw.a.example").records.at(0).data, "127.0.0.5");
  EXPECT_EQ(network.server.queries("gw.a.example", Type::a), 1U);
  network.pass(1s);
  EXPECT_EQ(ask("gw.a.example").records.at(0).data, "127.0.0.6");
  resolver->flush_cache();
  ask("gw.a.example");
  EXPECT_EQ(network.server.queries("gw.a.example", Type::a), 3U);
}

TEST_F(ResolverTest, a_ttl_of_zero_is_not_cached) {
  network.server.set("gw.a.example", Type::a, 0, {"127.0.0.5"});
  ask("gw.a.example");
  ask("gw.a.example");
  EXPECT_EQ(network.datagrams, 2);
}

TEST_F(ResolverTest, caches_absence_for_the_minimum_of_the_soa) {
  EXPECT_EQ(ask("no.a.example").outcome, Outcome::name_error);
  const auto nodata = ask("gw.a.example", Type::aaaa);
  EXPECT_EQ(nodata.outcome, Outcome::answered);
  EXPECT_THAT(nodata.records, IsEmpty());
  network.pass(29s);
  ask("no.a.example");
  EXPECT_EQ(network.datagrams, 2);
  network.pass(1s);
  ask("no.a.example");
  EXPECT_EQ(network.datagrams, 3);
}

TEST_F(ResolverTest, asks_by_tcp_after_a_truncated_answer) {
  std::vector<std::string> many;
  many.reserve(60);
  for (int i = 0; i < 60; ++i) many.push_back("127.0.1." + std::to_string(i));
  network.server.set("many.a.example", Type::a, 60, many);
  EXPECT_THAT(ask("many.a.example").records, SizeIs(60));
  EXPECT_THAT(network.server.history(), SizeIs(2));
  EXPECT_EQ(network.server.history().back().transport, Transport::tcp);
  network.server.spoil("gw.a.example", Spoilt::truncated);
  EXPECT_THAT(ask("gw.a.example").records, SizeIs(1));
  EXPECT_EQ(network.connects, 2);
}

TEST_F(ResolverTest, survives_tcp_that_does_not_work) {
  network.server.spoil("gw.a.example", Spoilt::truncated);
  network.refuse_tcp = true;
  EXPECT_EQ(ask("gw.a.example").outcome, Outcome::server_failure);
  EXPECT_EQ(network.connects, 2);
  network.refuse_tcp = false;
  network.eof_by_tcp = true;
  EXPECT_EQ(ask("gw.a.example").outcome, Outcome::server_failure);
}

TEST_F(ResolverTest, tells_failures_apart) {
  network.server.spoil("gw.a.example", Spoilt::server_failure);
  EXPECT_EQ(ask("gw.a.example").outcome, Outcome::server_failure);
  network.server.spoil("gw.a.example", Spoilt::refused);
  EXPECT_EQ(ask("gw.a.example").outcome, Outcome::server_failure);
  network.server.spoil("gw.a.example", Spoilt::malformed);
  EXPECT_EQ(ask("gw.a.example").outcome, Outcome::malformed);
  const auto before = network.datagrams;
  network.server.spoil("gw.a.example", Spoilt::silence);
  EXPECT_EQ(ask("gw.a.example").outcome, Outcome::timed_out);
  EXPECT_EQ(network.datagrams, before + 2);
  network.server.spoil("gw.a.example", Spoilt::nothing);
  EXPECT_THAT(ask("gw.a.example").records, SizeIs(1)) << "failures are not cached";
}

TEST_F(ResolverTest, repeats_the_query_after_the_time_limit) {
  network.server.spoil("", Spoilt::silence);
  int calls = 0;
  resolver->resolve("gw.a.example", Type::a,
                    [&](const Answer& answer) { calls += answer.outcome == Outcome::answered; });
  network.pass(4s);
  EXPECT_EQ(network.datagrams, 1);
  network.server.spoil("", Spoilt::nothing);
  network.pass(2s);
  EXPECT_EQ(network.datagrams, 2);
  EXPECT_EQ(calls, 1);
}

TEST_F(ResolverTest, believes_no_answer_to_another_question) {
  network.server.spoil("gw.a.example", Spoilt::wrong_id);
  EXPECT_EQ(ask("gw.a.example").outcome, Outcome::timed_out);
  network.server.spoil("gw.a.example", Spoilt::silence);
  int calls = 0;
  resolver->resolve("gw.a.example", Type::a, [&](const Answer&) { ++calls; });
  Message forged{.id = 0,
                 .response = true,
                 .questions = {{"other.a.example", Type::a}},
                 .answers = {{"gw.a.example", Type::a, 9, "6.6.6.6"}}};
  for (int id = 0; id < 65536; id += 257) {
    forged.id = static_cast<std::uint16_t>(id);
    network.datagram(serialise(forged));
  }
  network.datagram("");
  network.datagram("\xff");
  network.deliver();
  EXPECT_EQ(calls, 0);
  use(Departures::waiving({Rule::answer_has_the_id}));
  network.server.spoil("gw.a.example", Spoilt::wrong_id);
  EXPECT_THAT(ask("gw.a.example").records, SizeIs(1));
}

TEST_F(ResolverTest, follows_cnames_and_bounds_them) {
  network.server.add_empty_zone("b.example");
  network.server.set("alias.a.example", Type::cname, 10, {"gw.a.example"});
  EXPECT_EQ(ask("alias.a.example").records.at(0).data, "127.0.0.5");
  network.pass(10s);
  ask("alias.a.example");
  EXPECT_EQ(network.datagrams, 2) << "the least TTL of the chain counts";
  network.server.set("one.a.example", Type::cname, 10, {"two.b.example"});
  network.server.set("two.b.example", Type::cname, 10, {"one.a.example"});
  EXPECT_EQ(ask("one.a.example").outcome, Outcome::malformed);
  network.server.set("dead.a.example", Type::cname, 10, {"nowhere.b.example"});
  EXPECT_EQ(ask("dead.a.example").outcome, Outcome::name_error);
}

TEST_F(ResolverTest, equal_questions_share_one_query) {
  int calls = 0;
  for (int i = 0; i < 3; ++i) resolver->resolve("gw.a.example", Type::a, [&](const Answer&) { ++calls; });
  network.deliver();
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(network.datagrams, 1);
}

TEST_F(ResolverTest, can_be_destroyed_at_any_time) {
  int calls = 0;
  resolver->resolve_xmpp("a.example", [&](const XmppTargets&) { ++calls; });
  resolver.reset();
  network.pass(60s);
  EXPECT_EQ(calls, 0);
  use({});
  resolver->resolve("gw.a.example", Type::a, [&](const Answer&) {
    ++calls;
    resolver.reset();
  });
  resolver->resolve("gw.a.example", Type::a, [&](const Answer&) { ++calls; });
  network.pass(60s);
  EXPECT_EQ(calls, 1);
  use({});
  ask("gw.a.example");
  resolver->resolve("gw.a.example", Type::a, [&](const Answer&) { resolver.reset(); });
  EXPECT_FALSE(resolver);
}

TEST_F(ResolverTest, a_name_without_wire_form_does_not_exist) {
  EXPECT_EQ(ask("a..example").outcome, Outcome::name_error);
  EXPECT_EQ(ask(std::string(300, 'x')).outcome, Outcome::name_error);
  EXPECT_EQ(network.datagrams, 0);
}

TEST_F(ResolverTest, finds_xmpp_targets_by_srv) {
  EXPECT_THAT(places(targets()), ElementsAre("127.0.0.5:15269"));
  EXPECT_EQ(targets().targets[0].host, "gw.a.example");
  EXPECT_EQ(network.server.queries("_xmpps-server._tcp.a.example", Type::srv), 1U);
  EXPECT_EQ(network.server.queries("a.example", Type::a), 0U);
}

TEST_F(ResolverTest, merges_direct_tls_and_tries_every_address) {
  network.server.set("_xmpps-server._tcp.a.example", Type::srv, 300, {"5 0 5270 tls.a.example"});
  network.server.set("_xmpp-server._tcp.a.example", Type::srv, 300, {"10 0 5269 gw.a.example"});
  network.server.set("tls.a.example", Type::a, 300, {"127.0.0.6", "127.0.0.7"});
  network.server.set("tls.a.example", Type::aaaa, 300, {"::1"});
  EXPECT_THAT(places(targets()),
              ElementsAre("tls:127.0.0.6:5270", "tls:127.0.0.7:5270", "tls:::1:5270", "127.0.0.5:5269"));
}

TEST_F(ResolverTest, waits_a_second_for_what_it_can_do_without) {
  enum { direct_tls = 1, starttls, ipv4, ipv6 };
  const auto after = [&](int lost, Duration first, Duration then) {
    use({});
    network.datagrams = 0;
    network.lost = lost;
    std::vector<std::string> found;
    resolver->resolve_xmpp("a.example", [&](const XmppTargets& answer) { found = places(answer); });
    network.pass(first);
    EXPECT_THAT(found, IsEmpty()) << lost;
    network.pass(then);
    return found;
  };
  for (const int lost : {direct_tls, ipv6}) EXPECT_THAT(after(lost, 900ms, 100ms), ElementsAre("127.0.0.5:15269"));
  for (const int lost : {starttls, ipv4}) EXPECT_THAT(after(lost, 4s, 2s), ElementsAre("127.0.0.5:15269"));
}

TEST_F(ResolverTest, falls_back_only_where_there_is_no_srv_record) {
  network.server.set("a.example", Type::a, 60, {"127.0.0.8"});
  network.server.set("gw.a.example", Type::a, 60, {});
  const auto unreachable = targets();
  EXPECT_THAT(unreachable.targets, IsEmpty());
  EXPECT_EQ(unreachable.outcome, Outcome::name_error);
  network.server.set("_xmpp-server._tcp.a.example", Type::srv, 60, {});
  resolver->flush_cache();
  const auto found = targets();
  EXPECT_TRUE(found.from_fallback);
  EXPECT_THAT(places(found), ElementsAre("127.0.0.8:5269"));
}

TEST_F(ResolverTest, a_server_failure_is_no_absence) {
  network.server.set("a.example", Type::a, 60, {"127.0.0.8"});
  network.server.spoil("_xmpp-server._tcp.a.example", Spoilt::server_failure);
  EXPECT_EQ(targets().outcome, Outcome::server_failure);
  EXPECT_EQ(network.server.queries("a.example", Type::a), 0U);
}

TEST_F(ResolverTest, a_dot_means_no_service) {
  network.server.set("a.example", Type::a, 60, {"127.0.0.8"});
  network.server.set("_xmpp-server._tcp.a.example", Type::srv, 60, {"0 0 0 ."});
  const auto absent = targets();
  EXPECT_EQ(absent.outcome, Outcome::answered);
  EXPECT_THAT(absent.targets, IsEmpty());
  network.server.set("_xmpp-server._tcp.a.example", Type::srv, 60, {"0 0 5269 gw.a.example"});
  network.server.set("_xmpps-server._tcp.a.example", Type::srv, 60, {"0 0 0 ."});
  resolver->flush_cache();
  EXPECT_THAT(places(targets()), ElementsAre("127.0.0.5:5269"));
}

TEST_F(ResolverTest, without_its_rules_it_finds_other_targets) {
  auto& server = network.server;
  server.set("a.example", Type::a, 60, {"127.0.0.8"});
  server.set("gw.a.example", Type::a, 60, {"127.0.0.5", "127.0.0.6"});
  server.set("_xmpps-server._tcp.a.example", Type::srv, 60, {"1 0 5270 gw.a.example"});
  const auto without = [&](Rule rule) {
    use(Departures::waiving({rule}));
    return places(targets());
  };
  EXPECT_THAT(without(Rule::port_is_of_the_record),
              ElementsAre("127.0.0.5:5269", "127.0.0.6:5269", "tls:127.0.0.5:5269", "tls:127.0.0.6:5269"));
  EXPECT_THAT(without(Rule::direct_tls_is_asked_for), ElementsAre("127.0.0.5:15269", "127.0.0.6:15269"));
  EXPECT_THAT(without(Rule::direct_tls_is_spoken_to_its_targets), testing::Contains("127.0.0.5:5270"));
  EXPECT_THAT(without(Rule::srv_comes_first), ElementsAre("127.0.0.8:5269"));
  EXPECT_THAT(without(Rule::srv_excludes_fallback), testing::Contains("127.0.0.8:5269"));
  EXPECT_THAT(without(Rule::addresses_are_asked_for), IsEmpty());
  server.set("_xmpps-server._tcp.a.example", Type::srv, 60, {"0 0 0 ."});
  EXPECT_THAT(without(Rule::dot_is_for_its_own_list), IsEmpty());
  server.set("_xmpp-server._tcp.a.example", Type::srv, 60, {});
  EXPECT_THAT(without(Rule::dot_for_direct_tls_counts), ElementsAre("127.0.0.8:5269"));
  server.set("_xmpp-server._tcp.a.example", Type::srv, 60, {"0 0 0 ."});
  EXPECT_THAT(without(Rule::dot_for_direct_tls_counts), IsEmpty()) << "the other list says it, too";
  EXPECT_THAT(without(Rule::dot_means_no_service), ElementsAre("127.0.0.8:5269"));
  server.set("_xmpps-server._tcp.a.example", Type::srv, 60, {});
  server.set("_xmpp-server._tcp.a.example", Type::srv, 60, {});
  EXPECT_THAT(without(Rule::no_srv_means_fallback), IsEmpty());
  server.set("a.example", Type::aaaa, 60, {"::1"});
  EXPECT_THAT(without(Rule::aaaa_is_asked_for), ElementsAre("127.0.0.8:5269"));
  server.spoil("_xmpp-server._tcp.a.example", Spoilt::server_failure);
  EXPECT_THAT(without(Rule::failure_is_no_absence), SizeIs(2));
}

TEST_F(ResolverTest, without_its_rules_it_believes_other_answers) {
  auto& server = network.server;
  server.spoil("gw.a.example", Spoilt::truncated);
  use(Departures::waiving({Rule::truncated_answer_is_not_used}));
  EXPECT_THAT(ask("gw.a.example").records, IsEmpty());
  server.spoil("gw.a.example", Spoilt::malformed);
  use(Departures::waiving({Rule::unreadable_answer_is_asked_again}));
  EXPECT_EQ(ask("gw.a.example").outcome, Outcome::name_error);
  server.spoil("gw.a.example", Spoilt::silence);
  const auto forged = [&](Rule rule, const Message& message, const Endpoint& from = TestNames::name_server) {
    use(Departures::waiving({rule, Rule::id_is_unpredictable}));
    std::string heard;
    resolver->resolve("gw.a.example", Type::a, [&](const Answer& answer) {
      heard = answer.records.empty() ? "nothing" : answer.records[0].data;
    });
    network.datagram(serialise(message), from);
    network.deliver();
    return heard;
  };
  const Question question{"gw.a.example", Type::a};
  const Record record{"gw.a.example", Type::a, 9, "127.0.0.66"};
  const Message good{.id = 1, .response = true, .questions = {question}, .answers = {record}};
  auto other_question = good;
  other_question.questions = {{"other.a.example", Type::a}};
  EXPECT_EQ(forged(Rule::answer_has_the_id, other_question), "");
  EXPECT_EQ(forged(Rule::answer_has_the_question, other_question), "127.0.0.66");
  auto query = good;
  query.response = false;
  EXPECT_EQ(forged(Rule::answer_has_the_id, query), "");
  EXPECT_EQ(forged(Rule::answer_is_no_query, query), "127.0.0.66");
  const Endpoint stranger{"127.0.0.99", 10053};
  EXPECT_EQ(forged(Rule::answer_has_the_id, good, stranger), "");
  EXPECT_EQ(forged(Rule::answer_comes_from_the_server, good, stranger), "127.0.0.66");
  auto foreign = good;
  foreign.answers[0].name = "other.a.example";
  EXPECT_EQ(forged(Rule::answer_has_the_id, foreign), "nothing");
  EXPECT_EQ(forged(Rule::record_has_the_name, foreign), "127.0.0.66");
}

TEST_F(ResolverTest, without_its_rules_it_follows_no_cname_or_every_one) {
  network.server.set("alias.a.example", Type::cname, 10, {"gw.a.example"});
  use(Departures::waiving({Rule::cname_is_followed}));
  EXPECT_THAT(ask("alias.a.example").records, IsEmpty());
  use(Departures::waiving({Rule::cname_chain_is_bounded}));
  EXPECT_THAT(ask("alias.a.example").records, SizeIs(1));
  for (int i = 0; i < 12; ++i) {
    network.server.set("alias-" + std::to_string(i) + ".a.example", Type::cname, 10,
                       {i < 11 ? "alias-" + std::to_string(i + 1) + ".a.example" : "gw.a.example"});
  }
  EXPECT_THAT(ask("alias-0.a.example").records, SizeIs(1));
  use({});
  EXPECT_EQ(ask("alias-0.a.example").outcome, Outcome::malformed);
}

TEST_F(ResolverTest, without_its_rules_it_asks_for_ever) {
  network.server.spoil("gw.a.example", Spoilt::silence);
  use(Departures::waiving({Rule::look_up_has_an_end}));
  resolver->resolve("gw.a.example", Type::a, [](const Answer&) { FAIL(); });
  network.pass(1h);
  EXPECT_EQ(network.datagrams, 721);
}

TEST_F(ResolverTest, without_its_rules_it_keeps_answers_for_ever_or_not_at_all) {
  use(Departures::waiving({Rule::answer_is_used_within_its_ttl}));
  ask("gw.a.example");
  network.pass(1000h);
  ask("gw.a.example");
  EXPECT_EQ(network.datagrams, 1);
  use(Departures::waiving({Rule::answer_is_kept}));
  ask("gw.a.example");
  ask("gw.a.example");
  EXPECT_EQ(network.datagrams, 3);
  use(Departures::waiving({Rule::absence_is_believed_for_a_while}));
  ask("no.a.example");
  network.pass(1000h);
  ask("no.a.example");
  EXPECT_EQ(network.datagrams, 4);
}

// The name server by itself.

std::optional<Message> answer(DnsServer& server, std::string_view name, Type type,
                              std::string_view from = TestNames::client) {
  const auto wire =
      server.answer(Time{1us}, serialise({.id = 7, .questions = {{std::string(name), type}}}), from, Transport::udp);
  return wire ? parse(*wire) : std::nullopt;
}

TEST(DnsServer, tells_name_error_from_no_data) {
  DnsServer server;
  server.add_empty_zone("a.example");
  server.set("_xmpp-server._tcp.a.example", Type::srv, 60, {"0 0 5269 a.example"});
  EXPECT_EQ(answer(server, "x.a.example", Type::a)->rcode, Rcode::name_error);
  const auto nodata = answer(server, "_tcp.a.example", Type::a);  // an empty non-terminal
  EXPECT_EQ(nodata->rcode, Rcode::no_error);
  EXPECT_THAT(nodata->answers, IsEmpty());
  ASSERT_THAT(nodata->authority, SizeIs(1));
  EXPECT_EQ(nodata->authority[0].type, Type::soa);
  EXPECT_TRUE(nodata->authoritative);
  EXPECT_EQ(answer(server, "elsewhere.example", Type::a)->rcode, Rcode::refused);
}

TEST(DnsServer, shows_each_client_its_view) {
  DnsServer server;
  server.add_empty_zone("a.example");
  server.set("gw.a.example", Type::a, 60, {"127.0.0.1"});
  server.set("gw.a.example", Type::a, 60, {"127.0.0.2"}, "inside");
  server.set("hidden.a.example", Type::a, 60, {"127.0.0.3"});
  server.set("hidden.a.example", Type::a, 60, {}, "inside");
  server.assign_view("127.0.0.77", "inside");
  EXPECT_EQ(answer(server, "gw.a.example", Type::a)->answers.at(0).data, "127.0.0.1");
  EXPECT_EQ(answer(server, "gw.a.example", Type::a, "127.0.0.77")->answers.at(0).data, "127.0.0.2");
  EXPECT_EQ(answer(server, "hidden.a.example", Type::a)->rcode, Rcode::no_error);
  EXPECT_EQ(answer(server, "hidden.a.example", Type::a, "127.0.0.77")->rcode, Rcode::name_error);
  EXPECT_EQ(server.history().back().client, "127.0.0.77");
}

TEST(DnsServer, counts_the_serial_up_and_refuses_nonsense_from_the_script) {
  DnsServer server;
  server.add_empty_zone("a.example");
  server.set("gw.a.example", Type::a, 60, {"127.0.0.1"});
  EXPECT_EQ(answer(server, "a.example", Type::soa)->answers.at(0).data,
            "ns.a.example hostmaster.a.example 2 3600 600 86400 60");
  EXPECT_THROW(server.set("gw.a.example", Type::a, 60, {"nonsense"}), HarnessFault);
  EXPECT_THROW(server.set("gw.b.example", Type::a, 60, {"127.0.0.1"}), HarnessFault);
}

TEST(DnsServer, answers_rubbish_with_a_format_error_or_nothing) {
  DnsServer server;
  const auto ask = [&](const std::string& wire) {
    return server.answer(Time{1us}, wire, TestNames::client, Transport::udp);
  };
  EXPECT_FALSE(ask(""));
  EXPECT_FALSE(ask(std::string(11, 'x')));
  EXPECT_FALSE(ask(serialise({.id = 1, .response = true, .questions = {{"a", Type::a}}})))
      << "two servers would talk for ever";
  const auto reply = ask(std::string("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xff", 13));
  ASSERT_TRUE(reply);
  EXPECT_EQ(parse(*reply)->rcode, Rcode::format_error);
  EXPECT_THAT(server.history(), IsEmpty());
}

}  // namespace
}  // namespace cutover::dns
