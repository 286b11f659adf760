// What certificates and zones lack for the SIP domains whose users speak XMPP (domain facts, sections 2.4, 2.5).
#include "harness/exports/estate.h"
#include "harness/exports/records.h"

#include "protocol/dns/zone.h"
#include "protocol/tls/identity.h"
#include "protocol/xmpp/jid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <set>

namespace cutover::harness::exports {

namespace {

/// By the domain itself; no wildcard stands for a bare domain (RFC 6125 section 6.4.3), and the product wants it whole.
bool names(const Certificate& certificate, const std::string& domain) {
  const auto& facts = certificate.stored.facts;
  const auto holds = [](const auto& list, const std::string& name) {
    return std::ranges::any_of(list, [&](const auto& each) { return lower(each) == name; });
  };
  return holds(facts.dns_names, domain) || holds(facts.srv_names, "_xmpp-server." + domain) ||
         std::ranges::any_of(facts.xmpp_addrs, [&](const auto& each) { return ascii(each) == domain; });
}

/// By a wildcard that would stand for the domain, or for its hosts.
bool nearly_names(const Certificate& certificate, const std::string& domain) {
  return std::ranges::any_of(certificate.stored.facts.dns_names, [&](const std::string& name) {
    const auto dot = domain.find('.');
    return name == "*." + domain || (dot != std::string::npos && name == "*" + domain.substr(dot));
  });
}

class Certificates {
 public:
  explicit Certificates(Estate& estate) : estate_(estate) {
    for (const auto& one : estate.inventory.certificates) {
      if (!one.stored.of_authority) own_.push_back(&one);
    }
  }

  void judge() {
    if (own_.empty()) {
      return estate_.find(
          "F3", Severity::unknown, {},
          "no certificate is among the files: whether the edge can prove its SIP domains was not judged",
          "give the certificate of the edge's external interface");
    }
    for (const auto& domain : estate_.xmpp_domains) judge(ascii(domain.name));
    for (const auto* one : own_) {
      if (std::ranges::any_of(estate_.xmpp_domains, [&](const auto& each) { return names(*one, ascii(each.name)); }))
        judge(*one);
    }
  }

 private:
  void judge(const std::string& domain) {
    const auto has = [&](auto condition) {
      return std::ranges::find_if(own_, [&](const auto* one) { return condition(*one); });
    };
    if (has([&](const Certificate& one) { return names(one, domain); }) != own_.end()) return;
    const auto remedy = fmt::format(
        "request a certificate with {} among its subject alternative names, beside those "
        "that it has, assign it to the external edge and restart the edge's services",
        domain);
    if (const auto wild = has([&](const Certificate& one) { return nearly_names(one, domain); }); wild != own_.end()) {
      return estate_.find(
          "F5", Severity::fails, (*wild)->place,
          fmt::format("the certificate has a wildcard and not {} itself: it does not prove that domain, "
                      "and an edge takes no wildcard",
                      domain),
          remedy);
    }
    const auto other = has([&](const Certificate& one) {
      return std::ranges::any_of(estate_.xmpp_domains, [&](const auto& each) { return names(one, ascii(each.name)); });
    });
    if (other != own_.end()) {
      return estate_.find("F4", Severity::fails, (*other)->place,
                          fmt::format("the certificate names another SIP domain, and not {}: partners that check "
                                      "certificates refuse that domain",
                                      domain),
                          remedy);
    }
    const auto& first = *own_.front();
    const bool common = first.stored.facts.common_name == domain;
    estate_.find("F3", Severity::fails, first.place,
                 fmt::format("no certificate has {} among its subject alternative names{}: partners cannot "
                             "authenticate streams of that domain by TLS",
                             domain, common ? ", it is the common name alone" : ""),
                 remedy);
  }

  /// What else is wrong with a certificate that names one of the domains.
  void judge(const Certificate& one) {
    const auto& facts = one.stored.facts;
    const auto wildcard = std::ranges::find_if(facts.dns_names, [](const auto& name) { return name.starts_with('*'); });
    if (wildcard != facts.dns_names.end()) {
      estate_.find("F5", Severity::risks, one.place,
                   fmt::format("the certificate has the wildcard {}, which is not supported on an edge", *wildcard),
                   "request it with each name in full");
    }
    if (facts.eku_present && !facts.eku_server) {
      estate_.find("F3", Severity::fails, one.place, "the certificate is not for servers (serverAuth)",
                   "request it with the Web Server template");
    }
    const bool external = std::ranges::any_of(estate_.inventory.partners, [](const Partner& partner) {
      return partner.settings.sasl_negotiation != reference::Negotiation::not_supported;
    });
    if (external && facts.eku_present && !facts.eku_client) {
      estate_.find(
          "F13", Severity::risks, one.place,
          "the certificate is for servers alone, and the proxy shows it as a client, too: a partner that wants "
          "clientAuth offers no SASL EXTERNAL",
          "Request-CsCertificate -ClientEku $true, with a template that has it");
    }
    if (facts.weak_key || facts.weak_signature) {
      estate_.find(
          "F13", Severity::risks, one.place,
          fmt::format("the certificate is weak ({}, {}): partners may not accept it", facts.key, facts.signature),
          "request it with an RSA key of 2048 bits and SHA-256");
    }
    const auto now = estate_.options.now;
    if (now == 0) return;
    if (one.stored.not_after < now)
      estate_.find("F13", Severity::fails, one.place, "the certificate has expired: no partner accepts it",
                   "request a new one, assign it and restart the edge's services");
    if (one.stored.not_before > now)
      estate_.find("F13", Severity::fails, one.place, "the certificate is not valid yet: no partner accepts it",
                   "assign it when it is, or request another");
  }

  Estate& estate_;
  std::vector<const Certificate*> own_;
};

class Zones {
 public:
  explicit Zones(Estate& estate) : estate_(estate) {
    for (const auto& zone : estate.inventory.zones) {
      for (const auto& record : zone.records) records_[record.record.name].push_back(&record);
    }
  }

  void judge() {
    std::set<std::string> with_srv;
    for (const auto& domain : estate_.xmpp_domains) {
      if (!all(srv_name(domain.name), dns::Type::srv).empty()) with_srv.insert(domain.name);
    }
    for (const auto& domain : estate_.xmpp_domains) {
      const auto name = srv_name(domain.name);
      const auto* zone = zone_of(name);
      if (zone == nullptr) {
        estate_.find("F4", Severity::unknown, {},
                     fmt::format("no zone of {} is among the files: its SRV record was not judged", domain.name),
                     "give the external zone as a master file");
      } else if (!with_srv.contains(domain.name)) {
        missing(domain.name, *zone, !with_srv.empty());
      }
      for (const auto* record : all(name, dns::Type::srv)) judge(domain.name, *record);
    }
    routes();
  }

 private:
  static std::string srv_name(const std::string& domain) { return "_xmpp-server._tcp." + ascii(domain); }

  [[nodiscard]] const Zone* zone_of(const std::string& name) const {
    const Zone* found = nullptr;
    for (const auto& zone : estate_.inventory.zones) {
      if (dns::is_in(name, zone.origin) && (found == nullptr || zone.origin.size() > found->origin.size()))
        found = &zone;
    }
    return found;
  }

  [[nodiscard]] std::vector<const ZoneRecord*> all(const std::string& name, dns::Type type) const {
    std::vector<const ZoneRecord*> out;
    const auto found = records_.find(name);
    if (found == records_.end()) return out;
    for (const auto* record : found->second) {
      if (record->record.type == type) out.push_back(record);
    }
    return out;
  }

  [[nodiscard]] std::vector<const ZoneRecord*> addresses(const std::string& name) const {
    auto out = all(name, dns::Type::a);
    const auto more = all(name, dns::Type::aaaa);
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }

  void missing(const std::string& domain, const Zone& zone, bool others_have) {
    const auto line = fmt::format("{}. {} IN SRV 0 0 5269 <name of the access edge>.", srv_name(domain),
                                  std::chrono::duration_cast<std::chrono::seconds>(estate_.options.ttl_max).count());
    const auto sentence =
        others_have ? fmt::format(
                          "there is no SRV record {}, and there is one for another SIP domain: partners find "
                          "the others and not {}",
                          srv_name(domain), domain)
                    : fmt::format("there is no SRV record {}: partners do not find {}, and dialback for it fails",
                                  srv_name(domain), domain);
    estate_.find(others_have ? "F4" : "F11", Severity::fails, zone.place, sentence, line);
  }

  void judge(const std::string& domain, const ZoneRecord& record) {
    const auto srv = dns::srv_of(record.record);
    if (!srv) return;
    if (srv->target == ".") {
      return estate_.find("F11", Severity::fails, record.place,
                          fmt::format("the SRV record says that {} has no XMPP service", domain),
                          "name the access edge as its target");
    }
    constexpr std::uint16_t documented_port = 5269;
    if (srv->port != documented_port) {
      estate_.find("F11", Severity::risks, record.place,
                   fmt::format("the SRV record of {} names port {}; the edge listens on 5269 unless that was changed",
                               domain, srv->port),
                   "name port 5269");
    }
    const auto* zone = zone_of(srv->target);
    const auto hosts = addresses(srv->target);
    if (const auto alias = all(srv->target, dns::Type::cname); !alias.empty()) {
      estate_.find("F11", Severity::risks, alias.front()->place,
                   fmt::format("{}, to which the SRV record of {} points, is an alias, which RFC 2782 forbids: some "
                               "partners do not follow it",
                               srv->target, domain),
                   "give it an A record of its own");
    } else if (zone != nullptr && hosts.empty()) {
      estate_.find("F11", Severity::fails, record.place,
                   fmt::format("{}, to which the SRV record of {} points, has no address", srv->target, domain),
                   fmt::format("{}. IN A <address of the access edge>", srv->target));
    }
    time_to_live(domain, record, "SRV record");
    for (const auto* host : hosts) time_to_live(domain, *host, "address");
  }

  void time_to_live(const std::string& domain, const ZoneRecord& record, std::string_view what) {
    const Duration ttl = std::chrono::seconds(record.record.ttl_s);
    if (ttl <= estate_.options.ttl_max || !told_.insert(&record).second) return;
    const auto remedy =
        fmt::format("set the TTL to {}, at least {} before the change", spoken(estate_.options.ttl_max), spoken(ttl));
    estate_.find("F20", Severity::risks, record.place,
                 fmt::format("the {} of {} is kept for {}: for so long after a change partners may go on to the old "
                             "server",
                             what, domain, spoken(ttl)),
                 remedy);
    const auto dialback = std::ranges::count_if(estate_.inventory.partners, [](const Partner& partner) {
      return partner.settings.sasl_negotiation == reference::Negotiation::not_supported;
    });
    if (dialback == 0) return;
    estate_.find("F19", Severity::risks, record.place,
                 fmt::format("{} authenticated by dialback alone, which asks the server that DNS names: for {} after "
                             "the change that may be the old one, which does not know the new one's keys",
                             counted(static_cast<std::size_t>(dialback), "partner") + (dialback == 1 ? " is" : " are"),
                             spoken(ttl)),
                 remedy);
  }

  [[nodiscard]] std::set<std::string> addresses_of(const std::string& name) const {
    std::set<std::string> out;
    for (const auto* record : addresses(name)) out.insert(record->record.data);
    return out;
  }

  /// XMPP goes out by the edge pool that a site's route names; what comes in must arrive at the same one.
  void routes() {
    const Site* routed = nullptr;
    for (const auto& site : estate_.inventory.sites) {
      if (site.xmpp_route.empty()) continue;
      if (routed != nullptr && routed->xmpp_route != site.xmpp_route) {
        estate_.find(
            "F23", Severity::risks, site.place,
            fmt::format("the site {} routes XMPP by {}, and the site {} by {}: XMPP is hosted in one site only",
                        site.name, site.xmpp_route, routed->name, routed->xmpp_route),
            "set one route with Set-CsSite, and clear the other");
      }
      if (routed == nullptr) routed = &site;
    }
    if (routed != nullptr) route(*routed);
  }

  void route(const Site& site) {
    const auto& edges = estate_.inventory.edges;
    const auto edge = std::ranges::find_if(edges, [&](const auto& each) { return each.pool == site.xmpp_route; });
    for (const auto& domain : estate_.xmpp_domains) {
      const auto records = all(srv_name(domain.name), dns::Type::srv);
      std::uint16_t best = UINT16_MAX;
      for (const auto* record : records)
        best = std::min(best, dns::srv_of(record->record).value_or(dns::Srv{}).priority);
      for (const auto* record : records) {
        const auto srv = dns::srv_of(record->record);
        if (!srv || srv->target == ".") continue;
        route(site, edge == edges.end() ? nullptr : &*edge, domain.name, *record, *srv,
              srv->priority == best ? Severity::fails : Severity::risks);
      }
    }
  }

  /// `wrong`: what another edge means; a record that is tried only when others fail is a risk.
  void route(const Site& site, const EdgeService* edge, const std::string& domain, const ZoneRecord& record,
             const dns::Srv& srv, Severity wrong) {
    const auto& target = srv.target;
    if (target == site.xmpp_route || (edge != nullptr && target == edge->external_fqdn)) return;
    if (edge == nullptr) {
      return estate_.find(
          "F23", Severity::unknown, record.place,
          fmt::format("whether {}, to which the SRV record of {} points, is the edge {} of the route was "
                      "not judged",
                      target, domain, site.xmpp_route),
          "give Get-CsService -EdgeServer");
    }
    const auto there = addresses_of(target), routed = addresses_of(edge->external_fqdn);
    if (there.empty()) return;  // told already, or of a zone that is not there
    if (routed.empty()) {
      return estate_.find(
          "F23", Severity::unknown, record.place,
          fmt::format("whether {} has an address of {}, the external name of the edge of the route, was "
                      "not judged",
                      target, edge->external_fqdn),
          "give the external zone with that name");
    }
    if (std::ranges::any_of(there, [&](const auto& address) { return routed.contains(address); })) return;
    estate_.find(
        "F23", wrong, record.place,
        fmt::format("the SRV record of {} leads to {} ({}), and the site {} routes XMPP by {} ({}): what comes in "
                    "arrives at an edge whose route is not active",
                    domain, target, fmt::join(there, ", "), site.name, edge->external_fqdn, fmt::join(routed, ", ")),
        fmt::format("Set-CsSite -XmppFederationRoute \"EdgeServer:<pool with that address>\", or point {} to {}",
                    target, fmt::join(routed, ", ")));
  }

  Estate& estate_;
  std::map<std::string, std::vector<const ZoneRecord*>> records_;
  std::set<const ZoneRecord*> told_;
};

}  // namespace

void judge_certificates(Estate& estate) { Certificates(estate).judge(); }
void judge_zones(Estate& estate) { Zones(estate).judge(); }

}  // namespace cutover::harness::exports
