// RFC 8048 section 5.3: a SIP user watches a partner's user; the dialog is a session, the consent outlives it.
#include "protocol/sip/text.h"
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;

int seconds_in(const std::string& text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void approval(Run& run) {
  Federated f(run);
  f.romeo.approves = false;
  f.alice.subscribe(f.romeo_uri, 1800);
  const auto notify = f.request_to_alice("NOTIFY");
  if (!CONFORMS("RFC8048-5.3.1-4", "the state in the first NOTIFY", token_in(notify, "Subscription-State"),
                Eq("pending")) &&
      notify.method.empty())
    return;
  CONFORMS("RFC6665-4.2.2", "the Subscription-State of the first NOTIFY",
           sip::lower(notify.header_or_empty("Subscription-State")), testing::ContainsRegex("expires *= *[0-9]"));
  CONFORMS("RFC6665-3.2.1", "the Event of the first NOTIFY", header_in(notify, "Event"), Eq("presence"));
  const auto answers = f.final_answers("SUBSCRIBE");
  const auto answer = answers.empty() ? sip::Message{} : *answers.front();
  CONFORMS("RFC8048-5.3.1-2", "the answer to SUBSCRIBE", answers.empty() ? "no answer" : status_text(answer.status),
           AnyOf(status_text(200), status_text(202)));
  const auto granted = answer.header("Expires").value_or("none");
  CONFORMS_THAT("RFC8048-5.3.1-3", "the Expires of the answer to SUBSCRIBE",
                seconds_in(granted) >= 1 && seconds_in(granted) <= 1800, "at least 1 and at most 1800", granted);
  const auto asked = f.presence_to_romeo("subscribe");
  if (!CONFORMS("RFC8048-5.3.1-1", "the sender of the subscribe that the partner's user got",
                attribute_in(asked, "from"), Eq(f.alice_jid)))
    return;
  CONFORMS("RFC8048-5.3.1-1", "the receiver of the subscribe that the partner's user got", attribute_in(asked, "to"),
           Eq(f.romeo_bare));
  f.partner.send(xmpp::make_presence(f.romeo_full, f.alice_jid));
  const auto& contact = f.alice.contact(f.romeo_uri);
  if (GIVEN(f.marker_reaches_alice(), "a message that was sent behind the presence reached the SIP user"))
    CONFORMS("RFC8048-5.3.1-11", "the document that the SIP user got before the approval", contact.body, Eq(""));
  f.partner.send_presence("romeo", f.alice_jid, "subscribed");
  const auto active = [&] { return contact.state == "active"; };
  (void)f.until(active);
  if (!CONFORMS("RFC8048-5.3.1-5", "the state of the subscription after the approval", contact.state, Eq("active")))
    return;
  f.alice.subscribe(f.romeo_uri, 1800);
  if (!GIVEN(f.until(active), "the second subscription became active") ||
      !GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user"))
    return;
  CONFORMS("RFC8048-5.3.1-12", "how many subscribe stanzas the partner's user got for two SUBSCRIBEs",
           f.presences_to_romeo("subscribe"), Eq(1u));
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
  if (!CONFORMS("RFC8048-5.3.1-9", "the SIP user who subscribed got the presence", f.alice_watches_romeo(), Eq(true)))
    return;
  f.partner.send_presence("romeo", f.alice_jid, "unsubscribed");
  const auto& contact = f.alice.contact(f.romeo_uri);
  (void)f.until([&] { return contact.state == "terminated"; });
  CONFORMS("RFC8048-5.3.1-8", "the state of the subscription after unsubscribed", contact.state, Eq("terminated"));
  CONFORMS("RFC8048-5.3.1-7", "the reason of the end after unsubscribed", contact.reason, Eq("rejected"));
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
  if (!CONFORMS("RFC8048-5.3.1-9", "the SIP user who subscribed got the presence", f.alice_watches_romeo(), Eq(true)))
    return;
  const auto before = f.requests_to_alice("NOTIFY");
  f.alice.refresh(f.romeo_uri);
  const auto notify = f.request_to_alice("NOTIFY", before + 1);
  CONFORMS("RFC8048-5.3.2-1", "the state in the NOTIFY that answers a refresh", token_in(notify, "Subscription-State"),
           Eq("active"));
  CONFORMS("RFC8048-5.3.2-2", "the document in the NOTIFY that answers a refresh", notify.body, HasSubstr("open"));
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  CONFORMS("RFC8048-5.3.2-4", "how many subscribe stanzas the partner's user got", f.presences_to_romeo("subscribe"),
           Eq(1u));
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
  if (!CONFORMS("RFC8048-5.3.1-9", "the SIP user who subscribed got the presence", f.alice_watches_romeo(), Eq(true)))
    return;
  f.alice.unsubscribe(f.romeo_uri);
  const auto& contact = f.alice.contact(f.romeo_uri);
  (void)f.until([&] { return contact.state == "terminated"; });
  CONFORMS("RFC8048-5.3.3-1", "the state of the subscription after Expires 0", contact.state, Eq("terminated"));
  CONFORMS("RFC8048-5.3.3-1", "the reason of the end after Expires 0", contact.reason, Eq("timeout"));
  CONFORMS("RFC8048-5.3.3-2", "the sender of the unavailable that the partner's user got",
           attribute_in(f.presence_to_romeo("unavailable"), "from"), Eq(f.alice_jid));
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  CONFORMS("RFC8048-5.3.3-3", "how many unsubscribe stanzas the partner's user got",
           f.presences_to_romeo("unsubscribe"), Eq(0u));
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
  CONFORMS("RFC8048-5.3.2-5", "the reason with which the subscription ended by itself",
           ended ? contact.reason : "it did not end", Eq("timeout"));
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
  CONFORMS("RFC8048-7.2-1", "the sender of the probe that the partner's user got",
           attribute_in(f.presence_to_romeo("probe"), "from"), Eq(f.alice_jid));
  const auto& contact = f.alice.contact(f.romeo_uri);
  const bool ended = f.until([&] { return contact.state == "terminated"; });
  CONFORMS("RFC8048-7.2-2", "the reason in the NOTIFY that answers a fetch", ended ? contact.reason : "no such NOTIFY",
           Eq("timeout"));
  CONFORMS("RFC8048-7.2-2", "the document in the NOTIFY that answers a fetch", contact.body, HasSubstr("open"));
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
  CONFORMS("RFC3261-489", "the answer to a SUBSCRIBE to dialog events", f.answer_to("dialog as application/pidf+xml"),
           Eq(status_text(489)));
  f.alice.send_raw(subscribe_with(f, "presence", "image/gif"));
  CONFORMS("RFC3856-6.5", "the answer to a SUBSCRIBE that accepts pictures only", f.answer_to("presence as image/gif"),
           Eq(status_text(406)));
  auto brief = subscribe_with(f, "presence", interworking::pidf_media);
  brief.set_header("Expires", "5");
  f.alice.send_raw(std::move(brief));
  const auto answered = f.answer_to("presence as application/pidf+xml");
  const auto answers = f.final_answers("SUBSCRIBE");
  if (GIVEN(!answers.empty(), "a SUBSCRIBE for five seconds is answered")) {
    const auto& last = *answers.back();
    const auto granted = seconds_in(last.header_or_empty("Expires"));
    CONFORMS_THAT("RFC3261-423", "the answer to a SUBSCRIBE for five seconds",
                  last.status == 423 ? last.header("Min-Expires").has_value() : granted >= 1 && granted <= 5,
                  "423 with Min-Expires, or an Expires of at most 5",
                  fmt::format("{}, Expires: {}, Min-Expires: {}", answered, last.header("Expires").value_or("none"),
                              last.header("Min-Expires").value_or("none")));
  }
  sip::Message stray;
  stray.method = "NOTIFY";
  stray.request_uri = f.romeo_uri;
  stray.add_header("To", "<" + f.romeo_uri + ">;tag=nobody");
  stray.add_header("Contact", "<sip:alice@contoso.example>");
  stray.add_header("Event", "presence");
  stray.add_header("Subscription-State", "active;expires=600");
  f.alice.send_raw(std::move(stray));
  CONFORMS("RFC8048-5.2.1-11", "the answer to a NOTIFY without a dialog", f.answer_to(""), Eq(status_text(481)));
}

CUTOVER_CASE(refused){
    .id = "presence.refused-requests",
    .title = "Other event packages, other formats and stray notifications are refused by name",
    .procedure =
        "A SIP user subscribes to another event package, then with another Accept, then for five seconds, then "
        "notifies without a dialog.",
    .accepted = "489; 406; 423 with Min-Expires, or five seconds at most; 481.",
    .likely_causes = "A gateway that looks at the method only.",
    .judges = {{"RFC3261-489", {"gateway.ignores-event"}},
               {"RFC3856-6.5", {"gateway.ignores-accept"}},
               {"RFC3261-423", {"gateway.423-without-min-expires"}},
               {"RFC8048-5.2.1-11", {"gateway.accepts-unknown-notify"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = refused_requests};

void state(Run& run) {
  Federated f(run);
  interworking::Presence away;
  away.show = "dnd";
  away.status = "in Mantua";
  away.priority = 127;
  f.partner.set_presence("romeo", away);
  if (!CONFORMS("RFC8048-5.3.1-9", "the SIP user who subscribed got the presence", f.alice_watches_romeo(), Eq(true)))
    return;
  const auto& contact = f.alice.contact(f.romeo_uri);
  const auto seen = contact.presence.empty() ? interworking::Presence{} : contact.presence.front();
  CONFORMS("RFC8048-6.2-T1-resource", "the resource that the id of the tuple names", seen.resource, Eq("home"));
  CONFORMS("RFC8048-6.2-T1-show", "the state in the tuple", seen.show, Eq("dnd"));
  CONFORMS("RFC8048-6.2-T1-status", "the note in the tuple", seen.status, Eq("in Mantua"));
  CONFORMS("RFC8048-6.2-T1-priority", "the priority in the tuple",
           seen.priority ? std::to_string(*seen.priority) : "none", AnyOf("127", "none"));
  CONFORMS("RFC3863-4.1.1", "the document with its entity", contact.body, HasSubstr("pres:romeo@fabrikam.example"));
}

CUTOVER_CASE(state_to_sip){
    .id = "presence.state-to-user",
    .title = "A presence stanza becomes a tuple of its resource, with show, status and priority",
    .procedure = "A watched partner's user is dnd with a status and a priority.",
    .accepted = "A PIDF document of that presentity as RFC 8048 Table 1; the highest priority as 1, or none.",
    .likely_causes = "Only open and closed are mapped.",
    .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}},
               {"RFC8048-6.2-T1-resource", {"gateway.wrong-tuple-id"}},
               {"RFC8048-6.2-T1-show", {"gateway.loses-show", "gateway.wrong-show"}},
               {"RFC8048-6.2-T1-status", {"gateway.loses-status"}},
               {"RFC8048-6.2-T1-priority", {"gateway.priority-turned-round"}},
               {"RFC3863-4.1.1", {"gateway.wrong-entity"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = state};

/// The resources that are open, as a client may read what came: by the last document, which is the whole state, or by
/// the last word about each, where each resource has documents of its own (RFC 8048 section 6.2).
struct Open {
  std::set<std::string> last, each;
};
Open open_resources(const mocks::SipContact& contact) {
  Open open;
  std::map<std::string, bool> told;
  for (const auto& document : contact.history) {
    for (const auto& device : document) told[device.resource] = device.available;
  }
  for (const auto& [resource, available] : told) {
    if (available) open.each.insert(resource);
  }
  for (const auto& device : contact.presence) {
    if (device.available) open.last.insert(device.resource);
  }
  return open;
}

void several_resources(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.3.1-9", "the SIP user who subscribed got the presence", f.alice_watches_romeo(), Eq(true)))
    return;
  const auto& contact = f.alice.contact(f.romeo_uri);
  f.partner.send(xmpp::make_presence(f.romeo_bare + "/phone", f.alice_jid));
  (void)f.until([&] { return open_resources(contact).each.size() == 2; });
  CONFORMS("RFC8048-6.2-8", "how many resources the user was told are open", open_resources(contact).each.size(),
           Eq(2u));
  f.partner.send(xmpp::make_presence(f.romeo_bare + "/phone", f.alice_jid, "unavailable"));
  f.partner.send(xmpp::make_presence(f.romeo_full, f.alice_jid, "unavailable"));
  const auto open = [&] {
    const auto both = open_resources(contact);
    return std::min(both.last.size(), both.each.size());
  };
  (void)f.until([&] { return open() == 0; });
  if (!GIVEN(f.marker_reaches_alice(), "a message behind the presence reached the SIP user")) return;
  CONFORMS("RFC8048-6.2-9", "how many resources are open once both have gone", open(), Eq(0u));
  CONFORMS("RFC8048-6.2-4b", "the state of the subscription once both resources have gone", contact.state,
           Eq("active"));
}

CUTOVER_CASE(resources){.id = "presence.several-resources",
                        .title = "Every resource of the partner's user is told, and closed when it goes",
                        .procedure = "A watched partner's user comes with a second resource; both go.",
                        .accepted =
                            "A tuple for each, in one document or in a notification of its own; then none that is "
                            "open, in a dialog that is "
                            "still active.",
                        .likely_causes = "Only the first resource is told; unavailable ends the dialog.",
                        .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}},
                                   {"RFC8048-6.2-8", {"gateway.first-resource-only"}},
                                   {"RFC8048-6.2-9", {"gateway.closed-as-available", "gateway.unavailable-lost"}},
                                   {"RFC8048-6.2-4b", {"gateway.unavailable-terminates"}}},
                        .needs = {Need::sip_side, Need::new_deployment},
                        .live = false,
                        .budget = 1h,
                        .body = several_resources};

}  // namespace
}  // namespace cutover::suites
