// RFC 8048 sections 5 and 7, RFC 6121, RFC 6665: presence that nobody has consented to, or that is not the notifier's.
#include "suites/support/federated.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AnyOf;
using testing::Eq;
using testing::Ge;
using testing::StartsWith;

constexpr char watching[] = "the partner's user who subscribes is told the presence";
const std::vector<Need> needs{Need::sip_side, Need::new_deployment};

void strangers(Run& run) {
  Federated f(run);
  f.partner.send_presence("romeo", f.alice_jid, "unsubscribe");
  if (!f.given_markers()) return;
  CONFORMS("RFC8048-5.2.3-5", "how many unsubscribed came to who never subscribed",
           f.presences_to_romeo("unsubscribed"), Eq(0U));
  f.partner.send(xmpp::make_presence(f.romeo_full, f.alice_jid, {}, "directed"));
  if (!f.given_markers()) return;
  CONFORMS("RFC6121-4.6", "how many SUBSCRIBEs came for unsubscribe and directed presence",
           f.requests_to_alice("SUBSCRIBE"), Eq(0U));
  CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribes got the approval and the presence",
           f.romeo_watches_alice(), Eq(true));
}

CUTOVER_CASE(without_subscription){
    .id = "presence.of-no-subscriber",
    .title =
        "Directed presence and unsubscribe of who has not subscribed start nothing on the SIP side, and are not "
        "answered",
    .procedure = "A partner's user sends directed presence and unsubscribe to a SIP user; then subscribes.",
    .accepted = "No SUBSCRIBE and no unsubscribed; then the approval.",
    .likely_causes = "Whoever comes online watches; whoever leaves is confirmed.",
    .judges = {{"RFC6121-4.6", {"gateway.watches-without-consent"}},
               {"RFC8048-5.2.3-5", {"gateway.confirms-every-unsubscribe"}},
               {"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}}},
    .needs = needs,
    .budget = 1h,
    .body = strangers};

void fork(Run& run) {
  Federated f(run);
  if (!GIVEN(f.romeo_watches_alice(), watching)) return;
  const auto shown = f.romeo.presences.size();
  const auto notify = [&](const std::string& tag) -> std::string {
    std::string cseq;
    f.alice.notify_as("active;expires=3600", [&](sip::Message& message) {
      cseq = message.header_or_empty("CSeq");
      auto from = message.from();
      if (from && !tag.empty()) {
        from->parameters = {{"tag", tag}};
        message.set_header("From", from->text());
      }
      message.add_header("Content-Type", interworking::pidf_media);
      message.body = interworking::to_pidf(f.alice_jid, f.alice.uri(), {});
    });
    const auto answer = [&] {
      return std::ranges::find_if(f.alice.responses(), [&](const auto& response) {
        return response.status >= 200 && response.header_or_empty("CSeq") == cseq;
      });
    };
    return f.until([&] { return answer() != f.alice.responses().end(); }) ? status_text(answer()->status) : "no answer";
  };
  CONFORMS("RFC8048-5.2.1-12", "the answer to a NOTIFY of a second notifier", notify("another"), Eq(status_text(481)));
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reaches the partner's user")) return;
  CONFORMS("RFC8048-5.2.1-12", "how many presence stanzas it became", f.romeo.presences.size() - shown, Eq(0U));
  CONFORMS("RFC8048-6.3-8", "the answer to a NOTIFY of the first notifier", notify({}), Eq(status_text(200)));
}

CUTOVER_CASE(forked){
    .id = "presence.second-notifier",
    .title = "Of two notifiers of one subscription the second is ended, and takes nothing away",
    .procedure = "In the dialog of a subscription comes a NOTIFY with another From tag; then one with the right one.",
    .accepted = "481 and no presence; 200.",
    .likely_causes = "Subscriptions are found by their Call-ID.",
    .judges = {{"RFC8048-5.2.1-12", {"gateway.accepts-forked-notify"}},
               {"RFC8048-6.3-8", {"gateway.notify-unanswered"}}},
    .needs = needs,
    .budget = 1h,
    .body = fork};

void errors(Run& run) {
  Federated f(run);
  if (!GIVEN(f.alice_watches_romeo(), "the SIP user who subscribes is told the presence")) return;
  const auto& contact = f.alice.contact(f.romeo_uri);
  auto error = xmpp::make_presence(f.romeo_bare, f.alice_jid, "error", "late");
  error.add(xmpp::make_error_element("remote-server-timeout"));
  f.partner.send(std::move(error));
  if (!GIVEN(f.marker_reaches_alice(), "a later message reaches the SIP user")) return;
  interworking::Presence away;
  away.show = "away";
  f.partner.set_presence("romeo", away);
  const auto is_away = [&] { return !contact.presence.empty() && contact.presence.front().show == "away"; };
  (void)f.until(is_away);
  CONFORMS("PTYPE-error", "the subscription of the SIP user behind an error", contact.state, Eq("active"));
  CONFORMS("PTYPE-error", "the presence that the partner's user shows later is told", is_away(), Eq(true));
}

CUTOVER_CASE(error_comes){
    .id = "presence.error-in-between",
    .title = "An error takes no approval back",
    .procedure = "A SIP user watches a partner's user, of whom presence of type error comes, and later another state.",
    .accepted = "The subscription stays, and the state is told.",
    .likely_causes = "Any error is a refusal.",
    .judges = {{"PTYPE-error", {"gateway.error-revokes-approval"}}},
    .needs = needs,
    .budget = 1h,
    .takes = 6s,
    .body = errors};

void probe_of_nobody(Run& run) {
  Federated f(run);
  if (!GIVEN(f.romeo_watches_alice(), watching)) return;
  interworking::Presence gone;
  gone.available = false;
  f.alice.set_presence(gone);
  if (!GIVEN(f.until([&] { return f.presences_to_romeo("unavailable") == 1; }), "the SIP user is shown as gone"))
    return;
  f.partner.send_presence("romeo", f.alice_jid, "probe");
  CONFORMS("RFC8048-7.1-6", "unavailable came for a probe of who is gone",
           f.until([&] { return f.presences_to_romeo("unavailable") == 2; }), Eq(true));
}

CUTOVER_CASE(probe_gone){.id = "presence.probe-of-who-is-gone",
                         .title = "The probe of a user who is gone is answered with unavailable",
                         .procedure = "A partner's user watches a SIP user who goes, and probes.",
                         .accepted = "unavailable.",
                         .likely_causes = "Nothing known is nothing said.",
                         .judges = {{"RFC8048-7.1-6", {"gateway.silent-to-probe-for-nobody"}}},
                         .needs = needs,
                         .budget = 1h,
                         .body = probe_of_nobody};

void shorter_time(Run& run) {
  Federated f(run);
  if (!GIVEN(f.romeo_watches_alice(), watching)) return;
  auto& world = f.deployment.world();
  f.alice.notify_with("active;expires=600");
  f.alice.notify_with("active;expires=28800");  // a longer time takes nothing back
  if (!GIVEN(f.marker_reaches_romeo(), "a later message reaches the partner's user")) return;
  const auto before = f.requests_to_alice("SUBSCRIBE");
  CONFORMS("RFC8048-5.2.1-14", "the subscription was refreshed within the shorter of two times",
           world.run_until([&] { return f.requests_to_alice("SUBSCRIBE") > before; }, 600s), Eq(true));
}

CUTOVER_CASE(shorter){.id = "presence.shorter-time",
                      .title = "Of two times that are granted the shorter counts",
                      .procedure = "A NOTIFY grants ten minutes, the next one eight hours.",
                      .accepted = "A refresh within ten minutes.",
                      .likely_causes = "What was said last is believed.",
                      .judges = {{"RFC8048-5.2.1-14", {"gateway.longer-expiry-counts"}}},
                      .needs = needs,
                      .live = false,
                      .budget = 1h,
                      .body = shorter_time};

}  // namespace
}  // namespace cutover::suites
