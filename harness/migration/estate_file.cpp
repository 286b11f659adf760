// Key by key; what refers to something else by name is read behind it.
#include "harness/migration/estate_file.h"

#include "protocol/xmpp/jid.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace cutover::harness::migration {

namespace {

using negotiation::Tls;
using reference::Negotiation;
using CertificateOf = negotiation::Certificate;  // what a partner's proves

constexpr std::uint32_t usual_ttl_s = 3600;

void check_domain(YamlReader& yaml, const YAML::Node& at, const std::string& domain) {
  if (!xmpp::is_domain(domain)) yaml.complain(at, fmt::format("expected a domain such as a.example, not '{}'", domain));
}

class EstateReader {
 public:
  explicit EstateReader(YamlReader& yaml) : yaml_(yaml) {}

  Estate read(const YAML::Node& map) {
    if (!yaml_.map(map, "estate",
                   {"generation", "sip-domains", "pools", "users", "partners", "edges", "certificates", "policies",
                    "allow-federated-users", "records", "srv", "ttl", "legacy", "gateway", "route", "published",
                    "allowed", "replication"}))
      return {};
    yaml_.read_word<Generation>(map, "generation", state().generation,
                                {{"lync2013", Generation::lync2013}, {"sfb2019", Generation::sfb2019}});
    read_sip_domains(map);
    read_each(map, "certificates", estate_.certificates, &EstateReader::certificate);
    read_each(map, "pools", state().pools, &EstateReader::pool);
    read_policies(map["policies"]);
    read_each(map, "users", state().users, &EstateReader::users);
    for (const auto& [domain, node] : yaml_.entries(map["partners"], "partners")) read_partner(domain, node);
    read_each(map, "edges", state().edges, &EstateReader::edge);
    read_configuration(map);
    read_gateway(map["gateway"]);
    read_legacy(map["legacy"]);
    read_records(map);
    yaml_.read_seconds(map, "replication", estate_.replication_s);
    state().replica = state().configuration;
    return std::move(estate_);
  }

 private:
  State& state() { return estate_.start; }

  template <class T>
  void read_each(const YAML::Node& map, const char* key, std::map<std::string, T>& into,
                 T (EstateReader::*one)(const YAML::Node&)) {
    for (const auto& [name, node] : yaml_.entries(map[key], key)) into[name] = (this->*one)(node);
  }

  void check_sip_domain(const YAML::Node& at, const std::string& domain) {
    if (std::ranges::find(state().sip_domains, domain) == state().sip_domains.end())
      yaml_.complain(at, fmt::format("'{}' is no SIP domain of ours, expected one of {}", domain,
                                     fmt::join(state().sip_domains, ", ")));
  }

  void read_sip_domains(const YAML::Node& map) {
    yaml_.read(map, "sip-domains", state().sip_domains);
    if (state().sip_domains.empty()) yaml_.complain(map, "expected at least one domain for 'sip-domains'");
    for (const auto& domain : state().sip_domains) {
      check_domain(yaml_, map["sip-domains"], domain);
      if (std::ranges::count(state().sip_domains, domain) > 1)
        yaml_.complain(map["sip-domains"], fmt::format("'{}' is given twice", domain));
    }
  }

  Certificate certificate(const YAML::Node& map) {
    using Fault = Certificate::Fault;
    Certificate made;
    if (!yaml_.map(map, "a certificate", {"names", "subject", "fault", "client-usage"})) return made;
    yaml_.read(map, "names", made.names);
    yaml_.read(map, "subject", made.subject);
    yaml_.read_word<Fault>(map, "fault", made.fault,
                           {{"none", Fault::none},
                            {"expired", Fault::expired},
                            {"not-yet-valid", Fault::not_yet_valid},
                            {"untrusted-root", Fault::untrusted_root},
                            {"revocation-unreachable", Fault::revocation_unreachable}});
    yaml_.read(map, "client-usage", made.client_usage);
    return made;
  }

  Pool pool(const YAML::Node& map) {
    Pool made;
    if (!yaml_.map(map, "a pool", {"side", "branch", "deployed", "runs"})) return made;
    yaml_.read_word<Side>(map, "side", made.side, {{"legacy", Side::legacy}, {"new", Side::current}}, true);
    made.deployed = made.side == Side::legacy;
    yaml_.read(map, "branch", made.branch);
    yaml_.read(map, "deployed", made.deployed);
    yaml_.read(map, "runs", made.runs);
    return made;
  }

  AccessPolicy policy(const YAML::Node& map) {
    AccessPolicy made;
    if (!yaml_.map(map, "a policy", {"federation", "xmpp"})) return made;
    yaml_.read(map, "federation", made.enable_federation_access);
    yaml_.read(map, "xmpp", made.enable_xmpp_access);
    return made;
  }

  void read_policies(const YAML::Node& map) {
    if (!map || !yaml_.map(map, "policies", {"global", "sites", "user"})) return;
    if (map["global"]) state().policies.global = policy(map["global"]);
    read_each(map, "sites", state().policies.sites, &EstateReader::policy);
    read_each(map, "user", state().policies.user_scoped, &EstateReader::policy);
  }

  UserClass users(const YAML::Node& map) {
    UserClass made;
    if (!state().sip_domains.empty()) made.domain = state().sip_domains.front();
    if (!yaml_.map(map, "a class of users", {"count", "domain", "pool", "site", "policy", "enabled"})) return made;
    yaml_.read(map, "count", made.count);
    yaml_.read(map, "domain", made.domain);
    check_sip_domain(map["domain"] ? map["domain"] : map, made.domain);
    (void)yaml_.find(map, "pool", state().pools, true);
    yaml_.read(map, "pool", made.pool);
    yaml_.read(map, "site", made.site);
    (void)yaml_.find(map, "policy", state().policies.user_scoped);
    yaml_.read(map, "policy", made.policy);
    yaml_.read(map, "enabled", made.enabled);
    return made;
  }

  /// What the words of the field stand for. A certificate of its own that proves its domain comes with all but the
  /// last.
  void read_kind(const YAML::Node& map, Partner& partner) {
    enum class PartnerKind { external, dialback, dialback_in_clear };
    auto kind = PartnerKind::external;
    yaml_.read_word<PartnerKind>(map, "kind", kind,
                                 {{"external", PartnerKind::external},
                                  {"dialback", PartnerKind::dialback},
                                  {"dialback-in-clear", PartnerKind::dialback_in_clear}},
                                 true);
    auto& side = partner.side;
    switch (kind) {
      case PartnerKind::external:
        side = negotiation::external_alone();
        break;
      case PartnerKind::dialback:
        side = negotiation::dialback_over_tls();
        break;
      case PartnerKind::dialback_in_clear:
        side = negotiation::dialback_without_tls();
        break;
    }
  }

  void read_side(const YAML::Node& map, negotiation::Side& side) {
    yaml_.read_word<CertificateOf>(
        map, "certificate", side.certificate,
        {{"none", CertificateOf::none}, {"bad", CertificateOf::bad}, {"good", CertificateOf::good}});
    yaml_.read_word<Tls>(map, "tls", side.tls,
                         {{"none", Tls::none}, {"optional", Tls::optional}, {"required", Tls::required}});
    yaml_.read(map, "external", side.external);
    yaml_.read(map, "dialback-over-tls", side.dialback_in_tls);
    yaml_.read(map, "dialback-in-clear", side.dialback_in_clear);
    yaml_.read(map, "lenient", side.lenient);
    yaml_.read(map, "direct-tls", side.direct_tls);
    yaml_.read(map, "version", side.features);
  }

  void read_partner(const std::string& domain, const YAML::Node& map) {
    Partner partner;
    partner.domain = domain;
    if (!yaml_.map(map, "a partner",
                   {"kind",
                    "certificate",
                    "tls",
                    "external",
                    "dialback-over-tls",
                    "dialback-in-clear",
                    "lenient",
                    "direct-tls",
                    "version",
                    "further-domains",
                    "trusts-our-authority",
                    "wants-client-usage",
                    "closes-on-failed-external",
                    "hosts-our-domain",
                    "discards-messages",
                    "answers-dialback",
                    "sends-keep-alives",
                    "has-srv",
                    "connections",
                    "cache",
                    "configured-as"}))
      return;
    check_domain(yaml_, map, domain);
    read_kind(map, partner);
    read_side(map, partner.side);
    yaml_.read(map, "further-domains", partner.further_domains);
    for (const auto& further : partner.further_domains) check_domain(yaml_, map["further-domains"], further);
    yaml_.read(map, "trusts-our-authority", partner.trusts_our_authority);
    yaml_.read(map, "wants-client-usage", partner.wants_client_usage);
    yaml_.read(map, "closes-on-failed-external", partner.closes_on_failed_external);
    yaml_.read(map, "hosts-our-domain", partner.hosts_our_domain);
    yaml_.read(map, "discards-messages", partner.discards_messages);
    yaml_.read(map, "answers-dialback", partner.answers_dialback);
    yaml_.read(map, "sends-keep-alives", partner.sends_keep_alives);
    yaml_.read(map, "has-srv", partner.has_srv);
    yaml_.read(map, "connections", partner.connections);
    yaml_.read_seconds(map, "cache", partner.cache_s);
    estate_.rows[domain] = read_allowed_partner(yaml_, domain, map["configured-as"]);
    for (const auto& [other, known] : estate_.partners) {
      if (std::ranges::find(known.further_domains, domain) != known.further_domains.end())
        yaml_.complain(map, fmt::format("'{}' is a further domain of '{}' already", domain, other));
    }
    estate_.partners[domain] = std::move(partner);
  }

  EdgePool edge(const YAML::Node& map) {
    EdgePool made;
    if (!yaml_.map(map, "an edge pool",
                   {"deployed", "ticked", "proxy-installed", "services-run", "members", "certificate",
                    "live-certificate", "opens-in", "opens-out", "next-hop"}))
      return made;
    yaml_.read(map, "deployed", made.deployed);
    yaml_.read(map, "ticked", made.xmpp_ticked);
    yaml_.read(map, "proxy-installed", made.proxy_installed);
    yaml_.read(map, "services-run", made.services_run);
    for (const auto& node : yaml_.items(map["members"], "members")) made.members.push_back(member(node));
    if (const auto* assigned = yaml_.find(map, "certificate", estate_.certificates))
      made.live = made.assigned = *assigned;
    if (const auto* live = yaml_.find(map, "live-certificate", estate_.certificates)) made.live = *live;
    yaml_.read(map, "opens-in", made.opens_in);
    yaml_.read(map, "opens-out", made.opens_out);
    (void)yaml_.find(map, "next-hop", state().pools);
    yaml_.read(map, "next-hop", made.next_hop);
    return made;
  }

  /// A name, or a map.
  EdgeMember member(const YAML::Node& node) {
    EdgeMember made;
    if (node.IsScalar()) {
      made.name = node.Scalar();
      return made;
    }
    if (!yaml_.map(node, "a member", {"name", "runs", "link-open", "certificate"})) return made;
    yaml_.read(node, "name", made.name, true);
    yaml_.read(node, "runs", made.runs);
    yaml_.read(node, "link-open", made.link_open);
    if (const auto* own = yaml_.find(node, "certificate", estate_.certificates)) made.certificate = *own;
    return made;
  }

  void read_configuration(const YAML::Node& map) {
    auto& configuration = state().configuration;
    yaml_.read(map, "allow-federated-users", configuration.allow_federated_users);
    yaml_.read(map, "published", configuration.published);
    (void)yaml_.find(map, "route", state().edges);
    yaml_.read(map, "route", configuration.xmpp_route);
    std::vector<std::string> allowed;
    yaml_.read(map, "allowed", allowed);
    for (const auto& domain : allowed) {
      if (const auto found = estate_.rows.find(domain); found != estate_.rows.end())
        configuration.partners[domain] = found->second;
      else
        yaml_.complain(map["allowed"], fmt::format("'{}' for 'allowed' is none of the partners", domain));
    }
  }

  void read_timer(const YAML::Node& map, const char* key, Duration& into) {
    auto seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(into).count());
    yaml_.read_seconds(map, key, seconds);
    into = std::chrono::seconds(seconds);
  }

  void read_gateway(const YAML::Node& map) {
    if (!map || !yaml_.map(map, "gateway",
                           {"installed", "runs", "connection-limit", "partner-connection-limit", "dialback-passphrase",
                            "logs-bodies", "keep-alive-interval", "stream-establishment-timeout",
                            "stream-inactivity-timeout", "subscription-refresh-interval"}))
      return;
    auto& gateway = state().configuration.gateway;
    yaml_.read(map, "installed", state().gateway_installed);
    yaml_.read(map, "runs", state().gateway_runs);
    yaml_.read(map, "connection-limit", gateway.connection_limit);
    yaml_.read(map, "partner-connection-limit", gateway.partner_connection_limit);
    yaml_.read(map, "dialback-passphrase", gateway.dialback_passphrase);
    yaml_.read(map, "logs-bodies", gateway.enable_logging_all_message_bodies);
    read_timer(map, "keep-alive-interval", gateway.keep_alive_interval);
    read_timer(map, "stream-establishment-timeout", gateway.stream_establishment_timeout);
    read_timer(map, "stream-inactivity-timeout", gateway.stream_inactivity_timeout);
    read_timer(map, "subscription-refresh-interval", gateway.subscription_refresh_interval);
  }

  static std::set<std::string> set_of(const std::vector<std::string>& words) { return {words.begin(), words.end()}; }

  /// A gateway that serves all partners and all domains, in the mode that each partner needs.
  void set_usual_legacy() {
    auto& legacy = state().legacy;
    for (const auto& [domain, partner] : estate_.partners) {
      legacy.partners.insert(domain);
      legacy.routes.insert(domain);
      legacy.routes.insert(partner.further_domains.begin(), partner.further_domains.end());
      if (partner.side.tls == Tls::none) legacy.in_clear.insert(domain);
    }
    legacy.sip_domains = set_of(state().sip_domains);
    legacy.certificate = Certificate{.names = state().sip_domains};
  }

  void read_set(const YAML::Node& map, const char* key, std::set<std::string>& into) {
    std::vector<std::string> words(into.begin(), into.end());
    yaml_.read(map, key, words);
    into = set_of(words);
  }

  void read_legacy(const YAML::Node& map) {
    set_usual_legacy();
    if (!map || !yaml_.map(map, "legacy",
                           {"gateway-runs", "edge-runs", "one-edge-name", "routes", "partners", "sip-domains",
                            "certificate", "in-clear"}))
      return;
    auto& legacy = state().legacy;
    yaml_.read(map, "gateway-runs", legacy.gateway_runs);
    yaml_.read(map, "edge-runs", legacy.edge_runs);
    yaml_.read(map, "one-edge-name", legacy.one_edge_name);
    read_set(map, "routes", legacy.routes);
    read_set(map, "partners", legacy.partners);
    read_set(map, "sip-domains", legacy.sip_domains);
    for (const auto& domain : legacy.sip_domains)
      check_sip_domain(map["sip-domains"] ? map["sip-domains"] : map, domain);
    if (const auto* own = yaml_.find(map, "certificate", estate_.certificates)) legacy.certificate = *own;
    read_set(map, "in-clear", legacy.in_clear);
  }

  /// A box by its name, a map, or a list of them.
  Srv srv(const YAML::Node& node) {
    if (node.IsSequence()) {
      Srv made;
      for (const auto& one : node) made.push_back(target(one));
      return made;
    }
    return {target(node)};
  }

  SrvTarget target(const YAML::Node& node) {
    SrvTarget made;
    if (node.IsScalar()) {
      made.box = node.Scalar();
      return made;
    }
    if (!yaml_.map(node, "a target", {"box", "port", "priority", "resolves"})) return made;
    yaml_.read(node, "box", made.box, true);
    yaml_.read(node, "port", made.port);
    yaml_.read(node, "priority", made.priority);
    yaml_.read(node, "resolves", made.resolves);
    return made;
  }

  /// Each box has a record by its own name; `srv` says where each domain's points at first, `ttl` for how long.
  void read_records(const YAML::Node& map) {
    auto& records = estate_.records;
    records[std::string(legacy_gateway_box)] = {SrvTarget{.box = std::string(legacy_gateway_box)}};
    for (const auto& [name, unused] : state().edges) records[name] = {SrvTarget{.box = name}};
    for (const auto& [name, node] : yaml_.entries(map["records"], "records")) records[name] = srv(node);
    for (const auto& domain : state().sip_domains) {
      state().srv[domain] = records.at(std::string(legacy_gateway_box));
      state().ttl_s[domain] = usual_ttl_s;
    }
    for (const auto& [domain, node] : yaml_.entries(map["srv"], "srv")) {
      check_sip_domain(node, domain);
      if (const auto* record = yaml_.find(map["srv"], domain.c_str(), records)) state().srv[domain] = *record;
    }
    read_ttl(map);
  }

  /// One for all domains, or each its own.
  void read_ttl(const YAML::Node& map) {
    const YAML::Node node = map["ttl"];
    if (node && node.IsMap()) {
      for (const auto& [domain, unused] : yaml_.entries(node, "ttl")) {
        check_sip_domain(node, domain);
        yaml_.read_seconds(node, domain.c_str(), state().ttl_s[domain]);
      }
      return;
    }
    auto ttl_s = usual_ttl_s;
    yaml_.read_seconds(map, "ttl", ttl_s);
    for (const auto& domain : state().sip_domains) state().ttl_s[domain] = ttl_s;
  }

  YamlReader& yaml_;
  Estate estate_;
};

}  // namespace

AllowedPartner read_allowed_partner(YamlReader& yaml, const std::string& domain, const YAML::Node& map) {
  const auto uses = {std::pair<std::string_view, Negotiation>{"Required", Negotiation::required},
                     {"Optional", Negotiation::optional},
                     {"NotSupported", Negotiation::not_supported}};
  AllowedPartner made;
  made.domain = domain;
  if (!map || !yaml.map(map, "configured-as",
                        {"type", "tls", "sasl", "dialback", "keep-alive", "additional-domains", "proxy-fqdn",
                         "connection-limit", "description"}))
    return made;
  yaml.read_word<PartnerType>(map, "type", made.partner_type,
                              {{"Federated", PartnerType::federated},
                               {"PublicVerified", PartnerType::public_verified},
                               {"PublicUnverified", PartnerType::public_unverified}});
  yaml.read_word(map, "tls", made.tls_negotiation, uses);
  yaml.read_word(map, "sasl", made.sasl_negotiation, uses);
  yaml.read(map, "dialback", made.support_dialback_negotiation);
  yaml.read(map, "keep-alive", made.enable_keep_alive);
  yaml.read(map, "additional-domains", made.additional_domains);
  for (const auto& additional : made.additional_domains) check_domain(yaml, map["additional-domains"], additional);
  yaml.read(map, "proxy-fqdn", made.proxy_fqdn);
  yaml.read(map, "description", made.description);
  if (map["connection-limit"]) yaml.read(map, "connection-limit", made.connection_limit.emplace());
  return made;
}

Estate read_estate(YamlReader& yaml, const YAML::Node& node) { return EstateReader(yaml).read(node); }

Estate parse_estate(std::string_view yaml, const std::string& source) {
  YamlReader reader(source);
  const YAML::Node root = reader.load(yaml);
  Estate estate;
  if (reader.map(root, "the file", {"estate"})) estate = read_estate(reader, root["estate"]);
  reader.finish();
  return estate;
}

}  // namespace cutover::harness::migration
