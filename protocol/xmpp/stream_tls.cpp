// TLS on a stream, and what the peer's certificate is worth: RFC 6120 sections 5.4.3 and 13.7.
#include "protocol/tls/identity.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/stream.h"

namespace cutover::xmpp {

namespace {

std::string words_of(const tls::Session& session, const std::optional<tls::PeerCertificate>& certificate) {
  std::string words = session.version() + " " + session.cipher_suite();
  if (!session.server_name().empty()) words += ", SNI " + session.server_name();
  if (!session.alpn().empty()) words += ", ALPN " + session.alpn();
  if (!certificate) return words + ", no certificate from the peer";
  words += ", peer certificate";
  for (const auto& name : certificate->dns_names) words += " " + name;
  return words + (certificate->chain_valid ? ", valid chain" : ", invalid chain: " + certificate->chain_error);
}

}  // namespace

bool Stream::secured() const { return tls_ && handshake_done_; }

std::string Stream::tls_version() const { return secured() ? tls_->version() : std::string(); }

void Stream::start_tls() {
  state_ = StreamState::tls;
  if (!config_.identity) return tls_failed();
  tls::SessionOptions options;
  options.wall_clock = config_.wall_clock;
  options.require_client_certificate = trusted() && holds(Rule::link_is_proved);
  // SNI is the service domain, never the SRV target (XEP-0368, RFC 6125).
  options.server_name =
      config_.server_name.empty() ? domain_to_ascii(config_.remote_domain).value_or("") : config_.server_name;
  if (config_.direct_tls) options.alpn = {"xmpp-server"};
  in_.erase(0, at_);
  at_ = 0;
  tls_ = config_.identity->session(initiating() ? tls::Role::client : tls::Role::server, options);
  pump_tls();
}

void Stream::pump_tls() {
  if (!handshake_done_) {
    const auto progress = tls_->handshake();
    out_ += tls_->take_cipher();  // also where it failed: that is the alert
    if (progress == tls::Progress::failed) return tls_failed();
    if (progress == tls::Progress::wants_input) return;
    on_secured();
    if (finished()) return;
  }
  take_in(tls_->read());
  out_ += tls_->take_cipher();
  // TLS 1.3: a client hears only now that its certificate was refused.
  if (!tls_->failure().empty()) {
    parse();
    if (!finished()) tls_failed();
  }
}

void Stream::tls_failed() {
  const auto why = tls_ ? tls_->failure() : std::string("no TLS identity");
  note(Layer::tls, Direction::none, "TLS failed", why);
  push(StreamFailed{"tls-failure", why, false});
  failed_ = true;
  finish(false);  // RFC 6120 section 5.4.3.2: no end tag, only the end of the connection
}

void Stream::on_secured() {
  handshake_done_ = true;
  const auto certificate = tls_->peer_certificate();
  if (config_.note) note(Layer::tls, Direction::none, "TLS established", words_of(*tls_, certificate));
  push(Secured{tls_->version()});
  restart();
  if (breaks(Rule::link_is_proved, trusted() && !proves_link(certificate)))
    return fail("not-authorized", "the link needs a certificate that is trusted here");
  if (initiating()) put_header();
}

bool Stream::proves_link(const std::optional<tls::PeerCertificate>& certificate) const {
  if (!certificate || !certificate->chain_valid) return false;
  return config_.trusted_name.empty() || tls::covers(*certificate, config_.trusted_name);
}

bool Stream::lacks_proof(const PeerPolicy& policy, std::string_view domain) const {
  return breaks(Rule::proof_by_policy, secured() && policy.proof_needed && !certificate_authenticates(domain));
}

bool Stream::certificate_authenticates(std::string_view domain) const {
  if (!secured()) return false;
  const auto certificate = tls_->peer_certificate();
  if (!certificate) return !holds(Rule::certificate_is_presented);
  if (breaks(Rule::chain_is_valid, !certificate->chain_valid)) return false;
  return !breaks(Rule::certificate_covers_the_domain, !tls::covers(*certificate, domain));
}

}  // namespace cutover::xmpp
