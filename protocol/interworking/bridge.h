// A translator with its SIP side: the part that the gateways of both shapes share. The XMPP side is its owner's.
#pragma once

#include "protocol/interworking/translator.h"
#include "protocol/sip/endpoint.h"

#include <functional>
#include <memory>

namespace cutover::interworking {

class Bridge final : public Actor, public sip::EndpointOwner {
 public:
  using SendStanzaTo = std::function<void(xml::Element)>;
  /// `send` gets every stanza for a partner; it must not call back into the bridge, except on_undeliverable.
  Bridge(Context& context, sip::EndpointConfig endpoint, Settings settings, sip::Endpoint::Destination next_hop,
         SendStanzaTo send);
  ~Bridge() override;

  /// Starts to listen for SIP. Throws ListenError.
  void open();
  void stop_accepting();
  /// Where requests go from now on.
  void set_next_hop(sip::Endpoint::Destination next_hop) { next_hop_ = std::move(next_hop); }

  void on_stanza(const xml::Element& stanza, std::string_view sender_domain);
  void on_undeliverable(const xml::Element& stanza, std::string_view condition);
  [[nodiscard]] Translator& translator() { return translator_; }
  [[nodiscard]] sip::Endpoint& endpoint() { return *endpoint_; }

  void on_request(sip::TransactionId id, const sip::Message& request, ConnectionId source) override;
  void on_wake() override;

 private:
  void pump();
  void transmit(SendRequest request);

  Context& context_;
  Translator translator_;
  sip::Endpoint::Destination next_hop_;
  SendStanzaTo send_;
  std::unique_ptr<sip::Endpoint> endpoint_;
  bool pumping_ = false;
};

}  // namespace cutover::interworking
