// A whole server for each peer, so that no stream has to be broken off, and a question of the user to each.
#include "harness/subjects/peers_found.h"

#include "harness/subjects/diagnosis.h"
#include "harness/subjects/target_subject.h"
#include "mocks/partner.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness {

namespace {

constexpr Duration patience = 12s, farewell = 500ms;
constexpr char ping_ns[] = "urn:xmpp:ping";

class PeersProbe {
 public:
  PeersProbe(World& world, const Target& target)
      : world_(world),
        target_(std::get<RemoteTarget>(target.driver)),
        subject_(make_remote_subject(world, target, {})) {
    // Of several of a kind the first: the others are for cases that need a peer which the target has never met.
    for (const auto& peer : target_.peers)
      if (std::ranges::none_of(seats_, [&](const Seat& seat) { return seat.peer->kind == peer.kind; })) add(peer);
    client_ = &world.add("client", target_host::client, std::make_unique<mocks::XmppClient>(client_of(target_, world)));
  }
  ~PeersProbe() {
    client_->sign_out();
    for (auto& seat : seats_) seat.server->let_go_of(target_.domain);
    (void)world_.run_until([this] { return std::ranges::all_of(seats_, &Seat::quiet); }, farewell);
  }
  PeersProbe(const PeersProbe&) = delete;
  PeersProbe& operator=(const PeersProbe&) = delete;

  std::vector<std::string> run() {
    (void)world_.run_until([this] { return client_->online() || !client_->failure().empty(); }, patience);
    if (!client_->online()) return {};
    for (const auto& seat : seats_) (void)client_->send_iq(seat.peer->domain, "get", xml::Element("ping", ping_ns));
    (void)world_.run_until([this] { return look(); }, patience);
    std::vector<std::string> words;
    for (const auto& seat : seats_)
      if (!seat.met) words.push_back(words_for(*seat.peer));
    return words;
  }

 private:
  struct Seat {
    const TargetPeer* peer = nullptr;
    mocks::Partner* server = nullptr;
    bool met = false;
    static bool quiet(const Seat& seat) { return seat.server->quiet(); }
  };

  void add(const TargetPeer& peer) {
    seats_.push_back(
        {&peer, &world_.add(peer.domain, subject_->peer_host(peer.kind),
                            std::make_unique<mocks::Partner>(peer_settings(*subject_, peer.kind, "romeo")))});
  }

  /// Whether each peer was met, or the user told that it cannot be; a stream that came and went was seen, for the world
  /// stops at every event.
  bool look() {
    bool all = true;
    for (auto& seat : seats_) {
      seat.met |= !seat.server->quiet();
      all &= seat.met || told_of(*seat.peer) != nullptr;
    }
    return all;
  }

  /// The error that came back to the user instead of an answer of that peer; null: none came.
  [[nodiscard]] const xml::Element* told_of(const TargetPeer& peer) const {
    const auto& inbox = client_->inbox().items();
    const auto told = std::ranges::find_if(inbox, [&](const auto& stanza) {
      return stanza.attribute_or_empty("from") == peer.domain && stanza.attribute_or_empty("type") == "error";
    });
    return told == inbox.end() ? nullptr : &*told;
  }

  std::string words_for(const TargetPeer& peer) const {
    auto words = fmt::format("the target did not come to {} (settings.peers) at {}:{} while its user waited for it",
                             peer.domain, peer.address, RealServer::s2s_port);
    if (const auto* told = told_of(peer)) {
      const auto error = xmpp::error_of(*told);
      words += fmt::format("; its user was told {}{}", error ? error->condition : "an error",
                           error && !error->text.empty() ? ": '" + error->text + "'" : "");
    }
    if (!target_.name_server)
      return words +
             fmt::format("; does its DNS find _xmpp-server._tcp.{} with port 5269 there, and may it connect to there?",
                         peer.domain);
    return words + "; " + words_for_queries(subject_->names(), peer.domain);
  }

  World& world_;
  const RemoteTarget& target_;
  const std::shared_ptr<Subject> subject_;
  std::vector<Seat> seats_;
  mocks::XmppClient* client_ = nullptr;
};

}  // namespace

std::vector<std::string> peers_not_found(World& world, const Target& target) {
  return std::get<RemoteTarget>(target.driver).account ? PeersProbe(world, target).run() : std::vector<std::string>();
}

}  // namespace cutover::harness
