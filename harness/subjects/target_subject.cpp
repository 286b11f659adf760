// Both drivers: what is around the target is the same, what stands behind its address is not.
#include "harness/subjects/target_subject.h"

#include "harness/servers/real_partner.h"
#include "mocks/front.h"
#include "mocks/name_server.h"
#include "protocol/base/check.h"
#include "protocol/xmpp/stanza.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness {

namespace {

constexpr char local_domain[] = "subject.example", local_user[] = "juliet";

class TargetSubject : public Subject {
 public:
  TargetSubject(World& world, std::string domain, std::string user, std::unique_ptr<tls::Authority> authority,
                std::uint16_t name_server_port)
      : world_(world),
        domain_(std::move(domain)),
        user_(std::move(user)),
        authority_(std::move(authority)),
        names_(world.add("name-server", target_host::name_server,
                         std::make_unique<mocks::NameServer>(dns::DnsServer{}, name_server_port))) {
    world_.call_strangers("subject");
  }

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

 protected:
  void publish_all() {
    publish(names_.server(), domain_, s2s());
    for (const auto kind :
         {PartnerKind::sasl_external, PartnerKind::dialback_over_tls, PartnerKind::plaintext_dialback}) {
      world_.answer_for(peer_host(kind), peer_domain(kind));
      if (names_.server().records("xmpp." + peer_domain(kind), dns::Type::a).empty())
        publish(names_.server(), peer_domain(kind), {world_.address_of(peer_host(kind)), RealServer::s2s_port});
    }
  }
  /// Where a server of ours asks: not each can be told from which address to do so.
  [[nodiscard]] Endpoint names_for(const std::string& address) { return names_.door_for(address); }
  [[nodiscard]] const std::string& localpart() const { return user_; }
  [[nodiscard]] const std::shared_ptr<tls::Authority>& shared_authority() const { return authority_; }

 private:
  [[nodiscard]] virtual mocks::PartnerUser& seen() const = 0;

  World& world_;
  std::string domain_, user_;
  std::shared_ptr<tls::Authority> authority_;
  mocks::NameServer& names_;
  std::map<std::string, std::string> sent_;  ///< the id of the message with that text
};

class LocalSubject final : public TargetSubject {
 public:
  LocalSubject(Run& run, const LocalTarget& target)
      : TargetSubject(run.world(), local_domain, local_user, tls::make_openssl_authority(run.world().wall_clock()),
                      mocks::name_server_port),
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
  std::string peer_domain(PartnerKind kind) const override { return default_peer_domain(kind); }
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
    constexpr char view[] = "behind the front";
    names().assign_view(server.address, view);
    for (const auto kind :
         {PartnerKind::sasl_external, PartnerKind::dialback_over_tls, PartnerKind::plaintext_dialback}) {
      const auto front = "front." + peer_domain(kind);
      names().set(front, dns::Type::a, 60, {address_}, view);
      names().set("_xmpp-server._tcp." + peer_domain(kind), dns::Type::srv, 60, {fmt::format("0 0 {} {}", port, front)},
                  view);
    }
  }

  mocks::PartnerUser& seen() const override { return server_->user(localpart()); }

  const std::string address_;  ///< that peers dial
  const bool fronted_;
  RealPartner* server_ = nullptr;
};

class RemoteSubject final : public TargetSubject {
 public:
  RemoteSubject(Run& run, const RemoteTarget& target)
      : TargetSubject(run.world(), target.domain, target.account ? target.account->user : "nobody",
                      authority_of(target, run.world().wall_clock()),
                      target.name_server ? target.name_server->port : mocks::name_server_port),
        target_(target) {
    publish_all();
    if (!target.account) return;
    constexpr Duration sign_in_limit = 10s;
    world().add(localpart(), target_host::client, users_.make_client(client_of(target, world())));
    const bool settled =
        world().run_until([this] { return users_.signed_in() || !users_.failure().empty(); }, sign_in_limit);
    if (!users_.signed_in()) {
      throw HarnessFault(fmt::format("the subject is down: the account {} cannot sign in at {}:{}: {}", user(),
                                     target.account->c2s.address, target.account->c2s.port,
                                     settled ? users_.failure() : "no answer"));
    }
  }

  Endpoint s2s() const override { return target_.s2s; }
  std::string peer_domain(PartnerKind kind) const override { return peer(kind).domain; }
  int peer_host(PartnerKind kind) const override { return target_host::peer(peer(kind).kind); }
  std::optional<Endpoint> s2s_direct_tls() const override { return target_.s2s_direct_tls; }
  mocks::PartnerDomain* account() override { return target_.account ? &users_ : nullptr; }

 private:
  mocks::PartnerUser& seen() const override { return users_.user(localpart()); }
  /// Where there is none of that kind, another speaks for it: no case about the kind is run.
  const TargetPeer& peer(PartnerKind kind) const {
    const auto found = std::ranges::find(target_.peers, kind, &TargetPeer::kind);
    return found == target_.peers.end() ? target_.peers.front() : *found;
  }

  const RemoteTarget& target_;
  mutable mocks::ClientUsers users_;  // its look-ups are not const
};

}  // namespace

std::shared_ptr<Subject> make_target_subject(Run& run, const Target& target) {
  if (const auto* local = std::get_if<LocalTarget>(&target.driver)) return std::make_shared<LocalSubject>(run, *local);
  return std::make_shared<RemoteSubject>(run, std::get<RemoteTarget>(target.driver));
}

void publish(dns::DnsServer& names, const std::string& domain, const Endpoint& server) {
  names.add_empty_zone(domain);
  names.set("xmpp." + domain, dns::Type::a, 60, {server.address});
  names.set("_xmpp-server._tcp." + domain, dns::Type::srv, 60, {fmt::format("0 0 {} xmpp.{}", server.port, domain)});
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
