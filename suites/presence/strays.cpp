// RFC 8048, RFC 6121: presence that nobody asked for, that is none, or that says what was said already, and what ends
// for good.
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;
using testing::Ne;

constexpr char marked[] = "a later message reached the SIP user";

void no_presence(Run& run) {
  Federated f(run);
  f.partner.send(xmpp::make_presence(f.romeo_full, f.alice_jid, "shouted", "odd"));
  auto join = xmpp::make_presence(f.romeo_full, f.alice_jid + "/nick", {}, "join");
  join.add(xml::Element("x", "http://jabber.org/protocol/muc"));
  f.partner.send(std::move(join));
  const auto condition = [&](const std::string& id) {
    const auto error = f.error_for(id);
    return error ? error->condition : std::string("no error");
  };
  CONFORMS("RFC6121-4.7.1-1", "the error for presence of a type that there is not", condition("odd"), Ne("no error"));
  CONFORMS("RFC7702-1", "the error for the join of a room", condition("join"), Ne("no error"));
  for (const auto& [name, ns] : {std::pair{"ping", "urn:xmpp:ping"},
                                 {"query", "jabber:iq:version"},
                                 {"query", "http://jabber.org/protocol/disco#items"}}) {
    const std::string id = fmt::format("about {}", ns);
    f.partner.send(xmpp::make_iq(f.romeo_full, f.alice_jid, "get", id, xml::Element(name, ns)));
    CONFORMS("RFC6120-8.2.3-iq", fmt::format("the error for an iq in {} to a SIP user", ns), condition(id),
             testing::AnyOf("service-unavailable", "feature-not-implemented"));
  }
}

CUTOVER_CASE(none){.id = "presence.that-is-none",
                   .title = "Presence of no defined type, joins of rooms and questions to a SIP user are refused",
                   .procedure =
                       "A partner's user sends presence of type shouted, joins a room of the SIP user's name, and asks "
                       "the SIP user for a ping, a version and items.",
                   .accepted = "An error for each; service-unavailable or feature-not-implemented for an iq.",
                   .likely_causes = "What is not known is dropped; the gateway answers in the name of its users.",
                   .judges = {{"RFC6121-4.7.1-1", {"gateway.ignores-unknown-presence"}},
                              {"RFC7702-1", {"gateway.takes-room-joins"}},
                              {"RFC6120-8.2.3-iq", {"gateway.answers-for-users"}}},
                   .needs = {Need::sip_side, Need::new_deployment},
                   .budget = 1h,
                   .body = no_presence};

void once_more(Run& run) {
  Federated f(run);
  if (!GIVEN(f.romeo_watches_alice(), "the partner's user who subscribes is told the presence")) return;
  const auto before = f.requests_to_alice("SUBSCRIBE");
  f.partner.send_presence("romeo", f.alice_jid, "subscribe");
  if (!GIVEN(f.marker_reaches_alice(), marked)) return;
  CONFORMS("RFC8048-5.2.1-8", "how many SUBSCRIBEs a second subscribe became",
           f.requests_to_alice("SUBSCRIBE") - before, Eq(0U));
}

CUTOVER_CASE(again){.id = "presence.said-already",
                    .title = "A second subscribe opens no second dialog",
                    .procedure = "A partner's user subscribes and is approved, and subscribes once more.",
                    .accepted = "No further SUBSCRIBE.",
                    .likely_causes = "Each stanza is translated by itself.",
                    .judges = {{"RFC8048-5.2.1-8", {"gateway.subscribes-twice"}}},
                    .needs = {Need::sip_side, Need::new_deployment},
                    .budget = 1h,
                    .body = once_more};

void not_asked_for(Run& run) {
  Federated f(run);
  f.romeo.approves = false;
  f.partner.send_presence("romeo", f.alice_jid, "subscribed");
  if (!GIVEN(f.marker_reaches_alice(), marked)) return;
  f.alice.subscribe(f.romeo_uri);
  const auto& contact = f.alice.contact(f.romeo_uri);
  if (!GIVEN(f.until([&] { return !contact.state.empty(); }), "the SIP user who subscribes is notified")) return;
  CONFORMS("RFC6121-3.1.6-1", "the state of a subscription whose approval came before it", contact.state,
           Eq("pending"));
  f.partner.send_presence("romeo", f.alice_jid, "subscribed");
  (void)GIVEN(f.until([&] { return contact.state == "active"; }) && f.marker_reaches_romeo(),
              "the approval reaches the SIP user, and a later message the partner's user");
}

CUTOVER_CASE(unasked){.id = "presence.not-asked-for",
                      .title = "An approval that nobody asked for approves nothing",
                      .procedure = "A partner's user sends subscribed, whereupon a SIP user subscribes; the approval.",
                      .accepted = "Pending until the approval that was asked for.",
                      .likely_causes = "Every subscribed is remembered.",
                      .judges = {{"RFC6121-3.1.6-1", {"gateway.believes-unasked-approval"}}},
                      .needs = {Need::sip_side, Need::new_deployment},
                      .budget = 1h,
                      .body = not_asked_for};

void ended(Run& run) {
  Federated f(run);
  if (!GIVEN(f.romeo_watches_alice(), "the partner's user who subscribes is told the presence")) return;
  auto& world = f.deployment.world();
  // Each that is made is ended at once, for a minute.
  const auto first = f.requests_to_alice("SUBSCRIBE");
  auto seen = first - 1;
  for (const auto over = world.now() + 1min; world.now() < over; world.run_for(100ms)) {
    if (f.requests_to_alice("SUBSCRIBE") == seen) continue;
    seen = f.requests_to_alice("SUBSCRIBE");
    f.alice.notify_with("terminated;reason=deactivated");
  }
  CONFORMS("SEC-SIP-3", "how many SUBSCRIBEs came within a minute while each was ended at once", seen - first,
           testing::Le(20U));
  world.run_for(2h);
  const auto before = f.requests_to_alice("SUBSCRIBE");
  if (!GIVEN(before > seen, "a subscription that was ended for the time being is made again")) return;
  f.alice.notify_with("terminated;reason=invariant");
  world.run_for(2h);
  CONFORMS("RFC6665-4.1.3-invariant", "how many SUBSCRIBEs followed the end of one whose state cannot change",
           f.requests_to_alice("SUBSCRIBE") - before, Eq(0U));
}

CUTOVER_CASE(for_good){.id = "presence.ended-again-and-again",
                       .title =
                           "Subscriptions that end at once are made again with pauses, and not at all where the state "
                           "cannot change",
                       .procedure =
                           "The SIP side ends each subscription of a partner's user at once as deactivated, later one "
                           "as invariant.",
                       .accepted = "At most twenty in a minute; none behind invariant.",
                       .likely_causes = "Each end is answered with a new beginning.",
                       .judges = {{"SEC-SIP-3", {"gateway.renews-without-pause"}},
                                  {"RFC6665-4.1.3-invariant", {"gateway.retries-after-invariant"}}},
                       .needs = {Need::sip_side, Need::new_deployment},
                       .live = false,
                       .budget = 8h,
                       .body = ended};

void unfit(Run& run) {
  Federated f(run);
  if (!GIVEN(f.romeo_watches_alice(), "the partner's user who subscribes is told the presence")) return;
  CONFORMS("RFC6665-3.2.1", "the answer to a NOTIFY of another event",
           f.answer_to_notify([](sip::Message& notify) { notify.set_header("Event", "dialog"); }),
           testing::AnyOf(status_text(489), status_text(481)));
  CONFORMS("RFC6665-4.2.2", "the answer to a NOTIFY without Subscription-State",
           f.answer_to_notify([](sip::Message& notify) { notify.remove_header("Subscription-State"); }),
           testing::StartsWith("4"));
  CONFORMS("RFC8048-6.3-7", "the answer to a NOTIFY with the CSeq of one before",
           f.answer_to_notify([](sip::Message& notify) { notify.set_header("CSeq", "1 NOTIFY"); }),
           Eq(status_text(500)));
}

CUTOVER_CASE(unfit_notify){
    .id = "presence.unfit-notifications",
    .title =
        "In the dialog of a subscription, too, a NOTIFY of another event, without state or out of order is refused",
    .procedure =
        "The SIP user whom a partner's user watches notifies another event, then without Subscription-State, then with "
        "CSeq 1 again.",
    .accepted = "489 or 481; a status of the 400s; 500.",
    .likely_causes = "A dialog that is known is believed whatever comes in it.",
    .judges = {{"RFC6665-3.2.1", {"gateway.accepts-any-notify"}},
               {"RFC6665-4.2.2", {"gateway.accepts-notify-without-state"}},
               {"RFC8048-6.3-7", {"gateway.applies-old-notify"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .body = unfit};

void two_dialogs(Run& run) {
  Federated f(run);
  if (!GIVEN(f.alice_watches_romeo(), "the SIP user who subscribes is told the presence")) return;
  const auto& contact = f.alice.contact(f.romeo_uri);
  f.alice.subscribe(f.romeo_uri);
  const auto answers = [&] { return f.final_answers("SUBSCRIBE").size(); };
  if (!GIVEN(f.until([&] { return answers() == 2 && contact.state == "active"; }), "a second dialog is active")) return;
  f.alice.unsubscribe(f.romeo_uri);
  if (!GIVEN(f.until([&] { return contact.state == "terminated"; }) && f.marker_reaches_romeo(),
             "the second dialog ends, and a later message reaches the partner's user"))
    return;
  CONFORMS("RFC8048-5.3.3-5", "how many unavailable came while a dialog of the watcher is left",
           f.presences_to_romeo("unavailable"), Eq(0U));
}

CUTOVER_CASE(of_two_dialogs){.id = "presence.one-of-two-dialogs",
                             .title = "A watcher who ends one of two dialogs is still there",
                             .procedure = "A SIP user subscribes twice and ends the second subscription.",
                             .accepted = "No unavailable for the partner's user.",
                             .likely_causes = "Each end of a dialog is a log-off.",
                             .judges = {{"RFC8048-5.3.3-5", {"gateway.logs-off-early"}}},
                             .needs = {Need::sip_side, Need::new_deployment},
                             .budget = 1h,
                             .body = two_dialogs};

void refused_refresh(Run& run) {
  Federated f(run);
  if (!GIVEN(f.romeo_watches_alice(), "the partner's user who subscribes is told the presence")) return;
  f.alice.notify_with("active;expires=600");
  f.alice.answer_subscriptions_with(500);
  const bool refreshed = f.deployment.world().run_until([&] { return f.requests_to_alice("SUBSCRIBE") > 1; }, 600s);
  if (!GIVEN(refreshed, "the subscription is refreshed within the time that NOTIFY granted")) return;
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reached the partner's user")) return;
  CONFORMS("RFC6665-4.1.2.2-other", "the answer to a NOTIFY behind a refresh that failed with 500",
           f.answer_to_notify([](sip::Message&) {}), Eq(status_text(200)));
}

CUTOVER_CASE(failed_refresh){
    .id = "presence.refresh-that-failed",
    .title = "A refresh that failed for the time being ends nothing",
    .procedure = "A NOTIFY grants ten minutes; the SIP side answers the refresh with 500, and notifies once more.",
    .accepted = "200 to the NOTIFY.",
    .likely_causes = "Any failure ends the dialog.",
    .judges = {{"RFC6665-4.1.2.2-other", {"gateway.failed-refresh-ends-watch"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .live = false,
    .budget = 2h,
    .body = refused_refresh};

}  // namespace
}  // namespace cutover::suites
