// lync-facts F26, RFC 6665 sections 4.1.3 and 4.2.2: who watched, and did not say so again in time, is shown nothing
// old.
#include "suites/support/federated.h"

#include "protocol/sip/text.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <span>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Ne;

interworking::Presence away(const std::string& note) {
  interworking::Presence presence;
  presence.show = "away";
  presence.status = note;
  return presence;
}

/// What of the partner's user the SIP user is shown.
std::string shown_to(const mocks::SipContact& contact) {
  if (contact.presence.empty()) return "unknown";
  const auto open = [](const interworking::Presence& device) { return device.available; };
  return std::ranges::any_of(contact.presence, open) ? "available" : "offline";
}

void not_refreshed(Run& run) {
  Federated f(run);
  static constexpr int granted_s = 600;
  f.alice.subscribe(f.romeo_uri, granted_s);
  const auto& contact = f.alice.contact(f.romeo_uri);
  if (!CONFORMS("RFC8048-5.3.1-9", "the SIP user who subscribed got the presence",
                f.until([&] { return !contact.presence.empty(); }), Eq(true)))
    return;
  f.deployment.world().run_for(std::chrono::seconds(granted_s) + 60s);
  const auto told = f.alice.requests().total();
  f.partner.set_presence("romeo", away("much later"));
  if (!GIVEN(f.marker_reaches_alice(), "a message that was sent behind the new state arrived")) return;
  f.deployment.world().run_for(30s);  // documents may be spaced (RFC 3856 section 6.10)
  const auto& requests = f.alice.requests();
  const auto later =
      std::count_if(requests.end() - static_cast<std::ptrdiff_t>(requests.total() - told), requests.end(),
                    [](const sip::Message& request) { return request.method == "NOTIFY" && !request.body.empty(); });
  CONFORMS("MIG-S06", "how many documents came to the SIP user who has not refreshed", later, Eq(0));
  CONFORMS("MIG-S06", "what of the partner's user the SIP user is shown in the end", shown_to(contact),
           Ne("available"));
}

CUTOVER_CASE(lapsed){
    .id = "presence.not-refreshed",
    .title = "A SIP user who does not refresh a subscription is told no more, and shown nothing old",
    .procedure =
        "A SIP user watches a partner's user for ten minutes and does not refresh; a minute later the partner's user "
        "shows another state.",
    .accepted = "Unknown or offline, and no NOTIFY with a document.",
    .likely_causes = "Subscriptions end when somebody ends them only.",
    .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}}, {"MIG-S06", {"gateway.watchers-never-lapse"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .live = false,
    .budget = 2h,
    .body = not_refreshed};

void pool_is_silent(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribed got the approval and the presence",
                f.romeo_watches_alice(), Eq(true)))
    return;
  f.alice.notify_with("active;expires=600", open_document());
  if (!GIVEN(f.marker_reaches_romeo(), "a message that was sent behind the NOTIFY arrived")) return;
  f.alice.answer_subscriptions_with(0);
  f.deployment.world().run_for(900s);
  const auto& presences = f.romeo.presences;
  const auto& last = presences.back();
  CONFORMS("MIG-S06", "what the partner's user was told last of the SIP user, whose side answers no refresh",
           last.attribute_or_empty("type").empty() ? "available" : "not available", Eq("not available"));
}

CUTOVER_CASE(silent){
    .id = "presence.refresh-unanswered",
    .title = "A subscription that the SIP side does not renew is shown to the partner's user as unavailable",
    .procedure =
        "A partner's user watches a SIP user; ten minutes are granted, and no refresh is answered any more. A quarter "
        "of an hour passes.",
    .accepted = "Presence of a type: unavailable, unsubscribed or an error.",
    .likely_causes = "The last state is shown until another one comes.",
    .judges = {{"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}}, {"MIG-S06", {"gateway.unavailable-lost"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .live = false,
    .budget = 2h,
    .body = pool_is_silent};

}  // namespace
}  // namespace cutover::suites
