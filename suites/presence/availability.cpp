// lync-facts 4.2: the product's availability numbers, from the first to the last of each class, and the way back.
#include "suites/support/federated.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

/// A class as a pool publishes it (RFC 3863, RFC 4480), and what of it is shown to a user of XMPP.
struct Published {
  int first, last;
  std::string_view name, basic, activity;
  std::vector<std::string> shown;
};

/// Whether "away" is told as away or as longer away is open; so is "chat" for who is free.
std::vector<Published> classes() {
  const std::vector<std::string> free{"available", "chat"}, away{"away", "xa"}, busy{"dnd"}, gone{"unavailable"};
  return {{0, 4499, "Available", "open", "", free},
          {4500, 5999, "Available-Idle", "open", "away", away},
          {6000, 7499, "Busy", "open", "busy", busy},
          {7500, 8999, "Busy-Idle", "open", "busy", busy},
          {9000, 11999, "Do Not Disturb", "open", "busy", busy},
          {12000, 14999, "Be Right Back", "open", "away", away},
          {15000, 17999, "Away", "open", "away", away},
          {18000, 18500, "Offline", "closed", "", gone}};
}

std::string document_of(const Published& one, int number) {
  const auto activities =
      one.activity.empty()
          ? std::string()
          : fmt::format("<r:activities xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'><r:{}/></r:activities>",
                        one.activity);
  return fmt::format(
      "<?xml version='1.0' encoding='UTF-8'?><presence xmlns='urn:ietf:params:xml:ns:pidf' "
      "entity='pres:alice@contoso.example'><tuple id='ID-desk'><status><basic>{}</basic>"
      "<availability xmlns='http://schemas.microsoft.com/2006/09/sip/state'>{}</availability></status>{}"
      "<contact>sip:alice@contoso.example</contact><note>{}</note></tuple></presence>",
      one.basic, number, activities, number);
}

std::string shown_in(const xml::Element& presence) {
  auto type = presence.attribute_or_empty("type");
  if (!type.empty()) return type;
  const auto show = child_text(presence, "show");
  return show.empty() ? "available" : show;
}

/// What romeo saw last of alice behind that many stanzas; waits for one that `is_it`.
std::string shown_behind(Federated& f, std::size_t seen, const std::function<bool(const xml::Element&)>& is_it) {
  const auto last = [&]() -> const xml::Element* {
    for (auto i = f.romeo.presences.total(); i > seen; --i) {
      if (is_it(f.romeo.presences.number(i - 1))) return &f.romeo.presences.number(i - 1);
    }
    return nullptr;
  };
  return f.until([&] { return last() != nullptr; }) ? shown_in(*last()) : "nothing came";
}

void boundaries(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribed got the approval and the presence",
                f.romeo_watches_alice(), Eq(true)))
    return;
  for (const auto& one : classes()) {
    for (const int number : {one.first, one.last}) {
      const auto seen = f.romeo.presences.total();
      f.alice.notify_with("active;expires=3600", document_of(one, number));
      const bool open = one.basic == "open";
      if (!open && number == one.last) continue;  // who is gone has nothing new to tell
      // The number is the note, so that each is told although the one before was shown alike.
      const auto shown = shown_behind(f, seen, [&](const xml::Element& stanza) {
        return open ? child_text(stanza, "status") == std::to_string(number)
                    : !stanza.attribute_or_empty("type").empty();
      });
      CONFORMS("MIG-S03", fmt::format("what the partner's user sees of availability {} ({})", number, one.name), shown,
               testing::AnyOfArray(one.shown));
    }
  }
}

CUTOVER_CASE(numbers){
    .id = "presence.availability-numbers",
    .title = "Every class of the product's availability is shown as its row says, from its first number to its last",
    .procedure =
        "A partner's user watches the SIP user, of whom come the documents that a pool publishes for 0, 4499, 4500, "
        "5999 and so on up to 18000: basic status, activity, number, and the number as a note.",
    .accepted =
        "Available: no show, or chat; idle, back soon and away: away or xa; busy and do not disturb: dnd; offline: "
        "unavailable.",
    .likely_causes = "Numbers are compared with > where >= is meant; the activity is not read.",
    .judges = {{"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}}, {"MIG-S03", {"gateway.wrong-show"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .takes = 3s,
    .body = boundaries};

/// Shows that keep people away alike.
std::string kind_of(const std::string& show) { return show == "xa" ? "away" : show == "chat" ? "available" : show; }

void there_and_back(Run& run) {
  Federated f(run);
  if (!CONFORMS("RFC8048-5.2.1-4", "the partner's user who subscribed got the approval and the presence",
                f.romeo_watches_alice(), Eq(true)))
    return;
  if (!CONFORMS("RFC8048-5.3.1-9", "the SIP user who subscribed got the presence", f.alice_watches_romeo(), Eq(true)))
    return;
  const auto& contact = f.alice.contact(f.romeo_uri);
  for (const std::string show : {"dnd", "away", "chat", "xa"}) {
    interworking::Presence presence;
    presence.show = show;
    presence.status = "as " + show;
    f.partner.set_presence("romeo", presence);
    const bool came = f.until([&] { return contact.body.find(presence.status) != std::string::npos; });
    if (!GIVEN(came, "the SIP user is told that the partner's user is " + show)) return;
    // The SIP user publishes the state that was read as a state of its own.
    auto document = contact.body;
    for (auto at = document.find(f.romeo_bare); at != std::string::npos; at = document.find(f.romeo_bare))
      document.replace(at, f.romeo_bare.size(), f.alice_jid);
    const auto seen = f.romeo.presences.total();
    f.alice.notify_with("active;expires=3600", document);
    const auto shown = shown_behind(
        f, seen, [&](const xml::Element& stanza) { return child_text(stanza, "status") == presence.status; });
    CONFORMS("MIG-S03", "what '" + show + "' is when it has gone to the SIP side and come back", kind_of(shown),
             Eq(kind_of(show)));
  }
}

CUTOVER_CASE(round_trip){
    .id = "presence.state-there-and-back",
    .title = "A state of XMPP that goes to the SIP side and comes back keeps people away as before",
    .procedure =
        "Two users watch each other; the partner's user is dnd, away, chat and xa; the SIP user publishes each "
        "document that came of it as its own.",
    .accepted = "The same kind of state: free, away (away or xa), or dnd.",
    .likely_causes = "The two tables are not each other's reverse.",
    .judges = {{"RFC8048-5.2.1-4", {"gateway.subscribed-lost"}},
               {"RFC8048-5.3.1-9", {"gateway.subscribe-lost"}},
               {"MIG-S03", {"gateway.wrong-show"}}},
    .needs = {Need::sip_side, Need::new_deployment},
    .budget = 1h,
    .takes = 25s,
    .body = there_and_back};

}  // namespace
}  // namespace cutover::suites
