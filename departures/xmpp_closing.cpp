// Stream errors that say something else, and ends of a stream that are not said, or not listened through.
#include "departures/rows.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"
#include "protocol/xmpp/stream_text.h"

namespace cutover::departures {

namespace {

using xmpp::Passage;

bool sends_error(const Passage& p) { return p.sends("error", xmpp::ns::streams); }
bool is_end(const Passage& p) { return p.kind == Passage::Kind::end_tag; }

}  // namespace

std::vector<Row> xmpp_closing() {
  return {
      {"xmpp.wrong-stream-condition", "reports every stream error as undefined-condition",
       "RFC6120-4.3.5-3 RFC6120-4.9.3.21-1 RFC6120-4.9.3.6-1 RFC6120-4.9.3.13-1 RFC6120-4.9.3.7-1 "
       "RFC6120-4.9.3.9-1 RFC6120-4.8.1-3 RFC6120-4.8.3-1 RFC6120-8.1.1.2-2 RFC6120-11.1-7 RFC6120-11.3-3 "
       "RFC6120-4.9.3.22-1 RFC6120-13.12-5",
       [](Passage& p) {
         if (sends_error(p)) p.octets = xmpp::stream_error("undefined-condition");
       }},
      {"xmpp.stream-error-without-condition", "sends stream errors without a condition", "RFC6120-4.9.2-1",
       [](Passage& p) {
         if (sends_error(p)) p.put({"error", xmpp::ns::streams});
       }},
      {"xmpp.no-stream-error", "ends streams that it refuses without a stream error",
       "RFC6120-6.4.5-3 RFC6120-10.3-1 RFC6120-4.3.5-3 RFC6120-4.9.1.1-1 RFC6120-4.8.1-1 RFC6120-8.1.1.2-1 "
       "RFC6120-8.1.2.2-1 "
       "RFC6120-8.1.2.2-2 RFC6120-11.1-2 "
       "RFC6120-11.1-3 RFC6120-11.1-4 RFC6120-11.1-5 RFC6120-11.3-2 RFC6120-11.3-3 RFC6120-4.8.1-2 RFC6120-4.8.3-1 "
       "RFC6120-4.8.4-3 RFC6120-8.1.1.2-2 RFC6120-11.5-4 RFC6120-11.6-2 RFC6120-11.7-2 RFC6120-4.7.1-4 RFC7622-4-1 "
       "SEC-SMUGGLE-1",
       [](Passage& p) {
         if (sends_error(p)) p.drop();
       }},
      {"xmpp.no-end-tag-reply", "does not answer </stream:stream> with its own", "RFC6120-4.4-5 INV-3",
       [ended = false](Passage& p) mutable {
         if (is_end(p) && p.in()) ended = true;
         if (is_end(p) && p.out() && ended) p.drop();
       }},
      {"xmpp.deaf-while-closing", "stops reading stanzas once it has sent </stream:stream>", "RFC6120-4.4-3 MIG-D06",
       [ended = false](Passage& p) mutable {
         if (is_end(p) && p.out()) ended = true;
         if (p.in() && p.is_stanza() && ended) p.drop();
       }},
      {"xmpp.no-keep-alive", "never sends white space on an idle stream", "LYNC-CFG-KeepAliveInterval",
       [](Passage& p) {
         if (p.out() && p.kind == Passage::Kind::other) p.drop();
       }},
  };
}

}  // namespace cutover::departures
