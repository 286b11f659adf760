// A partner: an XMPP domain with users, reached over S2S and verifying by SASL EXTERNAL or dialback.
#pragma once

#include "mocks/rules.h"
#include "protocol/base/history.h"
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
  /// Users see only what RFC 6121 lets through to clients: for a partner that is judged. Else they see all that came.
  bool filters = false;
  Endpoint name_server;
  std::uint16_t port = 5269;
  std::uint16_t direct_tls_port = 0;  ///< XEP-0368; 0: none
  bool calls_direct_tls = true;       ///< uses _xmpps-server records of others
  Departures departures;
};

/// What one user of a partner knows. Users answer for themselves (RFC 6121, one resource), so that a case needs to
/// speak only where the timing is the point.
struct PartnerUser {
  bool approves = true;                  ///< answers subscribe with subscribed; false: leaves it pending
  bool online = true;                    ///< a mock's; see go_offline()
  interworking::Presence presence;       ///< what subscribers are told
  History<xml::Element> messages;        ///< without errors, in order of arrival
  History<xml::Element> errors;          ///< of type error; what its own server returns is `by` that
  History<xml::Element> presences;       ///< every presence stanza, in order of arrival
  History<xml::Element> iqs;             ///< every iq, in order of arrival
  std::vector<std::string> subscribers;  ///< bare JIDs that may see the presence; a mock's
  std::vector<std::string> asked;        ///< bare JIDs that were asked for theirs, or granted it; a mock's
  std::vector<std::string> pending;      ///< bare JIDs that wait for an approval; a mock's
  std::vector<std::string> directed;     ///< who was sent directed presence; of a mock that filters

  /// Puts a stanza that arrived where it belongs, behind or before those that are there.
  void record(xml::Element stanza, bool behind = true);
};

/// A domain with users as exchanges see it, whoever serves it: a mock, or a real server whose users sit at clients.
/// Stanzas are in jabber:server on either side.
class PartnerDomain {
 public:
  virtual ~PartnerDomain() = default;
  /// The user; HarnessFault for one that does not exist.
  [[nodiscard]] virtual PartnerUser& user(std::string_view localpart) = 0;
  /// "romeo@fabrikam.example" and with the resource.
  [[nodiscard]] virtual std::string bare_jid(std::string_view localpart) = 0;
  [[nodiscard]] virtual std::string full_jid(std::string_view localpart) = 0;
  /// The user's client sends a stanza; the server puts `from` into it and acts on it (RFC 6121).
  virtual void send(std::string_view localpart, xml::Element stanza) = 0;
  /// Changes the presence and tells every subscriber.
  virtual void set_presence(std::string_view localpart, interworking::Presence) = 0;
  /// Signs the user out; subscribers are told.
  virtual void go_offline(std::string_view localpart) = 0;
  /// Ends what is left from earlier exchanges with `domain`: streams, and what was looked up, as far as it can be told
  /// to.
  virtual void let_go_of(std::string_view domain) = 0;
  /// No stream is open any more, as far as can be seen from here.
  [[nodiscard]] virtual bool quiet() const = 0;

  /// Sends a message of type chat; returns its id.
  std::string send_message(std::string_view localpart, std::string_view to, std::string_view body);
  /// Sends presence of `type` (subscribe, unsubscribe, subscribed, unsubscribed, probe; empty: directed).
  void send_presence(std::string_view localpart, std::string_view to, std::string_view type);

 protected:
  [[nodiscard]] std::string next_id() { return "u" + std::to_string(++ids_); }

 private:
  std::uint64_t ids_ = 0;
};

/// The domain behind our own S2S server. It is a peer of the judged server, and itself judged where no target with
/// accounts is given.
class Partner final : public Node, public PartnerDomain, public xmpp::ServerOwner {
 public:
  explicit Partner(PartnerSettings);
  ~Partner() override;
  void start(Context&) override;

  [[nodiscard]] PartnerUser& user(std::string_view localpart) override;
  /// One more user, with a localpart as a JID has it.
  PartnerUser& add_user(const std::string& localpart);
  [[nodiscard]] std::string bare_jid(std::string_view localpart) override;
  [[nodiscard]] std::string full_jid(std::string_view localpart) override;
  /// Sends any stanza as it is.
  void send(xml::Element stanza);
  void send(std::string_view localpart, xml::Element stanza) override;
  void set_presence(std::string_view localpart, interworking::Presence) override;
  void go_offline(std::string_view localpart) override;
  void let_go_of(std::string_view domain) override;
  [[nodiscard]] bool quiet() const override { return server_->streams().empty(); }

  [[nodiscard]] xmpp::Server& server() { return *server_; }
  [[nodiscard]] dns::Resolver& resolver() { return *resolver_; }

 private:
  /// An address of this domain, in its parts.
  struct Recipient {
    std::string localpart, resource;
  };
  void on_stanza(const xml::Element&, std::string_view sender_domain) override;
  void on_undeliverable(const xml::Element&, std::string_view condition) override;
  // How each kind is handled (RFC 6121 section 8.5), for the server itself, an unknown account, and an account.
  void on_unknown_account(const xml::Element&);
  [[nodiscard]] bool matches(const PartnerUser&, const Recipient&) const;
  void on_message(PartnerUser&, const Recipient&, const xml::Element&);
  void on_presence(PartnerUser&, const Recipient&, const xml::Element&);
  void on_subscribe(PartnerUser&, const std::string& localpart, const std::string& from);
  void on_probe(PartnerUser&, const std::string& localpart, const xml::Element&);
  void on_iq(PartnerUser*, const Recipient&, const xml::Element&);
  void answer_request(PartnerUser*, const Recipient&, const xml::Element&);
  void refuse(const xml::Element&, std::string_view condition);
  void approve(const std::string& localpart, const std::string& subscriber);
  void send_approval(PartnerUser&, const std::string& localpart, const std::string& to);
  void note_directed(PartnerUser&, const xml::Element& presence);
  void tell_presence(const std::string& localpart, const std::string& to);
  void tell_unavailable(const std::string& localpart, const std::string& to);
  [[nodiscard]] bool holds(Rule rule) const { return settings_.departures.holds(rule); }
  [[nodiscard]] bool breaks(Rule rule, bool broken) const { return settings_.departures.breaks(rule, broken); }

  PartnerSettings settings_;
  std::map<std::string, PartnerUser, std::less<>> users_;
  std::unique_ptr<dns::Resolver> resolver_;
  std::unique_ptr<xmpp::Server> server_;
};

}  // namespace cutover::mocks
