// The users of a domain that a real server serves: each sits at a client of ours.
#pragma once

#include "mocks/partner.h"
#include "mocks/xmpp_client.h"

namespace cutover::mocks {

/// Makes the clients and drives them. They are nodes of their own and outlive this only in name: do not use it when
/// they are gone.
class ClientUsers : public PartnerDomain {
 public:
  /// The client of one account, to be added to the world. `config.on_stanza` is taken.
  [[nodiscard]] std::unique_ptr<XmppClient> make_client(XmppClient::Config config);
  /// Every client is online.
  [[nodiscard]] bool signed_in() const;
  /// Why a client could not sign in; empty while none failed.
  [[nodiscard]] std::string failure() const;

  [[nodiscard]] PartnerUser& user(std::string_view localpart) override { return seat(localpart).seen; }
  [[nodiscard]] std::string bare_jid(std::string_view localpart) override;
  [[nodiscard]] std::string full_jid(std::string_view localpart) override;
  void send(std::string_view localpart, xml::Element stanza) override;
  void set_presence(std::string_view localpart, interworking::Presence) override;
  void go_offline(std::string_view localpart) override;
  /// Nothing can be told to the server: its streams end when the other side ends them, its look-ups with their TTL.
  void let_go_of(std::string_view) override {}
  [[nodiscard]] bool quiet() const override { return true; }

 private:
  struct Seat {
    XmppClient* client = nullptr;
    PartnerUser seen;
  };
  [[nodiscard]] Seat& seat(std::string_view localpart);

  std::map<std::string, Seat, std::less<>> seats_;
};

}  // namespace cutover::mocks
