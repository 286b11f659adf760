// Which record of the product an object is, and what it says.
#include "harness/exports/records.h"

#include "protocol/xmpp/jid.h"
#include "reference/exports/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace cutover::harness::exports {

using reference::exports::Problems;
using reference::exports::Property;
using reference::exports::same_name;
using reference::exports::Value;

namespace {

enum class Kind {
  partner,
  gateway,
  policy,
  user,
  access_edge,
  site,
  pool,
  edge_service,
  service,
  allowed_domain,
  sip_domain
};

constexpr std::string_view readable =
    "what is read: Get-CsXmppAllowedPartner, Get-CsXmppGatewayConfiguration, Get-CsExternalAccessPolicy, Get-CsUser, "
    "Get-CsAccessEdgeConfiguration, Get-CsSite, Get-CsPool, Get-CsService -EdgeServer, Get-CsAllowedDomain, "
    "Get-CsSipDomain, Get-CsTopology -AsXml";

/// "XmppAllowedPartner" of "Deserialized.Microsoft...XmppFederation.XmppAllowedPartner#Decorated".
std::string_view short_type(std::string_view name) {
  name = name.substr(0, name.find('#'));
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

std::optional<Kind> kind_by_type(const Value& object) {
  static const std::map<std::string_view, Kind> kinds = {{"XmppAllowedPartner", Kind::partner},
                                                         {"XmppGatewaySettings", Kind::gateway},
                                                         {"ExternalAccessPolicy", Kind::policy},
                                                         {"OCSADUser", Kind::user},
                                                         {"AccessEdgeSettings", Kind::access_edge},
                                                         {"AllowedDomain", Kind::allowed_domain},
                                                         {"SipDomain", Kind::sip_domain}};
  for (const auto& type : object.types) {
    if (const auto found = kinds.find(short_type(type)); found != kinds.end()) return found->second;
  }
  return std::nullopt;
}

/// By properties that no other record has.
std::optional<Kind> kind_of(const Value& object) {
  if (const auto kind = kind_by_type(object)) return kind;
  const auto any = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(names, [&](auto name) { return object.find(name) != nullptr; });
  };
  const bool named = any({"Identity", "Domain"});
  if (any({"SaslNegotiation", "TlsNegotiation", "SupportDialbackNegotiation", "PartnerType"}) && named)
    return Kind::partner;
  if (any({"StreamEstablishmentTimeout", "SubscriptionRefreshInterval", "PartnerConnectionLimit",
           "StreamInactivityTimeout"}))
    return Kind::gateway;
  if (any({"EnableXmppAccess", "EnableFederationAccess"})) return Kind::policy;
  if (any({"SipAddress"})) return Kind::user;
  if (any({"AllowFederatedUsers"})) return Kind::access_edge;
  if (any({"XmppFederationRoute", "SiteType"}) && any({"Identity"})) return Kind::site;
  if (any({"AccessEdgeExternalFqdn"}) && any({"Identity", "PoolFqdn"})) return Kind::edge_service;
  if (any({"Computers"}) && any({"Services"}) && any({"Identity", "Fqdn"})) return Kind::pool;
  if (any({"PoolFqdn"}) && any({"SiteId"}) && any({"Identity"})) return Kind::service;
  if (any({"VerificationLevel", "MarkForMonitoring"}) && named) return Kind::allowed_domain;
  if (any({"IsDefault"}) && any({"Identity", "Name"})) return Kind::sip_domain;
  return std::nullopt;
}

const char* plural_of(Kind kind) {
  constexpr std::array names{"partners",
                             "gateway configurations",
                             "access policies",
                             "users",
                             "access edge configurations",
                             "sites",
                             "pools",
                             "edge services",
                             "services",
                             "allowed SIP domains",
                             "SIP domains"};
  return names.at(static_cast<std::size_t>(kind));
}

/// The properties of one object, asked for by name.
class Fields {
 public:
  Fields(const Value& object, Problems& problems) : object_(object), problems_(problems) {}

  [[nodiscard]] bool has(std::string_view name) const { return object_.find(name) != nullptr; }
  [[nodiscard]] int line() const { return object_.line; }
  [[nodiscard]] int line_of(std::string_view name) const {
    const auto* value = object_.find(name);
    return value != nullptr && value->line > 0 ? value->line : object_.line;
  }
  /// Empty where it is absent or null.
  [[nodiscard]] std::string text(std::string_view name) {
    std::string text;
    if (const auto* property = of(name)) reference::exports::set_text(text, *property, problems_);
    return text;
  }
  /// The first of them that says something.
  [[nodiscard]] std::string any_text(std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
      if (auto found = text(name); !found.empty()) return found;
    }
    return {};
  }
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> texts;
    if (const auto* property = of(name)) reference::exports::set_texts(texts, *property, problems_);
    return texts;
  }
  [[nodiscard]] bool flag(std::string_view name, bool otherwise) {
    if (const auto* property = of(name)) reference::exports::set_flag(otherwise, *property, problems_);
    return otherwise;
  }
  void complain(std::string_view name, std::string what, std::string remedy = {}) {
    problems_.add(line_of(name), std::move(what), std::move(remedy));
  }
  /// One of them must be there with a value.
  bool need(std::initializer_list<std::string_view> names, std::string_view record) {
    const auto there = [&](auto name) { return has(name) && !object_.find(name)->empty(); };
    if (std::ranges::any_of(names, there)) return true;
    problems_.add(object_.line, fmt::format("{} has no {}", record, fmt::join(names, " or ")),
                  "export it with this property");
    return false;
  }

 private:
  [[nodiscard]] const Property* of(std::string_view name) const {
    const auto found =
        std::ranges::find_if(object_.properties, [&](const auto& each) { return same_name(each.name, name); });
    return found == object_.properties.end() ? nullptr : &*found;
  }

  const Value& object_;
  Problems& problems_;
};

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string ascii(std::string_view domain) { return xmpp::domain_to_ascii(domain).value_or(lower(domain)); }

std::string without_prefix(std::string_view text, std::string_view prefix) {
  return std::string(same_name(text.substr(0, prefix.size()), prefix) ? text.substr(prefix.size()) : text);
}

struct ObjectReader::Impl {
  Impl(Inventory& target, std::string file) : inventory(target), problems{std::move(file), {}} {}

  [[nodiscard]] Place at(int line) const { return {problems.file, line}; }

  void partner(const Value& object, Fields& fields) {
    if (!fields.need({"Domain", "Identity"}, "a partner")) return;
    auto settings = reference::exports::partner_of(object, {}, problems);
    if (!xmpp::is_domain(settings.domain))
      return fields.complain("Domain", fmt::format("\"{}\" is no domain", settings.domain));
    for (const auto& domain : settings.additional_domains) {
      if (!xmpp::is_domain(domain)) fields.complain("AdditionalDomains", fmt::format("\"{}\" is no domain", domain));
    }
    for (const auto* name : {"TlsNegotiation", "SaslNegotiation", "SupportDialbackNegotiation", "PartnerType"}) {
      const auto* value = object.find(name);
      if (value != nullptr && value->kind == Value::Kind::number && !std::exchange(told_numbers, true)) {
        problems.note(value->line,
                      "enumerations are numbers here, read as places in the product's list from 0 (Required, Optional, "
                      "NotSupported; Federated, PublicVerified, PublicUnverified): no document says so",
                      "Export-Clixml and Export-Csv write their names, and so does ConvertTo-Json -EnumsAsStrings");
      }
      if (!fields.has(name)) {
        fields.complain(name, fmt::format("{}: {} was not exported", settings.domain, name),
                        "export partners without Select-Object");
      }
    }
    inventory.partners.push_back({std::move(settings), at(object.line)});
  }

  void gateway(const Value& object) {
    auto settings = reference::exports::gateway_of(object, {}, problems);
    if (inventory.gateway) {
      problems.add(object.line,
                   "a second gateway configuration; the first is in " + to_string(inventory.gateway->place),
                   "give one export of it");
      return;
    }
    inventory.gateway = Gateway{std::move(settings), at(object.line)};
  }

  void policy(const Value& object, Fields& fields) {
    if (!fields.need({"Identity"}, "an access policy")) return;
    Policy policy;
    policy.place = at(object.line);
    const auto identity = fields.text("Identity");
    if (same_name(identity, "Global")) {
      policy.scope = Policy::Scope::global;
    } else if (same_name(identity.substr(0, 5), "Site:")) {
      policy.scope = Policy::Scope::site;
      policy.name = identity.substr(5);
    } else {
      policy.scope = Policy::Scope::user;
      policy.name = without_prefix(identity, "Tag:");
    }
    for (const auto* name : {"EnableFederationAccess", "EnableXmppAccess"}) {
      if (!fields.has(name)) {
        fields.complain(name, fmt::format("{}: {} was not exported", identity, name),
                        "export policies without Select-Object; a product before 2013 has no EnableXmppAccess");
      }
    }
    for (const auto& property : object.properties) (void)reference::exports::set(policy.settings, property, problems);
    inventory.policies.push_back(std::move(policy));
  }

  void user(const Value& object, Fields& fields) {
    User user;
    user.address = without_prefix(fields.text("SipAddress"), "sip:");
    if (user.address.empty()) return;  // somebody of the directory who is not enabled
    if (!user.address.starts_with('@') && user.address.find('@') != std::string::npos && !user.address.ends_with('@')) {
      user.pool = lower(fields.text("RegistrarPool"));
      user.home_server = fields.text("HomeServer");
      user.policy = without_prefix(fields.text("ExternalAccessPolicy"), "Tag:");
      user.enabled = fields.flag("Enabled", true);
      user.place = at(object.line);
      without("RegistrarPool", fields, "of whom it is not known where they are homed");
      without("ExternalAccessPolicy", fields, "of whom it is not known which policy holds");
      inventory.users.push_back(std::move(user));
    } else {
      fields.complain("SipAddress", fmt::format("\"{}\" is no address of a user", user.address));
    }
  }
  void without(const char* name, const Fields& fields, const char* meaning) {
    if (fields.has(name)) return;
    problems.add(fields.line(), fmt::format("{} was not exported: a user {}", name, meaning),
                 "Get-CsUser | Select-Object SipAddress, RegistrarPool, HomeServer, ExternalAccessPolicy, Enabled");
  }

  void access_edge(const Value& object, Fields& fields) {
    if (!fields.need({"AllowFederatedUsers"}, "the access edge configuration")) return;
    if (inventory.access_edge) {
      problems.add(object.line,
                   "a second access edge configuration; the first is in " + to_string(inventory.access_edge->place),
                   "give one export of it");
      return;
    }
    inventory.access_edge =
        AccessEdge{fields.flag("AllowFederatedUsers", false), at(fields.line_of("AllowFederatedUsers"))};
  }

  void site(const Value& object, Fields& fields) {
    if (!fields.need({"Identity"}, "a site")) return;
    Site site;
    site.name = without_prefix(fields.text("Identity"), "Site:");
    // By its parent, which only a branch has: how the shell numbers SiteType is not documented.
    site.branch = same_name(fields.text("SiteType"), "BranchSite") || !fields.text("ParentSite").empty();
    for (const auto& pool : fields.texts("Pools")) site.pools.push_back(lower(pool));
    site.route_known = fields.has("XmppFederationRoute");
    site.xmpp_route = lower(without_prefix(fields.text("XmppFederationRoute"), "EdgeServer:"));
    site.place = at(site.route_known ? fields.line_of("XmppFederationRoute") : object.line);
    inventory.sites.push_back(std::move(site));
  }

  void pool(const Value& object, Fields& fields) {
    Pool pool;
    pool.fqdn = lower(fields.any_text({"Fqdn", "Identity"}));
    pool.site = without_prefix(fields.text("Site"), "Site:");
    pool.computers = fields.texts("Computers");
    pool.services = fields.texts("Services");
    pool.place = at(object.line);
    if (pool.fqdn.empty()) return fields.complain("Identity", "a pool has no name");
    inventory.pools.push_back(std::move(pool));
  }

  void edge_service(const Value& object, Fields& fields) {
    EdgeService edge;
    edge.pool = lower(without_prefix(fields.any_text({"PoolFqdn", "Identity"}), "EdgeServer:"));
    edge.site = without_prefix(fields.text("SiteId"), "Site:");
    edge.external_fqdn = lower(fields.text("AccessEdgeExternalFqdn"));
    edge.place = at(object.line);
    inventory.edges.push_back(std::move(edge));
  }

  void allowed_domain(const Value& object, Fields& fields) {
    AllowedDomain allowed;
    allowed.domain = fields.any_text({"Domain", "Identity"});
    allowed.proxy_fqdn = lower(fields.text("ProxyFqdn"));
    allowed.place = at(object.line);
    if (!xmpp::is_domain(allowed.domain))
      return fields.complain("Domain", fmt::format("\"{}\" is no domain", allowed.domain));
    inventory.allowed_domains.push_back(std::move(allowed));
  }

  void sip_domain(const Value& object, Fields& fields) {
    SipDomain domain{lower(fields.any_text({"Name", "Identity"})), at(object.line)};
    if (!xmpp::is_domain(domain.name)) return fields.complain("Name", fmt::format("\"{}\" is no domain", domain.name));
    inventory.sip_domains.push_back(std::move(domain));
  }

  void unknown(const Value& object) {
    std::string names;
    std::size_t count = 0;
    for (const auto& property : object.properties) {
      if (reference::exports::is_of_the_shell(property.name) || ++count > 5) continue;
      names += (names.empty() ? "" : ", ") + property.name;
    }
    if (count > 5) names += ", ...";
    auto& [number, line] = not_understood[names];
    if (number++ == 0) line = object.line;
  }

  void object(const Value& object) {
    const auto kind = kind_of(object);
    if (!kind) return unknown(object);
    ++counts[plural_of(*kind)];
    Fields fields(object, problems);
    switch (*kind) {
      case Kind::partner:
        return partner(object, fields);
      case Kind::gateway:
        return gateway(object);
      case Kind::policy:
        return policy(object, fields);
      case Kind::user:
        return user(object, fields);
      case Kind::access_edge:
        return access_edge(object, fields);
      case Kind::site:
        return site(object, fields);
      case Kind::pool:
        return pool(object, fields);
      case Kind::edge_service:
        return edge_service(object, fields);
      case Kind::service:
        return;  // of another role: nothing that is needed
      case Kind::allowed_domain:
        return allowed_domain(object, fields);
      case Kind::sip_domain:
        return sip_domain(object, fields);
    }
  }

  Inventory& inventory;
  Problems problems;
  bool told_numbers = false;
  std::map<std::string, std::size_t> counts;
  std::map<std::string, std::pair<std::size_t, int>> not_understood;  ///< by properties: number, line of the first
};

ObjectReader::ObjectReader(Inventory& inventory, std::string file)
    : impl_(std::make_unique<Impl>(inventory, std::move(file))) {}
ObjectReader::~ObjectReader() = default;

void ObjectReader::read(Value&& object) { impl_->object(object); }

Problems& ObjectReader::problems() { return impl_->problems; }

void ObjectReader::finish(std::string form) {
  for (const auto& [names, number_and_line] : impl_->not_understood) {
    const auto& [number, line] = number_and_line;
    impl_->problems.note(
        line,
        fmt::format("{} with {} {} not understood", number == 1 ? "an object" : fmt::format("{} objects", number),
                    names.empty() ? "no property" : "the properties " + names, number == 1 ? "is" : "are"),
        std::string(readable));
  }
  impl_->inventory.files.push_back({impl_->problems.file, std::move(form), impl_->counts});
  tell(impl_->inventory, std::move(impl_->problems.all));
}

}  // namespace cutover::harness::exports
