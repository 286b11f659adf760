// TLS that passes everything on to what it wraps: a departure overrides what it does otherwise.
#pragma once

#include "protocol/tls/session.h"

#include <functional>
#include <utility>

namespace cutover::departures {

class PassedOnSession : public tls::Session {
 public:
  explicit PassedOnSession(std::unique_ptr<tls::Session> session) : session_(std::move(session)) {}
  void put_cipher(std::string_view octets) override { session_->put_cipher(octets); }
  std::string take_cipher() override { return session_->take_cipher(); }
  tls::Progress handshake() override { return session_->handshake(); }
  std::string read() override { return session_->read(); }
  void write(std::string_view plain) override { session_->write(plain); }
  void close() override { session_->close(); }
  [[nodiscard]] bool peer_closed() const override { return session_->peer_closed(); }
  [[nodiscard]] std::string failure() const override { return session_->failure(); }
  [[nodiscard]] std::optional<tls::PeerCertificate> peer_certificate() const override {
    return session_->peer_certificate();
  }
  [[nodiscard]] std::string version() const override { return session_->version(); }
  [[nodiscard]] std::string cipher_suite() const override { return session_->cipher_suite(); }
  [[nodiscard]] std::string alpn() const override { return session_->alpn(); }
  [[nodiscard]] std::string server_name() const override { return session_->server_name(); }

 private:
  std::unique_ptr<tls::Session> session_;
};

/// Makes sessions as `make` does, from the identity that it wraps.
class PassedOnIdentity final : public tls::Identity {
 public:
  using Make =
      std::function<std::unique_ptr<tls::Session>(const tls::Identity&, tls::Role, const tls::SessionOptions&)>;
  PassedOnIdentity(std::shared_ptr<const tls::Identity> identity, Make make)
      : identity_(std::move(identity)), make_(std::move(make)) {}
  [[nodiscard]] bool has_certificate() const override { return identity_->has_certificate(); }
  [[nodiscard]] std::unique_ptr<tls::Session> session(tls::Role role,
                                                      const tls::SessionOptions& options) const override {
    return make_(*identity_, role, options);
  }
  [[nodiscard]] std::shared_ptr<const tls::Identity> reissued(void (*change)(tls::CertificateRequest&)) const override {
    auto other = identity_->reissued(change);
    return other ? std::make_shared<PassedOnIdentity>(std::move(other), make_) : nullptr;
  }

 private:
  std::shared_ptr<const tls::Identity> identity_;
  Make make_;
};

}  // namespace cutover::departures
