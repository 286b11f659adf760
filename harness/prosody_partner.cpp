// Drives the clients of a real server's users.
#include "harness/prosody_partner.h"

#include "protocol/base/check.h"
#include "protocol/xmpp/namespaces.h"

#include <algorithm>

namespace cutover::harness {

ProsodyMode prosody_mode_of(PartnerKind kind) {
  switch (kind) {
    case PartnerKind::sasl_external:
      return ProsodyMode::external_only;
    case PartnerKind::dialback_over_tls:
      return ProsodyMode::dialback_over_tls;
    case PartnerKind::plaintext_dialback:
      break;
  }
  return ProsodyMode::dialback_in_clear;
}

ProsodyPartner::ProsodyPartner(ProsodySettings settings) : prosody_(std::move(settings)) {}

std::unique_ptr<mocks::XmppClient> ProsodyPartner::make_client(const std::string& localpart,
                                                               std::shared_ptr<const tls::Identity> identity) {
  const auto& settings = prosody_.settings();
  const auto account = std::ranges::find(settings.accounts, localpart, &ProsodyAccount::user);
  if (account == settings.accounts.end()) throw HarnessFault("no account " + localpart + "@" + settings.domain);
  auto& seat = seats_[localpart];
  mocks::XmppClient::Config config;
  config.server = {settings.address, Prosody::c2s_port};
  config.user = localpart;
  config.domain = settings.domain;
  config.password = account->password;
  config.resource = "home";
  config.identity = std::move(identity);
  config.plain_in_clear = config.identity == nullptr;
  config.on_stanza = [&seat](const xml::Element& stanza) { seat.seen.record(stanza); };
  auto client = std::make_unique<mocks::XmppClient>(std::move(config));
  seat.client = client.get();
  return client;
}

bool ProsodyPartner::signed_in() const {
  return std::ranges::all_of(seats_, [](const auto& entry) { return entry.second.client->online(); });
}

ProsodyPartner::Seat& ProsodyPartner::seat(std::string_view localpart) {
  const auto found = seats_.find(localpart);
  if (found == seats_.end()) throw HarnessFault("no user " + std::string(localpart));
  return found->second;
}

std::string ProsodyPartner::send_message(std::string_view localpart, std::string_view to, std::string_view body) {
  return seat(localpart).client->send_message(to, body);
}

void ProsodyPartner::send_presence(std::string_view localpart, std::string_view to, std::string_view type) {
  seat(localpart).client->send_presence(to, type);
}

void ProsodyPartner::set_presence(std::string_view localpart, interworking::Presence presence) {
  auto& self = seat(localpart);
  xml::Element stanza("presence", xmpp::ns::client);
  interworking::put_presence(stanza, presence);
  self.client->send(stanza);
  self.seen.presence = std::move(presence);
}

}  // namespace cutover::harness
