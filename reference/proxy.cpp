// Stanzas pass through unchanged in both directions; what the proxy decides is who may connect.
#include "reference/proxy.h"

#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/stanza.h"
#include "reference/admin.h"
#include "reference/rules.h"

#include <algorithm>
#include <set>

namespace cutover::reference {

Proxy::Proxy(ProxyConfig config) : config_(std::move(config)) {
  for (const auto& domain : config_.domains) ours_.push_back(xmpp::canonical_domain(domain));
}

Proxy::~Proxy() {
  admin_.reset();
  links_.clear();
  server_.reset();
  resolver_.reset();
  if (context_ != nullptr) context_->forget(*this);
}

void Proxy::start(Context& context) {
  context_ = &context;
  resolver_ = std::make_unique<dns::Resolver>(
      context, dns::Resolver::Config{.name_server = config_.name_server, .departures = config_.departures});
  if (config_.admin_port != 0) {
    admin_ = std::make_unique<Admin>(
        context, AdminConfig{config_.admin_port, config_.admin_token},
        AdminSubject{"proxy", [this]() -> const Settings& { return config_.settings; },
                     [this](Settings settings) { apply(std::move(settings)); },
                     [this] { return server_ ? server_->streams() : std::vector<xmpp::StreamInfo>(); },
                     [this] {
                       return Health{{"serving", serving()}, {"gateway_connected", gateway_connected()}};
                     },
                     [this] {
                       return Counters{{"Streams", server_ ? server_->streams().size() : 0}};
                     },
                     config_.departures});
    admin_->open();
  }
  start_service();
}

xmpp::ServerConfig Proxy::server_config() const {
  const GatewayConfiguration& gateway = config_.settings.gateway;
  xmpp::ServerConfig config;
  config.domains = config_.domains;
  config.identity = live_certificate_;
  config.policy = [settings = config_.settings](std::string_view domain) { return settings.policy_of(domain); };
  config.dialback_secret = gateway.dialback_passphrase;
  config.port = config_.port;
  config.direct_tls_port = config_.direct_tls_port;
  config.establishment_timeout = gateway.stream_establishment_timeout;
  config.inactivity_timeout = gateway.stream_inactivity_timeout;
  config.keep_alive_interval = gateway.keep_alive_interval;
  config.connections_max = gateway.connection_limit;
  config.departures = config_.departures;
  return config;
}

void Proxy::start_service() {
  if (server_ || !config_.certificate || !enabled()) return;
  live_certificate_ = config_.certificate;  // an assigned certificate is live from here on
  server_ = std::make_unique<xmpp::Server>(*context_, server_config(), *resolver_, *this);
  server_->open();
  context_->listen(*this, config_.internal_port);
  context_->note({Layer::event, Direction::none, ConnectionId::none, "proxy serves", {}});
}

void Proxy::stop_service() {
  restart_wanted_ = false;
  if (!serving()) return;
  stopping_ = true;
  context_->stop_listening(config_.internal_port);
  server_->drain("system-shutdown");
  if (server_->drained()) end_service();
}

void Proxy::on_drained() {
  if (stopping_) context_->wake_at(*this, context_->now());  // the server is still on the stack
}

void Proxy::end_service() {
  stopping_ = false;
  for (auto& [connection, link] : std::exchange(links_, {})) context_->abort(connection);
  server_.reset();
  live_certificate_.reset();
  context_->cancel_wake(*this);
  if (std::exchange(restart_wanted_, false)) start_service();
}

void Proxy::restart_service() {
  stop_service();
  restart_wanted_ = stopping_;
  if (!stopping_) start_service();
}

void Proxy::assign_certificate(std::shared_ptr<const tls::Identity> certificate) {
  config_.certificate = std::move(certificate);
}

void Proxy::apply(Settings settings) {
  const Settings before = std::exchange(config_.settings, std::move(settings));
  if (context_ == nullptr) return;
  if (!enabled()) stop_service();
  if (stopping_) {
    restart_wanted_ = enabled();
    return;
  }
  if (!server_) {
    start_service();
    return;
  }
  server_->reconfigure(server_config());
  if (!config_.departures.holds(Rule::removed_partner_is_cut_off)) return;
  std::set<std::string> gone;
  for (const auto& stream : server_->streams()) {
    if (!config_.settings.policy_of(stream.remote_domain).allowed) gone.insert(stream.remote_domain);
  }
  for (const auto& domain : gone) server_->close_streams_with(domain, "policy-violation");
}

bool Proxy::enabled() const {
  return !config_.departures.breaks(Rule::listens_when_enabled, !config_.settings.enable_xmpp_federation);
}

bool Proxy::gateway_connected() const {
  return std::any_of(links_.begin(), links_.end(), [](const auto& entry) { return entry.second->up(); });
}

// Stanzas.

void Proxy::on_stanza(const xml::Element& stanza, std::string_view) {
  if (admin_) admin_->log(stanza);
  const auto to = xmpp::Jid::parse(stanza.attribute_or_empty("to"));
  const bool ours = !to || serves(to->domain());  // nothing else gets through the stream
  ours ? to_gateway(stanza) : server_->send(stanza);
}

void Proxy::on_undeliverable(const xml::Element& stanza, std::string_view condition) {
  // The sender is behind the gateway: it hears as if the partner's server had answered.
  if (auto error = xmpp::make_error(stanza, condition)) to_gateway(*error);
}

void Proxy::to_gateway(const xml::Element& stanza) {
  for (auto& [connection, link] : links_) {
    if (link->send(stanza)) return;
  }
  refuse(stanza, "remote-server-timeout");
}

void Proxy::refuse(const xml::Element& stanza, std::string_view condition) {
  if (!config_.departures.holds(Rule::missing_gateway_is_told)) return;
  if (auto error = xmpp::make_error(stanza, condition); error && server_) server_->send(std::move(*error));
}

bool Proxy::serves(std::string_view domain) const {
  return std::find(ours_.begin(), ours_.end(), domain) != ours_.end();
}

void Proxy::from_gateway(const xml::Element& stanza) {
  if (admin_) admin_->log(stanza);
  const auto from = xmpp::Jid::parse(stanza.attribute_or_empty("from"));
  const bool ours = from && serves(from->domain());
  if (ours && server_) server_->send(stanza);
}

// Links.

TrustedLink* Proxy::link(ConnectionId connection) {
  const auto found = links_.find(connection);
  return found == links_.end() ? nullptr : found->second.get();
}

void Proxy::on_accepted(ConnectionId connection, std::uint16_t, const Endpoint&) {
  LinkConfig config{config_.host, config_.gateway_name, config_.internal_identity, config_.departures};
  TrustedLink::Handlers handlers;
  handlers.stanza = [this](const xml::Element& stanza) { from_gateway(stanza); };
  links_.emplace(connection, std::make_unique<TrustedLink>(*context_, connection, false, std::move(config), handlers));
  tidy();
}

void Proxy::on_received(ConnectionId connection, std::string_view bytes) {
  if (auto* known = link(connection)) known->receive(bytes);
  tidy();
}

void Proxy::on_eof(ConnectionId connection) {
  if (auto* known = link(connection)) {
    known->receive_eof();
    context_->shutdown(connection);
  }
  tidy();
}

void Proxy::on_closed(ConnectionId connection, std::string_view reason) {
  if (auto* known = link(connection)) known->connection_lost(reason);
  links_.erase(connection);
  tidy();
}

void Proxy::on_wake() {
  if (stopping_ && server_->drained()) return end_service();
  std::vector<ConnectionId> due;
  for (const auto& [connection, link] : links_) {
    if (link->deadline() && *link->deadline() <= context_->now()) due.push_back(connection);
  }
  for (const ConnectionId connection : due) {
    if (auto* known = link(connection)) known->timeout();
  }
  tidy();
}

void Proxy::tidy() {
  if (stopping_ && server_->drained()) return;  // on_drained() asked for the wake-up
  std::optional<Time> first;
  for (const auto& [connection, link] : links_) {
    const auto deadline = link->deadline();
    if (deadline && (!first || *deadline < *first)) first = deadline;
  }
  if (first) context_->wake_at(*this, *first);
  if (!first) context_->cancel_wake(*this);
}

}  // namespace cutover::reference
