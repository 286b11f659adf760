// TLS that is agreed upon otherwise than it should be: hellos that are forged, and handshakes that fail otherwise.
#include "departures/rows.h"
#include "departures/tls_passed_on.h"
#include "protocol/tls/hello.h"
#include "protocol/xmpp/stream.h"

#include <algorithm>
#include <utility>

namespace cutover::departures {

namespace {

using tls::ClientHello;
using tls::ServerHello;
using xmpp::StreamConfig;

/// What a server answers to a hello instead of what it should; nothing: what it should.
using Forged = std::optional<ServerHello> (*)(const ClientHello&);
/// What a client says instead of its hello.
using Changed = void (*)(ClientHello&);

class ForgingSession final : public PassedOnSession {
 public:
  ForgingSession(std::unique_ptr<tls::Session> session, Forged forged)
      : PassedOnSession(std::move(session)), forged_(forged) {}
  void put_cipher(std::string_view octets) override {
    if (decided_) return PassedOnSession::put_cipher(octets);
    heard_ += octets;
    const auto hello = tls::read_client_hello(heard_);
    constexpr std::size_t hello_max_octets = 4096;
    if (!hello && heard_.size() < hello_max_octets && tls::may_begin_a_hello(heard_)) return;  // the network cut it
    decided_ = true;
    const auto answer = hello ? forged_(*hello) : std::nullopt;
    if (!answer) return PassedOnSession::put_cipher(heard_);
    answer_ = tls::write(*answer);
  }
  std::string take_cipher() override { return std::exchange(answer_, {}) + PassedOnSession::take_cipher(); }

 private:
  Forged forged_;
  bool decided_ = false;
  std::string heard_, answer_;
};

/// Its handshake leads nowhere: the peer hears another hello than was said.
class ChangingSession final : public PassedOnSession {
 public:
  ChangingSession(std::unique_ptr<tls::Session> session, Changed change)
      : PassedOnSession(std::move(session)), change_(change) {}
  std::string take_cipher() override {
    auto octets = PassedOnSession::take_cipher();
    auto hello = std::exchange(begun_, !octets.empty() || begun_) ? std::nullopt : tls::read_client_hello(octets);
    if (!hello) return octets;
    change_(*hello);
    return tls::write(*hello);
  }

 private:
  Changed change_;
  bool begun_ = false;
};

/// A handshake that fails, and what it leaves behind.
class FailingSession final : public PassedOnSession {
 public:
  FailingSession(std::unique_ptr<tls::Session> session, bool hides, std::string last)
      : PassedOnSession(std::move(session)), hides_(hides), last_(std::move(last)) {}
  tls::Progress handshake() override {
    const auto progress = PassedOnSession::handshake();
    failed_ = progress == tls::Progress::failed;
    return failed_ && hides_ ? tls::Progress::wants_input : progress;
  }
  std::string failure() const override { return hides_ ? std::string() : PassedOnSession::failure(); }
  std::string take_cipher() override {
    auto octets = PassedOnSession::take_cipher();
    if (failed_) octets += std::exchange(last_, {});
    return octets;
  }

 private:
  bool hides_, failed_ = false;
  std::string last_;
};

template <class Make>
void wrap(StreamConfig& config, xmpp::StreamRole role, Make make) {
  if (!config.identity || config.role != role || config.purpose == xmpp::StreamPurpose::trusted_link) return;
  config.identity = std::make_shared<PassedOnIdentity>(
      std::move(config.identity),
      [make](const tls::Identity& identity, tls::Role as, const tls::SessionOptions& options) {
        return std::unique_ptr<tls::Session>(make(identity.session(as, options)));
      });
}
template <Forged forged>
void answer(StreamConfig& config) {
  wrap(config, xmpp::StreamRole::receiving,
       [](auto session) { return std::make_unique<ForgingSession>(std::move(session), forged); });
}
template <Changed change>
void say(StreamConfig& config) {
  wrap(config, xmpp::StreamRole::initiating,
       [](auto session) { return std::make_unique<ChangingSession>(std::move(session), change); });
}

bool speaks_1_3(const ClientHello& hello) { return !hello.versions.empty(); }

std::optional<ServerHello> weak(const ClientHello& hello) {
  if (speaks_1_3(hello) || hello.version <= tls::ssl3 || !std::ranges::all_of(hello.suites, tls::is_weak_suite))
    return std::nullopt;
  return ServerHello{.suite = hello.suites.front()};
}
std::optional<ServerHello> static_rsa(const ClientHello& hello) {
  const auto suite = std::ranges::find_if(hello.suites, tls::is_static_rsa_suite);
  if (speaks_1_3(hello) || suite == hello.suites.end()) return std::nullopt;
  return ServerHello{.suite = *suite};
}
std::optional<ServerHello> ancient(const ClientHello& hello) {
  if (hello.version > tls::ssl3) return std::nullopt;
  return ServerHello{.version = tls::ssl3, .suite = hello.suites.front(), .renegotiation_info = false};
}
std::optional<ServerHello> compressed(const ClientHello& hello) {
  if (std::ranges::find(hello.compressions, 1) == hello.compressions.end()) return std::nullopt;
  return ServerHello{.suite = hello.suites.back(), .compression = 1};
}
std::optional<ServerHello> without_renegotiation_info(const ClientHello& hello) {
  if (speaks_1_3(hello) || !hello.renegotiation_info) return std::nullopt;
  return ServerHello{.suite = hello.suites.back(), .renegotiation_info = false};
}

void offer_rc4(ClientHello& hello) { hello.suites.push_back(0x0005); }
void offer_ssl(ClientHello& hello) { hello.version = tls::ssl2; }
void offer_compression(ClientHello& hello) { hello.compressions = {1, 0}; }
void leave_renegotiation_out(ClientHello& hello) {
  std::erase(hello.suites, 0x00FF);
  hello.renegotiation_info = false;
}

}  // namespace

std::vector<Row> tls_hellos() {
  std::vector<Row> rows{
      {"xmpp.weak-suites-taken", "takes cipher suites that do not encrypt, or authenticate nobody",
       "RFC9325-4.1-1 RFC6120-5.4.3.1-2 RFC7590-3-1", answer<weak>},
      {"xmpp.static-rsa-preferred", "takes a cipher suite without forward secrecy where a better one is offered",
       "RFC9325-4.1-3", answer<static_rsa>},
      {"xmpp.ssl-spoken", "speaks SSL 3.0 with who knows nothing better, in the form of SSL 2.0, too",
       "RFC7525-3.1.1-1 RFC6120-13.9.5-1 RFC7590-3-1", answer<ancient>},
      {"xmpp.tls-compressed", "compresses in TLS", "RFC7590-3-1", answer<compressed>},
      {"xmpp.renegotiation-unsafe", "does not say that it renegotiates safely", "RFC6120-5.3.5-1",
       answer<without_renegotiation_info>},
      {"xmpp.weak-suites-offered", "offers cipher suites that do not encrypt", "RFC9325-4.1-1 RFC7590-3-1",
       say<offer_rc4>},
      {"xmpp.ssl-offered", "calls in the form of SSL 2.0", "RFC7525-3.1.1-1 RFC6120-13.9.5-1 RFC7590-3-1",
       say<offer_ssl>},
      {"xmpp.compression-in-tls-offered", "offers to compress in TLS", "RFC7590-3-1", say<offer_compression>},
      {"xmpp.renegotiation-info-not-sent", "does not ask whether the peer renegotiates safely", "RFC6120-5.3.5-1",
       say<leave_renegotiation_out>},
      {"xmpp.open-after-tls-failure", "keeps the connection on which the handshake failed", "RFC6120-5.4.3.2-1",
       [](StreamConfig& config) {
         wrap(config, xmpp::StreamRole::receiving,
              [](auto session) { return std::make_unique<FailingSession>(std::move(session), true, ""); });
       }},
      {"xmpp.end-tag-after-tls-failure", "ends the stream by a tag in clear where the handshake failed",
       "RFC6120-5.4.3.2-2",
       [](StreamConfig& config) {
         wrap(config, xmpp::StreamRole::receiving, [](auto session) {
           return std::make_unique<FailingSession>(std::move(session), false, "</stream:stream>");
         });
       }},
  };
  for (auto& row : rows) row.nodes |= in_tls_of_front;
  return rows;
}

}  // namespace cutover::departures
