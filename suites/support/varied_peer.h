// A peer each of whose octets is chosen by a combination of stimuli, up to a stream that is ready for stanzas.
#pragma once

#include "harness/stimuli/grammar.h"
#include "harness/subjects/subject.h"
#include "suites/support/peer_stream.h"

#include <memory>
#include <optional>
#include <string>

namespace cutover::suites {

/// What came of the negotiation that a combination led.
struct Negotiated {
  std::optional<PeerStream> stream;  ///< whatever came of it; nothing where not even a connection did
  bool ready = false;                ///< for stanzas
  bool tls = false;                  ///< inside TLS
  std::string got;                   ///< in words: the last thing that came
};

/// Opens streams to the subject by hand, while a server of ours stands where the name of its domain leads, with the
/// user romeo: it is asked about keys, and takes what the subject sends back.
class VariedPeer {
 public:
  VariedPeer(harness::Run&, std::shared_ptr<harness::Subject>, harness::PartnerKind);

  [[nodiscard]] harness::Subject& subject() { return *subject_; }
  [[nodiscard]] const std::string& domain() const { return domain_; }
  [[nodiscard]] const mocks::PartnerUser& romeo() { return home_->user("romeo"); }
  /// What the slots of the table stand for, but those of one stanza.
  [[nodiscard]] const harness::stimuli::Surroundings& surroundings() const { return surroundings_; }

  /// The flaw of the certificate that it shows from now on.
  void show(tls::Flaw);
  /// A stream as the combination has it. A grammar without an element is led as usual there.
  [[nodiscard]] Negotiated negotiate(const harness::stimuli::Grammar&, const harness::stimuli::Combination&);
  /// ... with nothing out of the usual.
  [[nodiscard]] Negotiated negotiate();

  /// Sends octets cut as the connection's dimension says.
  void send(PeerStream&, std::string_view octets, std::string_view cut);
  bool until(const std::function<bool()>& condition) { return subject_->world().await(condition); }

  /// A message of romeo with that text, sent on a stream that is ready, comes to the subject's user.
  [[nodiscard]] bool marker_passes(PeerStream&, const harness::stimuli::Grammar&, const harness::stimuli::Combination&);

 private:
  class Lead;
  [[nodiscard]] const tls::Identity& identity(bool rsa);

  harness::Run& run_;
  std::shared_ptr<harness::Subject> subject_;
  harness::PartnerKind kind_;
  std::string domain_;
  mocks::Partner* home_ = nullptr;
  mocks::RawPeer* hand_ = nullptr;
  tls::Flaw flaw_ = tls::Flaw::none;
  std::shared_ptr<const tls::Identity> elliptic_, rsa_;
  harness::stimuli::Surroundings surroundings_;
  int markers_ = 0;
};

/// How a stream, or what was sent on it, was refused: "stream error host-unknown, end tag, closed".
[[nodiscard]] std::string in_words(const Ending&);

}  // namespace cutover::suites
