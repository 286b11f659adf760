// One box: S2S server, translator in pager mode, SIP endpoint.
#include "mocks/legacy_gateway.h"

#include "protocol/xmpp/jid.h"

namespace cutover::mocks {

namespace {

xmpp::PeerPolicy policy_of(ConnectionMode mode) {
  using xmpp::Negotiation;
  xmpp::PeerPolicy policy;
  const bool sasl = mode == ConnectionMode::tls_sasl;
  policy.tls = mode == ConnectionMode::tcp_dialback ? Negotiation::not_supported : Negotiation::required;
  policy.sasl = sasl ? Negotiation::required : Negotiation::not_supported;
  policy.dialback = !sasl;
  policy.keep_alive = false;  // COMPAT(legacy): not known of its partners
  return policy;
}

/// Streams and addresses bring their domains in canonical form.
std::map<std::string, ConnectionMode> canonical(const std::map<std::string, ConnectionMode>& partners) {
  std::map<std::string, ConnectionMode> result;
  for (const auto& [domain, mode] : partners) result[xmpp::canonical_domain(domain)] = mode;
  return result;
}

interworking::Settings translator_settings(const LegacyGatewaySettings& settings) {
  interworking::Settings out;
  out.profile = interworking::Profile::pager;
  out.sip_domains = settings.domains;
  out.partner = [partners = settings.partners](std::string_view domain) {
    return partners.contains(std::string(domain)) ? std::optional(interworking::PartnerType::federated) : std::nullopt;
  };
  out.message_hold = settings.message_hold;
  out.departures = settings.departures;
  return out;
}

}  // namespace

LegacyGateway::LegacyGateway(LegacyGatewaySettings settings) : settings_(std::move(settings)) {
  settings_.partners = canonical(settings_.partners);
}
LegacyGateway::~LegacyGateway() = default;

void LegacyGateway::start(Context& context) {
  context_ = &context;
  resolver_ = std::make_unique<dns::Resolver>(
      context, dns::Resolver::Config{.name_server = settings_.name_server, .departures = settings_.departures});
  start_services();
}

void LegacyGateway::start_services() {
  std::vector<interworking::ConsentRow> consents;
  if (bridge_) consents = bridge_->translator().consents();  // they outlive a restart of the service
  server_.reset();
  bridge_.reset();
  server_ = std::make_unique<xmpp::Server>(*context_, server_config(), *resolver_, *this);
  sip::EndpointConfig endpoint;
  endpoint.port = settings_.sip_port;
  endpoint.identity = settings_.sip_identity;
  endpoint.sent_by = settings_.host;
  endpoint.departures = settings_.departures;
  bridge_ = std::make_unique<interworking::Bridge>(*context_, std::move(endpoint), translator_settings(settings_),
                                                   settings_.next_hop,
                                                   [this](xml::Element stanza) { server_->send(std::move(stanza)); });
  bridge_->translator().restore(consents);
  server_->open();
  bridge_->open();
  running_ = true;
}

xmpp::ServerConfig LegacyGateway::server_config() const {
  xmpp::ServerConfig config;
  config.domains = settings_.domains;
  config.identity = settings_.identity;
  config.dialback_secret = settings_.dialback_secret;
  config.port = settings_.xmpp_port;
  config.policy = [partners = settings_.partners](std::string_view domain) {
    const auto found = partners.find(std::string(domain));
    if (found != partners.end()) return policy_of(found->second);
    xmpp::PeerPolicy stranger;
    stranger.allowed = false;
    return stranger;
  };
  config.departures = settings_.departures;
  return config;
}

void LegacyGateway::drain() {
  if (!running_) return;
  running_ = false;
  server_->drain();
  bridge_->stop_accepting();
}

bool LegacyGateway::drained() const { return !running_ && server_->drained(); }

void LegacyGateway::resume() {
  if (!running_) start_services();
}

void LegacyGateway::set_partners(const std::map<std::string, ConnectionMode>& partners) {
  const auto before = std::exchange(settings_.partners, canonical(partners));
  if (!server_) return;
  server_->reconfigure(server_config());
  bridge_->translator().reconfigure([this] {
    auto settings = translator_settings(settings_);
    settings.random = [context = context_](std::uint64_t bound) { return context->random(bound); };
    return settings;
  }());
  for (const auto& [domain, mode] : before) {
    if (!settings_.partners.contains(domain)) server_->close_streams_with(domain);
  }
}

void LegacyGateway::set_next_hop(sip::Endpoint::Destination next_hop) {
  settings_.next_hop = next_hop;
  if (bridge_) bridge_->set_next_hop(std::move(next_hop));
}

void LegacyGateway::on_stanza(const xml::Element& stanza, std::string_view sender_domain) {
  if (bridge_) bridge_->on_stanza(stanza, sender_domain);
}

void LegacyGateway::on_undeliverable(const xml::Element& stanza, std::string_view condition) {
  if (bridge_) bridge_->on_undeliverable(stanza, condition);
}

}  // namespace cutover::mocks
