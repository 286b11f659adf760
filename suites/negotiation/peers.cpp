// The subject and peers of ours with each of the settings that a server can have: how their streams are authenticated.
#include "harness/judging/run.h"
#include "harness/negotiation/oracle.h"
#include "harness/negotiation/pair.h"
#include "harness/subjects/subject.h"
#include "protocol/xmpp/rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using namespace harness::negotiation;

/// What the target's file declares; the server with accounts that stands for it requires TLS.
Side side_of(const Run& run) {
  const auto offers = [&](Need need) { return run.target()->offers.contains(need); };
  Side made;
  if (run.target() == nullptr) {
    made.tls = Tls::required;
    made.dialback_in_clear = false;
    return made;
  }
  made.external = offers(Need::sasl_external);
  made.dialback_in_tls = offers(Need::dialback);
  made.dialback_in_clear = offers(Need::plaintext_dialback);
  const bool tls = made.external || made.dialback_in_tls;
  made.tls = offers(Need::tls_required) ? Tls::required : tls ? Tls::optional : Tls::none;
  return made;
}

/// The sides of peers that use nothing but what the subject is declared to have: what is not declared may be there, or
/// not. Dialback in clear is, where TLS is declared as required: as what must not be done.
std::vector<Side> peers_for(const Side& subject) {
  std::vector<Side> all;
  for (auto one : sides()) {
    if (subject.tls == Tls::none && one.tls != Tls::none) continue;
    const bool clear_known = subject.dialback_in_clear || subject.tls == Tls::required;
    if (one.dialback_in_tls && !subject.dialback_in_tls) continue;
    if (one.dialback_in_clear && !clear_known) continue;
    one.external = one.external && subject.external;
    all.push_back(one);
  }
  return all;
}

/// One peer, and what came of it.
struct Cell {
  Side side;
  mocks::Partner* peer = nullptr;
  std::string jid, body;
  Used used;
};

class Peers {
 public:
  /// `call`: the peers are the initiating side.
  Peers(Run& run, bool call) : run_(run), subject_(make_subject_with_account(run)), side_(side_of(run)), call_(call) {}

  void play() {
    const auto all = peers_for(side_);
    const auto together = machines();
    for (std::size_t at = 0; at < all.size(); at += together) {
      const auto begin = cells_.size();
      for (std::size_t i = at; i < std::min(all.size(), at + together); ++i) add(all[i], static_cast<int>(i - at));
      const std::span<Cell> batch(cells_.begin() + static_cast<std::ptrdiff_t>(begin), cells_.end());
      for (auto& cell : batch) write(cell);
      const auto settled = [&](bool every) {
        bool done = true;
        for (auto& cell : batch) done &= look(cell) || (!every && may_be_none(cell));
        return done;
      };
      // Where nothing may come, nothing is waited for: it would have come with the others, or soon after.
      (void)subject_->world().await([&] { return settled(false); });
      (void)subject_->world().run_until([&] { return settled(true); }, usual_patience);
      for (auto& cell : batch) subject_->world().remove(*std::exchange(cell.peer, nullptr));
    }
  }

  void judge() const {
    const bool any = std::ranges::any_of(cells_, [](const Cell& cell) { return cell.used.delivered; });
    if (!GIVEN(any, "a message passes between the subject and one of the peers")) return;
    std::vector<std::string> other, weaker;
    for (const auto& cell : cells_) {
      const auto &from = call_ ? cell.side : side_, &to = call_ ? side_ : cell.side;
      const auto prediction = prediction_of(cell);
      const auto& rationale = rationale_of(prediction.why);
      const auto words = fmt::format("a peer with {}", words_of(cell.side));
      if (!prediction.permitted.contains(cell.used.method))
        other.push_back(fmt::format("{}: {} ({}; {}), got {}", words, name_of(prediction.method), rationale.sentence,
                                    rationale.documents, words_of(cell.used)));
      if (const auto fault = weaker_than_allowed(cell.used.method, from, to); !fault.empty())
        weaker.push_back(fmt::format("{}: {}, got {}", words, fault, words_of(cell.used)));
    }
    const auto side = words_of(side_);
    CONFORMS_THAT("SEC-DOWNGRADE-2",
                  fmt::format("the method between the subject ({}) and {} peers", side, cells_.size()), other.empty(),
                  "as predicted", told_of(other));
    CONFORMS_THAT(
        "SEC-DOWNGRADE-1",
        fmt::format("no method weaker than the settings of the subject ({}) and {} peers allow", side, cells_.size()),
        weaker.empty(), "as predicted", told_of(weaker));
  }

 private:
  /// How many can stand beside the usual peers at once.
  [[nodiscard]] std::size_t machines() const {
    const auto* remote = run_.target() == nullptr ? nullptr : std::get_if<RemoteTarget>(&run_.target()->driver);
    return remote == nullptr ? sides().size() : remote->spares.size();
  }
  [[nodiscard]] Prediction prediction_of(const Cell& cell) const {
    return call_ ? predict(cell.side, side_) : predict(side_, cell.side);
  }
  [[nodiscard]] bool may_be_none(const Cell& cell) const {
    return prediction_of(cell).permitted.contains(Method::none);
  }
  void add(const Side& side, int number) {
    auto& world = subject_->world();
    const int host = subject_->free_host() + number;
    const auto domain = subject_->another_peer(PartnerKind::sasl_external);
    subject_->names().set("xmpp." + domain, dns::Type::a, 60, {world.address_of(host)});
    world.answer_for(host, domain);
    tls::CertificateRequest request{.names = {{tls::NameKind::dns, domain}}};
    if (side.certificate == Certificate::none) request.flaw = tls::Flaw::no_certificate;
    if (side.certificate == Certificate::bad) request.flaw = tls::Flaw::self_signed;
    auto settings = server_settings(domain, "romeo", subject_->authority().issue(request), subject_->name_server());
    apply(side, settings);
    // Who looks at <required/> itself never shows whether the subject means it.
    settings.departures = Departures::waiving(
        {xmpp::Rule::stanzas_go_one_way, xmpp::Rule::to_is_a_domain, xmpp::Rule::peer_may_require_tls});
    auto& peer = world.add(fmt::format("peer-{}", cells_.size() + 1), host,
                           std::make_unique<mocks::Partner>(std::move(settings)));
    cells_.push_back({.side = side,
                      .peer = &peer,
                      .jid = peer.bare_jid("romeo"),
                      .body = fmt::format("to or from {}", domain),
                      .used = {}});
  }
  void write(const Cell& cell) {
    if (call_) {
      cell.peer->send_message("romeo", subject_->user(), cell.body);
    } else {
      subject_->send_message(cell.jid, cell.body);
    }
  }
  /// Whether it has come to an end.
  bool look(Cell& cell) {
    for (const auto& stream : cell.peer->server().streams()) {
      const bool carries = stream.initiated_by_us == call_ && !stream.authorised_pairs.empty();
      if (carries && cell.used.method == Method::none) cell.used = used_on(stream);
    }
    const auto& romeo = cell.peer->user("romeo");
    cell.used.delivered = call_ ? subject_->received(cell.body) > 0 : !romeo.messages.empty();
    if (cell.used.delivered) return true;
    cell.used.ending = call_ ? (romeo.errors.empty() ? "" : "an error came back") : subject_->told(cell.body);
    return !cell.used.ending.empty();
  }

  Run& run_;
  std::shared_ptr<Subject> subject_;
  Side side_;
  bool call_;
  std::vector<Cell> cells_;
};

void with_peers(Run& run, bool call) {
  Peers peers(run, call);
  peers.play();
  peers.judge();
}

const std::vector<Need> needs{Need::user_account, Need::authority, Need::peer_zones, Need::unmet_peers,
                              Need::spare_addresses};
constexpr char accepted[] =
    "The method that the oracle predicts from what the target's file declares and the peer's settings, or what else "
    "the "
    "documents permit there; never one that the settings of either forbid.";

CUTOVER_CASE(call){
    .id = "negotiation.peers-call",
    .title = "Peers with every setting call the subject, which takes the strongest method that both sides allow",
    .procedure =
        "Up to 18 peers: certificate (none, bad, good) x dialback x TLS (none, optional, required), as far as they use "
        "what "
        "the target's file declares. A user of each "
        "writes to the user; how the stream was authenticated is asked of the peer.",
    .accepted = accepted,
    .likely_causes =
        "Dialback that is taken before the policy was asked; a certificate that counts as soon as it is shown.",
    .judges = {{"SEC-DOWNGRADE-2", {"xmpp.external-not-offered"}},
               {"SEC-DOWNGRADE-1", {"xmpp.invalid-chain-accepted"}}},
    .needs = needs,
    .budget = 2min,
    .body = [](Run& run) { with_peers(run, true); }};

CUTOVER_CASE(called){
    .id = "negotiation.peers-are-called",
    .title = "The subject calls peers with every setting by the strongest method that both sides allow",
    .procedure =
        "Up to 18 peers: certificate (none, bad, good) x dialback x TLS (none, optional, required), as far as they use "
        "what "
        "the target's file declares. The user writes to "
        "a user of each; how the stream was authenticated is asked of the peer.",
    .accepted = accepted,
    .likely_causes = "A fall-back that forgets what was required; EXTERNAL that is not tried where it is offered.",
    .judges = {{"SEC-DOWNGRADE-2", {"xmpp.external-not-used"}}, {"SEC-DOWNGRADE-1", {"xmpp.goes-on-without-tls"}}},
    .needs = needs,
    .budget = 2min,
    .body = [](Run& run) { with_peers(run, false); }};

}  // namespace
}  // namespace cutover::suites
