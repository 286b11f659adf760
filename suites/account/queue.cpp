// RFC 6120 section 10.1 at the one moment when it is hard: a message that comes while the stream for the earlier one is
// authenticated and not yet ready.
#include "suites/support/negotiation.h"

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

}  // namespace
}  // namespace cutover::suites
