// A SIP peer by hand in the place of the pool: the next hop of the gateway, and connections of its own to it.
#pragma once

#include "mocks/raw_peer.h"
#include "protocol/sip/framing.h"
#include "suites/support/federated.h"

#include <deque>

namespace cutover::suites {

/// What SipByHand::connect() is a precondition of.
inline constexpr char connected[] = "the gateway takes a connection of the pool";

/// The gateway sends what is for our users to it, from the moment that it is made; alice's own messages still come to
/// the gateway through the real pool.
class SipByHand {
 public:
  /// The name that the gateway expects there.
  static constexpr char host[] = "by-hand.contoso.example";

  static constexpr int by_hand = 210;  ///< a host of the world that no deployment has

  explicit SipByHand(Federated&);
  /// Another certificate for the gateway when it connects; what is connected ends.
  void show(const tls::CertificateRequest& shows);

  // To the gateway, on the connection that connect() opened last.
  /// A connection with that certificate; whether TLS came about.
  [[nodiscard]] bool connect(const tls::CertificateRequest& shows);
  [[nodiscard]] bool connect() { return connect(certificate()); }
  /// A good one, but for the flaw.
  [[nodiscard]] static tls::CertificateRequest certificate(const std::string& name = host,
                                                           tls::Flaw flaw = tls::Flaw::none);
  [[nodiscard]] mocks::RawConnection& wire() { return *wire_; }
  void say(std::string_view octets) { wire_->send(octets); }
  void say(const sip::Message& message) { say(sip::serialise(message)); }
  /// A request of alice's to `uri`, outside of a dialog, with whatever a request needs, and a branch of its own.
  [[nodiscard]] sip::Message request(const std::string& method, const std::string& uri, const std::string& body = {});
  /// An INVITE of alice's to romeo that offers text.
  [[nodiscard]] sip::Message invite();
  /// The next request, or the ACK, in the dialog that `accepted`, the answer to `invite`, made.
  [[nodiscard]] sip::Message in_dialog(const sip::Message& invite, const sip::Message& accepted,
                                       const std::string& method, const std::string& body = {});
  [[nodiscard]] std::string new_branch();

  // From the gateway, on whatever connection.
  /// The final answers to that request: by Call-ID and CSeq.
  [[nodiscard]] std::vector<sip::Message> answers(const sip::Message& request);
  /// What came of it: a status as a check tells it, "the connection closed", or "no answer". Waits.
  [[nodiscard]] std::string answer_to(const sip::Message& request);
  /// ... once it was said.
  [[nodiscard]] std::string said_and_answered(const sip::Message& request);
  /// The n-th request of that method that came; waits for it. Without method where it never came.
  [[nodiscard]] sip::Message asked(const std::string& method, std::size_t n = 1);
  [[nodiscard]] std::size_t requests(const std::string& method);
  /// Answers a request that came, on its connection. `change` adds to the answer.
  void answer(const sip::Message& request, int status, const std::function<void(sip::Message&)>& change = {});
  /// 200 to an INVITE with an answer that takes text, and nothing else where not told.
  void accept(const sip::Message& invite, const std::string& accept_types = "text/plain");
  /// Octets that came on the connection of connect() since it was opened.
  [[nodiscard]] std::string_view heard() const { return wire_->received_in_tls(); }
  [[nodiscard]] mocks::RawPeer& node() { return *node_; }
  [[nodiscard]] mocks::RawConnection& connection_of(const sip::Message& request);

 private:
  struct Heard {
    sip::Message message;
    mocks::RawConnection* connection = nullptr;
  };
  struct Reading {
    std::size_t read = 0;
    sip::Framer framer;
  };
  [[nodiscard]] const tls::Identity& issued(const tls::CertificateRequest&);
  const std::deque<Heard>& listen();
  [[nodiscard]] const Heard* find(const sip::Message& request);

  Federated& f_;
  std::vector<std::shared_ptr<const tls::Identity>> shown_;  ///< as long as connections
  mocks::RawPeer* node_ = nullptr;
  mocks::RawConnection* wire_ = nullptr;
  Endpoint gateway_;
  std::map<mocks::RawConnection*, Reading> readings_;
  std::deque<Heard> heard_;  ///< in the order in which it was read
  int made_ = 0;
};

}  // namespace cutover::suites
