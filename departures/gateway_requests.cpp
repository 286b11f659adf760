// What a gateway says to requests, and puts into them, whatever they are about.
#include "departures/rows.h"
#include "protocol/interworking/mapping/error.h"
#include "protocol/sip/passage.h"

namespace cutover::departures {

std::vector<Row> gateway_requests() {
  using sip::Passage;
  return {
      {"gateway.405-without-allow", "sends 405 without Allow", "RFC3261-405",
       [](Passage& p) {
         if (p.out() && p.message.status == 405) p.message.remove_header("Allow");
       },
       gateways},
      {"gateway.415-without-accept", "sends 415 without Accept", "RFC3261-415",
       [](Passage& p) {
         if (p.out() && p.message.status == 415) p.message.remove_header("Accept");
       },
       gateways},
      {"gateway.ignores-unknown-method", "is silent to unknown methods", "RFC3261-501",
       [](Passage& p) {
         constexpr std::string_view known = interworking::allowed_methods;
         if (p.in() && p.message.is_request && known.find(p.message.method) == known.npos) p.drop();
       },
       gateways},
      {"gateway.raises-max-forwards", "raises Max-Forwards", "RFC7247-8-5",
       [](Passage& p) {
         if (p.out() && p.message.is_request) p.message.set_header("Max-Forwards", "255");
       },
       gateways},
  };
}

}  // namespace cutover::departures
