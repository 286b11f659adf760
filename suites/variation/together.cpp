// Stanzas for several addressees in one write.
#include "protocol/xmpp/stanza.h"
#include "suites/support/accounts.h"
#include "suites/support/varied_peer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

std::size_t count_of(const History<xml::Element>& stanzas, const std::string& id) {
  return static_cast<std::size_t>(
      std::ranges::count_if(stanzas, [&](const auto& one) { return one.attribute_or_empty("id") == id; }));
}

void in_one_write(Run& run) {
  VariedPeer peer(run, make_subject_with_account(run), kind_of_peer(run));
  const auto user = peer.subject().user();
  const auto local = user.substr(0, user.find('@'));
  const auto domain = peer.subject().domain();
  auto led = peer.negotiate();
  if (!GIVEN(led.ready, "a stream that is led as usual is established")) return;
  const auto message = [&](const std::string& to, const std::string& id) {
    return fmt::format("<message from='romeo@{}/home' to='{}' id='{}' type='chat'><body>{}</body></message>",
                       peer.domain(), to, id, id);
  };
  const auto ping = [&](const std::string& id) {
    return fmt::format("<iq from='romeo@{}/home' to='{}' id='{}' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
                       peer.domain(), domain, id);
  };
  // Answers come by another stream than the marker.
  const auto answers = [&](const char* id) {
    return count_of(peer.romeo().iqs, id) + count_of(peer.romeo().errors, id);
  };
  led.stream->send(ping("before"));
  if (!GIVEN(peer.until([&] { return answers("before") > 0; }), "a request by itself is answered")) return;
  led.stream->send(message(user, "first") + ping("second") + message("nobody@" + domain, "third") +
                   message(peer.subject().account()->full_jid(local), "fourth") + ping("fifth") + "\n" +
                   message(user, "sixth"));
  const stimuli::Grammar none({});
  if (!GIVEN(peer.marker_passes(*led.stream, none, none.usual()), "a message sent behind them arrived")) return;
  const auto& messages = peer.subject().account()->user(local).messages;
  for (const auto* id : {"first", "fourth", "sixth"})
    CONFORMS("SEC-SMUGGLE-7", fmt::format("how often the message that was the {} of one write came", id),
             count_of(messages, id), Eq(1U));
  (void)peer.until([&] { return answers("second") > 0 && answers("fifth") > 0; });
  for (const auto* id : {"second", "fifth"})
    CONFORMS("SEC-SMUGGLE-7", fmt::format("how many answers came to the request that was the {} of one write", id),
             answers(id), Eq(1U));
  peer.end(*led.stream);
}

CUTOVER_CASE(together){
    .id = "variation.stanzas-in-one-write",
    .title = "Several stanzas in one write are as many, whoever each is for",
    .procedure =
        "A peer sends messages to the account, to its resource and to nobody, and pings to the domain, in one write; "
        "then a marker.",
    .accepted = "Each message for the user arrives once, each ping is answered once.",
    .likely_causes = "One stanza a read; the addressee of the first taken for that of all.",
    .judges = {{"SEC-SMUGGLE-7", {"xmpp.one-addressee-a-write"}}},
    .needs = {Need::user_account},
    .budget = 1min,
    .body = in_one_write};

/// How a request of romeo's was answered, wherever that came; empty while it was not.
std::string answered(VariedPeer& peer, PeerStream& stream, const std::string& id) {
  for (const auto* list : {&peer.romeo().iqs, &peer.romeo().errors})
    for (const auto& one : *list)
      if (one.attribute_or_empty("id") == id) return kind_of(one);
  for (const auto& item : stream.wire().items()) {
    const auto* element = std::get_if<xml::Element>(&item);
    if (element != nullptr && element->attribute_or_empty("id") == id) return kind_of(*element);
  }
  return {};
}

void for_nothing(Run& run) {
  VariedPeer peer(run, make_subject_with_account(run), kind_of_peer(run));
  for (const std::string type : {"get", "set"})
    for (const auto& [words, to] :
         {std::pair<std::string, std::string>("server", peer.subject().domain()), {"account", peer.subject().user()}}) {
      auto led = peer.negotiate();
      if (!GIVEN(led.ready, "a stream that is led as usual is established")) return;
      const auto id = fmt::format("{} {}", type, words);
      led.stream->send(
          fmt::format("<iq from='romeo@{}/home' to='{}' id='{}' type='{}'/>", peer.domain(), to, id, type));
      (void)peer.until([&] { return !answered(peer, *led.stream, id).empty() || led.stream->is_over(); });
      auto got = answered(peer, *led.stream, id);
      if (got.empty())
        got = led.stream->is_over() ? "stream error " + led.stream->await_ending().condition_in_words() : no_answer;
      CONFORMS("RFC6120-8.2.3-3", fmt::format("the answer to a {} to the {} that asks for nothing", type, words), got,
               testing::AnyOf(testing::StartsWith("error/"), Eq("result"), Eq("stream error invalid-xml"),
                              Eq("stream error bad-format")));
      peer.end(*led.stream);
    }
}

CUTOVER_CASE(requests_for_nothing){
    .id = "variation.requests-for-nothing",
    .title = "A request that holds nothing is answered, too",
    .procedure = "A peer sends the domain and the account a get and a set without a child, each on its own stream.",
    .accepted =
        "Any answer, though nobody may send such a request (RFC 6120 section 8.2.3); a server that validates may end "
        "the "
        "stream with invalid-xml or bad-format instead (sections 4.9.3.1, 4.9.3.11).",
    .likely_causes = "Handlers that are found by the payload, and nobody for what has none.",
    .judges = {{"RFC6120-8.2.3-3", {"xmpp.requests-without-content-unanswered"}}},
    .needs = {Need::user_account},
    .budget = 2min,
    .body = for_nothing};

/// Which of two ids came first to whoever took stanzas there, the user's client or the server that acts for him.
std::string first_to_come(World& world, const std::string& user, const std::string& one, const std::string& other) {
  for (const auto& record : world.trace().records()) {
    const auto& note = record.note;
    const bool takes = record.node == user || record.node == "subject";
    if (!takes || note.direction != Direction::in || note.summary == "octets") continue;
    const auto at = note.detail.find(one), of_other = note.detail.find(other);
    if (at != of_other) return at < of_other ? one : other;
  }
  return "neither";
}

void before_an_iq(Run& run) {
  VariedPeer peer(run, make_subject_with_account(run), kind_of_peer(run));
  const auto user = peer.subject().user();
  const auto full = peer.subject().account()->full_jid(user.substr(0, user.find('@')));
  auto led = peer.negotiate();
  if (!GIVEN(led.ready, "a stream that is led as usual is established")) return;
  led.stream->send(
      fmt::format("<message from='romeo@{0}/home' to='{1}' id='the message' type='chat'><body>first</body>"
                  "</message><iq from='romeo@{0}/home' to='{1}' id='the answer' type='result'><done "
                  "xmlns='urn:example:done'/></iq>",
                  peer.domain(), full));
  const stimuli::Grammar none({});
  if (!GIVEN(peer.marker_passes(*led.stream, none, none.usual()), "a message sent behind them arrived")) return;
  const auto& juliet = peer.subject().account()->user(user.substr(0, user.find('@')));
  const bool both = count_of(juliet.messages, "the message") == 1 && count_of(juliet.iqs, "the answer") == 1;
  if (!GIVEN(both, "a message and an answer reach the user")) return;
  CONFORMS("RFC6120-10.1-1", "what reached the user first",
           first_to_come(peer.subject().world(), user.substr(0, user.find('@')), "the message", "the answer"),
           Eq("the message"));
  peer.end(*led.stream);
}

CUTOVER_CASE(iq_behind){
    .id = "variation.iq-behind-a-message",
    .title = "An iq does not overtake the message before it",
    .procedure = "A peer sends the user's resource a message and an iq result in one write.",
    .accepted = "The message, then the result.",
    .likely_causes = "A queue for each kind of stanza; requests that are handled where they are read.",
    .judges = {{"RFC6120-10.1-1", {"xmpp.iqs-first"}}},
    .needs = {Need::user_account},
    .budget = 1min,
    .body = before_an_iq};

}  // namespace
}  // namespace cutover::suites
