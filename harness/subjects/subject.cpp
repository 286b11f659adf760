// The embedded subject: proxy, gateway and pool after the cutover, with one SIP user; its partners are left to the
// case.
#include "harness/subjects/subject.h"

#include "harness/deployment/deployment.h"
#include "harness/subjects/target_subject.h"
#include "mocks/name_server.h"
#include "mocks/sip_user.h"
#include "protocol/xmpp/rules.h"
#include "reference/proxy.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutover::harness {

namespace {

constexpr char user_name[] = "alice";
constexpr std::uint16_t direct_tls_port = 5270;
/// A further partner of that kind, at the host of the first; nothing where there is none.
std::string second_domain(PartnerKind kind) {
  switch (kind) {
    case PartnerKind::sasl_external:
      return "second-external.example";
    case PartnerKind::dialback_over_tls:
      return "second.example";
    case PartnerKind::plaintext_dialback:
      break;
  }
  return {};
}

Topology topology() {
  Topology topology;
  topology.domain = "contoso.example";
  topology.users = {user_name};
  for (const auto kind :
       {PartnerKind::sasl_external, PartnerKind::dialback_over_tls, PartnerKind::plaintext_dialback}) {
    topology.partners.push_back({default_peer_domain(kind), kind, {"romeo"}, PartnerServer::by_hand});
  }
  for (const auto kind : {PartnerKind::dialback_over_tls, PartnerKind::sasl_external})
    topology.partners.push_back({second_domain(kind), kind, {"romeo"}, PartnerServer::by_hand});
  return topology;
}

class EmbeddedSubject final : public Subject {
 public:
  explicit EmbeddedSubject(Run& run)
      : deployment_(run.world(),
                    {.topology = topology(), .planted = run.planted(), .direct_tls_port = direct_tls_port}) {
    deployment_.bring_up();
    for (const auto step : canonical_steps()) deployment_.carry_out(step);
  }

  World& world() override { return deployment_.world(); }
  std::string domain() const override { return deployment_.topology().domain; }
  std::string user() const override { return user_name + ("@" + domain()); }
  Endpoint s2s() const override { return deployment_.endpoint("proxy"); }
  std::optional<Endpoint> s2s_direct_tls() const override { return Endpoint{s2s().address, direct_tls_port}; }
  dns::DnsServer& names() override { return deployment_.name_server().server(); }
  Endpoint name_server() const override { return deployment_.name_server_endpoint(); }
  tls::Authority& authority() override { return deployment_.authority(); }
  std::string peer_domain(PartnerKind kind) const override { return default_peer_domain(kind); }
  int peer_host(PartnerKind kind) const override { return deployment_.partner_host(default_peer_domain(kind)); }
  std::string another_peer(PartnerKind kind) override {
    auto domain = second_domain(kind);
    if (domain.empty()) return peer_domain(kind);
    const auto host = "xmpp." + domain;
    names().set("_xmpp-server._tcp." + domain, dns::Type::srv, 60, {"0 0 5269 " + host});
    names().set(host, dns::Type::a, 60, {world().address_of(peer_host(kind))});
    return domain;
  }
  int free_host() const override { return 200; }

  void send_message(const std::string& to, const std::string& body) override {
    deployment_.user(user_name).send_message("sip:" + to, body);
  }
  std::size_t received(const std::string& body) const override {
    const auto& texts = user_node().texts();
    return static_cast<std::size_t>(std::ranges::count(texts, body, &mocks::SipText::body));
  }
  std::string told(const std::string& body) const override {
    for (const auto& outcome : user_node().outcomes()) {
      if (outcome.body == body && (outcome.status < 200 || outcome.status >= 300))
        return fmt::format("{} {}", outcome.status, outcome.reason);
    }
    return {};
  }
  std::vector<std::string> columns() const override {
    return {"name-server", "proxy", "gateway", "new-pool", user_name};
  }

 private:
  mocks::SipUser& user_node() const { return deployment_.user(user_name); }

  mutable Deployment deployment_;  // its look-ups of nodes are not const
};

}  // namespace

mocks::PartnerSettings server_settings(const std::string& domain, const std::string& user,
                                       std::shared_ptr<const tls::Identity> identity, const Endpoint& name_server) {
  mocks::PartnerSettings settings;
  settings.domain = domain;
  settings.users = {user};
  settings.policy.keep_alive = false;
  if (identity == nullptr) settings.policy.tls = settings.policy.sasl = xmpp::Negotiation::not_supported;
  settings.identity = std::move(identity);
  settings.dialback_secret = "secret of " + domain;
  settings.name_server = name_server;
  settings.departures = Departures::waiving({xmpp::Rule::stanzas_go_one_way, xmpp::Rule::to_is_a_domain});
  return settings;
}

mocks::PartnerSettings peer_settings(Subject& subject, PartnerKind kind, const std::string& user) {
  const auto domain = subject.peer_domain(kind);
  const bool tls = kind != PartnerKind::plaintext_dialback;
  auto settings = server_settings(domain, user,
                                  tls ? subject.authority().issue({.names = {{tls::NameKind::dns, domain}}}) : nullptr,
                                  subject.name_server());
  if (kind == PartnerKind::dialback_over_tls) settings.policy.sasl = xmpp::Negotiation::not_supported;
  return settings;
}

std::string default_peer_domain(PartnerKind kind) {
  switch (kind) {
    case PartnerKind::sasl_external:
      return "external.example";
    case PartnerKind::dialback_over_tls:
      return "dialback.example";
    case PartnerKind::plaintext_dialback:
      break;
  }
  return "clear.example";
}

std::shared_ptr<Subject> make_subject(Run& run) {
  if (run.target() != nullptr) return make_target_subject(run, *run.target());
  return std::make_shared<EmbeddedSubject>(run);
}

std::shared_ptr<Subject> make_subject_with_account(Run& run) {
  return run.target() != nullptr ? make_target_subject(run, *run.target()) : make_embedded_accounts(run);
}

}  // namespace cutover::harness
