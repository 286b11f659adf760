// What users do, as stanzas of their clients; what clients get, as a partner's users keep it.
#include "mocks/client_users.h"

#include "protocol/base/check.h"
#include "protocol/xmpp/namespaces.h"

#include <algorithm>

namespace cutover::mocks {

namespace ns = xmpp::ns;

std::unique_ptr<XmppClient> ClientUsers::make_client(XmppClient::Config config) {
  auto& seat = seats_[config.user];
  config.accept_subscriptions = false;
  config.on_stanza = [this, &seat, user = config.user](const xml::Element& stanza) {
    auto seen = stanza;
    seen.change_namespace(ns::client, ns::server);
    const bool asked = stanza.name() == "presence" && stanza.attribute_or_empty("type") == "subscribe";
    seat.seen.record(std::move(seen));
    if (asked && seat.seen.approves) send_presence(user, stanza.attribute_or_empty("from"), "subscribed");
  };
  auto client = std::make_unique<XmppClient>(std::move(config));
  seat.client = client.get();
  return client;
}

bool ClientUsers::signed_in() const {
  return std::ranges::all_of(seats_, [](const auto& entry) { return entry.second.client->online(); });
}

std::string ClientUsers::failure() const {
  for (const auto& [user, seat] : seats_)
    if (!seat.client->failure().empty()) return user + ": " + seat.client->failure();
  return {};
}

ClientUsers::Seat& ClientUsers::seat(std::string_view localpart) {
  const auto found = seats_.find(localpart);
  if (found == seats_.end()) throw HarnessFault("no user " + std::string(localpart));
  return found->second;
}

std::string ClientUsers::bare_jid(std::string_view localpart) { return seat(localpart).client->bare_jid(); }
std::string ClientUsers::full_jid(std::string_view localpart) { return seat(localpart).client->full_jid(); }

void ClientUsers::send(std::string_view localpart, xml::Element stanza) {
  stanza.change_namespace(ns::server, ns::client);
  seat(localpart).client->send(stanza);
}

void ClientUsers::set_presence(std::string_view localpart, interworking::Presence presence) {
  xml::Element stanza("presence", ns::server);
  interworking::put_presence(stanza, presence);
  seat(localpart).seen.presence = std::move(presence);
  send(localpart, std::move(stanza));
}

void ClientUsers::go_offline(std::string_view localpart) { seat(localpart).client->sign_out(); }

}  // namespace cutover::mocks
