// Slips that servers and gateways in the field were shipped with: restarts, SASL, keys, what follows a lost connection.
#include "departures/between_servers.h"
#include "departures/inside_stanzas.h"
#include "departures/rows.h"
#include "protocol/xmpp/stanza.h"
#include "protocol/xmpp/stream_text.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cutover::departures {

namespace {

using xmpp::Passage;
namespace ns = xmpp::ns;

std::vector<Row> streams() {
  return {
      {"xmpp.language-forgotten-behind-sasl", "names no language in its response header behind <success/>",
       "RFC6120-4.7.4-2", forgotten_behind_sasl("xml:lang")},
      {"xmpp.calls-from-its-host-inside-tls", "names a host of its domain in the initial header inside TLS",
       "RFC6120-4.7.1-1",
       [](Passage& p) {
         if (calls(p) && p.secured) p.set_attribute("from", "xmpp." + value(p, "from"));
       }},
      {"xmpp.nul-behind-the-end", "ends its streams with an octet of zero behind the end tag",
       "RFC6120-4.4-2 RFC6120-11.3-1",
       [](Passage& p) {
         if (ends(p)) p.octets += '\0';
       }},
      {"xmpp.challenges-with-an-equals-sign", "writes an empty challenge as '='", "RFC6120-6.3.5-2 RFC6120-6.3.10-1",
       [](Passage& p) {
         if (p.sends("challenge", ns::sasl))
           p.octets = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</challenge>";
       }},
      {"xmpp.sasl-failure-with-two-conditions", "names two conditions in <failure/>", "RFC6120-6.4.5-1",
       [](Passage& p) {
         if (p.sends("failure", ns::sasl)) write_more(p, "<temporary-auth-failure/>");
       }},
  };
}

/// An answer to a question about a key is asked for, and given.
bool hears_question(const Passage& p) {
  return !p.initiating && p.hears("verify", ns::dialback) && value(p, "type").empty();
}
bool gives_answer(const Passage& p) {
  return !p.initiating && p.sends("verify", ns::dialback) && !value(p, "type").empty();
}

/// A key that goes on being sent for a pair, and the id of the stream that it was made for.
struct KeptKey {
  std::string key, id;
};

/// Sends the first key of a pair again, and knows it again whatever stream it is asked for.
void keep_keys(Passage& p, std::string& response_id) {
  static std::map<std::string, KeptKey> kept;
  static std::map<std::string, std::string> asked;  // the id that a key was made for: the one that a peer asked with
  if (p.initiating && p.hears_header()) response_id = value(p, "id");
  if (p.initiating && sends_dialback(p, "result", "") && !p.element.text().empty()) {
    const auto [at, is_first] =
        kept.try_emplace(value(p, "from") + ' ' + value(p, "to"), KeptKey{p.element.text(), response_id});
    if (!is_first) p.replace(p.element.text(), at->second.key);
  }
  for (const auto& [pair, one] : kept) {
    if (!hears_question(p) || p.element.text() != one.key || value(p, "id") == one.id) continue;
    asked[one.id] = value(p, "id");
    p.set_attribute("id", one.id);
  }
  if (!gives_answer(p)) return;
  if (auto found = asked.extract(value(p, "id"))) p.set_attribute("id", found.mapped());
}

std::vector<Row> keys() {
  return {
      {"xmpp.keys-compared-by-their-beginning",
       "as authoritative server looks at the first 64 characters of a key only", "XEP0220-2.2.2-3",
       [](Passage& p) {
         const auto key = p.element.text();
         if (hears_question(p) && key.size() > 64) p.replace(key, key.substr(0, 64));
       }},
      {"xmpp.invalid-keys-told-as-errors", "as authoritative server tells an error of a key that is not valid",
       "XEP0220-2.2.2-1 XEP0220-2.2.2-3",
       [](Passage& p) {
         if (gives_answer(p) && value(p, "type") == "invalid")
           p.octets = xmpp::dialback_element("verify", value(p, "from"), value(p, "to"), value(p, "id"), "error",
                                             xmpp::dialback_error("not-authorized"));
       }},
      {"xmpp.keys-kept-for-a-pair", "has one key for a pair, whichever stream it is sent on",
       "XEP0185-2-4 XEP0220-2.2.2-3", [response_id = std::string()](Passage& p) mutable { keep_keys(p, response_id); }},
      {"xmpp.second-question-unanswered", "as authoritative server answers the first question of a stream only",
       "XEP0220-2.2.2-1 XEP0220-2.2.2-4",
       [asked = false](Passage& p) mutable {
         if (hears_question(p) && std::exchange(asked, true)) p.drop();
       }},
      {"xmpp.first-stanza-behind-an-outcome-lost", "loses the first stanza behind a key that it found valid",
       "RFC6120-10.5.4-1 RFC6120-10.1-1",
       [told = false](Passage& p) mutable {
         if (!p.initiating && sends_dialback(p, "result", "valid")) told = true;
         if (!p.initiating && hears_s2s_stanza(p) && std::exchange(told, false)) p.drop();
       }},
  };
}

/// The last stream to a peer, and how it went.
struct LastStream {
  std::weak_ptr<int> stream;
  bool is_known = false, has_ended = false;
  std::string last_stanza;
};

/// A stream that this node opens, and whether the one before it, between the same two, broke.
class Reconnecting {
 public:
  using Streams = std::map<std::string, LastStream>;

  void look(const Passage& p, Streams& streams) {
    if (calls(p) && !mine_) {
      mine_ = std::make_shared<int>(0);
      pair_ = value(p, "from") + ' ' + value(p, "to");
      auto& last = streams[pair_];
      if (last.is_known && !last.has_ended && last.stream.expired()) {
        follows_a_broken_one = true;
        lost = last.last_stanza;
      }
      last = {mine_, true, false, {}};
    }
    if (!mine_) return;
    if (p.kind == Passage::Kind::end_tag) streams[pair_].has_ended = true;
    if (sends_s2s_stanza(p)) streams[pair_].last_stanza = p.octets;
  }

  bool follows_a_broken_one = false;
  std::string lost;  ///< the last that went out before

 private:
  std::shared_ptr<int> mine_;
  std::string pair_;
};

/// Puts an iq before the message that came in one write with it.
void iqs_first(std::string& octets) {
  constexpr std::string_view between = "</message><iq", end_tag = "</iq>";
  const auto at = octets.find(between);
  const auto begin = at == std::string::npos ? at : octets.rfind("<message", at);
  const auto end = at == std::string::npos ? at : octets.find(end_tag, at);
  if (begin == std::string::npos || end == std::string::npos) return;
  const auto middle = at + std::string_view("</message>").size();
  const auto message = octets.substr(begin, middle - begin);
  octets.erase(begin, message.size());
  octets.insert(end + end_tag.size() - message.size(), message);
}

std::vector<Row> connections() {
  return {
      {"xmpp.iqs-first", "handles an iq before the message that came in one write with it",
       "RFC6120-10.1-1 SEC-SMUGGLE-7",
       [](Direction direction, std::string& octets) {
         if (direction == Direction::in) iqs_first(octets);
       }},
      {"xmpp.last-stanza-again", "sends the last stanza of a connection that broke once more on the next", "INV-2",
       [stream = Reconnecting()](Passage& p) mutable {
         static Reconnecting::Streams streams;
         stream.look(p, streams);
         if (p.initiating && sends_s2s_stanza(p)) p.octets.insert(0, std::exchange(stream.lost, {}));
       }},
      {"xmpp.first-stanza-after-a-break-lost", "loses the first stanza that it sends once a connection broke",
       "RFC6120-10.4.3-1 RFC6120-10.1-2",
       [stream = Reconnecting()](Passage& p) mutable {
         static Reconnecting::Streams streams;
         stream.look(p, streams);
         if (p.initiating && sends_s2s_stanza(p) && std::exchange(stream.follows_a_broken_one, false)) p.drop();
       }},
  };
}

bool hears_request(const Passage& p) {
  return !p.initiating && hears_s2s_stanza(p) && p.is("iq") && (p.has_type("get") || p.has_type("set"));
}
bool is_for_the_server(const Passage& p) {
  const auto to = value(p, "to");
  return to.find('@') >= to.find('/');
}

std::vector<Row> requests() {
  return {
      {"xmpp.sets-unanswered", "answers what it is asked, and nothing that it is told to set", "RFC6120-8.2.3-3",
       [](Passage& p) {
         if (hears_request(p) && p.has_type("set") && is_for_the_server(p)) p.drop();
       }},
      {"xmpp.requests-to-its-resources-lost", "answers no request to its domain with a resource",
       "RFC6120-10.5.2-1 RFC6120-8.2.3-3",
       [](Passage& p) {
         if (hears_request(p) && is_for_the_server(p) && value(p, "to").find('/') != std::string::npos) p.drop();
       }},
      {"xmpp.requests-without-content-unanswered", "answers no request that is empty",
       "RFC6120-8.2.3-3 RFC6120-8.3.1-1",
       [](Passage& p) {
         if (hears_request(p) && p.element.children().empty()) p.drop();
       }},
      {"xmpp.disco-in-the-namespace-of-the-stanza", "answers service discovery in the namespace of the iq",
       "XEP0030-3.1-1",
       [](Passage& p) {
         if (!sends_iq_answer(p) || p.element.child("query", ns::disco_info) == nullptr) return;
         p.replace(" xmlns='http://jabber.org/protocol/disco#info'", "");
         p.replace(" xmlns=\"http://jabber.org/protocol/disco#info\"", "");
       }},
  };
}

/// The words of a condition inside its element.
void say_conditions(xml::Element& error, std::string_view errors_ns) {
  for (auto& one : error.content()) {
    if (one.is_text()) continue;
    auto& condition = one.element.front();
    if (condition.ns() == errors_ns && condition.name() != "text" && condition.content().empty())
      condition.add_text("It did not work: " + condition.name());
  }
}

std::vector<Row> presence_and_errors() {
  return {
      {"xmpp.available-said", "gives available presence the type available, which does not exist",
       "RFC6121-4.2.2-1 RFC6121-4.4.2-1 INV-4",
       [](Passage& p) {
         if (p.sends_presence("") && !p.link) p.set_attribute("type", "available");
       }},
      {"xmpp.refusals-lost", "does not tell that a subscription is refused or cancelled", "RFC6121-3.2.2-1",
       [](Passage& p) {
         if (p.sends_presence("unsubscribed") && !p.link) p.drop();
       }},
      {"xmpp.presence-errors-answered", "answers presence of type error with an error", "RFC6120-8.3.1-5 SEC-ERRLOOP-1",
       [](Passage& p) {
         if (!p.hears_presence("error") || p.link) return;
         auto back = p.element;
         back.set_attribute("from", value(p, "to"));
         back.set_attribute("to", value(p, "from"));
         p.answer(back);
       }},
      {"xmpp.stanza-conditions-with-words", "writes words into the condition of a stanza error", "RFC6120-8.3.2-5",
       [](Passage& p) {
         if (!sends_s2s_error(p)) return;
         alter(p, [](xml::Element& stanza) {
           if (auto* error = stanza.child("error", stanza.ns())) say_conditions(*error, ns::stanza_errors);
         });
       }},
      {"xmpp.stream-conditions-with-words", "writes words into the condition of a stream error", "RFC6120-4.9.2-6",
       [](Passage& p) {
         if (p.sends("error", ns::streams))
           alter(p, [](xml::Element& error) { say_conditions(error, ns::stream_errors); });
       }},
  };
}

}  // namespace

std::vector<Row> xmpp_foreign_slips() {
  return defects(s2s, {streams(), keys(), connections(), requests(), presence_and_errors()});
}

}  // namespace cutover::departures
