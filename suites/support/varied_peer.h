// A peer each of whose octets is chosen by a combination of stimuli, up to a stream that is ready for stanzas.
#pragma once

#include "harness/stimuli/grammar.h"
#include "harness/subjects/subject.h"
#include "suites/support/peer_stream.h"

#include <memory>
#include <optional>
#include <string>

namespace cutover::suites {

/// How long an answer to db:result is waited for: as long as it may take, or for a second, where none is due.
enum class Pace { patient, quick };

/// What came of the negotiation that a combination led.
struct Negotiated {
  std::optional<PeerStream> stream;  ///< whatever came of it; nothing where not even a connection did
  bool ready = false;                ///< for stanzas
  bool tls = false;                  ///< inside TLS
  std::string got;                   ///< in words: the last thing that came
};

/// The kind of peer that a case about none in particular meets: the best that a target offers.
[[nodiscard]] harness::PartnerKind kind_of_peer(const harness::Run&);

/// Opens streams to the subject by hand, while a server of ours stands where the name of its domain leads, with the
/// user romeo: it is asked about keys, and takes what the subject sends back.
class VariedPeer {
 public:
  VariedPeer(harness::Run&, std::shared_ptr<harness::Subject>, harness::PartnerKind);

  [[nodiscard]] harness::Subject& subject() { return *subject_; }
  [[nodiscard]] const std::string& domain() const { return domain_; }
  [[nodiscard]] const mocks::PartnerUser& romeo() { return home_->user("romeo"); }
  /// The server where the name of its domain leads.
  [[nodiscard]] mocks::Partner& home() { return *home_; }
  /// How often its authoritative server was asked about a key.
  [[nodiscard]] std::uint64_t keys_asked_about() const { return home_->server().keys_answered(); }
  /// What the slots of the table stand for, but those of one stanza.
  [[nodiscard]] const harness::stimuli::Surroundings& surroundings() const { return surroundings_; }

  /// The flaw of the certificate that it shows from now on.
  void show(tls::Flaw);
  /// A stream as the combination has it. A grammar without an element is led as usual there.
  [[nodiscard]] Negotiated negotiate(const harness::stimuli::Grammar&, const harness::stimuli::Combination&,
                                     Pace = Pace::patient);
  /// ... with nothing out of the usual.
  [[nodiscard]] Negotiated negotiate();
  /// A connection on which nothing was said; nothing where the subject takes none.
  [[nodiscard]] std::optional<PeerStream> connect();
  /// A stream that was led as usual up to features inside TLS, in clear where the kind of peer has none; nothing where
  /// it did not come to that.
  [[nodiscard]] std::optional<PeerStream> up_to_authentication();

  /// Sends octets cut as the connection's dimension says.
  void send(PeerStream&, std::string_view octets, std::string_view cut);
  /// Ends the stream, and waits for the other side.
  void end(PeerStream&, std::string_view tag = "</stream:stream>");
  /// ... by the end tag of a header as the combination has it.
  void end(PeerStream&, const harness::stimuli::Grammar&, const harness::stimuli::Combination&);
  bool until(const std::function<bool()>& condition) { return subject_->world().await(condition); }

  /// Sends a message of romeo on a stream that should carry none, and proves by one on a good stream that it was read.
  /// Whether it came to the subject's user all the same.
  [[nodiscard]] bool marker_slips_through(PeerStream&);
  /// A message of romeo, sent on a stream that is ready, comes to the subject's user.
  [[nodiscard]] bool marker_passes(PeerStream&, const harness::stimuli::Grammar&, const harness::stimuli::Combination&);

 private:
  class Lead;
  [[nodiscard]] const tls::Identity& identity(bool rsa);
  [[nodiscard]] mocks::RawConnection& dial();
  [[nodiscard]] PeerStream stream_on(mocks::RawConnection&);

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

/// Sends octets in several writes: `cut` is "whole", "halves", "sevens" or "quotes" (behind each).
void send_pieces(harness::World&, PeerStream&, std::string_view octets, std::string_view cut);
/// Blanks: whoever reads what came before only once there is more reads it behind them.
[[nodiscard]] std::string more_than_any_tag();
/// Why nothing came behind what was sent in pieces: "nothing", or that it came once there were more octets. A parser
/// that puts off a tag that is incomplete until much more has come, as libexpat 2.6.0 and later do by default, leaves a
/// peer waiting that has said all that it has to say.
[[nodiscard]] std::string silence_in_words(harness::World&, PeerStream&, std::string_view cut);
/// The requirement of the cuts, where those words tell that they are to blame; else empty.
[[nodiscard]] std::string refused_for_cuts(std::string_view words);
/// How a stream, or what was sent on it, was refused: "stream error host-unknown, end tag, closed".
[[nodiscard]] std::string in_words(const Ending&);

}  // namespace cutover::suites
