// What the rewrites of SIP messages put on the wire.
#include "departures/table.h"
#include "protocol/sip/endpoint.h"
#include "protocol/sip/test_network.h"

#include <gmock/gmock.h>

namespace cutover::departures {
namespace {

using sip::Message;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Answers every request with 200.
struct Answerer final : sip::EndpointOwner {
  sip::Endpoint* endpoint = nullptr;
  void on_request(sip::TransactionId id, const Message& request, ConnectionId) override {
    if (id != sip::TransactionId::none) endpoint->respond(id, sip::response_to(request, 200, "", "t"));
  }
};

/// Listens, and keeps what it hears.
struct Listener final : Actor {
  std::string heard;
  void on_received(ConnectionId, std::string_view octets) override { heard += octets; }
};

struct SipDepartures : testing::Test {
  TestNetwork network;
  TestNetwork::Host& host = network.host("127.0.0.1");
  TestNetwork::Host& other = network.host("127.0.0.2");
  Answerer owner;

  static Message message() {
    Message message;
    message.method = "MESSAGE";
    message.request_uri = "sip:juliet@b.example";
    message.add_header("From", "<sip:romeo@a.example>;tag=1");
    message.add_header("To", "<sip:juliet@b.example>");
    message.add_header("Call-ID", "c1");
    message.add_header("CSeq", "7 MESSAGE");
    message.add_header("Content-Type", "text/plain");
    message.body = "hello";
    return message;
  }

  /// What goes over the wire of an endpoint with the departure: a request of its own, and its answer to one.
  std::string said(const std::string& name) {
    sip::EndpointConfig config;
    config.departures = Planted({name}).at(gateway);
    sip::Endpoint endpoint(host, config, owner);
    owner.endpoint = &endpoint;
    endpoint.open();
    Listener listener;
    other.listen(listener, 5061);
    endpoint.request(message(), {{"127.0.0.2", 5061}, ConnectionId::none, ""}, {}, {});
    auto request = message();
    request.add_header("Via", "SIP/2.0/TCP 127.0.0.2:5061;branch=z9hG4bK1");
    other.send(other.connect(listener, {"127.0.0.1", 5061}), sip::serialise(request));
    network.run();
    other.forget(listener);
    return listener.heard;
  }
};

TEST_F(SipDepartures, show_on_the_wire) {
  EXPECT_THAT(said("sip.no-content-length"), Not(HasSubstr("Content-Length")));
  EXPECT_THAT(said("sip.content-length-too-small"),
              AllOf(HasSubstr("Content-Length: 1\r\n"), HasSubstr("Content-Length: 0\r\n")));
  EXPECT_THAT(said("sip.never-counts-cseq"), AllOf(HasSubstr("CSeq: 1 MESSAGE"), HasSubstr("CSeq: 7 MESSAGE")));
  EXPECT_THAT(said("sip.response-without-to-tag"), Not(HasSubstr("tag=t")));
  EXPECT_THAT(said("sip.response-with-wrong-cseq"), HasSubstr("CSeq: 8 MESSAGE"));
  EXPECT_THAT(said("sip.response-with-wrong-call-id"), HasSubstr("Call-ID: c1x"));
}

}  // namespace
}  // namespace cutover::departures
