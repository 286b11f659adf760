// RFC 8048 section 5.3: a SIP user watches a partner's user; the dialog is a session, the consent outlives it.
#include "suites/support/federated.h"

#include <gmock/gmock.h>

#include <charconv>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AllOf;
using testing::AnyOf;
using testing::Eq;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::StartsWith;

int seconds_in(const std::string& text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void approval(Run& run) {
  Federated f(run);
  f.romeo.approves = false;
  f.alice.subscribe(f.romeo_uri, 1800);
  const auto pending = f.request_to_alice("NOTIFY").header_or_empty("Subscription-State");
  CONFORMS("RFC8048-5.3.1-4", pending, StartsWith("pending"));
  CONFORMS("RFC6665-4.2.2", pending, HasSubstr("expires="));
  CONFORMS("RFC6665-3.2.1", f.request_to_alice("NOTIFY").header_or_empty("Event"), Eq("presence"));
  const auto answers = f.final_answers("SUBSCRIBE");
  const auto* answer = answers.empty() ? nullptr : answers.front();
  CONFORMS("RFC8048-5.3.1-2", answer == nullptr ? 0 : answer->status, AnyOf(200, 202));
  CONFORMS("RFC8048-5.3.1-3", answer == nullptr ? -1 : seconds_in(answer->header_or_empty("Expires")),
           AllOf(Ge(1), Le(1800)));
  const auto asked = f.presence_to_romeo("subscribe");
  CONFORMS("RFC8048-5.3.1-1", asked.attribute_or_empty("from"), Eq(f.alice_jid));
  CONFORMS("RFC8048-5.3.1-1", asked.attribute_or_empty("to"), Eq(f.romeo_bare));
  f.partner.send(xmpp::make_presence(f.romeo_full, f.alice_jid));
  const bool before = f.marker_reaches_alice();
  CONFORMS("RFC8048-5.3.1-11", before ? f.alice.contact(f.romeo_uri).body : "no marker", Eq(""));
  f.partner.send_presence("romeo", f.alice_jid, "subscribed");
  const auto& contact = f.alice.contact(f.romeo_uri);
  CONFORMS("RFC8048-5.3.1-5", f.until([&] { return contact.state == "active"; }), Eq(true));
  f.alice.subscribe(f.romeo_uri, 1800);
  const bool second = f.until([&] { return contact.state == "active"; }) && f.marker_reaches_romeo();
  CONFORMS("RFC8048-5.3.1-12", second ? f.presences_to_romeo("subscribe") : 99, Eq(1u));
}

CUTOVER_CASE(approved){
    .id = "presence.user-subscribes",
    .title =
        "A SIP user's SUBSCRIBE is answered at once, stays pending without state until the partner's user approves",
    .procedure =
        "A SIP user subscribes; the partner's user shows presence first, then approves. The SIP user subscribes again.",
    .accepted =
        "200 or 202 with Expires not above what was asked, NOTIFY pending with expires; one subscribe; active after "
        "subscribed.",
    .likely_causes = "The answer waits for the partner; state leaks to a watcher who was not approved.",
    .judges = {{"RFC8048-5.3.1-4", {"gateway.forgets-first-notify", "gateway.notify-lost"}},
               {"RFC6665-4.2.2", {"gateway.notify-without-expires"}},
               {"RFC6665-3.2.1", {"gateway.notify-wrong-event"}},
               {"RFC8048-5.3.1-2", {"gateway.subscribe-unanswered"}},
               {"RFC8048-5.3.1-3", {"gateway.2xx-without-expires", "gateway.grants-more-than-asked"}},
               {"RFC8048-5.3.1-1", {"gateway.subscribe-lost"}},
               {"RFC8048-5.3.1-11", {"gateway.state-before-approval"}},
               {"RFC8048-5.3.1-5", {"gateway.approval-lost"}},
               {"RFC8048-5.3.1-12", {"gateway.repeats-subscribe"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = approval};

void revoking(Run& run) {
  Federated f(run);
  CONFORMS("RFC8048-5.3.1-9", f.alice_watches_romeo(), Eq(true));
  f.partner.send_presence("romeo", f.alice_jid, "unsubscribed");
  const auto& contact = f.alice.contact(f.romeo_uri);
  CONFORMS("RFC8048-5.3.1-8", f.until([&] { return contact.state == "terminated"; }), Eq(true));
  CONFORMS("RFC8048-5.3.1-7", contact.reason, Eq("rejected"));
}

CUTOVER_CASE(revoked){
    .id = "presence.partner-revokes",
    .title = "A revoked approval ends the watcher's dialog as rejected",
    .procedure = "A partner's user approves a SIP user, then sends unsubscribed.",
    .accepted = "NOTIFY terminated;reason=rejected.",
    .likely_causes = "The gateway keeps the dialog, or ends it as if by time.",
    .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}},
               {"RFC8048-5.3.1-8", {"gateway.revocation-lost"}},
               {"RFC8048-5.3.1-7", {"gateway.rejected-as-timeout", "gateway.terminated-without-reason"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = revoking};

void refreshing(Run& run) {
  Federated f(run);
  CONFORMS("RFC8048-5.3.1-9", f.alice_watches_romeo(), Eq(true));
  const auto before = f.requests_to_alice("NOTIFY");
  f.alice.refresh(f.romeo_uri);
  const auto notify = f.request_to_alice("NOTIFY", before + 1);
  CONFORMS("RFC8048-5.3.2-1", notify.header_or_empty("Subscription-State"), StartsWith("active"));
  CONFORMS("RFC8048-5.3.2-2", notify.body, HasSubstr("open"));
  const bool marker = f.marker_reaches_romeo();
  CONFORMS("RFC8048-5.3.2-4", marker ? f.presences_to_romeo("subscribe") : 99, Eq(1u));
}

CUTOVER_CASE(refreshed){.id = "presence.user-refreshes",
                        .title = "A refresh is answered with the last known state and asks the partner's user nothing",
                        .procedure = "A SIP user who watches a partner's user refreshes the subscription.",
                        .accepted = "NOTIFY active with the document; no second subscribe.",
                        .likely_causes = "Every SUBSCRIBE is taken for a new one.",
                        .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}},
                                   {"RFC8048-5.3.2-1", {"gateway.forgets-refresh-notify"}},
                                   {"RFC8048-5.3.2-2", {"gateway.forgets-refresh-notify"}},
                                   {"RFC8048-5.3.2-4", {"gateway.refresh-subscribes-again"}}},
                        .needs = {Need::sip_side, Need::new_deployment},
                        .budget = 1h,
                        .body = refreshing};

void logging_off(Run& run) {
  Federated f(run);
  CONFORMS("RFC8048-5.3.1-9", f.alice_watches_romeo(), Eq(true));
  f.alice.unsubscribe(f.romeo_uri);
  const auto& contact = f.alice.contact(f.romeo_uri);
  CONFORMS("RFC8048-5.3.3-1", f.until([&] { return contact.state == "terminated"; }), Eq(true));
  CONFORMS("RFC8048-5.3.3-1", contact.reason, Eq("timeout"));
  CONFORMS("RFC8048-5.3.3-2", f.presence_to_romeo("unavailable").attribute_or_empty("from"), Eq(f.alice_jid));
  const bool marker = f.marker_reaches_romeo();
  CONFORMS("RFC8048-5.3.3-3", marker ? f.presences_to_romeo("unsubscribe") : 99, Eq(0u));
}

CUTOVER_CASE(logged_off){.id = "presence.user-logs-off",
                         .title = "A watcher who logs off is shown unavailable and keeps the approval",
                         .procedure = "A SIP user who watches a partner's user sends SUBSCRIBE with Expires 0.",
                         .accepted = "NOTIFY terminated;reason=timeout; unavailable at the partner; no unsubscribe.",
                         .likely_causes = "The end of the session is taken for the end of the consent.",
                         .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}},
                                    {"RFC8048-5.3.3-1", {"gateway.terminated-without-reason"}},
                                    {"RFC8048-5.3.3-2", {"gateway.logoff-silent"}},
                                    {"RFC8048-5.3.3-3", {"gateway.logoff-unsubscribes"}}},
                         .needs = {Need::sip_side, Need::new_deployment},
                         .budget = 1h,
                         .body = logging_off};

void expiring(Run& run) {
  Federated f(run);
  f.alice.subscribe(f.romeo_uri, 120);
  const auto& contact = f.alice.contact(f.romeo_uri);
  const bool ended = f.deployment.world().run_until([&] { return contact.state == "terminated"; }, 300s);
  CONFORMS("RFC8048-5.3.2-5", ended ? contact.reason : "never", Eq("timeout"));
}

CUTOVER_CASE(expired){.id = "presence.user-lets-it-expire",
                      .title = "A subscription that is not refreshed ends with a NOTIFY",
                      .procedure = "A SIP user subscribes for two minutes and does not refresh.",
                      .accepted = "NOTIFY terminated;reason=timeout.",
                      .likely_causes = "The state is dropped in silence.",
                      .judges = {{"RFC8048-5.3.2-5", {"gateway.expiry-silent"}}},
                      .needs = {Need::sip_side, Need::new_deployment},
                      .live = false,
                      .budget = 1h,
                      .body = expiring};

void polling(Run& run) {
  Federated f(run);
  f.romeo.subscribers.push_back(f.alice_jid);
  f.alice.subscribe(f.romeo_uri, 0);
  CONFORMS("RFC8048-7.2-1", f.presence_to_romeo("probe").attribute_or_empty("from"), Eq(f.alice_jid));
  const auto& contact = f.alice.contact(f.romeo_uri);
  CONFORMS("RFC8048-7.2-2", f.until([&] { return contact.state == "terminated"; }) ? contact.reason : "never",
           Eq("timeout"));
  CONFORMS("RFC8048-7.2-2", contact.body, HasSubstr("open"));
}

CUTOVER_CASE(polled){
    .id = "presence.user-polls",
    .title = "A fetch becomes a probe and is answered with one NOTIFY",
    .procedure = "A SIP user whom the partner's user has approved sends SUBSCRIBE with Expires 0 outside a dialog.",
    .accepted = "A probe; NOTIFY terminated;reason=timeout with the state.",
    .likely_causes = "A gateway that knows subscriptions only.",
    .judges = {{"RFC8048-7.2-1", {"gateway.poll-without-probe"}},
               {"RFC8048-7.2-2", {"gateway.terminated-without-reason", "gateway.poll-without-probe"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = polling};

sip::Message subscribe_with(const Federated& f, const std::string& event, const std::string& accept) {
  sip::Message request;
  request.method = "SUBSCRIBE";
  request.request_uri = f.romeo_uri;
  request.add_header("Contact", "<sip:alice@contoso.example>");
  request.add_header("Event", event);
  request.add_header("Accept", accept);
  request.add_header("Expires", "3600");
  request.body = event + " as " + accept;
  request.add_header("Content-Type", "text/plain");
  return request;
}

void refused_requests(Run& run) {
  Federated f(run);
  f.alice.send_raw(subscribe_with(f, "dialog", interworking::pidf_media));
  CONFORMS("RFC3261-489", f.outcome_of("dialog as application/pidf+xml").status, Eq(489));
  f.alice.send_raw(subscribe_with(f, "presence", "image/gif"));
  CONFORMS("RFC3856-6.5", f.outcome_of("presence as image/gif").status, Eq(406));
  sip::Message stray;
  stray.method = "NOTIFY";
  stray.request_uri = f.romeo_uri;
  stray.add_header("To", "<" + f.romeo_uri + ">;tag=nobody");
  stray.add_header("Contact", "<sip:alice@contoso.example>");
  stray.add_header("Event", "presence");
  stray.add_header("Subscription-State", "active;expires=600");
  f.alice.send_raw(std::move(stray));
  CONFORMS("RFC8048-5.2.1-11", f.outcome_of("").status, Eq(481));
}

CUTOVER_CASE(refused){
    .id = "presence.refused-requests",
    .title = "Other event packages, other formats and stray notifications are refused by name",
    .procedure =
        "A SIP user subscribes to another event package, then with another Accept, then notifies without a dialog.",
    .accepted = "489; 406; 481.",
    .likely_causes = "A gateway that looks at the method only.",
    .judges = {{"RFC3261-489", {"gateway.ignores-event"}},
               {"RFC3856-6.5", {"gateway.ignores-accept"}},
               {"RFC8048-5.2.1-11", {"gateway.accepts-unknown-notify"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = refused_requests};

void state(Run& run) {
  Federated f(run);
  interworking::Presence away;
  away.show = "dnd";
  away.status = "in Mantua";
  away.priority = 5;
  f.partner.set_presence("romeo", away);
  CONFORMS("RFC8048-5.3.1-9", f.alice_watches_romeo(), Eq(true));
  const auto& contact = f.alice.contact(f.romeo_uri);
  const auto seen = contact.presence.empty() ? interworking::Presence{} : contact.presence.front();
  CONFORMS("RFC8048-6.2-T1-resource", seen.resource, Eq("home"));
  CONFORMS("RFC8048-6.2-T1-show", seen.show, Eq("dnd"));
  CONFORMS("RFC8048-6.2-T1-status", seen.status, Eq("in Mantua"));
  CONFORMS("RFC8048-6.2-T1-priority", seen.priority.value_or(-1), Eq(5));
  CONFORMS("RFC3863-4.1.1", contact.body, HasSubstr("pres:romeo@fabrikam.example"));
}

CUTOVER_CASE(state_to_sip){.id = "presence.state-to-user",
                           .title = "A presence stanza becomes a tuple of its resource, with show, status and priority",
                           .procedure = "A watched partner's user is dnd with a status and a priority.",
                           .accepted = "A PIDF document of that presentity as RFC 8048 Table 1.",
                           .likely_causes = "Only open and closed are mapped.",
                           .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}},
                                      {"RFC8048-6.2-T1-resource", {"gateway.wrong-tuple-id"}},
                                      {"RFC8048-6.2-T1-show", {"gateway.loses-show", "gateway.wrong-show"}},
                                      {"RFC8048-6.2-T1-status", {"gateway.loses-status"}},
                                      {"RFC8048-6.2-T1-priority", {"gateway.loses-priority"}},
                                      {"RFC3863-4.1.1", {"gateway.wrong-entity"}}},
                           .needs = {Need::sip_side, Need::new_deployment},
                           .budget = 1h,
                           .body = state};

void several_resources(Run& run) {
  Federated f(run);
  CONFORMS("RFC8048-5.3.1-9", f.alice_watches_romeo(), Eq(true));
  const auto& contact = f.alice.contact(f.romeo_uri);
  f.partner.send(xmpp::make_presence(f.romeo_bare + "/phone", f.alice_jid));
  CONFORMS("RFC8048-6.2-8", f.until([&] { return contact.presence.size() == 2; }), Eq(true));
  f.partner.send(xmpp::make_presence(f.romeo_bare + "/phone", f.alice_jid, "unavailable"));
  f.partner.send(xmpp::make_presence(f.romeo_full, f.alice_jid, "unavailable"));
  const auto closed = [&] {
    return std::ranges::none_of(contact.presence, [](const auto& tuple) { return tuple.available; });
  };
  CONFORMS("RFC8048-6.2-9", f.until(closed), Eq(true));
  CONFORMS("RFC8048-6.2-4b", contact.state, Eq("active"));
}

CUTOVER_CASE(resources){
    .id = "presence.several-resources",
    .title = "A document holds every resource of the partner's user, and is closed when the last one goes",
    .procedure = "A watched partner's user comes with a second resource; both go.",
    .accepted = "Two tuples; then none that is open, in a dialog that is still active.",
    .likely_causes = "Only the last stanza is kept; unavailable ends the dialog.",
    .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}},
               {"RFC8048-6.2-8", {"gateway.last-resource-wins"}},
               {"RFC8048-6.2-9", {"gateway.closed-as-available", "gateway.unavailable-lost"}},
               {"RFC8048-6.2-4b", {"gateway.unavailable-terminates"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .live = false,
    .budget = 1h,
    .body = several_resources};

}  // namespace
}  // namespace cutover::suites
