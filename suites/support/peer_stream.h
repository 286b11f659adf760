// A stream between a raw peer and the subject, led by hand in the role that the case needs: documents, TLS, SASL and
// dialback.
#pragma once

#include "harness/judging/verdict.h"
#include "harness/worlds/world.h"
#include "mocks/raw_peer.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <iosfwd>
#include <optional>

namespace cutover::suites {

/// What a stream header says; a case changes what it is about.
struct Header {
  std::string from, to;  ///< empty: left out
  std::string version = "1.0", lang = "en", id;
  std::string stream_ns = xmpp::ns::streams, content_ns = xmpp::ns::server;
  std::string name = "stream";
  [[nodiscard]] std::string text() const;
};

/// How the subject ended a stream.
struct Ending {
  static constexpr std::string_view idle = "connection-timeout";
  bool error = false;     ///< a stream error came
  std::string condition;  ///< of the stream error, empty for none
  bool defined = false;   ///< exactly one condition, in its namespace (RFC 6120 section 4.9.2)
  bool end_tag = false;
  bool closed = false;  ///< FIN or RST came
  /// Who only gives up a stream on which nothing happens, sooner or later, has not refused what was said on it.
  [[nodiscard]] bool given_up() const { return error && condition == idle; }
  /// A stream error came that refuses something.
  [[nodiscard]] bool refused() const { return error && !given_up(); }
  /// Ended for what was said: by an end tag or the end of the connection.
  [[nodiscard]] bool ended() const { return (end_tag || closed) && !given_up(); }
  /// The condition, or that there is none, for a report.
  [[nodiscard]] std::string condition_in_words() const {
    return !error ? "no stream error" : condition.empty() ? "no condition" : condition;
  }
  bool operator==(const Ending&) const = default;
};
void PrintTo(const Ending&, std::ostream*);
MATCHER(HasEnded, "the end of the stream") { return arg.ended(); }
/// What most texts want of a refusal (RFC 6120 section 4.9.1.1): not that the connection is dropped. Which condition it
/// is to have is another check.
MATCHER(HasEndedWithAnError, "a stream error and the end of the stream") { return arg.refused() && arg.ended(); }

/// One stream between a raw peer and the subject. Every verb that waits pumps the world until its event came, the
/// connection ended, or patience is over; what it returns tells which.
class PeerStream {
 public:
  PeerStream(harness::World& world, mocks::RawConnection& wire, Header header);

  [[nodiscard]] mocks::RawConnection& wire() { return *wire_; }
  /// The stream, or its connection, has come to an end.
  [[nodiscard]] bool is_over() const { return wire_->ended(); }
  /// The header that open() and answer_header() send.
  [[nodiscard]] Header& header() { return header_; }
  /// The last header that the subject sent; its tag is nameless before the first.
  [[nodiscard]] const xml::StreamHeader& peer_header() const { return peer_header_; }
  [[nodiscard]] std::string id() const { return peer_header_.tag.attribute_or_empty("id"); }

  void send(std::string_view octets) { wire_->send(octets); }
  void send(const xml::Element& stanza);
  bool until(const std::function<bool()>& condition);

  [[nodiscard]] bool await_header();
  [[nodiscard]] std::optional<xml::Element> await_element();
  [[nodiscard]] std::optional<xml::Element> await_element(std::string_view name, std::string_view ns,
                                                          std::optional<Duration> limit = std::nullopt);
  /// Whether an answer to db:result has come.
  [[nodiscard]] bool has_result() const;
  /// What was read of the stream until it ended; `condition` is empty where no stream error came.
  [[nodiscard]] Ending await_ending();
  /// Sends </stream:stream> and FIN once the subject has ended its side.
  void close();

  // The initiating entity.
  /// Sends the header and waits for the subject's header and features.
  [[nodiscard]] std::optional<xml::Element> open();
  /// The handshake as client, behind <proceed/>. False where it failed.
  [[nodiscard]] bool begin_tls(const tls::Identity& identity);
  /// <starttls/>, <proceed/>, handshake as client. False where it did not come to that.
  [[nodiscard]] bool start_tls(const tls::Identity& identity);
  /// SASL EXTERNAL with that initial response (base64 is added); the answer.
  [[nodiscard]] std::optional<xml::Element> authenticate(std::string_view authzid);
  /// What a certificate is worth to the subject, on a stream that is opened: "success" of EXTERNAL, the condition of
  /// its failure, or how it ended.
  [[nodiscard]] std::string worth_of(const tls::Identity& identity);
  /// A new document after <success/>.
  [[nodiscard]] std::optional<xml::Element> reopen();

  // The receiving entity.
  /// What the ids of our headers begin with, each ending in a number of its own; the peer's domain where nothing is
  /// said.
  void call_streams(std::string beginning) { ids_begin_ = std::move(beginning); }
  /// Waits for the subject's header, sends ours with a fresh id, and `features`.
  [[nodiscard]] bool answer_header(std::string_view features);
  /// Waits for <starttls/>, sends <proceed/> and `behind` in one write, handshake as server.
  [[nodiscard]] bool accept_tls(const tls::Identity& identity, std::string_view behind = {});
  /// Does what a receiving server does next of what has come, without waiting: headers with features (STARTTLS required
  /// while there is an identity and no TLS, then dialback), STARTTLS, the other side's key called valid, the end of the
  /// stream. The first db:verify that has come; nothing while there is none.
  [[nodiscard]] std::optional<xml::Element> serve(const tls::Identity* identity);
  /// Waits for <auth/>, answers with <success/>, and serves the next header with empty features. The authzid, decoded;
  /// nothing where none came.
  [[nodiscard]] std::optional<std::string> accept_external();

 private:
  void send_header(std::string_view features);

  harness::World* world_;
  mocks::RawConnection* wire_;
  Header header_;
  xml::StreamHeader peer_header_;
  std::string ids_begin_;
  std::string answered_;  ///< the key of the last db:result, while serving
  int ids_ = 0;
};

/// The features that a receiving server offers.
inline constexpr char starttls_required[] = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
inline constexpr char external_offered[] =
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>";
inline constexpr char dialback_offered[] = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";

/// Whether the features offer a SASL mechanism.
[[nodiscard]] bool offers_mechanism(const xml::Element& features, std::string_view mechanism);
[[nodiscard]] std::string db_result(std::string_view from, std::string_view to, std::string_view key);
[[nodiscard]] std::string db_verify(std::string_view from, std::string_view to, std::string_view id,
                                    std::string_view key);
/// The answer of the authoritative server to a db:verify that came.
[[nodiscard]] std::string db_verify_answer(const xml::Element& request, std::string_view type);
/// The name of what came, where that goes on with the stream; "nothing" for its error, and where nothing came.
[[nodiscard]] std::string goes_on_with(const std::optional<xml::Element>& came);

/// The body of a message; "no message" where none came.
[[nodiscard]] std::string body_of(const std::optional<xml::Element>& message);

}  // namespace cutover::suites
