// Subscriptions and presence between a user of the judged server and a user of a peer: RFC 6121 sections 3 and 4.
#include "suites/support/accounts.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Eq;
using testing::Ge;
using testing::Not;

constexpr char ns_server[] = "jabber:server";
const std::vector<Need> needs{Need::user_account};

interworking::Presence presence(const std::string& show, const std::string& status) {
  interworking::Presence result;
  result.show = show;
  result.status = status;
  return result;
}

/// "presence/subscribed from juliet@judged.example": the kinds, and who is said to send them, since `first`.
std::vector<std::string> seen(const std::vector<xml::Element>& presences, std::size_t first = 0) {
  std::vector<std::string> kinds;
  for (std::size_t i = first; i < presences.size(); ++i)
    kinds.push_back(kind_of(presences[i]) + " from " + presences[i].attribute_or_empty("from"));
  return kinds;
}

std::size_t count(const std::vector<std::string>& list, const std::string& one) {
  return static_cast<std::size_t>(std::ranges::count(list, one));
}

/// Who is said to send the presences of that type, "" for available; since `first`.
std::vector<std::string> senders(const std::vector<xml::Element>& presences, const char* type, std::size_t first = 0) {
  std::vector<std::string> from;
  for (std::size_t i = first; i < presences.size(); ++i) {
    if (presences[i].attribute_or_empty("type") == type) from.push_back(presences[i].attribute_or_empty("from"));
  }
  return from;
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

/// Show and status of the presence of juliet that romeo gets; waits for it.
std::string romeo_is_shown(Accounts& a, std::size_t first) {
  if (!romeo_sees(a, "presence from " + a.juliet_full, first)) return "no presence";
  const auto& presences = a.romeo().presences;
  for (std::size_t i = presences.size(); i-- > first;) {
    if (kind_of(presences[i]) == "presence" && presences[i].attribute_or_empty("from") == a.juliet_full)
      return show_and_status(presences[i]);
  }
  return "no presence";
}

void inbound(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  a.juliet().approves = false;
  a.subject().set_presence(a.account, presence("away", "on the balcony"));
  a.peer().send_presence("romeo", a.juliet_bare, "subscribe");
  const auto asked = [&] { return count(seen(a.juliet().presences), "presence/subscribe from " + a.romeo_bare) > 0; };
  if (!GIVEN(a.until(asked), "the request reached the subject's user") || !a.given_markers()) return;
  // An unavailable presence says that the request was received, and approves nothing.
  CONFORMS("RFC6121-3.1.3-2", "what the peer's user was told before the approval", seen(a.romeo().presences),
           AllOf(Not(Contains("presence/subscribed from " + a.juliet_bare)),
                 Not(Contains("presence from " + a.juliet_full))));
  a.subject().send_presence(a.account, a.romeo_bare, "subscribed");
  const auto shown = romeo_is_shown(a, 0);  // in any order
  (void)romeo_sees(a, "presence/subscribed from " + a.juliet_bare, 0);
  if (!CONFORMS("RFC6121-3.1.5-1/resource", "how often the approval came",
                senders(a.romeo().presences, "subscribed").size(), Ge(1U)))
    return;
  CONFORMS("RFC6121-3-1", "from whom the approval came", senders(a.romeo().presences, "subscribed"),
           ElementsAre(a.juliet_bare));
  if (!CONFORMS("RFC6121-4.4.2-1", "who said to be available by a type that does not exist (section 4.7.1)",
                senders(a.romeo().presences, "available"), testing::IsEmpty()))
    return;
  CONFORMS("RFC6121-3.1.5-1/resource", "the presence that came with the approval", shown, Eq("away: on the balcony"));
  const auto came = seen(a.romeo().presences);
  const auto approved = std::ranges::find(came, "presence/subscribed from " + a.juliet_bare);
  const auto available = std::ranges::find(came, "presence from " + a.juliet_full);
  if (approved != came.end() && available != came.end())
    CONFORMS("RFC6121-3.1.5-2", "what came first", approved < available ? "the approval" : "presence",
             Eq("the approval"));

  auto first = a.romeo().presences.size();
  a.subject().set_presence(a.account, presence("dnd", "on the way"));
  CONFORMS("RFC6121-4.4.2-1", "the presence that the subscriber got when it changed", romeo_is_shown(a, first),
           Eq("dnd: on the way"));
  first = a.romeo().presences.size();
  a.peer().send_presence("romeo", a.juliet_bare, "probe");
  CONFORMS("RFC6121-4.3.2-3/resource", "the presence that came for the subscriber's probe", romeo_is_shown(a, first),
           Eq("dnd: on the way"));
  first = a.romeo().presences.size();
  a.peer().send_presence("romeo", a.juliet_bare, "subscribe");
  CONFORMS("RFC6121-3.1.3-3", "the server itself approved the second request of the subscriber",
           romeo_sees(a, "presence/subscribed from " + a.juliet_bare, first), Eq(true));
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
               {"RFC6121-3.1.5-1", {"account.approval-without-presence", "xmpp.approvals-lost"}},
               {"RFC6121-3.1.5-2", {"account.presence-before-approval"}},
               {"RFC6121-4.4.2-1", {"account.updates-not-broadcast", "xmpp.available-said"}},
               {"RFC6121-4.3.2-3", {"account.probe-unanswered"}},
               {"RFC6121-3.1.3-3", {"account.resubscription-unanswered"}}},
    .needs = needs,
    .budget = 2min,
    .body = inbound};

void ends(Run& run) {
  Accounts a(run);
  if (!a.given_markers() || !GIVEN(subscribe_romeo(a), "the peer's user can subscribe")) return;
  auto first = a.romeo().presences.size();
  a.peer().send_presence("romeo", a.juliet_bare, "unsubscribe");
  const auto unavailable = "presence/unavailable from " + a.juliet_full;
  const bool ended = a.soon([&] { return count(seen(a.romeo().presences, first), unavailable) > 0; });
  CONFORMS("RFC6121-3.3.3-1", "who unsubscribed was told unavailable", ended, Eq(true));
  first = a.romeo().presences.size();
  a.subject().set_presence(a.account, presence("away", "a secret"));
  a.peer().send(xmpp::make_presence(a.romeo_bare, a.juliet_bare, "probe", "p1"));
  if (!a.given_markers()) return;
  CONFORMS("RFC6121-11-1", "what the former subscriber was told", seen(a.romeo().presences, first),
           Not(Contains("presence from " + a.juliet_full)));
  CONFORMS("RFC6121-4.3.2-1", "who answered the probe of the former subscriber with unsubscribed",
           senders(a.romeo().presences, "unsubscribed", first), ElementsAre(a.juliet_bare));

  if (!GIVEN(subscribe_romeo(a), "the peer's user can subscribe again")) return;
  first = a.romeo().presences.size();
  a.subject().go_offline(a.account);
  CONFORMS("RFC6121-4.5.2-1/signed-out", "the subscriber was told when the subject's user signed out",
           romeo_sees(a, unavailable, first), Eq(true));
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
               {"RFC6121-4.5.2-1", {"account.offline-not-told", "xmpp.unavailable-becomes-available"}}},
    .needs = needs,
    .budget = 2min,
    .body = ends};

void cancelled(Run& run) {
  Accounts a(run);
  if (!a.given_markers() || !GIVEN(subscribe_romeo(a), "the peer's user can subscribe")) return;
  const auto first = a.romeo().presences.size();
  const auto unavailable = "presence/unavailable from " + a.juliet_full;
  const auto unsubscribed = "presence/unsubscribed from " + a.juliet_bare;
  a.subject().send_presence(a.account, a.romeo_bare, "unsubscribed");
  if (!CONFORMS("RFC6121-3.2.2-1", "who was unsubscribed was told so", romeo_sees(a, unsubscribed, first), Eq(true)))
    return;
  if (!a.given_markers()) return;
  const auto came = seen(a.romeo().presences, first);
  const auto told = std::ranges::find(came, unavailable), ended = std::ranges::find(came, unsubscribed);
  CONFORMS("RFC6121-3.2.2-1", "when unavailable came to who was unsubscribed",
           told == came.end() ? "never"
           : told < ended     ? "before unsubscribed"
                              : "behind unsubscribed",
           testing::Eq("before unsubscribed"));
}

CUTOVER_CASE(presence_cancelled){
    .id = "account.subscription-cancelled",
    .title = "Whose subscription is cancelled is told unavailable first",
    .procedure = "A peer's user subscribes; the subject's user takes the approval back.",
    .accepted = "unavailable from the full JID, then unsubscribed.",
    .likely_causes = "The roster is changed before anybody is told.",
    .judges = {{"RFC6121-3.2.2-1", {"account.cancellation-without-unavailable", "xmpp.refusals-lost"}}},
    .needs = needs,
    .budget = 2min,
    .body = cancelled};

void refused(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  a.juliet().approves = false;
  a.peer().send_presence("romeo", a.juliet_bare, "subscribe");
  const auto asked = [&] { return count(seen(a.juliet().presences), "presence/subscribe from " + a.romeo_bare) > 0; };
  if (!GIVEN(a.until(asked), "the request reached the subject's user")) return;
  a.subject().send_presence(a.account, a.romeo_bare, "unsubscribed");
  CONFORMS("RFC6121-3.2.2-1", "who was refused was told so",
           romeo_sees(a, "presence/unsubscribed from " + a.juliet_bare, 0), Eq(true));
}

CUTOVER_CASE(presence_refused){
    .id = "account.subscription-refused",
    .title = "Whose request for a subscription is refused is told so",
    .procedure = "A peer's user subscribes; the subject's user answers unsubscribed.",
    .accepted = "unsubscribed from the bare JID, whatever comes before it.",
    .likely_causes = "Presence that is routed by what the roster says, where it says nothing yet.",
    .judges = {{"RFC6121-3.2.2-1", {"xmpp.refusals-lost"}}},
    .needs = needs,
    .budget = 2min,
    .body = refused};

void to_errors(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  int sent = 0;
  for (const auto& to : {a.juliet_full, a.juliet_bare, "nobody@" + a.domain, a.domain}) {
    auto error = xmpp::make_presence(a.romeo_full, to, "error", "presence-error-" + std::to_string(++sent));
    error.add(xmpp::make_error_element("gone"));
    a.peer().send(std::move(error));
  }
  if (!a.given_markers()) return;
  for (int i = 1; i <= sent; ++i)
    CONFORMS("RFC6120-8.3.1-5",
             "what came back for presence of type error, the addressee being number " + std::to_string(i),
             kinds_of(a.answers("presence-error-" + std::to_string(i))), testing::IsEmpty());
}

CUTOVER_CASE(presence_errors){.id = "account.presence-errors",
                              .title = "Presence of type error is never answered",
                              .procedure =
                                  "A peer's user sends presence of type error to the full JID and the bare JID of the "
                                  "subject's user, to an account "
                                  "that does not exist, and to the domain; then markers both ways.",
                              .accepted = "Nothing comes back.",
                              .likely_causes = "Bounces that answer bounces.",
                              .judges = {{"RFC6120-8.3.1-5", {"xmpp.presence-errors-answered"}}},
                              .needs = needs,
                              .budget = 1min,
                              .body = to_errors};

void strays(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  a.peer().send_presence("romeo", a.juliet_bare, "unsubscribe");
  if (!a.given_markers()) return;
  CONFORMS("RFC6121-3.3.3-2", "what who is no subscriber was told when he unsubscribed", seen(a.romeo().presences),
           testing::IsEmpty());
  CONFORMS("RFC6121-3.3.3-2", "from whom the user was told that they unsubscribe",
           senders(a.juliet().presences, "unsubscribe"), testing::IsEmpty());
  a.subject().send_presence(a.account, a.romeo_bare, "subscribed");
  const bool passed = a.given_markers();
  const auto approvals = senders(a.romeo().presences, "subscribed");
  a.subject().send_presence(a.account, a.romeo_bare, "unsubscribed");
  if (!passed || !a.given_markers()) return;
  CONFORMS("RFC6121-3.4.2-1", "who approved what nobody had asked for, as the peer's user was told", approvals,
           testing::IsEmpty());
}

CUTOVER_CASE(presence_strays){
    .id = "account.subscription-strays",
    .title = "Who is no subscriber is not told of his end, nor who did not ask of an approval",
    .procedure =
        "A peer's user who is no subscriber unsubscribes; the subject's user approves a request that never came, and "
        "takes that back. Markers behind each.",
    .accepted = "Nothing at either user.",
    .likely_causes = "Presence that is routed by its type, and not by what the roster says.",
    .judges = {{"RFC6121-3.3.3-2", {"account.stray-unsubscribe-answered"}},
               {"RFC6121-3.4.2-1", {"account.approves-unasked"}}},
    .needs = needs,
    .budget = 2min,
    .body = strays};

void directed(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  auto stanza = xmpp::make_presence({}, a.romeo_full);
  stanza.add(xml::Element("status", stanza.ns())).add_text("for you alone");
  a.subject().send(a.account, std::move(stanza));
  if (!GIVEN(romeo_sees(a, "presence from " + a.juliet_full, 0), "directed presence reaches the peer's user")) return;
  const auto first = a.romeo().presences.size();
  a.subject().set_presence(a.account, presence("dnd", "for others"));
  if (!a.given_markers()) return;
  CONFORMS("RFC6121-4.6.3-2", "what who was sent directed presence was told of later presence",
           seen(a.romeo().presences, first), testing::IsEmpty());
  a.subject().go_offline(a.account);
  CONFORMS("RFC6121-4.6.3-1", "who was sent directed presence was told when the user signed out",
           romeo_sees(a, "presence/unavailable from " + a.juliet_full, first), Eq(true));
}

CUTOVER_CASE(presence_directed){
    .id = "account.directed-presence",
    .title = "Who was sent directed presence is told nothing more of it, but that it ends",
    .procedure =
        "The subject's user sends presence to a peer's user who is no subscriber, changes her presence, and signs out.",
    .accepted = "The directed presence, and unavailable from the same full JID.",
    .likely_causes = "No list of who was sent directed presence; one that is taken for subscriptions.",
    .judges = {{"RFC6121-4.6.3-1", {"account.directed-presence-stays"}},
               {"RFC6121-4.6.3-2", {"account.directed-presence-subscribes"}}},
    .needs = needs,
    .budget = 2min,
    .body = directed};

void outbound(Run& run) {
  Accounts a(run);
  if (!a.given_markers()) return;
  a.peer().set_presence("romeo", presence("chat", "below the balcony"));
  a.subject().send_presence(a.account, a.romeo_bare, "subscribe");
  (void)a.until([&] { return !senders(a.romeo().presences, "subscribe").empty(); });
  CONFORMS("RFC6121-3-1", "from whom the request came", senders(a.romeo().presences, "subscribe"),
           ElementsAre(a.juliet_bare));
  const auto sees = [&](const std::string& what) {
    return a.until([&] { return count(seen(a.juliet().presences), what) > 0; });
  };
  (void)sees("presence from " + a.romeo_full);
  const auto kind = [](const xml::Element& stanza) {
    return kind_of(stanza) + " " + stanza.attribute_or_empty("from");
  };
  const auto& presences = a.juliet().presences;
  const auto available = std::ranges::find(presences, "presence " + a.romeo_full, kind);
  CONFORMS("RFC6121-4.2.3-1/resource", "the presence of the peer's user that reached the subscriber",
           available == presences.end() ? "no presence" : show_and_status(*available), Eq("chat: below the balcony"));
  a.peer().go_offline("romeo");
  CONFORMS("RFC6121-4.5.3-1/resource", "the subscriber was told when the peer's user signed out",
           sees("presence/unavailable from " + a.romeo_full), Eq(true));

  // Somebody of the peer whom juliet never asked.
  const std::string stranger = "tybalt" + a.romeo_bare.substr(a.romeo_bare.find('@'));
  a.peer().send(xmpp::make_presence(stranger, a.juliet_bare, "subscribed"));
  a.peer().send(xmpp::make_presence(stranger, a.juliet_bare, "unsubscribed"));
  if (!a.given_markers()) return;
  CONFORMS("RFC6121-3.1.6-1", "who approved what, as the subject's user was told",
           senders(a.juliet().presences, "subscribed"), Not(Contains(stranger)));
  CONFORMS("RFC6121-3.2.3-1", "who took an approval back, as the subject's user was told",
           senders(a.juliet().presences, "unsubscribed"), Not(Contains(stranger)));
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
