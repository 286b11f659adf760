// The S2S server: connections, dialling, queues per pair, verification, limits and drain around the stream engine.
#include "protocol/xmpp/server.h"

#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/rules.h"
#include "protocol/xmpp/stanza.h"
#include "protocol/xmpp/stream.h"

#include <algorithm>
#include <deque>
#include <map>

namespace cutover::xmpp {

namespace {

constexpr std::size_t verifications_max = 256;

/// A stanza that was written, and when. Without stream management (XEP-0198) nothing tells whether it was read.
struct Doubt {
  Time when;
  xml::Element stanza;
};

/// Where to connect, and how far that went.
struct Dial {
  std::vector<dns::Target> targets;
  std::size_t next = 0;
  bool under_way = false;
};

/// The way from one of our domains to one remote domain. At most one stream at a time, so that order is kept.
struct Path {
  std::deque<xml::Element> queue;
  Dial dial;
  ConnectionId connection = ConnectionId::none;
};

/// One key that an authoritative server is asked about.
struct Verification {
  ConnectionId inbound = ConnectionId::none;
  DomainPair pair;
  std::string id, key;
  Dial dial;
  ConnectionId connection = ConnectionId::none;
};

struct Connection {
  ConnectionId id = ConnectionId::none;
  std::unique_ptr<Stream> stream;  ///< null while connecting
  std::optional<DomainPair> path;  ///< outgoing, for stanzas
  std::uint64_t verification = 0;  ///< outgoing, for a verification
  std::string remote_domain, last_failure;
  Endpoint peer;
  dns::Target target;
  std::deque<Doubt> doubts;
  std::optional<Time> give_up_at;  ///< connecting too long, or the peer does not close its side
  bool pumping = false, shut = false, gone = false, clean = false, was_open = false, tls_failed = false;
  bool spare = false;  ///< outgoing, beside the one that is used: closed as soon as it is there
  [[nodiscard]] bool inbound() const { return !path && verification == 0 && !spare; }
};

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

struct Server::Impl {
  Impl(Server& self, Context& context, ServerConfig config, dns::Resolver& resolver, ServerOwner& owner)
      : self_(self), context_(context), config_(std::move(config)), resolver_(resolver), owner_(owner) {
    prepare();
  }
  /// Names are compared in canonical form, whichever form they were configured in.
  void prepare() {
    for (auto& domain : config_.domains) domain = canonical_domain(domain);
    config_.departures.adjust(config_);
  }

  // --- Settings and counting ---

  [[nodiscard]] bool holds(Rule rule) const { return config_.departures.holds(rule); }
  [[nodiscard]] bool breaks(Rule rule, bool broken) const { return config_.departures.breaks(rule, broken); }
  [[nodiscard]] bool serves(std::string_view domain) const {
    return std::ranges::find(config_.domains, domain) != config_.domains.end();
  }
  [[nodiscard]] PeerPolicy policy(std::string_view domain) const {
    return config_.policy ? config_.policy(domain) : PeerPolicy{};
  }
  [[nodiscard]] std::size_t connections_with(std::string_view remote) const {
    const auto open = static_cast<std::size_t>(std::ranges::count_if(connections_, [&](const auto& entry) {
      return entry.second->remote_domain == remote && !entry.second->gone && entry.second->verification == 0;
    }));
    const auto kept = kept_.find(remote);
    return open + (kept == kept_.end() ? 0 : kept->second);
  }
  [[nodiscard]] bool full() const {
    return breaks(Rule::connections_are_limited, connections_.size() >= config_.connections_max);
  }
  [[nodiscard]] bool full_for(std::string_view remote) const {
    return breaks(Rule::connections_are_limited, connections_with(remote) >= policy(remote).connections_max);
  }
  Connection* find(ConnectionId id) {
    const auto found = connections_.find(id);
    return found == connections_.end() || found->second->gone ? nullptr : found->second.get();
  }
  void note(ConnectionId connection, std::string summary, std::string detail = {}) {
    context_.note({Layer::event, Direction::none, connection, std::move(summary), std::move(detail)});
  }

  StreamConfig stream_config(ConnectionId id, StreamRole role, StreamPurpose purpose) {
    StreamConfig out;
    out.role = role;
    out.purpose = purpose;
    out.domains = config_.domains;
    out.policy = config_.policy;
    out.identity = config_.identity;
    out.dialback_secret = config_.dialback_secret;
    out.send_version = config_.send_version;
    out.wall_clock = context_.wall_clock();
    out.random = [this](std::uint64_t bound) { return context_.random(bound); };
    if (context_.keeps_notes())
      out.note = [this, id](Layer layer, Direction direction, std::string summary, std::string detail) {
        context_.note({layer, direction, id, std::move(summary), std::move(detail)});
      };
    out.establishment_timeout = config_.establishment_timeout;
    out.inactivity_timeout = config_.inactivity_timeout;
    out.keep_alive_interval = config_.keep_alive_interval;
    out.departures = config_.departures;
    return out;
  }

  // --- Dialling ---

  /// Finds the targets of a remote domain and calls `then` with the dial filled in; never after this object's end.
  void resolve(const std::string& remote, const std::function<void(std::vector<dns::Target>)>& then) {
    const std::weak_ptr<int> alive = alive_;
    const auto fqdn = policy(remote).proxy_fqdn;
    if (!fqdn.empty()) {
      // A static route of the partner's settings takes the place of SRV.
      resolver_.resolve(fqdn, dns::Type::a, [alive, fqdn, then](const dns::Answer& answer) {
        if (alive.expired()) return;
        std::vector<dns::Target> targets;
        for (const auto& record : answer.records) targets.push_back({{record.data, 5269}, fqdn, false});
        then(std::move(targets));
      });
      return;
    }
    const auto name = domain_to_ascii(remote);  // A-labels in DNS, U-labels in addresses
    if (!name) return then({});
    resolver_.resolve_xmpp(*name, [alive, then](dns::XmppTargets found) {
      if (!alive.expired()) then(std::move(found.targets));
    });
  }

  Connection& connect(Dial& dial) {
    auto connection = std::make_unique<Connection>();
    connection->target = dial.targets[dial.next++];
    connection->peer = connection->target.endpoint;
    connection->id = context_.connect(self_, connection->peer);
    connection->give_up_at = context_.now() + config_.connect_timeout;
    auto& reference = *connection;
    connections_.emplace(reference.id, std::move(connection));
    schedule(reference);
    return reference;
  }

  void dial_path(const DomainPair& pair) {
    if (!paths_[pair].queue.empty()) dial(pair);
  }

  void dial(const DomainPair& pair) {
    auto& path = paths_[pair];
    if (path.dial.under_way || path.connection != ConnectionId::none) return;
    if (full() || full_for(pair.target)) return bounce(path, "resource-constraint");
    path.dial = Dial{.under_way = true};
    resolve(pair.target, [this, pair](std::vector<dns::Target> targets) {
      auto& found = paths_[pair];
      found.dial.targets = std::move(targets);
      found.dial.next = 0;
      if (found.dial.targets.empty()) {
        found.dial.under_way = false;
        return bounce(found, "remote-server-not-found");  // RFC 6120 section 10.4.3
      }
      connect_path(pair);
    });
  }

  void connect_path(const DomainPair& pair) {
    auto& path = paths_[pair];
    const bool tried = path.dial.next > 0;
    if (path.dial.next >= path.dial.targets.size() || (tried && !holds(Rule::every_target_is_tried))) {
      path.dial.under_way = false;
      return bounce(path, "remote-server-timeout");
    }
    if (config_.connects_twice) {
      connect(path.dial).spare = true;
      --path.dial.next;
    }
    auto& connection = connect(path.dial);
    connection.path = pair;
    connection.remote_domain = pair.target;
    path.connection = connection.id;
  }

  void begin_stream(Connection& connection) {
    const bool verifying = connection.verification != 0;
    auto config = stream_config(connection.id, StreamRole::initiating,
                                verifying ? StreamPurpose::verification : StreamPurpose::stanzas);
    if (verifying) {
      const auto& pair = verifications_.at(connection.verification).pair;
      config.local_domain = pair.target;
      config.remote_domain = pair.sender;
    } else {
      config.local_domain = connection.path->sender;
      config.remote_domain = connection.path->target;
    }
    config.direct_tls = connection.target.direct_tls;
    config.target_host = connection.target.host;
    connection.give_up_at.reset();
    connection.stream = std::make_unique<Stream>(std::move(config), context_.now());
    pump(connection);
  }

  // --- Stanzas out ---

  void send(xml::Element stanza) {
    const auto from = Jid::parse(stanza.attribute_or_empty("from")), to = Jid::parse(stanza.attribute_or_empty("to"));
    if (!from || !to) {
      if (holds(Rule::unaddressed_is_returned)) undeliverable(stanza, "jid-malformed");
      return;
    }
    const DomainPair pair{from->domain(), to->domain()};
    if (const auto fault = judge_outgoing(pair); !fault.empty()) return undeliverable(stanza, fault);
    if (!holds(Rule::stanzas_leave_by_own_stream) && sent_back(stanza, pair)) return;
    auto& queue = paths_[pair].queue;
    if (breaks(Rule::queue_is_bounded, queue.size() >= limits::stream_queue_max_stanzas))
      return undeliverable(stanza, "resource-constraint");
    queue.insert(holds(Rule::queue_keeps_its_order) ? queue.end() : queue.begin(), std::move(stanza));
    flush(pair);
    dial_path(pair);
  }

  /// On a stream that the other side initiated, where there is one.
  bool sent_back(const xml::Element& stanza, const DomainPair& pair) {
    for (const auto& [id, connection] : connections_) {
      if (connection->path || !connection->stream || !connection->stream->send(stanza, pair, context_.now())) continue;
      pump(*connection);
      return true;
    }
    return false;
  }

  /// Why a stanza of the pair cannot be sent from here, as a stanza error condition; empty where it can.
  [[nodiscard]] std::string_view judge_outgoing(const DomainPair& pair) const {
    if (breaks(Rule::own_domain_has_no_stream, serves(pair.target))) return "remote-server-not-found";
    if (breaks(Rule::drain_takes_no_more, draining_)) return "service-unavailable";
    if (breaks(Rule::only_partners_are_dialled, !policy(pair.target).allowed)) return "not-allowed";
    return {};
  }

  void flush(const DomainPair& pair) {
    auto& path = paths_[pair];
    auto* connection = find(path.connection);
    if (!connection || !connection->stream || path.queue.empty()) return;
    if (!connection->stream->may_send(pair)) return;
    // Inner: nothing outside of the queue knows which stanza is the last that waits.
    if (path.queue.size() > 1 && config_.departures.inner(Inner::loses_the_last_that_waits)) path.queue.pop_back();
    const auto now = context_.now();
    while (!path.queue.empty() && connection->stream->send(path.queue.front(), pair, now)) {
      connection->doubts.push_back({now, std::move(path.queue.front())});
      path.queue.pop_front();
    }
    forget_old_doubts(*connection, now);
    if (draining_ && path.queue.empty()) connection->stream->close(drain_condition_, now);
    pump(*connection);
  }

  void forget_old_doubts(Connection& connection, Time now) const {
    auto& doubts = connection.doubts;
    while (!doubts.empty() &&
           (doubts.front().when + config_.doubt_window < now || doubts.size() > limits::stream_queue_max_stanzas)) {
      doubts.pop_front();
    }
  }

  void undeliverable(const xml::Element& stanza, std::string_view condition) {
    if (!holds(Rule::undeliverable_is_told)) return;
    owner_.on_undeliverable(stanza, holds(Rule::undeliverable_says_why) ? condition : "undefined-condition");
  }

  /// Everything that waits on the path goes back to its senders. The owner may send again from inside.
  void bounce(Path& path, std::string_view condition) {
    for (const auto& stanza : std::exchange(path.queue, {})) undeliverable(stanza, condition);
  }

  // --- Connections ---

  void accept(ConnectionId id, std::uint16_t port, const Endpoint& peer) {
    const bool refused = full();
    auto connection = std::make_unique<Connection>();
    connection->id = id;
    connection->peer = peer;
    auto config = stream_config(id, StreamRole::receiving, StreamPurpose::stanzas);
    config.direct_tls = config_.direct_tls_port != 0 && port == config_.direct_tls_port;
    connection->stream = std::make_unique<Stream>(std::move(config), context_.now());
    auto& reference = *connection;
    connections_.emplace(id, std::move(connection));
    if (refused) {
      reference.stream->close("resource-constraint", context_.now());
    } else if (breaks(Rule::drain_accepts_nobody, draining_)) {
      reference.stream->close("system-shutdown", context_.now());
    }
    pump(reference);
    collect();
  }

  /// Moves octets out and events on until there are none; the only place where a stream's outputs are taken.
  void pump(Connection& connection) {
    if (connection.pumping || connection.gone || !connection.stream) return;
    connection.pumping = true;
    for (;;) {
      if (const auto octets = connection.stream->take_output(); !octets.empty()) context_.send(connection.id, octets);
      auto event = connection.stream->poll();
      if (!event) break;
      handle(connection, *event);
      if (connection.gone) break;
    }
    connection.pumping = false;
    if (connection.gone) return;
    if (connection.stream->finished() && !connection.shut) {
      connection.shut = true;
      connection.give_up_at = context_.now() + limits::stream_close_timeout;
      context_.shutdown(connection.id);
    }
    schedule(connection);
  }

  void handle(Connection& c, StreamEvent& event) {
    std::visit(Overloaded{
                   [&](const HeadersExchanged& e) { on_headers(c, e); },
                   [&](const Secured&) {},
                   [&](const Negotiated& e) { on_negotiated(c, e); },
                   [&](const PairAuthorised& e) {
                     c.was_open = true;
                     if (c.path) flush(e.pair);
                     if (config_.calls_back && c.inbound()) call_back({e.pair.target, e.pair.sender});
                   },
                   [&](const PairRefused& e) { on_pair_refused(c, e); },
                   [&](const VerificationWanted& e) { on_verification_wanted(c, e); },
                   [&](const VerificationAnswered& e) { on_verification_answered(c, e); },
                   [&](const KeyAnswered&) { ++keys_answered_; },
                   [&](const StanzaReceived& e) { owner_.on_stanza(e.stanza, e.sender_domain); },
                   [&](const StreamFailed& e) {
                     c.last_failure = e.condition;
                     c.tls_failed |= e.condition == "tls-failure";
                     note(c.id, "stream failed: " + e.condition + (e.by_us ? " (by us)" : ""), e.text);
                     give_back_what_waits(c);
                     const bool unreadable = e.by_us && e.condition == "not-well-formed";
                     if (unreadable && !holds(Rule::one_stream_fails_alone)) drain("internal-server-error");
                   },
                   [&](const ClosingBegan& e) {
                     if (!holds(Rule::new_stream_after_the_old)) detach(c);
                     note(c.id, e.by_us ? "closing the stream" : "the peer closed the stream");
                   },
                   [&](const StreamClosed& e) { c.clean = e.clean; },
               },
               event);
  }

  void call_back(const DomainPair& pair) {
    if (serves(pair.sender) && judge_outgoing(pair).empty()) dial(pair);
  }

  void on_headers(Connection& c, const HeadersExchanged& e) {
    if (!c.inbound() || e.remote.empty()) return;
    c.remote_domain.clear();
    const bool refused = full_for(e.remote);
    c.remote_domain = e.remote;
    if (refused) c.stream->close("resource-constraint", context_.now());
  }

  void on_negotiated(Connection& c, const Negotiated& e) {
    if (c.verification != 0) {
      const auto& v = verifications_.at(c.verification);
      return c.stream->verify(v.pair, v.id, v.key, context_.now());
    }
    if (!c.path) return;
    if (e.method != AuthenticationMethod::sasl_external) c.stream->authorise(*c.path, context_.now());
    flush(*c.path);
  }

  void on_pair_refused(Connection& c, const PairRefused& e) {
    if (!c.path || *c.path != e.pair) return;
    // XEP-0220 section 2.1.1: invalid goes back as internal-server-error, an error as remote-server-timeout.
    c.stream->close({}, context_.now());
    bounce(paths_[e.pair], e.condition == "invalid" ? "internal-server-error" : "remote-server-timeout");
  }

  /// Whether another target of the path is tried when this connection has ended.
  [[nodiscard]] bool goes_on(const Connection& c, const Path& path) const {
    const bool untried = path.dial.next < path.dial.targets.size();
    const bool never_spoke = !c.stream || (c.tls_failed && c.target.direct_tls);
    const bool next = !c.was_open && untried && !path.queue.empty();
    return next && !breaks(Rule::refusal_is_final, !never_spoke);
  }

  /// What waits for a stream that will not come hears of it now, not when the peer has closed its side.
  void give_back_what_waits(const Connection& c) {
    if (!c.path || c.was_open) return;
    auto& path = paths_[*c.path];
    if (path.connection == c.id && !goes_on(c, path)) bounce(path, "remote-server-timeout");
  }

  /// The path no longer uses this connection.
  void detach(Connection& c) {
    if (!c.path) return;
    auto& path = paths_[*c.path];
    if (path.connection != c.id) return;
    path.connection = ConnectionId::none;
    path.dial.under_way = false;
  }

  /// The connection is at its end: what it carried is accounted for, and what still waits goes on.
  void end(Connection& c, std::string_view reason) {
    if (c.gone) return;
    if (c.stream && !c.stream->finished()) {
      c.stream->connection_lost(context_.now());
      pump(c);
    }
    c.gone = true;
    note(c.id, "connection ended", std::string(reason));
    const bool reset = reason.find("reset") != std::string_view::npos;
    if (c.path) end_path(c, c.clean && !reset);
    if (c.path) ask_elsewhere(c.id);
    if (c.verification != 0) end_verification(c);
    if (c.inbound()) forget_verifications_for(c.id);
  }

  void end_path(Connection& c, bool clean) {
    const auto pair = *c.path;
    auto doubts = std::exchange(c.doubts, {});
    auto& path = paths_[pair];
    const bool current = path.connection == c.id;
    if (current) path.connection = ConnectionId::none;
    if (!clean && !doubts.empty()) {
      forget_doubts_before(doubts, context_.now() - config_.doubt_window);
      // Perhaps read, perhaps not: its sender hears of it, and it is never sent again (no duplicates).
      if (holds(Rule::doubtful_is_not_sent_again)) {
        for (const auto& one : doubts) undeliverable(one.stanza, "remote-server-timeout");
      } else {
        std::for_each(doubts.rbegin(), doubts.rend(), [&](auto& one) { path.queue.push_front(one.stanza); });
      }
    }
    if (!current) return;
    if (goes_on(c, path)) return connect_path(pair);
    path.dial.under_way = false;
    if (!c.was_open) return bounce(path, "remote-server-timeout");
    // Stanzas that were never written are not lost with the stream that closed under them.
    dial_path(pair);
  }

  static void forget_doubts_before(std::deque<Doubt>& doubts, Time when) {
    while (!doubts.empty() && doubts.front().when < when) doubts.pop_front();
  }

  /// Deletes what ended, when nothing on the call stack can refer to it.
  void collect() {
    std::erase_if(connections_, [&](const auto& entry) {
      const bool over = entry.second->gone && !entry.second->pumping;
      if (breaks(Rule::ended_connections_are_released, over)) return true;
      if (over) ++kept_[entry.second->remote_domain];
      return over;
    });
    if (drained() && !std::exchange(drain_told_, true)) owner_.on_drained();
  }

  // --- Verification (receiving role of dialback) ---

  void on_verification_wanted(Connection& c, const VerificationWanted& e) {
    if (breaks(Rule::verifications_are_bounded, verifications_.size() >= verifications_max)) {
      return c.stream->answer_result(e.pair, Verdict::error, "resource-constraint", context_.now());
    }
    const auto number = ++last_verification_;
    verifications_[number] = {.inbound = c.id, .pair = e.pair, .id = e.id, .key = e.key};
    const auto ask = [this, number](std::vector<dns::Target> targets) {
      const auto found = verifications_.find(number);
      if (found == verifications_.end()) return;
      if (targets.empty()) return answer(number, Verdict::error, "remote-server-not-found");
      found->second.dial.targets = std::move(targets);
      connect_verification(number);
    };
    // XEP-0220 section 2.1.2: the authoritative server is the one that our resolver names now, not the peer.
    if (holds(Rule::authority_is_resolved)) return resolve(e.pair.sender, ask);
    ask({{{c.peer.address, 5269}, e.pair.sender, false}});
  }

  /// A stream to the domain of who is verified that is open for stanzas; null for none.
  Connection* open_to(const DomainPair& pair) {
    const auto path = paths_.find({pair.target, pair.sender});
    auto* connection = path == paths_.end() ? nullptr : find(path->second.connection);
    const bool open = connection != nullptr && connection->was_open && connection->stream->state() == StreamState::open;
    return open ? connection : nullptr;
  }

  void connect_verification(std::uint64_t number) {
    auto& v = verifications_.at(number);
    if (auto* open = config_.verifies_on_open && v.dial.next == 0 ? open_to(v.pair) : nullptr) {
      v.connection = open->id;
      open->stream->verify(v.pair, v.id, v.key, context_.now());
      return pump(*open);
    }
    if (v.dial.next >= v.dial.targets.size()) return answer(number, Verdict::error, "remote-connection-failed");
    auto& connection = connect(v.dial);
    connection.verification = number;
    connection.remote_domain = v.pair.sender;
    v.connection = connection.id;
  }

  void on_verification_answered(Connection& c, const VerificationAnswered& e) {
    if (c.verification == 0) return answer(asked_on(c, e), e.verdict, e.condition);
    answer(c.verification, e.verdict, e.condition);
    if (holds(Rule::verification_stream_is_closed)) c.stream->close({}, context_.now());  // opened for this only
  }

  /// The number of the verification that was asked for on a stream for stanzas.
  [[nodiscard]] std::uint64_t asked_on(const Connection& c, const VerificationAnswered& e) const {
    const auto found = std::ranges::find_if(verifications_, [&](const auto& entry) {
      const auto& one = entry.second;
      return one.connection == c.id && one.pair == e.pair && one.id == e.id;
    });
    return found == verifications_.end() ? 0 : found->first;
  }

  void end_verification(Connection& c) {
    const auto found = verifications_.find(c.verification);
    if (found == verifications_.end()) return;
    if (!c.stream) return connect_verification(c.verification);
    answer(c.verification, Verdict::error, "remote-server-timeout");
  }

  void answer(std::uint64_t number, Verdict verdict, std::string_view condition) {
    const auto found = verifications_.find(number);
    if (found == verifications_.end()) return;
    const auto v = std::move(found->second);
    verifications_.erase(found);
    auto* inbound = find(v.inbound);
    if (!inbound) return;
    inbound->stream->answer_result(v.pair, verdict, condition, context_.now());
    pump(*inbound);
  }

  /// What was asked on a stream for stanzas that has ended.
  void ask_elsewhere(ConnectionId ended) {
    std::vector<std::uint64_t> unanswered;
    for (const auto& [number, one] : verifications_) {
      if (one.connection == ended) unanswered.push_back(number);
    }
    for (const auto number : unanswered) connect_verification(number);
  }

  void forget_verifications_for(ConnectionId inbound) {
    std::vector<ConnectionId> asking;
    std::erase_if(verifications_, [&](const auto& entry) {
      if (entry.second.inbound != inbound) return false;
      asking.push_back(entry.second.connection);
      return true;
    });
    for (const auto id : asking) {
      auto* connection = find(id);
      if (connection && connection->verification != 0) close(*connection, {});
    }
  }

  // --- Closing ---

  void close(Connection& c, std::string_view condition) {
    if (!c.stream || (draining_ && !holds(Rule::drain_ends_streams))) {
      context_.abort(c.id);
      return end(c, "given up");
    }
    c.stream->close(condition, context_.now());
    pump(c);
  }

  /// The other of two connections is used.
  void let_go(Connection& c) {
    context_.shutdown(c.id);
    end(c, "not needed");
  }

  [[nodiscard]] std::vector<ConnectionId> ids() const {
    std::vector<ConnectionId> out;
    for (const auto& [id, connection] : connections_) out.push_back(id);
    return out;
  }

  void stop_listening() {
    if (!listening_) return;
    listening_ = false;
    context_.stop_listening(config_.port);
    if (config_.direct_tls_port != 0) context_.stop_listening(config_.direct_tls_port);
  }

  void drain(std::string_view condition) {
    draining_ = true;
    drain_told_ = false;
    drain_condition_ = condition;
    if (holds(Rule::drain_stops_listening)) stop_listening();
    for (const auto id : ids()) {
      auto* c = find(id);
      if (!c) continue;
      // What waits for a stream that is being negotiated is still sent; flush() closes it then.
      const bool waited_for = c->path && !paths_[*c->path].queue.empty();
      if (waited_for && holds(Rule::drain_sends_what_waits)) continue;
      close(*c, condition);
    }
    collect();
  }

  [[nodiscard]] std::uint64_t keys_answered() const { return keys_answered_; }

  [[nodiscard]] bool drained() const {
    return draining_ && connections_.empty() &&
           std::ranges::all_of(paths_, [](const auto& entry) { return entry.second.queue.empty(); });
  }

  void close_streams_with(std::string_view domain, std::string_view condition) {
    const auto remote = canonical_domain(domain);
    for (const auto id : ids()) {
      auto* c = find(id);
      if (c && c->remote_domain == remote) close(*c, condition);
    }
    if (!policy(remote).allowed) {
      for (auto& [pair, path] : paths_) {
        if (pair.target == remote) bounce(path, "not-allowed");
      }
    }
    collect();
  }

  // --- Time ---

  [[nodiscard]] static std::optional<Time> deadline_of(const Connection& c) {
    auto when = c.stream ? c.stream->deadline() : std::nullopt;
    if (c.give_up_at && (!when || *c.give_up_at < *when)) when = c.give_up_at;
    return when;
  }

  /// An earlier deadline moves the wake-up; a later one is found when the old one comes (cheap on every stanza).
  void schedule(const Connection& c) {
    const auto when = deadline_of(c);
    if (!when || (wake_ && *wake_ <= *when)) return;
    wake_ = when;
    context_.wake_at(self_, *when);
  }

  void on_wake() {
    wake_.reset();
    const auto now = context_.now();
    for (const auto id : ids()) {
      auto* c = find(id);
      if (!c) continue;
      if (c->give_up_at && now >= *c->give_up_at) {
        context_.abort(id);
        end(*c, c->stream ? "the peer did not close" : "timed out");
        continue;
      }
      forget_old_doubts(*c, now);
      if (c->stream) c->stream->timeout(now);
      pump(*c);
    }
    collect();
    for (const auto& [id, c] : connections_) schedule(*c);
  }

  [[nodiscard]] StreamInfo info(const Connection& c) const {
    StreamInfo out{
        .connection = c.id, .initiated_by_us = !c.inbound(), .remote_domain = c.remote_domain, .state = "connecting"};
    if (c.path) out.local_domain = c.path->sender;
    if (!c.stream) return out;
    out.local_domain = c.stream->local_domain();
    out.stream_id = c.stream->id();
    out.tls_version = c.stream->tls_version();
    out.direct_tls = c.stream->direct_tls();
    out.method = c.stream->method();
    for (const auto& pair : c.stream->authorised_pairs()) out.authorised_pairs.emplace_back(pair.sender, pair.target);
    out.state = to_string(c.stream->state());
    return out;
  }

  Server& self_;
  Context& context_;
  ServerConfig config_;
  dns::Resolver& resolver_;
  ServerOwner& owner_;
  std::map<ConnectionId, std::unique_ptr<Connection>> connections_;
  std::map<std::string, std::size_t, std::less<>> kept_;  ///< connections that ended and were not released, by domain
  std::map<DomainPair, Path> paths_;
  std::map<std::uint64_t, Verification> verifications_;
  std::uint64_t last_verification_ = 0;
  std::optional<Time> wake_;
  bool listening_ = false, draining_ = false;
  bool drain_told_ = false;
  std::uint64_t keys_answered_ = 0;
  std::string drain_condition_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  ///< watched by look-ups that outlive this object
};

Server::Server(Context& context, ServerConfig config, dns::Resolver& resolver, ServerOwner& owner)
    : impl_(std::make_unique<Impl>(*this, context, std::move(config), resolver, owner)) {}

Server::~Server() { impl_->context_.forget(*this); }

void Server::open() {
  impl_->context_.listen(*this, impl_->config_.port);
  if (impl_->config_.direct_tls_port != 0) impl_->context_.listen(*this, impl_->config_.direct_tls_port);
  impl_->listening_ = true;
  impl_->draining_ = false;
}

void Server::send(xml::Element stanza) { impl_->send(std::move(stanza)); }
void Server::drain(std::string_view condition) { impl_->drain(condition); }
bool Server::drained() const { return impl_->drained(); }

std::uint64_t Server::keys_answered() const { return impl_->keys_answered(); }

void Server::close_streams_with(std::string_view remote_domain, std::string_view condition) {
  impl_->close_streams_with(remote_domain, condition);
}

std::vector<StreamInfo> Server::streams() const {
  std::vector<StreamInfo> out;
  for (const auto& [id, connection] : impl_->connections_) {
    if (!connection->gone) out.push_back(impl_->info(*connection));
  }
  return out;
}

void Server::reconfigure(ServerConfig config) {
  const bool moved = config.port != impl_->config_.port || config.direct_tls_port != impl_->config_.direct_tls_port;
  const bool reopen = impl_->listening_ && moved;
  if (reopen) impl_->stop_listening();
  impl_->config_ = std::move(config);
  impl_->prepare();
  if (reopen) open();
}
const ServerConfig& Server::config() const { return impl_->config_; }

void Server::on_accepted(ConnectionId id, std::uint16_t port, const Endpoint& peer) { impl_->accept(id, port, peer); }

void Server::on_connected(ConnectionId id) {
  if (auto* c = impl_->find(id); c && !c->stream) c->spare ? impl_->let_go(*c) : impl_->begin_stream(*c);
  impl_->collect();
}

void Server::on_connect_failed(ConnectionId id, std::string_view reason) {
  if (auto* c = impl_->find(id)) impl_->end(*c, reason);
  impl_->collect();
}

void Server::on_received(ConnectionId id, std::string_view bytes) {
  auto* c = impl_->find(id);
  if (!c || !c->stream) return;
  c->stream->receive(bytes, impl_->context_.now());
  impl_->pump(*c);
  impl_->collect();
}

void Server::on_eof(ConnectionId id) {
  auto* c = impl_->find(id);
  if (!c || !c->stream) return;
  c->stream->receive_eof(impl_->context_.now());
  impl_->pump(*c);
  impl_->collect();
}

void Server::on_closed(ConnectionId id, std::string_view reason) {
  if (auto* c = impl_->find(id)) impl_->end(*c, reason);
  impl_->collect();
}

void Server::on_wake() { impl_->on_wake(); }

}  // namespace cutover::xmpp
