// Rubbish on the S2S port, in every phase of a negotiation: it costs its own stream, and nobody else anything.
#include "harness/stimuli/mutation.h"
#include "harness/worlds/choice.h"
#include "protocol/base/check.h"
#include "suites/support/varied_peer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>

namespace cutover::suites {
namespace {

using namespace harness;
using stimuli::Combination;
using stimuli::Grammar;
using testing::Eq;

/// Everything that a peer may say on a stream that it opened, the forbidden half of it, too.
constexpr std::array<std::string_view, 6> elements{"header", "starttls", "auth", "result", "message", "request"};
const Grammar& everything() {
  static const Grammar grammar({"header", "starttls", "auth", "result", "message", "request"});
  return grammar;
}

/// How far a stream has come when the rubbish begins.
enum class Phase { connected, inside_tls, ready };
constexpr std::array phase_words{"on a new connection", "before authentication", "on a stream that is ready"};

/// One thing that is sent.
struct Piece {
  std::string octets, words;
  bool mutated = false;
};

/// What is said on one connection, and how that ends.
struct Burst {
  Phase phase = Phase::connected;
  std::vector<Piece> pieces;
  std::string_view cut = "whole";
  std::size_t end = 0;

  [[nodiscard]] std::string words() const {
    static constexpr std::array ends{"the end tag", "FIN", "RST"};
    std::vector<std::string> all;
    all.reserve(pieces.size());
    for (const auto& piece : pieces) all.push_back(piece.words);
    return fmt::format("{}: {}; then {}", phase_words.at(static_cast<std::size_t>(phase)), fmt::join(all, ", "),
                       ends.at(end));
  }
};

/// Makes bursts, as the decisions have them: zeros are the usual things, and fewer of them.
class Maker {
 public:
  Maker(VariedPeer& peer, Choice& choice) : peer_(peer), choice_(choice) {}

  Burst make() {
    Burst burst;
    burst.phase = static_cast<Phase>(choice_.choose(phase_words.size()));
    changes_max_ = choice_.choose(2) == 0 ? 1 : 4;
    const auto count = 1 + choice_.choose(pieces_max);
    for (std::size_t i = 0; i < count; ++i) burst.pieces.push_back(piece());
    static constexpr std::array<std::string_view, 3> cuts{"whole", "halves", "sevens"};
    burst.cut = cuts.at(choice_.choose(cuts.size()));
    burst.end = choice_.choose(ends);
    return burst;
  }

 private:
  static constexpr std::size_t pieces_max = 4, ends = 3;

  Piece piece() {
    const auto element = elements.at(choice_.choose(elements.size()));
    const auto one = combination(element);
    auto slots = peer_.surroundings();
    const auto mark = fmt::format("r{}", ++marks_);
    slots["mark"] = mark;
    slots["first of mark"] = fmt::format("{:x}", mark.front());
    slots["rest of mark"] = mark.substr(1);
    slots["digits"] = "0" + mark.substr(1);
    slots["dialback"] = "db";
    slots["key"] = "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3";
    slots["another key"] = "0";
    slots["key by references"] = stimuli::written(slots["key"], "decimal");
    slots.try_emplace("full user", slots["user"]);
    Piece made{.octets = everything().render(element, one, slots), .words = std::string(element)};
    if (const auto words = everything().in_words(one); one != everything().usual()) made.words += " with " + words;
    const auto changes = choice_.choose(changes_max_);
    for (std::size_t i = 0; i < changes; ++i) {
      auto next = stimuli::mutated(made.octets, choice_, "xxe." + peer_.domain());
      made.words += ", " + next.words;
      made.octets = std::move(next.octets);
      made.mutated = true;
    }
    return made;
  }

  /// Some dimensions of the element are unusual, by a value that is legal or not.
  Combination combination(std::string_view element) {
    auto one = everything().usual();
    std::vector<std::size_t> own;
    for (std::size_t i = 0; i < one.size(); ++i) {
      if (everything().dimensions()[i].element == element) own.push_back(i);
    }
    constexpr std::size_t unusual_max = 4;
    for (auto count = choice_.choose(unusual_max); count > 0; --count) {
      const auto dimension = own.at(choice_.choose(own.size()));
      one[dimension] = choice_.choose(everything().dimensions()[dimension].values.size());
    }
    return one;
  }

  VariedPeer& peer_;
  Choice& choice_;
  std::size_t changes_max_ = 1;  ///< one less is made of a piece
  int marks_ = 0;
};

/// One that the subject would take stanzas from on a stream of its own, where there is any.
std::string another_domain(const Run& run, Subject& subject, PartnerKind kind) {
  const auto kinds = run.target() == nullptr ? std::vector{PartnerKind::sasl_external, PartnerKind::dialback_over_tls}
                                             : kinds_met({}, *run.target());
  for (const auto other : kinds) {
    if (other != kind) return subject.peer_domain(other);
  }
  return "else.example";
}

class Rubbish {
 public:
  Rubbish(Run& run, PartnerKind kind)
      : run_(run),
        peer_(run, make_subject(run), kind),
        stranger_(another_domain(run, peer_.subject(), kind)),
        inner_(make_choice(run.options().replay.empty() ? fmt::format("seed:{}", run.seed()) : run.options().replay)),
        choice_(*inner_) {}

  void go() {
    if (!GIVEN(marker_arrives(), "a message on a stream that is led as usual reaches the user")) return;
    // Their twins: without rubbish.
    for (const auto phase : {Phase::connected, Phase::inside_tls, Phase::ready}) send({.phase = phase});
    Maker maker(peer_, choice_);
    for (std::size_t bursts = 0; bursts < bursts_max() && sound(); ++bursts) {
      if (choice_.choose(enough) == enough - 1) break;
      send(maker.make());
    }
    if (!sound()) run_.reproduce_with(Fitted(choice_.values()).replay());
    judge();
  }

 private:
  /// One in so many bursts is the last one before its time, so that a list of decisions that ends is a shorter run.
  static constexpr std::size_t enough = 1000;

  [[nodiscard]] std::size_t bursts_max() const {
    constexpr std::size_t quick = 5, covering = 15, deep = 100;
    switch (run_.depth()) {
      case stimuli::Depth::quick:
        return quick;
      case stimuli::Depth::covering:
        return covering;
      case stimuli::Depth::deep:
        break;
    }
    return deep;
  }

  [[nodiscard]] std::optional<PeerStream> led_to(Phase phase) {
    if (phase == Phase::connected) return peer_.connect();
    if (phase == Phase::inside_tls) return peer_.up_to_authentication();
    auto led = peer_.negotiate();
    return led.ready ? std::move(led.stream) : std::nullopt;
  }

  void send(const Burst& burst) {
    auto stream = led_to(burst.phase);
    if (!stream) return;
    for (const auto& piece : burst.pieces) peer_.send(*stream, piece.octets, burst.cut);
    const auto number = ++burst_number_;
    const auto said = fmt::format("early {}", number), spoofed = fmt::format("spoofed {}", number);
    stream->send(message_of("romeo@" + peer_.domain(), said));
    stream->send(message_of("romeo@" + stranger_, spoofed));
    end(*stream, burst.end);
    // A marker on another stream may overtake what stands before an end tag; a twin is proof and not chance.
    if (burst.pieces.empty()) (void)stream->until([&] { return stream->is_over(); });
    if (!marker_arrives()) {
      deaf_ = burst.words();
      return;
    }
    auto& wire = stream->wire();
    const bool let_in = burst.phase == Phase::ready || wire.has_received("<success") || wire.has_received("valid");
    if (!let_in && peer_.subject().received(said) > 0) early_ = burst.words();
    // What came before it may have made it a part of something else.
    const bool whole = std::ranges::none_of(burst.pieces, &Piece::mutated);
    if (whole && peer_.subject().received(spoofed) > 0) spoofed_ = burst.words();
  }

  [[nodiscard]] std::string message_of(const std::string& from, const std::string& text) {
    // No chat: behind a gateway a session would begin first, and the marker be faster.
    return fmt::format("<message from='{}' to='{}' id='{}'><body>{}</body></message>", from, peer_.subject().user(),
                       text, text);
  }

  static void end(PeerStream& stream, std::size_t how) {
    enum { end_tag, fin, rst };
    auto& wire = stream.wire();
    if (wire.closed()) return;
    if (how == rst) return wire.abort();
    if (how == end_tag) wire.send("</stream:stream>");
    wire.shutdown();
  }

  /// On the good stream, or on a new one where that has ended.
  bool marker_arrives() {
    static const Grammar usual({});
    if (good_ && !good_->is_over() && peer_.marker_passes(*good_, usual, usual.usual())) return true;
    auto led = peer_.negotiate();
    if (!led.ready) return false;
    good_ = std::move(led.stream);
    return peer_.marker_passes(*good_, usual, usual.usual());
  }

  [[nodiscard]] bool sound() const { return deaf_.empty() && early_.empty() && spoofed_.empty(); }

  void judge() {
    if (!CONFORMS("SEC-FUZZ-1", "the rubbish behind which nobody was served any more", deaf_, Eq(""))) return;
    CONFORMS("RFC6120-4.3.5-3", "the rubbish behind which a message came through that nobody was authenticated for",
             early_, Eq(""));
    CONFORMS("RFC6120-8.1.2.2-2",
             "the rubbish behind which a message of a domain came through that was not authenticated", spoofed_,
             Eq(""));
  }

  Run& run_;
  VariedPeer peer_;
  const std::string stranger_;  ///< a domain that is not that of the peer
  std::unique_ptr<Choice> inner_;
  Recorded choice_;
  std::optional<PeerStream> good_;
  int burst_number_ = 0;
  std::string deaf_, early_, spoofed_;  ///< bursts in words
};

void rubbish(Run& run) {
  const auto kind = run.target() == nullptr ? PartnerKind::sasl_external : kinds_met({}, *run.target()).front();
  Rubbish(run, kind).go();
}

CUTOVER_CASE(case_of_rubbish){
    .id = "security.rubbish",
    .title = "Rubbish costs the stream on which it is said, and nobody else anything",
    .procedure =
        "Bursts at random (`--depth`): on a new connection, before authentication, or on a stream that is ready, one "
        "to "
        "four things that a peer can say, of allowed and forbidden forms, most of them mutated; behind them a message, "
        "one of a foreign domain, and the end tag, FIN or RST. Behind each burst a message on another stream.",
    .accepted =
        "The message on the other stream, or on a new one, reaches the user every time. Of the messages behind the "
        "rubbish none does that nobody was authenticated for. What becomes of the rubbish and its stream is not "
        "judged.",
    .likely_causes = "A parser that gives up in a place that all streams share; a limit that locks everybody out.",
    .judges = {{"SEC-FUZZ-1", {"xmpp.stops-at-rubbish"}},
               {"RFC6120-4.3.5-3", {"xmpp.unauthenticated-stanza-delivered"}},
               {"RFC6120-8.1.2.2-2", {"xmpp.spoofed-from-delivered"}}},
    .needs = {Need::user_account},
    .budget = 5min,
    .body = rubbish};

}  // namespace
}  // namespace cutover::suites
