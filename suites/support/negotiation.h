// What the S2S cases share: a subject, raw peers that speak for the peer domains, and streams led by hand, in every
// role.
#pragma once

#include "harness/judging/case.h"
#include "harness/judging/run.h"
#include "harness/subjects/subject.h"
#include "mocks/raw_peer.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <map>
#include <optional>

namespace cutover::suites {

using harness::PartnerKind;

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
  std::string condition;  ///< of the stream error, empty for none
  bool defined = false;   ///< exactly one condition, in its namespace (RFC 6120 section 4.9.2)
  bool end_tag = false;
  bool closed = false;  ///< FIN or RST came
  /// Ended at all: by an end tag or the end of the connection.
  [[nodiscard]] bool ended() const { return end_tag || closed; }
  bool operator==(const Ending&) const = default;
};
void PrintTo(const Ending&, std::ostream*);

/// One stream between a raw peer and the subject. Every verb that waits pumps the world until its event came, the
/// connection ended, or patience is over; what it returns tells which.
class PeerStream {
 public:
  PeerStream(harness::World& world, mocks::RawConnection& wire, Header header);

  [[nodiscard]] mocks::RawConnection& wire() { return *wire_; }
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
  [[nodiscard]] std::optional<xml::Element> await_element(std::string_view name, std::string_view ns);
  /// Waits for db:verify. A subject may first offer its own key on the connection (db:result), which is called valid.
  [[nodiscard]] std::optional<xml::Element> await_verify();
  /// What was read of the stream until it ended; `condition` is empty where no stream error came.
  [[nodiscard]] Ending await_ending();
  /// Sends </stream:stream> and FIN once the subject has ended its side.
  void close();

  // The initiating entity.
  /// Sends the header and waits for the subject's header and features.
  [[nodiscard]] std::optional<xml::Element> open();
  /// <starttls/>, <proceed/>, handshake as client. False where it did not come to that.
  [[nodiscard]] bool start_tls(const tls::Identity& identity);
  /// SASL EXTERNAL with that initial response (base64 is added); the answer.
  [[nodiscard]] std::optional<xml::Element> authenticate(std::string_view authzid);
  /// A new document after <success/>.
  [[nodiscard]] std::optional<xml::Element> reopen();

  // The receiving entity.
  /// Waits for the subject's header, sends ours with a fresh id, and `features`.
  [[nodiscard]] bool answer_header(std::string_view features);
  /// Waits for <starttls/>, sends <proceed/> and `behind` in one write, handshake as server.
  [[nodiscard]] bool accept_tls(const tls::Identity& identity, std::string_view behind = {});
  /// Waits for <auth/>, answers with <success/>, and serves the next header with empty features. The authzid, decoded;
  /// nothing where none came.
  [[nodiscard]] std::optional<std::string> accept_external();

 private:
  harness::World* world_;
  mocks::RawConnection* wire_;
  Header header_;
  xml::StreamHeader peer_header_;
  int ids_ = 0;
};

/// One run of a negotiation case.
class Negotiation {
 public:
  /// Brings the subject up and the raw peers of the three kinds beside it. HarnessFault "the subject is down" where no
  /// octet comes back from its S2S port: one clear message instead of many failures.
  explicit Negotiation(harness::Run&);

  [[nodiscard]] harness::Subject& subject() { return *subject_; }
  [[nodiscard]] mocks::RawPeer& peer(PartnerKind kind) { return *peers_.at(kind); }
  [[nodiscard]] std::string domain(PartnerKind kind) const { return subject_->peer_domain(kind); }
  [[nodiscard]] std::string romeo(PartnerKind kind) const { return "romeo@" + domain(kind); }
  /// A certificate for the domain of that kind.
  [[nodiscard]] std::shared_ptr<const tls::Identity> certificate(PartnerKind kind, tls::Flaw flaw = tls::Flaw::none,
                                                                 tls::NameKind names = tls::NameKind::dns);
  bool until(const std::function<bool()>& condition);

  // Streams to the subject.
  /// A connection of that domain's server; the header is filled in.
  [[nodiscard]] PeerStream connect(PartnerKind kind);
  /// ... with TLS established and features read; nothing where the subject did not let it come to that.
  [[nodiscard]] std::optional<PeerStream> secured(PartnerKind kind, const tls::Identity& identity,
                                                  xml::Element* features = nullptr);
  /// ... authenticated as its kind is (EXTERNAL or dialback), ready for stanzas.
  [[nodiscard]] std::optional<PeerStream> established(PartnerKind kind);
  /// A message stanza of that domain's romeo to the user; its text is its mark and id.
  [[nodiscard]] xml::Element message(PartnerKind kind, const std::string& body) const;

  // Streams from the subject.
  /// Lets the user write to romeo of that domain, and waits for the connection that this makes.
  [[nodiscard]] std::optional<PeerStream> called(PartnerKind kind, const std::string& body);
  /// The next connection that comes to the domain's server; nothing where none comes.
  [[nodiscard]] std::optional<PeerStream> accepted(PartnerKind kind);
  /// Leads a stream of the subject over TLS up to the features inside; nothing where the subject did not follow.
  [[nodiscard]] bool lead_to_tls(PeerStream& stream, const tls::Identity& identity, std::string_view features);
  /// Plays the authoritative server of the domain up to a db:verify: on the next connection that comes, or on one that
  /// an earlier request came by, for a server may use it again. Nothing where none came.
  [[nodiscard]] std::optional<std::pair<PeerStream, xml::Element>> asked(PartnerKind kind);
  /// The same, and answers with `type`; requests about another key than `key`, where one is given, with invalid. The
  /// request; nothing where none came.
  [[nodiscard]] std::optional<xml::Element> answer_verify(PartnerKind kind, std::string_view type,
                                                          std::string_view key = {});

  /// Proves that what was sent before has been handled: a message on a stream that is allowed comes to the user.
  [[nodiscard]] bool marker_arrives();
  /// The same as a precondition of what is judged behind it.
  [[nodiscard]] bool given_marker();

 private:
  void check_alive();
  [[nodiscard]] PeerStream stream_on(mocks::RawConnection& wire, PartnerKind kind);
  [[nodiscard]] std::optional<PeerStream> authenticated_by_external(PartnerKind kind);
  [[nodiscard]] std::optional<PeerStream> authenticated_by_dialback(PartnerKind kind);

  harness::Run& run_;
  std::shared_ptr<harness::Subject> subject_;
  std::map<PartnerKind, mocks::RawPeer*> peers_;
  std::optional<PeerStream> good_;
  std::map<PartnerKind, std::vector<mocks::RawConnection*>> accepted_;  ///< all that came, for later requests
  int markers_ = 0;
};

/// The body of a message; "no message" where none came.
[[nodiscard]] std::string body_of(const std::optional<xml::Element>& message);

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

}  // namespace cutover::suites
