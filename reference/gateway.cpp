// Links to the proxies, and what the settings mean for the translator.
#include "reference/gateway.h"

#include "protocol/xmpp/jid.h"
#include "reference/admin.h"
#include "reference/rules.h"

#include <algorithm>

namespace cutover::reference {

Gateway::Gateway(GatewayConfig config) : config_(std::move(config)) {}

Gateway::~Gateway() {
  admin_.reset();
  ways_.clear();
  bridge_.reset();
  if (context_ != nullptr) context_->forget(*this);
}

void Gateway::start(Context& context) {
  context_ = &context;
  sip::EndpointConfig endpoint;
  endpoint.port = config_.port;
  endpoint.identity = config_.identity;
  endpoint.sent_by = config_.host;
  endpoint.departures = config_.departures;
  bridge_ =
      std::make_unique<interworking::Bridge>(context, std::move(endpoint), translator_settings(), config_.next_hop,
                                             [this](const xml::Element& stanza) { to_partner(stanza); });
  bridge_->open();
  dial(config_.proxies);
  if (config_.admin_port != 0) {
    admin_ = std::make_unique<Admin>(
        context, AdminConfig{config_.admin_port, config_.admin_token},
        AdminSubject{"gateway", [this]() -> const Settings& { return config_.settings; },
                     [this](Settings settings) { apply(std::move(settings)); },
                     [] { return std::vector<xmpp::StreamInfo>(); },
                     [this] {
                       const auto counts = bridge_->translator().counts();
                       return Health{{"linked", linked()},
                                     {"failures_told_late", counts.late_failures - counts.untold_failures},
                                     {"failures_told_to_nobody", counts.untold_failures}};
                     },
                     [this] {
                       const auto counts = bridge_->translator().counts();
                       return Counters{{"Failure IMDNs sent", counts.late_failures - counts.untold_failures}};
                     },
                     config_.departures});
    admin_->open();
  }
  dial_due();
}

interworking::Settings Gateway::translator_settings() const {
  interworking::Settings out;
  out.profile = config_.profile;
  out.sip_domains = config_.domains;
  out.partner = [settings = config_.settings](std::string_view domain) -> std::optional<PartnerType> {
    const AllowedPartner* partner = settings.partner_of(domain);
    return partner == nullptr ? std::nullopt : std::optional(partner->partner_type);
  };
  out.user_enabled = [settings = config_.settings](std::string_view user) {
    return settings.user_may(std::string(user));
  };
  out.random = [context = context_](std::uint64_t bound) { return context->random(bound); };
  out.message_hold = config_.message_hold;
  out.subscription_refresh = config_.settings.gateway.subscription_refresh_interval;
  out.departures = config_.departures;
  return out;
}

void Gateway::apply(Settings settings) {
  config_.settings = std::move(settings);
  if (context_ == nullptr) return;
  bridge_->translator().reconfigure(translator_settings());
  if (!has_route()) drop_links({});
  for (Way& way : ways_) {
    if (way.connection == ConnectionId::none && !way.dial_at && !way.leaves) way.dial_at = context_->now();
  }
  dial_due();
}

void Gateway::set_next_hop(sip::Endpoint::Destination next_hop) {
  config_.next_hop = next_hop;
  if (bridge_) bridge_->set_next_hop(std::move(next_hop));
}

void Gateway::set_proxies(const std::vector<Endpoint>& proxies, std::string name) {
  if (proxies == config_.proxies && name == config_.proxy_name) return;
  if (!config_.departures.holds(Rule::links_follow_the_route)) return;
  config_.proxies = proxies;
  config_.proxy_name = std::move(name);
  if (context_ == nullptr) return;
  for (Way& way : ways_) {
    way.leaves = true;
    way.dial_at.reset();
  }
  dial(proxies);
  for (Way& way : ways_) {
    if (way.leaves) leave(way, "system-shutdown");
  }
  std::erase_if(ways_, [](const Way& way) { return way.leaves && way.connection == ConnectionId::none; });
  dial_due();
}

/// Each has a way of its own; those that there are stay.
void Gateway::dial(const std::vector<Endpoint>& proxies) {
  for (const auto& proxy : proxies) {
    auto known = std::find_if(ways_.begin(), ways_.end(), [&](const Way& way) { return way.proxy == proxy; });
    if (known == ways_.end()) known = ways_.insert(known, {.proxy = proxy, .link = nullptr, .dial_at = std::nullopt});
    known->leaves = false;
    if (known->connection == ConnectionId::none) known->dial_at = context_->now();
    if (!config_.departures.holds(Rule::every_member_is_dialled)) return;
  }
}

bool Gateway::linked() const {
  return std::any_of(ways_.begin(), ways_.end(), [](const Way& way) { return way.link && way.link->up(); });
}

void Gateway::to_partner(const xml::Element& stanza) {
  if (admin_) admin_->log(stanza);
  for (Way& way : ways_) {
    if (way.link && way.link->send(stanza)) return;
  }
  // No proxy: the SIP side learns of it as if the partner had not been reached.
  if (config_.departures.holds(Rule::missing_proxy_is_told)) bridge_->on_undeliverable(stanza, "remote-server-timeout");
}

// Links.

bool Gateway::has_route() const {
  return !config_.departures.breaks(Rule::link_needs_a_route, !config_.settings.site_federation_route);
}

void Gateway::dial_due() {
  for (Way& way : ways_) {
    if (!has_route() || !way.dial_at || *way.dial_at > context_->now()) continue;
    way.dial_at.reset();
    way.connection = context_->connect(*this, way.proxy);
  }
  schedule();
}

void Gateway::drop_links(std::string_view condition) {
  for (Way& way : ways_) leave(way, condition);
}

void Gateway::leave(Way& way, std::string_view condition) {
  if (way.link) {
    way.link->close(condition);
  } else if (way.connection != ConnectionId::none) {
    context_->abort(std::exchange(way.connection, ConnectionId::none));
  }
}

Gateway::Way* Gateway::way(ConnectionId connection) {
  const auto found =
      std::find_if(ways_.begin(), ways_.end(), [&](const Way& way) { return way.connection == connection; });
  return found == ways_.end() ? nullptr : &*found;
}

void Gateway::lost(Way& way) {
  way.link.reset();
  way.connection = ConnectionId::none;
  if (way.leaves)
    std::erase_if(ways_, [&](const Way& one) { return &one == &way; });
  else
    way.dial_at = context_->now() + config_.reconnect;
  schedule();
}

void Gateway::on_connected(ConnectionId connection) {
  Way* found = way(connection);
  if (found == nullptr) return;
  LinkConfig config{config_.host, config_.proxy_name, config_.identity, config_.departures};
  TrustedLink::Handlers handlers;
  handlers.stanza = [this](const xml::Element& stanza) {
    if (admin_) admin_->log(stanza);
    const auto from = xmpp::Jid::parse(stanza.attribute_or_empty("from"));
    if (from) bridge_->on_stanza(stanza, from->domain());  // the proxy has authenticated it
  };
  found->link = std::make_unique<TrustedLink>(*context_, connection, true, std::move(config), std::move(handlers));
  schedule();
}

void Gateway::on_connect_failed(ConnectionId connection, std::string_view) {
  if (Way* found = way(connection)) lost(*found);
}

void Gateway::on_received(ConnectionId connection, std::string_view bytes) {
  Way* found = way(connection);
  if (found != nullptr && found->link) found->link->receive(bytes);
  schedule();
}

void Gateway::on_eof(ConnectionId connection) {
  Way* found = way(connection);
  if (found != nullptr && found->link) {
    found->link->receive_eof();
    context_->shutdown(connection);
  }
  schedule();
}

void Gateway::on_closed(ConnectionId connection, std::string_view reason) {
  Way* found = way(connection);
  if (found == nullptr) return;
  if (found->link) found->link->connection_lost(reason);
  lost(*found);
}

void Gateway::on_wake() {
  for (Way& way : ways_) {
    const auto deadline = way.link ? way.link->deadline() : std::nullopt;
    if (deadline && *deadline <= context_->now()) way.link->timeout();
  }
  dial_due();
}

void Gateway::schedule() {
  std::optional<Time> first;
  const auto take = [&](const std::optional<Time>& time) {
    if (time && (!first || *time < *first)) first = time;
  };
  for (const Way& way : ways_) {
    if (way.link) take(way.link->deadline());
    if (has_route()) take(way.dial_at);
  }
  if (first) context_->wake_at(*this, *first);
  if (!first) context_->cancel_wake(*this);
}

}  // namespace cutover::reference
