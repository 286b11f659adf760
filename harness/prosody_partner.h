// A partner whose domain a real Prosody serves, and whose users sit at clients of ours.
#pragma once

#include "harness/prosody.h"
#include "harness/topology.h"
#include "mocks/partner.h"
#include "mocks/xmpp_client.h"

namespace cutover::harness {

/// The mode in which Prosody is a partner of this kind.
[[nodiscard]] ProsodyMode prosody_mode_of(PartnerKind);

/// Stands at Prosody's address in the world and owns its process. Its users' clients are nodes of their own.
class ProsodyPartner final : public Node, public mocks::PartnerDomain {
 public:
  /// Starts the process. Throws HarnessFault when that fails.
  explicit ProsodyPartner(ProsodySettings);
  void start(Context&) override {}

  [[nodiscard]] Prosody& server() { return prosody_; }
  /// The client of the account `localpart`; `identity` holds the trust anchors. To be added to the world once the
  /// server is ready.
  [[nodiscard]] std::unique_ptr<mocks::XmppClient> make_client(const std::string& localpart,
                                                               std::shared_ptr<const tls::Identity> identity);
  /// Every client is online.
  [[nodiscard]] bool signed_in() const;

  [[nodiscard]] mocks::PartnerUser& user(std::string_view localpart) override { return seat(localpart).seen; }
  std::string send_message(std::string_view localpart, std::string_view to, std::string_view body) override;
  void send_presence(std::string_view localpart, std::string_view to, std::string_view type) override;
  void set_presence(std::string_view localpart, interworking::Presence) override;
  /// Nothing can be told to it: its streams end when the other side ends them, its look-ups with their TTL
  /// (prosody_cache_ttl).
  void let_go_of(std::string_view) override {}
  [[nodiscard]] bool quiet() const override { return true; }

 private:
  struct Seat {
    mocks::XmppClient* client = nullptr;
    mocks::PartnerUser seen;
  };
  [[nodiscard]] Seat& seat(std::string_view localpart);

  Prosody prosody_;
  std::map<std::string, Seat, std::less<>> seats_;
};

}  // namespace cutover::harness
