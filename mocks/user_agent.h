// The user agent of a SIP user: registered with a pool, it makes requests and answers outside and inside dialogs
// (RFC 3261 sections 8, 10 and 12).
#pragma once

#include "mocks/routing.h"
#include "protocol/sip/endpoint.h"

#include <functional>

namespace cutover::mocks {

struct SipUserSettings {
  std::string name;  ///< the user part
  std::string domain;
  std::shared_ptr<const tls::Identity> identity;
  SipPeer pool;  ///< the home pool
};

/// One dialog, seen from this side.
struct SipDialog {
  std::string call_id, local_tag, remote_tag, remote_uri, remote_target;
  std::vector<std::string> routes;
  std::uint32_t cseq = 0;
  bool confirmed = false;

  /// Of a request that came.
  [[nodiscard]] static SipDialog accepted(const sip::Message& request, const std::string& local_tag);
  /// Of a request that is sent; to be confirmed by its answer.
  [[nodiscard]] static SipDialog begun(const sip::Message& request);
  void confirm(const sip::Message& response);
};

class UserAgent {
 public:
  using OnResponse = sip::Endpoint::OnResponse;
  using OnFailure = sip::Endpoint::OnFailure;

  /// Registers at once. `seen` gets every response before anybody else.
  UserAgent(SipUserSettings, Context&, sip::EndpointOwner&, OnResponse seen);

  /// Leaves the old pool first; see registered().
  void register_with(SipPeer pool);
  [[nodiscard]] bool registered() const { return registered_; }
  [[nodiscard]] std::string contact_uri() const;
  [[nodiscard]] std::string token();

  /// A request outside a dialog, with To, From, Call-ID and CSeq.
  [[nodiscard]] sip::Message request(const std::string& method, const std::string& to_uri);
  /// The next request of a dialog.
  [[nodiscard]] sip::Message request_in(SipDialog&, const std::string& method) const;
  void transmit(sip::Message, OnResponse = {}, OnFailure = {});
  /// The ACK for the 2xx to the INVITE that began the dialog.
  void acknowledge(SipDialog);
  void respond(sip::TransactionId transaction, const sip::Message& response);

 private:
  [[nodiscard]] sip::Endpoint::Destination pool() const;
  void send_register(int expires_s, std::function<void()> then);

  SipUserSettings settings_;
  std::string uri_;
  Context& context_;
  OnResponse seen_;
  sip::Endpoint endpoint_;  ///< never opened: requests come over the registration
  bool registered_ = false;
  std::uint64_t tokens_ = 0;
  std::uint32_t cseq_ = 0;
};

}  // namespace cutover::mocks
