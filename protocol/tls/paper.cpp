// Paper TLS: the course of a TLS 1.3 handshake and the same verdicts, without a secret. For exploration, where a
// schedule must cost microseconds.
//
// A frame is: kind (the content types of TLS, so that it is not XML), the octet 'P', the payload's length in four
// octets, the payload. client hello {SNI, ALPN...} -> <- server hello {ALPN, certificate?, asks}; client finished
// {certificate?} -> A client is therefore established before the server has judged it, as in TLS 1.3.
#include "protocol/base/check.h"
#include "protocol/tls/identity.h"
#include "protocol/tls/request_names.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace cutover::tls {
namespace {

constexpr std::size_t frame_header_octets = 6;
constexpr std::size_t frame_payload_max_octets = 16384;  // as a TLS record's
constexpr std::size_t list_max = 64;
constexpr std::time_t day_seconds = 86400;

enum class Frame : unsigned char { alert = 0x15, hello = 0x16, data = 0x17, finished = 0x14 };

bool is_frame(unsigned char kind) { return kind >= 0x14 && kind <= 0x17; }

// What stands in for a certificate.
struct PaperCertificate {
  RequestedNames names;
  std::time_t not_before = 0;
  std::time_t not_after = 0;
  std::string root;  // the token of the authority; empty: self-signed
  bool whole_path = true, signature_fits = true, issuer_is_ca = true;
  bool ca = false;
  bool eku_server = true;
  bool eku_client = true;
};

// Payloads are lists of strings, each with its length in two octets.
class Writer {
 public:
  void add(std::string_view text) {
    const std::size_t size = std::min<std::size_t>(text.size(), 0xffff);
    out_ += static_cast<char>(size >> 8U);
    out_ += static_cast<char>(size & 0xffU);
    out_.append(text, 0, size);
  }
  void add(const std::vector<std::string>& list) {
    add(std::to_string(list.size()));
    for (const auto& each : list) add(each);
  }
  void add_number(std::int64_t number) { add(std::to_string(number)); }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  std::string text() {
    if (in_.size() < 2) return fail();
    const std::size_t size =
        static_cast<std::size_t>(static_cast<unsigned char>(in_[0])) << 8U | static_cast<unsigned char>(in_[1]);
    if (in_.size() - 2 < size) return fail();
    std::string text(in_.substr(2, size));
    in_.remove_prefix(2 + size);
    return text;
  }
  std::int64_t number() {
    const std::string digits = text();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) good_ = false;
    return value;
  }
  std::vector<std::string> list() {
    std::vector<std::string> all;
    const std::int64_t size = number();
    if (size < 0 || size > static_cast<std::int64_t>(list_max)) good_ = false;
    for (std::int64_t i = 0; good_ && i < size; ++i) all.push_back(text());
    return all;
  }
  [[nodiscard]] bool finished() const { return good_ && in_.empty(); }

 private:
  std::string fail() {
    good_ = false;
    in_ = {};
    return {};
  }
  std::string_view in_;
  bool good_ = true;
};

void add_certificate(Writer& out, const std::optional<PaperCertificate>& certificate) {
  out.add_number(certificate ? 1 : 0);
  if (!certificate) return;
  out.add(certificate->names.dns_names);
  out.add(certificate->names.srv_names);
  out.add(certificate->names.xmpp_addrs);
  out.add(certificate->names.common_name);
  out.add_number(certificate->not_before);
  out.add_number(certificate->not_after);
  out.add(certificate->root);
  for (const bool fact : {certificate->whole_path, certificate->signature_fits, certificate->issuer_is_ca,
                          certificate->ca, certificate->eku_server, certificate->eku_client}) {
    out.add_number(fact ? 1 : 0);
  }
}

std::optional<PaperCertificate> read_certificate(Reader& in) {
  if (in.number() != 1) return std::nullopt;
  PaperCertificate certificate;
  certificate.names.dns_names = in.list();
  certificate.names.srv_names = in.list();
  certificate.names.xmpp_addrs = in.list();
  certificate.names.common_name = in.text();
  certificate.not_before = in.number();
  certificate.not_after = in.number();
  certificate.root = in.text();
  for (bool* fact : {&certificate.whole_path, &certificate.signature_fits, &certificate.issuer_is_ca, &certificate.ca,
                     &certificate.eku_server, &certificate.eku_client}) {
    *fact = in.number() == 1;
  }
  return certificate;
}

// In the order and with the words of OpenSSL, so that a case reads the same in both.
std::string chain_error(const PaperCertificate& certificate, const std::string& trusted_root, std::time_t now) {
  if (certificate.root.empty()) return "self-signed certificate";
  if (!certificate.whole_path || certificate.root != trusted_root) return "unable to get local issuer certificate";
  if (!certificate.issuer_is_ca) return "invalid CA certificate";
  if (!certificate.signature_fits) return "certificate signature failure";
  if (!certificate.eku_server) return "unsuitable certificate purpose";
  if (now < certificate.not_before) return "certificate is not yet valid";
  if (now > certificate.not_after) return "certificate has expired";
  if (certificate.ca) return "CA certificate used as an end entity's";
  return {};
}

// What an identity of paper holds.
struct PaperCredentials {
  std::optional<PaperCertificate> certificate;
  std::string trusted_root;
  std::time_t wall_clock = 0;
};

class PaperSession final : public Session {
 public:
  PaperSession(std::shared_ptr<const PaperCredentials> own, Role role, const SessionOptions& options)
      : own_(std::move(own)), role_(role), options_(options) {
    if (role_ == Role::client) server_name_ = ascii_domain(options.server_name).value_or("");
    if (options_.wall_clock == 0) options_.wall_clock = own_->wall_clock;
  }

  void put_cipher(std::string_view octets) override { in_ += octets; }
  std::string take_cipher() override { return std::exchange(out_, {}); }

  Progress handshake() override {
    if (role_ == Role::client && state_ == State::start) send_client_hello();
    while (state_ != State::established && failure_.empty() && take_frame()) {
    }
    if (state_ == State::established) return Progress::established;
    return failure_.empty() ? Progress::wants_input : Progress::failed;
  }

  std::string read() override {
    if (state_ != State::established) return {};
    while (failure_.empty() && !peer_closed_ && take_frame()) {
    }
    return std::exchange(plain_, {});
  }

  void write(std::string_view plain) override {
    if (!failure_.empty() || closed_) return;
    if (state_ != State::established) {
      early_ += plain;
      return;
    }
    for (; !plain.empty(); plain.remove_prefix(std::min(plain.size(), frame_payload_max_octets))) {
      send(Frame::data, plain.substr(0, frame_payload_max_octets));
    }
  }

  void close() override {
    if (closed_ || !failure_.empty()) return;
    closed_ = true;
    if (state_ == State::established) send(Frame::alert, {});
  }

  bool peer_closed() const override { return peer_closed_; }
  std::string failure() const override { return failure_; }

  std::optional<PeerCertificate> peer_certificate() const override {
    if (!peer_) return std::nullopt;
    PeerCertificate facts{.dns_names = peer_->names.dns_names,
                          .srv_names = peer_->names.srv_names,
                          .xmpp_addrs = peer_->names.xmpp_addrs,
                          .common_name = peer_->names.common_name,
                          .fingerprint = {},
                          .eku_present = true,
                          .eku_server = peer_->eku_server,
                          .eku_client = peer_->eku_client,
                          .chain_valid = false,
                          .chain_error = chain_error(*peer_, own_->trusted_root, options_.wall_clock)};
    facts.chain_valid = facts.chain_error.empty();
    return facts;
  }

  std::string version() const override { return "paper"; }
  std::string cipher_suite() const override { return "none"; }
  std::string alpn() const override { return alpn_; }
  std::string server_name() const override { return server_name_; }

 private:
  enum class State { start, awaits_server_hello, awaits_finished, established };

  void send(Frame kind, std::string_view payload) {
    out_ += static_cast<char>(kind);
    out_ += 'P';
    for (const unsigned shift : {24U, 16U, 8U, 0U}) out_ += static_cast<char>(payload.size() >> shift & 0xffU);
    out_ += payload;
  }

  // A fatal alert to the peer, in its words.
  void fail(std::string_view why, std::string_view alert) {
    failure_ = why;
    send(Frame::alert, alert);
  }

  // False when there is no whole frame to be had.
  bool take_frame() {
    if (!in_.empty() && (!is_frame(static_cast<unsigned char>(in_[0])) || (in_.size() > 1 && in_[1] != 'P'))) {
      fail("wrong version number", "protocol version");  // OpenSSL's words for what is not TLS
      return false;
    }
    if (in_.size() < frame_header_octets) return false;
    std::size_t size = 0;
    for (std::size_t i = 2; i < frame_header_octets; ++i) size = size << 8U | static_cast<unsigned char>(in_[i]);
    if (size > frame_payload_max_octets) {
      fail("packet length too long", "record overflow");
      return false;
    }
    if (in_.size() - frame_header_octets < size) return false;
    const auto kind = static_cast<Frame>(in_[0]);
    const std::string payload = in_.substr(frame_header_octets, size);
    in_.erase(0, frame_header_octets + size);
    take(kind, payload);
    return true;
  }

  void take(Frame kind, const std::string& payload) {
    if (kind == Frame::alert) return take_alert(payload);
    if (kind == Frame::hello && role_ == Role::server && state_ == State::start) return take_client_hello(payload);
    if (kind == Frame::hello && state_ == State::awaits_server_hello) return take_server_hello(payload);
    if (kind == Frame::finished && state_ == State::awaits_finished) return take_finished(payload);
    if (kind == Frame::data && state_ == State::established) {
      plain_ += payload;
      return;
    }
    fail("unexpected message", "unexpected message");
  }

  void take_alert(const std::string& payload) {
    if (!payload.empty()) {
      failure_ = "alert " + payload;
      return;
    }
    peer_closed_ = true;
    if (state_ != State::established) failure_ = "closed during the handshake";
  }

  void send_client_hello() {
    Writer hello;
    hello.add(server_name_);
    hello.add(options_.alpn);
    send(Frame::hello, hello.take());
    state_ = State::awaits_server_hello;
  }

  void take_client_hello(const std::string& payload) {
    Reader hello(payload);
    server_name_ = hello.text();
    const std::vector<std::string> offered = hello.list();
    if (!hello.finished()) return fail("malformed hello", "decode error");
    if (!choose_alpn(offered)) return fail("no application protocol", "no application protocol");
    if (!own_->certificate) return fail("no shared cipher", "handshake failure");
    Writer answer;
    answer.add(alpn_);
    add_certificate(answer, own_->certificate);
    answer.add_number(asks() ? 1 : 0);
    send(Frame::hello, answer.take());
    state_ = State::awaits_finished;
  }

  // False where both sides name protocols and have none in common (RFC 7301 section 3.2).
  bool choose_alpn(const std::vector<std::string>& offered) {
    if (offered.empty() || options_.alpn.empty()) return true;
    for (const auto& each : options_.alpn) {
      if (std::find(offered.begin(), offered.end(), each) == offered.end()) continue;
      alpn_ = each;
      return true;
    }
    return false;
  }

  [[nodiscard]] bool asks() const { return options_.request_client_certificate || options_.require_client_certificate; }

  void take_server_hello(const std::string& payload) {
    Reader hello(payload);
    alpn_ = hello.text();
    peer_ = read_certificate(hello);
    const bool asked = hello.number() == 1;
    if (!hello.finished() || !peer_) return fail("malformed hello", "decode error");
    Writer finished;
    add_certificate(finished, asked ? own_->certificate : std::nullopt);
    send(Frame::finished, finished.take());
    establish();
  }

  void take_finished(const std::string& payload) {
    Reader finished(payload);
    peer_ = read_certificate(finished);
    if (!finished.finished()) return fail("malformed finished", "decode error");
    if (options_.require_client_certificate && !peer_) {
      return fail("peer did not return a certificate", "certificate required");
    }
    establish();
  }

  void establish() {
    state_ = State::established;
    write(std::exchange(early_, {}));
  }

  std::shared_ptr<const PaperCredentials> own_;
  Role role_;
  SessionOptions options_;
  State state_ = State::start;
  std::string in_, out_, plain_, early_;
  std::optional<PaperCertificate> peer_;
  std::string alpn_, server_name_, failure_;
  bool closed_ = false;
  bool peer_closed_ = false;
};

class PaperIdentity final : public Identity {
 public:
  explicit PaperIdentity(PaperCredentials credentials)
      : credentials_(std::make_shared<const PaperCredentials>(std::move(credentials))) {}
  bool has_certificate() const override { return credentials_->certificate.has_value(); }
  std::unique_ptr<Session> session(Role role, const SessionOptions& options) const override {
    return std::make_unique<PaperSession>(credentials_, role, options);
  }

 private:
  std::shared_ptr<const PaperCredentials> credentials_;
};

// Tells one authority's root from another's; follows from the seed in a simulated world.
std::string make_root_token() {
  std::array<unsigned char, 8> octets{};
  CUTOVER_CHECK(RAND_bytes(octets.data(), static_cast<int>(octets.size())) == 1);
  return {octets.begin(), octets.end()};
}

class PaperAuthority final : public Authority {
 public:
  explicit PaperAuthority(std::time_t wall_clock) : wall_clock_(wall_clock), root_(make_root_token()) {}

  std::shared_ptr<const Identity> issue(const CertificateRequest& request) override {
    PaperCredentials made{.certificate = std::nullopt, .trusted_root = root_, .wall_clock = wall_clock_};
    if (request.flaw != Flaw::no_certificate) made.certificate = certificate(request);
    return std::make_shared<const PaperIdentity>(std::move(made));
  }

  PemFiles issue_pem(const CertificateRequest&) override {
    throw HarnessFault("a paper certificate has no PEM form; servers that are not ours need the OpenSSL authority");
  }

 private:
  PaperCertificate certificate(const CertificateRequest& request) const {
    PaperCertificate made{.names = requested_names(request),
                          .not_before = wall_clock_ - day_seconds,
                          .not_after = wall_clock_ + 398 * day_seconds,
                          .root = root_};
    for (auto& name : made.names.dns_names) name = lower(name);
    switch (request.flaw) {
      case Flaw::expired:
        made.not_before = wall_clock_ - 398 * day_seconds;
        made.not_after = wall_clock_ - day_seconds;
        break;
      case Flaw::not_yet_valid:
        made.not_before = wall_clock_ + day_seconds;
        break;
      case Flaw::self_signed:
        made.root.clear();
        break;
      case Flaw::unknown_root:
        made.root = "unknown " + root_;
        break;
      case Flaw::missing_intermediate:
        made.whole_path = false;
        break;
      case Flaw::bad_signature:
        made.signature_fits = false;
        break;
      case Flaw::issuer_no_ca:
        made.issuer_is_ca = false;
        break;
      case Flaw::wrong_eku:
        made.eku_server = made.eku_client = false;
        break;
      case Flaw::server_only_eku:
        made.eku_client = false;
        break;
      case Flaw::ca_true_leaf:
        made.ca = true;
        break;
      case Flaw::none:
      case Flaw::wrong_name:
      case Flaw::wildcard:
      case Flaw::no_certificate:
      case Flaw::common_name_only:
      case Flaw::foreign_service:
      case Flaw::partial_wildcard:
      case Flaw::no_signing:  // of paper, a key has neither strength nor signatures
      case Flaw::weak_key:
      case Flaw::weak_signature:
        break;
    }
    return made;
  }

  static std::string lower(std::string text) {
    for (char& c : text) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
  }

  std::time_t wall_clock_;
  std::string root_;
};

}  // namespace

std::unique_ptr<Authority> make_paper_authority(std::time_t wall_clock) {
  return std::make_unique<PaperAuthority>(wall_clock);
}

}  // namespace cutover::tls
