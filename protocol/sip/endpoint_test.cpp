// Two endpoints on a network of one process: transactions, reuse of connections, bad input, time-outs.
#include "protocol/sip/endpoint.h"

#include "protocol/sip/rules.h"
#include "protocol/sip/test_network.h"
#include "protocol/tls/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutover::sip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Owner final : EndpointOwner {
  sip::Endpoint* endpoint = nullptr;
  int status = 200;  ///< 0: no answer
  std::vector<std::string> seen;
  std::vector<TransactionId> transactions;
  ConnectionId source = ConnectionId::none;
  int closed = 0;
  void on_request(TransactionId id, const Message& request, ConnectionId from) override {
    seen.push_back(request.method + ' ' + request.body);
    transactions.push_back(id);
    source = from;
    if (status != 0 && id != TransactionId::none) endpoint->respond(id, response_to(request, status, "", "t"));
  }
  void on_connection_closed(ConnectionId) override { ++closed; }
};

/// Raw octets at one end.
struct Raw final : Actor {
  std::string received;
  bool eof = false;
  void on_received(ConnectionId, std::string_view bytes) override { received += bytes; }
  void on_eof(ConnectionId) override { eof = true; }
};

struct SipEndpoint : testing::Test {
  TestNetwork network;
  TestNetwork::Host& host_a = network.host("127.0.0.1");
  TestNetwork::Host& host_b = network.host("127.0.0.2");
  Owner owner_a, owner_b;
  std::unique_ptr<sip::Endpoint> a, b;
  std::vector<int> statuses;
  std::vector<TransactionFailure> failures;
  sip::Endpoint::Destination to_b{{"127.0.0.2", 5061}, ConnectionId::none, ""};

  void open(EndpointConfig config_a = {}, EndpointConfig config_b = {}) {
    a = std::make_unique<sip::Endpoint>(host_a, std::move(config_a), owner_a);
    b = std::make_unique<sip::Endpoint>(host_b, std::move(config_b), owner_b);
    owner_a.endpoint = a.get();
    owner_b.endpoint = b.get();
    a->open();
    b->open();
  }
  static Message message(const std::string& method = "MESSAGE", int cseq = 1) {
    Message result;
    result.method = method;
    result.request_uri = "sip:juliet@b.example";
    result.add_header("From", "<sip:romeo@a.example>;tag=1");
    result.add_header("To", "<sip:juliet@b.example>");
    result.add_header("Call-ID", "c1");
    result.add_header("CSeq", std::to_string(cseq) + ' ' + method);
    if (method == "MESSAGE") result.add_header("Content-Type", "text/plain");
    if (method == "MESSAGE") result.body = "m" + std::to_string(cseq);
    return result;
  }
  void ask(sip::Endpoint& from, Message request, const sip::Endpoint::Destination& to) {
    from.request(
        std::move(request), to, [this](const Message& response) { statuses.push_back(response.status); },
        [this](TransactionFailure failure) { failures.push_back(failure); });
  }
  std::string raw(const std::string& octets) {
    Raw peer;
    const auto id = host_a.connect(peer, {"127.0.0.2", 5061});
    host_a.send(id, octets);
    network.run();
    host_a.forget(peer);
    network.run();
    return peer.received + (peer.eof ? "EOF" : "");
  }
};

TEST_F(SipEndpoint, AsksAndAnswersOverOneConnection) {
  open();
  for (int i = 1; i <= 3; ++i) ask(*a, message("MESSAGE", i), to_b);
  network.run();
  ask(*a, message("MESSAGE", 4), to_b);
  network.run();
  EXPECT_THAT(statuses, ElementsAre(200, 200, 200, 200));
  EXPECT_THAT(owner_b.seen, ElementsAre("MESSAGE m1", "MESSAGE m2", "MESSAGE m3", "MESSAGE m4"));
  ASSERT_FALSE(host_a.notes.empty());
  EXPECT_EQ(host_a.notes.front().summary, "MESSAGE sip:juliet@b.example");
  EXPECT_EQ(host_a.notes.back().summary, "200 OK (MESSAGE)");
  for (const auto& note : host_b.notes) EXPECT_EQ(note.connection, host_b.notes.front().connection);
}

TEST_F(SipEndpoint, ARequestGoesBackOverTheConnectionOfTheUser) {
  open();
  ask(*a, message("REGISTER"), to_b);
  network.run();
  ask(*b, message(), {{}, owner_b.source, ""});
  network.run();
  EXPECT_THAT(owner_a.seen, ElementsAre("MESSAGE m1"));
  EXPECT_THAT(statuses, ElementsAre(200, 200));
}

TEST_F(SipEndpoint, GivesUpAfter32SecondsAndOnALostConnection) {
  open();
  owner_b.status = 0;
  ask(*a, message("MESSAGE", 1), to_b);
  network.run(32s - 1ms);
  EXPECT_TRUE(failures.empty());
  network.run(2ms);
  EXPECT_THAT(failures, ElementsAre(TransactionFailure::timed_out));
  ask(*a, message("MESSAGE", 2), to_b);
  network.run();
  b.reset();
  network.run();
  EXPECT_THAT(failures, ElementsAre(TransactionFailure::timed_out, TransactionFailure::transport_failed));
  EXPECT_EQ(owner_a.closed, 1);
}

TEST_F(SipEndpoint, TellsThatThereIsNoWayButNeverInsideTheCall) {
  open();
  ask(*a, message(), {{"127.0.0.9", 5061}, ConnectionId::none, ""});
  ask(*a, message("MESSAGE", 2), {});
  EXPECT_TRUE(failures.empty());
  network.run();
  EXPECT_EQ(failures.size(), 2U);
}

TEST_F(SipEndpoint, CarriesAnInviteToItsEnd) {
  open();
  owner_b.status = 486;
  ask(*a, message("INVITE", 1), to_b);
  network.run();
  EXPECT_THAT(owner_b.seen, ElementsAre("INVITE "));  // the ACK is the machine's
  EXPECT_EQ(b->request_of(owner_b.transactions[0]), nullptr);
  owner_b.status = 200;
  ask(*a, message("INVITE", 2), to_b);
  network.run();
  a->send(message("ACK", 2), to_b);
  network.run();
  EXPECT_THAT(owner_b.seen, ElementsAre("INVITE ", "INVITE ", "ACK "));
  EXPECT_EQ(owner_b.transactions.back(), TransactionId::none);
  EXPECT_THAT(statuses, ElementsAre(486, 200));
}

TEST_F(SipEndpoint, ACancelFindsTheInvite) {
  open();
  owner_b.status = 0;
  ask(*a, message("INVITE", 1), to_b);
  network.run(300ms);
  ask(*a, message("CANCEL", 1), to_b);
  network.run();
  ASSERT_EQ(owner_b.transactions.size(), 2U);
  const auto* cancel = b->request_of(owner_b.transactions[1]);
  ASSERT_NE(cancel, nullptr);
  const auto invite = b->cancelled_by(*cancel);
  EXPECT_EQ(invite, owner_b.transactions[0]);
  b->respond(owner_b.transactions[1], response_to(*cancel, 200, "", "t"));
  b->respond(invite, response_to(*b->request_of(invite), 487, "", "t"));
  network.run();
  EXPECT_THAT(statuses, ElementsAre(100, 200, 487));
}

TEST_F(SipEndpoint, AnswersWhatItCannotReadAndKeepsTheStreamWhileItHasBoundaries) {
  open();
  auto bad = message();
  bad.add_header("Via", "SIP/2.0/TCP 127.0.0.1:5061;branch=z9hG4bK1");
  bad.set_header("CSeq", "1 OPTIONS");
  const auto octets = serialise(bad);
  EXPECT_THAT(raw(octets + "\r\n\r\n"), testing::AllOf(HasSubstr("SIP/2.0 400 "), testing::EndsWith("\r\n\r\n\r\n")));
  EXPECT_THAT(
      raw("MESSAGE x\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n"
          "CSeq: 1 MESSAGE\r\n\r\n"),
      testing::AllOf(HasSubstr("SIP/2.0 400 "), HasSubstr("Content-Length"), testing::EndsWith("EOF")));
  EXPECT_EQ(raw(std::string(70000, 'x')), "EOF");
}

TEST_F(SipEndpoint, WorksOctetByOctet) {
  network.deliver_in_single_octets = true;
  open();
  ask(*a, message(), to_b);
  network.run();
  EXPECT_THAT(statuses, ElementsAre(200));
}

TEST_F(SipEndpoint, WithoutItsRulesTreatsTheStreamOtherwise) {
  const auto b_without = [&](Rule rule) {
    a.reset();
    b.reset();
    network.run();
    EndpointConfig config;
    config.departures = Departures::waiving({rule});
    open({}, config);
  };
  const std::string dialog = "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n";
  const auto bad = "MESSAGE sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\n" + dialog +
                   "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
  const auto bad_ack = "ACK sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\n" + dialog +
                       "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
  b_without(Rule::bad_request_is_answered);
  EXPECT_EQ(raw(bad), "");
  b_without(Rule::keep_alive_is_answered);
  EXPECT_THAT(raw(bad + "\r\n\r\n"), testing::Not(testing::EndsWith("\r\n\r\n\r\n")));
  EXPECT_EQ(raw(bad_ack), "");
  b_without(Rule::ack_is_never_answered);
  EXPECT_THAT(raw(bad_ack), HasSubstr("SIP/2.0 400 "));
  b_without(Rule::stream_without_boundaries_is_closed);
  EXPECT_EQ(raw(std::string(70000, 'x')), "");
}

TEST_F(SipEndpoint, WithoutItsRulesTreatsTransactionsOtherwise) {
  const auto a_without = [&](Rule rule) {
    EndpointConfig config;
    config.departures = Departures::waiving({rule});
    a.reset();
    b.reset();
    network.run();
    statuses.clear();
    open(config, {});
  };
  const auto octets = [](const std::string& head, const std::string& cseq) {
    return head + "\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK7\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n" +
           "Call-ID: 1\r\nCSeq: " + cseq + "\r\nContent-Length: 0\r\n\r\n";
  };
  const auto to_a = [&](const std::string& text) {
    Raw peer;
    host_b.send(host_b.connect(peer, {"127.0.0.1", 5061}), text);
    network.run();
    host_b.forget(peer);
  };
  for (const bool kept : {true, false}) {
    a_without(kept ? Rule::keep_alive_is_answered : Rule::answer_matches_a_request);
    owner_b.status = 0;
    ask(*a, message(), to_b);
    network.run();
    to_a(octets("SIP/2.0 404 Not Found", "1 MESSAGE"));
    EXPECT_EQ(statuses.size(), kept ? 0U : 1U);
  }
  for (const bool kept : {true, false}) {
    a_without(kept ? Rule::keep_alive_is_answered : Rule::repeated_request_is_absorbed);
    owner_a.status = 0;
    owner_a.seen.clear();
    to_a(octets("OPTIONS sip:x SIP/2.0", "1 OPTIONS") + octets("OPTIONS sip:x SIP/2.0", "1 OPTIONS"));
    EXPECT_EQ(owner_a.seen.size(), kept ? 1U : 2U);
    ask(*a, message("CANCEL"), to_b);
    network.run();
    EXPECT_EQ(failures.size(), 1U) << "nothing to cancel";
    failures.clear();
  }
  const auto connections = [&](Rule rule) {
    a_without(rule);
    owner_b.status = 200;
    ask(*a, message("MESSAGE", 1), to_b);
    network.run();
    const auto first = owner_b.source;
    ask(*a, message("MESSAGE", 2), to_b);
    network.run();
    return owner_b.source == first ? 1 : 2;
  };
  EXPECT_EQ(connections(Rule::keep_alive_is_answered), 1);
  EXPECT_EQ(connections(Rule::connection_is_reused), 2);
}

struct SipEndpointTls : SipEndpoint, testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(Kinds, SipEndpointTls, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "openssl" : "paper"; });

TEST_P(SipEndpointTls, JudgesChainAndName) {
  const auto authority =
      GetParam() ? tls::make_openssl_authority(host_a.wall_clock()) : tls::make_paper_authority(host_a.wall_clock());
  const auto issue = [&](const std::string& name, tls::Flaw flaw) {
    return authority->issue({{{tls::NameKind::dns, name}}, "", flaw, true});
  };
  struct Row {
    std::string name;
    tls::Flaw flaw;
    std::string wanted;
    bool works;
    Rule rule;  ///< without which it works, too
  };
  for (auto row : {Row{"b.example", tls::Flaw::none, "b.example", true, Rule::certificate_is_judged},
                   Row{"b.example", tls::Flaw::none, "c.example", false, Rule::certificate_speaks_for_the_domain},
                   Row{"b.example", tls::Flaw::unknown_root, "b.example", false, Rule::chain_is_trusted},
                   Row{"*.example", tls::Flaw::none, "b.example", false, Rule::wildcards_speak_for_nobody}})
    for (const bool kept : {true, false}) {
      row.works |= !kept;
      statuses.clear();
      failures.clear();
      EndpointConfig config_a, config_b;
      config_a.identity = issue("a.example", tls::Flaw::none);
      config_b.identity = issue(row.name, row.flaw);
      if (!kept) config_a.departures = Departures::waiving({row.rule});
      a.reset();
      b.reset();
      network.run();
      open(config_a, config_b);
      to_b.tls_name = row.wanted;
      ask(*a, message(), to_b);
      network.run();
      EXPECT_EQ(statuses.size(), row.works ? 1U : 0U) << row.name << ' ' << row.wanted;
      EXPECT_EQ(failures.size(), row.works ? 0U : 1U) << row.name << ' ' << row.wanted;
      if (!row.works) continue;
      EXPECT_TRUE(b->peer_has_name(owner_b.source, "a.example"));
      EXPECT_FALSE(b->peer_has_name(owner_b.source, "z.example"));
    }
}

TEST_P(SipEndpointTls, AsksForACertificateWhereTlsIsMutual) {
  const auto authority =
      GetParam() ? tls::make_openssl_authority(host_a.wall_clock()) : tls::make_paper_authority(host_a.wall_clock());
  EndpointConfig config_a, config_b;
  config_a.identity = authority->issue({{{tls::NameKind::dns, "a.example"}}, "", tls::Flaw::no_certificate, true});
  config_b.identity = authority->issue({{{tls::NameKind::dns, "b.example"}}, "", tls::Flaw::none, true});
  for (const bool mutual : {true, false}) {
    config_b.mutual_tls = mutual;
    a.reset();
    b.reset();
    network.run();
    open(config_a, config_b);
    ask(*a, message(), to_b);
    network.run();
    EXPECT_EQ(statuses.size(), mutual ? 0U : 1U);
    EXPECT_EQ(failures.size(), 1U);
  }
  config_b.mutual_tls = true;
  config_b.departures = Departures::waiving({Rule::peer_shows_a_certificate});
  a.reset();
  b.reset();
  network.run();
  open(config_a, config_b);
  ask(*a, message(), to_b);
  network.run();
  EXPECT_EQ(statuses.size(), 2U);
}

}  // namespace
}  // namespace cutover::sip
