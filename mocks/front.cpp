// Two ends a connection, each in clear or inside TLS, and between them the seam where rewrites work.
//
// The near end is the one that was accepted: the initiating entity of the stream. The far end is opened by the front:
// towards the server, or, where the server opened the stream, towards the peer that its header names. Behind <proceed/>
// (or from the first octet) there are two handshakes, one after the other, because the second one shows what the first
// one was shown: a peer's certificate to the server, and the name that the initiating entity asked for (SNI).
#include "mocks/front.h"

#include "protocol/dns/resolver.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stanza.h"
#include "protocol/xmpp/stream.h"

#include <map>
#include <utility>

namespace cutover::mocks {

namespace ns = xmpp::ns;

namespace {

constexpr char first_octet_of_tls = 0x16;  // RFC 8446 section 5.1: a record of the handshake

struct End {
  ConnectionId id = ConnectionId::none;
  bool is_server = false;
  bool open = false;
  bool awaits_tls = false;  ///< what it says, and what is said to it, is for a session that may still have to be made
  bool secured = false;     ///< the handshake is over
  bool early = false;       ///< something was written before that
  std::unique_ptr<tls::Session> tls;
  std::string heard, unsaid;                      ///< before there is a session, or a connection
  bool ended = false, ended_tls = false;          ///< it has sent FIN, or close_notify
  bool to_end = false, to_end_tls = false;        ///< the other one has, which goes on once all is said
  bool was_ended = false, tls_was_ended = false;  ///< it went on
};

/// One stream: `near` is its initiating entity.
struct Link {
  End near, far;
  bool begun = false;   ///< an octet has come
  bool direct = false;  ///< TLS from the first octet (XEP-0368)
  bool over = false;
  std::string domain;                ///< of the peer that the server wants to speak with
  std::vector<dns::Target> targets;  ///< places of that peer that are left to try
  bool proceed_said = false, proceed_heard = false;
  std::unique_ptr<xmpp::Seam> seam;

  [[nodiscard]] bool server_opened() const { return near.is_server; }
  [[nodiscard]] const End& server() const { return near.is_server ? near : far; }
  [[nodiscard]] End& other(const End& end) { return &end == &near ? far : near; }
};
using LinkPtr = std::shared_ptr<Link>;

/// The direction of what an end says, as the server sees it.
Direction direction_from(const End& end) { return end.is_server ? Direction::out : Direction::in; }

std::string summary_of(const xmpp::Passage& p) {
  switch (p.kind) {
    case xmpp::Passage::Kind::header:
      return "stream header " + p.element.attribute_or_empty("from") + " > " + p.element.attribute_or_empty("to");
    case xmpp::Passage::Kind::element:
      return xmpp::summary_of(p.element);
    case xmpp::Passage::Kind::end_tag:
      return "end of stream";
    case xmpp::Passage::Kind::other:
      break;
  }
  return "octets";
}

}  // namespace

tls::CertificateRequest request_like(const std::optional<tls::PeerCertificate>& shown) {
  using tls::Flaw;
  tls::CertificateRequest request;
  if (!shown) {
    request.flaw = Flaw::no_certificate;
    return request;
  }
  for (const auto& name : shown->dns_names) request.names.push_back({tls::NameKind::dns, name});
  for (const auto& name : shown->srv_names) request.names.push_back({tls::NameKind::srv, name});
  for (const auto& name : shown->xmpp_addrs) request.names.push_back({tls::NameKind::xmpp_addr, name});
  request.common_name = shown->common_name;
  static const std::map<std::string, Flaw, std::less<>> flaws = {
      {"certificate has expired", Flaw::expired},
      {"certificate is not yet valid", Flaw::not_yet_valid},
      {"self-signed certificate", Flaw::self_signed},
      {"CA certificate used as an end entity's", Flaw::ca_true_leaf}};
  const auto known = flaws.find(shown->chain_error);
  if (known != flaws.end()) {
    request.flaw = known->second;
  } else if (shown->eku_present && !shown->eku_client) {
    request.flaw = shown->eku_server ? Flaw::server_only_eku : Flaw::wrong_eku;
  } else if (!shown->chain_valid) {
    request.flaw = Flaw::unknown_root;
  }
  return request;
}

struct Front::Impl {
  Impl(Front& front, FrontSettings the_settings) : self(front), settings(std::move(the_settings)) {
    as_receiving = identity_as(xmpp::StreamRole::receiving);
    as_initiating = identity_as(xmpp::StreamRole::initiating);
  }

  Front& self;
  FrontSettings settings;
  Context* context = nullptr;
  std::map<ConnectionId, LinkPtr> links;  ///< each by both of its ends
  std::unique_ptr<dns::Resolver> resolver;
  std::shared_ptr<const tls::Identity> as_receiving, as_initiating;  ///< what peers are shown of the server

  /// What departs in TLS departs here as it would in an engine of that role.
  [[nodiscard]] std::shared_ptr<const tls::Identity> identity_as(xmpp::StreamRole role) const {
    xmpp::StreamConfig config;
    config.role = role;
    config.identity = settings.identity;
    settings.departures.adjust(config);
    return config.identity;
  }

  // Connections.

  void accept(ConnectionId id, std::uint16_t port) {
    auto link = std::make_shared<Link>();
    link->near.id = id;
    link->near.open = true;
    link->near.is_server = port == settings.peers_port;
    link->far.is_server = !link->near.is_server;
    link->seam = xmpp::Seam::of(watched(*link), link->server_opened(), false);
    links[id] = link;
    if (!link->server_opened()) connect(link, settings.server);
  }

  void connect(const LinkPtr& link, const Endpoint& to) {
    link->far.id = context->connect(self, to);
    links[link->far.id] = link;
  }

  /// The server wants to speak with somebody.
  void seek(const LinkPtr& link, const std::string& domain) {
    link->domain = domain;
    resolver->resolve_xmpp(domain, [this, link](const dns::XmppTargets& found) {
      for (const auto& target : found.targets) {
        if (target.direct_tls == link->direct) link->targets.push_back(target);
      }
      try_next_place(link);
    });
  }

  void try_next_place(const LinkPtr& link) {
    if (link->over) return;
    if (link->targets.empty()) return break_off(*link, "no place of " + link->domain + " can be reached");
    const auto target = link->targets.front();
    link->targets.erase(link->targets.begin());
    connect(link, target.endpoint);
  }

  void on_connected(Link& link, End& end) {
    end.open = true;
    if (end.awaits_tls) return next_handshake(link);
    say(link, end, std::exchange(end.unsaid, {}));
    settle(link, end);
  }

  void on_connect_failed(const LinkPtr& link, std::string_view reason) {
    link->far.id = ConnectionId::none;
    if (link->server_opened()) return try_next_place(link);
    break_off(*link, "the server cannot be reached: " + std::string(reason));
  }

  /// Resets both sides: nothing more can be passed on.
  void break_off(Link& link, const std::string& why) {
    if (std::exchange(link.over, true)) return;
    note(link, "the front breaks off", why);
    drop(link.near);
    drop(link.far);
  }

  void drop(End& end) {
    const auto id = std::exchange(end.id, ConnectionId::none);
    if (id == ConnectionId::none) return;
    links.erase(id);
    context->abort(id);
  }

  // What is said.

  void on_received(Link& link, End& from, std::string_view octets) {
    if (link.over || octets.empty()) return;
    if (!std::exchange(link.begun, true) && octets.front() == first_octet_of_tls) {
      link.direct = true;
      begin_tls(link);
    }
    if (link.over) return;
    if (!from.awaits_tls) return on_plain(link, from, octets);
    if (from.tls) {
      from.tls->put_cipher(octets);
      return pump(link, from);
    }
    from.heard += octets;
    next_handshake(link);
  }

  void on_plain(Link& link, End& from, std::string_view octets) {
    const auto direction = direction_from(from);
    say(link, link.other(from), link.seam->pass(direction, octets, link.near.secured || link.far.secured));
    say(link, from, link.seam->take_back(direction));
    if (std::exchange(link.proceed_said, false)) begin_tls(link);
  }

  void say(Link& link, End& to, const std::string& octets) {
    if (octets.empty() || link.over) return;
    if (to.tls) {
      to.early |= !to.secured;
      to.tls->write(octets);
      flush(to);
    } else if (to.awaits_tls || !to.open) {
      to.unsaid += octets;
    } else {
      context->send(to.id, octets);
    }
  }

  void flush(End& end) const {
    if (const auto cipher = end.tls->take_cipher(); !cipher.empty()) context->send(end.id, cipher);
  }

  /// The rewrites, and before and behind them what the front itself wants to know of the items.
  Departures watched(Link& link) {
    Departed departed;
    if (const auto* planted = settings.departures.get()) departed = *planted;
    auto& items = departed.xmpp_items;
    items.insert(items.begin(), [this, &link](xmpp::Passage& p) { before(link, p); });
    items.emplace_back([this, &link](xmpp::Passage& p) { behind(link, p); });
    return Departures(std::make_shared<Departed>(std::move(departed)));
  }

  void before(Link& link, const xmpp::Passage& p) {
    if (p.out()) note(link, Direction::in, p);
    if (p.sends_header() && link.server_opened() && link.domain.empty() && link.far.id == ConnectionId::none)
      seek(links.at(link.near.id), p.element.attribute_or_empty("to"));
    if (is_proceed(link, p)) link.proceed_said = true;
  }

  void behind(Link& link, const xmpp::Passage& p) const {
    if (p.in() && !p.octets.empty()) note(link, Direction::out, p);
    if (is_proceed(link, p)) link.proceed_heard = p.octets.find("proceed") != std::string::npos;
  }

  static bool is_proceed(const Link& link, const xmpp::Passage& p) {
    return !p.secured && p.direction == direction_from(link.far) && p.is("proceed", ns::tls);
  }

  // The end.

  void on_eof(Link& link, End& from) {
    from.ended = true;
    auto& to = link.other(from);
    if (link.over) return context->shutdown(from.id);
    if (to.id == ConnectionId::none && link.domain.empty()) return break_off(link, "nobody was spoken to");
    say(link, to, link.seam->rest(direction_from(from)));
    to.to_end = true;
    settle(link, to);
  }

  /// Ends a side as the other one has ended, once all is said.
  void settle(Link& link, End& end) const {
    if (link.over || !end.open || !end.unsaid.empty() || end.early) return;
    if (end.to_end_tls && end.secured && !std::exchange(end.tls_was_ended, true)) {
      end.tls->close();
      flush(end);
    }
    if (end.to_end && !std::exchange(end.was_ended, true)) context->shutdown(end.id);
  }

  void on_closed(Link& link, End& from, std::string_view reason) {
    from.id = ConnectionId::none;
    if (link.over || (from.ended && from.was_ended)) return;
    link.over = true;
    note(link, from.is_server ? "the server is gone" : "the peer is gone", std::string(reason));
    drop(link.other(from));
  }

  // TLS.

  /// From here on both ends speak TLS with the front; one that has not heard <proceed/> stays in clear.
  void begin_tls(Link& link) {
    if (!settings.identity) return break_off(link, "TLS before a server that has none");
    link.far.awaits_tls = true;
    link.near.awaits_tls = link.direct || link.proceed_heard;
    next_handshake(link);
  }

  /// Begins the handshake that is next, as soon as it is known what to show in it.
  void next_handshake(Link& link) { link.server_opened() ? next_with_peer_first(link) : next_with_near_first(link); }

  /// A peer opened the stream: its certificate is shown to the server.
  void next_with_near_first(Link& link) {
    auto& near = link.near;
    auto& far = link.far;
    if (near.awaits_tls && !near.tls) {
      tls::SessionOptions options;
      if (link.direct) options.alpn = {"xmpp-server"};
      return start(link, near, *as_receiving, tls::Role::server, options);
    }
    if (far.tls || !far.open || near.secured != near.awaits_tls) return;
    tls::SessionOptions options;
    if (near.tls) options.server_name = near.tls->server_name();
    if (near.tls && !near.tls->alpn().empty()) options.alpn = {near.tls->alpn()};
    start(link, far, *like(near), tls::Role::client, options);
  }

  /// The server opened it: the peer is asked for what the server asks for, and its certificate is shown to the server.
  void next_with_peer_first(Link& link) {
    auto& near = link.near;
    auto& far = link.far;
    if (!far.tls) {
      const auto asked = near.awaits_tls ? asked_by(near) : tls::SessionOptions{};
      if (!asked) return;
      if (link.domain.empty()) return seek(links.at(near.id), asked->server_name);
      if (far.open) start(link, far, *as_initiating, tls::Role::client, *asked);
    } else if (far.secured && near.awaits_tls && !near.tls) {
      tls::SessionOptions options;
      if (!far.tls->alpn().empty()) options.alpn = {far.tls->alpn()};
      start(link, near, *like(far), tls::Role::server, options);
    }
  }

  /// What the initiating entity asks for in its first message, found out by a session that is thrown away; nothing
  /// while the message is not whole.
  [[nodiscard]] std::optional<tls::SessionOptions> asked_by(const End& near) const {
    const auto session =
        settings.identity->session(tls::Role::server, {.alpn = {"xmpp-server"}, .wall_clock = context->wall_clock()});
    session->put_cipher(near.heard);
    const auto progress = session->handshake();
    if (progress != tls::Progress::failed && session->take_cipher().empty()) return std::nullopt;
    tls::SessionOptions asked;
    asked.server_name = session->server_name();
    if (!session->alpn().empty()) asked.alpn = {session->alpn()};
    return asked;
  }

  [[nodiscard]] std::shared_ptr<const tls::Identity> like(const End& end) const {
    return settings.authority->issue(request_like(end.tls ? end.tls->peer_certificate() : std::nullopt));
  }

  void start(Link& link, End& end, const tls::Identity& identity, tls::Role role, tls::SessionOptions options) {
    options.wall_clock = context->wall_clock();
    end.tls = identity.session(role, options);
    say(link, end, std::exchange(end.unsaid, {}));
    end.tls->put_cipher(std::exchange(end.heard, {}));
    pump(link, end);
  }

  void pump(Link& link, End& end) {
    if (!end.secured) {
      const auto progress = end.tls->handshake();
      flush(end);  // also where it failed: that is the alert
      if (progress == tls::Progress::failed) return tls_failed(link, end);
      if (progress == tls::Progress::wants_input) return;
      end.secured = true;
      end.early = false;
      note(link, Layer::tls, Direction::none, end.id, "TLS established", end.tls->version());
      next_handshake(link);
    }
    const auto plain = end.tls->read();
    flush(end);
    if (!plain.empty()) on_plain(link, end, plain);
    if (link.over) return;
    if (end.tls->peer_closed() && !std::exchange(end.ended_tls, true)) {
      link.other(end).to_end_tls = true;
      settle(link, link.other(end));
    }
    if (!end.tls->failure().empty()) return tls_failed(link, end);
    settle(link, end);
  }

  /// The alert has gone out; behind it there is nothing but the end of both connections.
  void tls_failed(Link& link, End& end) {
    if (std::exchange(link.over, true)) return;
    note(link, Layer::tls, Direction::none, end.id, "TLS failed", end.tls->failure());
    for (const auto* each : {&link.near, &link.far})
      if (each->id != ConnectionId::none) context->shutdown(each->id);
  }

  // Notes: what the server's own wire carries, which is before the rewrites for what it says and behind them for what
  // it hears.

  void note(const Link& link, Direction direction, const xmpp::Passage& p) const {
    if (context->keeps_notes()) note(link, Layer::xmpp, direction, link.server().id, summary_of(p), p.octets);
  }
  void note(const Link& link, const char* what, std::string detail) const {
    note(link, Layer::event, Direction::none, link.near.id, what, std::move(detail));
  }
  void note(const Link&, Layer layer, Direction direction, ConnectionId id, std::string summary,
            std::string detail) const {
    context->note({layer, direction, id, std::move(summary), std::move(detail)});
  }

  /// Calls with the link and the end that a connection belongs to; the link lives as long as that lasts.
  template <class Call>
  void at(ConnectionId id, const Call& call) {
    const auto found = links.find(id);
    if (found == links.end()) return;
    const auto link = found->second;
    call(link, link->near.id == id ? link->near : link->far);
  }
};

Front::Front(FrontSettings settings) : impl_(std::make_unique<Impl>(*this, std::move(settings))) {}

Front::~Front() {
  if (impl_->context == nullptr) return;
  impl_->resolver.reset();
  impl_->context->forget(*this);
}

void Front::start(Context& context) {
  impl_->context = &context;
  impl_->resolver =
      std::make_unique<dns::Resolver>(context, dns::ResolverConfig{.name_server = impl_->settings.name_server});
  for (const auto port : {impl_->settings.port, impl_->settings.peers_port}) context.listen(*this, port);
}

void Front::on_accepted(ConnectionId id, std::uint16_t port, const Endpoint&) { impl_->accept(id, port); }

void Front::on_connected(ConnectionId id) {
  impl_->at(id, [&](const LinkPtr& link, End& end) { impl_->on_connected(*link, end); });
}

void Front::on_connect_failed(ConnectionId id, std::string_view reason) {
  impl_->at(id, [&](const LinkPtr& link, End&) {
    impl_->links.erase(id);
    impl_->on_connect_failed(link, reason);
  });
}

void Front::on_received(ConnectionId id, std::string_view bytes) {
  impl_->at(id, [&](const LinkPtr& link, End& end) { impl_->on_received(*link, end, bytes); });
}

void Front::on_eof(ConnectionId id) {
  impl_->at(id, [&](const LinkPtr& link, End& end) { impl_->on_eof(*link, end); });
}

void Front::on_closed(ConnectionId id, std::string_view reason) {
  impl_->at(id, [&](const LinkPtr& link, End& end) {
    impl_->links.erase(id);
    impl_->on_closed(*link, end, reason);
  });
}

}  // namespace cutover::mocks
