// Real TLS: OpenSSL between two memory BIOs, verified softly. The only user of OpenSSL's SSL API.
#include "protocol/base/check.h"
#include "protocol/tls/identity.h"
#include "protocol/tls/openssl_identity.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <map>
#include <mutex>
#include <utility>

namespace cutover::tls {
namespace {

using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

int number_of(Version version) {
  switch (version) {
    case Version::tls1_0:
      return TLS1_VERSION;
    case Version::tls1_1:
      return TLS1_1_VERSION;
    case Version::tls1_2:
      return TLS1_2_VERSION;
    case Version::tls1_3:
      break;
  }
  return TLS1_3_VERSION;
}

class OpensslSession final : public Session {
 public:
  /// `known`: intermediates that a peer may have left out.
  OpensslSession(SSL_CTX* context, Role role, const SessionOptions& options, std::time_t wall_clock,
                 std::vector<std::shared_ptr<X509>> known)
      : ssl_(SSL_new(context)),
        role_(role),
        in_(BIO_new(BIO_s_mem())),
        out_(BIO_new(BIO_s_mem())),
        known_(std::move(known)) {
    CUTOVER_CHECK(ssl_ != nullptr && in_ != nullptr && out_ != nullptr);
    SSL_set_bio(ssl_.get(), in_, out_);  // takes both
    SSL_set_app_data(ssl_.get(), this);
    if (wall_clock != 0) X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_.get()), wall_clock);
    for (const std::string& protocol : options.alpn) {
      if (!protocol.empty() && protocol.size() < 256) (alpn_ += static_cast<char>(protocol.size())) += protocol;
    }
    SSL_set_min_proto_version(ssl_.get(), number_of(options.oldest));
    SSL_set_max_proto_version(ssl_.get(), number_of(options.newest));
    if (options.oldest < Version::tls1_2) SSL_set_security_level(ssl_.get(), 0);  // they sign with SHA-1
    role == Role::client ? prepare_client(options) : prepare_server(options);
  }

  void put_cipher(std::string_view octets) override {
    if (!failure_.empty() || peer_closed_) return;  // nobody reads any more; a peer that goes on must cost nothing
    BIO_write(in_, octets.data(), static_cast<int>(octets.size()));
  }

  std::string take_cipher() override {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out_, &data);
    std::string octets(data, static_cast<std::size_t>(size));
    (void)BIO_reset(out_);
    return octets;
  }

  Progress handshake() override {
    if (established_) return Progress::established;
    if (!failure_.empty()) return Progress::failed;
    ERR_clear_error();  // the queue is the thread's: another session's error would be read as ours
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) {
      note_error(result);
      return failure_.empty() ? Progress::wants_input : Progress::failed;
    }
    established_ = true;
    if (!early_.empty()) write(std::exchange(early_, {}));
    return Progress::established;
  }

  std::string read() override {
    std::string plain;
    if (!established_ || !failure_.empty()) return plain;
    std::array<char, 4096> buffer;  // NOLINT(*-member-init): to fill it would cost as much as to decrypt a stanza
    std::size_t size = 0;
    ERR_clear_error();
    while (BIO_ctrl_pending(in_) != 0 || SSL_has_pending(ssl_.get()) == 1) {
      const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
      if (result != 1) {
        note_error(result);
        break;
      }
      plain.append(buffer.data(), size);
    }
    return plain;
  }

  void write(std::string_view plain) override {
    if (plain.empty() || !failure_.empty()) return;
    if (!established_) {
      early_ += plain;
      return;
    }
    std::size_t size = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &size);
    if (result != 1 && !closed_) note_error(result);
  }

  void close() override {
    closed_ = true;
    if (!failure_.empty()) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  bool peer_closed() const override { return peer_closed_; }
  std::string failure() const override { return failure_; }

  std::optional<PeerCertificate> peer_certificate() const override {
    const Certificate certificate(SSL_get1_peer_certificate(ssl_.get()));
    if (!certificate) return std::nullopt;
    PeerCertificate facts = facts_of(certificate.get());
    facts.chain_error = chain_error_;
    facts.intermediate_missing = unknown_issuer_ && whole_with_known(certificate.get());
    // RFC 6120 section 13.7.1.1: not with cA set to TRUE. OpenSSL does not mind.
    if (facts.chain_error.empty() && (X509_get_extension_flags(certificate.get()) & EXFLAG_CA) != 0) {
      facts.chain_error = "CA certificate used as an end entity's";
    }
    facts.chain_valid = facts.chain_error.empty();
    return facts;
  }

  std::string version() const override { return SSL_get_version(ssl_.get()); }

  std::string cipher_suite() const override {
    const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get());
    return cipher != nullptr ? SSL_CIPHER_standard_name(cipher) : "";
  }

  std::string alpn() const override {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return name != nullptr ? std::string(reinterpret_cast<const char*>(name), size) : std::string();
  }

  std::string server_name() const override {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : "";
  }

  // Judge afterwards: with dialback a bad certificate is no reason to end the session.
  static int verify(int good, X509_STORE_CTX* store) {
    if (good == 1) return 1;
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    static_cast<OpensslSession*>(SSL_get_app_data(ssl))->note_chain_error(store);
    return 1;
  }

  static int select_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                         unsigned offered_size, void*) {
    const std::string& accepted = static_cast<OpensslSession*>(SSL_get_app_data(ssl))->alpn_;
    if (accepted.empty()) return SSL_TLSEXT_ERR_NOACK;
    unsigned char* chosen = nullptr;
    const int result = SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(accepted.data()),
                                             static_cast<unsigned>(accepted.size()), offered, offered_size);
    *out = chosen;
    // RFC 7301 section 3.2: no common protocol is fatal.
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

 private:
  void prepare_client(const SessionOptions& options) {
    SSL_set_connect_state(ssl_.get());
    SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, verify);
    if (const auto name = ascii_domain(options.server_name)) SSL_set_tlsext_host_name(ssl_.get(), name->c_str());
    if (!alpn_.empty()) {
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(alpn_.data()),
                          static_cast<unsigned>(alpn_.size()));
    }
  }

  void prepare_server(const SessionOptions& options) {
    SSL_set_accept_state(ssl_.get());
    const bool ask = options.request_client_certificate || options.require_client_certificate;
    const int must = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_set_verify(ssl_.get(), ask ? SSL_VERIFY_PEER | must : SSL_VERIFY_NONE, verify);
    if (!options.tickets) return;
    SSL_clear_options(ssl_.get(), SSL_OP_NO_TICKET);
    SSL_set_num_tickets(ssl_.get(), 2);
  }

  /// Whether the path would be whole with what we know beside what was sent.
  bool whole_with_known(X509* certificate) const {
    const std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>> look(X509_STORE_CTX_new());
    const std::unique_ptr<STACK_OF(X509), Freed<free_stack>> all(sk_X509_new_null());
    const auto* sent = SSL_get_peer_cert_chain(ssl_.get());
    for (int i = 0; i < sk_X509_num(sent); ++i) sk_X509_push(all.get(), sk_X509_value(sent, i));
    for (const auto& each : known_) sk_X509_push(all.get(), each.get());
    if (X509_STORE_CTX_init(look.get(), SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl_.get())), certificate, all.get()) !=
        1)
      return false;
    X509_STORE_CTX_set_verify_cb(look.get(), [](int good, X509_STORE_CTX* store) {
      const int error = X509_STORE_CTX_get_error(store);
      return good == 1 || (error != X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY &&
                           error != X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE)
                 ? 1
                 : 0;
    });
    const bool whole = X509_verify_cert(look.get()) == 1;
    ERR_clear_error();
    return whole;
  }
  static void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }

  void note_chain_error(X509_STORE_CTX* store) {
    const int error = X509_STORE_CTX_get_error(store);
    unknown_issuer_ |= error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    if (error == X509_V_ERR_INVALID_PURPOSE && role_ == Role::server && X509_STORE_CTX_get_error_depth(store) == 0) {
      // Public authorities drop clientAuth: serverAuth is enough for the client of a server-to-server stream.
      const std::uint32_t uses = X509_get_extended_key_usage(X509_STORE_CTX_get_current_cert(store));
      if (uses != UINT32_MAX && (uses & XKU_SSL_SERVER) != 0) return;
    }
    if (chain_error_.empty()) chain_error_ = X509_verify_cert_error_string(error);
    ERR_clear_error();  // of a signature that was not good: SSL_get_error would take it for the handshake's
  }

  void note_error(int result) {
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
    if (error == SSL_ERROR_ZERO_RETURN) {
      peer_closed_ = true;
      if (!established_) failure_ = "closed during the handshake";
      return;
    }
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    if (failure_.empty()) failure_ = reason != nullptr ? reason : "protocol failure";
    ERR_clear_error();
  }

  std::unique_ptr<SSL, Freed<SSL_free>> ssl_;
  Role role_;
  BIO* in_;
  BIO* out_;
  const std::vector<std::shared_ptr<X509>> known_;
  bool unknown_issuer_ = false;
  std::string alpn_;   // length-prefixed names
  std::string early_;  // written before the handshake was over
  std::string failure_;
  std::string chain_error_;
  bool established_ = false;
  bool closed_ = false;
  bool peer_closed_ = false;
};

using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;

class OpensslIdentity final : public Identity {
 public:
  explicit OpensslIdentity(Credentials credentials) : credentials_(std::move(credentials)) {}

  bool has_certificate() const override { return credentials_.leaf != nullptr; }

  std::unique_ptr<Session> session(Role role, const SessionOptions& options) const override {
    const std::time_t wall_clock = options.wall_clock != 0 ? options.wall_clock : credentials_.wall_clock;
    return std::make_unique<OpensslSession>(context(role), role, options, wall_clock, credentials_.known);
  }

  std::shared_ptr<const Identity> reissued(void (*change)(CertificateRequest&)) const override {
    if (!credentials_.again) return nullptr;
    auto& made = reissued_[change];
    if (!made) made = make_openssl_identity(credentials_.again(change));
    return made;
  }

 private:
  // One context a role, made when first needed: it costs as much as a tenth of a handshake.
  SSL_CTX* context(Role role) const {
    PerRole& mine = role == Role::client ? client_ : server_;
    std::call_once(mine.once, [&] { mine.context = make_context(role); });
    return mine.context.get();
  }

  Context make_context(Role role) const {
    Context context(SSL_CTX_new(role == Role::client ? TLS_client_method() : TLS_server_method()));
    CUTOVER_CHECK(context != nullptr);
    SSL_CTX* const raw = context.get();
    if (credentials_.weak) SSL_CTX_set_security_level(raw, 0);
    // Without forward secrecy there is no suite in common (RFC 9325 section 4.1).
    CUTOVER_CHECK(SSL_CTX_set_cipher_list(raw, "DEFAULT:!kRSA") == 1);
    // Tickets carry the real time, so a run could not be replayed; resumption would also skip the certificates.
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_num_tickets(raw, 0);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(raw, OpensslSession::select_alpn, nullptr);
    if (credentials_.leaf) {
      CUTOVER_CHECK(SSL_CTX_use_certificate(raw, credentials_.leaf.get()) == 1);
      CUTOVER_CHECK(SSL_CTX_use_PrivateKey(raw, credentials_.key.get()) == 1);
    }
    SSL_CTX_set_mode(raw, SSL_MODE_NO_AUTO_CHAIN);  // send what was asked for: a missing intermediate stays missing
    for (const auto& each : credentials_.chain) CUTOVER_CHECK(SSL_CTX_add1_chain_cert(raw, each.get()) == 1);
    for (const auto& each : credentials_.roots) X509_STORE_add_cert(SSL_CTX_get_cert_store(raw), each.get());
    if (credentials_.system_roots) SSL_CTX_set_default_verify_paths(raw);
    ERR_clear_error();
    return context;
  }

  struct PerRole {
    std::once_flag once;
    Context context;
  };
  Credentials credentials_;
  mutable PerRole client_, server_;
  mutable std::map<void (*)(CertificateRequest&), std::shared_ptr<const Identity>> reissued_;
};

}  // namespace

std::shared_ptr<const Identity> make_openssl_identity(Credentials credentials) {
  return std::make_shared<const OpensslIdentity>(std::move(credentials));
}

}  // namespace cutover::tls
