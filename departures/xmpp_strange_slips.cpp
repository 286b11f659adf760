// Slips of servers that nobody here has met: restarts, negotiation, keys of several pairs, ends, more than one stream.
#include "departures/between_servers.h"
#include "departures/rows.h"
#include "protocol/base/base64.h"
#include "protocol/xmpp/stream_text.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

/// A key that a peer sends, and the outcome that it is told.
bool hears_key(const Passage& p) {
  return !p.initiating && p.hears("result", ns::dialback) && value(p, "type").empty();
}
bool tells_outcome(const Passage& p) {
  return !p.initiating && p.sends("result", ns::dialback) && !value(p, "type").empty();
}

void write_declaration_once(Passage& p, bool& begun) {
  if (!p.sends_header() || p.link) return;
  const auto end = p.octets.find("?>");
  if (std::exchange(begun, true) && end != std::string::npos) p.octets.erase(0, end + 2);
}

std::vector<Row> restarts() {
  return {
      {"xmpp.version-forgotten-behind-sasl", "leaves the version out of its response header behind <success/>",
       "RFC6120-4.7.5-2 RFC6120-4.7.5-5", forgotten_behind_sasl("version")},
      {"xmpp.id-forgotten-behind-sasl", "leaves the id out of its response header behind <success/>",
       "RFC6120-4.7.3-1 RFC6120-6.4.6-3", forgotten_behind_sasl("id")},
      {"xmpp.declaration-forgotten-at-restarts", "writes an XML declaration before the first header only",
       "RFC6120-4.3.3-3 RFC6120-11.5-1", [begun = false](Passage& p) mutable { write_declaration_once(p, begun); }},
      {"xmpp.responds-without-dialback", "does not declare the namespace of dialback where it answers a header",
       "XEP0220-2.4.1-1 XEP0220-2-1",
       [](Passage& p) {
         if (responds(p)) p.remove_attribute("xmlns:db");
       }},
  };
}

std::vector<Row> negotiation() {
  return {
      {"xmpp.mechanisms-in-one", "writes the names of its mechanisms into one element", "RFC6120-6.4.1-1",
       [](Passage& p) {
         if (p.sends("features", ns::streams))
           p.replace("<mechanism>EXTERNAL</mechanism>", "<mechanism>EXTERNAL PLAIN</mechanism>");
       }},
      {"xmpp.success-in-words", "writes a greeting into <success/>", "RFC6120-6.3.5-2",
       [](Passage& p) {
         if (p.sends("success", ns::sasl))
           p.octets = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Welcome!</success>";
       }},
      {"xmpp.sasl-failures-all-alike", "tells not-authorized whatever was wrong with <auth/>",
       "RFC6120-6.5.5-1 RFC6120-6.5.7-1 RFC6120-6.5.8-1 RFC6120-6.3.8-2",
       [](Passage& p) {
         if (!p.sends("failure", ns::sasl)) return;
         for (const auto* condition : p.element.children())
           if (condition->name() != "text") p.replace("<" + condition->name(), "<not-authorized");
       }},
      {"xmpp.identity-without-padding", "writes the base64 of its identity without padding", "RFC6120-6.3.5-2",
       [](Passage& p) {
         if (!p.sends("auth", ns::sasl) || p.element.text() == "=") return;
         while (p.replace("=</", "</")) {
         }
       }},
      {"xmpp.authorises-its-peer", "names the domain of its peer as authorisation identity",
       "RFC6120-6.3.8-1 XEP0178-3-3",
       [peer = std::string()](Passage& p) mutable {
         if (calls(p)) peer = value(p, "to");
         if (!p.sends("auth", ns::sasl)) return;
         p.edit([&peer](xml::Element& auth) {
           auth.content().clear();
           auth.add_text(to_base64(peer));
         });
       }},
      {"xmpp.enables-before-authentication", "asks for stream management before it has authenticated", "XEP0198-3-1",
       [](Passage& p) {
         if (p.sends("auth", ns::sasl)) p.octets.insert(0, "<enable xmlns='urn:xmpp:sm:3'/>");
       }},
      {"xmpp.bidi-in-clear", "asks for a bidirectional stream before it asks for TLS", "XEP0288-2.1-2",
       [](Passage& p) {
         if (p.sends("starttls", ns::tls)) p.octets.insert(0, "<bidi xmlns='urn:xmpp:bidi'/>");
       }},
  };
}

std::vector<Row> keys() {
  return {
      {"xmpp.verifies-the-last-key", "asks with the key that came last, whichever stream and pair it came for",
       "XEP0220-2.1.2-1 XEP0220-2.6.1-2",
       [](Passage& p) {
         static std::string last;
         if (hears_key(p)) last = p.element.text();
         if (p.initiating && sends_dialback(p, "verify", "") && !last.empty()) p.replace(p.element.text(), last);
       }},
      {"xmpp.answers-the-last-pair", "tells each outcome of a stream for the pair that was asked for last",
       "XEP0220-2.2.1-4 XEP0220-2.6.1-2",
       [from = std::string(), to = std::string()](Passage& p) mutable {
         if (hears_key(p)) {
           from = value(p, "from");
           to = value(p, "to");
         }
         if (!tells_outcome(p) || (value(p, "to") == from && value(p, "from") == to)) return;
         p.set_attribute("from", to);
         p.set_attribute("to", from);
       }},
      {"xmpp.second-pair-unanswered", "answers the first key of a stream only",
       "XEP0220-2.6.1-2 XEP0220-2.2.1-2 XEP0220-2.2.1-4",
       [from = std::string(), to = std::string()](Passage& p) mutable {
         if (!hears_key(p)) return;
         if (from.empty()) {
           from = value(p, "from");
           to = value(p, "to");
         }
         if (value(p, "from") != from || value(p, "to") != to) p.drop();
       }},
      {"xmpp.stanzas-lost-while-verifying", "loses what a stream brings while a key on it is not answered",
       "XEP0220-2.2.1-2",
       [open = 0](Passage& p) mutable {
         if (hears_key(p)) ++open;
         if (tells_outcome(p)) --open;
         if (open > 0 && p.in() && p.is_stanza()) p.drop();
       }},
      {"xmpp.dialback-error-of-streams", "names the conditions of dialback errors in the namespace of stream errors",
       "XEP0220-2.5-1",
       [](Passage& p) {
         if (sends_dialback(p, "result", "error") || sends_dialback(p, "verify", "error"))
           p.replace(ns::stanza_errors, ns::stream_errors);
       }},
      {"xmpp.result-error-taken-for-valid", "as initiator takes a db:result of type error for a valid one",
       "XEP0220-2.1.1-8 XEP0220-2.1.1-3 SEC-LEAK-2",
       [](Passage& p) {
         if (!p.initiating || !p.hears("result", ns::dialback) || value(p, "type") != "error") return;
         p.edit([](xml::Element& result) {
           result.content().clear();
           result.set_attribute("type", "valid");
         });
       }},
      {"xmpp.verification-failure-ends-stream",
       "ends the stream of a peer whose key cannot be verified, instead of telling an error",
       "XEP0220-2.5-2 XEP0220-2.1.2-6",
       [](Passage& p) {
         if (tells_outcome(p) && p.octets.find("<remote-") != std::string::npos)
           p.end_stream("remote-connection-failed");
       }},
  };
}

/// Takes one of two out of octets that came together.
void take_out(std::string& octets, std::size_t begin, std::string_view end_tag) {
  const auto end = begin == std::string::npos ? begin : octets.find(end_tag, begin);
  if (end != std::string::npos) octets.erase(begin, end + end_tag.size() - begin);
}

std::vector<Row> ends() {
  return {
      {"xmpp.ends-told-as-timeouts", "answers the end tag of its peer with connection-timeout",
       "RFC6120-4.9.3.4-1 RFC6120-4.4-5",
       [ended = false](Passage& p) mutable {
         if (p.kind != Passage::Kind::end_tag || p.link) return;
         if (p.in()) ended = true;
         if (p.out() && ended) p.octets.insert(0, xmpp::stream_error("connection-timeout"));
       }},
      {"xmpp.improper-addressing-is-bad-format", "tells bad-format where a stanza has no proper addresses",
       "RFC6120-8.1.1.2-1 RFC6120-8.1.2.2-1 RFC6120-4.9.3.7-1",
       [](Passage& p) {
         if (p.sends("error", ns::streams)) p.replace("<improper-addressing", "<bad-format");
       }},
      {"xmpp.stream-error-text-without-language", "explains stream errors in words of no language", "RFC6120-4.9.2-5",
       [](Passage& p) {
         if (!p.sends("error", ns::streams)) return;
         p.edit([](xml::Element& error) {
           error.remove_children("text", ns::stream_errors);
           error.add(xml::Element("text", ns::stream_errors)).add_text("The stream cannot go on.");
         });
       }},
      {"xmpp.last-message-lost", "loses a message that comes in one write with the end tag behind it",
       "RFC6120-10.1-1 RFC6120-4.4-3 SEC-SMUGGLE-7",
       [](Direction direction, std::string& octets) {
         const auto at = octets.find("</message></stream:stream");
         if (direction == Direction::in && at != std::string::npos)
           take_out(octets, octets.rfind("<message", at), "</message>");
       }},
      {"xmpp.second-of-one-write-lost", "loses the second of two messages that come in one write",
       "SEC-SMUGGLE-7 RFC6120-10.1-1",
       [](Direction direction, std::string& octets) {
         const auto at = octets.find("</message><message");
         if (direction == Direction::in && at != std::string::npos)
           take_out(octets, at + std::string_view("</message>").size(), "</message>");
       }},
      {"xmpp.older-streams-deaf", "hears nothing on a stream any more once the same peer has opened another",
       "RFC6120-10.1-1 RFC6120-10.5.4-1 SEC-PROTO-4",
       [peer = std::string(), mine = 0U](Passage& p) mutable {
         static std::map<std::string, unsigned> latest;
         if (p.initiating || p.link || p.out()) return;
         if (p.hears_header() && mine == 0 && !value(p, "from").empty()) {
           peer = value(p, "from");
           mine = ++latest[peer];
         }
         if (p.is_stanza() && mine != latest[peer]) p.drop();
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_strange_slips() { return defects(s2s, {restarts(), negotiation(), keys(), ends()}); }

}  // namespace cutover::departures
