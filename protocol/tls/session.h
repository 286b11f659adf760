// TLS as octets in and octets out: one session, real (OpenSSL on memory BIOs) or of paper.
#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::tls {

enum class Role { client, server };
enum class Version { tls1_0, tls1_1, tls1_2, tls1_3 };
struct CertificateRequest;

/// What a presented certificate says, and what its chain is worth.
struct PeerCertificate {
  std::vector<std::string> dns_names;   ///< dNSName, lower case, may hold a wildcard as the left-most label
  std::vector<std::string> srv_names;   ///< SRVName, "_xmpp-server.a.example" (RFC 4985)
  std::vector<std::string> xmpp_addrs;  ///< id-on-xmppAddr (RFC 6120 section 13.7.1.4)
  std::string common_name;
  std::string fingerprint;   ///< SHA-256 of the certificate as hex digits in small letters; empty for one of paper
  bool eku_present = false;  ///< it has an extended key usage; where not, every use is allowed
  bool eku_server = false;   ///< ... that lists serverAuth (or any)
  bool eku_client = false;   ///< ... that lists clientAuth (or any)
  /// Path, validity, extended key usage, and not itself a CA (RFC 6120 section 13.7.1.1). A client that shows
  /// serverAuth alone passes, because public authorities issue nothing else any more; eku_client tells.
  bool chain_valid = false;
  std::string chain_error;  ///< the first error in OpenSSL's words where chain_valid is false
  std::string issuer;       ///< the name of who signed it
  /// Nobody knows its issuer, but with an intermediate that we know and that was not sent the path would be whole.
  bool intermediate_missing = false;
  bool signs = true;            ///< it has no key usage, or one that allows signatures, as TLS wants them
  std::string key;              ///< "RSA of 1024 bits"; empty for one of paper
  bool weak_key = false;        ///< RSA below 2048 bits, a curve below 192 (RFC 7525 section 4.3)
  std::string signature;        ///< "sha1WithRSAEncryption"; empty for one of paper
  bool weak_signature = false;  ///< its digest is weaker than SHA-256
};

enum class Progress { wants_input, established, failed };

/// One end of one TLS session. Never throws for what the peer sends.
/// After every call, whatever it returned, take_cipher() must be drained: a failed handshake leaves its alert there.
class Session {
 public:
  virtual ~Session() = default;
  /// Octets from the network.
  virtual void put_cipher(std::string_view) = 0;
  /// Octets for the network.
  [[nodiscard]] virtual std::string take_cipher() = 0;
  /// Goes on with the handshake; idempotent once established or failed.
  virtual Progress handshake() = 0;
  /// Plaintext from the peer, all there is; also in the call after the one that finished the handshake.
  [[nodiscard]] virtual std::string read() = 0;
  virtual void write(std::string_view plain) = 0;
  /// Sends close_notify.
  virtual void close() = 0;
  /// The peer sent close_notify. An end of the connection without it is truncation (RFC 6120 section 4.4).
  [[nodiscard]] virtual bool peer_closed() const = 0;
  /// A fatal alert or protocol failure, in words; empty while there is none.
  [[nodiscard]] virtual std::string failure() const = 0;
  [[nodiscard]] virtual std::optional<PeerCertificate> peer_certificate() const = 0;
  [[nodiscard]] virtual std::string version() const = 0;  ///< "TLSv1.3", "paper"
  [[nodiscard]] virtual std::string cipher_suite() const = 0;
  [[nodiscard]] virtual std::string alpn() const = 0;         ///< negotiated protocol, empty for none
  [[nodiscard]] virtual std::string server_name() const = 0;  ///< SNI that the client sent
};

/// What one end of a session asks for beyond its credentials.
struct SessionOptions {
  std::string server_name;        ///< client: SNI; the service domain (U-labels are converted), never the SRV target
  std::vector<std::string> alpn;  ///< offered or accepted protocols, "xmpp-server" for direct TLS
  bool request_client_certificate = true;   ///< server; judged softly afterwards, or dialback would be impossible
  bool require_client_certificate = false;  ///< server: mutual TLS, refuse the handshake without one
  bool tickets = false;                     ///< server: gives tickets, by which a session may be resumed
  Version oldest = Version::tls1_2, newest = Version::tls1_3;  ///< that are spoken
  std::time_t wall_clock = 0;  ///< seconds since 1970 for validity; 0: that of the authority
};

/// Credentials plus trust anchors: makes sessions. Immutable, shared between sessions and nodes.
class Identity {
 public:
  virtual ~Identity() = default;
  /// Without one it makes sessions of clients alone: a TLS server shows a certificate.
  [[nodiscard]] virtual bool has_certificate() const { return true; }
  [[nodiscard]] virtual std::unique_ptr<Session> session(Role, const SessionOptions&) const = 0;
  /// The same with another certificate, of the authority that issued this one, to a changed request; the same one each
  /// time. Null where nobody can issue it.
  [[nodiscard]] virtual std::shared_ptr<const Identity> reissued(void (* /*change*/)(CertificateRequest&)) const {
    return nullptr;
  }
};

}  // namespace cutover::tls
