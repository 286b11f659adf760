// The four machines of RFC 3261 section 17 in virtual time.
#include "protocol/sip/transaction.h"

#include <gtest/gtest.h>

namespace cutover::sip {
namespace {

constexpr Time start{1us};

Message request(const std::string& method) {
  Message message;
  message.method = method;
  message.request_uri = "sip:juliet@a.example";
  message.add_header("Via", "SIP/2.0/TLS b.example:5061;branch=z9hG4bKx");
  message.add_header("Route", "<sip:p.example;lr>");
  message.add_header("From", "<sip:romeo@b.example>;tag=1");
  message.add_header("To", "<sip:juliet@a.example>");
  message.add_header("Call-ID", "c1");
  message.add_header("CSeq", "7 " + method);
  return message;
}

Message answer(const std::string& method, int status) { return response_to(request(method), status, "", "t"); }

TEST(SipClientTransaction, GivesUpAfter32Seconds) {
  for (const std::string method : {"MESSAGE", "INVITE"}) {
    ClientTransaction transaction(request(method), start);
    EXPECT_FALSE(transaction.timeout(start + 32s - 1ns).failure);
    EXPECT_EQ(transaction.timeout(start + 32s).failure, TransactionFailure::timed_out);
    EXPECT_EQ(transaction.state(), TransactionState::terminated);
    EXPECT_FALSE(transaction.timeout(start + 33s).failure);
  }
}

TEST(SipClientTransaction, AProvisionalAnswerStopsTimerBButNotTimerF) {
  ClientTransaction invite(request("INVITE"), start);
  EXPECT_EQ(invite.receive(answer("INVITE", 180), start + 1s).to_user.size(), 1U);
  EXPECT_FALSE(invite.deadline());
  ClientTransaction message(request("MESSAGE"), start);
  EXPECT_EQ(message.receive(answer("MESSAGE", 100), start + 1s).to_user.size(), 1U);
  EXPECT_EQ(message.deadline(), start + 32s);
}

TEST(SipClientTransaction, AcknowledgesARefusalItself) {
  ClientTransaction transaction(request("INVITE"), start);
  const auto out = transaction.receive(answer("INVITE", 486), start);
  ASSERT_EQ(out.to_transport.size(), 1U);
  const auto& ack = out.to_transport[0];
  EXPECT_EQ(ack.method, "ACK");
  EXPECT_EQ(ack.header_or_empty("CSeq"), "7 ACK");
  EXPECT_EQ(ack.header_or_empty("Route"), "<sip:p.example;lr>");
  EXPECT_EQ(ack.to()->tag(), "t");
  EXPECT_EQ(branch_of(ack), "z9hG4bKx");
  EXPECT_EQ(transaction.state(), TransactionState::terminated);
}

TEST(SipClientTransaction, PassesEvery2xxUntilTimerM) {
  ClientTransaction transaction(request("INVITE"), start);
  EXPECT_EQ(transaction.receive(answer("INVITE", 200), start).to_user.size(), 1U);
  EXPECT_EQ(transaction.receive(answer("INVITE", 200), start + 1s).to_user.size(), 1U);
  EXPECT_TRUE(transaction.receive(answer("INVITE", 486), start + 1s).to_user.empty());
  EXPECT_FALSE(transaction.timeout(start + 32s).failure);
  EXPECT_TRUE(transaction.receive(answer("INVITE", 200), start + 33s).to_user.empty());
}

TEST(SipClientTransaction, FailsWithItsTransportOnce) {
  ClientTransaction transaction(request("MESSAGE"), start);
  EXPECT_EQ(transaction.transport_failed().failure, TransactionFailure::transport_failed);
  EXPECT_FALSE(transaction.transport_failed().failure);
  ClientTransaction accepted(request("INVITE"), start);
  (void)accepted.receive(answer("INVITE", 200), start);
  EXPECT_FALSE(accepted.transport_failed().failure);
}

TEST(SipServerTransaction, AnInviteThatWaitsIsTold100) {
  ServerTransaction transaction(request("INVITE"), start);
  EXPECT_TRUE(transaction.timeout(start + 199ms).to_transport.empty());
  const auto out = transaction.timeout(start + 200ms);
  ASSERT_EQ(out.to_transport.size(), 1U);
  EXPECT_EQ(out.to_transport[0].status, 100);
  EXPECT_EQ(out.to_transport[0].to()->tag(), "");
  EXPECT_FALSE(transaction.deadline());
}

TEST(SipServerTransaction, ARefusalWaits32SecondsForItsAck) {
  ServerTransaction transaction(request("INVITE"), start);
  EXPECT_EQ(transaction.respond(answer("INVITE", 486), start).to_transport.size(), 1U);
  EXPECT_EQ(transaction.receive(request("INVITE"), start).to_transport.size(), 1U);
  EXPECT_TRUE(transaction.respond(answer("INVITE", 200), start).to_transport.empty());
  EXPECT_FALSE(transaction.receive(request("ACK"), start).to_user);
  EXPECT_EQ(transaction.state(), TransactionState::terminated);
  ServerTransaction lonely(request("INVITE"), start);
  (void)lonely.respond(answer("INVITE", 486), start);
  (void)lonely.timeout(start + 32s);
  EXPECT_EQ(lonely.state(), TransactionState::terminated);
}

TEST(SipServerTransaction, After2xxItAbsorbsTheInviteAndPassesTheAck) {
  ServerTransaction transaction(request("INVITE"), start);
  (void)transaction.respond(answer("INVITE", 200), start);
  EXPECT_EQ(transaction.state(), TransactionState::accepted);
  EXPECT_TRUE(transaction.receive(request("INVITE"), start).to_transport.empty());
  EXPECT_TRUE(transaction.receive(request("ACK"), start).to_user);
  EXPECT_EQ(transaction.respond(answer("INVITE", 200), start).to_transport.size(), 1U);
}

TEST(SipServerTransaction, ANonInviteEndsWithItsAnswerUnlessTimerJIsGiven) {
  ServerTransaction transaction(request("MESSAGE"), start);
  EXPECT_EQ(transaction.respond(answer("MESSAGE", 200), start).to_transport.size(), 1U);
  EXPECT_EQ(transaction.state(), TransactionState::terminated);
  ServerTransaction absorbing(request("MESSAGE"), start, {.completed = 32s});
  (void)absorbing.respond(answer("MESSAGE", 200), start);
  EXPECT_EQ(absorbing.receive(request("MESSAGE"), start + 1s).to_transport.size(), 1U);
  (void)absorbing.timeout(start + 32s);
  EXPECT_EQ(absorbing.state(), TransactionState::terminated);
}

TEST(SipTransaction, WithoutItsRulesActsOtherwise) {
  const auto client = [](const std::string& method, Rule rule) {
    return ClientTransaction(request(method), start, {}, Departures::waiving({rule}));
  };
  EXPECT_FALSE(client("MESSAGE", Rule::silence_has_an_end).deadline());
  auto ringing = client("INVITE", Rule::ringing_has_no_end);
  (void)ringing.receive(answer("INVITE", 180), start);
  EXPECT_EQ(ringing.timeout(start + 32s).failure, TransactionFailure::timed_out);
  EXPECT_FALSE(client("MESSAGE", Rule::lost_connection_is_told).transport_failed().failure);
  auto refused = client("INVITE", Rule::refusal_is_acknowledged);
  EXPECT_TRUE(refused.receive(answer("INVITE", 486), start).to_transport.empty());

  const auto server = [](const std::string& method, Rule rule) {
    return ServerTransaction(request(method), start, {.completed = 32s}, Departures::waiving({rule}));
  };
  auto repeated = server("MESSAGE", Rule::last_answer_is_repeated);
  (void)repeated.respond(answer("MESSAGE", 200), start);
  EXPECT_TRUE(repeated.receive(request("MESSAGE"), start).to_transport.empty());
  auto absorbing = server("INVITE", Rule::accepted_invite_is_absorbed);
  (void)absorbing.respond(answer("INVITE", 200), start);
  EXPECT_EQ(absorbing.receive(request("INVITE"), start).to_transport.size(), 1U);
}

TEST(SipTransactionKeys, AnAckFindsItsInviteAndACancelToo) {
  auto ack = request("INVITE");
  ack.method = "ACK";
  EXPECT_EQ(server_key(ack), server_key(request("INVITE")));
  auto cancel = request("CANCEL");
  EXPECT_EQ(cancelled_key(cancel), server_key(request("INVITE")));
  EXPECT_NE(server_key(cancel), server_key(request("INVITE")));
  auto other = request("MESSAGE");
  other.set_header("Via", "SIP/2.0/TLS c.example:5061;branch=z9hG4bKx");
  EXPECT_NE(server_key(other), server_key(request("MESSAGE")));
}

}  // namespace
}  // namespace cutover::sip
