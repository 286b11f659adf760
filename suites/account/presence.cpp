// Subscriptions and presence between a user of the judged server and a user of a peer: RFC 6121 sections 3 and 4.
#include "suites/support/accounts.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

constexpr char ns_server[] = "jabber:server";
const std::vector<Need> needs{Need::user_account};

interworking::Presence presence(const std::string& show, const std::string& status) {
  interworking::Presence result;
  result.show = show;
  result.status = status;
  return result;
}

/// "presence/subscribed from juliet@subject.example": the kinds, and who is said to send them, since `first`.
std::vector<std::string> seen(const std::vector<xml::Element>& presences, std::size_t first = 0) {
  std::vector<std::string> kinds;
  for (std::size_t i = first; i < presences.size(); ++i)
    kinds.push_back(kind_of(presences[i]) + " from " + presences[i].attribute_or_empty("from"));
  return kinds;
}

std::size_t count(const std::vector<std::string>& list, const std::string& one) {
  return static_cast<std::size_t>(std::ranges::count(list, one));
}

std::string show_and_status(const xml::Element& stanza) {
  const auto text = [&](const char* name) {
    const auto* child = stanza.child(name, ns_server);
    return child == nullptr ? std::string() : child->text();
  };
  return text("show") + ": " + text("status");
}

bool romeo_sees(Accounts& a, const std::string& what, std::size_t first) {
  return a.until([&] { return count(seen(a.romeo().presences, first), what) > 0; });
}

/// romeo asks for juliet's presence, and she approves.
bool subscribe_romeo(Accounts& a) {
  const auto first = a.romeo().presences.size();
  a.peer().send_presence("romeo", a.juliet_bare, "subscribe");
  return romeo_sees(a, "presence from " + a.juliet_full, first);
}

/// How much romeo got that only a subscriber may get.
std::size_t approvals(Accounts& a) {
  const auto all = seen(a.romeo().presences);
  return count(all, "presence/subscribed from " + a.juliet_bare) + count(all, "presence from " + a.juliet_full);
}

void inbound(Run& run) {
  Accounts a(run);
  if (!a.connected("RFC6121-3.1.3-2")) return;
  a.juliet().approves = false;
  a.subject().set_presence(a.account, presence("away", "on the balcony"));
  a.peer().send_presence("romeo", a.juliet_bare, "subscribe");
  const auto asked = [&] { return count(seen(a.juliet().presences), "presence/subscribe from " + a.romeo_bare) > 0; };
  const bool request = a.until(asked) && a.markers_pass();
  // An unavailable presence says that the request was received, and approves nothing.
  CONFORMS("RFC6121-3.1.3-2", request ? approvals(a) : 99U, Eq(0U));
  a.subject().send_presence(a.account, a.romeo_bare, "subscribed");
  const bool told = romeo_sees(a, "presence from " + a.juliet_full, 0);
  CONFORMS("RFC6121-3-1", count(seen(a.romeo().presences), "presence/subscribed from " + a.juliet_bare), Eq(1U));
  CONFORMS("RFC6121-3.1.5-1", told ? show_and_status(a.romeo().presences.back()) : "no presence",
           Eq("away: on the balcony"));

  auto first = a.romeo().presences.size();
  a.subject().set_presence(a.account, presence("dnd", "on the way"));
  const bool updated = romeo_sees(a, "presence from " + a.juliet_full, first);
  CONFORMS("RFC6121-4.4.2-1", updated ? show_and_status(a.romeo().presences.back()) : "no presence",
           Eq("dnd: on the way"));
  first = a.romeo().presences.size();
  a.peer().send_presence("romeo", a.juliet_bare, "probe");
  const bool probed = romeo_sees(a, "presence from " + a.juliet_full, first);
  CONFORMS("RFC6121-4.3.2-3", probed ? show_and_status(a.romeo().presences.back()) : "no presence",
           Eq("dnd: on the way"));
  first = a.romeo().presences.size();
  a.peer().send_presence("romeo", a.juliet_bare, "subscribe");
  CONFORMS("RFC6121-3.1.3-3", romeo_sees(a, "presence/subscribed from " + a.juliet_bare, first), Eq(true));
}

CUTOVER_CASE(presence_inbound){
    .id = "account.subscription-of-peer",
    .title = "A peer's user who subscribes waits for approval, then is told of presence, of changes, and when probing",
    .procedure =
        "A peer's user subscribes; markers pass; the subject's user approves, changes presence; the peer's user "
        "probes, and subscribes again.",
    .accepted =
        "Neither approval nor presence before she approves; subscribed from the bare JID, then presence from the full "
        "one; the change; the "
        "last presence for the probe; subscribed again, by the server itself.",
    .likely_causes = "A server that approves by itself, or that leaves a part of the handshake to the client.",
    .judges = {{"RFC6121-3.1.3-2", {"account.approves-by-itself"}},
               {"RFC6121-3-1", {"account.subscription-from-full-jid"}},
               {"RFC6121-3.1.5-1", {"account.approval-without-presence"}},
               {"RFC6121-4.4.2-1", {"account.updates-not-broadcast"}},
               {"RFC6121-4.3.2-3", {"account.probe-unanswered"}},
               {"RFC6121-3.1.3-3", {"account.resubscription-unanswered"}}},
    .needs = needs,
    .budget = 2min,
    .body = inbound};

void ends(Run& run) {
  Accounts a(run);
  if (!a.connected("RFC6121-3.3.3-1")) return;
  const bool subscribed = subscribe_romeo(a);
  CONFORMS("RFC6121-3.3.3-1", subscribed, Eq(true));
  auto first = a.romeo().presences.size();
  a.peer().send_presence("romeo", a.juliet_bare, "unsubscribe");
  const auto unavailable = "presence/unavailable from " + a.juliet_full;
  const bool ended = a.soon([&] { return count(seen(a.romeo().presences, first), unavailable) > 0; });
  CONFORMS("RFC6121-3.3.3-1", ended, Eq(true));
  first = a.romeo().presences.size();
  a.subject().set_presence(a.account, presence("away", "a secret"));
  a.peer().send(xmpp::make_presence(a.romeo_bare, a.juliet_bare, "probe", "p1"));
  const bool passed = a.markers_pass();
  const auto told = seen(a.romeo().presences, first);
  CONFORMS("RFC6121-11-1", passed ? count(told, "presence from " + a.juliet_full) : 99U, Eq(0U));
  CONFORMS("RFC6121-4.3.2-1", count(told, "presence/unsubscribed from " + a.juliet_bare), Eq(1U));

  const bool again = subscribe_romeo(a);
  first = a.romeo().presences.size();
  if (again) a.subject().go_offline(a.account);
  CONFORMS("RFC6121-4.5.2-1", again && romeo_sees(a, unavailable, first), Eq(true));
}

CUTOVER_CASE(presence_ends){
    .id = "account.subscription-ends",
    .title =
        "Who unsubscribes is told unavailable and nothing more, not even for a probe; who stays is told of the end",
    .procedure =
        "A peer's user subscribes and unsubscribes; the subject's user changes presence, the peer's probes; markers "
        "pass. The peer's user subscribes again, the subject's signs out.",
    .accepted = "unavailable; then at most unsubscribed for the probe; unavailable at the end.",
    .likely_causes = "Subscriptions that are kept in two places.",
    .judges = {{"RFC6121-3.3.3-1", {"account.unsubscribe-unanswered"}},
               {"RFC6121-11-1", {"account.subscriber-kept", "account.probe-reveals"}},
               {"RFC6121-4.3.2-1", {"account.stranger-probe-unanswered"}},
               {"RFC6121-4.5.2-1", {"account.offline-not-told"}}},
    .needs = needs,
    .budget = 2min,
    .body = ends};

void outbound(Run& run) {
  Accounts a(run);
  if (!a.connected("RFC6121-3-1")) return;
  a.peer().set_presence("romeo", presence("chat", "below the balcony"));
  a.subject().send_presence(a.account, a.romeo_bare, "subscribe");
  const auto asked = "presence/subscribe from " + a.juliet_bare;
  CONFORMS("RFC6121-3-1", a.until([&] { return count(seen(a.romeo().presences), asked) == 1; }), Eq(true));
  const auto sees = [&](const std::string& what) {
    return a.until([&] { return count(seen(a.juliet().presences), what) > 0; });
  };
  const bool available = sees("presence from " + a.romeo_full);
  CONFORMS("RFC6121-4.2.3-1", available ? show_and_status(a.juliet().presences.back()) : "no presence",
           Eq("chat: below the balcony"));
  a.peer().go_offline("romeo");
  CONFORMS("RFC6121-4.5.3-1", sees("presence/unavailable from " + a.romeo_full), Eq(true));

  // Somebody of the peer whom juliet never asked.
  const std::string stranger = "tybalt" + a.romeo_bare.substr(a.romeo_bare.find('@'));
  a.peer().send(xmpp::make_presence(stranger, a.juliet_bare, "subscribed"));
  a.peer().send(xmpp::make_presence(stranger, a.juliet_bare, "unsubscribed"));
  const bool passed = a.markers_pass();
  const auto kinds = seen(a.juliet().presences);
  CONFORMS("RFC6121-3.1.6-1", passed ? count(kinds, "presence/subscribed from " + stranger) : 99U, Eq(0U));
  CONFORMS("RFC6121-3.2.3-1", passed ? count(kinds, "presence/unsubscribed from " + stranger) : 99U, Eq(0U));
}

CUTOVER_CASE(presence_outbound){
    .id = "account.subscription-to-peer",
    .title =
        "The user's own subscription leaves from the bare JID; presence of the contact arrives, strangers' answers not",
    .procedure =
        "The subject's user subscribes to a peer's user, who approves, is available, and signs out. A stranger of the "
        "peer sends subscribed and unsubscribed; a marker passes.",
    .accepted = "subscribe from the bare JID; presence, then unavailable at the client; nothing of the stranger.",
    .likely_causes = "Presence delivered, or dropped, without a look at the subscription.",
    .judges = {{"RFC6121-3-1", {"account.subscription-from-full-jid"}},
               {"RFC6121-4.2.3-1", {"account.presence-lost"}},
               {"RFC6121-4.5.3-1", {"account.unavailable-lost"}},
               {"RFC6121-3.1.6-1", {"account.unsolicited-approval-delivered"}},
               {"RFC6121-3.2.3-1", {"account.unsolicited-cancellation-delivered"}}},
    .needs = needs,
    .budget = 2min,
    .body = outbound};

}  // namespace
}  // namespace cutover::suites
