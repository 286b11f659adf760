// Stream headers that say too little, too much, or something else.
#include "departures/rows.h"
#include "protocol/xmpp/namespaces.h"
#include "protocol/xmpp/passage.h"

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

bool initial(const Passage& p) { return p.sends_header() && p.initiating && !p.link; }
bool response(const Passage& p) { return p.sends_header() && !p.initiating && !p.link; }

}  // namespace

std::vector<Row> xmpp_headers() {
  return {
      {"xmpp.header-without-from", "sends initial headers without from", "RFC6120-4.7.1-1",
       [](Passage& p) {
         if (initial(p)) p.remove_attribute("from");
       }},
      {"xmpp.response-without-from", "sends response headers without from", "RFC6120-4.7.1-2",
       [](Passage& p) {
         if (response(p)) p.remove_attribute("from");
       }},
      {"xmpp.header-without-to", "sends headers without to", "RFC6120-4.7.2-1 RFC6120-4.7.2-2",
       [](Passage& p) {
         if (initial(p) || response(p)) p.remove_attribute("to");
       }},
      {"xmpp.header-without-lang", "sends headers without xml:lang", "RFC6120-4.7.4-1 RFC6120-4.7.4-2",
       [](Passage& p) {
         if (initial(p) || response(p)) p.remove_attribute("xml:lang");
       }},
      {"xmpp.initial-header-with-id", "writes an id into its initial header", "RFC6120-4.7.3-3",
       [](Passage& p) {
         if (initial(p)) p.set_attribute("id", "initial");
       }},
      {"xmpp.stream-id-missing", "sends response headers without id", "RFC6120-4.7.3-1",
       [](Passage& p) {
         if (response(p)) p.remove_attribute("id");
       }},
      {"xmpp.initial-version-low", "offers version 0.9 as initiator", "RFC6120-4.7.5-1",
       [](Passage& p) {
         if (initial(p)) p.set_attribute("version", "0.9");
       }},
      {"xmpp.knows-one-version", "takes every version but 1.0 for 0.9", "RFC6120-4.7.5-3",
       [](Passage& p) {
         if (p.hears_header() && !p.initiating && p.element.attribute("version").value_or("1.0") != "1.0")
           p.remove_attribute("version");
       }},
      {"xmpp.response-version-copied", "writes the version of the peer into its header, however high",
       "RFC6120-4.7.5-2",
       [version = std::string()](Passage& p) mutable {
         if (p.hears_header()) version = p.element.attribute_or_empty("version");
         if (response(p) && !version.empty()) p.set_attribute("version", version);
       }},
      {"xmpp.ignores-version", "answers with version 1.0 and features whatever the version of the peer",
       "RFC6120-4.7.5-5 RFC6120-4.9.3.25-1",
       [](Passage& p) {
         if (p.hears_header() && !p.initiating && !p.link) p.set_attribute("version", "1.0");
       }},
      {"xmpp.initiates-in-client-namespace", "opens streams with jabber:client as content namespace",
       "RFC6120-4.8.3-2 RFC6120-4.8.2-1 RFC6120-4.8.3-3",
       [](Passage& p) {
         if (initial(p)) p.set_attribute("xmlns", ns::client);
       }},
      {"xmpp.response-in-client-namespace", "answers in the content namespace jabber:client", "RFC6120-4.8.2-1",
       [](Passage& p) {
         if (response(p)) p.set_attribute("xmlns", ns::client);
       }},
      {"xmpp.header-not-answered", "answers a stream header with features and no header of its own", "RFC6120-5.4.1-1",
       [](Passage& p) {
         if (response(p)) p.drop();
       }},
      {"xmpp.no-restart-after-tls", "as initiator waits for the peer's header inside TLS",
       "RFC6120-5.3.2-1 RFC6120-5.4.3.3-3",
       [](Passage& p) {
         if (initial(p) && p.secured) p.drop();
       }},
  };
}

}  // namespace cutover::departures
