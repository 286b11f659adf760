// How a partner's users react: RFC 6121 sections 3 and 4 as far as one resource needs them.
#include "mocks/partner.h"

#include "protocol/base/check.h"
#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/stanza.h"

#include <algorithm>

namespace cutover::mocks {

namespace {

constexpr char resource[] = "home";
constexpr char ping_ns[] = "urn:xmpp:ping";
constexpr char disco_info_ns[] = "http://jabber.org/protocol/disco#info";

std::string bare_of(const std::string& jid) { return jid.substr(0, jid.find('/')); }

std::string localpart_of(const std::string& jid) {
  const auto at = jid.find('@');
  return at == std::string::npos ? std::string() : jid.substr(0, at);
}

}  // namespace

void PartnerUser::record(const xml::Element& stanza) {
  if (stanza.attribute_or_empty("type") == "error") return errors.push_back(stanza);
  auto& kind = stanza.name() == "message" ? messages : stanza.name() == "presence" ? presences : iqs;
  kind.push_back(stanza);
}

Partner::Partner(PartnerSettings settings) : settings_(std::move(settings)) {
  for (const auto& name : settings_.users) users_[name].presence.resource = resource;
}

Partner::~Partner() = default;

void Partner::start(Context& context) {
  resolver_ = std::make_unique<dns::Resolver>(
      context, dns::Resolver::Config{.name_server = settings_.name_server, .quirks = settings_.quirks});
  xmpp::ServerConfig config;
  config.domains = {settings_.domain};
  config.identity = settings_.identity;
  config.policy = [policy = settings_.policy](std::string_view) { return policy; };
  config.dialback_secret = settings_.dialback_secret;
  config.send_version = settings_.send_version;
  config.port = settings_.port;
  config.quirks = settings_.quirks;
  server_ = std::make_unique<xmpp::Server>(context, std::move(config), *resolver_, *this);
  server_->open();
}

PartnerUser& Partner::user(std::string_view localpart) {
  const auto found = users_.find(localpart);
  if (found == users_.end()) throw HarnessFault("no user " + bare_jid(localpart));
  return found->second;
}

std::string Partner::bare_jid(std::string_view localpart) const {
  return std::string(localpart) + "@" + settings_.domain;
}

std::string Partner::full_jid(std::string_view localpart) const { return bare_jid(localpart) + "/" + resource; }

std::string Partner::next_id() { return settings_.domain.substr(0, 3) + "-" + std::to_string(++ids_); }

void Partner::send(xml::Element stanza) { server_->send(std::move(stanza)); }

std::string Partner::send_message(std::string_view localpart, std::string_view to, std::string_view body) {
  auto id = next_id();
  send(xmpp::make_message(full_jid(localpart), to, body, "chat", id));
  return id;
}

void Partner::send_presence(std::string_view localpart, std::string_view to, std::string_view type) {
  if (type == "unsubscribed") std::erase(user(localpart).subscribers, std::string(to));
  send(xmpp::make_presence(bare_jid(localpart), to, type, next_id()));
}

void Partner::set_presence(std::string_view localpart, interworking::Presence presence) {
  auto& self = user(localpart);
  self.presence = std::move(presence);
  self.presence.resource = resource;
  for (const auto& subscriber : self.subscribers) tell_presence(std::string(localpart), subscriber);
}

void Partner::let_go_of(std::string_view domain) {
  server_->close_streams_with(domain);
  resolver_->flush_cache();
}

void Partner::tell_presence(const std::string& localpart, const std::string& to) {
  auto stanza = xmpp::make_presence(full_jid(localpart), to);
  interworking::put_presence(stanza, user(localpart).presence);
  send(std::move(stanza));
}

void Partner::refuse(const xml::Element& stanza, std::string_view condition) {
  if (auto error = xmpp::make_error(stanza, condition)) send(std::move(*error));
}

void Partner::on_stanza(const xml::Element& stanza, std::string_view) {
  const auto localpart = localpart_of(stanza.attribute_or_empty("to"));
  const auto found = users_.find(localpart);
  if (found == users_.end()) {
    // RFC 6121 section 8.5.1: no such account; presence is dropped silently.
    if (stanza.name() != "presence") refuse(stanza, "service-unavailable");
    return;
  }
  auto& self = found->second;
  self.record(stanza);
  if (stanza.attribute_or_empty("type") == "error") return;
  if (stanza.name() == "presence") on_presence(self, localpart, stanza);
  if (stanza.name() == "iq") on_iq(stanza);
}

void Partner::on_presence(PartnerUser& self, const std::string& localpart, const xml::Element& stanza) {
  const auto type = stanza.attribute_or_empty("type");
  const auto from = bare_of(stanza.attribute_or_empty("from"));
  const bool subscribed = std::ranges::count(self.subscribers, from) != 0;
  if (type == "subscribe" && self.approves) {
    if (!subscribed) self.subscribers.push_back(from);
    send_presence(localpart, from, "subscribed");
    tell_presence(localpart, from);
  } else if (type == "unsubscribe" && subscribed) {
    // RFC 6121 section 3.3.3: the contact's server acknowledges and sends unavailable presence.
    std::erase(self.subscribers, from);
    send(xmpp::make_presence(full_jid(localpart), from, "unavailable"));
  } else if (type == "probe") {
    if (subscribed) return tell_presence(localpart, stanza.attribute_or_empty("from"));
    send_presence(localpart, from, "unsubscribed");  // RFC 6121 section 4.3.2.1
  }
}

void Partner::on_iq(const xml::Element& stanza) {
  if (stanza.attribute_or_empty("type") != "get" && stanza.attribute_or_empty("type") != "set") return;
  if (stanza.child("ping", ping_ns) != nullptr) return send(xmpp::make_result(stanza));
  if (stanza.child("query", disco_info_ns) != nullptr) {
    xml::Element query("query", disco_info_ns);
    query.add(xml::Element("identity", disco_info_ns).with("category", "client").with("type", "pc"));
    return send(xmpp::make_result(stanza, std::move(query)));
  }
  refuse(stanza, "service-unavailable");
}

void Partner::on_undeliverable(const xml::Element& stanza, std::string_view condition) {
  const auto found = users_.find(localpart_of(stanza.attribute_or_empty("from")));
  if (found == users_.end()) return;
  if (auto error = xmpp::make_error(stanza, condition)) found->second.errors.push_back(std::move(*error));
}

}  // namespace cutover::mocks
