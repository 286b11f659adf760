// SIP responses that lack what the request, or the RFC, wants in them.
#include "departures/rows.h"
#include "protocol/sip/passage.h"

namespace cutover::departures {

std::vector<Row> sip_responses() {
  using sip::Passage;
  return {
      {"sip.response-without-record-route", "accepts a dialog without copying Record-Route", "",
       [](Passage& p) {
         if (p.out() && !p.message.is_request) p.message.remove_header("Record-Route");
       }},
  };
}

}  // namespace cutover::departures
