// Two streams of one peer at a time: RFC 6120 section 10.
#include "protocol/xml/writer.h"
#include "suites/support/negotiation.h"

#include <gmock/gmock.h>

namespace cutover::suites {
namespace {

using namespace harness;

/// Whether a message on the stream arrives; waits no longer than the stream lives.
bool arrives(Negotiation& n, PeerStream& stream, PartnerKind kind, const std::string& body) {
  stream.send(xml::write(n.message(kind, body)));
  return n.arrives(stream, body);
}

void two_at_once(Run& run) {
  Negotiation n(run);
  const auto kind = n.kind_in_tls();
  auto older = n.established(kind);
  if (!GIVEN(older.has_value() && arrives(n, *older, kind, "on the only stream"), "a message of a peer arrives"))
    return;
  auto newer = n.established(kind);
  // Who allows a peer one stream ends the older one, or does not take the newer one.
  const auto judge = [&](PeerStream& stream, const char* which, const std::string& body) {
    const bool arrived = arrives(n, stream, kind, body);
    CONFORMS_THAT("RFC6120-10.5.4-1/arrives", std::string("what came of a message on the ") + which + " of two streams",
                  arrived || stream.is_over(), "it arrived, or the stream had ended", "it is lost");
  };
  if (newer) judge(*newer, "newer", "on the newer stream");
  judge(*older, "older", "on the older stream");
  if (newer && !newer->is_over()) judge(*newer, "newer", "on the newer stream again");
}

CUTOVER_CASE(two_streams){
    .id = "stream.two-at-once",
    .title = "Of two streams that a peer has open at a time both are heard",
    .procedure =
        "A peer opens a stream, sends a message, opens another one, and sends a message on that, on the older one, and "
        "on the newer one again.",
    .accepted = "Each message arrives; a server may end either stream instead.",
    .likely_causes =
        "Streams that are kept by the name of their peer, so that a newer one takes the place of an older.",
    .judges = {{"RFC6120-10.5.4-1", {"xmpp.older-streams-deaf"}}},
    .needs = {Need::tls, Need::user_account},
    .budget = 1min,
    .body = two_at_once};

}  // namespace
}  // namespace cutover::suites
