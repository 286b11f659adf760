// A partner: an XMPP domain with users, reached over S2S and verifying by SASL EXTERNAL or dialback.
#pragma once

#include "protocol/interworking/mapping/presence.h"
#include "protocol/xmpp/server.h"

#include <map>

namespace cutover::mocks {

/// How a partner authenticates and is authenticated.
struct PartnerSettings {
  std::string domain;
  std::vector<std::string> users;                 ///< localparts
  std::shared_ptr<const tls::Identity> identity;  ///< null: no TLS
  xmpp::PeerPolicy policy;                        ///< towards everybody
  bool send_version = true;                       ///< false: XMPP 0.9, as Google Talk
  std::string dialback_secret;
  Endpoint name_server;
  Quirks quirks;
};

/// What one user of a partner knows. Users answer for themselves (RFC 6121, one resource), so that a case needs to
/// speak only where the timing is the point.
struct PartnerUser {
  bool approves = true;                  ///< answers subscribe with subscribed; false: leaves it pending
  interworking::Presence presence;       ///< what subscribers are told
  std::vector<xml::Element> messages;    ///< without errors, in order of arrival
  std::vector<xml::Element> errors;      ///< stanzas of type error, and own stanzas that could not be delivered
  std::vector<xml::Element> presences;   ///< every presence stanza, in order of arrival
  std::vector<xml::Element> iqs;         ///< every iq, in order of arrival
  std::vector<std::string> subscribers;  ///< bare JIDs that may see the presence
};

class Partner final : public Node, public xmpp::ServerOwner {
 public:
  explicit Partner(PartnerSettings);
  ~Partner() override;
  void start(Context&) override;

  /// The user; HarnessFault for one that does not exist.
  [[nodiscard]] PartnerUser& user(std::string_view localpart);
  /// "romeo@fabrikam.example" and with the resource "/home".
  [[nodiscard]] std::string bare_jid(std::string_view localpart) const;
  [[nodiscard]] std::string full_jid(std::string_view localpart) const;

  /// Sends any stanza as it is.
  void send(xml::Element stanza);
  /// Sends a message of type chat from the full JID; returns its id.
  std::string send_message(std::string_view localpart, std::string_view to, std::string_view body);
  /// Sends presence of `type` (subscribe, unsubscribe, subscribed, unsubscribed, probe) from the bare JID.
  void send_presence(std::string_view localpart, std::string_view to, std::string_view type);
  /// Changes the presence and tells every subscriber.
  void set_presence(std::string_view localpart, interworking::Presence);

  [[nodiscard]] xmpp::Server& server() { return *server_; }
  [[nodiscard]] dns::Resolver& resolver() { return *resolver_; }

 private:
  void on_stanza(const xml::Element&, std::string_view sender_domain) override;
  void on_undeliverable(const xml::Element&, std::string_view condition) override;
  void on_message(PartnerUser&, const xml::Element&);
  void on_presence(PartnerUser&, const std::string& localpart, const xml::Element&);
  void on_iq(PartnerUser&, const xml::Element&);
  void refuse(const xml::Element&, std::string_view condition);
  void tell_presence(const std::string& localpart, const std::string& to);
  [[nodiscard]] std::string next_id();

  PartnerSettings settings_;
  std::map<std::string, PartnerUser, std::less<>> users_;
  std::unique_ptr<dns::Resolver> resolver_;
  std::unique_ptr<xmpp::Server> server_;
  std::uint64_t ids_ = 0;
};

}  // namespace cutover::mocks
