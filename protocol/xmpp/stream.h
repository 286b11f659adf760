// The S2S stream engine, both roles: octets and time in; octets, events and one deadline out. RFC 6120, XEP-0178,
// XEP-0220.
//
// Theory of operation. A stream is one TCP connection. It passes through one to three XML documents (in clear, after
// STARTTLS, after SASL); each begins with a header in both directions and a document number of its own, the stream id.
//
//   initiating: header > features > (proceed > tls > header > features) > (sasl > header > features) > open > closing >
//   closed receiving:  header > open        (> tls > header > open)              (> header > open)               >
//   closing > closed
//
// A receiving stream is `open` as soon as its features are sent: it then takes requests (starttls, auth, db:result,
// db:verify) and, from pairs of domains that were authorised, stanzas. Directions are not mixed: stanzas flow only from
// the initiating to the receiving side (RFC 6120 section 4.5), except on a trusted link.
//
// Everything that changes state is in stream*.cpp, a file a purpose; inputs are total and never throw for what a peer
// sends; after every input the owner takes the output, then the events. What is judged has its rule in rules.inc.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/limits.h"
#include "protocol/base/node.h"
#include "protocol/tls/session.h"
#include "protocol/xml/element.h"
#include "protocol/xml/reader.h"
#include "protocol/xmpp/dialback.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/policy.h"
#include "protocol/xmpp/rules.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cutover::xmpp {

enum class StreamRole { initiating, receiving };

/// What the stream is for. A verification carries only db:verify and needs no authentication (XEP-0220 section 2.2.2).
/// A trusted link is direct TLS with certificates on both sides, a header exchange, and then stanzas of every domain in
/// both directions.
enum class StreamPurpose { stanzas, verification, trusted_link };

/// Where a stream is; see the picture above.
enum class StreamState {
  header,    ///< the peer's header is awaited
  features,  ///< initiating: the peer's features are awaited
  proceed,   ///< initiating: <starttls/> was sent
  tls,       ///< the TLS handshake runs
  sasl,      ///< initiating: <auth/> was sent
  open,      ///< negotiated (initiating), or ready for requests (receiving)
  closing,   ///< our </stream:stream> was sent, the peer's is awaited; what arrives is still delivered
  closed,    ///< nothing more to send or to read; shut the connection down
};
[[nodiscard]] std::string_view to_string(StreamState);

/// A (sender domain, target domain) pair, as stanzas and dialback elements name it.
struct DomainPair {
  std::string sender, target;
  auto operator<=>(const DomainPair&) const = default;
};

/// The result of a dialback verification.
enum class Verdict { valid, invalid, error };

// Events, in the order in which they happened.
/// Headers were exchanged (once a document).
struct HeadersExchanged {
  std::string local, remote, id;
};
/// The TLS handshake is complete.
struct Secured {
  std::string version;
};
/// The initiating side may ask for pairs with authorise(); for a verification or a trusted link: it is ready.
struct Negotiated {
  AuthenticationMethod method = AuthenticationMethod::none;
};
/// Stanzas of the pair may flow. Initiating: send them. Receiving: they will be delivered.
struct PairAuthorised {
  DomainPair pair;
  AuthenticationMethod method = AuthenticationMethod::none;
};
/// Initiating: the peer did not accept the pair; `condition` is "invalid" or a dialback error condition.
struct PairRefused {
  DomainPair pair;
  std::string condition;
};
/// Receiving: somebody claims to send as `pair.sender`; ask its authoritative server and call answer_result().
struct VerificationWanted {
  DomainPair pair;
  std::string id, key;
};
/// Initiating: the authoritative server answered verify(). `condition` only with Verdict::error.
struct VerificationAnswered {
  DomainPair pair;
  std::string id;
  Verdict verdict = Verdict::error;
  std::string condition;
};
/// Receiving, as the authoritative server: the receiving server `pair.target`'s question about a key was answered.
struct KeyAnswered {
  DomainPair pair;
};
/// A stanza of an authorised pair.
struct StanzaReceived {
  xml::Element stanza;
  std::string sender_domain;
};
/// A stream error, ours or the peer's; "tls-failure" and "truncated" for ends that no stream error describes.
struct StreamFailed {
  std::string condition, text;
  bool by_us = false;
};
/// The peer sent its end tag, or we did: no new stanza can be sent.
struct ClosingBegan {
  bool by_us = false;
};
/// The stream is over. `clean`: both end tags were seen (and no error that puts delivery in doubt).
struct StreamClosed {
  bool clean = false;
};

using StreamEvent =
    std::variant<HeadersExchanged, Secured, Negotiated, PairAuthorised, PairRefused, VerificationWanted,
                 VerificationAnswered, KeyAnswered, StanzaReceived, StreamFailed, ClosingBegan, StreamClosed>;

/// How a stream behaves; fixed for its life.
struct StreamConfig {
  StreamRole role = StreamRole::initiating;
  StreamPurpose purpose = StreamPurpose::stanzas;
  std::string local_domain;          ///< initiating: our domain, the header's from
  std::string remote_domain;         ///< initiating: the service domain, the header's to; also SNI and identity
  std::vector<std::string> domains;  ///< served here; the first one signs errors about unknown hosts
  /// Settings for a peer domain. Initiating: asked once for remote_domain. Receiving: for every domain claimed.
  std::function<PeerPolicy(std::string_view remote_domain)> policy;
  std::shared_ptr<const tls::Identity> identity;  ///< null: no TLS
  bool direct_tls = false;                        ///< TLS from the first octet (XEP-0368); implied by a trusted link
  std::string trusted_name;  ///< trusted link: the peer's certificate must cover it; empty: any valid chain
  std::string server_name;   ///< SNI where it is not remote_domain (a trusted link)
  std::string target_host;   ///< what DNS named for remote_domain; no identity of the peer, and not its SNI
  std::string dialback_secret;
  DialbackKey dialback_key = xmpp::dialback_key;  ///< how keys are made is the server's own affair (XEP-0220)
  /// A key is not asked about where the peer's certificate proves the sender (XEP-0220 section 2.2.1, out of band).
  bool certificate_is_enough = false;
  /// Where a domain that is no allowed partner is turned away: no document says (LYNC-ARCH-4).
  enum class StrangersMeet { refusal_of_header, refusal_of_proof, refusal_of_stanzas };
  StrangersMeet strangers_meet = StrangersMeet::refusal_of_header;
  int sasl_tries_max = 3;  ///< RFC 6120 section 6.4.5: 2 to 5
  xml::ReaderLimits reader_limits;
  bool send_version = true;    ///< false: as a server of XMPP 0.9: no version, no features
  std::time_t wall_clock = 0;  ///< seconds since 1970, for certificates
  std::function<std::uint64_t(std::uint64_t bound)> random;  ///< for stream ids
  /// Hears of everything on the wire, decrypted; may be empty.
  std::function<void(Layer, Direction, std::string summary, std::string detail)> note;
  Duration establishment_timeout = limits::stream_establishment_timeout;
  Duration inactivity_timeout = 600s;   ///< without stanza or dialback traffic
  Duration keep_alive_interval = 300s;  ///< a silent peer is given up after it; we send white space at half of it
  Duration close_timeout = limits::stream_close_timeout;
  Departures departures;
};

/// One stream. Not copied, not moved (the owner keeps it on the heap).
class Stream {
 public:
  Stream(StreamConfig config, Time now);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Inputs.
  void receive(std::string_view octets, Time now);
  void receive_eof(Time now);
  /// The connection is gone without more ado (reset).
  void connection_lost(Time now);
  void timeout(Time now);

  /// Initiating, after Negotiated: asks for the pair (db:result). Answered by PairAuthorised or PairRefused.
  void authorise(const DomainPair& pair, Time now);
  /// Initiating, after Negotiated: asks the authoritative server (db:verify from=pair.target to=pair.sender).
  void verify(const DomainPair& pair, std::string_view id, std::string_view key, Time now);
  /// Receiving: the answer to VerificationWanted. Without effect where nobody waits for it.
  void answer_result(const DomainPair& pair, Verdict verdict, std::string_view condition, Time now);
  /// Sends a stanza. False, and nothing sent, unless the pair is authorised (any on a trusted link) and the stream
  /// open.
  [[nodiscard]] bool send(const xml::Element& stanza, Time now);
  /// The same for a caller who knows the domains already.
  [[nodiscard]] bool send(const xml::Element& stanza, const DomainPair& pair, Time now);
  /// Sends `condition` as stream error where it is not empty, then the end tag; waits for the peer's.
  void close(std::string_view condition, Time now);

  // Outputs.
  [[nodiscard]] std::string take_output();
  [[nodiscard]] std::optional<StreamEvent> poll();
  [[nodiscard]] std::optional<Time> deadline() const;
  /// Nothing more will be sent: shut the connection down once the output is taken.
  [[nodiscard]] bool finished() const { return state_ == StreamState::closed; }

  // What an owner or a case may look at.
  [[nodiscard]] StreamState state() const { return state_; }
  [[nodiscard]] StreamRole role() const { return config_.role; }
  [[nodiscard]] bool secured() const;
  [[nodiscard]] bool direct_tls() const { return config_.direct_tls; }
  [[nodiscard]] std::string tls_version() const;  ///< empty in clear
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& local_domain() const { return local_; }
  [[nodiscard]] const std::string& remote_domain() const { return remote_; }
  [[nodiscard]] AuthenticationMethod method() const { return method_; }
  [[nodiscard]] const std::set<DomainPair>& authorised_pairs() const { return authorised_; }
  /// Initiating and open: may the pair be sent on?
  [[nodiscard]] bool may_send(const DomainPair& pair) const;

 private:
  struct Verification {
    DomainPair pair;
    std::string id;
  };
  enum class Sasl { none, challenged, done };

  [[nodiscard]] bool initiating() const { return config_.role == StreamRole::initiating; }
  [[nodiscard]] bool trusted() const { return config_.purpose == StreamPurpose::trusted_link; }
  [[nodiscard]] bool holds(Rule rule) const { return config_.departures.holds(rule); }
  [[nodiscard]] bool breaks(Rule rule, bool broken) const { return config_.departures.breaks(rule, broken); }
  [[nodiscard]] bool serves(std::string_view domain) const;

  // stream.cpp: octets in, what they hold, octets out.
  void take_in(std::string_view octets);
  void parse();
  void hear_answers();
  void on_item(xml::Item& item);
  void on_unreadable(const xml::Fault& fault);
  void on_element(xml::Element& element);
  void on_stanza(xml::Element& stanza);
  [[nodiscard]] std::string_view judge_stanza_pair(const DomainPair& pair) const;
  [[nodiscard]] std::string_view rest() const { return std::string_view(in_).substr(at_); }
  void put(std::string words, std::string octets);
  void write(std::string_view octets);
  void note(Layer layer, Direction direction, std::string words, std::string detail = {}) const;
  void push(StreamEvent event);

  // stream_headers.cpp
  void restart();
  bool on_nested_header();
  void on_header(const xml::StreamHeader& header);
  void on_initial_header(const xml::StreamHeader& header);
  void on_response_header();
  [[nodiscard]] std::string_view judge_header_form(const xml::StreamHeader& header) const;
  [[nodiscard]] std::string_view judge_initial_header(const xml::Element& tag);
  void put_header();
  [[nodiscard]] std::string new_id() const;

  // stream_initiating.cpp
  void on_features(const xml::Element& features);
  void choose_method(const xml::Element* mechanisms, bool dialback_offered);
  [[nodiscard]] bool may_dial_back(bool announced) const;
  void on_proceed(const xml::Element& element);
  void on_sasl_answer(const xml::Element& element);
  void negotiated(AuthenticationMethod method);

  // stream_receiving.cpp
  [[nodiscard]] std::string feature_list() const;
  [[nodiscard]] bool offers_external() const;
  void on_starttls(const xml::Element& element);
  void on_auth(const xml::Element& element);
  void judge_authzid(std::string_view text);
  void sasl_failure(std::string_view condition);

  // stream_dialback.cpp: both sides, and what they have authorised.
  void on_dialback(const xml::Element& element);
  void on_result_answer(const xml::Element& result);
  void on_verify_answer(const xml::Element& verify);
  void on_result_request(const xml::Element& result);
  void on_verify_request(const xml::Element& verify);
  [[nodiscard]] std::string_view judge_result_request(const DomainPair& pair) const;
  void refuse_result(const DomainPair& pair, std::string_view condition);
  void authorised_by_dialback(const DomainPair& pair);

  // stream_tls.cpp
  void start_tls();
  void pump_tls();
  void on_secured();
  void tls_failed();
  [[nodiscard]] bool proves_link(const std::optional<tls::PeerCertificate>& certificate) const;
  [[nodiscard]] bool certificate_authenticates(std::string_view domain) const;
  /// Inside TLS, and the policy wants proof of the domain that the peer's certificate does not give.
  [[nodiscard]] bool lacks_proof(const PeerPolicy& policy, std::string_view domain) const;
  [[nodiscard]] bool can_serve_tls() const { return config_.identity && config_.identity->has_certificate(); }

  // stream_ending.cpp: errors, the closing handshake, and the deadlines.
  void fail(std::string_view condition, std::string_view text = {});
  void begin_closing(std::string_view condition, std::string_view text);
  void finish(bool clean);
  void on_end();
  void on_peer_error(const xml::Element& error);
  void became_established();
  void touch();

  StreamConfig config_;
  PeerPolicy policy_;
  Methods methods_;
  StreamState state_ = StreamState::header;
  Time now_{};
  std::string local_, remote_, id_;
  std::string first_from_, first_to_;  ///< of the first header that had them: a restart may not change them
  bool header_sent_ = false, header_seen_ = false, peer_end_seen_ = false, end_sent_ = false, deaf_ = false;
  bool peer_has_version_ = false, peer_declares_dialback_ = false;
  bool handshake_done_ = false, failed_ = false, in_doubt_ = false;
  Sasl sasl_ = Sasl::none;
  int sasl_failures_ = 0;
  AuthenticationMethod method_ = AuthenticationMethod::none;
  std::set<DomainPair> authorised_, asked_, waiting_;  ///< waiting_: receiving, verification under way
  std::vector<Verification> verifications_;            ///< initiating: db:verify without an answer
  std::unique_ptr<tls::Session> tls_;
  std::optional<xml::Reader> reader_;
  std::string in_, raw_, out_;  ///< plaintext not parsed; octets of the item under way; octets for the network
  std::size_t at_ = 0;          ///< how much of in_ was parsed
  std::unique_ptr<Seam> seam_;  ///< null: the wire carries what the engine says
  std::string answers_;         ///< of the seam, to what was said; heard between two items
  std::deque<StreamEvent> events_;
  std::optional<Time> establishment_deadline_, idle_deadline_, keep_alive_due_, silence_deadline_, close_deadline_,
      seam_due_;
};

}  // namespace cutover::xmpp
