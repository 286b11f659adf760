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

}  // namespace cutover::suites
