// What a translator is told about its deployment: domains, partners, profile and timers.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/time.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cutover::interworking {

/// How text goes to the SIP side.
enum class Profile {
  pager,     ///< each message a MESSAGE of its own (RFC 7572)
  sessions,  ///< chat as INVITE plus MESSAGE inside the dialog, as the product does (lync-facts 4.3)
};

/// What an XMPP partner's users may do (lync-facts 4.1).
enum class PartnerType { federated, public_verified, public_unverified };

struct Settings {
  Profile profile = Profile::sessions;
  std::vector<std::string> sip_domains;  ///< ours; the gateway speaks for nobody else
  /// The type of an XMPP domain's partnership; nothing for a domain that is no partner. Called with the canonical
  /// domain.
  std::function<std::optional<PartnerType>(std::string_view xmpp_domain)> partner;
  /// Whether a user of ours (bare address) may use XMPP federation; empty: everybody may.
  std::function<bool(std::string_view user)> user_enabled;
  /// A number below its argument, from the world's seed.
  std::function<std::uint64_t(std::uint64_t bound)> random;

  Duration message_hold = 2s;                ///< the answer to a MESSAGE waits so long for a stanza error; 0: at once
  Duration subscription_refresh = 28800s;    ///< SubscriptionRefreshInterval: the Expires that is asked for
  int refresh_percent = 85;                  ///< of the time granted, then the refresh is due (RFC 8048 section 5.2.2)
  Duration subscription_min = 60s;           ///< shorter ones are refused with 423 (RFC 6665 section 4.2.1.1)
  Duration subscription_max = 28800s;        ///< longer ones are granted this
  Duration retry = 60s;                      ///< before a failed subscription is tried again, where nobody says when
  Duration notify_spacing = 5s;              ///< between two presence documents in one dialog (RFC 3856 section 6.10)
  Duration first_notify = 32s;               ///< 64*T1 (RFC 6665 section 4.1.2.4)
  int service_unavailable = 403;             ///< its status; RFC 7247 section 7.1 leaves 405 and 480 too, never 503
  Duration session_idle = 600s;              ///< then the session ends with BYE
  Duration session_refused = 600s;           ///< how long none is tried where none was possible
  Duration ack_wait = 32s;                   ///< 64*T1, for the ACK of a 2xx (RFC 3261 section 13.3.1.4)
  Duration composing = 120s;                 ///< RFC 3994 section 3.3, where no refresh is given
  Duration keyboard = 15s;                   ///< the same for KeyboardActivity, which is repeated each 5 s
  std::size_t pager_size_max_octets = 1300;  ///< whole request outside a dialog (RFC 3428 section 8); 0: no bound
  std::size_t queue_max_messages = 256;      ///< for one pair of users
  Departures departures;
};

}  // namespace cutover::interworking
