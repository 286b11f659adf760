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
  std::uint16_t port = 5269;
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

  /// Puts a stanza that arrived where it belongs.
  void record(const xml::Element& stanza);
};

/// A domain with users as exchanges see it, whoever serves it: a mock, or a real server whose users sit at clients.
class PartnerDomain {
 public:
  virtual ~PartnerDomain() = default;
  /// The user; HarnessFault for one that does not exist.
  [[nodiscard]] virtual PartnerUser& user(std::string_view localpart) = 0;
  /// Sends a message of type chat from the full JID; returns its id.
  virtual std::string send_message(std::string_view localpart, std::string_view to, std::string_view body) = 0;
  /// Sends presence of `type` (subscribe, unsubscribe, subscribed, unsubscribed, probe) from the bare JID.
  virtual void send_presence(std::string_view localpart, std::string_view to, std::string_view type) = 0;
  /// Changes the presence and tells every subscriber.
  virtual void set_presence(std::string_view localpart, interworking::Presence) = 0;
  /// Ends what is left from earlier exchanges with `domain`: streams, and what was looked up, as far as it can be told
  /// to.
  virtual void let_go_of(std::string_view domain) = 0;
  /// No stream is open any more, as far as can be seen from here.
  [[nodiscard]] virtual bool quiet() const = 0;
};

class Partner final : public Node, public PartnerDomain, public xmpp::ServerOwner {
 public:
  explicit Partner(PartnerSettings);
  ~Partner() override;
  void start(Context&) override;

  [[nodiscard]] PartnerUser& user(std::string_view localpart) override;
  /// "romeo@fabrikam.example" and with the resource "/home".
  [[nodiscard]] std::string bare_jid(std::string_view localpart) const;
  [[nodiscard]] std::string full_jid(std::string_view localpart) const;

  /// Sends any stanza as it is.
  void send(xml::Element stanza);
  std::string send_message(std::string_view localpart, std::string_view to, std::string_view body) override;
  void send_presence(std::string_view localpart, std::string_view to, std::string_view type) override;
  void set_presence(std::string_view localpart, interworking::Presence) override;
  void let_go_of(std::string_view domain) override;
  [[nodiscard]] bool quiet() const override { return server_->streams().empty(); }

  [[nodiscard]] xmpp::Server& server() { return *server_; }
  [[nodiscard]] dns::Resolver& resolver() { return *resolver_; }

 private:
  void on_stanza(const xml::Element&, std::string_view sender_domain) override;
  void on_undeliverable(const xml::Element&, std::string_view condition) override;
  void on_presence(PartnerUser&, const std::string& localpart, const xml::Element&);
  void on_iq(const xml::Element&);
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
