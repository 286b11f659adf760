// Stream headers that say too little, too much, or something else.
#include "departures/rows.h"
#include "protocol/xmpp/passage.h"

namespace cutover::departures {

std::vector<Row> xmpp_headers() {
  using xmpp::Passage;
  return {
      {"xmpp.header-without-from", "sends initial headers without from", "RFC6120-4.7.1-1",
       [](Passage& p) {
         if (p.sends_header() && p.initiating && !p.link) p.remove_attribute("from");
       }},
  };
}

}  // namespace cutover::departures
