// Times, sizes and numbers of a translator that are not what the documents, or their owner, want.
#include "departures/rows.h"
#include "protocol/interworking/settings.h"

namespace cutover::departures {

namespace {
constexpr Duration for_ever = std::chrono::hours(24 * 365);
}

std::vector<Row> gateway_settings() {
  using interworking::Settings;
  return {
      {"gateway.answers-before-error", "answers a MESSAGE before a stanza error can come",
       "PRAC-MSG-DEFER RFC7247-7.1-bad-request", [](Settings& settings) { settings.message_hold = Duration::zero(); },
       gateways},
      {"gateway.composing-never-ends", "leaves composing without an end where no refresh was promised", "RFC3994-3.3-2",
       [](Settings& settings) { settings.composing = settings.keyboard = for_ever; }, gateways},
      {"gateway.ignores-pager-size", "sends a MESSAGE above 1300 octets outside a session", "RFC7572-6-1 RFC7572-6-2",
       [](Settings& settings) { settings.pager_size_max_octets = 0; }, gateways},
      {"gateway.invite-per-message", "opens a session for each message, and ends it behind it", "RFC7573-4-6",
       [](Settings& settings) { settings.session_idle = Duration::zero(); }, gateways},
      {"gateway.never-refreshes", "lets subscriptions expire", "RFC8048-5.2.2-1 RFC8048-5.2.2-3",
       [](Settings& settings) { settings.refresh_percent = 200; }, gateways},
      {"gateway.notifies-too-often", "sends each change at once", "RFC3856-6.10",
       [](Settings& settings) { settings.notify_spacing = Duration::zero(); }, gateways},
      {"gateway.service-unavailable-503", "maps service-unavailable to 503",
       "RFC7247-7.1-service-unavailable RFC7247-7.1-service-unavailable-503",
       [](Settings& settings) { settings.service_unavailable = 503; }, gateways},
  };
}

}  // namespace cutover::departures
