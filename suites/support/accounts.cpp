// Brings up subject and peer for each kind of subject.
#include "suites/support/accounts.h"

#include "harness/prosody_partner.h"
#include "protocol/base/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::suites {

using namespace harness;

namespace {

constexpr Duration patience = 10s;
constexpr char embedded_domain[] = "subject.example", peer_domain[] = "peer.example";

std::shared_ptr<const tls::Identity> issue(tls::Authority& authority, const std::string& domain) {
  return authority.issue({.names = {{tls::NameKind::dns, domain}}});
}

mocks::PartnerSettings settings_of(const std::string& domain, const std::string& user,
                                   std::shared_ptr<const tls::Identity> identity, const Endpoint& name_server) {
  mocks::PartnerSettings settings;
  settings.domain = domain;
  settings.users = {user};
  settings.policy.keep_alive = false;
  if (identity == nullptr) settings.policy.tls = settings.policy.sasl = xmpp::Negotiation::not_supported;
  settings.identity = std::move(identity);
  settings.dialback_secret = "secret of " + domain;
  settings.name_server = name_server;
  return settings;
}

}  // namespace

Accounts::Accounts(Run& run) : world_(run.world()) {
  const auto* target = run.target();
  if (target == nullptr) {
    start_embedded(run);
  } else if (const auto* prosody = std::get_if<ProsodyTarget>(&target->driver)) {
    start_prosody(run, *prosody);
  } else {
    start_remote(std::get<RemoteTarget>(target->driver));
  }
  juliet_bare = subject_->bare_jid(account);
  juliet_full = subject_->full_jid(account);
  romeo_bare = peer_->bare_jid("romeo");
  romeo_full = peer_->full_jid("romeo");
  run.columns({"romeo", "peer", "names", "subject", "juliet"});
}

void Accounts::start_names(std::uint16_t port) {
  names_ = &world_.add("names", target_host::name_server, std::make_unique<mocks::NameServer>(dns::DnsServer{}, port));
}

void Accounts::publish(const std::string& name, const Endpoint& server) {
  auto& zones = names_->server();
  zones.add_empty_zone(name);
  zones.set("xmpp." + name, dns::Type::a, 60, {server.address});
  zones.set("_xmpp-server._tcp." + name, dns::Type::srv, 60, {fmt::format("0 0 {} xmpp.{}", server.port, name)});
}

void Accounts::start_peer(const std::string& name, std::shared_ptr<const tls::Identity> identity) {
  publish(name, {world_.address_of(target_host::first_peer), 5269});
  auto settings = settings_of(name, "romeo", std::move(identity), names_->endpoint());
  peer_ = &world_.add("peer", target_host::first_peer, std::make_unique<mocks::Partner>(std::move(settings)));
}

void Accounts::start_embedded(Run& run) {
  const auto authority = tls::make_openssl_authority(world_.wall_clock());
  domain = embedded_domain;
  account = "juliet";
  start_names();
  publish(domain, {world_.address_of(target_host::server), 5269});
  auto settings = settings_of(domain, account, issue(*authority, domain), names_->endpoint());
  settings.quirks = run.quirks();
  settings.filters = true;
  subject_ = &world_.add("subject", target_host::server, std::make_unique<mocks::Partner>(std::move(settings)));
  start_peer(peer_domain, issue(*authority, peer_domain));
}

void Accounts::start_prosody(Run& run, const ProsodyTarget& target) {
  const auto authority = tls::make_openssl_authority(world_.wall_clock());
  const bool tls = target.mode != ProsodyMode::dialback_in_clear;
  domain = embedded_domain;
  account = "juliet";
  start_names();
  ProsodySettings settings;
  settings.domain = domain;
  settings.address = world_.address_of(target_host::server);
  settings.name_server = names_->endpoint();
  settings.mode = target.mode;
  settings.certificate = authority->issue_pem({.names = {{tls::NameKind::dns, domain}}});
  settings.accounts = {{account, "secret of " + account}};
  publish(domain, {settings.address, Prosody::s2s_port});
  auto& server = world_.add("subject", target_host::server, std::make_unique<ProsodyPartner>(std::move(settings)));
  run.evidence([&server] { return server.server().log(); });
  start_peer(peer_domain, tls ? issue(*authority, peer_domain) : nullptr);
  server.sign_users_in(world_, target_host::client, tls ? issue(*authority, "client.invalid") : nullptr);
  subject_ = &server;
}

void Accounts::start_remote(const RemoteTarget& target) {
  if (!target.account) throw HarnessFault("the target declares no account");
  domain = target.domain;
  account = target.account->user;
  start_names(target.name_server ? target.name_server->port : mocks::name_server_port);
  publish(domain, target.s2s);
  start_peer(target.peer_domains.front(), target.tls ? tls::identity_from_pem(target.peer_identity) : nullptr);
  auto users = std::make_unique<mocks::ClientUsers>();
  mocks::XmppClient::Config config;
  config.server = target.account->c2s;
  config.user = account;
  config.domain = domain;
  config.password = target.account->password;
  config.plain_in_clear = !target.tls;
  if (target.tls) {
    config.identity =
        tls::identity_from_pem({.certificate_chain = {}, .private_key = {}, .root = target.peer_identity.root});
  }
  world_.add("juliet", target_host::client, users->make_client(std::move(config)));
  const bool settled = world_.run_until([&] { return users->signed_in() || !users->failure().empty(); }, patience);
  if (!users->signed_in())
    throw HarnessFault("the account of the target cannot sign in: " + (settled ? users->failure() : "no answer"));
  subject_ = users.get();
  clients_ = std::move(users);
}

bool Accounts::until(const std::function<bool()>& condition) { return world_.run_until(condition, patience); }

bool Accounts::markers_pass() {
  const auto text = fmt::format("marker {}", ++markers_);
  const auto came = [&](const mocks::PartnerUser& user) {
    return std::ranges::any_of(user.messages, [&](const auto& stanza) {
      const auto* body = stanza.child("body", stanza.ns());
      return body != nullptr && body->text() == text;
    });
  };
  peer().send_message("romeo", juliet_full, text);
  if (!until([&] { return came(juliet()); })) return false;
  subject().send_message(account, romeo_full, text);
  return until([&] { return came(romeo()); });
}

bool Accounts::connected(const char* requirement) {
  if (markers_pass()) return true;
  INCONCLUSIVE(requirement, "no message passes between the subject's user and the peer's");
  return false;
}

std::vector<xml::Element> Accounts::answers(const std::string& id) {
  std::vector<xml::Element> found;
  for (const auto* kind : {&romeo().messages, &romeo().presences, &romeo().iqs, &romeo().errors})
    std::ranges::copy_if(*kind, std::back_inserter(found),
                         [&](const auto& stanza) { return stanza.attribute_or_empty("id") == id; });
  return found;
}

xml::Element Accounts::answer(const std::string& id) {
  (void)until([&] { return !answers(id).empty(); });
  const auto found = answers(id);
  return found.empty() ? xml::Element("nothing", "") : found.front();
}

xml::Element Accounts::ask(const std::string& to, const std::string& id, xml::Element payload) {
  peer().send(xmpp::make_iq(romeo_full, to, "get", id, std::move(payload)));
  return answer(id);
}

std::string kind_of(const xml::Element& stanza) {
  const auto error = xmpp::error_of(stanza);
  if (error) return "error/" + error->condition;
  const auto type = stanza.attribute_or_empty("type");
  return stanza.name() == "iq" ? type : stanza.name() + (type.empty() ? "" : "/" + type);
}

}  // namespace cutover::suites
