// What waits for a stream: its order at the one moment when it is hard (RFC 6120 section 10.1), while the stream for
// the earlier message is authenticated and not yet ready; and its bound.
#include "suites/support/negotiation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;
using testing::Eq;

constexpr auto external = PartnerKind::sasl_external, elsewhere = PartnerKind::dialback_over_tls;

void late_message(Run& run) {
  Negotiation n(run);
  auto stream = n.called_to_authenticate("first", external_offered);
  if (!stream) return;
  stream->wire().restart_reader();
  stream->send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  if (!GIVEN(stream->await_header(), "the subject opens a new stream behind <success/>")) return;
  n.subject().send_message(n.romeo(external), "second");
  // What the same user writes to another domain shows that the second one has been handled.
  if (!GIVEN(n.called(elsewhere, "third"), "the subject opens a stream to another domain")) return;
  stream->header().id = "ready";
  stream->send(stream->header().text() + "<stream:features/>");
  const auto one = body_of(stream->await_element("message", xmpp::ns::server));
  const auto other = body_of(stream->await_element("message", xmpp::ns::server));
  if (!GIVEN(one != body_of(std::nullopt) || other != body_of(std::nullopt), "a message comes")) return;
  CONFORMS("RFC6120-10.1-2", "the messages in the order in which they came", one + ", " + other, Eq("first, second"));
}

CUTOVER_CASE(queue_overtaken){
    .id = "account.queue-not-overtaken",
    .title = "A message that comes while the stream is authenticated but not yet ready waits behind the earlier one",
    .procedure =
        "Let the user write; lead the stream up to <success/> and the subject's header behind it, and wait. The user "
        "writes again there, then to another domain, whose connection comes; then answer the header.",
    .accepted = "Both messages, in the order in which they were written.",
    .likely_causes = "A stream that counts as usable from <success/> on, while its queue waits for the features.",
    .judges = {{"RFC6120-10.1-2", {"xmpp.reorders-queue", "xmpp.loses-queued-stanza"}}},
    .needs = {Need::sasl_external, Need::dialback, Need::user_account},
    .budget = 1min,
    .body = late_message};

void many_wait(Run& run) {
  constexpr int messages = 1500;
  Negotiation n(run);
  if (!GIVEN(n.called(external, "first"), "the subject calls the peer, which says nothing")) return;
  for (int i = 1; i <= messages; ++i) n.subject().send_message(n.romeo(external), fmt::format("waits {}", i));
  const auto last = fmt::format("waits {}", messages);
  // Long before the stream is given up, which returns all of them.
  CONFORMS("SEC-OVERSIZE-3",
           fmt::format("the sender of the last of {} messages to a peer that says nothing was told within ten seconds",
                       messages),
           n.subject().world().run_until([&] { return !n.subject().told(last).empty(); }, 10s), Eq(true));
}

CUTOVER_CASE(queue_bounded){
    .id = "account.queue-is-bounded",
    .title = "What waits for a peer that never negotiates is bounded, and what does not fit is returned at once",
    .procedure = "A peer takes the connection and says nothing; the user writes 1,500 messages to it.",
    .accepted = "The last of them is refused while the stream is still waited for.",
    .likely_causes = "A queue without a bound, which anybody fills who writes to a peer that is slow.",
    .judges = {{"SEC-OVERSIZE-3", {"xmpp.queue-unbounded"}}},
    .needs = {Need::sasl_external, Need::user_account},
    .live = false,
    .budget = 10min,
    .body = many_wait};

}  // namespace
}  // namespace cutover::suites
