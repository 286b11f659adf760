// SIP responses that lack what the request, or the RFC, wants in them.
#include "departures/rows.h"
#include "protocol/sip/passage.h"

namespace cutover::departures {

std::vector<Row> sip_responses() {
  using sip::Passage;
  return {
      {"sip.answers-twice", "answers a MESSAGE with its answer and then with 500", "RFC3261-17.2.1b",
       [](Passage& p) {
         if (!p.answers("MESSAGE", 200)) return;
         auto another = p.message;
         another.status = 500;
         another.reason = "Server Internal Error";
         p.follow(std::move(another));
       },
       gateways},
      {"sip.accepts-without-contact", "makes dialogs by answers without a Contact", "RFC3261-12.1.1-contact",
       [](Passage& p) {
         if (p.answers("INVITE", 200, 299) || p.answers("SUBSCRIBE", 200, 299)) p.message.remove_header("Contact");
       },
       gateways},
      {"sip.420-without-unsupported", "refuses extensions without naming them", "RFC3261-420",
       [](Passage& p) {
         if (p.out() && p.message.status == 420) p.message.remove_header("Unsupported");
       },
       gateways},
      {"sip.response-without-record-route", "accepts a dialog without copying Record-Route", "RFC3261-12.1.1",
       [](Passage& p) {
         if (p.says_response()) p.message.remove_header("Record-Route");
       },
       gateways},
      {"sip.response-without-to-tag", "answers without a To tag", "RFC3261-8.2.6.2",
       [](Passage& p) {
         auto to = p.says_response() ? p.message.to() : std::nullopt;
         if (!to) return;
         std::erase_if(to->parameters, [](const auto& parameter) { return parameter.first == "tag"; });
         p.message.set_header("To", to->text());
       },
       gateways},
      {"sip.response-with-wrong-cseq", "answers with the next CSeq number", "RFC3261-8.2.6.2",
       [](Passage& p) {
         if (!p.says_response()) return;
         p.message.set_header("CSeq", std::to_string(p.message.cseq_number() + 1) + ' ' + p.message.cseq_method());
       },
       gateways},
      {"sip.response-with-wrong-call-id", "answers with another Call-ID", "RFC3261-8.2.6.2",
       [](Passage& p) {
         if (p.says_response()) p.message.set_header("Call-ID", p.message.call_id() + "x");
       },
       gateways},
  };
}

}  // namespace cutover::departures
