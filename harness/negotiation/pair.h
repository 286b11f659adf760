// Two servers of ours that negotiate as their sides say, each pair in a simulated world of its own.
#pragma once

#include "harness/negotiation/product.h"
#include "harness/worlds/trace.h"
#include "protocol/base/departures.h"
#include "protocol/tls/authority.h"
#include "protocol/xmpp/server.h"

#include <map>
#include <memory>
#include <optional>

namespace cutover::mocks {
struct PartnerSettings;
}

namespace cutover::harness::negotiation {

/// How the stream of stanzas was authenticated.
struct Used {
  Method method = Method::none;
  bool direct_tls = false;
  bool delivered = false;  ///< the stanza came to the receiving side's user
  std::string ending;      ///< what the sender was told where it did not; empty where nothing
  bool operator==(const Used&) const = default;
};
/// "dialback over TLS", "none (remote-server-timeout)".
[[nodiscard]] std::string words_of(const Used&);

/// What a stream was authenticated by, as one of its ends tells; `none` while it carries nothing.
[[nodiscard]] Used used_on(const xmpp::StreamInfo&);

/// What a side makes of the settings of a server of ours; identity, names and addresses apart.
void apply(const Side&, mocks::PartnerSettings&);

/// The row as the product's owner writes it.
[[nodiscard]] xmpp::PeerPolicy policy_of(const ProductRow&);

/// One server of a pair.
struct Player {
  Side side;
  std::optional<xmpp::PeerPolicy> policy = {};  ///< instead of what follows from the side
  Departures departures = {};
};
/// Which of the two is judged: how the stream came about is asked of the other one.
enum class Judged { initiating, receiving };

/// Certificates are made once, for all pairs.
class Stage {
 public:
  enum class Crypto { paper, real };  ///< paper carries names and flaws, and costs nothing
  explicit Stage(Crypto);

  /// Lets a user of the initiating side write to one of the receiving side. `trace`: what was on the wire.
  [[nodiscard]] Used play(const Player& initiating, const Player& receiving, Judged, Trace* trace = nullptr);

 private:
  [[nodiscard]] std::shared_ptr<const tls::Identity> identity(const std::string& domain, const Side&);

  std::unique_ptr<tls::Authority> authority_;
  std::map<std::pair<std::string, tls::Flaw>, std::shared_ptr<const tls::Identity>> identities_;
  std::size_t bad_ = 0;  ///< bad certificates are bad in turn
};

}  // namespace cutover::harness::negotiation
