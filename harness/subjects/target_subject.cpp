// Both drivers: what is around the target is the same, what stands behind its address is not.
#include "harness/subjects/target_subject.h"

#include "harness/servers/real_partner.h"
#include "mocks/front.h"
#include "mocks/name_server.h"
#include "protocol/base/check.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace cutover::harness {

namespace {

/// Base64 of the domain ends in padding.
constexpr char local_domain[] = "judged.example", local_user[] = "juliet";
constexpr std::array kinds{PartnerKind::sasl_external, PartnerKind::dialback_over_tls, PartnerKind::plaintext_dialback};

class TargetSubject : public Subject {
 public:
  TargetSubject(World& world, std::string domain, std::string user, std::unique_ptr<tls::Authority> authority,
                std::uint16_t name_server_port, PeerNames peers)
      : peers_(std::move(peers)),
        world_(world),
        domain_(std::move(domain)),
        user_(std::move(user)),
        authority_(std::move(authority)),
        names_(world.add("name-server", target_host::name_server,
                         std::make_unique<mocks::NameServer>(dns::DnsServer{}, name_server_port))) {
    world_.call_strangers("subject");
    world_.answer_nameless_for([this] { return last_looked_up(); });
  }
  TargetSubject(const TargetSubject&) = delete;
  TargetSubject& operator=(const TargetSubject&) = delete;
  ~TargetSubject() override { world_.answer_nameless_for({}); }

  World& world() override { return world_; }
  std::string domain() const override { return domain_; }
  std::string user() const override { return user_ + "@" + domain_; }
  dns::DnsServer& names() override { return names_.server(); }
  Endpoint name_server() const override { return names_.endpoint(); }
  tls::Authority& authority() override { return *authority_; }
  int peer_host(PartnerKind kind) const override { return target_host::peer(kind); }
  int free_host() const override { return target_host::spare; }

  void send_message(const std::string& to, const std::string& body) override {
    sent_[body] = account()->send_message(user_, to, body);
  }
  std::size_t received(const std::string& body) const override {
    const auto& messages = seen().messages;
    return static_cast<std::size_t>(std::ranges::count_if(messages, [&](const auto& message) {
      const auto* text = message.child("body", message.ns());
      return text != nullptr && text->text() == body;
    }));
  }
  std::string told(const std::string& body) const override {
    const auto id = sent_.find(body);
    if (id == sent_.end()) return {};
    for (const auto& stanza : seen().errors) {
      if (stanza.attribute_or_empty("id") != id->second) continue;
      const auto error = xmpp::error_of(stanza);
      return error ? error->condition + " " + error->text : "an error without a condition";
    }
    return {};
  }
  std::vector<std::string> columns() const override { return {"name-server", "subject", user_}; }
  std::string another_peer(PartnerKind kind) override {
    if (!makes_names()) return peer_domain(kind);
    // Beside the first one, not below it, where that has a label: a name below another may be mistaken for that.
    const auto beside = peers_.label.empty() ? std::string() : peers_.label + "-";
    auto name = fmt::format("{}n{}.{}", beside, ++others_, peer_zone(kind));
    publish_peer(kind, name);
    return name;
  }

 protected:
  void publish_all() {
    publish(names_.server(), domain_, domain_, s2s());
    for (const auto kind : kinds) publish_peer(kind, peer_domain(kind));
  }
  /// Whether any name below the declared domains will do.
  [[nodiscard]] virtual bool makes_names() const { return !peers_.label.empty(); }
  virtual void publish_peer(PartnerKind kind, const std::string& name) {
    world_.answer_for(peer_host(kind), name);
    if (names_.server().records("xmpp." + name, dns::Type::a).empty())
      publish(names_.server(), peer_zone(kind), name, {world_.address_of(peer_host(kind)), RealServer::s2s_port});
  }
  /// The declared domain that the peer of that kind is, or has its own below.
  [[nodiscard]] virtual std::string peer_zone(PartnerKind) const = 0;
  [[nodiscard]] std::string own(const std::string& zone) const {
    return peers_.label.empty() ? zone : peers_.label + "." + zone;
  }
  /// Where a server of ours asks: not each can be told from which address to do so.
  [[nodiscard]] Endpoint names_for(const std::string& address) { return names_.door_for(address); }
  [[nodiscard]] const std::string& localpart() const { return user_; }
  [[nodiscard]] std::string server_address() const { return world_.address_of(target_host::server); }
  [[nodiscard]] const std::shared_ptr<tls::Authority>& shared_authority() const { return authority_; }

  const PeerNames peers_;

 private:
  [[nodiscard]] virtual mocks::PartnerUser& seen() const = 0;
  /// The domain whose server the subject looked up last.
  [[nodiscard]] std::string last_looked_up() const {
    const auto& asked = names_.server().history();
    const auto last =
        std::find_if(asked.rbegin(), asked.rend(), [](const auto& query) { return query.type == dns::Type::srv; });
    if (last == asked.rend()) return {};
    constexpr std::string_view service_end = "._tcp.";
    const auto end = last->name.find(service_end);
    return end == std::string::npos ? std::string() : last->name.substr(end + service_end.size());
  }

  World& world_;
  std::string domain_, user_;
  std::shared_ptr<tls::Authority> authority_;
  mocks::NameServer& names_;
  std::map<std::string, std::string> sent_;  ///< the id of the message with that text
  int others_ = 0;
};

/// The mock server with accounts, simulated or on loopback: what a run judges where it has no target.
class EmbeddedAccounts final : public TargetSubject {
 public:
  explicit EmbeddedAccounts(Run& run)
      : TargetSubject(run.world(), local_domain, local_user, tls::make_openssl_authority(run.world().wall_clock()),
                      mocks::name_server_port, {}) {
    publish_all();
    auto settings = server_settings(domain(), localpart(),
                                    authority().issue({.names = {{tls::NameKind::dns, domain()}}}), name_server());
    settings.departures = run.planted().at(departures::account_server);
    settings.filters = true;
    server_ = &world().add("subject", target_host::server, std::make_unique<mocks::Partner>(std::move(settings)));
  }

  Endpoint s2s() const override { return {server_address(), RealServer::s2s_port}; }
  std::string peer_domain(PartnerKind kind) const override { return peer_zone(kind); }
  mocks::PartnerDomain* account() override { return server_; }

 private:
  bool makes_names() const override { return true; }
  mocks::PartnerUser& seen() const override { return server_->user(localpart()); }
  std::string peer_zone(PartnerKind kind) const override { return default_peer_domain(kind); }

  mocks::Partner* server_ = nullptr;
};

class LocalSubject final : public TargetSubject {
 public:
  LocalSubject(Run& run, const LocalTarget& target)
      : TargetSubject(run.world(), local_domain, local_user, tls::make_openssl_authority(run.world().wall_clock()),
                      mocks::name_server_port, peer_names(run, *run.target(), run.world().wall_clock())),
        address_(world().address_of(target_host::server)),
        fronted_(target.front || !run.planted().none()) {
    publish_all();
    const int host = fronted_ ? target_host::behind_front : target_host::server;
    const bool tls = target.mode != ServerMode::dialback_in_clear;
    ServerSettings settings;
    settings.domain = domain();
    settings.address = world().address_of(host);
    settings.name_server = names_for(settings.address);
    settings.mode = target.mode;
    settings.certificate = authority().issue_pem({.names = {{tls::NameKind::dns, domain()}}});
    settings.accounts = {{localpart(), "secret of " + localpart()}};
    if (fronted_) put_front(settings, tls, run.planted().at(departures::front));
    server_ = &world().add("subject", host, std::make_unique<RealPartner>(*target.product, std::move(settings)));
    run.evidence([server = server_] { return server->server().log(); });
    const auto anchors = tls ? authority().issue({.names = {{tls::NameKind::dns, "client.invalid"}}}) : nullptr;
    server_->sign_users_in(world(), target_host::client, anchors);
  }

  Endpoint s2s() const override { return {address_, RealServer::s2s_port}; }
  std::string peer_domain(PartnerKind kind) const override { return own(peer_zone(kind)); }
  mocks::PartnerDomain* account() override { return server_; }
  std::vector<std::string> columns() const override {
    if (!fronted_) return TargetSubject::columns();
    return {"name-server", "front", "subject", localpart()};
  }

 private:
  /// The front stands where peers dial the server; and where the server finds its peers, for it sees names otherwise.
  void put_front(const ServerSettings& server, bool tls, Departures departures) {
    mocks::FrontSettings settings;
    settings.port = RealServer::s2s_port;
    settings.server = {server.address, RealServer::s2s_port};
    settings.name_server = name_server();
    if (tls) settings.identity = authority().issue({.names = {{tls::NameKind::dns, domain()}}});
    settings.authority = shared_authority();
    settings.departures = std::move(departures);
    const auto port = settings.peers_port;
    world().add("front", target_host::server, std::make_unique<mocks::Front>(std::move(settings)));
    names().assign_view(server.address, view);
    front_port_ = port;
    for (const auto kind : kinds) put_front_before(peer_domain(kind));
  }
  void put_front_before(const std::string& name) {
    names().set("front." + name, dns::Type::a, 60, {address_}, view);
    names().set("_xmpp-server._tcp." + name, dns::Type::srv, 60, {fmt::format("0 0 {} front.{}", front_port_, name)},
                view);
  }
  void publish_peer(PartnerKind kind, const std::string& name) override {
    TargetSubject::publish_peer(kind, name);
    if (front_port_ != 0) put_front_before(name);
  }

  mocks::PartnerUser& seen() const override { return server_->user(localpart()); }
  std::string peer_zone(PartnerKind kind) const override { return default_peer_domain(kind); }

  static constexpr char view[] = "behind the front";

  const std::string address_;  ///< that peers dial
  const bool fronted_;
  std::uint16_t front_port_ = 0;  ///< where the front is called for peers; 0 before it stands
  RealPartner* server_ = nullptr;
};

class RemoteSubject final : public TargetSubject {
 public:
  RemoteSubject(World& world, const Target& target, PeerNames peers)
      : TargetSubject(world, remote_of(target).domain,
                      remote_of(target).account ? remote_of(target).account->user : "nobody",
                      authority_of(remote_of(target), world.wall_clock()),
                      remote_of(target).name_server ? remote_of(target).name_server->port : mocks::name_server_port,
                      std::move(peers)),
        target_(remote_of(target)) {
    publish_all();
  }
  ~RemoteSubject() override {
    try {
      if (client_ != nullptr) leave();
    } catch (const std::exception&) {  // the case has its verdict
    }
  }
  RemoteSubject(const RemoteSubject&) = delete;
  RemoteSubject& operator=(const RemoteSubject&) = delete;

  void sign_in() {
    if (!target_.account) return;
    auto& client = world().add(localpart(), target_host::client, users_.make_client(client_of(target_, world())));
    if (const auto failure = signs_in(world(), client); !failure.empty()) {
      throw HarnessFault(fmt::format("the subject is down: the account {} cannot sign in at {}:{}: {}", user(),
                                     target_.account->c2s.address, target_.account->c2s.port, failure));
    }
    client_ = &client;
  }

  Endpoint s2s() const override { return target_.s2s; }
  std::optional<Endpoint> s2s_direct_tls() const override { return target_.s2s_direct_tls; }
  std::string peer_domain(PartnerKind kind) const override {
    const auto& peer = peer_for(kind);
    if (peers_.label.empty()) return peer.domain;
    return peer.kind == kind ? own(peer.domain) : fmt::format("{}.{}", name_of(kind), own(peer.domain));
  }
  int peer_host(PartnerKind kind) const override {
    return target_host::peer(peers_.label.empty() ? peer_for(kind).kind : kind);
  }
  mocks::PartnerDomain* account() override { return target_.account ? &users_ : nullptr; }

 private:
  static constexpr Duration step_limit = 5s;

  static const RemoteTarget& remote_of(const Target& target) { return std::get<RemoteTarget>(target.driver); }
  mocks::PartnerUser& seen() const override { return users_.user(localpart()); }
  std::string peer_zone(PartnerKind kind) const override { return peer_for(kind).domain; }
  /// Where there is none of that kind, another speaks for it, by another name where names can be made.
  const TargetPeer& peer_for(PartnerKind kind) const {
    const auto chosen = peers_.which.find(kind);
    auto skipped = chosen == peers_.which.end() ? 0 : chosen->second;
    const auto found = std::ranges::find_if(
        target_.peers, [&](const TargetPeer& peer) { return peer.kind == kind && skipped-- == 0; });
    return found == target_.peers.end() ? target_.peers.front() : *found;
  }

  /// Takes back what the case changed. An account that was signed out signs in again for it.
  void leave() {
    world().put_end_off(10 * step_limit);
    world().trace().append({.time = world().now(),
                            .node = localpart(),
                            .peer = {},
                            .connection = {},
                            .note = {.layer = Layer::event, .summary = case_is_over, .detail = {}}});
    if (!client_->online()) {
      if (!until([this] { return client_->disconnected(); })) return;
      client_->sign_in();
      if (!signs_in(world(), *client_).empty()) return;
    }
    forget_contacts();
    client_->sign_out();
    // Whole, for what breaks off instead is remembered by some servers: OpenSSL's queue of errors is one for all.
    (void)until([this] { return client_->disconnected(); });
  }
  /// Removing an item ends both subscriptions, too (RFC 6121 section 2.5.2), but no request that waits for its answer:
  /// that may be kept beside the roster, and comes again whenever the user signs in (section 3.1.3).
  void forget_contacts() {
    constexpr char ns_roster[] = "jabber:iq:roster", ns_ping[] = "urn:xmpp:ping";
    (void)answered(client_->send_iq({}, "get", xml::Element("ping", ns_ping)));  // the roster has come by then
    std::set<std::string> asked;
    for (const auto& stanza : seen().presences)
      if (stanza.attribute_or_empty("type") == "subscribe") asked.insert(stanza.attribute_or_empty("from"));
    for (const auto& contact : asked) client_->send_presence(contact, "unsubscribed");
    std::vector<std::string> requests;
    for (const auto& [contact, subscription] : std::map(client_->roster())) {
      if (!is_of_a_peer(contact)) continue;
      xml::Element query("query", ns_roster);
      query.add(xml::Element("item", ns_roster).with("jid", contact).with("subscription", "remove"));
      requests.push_back(client_->send_iq({}, "set", std::move(query)));
    }
    for (const auto& id : requests) (void)answered(id);
  }
  /// An earlier case's, too, that could not take it back itself.
  [[nodiscard]] bool is_of_a_peer(const std::string& contact) const {
    const auto domain = contact.substr(contact.find('@') + 1);
    return std::ranges::any_of(target_.peers, [&](const TargetPeer& peer) {
      return domain == peer.domain || domain.ends_with("." + peer.domain);
    });
  }
  bool answered(const std::string& id) {
    return until([&] {
      return std::ranges::any_of(std::array{&seen().iqs, &seen().errors}, [&](const auto* kind) {
        return std::ranges::any_of(*kind, [&](const auto& stanza) { return stanza.attribute_or_empty("id") == id; });
      });
    });
  }
  bool until(const std::function<bool()>& condition) { return world().run_until(condition, step_limit); }

  const RemoteTarget& target_;
  mutable mocks::ClientUsers users_;  // its look-ups are not const
  mocks::XmppClient* client_ = nullptr;
};

}  // namespace

std::shared_ptr<Subject> make_embedded_accounts(Run& run) { return std::make_shared<EmbeddedAccounts>(run); }

std::shared_ptr<Subject> make_target_subject(Run& run, const Target& target) {
  if (const auto* local = std::get_if<LocalTarget>(&target.driver)) return std::make_shared<LocalSubject>(run, *local);
  auto subject =
      std::make_shared<RemoteSubject>(run.world(), target, peer_names(run, target, run.world().wall_clock()));
  subject->sign_in();
  return subject;
}

std::shared_ptr<Subject> make_remote_subject(World& world, const Target& target, PeerNames peers) {
  return std::make_shared<RemoteSubject>(world, target, std::move(peers));
}

PeerNames peer_names(const Run& run, const Target& target, std::time_t wall_clock) {
  if (!names_its_peers(target)) return {.label = {}, .which = run.options().peers};
  constexpr std::size_t words_max = 45;  // a label has 63 octets at most, and another peer more than the first
  auto words = run.record().id.substr(0, words_max);
  std::ranges::replace(words, '.', '-');
  const bool stays_up = std::holds_alternative<RemoteTarget>(target.driver);
  Generator numbers(run.seed() ^ (stays_up ? static_cast<std::uint64_t>(wall_clock) << 32U : 0U));
  auto label = fmt::format("{}-{:08x}", words, numbers.below(std::uint64_t{1} << 32U));
  // Base64 of the name below a usual zone ends in padding then.
  while ((label + "." + default_peer_domain(PartnerKind::sasl_external)).size() % 3 != 1) label += 'x';
  return {.label = std::move(label), .which = {}};
}

std::string signs_in(World& world, mocks::XmppClient& client) {
  constexpr Duration limit = 10s;
  constexpr int tries_max = 3;
  for (int tries = 1; world.run_until([&] { return client.online() || !client.failure().empty(); }, limit); ++tries) {
    const auto& failure = client.failure();
    const bool broke = failure.starts_with("stream error") || failure.starts_with("connection closed");
    if (client.online() || !broke || tries == tries_max) return failure;
    client.sign_in();
  }
  return fmt::format("no answer within {} s", limit / 1s);
}

void publish(dns::DnsServer& names, const std::string& zone, const std::string& name, const Endpoint& server) {
  if (names.records(zone, dns::Type::soa).empty()) names.add_empty_zone(zone);
  names.set("xmpp." + name, dns::Type::a, 60, {server.address});
  names.set("_xmpp-server._tcp." + name, dns::Type::srv, 60, {fmt::format("0 0 {} xmpp.{}", server.port, name)});
}

mocks::XmppClient::Config client_of(const RemoteTarget& target, const World& world) {
  mocks::XmppClient::Config config;
  config.server = target.account->c2s;
  config.user = target.account->user;
  config.domain = target.domain;
  config.password = target.account->password;
  config.fingerprint = target.account->fingerprint;
  config.plain_in_clear = target.account->plain_in_clear;
  config.direct_tls = target.account->direct_tls;
  if (!target.authority.empty() || !target.trust.empty()) {
    config.identity =
        authority_of(target, world.wall_clock())->issue({.names = {{tls::NameKind::dns, "client.invalid"}}});
  } else if (!config.fingerprint.empty()) {
    config.identity = tls::identity_from_pem({});
  }
  return config;
}

}  // namespace cutover::harness
