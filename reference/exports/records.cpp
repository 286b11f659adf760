// One table of properties a record.
#include "reference/exports/records.h"

#include "reference/exports/forms.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace cutover::reference::exports {

namespace {

using Kind = Value::Kind;

constexpr std::string_view as_json =
    "export it with ConvertTo-Json or Export-Clixml, or join it: "
    "@{n='AdditionalDomains'; e={$_.AdditionalDomains -join ','}}";

/// Digits alone, the whole text.
template <class Number>
std::optional<Number> digits(std::string_view text) {
  Number number = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

constexpr double seconds_max = 1e9;

std::optional<Duration> seconds(double count) {
  if (!(count >= 0) || count > seconds_max) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

/// "1.02:03:04.5", as .NET writes a TimeSpan: days, hours, minutes, seconds.
std::optional<Duration> of_time_span(std::string_view text) {
  double total = 0;
  const auto first_colon = text.find(':');
  if (const auto point = text.find('.'); point < first_colon && first_colon != std::string_view::npos) {
    const auto days = digits<std::uint32_t>(text.substr(0, point));
    if (!days) return std::nullopt;
    total = *days * 86400.0;
    text.remove_prefix(point + 1);
  }
  constexpr std::array units{3600.0, 60.0, 1.0};
  constexpr std::array<std::uint32_t, 3> limits{24, 60, 60};
  for (std::size_t i = 0; i < units.size(); ++i) {
    const bool last = i + 1 == units.size();
    const auto end = last ? text.find('.') : text.find(':');
    if (!last && end == std::string_view::npos) return std::nullopt;
    const auto count = digits<std::uint32_t>(text.substr(0, end));
    if (!count || *count >= limits.at(i)) return std::nullopt;
    total += *count * units.at(i);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  if (!text.empty()) {
    const auto fraction = digits<std::uint64_t>(text);
    if (!fraction || text.size() > 9) return std::nullopt;
    total += static_cast<double>(*fraction) / std::pow(10.0, static_cast<double>(text.size()));
  }
  return seconds(total);
}

/// "P1DT2H3M4.5S", as CLIXML writes it (xs:duration); months and years have no length.
std::optional<Duration> of_xs_duration(std::string_view text) {
  if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
  text.remove_prefix(1);
  double total = 0;
  bool time = false;
  while (!text.empty()) {
    if (text.front() == 'T' && !time) {
      time = true;
      text.remove_prefix(1);
      if (text.empty()) return std::nullopt;
      continue;
    }
    const auto end = text.find_first_not_of("0123456789.");
    if (end == 0 || end == std::string_view::npos) return std::nullopt;
    double count = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + end, count);
    if (error != std::errc() || stop != text.data() + end) return std::nullopt;
    const char unit = text[end];
    if (unit == 'D' && !time) {
      total += count * 86400;
    } else if (unit == 'H' && time) {
      total += count * 3600;
    } else if (unit == 'M' && time) {
      total += count * 60;
    } else if (unit == 'S' && time) {
      total += count;
    } else {
      return std::nullopt;
    }
    text.remove_prefix(end + 1);
  }
  return seconds(total);
}

std::optional<Duration> of_object(const Value& value) {
  constexpr double ticks_per_second = 1e7;
  if (const auto* ticks = value.find("Ticks"); ticks != nullptr && ticks->kind == Kind::number)
    return seconds(static_cast<double>(ticks->number) / ticks_per_second);
  if (const auto* total = value.find("TotalSeconds"); total != nullptr && total->kind == Kind::number)
    return seconds(static_cast<double>(total->number));
  return std::nullopt;
}

void complain(const Property& property, std::string_view expected, Problems& problems) {
  const auto& value = property.value;
  if (value.kind == Kind::unreadable) {
    problems.add(value.line,
                 property.name + ": " + std::string(expected) + " was expected, and \"" + value.text +
                     "\" was exported in its place",
                 std::string(as_json));
  } else if (value.kind == Kind::null) {
    problems.add(value.line, property.name + ": a value was expected");
  } else {
    problems.add(value.line, property.name + ": " + std::string(expected) + " was expected");
  }
}

/// Sets what `read` makes of a value, or complains.
template <class Target, class Read>
void set_as(Target& target, const Property& property, Problems& problems, std::string_view expected, Read read) {
  if (auto value = read(property.value)) {
    target = std::move(*value);
  } else {
    complain(property, expected, problems);
  }
}

/// An enumeration: by name, or by its place in the product's list.
template <class Target>
void set_named(Target& target, const Property& property, Problems& problems, std::string_view expected,
               std::optional<Target> (*by_name)(std::string_view), std::optional<Target> (*by_place)(std::uint32_t)) {
  set_as(target, property, problems, expected, [&](const Value& value) -> std::optional<Target> {
    if (const auto place = number_of(value)) return by_place(*place);
    return value.kind == Kind::text ? by_name(value.text) : std::nullopt;
  });
}

void set_negotiation(Negotiation& target, const Property& property, Problems& problems) {
  set_named<Negotiation>(target, property, problems, "Required, Optional or NotSupported", negotiation_of,
                         negotiation_of);
}

void set_duration(Duration& target, const Property& property, Problems& problems) {
  set_as(target, property, problems, "a time such as 00:05:00, or a whole number of seconds,", duration_of);
}

}  // namespace

std::optional<std::string> text_of(const Value& value) {
  switch (value.kind) {
    case Kind::text:
    case Kind::number:
      return value.text;
    case Kind::object:
      for (const auto* name : {"FriendlyName", "Name", "Identity"}) {
        const auto* inner = value.find(name);
        if (inner != nullptr && inner->kind == Kind::text) return inner->text;
      }
      return value.text.empty() ? std::nullopt : std::optional(value.text);
    default:
      return std::nullopt;
  }
}

std::optional<bool> flag_of(const Value& value) {
  if (value.kind == Kind::flag) return value.flag;
  if (value.kind != Kind::text) return std::nullopt;
  if (same_name(value.text, "true")) return true;
  return same_name(value.text, "false") ? std::optional(false) : std::nullopt;
}

std::optional<std::uint32_t> number_of(const Value& value) {
  if (value.kind != Kind::text && value.kind != Kind::number) return std::nullopt;
  return digits<std::uint32_t>(value.text);
}

std::optional<Duration> duration_of(const Value& value) {
  if (value.kind == Kind::object) return of_object(value);
  if (const auto number = number_of(value)) return seconds(*number);
  if (value.kind != Kind::text) return std::nullopt;
  return value.text.starts_with('P') ? of_xs_duration(value.text) : of_time_span(value.text);
}

std::optional<std::vector<std::string>> texts_of(const Value& value) {
  std::vector<std::string> texts;
  if (value.kind == Kind::null) return texts;
  if (value.kind == Kind::list) {
    for (const auto& item : value.items) {
      auto text = text_of(item);
      if (!text) return std::nullopt;
      texts.push_back(std::move(*text));
    }
    return texts;
  }
  const auto joined = text_of(value);
  if (!joined) return std::nullopt;
  std::string_view rest(*joined);
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(",; \t\r\n"), rest.size());
    if (end > 0) texts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return texts;
}

void set_text(std::string& target, const Property& property, Problems& problems) {
  if (property.value.kind != Kind::null) set_as(target, property, problems, "a string", text_of);
}
void set_flag(bool& target, const Property& property, Problems& problems) {
  if (property.value.kind != Kind::null) set_as(target, property, problems, "true or false", flag_of);
}
void set_number(std::uint32_t& target, const Property& property, Problems& problems) {
  if (property.value.kind != Kind::null) set_as(target, property, problems, "a whole number from 0", number_of);
}
void set_texts(std::vector<std::string>& target, const Property& property, Problems& problems) {
  set_as(target, property, problems, "a list", texts_of);
}

bool set(AllowedPartner& partner, const Property& property, Problems& problems) {
  const auto is = [&](std::string_view name) { return same_name(property.name, name); };
  if (is("ConnectionLimit")) {
    partner.connection_limit = number_of(property.value);
    if (!partner.connection_limit && !property.value.empty()) complain(property, "a whole number from 0", problems);
  } else if (is("AdditionalDomains")) {
    set_as(partner.additional_domains, property, problems, "an array of domains", texts_of);
  } else if (is("Description") || is("ProxyFqdn")) {
    auto& target = is("ProxyFqdn") ? partner.proxy_fqdn : partner.description;
    target.clear();
    set_text(target, property, problems);
  } else if (is("Domain") || is("Identity")) {
    set_as(partner.domain, property, problems, "a string", text_of);
  } else if (is("EnableKeepAlive")) {
    set_as(partner.enable_keep_alive, property, problems, "true or false", flag_of);
  } else if (is("PartnerType")) {
    set_named<PartnerType>(partner.partner_type, property, problems, "Federated, PublicVerified or PublicUnverified",
                           partner_type_of, partner_type_of);
  } else if (is("SaslNegotiation")) {
    set_negotiation(partner.sasl_negotiation, property, problems);
  } else if (is("TlsNegotiation")) {
    set_negotiation(partner.tls_negotiation, property, problems);
  } else if (is("SupportDialbackNegotiation")) {
    set_as(partner.support_dialback_negotiation, property, problems, "true or false", flag_of);
  } else {
    return false;
  }
  return true;
}

bool set(GatewayConfiguration& gateway, const Property& property, Problems& problems) {
  const auto is = [&](std::string_view name) { return same_name(property.name, name); };
  constexpr std::string_view number = "a whole number from 0";
  if (is("ConnectionLimit")) {
    set_as(gateway.connection_limit, property, problems, number, number_of);
  } else if (is("PartnerConnectionLimit")) {
    set_as(gateway.partner_connection_limit, property, problems, number, number_of);
  } else if (is("DialbackPassphrase")) {
    set_text(gateway.dialback_passphrase, property, problems);
  } else if (is("EnableLoggingAllMessageBodies")) {
    set_as(gateway.enable_logging_all_message_bodies, property, problems, "true or false", flag_of);
  } else if (is("KeepAliveInterval")) {
    set_duration(gateway.keep_alive_interval, property, problems);
  } else if (is("StreamEstablishmentTimeout")) {
    set_duration(gateway.stream_establishment_timeout, property, problems);
  } else if (is("StreamInactivityTimeout")) {
    set_duration(gateway.stream_inactivity_timeout, property, problems);
  } else if (is("SubscriptionRefreshInterval")) {
    set_duration(gateway.subscription_refresh_interval, property, problems);
  } else {
    return false;
  }
  return true;
}

bool set(AccessPolicy& policy, const Property& property, Problems& problems) {
  const bool federation = same_name(property.name, "EnableFederationAccess");
  if (!federation && !same_name(property.name, "EnableXmppAccess")) return false;
  auto& target = federation ? policy.enable_federation_access : policy.enable_xmpp_access;
  set_as(target, property, problems, "true or false", flag_of);
  return true;
}

bool is_of_the_shell(std::string_view property) {
  constexpr std::array<std::string_view, 12> names{"PSComputerName",
                                                   "PSShowComputerName",
                                                   "PSSourceJobInstanceId",
                                                   "RunspaceId",
                                                   "Anchor",
                                                   "Element",
                                                   "Key",
                                                   "ScopeClass",
                                                   "TypedIdentity",
                                                   "XmlRoot",
                                                   "XsAnyAttributes",
                                                   "XsAnyElements"};
  return std::ranges::any_of(names, [&](auto name) { return same_name(name, property); });
}

AllowedPartner partner_of(const Value& object, AllowedPartner base, Problems& problems) {
  const auto *domain = object.find("Domain"), *identity = object.find("Identity");
  if (domain != nullptr && identity != nullptr && !domain->empty() && !identity->empty() &&
      text_of(*domain) != text_of(*identity))
    problems.add(identity->line, "Domain and Identity: the same domain was expected");
  for (const auto& property : object.properties) {
    if (is_of_the_shell(property.name)) continue;
    if (property.value.kind == Kind::null && &property.value == domain && identity != nullptr) continue;
    if (!set(base, property, problems)) problems.note(property.value.line, "unknown field " + property.name);
  }
  return base;
}

GatewayConfiguration gateway_of(const Value& object, GatewayConfiguration base, Problems& problems) {
  for (const auto& property : object.properties) {
    if (is_of_the_shell(property.name) || same_name(property.name, "Identity")) continue;
    if (!set(base, property, problems)) problems.note(property.value.line, "unknown field " + property.name);
  }
  return base;
}

}  // namespace cutover::reference::exports
