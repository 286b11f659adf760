// Times, sizes and counts of S2S streams that are not what the documents, or their owner, want.
#include "departures/rows.h"
#include "protocol/xmpp/stream.h"

namespace cutover::departures {

namespace {
constexpr Duration for_ever = std::chrono::hours(24 * 365);
}

std::vector<Row> xmpp_settings() {
  using xmpp::StreamConfig;
  return {
      {"xmpp.no-close-timeout", "waits without end for the peer's </stream:stream>", "RFC6120-4.4-4",
       [](StreamConfig& config) { config.close_timeout = for_ever; }},
  };
}

}  // namespace cutover::departures
