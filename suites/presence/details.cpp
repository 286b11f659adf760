// RFC 8048 sections 5 and 6, RFC 6665, RFC 3856: what a presence gateway does when the other side hesitates, errs or
// hurries.
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Le;

interworking::Presence shown_as(const std::string& show, const std::string& status, const std::string& language = {}) {
  interworking::Presence presence;
  presence.show = show;
  presence.status = status;
  presence.language = language;
  return presence;
}

std::string show_in(const mocks::SipContact& contact) {
  return contact.presence.empty() ? "nothing" : contact.presence.front().show;
}

void too_brief(Run& run) {
  Federated f(run);
  f.alice.answer_subscriptions_with(423);
  f.partner.send_presence("romeo", f.alice_jid, "subscribe");
  (void)f.request_to_alice("SUBSCRIBE");
  f.alice.answer_subscriptions_with(200);
  CONFORMS("RFC8048-5.2.2-423", "the sender of the subscribed that the partner's user got",
           attribute_in(f.presence_to_romeo("subscribed"), "from"), Eq(f.alice_jid));
}

CUTOVER_CASE(brief){
    .id = "presence.interval-too-brief",
    .title = "A subscription that the SIP side finds too short is asked for again, unseen by the partner's user",
    .procedure = "The SIP user answers the first SUBSCRIBE with 423 and every later one with 200.",
    .accepted = "A further SUBSCRIBE, and subscribed for the partner's user.",
    .likely_causes = "423 is taken for a refusal.",
    .judges = {{"RFC8048-5.2.2-423", {"gateway.ignores-423"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 2h,
    .body = too_brief};

void bad_documents(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribed got the approval and the presence",
                f.romeo_watches_alice(), Eq(true)))
    return;
  const auto with = [](const std::string& document) {
    return [document](sip::Message& notify) {
      notify.add_header("Content-Type", interworking::pidf_media);
      notify.body = document;
    };
  };
  CONFORMS("RFC8048-6.3-8", "the answer to a NOTIFY with a document", f.answer_to_notify(with(open_document())),
           Eq(status_text(200)));
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  const auto shown = f.romeo.presences.size();
  CONFORMS("RFC8048-6.3-9", "the answer to a NOTIFY with half a document",
           f.answer_to_notify(with("<presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple")),
           AnyOf(status_text(400), status_text(415), status_text(488)));
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  CONFORMS("RFC8048-6.3-9", "how many presence stanzas half a document became", f.romeo.presences.size() - shown,
           Eq(0u));
}

CUTOVER_CASE(bad_document){
    .id = "presence.document-that-is-none",
    .title = "A NOTIFY with a document is answered; one whose document is no XML is refused and shows nothing",
    .procedure = "A partner's user watches the SIP user, who then notifies half a PIDF document.",
    .accepted = "200 to the good one; 400, 415 or 488 to the other, and no presence for the partner's user.",
    .likely_causes = "The NOTIFY is answered before it is read, or after the partner has been told.",
    .judges = {{"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}},
               {"RFC8048-6.3-8", {"gateway.notify-unanswered"}},
               {"RFC8048-6.3-9", {"gateway.swallows-bad-pidf"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = bad_documents};

void one_way(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribed got the approval and the presence",
                f.romeo_watches_alice(), Eq(true)))
    return;
  if (!CONFORMS("RFC8048-5.3.1-9", "the SIP user who subscribed got the presence", f.alice_watches_romeo(), Eq(true)))
    return;
  f.partner.send_presence("romeo", f.alice_jid, "unsubscribe");
  (void)f.request_to_alice("SUBSCRIBE", 2);
  f.partner.set_presence("romeo", shown_as("dnd", "still here", "de"));
  const auto& contact = f.alice.contact(f.romeo_uri);
  (void)f.until([&] { return show_in(contact) == "dnd"; });
  CONFORMS("RFC8048-5.2.3-4", "the state that the SIP user still sees", show_in(contact), Eq("dnd"));
  const auto notify = std::find_if(f.alice.requests().rbegin(), f.alice.requests().rend(),
                                   [](const sip::Message& request) { return request.method == "NOTIFY"; });
  CONFORMS("RFC8048-6.2-T1-xml-lang", "the language of the last NOTIFY",
           notify == f.alice.requests().rend() ? "no NOTIFY" : notify->header_or_empty("Content-Language"), Eq("de"));
}

CUTOVER_CASE(one_direction){
    .id = "presence.one-direction-ends",
    .title = "A partner's user who watches no more is still watched; the language of a status is told",
    .procedure =
        "Both users watch each other; the partner's user unsubscribes and then shows another state, in German.",
    .accepted = "A NOTIFY with that state and Content-Language: de.",
    .likely_causes = "One consent for both directions.",
    .judges = {{"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}},
               {"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}},
               {"RFC8048-5.2.3-4", {"gateway.unsubscribe-ends-both"}},
               {"RFC8048-6.2-T1-xml-lang", {"gateway.loses-presence-language"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .takes = 5s,
    .body = one_way};

void hurried(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.3.1-9", "the SIP user who subscribed got the presence", f.alice_watches_romeo(), Eq(true)))
    return;
  auto& world = f.deployment.world();
  world.run_for(10s);
  const auto before = f.requests_to_alice("NOTIFY");
  for (const auto* show : {"away", "dnd", "xa", "chat"}) f.partner.set_presence("romeo", shown_as(show, show));
  world.run_for(4s);
  CONFORMS("RFC3856-6.10", "how many NOTIFYs four changes became within four seconds",
           f.requests_to_alice("NOTIFY") - before, Le(1u));
  world.run_for(10s);
  const auto& contact = f.alice.contact(f.romeo_uri);
  CONFORMS("RFC3856-6.10", "the state that the SIP user sees in the end", show_in(contact), Eq("chat"));
  f.alice.answer_notifies_with(481);
  f.partner.set_presence("romeo", shown_as("away", "one"));
  world.run_for(10s);
  const auto refused = f.requests_to_alice("NOTIFY");
  f.partner.set_presence("romeo", shown_as("dnd", "two"));
  world.run_for(60s);
  CONFORMS("RFC6665-notify-fail", "how many NOTIFYs followed one that was answered with 481",
           f.requests_to_alice("NOTIFY") - refused, Eq(0u));
}

CUTOVER_CASE(hurry){
    .id = "presence.changes-in-a-hurry",
    .title = "Changes within five seconds are one NOTIFY with the last of them; a watcher that is gone gets none",
    .procedure =
        "A partner's user changes the state four times at once. Later the SIP user answers a NOTIFY with 481, and the "
        "state changes again.",
    .accepted = "At most one NOTIFY in the first four seconds, and in the end the last state; after the 481 none.",
    .likely_causes = "Every stanza is a NOTIFY; failures of NOTIFY are not looked at.",
    .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}},
               {"RFC3856-6.10", {"gateway.notifies-too-often"}},
               {"RFC6665-notify-fail", {"gateway.ignores-notify-failure"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .live = false,
    .budget = 2h,
    .body = hurried};

void nothing_known(Run& run) {
  Federated f(run);
  f.romeo.online = false;
  f.alice.subscribe(f.romeo_uri);
  CONFORMS("RFC8048-5.3.1-9", "the subscription reached the partner's user",
           f.until([&] { return f.presences_to_romeo("subscribe") > 0; }), Eq(true));
  const auto& contact = f.alice.contact(f.romeo_uri);
  (void)f.until([&] { return contact.state == "active"; });
  const auto before = f.requests_to_alice("NOTIFY");
  f.alice.refresh(f.romeo_uri);
  const auto notify = f.request_to_alice("NOTIFY", before + 1);
  CONFORMS("RFC8048-5.3.2-3", "the document in the NOTIFY that answers a refresh",
           notify.method.empty() ? "no NOTIFY" : notify.body, Eq(""));
}

CUTOVER_CASE(nothing){
    .id = "presence.nothing-known",
    .title = "A refresh is answered without a document while nothing is known of the partner's user",
    .procedure =
        "A SIP user watches a partner's user who approves, and from whom no presence has come; then refreshes.",
    .accepted = "A NOTIFY without a body.",
    .likely_causes = "The unknown is told as closed.",
    .judges = {{"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}}, {"RFC8048-5.3.2-3", {"gateway.invents-closed"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = nothing_known};

}  // namespace
}  // namespace cutover::suites
