// Stanzas for several addressees in one write.
#include "protocol/xmpp/stanza.h"
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
  led.stream->send(message(user, "first") + ping("second") + message("nobody@" + domain, "third") +
                   message(peer.subject().account()->full_jid(local), "fourth") + ping("fifth") + "\n" +
                   message(user, "sixth"));
  const stimuli::Grammar none({});
  if (!GIVEN(peer.marker_passes(*led.stream, none, none.usual()), "a message sent behind them arrived")) return;
  const auto& messages = peer.subject().account()->user(local).messages;
  for (const auto* id : {"first", "fourth", "sixth"})
    CONFORMS("SEC-SMUGGLE-7", fmt::format("how often the message that was the {} of one write came", id),
             count_of(messages, id), Eq(1U));
  // Answers come by another stream than the marker.
  const auto answers = [&](const char* id) {
    return count_of(peer.romeo().iqs, id) + count_of(peer.romeo().errors, id);
  };
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

}  // namespace
}  // namespace cutover::suites
