// Times, sizes and counts of S2S streams that are not what the documents, or their owner, want.
#include "departures/rows.h"
#include "protocol/xmpp/server.h"
#include "protocol/xmpp/stream.h"

#include <climits>

namespace cutover::departures {

namespace {

constexpr Duration for_ever = std::chrono::hours(24 * 365);

}  // namespace

std::vector<Row> xmpp_settings() {
  using xmpp::ServerConfig;
  using xmpp::StreamConfig;
  return {
      {"xmpp.no-close-timeout", "waits without end for the peer's </stream:stream>", "RFC6120-4.4-4",
       [](StreamConfig& config) { config.close_timeout = for_ever; }},
      {"xmpp.direct-tls-everywhere", "begins with TLS wherever it connects", "XEP0368-3-3",
       [](StreamConfig& config) {
         if (config.role == xmpp::StreamRole::initiating && config.identity) config.direct_tls = true;
       }},
      {"xmpp.ends-with-its-end-tag", "ends the connection behind its own </stream:stream>",
       "RFC6120-4.4-1 RFC6120-4.4-3 INV-3", [](StreamConfig& config) { config.close_timeout = Duration::zero(); }},
      {"xmpp.no-establishment-timeout", "lets a stream negotiate for ever",
       "SEC-SLOW-1 LYNC-CFG-StreamEstablishmentTimeout MIG-N11 MIG-N06",
       [](StreamConfig& config) { config.establishment_timeout = for_ever; }},
      {"xmpp.no-idle-timeout", "keeps idle streams for ever",
       "LYNC-CFG-StreamInactivityTimeout RFC6120-4.6.3-1 SEC-SLOW-4 MIG-N11",
       [](StreamConfig& config) { config.inactivity_timeout = for_ever; }},
      {"xmpp.tls-optional-against-policy", "goes on in clear with peers whose policy requires TLS",
       "RFC9325-3.2-1 DECLARED-4",
       [](StreamConfig& config) {
         if (config.role == xmpp::StreamRole::initiating || !config.policy) return;
         config.policy = [policy = config.policy](std::string_view domain) {
           auto lax = policy(domain);
           if (lax.tls == xmpp::Negotiation::required) lax.tls = xmpp::Negotiation::optional;
           return lax;
         };
       }},
      {"xmpp.ignores-static-route", "looks for the record of a partner that has a static route", "MIG-N10",
       [](ServerConfig& config) {
         if (!config.policy) return;
         config.policy = [policy = config.policy](std::string_view domain) {
           auto without = policy(domain);
           without.proxy_fqdn.clear();
           return without;
         };
       }},
      {"xmpp.no-connect-timeout", "waits without end for a connection", "RFC6120-3.2.1-4",
       [](ServerConfig& config) { config.connect_timeout = for_ever; }},
      {"xmpp.forgets-at-once", "forgets what it wrote as soon as it is written", "XEP0198-4-3",
       [](ServerConfig& config) { config.doubt_window = Duration::zero(); }},
      {"xmpp.sasl-tries-unlimited", "lets a peer try SASL for ever", "RFC6120-13.9.4-1 RFC6120-6.4.5-2 RFC6120-6.4.5-3",
       [](StreamConfig& config) { config.sasl_tries_max = INT_MAX; }},
      {"xmpp.no-size-limits", "reads elements of any size, depth and width", "RFC6120-13.12-5",
       [](StreamConfig& config) {
         auto& bounds = config.reader_limits;
         bounds.element_octets = bounds.header_octets = std::size_t{1} << 30U;
         bounds.depth = bounds.attributes = bounds.children = std::size_t{1} << 20U;
       }},
      {"xmpp.small-stanzas-only", "takes no stanza of more than 8000 octets", "RFC6120-13.12-4",
       [](StreamConfig& config) { config.reader_limits.element_octets = 8000; }},
      {"xmpp.stream-id-predictable", "gives every stream the same id",
       "RFC6120-4.7.3-2 RFC6120-4.3.3-4 RFC6120-5.4.3.3-4 RFC6120-6.4.6-3",
       [](StreamConfig& config) { config.random = [](std::uint64_t) { return std::uint64_t{0}; }; }},
      {"xmpp.stream-id-of-few-bits", "gives each stream an id of sixteen bits", "RFC6120-4.7.3-2",
       [](StreamConfig& config) {
         config.random = [random = config.random](std::uint64_t) { return random ? random(16) : 0; };
       }},
  };
}

}  // namespace cutover::departures
