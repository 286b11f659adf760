// What the documents allow a resolver to ask, and in which order to read, and the reference does not do.
#include "departures/rows.h"
#include "protocol/dns/passage.h"
#include "protocol/dns/resolver.h"

#include <algorithm>

namespace cutover::departures {

namespace {

using dns::Passage;
using dns::ResolverConfig;
using namespace std::chrono_literals;

constexpr unsigned resolvers = proxy | legacy_gateway | account_server;

}  // namespace

std::vector<Row> dns_variants() {
  return variants(
      resolvers,
      {{
          {"dns.asks-in-mixed-case", "writes the names that it asks for in large and small letters (RFC 1035 2.3.3)",
           "RFC6120-3.2.1-1",
           [](Passage& p) {
             if (!p.out()) return;
             for (auto& question : p.message.questions) {
               for (std::size_t at = 0; at < question.name.size(); at += 2) {
                 char& letter = question.name[at];
                 if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
               }
             }
           }},
          {"dns.wants-no-recursion", "asks the name server for what it knows itself (RFC 1035 4.1.1)",
           "RFC6120-3.2.1-1",
           [](Passage& p) {
             if (p.out()) p.message.recursion_desired = false;
           }},
          {"dns.speaks-edns", "has an OPT record in its queries (RFC 6891)", "RFC6120-3.2.1-1",
           [](Passage& p) {
             constexpr auto opt = static_cast<dns::Type>(41);
             if (p.out() && p.message.additional.empty()) p.message.additional.push_back({".", opt, 0, "\\# 0"});
           }},
          {"dns.reads-answers-backwards", "hears the records of an answer in another order (RFC 1035 4.1.3)",
           "RFC2782-target-1",
           [](Passage& p) {
             if (p.in()) std::ranges::reverse(p.message.answers);
           }},
          {"dns.hears-more-than-it-asked", "hears of further records in the additional section (RFC 1035 4.1)",
           "RFC5452-6-1",
           [](Passage& p) {
             if (!p.in()) return;
             p.message.additional.push_back({"elsewhere.invalid", dns::Type::a, 60, "192.0.2.1"});
             p.message.additional.push_back({"elsewhere.invalid", dns::Type::txt, 60, "\"odd\""});
           }},
          {"dns.believes-for-half-the-time", "keeps answers for half of their TTL", "RFC6120-13.9.2-1",
           [](Passage& p) {
             if (!p.in()) return;
             for (auto& record : p.message.answers) record.ttl_s /= 2;
           }},
          {"dns.asks-once-more", "asks three times before it gives up", "RFC6120-10.4.3-2",
           [](ResolverConfig& config) { config.tries = 3; }},
          {"dns.asks-again-soon", "waits two seconds for an answer before it asks again", "RFC6120-10.4.3-2",
           [](ResolverConfig& config) { config.timeout = 2s; }},
          {"dns.believes-no-absence", "asks again at once for what was not there (RFC 2308 section 5)",
           "RFC6120-13.9.2-1", [](ResolverConfig& config) { config.negative_ttl_max = 0s; }},
      }});
}

}  // namespace cutover::departures
