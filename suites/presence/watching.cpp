// RFC 8048 section 5.2: a partner's user watches a SIP user; only an active NOTIFY approves, only a refusal by name
// cancels.
#include "suites/support/federated.h"

#include <gmock/gmock.h>

#include <map>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Gt;
using testing::HasSubstr;
using testing::Ne;

void subscription_form(Run& run) {
  Federated f(run);
  f.alice.approve_watchers(false);
  f.partner.send(xmpp::make_presence(f.romeo_bare, f.alice_jid, "subscribe", "s1"));
  const auto request = f.request_to_alice("SUBSCRIBE");
  if (!CONFORMS("RFC8048-5.2.1-1", "the Event of the SUBSCRIBE", header_in(request, "Event"), Eq("presence"))) return;
  CONFORMS("RFC8048-5.2.1-1", "the URI in the To of the SUBSCRIBE", request.to() ? request.to()->uri.text() : "none",
           Eq("sip:alice@contoso.example"));
  CONFORMS("RFC8048-5.2.1-1", "the Accept of the SUBSCRIBE", header_in(request, "Accept"),
           HasSubstr(interworking::pidf_media));
  CONFORMS("RFC8048-5.2.1-7", "the URI in the From of the SUBSCRIBE",
           request.from() ? request.from()->uri.text() : "none", Eq(f.romeo_uri));
  f.alice.notify_with("pending;expires=3600", open_document());
  if (GIVEN(f.marker_reaches_romeo(), "a message that was sent behind the pending NOTIFY arrived")) {
    CONFORMS("RFC8048-5.2.1-2", "how many subscribed stanzas came before the approval",
             f.presences_to_romeo("subscribed"), Eq(0u));
    CONFORMS("RFC8048-5.2.1-3", "how many presence stanzas came before the approval", f.romeo.presences.size(), Eq(0u));
  }
  f.alice.approve(f.romeo_uri);
  const auto subscribed = f.presence_to_romeo("subscribed");
  if (!CONFORMS("RFC8048-5.2.1-4", "the sender of the subscribed that the partner's user got",
                attribute_in(subscribed, "from"), Eq(f.alice_jid)))
    return;
  CONFORMS("RFC8048-5.2.1-4", "the receiver of the subscribed that the partner's user got",
           attribute_in(subscribed, "to"), Eq(f.romeo_bare));
  CONFORMS("RFC8048-5.2.1-5", "the presence of the SIP user came", !f.presence_to_romeo("").name().empty(), Eq(true));
  const auto first = f.romeo.presences.empty() ? xml::Element() : f.romeo.presences.front();
  CONFORMS("RFC8048-5.2.1-5", "the type of the first presence stanza that came", attribute_in(first, "type"),
           Eq("subscribed"));
  f.alice.notify_with("active;expires=3600", open_document());
  if (!GIVEN(f.marker_reaches_romeo(), "a message that was sent behind the second active NOTIFY arrived")) return;
  CONFORMS("RFC8048-5.2.1-6", "how many subscribed stanzas two active NOTIFYs became",
           f.presences_to_romeo("subscribed"), Eq(1u));
}

CUTOVER_CASE(subscribing){
    .id = "presence.partner-subscribes",
    .title =
        "A partner's subscription reaches the SIP user as SUBSCRIBE and is approved by the first active NOTIFY only",
    .procedure = "A partner's user subscribes; the SIP user answers 200, says pending, then active, then active again.",
    .accepted =
        "A SUBSCRIBE of the pair's bare addresses that accepts PIDF; silence while pending; then subscribed once, "
        "followed by the presence.",
    .likely_causes = "A gateway that takes the 2xx for the approval.",
    .judges = {{"RFC8048-5.2.1-1", {"gateway.offers-vendor-presence", "gateway.proxy-drops-inbound"}},
               {"RFC8048-5.2.1-7", {"gateway.wrong-sender-to-sip"}},
               {"RFC8048-5.2.1-2", {"gateway.subscribed-on-2xx"}},
               {"RFC8048-5.2.1-3", {"gateway.pending-shows-presence"}},
               {"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}},
               {"RFC8048-5.2.1-5", {"gateway.drops-pidf"}},
               {"RFC8048-5.2.1-6", {"gateway.repeats-subscribed"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = subscription_form};

void refusals(Run& run) {
  Federated f(run);
  std::size_t refused = 0;
  const auto answered_with = [&](int status) {
    f.alice.answer_subscriptions_with(status);
    f.partner.send_presence("romeo", f.alice_jid, "subscribe");
    return attribute_in(f.presence_to_romeo("unsubscribed", ++refused), "from");
  };
  CONFORMS("RFC8048-5.2.2-403", "the sender of the unsubscribed behind 403", answered_with(403), Eq(f.alice_jid));
  CONFORMS("RFC8048-5.2.2-489", "the sender of the unsubscribed behind 489", answered_with(489), Eq(f.alice_jid));
  CONFORMS("RFC8048-5.2.2-603", "the sender of the unsubscribed behind 603", answered_with(603), Eq(f.alice_jid));
  f.alice.answer_subscriptions_with(200);
  if (!CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribed got the approval and the presence",
                f.romeo_watches_alice(), Eq(true)))
    return;
  f.alice.reject(f.romeo_uri);
  CONFORMS("RFC6665-4.1.3-rejected", "the sender of the unsubscribed behind terminated;reason=rejected",
           attribute_in(f.presence_to_romeo("unsubscribed", ++refused), "from"), Eq(f.alice_jid));
}

CUTOVER_CASE(refused){
    .id = "presence.partner-refused",
    .title = "A refusal by name cancels the partner's subscription",
    .procedure =
        "A partner's user subscribes four times; the SIP user answers 403, 489, 603, and at last 200 and later "
        "terminated;reason=rejected.",
    .accepted = "unsubscribed from the SIP user's bare address after each.",
    .likely_causes = "A gateway that answers refusals with an error, or with nothing.",
    .judges = {{"RFC8048-5.2.2-403", {"gateway.refusal-not-unsubscribed"}},
               {"RFC8048-5.2.2-489", {"gateway.refusal-not-unsubscribed"}},
               {"RFC8048-5.2.2-603", {"gateway.refusal-not-unsubscribed"}},
               {"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}},
               {"RFC6665-4.1.3-rejected", {"gateway.refusal-not-unsubscribed"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = refusals};

void no_retry(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribed got the approval and the presence",
                f.romeo_watches_alice(), Eq(true)))
    return;
  f.alice.reject(f.romeo_uri);
  const bool again = f.deployment.world().run_until([&] { return f.requests_to_alice("SUBSCRIBE") > 1; }, 1800s);
  CONFORMS("RFC6665-4.1.3-rejected", "a rejected watcher subscribed again within half an hour", again, Eq(false));
}

CUTOVER_CASE(refused_for_good){.id = "presence.refused-for-good",
                               .title = "A rejected watcher does not subscribe again by itself",
                               .procedure = "The SIP user rejects a watcher; half an hour passes.",
                               .accepted = "No further SUBSCRIBE.",
                               .likely_causes = "One retry for every end of a subscription.",
                               .judges = {{"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}},
                                          {"RFC6665-4.1.3-rejected", {"gateway.retries-after-refusal"}}},
                               .needs = {Need::sip_side, Need::new_deployment},
                               .live = false,
                               .budget = 2h,
                               .body = no_retry};

void hiccups(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribed got the approval and the presence",
                f.romeo_watches_alice(), Eq(true)))
    return;
  const auto first = f.request_to_alice("SUBSCRIBE").call_id();
  f.alice.notify_with("terminated;reason=deactivated");
  const auto second = f.request_to_alice("SUBSCRIBE", 2).call_id();
  CONFORMS("RFC6665-4.1.3-deactivated", "the Call-ID of the next SUBSCRIBE", second, testing::AllOf(Ne(first), Ne("")));
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  CONFORMS("RFC6665-4.1.3-deactivated", "how many unsubscribed stanzas the partner's user got",
           f.presences_to_romeo("unsubscribed"), Eq(0u));
}

CUTOVER_CASE(hiccup){
    .id = "presence.subscription-moved",
    .title = "A deactivated subscription is made again at once, unseen by the partner's user",
    .procedure = "The SIP side ends an active subscription with reason deactivated.",
    .accepted = "A SUBSCRIBE with another Call-ID; no unsubscribed.",
    .likely_causes = "A gateway that takes every end for a refusal.",
    .judges = {{"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}},
               {"RFC6665-4.1.3-deactivated", {"gateway.never-resubscribes", "gateway.terminated-unsubscribes"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = hiccups};

void refreshing(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribed got the approval and the presence",
                f.romeo_watches_alice(), Eq(true)))
    return;
  const auto first = f.request_to_alice("SUBSCRIBE").call_id();
  f.alice.notify_with("active;expires=600", open_document());
  f.alice.answer_subscriptions_with(481);
  const bool refreshed = f.deployment.world().run_until([&] { return f.requests_to_alice("SUBSCRIBE") > 1; }, 599s);
  f.alice.answer_subscriptions_with(200);
  CONFORMS("RFC8048-5.2.2-3", "the subscription was refreshed within the ten minutes that NOTIFY granted", refreshed,
           Eq(true));
  CONFORMS("RFC8048-5.2.2-1", "the Call-ID of the refresh",
           refreshed ? f.request_to_alice("SUBSCRIBE", 2).call_id() : "no refresh", Eq(first));
  CONFORMS("RFC8048-5.2.2-481", "the Call-ID of the SUBSCRIBE that follows a refresh answered with 481",
           f.request_to_alice("SUBSCRIBE", 3).call_id(), testing::AllOf(Ne(first), Ne("")));
  CONFORMS("RFC8048-5.2.2-481", "how many unsubscribed stanzas the partner's user got",
           f.presences_to_romeo("unsubscribed"), Eq(0u));
}

CUTOVER_CASE(refreshed){
    .id = "presence.refreshed-in-time",
    .title = "A subscription is refreshed before the shorter of its times is over, and made again after 481",
    .procedure = "A NOTIFY grants ten minutes; the SIP side answers the refresh with 481.",
    .accepted = "A SUBSCRIBE in the dialog within the ten minutes, then one with another Call-ID; no unsubscribed.",
    .likely_causes = "Only the Expires of the 2xx is read; a 481 ends the contact.",
    .judges = {{"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}},
               {"RFC8048-5.2.2-3", {"gateway.never-refreshes"}},
               {"RFC8048-5.2.2-1", {"gateway.never-refreshes"}},
               {"RFC8048-5.2.2-481", {"gateway.481-ends-watch", "gateway.any-failure-unsubscribes"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .live = false,
    .budget = 1h,
    .body = refreshing};

void cancelling(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribed got the approval and the presence",
                f.romeo_watches_alice(), Eq(true)))
    return;
  const auto first = f.request_to_alice("SUBSCRIBE");
  f.partner.send_presence("romeo", f.alice_jid, "unsubscribe");
  const auto last = f.request_to_alice("SUBSCRIBE", 2);
  CONFORMS("RFC8048-5.2.3-1", "the Expires of the SUBSCRIBE behind unsubscribe", header_in(last, "Expires"), Eq("0"));
  CONFORMS("RFC8048-5.2.3-1", "the Call-ID of the SUBSCRIBE behind unsubscribe", header_in(last, "Call-ID"),
           Eq(first.call_id()));
  CONFORMS("RFC8048-5.2.3-1", "the CSeq number of the SUBSCRIBE behind unsubscribe", last.cseq_number(),
           Gt(first.cseq_number()));
  CONFORMS("RFC8048-5.2.3-2", "the sender of the unsubscribed that the partner's user got",
           attribute_in(f.presence_to_romeo("unsubscribed"), "from"), Eq(f.alice_jid));
}

CUTOVER_CASE(cancelled){.id = "presence.partner-unsubscribes",
                        .title = "unsubscribe ends the dialog of the subscription and is confirmed",
                        .procedure = "A partner's user who watches a SIP user unsubscribes.",
                        .accepted = "SUBSCRIBE with Expires 0 in the dialog; unsubscribed.",
                        .likely_causes = "A gateway that forgets the dialog and lets it expire.",
                        .judges = {{"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}},
                                   {"RFC8048-5.2.3-1", {"gateway.unsubscribe-lost", "gateway.unsubscribe-new-dialog"}},
                                   {"RFC8048-5.2.3-2", {"gateway.unsubscribe-lost"}}},
                        .needs = {Need::sip_side, Need::new_deployment},
                        .budget = 1h,
                        .body = cancelling};

void probing(Run& run) {
  Federated f(run);
  f.partner.send_presence("romeo", f.alice_jid, "probe");
  CONFORMS("RFC8048-7.1-1", "the Expires of the SUBSCRIBE behind a probe",
           header_in(f.request_to_alice("SUBSCRIBE"), "Expires"), Eq("0"));
  CONFORMS("RFC8048-7.1-2", "the probe was answered with presence", !f.presence_to_romeo("").name().empty(), Eq(true));
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  CONFORMS("RFC8048-7.1-2", "how many unsubscribed stanzas the partner's user got",
           f.presences_to_romeo("unsubscribed"), Eq(0u));
}

CUTOVER_CASE(probed){
    .id = "presence.partner-probes",
    .title = "A probe fetches the state once and cancels nothing",
    .procedure = "A partner's user without subscription probes a SIP user, who answers with the state and timeout.",
    .accepted = "SUBSCRIBE with Expires 0; the presence; no unsubscribed.",
    .likely_causes = "The end of the fetch is taken for a refusal.",
    .judges = {{"RFC8048-7.1-1", {"gateway.probe-unanswered"}},
               {"RFC8048-7.1-2", {"gateway.probe-unanswered", "gateway.terminated-unsubscribes"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = probing};

/// From how many addresses the partner's user was told last that the SIP user is available.
std::size_t available(Federated& f) {
  std::map<std::string, bool> told;
  for (const auto& presence : f.romeo.presences) {
    const auto type = presence.attribute_or_empty("type");
    if (type.empty() || type == "unavailable") told[presence.attribute_or_empty("from")] = type.empty();
  }
  return static_cast<std::size_t>(std::ranges::count(told, true, [](const auto& entry) { return entry.second; }));
}

void state(Run& run) {
  Federated f(run);
  interworking::Presence away;
  away.resource = "desk";
  away.show = "away";
  away.status = "lunch";
  away.priority = 127;
  f.alice.set_presence(away);
  f.partner.send_presence("romeo", f.alice_jid, "subscribe");
  if (!CONFORMS("RFC8048-5.2.1-4", "the sender of the subscribed that the partner's user got",
                attribute_in(f.presence_to_romeo("subscribed"), "from"), Eq(f.alice_jid)))
    return;
  const auto seen = f.presence_to_romeo("");
  if (!CONFORMS("RFC8048-6.3-1a", "the presence of the SIP user came", !seen.name().empty(), Eq(true))) return;
  // No row of Table 2 says what becomes of the id of a tuple, and Example 21 has the bare address.
  CONFORMS("RFC8048-6.3-T2-from", "the sender of the presence that the partner's user got", attribute_in(seen, "from"),
           testing::AnyOf(Eq(f.alice_jid), testing::StartsWith(f.alice_jid + "/")));
  CONFORMS("RFC8048-6.3-T2-show", "the show of the presence", child_text(seen, "show"), Eq("away"));
  CONFORMS("RFC8048-6.3-T2-note", "the status of the presence", child_text(seen, "status"), Eq("lunch"));
  CONFORMS("RFC8048-6.3-T2-priority", "the priority of the presence", child_text(seen, "priority"),
           testing::AnyOf("127", ""));
  constexpr char behind[] = "a message behind the document reached the partner's user";
  away.resource = "phone";
  f.alice.set_presence(away);
  if (!GIVEN(f.marker_reaches_romeo(), behind)) return;
  CONFORMS("RFC8048-6.3-4",
           "from how many addresses the user is available once one tuple was put in the place of another", available(f),
           Eq(1U));
  away.available = false;
  f.alice.set_presence(away);
  if (!GIVEN(f.marker_reaches_romeo(), behind)) return;
  CONFORMS("RFC8048-6.3-1b", "from how many addresses the user is available once the tuple is closed", available(f),
           Eq(0U));
}

CUTOVER_CASE(state_to_xmpp){
    .id = "presence.state-to-partner",
    .title = "Tuples become presence, with show, status and priority, until they vanish or close",
    .procedure = "A watched SIP user is away with a note at one tuple, then at another one instead, then closed.",
    .accepted =
        "RFC 8048 Table 2; presence from the bare address, all tuples merged, or from an address for each tuple, which "
        "goes when its tuple does.",
    .likely_causes = "Tuples compared by nothing.",
    .judges = {{"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}},
               {"RFC8048-6.3-1a", {"gateway.drops-pidf"}},
               {"RFC8048-6.3-T2-from", {"gateway.presence-from-domain"}},
               {"RFC8048-6.3-T2-show", {"gateway.loses-show", "gateway.wrong-show"}},
               {"RFC8048-6.3-T2-note", {"gateway.loses-status"}},
               {"RFC8048-6.3-T2-priority", {"gateway.priority-turned-round"}},
               {"RFC8048-6.3-4", {"gateway.vanished-stays", "gateway.unavailable-lost", "gateway.unstable-resource"}},
               {"RFC8048-6.3-1b", {"gateway.closed-as-available"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = state};

}  // namespace
}  // namespace cutover::suites
