// A partner as a node, and what its users do. How it treats what arrives is in partner_rules.cpp.
#include "mocks/partner.h"

#include "protocol/base/check.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>

namespace cutover::mocks {

namespace {

constexpr char resource[] = "home";

bool manages_subscription(std::string_view type) {
  return type == "subscribe" || type == "subscribed" || type == "unsubscribe" || type == "unsubscribed" ||
         type == "probe";
}

}  // namespace

void PartnerUser::record(xml::Element stanza, bool behind) {
  const bool error = stanza.attribute_or_empty("type") == "error";
  auto& kind = error ? errors : stanza.name() == "message" ? messages : stanza.name() == "presence" ? presences : iqs;
  if (behind)
    kind.push_back(std::move(stanza));
  else
    kind.push_front(std::move(stanza));
}

std::string PartnerDomain::send_message(std::string_view localpart, std::string_view to, std::string_view body) {
  auto id = next_id();
  send(localpart, xmpp::make_message({}, to, body, "chat", id));
  return id;
}

void PartnerDomain::send_presence(std::string_view localpart, std::string_view to, std::string_view type) {
  send(localpart, xmpp::make_presence({}, to, type, next_id()));
}

Partner::Partner(PartnerSettings settings) : settings_(std::move(settings)) {
  settings_.domain = xmpp::canonical_domain(settings_.domain);  // in U-labels, as RFC 7622 section 3.2.1 has it
  for (const auto& name : settings_.users) add_user(name);
}

Partner::~Partner() = default;

void Partner::start(Context& context) {
  resolver_ = std::make_unique<dns::Resolver>(context, dns::Resolver::Config{.name_server = settings_.name_server,
                                                                             .direct_tls = settings_.calls_direct_tls,
                                                                             .departures = settings_.departures});
  xmpp::ServerConfig config;
  config.domains = {settings_.domain};
  config.identity = settings_.identity;
  config.policy = [policy = settings_.policy](std::string_view) { return policy; };
  config.dialback_secret = settings_.dialback_secret;
  config.send_version = settings_.send_version;
  config.port = settings_.port;
  config.direct_tls_port = settings_.direct_tls_port;
  config.departures = settings_.departures;
  server_ = std::make_unique<xmpp::Server>(context, std::move(config), *resolver_, *this);
  server_->open();
}

PartnerUser& Partner::add_user(const std::string& localpart) {
  auto& added = users_[localpart];
  added.presence.resource = resource;
  return added;
}

PartnerUser& Partner::user(std::string_view localpart) {
  const auto found = users_.find(localpart);
  if (found == users_.end()) throw HarnessFault("no user " + bare_jid(localpart));
  return found->second;
}

std::string Partner::bare_jid(std::string_view localpart) { return std::string(localpart) + "@" + settings_.domain; }

std::string Partner::full_jid(std::string_view localpart) { return bare_jid(localpart) + "/" + resource; }

void Partner::send(xml::Element stanza) { server_->send(std::move(stanza)); }

void Partner::send(std::string_view localpart, xml::Element stanza) {
  auto& self = user(localpart);
  const auto type = stanza.attribute_or_empty("type");
  const bool subscription = stanza.name() == "presence" && manages_subscription(type);
  // RFC 6121 section 3.1.2: subscriptions are between bare JIDs.
  stanza.set_attribute("from", subscription ? bare_jid(localpart) : full_jid(localpart));
  if (subscription) {
    const auto written = stanza.attribute_or_empty("to");
    stanza.set_attribute("to", written.substr(0, written.find('/')));
    const auto to = xmpp::canonical_bare(written);
    if (type == "subscribed") return send_approval(self, std::string(localpart), to);
    if (type == "subscribe" && std::ranges::count(self.asked, to) == 0) self.asked.push_back(to);
    if (type == "unsubscribe") std::erase(self.asked, to);
    const bool cancels = type == "unsubscribed" && std::erase(self.subscribers, to) != 0;
    if (cancels && holds(Rule::cancelled_is_told_unavailable)) tell_unavailable(std::string(localpart), to);
  }
  note_directed(self, stanza);
  server_->send(std::move(stanza));
}

void Partner::send_approval(PartnerUser& self, const std::string& localpart, const std::string& to) {
  const bool asked = std::ranges::count(self.pending, to) + std::ranges::count(self.subscribers, to) > 0;
  if (!breaks(Rule::approval_has_a_request, settings_.filters && !asked)) approve(localpart, to);
}

void Partner::note_directed(PartnerUser& self, const xml::Element& presence) {
  const auto to = presence.attribute_or_empty("to"), type = presence.attribute_or_empty("type");
  if (!settings_.filters || presence.name() != "presence" || to.empty()) return;
  if (type == "unavailable") std::erase(self.directed, to);
  if (type.empty() && std::ranges::count(self.directed, to) == 0) self.directed.push_back(to);
}

void Partner::set_presence(std::string_view localpart, interworking::Presence presence) {
  auto& self = user(localpart);
  self.presence = std::move(presence);
  self.presence.resource = resource;
  if (!holds(Rule::updates_are_broadcast)) return;
  for (const auto& subscriber : self.subscribers) tell_presence(std::string(localpart), subscriber);
  if (holds(Rule::directed_presence_is_once)) return;
  for (const auto& other : self.directed) tell_presence(std::string(localpart), other);
}

void Partner::go_offline(std::string_view localpart) {
  auto& self = user(localpart);
  self.online = false;
  if (holds(Rule::directed_presence_ends))
    for (const auto& other : self.directed) tell_unavailable(std::string(localpart), other);
  self.directed.clear();
  if (!holds(Rule::sign_out_is_broadcast)) return;
  for (const auto& subscriber : self.subscribers) tell_unavailable(std::string(localpart), subscriber);
}

void Partner::approve(const std::string& localpart, const std::string& subscriber) {
  auto& self = user(localpart);
  std::erase(self.pending, subscriber);
  if (std::ranges::count(self.subscribers, subscriber) == 0) self.subscribers.push_back(subscriber);
  server_->send(xmpp::make_presence(bare_jid(localpart), subscriber, "subscribed", next_id()));
  if (self.online && holds(Rule::presence_follows_approval)) tell_presence(localpart, subscriber);
}

void Partner::tell_presence(const std::string& localpart, const std::string& to) {
  auto stanza = xmpp::make_presence(full_jid(localpart), to);
  interworking::put_presence(stanza, user(localpart).presence);
  server_->send(std::move(stanza));
}

void Partner::tell_unavailable(const std::string& localpart, const std::string& to) {
  server_->send(xmpp::make_presence(full_jid(localpart), to, "unavailable"));
}

void Partner::let_go_of(std::string_view domain) {
  server_->close_streams_with(domain);
  resolver_->flush_cache();
}

}  // namespace cutover::mocks
