// What the S2S cases share: a subject, raw peers that speak for the peer domains, their certificates, and markers.
#pragma once

#include "harness/judging/case.h"
#include "harness/judging/run.h"
#include "harness/subjects/subject.h"
#include "suites/support/peer_stream.h"

#include <map>
#include <optional>

namespace cutover::suites {

using harness::PartnerKind;

/// The user was told this stanza error, or a SIP status that RFC 7247 section 7.1 (and RFC 4320) makes of it.
[[nodiscard]] bool tells(const std::string& words, std::string_view condition);
MATCHER_P(Tells, condition, std::string("the stanza error ") + condition + ", or its SIP status") {
  return tells(arg, condition);
}

/// One run of a negotiation case.
class Negotiation {
 public:
  /// Brings the subject up and the raw peers of the three kinds beside it. HarnessFault "the subject is down" where no
  /// octet comes back from its S2S port: one clear message instead of many failures.
  explicit Negotiation(harness::Run&);
  /// ... with a subject that was brought up.
  Negotiation(harness::Run&, std::shared_ptr<harness::Subject>);

  [[nodiscard]] harness::Subject& subject() { return *subject_; }
  [[nodiscard]] mocks::RawPeer& peer(PartnerKind kind) { return *peers_.at(kind); }
  [[nodiscard]] std::string domain(PartnerKind kind) const { return subject_->peer_domain(kind); }
  [[nodiscard]] std::string romeo(PartnerKind kind) const { return "romeo@" + domain(kind); }
  /// A certificate for the domain of that kind.
  [[nodiscard]] std::shared_ptr<const tls::Identity> certificate(PartnerKind kind, tls::Flaw flaw = tls::Flaw::none,
                                                                 tls::NameKind names = tls::NameKind::dns);
  bool until(const std::function<bool()>& condition);
  /// A kind of peer that speaks TLS with the subject: EXTERNAL where the subject has it.
  [[nodiscard]] PartnerKind kind_in_tls() const;

  // Streams to the subject.
  /// A connection of that domain's server; the header is filled in.
  [[nodiscard]] PeerStream connect(PartnerKind kind);
  /// ... to the port for direct TLS, which the subject must have; TLS is still to begin.
  [[nodiscard]] PeerStream connect_direct(PartnerKind kind);
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
  // ... and how far a stream of the subject's is led then, as a precondition; nothing where it did not follow.
  /// TLS, and its header inside; ours is still to be sent.
  [[nodiscard]] std::optional<PeerStream> called_inside_tls(PartnerKind kind, const std::string& body);
  /// To the peer that authenticates by EXTERNAL: its <auth/> has come, with these features inside TLS.
  [[nodiscard]] std::optional<PeerStream> called_to_authenticate(const std::string& body, std::string_view features);
  /// To the same: authenticated, and its message has come.
  [[nodiscard]] std::optional<PeerStream> called_to_deliver(const std::string& body);
  /// Whether the subject goes on to that domain on a stream of its own: by a connection that comes, or by a key,
  /// <auth/> or a stanza on one that came before.
  [[nodiscard]] bool goes_on_to(PartnerKind kind);
  /// The next connection that comes to the domain's server; nothing where none comes.
  [[nodiscard]] std::optional<PeerStream> accepted(PartnerKind kind);
  /// The next stanza that the subject sends to the domain on a stream of its own, which is led through EXTERNAL: where
  /// a stanza error for one of that domain's is due (RFC 6120 section 4.9.1.4). Nothing where none comes.
  [[nodiscard]] std::optional<xml::Element> returned(PartnerKind kind);
  /// What the user was told of a message that cannot be delivered, in words; "nothing" where that never came. No text
  /// says how long a server may go on trying: it is given longer than any tries.
  [[nodiscard]] std::string told(const std::string& body);
  /// Leads a stream of the subject over TLS up to the features inside; nothing where the subject did not follow.
  [[nodiscard]] bool lead_to_tls(PeerStream& stream, const tls::Identity& identity, std::string_view features);
  /// Plays the authoritative server of the domain up to a db:verify: on any connection that comes, or on one that came
  /// before, for a server may use it again (XEP-0220 section 2.1.2). Nothing where none came, or once `waiting`, the
  /// stream of the key, has its answer: who knows the peer otherwise asks nobody.
  [[nodiscard]] std::optional<std::pair<PeerStream, xml::Element>> asked(PartnerKind kind,
                                                                         const PeerStream* waiting = nullptr);
  /// The same, and answers with `type`; requests about another key than `key`, where one is given, with invalid. The
  /// request; nothing where none came.
  [[nodiscard]] std::optional<xml::Element> answer_verify(PartnerKind kind, std::string_view type,
                                                          std::string_view key = {},
                                                          const PeerStream* waiting = nullptr);

  /// Waits for a message of a stream to arrive, no longer than the stream lives. Whether it did.
  bool arrives(const PeerStream& stream, const std::string& body);
  /// Proves that what was sent before has been handled: a message on a stream that is allowed comes to the user. It is
  /// a stream of another domain, for the subject may allow one a pair (RFC 6120 section 4.9.3.3).
  [[nodiscard]] bool marker_arrives();
  /// The same as a precondition of what is judged behind it.
  [[nodiscard]] bool given_marker();

 private:
  void check_alive();
  [[nodiscard]] PeerStream connect(PartnerKind kind, const Endpoint& to);
  [[nodiscard]] PeerStream stream_on(mocks::RawConnection& wire, PartnerKind kind);
  // A stream of the domain in its header, that far; false where the subject did not let it come to that.
  [[nodiscard]] static bool secure(PeerStream& stream, const tls::Identity& identity, xml::Element* features = nullptr);
  [[nodiscard]] bool establish(PeerStream& stream, PartnerKind kind);
  [[nodiscard]] static bool authenticate_by_external(PeerStream& stream, const tls::Identity& identity);
  [[nodiscard]] bool authenticate_by_dialback(PeerStream& stream, PartnerKind kind, const tls::Identity& identity);
  /// Of each domain that stands at that kind's host.
  [[nodiscard]] std::shared_ptr<const tls::Identity> certificate_of_all(PartnerKind kind);

  harness::Run& run_;
  std::shared_ptr<harness::Subject> subject_;
  std::map<PartnerKind, mocks::RawPeer*> peers_;
  std::string markers_from_;          ///< the domain of the markers, once there was one
  std::optional<PeerStream> marked_;  ///< their stream
  std::map<PartnerKind, std::vector<mocks::RawConnection*>> accepted_;  ///< all that came, for later requests
  std::map<PartnerKind, std::vector<PeerStream>> served_;               ///< those that asked() leads by itself
  int markers_ = 0;
};

}  // namespace cutover::suites
